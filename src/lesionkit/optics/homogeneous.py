"""The homogeneous tissue that explains readings best: where a reconstruction begins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lesionkit.optics import gauss_newton

Floats = npt.NDArray[np.float64]

STEPS = 6  # Gauss-Newton halves no error less than tenfold here; it is at rest after four
_DIFFERENCE = 1e-4  # relative, of mua and mus', for derivatives to the square of it
_NOISE = 0.05  # of a log reading: what the prior is weighed against
_PRIOR = np.array([1.0, 1.0, 1.0, 0.5, 0.5])
"""How far tissue may lie from the reference: factors of e, and the power itself. Some thousand
readings outweigh it, but where light of few wavelengths leaves a combination open, it decides."""


def fit(problem: gauss_newton.Problem, data: Floats, reference: Floats) -> Floats:
    """Tissue (n, 5) of logs (n, wavelengths, rows), from that of the reference (5,)."""
    count, phases = len(data), len(problem.pairs) if problem.model.frequency else 0
    first = _free(reference)
    free = np.repeat(first[None], count, axis=0)
    nodes = len(problem.model.mesh.nodes)
    for _ in range(STEPS):
        mua, mus = gauss_newton.optical(problem, _tissue(free)[:, :, None])
        sides = np.stack([mua, mua * (1 + _DIFFERENCE), mua]), np.stack(
            [mus, mus, mus * (1 + _DIFFERENCE)]
        )
        maps = (np.repeat(side, nodes, axis=-1) for side in sides)
        here, by_mua, by_mus = gauss_newton.logs(problem, *maps)
        by_mua, by_mus = (by_mua - here) / _DIFFERENCE, (by_mus - here) / _DIFFERENCE  # by ln
        residual = gauss_newton.difference(data, here, phases)
        tissue = _tissue(free)
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
        prior = np.square(_NOISE / _PRIOR)
        matrix = jacobian @ jacobian.transpose(0, 2, 1) + np.diag(prior)
        right = np.einsum("nij,nj->ni", jacobian, residual.reshape(count, -1))
        right += prior * (first - free)
        free = free + np.clip(np.linalg.solve(matrix, right[..., None])[..., 0], -1, 1)
        free[:, 2] = np.minimum(free[:, 2], np.log(100.0))
    return _tissue(free)


def _free(tissue: Floats) -> Floats:
    return np.append(np.log(tissue[:4]), tissue[4])


def _tissue(free: Floats) -> Floats:
    return np.concatenate([np.exp(free[:, :4]), free[:, 4:]], axis=1)
