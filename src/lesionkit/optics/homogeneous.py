"""The homogeneous tissue that explains readings best: where a reconstruction begins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lesionkit.optics import gauss_newton

Floats = npt.NDArray[np.float64]

STEPS = 6  # Gauss-Newton halves no error less than tenfold here; it is at rest after four
_DIFFERENCE = 1e-4  # relative, of mua and mus', for derivatives to the square of it


def fit(
    problem: gauss_newton.Problem, data: Floats, first_guess: Floats, relative: bool = False
) -> Floats:
    """Tissue (n, 5) of logs (n, wavelengths, rows), from a first guess (5,).

    relative : the instrument's unit, and its phase, are not known: logs may lie off by a number
               for each wavelength, and only their differences count
    """
    count, modulated = len(data), bool(problem.model.frequency)
    first = _free(first_guess)
    free = np.repeat(first[None], count, axis=0)
    elements = len(problem.model.mesh.elements)
    for _ in range(STEPS):
        tissue = _tissue(free)
        mua, mus = _optical(problem, tissue)
        sides = (
            np.stack([mua, mua * (1 + _DIFFERENCE), mua]),
            np.stack([mus, mus, mus * (1 + _DIFFERENCE)]),
        )
        maps = (np.repeat(side, elements, axis=-1) for side in sides)
        here, by_mua, by_mus = _require_finite(problem.logs(*maps))
        by_mua, by_mus = (by_mua - here) / _DIFFERENCE, (by_mus - here) / _DIFFERENCE  # by ln
        residual = gauss_newton.difference(data, here, modulated)
        if relative:
            residual, by_mua, by_mus = (
                _centred(part, modulated) for part in (residual, by_mua, by_mus)
            )
        share = problem.extinction * tissue[:, None, :3] / mua  # (n, w, 3): d ln mua / d ln c
        log_nm = np.log(problem.nm / 1000)
        jacobian = np.concatenate(
            [
                share.transpose(0, 2, 1)[..., None] * by_mua[:, None],
                by_mus[:, None],
                -log_nm[:, None] * by_mus[:, None],
            ],
            axis=1,
        ).reshape(count, 5, -1)
        prior = np.square(gauss_newton.NOISE / gauss_newton.PRIOR)
        matrix = jacobian @ jacobian.transpose(0, 2, 1) + np.diag(prior)
        right = np.einsum("nij,nj->ni", jacobian, residual.reshape(count, -1))
        right += prior * (first - free)
        free = free + np.clip(np.linalg.solve(matrix, right[..., None])[..., 0], -1, 1)
        free[:, 2] = np.minimum(free[:, 2], np.log(100.0))
    return _tissue(free)


def _centred(logs: Floats, modulated: bool) -> Floats:
    """Less the mean over the pairs, of amplitudes and of phases."""
    parts = logs.reshape(*logs.shape[:-1], 1 + modulated, -1)
    centred: Floats = (parts - parts.mean(axis=-1, keepdims=True)).reshape(logs.shape)
    return centred


def logs(problem: gauss_newton.Problem, tissue: Floats) -> Floats:
    """Logs (n, wavelengths, rows) of homogeneous tissue (n, 5)."""
    maps = (
        np.repeat(x, len(problem.model.mesh.elements), axis=-1) for x in _optical(problem, tissue)
    )
    return _require_finite(problem.logs(*maps))


def _require_finite(logs: Floats) -> Floats:
    if not np.isfinite(logs).all():
        raise ValueError(
            "model must give readings above 0 for homogeneous tissue, got some that are not: its "
            "mesh is too coarse for so much absorption"
        )
    return logs


def _optical(problem: gauss_newton.Problem, tissue: Floats) -> tuple[Floats, Floats]:
    """mua and mus' (n, wavelengths, 1)."""
    mua = gauss_newton.absorption(problem.extinction, tissue[:, None, :3, None])
    return mua, tissue[:, 3, None, None] * problem.spectrum(tissue[:, 4])


def _free(tissue: Floats) -> Floats:
    return np.append(np.log(tissue[:4]), tissue[4])


def _tissue(free: Floats) -> Floats:
    return np.concatenate([np.exp(free[:, :4]), free[:, 4:]], axis=1)
