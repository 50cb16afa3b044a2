"""Images over a mesh. Of triangles: a square around its middle that is as wide as the mesh, row 0
at the top. Of tetrahedra: voxels of any grid, x to the right, y to the front and z up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit.geometry import Geometry
from lesionkit.optics.mesh.mesh import Mesh

Floats = npt.NDArray[np.float64]


def square(mesh: Mesh) -> tuple[Floats, float]:
    """The middle (2,) of the square over a mesh, and half of its side, mm."""
    low, high = mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)
    return (low + high) / 2, float((high - low).max() / 2)


def pixel_middles(mesh: Mesh, rows: int, columns: int) -> tuple[Floats, tuple[float, ...]]:
    """Middles of the pixels (rows columns, 2) of an image over a mesh, and its extent."""
    middle, half = square(mesh)
    left, bottom = middle - half
    x = left + (np.arange(columns) + 0.5) / columns * 2 * half
    y = bottom + (rows - np.arange(rows) - 0.5) / rows * 2 * half
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return points, (float(left), float(left + 2 * half), float(bottom), float(bottom + 2 * half))


def sampled(
    image: npt.NDArray[Any], points: Floats, middle: Any, half: float, order: int = 1
) -> Floats:
    """Values (n,) of an image over a square at points (n, 2) mm; beyond its rim, those of the rim.

    order : 1 between pixels linearly, 0 of the nearest
    """
    rows, columns = image.shape
    column = ((points[:, 0] - middle[0]) / half + 1) / 2 * columns - 0.5
    row = (1 - (points[:, 1] - middle[1]) / half) / 2 * rows - 0.5
    values: Floats = ndimage.map_coordinates(
        image.astype(np.float64), [row, column], order=order, mode="nearest"
    )
    return values


def grid_over(mesh: Mesh, spacing: float) -> tuple[tuple[int, ...], Geometry]:
    """The shape (planes, rows, columns) and place of cubic voxels that hold a mesh."""
    low, high = mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)
    count = np.ceil((high - low) / spacing).astype(int)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = (low + high - spacing * (count - 1)) / 2
    return tuple(count[::-1].tolist()), Geometry(affine)


def check_holds(mesh: Mesh, shape: tuple[int, ...], geometry: Geometry, name: str) -> None:
    """ValueError unless a volume holds all nodes of a mesh."""
    index = _index(geometry, mesh.nodes)
    outside = ((index < -0.5) | (index > np.array(shape) - 0.5)).any(axis=1)
    if outside.any():
        corners = geometry.corners(shape)
        both = [
            f"{_span(low, high)} mm"
            for low, high in (
                (mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)),
                (corners.min(axis=0), corners.max(axis=0)),
            )
        ]
        raise ValueError(
            f"{name} must hold the whole mesh, which lies at {both[0]}, got a volume at {both[1]}, "
            f"outside of which are {100 * outside.mean():.3g} % of the nodes"
        )


def voxels_within(
    mesh: Mesh, shape: tuple[int, ...], geometry: Geometry
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Numbers (n,) of the voxels whose middles lie in a mesh, and these (n, 3), mm."""
    low, high = mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)
    box = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
    reach = _index(geometry, box)
    first = np.clip(np.floor(reach.min(axis=0)), 0, shape).astype(int)
    last = np.clip(np.ceil(reach.max(axis=0)) + 1, 0, shape).astype(int)
    index = np.stack(np.meshgrid(*map(np.arange, first, last), indexing="ij"), axis=-1)
    index = index.reshape(-1, 3)
    points = geometry.places(index)
    inside = mesh.locate(points)[0] >= 0
    return np.ravel_multi_index(tuple(index[inside].T), shape), points[inside]


def at_middles(mesh: Mesh, values: npt.NDArray[Any], geometry: Geometry) -> Floats:
    """Values of a volume's voxels at the middles of the elements."""
    index = _index(geometry, mesh.nodes[mesh.corners].mean(axis=1))
    nearest = np.clip(np.rint(index).astype(int), 0, np.array(values.shape) - 1)
    found: Floats = values[tuple(nearest.T)].astype(np.float64)
    return found


def _index(geometry: Geometry, points: Floats) -> Floats:
    """Where points (n, 3) mm lie in a volume, (n, 3): plane, row, column."""
    index: Floats = (points - geometry.affine[:3, 3]) @ np.linalg.inv(geometry.steps)
    return index


def _span(low: Floats, high: Floats) -> str:
    return ", ".join(f"{a:.4g} to {b:.4g}" for a, b in zip(low, high, strict=True))
