"""Meshes: a checked, unchanging value that no later step has to doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics.mesh import checks, topology
from lesionkit.optics.mesh.elements import EDGES_OF, QUARTERS, mapping, shape_functions
from lesionkit.optics.mesh.search import Boxes
from lesionkit.optics.mesh.topology import Floats, Ints

_ON_EDGE = 1e-12  # of the largest coordinate: some thousand roundings of a point on an edge
_NEWTON, _SETTLED = 12, 1e-9  # steps in a bent element, of which the last is no longer than this


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Mesh:
    """A region cut into triangles (or tetrahedra), checked once and never changed.

    Two meshes are equal only if they are the same object. A pickle holds nodes and elements alone,
    which are checked again when it is read.

    Parameters
    ----------
    nodes : (n, 2) array_like
        mm; (n, 3) for tetrahedra.
    elements : (m, 3) or (m, 6) array_like of int
        The nodes of each triangle, counted from 0. Six are the three corners, then the nodes in the
        middle of edges 01, 12 and 20 (VTK's order); a node off the middle bends its edge to a
        parabola. (m, 4) for tetrahedra, or (m, 10) with the nodes in the middle of edges 01, 12,
        20, 03, 13 and 23.

    Attributes
    ----------
    nodes : array of float64
        As given; all attributes are read-only copies.
    elements : array of int32
        Clockwise elements are turned counter-clockwise (tetrahedra to positive volume).
    areas : (m,) array of float64
        mm^2, of the straight-sided triangles; volumes, mm^3, of tetrahedra.
    bent : (m,) array of bool
        The elements with an edge that is not straight.
    boundary : (b, 2) array of int32
        The edges of the rim from node to node, one loop counter-clockwise from the smallest corner
        number: edge i ends where edge i + 1 begins. (b, 3) for 6-node triangles, the mid-edge node
        last. For tetrahedra (b, 3), the faces, in no order, counter-clockwise from outside; (b, 6)
        for 10-node ones, with the nodes in the middle of edges 01, 12 and 20 of the face.

    Raises
    ------
    TypeError, ValueError
        At the first mistake: NaN; a node number out of range, or twice in an element; an element
        without area; nodes or elements given twice; nodes in no element; overlaps; several parts,
        holes, or a boundary that touches itself; a mid-edge node far from the middle of its edge,
        or an edge bent so far that its element folds. Of tetrahedra alone: faces of the boundary
        that cross each other are not found, and a tunnel is no mistake.

    Examples
    --------
    >>> from lesionkit.optics import Mesh
    >>> square = Mesh([[0, 0], [10, 0], [10, 10], [0, 10]], [[0, 1, 2], [0, 3, 2]])
    >>> square
    Mesh(4 nodes, 2 triangles of order 1)
    >>> square.areas.tolist(), square.elements.tolist()
    ([50.0, 50.0], [[0, 1, 2], [0, 2, 3]])
    """

    nodes: Floats
    elements: Ints
    areas: Floats = field(init=False)
    bent: npt.NDArray[np.bool_] = field(init=False)
    boundary: Ints = field(init=False)

    def __init__(self, nodes: npt.ArrayLike, elements: npt.ArrayLike) -> None:
        # the dataclass is frozen, and this the one moment to fill it
        self.__dict__.update(checks.checked(nodes, elements))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.nodes, self.elements)

    def __repr__(self) -> str:
        kind = "triangles" if self.nodes.shape[1] == 2 else "tetrahedra"
        return f"Mesh({len(self.nodes)} nodes, {len(self.elements)} {kind} of order {self.order})"

    @property
    def order(self) -> int:
        """1, or 2 for triangles of six nodes and tetrahedra of ten."""
        return 2 if topology.is_quadratic(self.elements) else 1

    @property
    def solid(self) -> bool:
        """Whether the elements are tetrahedra."""
        return bool(self.nodes.shape[1] == 3)

    @property
    def corners(self) -> Ints:
        """The corner nodes of each triangle, (m, 3) int32; (m, 4) for tetrahedra."""
        return topology.corners_of(self.elements)

    @property
    def quarters(self) -> Ints:
        """The triangles into which its mid-edge nodes cut each 6-node triangle, (4 m, 3) int32.

        Those at the corners 0, 1, 2, then the one in the middle. ValueError for other elements.
        """
        if self.order == 1 or self.solid:
            raise ValueError(f"only a mesh of 6-node triangles has quarters, got {self!r}")
        return self.elements[:, QUARTERS].reshape(-1, 3)

    @property
    def places(self) -> dict[str, int]:
        """Where properties may be given, and how many there are.

        "nodes", "elements", and "quarters" of 6-node triangles.
        """
        places = {"nodes": len(self.nodes), "elements": len(self.elements)}
        quarters = self.order == 2 and not self.solid
        return places | {"quarters": 4 * len(self.elements)} if quarters else places

    def locate(self, points: npt.ArrayLike) -> tuple[Ints, Floats]:
        """Find the element that holds each point, and the point's place in it.

        Where elements meet, the one in which the point lies deepest, then the first. Up to 1e-12 of
        the mesh's largest coordinate outside an edge counts as on it, so that points computed on
        the rim are inside; their smallest weight may lie below 0 by as little.

        Parameters
        ----------
        points : (k, 2) array_like
            mm; (k, 3) for tetrahedra.

        Returns
        -------
        element : (k,) array of int32
            -1 for a point outside.
        barycentric : (k, 3) array of float64
            The weights of the element's corners (of a curved element: of the triangle that it is
            bent from), NaN for a point outside; (k, 4) for tetrahedra.

        Raises
        ------
        TypeError, ValueError
            For points of another kind or shape, NaN and infinity.
        """
        dim = self.nodes.shape[1]
        places = arrays.real(points, "points", ("k", dim), "mm")
        vertices = self.nodes[self.corners]  # (m, corners, dim)
        slack = _ON_EDGE * np.abs(self.nodes).max()
        hull = vertices
        if self.bent.any():  # a parabola lies within its ends and its control point
            middle = self.nodes[self.elements[:, dim + 1 :]]
            start, end = (vertices[:, ends] for ends in np.array(EDGES_OF[dim + 1]).T)
            hull = np.concatenate([vertices, 2 * middle - (start + end) / 2], axis=1)
        lowest, highest = hull.min(axis=1) - slack, hull.max(axis=1) + slack

        element = np.full(len(places), -1, dtype=np.int32)
        weights = np.full((len(places), dim + 1), np.nan)
        for point, inside in Boxes(lowest, highest).around(places):
            weight, depth = _barycentric(vertices[inside], places[point])
            bent = self.bent[inside]
            if bent.any():
                places_of = self.nodes[self.elements[inside[bent]]]
                weight[bent], depth[bent] = _bent_barycentric(
                    places_of, places[point[bent]], weight[bent]
                )
            best = np.lexsort((inside, -depth, point))
            best = best[np.unique(point[best], return_index=True)[1]]
            best = best[depth[best] >= -slack]
            element[point[best]] = inside[best]
            weights[point[best]] = weight[best]
        return element, weights

    def to_quadratic(self) -> Mesh:
        """The same region in elements with a node in the middle of every edge.

        The corners keep their numbers and the new nodes follow them; the elements keep their order.
        A mesh of such elements is returned as it is.

        Returns
        -------
        Mesh
            Of 6-node triangles, or 10-node tetrahedra.

        Raises
        ------
        ValueError
            Where edges are so short that their middle would lie on another node.
        """
        if self.order == 2:
            return self
        ends = topology.edges_of(self.elements)
        edge, edges = topology.groups_of(np.sort(ends, axis=1))
        middle = np.empty((edges, self.nodes.shape[1]))
        middle[edge] = self.nodes[ends].mean(axis=1)
        numbers = len(self.nodes) + edge.reshape(len(self.elements), -1)
        return Mesh(np.concatenate([self.nodes, middle]), np.hstack([self.elements, numbers]))


def _barycentric(vertices: Floats, points: Floats) -> tuple[Floats, Floats]:
    """Of points (c, d) in elements of `vertices` (c, d + 1, d), one by one.

    returns : the weights (c, d + 1) of the vertices, and the distance (c,) in mm to the side
              nearest inwards, below 0 outside
    """
    inverse = np.linalg.inv((vertices[:, 1:] - vertices[:, :1]).transpose(0, 2, 1))
    others = np.einsum("cij,cj->ci", inverse, points - vertices[:, 0])
    weight = np.column_stack([1 - others.sum(axis=1), others])
    gradient = np.concatenate([-inverse.sum(axis=1, keepdims=True), inverse], axis=1)
    return weight, (weight / np.linalg.norm(gradient, axis=2)).min(axis=1)


def _bent_barycentric(places: Floats, points: Floats, start: Floats) -> tuple[Floats, Floats]:
    """As :func:`_barycentric`, of points (c, d) in bent elements of nodes at `places` (c, 6 or 10,
    d): Newton's method from the straight element's weights."""
    weight = start.copy()
    for _ in range(_NEWTON):
        found = np.einsum("ca,cax->cx", shape_functions(2, weight), places)
        inverse = mapping(places, weight)[0]
        step = np.einsum("cix,cx->ci", inverse, points - found)
        step *= np.minimum(1, 0.5 / np.abs(step).max(axis=1, keepdims=True, initial=1e-300))
        weight += np.column_stack([step, -step.sum(axis=1)])
    gradient = np.concatenate([inverse, -inverse.sum(axis=1, keepdims=True)], axis=1)
    depth = (weight / np.linalg.norm(gradient, axis=2)).min(axis=1)
    # One that has not settled is far outside, where the map need not be one to one.
    return weight, np.where(np.abs(step).max(axis=1, initial=0) < _SETTLED, depth, -np.inf)
