"""Problems for csrc/fronts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lesionkit.gpu_report.rows import Arithmetic, Kind, Row
from lesionkit.gpu_report.stopwatch import kernel_row

TYPES: dict[str, tuple[Any, Kind]] = {
    "float": (np.float32, "float32"),
    "double": (np.float64, "float64"),
}
ITERATIONS = 10


def rows(small: bool = False) -> list[Row]:
    """Of a picture's contour, and of a front through a volume."""
    return [*_contours(small), *_arrivals(small), *_accurate(small), *_labels(small)]


def _contours(small: bool) -> list[Row]:
    from lesionkit.fronts.contours import chan_vese_gpu

    side = 13 if small else 4096

    def start(kind: Any, energies: bool, cupy: Any) -> Callable[[], object]:
        random = np.random.default_rng(1)
        image: Any = random.random((1, 1, side, side), np.float32)
        image[..., side // 3 : side // 2, :] += 1
        phi = cupy.asarray(random.standard_normal((1, side, side), np.float32).astype(kind))
        image = cupy.asarray(image.astype(kind))
        rest = (False, 0.2, [1.0, 1.0], -1.0, ITERATIONS, 0.5, energies)
        return lambda: chan_vese_gpu.chan_vese(image, None, phi.copy(), *rest)

    found = []
    for name, (kind, unit) in TYPES.items():
        size, pixels = np.dtype(kind).itemsize, side**2
        work = f"{side:,} x {side:,} pixels, {ITERATIONS} iterations, {unit}"
        # image and level set in, level set out; the first launch only sums. 60: force, two axes
        # of weights, the new value
        told = Arithmetic(
            pixels * size * (3.0 * ITERATIONS + 2), {unit: 60.0 * pixels * ITERATIONS}
        )
        file = "fronts/contours/chan_vese.cu"
        found.append(
            kernel_row(file, f"chan_vese<{name}>", work, told, partial(start, kind, False))
        )
        # the arctangent's series and the sums, in double
        told = Arithmetic(2.0 * pixels * size * ITERATIONS, {"float64": 60.0 * pixels * ITERATIONS})
        found.append(
            kernel_row(
                file,
                f"chan_vese_energy<{name}>",
                work,
                told,
                partial(start, kind, True),
            )
        )
    return found


def _accurate(small: bool) -> list[Row]:
    """Times of order 2, factored, from those of order 1 of a constant speed."""
    from lesionkit.fronts import arrival_gpu

    def start(axes: int, kind: Any, cupy: Any) -> Callable[[], object]:
        middle = _side(axes) // 2
        size = (1, _side(3) if axes == 3 else 1, _side(axes), _side(axes))
        seed = [middle if n > 1 else 0 for n in size[1:]]
        away = [
            (i - k) ** 2.0 for i, k in zip(np.indices(size[1:], sparse=True), seed, strict=True)
        ]
        first = cupy.asarray(np.sqrt(sum(away)).astype(kind)[None])
        starts = np.array([0, 1]), np.ravel_multi_index([[n] for n in seed], size[1:])
        given = cupy.ones(size, kind), None, 1.0, (1.0,) * 3, np.inf, *starts, np.zeros(1, kind)
        rest = 2, np.inf, np.ones(1, np.int32), np.array([[[*seed, 1.0]]], float)
        return lambda: arrival_gpu.make_accurate(*given, first.copy(), *rest)

    def _side(axes: int) -> int:
        if small:
            return {2: 20, 3: 9}[axes]
        return {2: 4096, 3: 256}[axes]

    file, found = "fronts/accurate/accurate.cu", []
    for name, (kind, unit) in TYPES.items():
        size = np.dtype(kind).itemsize
        for axes in (2, 3):
            nodes, work = _side(axes) ** axes, f"{_side(axes)}^{axes} nodes from the middle, {unit}"
            # speed and both times once; of each axis two slopes of some 20 operations
            told = Arithmetic(3.0 * size * nodes, {unit: 40.0 * axes * nodes})
            kernel = f"follow_order<{name}, {axes}>"
            here = partial(start, axes, kind)
            found.append(kernel_row(file, kernel, work, told, here))
        # some 2,000 speeds; 512 nodes about a seed
        for kernel, count, operations in (("find_reach", 2000, 6.0), ("start_fronts", 512, 20.0)):
            told = Arithmetic(float(size * min(count, _side(2) ** 2)), {unit: operations * count})
            here = partial(start, 2, kind)
            work = f"{_side(2)}^2 nodes, {unit}"
            found.append(kernel_row(file, f"{kernel}<{name}>", work, told, here))
    return found


def _labels(small: bool) -> list[Row]:
    """Of times along the rows, which lead back to their starts."""
    from lesionkit.fronts import arrival_gpu

    side = 9 if small else 256
    nodes = side**3

    def start(kind: Any, cupy: Any) -> Callable[[], object]:
        times = cupy.asarray(np.broadcast_to(np.arange(side), (1, side, side, side)).astype(kind))
        starts = np.arange(side**2) * side
        given = np.array([0, len(starts)]), starts, np.zeros(len(starts), kind)
        label_of = np.ones(len(starts), np.int32)
        out = cupy.empty(times.shape, np.int32)
        return lambda: arrival_gpu.front_labels(times, *given, label_of, out)

    file, work, found = "fronts/eikonal/labels.cu", f"{side}^3 nodes, {side}^2 starts", []
    for name, (kind, unit) in TYPES.items():
        size = np.dtype(kind).itemsize
        told = Arithmetic(nodes * (size + 12.0), {unit: 6.0 * nodes})
        found.append(kernel_row(file, f"front_parents<{name}>", work, told, partial(start, kind)))
    told, here = Arithmetic(nodes * 16.0, {}), partial(start, np.float32)
    work = f"{work}; least: one round"
    return [*found, kernel_row(file, "parent_of_parent", work, told, here)]


def _arrivals(small: bool) -> list[Row]:
    from lesionkit.fronts import arrival_gpu

    side = 9 if small else 256

    def start(kind: Any, cupy: Any) -> Callable[[], object]:
        speed = np.random.default_rng(1).uniform(0.5, 1, (1, side, side, side)).astype(kind)
        there, times = cupy.asarray(speed), cupy.empty(speed.shape, kind)
        seed = np.array([(side // 2) * (side**2 + side + 1)])
        given = np.array([0, 1]), seed, np.zeros(1, kind), times
        return lambda: arrival_gpu.arrival_times(there, None, 1.0, (1.0,) * 3, np.inf, *given)

    found = []
    for name, (kind, unit) in TYPES.items():
        # every node once, from the least of each axis: a sweep does many of them many times
        told = Arithmetic(2.0 * np.dtype(kind).itemsize * side**3, {unit: 28.0 * side**3})
        work = f"{side}^3 nodes from the middle, {unit}; least: each node once"
        kernel = f"relax_tiles<{name}>"
        found.append(
            kernel_row("fronts/eikonal/sweep.cu", kernel, work, told, partial(start, kind))
        )
    return found
