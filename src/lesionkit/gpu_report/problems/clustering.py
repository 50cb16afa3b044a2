"""Problems for csrc/clustering."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lesionkit.gpu_report.rows import Arithmetic, Kind, Row
from lesionkit.gpu_report.stopwatch import kernel_row

FCM, KMEANS = "clustering/fcm/fcm.cu", "clustering/kmeans/kmeans.cu"
SPATIAL = "clustering/spatial/spatial.cu"
PASSES = 4


def rows(small: bool = False) -> list[Row]:
    """Of passes on a line, in space and over images, and of labels and distances."""
    return [*_fuzzy(small), *_kmeans(small), *_spatial(small)]


def samples(count: int, features: int, kind: Any) -> np.ndarray:
    """(count, features) about the corners of a cube."""
    random = np.random.default_rng(1)
    found = random.standard_normal((count, features), np.float32)
    found += 3 * random.integers(0, 2, (count, features), np.int8)
    return found.astype(kind, copy=False)


def _starts(x: np.ndarray, clusters: int) -> np.ndarray:
    return np.quantile(x[:100_000].astype(np.float64), np.linspace(0.1, 0.9, clusters), axis=0)


def _fuzzy(small: bool) -> list[Row]:
    from lesionkit.clustering import fcm_gpu

    line, space = (300, 300) if small else (256**3, 2**22)

    def fit(count: int, features: int, clusters: int, kind: Any, cupy: Any) -> Callable[[], object]:
        x = samples(count, features, kind)
        starts, there = _starts(x, clusters), cupy.asarray(x)
        span = float(np.linalg.norm(np.ptp(x.astype(np.float64), axis=0)))

        def call() -> object:
            rest = (span, 1.0, float(count), 2.0, PASSES, 0.0, False)
            return fcm_gpu.fcm_fit(there, None, *rest, starts.copy())

        return call

    def answer(cupy: Any) -> Callable[[], object]:
        x = samples(space, 3, np.float32)
        starts, there, out = _starts(x, 4), cupy.asarray(x), cupy.empty((space, 4), np.float32)
        return lambda: fcm_gpu.fcm_memberships(there, 2.0, starts, -1, out)

    launches = PASSES + 1  # the last finds the objective
    found = []
    for clusters in fcm_gpu.LINES:
        told = Arithmetic(
            4.0 * line * launches, {"float32": launches * line * (11.0 * clusters + 4)}
        )
        start = partial(fit, line, 1, clusters, np.float32)
        work = f"{line:,} float32, {clusters} clusters, {launches} passes"
        found.append(kernel_row(FCM, f"fcm_line<{clusters}>", work, told, start))
    for kernel, features in (("fcm_pass<4, 4>", 3), ("fcm_pass<16, 1>", 16)):
        each = 4 * (5.0 * features + 8)
        told = Arithmetic(8.0 * features * space * launches, {"float64": launches * space * each})
        start = partial(fit, space, features, 4, np.float64)
        work = f"{space:,} samples of {features} float64, 4 clusters, {launches} passes"
        found.append(kernel_row(FCM, kernel, work, told, start))
    blocks, entries = 8 * 132, 4 * 4 + 2
    told = Arithmetic(
        8.0 * blocks * entries * launches, {"float64": float(launches * blocks * entries)}
    )
    work = f"sums of {blocks:,} blocks, 4 clusters of 3 features, {launches} passes"
    found.append(kernel_row(FCM, "fcm_update", work, told, partial(fit, space, 3, 4, np.float64)))
    told = Arithmetic(4.0 * space * (3 + 4), {"float64": space * 4.0 * (3 * 3 + 3)})
    work = f"memberships of {space:,} samples of 3 float32 in 4 clusters"
    return [*found, kernel_row(FCM, "fcm_answer", work, told, answer)]


def _kmeans(small: bool) -> list[Row]:
    from lesionkit.clustering import kmeans_gpu

    line, space = (300, 300) if small else (256**3, 2**22)

    def fit(count: int, features: int, clusters: int, kind: Any, cupy: Any) -> Callable[[], object]:
        x = samples(count, features, kind)
        starts, there = _starts(x, clusters), cupy.asarray(x)
        return lambda: kmeans_gpu.lloyd(there, None, False, starts.copy(), PASSES, 0.0, False)

    def labels(kind: Any, cupy: Any) -> Callable[[], object]:
        x = samples(space, 3, kind)
        starts, there, out = _starts(x, 4), cupy.asarray(x), cupy.empty(space, np.int32)
        counts = np.zeros(4, np.int64)
        return lambda: kmeans_gpu.nearest(there, None, starts, out, counts)

    def distances(kind: Any, cupy: Any) -> Callable[[], object]:
        x = samples(space, 3, kind)
        starts, there, out = _starts(x, 4), cupy.asarray(x), cupy.empty((space, 4), kind)
        return lambda: kmeans_gpu.distances(there, starts, out)

    found = []
    for places in kmeans_gpu.PLACES:
        told = Arithmetic(4.0 * line * PASSES, {"float32": 3.0 * places * line * PASSES})
        start = partial(fit, line, 1, places, np.float32)
        work = f"{line:,} float32, {places} clusters, {PASSES} passes"
        found.append(kernel_row(KMEANS, f"kmeans_line<{places}>", work, told, start))
    for kind, dtype in (("float", np.float32), ("double", np.float64)):
        size = np.dtype(dtype).itemsize
        for width, features in zip(kmeans_gpu.FEATURES, (3, 16), strict=True):
            told = Arithmetic(
                PASSES * space * (size * features + 4.0),
                {"float64": PASSES * space * 4 * (3.0 * features + 1)},
            )
            start = partial(fit, space, features, 4, dtype)
            work = f"{space:,} samples of {features} {kind}, 4 clusters, {PASSES} passes"
            found.append(kernel_row(KMEANS, f"kmeans_space<{kind}, {width}>", work, told, start))
        work = f"{space:,} samples of 3 {kind}, 4 clusters"
        each: dict[Kind, float] = {"float64": space * 4 * 10.0}
        told = Arithmetic(space * (3.0 * size + 4), each)
        start = partial(labels, dtype)
        found.append(kernel_row(KMEANS, f"kmeans_labels<{kind}>", f"labels of {work}", told, start))
        told = Arithmetic(space * 7.0 * size, each)
        start = partial(distances, dtype)
        found.append(
            kernel_row(KMEANS, f"kmeans_distances<{kind}>", f"distances of {work}", told, start)
        )
    few = "one thread, 8 clusters: a launch, and no work to speak of"
    on_line, in_space = partial(fit, 300, 1, 8, np.float32), partial(fit, 300, 3, 4, np.float64)
    few_moves = f"{few}, {PASSES} passes"
    found.append(kernel_row(KMEANS, "start_line", few, Arithmetic(64.0 + 200, {}), on_line))
    moves = Arithmetic(PASSES * 400.0, {})
    found.append(kernel_row(KMEANS, "move_on_line", few_moves, moves, on_line))
    work = f"4 clusters of 3 features: a launch, and no work to speak of, {PASSES} passes"
    found.append(kernel_row(KMEANS, "move_in_space", work, moves, in_space))
    return found


def _spatial(small: bool) -> list[Row]:
    from lesionkit.clustering.spatial import spatial_gpu

    side, classes, window = (20 if small else 4096), 4, ((0, 1, 1), 0)
    n, neighbours = side * side, 8

    def start(method: str, dtype: Any, cupy: Any) -> Callable[[], object]:
        x = cupy.asarray(samples(n, 1, dtype).reshape(1, 1, side, side))
        if method.startswith("window"):
            out = cupy.empty_like(x)
            return lambda: getattr(spatial_gpu, method)(x, None, *window, False, out)
        centres = np.linspace(0, 3, classes)[:, None]
        powers, never = (2.0, 1.0, 1.0), -1.0  # a centre moves by less
        return lambda: spatial_gpu.sfcm_fit(
            x, None, *window, *powers, PASSES, never, centres.copy()
        )

    found = []
    for kind, dtype in (("float", np.float32), ("double", np.float64)):
        size = np.dtype(dtype).itemsize
        of: Kind = "float32" if dtype == np.float32 else "float64"
        image, planes, work = float(size * n), float(size * n * classes), f"{side} x {side} {kind}"
        passes = f"{work}, {classes} classes, {PASSES} passes of sFCM"
        for name, told, method, said in (
            ("window_mean", Arithmetic(2 * image, {"float64": 9.0 * n}), "window_mean", work),
            (
                "window_median",
                Arithmetic(2 * image, {of: 2.0 * n * neighbours**2}),
                "window_median",
                work,
            ),
            (
                "class_memberships",
                Arithmetic(PASSES * (image + planes), {of: PASSES * 8.0 * n * classes}),
                "sfcm_fit",
                passes,
            ),
            (
                "weigh_by_window",
                Arithmetic(PASSES * 2 * planes, {of: PASSES * (neighbours + 5.0) * n * classes}),
                "sfcm_fit",
                passes,
            ),
            (
                "class_sums",
                Arithmetic(PASSES * (image + planes), {"float64": PASSES * 4.0 * n * classes}),
                "sfcm_fit",
                passes,
            ),
        ):
            row = kernel_row(SPATIAL, f"{name}<{kind}>", said, told, partial(start, method, dtype))
            found.append(row)
    return found
