"""The homogeneous tissue that explains readings best: where a reconstruction begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lesionkit.optics.forward.solid_plan import Near
from lesionkit.optics.reconstruction import spectral
from lesionkit.optics.reconstruction.weighting import Weighting

Floats = npt.NDArray[np.float64]

STEPS = 6  # Gauss-Newton halves no error less than tenfold here; it is at rest after four
ROBUST_STEPS = 16  # weights follow the residuals, which follow the weights
AT_REST = 1e-6  # a relative step; the next would take a tenth of it at most


def fit(
    problem: spectral.Problem,
    data: Floats,
    first_guess: Floats,
    relative: bool = False,
    weighting: Weighting | None = None,
    near: Near | None = None,
) -> Floats:
    """Tissue (n, contents) of logs (n, wavelengths, rows), from a first guess (contents,).

    relative  : the instrument's unit, and its phase, are not known: logs may lie off by a number
                for each wavelength, and only their differences count
    weighting : of the data; None: all count alike
    near      : as `Problem.near` has it
    """
    count, modulated = len(data), bool(problem.model.frequency)
    first = _free(first_guess)
    free = np.repeat(first[None], count, axis=0)
    used = None if weighting is None else weighting.given > 0
    robust = weighting is not None and weighting.threshold is not None
    moving = np.arange(count)
    for _ in range(ROBUST_STEPS if robust else STEPS):
        tissue = _tissue(problem, free[moving])
        mua, mus = optical(problem, tissue)
        here, by_mua, by_mus = problem.uniform(mua, mus, near and replace(near, maps=moving))
        mine = None if used is None else used[moving]
        here = _check_finite(here, mine)
        if mine is not None:
            by_mua, by_mus = (np.where(mine, part, 0) for part in (by_mua, by_mus))
        residual = spectral.difference(data[moving], here, modulated)
        weight = None
        if relative:
            residual = _near_zero(residual, modulated, mine)
        if weighting is not None:
            weight, root = weighting.of(residual, moving)
        if relative:
            residual, by_mua, by_mus = (
                _centred(part, modulated, weight) for part in (residual, by_mua, by_mus)
            )
        if weight is not None:
            residual = spectral.rooted(residual, root)
            by_mua, by_mus = by_mua * root, by_mus * root
        c = problem.chromophores
        fraction = problem.extinction * tissue[:, None, :c] / mua  # (n, w, c): d ln mua / d ln c
        log_nm = np.log(problem.nm / 1000)
        jacobian = np.concatenate(
            [
                fraction.transpose(0, 2, 1)[..., None] * by_mua[:, None],
                by_mus[:, None],
                -log_nm[:, None] * by_mus[:, None],
            ],
            axis=1,
        ).reshape(len(moving), c + 2, -1)
        prior = np.square(spectral.NOISE / problem.priors)
        matrix = jacobian @ jacobian.transpose(0, 2, 1) + np.diag(prior)
        right = np.einsum("nij,nj->ni", jacobian, residual.reshape(len(moving), -1))
        right += prior * (first - free[moving])
        step = np.clip(np.linalg.solve(matrix, right[..., None])[..., 0], -1, 1)
        free[moving] += step
        free[:, :c] = np.minimum(free[:, :c], np.log(_most(problem))[:c])
        moving = moving[np.abs(step).max(axis=1) > AT_REST]
        if not len(moving):
            break
    return _tissue(problem, free)


def _near_zero(residual: Floats, modulated: bool, used: npt.NDArray[np.bool_] | None) -> Floats:
    """Residuals (n, wavelengths, rows) less a common number for each wavelength, of amplitudes and
    of phases, that most of them have: phases lie about it and not on either side of a half turn."""
    parts = residual.reshape(*residual.shape[:-1], 1 + modulated, -1).copy()
    if modulated:
        phases = parts[..., 1, :]
        turns = np.exp(1j * phases)
        if used is not None:
            turns = np.where(used.reshape(parts.shape)[..., 1, :], turns, 0)
        phases[...] = np.angle(np.exp(1j * (phases - np.angle(turns.sum(-1, keepdims=True)))))
    if used is not None:
        counted = np.where(used.reshape(parts.shape), parts, np.nan)
        counted[np.isnan(counted).all(axis=-1)] = 0  # a wavelength without readings
        parts -= np.nanmedian(counted, axis=-1, keepdims=True)
    return parts.reshape(residual.shape)


def _centred(logs: Floats, modulated: bool, weight: Floats | None) -> Floats:
    """Less the (weighted) mean over the pairs, of amplitudes and of phases."""
    parts = logs.reshape(*logs.shape[:-1], 1 + modulated, -1)
    if weight is None:
        mean = parts.mean(axis=-1, keepdims=True)
    else:
        counts = weight.reshape(parts.shape)
        total = np.where(counts > 0, parts * counts, 0).sum(axis=-1, keepdims=True)
        mean = total / np.maximum(counts.sum(axis=-1, keepdims=True), 1e-300)
    centred: Floats = (parts - mean).reshape(logs.shape)
    return centred


def logs(
    problem: spectral.Problem, tissue: Floats, used: npt.NDArray[np.bool_] | None = None
) -> Floats:
    """Logs (n, wavelengths, rows) of homogeneous tissue (n, contents); `used` are of use."""
    mua, mus = (np.repeat(x, problem.basis.shape[0], axis=-1) for x in optical(problem, tissue))
    return _check_finite(problem.logs(mua, mus), used)


def _check_finite(logs: Floats, used: npt.NDArray[np.bool_] | None) -> Floats:
    """Logs (..., wavelengths, rows), those that are `used` all finite; the others are made so."""
    ok = np.isfinite(logs)
    if not (ok.all() if used is None else (ok | ~used).all()):
        raise ValueError(
            "model must give readings above 0 for homogeneous tissue, got some that are not: its "
            "mesh is too coarse for so much absorption"
        )
    return logs if used is None else np.where(ok, logs, 0)


def optical(problem: spectral.Problem, tissue: Floats) -> tuple[Floats, Floats]:
    """mua and mus' (n, wavelengths, 1)."""
    c = problem.chromophores
    mua = spectral.absorption(problem.extinction, tissue[:, None, :c, None])
    return mua, tissue[:, c, None, None] * problem.spectrum(tissue[:, c + 1])


def _most(problem: spectral.Problem) -> Floats:
    """The greatest amount of each of the contents; infinity where there is none."""
    return np.array([100.0 if name in spectral.PER_CENT else np.inf for name in problem.contents])


def _free(tissue: Floats) -> Floats:
    return np.append(np.log(tissue[:-1]), tissue[-1])


def _tissue(problem: spectral.Problem, free: Floats) -> Floats:
    tissue = np.concatenate([np.exp(free[:, :-1]), free[:, -1:]], axis=1)
    return problem.within(tissue.T).T
