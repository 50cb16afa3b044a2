"""Meshes of a ball, a cylinder and a slab, of tetrahedra of 4 or 10 nodes.

The ball is an icosahedron's twenty tetrahedra about its centre, each cut into n^3, blown up to
shells that lie closer together at the rim.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics.mesh import checks
from lesionkit.optics.mesh.disc import zipped
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.mesh.topology import Floats, Ints

_MAX_NODES = 1_000_000  # more is a slip of the finger

LAYERS = 12
"""Of a ball: 49,049 nodes."""

GRADING = 0.35
"""A ball's layers are by this share thinner at the rim, and thicker at the centre, than in equal
steps."""


def ball_mesh(radius: float = 41.0, layers: int = LAYERS, order: int = 2) -> Mesh:
    """A ball about the origin, finer towards its rim.

    Parameters
    ----------
    radius : float, default 41
        1e-9 to 1e9 mm.
    layers : int, default 12
        Of elements between centre and rim, at least 2. With 12 in a ball of 41 mm, readings beyond
        10 degrees from their source are within 1 % of the truth (median) and 3 % (95th percentile)
        for mua up to 0.01 and mus' up to 1.0 mm^-1, 3 % and 6 % up to 0.02 and 1.5
        (docs/light-3d.md).
    order : {2, 1}, default 2
        2: tetrahedra of ten nodes, with edges on the rim bent to the sphere; 1: of four nodes.

    Returns
    -------
    Mesh
        20 layers^3 tetrahedra. The rim's corner nodes lie on the sphere.

    Raises
    ------
    TypeError, ValueError
        For anything else, or for over 1,000,000 nodes.

    Examples
    --------
    >>> from lesionkit.optics import ball_mesh
    >>> ball_mesh(41, layers=4)
    Mesh(2057 nodes, 1280 tetrahedra of order 2)
    """
    radius = _length(radius, "radius")
    order = _order(order)
    layers = arrays.integer(layers, "layers", at_least=2)
    _check_count(20 * (order * layers) ** 3 // 6, "layers", layers)
    lattice, elements = cut_tetrahedron(layers)
    vertices, faces = _icosahedron()
    shares = np.zeros((len(faces), len(lattice), len(vertices)), np.int16)
    for face, share in zip(faces, shares, strict=True):
        share[:, face] = lattice[:, 1:]
    points, number = np.unique(shares.reshape(-1, len(vertices)), axis=0, return_inverse=True)
    # Shares of an arc's angle, not of its chord: nodes then lie evenly on the sphere.
    shell = points.sum(axis=1)
    angle = math.acos(vertices[faces[0, 0]] @ vertices[faces[0, 1]])
    weight = np.sin(angle * points / np.maximum(shell, 1)[:, None])
    direction = weight @ vertices
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-300)
    t = shell / layers
    places = (radius * t * (1 + GRADING * (1 - t)))[:, None] * direction
    corners = number.reshape(len(faces), -1)[:, elements].reshape(-1, 4)

    def on_sphere(rim: Floats) -> Floats:
        moved: Floats = radius * rim / np.linalg.norm(rim, axis=1, keepdims=True)
        return moved

    return _bent_to(Mesh(places, corners), order, on_sphere)


def cylinder_mesh(
    radius: float = 41.0, height: float = 60.0, spacing: float = 5.0, order: int = 2
) -> Mesh:
    """A cylinder about the z axis, from -height / 2 to height / 2.

    Parameters
    ----------
    radius, height : float
        mm, 1e-9 to 1e9.
    spacing : float, default 5
        mm between corner nodes, about; at most the radius and the height.
    order : {2, 1}, default 2
        2: tetrahedra of ten nodes, with edges on the side bent to the cylinder; 1: of four nodes.

    Returns
    -------
    Mesh
        Rings of nodes in layers.

    Raises
    ------
    TypeError, ValueError
        For anything else, or for over 1,000,000 nodes.

    Examples
    --------
    >>> from lesionkit.optics import cylinder_mesh
    >>> cylinder_mesh(20, 30, spacing=10)
    Mesh(427 nodes, 216 tetrahedra of order 2)
    """
    radius, height = _length(radius, "radius"), _length(height, "height")
    spacing = arrays.number(spacing, "spacing", above=0, at_most=min(radius, height), unit="mm")
    order = _order(order)
    count = 4.2 * order**3 * (radius / spacing) ** 2 * (height / spacing + 1)
    _check_count(count, "spacing", spacing)
    rings = max(2, math.ceil(radius / spacing))
    disc = zipped(radius, [6 * k for k in range(1, rings + 1)])
    layers = max(1, math.ceil(height / spacing))
    z = np.linspace(-height / 2, height / 2, layers + 1)
    n = len(disc.nodes)
    places = np.column_stack([np.tile(disc.nodes, (layers + 1, 1)), np.repeat(z, n)])
    a, b, c = np.sort(disc.elements, axis=1).T
    prism = np.concatenate(  # the diagonal of each side begins at its smaller node below
        [
            np.column_stack([a, b, c, c + n]),
            np.column_stack([a, b, b + n, c + n]),
            np.column_stack([a, a + n, b + n, c + n]),
        ]
    )
    elements = (np.arange(layers)[:, None, None] * n + prism).reshape(-1, 4)

    def on_side(rim: Floats) -> Floats:
        away = np.hypot(rim[:, 0], rim[:, 1])
        scale = np.where(
            away > radius * (1 - 1 / (4 * rings)), radius / np.maximum(away, 1e-300), 1
        )
        moved: Floats = rim * np.column_stack([scale, scale, np.ones(len(rim))])
        return moved

    return _bent_to(Mesh(places, elements), order, on_side)


def slab_mesh(
    size: npt.ArrayLike = (80.0, 80.0, 40.0), spacing: float = 5.0, order: int = 2
) -> Mesh:
    """A box of tissue, its lower face in z = 0 and centred about the z axis.

    Parameters
    ----------
    size : (3,) array_like, default (80, 80, 40)
        mm along x, y and z, 1e-9 to 1e9.
    spacing : float, default 5
        mm between corner nodes along each axis, at most; at most the shortest side.
    order : {2, 1}, default 2
        2: tetrahedra of ten nodes; 1: of four nodes.

    Returns
    -------
    Mesh
        Six tetrahedra in each of the boxes of a grid.

    Raises
    ------
    TypeError, ValueError
        For anything else, or for over 1,000,000 nodes.

    Examples
    --------
    >>> from lesionkit.optics import slab_mesh
    >>> slab_mesh((20, 20, 10), spacing=5, order=1)
    Mesh(75 nodes, 192 tetrahedra of order 1)
    """
    sides = arrays.real(size, "size", (3,), "mm", at_least=checks.NARROWEST)
    if sides.max() > checks.FARTHEST:
        raise ValueError(f"size must be at most {checks.FARTHEST:g} mm, got {sides.max():g}")
    spacing = arrays.number(spacing, "spacing", above=0, at_most=float(sides.min()), unit="mm")
    order = _order(order)
    _check_count(float(np.prod(order * sides / spacing + 1)), "spacing", spacing)
    boxes = np.ceil(sides / spacing * (1 - 1e-12)).astype(int)
    axes = [np.linspace(0, 1, k + 1) for k in boxes]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    places = (grid - [0.5, 0.5, 0]) * sides
    stride = np.array([(boxes[1] + 1) * (boxes[2] + 1), boxes[2] + 1, 1])
    first = np.stack(np.meshgrid(*map(np.arange, boxes), indexing="ij"), axis=-1) @ stride
    elements = (first.reshape(-1, 1, 1) + _kuhn() @ stride).reshape(-1, 4)
    mesh = Mesh(places, elements)
    return mesh.to_quadratic() if order == 2 else mesh


def _length(value: float, name: str) -> float:
    return arrays.number(value, name, at_least=checks.NARROWEST, at_most=checks.FARTHEST, unit="mm")


def _order(order: int) -> int:
    return arrays.integer(order, "order", at_least=1, at_most=2)


def _check_count(nodes: float, name: str, value: float) -> None:
    if nodes > _MAX_NODES:
        raise ValueError(f"{name} must need at most {_MAX_NODES} nodes, got {value:g}")


def _bent_to(mesh: Mesh, order: int, move: Callable[[Floats], Floats]) -> Mesh:
    """The mesh of that order, the nodes in the middle of its rim's edges moved."""
    if order == 1:
        return mesh
    mesh = mesh.to_quadratic()
    nodes, middles = mesh.nodes.copy(), np.unique(mesh.boundary[:, 3:])
    nodes[middles] = move(nodes[middles])
    return Mesh(nodes, mesh.elements)


def _kuhn() -> npt.NDArray[np.intp]:
    """(6, 4, 3): the corners of the six tetrahedra of a unit cube, from 000 to 111."""
    steps = np.eye(3, dtype=np.intp)[list(itertools.permutations(range(3)))]
    return np.concatenate([np.zeros((6, 1, 3), np.intp), np.cumsum(steps, axis=1)], axis=1)


def cut_tetrahedron(n: int) -> tuple[Ints, npt.NDArray[np.intp]]:
    """A tetrahedron cut into n^3: lattice points as shares (k, 4) of its corners, sum n, and the
    elements (n^3, 4). Its faces are cut into n^2 equal triangles."""
    # Kuhn's tetrahedra with n >= x >= y >= z >= 0; shares are the differences.
    cubes = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 1, 3)
    corners = (cubes + _kuhn()).reshape(-1, 4, 3)
    x, y, z = np.moveaxis(corners, 2, 0)
    inside = ((x >= y) & (y >= z)).all(axis=1)
    corners = corners[inside]
    points, number = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    x, y, z = points.T
    shares = np.column_stack([n - x, x - y, y - z, z]).astype(np.int32)
    return shares, number.reshape(-1, 4)


def _icosahedron() -> tuple[Floats, npt.NDArray[np.intp]]:
    """Its corners (12, 3) on the unit sphere and its faces (20, 3)."""
    golden = (1 + math.sqrt(5)) / 2
    pairs = [(s, t * golden) for s in (1, -1) for t in (1, -1)]
    vertices = np.array(
        [np.roll([0.0, s, t], shift) for shift in range(3) for s, t in pairs]
    ) / math.sqrt(1 + golden**2)
    near = vertices @ vertices.T > 0.4  # neighbours: cosine 1 / sqrt(5)
    faces = [
        three
        for three in itertools.combinations(range(12), 3)
        if all(near[i, j] for i, j in itertools.combinations(three, 2))
    ]
    return vertices, np.array(faces)
