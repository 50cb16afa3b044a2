"""The forward model: the disc's series, a slow dense solve, and what must hold for any map."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tolerances
from forward_cases import ANGLES, RING, model, random_maps, width
from invariances import at_any_threads
from lesionkit import processors
from lesionkit.optics import ForwardModel, Mesh, disc_mesh
from reference import optics as reference

PAIRS = (np.arange(16)[:, None] + 1 + np.arange(15)) % 16  # detectors of each source, in order


# --- known answers: the Bessel series in the homogeneous disc -----------------------------------

# Largest relative error over detectors 2 to 14 away of a published table (see tolerances).
PUBLISHED = {
    (0.010, 1.0): {1801: 6.2e-2, 7057: 1.5e-2, 27937: 3.9e-3},
    (0.020, 1.5): {1801: 2.6e-1, 7057: 7.0e-2, 27937: 1.7e-2},
}


def series(absorption, scattering, frequency=0.0, depth=1.0):
    answer = reference.disc_series(
        41.0, absorption, scattering, 41.0 - depth, ANGLES[2:15], frequency=frequency
    )
    return np.asarray(answer).astype(complex if frequency else float)


def series_error(of, absorption, scattering, at="elements"):
    n = width(of, at)
    readings = of.measure(np.full(n, absorption), np.full(n, scattering), at)
    truth = series(absorption, scattering, of.frequency)
    apart = np.take_along_axis(readings, PAIRS, axis=1)[:, 1:14]
    return np.abs(apart / truth - 1).max()


@pytest.mark.parametrize("properties", PUBLISHED)
def test_converges_to_the_series_at_order_two(properties):
    errors = [series_error(model(n), *properties) for n in (1801, 7057, 27937)]
    published = list(PUBLISHED[properties].values())
    np.testing.assert_allclose(errors, published, rtol=tolerances.PUBLISHED_ERRORS)
    # The spacing halves from mesh to mesh; order 2 is a factor of 4, here within its first terms.
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(orders > 1.7), orders


def test_modulated_light_converges_to_the_series():
    errors = [series_error(model(n, frequency=1e8), 0.01, 1.0) for n in (1801, 7057)]
    assert errors[0] < 0.1
    assert np.log2(errors[0] / errors[1]) > 1.7


def test_a_curved_rim_brings_order_four():
    # far from the source, whose light no mesh of equal rings resolves
    errors = []
    for nodes in (217, 817):
        of = ForwardModel(bent(disc_mesh(nodes=nodes), 41), RING, RING)
        n = width(of, "elements")
        readings = of.measure(np.full(n, 0.004), np.full(n, 0.8), "elements")
        errors.append(abs(readings[0, 8] / series(0.004, 0.8)[6] - 1))
    assert errors[1] < errors[0] / 10, errors


def test_quadratic_elements_are_nearer_to_the_series():
    linear, quadratic = (series_error(model(817, order=o), 0.01, 1.0) for o in (1, 2))
    assert quadratic < linear / 2


# --- the slow reference -------------------------------------------------------------------------


def bent(mesh, radius):
    """The quadratic mesh of a disc, the middles of its rim moved onto the circle."""
    quadratic = mesh.to_quadratic()
    nodes, middle = quadratic.nodes.copy(), quadratic.boundary[:, 2]
    nodes[middle] *= radius / np.linalg.norm(nodes[middle], axis=1, keepdims=True)
    return Mesh(nodes, quadratic.elements)


@pytest.mark.parametrize("frequency", [0.0, 1e8])
@pytest.mark.parametrize(
    ("kind", "at"),
    [
        *((kind, at) for kind in ("linear", "quadratic", "bent") for at in ("nodes", "elements")),
        *((kind, "quarters") for kind in ("quadratic", "bent")),
    ],
)
def test_equals_the_dense_solve(kind, at, frequency):
    disc = disc_mesh(radius=10.0, nodes=61 if kind == "linear" else 19, optodes=6)
    mesh = {"linear": disc, "quadratic": disc.to_quadratic(), "bent": bent(disc, 10)}[kind]
    sources = disc.nodes[disc.boundary[::5, 0]]
    detectors = disc.nodes[disc.boundary[1::4]].mean(axis=1)  # in the middle of edges
    of = ForwardModel(mesh, sources, detectors, frequency=frequency)
    absorption, scattering = random_maps(3, width(of, at))
    readings = of.measure(absorption, scattering, at)
    fields = of.fluence(absorption, scattering, at)
    for i in range(3):
        matrix = reference.fem_matrix(
            mesh.nodes, mesh.elements, absorption[i], scattering[i], at, frequency=frequency
        )
        weights = of.source_weights.toarray(), of.detector_weights.toarray()
        expected = reference.readings(matrix, *weights)
        np.testing.assert_allclose(readings[i], expected, rtol=tolerances.SOLVERS)
        field = np.linalg.solve(matrix, weights[0].T).T
        np.testing.assert_allclose(fields[i], field, rtol=tolerances.SOLVERS)


def comb():
    """A region of five arms: cuts leave parts that do not touch each other."""
    inside = np.ones((22, 19), bool)
    inside[2:, 3::4] = False
    row, column = np.nonzero(inside)
    corner = [20 * (row + i) + column + j for i, j in ((0, 0), (0, 1), (1, 1), (1, 0))]
    halves = [np.column_stack([corner[i] for i in t]) for t in ((0, 1, 2), (0, 2, 3))]
    elements = np.concatenate(halves)
    used, elements = np.unique(elements, return_inverse=True)
    return Mesh(np.column_stack(np.divmod(used, 20)[::-1]).astype(float), elements.reshape(-1, 3))


@pytest.mark.parametrize("frequency", [0.0, 1e8])
def test_a_region_of_many_arms_equals_the_dense_solve(frequency):
    mesh = comb()
    rim = mesh.nodes[mesh.boundary[::20, 0]]
    of = ForwardModel(mesh, rim, rim, frequency=frequency, source_depth=0)
    absorption, scattering = random_maps(1, len(mesh.nodes))
    matrix = reference.fem_matrix(
        mesh.nodes, mesh.elements, absorption[0], scattering[0], frequency=frequency
    )
    weights = of.source_weights.toarray(), of.detector_weights.toarray()
    expected = reference.readings(matrix, *weights)
    readings = of.measure(absorption, scattering)
    np.testing.assert_allclose(readings[0], expected, rtol=tolerances.SOLVERS)
    field = of.fluence(absorption, scattering)
    np.testing.assert_allclose(field @ weights[1].T, readings, rtol=tolerances.SOLVERS)


def test_source_weights_are_the_references():
    of = model()
    for i, angle in enumerate(ANGLES):
        point = 40.0 * np.array([np.cos(angle), np.sin(angle)])
        expected = reference.barycentric_source(of.mesh.nodes, of.mesh.elements, point)
        np.testing.assert_allclose(of.source_weights[[i]].toarray()[0], expected, atol=1e-13)


def test_readings_are_the_field_at_the_detectors():
    of = model(frequency=5e7)
    maps = random_maps(2, width(of, "nodes"))
    field = of.fluence(*maps)
    np.testing.assert_allclose(
        of.measure(*maps), field @ of.detector_weights.toarray().T, rtol=tolerances.SOLVERS
    )


# --- what must hold for any map -----------------------------------------------------------------


@pytest.mark.parametrize("frequency", [0.0, 1e8])
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), at=st.sampled_from(["nodes", "elements"]))
def test_reciprocity(frequency, seed, at):
    of = model(frequency=frequency, source_depth=0.0)  # sources and detectors at the same places
    readings = of.measure(*random_maps(1, width(of, at), seed), at)
    np.testing.assert_allclose(
        readings, readings.swapaxes(1, 2), rtol=tolerances.RECIPROCITY, atol=0
    )


@pytest.mark.filterwarnings("ignore:absorption and scattering are .* as of no tissue")
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_scaling_lengths(seed, scale):
    # x -> s x, mua -> mua / s, mus' -> mus' / s is the same problem with Phi -> Phi / s. A power of
    # two scales every number without rounding.
    of = model()
    larger = ForwardModel(
        Mesh(of.mesh.nodes * scale, of.mesh.elements), RING * scale, RING * scale,
        source_depth=scale,
    )  # fmt: skip
    mua, mus = random_maps(1, width(of, "nodes"), seed)
    expected = of.measure(mua, mus) / scale
    np.testing.assert_array_equal(larger.measure(mua / scale, mus / scale), expected)


@settings(max_examples=15)
@given(count=st.integers(1, 40), seed=st.integers(0, 99), at=st.sampled_from(["nodes", "elements"]))
def test_a_batch_is_its_systems_one_by_one(count, seed, at):
    of = model()
    mua, mus = random_maps(count, width(of, at), seed)
    batch = of.measure(mua, mus, at)
    for i in {0, count // 2, count - 1}:
        np.testing.assert_array_equal(batch[i], of.measure(mua[i], mus[i], at))


def test_the_number_of_threads_changes_no_bit():
    of = model(nodes=817)
    maps = random_maps(50, width(of, "elements"))
    at_any_threads(lambda: (of.measure(*maps, "elements"), of.fluence(*maps, "elements")))


def test_batch_axes_memory_order_and_dtype():
    of = model()
    mua, mus = random_maps(6, width(of, "nodes"))
    flat = of.measure(mua, mus)
    assert flat.shape == (6, 16, 16)
    assert flat.dtype == np.float64
    nested = of.measure(mua.reshape(2, 3, -1), mus.reshape(2, 3, -1))
    np.testing.assert_array_equal(nested, flat.reshape(2, 3, 16, 16))
    np.testing.assert_array_equal(of.measure(np.asfortranarray(mua), mus[::-1][::-1]), flat)
    assert of.measure(mua[0], mus[0]).shape == (16, 16)
    assert of.measure(mua[:0], mus[:0]).shape == (0, 16, 16)
    single = of.measure(mua.astype(np.float32), mus.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, flat, rtol=10 * tolerances.SINGLE)
    frozen = mua.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(of.measure(frozen, mus), flat)
    np.testing.assert_array_equal(mua, frozen)


def test_node_maps_that_are_constant_equal_element_maps():
    of = model()
    readings = [
        of.measure(np.full(width(of, at), 0.01), np.full(width(of, at), 1.0), at)
        for at in ("nodes", "elements")
    ]
    np.testing.assert_allclose(*readings, rtol=tolerances.SOLVERS)


def test_a_pickled_model_reads_the_same():
    of = model()
    again = pickle.loads(pickle.dumps(of))
    maps = random_maps(2, width(of, "nodes"))
    np.testing.assert_array_equal(again.measure(*maps), of.measure(*maps))


def _measure_in_child(send):
    of = model()
    send.send(of.measure(*random_maps(30, width(of, "nodes"))))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_works_in_a_forked_child_and_after_it():
    of = model()
    expected = of.measure(*random_maps(30, width(of, "nodes")))
    receive, send = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_measure_in_child, args=(send,))
    with warnings.catch_warnings():
        # From Python 3.12 on forking warns wherever any library keeps a thread; ours keep none.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    assert receive.poll(60), "the forked child hangs"
    np.testing.assert_array_equal(receive.recv(), expected)
    child.join()
    np.testing.assert_array_equal(of.measure(*random_maps(30, width(of, "nodes"))), expected)


def test_instruction_sets_agree():
    program = (
        "import sys; sys.path[:0] = sys.argv[1].split(':')\n"
        "import test_forward as t\n"
        "of = t.model(frequency=1e8)\n"
        "readings = of.measure(*t.random_maps(9, t.width(of, 'elements')), 'elements')\n"
        "readings.tofile(sys.stdout.buffer)\n"
    )
    here = Path(__file__).parent
    tests = here.parents[1]
    answers = []
    for level in processors.levels():
        run = subprocess.run(
            [sys.executable, "-c", program, f"{here}:{tests}:{tests}/helpers"],
            env={**os.environ, "LESIONKIT_ISA": level},
            capture_output=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr.decode()
        answers.append(np.frombuffer(run.stdout, complex))
    for answer in answers:
        np.testing.assert_allclose(answer, answers[0], rtol=tolerances.INSTRUCTION_SETS)


def test_cost_counts_the_work():
    cost = model(1801).cost()
    assert 0.5e6 < cost.factor < 1.5e6  # nested dissection; minimum degree takes a fifth more
    assert cost.working_set < 8 * cost.entries
