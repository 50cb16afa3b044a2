"""How near the readings of the default disc are to the truth, and what its mesh is."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from lesionkit import _core
from lesionkit.optics import ForwardModel, PhantomRecipe, disc_mesh, generate, spectra
from lesionkit.optics.mesh.disc import graded_disc
from reference.optics import disc_series
from reference.optics_inclusions import disc_with_inclusions

ANGLES = 2 * np.pi * np.arange(16) / 16
RING = 41.0 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
APART = np.arange(2, 15)  # places between source and detector; beside the source no one measures

# mua and mus' of the background in mm^-1, and inclusions: x, y, radius in mm, and how many times
# the background's mua and mus'.
TISSUES = {"P1": (0.010, 1.0), "P2": (0.004, 0.8), "P3": (0.020, 1.5)}
INCLUSIONS = {
    "none": [],
    "one": [(12, -8, 10, 2.0, 1.2)],
    "two": [(-15, 10, 8, 2.5, 1.3), (14, -6, 8, 1.5, 0.8)],
}


@functools.cache
def default():
    return ForwardModel(disc_mesh(), RING, RING)


def fractions_of(mesh, discs):
    """(discs, 4 elements): which part of each quarter lies in each disc."""
    regions = np.zeros((1, 3, 8))
    for k, (x, y, radius, *_) in enumerate(discs, 1):
        regions[0, k, :3] = x, y, radius
    corners = np.ascontiguousarray(mesh.nodes[mesh.quarters])
    fractions = np.empty((1, 2, len(corners)))
    _core.optics.element_shares(regions, corners, fractions)
    return fractions[0, : len(discs)]


def readings_of(model, tissue, discs):
    fractions = fractions_of(model.mesh, discs)
    maps = []
    for k, background in enumerate(tissue):
        excess = sum(f * (d[3 + k] - 1) for f, d in zip(fractions, discs, strict=True))
        maps.append(np.full(4 * len(model.mesh.elements), background) * (1 + excess))
    return model.measure(*maps, at="quarters")


def truth(tissue, discs, source, depth=1.0):
    """Readings of the detectors APART from a source, by the series."""
    place = (41 - depth) * RING[source] / 41
    if not discs:
        return disc_series(41, *tissue, 41 - depth, ANGLES[APART])
    inclusions = [(x, y, r, a * tissue[0], s * tissue[1]) for x, y, r, a, s in discs]
    angles = ANGLES[(source + APART) % 16]
    return disc_with_inclusions(41, *tissue, inclusions, place, angles, waves=22, terms=150)


@pytest.mark.parametrize("tissue", TISSUES)
@pytest.mark.parametrize("discs", INCLUSIONS)
def test_the_default_disc_is_within_one_per_cent(tissue, discs):
    readings = readings_of(default(), TISSUES[tissue], INCLUSIONS[discs])
    sources = range(16) if discs == "none" else (0, 13)
    expected = truth(TISSUES[tissue], [], 0) if discs == "none" else None
    for source in sources:
        if discs != "none":
            expected = truth(TISSUES[tissue], INCLUSIONS[discs], source)
        error = np.abs(readings[source, (source + APART) % 16] / expected - 1).max()
        assert error < 0.01, (source, error)


@pytest.mark.parametrize("depth", [0.66, 1.5])
def test_other_depths_of_the_source_are_as_near(depth):
    model = ForwardModel(disc_mesh(), RING, RING, source_depth=depth)
    for tissue in TISSUES.values():
        readings = readings_of(model, tissue, [])
        error = readings[0, APART] / truth(tissue, [], 0, depth) - 1
        assert np.abs(error).max() < 0.01, tissue


def test_modulated_light_is_as_near():
    model = ForwardModel(disc_mesh(), RING, RING, frequency=1e8)
    flat = np.ones(len(model.mesh.elements))
    mua, mus = TISSUES["P3"]
    readings = model.measure(mua * flat, mus * flat, "elements")
    apart = np.array([2, 5, 8])
    expected = disc_series(41, mua, mus, 40, ANGLES[apart], frequency=1e8, digits=25)
    assert np.abs(readings[0, apart] / expected - 1).max() < 0.01


def test_a_finer_mesh_is_nearer():
    errors = []
    for model in (ForwardModel(graded_disc(41.0, 16, 0.5), RING, RING), default()):
        error = readings_of(model, TISSUES["P3"], [])[0, APART] / truth(TISSUES["P3"], [], 0) - 1
        errors.append(np.abs(error).max())
    assert np.log2(errors[0] / errors[1]) > 3  # order 4, within its first terms


def test_signals_of_accurate_phantoms_are_near_the_truth():
    recipe = PhantomRecipe(signal_noise=0, pixels=1, wavelengths=(735, 948))
    made = generate(recipe, 3, seed=4)
    assert made.attributes["accuracy"] == "accurate"
    for i in range(len(made)):
        for w, nm in enumerate(recipe.wavelengths):
            tissue = [
                (
                    float(spectra.absorption(nm, *region[3:6])),
                    float(spectra.scattering(nm, *region[6:])),
                )
                for region in made.inclusions[i]
            ]
            discs = [
                (*region[:3], mua / tissue[0][0], mus / tissue[0][1])
                for region, (mua, mus) in zip(made.inclusions[i, 1:], tissue[1:], strict=True)
                if region[2]
            ]
            inclusions = [(x, y, r, a * tissue[0][0], s * tissue[0][1]) for x, y, r, a, s in discs]
            expected = disc_with_inclusions(
                41, *tissue[0], inclusions, (41 - nm / 1000, 0), ANGLES[APART]
            )
            error = np.abs(made.signal[i, w, 0, APART - 1] / expected - 1).max()
            assert error < 0.01, (i, nm, error)


# --- the mesh -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("radius", "optodes"), [(41.0, 16), (41.0, 5), (3.0, 8), (60.0, 1)])
def test_the_rim_is_the_circle(radius, optodes):
    mesh = disc_mesh(radius, optodes=optodes)
    assert mesh.order == 2
    rim = mesh.nodes[mesh.boundary]
    np.testing.assert_allclose(np.linalg.norm(rim, axis=2), radius, rtol=1e-14)
    assert mesh.bent.sum() == len(mesh.boundary)
    np.testing.assert_array_equal(mesh.nodes[mesh.boundary[0, 0]], [radius, 0])
    angles = 2 * np.pi * np.arange(optodes) / optodes
    places = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    nearest = np.linalg.norm(rim[None, :, 0] - places[:, None], axis=2).min(axis=1)
    assert nearest.max() < 1e-13 * radius
    # parabolas through three points of a circle enclose its area to the fourth order
    middle, ends = rim[:, 2], rim[:, :2]
    along = ends[:, 1] - ends[:, 0]
    bulge = middle - ends.mean(axis=1)
    caps = 2 / 3 * np.abs(along[:, 0] * bulge[:, 1] - along[:, 1] * bulge[:, 0])
    assert mesh.areas.sum() + caps.sum() == pytest.approx(np.pi * radius**2, rel=2e-5)


def test_edges_are_short_at_the_optodes():
    mesh = disc_mesh()
    corners = mesh.nodes[mesh.corners]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    away = np.linalg.norm(corners.mean(axis=1)[:, None] - RING, axis=2).min(axis=1)
    assert edges[away < 1.6].max() < 1.7  # 1.6, and the rim's nodes moved out to the circle
    assert edges.max() < 4
    assert 4000 < len(mesh.nodes) < 5000


def test_far_too_fine_a_disc_is_refused():
    with pytest.raises(ValueError, match="radius and optodes must need at most 10000000 nodes"):
        disc_mesh(5000.0)
    with pytest.raises(ValueError, match="radius and optodes must need at most"):
        disc_mesh(41.0, optodes=100_000)
