"""Meshes that several tests start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lesionkit.optics.mesh.disc import disc_mesh
from lesionkit.optics.mesh.mesh import Mesh

# A square of side 2 about the origin, in four triangles about node 4.
SQUARE = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [0, 0]], dtype=float)

FOUR = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])


def grid(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit squares, each cut in two: nodes and elements."""
    y, x = np.mgrid[: rows + 1, : columns + 1]
    here = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    corners = [here, here + 1, here + columns + 2, here + columns + 1]
    elements = np.concatenate(
        [np.stack([corners[i] for i in halves], axis=1) for halves in ((0, 1, 2), (0, 2, 3))]
    )
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(float), elements


def strip(turns: float, steps: int, pitch: float) -> tuple[np.ndarray, np.ndarray]:
    """A band of width 1 that winds about the origin, `pitch` further out with each turn."""
    angle = np.linspace(0, 2 * np.pi * turns, steps + 1)
    inner = 2 + pitch * angle / (2 * np.pi)
    spokes = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    a, b = np.arange(steps), np.arange(steps) + steps + 1
    elements = np.concatenate([np.stack([a, b, b + 1], 1), np.stack([a, b + 1, a + 1], 1)])
    return np.concatenate([inner[:, None] * spokes, (inner + 1)[:, None] * spokes]), elements


def loop_area(mesh: Mesh) -> float:
    x, y = mesh.nodes[mesh.boundary[:, 0]].T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


DISC = disc_mesh(radius=10, nodes=61, optodes=6)

TETRAHEDRA = Mesh(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], [[0, 1, 2, 3], [1, 2, 3, 4]]
)

MESHES = {"triangles": DISC, "six nodes": DISC.to_quadratic(), "tetrahedra": TETRAHEDRA}


def equal(one: Mesh, other: Mesh) -> bool:
    return np.array_equal(one.nodes, other.nodes) and np.array_equal(one.elements, other.elements)


def nirfast_files(folder: Path, nodes: str, elements: str, properties: str | None = None) -> Path:
    (folder / "it.node").write_text(nodes)
    (folder / "it.elem").write_text(elements)
    if properties is not None:
        (folder / "it.param").write_text(properties)
    return folder / "it"


SQUARE_NODES = "1 -1 -1 0\n1 1 -1 0\n1 1 1 0\n1 -1 1 0\n0 0 0 0\n"

SQUARE_ELEMENTS = "1 2 5\n2 3 5\n3 4 5\n4 1 5\n"

DATA = {
    "absorption": np.linspace(0.01, 0.02, 61),
    "single": np.linspace(0, 1, 61).astype(np.float32),
    "region": np.arange(61),
    "pair": np.arange(122.0).reshape(61, 2),
    "spectrum": np.arange(61.0 * 9).reshape(61, 9),
}
