"""Places on the surface of a mesh of tetrahedra: the nearest to optodes, and normals there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lesionkit.optics.mesh.elements import by_all_but_last, shape_derivatives, shape_functions
from lesionkit.optics.mesh.mesh import Mesh

Floats = npt.NDArray[np.float64]

_STEPS = 12  # to the nearest point of a bent face: each takes the error times the bend's share


@dataclass(frozen=True)
class SurfacePoints:
    """Points on boundary faces.

    face        : (n,) rows of `mesh.boundary`
    barycentric : (n, 3) weights of the face's corners
    position    : (n, 3) mm
    inward      : (n, 3) unit normals, interpolated between those of the corners, so that they turn
                  smoothly along the surface
    """

    face: npt.NDArray[np.intp]
    barycentric: Floats
    position: Floats
    inward: Floats


def snap_to_surface(mesh: Mesh, points: Floats, name: str) -> SurfacePoints:
    """The nearest boundary point to each of `points` (n, 3) mm; refused past half an edge."""
    found, away = nearest_on_surface(mesh, points)
    corners = mesh.nodes[mesh.boundary[found.face, :3]]
    edges = corners - np.roll(corners, 1, axis=1)
    reach = np.linalg.norm(edges, axis=2).max(axis=1) / 2
    far = np.flatnonzero(away > reach)
    if len(far):
        i = far[0]
        raise ValueError(
            f"{name} must lie on the surface of the mesh, within half an edge of a face "
            f"({reach[i]:.3g} mm): {name}[{i}] at {points[i].tolist()} mm is {away[i]:.3g} mm "
            "away"
        )
    return found


def nearest_on_surface(mesh: Mesh, points: Floats) -> tuple[SurfacePoints, Floats]:
    """The nearest boundary point to each of `points` (n, 3) mm, and how far the straight face that
    holds it is, mm."""
    corners = mesh.nodes[mesh.boundary[:, :3]]
    face = np.empty(len(points), np.intp)
    weight, distance = np.empty((len(points), 3)), np.empty(len(points))
    for i, point in enumerate(points):
        near = _nearest_in_triangles(corners, point)
        away = np.linalg.norm(np.einsum("fc,fcx->fx", near, corners) - point, axis=1)
        face[i] = np.argmin(away)
        weight[i], distance[i] = near[face[i]], away[face[i]]
    places = mesh.nodes[mesh.boundary[face]]
    if mesh.bent.any():
        weight = _nearest_in_bent(places, points, weight)
    position = np.einsum("na,nax->nx", shape_functions(mesh.order, weight), places)
    return SurfacePoints(face, weight, position, _inward(mesh, face, weight)), distance


def _nearest_in_triangles(corners: Floats, point: Floats) -> Floats:
    """Barycentric weights (f, 3) of the nearest point in each triangle (f, 3, 3)."""
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    away = point - corners[:, 0]
    uu, uv, vv = ((a * b).sum(axis=1) for a, b in ((u, u), (u, v), (v, v)))
    au, av = (away * u).sum(axis=1), (away * v).sum(axis=1)
    size = uu * vv - uv**2
    second, third = (vv * au - uv * av) / size, (uu * av - uv * au) / size
    best = np.column_stack([1 - second - third, second, third])
    inside = (best >= 0).all(axis=1)
    least = np.full(len(corners), np.inf)
    for k in range(3):  # else the nearest point of an edge
        start, end = corners[:, k], corners[:, (k + 1) % 3]
        along = end - start
        t = np.clip(((point - start) * along).sum(axis=1) / np.square(along).sum(axis=1), 0, 1)
        distance = np.square(start + t[:, None] * along - point).sum(axis=1)
        nearer = ~inside & (distance < least)
        least[nearer] = distance[nearer]
        best[nearer] = 0
        best[nearer, k], best[nearer, (k + 1) % 3] = (1 - t)[nearer], t[nearer]
    return best


def _nearest_in_bent(places: Floats, points: Floats, start: Floats) -> Floats:
    """Where 6-node faces (n, 6, 3) come nearest to points (n, 3), one by one, from a guess:
    Gauss-Newton steps, each to the foot on the tangent plane, kept within the face."""
    weight = start
    for _ in range(_STEPS):
        away = points - np.einsum("na,nax->nx", shape_functions(2, weight), places)
        along = np.einsum("nai,nax->nxi", by_all_but_last(shape_derivatives(2, weight)), places)
        step = np.einsum("nix,nx->ni", np.linalg.pinv(along), away)
        weight = np.clip(weight + np.column_stack([step, -step.sum(axis=1)]), 0, None)
        weight /= weight.sum(axis=1, keepdims=True)
    return weight


def _inward(mesh: Mesh, face: npt.NDArray[np.intp], weight: Floats) -> Floats:
    """Unit normals: between those of the corners, each the mean of its faces'."""
    at_node = np.zeros_like(mesh.nodes)
    places = mesh.nodes[mesh.boundary]
    for k, corner in enumerate(np.eye(3)):
        along = np.einsum(
            "ai,fax->fix", by_all_but_last(shape_derivatives(mesh.order, corner)), places
        )
        inward = -_unit(np.cross(along[:, 0], along[:, 1]))
        np.add.at(at_node, mesh.boundary[:, k], inward)
    normal = _unit(at_node[mesh.boundary[face, :3]])
    return _unit(np.einsum("nc,ncx->nx", weight, normal))


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit
