"""The refractive index of each element, and sources as spots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lesionkit.optics import ForwardModel, Mesh, disc_mesh
from lesionkit.optics.mesh.solids import ball_mesh, slab_mesh
from reference.optics import fem_matrix
from reference.optics_solid import solid_matrix, sphere_series


def bent() -> Mesh:
    """A box of which one edge bulges, between straight elements."""
    box = slab_mesh((6, 4, 4), 4)
    nodes = box.nodes.copy()
    nodes[box.boundary[10, 3]] *= 1.05
    mesh = Mesh(nodes, box.elements)
    assert 0 < mesh.bent[:-1].sum() < len(mesh.elements) - 1
    return mesh


MESHES = {
    "triangles": disc_mesh(5, nodes=60),
    "tetrahedra": slab_mesh((6, 4, 4), 4, order=1),
    "bent tetrahedra": bent(),
}


def indices(mesh: Mesh) -> np.ndarray:
    """Three regions, of which each reaches the rim."""
    x, y = mesh.nodes[mesh.corners].mean(axis=1)[:, :2].T
    return np.select([x > 0.5, y > 0], [1.33, 1.5], 1.0)


def around(mesh: Mesh) -> np.ndarray:
    """Three places on the rim."""
    return mesh.nodes[mesh.boundary[[0, 3, 7], 0]]


@pytest.mark.parametrize(
    ("kind", "at"),
    [
        ("triangles", "nodes"),
        ("triangles", "elements"),
        ("tetrahedra", "nodes"),
        ("bent tetrahedra", "elements"),
    ],
)
def test_equal_to_the_dense_reference(kind: str, at: str) -> None:
    mesh = MESHES[kind]
    rim = around(mesh)
    model = ForwardModel(mesh, rim, rim[::-1], indices(mesh), frequency=3e8, accuracy=1e-8)
    rng = np.random.default_rng(4)
    mua, mus = 0.01 * rng.uniform(0.5, 2, mesh.places[at]), rng.uniform(0.7, 1.4, mesh.places[at])
    matrix_of = solid_matrix if mesh.solid else fem_matrix
    matrix = matrix_of(
        mesh.nodes, mesh.elements.tolist(), mua, mus, at, indices(mesh), frequency=3e8
    )
    expected = np.linalg.solve(matrix, model.source_weights.toarray().T).T
    # bent elements: rules of the reference are exact in straight ones alone
    tolerance = 1e-9 if mesh.order == 1 or not mesh.solid else 2e-4
    found = model.fluence(mua, mus, at)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-3 * tolerance)
    readings = model.measure(mua, mus, at)
    np.testing.assert_allclose(
        readings, expected @ model.detector_weights.toarray().T, rtol=max(tolerance, 1e-8)
    )


@pytest.mark.parametrize("kind", MESHES)
def test_one_number_is_the_same_for_each(kind: str) -> None:
    mesh = MESHES[kind]
    rim = around(mesh)
    one, each = (
        ForwardModel(mesh, rim, rim, index, frequency=1e8)
        for index in (1.4, np.full(len(mesh.elements), 1.4))
    )
    maps = np.full(len(mesh.nodes), 0.01), np.full(len(mesh.nodes), 1.0)
    np.testing.assert_allclose(each.measure(*maps), one.measure(*maps), rtol=1e-10)


def test_slower_light_is_later_and_a_matched_rim_lets_more_out() -> None:
    mesh = disc_mesh(20, nodes=400)
    rim = 20 * np.array([[1.0, 0], [-1, 0], [0, 1]])
    core = np.linalg.norm(mesh.nodes[mesh.corners].mean(axis=1), axis=1) < 10
    maps = np.full(len(mesh.nodes), 0.01), np.full(len(mesh.nodes), 1.0)
    plain, slow, matched = (
        ForwardModel(mesh, rim, rim, np.where(core, inner, outer), frequency=1e8).measure(*maps)
        for inner, outer in ((1.33, 1.33), (1.5, 1.33), (1.33, 1.0))
    )
    assert np.angle(slow[0, 1]) > np.angle(plain[0, 1])
    assert abs(matched[0, 1]) < abs(plain[0, 1])


def test_a_spot_of_a_ball_against_the_series() -> None:
    mesh, radius = ball_mesh(20, layers=8), 6.0
    angles = np.deg2rad([35.0, 60, 120])
    out = 20 * np.column_stack([np.sin(angles), 0 * angles, np.cos(angles)])
    maps = np.full(len(mesh.nodes), 0.01), np.full(len(mesh.nodes), 1.0)
    point, spot = (
        ForwardModel(mesh, [[0, 0, 20]], out, source_radius=r).measure(*maps)[0]
        for r in (0, radius)
    )
    # a dense lattice over the disc that touches the sphere, each point moved to the sphere
    axis = np.linspace(-radius, radius, 41)
    x, y = (grid.ravel() for grid in np.meshgrid(axis, axis))
    x, y = x[np.hypot(x, y) <= radius], y[np.hypot(x, y) <= radius]
    places = np.column_stack([x, y, np.full(len(x), 20.0)])
    places *= 20 / np.linalg.norm(places, axis=1)[:, None]
    for i, angle in enumerate(angles):
        apart = np.arccos(places @ out[i] / 400)
        each = sphere_series(20, 0.01, 1.0, 19, apart)
        alone = sphere_series(20, 0.01, 1.0, 19, np.array([angle]))[0]
        assert spot[i] / point[i] == pytest.approx(each.mean() / alone, rel=1e-2)
    assert spot[0] / point[0] > 1.1  # what a spot changes


def test_a_spot_of_a_disc_is_the_mean_of_points() -> None:
    mesh = disc_mesh(20, nodes=800)
    rim, turn = 20 * np.array([[1.0, 0], [0, 1.0]]), np.linspace(-4, 4, 201)
    maps = np.full(len(mesh.nodes), 0.01), np.full(len(mesh.nodes), 1.0)
    spot = ForwardModel(mesh, rim[:1], -rim, source_radius=4)
    np.testing.assert_allclose(spot.source_weights.sum(axis=1), 1)
    along = np.arctan(turn / 20)  # of points on the line that touches the disc
    many = ForwardModel(mesh, 20 * np.column_stack([np.cos(along), np.sin(along)]), -rim)
    mean = np.trapezoid(many.measure(*maps), turn, axis=0) / 8
    np.testing.assert_allclose(spot.measure(*maps)[0], mean, rtol=2e-3)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"refractive_index": np.ones(3)}, r"refractive_index must have shape \(\d+\), got"),
        ({"refractive_index": 0}, "refractive_index must be a finite number at least 1"),
        ({"refractive_index": "0.9 each"}, "refractive_index must be at least 1, got 0.9"),
        ({"refractive_index": "11 each"}, "refractive_index must be at most 10, got 11"),
        ({"refractive_index": "1.4 each", "compat": "nirfast"}, "must be one number with compat"),
        ({"source_radius": -1.0}, "source_radius must be a finite number of mm at least 0"),
        ({"source_radius": 2.0, "source_depth": 0}, "source_radius must be 0 with source_depth=0"),
        ({"source_radius": 2.0, "compat": "nirfast"}, "source_radius must be 0 with compat"),
        ({"source_radius": 30.0}, "spots of sources must lie on the rim"),
    ],
)
def test_refused(change: dict[str, Any], sentence: str) -> None:
    mesh = disc_mesh(20, nodes=300)
    linear = Mesh(mesh.nodes[: mesh.corners.max() + 1], mesh.corners)
    index = change.get("refractive_index")
    if isinstance(index, str):
        change = {
            **change,
            "refractive_index": np.full(len(mesh.elements), float(index.split()[0])),
        }
    with pytest.raises(ValueError, match=sentence):
        ForwardModel(linear, [[20, 0]], [[0, 20]], **change)
