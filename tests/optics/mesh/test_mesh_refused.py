"""What no Mesh and no disc can be made of."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lesionkit.optics.mesh.disc import disc_mesh
from lesionkit.optics.mesh.mesh import Mesh
from mesh_cases import FOUR, SQUARE, grid, loop_area, strip

TETRAHEDRON = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
SIX = Mesh(SQUARE, FOUR).to_quadratic()


def changed(array: np.ndarray, index: object, value: object) -> np.ndarray:
    array = array.copy()
    array[index] = value
    return array


def ring() -> tuple[np.ndarray, np.ndarray]:
    """A square grid of 3 x 3 without its middle."""
    nodes, elements = grid(3, 3)
    middle = nodes[elements].mean(axis=1)
    return nodes, elements[(np.abs(middle - 1.5) > 0.5).any(axis=1)]


def double_cover() -> tuple[np.ndarray, np.ndarray]:
    """Twelve triangles that wind twice about node 0."""
    angle = np.arange(12) * np.pi / 3
    radius = 1 + 0.1 * np.arange(12)
    spokes = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    here = np.arange(12)
    elements = np.stack([0 * here, 1 + here, 1 + (here + 1) % 12], axis=1)
    return np.vstack([[0, 0], radius[:, None] * spokes]), elements


REFUSED = {
    "not numbers": ([["a", "b"]], FOUR, TypeError, "nodes must hold real numbers"),
    "nodes of one axis": (np.zeros(6), FOUR, ValueError, r"nodes must have shape \(n, any\)"),
    "NaN": (changed(SQUARE, (3, 1), np.nan), FOUR, ValueError, r"nodes must be finite \(mm\)"),
    "infinite": (changed(SQUARE, (3, 1), np.inf), FOUR, ValueError, "nodes must be finite"),
    "too far": (
        changed(SQUARE, (3, 1), 1e200), FOUR, ValueError,
        r"nodes must lie within 1e\+09 mm of the origin, got node 3 = \[-1.0, 1e\+200\]$",
    ),
    "too narrow": (SQUARE * 1e-200, FOUR, ValueError, r"nodes must span .* 1e-09 mm, got 2e-200"),
    "ragged": (SQUARE, [[0, 1, 4], [1, 2]], TypeError, "elements must be an array of real numbers"),
    "floats": (SQUARE, FOUR * 1.0, TypeError, r"elements must hold integers, got float64 array"),
    "booleans": (SQUARE, FOUR > 1, TypeError, "elements must hold real numbers"),
    "one element, flat": (SQUARE, FOUR[0], ValueError, r"elements must have shape \(m, any\)"),
    "quadrilaterals": (SQUARE, [[0, 1, 2, 3]], ValueError, r"got \(5, 2\) and \(1, 4\)"),
    "triangles in space": (np.eye(3), [[0, 1, 2]], ValueError, r"got \(3, 3\) and \(1, 3\)"),
    "no elements": (SQUARE, FOUR[:0], ValueError, r"with m above 0, got \(5, 2\) and \(0, 3\)"),
    "counted from 1": (
        SQUARE, FOUR + 1, ValueError,
        r"elements must hold node numbers from 0 to 4, got element 0 = \[1, 2, 5\] \(and 3 more\)$",
    ),
    "negative": (
        SQUARE, changed(FOUR, (2, 1), -1), ValueError, r"from 0 to 4, got element 2 = \[2, -1, 4\]$"
    ),
    "far beyond": (SQUARE, changed(FOUR, (2, 1), 2**40), ValueError, "from 0 to 4, got element 2"),
    "node twice in element": (
        SQUARE, changed(FOUR, (1, 1), 1), ValueError,
        r"elements must not hold a node twice, got element 1 = \[1, 1, 4\]$",
    ),
    "orphan": (
        np.vstack([SQUARE, [[9, 9]]]), FOUR, ValueError,
        "nodes must each belong to an element, got node 5 in none$",
    ),
    "nodes at one place": (
        [[0, 0], [1, 0], [0, 1], [1, 1], [0, 1], [1, 0]], [[0, 1, 2], [3, 4, 5]], ValueError,
        r"nodes must lie more than 1e-09 mm apart .* got nodes [12] and [45] at",
    ),
    "flat element": (
        [[0, 0], [1, 1], [2, 2], [2, 0]], [[0, 1, 2], [0, 3, 1], [1, 3, 2]], ValueError,
        r"elements must have an area .* got element 0 = \[0, 1, 2\]$",
    ),
    "element twice": (
        SQUARE, np.vstack([FOUR, [[4, 0, 1]]]), ValueError,
        r"elements must not come twice, got the corners of element 0 again in element 4 = \[4, 0,",
    ),
    "three at an edge": (
        [[0, 0], [1, 0], [0, 1], [0, 2], [0, -1]], [[0, 1, 2], [0, 1, 3], [0, 1, 4]], ValueError,
        r"elements must share each edge with at most one other, got edge \[0, 1\] in 3 elements",
    ),
    "two on one side": (
        [[0, 0], [1, 0], [0, 1], [0, 2]], [[0, 1, 2], [0, 1, 3]], ValueError,
        r"elements must not overlap, got two on the same side of edge \[0, 1\], one being",
    ),
    "touches at a node": (
        [[0, 0], [1, 1], [1, -1], [-1, 1], [-1, -1]], [[0, 1, 2], [0, 3, 4]], ValueError,
        "elements must not leave a boundary that touches itself, got node 0 on it twice$",
    ),
    "two parts": (
        np.vstack([SQUARE, SQUARE + 5]), np.vstack([FOUR, FOUR + 5]), ValueError,
        "elements must form one connected region, got 2 parts, with nothing to join node 5 to node",
    ),
    "a hole": (*ring(), ValueError, r"elements must leave no hole, got 1, one with node \d+ at"),
    "a node that splits an edge on one side": (
        [[0, 0], [2, 0], [1, 3], [1, -3], [1, 0], [4, 0], [-2, 0], [1, 9], [1, -9]],
        [[0, 1, 2], [0, 4, 3], [4, 1, 3], [1, 5, 2], [5, 7, 2], [7, 6, 2], [6, 0, 2],
         [0, 6, 3], [6, 8, 3], [8, 5, 3], [5, 1, 3]], ValueError, "elements must leave no hole",
    ),
    "a band that overlaps itself": (
        *strip(1.2, 40, 0.5), ValueError, "boundary that meets itself, got boundary edges"
    ),
    "a double cover": (*double_cover(), ValueError, "got boundary edges"),
    "middles in the order of corners and middles by turns": (
        SIX.nodes, SIX.elements[:, [0, 3, 1, 4, 2, 5]], ValueError,
        r"elements of 6 nodes must hold the corners, then the nodes in the middle of edges 01, 12 "
        r"and 20, .* got node \d+ of element 0 at \d\.?\d* mm from the middle of edge",
    ),
    "middles rotated": (
        SIX.nodes, SIX.elements[:, [0, 1, 2, 4, 5, 3]], ValueError, r"\(and 11 more\)$"
    ),
    "two middles of one edge": (
        np.vstack([SIX.nodes, SIX.nodes[SIX.elements[0, 4]] + [0.01, 0]]),
        changed(SIX.elements, (0, 4), 13), ValueError,
        r"elements that share an edge must share the node in its middle, got nodes",
    ),
    "no faces of three": (
        [*TETRAHEDRON, [1, 1, 1], [-1, -1, 2]], [[0, 1, 2, 3], [0, 1, 2, 4], [0, 1, 2, 5]],
        ValueError, r"elements must share each face with at most one other, got face",
    ),
    "flat tetrahedron": (
        [*TETRAHEDRON[:3], [1, 1, 1e-12]], [[0, 1, 2, 3]], ValueError, "elements must have an area"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_mesh_refuses(case: str) -> None:
    nodes, elements, error, message = REFUSED[case]
    with pytest.raises(error, match=message) as caught:
        Mesh(nodes, elements)
    assert "\n" not in str(caught.value)


def test_a_band_that_winds_without_overlap_is_accepted() -> None:
    nodes, elements = strip(2.5, 100, 1.2)
    assert loop_area(Mesh(nodes, elements)) > 0


def test_a_boundary_that_touches_itself_between_nodes_is_refused() -> None:
    """A horseshoe whose one end comes to lie on the other end's side."""
    nodes, elements = strip(1.0, 30, 0.0)
    nodes[30], nodes[-1] = [2.0, -0.3], [3.0, -0.3]
    Mesh(nodes, elements)  # a gap is left
    nodes[30] = [2.5, 0.0]  # in the middle of the edge from node 0 to node 31
    with pytest.raises(ValueError, match=r"crossing or touching$"):
        Mesh(nodes, elements)


def test_a_middle_may_not_serve_twice() -> None:
    """A narrow fan of two triangles: one node stands near the middles of both outer spokes."""
    angle = np.array([0, 0.17, 0.34])
    nodes = np.vstack([[0, 0], np.stack([np.cos(angle), np.sin(angle)], axis=1)])
    fine = Mesh(nodes, [[0, 1, 2], [0, 2, 3]]).to_quadratic()
    places, numbers = fine.nodes.copy(), fine.elements.copy()
    places[numbers[0, 3]] = [0.49, 0.08]
    numbers[1, 5] = numbers[0, 3]
    keep = np.unique(numbers)
    with pytest.raises(ValueError, match="nodes must be either a corner or in the middle of one"):
        Mesh(places[keep], np.searchsorted(keep, numbers))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"radius": 0}, ValueError, "radius must be a finite number of mm at least 1e-09"),
        ({"radius": -1.0}, ValueError, "radius must be a finite number of mm at least 1e-09"),
        ({"radius": math.nan}, ValueError, "radius must be a finite number"),
        ({"radius": 1e30}, ValueError, "radius must be .* at most"),
        ({"radius": "41"}, TypeError, "radius must be a finite number"),
        ({"nodes": 6}, ValueError, "nodes must be from 7 to 10000000, got 6"),
        ({"nodes": 100.0}, TypeError, "nodes must be an integer"),
        ({"nodes": 10**9}, ValueError, "nodes must be from 7"),
        ({"optodes": 0}, ValueError, "optodes must be at least 1, got 0"),
        ({"optodes": True}, TypeError, "optodes must be an integer"),
        ({"optodes": 99991}, ValueError, "optodes must need at most 10000000 nodes"),
    ],
)
def test_disc_refuses(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        disc_mesh(**arguments)
