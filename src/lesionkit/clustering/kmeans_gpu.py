"""The kernels of csrc/clustering/kmeans/kmeans.cu under the names of `lesionkit._core.clustering`.

The arguments are the same: samples, weights, labels and distances are CuPy arrays on one GPU;
centres and counts, which are few, are NumPy arrays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import gpu
from lesionkit._core import clustering as _kernels
from lesionkit.arrays import describe, namespace, to_host

Real = npt.NDArray[np.float64]

FILE = "clustering/kmeans/kmeans.cu"
THREADS = 256
PLACES = (4, 8)  # clusters on a line
FEATURES = (4, 16)
LINE_BYTES = 200
RUNNING, CONVERGED, EMPTY = 0, 1, 3  # State in the .cu
CHECK = 16  # passes that are launched before the host looks whether they are done


def lloyd(
    x: Any,
    weights: Any,
    counted: bool,
    centres: Real,
    most: int,
    tol: float,
    watched: bool,
) -> tuple[int, bool, bool, float, list[tuple[float, float]]]:
    """As on the CPU, which does the run where a cluster is left empty. No steps are told."""
    xp, (n, d), k = namespace(x), x.shape, len(centres)
    check_features(x)
    total = float(n) if weights is None else float(weights.sum())
    low = np.minimum(to_host(x.min(axis=0)), centres.min(axis=0)).astype(np.float64)
    high = np.maximum(to_host(x.max(axis=0)), centres.max(axis=0)).astype(np.float64)
    if not np.isfinite(high - low).all():
        return 0, False, False, 0.0, []
    limit = tol * variance(x, weights) if tol else 0.0
    units, weight_units = _units(total * float((high - low).max())), _units(total)
    at = xp.array(centres)
    state = np.zeros(4, np.int64)  # Progress in the .cu
    state.view(np.float64)[3] = limit
    progress = xp.asarray(state)
    grid = gpu.blocks_for(n, THREADS, gpu.device_of(x))
    if d == 1 and x.dtype == np.float32 and weights is None and k <= PLACES[-1]:
        places = next(p for p in PLACES if p >= k)
        line, sums = xp.zeros(LINE_BYTES // 8, np.int64), xp.zeros(2 * places, np.uint64)
        gpu.launch(FILE, "start_line", 1, 1, [at, k, line])

        def one_pass() -> None:
            given = [x, n, units, line, progress, sums]
            gpu.launch(FILE, f"kmeans_line<{places}>", grid, THREADS, given)
            moving = [k, places, units, at, line, progress, sums]
            gpu.launch(FILE, "move_on_line", 1, 1, moving)
    else:
        width = next(f for f in FEATURES if f >= d)
        origin, labels = xp.array(centres[0]), xp.full(n, -1, np.int32)
        sums = xp.zeros((k, d + 2), np.uint64)
        shared = 8 * sums.size
        fits = gpu.fits(shared, gpu.device_of(x))

        def one_pass() -> None:
            given = [x, weights, n, d, k, origin, units, weight_units, at, int(fits), labels]
            kernel = f"kmeans_space<{gpu.c_type(x)}, {width}>"
            args = [*given, progress, sums]
            gpu.launch(FILE, kernel, grid, THREADS, args, shared if fits else 0)
            moving = [k, d, origin, units, weight_units, sums, at, progress]
            gpu.launch(FILE, "move_in_space", 1, THREADS, moving, 8 * THREADS)

    for number in range(most):
        one_pass()
        if number % CHECK == CHECK - 1 and to_host(progress)[0] != RUNNING:
            break
    ended, passes = to_host(progress)[:2]
    if ended == EMPTY:
        given = to_host(x), to_host(weights)
        return _kernels.lloyd(*given, counted, centres, most, tol, watched)
    centres[...] = to_host(at)
    return int(passes), ended == CONVERGED, True, limit, []


def nearest(
    x: Any, weights: Any, centres: Real, labels: Any, counts: npt.NDArray[np.int64]
) -> float:
    """Fill labels (n) and counts (k), as on the CPU; the inertia."""
    xp, (n, d), k = namespace(x), x.shape, len(centres)
    grid = gpu.blocks_for(n, THREADS, gpu.device_of(x))
    inertia = xp.zeros(grid * THREADS)
    args = [x, weights, n, d, k, xp.asarray(centres), labels, inertia]
    gpu.launch(FILE, f"kmeans_labels<{gpu.c_type(x)}>", grid, THREADS, args)
    counts[...] = to_host(xp.bincount(labels, minlength=k))
    return float(inertia.sum())


def distances(x: Any, centres: Real, out: Any) -> None:
    """Fill out (n, k), as on the CPU."""
    xp, (n, d), k = namespace(x), x.shape, len(centres)
    grid = gpu.blocks_for(n * k, THREADS, gpu.device_of(x))
    args = [x, n, d, k, xp.asarray(centres), out]
    gpu.launch(FILE, f"kmeans_distances<{gpu.c_type(x)}>", grid, THREADS, args)


def seeds(x: Any, weights: Any, k: int, trials: int, uniform: Real, work: Any = None) -> list[int]:
    """Greedy k-means++ along the samples as they stand, in arrays; else as on the CPU."""
    xp, n = namespace(x), len(x)
    mass = xp.ones(n) if weights is None else weights

    def draw(law: Any, numbers: Any) -> Any:
        sums = xp.cumsum(law)
        places = xp.searchsorted(sums, xp.asarray(numbers) * sums[-1], side="right")
        return to_host(xp.minimum(places, n - 1))

    def squares(places: Any) -> Any:
        out = xp.empty((n, len(places)), x.dtype)
        distances(x, np.asarray(to_host(x[places]), np.float64), out)
        return xp.square(out, out=out)

    found = [int(draw(mass, uniform[:1])[0])]
    near = squares(found)[:, 0]
    for step in uniform[1:].reshape(k - 1, trials):
        law = mass * near
        if not xp.isfinite(law.sum()):
            return []
        drawn = draw(law if law.any() else mass, step)
        left = xp.minimum(squares(drawn), near[:, None])
        best = int((left * mass[:, None]).sum(axis=0).argmin())
        near = left[:, best]
        found.append(int(drawn[best]))
    return found


def variance(x: Any, weights: Any) -> float:
    """The mean over the features of the variance of the samples, in float64."""
    xp = namespace(x)
    if weights is None:
        return float(x.var(axis=0, dtype=np.float64).mean())
    mean = xp.average(x, axis=0, weights=weights)
    return float(xp.average(xp.square(x - mean), axis=0, weights=weights).mean())


def check_features(x: Any) -> None:
    """Raise where the kernels have no room for a sample."""
    if x.shape[1] > FEATURES[-1]:
        raise ValueError(
            f"X must have at most {FEATURES[-1]} features on a GPU, got {describe(x)}; "
            "copy it to the host first"
        )


def _units(most: float) -> float:
    """Steps in 1, a power of two, so that sums of up to `most` fit into 63 bits."""
    return 2.0 ** (61 - math.frexp(most or 1.0)[1])
