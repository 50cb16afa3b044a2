"""Ours for a harness that calls `f(ctx)` for a clustering of fixed start: kind, X, C0, iters, ...

    python HARNESS.py --candidate ours=benchmarks.clustering.candidate:bench_entry

`ctx` holds `kind`, `X` (float32, samples x features), `raw` (the picture in its own type), `C0`
(the first centres), `iters`, `tol` (None: no stop before `iters` passes), `m`, `alpha`, `threads`.
The answer holds `centers`, `n_iter` and `objective`. The harness times the whole call, labels
included, and for fuzzy c-means memberships, which the peers make.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lesionkit
from lesionkit.clustering import FCM_S1, FuzzyCMeans, KMeans

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


def fuzzy(ctx: Task) -> Task:
    """FuzzyCMeans and its memberships; of a grey picture of small integers, as it is."""
    raw, samples, start = ctx["raw"], ctx["X"], ctx["C0"]
    if raw.dtype == np.uint8 and start.shape[1] == 1:
        samples = raw.reshape(-1, 1)
    tol, rule = (0.0, "centers") if ctx["tol"] is None else (ctx["tol"], "memberships")
    model = FuzzyCMeans(
        len(start), m=ctx["m"], init=start, max_iter=ctx["iters"], tol=tol, criterion=rule
    ).fit(samples)
    model.memberships_  # noqa: B018  made when asked for
    return {
        "centers": model.cluster_centers_,
        "n_iter": model.n_iter_,
        "objective": model.objective_,
    }


def spatial(ctx: Task) -> Task:
    """FCM_S1 of the picture, its border continued as the harness does it."""
    start, tol = ctx["C0"], 0.0 if ctx["tol"] is None else ctx["tol"]
    model = FCM_S1(
        len(start),
        alpha=ctx["alpha"],
        border="edge",
        init=start,
        max_iter=ctx["iters"],
        tol=tol,
    ).fit(ctx["raw"])
    return {"centers": model.cluster_centers_, "n_iter": model.n_iter_}


RUNS: dict[str, Callable[[Task], Task]] = {"fcm": fuzzy, "kmeans": kmeans, "sfcm": spatial}
