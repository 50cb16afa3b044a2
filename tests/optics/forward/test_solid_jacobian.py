"""The Jacobian and the gradient in tetrahedra: the slow reference, differences, what must hold."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy import sparse

from invariances import at_any_threads
from lesionkit import _core
from lesionkit.optics.forward import solid_plan
from lesionkit.optics.forward.jacobian import Jacobian
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.mesh.solids import ball_mesh, slab_mesh
from reference.optics_solid import (
    shape_functions,
    solid_derivatives,
    solid_matrix,
    sphere_series,
    volume_rules,
)

# Fields are solved to 1e-9 of their energy; the derivatives compared are 1e-3 of the largest.
FIELDS = 1e-6
AT = 5 * np.array([[1.0, 0, 0], [0, 1, 0], [-0.6, 0, 0.8], [0, -0.8, 0.6], [0.8, 0, -0.6]])
CASES = [(1, "nodes"), (1, "elements"), (2, "nodes"), (2, "elements")]
FREQUENCIES = [0.0, 2e8]


@functools.cache
def model(order: int, frequency: float = 0.0) -> ForwardModel:
    # 2 sources, and 5 detectors: some lanes of a register are empty
    mesh = ball_mesh(5, layers=2, order=order)
    return ForwardModel(mesh, AT[1:3], AT, frequency=frequency, accuracy=1e-8)


def maps(of: ForwardModel, at: str, *batch: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    shape = (*batch, of.mesh.places[at])
    return random.uniform(0.005, 0.02, shape), random.uniform(0.5, 1.5, shape)


def weights(of: ForwardModel, *batch: int) -> np.ndarray:
    random = np.random.default_rng(1)
    weight = random.normal(size=(*batch, 2, 5))
    return weight + 1j * random.normal(size=weight.shape) if of.frequency else weight


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize(("order", "at"), CASES)
def test_equals_the_integrals_of_the_fields(order: int, at: str, frequency: float) -> None:
    mesh = slab_mesh((6, 4, 4), 4, order=order)  # of flat faces: all rules are exact
    top = [[0.5, 0.5, 4.0], [-2, 1, 4]]
    of = ForwardModel(mesh, top[:1], top, frequency=frequency)
    mua, mus = maps(of, at)
    elements = mesh.elements.tolist()
    points = 3 + (order == 2) + (at == "nodes")
    matrix = solid_matrix(mesh.nodes, elements, mua, mus, at, frequency=frequency, points=points)
    optodes = of.source_weights.toarray(), of.detector_weights.toarray()
    fields = (np.linalg.solve(matrix, w.T).T for w in optodes)
    expected = solid_derivatives(mesh.nodes, elements, mua, mus, *fields, at, points)
    found = of.jacobian(mua, mus, at)
    for here, there in zip((found.absorption, found.scattering), expected, strict=True):
        scale = np.abs(there).max(axis=-1, keepdims=True)
        np.testing.assert_allclose(here / scale, there / scale, atol=FIELDS)


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize(("order", "at"), CASES)
def test_differences_of_readings(order: int, at: str, frequency: float) -> None:
    of = model(order, frequency)
    mua, mus = maps(of, at, 2)
    found = of.jacobian(mua, mus, at)
    np.testing.assert_allclose(found.readings, of.measure(mua, mus, at), rtol=1e-7)
    random, step = np.random.default_rng(2), 1e-3
    for along, derivative in ((mua, found.absorption), (mus, found.scattering)):
        change = random.normal(size=along.shape) * along
        sides = [
            of.measure(*(m + sign * step * change if m is along else m for m in (mua, mus)), at)
            for sign in (1, -1)
        ]
        expected = (sides[0] - sides[1]) / (2 * step)
        here = np.einsum("isdp,ip->isd", derivative, change)
        # readings to 1e-8 over a step of 1e-3; the third derivative times the step squared
        np.testing.assert_allclose(here, expected, atol=2e-5 * np.abs(expected).max())


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize(("order", "at"), CASES)
def test_the_gradient_is_the_jacobians_weighted_sum(order: int, at: str, frequency: float) -> None:
    of = model(order, frequency)
    mua, mus = maps(of, at, 2, 1)
    jacobian, weight = of.jacobian(mua, mus, at), weights(of, 2, 1)
    found = of.gradient(mua, mus, weight, at)
    for here, by in zip(found, (jacobian.absorption, jacobian.scattering), strict=True):
        expected = np.einsum("...sd,...sdp->...p", weight.conj(), by).real
        np.testing.assert_allclose(here, expected, atol=1e-12 * np.abs(expected).max())


def test_reciprocity_and_the_adjoint() -> None:
    """Optodes inside, sources and detectors exchanged: the transposed Jacobian. And the change of
    all readings with mua alone is minus the two fields' product by the rule of losses."""
    mesh = ball_mesh(5, layers=2)
    at = mesh.nodes[mesh.boundary[[0, 10, 30], 0]]
    of = ForwardModel(mesh, at, at, source_depth=0)
    mua, mus = maps(of, "nodes")
    found = of.jacobian(mua, mus)
    for part in (found.absorption, found.scattering):
        scale = np.abs(part).max(axis=-1, keepdims=True)
        np.testing.assert_allclose(part / scale, np.swapaxes(part, 0, 1) / scale, atol=FIELDS)
    field = of.fluence(mua, mus)
    kept = found.absorption - found.scattering  # by mua at a fixed kappa
    overlap = np.zeros((3, 3))
    for place, weight in volume_rules(10, 1)[1]:
        values, by = shape_functions(10, place)
        for element in mesh.elements:
            size = weight * abs(np.linalg.det(mesh.nodes[element].T @ by))
            here = field[:, element] @ values
            overlap += size * np.outer(here, here)
    np.testing.assert_allclose(-kept.sum(axis=-1), overlap, rtol=FIELDS)


@pytest.mark.parametrize(("order", "layers", "least"), [(1, (6, 12), 1.8), (2, (3, 6), 2.8)])
def test_order_against_the_series(order: int, layers: tuple[int, int], least: float) -> None:
    """How the log of a far reading changes with mua everywhere."""
    step = 1e-5
    more, less = (np.log(sphere_series(10, 0.01 + s * step, 0.5, 7, [np.pi])[0]) for s in (1, -1))
    truth = (more - less) / (2 * step)
    errors = []
    for n in layers:
        mesh = ball_mesh(10, layers=n, order=order)
        of = ForwardModel(mesh, [[0, 0, 7.0]], [[0, 0, -10.0]], source_depth=0)
        ones = np.ones(len(mesh.nodes))
        by = of.jacobian(0.01 * ones, 0.5 * ones, basis=sparse.csr_array(ones[:, None]))
        errors.append(abs(by.log_amplitude().absorption.item() / truth - 1))
    assert np.log2(errors[0] / errors[1]) > least


@pytest.mark.parametrize("order", [1, 2])
def test_threads_and_batches_change_no_bit(order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    of = model(order, 2e8)
    mua, mus = maps(of, "nodes", 5)
    mua[3] *= 3  # of another background
    weight = weights(of, 5)

    def all_of_it() -> tuple[np.ndarray, ...]:
        jacobian = of.jacobian(mua, mus)
        return jacobian.absorption, jacobian.scattering, *of.gradient(mua, mus, weight)

    expected = at_any_threads(all_of_it)
    monkeypatch.setattr(solid_plan, "FIELD_BYTES", 1)  # a map at a time
    for part, other in zip(all_of_it(), expected, strict=True):
        np.testing.assert_array_equal(part, other)
    alone = of.jacobian(mua[3], mus[3])
    np.testing.assert_array_equal(alone.absorption, expected[0][3])


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize(("order", "at"), CASES)
def test_by_functions_is_the_jacobian_times_them(order: int, at: str, frequency: float) -> None:
    of = model(order, frequency)
    mua, mus = maps(of, at, 2)
    random = np.random.default_rng(5)
    table = sparse.random_array((mua.shape[1], 7), density=0.3, rng=random, format="csr")
    coarse, whole = of.jacobian(mua, mus, at, table), of.jacobian(mua, mus, at)
    np.testing.assert_array_equal(coarse.readings, whole.readings)
    for name in ("absorption", "scattering"):
        expected = getattr(whole, name) @ table.toarray()
        np.testing.assert_allclose(
            getattr(coarse, name), expected, atol=1e-12 * np.abs(expected).max()
        )


def test_log_amplitude_and_phase() -> None:
    of, step = model(2, 2e8), 1e-3
    mua, mus = maps(of, "elements")
    change = np.random.default_rng(3).normal(size=mua.shape) * mua
    found = of.jacobian(mua, mus, "elements")
    more, less = (of.measure(mua + s * step * change, mus, "elements") for s in (1, -1))
    forms: list[tuple[Jacobian, np.ufunc]] = [(found.phase(), np.angle)]
    forms.append((found.log_amplitude(), lambda r: np.log(np.abs(r))))
    for form, of_reading in forms:
        expected = (of_reading(more) - of_reading(less)) / (2 * step)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(form.absorption @ change, expected, atol=2e-5 * scale)


def test_weights_and_maps_are_refused_as_of_triangles() -> None:
    of = model(1)
    mua, mus = maps(of, "nodes")
    with pytest.raises(ValueError, match=r"weight must have shape \(2, 5\), got float64 array"):
        of.gradient(mua, mus, np.ones((5, 2)))
    with pytest.raises(ValueError, match=r"absorption must be at least 0 mm.-1, got"):
        of.jacobian(-mua, mus)
    with pytest.raises(ValueError, match="at must not be 'quarters' on tetrahedra"):
        of.jacobian(mua, mus, "quarters")


def test_the_compiled_functions_refuse_arrays_that_do_not_fit() -> None:
    of = model(1)
    core, nodes = of.plans.at("nodes").core, len(of.mesh.nodes)
    mua, mus = maps(of, "nodes", 2)
    fields, by = np.empty((2, nodes, 7)), np.empty((2, 2, 5, nodes))
    weight = np.empty((2, 2, 5))
    for call, arguments in (
        (_core.optics.jacobian, (mua, mus, fields, by, by)),
        (_core.optics.volume_gradient, (mua, mus, fields, weight, mua, mua)),
    ):
        for i in range(len(arguments)):
            wrong = [a[:1] if i == j else a for j, a in enumerate(arguments)]
            with pytest.raises(ValueError, match="arrays must fit the plan"):
                call(core, *wrong)
