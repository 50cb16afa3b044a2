"""`refine`: a mesh made finer near points, by bisection of longest edges.

An element that is too large is cut from the middle of its longest edge to the corner opposite. A
neighbour across a cut edge must be cut there as well, but never before it is cut at its own longest
edge (Rivara, Int. J. Numer. Meth. Eng. 20, 745, 1984): so cuts spread to ever longer edges, which
ends, and no angle becomes smaller than about half the smallest of the mesh. Tetrahedra are cut by
the same rule, but in one pass only those edges that are the longest of every element about them:
each of these is then cut in two.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics.mesh import topology
from lesionkit.optics.mesh.elements import EDGES_OF
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.mesh.topology import Floats

Index = npt.NDArray[np.intp]

_MAX_NODES = 10_000_000  # as of a generated disc
FINEST = 1e-9  # of the mesh's width


def refine(mesh: Mesh, points: npt.ArrayLike, size: float, growth: float = 1.0) -> Mesh:
    """The same region with smaller elements near some points: optodes, whose light is steep there.

    Parameters
    ----------
    mesh : Mesh
        Of 3-node triangles or 4-node tetrahedra (make it quadratic afterwards).
    points : (k, 2) array_like
        mm, at least one; (k, 3) for tetrahedra.
    size : float
        mm, at least 1e-9 of the mesh's width: the longest edge within `size` of a point.
    growth : float, default 1
        By how many mm an edge may be longer for each mm further away; above 0.

    Returns
    -------
    Mesh
        The nodes of `mesh` keep their numbers, new ones lie in the middle of edges.

    Raises
    ------
    TypeError, ValueError
        For anything else, or where some 10,000,000 nodes were needed.

    Examples
    --------
    >>> from lesionkit.optics import disc_mesh, refine
    >>> coarse = disc_mesh(20, nodes=100)
    >>> fine = refine(coarse, [[20, 0]], size=0.5)
    >>> n = len(coarse.nodes)
    >>> len(fine.nodes) > n, (fine.nodes[:n] == coarse.nodes).all().item()
    (True, True)
    """
    if not isinstance(mesh, Mesh):
        raise TypeError(f"mesh must be a lesionkit.optics.Mesh, got {arrays.describe(mesh)}")
    if mesh.order == 2:
        raise ValueError(f"mesh must be of 3-node triangles or 4-node tetrahedra, got {mesh!r}")
    places = arrays.real(points, "points", ("k", mesh.nodes.shape[1]), "mm")
    if not len(places):
        raise ValueError("points must hold at least one position, got none")
    size = arrays.number(size, "size", above=0, unit="mm")
    growth = arrays.number(growth, "growth", above=0)
    least = FINEST * float(np.ptp(mesh.nodes, axis=0).max())
    if size < least:  # the middle of an edge must differ from its ends
        raise ValueError(f"size must be at least {least:.3g} mm for this mesh, got {size:g} mm")

    nodes, elements = mesh.nodes, mesh.elements.astype(np.intp)
    while True:
        edge, ends = _edges(elements, mesh.solid)
        # Lengths of equal edges differ by rounding: ties must not depend on the machine.
        length = np.linalg.norm(nodes[ends[:, 0]] - nodes[ends[:, 1]], axis=1)
        rank = np.empty(len(ends), np.intp)
        rank[np.argsort(np.round(length / length.max(), 9), kind="stable")] = np.arange(len(ends))
        first = np.argmax(rank[edge], axis=1)  # the longest edge of each element
        longest = np.take_along_axis(edge, first[:, None], axis=1)[:, 0]
        away = _distance(nodes[elements].mean(axis=1), places)
        with np.errstate(over="ignore"):  # no limit is as good
            limit = size + growth * np.maximum(away - size, 0)
        large = length[longest] > limit
        if not large.any():
            return Mesh(nodes, elements) if len(nodes) > len(mesh.nodes) else mesh
        needed = (length[longest] / limit)[large] ** mesh.nodes.shape[1]  # roughly
        if needed.sum() / 4 > _MAX_NODES:
            raise ValueError(f"size must need at most {_MAX_NODES} nodes, got {size:g} mm")
        cut = np.zeros(len(ends), bool)
        cut[longest[large]] = True
        while (spread := cut[edge].any(axis=1) & ~cut[longest]).any():
            cut[longest[spread]] = True
        if mesh.solid:  # those that another about them would cut elsewhere have to wait
            np.logical_and.at(cut, edge, edge == longest[:, None])
        middle = np.where(cut, len(nodes) + np.cumsum(cut) - 1, -1)
        nodes = np.concatenate([nodes, nodes[ends[cut]].mean(axis=1)])
        elements = (
            _halved(elements, middle[longest], ends[longest])
            if mesh.solid
            else _bisected(elements, middle[edge], first)
        )


def _edges(elements: Index, solid: bool) -> tuple[Index, Index]:
    """The edges of each element, (m, 3) numbers, and their ends (edges, 2): those opposite the
    corners of triangles; of tetrahedra (m, 6), in any order."""
    table = EDGES_OF[4] if solid else ((1, 2), (2, 0), (0, 1))
    sides = np.sort(elements[:, np.array(table)].reshape(-1, 2), axis=1)
    number, count = topology.groups_of(sides)
    ends = np.empty((count, 2), np.intp)
    ends[number] = sides
    return number.reshape(len(elements), -1), ends


def _halved(elements: Index, middle: Index, ends: Index) -> Index:
    """Tetrahedra cut in two where the edge between `ends` (m, 2) has a `middle` node (else -1)."""
    cut = middle >= 0
    parts = [elements[~cut]]
    for end in ends[cut].T:  # the half that keeps the other end
        parts.append(np.where(elements[cut] == end[:, None], middle[cut, None], elements[cut]))
    return np.concatenate(parts)


def _distance(places: Floats, points: Floats) -> Floats:
    """From each place to the nearest of the points."""
    nearest = np.full(len(places), np.inf)
    for point in points:
        np.minimum(nearest, reduce(np.hypot, (places - point).T), out=nearest)
    return nearest


def _bisected(elements: Index, middle: Index, first: Index) -> Index:
    """Elements cut at the edges opposite their corners that have a `middle` node (else -1), the
    edge opposite corner `first` before the others."""
    turn = (first[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(elements, turn, axis=1).T
    at_bc, at_ca, at_ab = np.take_along_axis(middle, turn, axis=1).T
    whole = at_bc < 0
    parts = [np.column_stack([a, b, c])[whole]]
    for p, q, cut in ((a, b, at_ab), (c, a, at_ca)):  # the halves p, q, middle of bc
        halved = ~whole & (cut < 0)
        parts.append(np.column_stack([p, q, at_bc])[halved])
        again = ~whole & (cut >= 0)
        parts.append(np.column_stack([p, cut, at_bc])[again])
        parts.append(np.column_stack([cut, q, at_bc])[again])
    return np.concatenate(parts)
