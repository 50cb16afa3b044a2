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

from lesionkit.optics import elements as fem
from lesionkit.optics.dissection import adjacency, nested_dissection
from lesionkit.optics.mesh import Mesh

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cost:
    """Work per system: the floor that a run is measured against.

    factor    : multiply-adds of the elimination, optode rows and readings included
    assembly  : multiply-adds of the element matrices
    additions : entries of Schur complements added to their parents
    entries   : entries of all fronts, of which `working_set` bytes are alive at once
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
    children: list[int]

    @property
    def columns(self) -> int:
        return self.pivots + len(self.update)

    def rows(self, position: Ints) -> Ints:
        """Rows of this front that hold the given positions."""
        later = self.pivots + np.searchsorted(self.update, position)
        return np.where(position < self.start + self.pivots, position - self.start, later)

    def offset(self, row: Ints, column: Ints) -> Ints:
        """Where the entry (row, column) of the lower triangle is stored."""
        low, high = np.minimum(row, column), np.maximum(row, column)
        c = self.columns
        inside = high * (high + 1) // 2
        return np.where(high <= c, inside, c * (c + 1) // 2 + (high - c) * c) + low


_orders: weakref.WeakKeyDictionary[Mesh, list[npt.NDArray[np.intp]]] = weakref.WeakKeyDictionary()


def _order(mesh: Mesh, graph: sparse.csr_array) -> list[npt.NDArray[np.intp]]:
    """The mesh's elimination blocks; worked out once, since plans of many wavelengths share it."""
    if mesh not in _orders:
        _orders[mesh] = nested_dissection(mesh.nodes, graph)
    return _orders[mesh]


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
    by_node = [sources.tocsc(), detectors.tocsc()]
    children: list[list[int]] = [[] for _ in blocks]
    fronts: list[_Front] = []
    for f, block in enumerate(blocks):
        inherited = [fronts[c] for c in children[f]]
        near = position[graph[block].indices]
        rows = np.unique(np.concatenate([near, *(c.update for c in inherited)]))
        update = rows[rows >= start[f + 1]]
        own_sources, own_detectors = (w[:, block].indices for w in by_node)
        fronts.append(
            _Front(
                start=int(start[f]),
                pivots=len(block),
                update=update,
                sources=_union(own_sources, *(c.sources for c in inherited)),
                detectors=_union(own_detectors, *(c.detectors for c in inherited)),
                children=children[f],
            )
        )
        if len(update):
            children[front_of[update[0]]].append(f)
    return fronts, position


def _union(*parts: npt.NDArray[Any]) -> Ints:
    return np.unique(np.concatenate(parts)).astype(np.int64)


def _ragged(parts: list[Ints]) -> tuple[Ints, npt.NDArray[np.int32]]:
    start = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    return start, np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int32)


def _parent_rows(front: _Front, parent: _Front) -> Ints:
    c = parent.columns
    source = c + np.searchsorted(parent.sources, front.sources)
    detector = c + len(parent.sources) + np.searchsorted(parent.detectors, front.detectors)
    return np.concatenate([parent.rows(front.update), source, detector])


def _robin_entries(mesh: Mesh, ksi: float) -> tuple[Ints, Ints, Floats]:
    """Node pairs (a, b) and values of the boundary term, each pair once."""
    edge = mesh.boundary.astype(np.int64)
    ends = mesh.nodes[edge[:, :2]]
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    a, b = np.tril_indices(edge.shape[1])
    value = ksi * length[:, None] * fem.edge_mass(mesh.order)[a, b]
    return edge[:, a].ravel(), edge[:, b].ravel(), value.ravel()


def build_plan(
    mesh: Mesh,
    sources: sparse.csr_array,
    detectors: sparse.csr_array,
    *,
    ksi: float,
    wavenumber: float,
    per_node: bool,
) -> tuple[dict[str, Any], Cost]:
    """All that `_core.optics.ForwardPlan` needs, and what a system will cost.

    sources, detectors : (count, nodes) optode weights
    ksi                : Robin coefficient, no unit
    wavenumber         : omega / c in mm^-1, 0 for continuous wave
    per_node           : properties are given at nodes, else on elements
    """
    graph = adjacency(len(mesh.nodes), mesh.elements)
    fronts, position = _symbolic(_order(mesh, graph), graph, sources, detectors)
    front_of = np.repeat(np.arange(len(fronts)), [f.pivots for f in fronts])
    node_at = np.argsort(position)

    # Elements go to the front that eliminates their first node: all their nodes are rows of it.
    element_front = front_of[position[mesh.elements].min(axis=1)]
    element_order = np.argsort(element_front, kind="stable")
    element_start = np.searchsorted(element_front[element_order], np.arange(len(fronts) + 1))
    a, b = np.tril_indices(mesh.elements.shape[1])
    robin_a, robin_b, robin_value = _robin_entries(mesh, ksi)
    robin_front = front_of[np.minimum(position[robin_a], position[robin_b])]
    optode_front = [front_of[position[w.indices]] for w in (sources, detectors)]
    optode_id = [np.repeat(np.arange(w.shape[0]), np.diff(w.indptr)) for w in (sources, detectors)]

    element_offset, fixed_offset, fixed_value, parent_row = [], [], [], []
    parent_of = {c: f for f, front in enumerate(fronts) for c in front.children}
    for f, front in enumerate(fronts):
        chosen = element_order[element_start[f] : element_start[f + 1]]
        rows = front.rows(position[mesh.elements[chosen]])
        element_offset.append(front.offset(rows[:, a], rows[:, b]))
        here = robin_front == f
        offsets = [front.offset(*(front.rows(position[n[here]]) for n in (robin_a, robin_b)))]
        values = [robin_value[here]]
        first = front.columns
        for weights, at, ids, present in zip(
            (sources, detectors),
            optode_front,
            optode_id,
            (front.sources, front.detectors),
            strict=True,
        ):
            mine = at == f
            row = first + np.searchsorted(present, ids[mine])
            offsets.append(front.offset(row, front.rows(position[weights.indices[mine]])))
            values.append(weights.data[mine])
            first += len(present)
        fixed_offset.append(np.concatenate(offsets))
        fixed_value.append(np.concatenate(values))
        parent = parent_of.get(f)
        parent_row.append(
            np.empty(0, np.int64) if parent is None else _parent_rows(front, fronts[parent])
        )

    ordered = mesh.elements[element_order]
    mass = fem.mass_weights(mesh.order, per_node=per_node)
    parts = {
        "element_nodes": mesh.elements.shape[1],
        "property_nodes": mesh.elements.shape[1] if per_node else 1,
        "nodes": len(mesh.nodes),
        "properties": len(mesh.nodes) if per_node else len(mesh.elements),
        "sources": sources.shape[0],
        "detectors": detectors.shape[0],
        "shapes": np.array(
            [(f.pivots, len(f.update), len(f.sources), len(f.detectors)) for f in fronts], np.int32
        ),
        "children": _ragged([np.array(f.children, np.int64) for f in fronts]),
        "parent_row": _ragged(parent_row),
        "source": _ragged([f.sources for f in fronts]),
        "detector": _ragged([f.detectors for f in fronts]),
        "node": _ragged(
            [np.append(node_at[f.start : f.start + f.pivots], node_at[f.update]) for f in fronts]
        ),
        "fixed_offset": _ragged(fixed_offset),
        "fixed_value": np.concatenate(fixed_value),
        "element_start": element_start.astype(np.int64),
        "property": np.ascontiguousarray(ordered if per_node else element_order[:, None], np.int32),
        "offset": np.concatenate(element_offset).astype(np.int32),
        "stiffness": fem.stiffness_weights(
            mesh.order,
            mesh.nodes[ordered[:, :3]],
            mesh.areas[element_order],
            per_node=per_node,
        ),
        "area": mesh.areas[element_order],
        "mass": mass,
        "imaginary_mass": -wavenumber * fem.mass_weights(mesh.order, per_node=False)[:, 0],
    }
    return parts, _cost(fronts, len(ordered) * mass.size * 2)


def _cost(fronts: list[_Front], assembly: int) -> Cost:
    factor = additions = entries = 0
    top = peak = 0
    for front in fronts:
        optodes = len(front.sources) + len(front.detectors)
        below = np.arange(len(front.update), front.columns)  # rows under each pivot
        factor += int(np.sum(below * (below + 1) // 2 + below * (optodes + 1)))
        factor += front.pivots * len(front.sources) * len(front.detectors)
        size = int(front.offset(np.array(front.columns + optodes), np.array(0)))
        schur = len(front.update) * (len(front.update) + 1) // 2 + optodes * len(front.update)
        entries += size
        additions += schur
        peak = max(peak, top + size)
        for child in front.children:
            rows = fronts[child]
            u, r = len(rows.update), len(rows.sources) + len(rows.detectors)
            top -= u * (u + 1) // 2 + r * u
        top += schur
    return Cost(factor, assembly, additions, entries, 8 * peak)
