"""`GridBasis`, and Jacobians by its functions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import tolerances
from lesionkit.optics import ForwardModel, GridBasis, Mesh, disc_mesh

MESH = disc_mesh(radius=10.0, nodes=217, optodes=6)


def test_functions_share_everything_out() -> None:
    basis = GridBasis(MESH, 3.0)
    inside = np.random.default_rng(0).uniform(-7, 7, (200, 2))
    for table in (basis.elements, basis.at(inside), basis.at(MESH.nodes)):
        np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-14)
        assert (table.data >= 0).all()
    # hat functions are linear between grid points, where all of a cell's are used
    away = np.hypot(*inside.T) < 5
    found = basis.at(inside[away]) @ basis.points
    np.testing.assert_allclose(found, inside[away], atol=1e-13)


def test_means_over_elements() -> None:
    basis = GridBasis(MESH, 3.0)
    middle = MESH.nodes[MESH.elements].mean(axis=1)
    away = np.hypot(*middle.T) < 5
    np.testing.assert_allclose((basis.elements @ basis.points)[away], middle[away], atol=1e-13)


def test_average_is_the_mean_where_each_function_counts() -> None:
    basis = GridBasis(MESH, 3.0)
    points = np.random.default_rng(1).uniform(-7, 7, (5000, 2))
    np.testing.assert_allclose(basis.average(points, np.full((2, 5000), 3.5)), 3.5)
    table = basis.at(points).toarray()
    values = np.arange(5000.0)
    used = table.sum(axis=0) > 0
    expected = (values @ table)[used] / table.sum(axis=0)[used]
    np.testing.assert_allclose(basis.average(points, values)[used], expected, rtol=1e-12)


def test_tetrahedra() -> None:
    corners = np.array([[0.0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]])
    basis = GridBasis(Mesh(corners, [[0, 1, 2, 3]]), 2.0)
    assert basis.points.shape[1] == 3
    np.testing.assert_allclose(basis.at([[1.0, 1, 1], [3, 2, 1]]).sum(axis=1), 1)


@pytest.mark.parametrize("frequency", [0.0, 1e8])
@pytest.mark.parametrize("at", ["nodes", "elements"])
def test_jacobian_by_functions_is_the_jacobian_times_them(at: str, frequency: float) -> None:
    rim = MESH.nodes[MESH.boundary[:, 0]]
    model = ForwardModel(MESH, rim[::9], rim[3::7], frequency=frequency)
    basis = GridBasis(MESH, 4.0)
    table = basis.elements if at == "elements" else basis.at(MESH.nodes)
    mua = np.random.default_rng(0).uniform(0.005, 0.02, (3, table.shape[0]))
    coarse = model.jacobian(mua, np.ones_like(mua), at, table)
    whole = model.jacobian(mua, np.ones_like(mua), at)
    np.testing.assert_array_equal(coarse.readings, whole.readings)
    for name in ("absorption", "scattering"):
        expected = getattr(whole, name) @ table.toarray()
        found = getattr(coarse, name)
        assert found.shape == (3, len(model.sources), len(model.detectors), len(basis))
        np.testing.assert_allclose(
            found, expected, atol=tolerances.SOLVERS * np.abs(expected).max()
        )


@pytest.mark.parametrize(
    ("basis", "kind", "sentence"),
    [
        (np.ones((217, 1)), TypeError, "basis must be a sparse array of SciPy, got float64 array"),
        (sparse.csr_array(np.ones((3, 1))), ValueError, r"basis must have shape \(217, k\), got"),
        (sparse.csr_array(np.full((217, 1), np.nan)), ValueError, "basis must be finite"),
    ],
)
def test_a_basis_that_does_not_fit(basis, kind, sentence) -> None:
    rim = MESH.nodes[MESH.boundary[:, 0]]
    flat = np.ones(217)
    with pytest.raises(kind, match=sentence):
        ForwardModel(MESH, rim[:1], rim[:1]).jacobian(0.01 * flat, flat, basis=basis)


@pytest.mark.parametrize(
    ("arguments", "kind", "sentence"),
    [
        ((3, 1.0), TypeError, "mesh must be a lesionkit.optics.Mesh, got int 3"),
        ((MESH, 0.0), ValueError, "spacing must be a finite number of mm above 0, got 0"),
        ((MESH, 1e-3), ValueError, "spacing must give at most 20000 grid points .* got 0.001 mm"),
    ],
)
def test_bad_input(arguments, kind, sentence) -> None:
    with pytest.raises(kind, match=sentence):
        GridBasis(*arguments)
