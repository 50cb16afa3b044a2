"""The triangular interface."""

from __future__ import annotations

import numpy as np
import pytest

from lesionkit.optics import ForwardModel, GridBasis, reconstruct, spectra
from lesionkit.optics.mesh.triangle import triangular_interface

NM = (661, 785, 826, 948)
TISSUE = {"hbo": 14.0, "hb": 7.0, "water": 35.0, "amplitude": 1.0, "power": 1.0}


def test_sides_and_optodes() -> None:
    mesh, optodes = triangular_interface(80.0)
    assert mesh.order == 2
    assert mesh.areas.sum() == pytest.approx(80**2 * np.sqrt(3) / 4)
    np.testing.assert_allclose(mesh.nodes[mesh.corners].mean(axis=1).T @ mesh.areas, 0, atol=1e-9)
    assert optodes.shape == (16, 2)
    on_base = np.isclose(optodes[:, 1], mesh.nodes[:, 1].min())
    assert on_base.sum() == 6
    assert np.linalg.norm(mesh.nodes[mesh.corners], axis=2).max() == pytest.approx(80 / np.sqrt(3))
    edges = np.linalg.norm(
        mesh.nodes[mesh.corners] - mesh.nodes[np.roll(mesh.corners, 1, axis=1)], axis=2
    )
    near = np.linalg.norm(mesh.nodes[mesh.corners].mean(axis=1)[:, None] - optodes, axis=2).min(
        axis=1
    )
    assert edges.max() < 5.5
    assert edges[near < 0.8].max() <= 1.6


def test_readings_stay_when_elements_are_halved() -> None:
    readings = []
    for spacing in (4.5, 2.2):
        mesh, optodes = triangular_interface(80.0, spacing)
        model = ForwardModel(mesh, optodes, optodes)
        flat = np.ones(len(mesh.elements))
        readings.append(model.measure(0.01 * flat, flat, "elements"))
    other = ~np.eye(16, dtype=bool)
    np.testing.assert_allclose(readings[0][other], readings[1][other], rtol=0.01)


def test_a_lump_is_found() -> None:
    mesh, optodes = triangular_interface()
    model, basis = ForwardModel(mesh, optodes, optodes), GridBasis(mesh, 5.0)
    lump = np.exp(-np.square((mesh.nodes - [5, 3]) / 8).sum(axis=1))
    mus = spectra.scattering(NM, 1.0, 1.0)[:, None] * np.ones(len(lump))
    pairs = np.argwhere(~np.eye(16, dtype=bool))
    signal, reference = (
        model.measure(spectra.absorption(NM, 14 * (1 + c * lump), 7 * (1 + c * lump), 35.0), mus)[
            :, pairs[:, 0], pairs[:, 1]
        ]
        for c in (1, 0)
    )
    found = reconstruct(model, signal, reference, TISSUE, NM, basis, pairs=pairs)
    middle, far = found.at([[5.0, 3], [-25, -15]])["hbo"]
    assert np.linalg.norm(basis.points[found.maps["hbo"].argmax()] - [5, 3]) < 5
    assert middle == pytest.approx(28, rel=0.2)
    assert far == pytest.approx(14, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((1.0,), "side must be a finite number of mm at least 10.0 and at most 1000.0, got 1"),
        ((80.0, 30.0), "spacing must be a finite number of mm above 0 and at most 20.0, got 30"),
        ((80.0, 0.01), "spacing must be at least side / 1000, got 0.01 mm"),
    ],
)
def test_bad_input(arguments, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        triangular_interface(*arguments)
