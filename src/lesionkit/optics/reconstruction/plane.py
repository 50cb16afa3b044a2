"""Images over a mesh: a square around its middle that is as wide as the mesh, row 0 at the top."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

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
