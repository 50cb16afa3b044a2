"""The forward model's plan: fronts, index maps and element weights, worked out once per mesh.

`csrc/optics/factor.hpp` tells what a front is; here its rows are found (symbolic factorisation)
and every number that no property changes is prepared, as flat arrays for the compiled module.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lesionkit.optics.forward.dissection import adjacency, nested_dissection
from lesionkit.optics.mesh import elements as fem
from lesionkit.optics.mesh import topology
from lesionkit.optics.mesh.mesh import Mesh

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cost:
    """Work per system: the floor that a run is measured against.

    Attributes
    ----------
    factor : int
        Multiply-adds of the elimination, optode rows and readings included.
    assembly : int
        Multiply-adds of the element matrices.
    additions : int
        Entries that fronts add to the panels of their ancestors.
    entries : int
        Entries of all panels: the factor and the optode rows.
    working_set : int
        Bytes of the panels that are open at once.
    """

    factor: int
    assembly: int
    additions: int
    entries: int
    working_set: int


@dataclass(frozen=True)
class _Front:
    start: int  # its pivots are the positions start .. start + pivots
    pivots: int
    update: Ints  # positions, ascending
    sources: Ints
    detectors: Ints
    parent: int  # -1: none

    @property
    def columns(self) -> int:
        return self.pivots + len(self.update)

    @property
    def rows(self) -> int:
        return self.columns + len(self.sources) + len(self.detectors)

    def node_rows(self, position: Ints) -> Ints:
        """Rows of the panel that hold nodes, by their positions."""
        later = self.pivots + np.searchsorted(self.update, position)
        return np.where(position < self.start + self.pivots, position - self.start, later)

    def source_rows(self, source: Ints) -> Ints:
        return self.columns + np.searchsorted(self.sources, source)

    def detector_rows(self, detector: Ints) -> Ints:
        first = self.columns + len(self.sources)
        return first + np.searchsorted(self.detectors, detector)

    def row_start(self, row: Ints) -> Ints:
        """Where a row of the panel is stored: `row_start` of csrc/optics/factor.hpp."""
        k = self.pivots
        return np.where(row <= k, row * (row + 1) // 2, k * (k + 1) // 2 + (row - k) * (k | 1))


_orders: weakref.WeakKeyDictionary[Mesh, list[npt.NDArray[np.intp]]] = weakref.WeakKeyDictionary()


def _order(mesh: Mesh, graph: sparse.csr_array) -> list[npt.NDArray[np.intp]]:
    """The mesh's elimination blocks; worked out once, since plans of many wavelengths share it."""
    if mesh not in _orders:
        _orders[mesh] = nested_dissection(mesh.nodes, graph)
    return _orders[mesh]


_integrals: weakref.WeakKeyDictionary[Mesh, dict[str, fem.ElementWeights]] = (
    weakref.WeakKeyDictionary()
)


def _integrals_of(mesh: Mesh, at: str) -> fem.ElementWeights:
    """The mesh's element integrals; they too are shared by the plans of many wavelengths."""
    found = _integrals.setdefault(mesh, {})
    if at not in found:
        places = mesh.nodes[mesh.elements]
        found[at] = fem.element_weights(mesh.order, places, mesh.areas, mesh.bent, at)
    return found[at]


def _symbolic(
    blocks: list[npt.NDArray[np.intp]],
    graph: sparse.csr_array,
    sources: sparse.csr_array,
    detectors: sparse.csr_array,
) -> tuple[list[_Front], Ints]:
    """The fronts, children first, and each node's position in the elimination."""
    order = np.concatenate(blocks)
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    start = np.cumsum([0, *map(len, blocks)])
    front_of = np.repeat(np.arange(len(blocks)), np.diff(start))
    # row i of each: what the node at position i meets
    neighbours, *optodes = (
        table[order] for table in (graph, sources.T.tocsr(), detectors.T.tocsr())
    )
    children: list[list[_Front]] = [[] for _ in blocks]
    fronts: list[_Front] = []
    for f, block in enumerate(blocks):
        here = slice(start[f], start[f + 1])
        near = position[_of_rows(neighbours, here)]
        rows = np.unique(np.concatenate([near, *(c.update for c in children[f])]))
        update = rows[rows >= start[f + 1]]
        own_sources, own_detectors = (_of_rows(table, here) for table in optodes)
        front = _Front(
            start=int(start[f]),
            pivots=len(block),
            update=update,
            sources=_union(own_sources, *(c.sources for c in children[f])),
            detectors=_union(own_detectors, *(c.detectors for c in children[f])),
            parent=int(front_of[update[0]]) if len(update) else -1,
        )
        fronts.append(front)
        if front.parent >= 0:
            children[front.parent].append(front)
    return fronts, position


def _of_rows(table: sparse.csr_array, rows: slice) -> npt.NDArray[np.int32]:
    """Columns of the entries in some neighbouring rows."""
    found: npt.NDArray[np.int32] = table.indices[table.indptr[rows.start] : table.indptr[rows.stop]]
    return found


def _union(*parts: npt.NDArray[Any]) -> Ints:
    return np.unique(np.concatenate(parts)).astype(np.int64)


def _ragged(parts: list[Ints]) -> tuple[Ints, npt.NDArray[np.int32]]:
    start = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    return start, np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int32)


def _by_front(front: Ints, count: int) -> tuple[Ints, Ints]:
    """An order that sorts things by their front, and where those of each front begin in it."""
    order = np.argsort(front, kind="stable")
    return order, np.searchsorted(front[order], np.arange(count + 1))


def _entries(fronts: list[_Front], front_of: Ints, a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """The front and the place in its panel of matrix entries, by the positions of their nodes."""
    column, row = np.minimum(a, b), np.maximum(a, b)
    front = front_of[column]
    offset = np.empty_like(column)
    order, start = _by_front(front, len(fronts))
    for f, here in enumerate(fronts):
        mine = order[start[f] : start[f + 1]]
        offset[mine] = here.row_start(here.node_rows(row[mine])) + column[mine] - here.start
    return front, offset


def _targets(fronts: list[_Front], front_of: Ints) -> dict[str, Any]:
    """Where each front's update goes, as csrc/optics/forward.hpp wants it."""
    target, target_row, column_target, column = [], [], [], []
    found = 0
    for front in fronts:
        owner = front_of[front.update]
        ancestors = np.unique(owner)
        target.append(ancestors)
        column_target.append(found + np.searchsorted(ancestors, owner))
        column.append(front.update - np.array([fronts[a].start for a in owner], np.int64))
        for a in ancestors:
            rows = [
                fronts[a].node_rows(front.update),  # of later columns alone; the rest is not used
                fronts[a].source_rows(front.sources),
                fronts[a].detector_rows(front.detectors),
            ]
            target_row.append(fronts[a].row_start(np.maximum(np.concatenate(rows), 0)))
        found += len(ancestors)
    return {
        "target": _ragged(target),
        "target_row": _ragged(target_row),
        "column_target": _ragged(column_target),
        "column": _ragged(column),
    }


def _fixed(
    mesh: Mesh,
    fronts: list[_Front],
    front_of: Ints,
    position: Ints,
    optodes: tuple[sparse.csr_array, sparse.csr_array],
    ksi: float | Floats,
) -> dict[str, Any]:
    """The entries that no property changes: Robin boundary terms and optode weights."""
    a, b, value = _robin_entries(mesh, ksi)
    front, offset = _entries(fronts, front_of, position[a], position[b])
    parts = [(front, offset, value)]
    for weights, rows in zip(optodes, (_Front.source_rows, _Front.detector_rows), strict=True):
        at = position[weights.indices]
        front = front_of[at]
        optode = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
        offset = np.array(
            [
                fronts[f].row_start(rows(fronts[f], o)) + p - fronts[f].start
                for f, o, p in zip(front, optode, at, strict=True)
            ]
        )
        parts.append((front, offset, weights.data))
    front, offset, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    order, start = _by_front(front, len(fronts))
    return {
        "fixed_start": start.astype(np.int64),
        "fixed_front": front[order].astype(np.int32),
        "fixed_offset": offset[order].astype(np.int32),
        "fixed_value": value[order],
    }


def _robin_entries(mesh: Mesh, ksi: float | Floats) -> tuple[Ints, Ints, Floats]:
    """Node pairs (a, b) and values of the boundary term, each pair once."""
    edge = mesh.boundary.astype(np.int64)
    a, b = np.tril_indices(edge.shape[1])
    value = np.reshape(ksi, (-1, 1)) * fem.edge_mass(mesh.nodes[edge])[:, a, b]
    return edge[:, a].ravel(), edge[:, b].ravel(), value.ravel()


def build_plan(
    mesh: Mesh,
    sources: sparse.csr_array,
    detectors: sparse.csr_array,
    *,
    ksi: float | Floats,
    wavenumber: float | Floats,
    at: str,
) -> tuple[dict[str, Any], Cost]:
    """All that `_core.optics.ForwardPlan` needs, and what a system will cost.

    sources, detectors : (count, nodes) optode weights
    ksi                : Robin coefficient, no unit; or one for each edge of the boundary
    wavenumber         : omega / c in mm^-1, 0 for continuous wave; or one for each element
    at                 : where properties are given: "nodes", "elements" or "quarters"
    """
    graph = adjacency(len(mesh.nodes), mesh.elements)
    fronts, position = _symbolic(_order(mesh, graph), graph, sources, detectors)
    front_of = np.repeat(np.arange(len(fronts)), [f.pivots for f in fronts])
    node_at = np.argsort(position)

    # Elements go to the front that eliminates their first node: their entries lie in its panel and
    # in panels of its ancestors, which are open by then.
    where = position[mesh.elements]
    element_order, element_start = _by_front(front_of[where.min(axis=1)], len(fronts))
    ordered = mesh.elements[element_order]
    a, b = np.tril_indices(ordered.shape[1])
    where = where[element_order]
    entry_front, entry_offset = _entries(fronts, front_of, where[:, a].ravel(), where[:, b].ravel())
    weights = _integrals_of(mesh, at)
    kind, mass, waves = weights.kind, weights.mass, np.reshape(wavenumber, -1)
    if len(waves) > 1:  # elements of one kind and another index are of another kind
        pair, kinds = topology.groups_of(np.column_stack([kind, waves]))
        one = np.empty(kinds, np.intp)
        one[pair] = np.arange(len(pair))
        kind, mass, waves = pair.astype(np.int32), mass[kind[one]], waves[one]
    count, per_element = len(mesh.elements), weights.stiffness.shape[2]
    if at == "nodes":
        properties, index = len(mesh.nodes), ordered
    else:  # each element has its own
        properties = count * per_element
        index = np.arange(properties).reshape(count, per_element)[element_order]
    parts = {
        "element_nodes": ordered.shape[1],
        "property_nodes": per_element,
        "nodes": len(mesh.nodes),
        "properties": properties,
        "sources": sources.shape[0],
        "detectors": detectors.shape[0],
        "fronts": np.array(
            [(f.pivots, len(f.update), len(f.sources), len(f.detectors)) for f in fronts], np.int32
        ),
        "parent": np.array([f.parent for f in fronts], np.int32),
        "source": _ragged([f.sources for f in fronts]),
        "detector": _ragged([f.detectors for f in fronts]),
        "node": _ragged(
            [np.append(node_at[f.start : f.start + f.pivots], node_at[f.update]) for f in fronts]
        ),
        **_targets(fronts, front_of),
        **_fixed(mesh, fronts, front_of, position, (sources, detectors), ksi),
        "element_start": element_start.astype(np.int64),
        "property": np.ascontiguousarray(index, np.int32),
        "entry_front": entry_front.astype(np.int32),
        "entry_offset": entry_offset.astype(np.int32),
        "element_node": np.ascontiguousarray(ordered),
        "stiffness": weights.stiffness[element_order],
        "area": mesh.areas[element_order],
        "mass": mass,
        "mass_kind": kind[element_order],
        "imaginary_mass": -waves[:, None] * mass.sum(axis=2),
    }
    return parts, _cost(fronts, 2 * weights.stiffness.size)


def _cost(fronts: list[_Front], assembly: int) -> Cost:
    factor = additions = entries = peak = 0
    sizes = [int(f.row_start(np.array(f.rows))) for f in fronts]
    open_above = [0] * len(fronts)  # entries of a front and its ancestors
    for i in reversed(range(len(fronts))):
        front, size = fronts[i], sizes[i]
        open_above[i] = size + (open_above[front.parent] if front.parent >= 0 else 0)
        optodes = front.rows - front.columns
        below = np.arange(len(front.update), front.columns)  # columns right of each pivot
        factor += int(np.sum(below * (below + 1) // 2 + below * (optodes + 1)))
        factor += front.pivots * len(front.sources) * len(front.detectors)
        additions += len(front.update) * (len(front.update) + 1) // 2 + optodes * len(front.update)
        entries += size
        peak = max(peak, open_above[i])
    return Cost(factor, assembly, additions, entries, 8 * peak)
