"""Sources and detectors on the rim of a mesh (the surface of a solid one), as weights of nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lesionkit.optics.forward.surface import SurfacePoints, snap_to_surface
from lesionkit.optics.mesh.elements import edge_functions, shape_functions
from lesionkit.optics.mesh.mesh import Mesh

Floats = npt.NDArray[np.float64]

SPOT = 4  # Gauss points along the radius of a spot; it is seen at a depth, which smooths
_STEPS = 12  # to the nearest point of a bent edge: each takes the error times the bend's share


@dataclass(frozen=True)
class RimPoints:
    """Points on boundary edges.

    edge     : (n,) rows of `mesh.boundary`
    fraction : (n,) in [0, 1], from the edge's first node to its second
    position : (n, 2) mm
    inward   : (n, 2) unit normals, interpolated between those of the two nodes, so that they turn
               smoothly along the rim (on a disc they point to the centre)
    """

    edge: npt.NDArray[np.intp]
    fraction: Floats
    position: Floats
    inward: Floats


def snap_to_rim(mesh: Mesh, points: Floats, name: str) -> RimPoints:
    """The nearest boundary point to each of `points` (n, 2) mm; refused past half an edge."""
    ends = mesh.nodes[mesh.boundary[:, :2]]
    along = ends[:, 1] - ends[:, 0]
    length = np.linalg.norm(along, axis=1)
    fraction = np.einsum("nex,ex->ne", points[:, None] - ends[None, :, 0], along) / length**2
    fraction = np.clip(fraction, 0, 1)
    place = ends[None, :, 0] + fraction[..., None] * along
    distance = np.linalg.norm(points[:, None] - place, axis=2)
    edge = np.argmin(distance, axis=1)
    each = np.arange(len(points))
    far = np.flatnonzero(distance[each, edge] > length[edge] / 2)
    if len(far):
        i = far[0]
        raise ValueError(
            f"{name} must lie on the rim of the mesh, within half a boundary edge "
            f"({length[edge[i]] / 2:.3g} mm): {name}[{i}] at {points[i].tolist()} mm is "
            f"{distance[i, edge[i]]:.3g} mm away"
        )
    t = fraction[each, edge]
    of_edge = mesh.nodes[mesh.boundary[edge]]
    if mesh.bent.any():
        t = _nearest_on_edges(of_edge, points, t)
    phi, _ = edge_functions(mesh.order, t)
    return RimPoints(edge, t, np.einsum("na,nax->nx", phi, of_edge), _inward(mesh, edge, t))


def _nearest_on_edges(places: Floats, points: Floats, start: Floats) -> Floats:
    """Where edges (n, 3, 2) come nearest to points (n, 2), one by one, from a guess: Gauss-Newton
    steps on the parabola, each to the foot on its tangent."""
    t = start
    for _ in range(_STEPS):
        phi, slope = edge_functions(2, t)
        away = points - np.einsum("na,nax->nx", phi, places)
        along = np.einsum("na,nax->nx", slope, places)
        t = np.clip(t + np.einsum("nx,nx->n", away, along) / np.square(along).sum(axis=1), 0, 1)
    return t


def _inward(mesh: Mesh, edge: npt.NDArray[np.intp], t: Floats) -> Floats:
    """Unit normals at places of the rim: between those of the ends, each the mean of its edges'."""
    at_node = np.zeros_like(mesh.nodes)
    of_edge = mesh.nodes[mesh.boundary]
    for side in (0, 1):
        _, slope = edge_functions(mesh.order, np.array(float(side)))
        along = np.einsum("a,eax->ex", slope, of_edge)
        inward = _unit(np.stack([-along[:, 1], along[:, 0]], axis=1))
        np.add.at(at_node, mesh.boundary[:, side], inward)
    normal = _unit(at_node[mesh.boundary[edge, :2]])
    return _unit((1 - t)[:, None] * normal[:, 0] + t[:, None] * normal[:, 1])


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit


def interior_weights(mesh: Mesh, points: Floats, name: str) -> sparse.csr_array:
    """Point sources: the shape functions of the element that holds each point, (n, nodes)."""
    element, barycentric = mesh.locate(points)
    outside = np.flatnonzero(element < 0)
    if len(outside):
        i = outside[0]
        raise ValueError(
            f"{name} must lie inside the mesh: {name}[{i}] would be at {points[i].tolist()} mm"
        )
    return _weights(mesh, mesh.elements[element], shape_functions(mesh.order, barycentric))


def source_weights(
    mesh: Mesh, points: Floats, depth: float, radius: float = 0.0
) -> sparse.csr_array:
    """Sources `depth` mm inside the rim from `points` (n, d) mm on it; 0: where they lie. With a
    radius (mm) they are spread evenly over a disc of the surface, or a piece of the rim."""
    if not depth:
        return interior_weights(mesh, points, "sources")
    rim = snap(mesh, points, "sources")
    if not radius:
        return interior_weights(mesh, rim.position + depth * rim.inward, "sources")
    places, share = _spots(rim, radius)
    each = snap(mesh, places, "spots of sources")
    weights = interior_weights(mesh, each.position + depth * each.inward, "spots of sources")
    mean = sparse.csr_array(sparse.kron(sparse.eye_array(len(points)), share[None]))
    spread = sparse.csr_array(mean @ weights)
    spread.sort_indices()
    return spread


def _spots(rim: RimPoints | SurfacePoints, radius: float) -> tuple[Floats, Floats]:
    """Points (n q, d) of a rule over the disc, or the piece, that touches the rim at each of n
    points, and their shares (q,)."""
    x, weight = np.polynomial.legendre.leggauss(SPOT)
    if rim.inward.shape[1] == 2:
        along = np.stack([-rim.inward[:, 1], rim.inward[:, 0]], axis=1)
        steps = radius * x[:, None, None] * along
        return np.swapaxes(rim.position + steps, 0, 1).reshape(-1, 2), weight / 2
    least = np.eye(3)[np.abs(rim.inward).argmin(axis=1)]
    first = _unit(np.cross(rim.inward, least))
    second = np.cross(rim.inward, first)
    far, turn = radius * np.sqrt((x + 1) / 2), np.arange(2 * SPOT) * np.pi / SPOT
    cosine, sine = (np.outer(far, f(turn)).ravel()[:, None, None] for f in (np.cos, np.sin))
    places = np.swapaxes(rim.position + cosine * first + sine * second, 0, 1)
    return places.reshape(-1, 3), np.repeat(weight / 2, len(turn)) / len(turn)


def snap(mesh: Mesh, points: Floats, name: str) -> RimPoints | SurfacePoints:
    """The nearest point of the rim, or of the surface of tetrahedra, to each of `points`."""
    return (snap_to_surface if mesh.solid else snap_to_rim)(mesh, points, name)


def rim_weights(mesh: Mesh, rim: RimPoints | SurfacePoints) -> sparse.csr_array:
    """Readings of the fluence at points of the rim, (n, nodes)."""
    if isinstance(rim, SurfacePoints):
        phi = shape_functions(mesh.order, rim.barycentric)
        return _weights(mesh, mesh.boundary[rim.face], phi)
    phi, _ = edge_functions(mesh.order, rim.fraction)
    return _weights(mesh, mesh.boundary[rim.edge], phi)


def _weights(mesh: Mesh, nodes: npt.NDArray[np.int32], values: Floats) -> sparse.csr_array:
    rows = np.repeat(np.arange(len(nodes)), nodes.shape[1])
    shape = (len(nodes), len(mesh.nodes))
    weights = sparse.csr_array((values.ravel(), (rows, nodes.ravel())), shape)
    # A point on an edge belongs to its two nodes alone: rounding must not reach further.
    weights.data[np.abs(weights.data) < 1e-12] = 0
    weights.eliminate_zeros()
    return weights
