"""What a mesh must be: every check that :class:`lesionkit.optics.Mesh` makes, in order.

For triangles the checks prove that the elements tile one region without a hole. All are turned
counter-clockwise, no edge belongs to more than two of them or twice to the same side, and the
boundary is one closed loop that neither touches nor crosses itself. The number of elements over a
point is then the number of times the loop winds about it: one inside, none outside. So elements
cannot overlap, and an edge of one element only is an edge of the region. Those of tetrahedra
(solid_checks.py) are the same, but that faces of the boundary which cross are not looked for.

All is array algebra, in time and memory close to proportional to the elements.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics.mesh import solid_checks
from lesionkit.optics.mesh.elements import EDGES_OF, mapping
from lesionkit.optics.mesh.topology import (
    Bools,
    Floats,
    Index,
    Ints,
    check_none,
    components,
    corners_of,
    edges_of,
    groups_of,
    is_quadratic,
    middles_of,
    sides_of,
)

# The same element of the other orientation, by the number of its nodes.
_TURNED = {
    3: [0, 2, 1],
    6: [0, 2, 1, 5, 4, 3],
    4: [0, 1, 3, 2],
    10: [0, 1, 3, 2, 4, 8, 7, 6, 5, 9],
}
_SHAPES = {(2, 3), (2, 6), (3, 4), (3, 10)}  # axes of nodes, nodes of an element

FARTHEST = 1e9  # mm: keeps every product of coordinates far from overflow
NARROWEST = 1e-9  # mm: and every quotient
_FLATTEST = 1e-8  # height over longest edge: such stiffness takes half the digits of float64
_STRAIGHT = 1e-9  # of an edge's length: how far off its middle a node may lie by rounding
_CLOSEST = 1e-9  # distance over mesh width: far above rounding, far below any real element
_SLANT = np.array([1.0, 0.6180339887498949, 0.4142135623730951])  # along no row of a regular mesh


def checked(nodes: npt.ArrayLike, elements: npt.ArrayLike) -> dict[str, npt.NDArray[Any]]:
    """The attributes of ``Mesh(nodes, elements)``, read-only copies; raises the first mistake."""
    places = np.array(arrays.real(nodes, "nodes", ("n", None), "mm"))
    numbers = _node_numbers(elements, places)
    _check_nodes(places, numbers)
    if is_quadratic(numbers):
        _check_middles(places, numbers)
    sizes = _sizes(places, numbers)
    turned = numbers[:, _TURNED[numbers.shape[1]]]
    numbers = np.ascontiguousarray(np.where(sizes[:, None] < 0, turned, numbers))
    _check_elements(numbers)
    parts = {
        "nodes": places,
        "elements": numbers,
        "areas": np.abs(sizes),
        "boundary": _boundary(places, numbers),
        "bent": _bent(places, numbers),
    }
    for array in parts.values():
        array.flags.writeable = False
    return parts


def _node_numbers(elements: npt.ArrayLike, nodes: Floats) -> Ints:
    arrays.real(elements, "elements", ("m", None))
    numbers = np.asarray(elements)
    if numbers.dtype.kind not in "iu":
        raise TypeError(f"elements must hold integers, got {arrays.describe(numbers)}")
    if (nodes.shape[1], numbers.shape[1]) not in _SHAPES or not len(numbers):
        raise ValueError(
            "nodes and elements must have shapes (n, 2) and (m, 3) or (m, 6), or (n, 3) and "
            f"(m, 4) or (m, 10), with m above 0, got {nodes.shape} and {numbers.shape}"
        )
    check_none(
        ((numbers < 0) | (numbers >= len(nodes))).any(axis=1),
        f"elements must hold node numbers from 0 to {len(nodes) - 1}",
        lambda i: _element(numbers, i),
    )
    return numbers.astype(np.int32)


def _check_nodes(nodes: Floats, elements: Ints) -> None:
    """Nodes are within bounds, each at its own place, in some element, and in none twice."""
    check_none(
        (np.abs(nodes) > FARTHEST).any(axis=1),
        f"nodes must lie within {FARTHEST:g} mm of the origin",
        lambda i: f"node {i} = {nodes[i].tolist()}",
    )
    width = float(np.ptp(nodes, axis=0).max())
    if width < NARROWEST:
        raise ValueError(f"nodes must span at least {NARROWEST:g} mm, got {width:g} mm")
    check_none(
        (np.diff(np.sort(elements, axis=1), axis=1) == 0).any(axis=1),
        "elements must not hold a node twice",
        lambda i: _element(elements, i),
    )
    check_none(
        np.bincount(elements.ravel(), minlength=len(nodes)) == 0,
        "nodes must each belong to an element",
        lambda i: f"node {i} in none",
    )
    closest = _closest(nodes)
    place = nodes @ _SLANT[: nodes.shape[1]]
    for i, j in _overlapping(place, place + 2 * closest):
        found = np.linalg.norm(nodes[i] - nodes[j], axis=1) <= closest
        if found.any():
            first = sorted((i[found][0], j[found][0]))
            raise ValueError(
                f"nodes must lie more than {closest:.2g} mm apart (1e-9 of the mesh's width), got "
                f"nodes {first[0]} and {first[1]} at {nodes[first[0]].tolist()}"
            )


def _check_middles(nodes: Floats, elements: Ints) -> None:
    """The nodes after the corners lie near the middles of the edges, in their order."""
    edges, middle = edges_of(elements), middles_of(elements)
    start, end = nodes[edges[:, 0]], nodes[edges[:, 1]]
    away = np.linalg.norm(nodes[middle] - (start + end) / 2, axis=1)
    length = np.linalg.norm(end - start, axis=1)
    names = [f"{i}{j}" for i, j in EDGES_OF[corners_of(elements).shape[1]]]
    check_none(
        away >= length / 4,
        f"elements of {elements.shape[1]} nodes must hold the corners, then the nodes in the "
        f"middle of edges {', '.join(names[:-1])} and {names[-1]}, none off by a quarter of its "
        "edge",
        lambda s: (
            f"node {middle[s]} of element {s // len(names)} at {away[s]:.3g} mm from the middle of "
            f"edge {edges[s].tolist()}, {length[s]:.3g} mm long"
        ),
    )


def _sizes(nodes: Floats, elements: Ints) -> Floats:
    """Area or volume of each element, below 0 where clockwise; refuses those without any."""
    corners = np.moveaxis(nodes[corners_of(elements)], 1, 0)
    spans = corners[1:] - corners[0]
    if len(spans) == 2:
        size = _cross(spans[0], spans[1])
    else:
        size = np.einsum("ij,ij->i", np.cross(spans[0], spans[1]), spans[2])
    squares = [np.square(a - b).sum(axis=1) for a, b in combinations(corners, 2)]
    longest = np.sqrt(np.max(squares, axis=0))
    check_none(
        np.abs(size) <= _FLATTEST * longest ** len(spans),
        "elements must have an area (volume), with corners not all but in line (plane)",
        lambda i: _element(elements, i),
    )
    return np.asarray(size / math.factorial(len(spans)))


def _bent(nodes: Floats, elements: Ints) -> Bools:
    """Which elements have a mid-edge node off the middle; refuses those that fold over.

    The Jacobian of a quadratic element is a polynomial: of degree 2 in a triangle, 3 in a
    tetrahedron. It is above 0 everywhere if its coefficients in Bernstein's form are.
    """
    if not is_quadratic(elements):
        return np.zeros(len(elements), dtype=bool)
    edges = edges_of(elements)
    start, end = nodes[edges[:, 0]], nodes[edges[:, 1]]
    off = np.linalg.norm((start + end) / 2 - nodes[middles_of(elements)], axis=1)
    curved = off > _STRAIGHT * np.linalg.norm(end - start, axis=1)
    bent = np.asarray(curved.reshape(len(elements), -1).any(axis=1))

    dim = nodes.shape[1]
    points, to_bernstein = _bernstein(dim + 1)
    orientation = 1 if dim == 2 else -1  # of d x / d (lambda_0 ...) in an element that is turned
    control = orientation * mapping(nodes[elements[bent]][:, None], points)[1] @ to_bernstein.T
    which = np.flatnonzero(bent)
    check_none(
        (control <= 0).any(axis=1),
        "elements must not be bent so far that they fold",
        lambda i: _element(elements, int(which[i])),
    )
    return bent


def _bernstein(corners: int) -> tuple[Floats, Floats]:
    """Points of an element (barycentric), and the matrix that makes the Bernstein coefficients of
    the Jacobian of its values there."""
    degree = corners - 1
    powers = np.array([p for p in product(range(degree + 1), repeat=corners) if sum(p) == degree])
    points = powers / degree
    ways = [math.factorial(degree) / math.prod(map(math.factorial, p)) for p in powers.tolist()]
    values = np.array(ways) * (points[:, None] ** powers).prod(axis=2)
    return points, np.linalg.inv(values)


def _check_elements(elements: Ints) -> None:
    """No two elements have the same corners."""
    kind, kinds = groups_of(np.sort(corners_of(elements), axis=1))
    first = np.full(kinds, len(elements))
    np.minimum.at(first, kind, np.arange(len(elements)))
    check_none(
        first[kind] < np.arange(len(elements)),
        "elements must not come twice",
        lambda i: f"the corners of element {first[kind[i]]} again in {_element(elements, i)}",
    )


def _boundary(nodes: Floats, elements: Ints) -> Ints:
    """``Mesh.boundary``: the sides of one element only, after checks of how elements join."""
    sides = sides_of(elements)
    side, kinds = groups_of(np.sort(sides, axis=1))
    sharing = np.bincount(side, minlength=kinds)[side]
    name = "edge" if sides.shape[1] == 2 else "face"
    check_none(
        sharing > 2,
        f"elements must share each {name} with at most one other",
        lambda s: f"{name} {sides[s].tolist()} in {sharing[s]} elements",
    )
    rim: Ints = sides[sharing == 1]
    if is_quadratic(elements):
        edges = edges_of(elements)
        _check_shared_middles(elements, edges, groups_of(np.sort(edges, axis=1))[0])
    if name == "face":
        solid_checks.check_joints(nodes, elements, sides, side, rim)
        return solid_checks.with_middles(elements, rim) if is_quadratic(elements) else rim

    directed, kinds = groups_of(sides)
    check_none(
        np.bincount(directed, minlength=kinds)[directed] > 1,
        "elements must not overlap",
        lambda s: f"two on the same side of edge {sides[s].tolist()}, one being element {s // 3}",
    )
    if is_quadratic(elements):
        rim = np.column_stack([rim, middles_of(elements)[sharing == 1]])
    check_none(
        np.bincount(rim[:, 0], minlength=len(nodes)) > 1,
        "elements must not leave a boundary that touches itself",
        lambda i: f"node {i} on it twice",
    )
    loop = _loop(rim)
    if len(loop) < len(rim):
        raise ValueError(_why_loops(nodes, sides, rim[:, :2]))
    _check_crossings(nodes, rim[:, :2])
    return np.take(rim, loop, axis=0)


def _check_shared_middles(elements: Ints, sides: Ints, side: Index) -> None:
    """Each edge (numbered by `side`) has one mid-edge node of its own, common to its elements."""
    middle = middles_of(elements)
    chosen = np.empty(side.max() + 1, dtype=np.int32)
    chosen[side] = middle
    check_none(
        chosen[side] != middle,
        "elements that share an edge must share the node in its middle",
        lambda s: f"nodes {middle[s]} and {chosen[side[s]]} for edge {sides[s].tolist()}",
    )
    roles = np.bincount(chosen, minlength=elements.max() + 1)
    roles[sides[:, 0]] += 1
    check_none(
        roles > 1,
        "nodes must be either a corner or in the middle of one edge",
        lambda i: f"node {i} in two such roles",
    )


def _loop(rim: Ints) -> Index:
    """The rows of `rim` in the order in which they join, from the smallest node until it closes."""
    row = np.empty(rim.max() + 1, dtype=np.intp)
    row[rim[:, 0]] = np.arange(len(rim))
    following = row[rim[:, 1]].tolist()
    loop = [int(np.argmin(rim[:, 0]))]
    while (at := following[loop[-1]]) != loop[0]:
        loop.append(at)
    return np.array(loop)


def _why_loops(nodes: Floats, sides: Ints, rim: Ints) -> str:
    """In words, why the boundary is more than one loop: several parts, or holes."""

    def labels(edges: Ints) -> Index:
        return components(len(nodes), edges)[edges[:, 0]]

    part = labels(sides)
    parts = len(np.unique(part))
    if parts > 1:
        apart = sides[np.argmax(part != part[0]), 0]
        return (
            f"elements must form one connected region, got {parts} parts, with nothing to join "
            f"node {apart} to node {sides[0, 0]}"
        )
    loop = labels(rim)
    outside = loop[np.argmin(nodes[rim[:, 0], 0])]
    return (
        f"elements must leave no hole, got {len(np.unique(loop)) - 1}, one with node "
        f"{rim[np.argmax(loop != outside), 0]} at its rim (a node that splits an edge for the "
        "element on one side only makes one too)"
    )


def _check_crossings(nodes: Floats, rim: Ints) -> None:
    """The closed loop `rim` is a simple polygon: edges that share no node do not meet."""
    closest = _closest(nodes)
    ends = nodes[rim]
    lowest, highest = ends.min(axis=1), ends.max(axis=1)
    place = ends @ _SLANT[:2]

    def straddles(i: Index, j: Index) -> Bools:
        """The ends of edges j are not both clearly to one side of the lines through edges i."""
        start, along = ends[i, 0], ends[i, 1] - ends[i, 0]
        reach = closest * np.linalg.norm(along, axis=1)
        first, second = (_cross(along, ends[j, end] - start) for end in (0, 1))
        return ~np.asarray(
            ((first > reach) & (second > reach)) | ((first < -reach) & (second < -reach))
        )

    for i, j in _overlapping(place.min(axis=1), place.max(axis=1) + 2 * closest):
        apart = (rim[i][:, :, None] != rim[j][:, None, :]).all(axis=(1, 2))
        near = ((lowest[i] <= highest[j]) & (lowest[j] <= highest[i])).all(axis=1)
        found = apart & near & straddles(i, j) & straddles(j, i)
        if found.any():
            raise ValueError(
                "elements must not overlap, nor leave a boundary that meets itself, got boundary "
                f"edges {rim[i[found][0]].tolist()} and {rim[j[found][0]].tolist()} crossing or "
                "touching"
            )


def _closest(nodes: Floats) -> float:
    return _CLOSEST * float(np.ptp(nodes, axis=0).max())


def _cross(a: Floats, b: Floats) -> Floats:
    """The cross product of plane vectors (k, 2)."""
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _overlapping(low: Floats, high: Floats) -> Iterator[tuple[Index, Index]]:
    """Indices (i, j) of all pairs of intervals [low, high] that overlap, bunch by bunch.

    Sorted by `low`, an interval overlaps a run of those that follow it: bunch k pairs each with
    its k-th follower, as long as any reaches so far. Memory stays in proportion to the intervals.
    """
    order = np.argsort(low, kind="stable")
    low, high = low[order], high[order]
    at = np.arange(len(order))
    for step in range(1, len(order)):
        at = at[at + step < len(order)]
        at = at[low[at + step] <= high[at]]
        if not len(at):
            return
        yield order[at], order[at + step]


def _element(elements: npt.NDArray[Any], i: int) -> str:
    return f"element {i} = {elements[i].tolist()}"
