"""Cases of csrc/clustering."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lesionkit import _core
from lesionkit.arrays import to_host
from lesionkit.selftest.checks import ROUNDING, SINGLE, Check, distance


def fuzzy_c_means(xp: Any) -> Iterator[Check]:
    """csrc/clustering/fcm/fcm.cu: one channel and several, weights, both ways to stop, numbers that
    are too small for float; memberships, distances and labels.
    """
    from lesionkit.clustering import fcm_gpu

    random = np.random.default_rng(6)
    line = random.normal(size=(1001, 1)) + random.integers(0, 4, (1001, 1)) * 5
    space = random.normal(size=(67, 7)) + random.integers(0, 3, (67, 1)) * 4
    close = np.array([[0.0], [1e-12], [2e-12], [1.0]])  # the first three, for samples at 0
    for what, x, c, m, most, tol, memberships, start in (
        ("line", line.astype(np.float32), 4, 2.0, 2, 0.0, False, None),
        ("too close for float", (line[:70] // 5).astype(np.float32), 4, 2.0, 1, 0.0, False, close),
        ("3 features, weights", space[:, :3].copy(), 5, 1.5, 2, 0.3, True, None),
        ("7 features", space.astype(np.float32), 3, 2.0, 1, 1e-3, False, None),
    ):
        weight = random.uniform(0, 3, len(x)) if "weights" in what else None
        first = x[:c].astype(np.float64) if start is None else start
        span = float(np.linalg.norm(np.ptp(np.vstack([x, first]), axis=0)))
        heaviest, total = (1.0, len(x)) if weight is None else (weight.max(), weight.sum())
        rest = (span, float(heaviest), float(total), m, most, tol, memberships)
        ours, cpu = first.copy(), first.copy()
        fits: list[Any] = [fcm_gpu.fcm_fit, _core.clustering.fcm_fit]
        given = xp.asarray(x), None if weight is None else xp.asarray(weight)
        passes, objective = fits[0](*given, *rest, ours)
        expected, least = fits[1](x, weight, *rest, cpu)
        allowed = SINGLE if x.dtype == np.float32 else ROUNDING
        yield Check(f"fuzzy c-means: centres, {what}", distance(ours, cpu), allowed)
        yield Check(f"fuzzy c-means: objective, {what}", abs(objective / least - 1), allowed)
        yield Check(f"fuzzy c-means: passes, {what}", abs(passes - expected), 0)
    for x, only in ((space, -1), (space[:, :2].astype(np.float32), 1)):
        centres, samples = x[:4].astype(np.float64), xp.asarray(x)
        shape = (len(x), 4) if only < 0 else len(x)
        made = [(m.empty(shape, x.dtype), m.empty((len(x), 4), x.dtype)) for m in (xp, np)]
        labels = [m.empty(len(x), np.int32) for m in (xp, np)]
        for kernels, at, (u, far), nearest in (
            (fcm_gpu, samples, made[0], labels[0]),
            (_core.clustering, x, made[1], labels[1]),
        ):
            kernels.fcm_memberships(at, 1.7, centres, only, u)
            kernels.fcm_distances(at, centres, far)
            kernels.fcm_labels(at, centres, nearest)
        allowed = SINGLE if x.dtype == np.float32 else ROUNDING
        for name, part in (("memberships", 0), ("distances", 1)):
            what = f"fuzzy c-means: {name}, {x.dtype}"
            yield Check(what, distance(made[0][part], made[1][part]), 10 * allowed)
        differ = float(np.mean(to_host(labels[0]) != labels[1]))
        yield Check(f"fuzzy c-means: labels, {x.dtype}", differ, 0)


def kmeans(xp: Any) -> Iterator[Check]:
    """csrc/clustering/kmeans/kmeans.cu: runs on a line and in space, labels and distances; odd
    sizes.
    """
    from lesionkit.clustering import kmeans_gpu

    random = np.random.default_rng(6)
    for n, d, k, kind, weighted in (
        (205, 3, 5, np.float32, False),
        (203, 11, 4, np.float64, True),
        (303, 1, 3, np.float32, False),
        (1007, 1, 7, np.float32, False),
    ):
        x = (random.uniform(0, 4, (n, d)).round() + random.normal(0, 0.2, (n, d))).astype(kind)
        w = random.integers(0, 3, n) / 2 if weighted else None
        there = [None if w is None else m.asarray(w) for m in (xp, np)]
        start = random.permutation(x)[:k].astype(float)
        centres = [start.copy(), start.copy()]
        given = xp.asarray(x)
        ours = kmeans_gpu.lloyd(given, there[0], False, centres[0], 3, 1e-6, False)
        cpu = _core.clustering.lloyd(x, w, False, centres[1], 3, 1e-6, False)
        what = f"k-means: {d} of {x.dtype}{', weights' if weighted else ''}"
        yield Check(f"{what}, passes", abs(ours[0] - cpu[0]), 0)
        allowed = 100 * ROUNDING if d == 1 else ROUNDING  # on a line the first sums are float32
        yield Check(f"{what}, centres", distance(centres[0], centres[1]), allowed)
        labels = [m.full(n, -7, np.int32) for m in (xp, np)]
        counts = np.zeros((2, k), np.int64)
        inertia = [
            kernels.nearest(data, weights, centres[1], found, number)
            for kernels, data, weights, found, number in zip(
                (kmeans_gpu, _core.clustering), (given, x), there, labels, counts, strict=True
            )
        ]
        off = np.mean(to_host(labels[0]) != labels[1]) + np.any(counts[0] != counts[1])
        yield Check(f"{what}, labels", float(off), 0)
        yield Check(f"{what}, inertia", abs(inertia[0] / inertia[1] - 1), ROUNDING)
        out = [m.full((n, k), np.nan, kind) for m in (xp, np)]
        kmeans_gpu.distances(given, centres[1], out[0])
        _core.clustering.distances(x, centres[1], out[1])
        allowed = SINGLE if kind == np.float32 else ROUNDING
        yield Check(f"{what}, distances", distance(out[0], out[1]), allowed)


def spatial(xp: Any) -> Iterator[Check]:
    """csrc/clustering/spatial/spatial.cu: both filters, FCM_S1, sFCM and FLICM, a mask, each way to
    go on past a border, a plane and a volume.
    """
    from lesionkit.clustering.spatial import spatial_gpu

    random = np.random.default_rng(6)
    valid, reflect, symmetric, edge = range(4)
    kernels: list[Any] = [spatial_gpu, _core.clustering]
    for dtype, shape, windows in (
        (np.float32, (2, 1, 5, 6), (((0, 1, 1), valid), ((0, 2, 1), reflect))),
        (np.float64, (1, 3, 4, 5), (((1, 1, 1), symmetric), ((0, 1, 2), edge))),
    ):
        allowed = SINGLE if dtype == np.float32 else ROUNDING
        x: Any = random.uniform(0, 1, shape).astype(dtype)
        x[..., :3] += 1
        mask = random.uniform(size=shape[1:]) < 0.8
        x[:, ~mask] = 0
        places = [(m, m.asarray(x), m.asarray(mask.view(np.uint8))) for m in (xp, np)]
        shares = [m.asarray(mask.astype(dtype)) for m in (xp, np)]
        start = x.reshape(shape[0], -1)[:, [0, -1]].T.astype(np.float64)
        for name, window in zip(("mean", "median"), windows, strict=True):
            made = [m.empty_like(image) for m, image, _ in places]
            for by, (_, image, inside), out in zip(kernels, places, made, strict=True):
                getattr(by, f"window_{name}")(image, inside, *window, False, out)
            yield Check(f"spatial: {name} of neighbours, {x.dtype}", distance(*made), allowed)

        def fits(
            what: str, centres: list[Any], planes: list[Any], allowed: float = allowed
        ) -> Iterator[Check]:
            yield Check(f"spatial: centres of {what}", distance(*centres), allowed)
            yield Check(f"spatial: memberships of {what}", distance(*planes), 10 * allowed)

        centres, flat = [start.copy(), start.copy()], x.reshape(shape[0], -1)
        planes = [m.empty(shape[1:], dtype) for m in (xp, np)]
        for i, (m, image, _) in enumerate(places):
            if dtype == np.float32:
                extra = m.asarray(flat[0] / 4)
                fitted = m.asarray(flat), extra
                kernels[i].spatial_fcm_fit(*fitted, None, 2.0, 1, 0.0, centres[i])
                out = planes[i].reshape(-1)
                kernels[i].spatial_fcm_planes(*fitted, 2.0, centres[i], 1, out, None)
            else:
                u, spare = m.empty((2, 2, *shape[1:]), dtype)
                labels = m.empty(shape[1:], np.int32)
                given = (image, shares[i], *windows[0], 1.5, 1, 0.0, centres[i])
                kernels[i].flicm_fit(*given, u, spare, labels)
                planes[i][...] = u[1]
        yield from fits("FLICM" if dtype == np.float64 else "FCM_S1", centres, planes)
        centres = [start.copy(), start.copy()]
        for i, (_, image, _) in enumerate(places):
            rules = image, shares[i], *windows[1], 1.7, 1.0, 2.0
            kernels[i].sfcm_fit(*rules, 1, 0.0, centres[i])
            if dtype == np.float32:
                kernels[i].sfcm_planes(*rules, centres[i], 1, planes[i], None)
        yield from fits(f"sFCM, {x.dtype}", centres, planes)
