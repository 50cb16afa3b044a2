"""Problems for csrc/optics/fields/fields.cu: fields and derivatives of many systems."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lesionkit.gpu_report.problems.optics import model
from lesionkit.gpu_report.rows import Arithmetic, Row
from lesionkit.gpu_report.stopwatch import kernel_row

FILE = "optics/fields/fields.cu"
NUMBERS = ("double", "Complex<double>")
# nodes of an element and values of a property, and where properties are given
KINDS = {
    (3, 1): "elements",
    (3, 3): "nodes",
    (6, 1): "elements",
    (6, 4): "quarters",
    (6, 6): "nodes",
}
OF_VALUES = {1: (3, 1), 3: (3, 3), 4: (6, 4), 6: (6, 6)}


def rows(small: bool = False) -> list[Row]:
    """Of every kind of mesh and light, fields of many systems, derivatives of some."""
    found = [_solved(number, small) for number in NUMBERS]
    found += [_derivatives(number, *kind, small) for number in NUMBERS for kind in KINDS]
    found += [_gram(number, small) for number in NUMBERS]
    return [*found, *(_gradient(*kind, small) for kind in OF_VALUES.values())]


class _Problem:
    """Maps of one kind of mesh, place and light, on the GPU."""

    def __init__(self, number: str, nodes: int, values: int, count: int, small: bool) -> None:
        self.complex = number != "double"
        self.this = partial(model, nodes == 3, self.complex, small)
        self.at, self.count, self.element_nodes = KINDS[nodes, values], count, nodes
        self.kind = np.complex128 if self.complex else np.float64
        self.parts = 2 if self.complex else 1  # real numbers of one
        mesh = "1,801 nodes" if nodes == 3 else "the accurate mesh"
        light = ", 100 MHz" if self.complex else ""
        self.words = f"{count:,} systems, {mesh}, maps at {self.at}{light}"

    @property
    def plan(self) -> dict[str, Any]:
        found: dict[str, Any] = self.this().plans.parts(self.at)
        return found

    @property
    def optodes(self) -> int:
        return len(self.this().sources)

    def on(self, cupy: Any) -> tuple[Any, Any, list[Any]]:
        """Kernels, plan and maps."""
        random, tissue = np.random.default_rng(1), ((0.005, 0.02), (0.8, 1.5))
        shape = self.count, self.plan["properties"]
        maps = [cupy.asarray(random.uniform(*r, shape)) for r in tissue]
        return (*self.this().plans.with_fields(self.at, cupy.cuda.Device().id), maps)

    def fields(self, cupy: Any) -> Callable[[], object]:
        """The fields of sources and detectors, into arrays that are there."""
        kernels, plan, maps = self.on(cupy)
        readings = cupy.empty((self.count, self.optodes, self.optodes), self.kind)
        field = cupy.empty((self.count, self.plan["nodes"], 2 * self.optodes), self.kind)
        return partial(kernels.fields, plan, *maps, readings, field)

    def jacobian(self, cupy: Any) -> Callable[[], object]:
        """All derivatives, from fields of any value."""
        kernels, plan, maps = self.on(cupy)
        at_nodes = self.count, self.plan["nodes"], 2 * self.optodes
        field = cupy.asarray(np.random.default_rng(2).random(at_nodes).astype(self.kind))
        shape = self.count, self.optodes, self.optodes, self.plan["properties"]
        made = [cupy.empty(shape, self.kind) for _ in range(2)]
        return partial(kernels.jacobian, plan, *maps, field, *made)

    def gradient(self, cupy: Any) -> Callable[[], object]:
        """Of weighted sums."""
        kernels, plan, maps = self.on(cupy)
        shape = (self.count, self.optodes, self.optodes)
        weight = cupy.asarray(np.random.default_rng(2).random(shape).astype(self.kind))
        made = [cupy.empty_like(maps[0]) for _ in range(2)]
        return partial(kernels.gradient, plan, *maps, weight, *made)


def _solved(number: str, small: bool) -> Row:
    problem = _Problem(number, 3, 1, 2 if small else 512, small)

    def told() -> Arithmetic:
        """Matrices in, panels in and out, readings and fields out."""
        from lesionkit.optics.forward.forward_gpu import gathered_entries

        cost, optodes = problem.this().cost(problem.at), problem.optodes
        numbers = gathered_entries(problem.plan) + 2 * cost.entries
        numbers += optodes**2 + 2 * optodes * problem.plan["nodes"]
        each = (8 if problem.complex else 2) * (cost.factor + 2 * optodes * cost.entries)
        return Arithmetic(
            8.0 * problem.count * problem.parts * numbers, {"float64": float(problem.count * each)}
        )

    words = f"{problem.words}, fields of {problem.optodes} sources and as many detectors"
    return kernel_row(FILE, f"solve_fields<{number}>", words, told, problem.fields)


def _derivatives(number: str, nodes: int, values: int, small: bool) -> Row:
    problem = _Problem(number, nodes, values, 2 if small else 16, small)

    def told() -> Arithmetic:
        """Fields in, two derivatives out; of each value of an element two forms of its fields."""
        pairs, plan, n = problem.optodes**2, problem.plan, nodes
        numbers = 2 * problem.optodes * plan["nodes"] + 2 * pairs * plan["properties"]
        each = problem.parts * 4 * n**2 + (16 if problem.complex else 4) * n
        return Arithmetic(
            8.0 * problem.count * (problem.parts * numbers + 2 * plan["properties"]),
            {"float64": float(problem.count * pairs * plan["property"].size * each)},
        )

    kernel = f"jacobian<{number}, {nodes}, {values}>"
    return kernel_row(FILE, kernel, problem.words, told, problem.jacobian)


def _gram(number: str, small: bool) -> Row:
    problem = _Problem(number, 6, 6, 2 if small else 512, small)

    def told() -> Arithmetic:
        """Fields of sources, and weighted, in; a number for each pair of an element's nodes out."""
        plan, elements = problem.plan, len(problem.plan["area"])
        size = 8 * (problem.parts * 2 * problem.optodes * plan["nodes"] + 21 * elements)
        each = elements * 36 * problem.optodes * (4 if problem.complex else 2)
        return Arithmetic(float(problem.count * size), {"float64": float(problem.count * each)})

    return kernel_row(FILE, f"element_gram<{number}>", problem.words, told, problem.gradient)


def _gradient(nodes: int, values: int, small: bool) -> Row:
    problem = _Problem("double", nodes, values, 2 if small else 512, small)

    def told() -> Arithmetic:
        pairs, plan = nodes * (nodes + 1) // 2, problem.plan
        size = 8 * (pairs * len(plan["area"]) + 4 * plan["properties"])
        each = plan["property"].size * 4 * pairs
        return Arithmetic(float(problem.count * size), {"float64": float(problem.count * each)})

    return kernel_row(FILE, f"gradient<{values}>", problem.words, told, problem.gradient)
