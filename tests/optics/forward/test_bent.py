"""Bent 6-node triangles: points found in them, optodes on them, and those that fold."""

from __future__ import annotations

import numpy as np
import pytest

from lesionkit.optics import ForwardModel, Mesh, disc_mesh
from lesionkit.optics.mesh.elements import shape_functions
from reference import optics as reference

ANGLES = 2 * np.pi * np.arange(7) / 7 + 0.1
RING = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def wobbly():
    """A disc of radius 10 whose inner edges are bent as well, some by a tenth of their length."""
    mesh = disc_mesh(radius=10.0, nodes=61, optodes=6).to_quadratic()
    nodes = mesh.nodes.copy()
    middles = np.unique(mesh.elements[:, 3:])
    nodes[middles] += np.random.default_rng(7).uniform(-0.15, 0.15, (len(middles), 2))
    return Mesh(nodes, mesh.elements)


def test_bent_says_which():
    mesh = disc_mesh(radius=10.0, nodes=61, optodes=6)
    assert not mesh.bent.any()
    assert not mesh.to_quadratic().bent.any()
    quadratic = mesh.to_quadratic()
    nodes = quadratic.nodes.copy()
    nodes[quadratic.elements[3, 4]] += 0.01
    bent = Mesh(nodes, quadratic.elements).bent
    assert not bent.flags.writeable
    holders = (quadratic.elements == quadratic.elements[3, 4]).any(axis=1)
    np.testing.assert_array_equal(bent, holders)


@pytest.mark.parametrize("far", [0.0, 1e5])
def test_locate_gives_the_place_back(far):
    mesh = wobbly()
    mesh = Mesh(mesh.nodes + far, mesh.elements)
    random = np.random.default_rng(3)
    element = random.integers(0, len(mesh.elements), 500)
    weight = random.dirichlet(np.ones(3), 500)
    points = np.einsum("ka,kax->kx", shape_functions(2, weight), mesh.nodes[mesh.elements[element]])
    found, place = mesh.locate(points)
    np.testing.assert_array_equal(found, element)
    np.testing.assert_allclose(place, weight, atol=1e-9 if far else 1e-13)


def test_the_bent_rim_is_inside_and_a_little_more_is_not():
    mesh = disc_mesh(20.0, optodes=6)
    fraction = np.linspace(0, 1, 11)
    x = mesh.nodes[mesh.boundary]
    s = fraction[:, None, None]
    rim = (1 - s) * (1 - 2 * s) * x[:, 0] + s * (2 * s - 1) * x[:, 1] + 4 * s * (1 - s) * x[:, 2]
    rim = rim.reshape(-1, 2)
    assert (mesh.locate(rim)[0] >= 0).all()
    assert (mesh.locate(rim * (1 + 1e-6))[0] == -1).all()
    chord = (0.5 * (x[:, 0] + x[:, 1])).reshape(-1, 2)
    assert np.linalg.norm(rim, axis=1).min() > np.linalg.norm(chord, axis=1).max()


def test_a_point_far_outside_is_outside():
    mesh = wobbly()
    points = np.random.default_rng(1).uniform(-30, 30, (400, 2))
    outside = np.linalg.norm(points, axis=1) > 10.5
    assert (mesh.locate(points[outside])[0] == -1).all()


def test_optode_weights_are_the_references():
    mesh = disc_mesh(10.0, optodes=6)
    of = ForwardModel(mesh, 10 * RING, 10.02 * RING, source_depth=0.8)
    for i, point in enumerate(9.2 * RING):
        expected = reference.barycentric_source(mesh.nodes, mesh.elements, point)
        found = of.source_weights[[i]].toarray()[0]
        # the rim is a circle but for the parabolas: 1e-5 of the radius
        np.testing.assert_allclose(found @ mesh.nodes, point, atol=2e-4)
        np.testing.assert_allclose(found, expected, atol=2e-3)
    places = of.detector_weights @ mesh.nodes
    np.testing.assert_allclose(places, 10 * RING, atol=1e-4)
    np.testing.assert_allclose(of.detector_weights.sum(axis=1), 1, rtol=1e-12)


def test_elements_that_fold_are_refused():
    mesh = Mesh([[0, 0], [4, 0], [2, 1.5]], [[0, 1, 2]]).to_quadratic()
    nodes = mesh.nodes.copy()
    nodes[mesh.elements[0, 3]] = [2, 0.3]
    Mesh(nodes, mesh.elements)  # bent far, and still one to one
    nodes[mesh.elements[0, 3]] = [2, 0.9]
    with pytest.raises(ValueError, match="elements must not be bent so far that they fold, got"):
        Mesh(nodes, mesh.elements)


def test_quarters_tile_the_elements():
    mesh = disc_mesh(radius=10.0, nodes=61, optodes=6).to_quadratic()
    a, b, c = mesh.nodes[mesh.quarters].transpose(1, 0, 2)
    twice = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    np.testing.assert_allclose(twice.reshape(-1, 4) / 2, mesh.areas[:, None] / 4 * np.ones(4))
    np.testing.assert_array_equal(mesh.quarters[2::4, 2], mesh.elements[:, 2])
    with pytest.raises(ValueError, match="only a mesh of 6-node triangles has quarters"):
        _ = disc_mesh(nodes=61, optodes=6).quarters
