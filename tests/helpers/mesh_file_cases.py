"""Meshes and files that several tests start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lesionkit.optics.mesh.disc import disc_mesh
from lesionkit.optics.mesh.mesh import Mesh

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
