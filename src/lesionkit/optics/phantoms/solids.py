"""Tissue in three dimensions: meshes of a recipe's ball or cylinder, optodes on them, and how deep
points lie below the surface of any mesh of tetrahedra."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lesionkit.optics.forward.surface import nearest_on_surface
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.mesh.solids import ball_mesh, cylinder_mesh

Floats = npt.NDArray[np.float64]

FAST_NODES, ACCURATE_NODES = 10_179, 49_049  # balls of 7 and 12 layers (docs/light-3d.md)


def spiral(count: int, radius: float, height: float | None) -> Floats:
    """(count, 3) mm on a ball, or on the side of a cylinder of that height: a spiral from below
    whose turns are as far apart as its points, after Saff and Kuijlaars, Mathematical Intelligencer
    19(1), 5-11, 1997. Each point has as much of the surface as any other."""
    tall = 2 * radius if height is None else height  # a ball's area is its cylinder's (Archimedes)
    z = ((np.arange(count) + 0.5) / count - 0.5) * tall
    around = np.sqrt(radius**2 - z**2) if height is None else np.full(count, radius)
    turn = np.sqrt(2 * np.pi * radius * tall / count) / around
    angle = np.cumsum(turn) - turn[0]
    return np.column_stack([around * np.cos(angle), around * np.sin(angle), z])


def mesh(radius: float, height: float | None, nodes: int | None) -> Mesh:
    """A ball, or a cylinder of that height, of quadratic tetrahedra with about so many nodes."""
    nodes = ACCURATE_NODES if nodes is None else nodes
    if height is None:
        return ball_mesh(radius, max(2, round(((0.3 * nodes) ** (1 / 3) - 0.5) / 2)))
    spacing = (24 * radius**2 * height / nodes) ** (1 / 3)
    return cylinder_mesh(radius, height, min(spacing, radius, height))


def depth(mesh: Mesh, points: Floats) -> Floats:
    """mm (n,) of points (n, 3) below the flat faces between the corners of the surface; below 0
    outside of the mesh."""
    away = nearest_on_surface(mesh, points)[1]
    return np.where(mesh.locate(points)[0] >= 0, away, -away)
