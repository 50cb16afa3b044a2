"""The Jacobian and the gradient: finite differences, the slow reference, and what must hold."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tolerances
from invariances import at_any_threads
from lesionkit import _core
from lesionkit.optics import ForwardModel, Mesh, disc_mesh, spectra
from lesionkit.optics.forward import plans
from reference import optics as reference

CASES = [
    ("linear", "nodes"),
    ("linear", "elements"),
    ("bent", "nodes"),
    ("bent", "elements"),
    ("bent", "quarters"),
]
FREQUENCIES = [0.0, 1e8]


@functools.cache
def model(kind="linear", frequency=0.0):
    mesh = disc_mesh(radius=10.0, nodes=37, optodes=6)
    rim = mesh.nodes[mesh.boundary[:, 0]]
    if kind == "bent":
        mesh = mesh.to_quadratic()
        nodes, middle = mesh.nodes.copy(), mesh.boundary[:, 2]
        nodes[middle] *= 10 / np.linalg.norm(nodes[middle], axis=1, keepdims=True)
        mesh = Mesh(nodes, mesh.elements)
    # 5 sources and 9 detectors: the last lanes of a block of detectors are empty
    return ForwardModel(mesh, rim[::4], rim[1::2], frequency=frequency)


def width(of, at):
    elements = len(of.mesh.elements)
    return {"nodes": len(of.mesh.nodes), "elements": elements, "quarters": 4 * elements}[at]


def maps(of, at, *batch, seed=0):
    random = np.random.default_rng(seed)
    shape = (*batch, width(of, at))
    return random.uniform(0.002, 0.02, shape), random.uniform(0.5, 2.0, shape)


def weights(readings, seed=1):
    random = np.random.default_rng(seed)
    weight = random.normal(size=readings.shape)
    if readings.dtype.kind == "c":
        weight = weight + 1j * random.normal(size=readings.shape)
    return weight


# --- known answers ------------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize(("kind", "at"), CASES)
def test_differences_of_readings(kind, at, frequency):
    of = model(kind, frequency)
    mua, mus = maps(of, at, 3)
    found = of.jacobian(mua, mus, at)
    np.testing.assert_allclose(found.readings, of.measure(mua, mus, at), rtol=tolerances.SOLVERS)
    random, step = np.random.default_rng(2), 1e-4
    for along, derivative in ((mua, found.absorption), (mus, found.scattering)):
        change = random.normal(size=along.shape) * along
        sides = [
            of.measure(*(m + sign * step * change if m is along else m for m in (mua, mus)), at)
            for sign in (1, -1)
        ]
        expected = (sides[0] - sides[1]) / (2 * step)
        here = np.einsum("isdp,ip->isd", derivative, change)
        # second order in the step: 1e-8 of the third derivative, here some 10 of the first
        np.testing.assert_allclose(here, expected, atol=1e-7 * np.abs(expected).max())


def test_more_absorption_darkens_and_units_are_as_stated():
    # a layer of thickness L of more absorption takes away a share of light like L: d ln R / d mua
    # summed over the map is minus the mean path, some millimetres, and scales with length
    of = model()
    mua, mus = np.full(37, 0.01), np.full(37, 1.0)
    path = -of.jacobian(mua, mus).log_amplitude().absorption.sum(axis=-1)
    assert (path > 0).all()
    larger = ForwardModel(
        Mesh(2 * of.mesh.nodes, of.mesh.elements), 2 * of.sources, 2 * of.detectors, source_depth=2
    )
    twice = -larger.jacobian(mua / 2, mus / 2).log_amplitude().absorption.sum(axis=-1)
    np.testing.assert_allclose(twice, 2 * path, rtol=tolerances.SOLVERS)


# --- the slow reference -------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize(("kind", "at"), CASES)
def test_equals_the_integrals_of_the_fields(kind, at, frequency):
    of = model(kind, frequency)
    mua, mus = maps(of, at)
    matrix = reference.fem_matrix(
        of.mesh.nodes, of.mesh.elements, mua, mus, at, frequency=frequency
    )
    some = of.source_weights.toarray()[:2], of.detector_weights.toarray()[::4]
    fields = [np.linalg.solve(matrix, w.T).T for w in some]
    by_mua, by_mus = reference.reading_derivatives(
        of.mesh.nodes, of.mesh.elements, mua, mus, *fields, at
    )
    found = of.jacobian(mua, mus, at)
    for here, expected in ((found.absorption, by_mua), (found.scattering, by_mus)):
        scale = np.abs(expected).max(axis=-1, keepdims=True)
        np.testing.assert_allclose(
            here[:2, ::4] / scale, expected / scale, atol=10 * tolerances.SOLVERS
        )


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize(("kind", "at"), CASES)
def test_the_gradient_is_the_jacobians_weighted_sum(kind, at, frequency):
    of = model(kind, frequency)
    mua, mus = maps(of, at, 2, 5)
    jacobian = of.jacobian(mua, mus, at)
    weight = weights(jacobian.readings)
    found = of.gradient(mua, mus, weight, at)
    for here, by in zip(found, (jacobian.absorption, jacobian.scattering), strict=True):
        expected = np.einsum("...sd,...sdp->...p", weight.conj(), by).real
        np.testing.assert_allclose(here, expected, atol=tolerances.SOLVERS * np.abs(expected).max())


# --- what must hold for any map -----------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(count=st.integers(1, 20), seed=st.integers(0, 99), frequency=st.sampled_from(FREQUENCIES))
def test_a_batch_is_its_maps_one_by_one(count, seed, frequency):
    of = model("bent", frequency)
    mua, mus = maps(of, "elements", count, seed=seed)
    whole = of.jacobian(mua, mus, "elements")
    weight = weights(whole.readings)
    gradient = of.gradient(mua, mus, weight, "elements")
    i = count // 2
    alone = of.jacobian(mua[i], mus[i], "elements")
    for name in ("readings", "absorption", "scattering"):
        np.testing.assert_array_equal(getattr(whole, name)[i], getattr(alone, name))
    by_one = of.gradient(mua[i], mus[i], weight[i], "elements")
    for part, one in zip(gradient, by_one, strict=True):
        np.testing.assert_array_equal(part[i], one)


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_threads_and_memory_change_no_bit(frequency, monkeypatch):
    of = model("bent", frequency)
    mua, mus = maps(of, "nodes", 40)
    weight = weights(of.measure(mua, mus))

    def all_of_it():
        jacobian = of.jacobian(mua, mus)
        return jacobian.absorption, jacobian.scattering, *of.gradient(mua, mus, weight)

    expected = at_any_threads(all_of_it)
    monkeypatch.setattr(plans, "FIELD_BYTES", 1)  # a group of lanes at a time
    for part, other in zip(all_of_it(), expected, strict=True):
        np.testing.assert_array_equal(part, other)


def test_axes_order_and_dtype():
    of = model(frequency=1e8)
    mua, mus = maps(of, "nodes", 6)
    flat = of.jacobian(mua, mus)
    assert flat.absorption.shape == (6, 5, 9, 37)
    assert flat.absorption.dtype == np.complex128
    nested = of.jacobian(np.asfortranarray(mua.reshape(2, 3, 37)), mus.reshape(2, 3, 37))
    np.testing.assert_array_equal(nested.scattering.reshape(6, 5, 9, 37), flat.scattering)
    single = of.jacobian(mua.astype(np.float32), mus.astype(np.float32))
    assert {single.readings.dtype, single.absorption.dtype} == {np.dtype(np.complex64)}
    scale = np.abs(flat.absorption).max()
    np.testing.assert_allclose(
        single.absorption, flat.absorption, atol=10 * tolerances.SINGLE * scale
    )
    weight = weights(flat.readings)
    by_mua, by_mus = of.gradient(mua.astype(np.float32), mus.astype(np.float32), weight)
    assert by_mua.dtype == by_mus.dtype == np.float32
    assert of.jacobian(mua[:0], mus[:0]).absorption.shape == (0, 5, 9, 37)
    frozen = mua.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(of.jacobian(frozen, mus).absorption, flat.absorption)
    np.testing.assert_array_equal(mua, frozen)


# --- log amplitude, phase, tissue ---------------------------------------------------------------


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_log_amplitude_and_phase(frequency):
    of, step = model("bent", frequency), 1e-5
    mua, mus = maps(of, "elements")
    change = np.random.default_rng(3).normal(size=mua.shape) * mua
    found = of.jacobian(mua, mus, "elements")
    more, less = (of.measure(mua + s * step * change, mus, "elements") for s in (1, -1))
    forms = [(found.log_amplitude(), lambda r: np.log(np.abs(r)))]
    if frequency:
        forms.append((found.phase(), np.angle))
    for form, of_reading in forms:
        np.testing.assert_allclose(form.readings, of_reading(found.readings))
        assert form.absorption.dtype == np.float64
        expected = (of_reading(more) - of_reading(less)) / (2 * step)
        np.testing.assert_allclose(form.absorption @ change, expected, rtol=1e-6)


def test_continuous_light_has_no_phase():
    of = model()
    with pytest.raises(ValueError, match="phase needs readings of modulated light, got real ones"):
        of.jacobian(*maps(of, "nodes")).phase()


def test_derivatives_by_what_tissue_is_made_of():
    of, nm = model("bent"), np.array([735, 808])
    count = width(of, "elements")
    random = np.random.default_rng(4)
    tissue = {
        "hbo": random.uniform(5, 20, count),
        "hb": random.uniform(3, 10, count),
        "water": random.uniform(20, 60, count),
        "amplitude": random.uniform(0.8, 1.2, count),
        "power": random.uniform(0.7, 1.3, count),
    }

    def optical(t):
        return (
            spectra.absorption(nm, t["hbo"], t["hb"], t["water"]),
            spectra.scattering(nm, t["amplitude"], t["power"]),
        )

    found = of.jacobian(*optical(tissue), "elements").log_amplitude()
    by = found.tissue(nm, tissue["amplitude"], tissue["power"])
    assert list(by) == list(tissue)
    step = 1e-5
    for name, amount in tissue.items():
        change = random.normal(size=count) * amount
        sides = [
            np.log(of.measure(*optical(tissue | {name: amount + s * step * change}), "elements"))
            for s in (1, -1)
        ]
        expected = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(by[name] @ change, expected, rtol=1e-5, atol=1e-9)
    alone = of.jacobian(*(m[1] for m in optical(tissue)), "elements").log_amplitude()
    one = alone.tissue(808, tissue["amplitude"], tissue["power"])
    for name in by:
        np.testing.assert_allclose(one[name], by[name][1], rtol=1e-13)


def test_tissue_of_single_precision_stays_so():
    of = model()
    mua, mus = (m.astype(np.float32) for m in maps(of, "nodes"))
    by = of.jacobian(mua, mus).tissue(661, 1.0, 1.0)
    assert {a.dtype for a in by.values()} == {np.dtype(np.float32)}


# --- bad input ----------------------------------------------------------------------------------


def test_maps_are_refused_as_by_measure():
    of = model()
    mua, mus = maps(of, "nodes")
    weight = np.ones((5, 9))
    for call in (of.jacobian, lambda a, s, at="nodes": of.gradient(a, s, weight, at)):
        with pytest.raises(ValueError, match=r"absorption must be at least 0 mm.-1, got"):
            call(-mua, mus)
        with pytest.raises(ValueError, match=r"scattering must have shape \(\.\.\., 37\)"):
            call(mua, mus[:-1])
        with pytest.raises(ValueError, match="at must not be 'quarters' on 3-node triangles"):
            call(mua, mus, "quarters")
        with pytest.raises(ValueError, match="of a size that float64 can work with"):
            call(mua * 0, np.full(37, 5e-324))


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        (np.ones((5, 8)), ValueError, r"weight must have shape \(5, 9\), got float64 array"),
        (np.ones((2, 5, 9)), ValueError, r"weight must have shape \(5, 9\), got"),
        (np.full((5, 9), np.nan), ValueError, "weight must be finite, got NaN"),
        (np.ones((5, 9), complex), TypeError, "weight must hold real numbers for continuous light"),
        (np.full((5, 9), "a"), TypeError, "weight must hold real numbers"),
    ],
)
def test_weights_that_are_refused(weight, error, message):
    of = model()
    with pytest.raises(error, match=message):
        of.gradient(*maps(of, "nodes"), weight)


def test_nirfasts_readings_have_no_derivatives():
    mesh = disc_mesh(radius=10.0, nodes=61, optodes=6)
    rim = mesh.nodes[mesh.boundary[::4, 0]]
    of = ForwardModel(mesh, rim, rim, compat="nirfast")
    with pytest.raises(ValueError, match="jacobian is not to be had with compat='nirfast'"):
        of.jacobian(np.ones(61), np.ones(61))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((700, 1.0, 1.0), "wavelength must be one of"),
        (((661, 735), 1.0, 1.0), r"wavelength must broadcast against the batch axes \(\), got"),
        ((661, 0.0, 1.0), "amplitude must be above 0, got 0"),
        ((661, np.ones(9), 1.0), r"amplitude and power must be numbers or of shape \(37,\), got"),
        ((661, 1.0, 1.0, "mine"), "table must be"),
    ],
)
def test_tissue_that_is_refused(arguments, message):
    of = model()
    with pytest.raises(ValueError, match=message):
        of.jacobian(*maps(of, "nodes")).tissue(*arguments)


def test_the_compiled_functions_refuse_arrays_that_do_not_fit():
    of = model()
    plan = of.plans.at("nodes")
    mua, mus = maps(of, "nodes", 2)
    readings, fields = np.empty((2, 5, 9)), np.empty((2, 37, 14))
    by = np.empty((2, 5, 9, 37))
    for call, arguments in (
        (_core.optics.fields, (mua, mus, readings, fields)),
        (_core.optics.jacobian, (mua, mus, fields, by, by)),
        (_core.optics.gradient, (mua, mus, readings, mua, mua)),
    ):
        for i in range(len(arguments)):
            wrong = [a[:1] if i == j else a for j, a in enumerate(arguments)]
            with pytest.raises(ValueError, match="arrays do not fit the plan"):
                call(plan, *wrong)
