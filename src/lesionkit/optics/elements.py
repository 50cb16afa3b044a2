"""Weights of the finite elements: integrals over straight-sided triangles of 3 or 6 nodes.

For shape functions phi and a property f = sum_p f_p phi_p (or constant, one f):

    int f grad(phi_a).grad(phi_b) = sum_p stiffness[pair, p] f_p
    int f phi_a phi_b             = area sum_p mass[pair, p] f_p

over the pairs (a, b <= a), pair = a (a + 1) / 2 + b. Both are exact (Gauss points of degree 6).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EDGES = ((0, 1), (1, 2), (2, 0))  # the edges whose midpoints are nodes 3, 4, 5


def shape_functions(order: int, barycentric: Floats) -> Floats:
    """phi at points given by barycentric coordinates (..., 3) -> (..., 3 or 6)."""
    if order == 1:
        return barycentric
    corner = barycentric * (2 * barycentric - 1)
    middle = [4 * barycentric[..., i] * barycentric[..., j] for i, j in EDGES]
    return np.concatenate([corner, np.stack(middle, axis=-1)], axis=-1)


def _shape_derivatives(order: int, barycentric: Floats) -> Floats:
    """d phi_a / d lambda_i at points (q, 3) -> (q, 3 or 6, 3)."""
    q = len(barycentric)
    if order == 1:
        return np.broadcast_to(np.eye(3), (q, 3, 3))
    out = np.zeros((q, 6, 3))
    for i in range(3):
        out[:, i, i] = 4 * barycentric[:, i] - 1
    for a, (i, j) in enumerate(EDGES, start=3):
        out[:, a, i] = 4 * barycentric[:, j]
        out[:, a, j] = 4 * barycentric[:, i]
    return out


@functools.cache
def _quadrature() -> tuple[Floats, Floats]:
    """Points (16, 3) and weights (16,), sum 1, exact to degree 6: Gauss points on a square that
    is collapsed to a triangle."""
    x, w = np.polynomial.legendre.leggauss(4)
    u, v = np.meshgrid((x + 1) / 2, (x + 1) / 2, indexing="ij")
    weight = np.outer(w, w) / 2 * (1 - u)
    points = np.stack([u, v * (1 - u), (1 - u) * (1 - v)], axis=-1)
    return points.reshape(-1, 3), weight.ravel()


def _pairs(count: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    return np.tril_indices(count)


def mass_weights(order: int, *, per_node: bool) -> Floats:
    """(pairs, 1 or nodes): weights of the property for a triangle of area 1."""
    points, weight = _quadrature()
    phi = shape_functions(order, points)
    a, b = _pairs(phi.shape[1])
    prop = phi if per_node else np.ones((len(points), 1))
    out: Floats = np.einsum("q,qa,qp->ap", weight, phi[:, a] * phi[:, b], prop)
    return out


def stiffness_weights(order: int, corners: Floats, areas: Floats, *, per_node: bool) -> Floats:
    """(elements, pairs, 1 or nodes): weights of the property for each element.

    corners : (elements, 3, 2) mm, counter-clockwise
    areas   : (elements,) mm^2
    """
    points, weight = _quadrature()
    slope = _shape_derivatives(order, points)
    phi = shape_functions(order, points)
    a, b = _pairs(phi.shape[1])
    prop = phi if per_node else np.ones((len(points), 1))
    reference = np.einsum("q,qai,qaj,qp->ijap", weight, slope[:, a], slope[:, b], prop)
    opposite = np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1)
    products = np.einsum("eix,ejx->eij", opposite, opposite) / (4 * areas)[:, None, None]
    out: Floats = np.einsum("eij,ijap->eap", products, reference, optimize=True)
    return out


def edge_mass(order: int) -> Floats:
    """int phi_a phi_b over an edge of length 1; nodes end, end[, middle]."""
    if order == 1:
        return np.array([[2.0, 1], [1, 2]]) / 6
    return np.array([[4.0, -1, 2], [-1, 4, 2], [2, 2, 16]]) / 30
