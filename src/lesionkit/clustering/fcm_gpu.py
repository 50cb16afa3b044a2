"""Fuzzy c-means by csrc/clustering/fcm/fcm.cu, under the names and arguments of
`lesionkit._core.clustering`.

Samples and weights are CuPy arrays on one GPU, C-contiguous and of the right dtype: the caller has
checked them. Centres are NumPy's, as they are few.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import gpu
from lesionkit.arrays import namespace, to_host

Real = npt.NDArray[np.float64]

FILE = "clustering/fcm/fcm.cu"
THREADS = 128  # of a block
BLOCK_PARTS, GRID_PARTS = 8, 32  # of sums, as in the file
PASSES = 16  # started before the host looks whether they are done: each is two launches
LINES = range(2, 6)  # clusters that have a kernel of their own for one channel of float32
MAX_FEATURES = 16
DONE, UNTRUSTED = 1, 2  # states in struct Progress
LABELS, DISTANCES, MEMBERSHIPS = range(3)


def column_statistics(x: Any, weight: Any, out: Real) -> bool:
    """Fill out (features, 4) with least, greatest, mean and variance, the last in each feature the
    mean of all; x is finite.

    Of one cluster the centre is the mean, and the objective the sum of squares about it.
    """
    low, high = to_host(x.min(axis=0)), to_host(x.max(axis=0))
    total, heaviest = (len(x), 1.0) if weight is None else (weight.sum(), weight.max())
    mean = np.array([low / 2 + high / 2], np.float64)
    span = float(np.linalg.norm(high.astype(np.float64) - low))
    _, squares = fcm_fit(x, weight, span, float(heaviest), float(total), 2.0, 1, 0.0, False, mean)
    out[:, 0], out[:, 1], out[:, 2] = low, high, mean[0]
    out[:, 3] = squares / float(total) / x.shape[1]
    return True


def fcm_fit(
    x: Any,
    weight: Any,
    span: float,
    greatest_weight: float,
    total_weight: float,
    m: float,
    max_iter: int,
    tol: float,
    of_memberships: bool,
    centres: Real,
) -> tuple[int, float]:
    """Move the centres until they stop: passes, and the objective."""
    xp = namespace(x)
    (n, d), c = x.shape, len(centres)
    device = gpu.device_of(x)
    pairs = of_memberships and tol > 0
    line = d == 1 and m == 2 and c in LINES and x.dtype == np.float32
    line = line and weight is None and not pairs
    blocks = gpu.blocks_for(n, THREADS, device)
    blocks = min(blocks, 8 * gpu.properties(device).multiprocessors)
    moved, old = xp.asarray(centres.copy()), xp.asarray(centres.copy())
    entries = c * (d + 1) + 2
    parts = xp.zeros((entries, blocks))
    progress = xp.zeros(5, np.int64)  # struct Progress; its last is a double
    scale, weight_scale = _scale(span, x.dtype), 1.0 / greatest_weight
    features, group = (4, 4) if d <= 4 else (MAX_FEATURES, 1)
    values = group * (features + 1) + 2
    of_line = 8 * (2 * c + 1) * (THREADS + BLOCK_PARTS)  # bytes of shared memory
    of_pass = 8 * (2 * c * features + values * (THREADS + BLOCK_PARTS))
    of_update = 8 * (entries * (1 + GRID_PARTS) + c)
    if not gpu.fits(max(of_pass, of_update), device):
        raise ValueError(
            f"n_clusters must be fewer for samples of {d} features on this GPU, got {c}: their "
            f"sums need {max(of_pass, of_update)} bytes of a block's shared memory"
        )
    sums = [m, scale, weight_scale, moved, old if pairs else None, progress, parts]
    update = [parts, blocks, c, d, scale, weight_scale, total_weight, max_iter, tol, int(pairs)]
    done = 0
    while True:
        for _ in range(min(PASSES, max_iter + 1 - done)):
            if line:
                args = [x, n, scale, moved, progress, parts]
                gpu.launch(FILE, f"fcm_line<{c}>", blocks, THREADS, args, of_line)
            else:
                grid = (blocks, math.ceil(c / group))
                args = [*_either(x), weight, n, d, c, *sums]
                gpu.launch(FILE, f"fcm_pass<{features}, {group}>", grid, THREADS, args, of_pass)
            args = [*update, moved, old, progress]
            gpu.launch(FILE, "fcm_update", 1, 2 * THREADS, args, of_update)
        state, done = (int(value) for value in progress[:2])
        if state == DONE:
            centres[...] = to_host(moved)
            return done, float(progress.view(np.float64)[4])
        if state == UNTRUSTED:  # on from there in double
            line = False
            progress[0] = progress[3] = 0


def fcm_memberships(x: Any, m: float, centres: Real, only: int, out: Any) -> None:
    """Fill out (samples, clusters), or, of class `only` >= 0, (samples,)."""
    _answer(MEMBERSHIPS, x, centres, m, only, (None, *_either(out)))


def fcm_distances(x: Any, centres: Real, out: Any) -> None:
    """Fill out (samples, clusters)."""
    _answer(DISTANCES, x, centres, 2.0, -1, (None, *_either(out)))


def fcm_labels(x: Any, centres: Real, out: Any) -> None:
    """Fill out (samples,)."""
    _answer(LABELS, x, centres, 2.0, -1, (out, None, None))


def fcm_validity(x: Any, weight: Any, m: float, centres: Real) -> tuple[float, float, float]:
    """Sums of w u^2 and w u ln u, and J; the first two from a matrix of memberships."""
    xp = namespace(x)
    u = xp.empty((len(x), len(centres)))
    fcm_memberships(x.astype(np.float64), m, centres, -1, u)
    w = 1.0 if weight is None else weight[:, None]
    logs = xp.log(xp.where(u > 0, u, 1.0))
    heaviest = 1.0 if weight is None else float(weight.max())
    ends = np.vstack([to_host(x.min(axis=0)), to_host(x.max(axis=0)), centres])
    span = float(np.linalg.norm(np.ptp(ends, axis=0)))
    fixed = centres.copy()
    _, objective = fcm_fit(x, weight, span, heaviest, 1.0, m, 0, 0.0, False, fixed)
    return float((w * u * u).sum()), float((w * u * logs).sum()), objective


def _answer(
    what: int, x: Any, centres: Real, m: float, only: int, outputs: tuple[Any, Any, Any]
) -> None:
    (n, d), c = x.shape, len(centres)
    scale = _scale(float(np.linalg.norm(np.ptp(centres, axis=0))), np.float64)
    args = [what, *_either(x), n, d, c, scale, namespace(x).asarray(centres), m, only, *outputs]
    grid = gpu.blocks_for(n, THREADS, gpu.device_of(x))
    gpu.launch(FILE, "fcm_answer", grid, THREADS, args)


def _either(array: Any) -> tuple[Any, Any]:
    """(float32, float64): one of them is None."""
    return (array, None) if array.dtype == np.float32 else (None, array)


def _scale(span: float, kind: Any) -> float:
    """The power of two that makes the span at most 1."""
    most = 125 if kind == np.float32 else 1021
    return math.ldexp(1.0, max(-most, min(most, -math.frexp(span)[1]))) if span > 0 else 1.0
