"""Problems for csrc/texture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lesionkit.gpu_report.rows import Arithmetic, Row
from lesionkit.gpu_report.stopwatch import kernel_row

TYPES: dict[str, Any] = {
    "uint8_t": np.uint8,
    "uint16_t": np.uint16,
    "uint32_t": np.uint32,
    "uint64_t": np.uint64,
    "float": np.float32,
    "double": np.float64,
}
PLANE = np.array([(0, 0, 1), (0, 1, 1), (0, 1, 0), (0, 1, -1)])  # four directions


def rows(small: bool = False) -> list[Row]:
    """Of regions, pairs, runs and maps."""
    return [*_regions(small), *_pairs(small), *_runs(small), *_zones(small), *_maps(small)]


def _regions(small: bool) -> list[Row]:
    from lesionkit.texture import rois_gpu

    count, file = 3 if small else 100_000, "texture/rois/rois.cu"
    offsets = np.concatenate([distance * PLANE for distance in range(1, 6)])
    features = np.arange(rois_gpu.FEATURES, dtype=np.int32)
    pairs = [(10 - abs(r)) * (10 - abs(c)) for _, r, c in offsets.tolist()]

    def start(kind: Any, normalise: int, cupy: Any) -> Callable[[], object]:
        random = np.random.default_rng(1)
        rois: Any = random.integers(0, 64, (count, 1, 10, 10)).astype(kind)
        rois, out = cupy.asarray(rois), cupy.empty((count, len(offsets), len(features)))
        return lambda: rois_gpu.roi_features(rois, offsets, 64, normalise, features, 1.0, out)

    what = f"{count:,} regions of 10 x 10, {len(offsets)} offsets, {len(features)} features"
    # mean, variance and level of a value
    told = Arithmetic(count * 100 * (8.0 + 2), {"float64": count * 100 * 9.0})
    work = f"levels of {count:,} regions of 10 x 10 float64, by mean and deviation"
    found = [kernel_row(file, "quantise", work, told, partial(start, np.float64, 1))]
    for kind in ("uint8_t", "uint16_t"):
        size = np.dtype(TYPES[kind]).itemsize
        told = Arithmetic(
            count * (100.0 * size + 8 * len(offsets) * len(features)),
            # each pair beside all: two comparisons, three counts
            {"integer": float(count * sum(5 * n * n + 8 * n for n in pairs))},
        )
        start_here = partial(start, TYPES[kind], 0)
        found.append(kernel_row(file, f"roi_features<{kind}>", what, told, start_here))
    return found


def _pairs(small: bool) -> list[Row]:
    from lesionkit.texture import glcm_gpu

    batch, side = (2, 9) if small else (16, 1024)
    levels, file = 64, "texture/glcm/glcm.cu"
    matrices = 3 if small else 16_384

    def count(kind: Any, in_shared: bool, cupy: Any) -> Callable[[], object]:
        image = np.random.default_rng(1).integers(0, levels, (batch, 1, side, side))
        there = cupy.asarray(image.astype(np.uint16))
        counts = cupy.empty((batch, len(PLANE), levels, levels), kind)
        return lambda: glcm_gpu.count_pairs(there, None, PLANE, True, counts, in_shared)

    def sums(kind: Any, cupy: Any) -> Callable[[], object]:
        counts: Any = np.random.default_rng(1).integers(0, 9, (matrices, levels, levels))
        counts = cupy.asarray(counts.astype(kind))
        made = cupy.empty((matrices, 5 * levels - 1)), cupy.empty((matrices, 3))
        return lambda: glcm_gpu.marginals(counts, *made)

    found = []
    for where in ("_shared", ""):
        for kind in ("uint32_t", "uint64_t"):
            size, pixels = np.dtype(TYPES[kind]).itemsize, batch * side**2
            told = Arithmetic(
                2.0 * pixels + batch * len(PLANE) * levels**2 * size,
                {"integer": 3.0 * len(PLANE) * pixels},  # the cell, and one more in it
            )
            place = "shared" if where else "the GPU's"
            work = (
                f"{batch} images of {side:,} x {side:,}, {levels} levels, 4 offsets, {place} memory"
            )
            start = partial(count, TYPES[kind], bool(where))
            found.append(kernel_row(file, f"count_pairs{where}<{kind}>", work, told, start))
    for kind in ("uint32_t", "uint64_t", "double"):
        size, cells = np.dtype(TYPES[kind]).itemsize, matrices * levels**2
        told = Arithmetic(
            float(cells * size + 8 * matrices * (8 * levels - 1)), {"float64": 9.0 * cells}
        )
        work = f"{matrices:,} matrices of {levels} levels"
        found.append(kernel_row(file, f"marginals<{kind}>", work, told, partial(sums, TYPES[kind])))
    return found


def _runs(small: bool) -> list[Row]:
    from lesionkit.texture.region import runs_gpu
    from lesionkit.texture.region.runs import steps_of

    side, levels = 7 if small else 256, 32
    steps = steps_of(None, 3)

    def start(kind: Any, cupy: Any) -> Callable[[], object]:
        padded = np.zeros((side + 2,) * 3, kind)
        inner = np.random.default_rng(1).integers(1, levels + 1, (side,) * 3)
        padded[1:-1, 1:-1, 1:-1] = inner
        there = cupy.asarray(padded)
        table = cupy.zeros((len(steps), levels + 1, side + 1), np.uint32)
        return lambda: runs_gpu.run_lengths(there, 1, steps, table)

    found = []
    for kind in ("uint8_t", "uint16_t", "uint32_t"):
        size = np.dtype(TYPES[kind]).itemsize
        told = Arithmetic(
            size * (side + 2.0) ** 3 + 8 * len(steps) * (levels + 1) * (side + 1),
            {"integer": 3.0 * len(steps) * side**3},  # does one start, does it end, one more
        )
        work = f"{side}^3 voxels of {levels} levels, {len(steps)} directions"
        found.append(
            kernel_row(
                "texture/region/runs.cu",
                f"run_lengths<{kind}>",
                work,
                told,
                partial(start, TYPES[kind]),
            )
        )
    return found


def _zones(small: bool) -> list[Row]:
    from lesionkit.texture.region import zones_gpu

    side, levels = 7 if small else 256, 8
    rounds, voxels = zones_gpu.ROUNDS, (side + 2) ** 3

    def start(kind: Any, cupy: Any) -> Callable[[], object]:
        padded = np.zeros((side + 2,) * 3, kind)
        padded[1:-1, 1:-1, 1:-1] = np.random.default_rng(1).integers(1, levels + 1, (side,) * 3)
        there = cupy.asarray(padded)
        return lambda: zones_gpu.labels(there, 3)

    found = []
    work = f"{side}^3 voxels of {levels} levels, 26 neighbours; least: {rounds} rounds"
    for kind in ("uint8_t", "uint16_t", "uint32_t"):
        told = Arithmetic(
            rounds * voxels * (np.dtype(TYPES[kind]).itemsize + 8.0),
            {"integer": 2.0 * rounds * 26 * side**3},  # is it of the level, is it less
        )
        here = partial(start, TYPES[kind])
        found.append(
            kernel_row("texture/region/zones.cu", f"least_labels<{kind}>", work, told, here)
        )
    told = Arithmetic(rounds * voxels * 8.0, {})
    here = partial(start, np.uint8)
    return [*found, kernel_row("texture/region/zones.cu", "label_of_label", work, told, here)]


def _maps(small: bool) -> list[Row]:
    from lesionkit.texture import maps_gpu
    from lesionkit.texture.lbp import neighbours
    from lesionkit.texture.names import MAP_FEATURES

    side, wide, file = 9 if small else 1024, 11 if small else 4096, "texture/maps/maps.cu"
    features, window, levels = list(range(len(MAP_FEATURES))), 7, 32
    around = neighbours(8, 1.0)

    def start(cupy: Any) -> Callable[[], object]:
        shape = (1, side + window - 1, side + window - 1)
        image: Any = np.random.default_rng(1).integers(0, levels, shape)
        image = cupy.asarray(image.astype(np.uint16))
        out = cupy.empty((1, len(features), 1, side, side))
        rest = ((1, window, window), PLANE, levels, features, True, 0.0, np.e, out)
        return lambda: maps_gpu.feature_maps(image, *rest)

    def patterns(kind: Any, cupy: Any) -> Callable[[], object]:
        image = np.random.default_rng(1).integers(0, 256, (wide + 2, wide + 2)).astype(kind)
        there, codes = cupy.asarray(image), cupy.empty((wide, wide), np.uint16)
        weights = cupy.asarray(around)
        return lambda: maps_gpu.cs_lbp(there, weights, 3.0, codes)

    pairs = [(window - abs(r)) * (window - abs(c)) for _, r, c in PLANE.tolist()]
    told = Arithmetic(
        side**2 * (2.0 + 8 * len(features)),
        # sums of each pair; each code beside all, for pairs, their sums and their differences
        {
            "float64": float(side**2 * sum(9 * n for n in pairs)),
            "integer": float(side**2 * sum(3 * 2 * n * n for n in pairs)),
        },
    )
    work = f"{side:,} x {side:,} pixels, 7 x 7 windows, 4 offsets, {len(features)} features"
    found = [kernel_row(file, "feature_maps", work, told, start)]
    for kind in ("uint8_t", "uint16_t", "float", "double"):
        told = Arithmetic(
            wide**2 * (np.dtype(TYPES[kind]).itemsize + 2.0),
            # two interpolations of 9 and a comparison
            {"float64": 20.0 * len(around) * wide**2},
        )
        work = f"{wide:,} x {wide:,} pixels, {len(around)} neighbours"
        found.append(
            kernel_row(file, f"cs_lbp<{kind}>", work, told, partial(patterns, TYPES[kind]))
        )
    return found
