"""Weights of the finite elements: integrals over triangles of 3 or 6 nodes.

For shape functions phi and a property f = sum_p f_p psi_p:

    int f grad(phi_a).grad(phi_b) = sum_p stiffness[pair, p] f_p
    int f phi_a phi_b             = area sum_p mass[pair, p] f_p

over the pairs (a, b <= a), pair = a (a + 1) / 2 + b. The psi_p are 1 (a property on elements, P =
1), the phi themselves (at nodes, P = 3 or 6), or 1 on one of the four triangles that the mid-edge
nodes of an element cut it into (on quarters, P = 4). Both are exact for straight-sided triangles
(Gauss points of degree 6). A triangle of six nodes whose mid-edge nodes lie off the middle is bent:
its shape functions are those of the reference triangle that they map onto it (isoparametric
elements; Zienkiewicz & Taylor, The Finite Element Method, 2000), and its integrals are rational
functions, for which 64 points are exact to rounding.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EDGES = ((0, 1), (1, 2), (2, 0))  # the edges whose midpoints are nodes 3, 4, 5
# The same by the number of an element's corners; of a tetrahedron they are nodes 4 to 9 (VTK's
# order).
EDGES_OF = {3: EDGES, 4: (*EDGES, (0, 3), (1, 3), (2, 3))}
QUARTERS = ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5))  # the nodes of a triangle's four parts


def shape_functions(order: int, barycentric: Floats) -> Floats:
    """phi at points given by barycentric coordinates (..., 3) -> (..., 3 or 6); of tetrahedra
    (..., 4) -> (..., 4 or 10)."""
    if order == 1:
        return barycentric
    corner = barycentric * (2 * barycentric - 1)
    edges = EDGES_OF[barycentric.shape[-1]]
    middle = [4 * barycentric[..., i] * barycentric[..., j] for i, j in edges]
    return np.concatenate([corner, np.stack(middle, axis=-1)], axis=-1)


def shape_derivatives(order: int, barycentric: Floats) -> Floats:
    """d phi_a / d lambda_i at points (..., 3) -> (..., 3 or 6, 3); of tetrahedra (..., 4) ->
    (..., 4 or 10, 4)."""
    corners = barycentric.shape[-1]
    if order == 1:
        return np.broadcast_to(np.eye(corners), (*barycentric.shape[:-1], corners, corners))
    edges = EDGES_OF[corners]
    out = np.zeros((*barycentric.shape[:-1], corners + len(edges), corners))
    for i in range(corners):
        out[..., i, i] = 4 * barycentric[..., i] - 1
    for a, (i, j) in enumerate(edges, start=corners):
        out[..., a, i] = 4 * barycentric[..., j]
        out[..., a, j] = 4 * barycentric[..., i]
    return out


@functools.cache
def quadrature(count: int) -> tuple[Floats, Floats]:
    """Points (count^2, 3) and weights, sum 1, exact to degree 2 count - 2: Gauss points on a square
    that is collapsed to a triangle."""
    x, w = np.polynomial.legendre.leggauss(count)
    u, v = np.meshgrid((x + 1) / 2, (x + 1) / 2, indexing="ij")
    weight = np.outer(w, w) / 2 * (1 - u)
    points = np.stack([u, v * (1 - u), (1 - u) * (1 - v)], axis=-1)
    return points.reshape(-1, 3), weight.ravel()


STRAIGHT, BENT = 4, 8  # points a side

_AT_ONCE = 64  # bent elements: keeps their integrals to some 10 MB


def _points(order: int, at: str, count: int) -> tuple[Floats, Floats, Floats]:
    """Points (q, 3), weights (q,) and psi (q, P) of integrals with a property given `at`."""
    points, weight = quadrature(count)
    if at == "elements":
        return points, weight, np.ones((len(points), 1))
    if at == "nodes":
        return points, weight, shape_functions(order, points)
    places = np.concatenate([np.eye(3), (np.eye(3) + np.eye(3)[[1, 2, 0]]) / 2])
    parts = places[np.array(QUARTERS)]
    return (
        np.einsum("qi,kij->kqj", points, parts).reshape(-1, 3),
        np.tile(weight / 4, 4),
        np.repeat(np.eye(4), len(points), axis=0),
    )


@dataclass(frozen=True)
class ElementWeights:
    """The integrals of some elements.

    stiffness : (elements, pairs, P), no unit
    mass      : (kinds, pairs, P), for an area of 1; kind 0 is the straight triangle's, and each
                bent element has one of its own
    kind      : (elements,) int32
    """

    stiffness: Floats
    mass: Floats
    kind: npt.NDArray[np.int32]


def element_weights(
    order: int, places: Floats, areas: Floats, bent: npt.NDArray[np.bool_], at: str
) -> ElementWeights:
    """The integrals for a property given at "nodes", on "elements" or on "quarters".

    places : (elements, nodes, 2) mm, counter-clockwise
    areas  : (elements,) mm^2, of the triangles of the corners; bent: (elements,) which have edges
             that are not straight
    """
    stiffness, straight = _straight_weights(order, places[:, :3], areas, at)
    mass = [straight]
    crooked = np.flatnonzero(bent)
    for first in range(0, len(crooked), _AT_ONCE):
        some = crooked[first : first + _AT_ONCE]
        stiffness[some], masses = _bent_weights(places[some], at)
        mass.append(masses / areas[some, None, None])
    kind = np.zeros(len(places), np.int32)
    kind[crooked] = np.arange(1, len(crooked) + 1)
    return ElementWeights(stiffness, np.concatenate(mass), kind)


def _straight_weights(order: int, corners: Floats, areas: Floats, at: str) -> tuple[Floats, Floats]:
    """Stiffness (elements, pairs, P), and mass (1, pairs, P) for an area of 1."""
    points, weight, psi = _points(order, at, STRAIGHT)
    phi, slope = shape_functions(order, points), shape_derivatives(order, points)
    a, b = np.tril_indices(phi.shape[1])
    mass: Floats = np.einsum("q,qa,qp->ap", weight, phi[:, a] * phi[:, b], psi)
    reference = np.einsum("q,qai,qaj,qp->ijap", weight, slope[:, a], slope[:, b], psi)
    opposite = np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1)
    products = np.einsum("eix,ejx->eij", opposite, opposite) / (4 * areas)[:, None, None]
    stiffness: Floats = np.einsum("eij,ijap->eap", products, reference, optimize=True)
    return stiffness, mass[None]


def _bent_weights(places: Floats, at: str) -> tuple[Floats, Floats]:
    """Stiffness and mass (elements, pairs, P) of 6-node triangles, the mass in mm^2."""
    points, weight, psi = _points(2, at, BENT)
    phi, along = shape_functions(2, points), by_all_but_last(shape_derivatives(2, points))
    a, b = np.tril_indices(6)
    inverse, twice_area = mapping(places[:, None], points)
    slope = np.einsum("qai,eqix->eqax", along, inverse)
    size = weight * twice_area / 2
    products = np.einsum("eqax,eqax->eqa", slope[:, :, a], slope[:, :, b])
    stiffness = np.einsum("eq,eqa,qp->eap", size, products, psi, optimize=True)
    mass = np.einsum("eq,qa,qp->eap", size, phi[:, a] * phi[:, b], psi, optimize=True)
    return stiffness, mass


def by_all_but_last(slope: Floats) -> Floats:
    """From derivatives by all barycentric coordinates to those by all but the last alone."""
    return slope[..., :-1] - slope[..., -1:]


def mapping(places: Floats, barycentric: Floats) -> tuple[Floats, Floats]:
    """How 6-node triangles (..., 6, 2) map the reference triangle, at points (..., 3) of it; or
    10-node tetrahedra (..., 10, 3) the reference tetrahedron, at points (..., 4).

    returns : d(lambda_0, lambda_1) / d(x, y), (..., 2, 2) mm^-1, and the determinant of its
              inverse, (...) mm^2: twice the area of a straight triangle (of tetrahedra (..., 3, 3),
              and below 0: -6 times the volume)
    """
    along = by_all_but_last(shape_derivatives(2, barycentric))
    jacobian = np.einsum("...ai,...ax->...ix", along, places)
    inverse: Floats = np.swapaxes(np.linalg.inv(jacobian), -1, -2)
    return inverse, np.linalg.det(jacobian)


def edge_functions(order: int, fraction: Floats) -> tuple[Floats, Floats]:
    """The functions of an edge and their derivatives, (..., 2 or 3), at fractions of it in [0, 1].

    Nodes: first end, second end[, middle].
    """
    s = fraction
    if order == 1:
        return np.stack([1 - s, s], axis=-1), np.stack([-np.ones_like(s), np.ones_like(s)], axis=-1)
    return (
        np.stack([(1 - s) * (1 - 2 * s), s * (2 * s - 1), 4 * s * (1 - s)], axis=-1),
        np.stack([4 * s - 3, 4 * s - 1, 4 - 8 * s], axis=-1),
    )


def edge_mass(places: Floats) -> Floats:
    """int phi_a phi_b over edges (b, 2 or 3, 2) mm -> (b, nodes, nodes) mm, bent ones included."""
    x, weight = np.polynomial.legendre.leggauss(BENT)
    phi, slope = edge_functions(places.shape[1] - 1, (x + 1) / 2)
    length = np.linalg.norm(np.einsum("qa,eax->eqx", slope, places), axis=-1)
    out: Floats = np.einsum("q,eq,qa,qb->eab", weight / 2, length, phi, phi, optimize=True)
    return out
