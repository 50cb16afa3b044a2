"""Meshes of tetrahedra: the shapes made, curved rims, what is refused of them, refined ones."""

from __future__ import annotations

import itertools
import math

import meshio
import numpy as np
import pytest

from lesionkit.optics.mesh.files import read_mesh, write_mesh
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.mesh.refinement import refine
from lesionkit.optics.mesh.solids import ball_mesh, cylinder_mesh, slab_mesh

BALL = ball_mesh(20, layers=3)
CUBE = slab_mesh((10, 10, 10), 5, order=1)


def volume(mesh: Mesh) -> float:
    """By Gauss's theorem over the boundary's 6-node faces, 7 x 7 points each."""
    x, w = np.polynomial.legendre.leggauss(7)
    total = 0.0
    for (s, ws), (t, wt) in itertools.product(zip((x + 1) / 2, w / 2, strict=True), repeat=2):
        a, b, c = (1 - s) * (1 - t), s, (1 - s) * t
        phi = np.array(
            [a * (2 * a - 1), b * (2 * b - 1), c * (2 * c - 1), 4 * a * b, 4 * b * c, 4 * c * a]
        )
        by_b = np.array([1 - 4 * a, 4 * b - 1, 0, 4 * (a - b), 4 * c, -4 * c])
        by_c = np.array([1 - 4 * a, 0, 4 * c - 1, -4 * b, 4 * b, 4 * (a - c)])
        faces = mesh.nodes[mesh.boundary]
        place, along, across = (np.einsum("a,fax->fx", f, faces) for f in (phi, by_b, by_c))
        out = np.cross(along, across)
        total += ws * wt * (1 - s) * np.einsum("fx,fx->", place, out) / 3
    return total


@pytest.mark.parametrize(
    ("mesh", "truth", "tolerance"),
    [
        (BALL, 4 / 3 * math.pi * 20**3, 2e-3),
        (ball_mesh(20, layers=6), 4 / 3 * math.pi * 20**3, 1.3e-4),  # fourth order
        (cylinder_mesh(10, 15, spacing=5), math.pi * 100 * 15, 5e-4),
        (slab_mesh((10, 20, 5), 5), 1000, 1e-14),
    ],
)
def test_curved_rims_hold_the_volume(mesh: Mesh, truth: float, tolerance: float) -> None:
    assert mesh.order == 2
    assert volume(mesh) == pytest.approx(truth, rel=tolerance)


def test_a_ball_alone_is_graded_and_has_at_most_50_000_nodes() -> None:
    mesh = ball_mesh()
    assert 40_000 < len(mesh.nodes) <= 50_000
    away = np.linalg.norm(mesh.nodes[mesh.corners].mean(axis=1), axis=1)
    assert mesh.areas[away > 38].mean() < 0.6 * mesh.areas[away < 20].mean()
    rim = np.linalg.norm(mesh.nodes[np.unique(mesh.boundary)], axis=1)
    np.testing.assert_allclose(rim, 41, rtol=1e-14)


@pytest.mark.parametrize("order", [1, 2])
def test_locate_gives_the_place_back(order: int) -> None:
    mesh = ball_mesh(20, layers=3, order=order)
    points = np.random.default_rng(2).normal(size=(60, 3))
    points *= 15 / np.linalg.norm(points, axis=1, keepdims=True)
    element, weight = mesh.locate(points)
    assert (element >= 0).all()
    if order == 1:
        found = np.einsum("kc,kcx->kx", weight, mesh.nodes[mesh.corners[element]])
        np.testing.assert_allclose(found, points, atol=1e-12)
    else:  # just below a bent rim, outside the straight edges
        of_rim = mesh.nodes[mesh.boundary[:, 3]] * (1 - 1e-9)
        assert (mesh.locate(of_rim)[0] >= 0).all()
    assert mesh.locate([[0, 0, 20.1]])[0].tolist() == [-1]


def test_turned_elements_are_turned_back_with_their_middles() -> None:
    turned = BALL.elements.copy()
    turned[::2] = turned[::2][:, [0, 1, 3, 2, 4, 8, 7, 6, 5, 9]]
    again = Mesh(BALL.nodes, turned)
    np.testing.assert_array_equal(again.elements, BALL.elements)


@pytest.mark.parametrize("suffix", [".vtu", ".msh", ".npz", ".vtk"])
def test_ten_nodes_come_back_from_files(tmp_path, suffix: str) -> None:
    write_mesh(BALL, tmp_path / f"ball{suffix}")
    found = read_mesh(tmp_path / f"ball{suffix}")
    np.testing.assert_array_equal(found.elements, BALL.elements)
    np.testing.assert_allclose(found.nodes, BALL.nodes, rtol=1e-15)


def test_gmsh_numbers_the_last_two_middles_the_other_way(tmp_path) -> None:
    """Gmsh's ten-node tetrahedron has the middle of edge 23 before that of 13; files are turned."""
    mesh = slab_mesh((10, 10, 10), 10)
    cells = [("tetra10", mesh.elements)]
    meshio.Mesh(mesh.nodes, cells).write(tmp_path / "m.msh", file_format="gmsh22", binary=False)
    lines = (tmp_path / "m.msh").read_text().split("$Elements\n")[1].splitlines()
    in_file = np.array(lines[1].split()[-10:], int) - 1
    assert in_file[[8, 9]].tolist() == mesh.elements[0, [9, 8]].tolist()


def two_cubes(shift: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Two cubes, nodes in the same place being the same."""
    nodes = np.concatenate([CUBE.nodes, CUBE.nodes + shift])
    nodes, number = np.unique(nodes.round(9), axis=0, return_inverse=True)
    elements = np.concatenate([CUBE.elements, CUBE.elements + len(CUBE.nodes)])
    return nodes, number.reshape(-1)[elements]


def hollow() -> tuple[np.ndarray, np.ndarray]:
    mesh = slab_mesh((15, 15, 15), 5, order=1)
    middle = mesh.nodes[mesh.elements].mean(axis=1) - [0, 0, 7.5]
    return mesh.nodes, mesh.elements[(np.abs(middle) > 2.5).any(axis=1)]


def swapped() -> np.ndarray:
    elements = BALL.elements.copy()
    elements[7, [4, 9]] = elements[7, [9, 4]]
    return elements


def folded() -> tuple[np.ndarray, np.ndarray]:
    """A flat tetrahedron, an edge of which is bent through the corner opposite."""
    mesh = Mesh([[0, 0, 0], [10, 0, 0], [0, 10, 0], [3, 3, 1]], [[0, 1, 2, 3]]).to_quadratic()
    nodes = mesh.nodes.copy()
    nodes[mesh.elements[0, 4:7], 2] += 2.4
    return nodes, mesh.elements


def two_middles() -> tuple[np.ndarray, np.ndarray]:
    """A neighbour has another node in the middle of an edge that both share."""
    mesh = slab_mesh((10, 10, 10), 10)
    elements = mesh.elements.copy()
    elements[0, 4] = len(mesh.nodes)
    middle = mesh.nodes[mesh.elements[0, :2]].mean(axis=0) + 0.1
    return np.concatenate([mesh.nodes, middle[None]]), elements


REFUSED = {
    "two parts": (*two_cubes([20, 0, 0]), "elements must form one connected region, got 2 parts"),
    "one edge in common": (*two_cubes([10, 10, 0]), r"closed boundary .* touch itself, got edge"),
    "one node in common": (*two_cubes([10, 10, 10]), r"boundary that touches itself, got node"),
    "a hole": (*hollow(), "elements must leave no hole, got 1, one with node"),
    "on the same side": (
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.2, 0.2, 1]],
        [[0, 1, 2, 3], [0, 1, 2, 4]],
        "elements must not overlap, got two on the same side of face",
    ),
    "a loose node": (
        np.vstack([CUBE.nodes, [99, 0, 0]]), CUBE.elements, "nodes must each belong to an element",
    ),
    "a sliver": (
        [[0, 0, 0], [1, 0, 0], [1, 1, 1e-9], [0, 1, 0]], [[0, 1, 2, 3]],
        "elements must have an area",
    ),
    "middles of other edges": (
        BALL.nodes, swapped(), "of 10 nodes must hold the corners, then .* 12, 20, 03, 13 and 23",
    ),
    "folds": (*folded(), "elements must not be bent so far that they fold"),
    "two middles": (*two_middles(), "elements that share an edge must share the node in its mid"),
    "nine nodes": (BALL.nodes, BALL.elements[:, :9], r"\(m, 4\) or \(m, 10\), .* \(160, 9\)"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    nodes, elements, message = REFUSED[case]
    if case == "nine nodes":
        message = message.replace("160", str(len(BALL.elements)))
    with pytest.raises(ValueError, match=message):
        Mesh(nodes, elements)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ball_mesh(0), "radius must be a finite number of mm at least 1e-09"),
        (lambda: ball_mesh(41, layers=1), "layers must be at least 2"),
        (lambda: ball_mesh(41, layers=100), "layers must need at most 1000000 nodes, got 100"),
        (lambda: ball_mesh(41, order=3), "order must be from 1 to 2"),
        (
            lambda: cylinder_mesh(20, 10, 11),
            "spacing must be a finite number of mm .* at most 10",
        ),
        (lambda: cylinder_mesh(20, 10, 0.01), "spacing must need at most 1000000 nodes"),
        (lambda: slab_mesh((1, 2)), r"size must have shape \(3\)"),
        (lambda: slab_mesh((1, 2, 0)), "size must be at least"),
        (lambda: slab_mesh((10, 10, 10), 0.01), "spacing must need at most 1000000 nodes"),
        (lambda: refine(BALL, [[20, 0, 0]], 1), "4-node tetrahedra, got"),
        (lambda: refine(CUBE, [[5, 0]], 1), r"points must have shape \(k, 3\)"),
    ],
)
def test_shapes_refuse(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_refined_tetrahedra_are_small_where_asked() -> None:
    at = np.array([[5.0, 0, 5]])
    fine = refine(CUBE, at, 1.0, growth=1.5)
    assert fine.areas.sum() == pytest.approx(1000, rel=1e-13)
    np.testing.assert_array_equal(fine.nodes[: len(CUBE.nodes)], CUBE.nodes)
    corner = fine.nodes[fine.elements]
    pairs = list(itertools.combinations(range(4), 2))
    longest = np.max(
        [np.linalg.norm(corner[:, i] - corner[:, j], axis=1) for i, j in pairs], axis=0
    )
    away = np.linalg.norm(corner.mean(axis=1) - at, axis=1)
    assert (longest <= 1 + 1.5 * np.maximum(away - 1, 0)).all()
    assert (fine.areas / longest**3).min() > 0.1 * (CUBE.areas / 10**3).min()
