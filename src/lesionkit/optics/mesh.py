"""Meshes of triangles: a checked, unchanging value that later steps need not doubt, and the disc.

A :class:`Mesh` is refused unless its elements tile one region without a hole. For triangles that
is proved, not sampled: all elements are turned counter-clockwise, no edge belongs to more than two
of them or lies twice on the same side, and the boundary is one closed loop that neither touches nor
crosses itself. A point is then covered as often as the loop winds about it: once inside, never
outside. So elements cannot overlap, and an element with no neighbour across an edge is at the rim.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Index = npt.NDArray[np.intp]

# The sides of an element, by the number of its corners: seen from inside, each runs so that the
# element lies to its left (edges), or is counter-clockwise from outside (faces).
_SIDES = {
    3: np.array([[0, 1], [1, 2], [2, 0]]),
    4: np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]),
}
# The same element of the other orientation, by the number of its nodes.
_TURNED = {3: [0, 2, 1], 6: [0, 2, 1, 5, 4, 3], 4: [0, 1, 3, 2]}

_FARTHEST = 1e9  # mm: keeps every product of coordinates far from overflow
_FLATTEST = 1e-8  # height over longest edge: its stiffness takes half the digits of float64
_CLOSEST = 1e-9  # distance over mesh width: far above rounding, far below any real element
_ON_EDGE = 1e-12  # of the largest coordinate: some thousand roundings of a point on an edge
_SLANT = np.array([1.0, 0.6180339887498949, 0.4142135623730951])  # along no row of a regular mesh
_LARGEST = 10_000_000  # nodes of a generated disc: about 2 GB while it is made


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Mesh:
    """A region cut into triangles (or tetrahedra), checked once and never changed.

    nodes    : (n, 2) float64, mm; (n, 3) for tetrahedra
    elements : (m, 3) or (m, 6) integers, the nodes of each triangle, counted from 0. Six are the
               three corners, then the nodes in the middle of edges 01, 12 and 20 (VTK's order).
               (m, 4) for tetrahedra
    Raises TypeError or ValueError, naming the first mistake: NaN; a node number out of range, or
    twice in an element; an element without area; nodes or elements given twice; nodes in no
    element; overlaps; several parts, holes, or a boundary that touches itself; a mid-edge node
    away from the middle of its edge. Of tetrahedra, the shape of the boundary is not checked.

    Attributes, all read-only copies:

    nodes    : as given, float64
    elements : int32, clockwise elements turned counter-clockwise (tetrahedra to positive volume)
    areas    : (m,) float64, mm^2, of the straight-sided triangles; volumes, mm^3, of tetrahedra
    boundary : (b, 2) int32, the edges of the rim from node to node, one loop counter-clockwise from
               the smallest corner number: edge i ends where edge i + 1 begins. (b, 3) for 6-node
               triangles, the mid-edge node last. For tetrahedra (b, 3), the faces, in no order,
               counter-clockwise from outside

    Two meshes are equal only if they are the same object. A pickle holds nodes and elements alone,
    which are checked again when it is read.
    """

    nodes: Floats
    elements: Ints
    areas: Floats = field(init=False)
    boundary: Ints = field(init=False)

    def __init__(self, nodes: npt.ArrayLike, elements: npt.ArrayLike) -> None:
        places = np.array(arrays.real(nodes, "nodes", ("n", None), "mm"))
        numbers = _integers(elements)
        if (places.shape[1], numbers.shape[1]) not in {(2, 3), (2, 6), (3, 4)}:
            raise ValueError(
                "nodes and elements must have shapes (n, 2) and (m, 3) or (m, 6), or (n, 3) and "
                f"(m, 4), got {places.shape} and {numbers.shape}"
            )
        _check_nodes(places, numbers)
        size = _sizes(places, numbers)
        numbers = np.where(size[:, None] < 0, numbers[:, _TURNED[numbers.shape[1]]], numbers)
        _check_distinct(places, numbers)
        boundary = _boundary(places, numbers)
        parts = {
            "nodes": places,
            "elements": numbers.astype(np.int32),
            "areas": np.abs(size),
            "boundary": boundary.astype(np.int32),
        }
        for array in parts.values():
            array.flags.writeable = False
        self.__dict__.update(parts)  # the dataclass is frozen

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.nodes, self.elements)

    def __repr__(self) -> str:
        kind = "triangles" if self.nodes.shape[1] == 2 else "tetrahedra"
        return f"Mesh({len(self.nodes)} nodes, {len(self.elements)} {kind} of order {self.order})"

    @property
    def order(self) -> int:
        """1, or 2 for triangles of six nodes."""
        return 2 if self.elements.shape[1] == 6 else 1

    @property
    def corners(self) -> Ints:
        """(m, 3) int32, the corner nodes of each triangle; (m, 4) of each tetrahedron."""
        return _corners(self.elements)

    def locate(self, points: npt.ArrayLike) -> tuple[Ints, Floats]:
        """The element that holds each point, and the point's place in it; edges taken as straight.

        points  : (k, 2) float, mm; (k, 3) for tetrahedra
        returns : element (k,) int32, -1 for a point outside, and barycentric (k, 3) float64, the
                  weights of the element's corners, NaN for a point outside; (k, 4) for tetrahedra
        Where elements meet, the one in which the point lies deepest, then the first. Up to 1e-12
        of the mesh's largest coordinate outside an edge counts as on it, so that points computed
        on the rim are inside; their smallest weight may lie below 0 by as little.
        Raises TypeError or ValueError for points of another kind or shape, NaN and infinity.
        """
        dim = self.nodes.shape[1]
        places = arrays.real(points, "points", ("k", dim), "mm")
        vertices = self.nodes[self.corners]  # (m, corners, dim)
        slack = _ON_EDGE * np.abs(self.nodes).max()
        lowest, highest = vertices.min(axis=1) - slack, vertices.max(axis=1) + slack

        element = np.full(len(places), -1, dtype=np.int32)
        weights = np.full((len(places), dim + 1), np.nan)
        at_once = max(1, 2_000_000 // len(lowest))  # bounds memory to some 10 MB
        for begin in range(0, len(places), at_once):
            block = places[begin : begin + at_once, None]
            point, inside = np.nonzero(((lowest <= block) & (block <= highest)).all(axis=2))
            point += begin
            origin, *others = np.moveaxis(vertices[inside], 1, 0)
            inverse = np.linalg.inv(np.stack([other - origin for other in others], axis=2))
            tail = np.einsum("cij,cj->ci", inverse, places[point] - origin)
            weight = np.column_stack([1 - tail.sum(axis=1), tail])
            slopes = np.concatenate([-inverse.sum(axis=1, keepdims=True), inverse], axis=1)
            depth = (weight / np.linalg.norm(slopes, axis=2)).min(axis=1)  # mm to the nearest side
            best = np.lexsort((inside, -depth, point))
            best = best[np.unique(point[best], return_index=True)[1]]
            best = best[depth[best] >= -slack]
            element[point[best]] = inside[best]
            weights[point[best]] = weight[best]
        return element, weights

    def to_quadratic(self) -> Mesh:
        """The same region in 6-node triangles: nodes are added in the middle of every edge.

        The corners keep their numbers and the new nodes follow them; the elements keep their order.
        A mesh of 6-node triangles is returned as it is. Raises ValueError for tetrahedra.
        """
        if self.order == 2:
            return self
        if self.nodes.shape[1] != 2:
            raise ValueError(f"only a mesh of triangles can be made quadratic, got {self!r}")
        sides = _sides(self.elements)
        edge, edges = _groups(np.sort(sides, axis=1))
        middle = np.empty((edges, 2))
        middle[edge] = self.nodes[sides].mean(axis=1)
        numbers = len(self.nodes) + edge.reshape(-1, 3)
        return Mesh(np.concatenate([self.nodes, middle]), np.hstack([self.elements, numbers]))


def disc_mesh(radius: float = 41.0, nodes: int = 1801, optodes: int = 16) -> Mesh:
    """A disc about the origin, of 3-node triangles in rings: 6 k nodes on ring k about the centre.

    radius  : above 0, mm; the rim's nodes lie on this circle, the first of them at angle 0
    nodes   : at least 7, how many are wanted; the nearest possible number is taken, so the actual
              count is ``len(mesh.nodes)``
    optodes : at least 1; this many equally spaced places on the rim, the first at angle 0, are nodes
    returns : a mesh of n rings, 1 + 3 n (n + 1) nodes and 6 n^2 triangles, where 6 n is a multiple
              of `optodes`; for 16 optodes 24 rings have 1801 nodes, 48 have 7057
    Raises TypeError or ValueError for anything else, or for a disc of over 10,000,000 nodes.
    """
    radius = arrays.number(radius, "radius", above=0, at_most=_FARTHEST, unit="mm")
    nodes = arrays.integer(nodes, "nodes", at_least=7, at_most=_LARGEST)
    optodes = arrays.integer(optodes, "optodes", at_least=1)

    step = optodes // math.gcd(optodes, 6)
    nearest = math.isqrt(nodes // 3) // step
    choices = [step * max(1, nearest + shift) for shift in (-1, 0, 1)]
    rings = min(choices, key=lambda n: abs(1 + 3 * n * (n + 1) - nodes))
    count = 1 + 3 * rings * (rings + 1)
    if count > _LARGEST:
        raise ValueError(
            f"optodes must need at most {_LARGEST} nodes to be nodes of the rim themselves, got "
            f"{optodes}, which need {count}"
        )

    ring = np.repeat(np.arange(1, rings + 1), 6 * np.arange(1, rings + 1))
    first = 1 + 3 * ring * (ring - 1)  # of each ring's nodes, and of the ring inside it:
    first_inside = np.where(ring > 1, 1 + 3 * (ring - 1) * (ring - 2), 0)
    here = np.arange(1, count)
    turn = here - first  # position on the ring
    angle = 2 * np.pi * turn / (6 * ring)
    spokes = radius * ring / rings
    places = np.column_stack([spokes * np.cos(angle), spokes * np.sin(angle)])

    # Every edge of a ring has its third corner on the ring inside; every edge of that ring, in
    # turn, on this one. Each of the six sectors has one edge fewer inside than outside.
    sector, along = np.divmod(turn, ring)
    following = first + (turn + 1) % (6 * ring)
    within = np.maximum(6 * (ring - 1), 1)
    below = first_inside + (sector * (ring - 1) + along) % within
    below_following = first_inside + (sector * (ring - 1) + along + 1) % within
    outward = np.column_stack([here, following, below])
    inward = np.column_stack([below, following, below_following])[along < ring - 1]
    return Mesh(np.vstack([np.zeros(2), places]), np.vstack([outward, inward]))


def _refuse(wrong: npt.NDArray[np.bool_], rule: str, example: Callable[[int], str]) -> None:
    """Raise ValueError if any is `wrong`: the rule, the first that breaks it, and how many do."""
    found = np.flatnonzero(wrong)
    if len(found):
        others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ValueError(f"{rule}, got {example(int(found[0]))}{others}")


def _integers(elements: npt.ArrayLike) -> npt.NDArray[np.integer[Any]]:
    arrays.real(elements, "elements", ("m", None))
    numbers = np.asarray(elements)
    if numbers.dtype.kind not in "iu":
        raise TypeError(f"elements must hold integers, got {arrays.describe(numbers)}")
    if not len(numbers):
        raise ValueError(f"elements must hold at least one, got {arrays.describe(numbers)}")
    return numbers


def _check_nodes(nodes: Floats, elements: npt.NDArray[np.integer[Any]]) -> None:
    """Each node number exists, none is twice in an element, and each node is in some element."""

    def element(i: int) -> str:
        return f"element {i} = {elements[i].tolist()}"

    _refuse(
        (np.abs(nodes) > _FARTHEST).any(axis=1),
        f"nodes must lie within {_FARTHEST:g} mm of the origin",
        lambda i: f"node {i} = {nodes[i].tolist()}",
    )
    _refuse(
        ((elements < 0) | (elements >= len(nodes))).any(axis=1),
        f"elements must hold node numbers from 0 to {len(nodes) - 1}",
        element,
    )
    _refuse(
        (np.diff(np.sort(elements, axis=1), axis=1) == 0).any(axis=1),
        "elements must not hold a node twice",
        element,
    )
    _refuse(
        np.bincount(elements.ravel().astype(np.intp), minlength=len(nodes)) == 0,
        "nodes must each belong to an element",
        lambda i: f"node {i} in none",
    )


def _sizes(nodes: Floats, elements: npt.NDArray[np.integer[Any]]) -> Floats:
    """Area or volume of each element, below 0 where clockwise; refuses those without any."""
    corners = _corners(elements)
    origin, *others = np.moveaxis(nodes[corners], 1, 0)
    spans = [other - origin for other in others]
    if len(spans) == 2:
        twofold = _cross(*spans)
    else:
        twofold = np.einsum("ij,ij->i", np.cross(spans[0], spans[1]), spans[2])
    edges = [nodes[corners[:, i]] - nodes[corners[:, j]] for i, j in combinations(range(3), 2)]
    longest = np.sqrt(np.max([np.einsum("ij,ij->i", edge, edge) for edge in edges], axis=0))
    _refuse(
        ~(np.abs(twofold) > _FLATTEST * longest ** len(spans)),
        "elements must not be flat, corners all but on one line or plane",
        lambda i: f"element {i} = {elements[i].tolist()}",
    )
    return twofold / math.factorial(len(spans))


def _check_distinct(nodes: Floats, elements: npt.NDArray[np.integer[Any]]) -> None:
    """No two nodes at one place, no two elements of the same corners."""
    place = nodes @ _SLANT[: nodes.shape[1]]
    closest = _CLOSEST * np.ptp(nodes, axis=0).max()
    for i, j in _overlapping(place, place + 2 * closest):
        _refuse(
            np.linalg.norm(nodes[i] - nodes[j], axis=1) <= closest,
            f"nodes must lie more than {closest:.2g} mm apart",
            lambda k, i=i, j=j: f"nodes {min(i[k], j[k])} and {max(i[k], j[k])} at one place",  # type: ignore[misc]
        )
    alike, _ = _groups(np.sort(_corners(elements), axis=1))
    first = np.full(len(elements), len(elements))
    np.minimum.at(first, alike, np.arange(len(elements)))
    _refuse(
        first[alike] < np.arange(len(elements)),
        "elements must differ",
        lambda i: f"elements {first[alike[i]]} and {i} of the same corners",
    )


def _boundary(nodes: Floats, elements: npt.NDArray[np.integer[Any]]) -> npt.NDArray[Any]:
    """The sides of one element only, after checks of how elements join; see ``Mesh.boundary``."""
    sides = _sides(elements)
    per_element = _corners(elements).shape[1]
    kind = "edge" if per_element == 3 else "face"
    group, groups = _groups(np.sort(sides, axis=1))
    sharing = np.bincount(group, minlength=groups)[group]
    _refuse(
        sharing > 2,
        f"elements must share each {kind} with at most one other",
        lambda s: f"{kind} {sides[s].tolist()} in {sharing[s]} elements",
    )
    outer = sharing == 1
    if kind == "face":
        return sides[outer]

    directed, directions = _groups(sides)
    _refuse(
        np.bincount(directed, minlength=directions)[directed] > 1,
        "elements must not overlap",
        lambda s: f"two on the same side of edge {sides[s].tolist()}, one of them element {s // 3}",
    )
    rim = sides[outer]
    _refuse(
        np.bincount(rim[:, 0], minlength=len(nodes)) > 1,
        "the boundary of the elements must not touch itself",
        lambda i: f"node {i} on it twice",
    )
    loop = _loop(rim)
    if len(loop) < len(rim):
        raise ValueError(_why_loops(nodes, sides, rim))
    rim = rim[loop]
    _check_crossings(nodes, rim)
    if elements.shape[1] == 3:
        return rim
    middles = elements[:, 3:].ravel()
    _check_middles(nodes, elements, sides, group)
    return np.column_stack([rim, middles[outer][loop]])


def _loop(rim: npt.NDArray[Any]) -> Index:
    """The rows of `rim` in the order in which they join, from the smallest node until it closes."""
    row = np.empty(rim.max() + 1, dtype=np.intp)
    row[rim[:, 0]] = np.arange(len(rim))
    following = row[rim[:, 1]].tolist()
    start = int(np.argmin(rim[:, 0]))
    loop, at = [start], following[start]
    while at != start:
        loop.append(at)
        at = following[at]
    return np.array(loop)


def _why_loops(nodes: Floats, sides: npt.NDArray[Any], rim: npt.NDArray[Any]) -> str:
    """In words, why the boundary is more than one loop: several parts, or holes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    def labels(edges: npt.NDArray[Any]) -> Index:
        graph = coo_array((np.ones(len(edges)), edges.T), shape=(len(nodes), len(nodes)))
        return np.asarray(connected_components(graph, directed=False)[1])

    part = labels(sides)[sides[:, 0]]
    parts = len(np.unique(part))
    if parts > 1:
        apart = sides[np.argmax(part != part[0]), 0]
        return (
            "elements must form one connected region, got "
            f"{parts} parts: nothing joins node {apart} to node {sides[0, 0]}"
        )
    loop = labels(rim)[rim[:, 0]]
    outside = loop[np.argmin(nodes[rim[:, 0], 0])]
    return (
        f"elements must leave no hole, got {len(np.unique(loop)) - 1}, node "
        f"{rim[np.argmax(loop != outside), 0]} at the edge of one (a node in the middle of a "
        "neighbour's edge, joined to one side only, counts as a hole)"
    )


def _check_crossings(nodes: Floats, rim: npt.NDArray[Any]) -> None:
    """The loop `rim` is a simple polygon: edges that share no node do not meet."""
    ends = nodes[rim]
    lowest, highest = ends.min(axis=1), ends.max(axis=1)
    place = ends @ _SLANT[:2]

    def straddles(i: Index, j: Index) -> npt.NDArray[np.bool_]:
        """The ends of edge j do not both lie to one side of the line through edge i."""
        start, along = ends[i, 0], ends[i, 1] - ends[i, 0]
        left, right = (np.sign(_cross(along, ends[j, end] - start)) for end in (0, 1))
        return np.asarray(left * right <= 0)

    for i, j in _overlapping(place.min(axis=1), place.max(axis=1)):
        apart = (rim[i][:, :, None] != rim[j][:, None, :]).all(axis=(1, 2))
        near = ((lowest[i] <= highest[j]) & (lowest[j] <= highest[i])).all(axis=1)
        _refuse(
            apart & near & straddles(i, j) & straddles(j, i),
            "the boundary of the elements must not cross itself",
            lambda k, i=i, j=j: f"edges {rim[i[k]].tolist()} and {rim[j[k]].tolist()}",  # type: ignore[misc]
        )


def _check_middles(
    nodes: Floats, elements: npt.NDArray[Any], sides: npt.NDArray[Any], edge: Index
) -> None:
    """Each edge has one node of its own in its middle, the same in both elements."""
    middle = elements[:, 3:].ravel()
    start, end = nodes[sides[:, 0]], nodes[sides[:, 1]]
    away = np.linalg.norm(nodes[middle] - (start + end) / 2, axis=1)
    length = np.linalg.norm(end - start, axis=1)
    _refuse(
        ~(away < length / 4),
        "elements of 6 nodes must hold the corners, then the nodes in the middle of edges 01, 12 "
        "and 20, less than a quarter of its length from each edge's middle",
        lambda s: (
            f"node {middle[s]} of element {s // 3} at {away[s]:.3g} mm from the middle of edge "
            f"{sides[s].tolist()} of {length[s]:.3g} mm"
        ),
    )
    chosen = np.empty(edge.max() + 1, dtype=np.intp)
    chosen[edge] = middle
    _refuse(
        chosen[edge] != middle,
        "elements that share an edge must share the node in its middle",
        lambda s: f"nodes {middle[s]} and {chosen[edge[s]]} on edge {sides[s].tolist()}",
    )
    roles = np.bincount(chosen, minlength=len(nodes))
    roles[sides[:, 0]] += 1
    _refuse(
        roles > 1,
        "nodes must be a corner or the middle of one edge",
        lambda i: f"node {i} used as both or of several edges",
    )


def _corners(elements: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return elements[:, :3] if elements.shape[1] == 6 else elements


def _sides(elements: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(m * sides, nodes of a side): the sides of all elements, those of the first element first."""
    corners = _corners(elements)
    table = _SIDES[corners.shape[1]]
    return corners[:, table].reshape(-1, table.shape[1])


def _cross(a: Floats, b: Floats) -> Floats:
    """The cross product of plane vectors (..., 2)."""
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _groups(rows: npt.NDArray[Any]) -> tuple[Index, int]:
    """Number the distinct rows in sorted order: (number of each row's like, how many there are)."""
    order = np.lexsort(rows.T[::-1])
    new = (np.diff(rows[order], axis=0) != 0).any(axis=1)
    group = np.empty(len(rows), dtype=np.intp)
    group[order] = np.concatenate([[0], np.cumsum(new)])
    return group, int(group[order[-1]]) + 1


def _overlapping(low: Floats, high: Floats) -> Iterator[tuple[Index, Index]]:
    """Indices (i, j) of all pairs of intervals [low, high] that overlap, bunch by bunch.

    Sorted by `low`, an interval overlaps a run of those that follow it: bunch k pairs each with
    its k-th follower, as long as any reaches so far. Memory stays in proportion to the intervals.
    """
    order = np.argsort(low, kind="stable")
    low, high = low[order], high[order]
    at = np.arange(len(order))
    for step in range(1, len(order)):
        at = at[: np.searchsorted(at, len(order) - step)]
        at = at[low[at + step] <= high[at]]
        if not len(at):
            return
        yield order[at], order[at + step]
