"""Meshes of masks: their shape, their angles, and what is refused."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from lesionkit.geometry import Geometry
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.mesh.stuffing import mask_mesh

Z, Y, X = np.ogrid[-24:25, -24:25, -24:25]
BALL = X**2 + Y**2 + Z**2 <= 20**2


def angles(mesh: Mesh) -> np.ndarray:
    """Dihedral angles of all tetrahedra, degrees."""
    corners = mesh.nodes[mesh.elements]
    found = []
    for i, j in itertools.combinations(range(4), 2):
        along = corners[:, j] - corners[:, i]
        k, m = sorted({0, 1, 2, 3} - {i, j})
        one, other = (np.cross(along, corners[:, n] - corners[:, i]) for n in (k, m))
        cosine = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1)
        found.append(np.arccos(np.clip(cosine / np.linalg.norm(other, axis=1), -1, 1)))
    return np.degrees(found)


@pytest.mark.parametrize("size", [8.0, 5.0])
def test_a_ball(size: float) -> None:
    mesh = mask_mesh(BALL, size=size)
    away = np.linalg.norm(mesh.nodes[np.unique(mesh.boundary)] - 24, axis=1)
    assert np.abs(away - 20).max() < 0.7  # voxels have a half of 0.5, and distances are smoothed
    assert mesh.areas.sum() == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.1 * (size / 8) ** 1.3)
    assert angles(mesh).min() > 10
    assert angles(mesh).max() < 165


def test_it_lies_where_the_volume_lies() -> None:
    affine = np.array([[0.0, 0, -2, 50], [1, 0, 0, -20], [0, 1.5, 0, 7], [0, 0, 0, 1]])
    box = np.zeros((20, 28, 36), bool)
    box[4:16, 5:23, 6:30] = True
    flat, placed = (mask_mesh(box, spacing, 4.0) for spacing in ((2, 1.5, 1), Geometry(affine)))
    column, row, plane = (flat.nodes / [1, 1.5, 2]).T
    expected = np.column_stack([column, row, plane]) @ affine[:3, :3].T + affine[:3, 3]
    np.testing.assert_allclose(placed.nodes, expected, atol=1e-9)
    assert 0.85 < placed.areas.sum() / (12 * 18 * 24 * 3) < 1  # edges are rounded off


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_any_shape_gives_a_mesh(seed: int) -> None:
    """Thin bridges and parts that touch: what the mesh's own checks would refuse is left out."""
    noise = np.random.default_rng(seed).normal(size=(30, 36, 40))
    mesh = mask_mesh(ndimage.gaussian_filter(noise, 3) > 0, (2, 1, 1), 4.0)
    assert len(mesh.elements) > 1000
    assert angles(mesh).min() > 8
    assert angles(mesh).max() < 165


def test_the_largest_part_without_its_hollows() -> None:
    mask = BALL.copy()
    mask[:2, :2, :2] = True
    mask[22:27, 22:27, 22:27] = False
    np.testing.assert_array_equal(mask_mesh(mask, size=8).nodes, mask_mesh(BALL, size=8).nodes)


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"mask": BALL.astype(int)}, ValueError, "mask must be booleans of planes, rows and"),
        ({"mask": BALL[0]}, ValueError, "mask must be booleans of planes, rows and columns"),
        ({"mask": np.zeros((3, 3, 3), bool)}, ValueError, "mask must hold a voxel or more, got"),
        ({"size": 0.2}, ValueError, "size must give at most 1,000,000 lattice points, got 0.2 mm"),
        ({"size": 0.0}, ValueError, "size must be a finite number of mm above 0, got 0"),
        ({"size": 80.0}, ValueError, "mask must be thick enough for elements of 80 mm"),
        ({"spacing": -1}, ValueError, "spacing must be"),
        (
            {"spacing": Geometry(np.eye(4) + np.diag([0.3, 0, 0], 1))},
            ValueError,
            "spacing must have axes at right angles, got a Geometry sheared by",
        ),
    ],
)
def test_refused(change: dict[str, Any], kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        mask_mesh(**{"mask": BALL, **change})
