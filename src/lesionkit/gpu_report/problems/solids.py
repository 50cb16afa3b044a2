"""Problems for csrc/optics/volume: readings of many systems in tetrahedra."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from lesionkit.gpu_report.rows import Arithmetic, Row
from lesionkit.gpu_report.stopwatch import kernel_row
from lesionkit.optics.forward import solid_gpu

OPTODES = 16  # sources, and as many detectors
# of a pair of nodes: an inner product at 24 points, a loss at 8; of four nodes in closed form
TEN, FOUR = 24 * 7 + 8 * 3, 10
VISITS = 5  # of an entry in an iteration: its product and the V-cycle


def rows(small: bool = False) -> list[Row]:
    """Of each step of readings of a ball, by linear elements, and matrices by quadratic ones."""
    return [
        *(_elements(order, small) for order in (1, 2)),
        _matrix(small),
        _solved(small),
        _read(small),
    ]


@cache
def plan(order: int, small: bool) -> Any:
    """Of a ball, 6,525 linear or quadratic nodes."""
    from lesionkit.optics import ForwardModel, ball_mesh

    layers = 2 if small else 12 // order
    mesh = ball_mesh(41, layers=layers, order=order)
    angle = 2 * np.pi * np.arange(OPTODES) / OPTODES
    ring = 41 * np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])
    return ForwardModel(mesh, ring, ring).plans.at("nodes")


def _count(small: bool) -> int:
    return 2 if small else 264  # a block for 32 fields, two for each multiprocessor of an H200


def _start(order: int, small: bool, cupy: Any) -> Callable[[], object]:
    random, tissue = np.random.default_rng(1), ((0.008, 0.012), (0.8, 1.2))
    of, count = plan(order, small), _count(small)
    mua, mus = (cupy.asarray(random.uniform(*r, (count, of.properties))) for r in tissue)
    out = cupy.empty((count, OPTODES, OPTODES))
    made = solid_gpu.DeviceSolid(of, cupy.cuda.Device().id, cupy)
    return partial(made.measure, mua, mus, out)


def _row(
    file: str, kernel: str, what: str, order: int, small: bool, told: Callable[[], Arithmetic]
) -> Row:
    kind = "linear" if order == 1 else "quadratic"
    work = f"{what} of {_count(small)} systems, 6,525 {kind} nodes"
    return kernel_row(file, kernel, work, told, partial(_start, order, small))


def _elements(order: int, small: bool) -> Row:
    nodes, each = (4, FOUR) if order == 1 else (10, TEN)

    def told() -> Arithmetic:
        of, pairs = plan(order, small), nodes * (nodes + 1) // 2
        elements = len(of.parts["element"])
        size = 8 * pairs * elements + 16 * of.properties
        return Arithmetic(
            float(_count(small) * size), {"float64": float(_count(small) * elements * pairs * each)}
        )

    kernel = f"element_matrices<{nodes}>"
    return _row(solid_gpu.ASSEMBLE, kernel, "matrices of elements", order, small, told)


def _matrix(small: bool) -> Row:
    def told() -> Arithmetic:
        parts = plan(1, small).parts
        elements, entries = len(parts["element"]), len(parts["column"])
        size = 8 * 10 * elements + 12 * entries + 4 * parts["nodes"]
        sums = 16 * elements + entries
        return Arithmetic(float(_count(small) * size), {"float64": float(_count(small) * sums)})

    return _row(solid_gpu.ASSEMBLE, "matrix_rows", "matrices", 1, small, told)


def _solved(small: bool) -> Row:
    """One iteration, of which there are some."""

    def told() -> Arithmetic:
        parts = plan(1, small).parts
        columns, entries = solid_gpu.COLUMNS, len(parts["column"])
        size = 4 * entries + 20 * columns * parts["nodes"]
        each = 2 * VISITS * columns * entries
        return Arithmetic(float(_count(small) * size), {"float32": float(_count(small) * each)})

    return _row(solid_gpu.SOLVE, "solve_columns", "an iteration of 32 fields", 1, small, told)


def _read(small: bool) -> Row:
    def told() -> Arithmetic:
        numbers = solid_gpu.COLUMNS * plan(1, small).parts["nodes"]
        size, each = 20 * numbers + 16 * OPTODES**2, 4 * OPTODES * numbers // 2
        return Arithmetic(float(_count(small) * size), {"float64": float(_count(small) * each)})

    return _row(solid_gpu.SOLVE, "read_pairs", "readings from 32 fields", 1, small, told)
