"""Light in a ball with balls in it: the multipoles are right, and the mesh agrees with them."""

from __future__ import annotations

import numpy as np

from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.mesh.solids import ball_mesh
from reference.optics_inclusions import layered_series, multipole_series
from reference.optics_solid import sphere_series

SOURCES = 40 * np.array([[1.0, 0, 0], [0, 0.6, 0.8]])
DETECTORS = 41 * np.array([[0, 0, 1.0], [-0.6, 0, -0.8], [-0.6, -0.8, 0]])
ANGLES = np.arccos(SOURCES @ DETECTORS.T / 40 / 41)
TISSUE = 0.01, 1.0
TWO = [((12.0, -8, 6), 10.0, 0.02, 1.2), ((-15.0, 10, -5), 8.0, 0.025, 1.4)]


def test_a_ball_of_the_same_tissue_changes_nothing() -> None:
    found = multipole_series(41, *TISSUE, [((12, -8, 6), 10, *TISSUE)], SOURCES, DETECTORS)
    np.testing.assert_allclose(found, sphere_series(41, *TISSUE, 40, ANGLES), rtol=1e-8)


def test_one_at_the_centre_is_the_layered_ball() -> None:
    core = 12.0, 0.03, 1.4
    found = multipole_series(41, *TISSUE, [(np.zeros(3), *core)], SOURCES, DETECTORS, order=18)
    layered = layered_series(41, *TISSUE, core, 40.0, ANGLES)
    np.testing.assert_allclose(found, layered, rtol=1e-6)
    assert np.abs(layered / sphere_series(41, *TISSUE, 40, ANGLES) - 1).max() > 0.1


def test_two_off_the_centre() -> None:
    """More waves and another direction of the axes give the same; more absorption gives less."""
    found = multipole_series(41, *TISSUE, TWO, SOURCES, DETECTORS)
    fewer = multipole_series(41, *TISSUE, TWO, SOURCES, DETECTORS, order=8, outer_order=35)
    np.testing.assert_allclose(fewer, found, rtol=1e-5)
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turned = [(np.array(centre) @ turn, *rest) for centre, *rest in TWO]
    places = SOURCES @ turn, DETECTORS @ turn
    again = multipole_series(41, *TISSUE, turned, *places, order=8, outer_order=35)
    np.testing.assert_allclose(again, fewer, rtol=1e-6)
    assert (found < sphere_series(41, *TISSUE, 40, ANGLES)).all()


def test_the_mesh_agrees() -> None:
    mesh = ball_mesh(10, layers=5)
    balls = [((3.0, -2, 1), 4.0, 0.03, 1.5)]
    middle = mesh.nodes[mesh.corners].mean(axis=1)
    inside = np.linalg.norm(middle - balls[0][0], axis=1) < balls[0][1]
    model = ForwardModel(mesh, SOURCES / 4, DETECTORS / 4.1)
    found = model.measure(np.where(inside, 0.03, 0.01), np.where(inside, 1.5, 1.0), at="elements")
    sources, detectors = SOURCES / 40 * 9, DETECTORS / 4.1
    exact = multipole_series(10, *TISSUE, balls, sources, detectors)
    without = sphere_series(10, *TISSUE, 9, ANGLES)
    assert np.abs(exact / without - 1).max() > 0.1
    np.testing.assert_allclose(found, exact, rtol=0.02)
