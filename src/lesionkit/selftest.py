"""`lesionkit selftest`: does this machine's GPU compute what the CPU computes?

Each file of kernels has a case: a small problem, done by the kernels and by the CPU. The tests run
the same cases with the kernels on the host (tests/cuda).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from lesionkit import _core, gpu

ROUNDING = 1e-9  # float64 on a GPU against the CPU, relative to the largest value
SINGLE = 1e-6  # the same where the answer is float32
GRAY = 1e-3  # share of bytes that may round the other way


class Check(NamedTuple):
    """One comparison: how far off, and how far off it may be."""

    what: str
    error: float
    allowed: float

    @property
    def passed(self) -> bool:
        return self.error <= self.allowed  # false for NaN


Case = Callable[[Any], Iterator[Check]]


def main() -> int:
    """Compile every kernel, check each against the CPU, print one table; 0 if all is well."""
    try:
        cupy = gpu.require()
        print(gpu.describe())
        failed = [line for line in _table(cupy) if not line]
    except gpu.GpuError as problem:
        print(f"lesionkit: selftest needs a GPU: {problem}", file=sys.stderr)
        return 1
    return 1 if failed else 0


def _table(cupy: Any) -> Iterator[bool]:
    print(f"\n{'kernel':44} {'compiled':>10}")
    device = cupy.cuda.Device().id
    for file, kernels in gpu.KERNELS.items():
        for kernel in kernels:
            start = time.perf_counter()
            gpu.compiled(file, kernel, device)
            print(f"{kernel:44} {time.perf_counter() - start:8.2f} s")
    print(f"\n{'against the CPU':44} {'error':>10} {'allowed':>10}")
    for case in CASES.values():
        for check in case(cupy):
            verdict = "" if check.passed else "  WRONG"
            print(f"{check.what:44} {check.error:10.1e} {check.allowed:10.1e}{verdict}")
            yield check.passed


def phantoms(xp: Any) -> Iterator[Check]:
    """csrc/optics/phantom.cu: draws, element shares, maps, MRI and noise of a few phantoms."""
    from lesionkit.optics import phantoms_gpu
    from lesionkit.optics.disc import disc_mesh
    from lesionkit.optics.recipe import PhantomRecipe

    # 23 pixels, 15 optodes: the last block of random numbers is not full. A seed and an item
    # beyond 32 bits.
    recipe, seed, first, count = PhantomRecipe(nodes=200, pixels=23), 2**64 - 3, 2**33 + 1, 5
    mesh = disc_mesh(recipe.radius, recipe.nodes, recipe.optodes)
    corners = np.ascontiguousarray(mesh.nodes[mesh.elements])
    readings = np.random.default_rng(1).uniform(1, 2, (3, count, 15, 15))
    diameters = np.array(recipe.single_diameters)

    def make(kernels: Any, xp: Any) -> dict[str, Any]:
        made = {
            "regions": xp.full((count, 3, 8), 77.0),
            "shares": xp.full((count, 2, len(corners)), 77.0),
            "maps": xp.full((count, 3, recipe.pixels, recipe.pixels), 77, np.float32),
            "MRI": xp.full((count, recipe.pixels, recipe.pixels), 77, np.uint8),
            "signal": xp.full((count, 3, 15, 14), 77, np.float32),
        }
        regions, at = made["regions"], (seed, first)
        kernels.draw_regions(recipe.limits, diameters, *at, regions)
        kernels.element_shares(regions, xp.asarray(corners), made["shares"])
        look = (recipe.radius, recipe.mri_gray, recipe.mri_noise)
        kernels.paint(regions, *look, *at, made["maps"], made["MRI"])
        kernels.add_noise(xp.asarray(readings), recipe.signal_noise, *at, made["signal"])
        return made

    ours, cpu = make(phantoms_gpu, xp), make(_core.optics, np)
    for name, allowed in (
        ("regions", ROUNDING),
        ("shares", ROUNDING),
        ("maps", SINGLE),
        ("signal", SINGLE),
    ):
        yield Check(f"phantoms: {name}", _distance(ours[name], cpu[name]), allowed)
    off = np.abs(_host(ours["MRI"]).astype(int) - cpu["MRI"])
    yield Check("phantoms: MRI, bytes that differ by 1", float(np.mean(off != 0)), GRAY)
    yield Check("phantoms: MRI, largest difference", float(off.max()), 1)


def forward(xp: Any) -> Iterator[Check]:
    """csrc/optics/forward.cu: readings of a few systems, panels in shared memory and outside."""
    from lesionkit.optics.device import DevicePlan
    from lesionkit.optics.disc import disc_mesh
    from lesionkit.optics.forward import At, ForwardModel
    from lesionkit.optics.mesh import Mesh

    linear = disc_mesh(radius=10.0, nodes=61, optodes=6)
    rim = linear.nodes[linear.boundary[::4, 0]]  # 6 optodes
    random = np.random.default_rng(2)
    device = 0 if xp is np else xp.cuda.Device().id
    quadratic = linear.to_quadratic()
    nodes, middle = quadratic.nodes.copy(), quadratic.boundary[:, 2]
    nodes[middle] *= 10 / np.linalg.norm(nodes[middle], axis=1, keepdims=True)
    kinds: tuple[tuple[Mesh, tuple[At, ...]], ...] = (
        (linear, ("elements", "nodes")),
        (Mesh(nodes, quadratic.elements), ("quarters", "elements", "nodes")),
    )
    for mesh, places in kinds:
        for frequency in (0.0, 1e8):
            model = ForwardModel(mesh, rim, rim, frequency=frequency)
            for at in places:
                cpu, _, parts = model._planned(at)
                plan = DevicePlan(parts, cpu.stack(), device, xp)
                maps = [random.uniform(*r, (3, parts["properties"])) for r in TISSUE]
                light = "modulated" if frequency else "continuous"
                what = f"readings: {mesh.elements.shape[1]} nodes, {at}, {light}"
                yield _compare_readings(what, "measure", plan, cpu, maps, xp)
            if frequency:
                continue
            cpu, _, parts = model._planned(places[0])
            plan = DevicePlan(parts, cpu.stack(), device, xp)
            mixture = [random.uniform(0, 1, (3, 2, parts["properties"]))]
            mixture += [random.uniform(*r, (3, 3)) for r in TISSUE]
            what = f"readings: mixtures, {places[0]}"
            yield _compare_readings(what, "measure_mixture", plan, cpu, mixture, xp)
            if mesh is linear:
                plan.in_shared_memory = False
                what = "readings: panels not in shared memory"
                yield _compare_readings(what, "measure_mixture", plan, cpu, mixture, xp)


TISSUE = ((0.002, 0.02), (0.5, 2.0))  # mua and mus' in mm^-1


def _compare_readings(
    what: str, method: str, plan: Any, cpu: Any, inputs: list[Any], xp: Any
) -> Check:
    """Readings of 6 x 6 optodes by a plan on the GPU and on the CPU."""
    kind = np.complex128 if "modulated" in what else np.float64
    ours, theirs = xp.full((3, 6, 6), np.nan, kind), np.empty((3, 6, 6), kind)
    getattr(plan, method)(*map(xp.asarray, inputs), ours)
    getattr(cpu, method)(*inputs, theirs)
    return Check(what, float(np.abs(_host(ours) / theirs - 1).max()), ROUNDING)


def cooccurrence(xp: Any) -> Iterator[Check]:
    """csrc/texture/glcm.cu: counts in shared memory and outside, with and without a mask; sums."""
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
            yield Check(what, _distance(ours.astype(float), cpu.astype(float)), 0)
        for of in (kind, np.float64):
            matrices = np.ascontiguousarray(cpu.reshape(8, 7, 7), of)
            made = [(m.empty((8, 34)), m.empty((8, 3))) for m in (xp, np)]
            glcm_gpu.marginals(xp.asarray(matrices), *made[0])
            _core.texture.marginals(matrices, *made[1])
            for part, name in enumerate(("lines", "totals")):
                what = f"co-occurrence: {name} of {matrices.dtype} matrices"
                yield Check(what, _distance(made[0][part], made[1][part]), ROUNDING)
    plain, cpu = xp.zeros((2, 4, 7, 7), np.uint32), np.zeros((2, 4, 7, 7), np.uint32)
    glcm_gpu.count_pairs(xp.asarray(image), None, offsets, True, plain)
    _core.texture.count_pairs(image, None, offsets, True, cpu)
    yield Check("co-occurrence: no mask", _distance(plain.astype(float), cpu.astype(float)), 0)


def maps(xp: Any) -> Iterator[Check]:
    """csrc/texture/maps.cu: all features of small windows, and centre-symmetric patterns."""
    from lesionkit.texture import maps_gpu
    from lesionkit.texture.lbp import KINDS, neighbours
    from lesionkit.texture.maps import FEATURES

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
            yield Check(what, _distance(ours[:, f], cpu[:, f]), ROUNDING)
    around = neighbours(12, 1.5)
    for kind in KINDS:
        pixels = random.uniform(0, 255, (14, 17)).astype(kind)
        codes = np.empty((10, 13), np.uint16)
        found = xp.full(codes.shape, 999, np.uint16)
        maps_gpu.cs_lbp(xp.asarray(pixels), xp.asarray(around), 3.0, found)
        _core.texture.cs_lbp(pixels, around, 3.0, codes)
        differ = float(np.mean(_host(found) != codes))
        yield Check(f"centre-symmetric patterns of {pixels.dtype}", differ, 0)


def run_lengths(xp: Any) -> Iterator[Check]:
    """csrc/texture/runs.cu: volumes and pictures, with holes, in each type of level."""
    from lesionkit.texture import runs_gpu
    from lesionkit.texture.discretise import region
    from lesionkit.texture.runs import steps_of

    random = np.random.default_rng(5)
    for shape, levels in (((3, 5, 7), 3), ((9, 11), 300), ((5, 4, 6), 65536)):
        image = random.integers(0, 3, shape) * (levels // 3)
        cut = region(image, levels, random.uniform(size=shape) < 0.8)
        steps = steps_of(None, len(shape))
        tables = [m.zeros((len(steps), levels + 1, 12), np.uint32) for m in (xp, np)]
        runs_gpu.run_lengths(xp.asarray(cut.padded), 1, steps, tables[0])
        _core.texture.run_lengths(cut.padded, 1, steps, tables[1])
        ours, cpu = (_host(t)[:, 1:, 1:].astype(float) for t in tables)
        yield Check(f"run lengths: levels of {cut.padded.dtype}", _distance(ours, cpu), 0)


def regions(xp: Any) -> Iterator[Check]:
    """csrc/texture/rois.cu: all features of a few regions, few levels and many, normalised or not;
    one offset that leaves no pair.
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
    ):
        cpu = np.empty((4, len(offsets), len(features)))
        ours = xp.full(cpu.shape, 77.0)
        rest = (offsets, levels, normalise, features, 0.5)
        rois_gpu.roi_features(xp.asarray(rois), *rest, ours)
        _core.texture.roi_features(rois, *rest, cpu)
        found, cpu = (np.nan_to_num(_host(a), nan=-9.0) for a in (ours, cpu))
        error = max(_distance(found[..., f], cpu[..., f]) for f in features)
        yield Check(f"regions: {what}", error, ROUNDING)


def fuzzy_c_means(xp: Any) -> Iterator[Check]:
    """csrc/clustering/fcm.cu: one channel and several, weights, both ways to stop, numbers that are
    too small for float; memberships, distances and labels.
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
        yield Check(f"fuzzy c-means: centres, {what}", _distance(ours, cpu), allowed)
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
            kernels.fcm_memberships(at, 1.7, centres, only, False, u)
            kernels.fcm_distances(at, centres, False, far)
            kernels.fcm_labels(at, centres, nearest)
        allowed = SINGLE if x.dtype == np.float32 else ROUNDING
        for name, part in (("memberships", 0), ("distances", 1)):
            what = f"fuzzy c-means: {name}, {x.dtype}"
            yield Check(what, _distance(made[0][part], made[1][part]), 10 * allowed)
        differ = float(np.mean(_host(labels[0]) != labels[1]))
        yield Check(f"fuzzy c-means: labels, {x.dtype}", differ, 0)


def kmeans(xp: Any) -> Iterator[Check]:
    """csrc/clustering/kmeans.cu: runs on a line and in space, labels and distances; odd sizes."""
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
        yield Check(f"{what}, centres", _distance(centres[0], centres[1]), allowed)
        labels = [m.full(n, -7, np.int32) for m in (xp, np)]
        counts = np.zeros((2, k), np.int64)
        inertia = [
            kernels.nearest(data, weights, centres[1], found, number)
            for kernels, data, weights, found, number in zip(
                (kmeans_gpu, _core.clustering), (given, x), there, labels, counts, strict=True
            )
        ]
        off = np.mean(_host(labels[0]) != labels[1]) + np.any(counts[0] != counts[1])
        yield Check(f"{what}, labels", float(off), 0)
        yield Check(f"{what}, inertia", abs(inertia[0] / inertia[1] - 1), ROUNDING)
        out = [m.full((n, k), np.nan, kind) for m in (xp, np)]
        kmeans_gpu.distances(given, centres[1], out[0])
        _core.clustering.distances(x, centres[1], out[1])
        allowed = SINGLE if kind == np.float32 else ROUNDING
        yield Check(f"{what}, distances", _distance(out[0], out[1]), allowed)


def chan_vese(xp: Any) -> Iterator[Check]:
    """csrc/fronts/chan_vese.cu: a picture that comes to rest; a masked volume of two channels."""
    from lesionkit.fronts import chan_vese_gpu

    random = np.random.default_rng(6)
    for shape, kind, tol, most in (
        ((1, 1, 17, 19), np.float64, 0.093, 4),
        ((2, 4, 7, 9), np.float32, -1.0, 2),
    ):
        volume = shape[1] > 1
        image: Any = random.uniform(size=shape).astype(kind)
        mask = (random.uniform(size=shape[1:]) < 0.8).astype(np.uint8) if volume else None
        start: Any = random.normal(size=shape[1:]).astype(kind)
        if mask is not None:
            image, start = image * mask, start * mask
        cpu, ours = start.copy(), xp.asarray(start.copy())
        rest = (volume, 0.2, [1.0, 1.5] * len(image), tol, most, 0.5, True)
        on_gpu = None if mask is None else xp.asarray(mask)
        made = chan_vese_gpu.chan_vese(xp.asarray(image), on_gpu, ours, *rest)
        energies = np.array(_core.fronts.chan_vese(image, mask, cpu, *rest)).reshape(
            -1, 2 + 4 * len(image)
        )
        what = f"contours without edges: {'volume' if volume else 'picture'}, {cpu.dtype}"
        allowed = SINGLE if kind == np.float32 else ROUNDING
        yield Check(f"{what}, iterations", abs(len(made) - len(energies)), 0)
        yield Check(what, _distance(ours, cpu), allowed)
        if len(made) == len(energies):
            yield Check(f"{what}, energies", _distance(made, energies), allowed)


def fronts(xp: Any) -> Iterator[Check]:
    """csrc/fronts/sweep.cu: pictures and volumes in tiles that do not divide them, with walls; a
    batch of images that are a tile each."""
    from lesionkit.fronts import arrival_gpu

    random = np.random.default_rng(6)
    for what, kind, shape, tile, spacing in (
        ("a picture", "f4", (1, 1, 11, 13), (1, 5, 6), (1.0, 1.0, 1.0)),
        ("a volume", "f8", (1, 5, 6, 7), (3, 4, 4), (2.0, 1.0, 0.5)),
        ("a batch", "f4", (5, 1, 7, 6), (1, 7, 6), (1.0, 1.0, 1.0)),
    ):
        images, nodes = shape[0], int(np.prod(shape[1:]))
        speed = random.uniform(0.5, 1, shape).astype(kind)
        mask = (random.uniform(size=shape) < 0.85).astype(np.uint8)
        speed.reshape(images, -1)[:, 3] = 0
        mask.reshape(images, -1)[:, [0, nodes - 1]] = 1
        first = np.arange(images + 1) * 2
        starts = np.tile([0, nodes - 1], images)
        at = np.tile([0.0, 0.25], images).astype(kind)
        rest = (1.0, spacing, np.inf, first, starts, at)
        cpu = np.empty_like(speed)
        _core.fronts.arrival_times(speed, mask, *rest, cpu)
        ours = xp.full(shape, 77, kind)
        arrival_gpu.arrival_times(xp.asarray(speed), xp.asarray(mask), *rest, ours, tile, 4)
        found = _host(ours)
        differ = float((np.isfinite(found) != np.isfinite(cpu)).sum())
        yield Check(f"fronts: {what}, nodes reached", differ, 0)
        found, cpu = (np.where(np.isfinite(a), a, 0) for a in (found, cpu))
        yield Check(f"fronts: {what}", _distance(found, cpu), SINGLE if kind == "f4" else ROUNDING)


CASES: dict[str, Case] = {
    "clustering/fcm.cu": fuzzy_c_means,
    "clustering/kmeans.cu": kmeans,
    "fronts/chan_vese.cu": chan_vese,
    "fronts/sweep.cu": fronts,
    "optics/forward.cu": forward,
    "optics/phantom.cu": phantoms,
    "texture/rois.cu": regions,
    "texture/glcm.cu": cooccurrence,
    "texture/maps.cu": maps,
    "texture/runs.cu": run_lengths,
}


def _host(array: Any) -> Any:
    """The array in NumPy."""
    return array if isinstance(array, np.ndarray) else array.get()


def _distance(ours: Any, cpu: Any) -> float:
    """The largest difference, relative to the largest value; NaN if any is."""
    return float(np.abs(_host(ours) - cpu).max() / np.abs(cpu).max())


if __name__ == "__main__":
    sys.exit(main())
