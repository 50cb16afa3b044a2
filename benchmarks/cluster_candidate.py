"""Ours for a harness that calls `f(ctx)` for a clustering of fixed start: kind, X, C0, iters, ...

    python HARNESS.py --candidate ours=benchmarks.cluster_candidate:bench_entry

`ctx` holds `kind`, `X` (float32, samples x features), `raw` (the picture in its own type), `C0`
(the first centres), `iters`, `tol` (None: no stop before `iters` passes), `threads`. The answer
holds `centers`, `n_iter` and `objective`. The harness times the whole call, labels included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lesionkit
from lesionkit.clustering import KMeans

Task = dict[str, Any]


def bench_entry(ctx: Task) -> Task:
    lesionkit.threads(ctx["threads"])
    return RUNS[ctx["kind"]](ctx)


def kmeans(ctx: Task) -> Task:
    """KMeans of the samples; of a grey picture of small integers, of the picture as it is."""
    raw, samples, start = ctx["raw"], ctx["X"], ctx["C0"]
    if raw.dtype == np.uint8 and start.shape[1] == 1:
        samples = raw.reshape(-1, 1)
    tol = 0.0 if ctx["tol"] is None else ctx["tol"]
    found = KMeans(len(start), init=start, n_init=1, max_iter=ctx["iters"], tol=tol).fit(samples)
    return {
        "centers": found.cluster_centers_,
        "n_iter": found.n_iter_,
        "objective": found.inertia_,
    }


RUNS: dict[str, Callable[[Task], Task]] = {"kmeans": kmeans}
