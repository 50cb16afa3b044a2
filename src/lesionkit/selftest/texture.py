"""Cases of csrc/texture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lesionkit import _core
from lesionkit.arrays import to_host
from lesionkit.selftest.checks import ROUNDING, Check, distance


def cooccurrence(xp: Any) -> Iterator[Check]:
    """csrc/texture/glcm/glcm.cu: counts in shared memory and outside, with and without a mask;
    sums.
    """
    from lesionkit.texture import glcm_gpu

    random = np.random.default_rng(3)
    image = random.integers(0, 7, (2, 3, 9, 11)).astype(np.uint16)
    mask = (random.uniform(size=image.shape) < 0.7).astype(np.uint8)
    offsets = np.array([(0, 0, 1), (1, -2, 3), (-1, 1, 0), (0, 9, 0)])
    for kind, symmetric in ((np.uint32, True), (np.uint64, False)):
        cpu = np.full((2, 4, 7, 7), 77, kind)
        _core.texture.count_pairs(image, mask, offsets, symmetric, cpu)
        for in_shared in (True, False):
            ours = xp.full(cpu.shape, 77, kind)
            given = (xp.asarray(image), xp.asarray(mask), offsets, symmetric, ours)
            glcm_gpu.count_pairs(*given, in_shared)
            where = "shared" if in_shared else "global"
            what = f"co-occurrence: {cpu.dtype} counts, {where} memory"
            yield Check(what, distance(ours.astype(float), cpu.astype(float)), 0)
        for of in (kind, np.float64):
            matrices = np.ascontiguousarray(cpu.reshape(8, 7, 7), of)
            made = [(m.empty((8, 34)), m.empty((8, 3))) for m in (xp, np)]
            glcm_gpu.marginals(xp.asarray(matrices), *made[0])
            _core.texture.marginals(matrices, *made[1])
            for part, name in enumerate(("lines", "totals")):
                what = f"co-occurrence: {name} of {matrices.dtype} matrices"
                yield Check(what, distance(made[0][part], made[1][part]), ROUNDING)
    plain, cpu = xp.zeros((2, 4, 7, 7), np.uint32), np.zeros((2, 4, 7, 7), np.uint32)
    glcm_gpu.count_pairs(xp.asarray(image), None, offsets, True, plain)
    _core.texture.count_pairs(image, None, offsets, True, cpu)
    yield Check("co-occurrence: no mask", distance(plain.astype(float), cpu.astype(float)), 0)


def maps(xp: Any) -> Iterator[Check]:
    """csrc/texture/maps/maps.cu: all features of small windows, and centre-symmetric patterns."""
    from lesionkit.texture import maps_gpu
    from lesionkit.texture.lbp import KINDS, neighbours
    from lesionkit.texture.names import MAP_FEATURES as FEATURES

    random = np.random.default_rng(4)
    image = random.integers(0, 5, (4, 11, 13)).astype(np.uint16)
    window, features = (3, 5, 3), list(range(len(FEATURES)))
    offsets = np.array([(0, 0, 1), (1, -2, 1), (0, 0, 0)])
    for average, in_shared in ((True, True), (False, False)):
        cpu = np.empty((1 if average else 3, len(features), 2, 7, 11))
        ours = xp.full(cpu.shape, np.nan)
        rest = (window, offsets, 5, features, average, 1.0, 2.0)
        maps_gpu.feature_maps(xp.asarray(image), *rest, ours, in_shared)
        _core.texture.feature_maps(image, *rest, cpu)
        for f, name in enumerate(FEATURES):
            what = f"maps: {name}{', mean' if average else ''}"
            yield Check(what, distance(ours[:, f], cpu[:, f]), ROUNDING)
    around = neighbours(12, 1.5)
    for kind in KINDS:
        pixels = random.uniform(0, 255, (14, 17)).astype(kind)
        codes = np.empty((10, 13), np.uint16)
        found = xp.full(codes.shape, 999, np.uint16)
        maps_gpu.cs_lbp(xp.asarray(pixels), xp.asarray(around), 3.0, found)
        _core.texture.cs_lbp(pixels, around, 3.0, codes)
        differ = float(np.mean(to_host(found) != codes))
        yield Check(f"centre-symmetric patterns of {pixels.dtype}", differ, 0)


def run_lengths(xp: Any) -> Iterator[Check]:
    """csrc/texture/region/runs.cu: volumes and pictures, with holes, in each type of level."""
    from lesionkit.texture.region import runs_gpu
    from lesionkit.texture.region.discretise import region
    from lesionkit.texture.region.runs import steps_of

    random = np.random.default_rng(5)
    for shape, levels in (((3, 5, 7), 3), ((9, 11), 300), ((5, 4, 6), 65536)):
        image = random.integers(0, 3, shape) * (levels // 3)
        cut = region(image, levels, random.uniform(size=shape) < 0.8)
        steps = steps_of(None, len(shape))
        tables = [m.zeros((len(steps), levels + 1, 12), np.uint32) for m in (xp, np)]
        runs_gpu.run_lengths(xp.asarray(cut.padded), 1, steps, tables[0])
        _core.texture.run_lengths(cut.padded, 1, steps, tables[1])
        ours, cpu = (to_host(t)[:, 1:, 1:].astype(float) for t in tables)
        yield Check(f"run lengths: levels of {cut.padded.dtype}", distance(ours, cpu), 0)


def zones(xp: Any) -> Iterator[Check]:
    """csrc/texture/region/zones.cu: volumes and pictures, with holes, in each type of level; a zone
    that winds.
    """
    from lesionkit.texture.region import zones_gpu
    from lesionkit.texture.region.discretise import region

    random = np.random.default_rng(8)
    spiral = np.ones((9, 9), int)
    spiral[1, :8] = spiral[1:8, 7] = spiral[7, 1:8] = spiral[3:8, 1] = spiral[3, 1:6] = 0
    for image, levels, connectivity in (
        (random.integers(0, 2, (4, 5, 6)), 2, 3),
        (random.integers(0, 2, (5, 4, 6)) * 150, 300, 1),
        (random.integers(0, 2, (3, 6, 4)) * 30000, 65536, 2),
        (spiral, 2, 1),
    ):
        inside = random.uniform(size=image.shape) < (1 if image is spiral else 0.8)
        cut = region(image, levels, inside)
        found = zones_gpu.zones(xp.asarray(cut.padded), cut.border, levels, connectivity)
        cpu = _core.texture.zones(cut.padded, cut.border, levels, connectivity)
        what = f"zones: levels of {cut.padded.dtype}, {connectivity} axes"
        for name, ours, expected in zip(("sizes", "counts"), found, cpu, strict=True):
            same = ours.shape == expected.shape
            error = float(np.abs(to_host(ours) - expected).max()) if same else np.inf
            yield Check(f"{what}, {name}", error, 0)


def regions(xp: Any) -> Iterator[Check]:
    """csrc/texture/rois/rois.cu: all features of a few regions, few levels and many, normalised or
    not; one offset that leaves no pair.
    """
    from lesionkit.texture import rois_gpu

    random = np.random.default_rng(5)
    offsets = np.array([(0, 0, 1), (0, 0, 7), (-1, 0, -2), (1, -2, 3)])
    features = np.arange(rois_gpu.FEATURES, dtype=np.int32)[::-1].copy()
    values = random.normal(size=(4, 2, 5, 7))
    values[3] = 0.5
    for what, rois, levels, normalise in (
        ("8 bits", random.integers(0, 6, values.shape).astype(np.uint8), 6, 0),
        ("16 bits", random.integers(0, 60000, values.shape).astype(np.uint16), 60000, 0),
        ("3 sigma", values, 16, 1),
        ("percentiles", values, 16, 2),
        ("percentiles of float32", values.astype(np.float32).astype(np.float64), 16, 2 + 4),
    ):
        cpu = np.empty((4, len(offsets), len(features)))
        ours = xp.full(cpu.shape, 77.0)
        rest = (offsets, levels, normalise, features, 0.5)
        rois_gpu.roi_features(xp.asarray(rois), *rest, ours)
        _core.texture.roi_features(rois, *rest, cpu)
        found, cpu = (np.nan_to_num(to_host(a), nan=-9.0) for a in (ours, cpu))
        error = max(distance(found[..., f], cpu[..., f]) for f in features)
        yield Check(f"regions: {what}", error, ROUNDING)
