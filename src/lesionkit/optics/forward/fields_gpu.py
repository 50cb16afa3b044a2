"""Fields and derivatives on a GPU: csrc/optics/fields/fields.cu under the names and arguments of
`lesionkit._core.optics`, with a :class:`FieldPlan` in the place of its plan.

Maps and answers are CuPy arrays on one GPU, C-contiguous and of the right dtype: the caller has
made them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lesionkit import gpu
from lesionkit.optics.forward.forward_gpu import (
    BLOCK_ENTRIES,
    assemble,
    flatten,
    gathered_entries,
    max_pivots,
    places,
)

FILE = "optics/fields/fields.cu"
THREADS = 128  # of a block
SOURCES, OPTODES, WEIGHTED = range(3)  # Wanted in the file


class FieldPlan:
    """The plan of a forward model on a GPU, with all panels far, where they are kept.

    parts  : as from `build_plan`
    device : the GPU's number; xp: cupy, for which this GPU is the current one
    """

    def __init__(self, parts: dict[str, Any], device: int, xp: Any) -> None:
        where = places(parts, math.inf)
        self.size, self.max_pivots = where.far_size, max_pivots(parts)
        self.device, self.xp = device, xp
        self.columns: int | None = None  # right-hand sides at a time; a number is for tests
        self.nodes, self.properties = parts["nodes"], parts["properties"]
        self.sources, self.detectors = parts["sources"], parts["detectors"]
        self.element_nodes, self.values = parts["element_nodes"], parts["property_nodes"]
        self.elements = len(parts["area"])
        self.plan = [xp.asarray(part) for part in flatten(parts, where)]
        self.entries = gathered_entries(parts)
        self.node = [xp.asarray(part.astype(np.int32)) for part in parts["node"]]
        self.element_node = xp.asarray(np.asarray(parts["element_node"], np.int32))
        property_of = np.asarray(parts["property"]).ravel()
        starts = np.searchsorted(np.sort(property_of), np.arange(self.properties + 1))
        order = np.argsort(property_of, kind="stable")
        self.of_property = [xp.asarray(part.astype(np.int32)) for part in (starts, order)]

    def launch(self, kernel: str, items: int, args: list[Any]) -> None:
        """A thread for an item."""
        grid = gpu.blocks_for(items, THREADS, self.device)
        gpu.launch(FILE, kernel, grid, THREADS, args)

    def solve(
        self, mua: Any, mus: Any, wanted: int, weight: Any, strides: tuple[int, int], out: Any
    ) -> Any:
        """Fill out (n, ...) with fields, as many systems at a time as there is memory for; the
        readings."""
        n, kind = len(mua), out.dtype
        readings = self.xp.empty((n, self.sources, self.detectors), kind)
        device = gpu.properties(self.device)
        width = (self.sources, self.sources + self.detectors, 2 * self.sources)[wanted]
        beside = (self.max_pivots + BLOCK_ENTRIES) * kind.itemsize
        room = device.shared_per_block - gpu.MAX_STATIC_SHARED - beside
        fitting = self.columns or room // (self.max_pivots * kind.itemsize)
        columns = max(1, min(width, fitting))
        shared = beside + columns * self.max_pivots * kind.itemsize
        for some in self._batches(n, kind):
            count = some.stop - some.start
            with gpu.memory_for(f"the panels of {count} systems"):
                panels = self.xp.empty((count, self.size), kind)
                entries = self.xp.empty((count, self.entries), kind)
            number = "Complex<double>" if kind.kind == "c" else "double"
            given = [*self.plan, mua[some], mus[some], None, 0]
            assemble(f"assemble<{number}, {self.values}, MapInput>", given, entries, self.device)
            weights = None if weight is None else weight[some]
            args = [*self.plan[:2], *self.node, entries, wanted, weights, count, columns]
            args += [width * self.nodes, *strides, panels, readings[some], out[some]]
            grid = min(count, 8 * device.multiprocessors)
            gpu.launch(FILE, f"solve_fields<{number}>", grid, THREADS, args, shared)
        return readings

    def _batches(self, n: int, kind: Any) -> Iterator[slice]:
        """Systems whose panels and entries fit into half of the memory that is left."""
        each = (self.size + self.entries) * kind.itemsize
        size = max(1, gpu.free_memory() // 2 // each)
        for first in range(0, n, size):
            yield slice(first, min(first + size, n))

    def fluence(self, absorption: Any, scattering: Any, out: Any) -> None:
        """Fill out (n, sources, nodes): see `ForwardPlan.fluence`."""
        self.solve(absorption, scattering, SOURCES, None, (1, self.nodes), out)


def fields(plan: FieldPlan, absorption: Any, scattering: Any, readings: Any, out: Any) -> None:
    """Fill readings (n, sources, detectors) and out (n, nodes, sources, then detectors)."""
    strides = plan.sources + plan.detectors, 1
    readings[...] = plan.solve(absorption, scattering, OPTODES, None, strides, out)


def jacobian(
    plan: FieldPlan,
    absorption: Any,
    scattering: Any,
    field: Any,
    by_absorption: Any,
    by_scattering: Any,
) -> None:
    """Fill the derivatives (n, sources, detectors, properties) from the `fields` of all optodes."""
    number = "Complex<double>" if field.dtype.kind == "c" else "double"
    kernel = f"jacobian<{number}, {plan.element_nodes}, {plan.values}>"
    args = [*plan.plan, plan.element_node, *plan.of_property, absorption, scattering]
    args += [len(field), plan.nodes, field, by_absorption, by_scattering]
    plan.launch(kernel, by_absorption.size, args)


def gradient(
    plan: FieldPlan,
    absorption: Any,
    scattering: Any,
    weight: Any,
    by_absorption: Any,
    by_scattering: Any,
) -> None:
    """Fill the derivatives (n, properties) of the weighted sums of readings."""
    n, xp, pairs = len(absorption), plan.xp, plan.element_nodes * (plan.element_nodes + 1) // 2
    with gpu.memory_for(f"the fields of {n} systems"):
        field = xp.empty((n, plan.nodes, 2 * plan.sources), weight.dtype)
        gram = xp.empty((n, pairs, plan.elements))
    plan.solve(absorption, scattering, WEIGHTED, weight, (2 * plan.sources, 1), field)
    number = "Complex<double>" if field.dtype.kind == "c" else "double"
    args = [plan.element_node, plan.element_nodes, plan.elements, plan.nodes, plan.sources, n]
    plan.launch(f"element_gram<{number}>", gram.size, [*args, field, gram])
    args = [*plan.plan, *plan.of_property, absorption, scattering, n, plan.elements, gram]
    args += [by_absorption, by_scattering]
    plan.launch(f"gradient<{plan.values}>", by_absorption.size, args)
