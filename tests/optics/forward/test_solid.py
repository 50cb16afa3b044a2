"""Light in tetrahedra: equal to the dense reference, right by the series, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import lesionkit
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.forward.solid_plan import Near
from lesionkit.optics.mesh.files import read_mesh
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.mesh.solids import ball_mesh, slab_mesh
from reference.optics_solid import solid_matrix, sphere_series

# Two solves in double precision of a matrix of condition 1e3, and readings 1e-3 of a field.
ROUNDING = 1e-9
TIP = [[5.0, 0, 0], [0, 5, 0], [-3.0, 0, 4]]


def maps(count: int, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return 0.01 * rng.uniform(0.5, 2, count), rng.uniform(0.7, 1.4, count)


@pytest.fixture(scope="module", params=[1, 2])
def small(request: pytest.FixtureRequest) -> Mesh:
    return ball_mesh(5, layers=2, order=request.param)


@pytest.mark.parametrize(("at", "frequency"), [("nodes", 1e8), ("elements", 0.0)])
def test_equal_to_the_dense_reference(small: Mesh, at: str, frequency: float) -> None:
    model = ForwardModel(small, TIP, TIP[:2], frequency=frequency, accuracy=1e-8)
    mua, mus = maps(small.places[at])
    # The rule of 24 points is exact in straight elements; bent ones differ by less than the bend.
    matrix = solid_matrix(small.nodes, small.elements.tolist(), mua, mus, at, frequency=frequency)
    sources, detectors = model.source_weights.toarray(), model.detector_weights.toarray()
    fields = np.linalg.solve(matrix, sources.T).T
    tolerance = ROUNDING if small.order == 1 else 2e-4
    found = model.fluence(mua, mus, at=at)
    np.testing.assert_allclose(found, fields, rtol=tolerance, atol=1e-3 * tolerance)
    readings = model.measure(mua, mus, at=at)
    np.testing.assert_allclose(readings, fields @ detectors.T, rtol=max(tolerance, 1e-8))
    np.testing.assert_allclose(found @ detectors.T, readings, rtol=1e-7)


def test_straight_ten_node_elements_are_exact() -> None:
    mesh = slab_mesh((6, 4, 4), 4)
    top = [[0.5, 0.5, 4.0], [-2, 1, 4]]
    model = ForwardModel(mesh, top, top, accuracy=1e-8)
    mua, mus = maps(len(mesh.nodes))
    matrix = solid_matrix(mesh.nodes, mesh.elements.tolist(), mua, mus, points=5)
    fields = np.linalg.solve(matrix, model.source_weights.toarray().T).T
    np.testing.assert_allclose(model.fluence(mua, mus), fields, rtol=1e-9)


def test_reciprocity() -> None:
    mesh = ball_mesh(10, layers=3)
    at = mesh.nodes[mesh.boundary[[0, 40, 90], 3]]
    readings = ForwardModel(mesh, at, at, source_depth=0).measure(*maps(len(mesh.nodes)))
    np.testing.assert_allclose(readings, readings.T, rtol=1e-8)


@pytest.mark.parametrize("frequency", [0.0, 2e8])
def test_order_under_refinement(frequency: float) -> None:
    """The error of far readings against the series: order 2 for linear elements, 3 or more for
    curved quadratic ones."""
    angles = np.deg2rad([60.0, 90, 130, 180])
    out = np.column_stack([np.sin(angles), 0 * angles, np.cos(angles)])
    truth = sphere_series(10, 0.01, 0.5, 7, angles, frequency=frequency)
    for order, layers, least in ((1, (8, 16), 2 - 0.2), (2, (4, 8), 3 - 0.2)):
        errors = []
        for n in layers:
            mesh = ball_mesh(10, layers=n, order=order)
            model = ForwardModel(mesh, [[0, 0, 7.0]], 10 * out, source_depth=0, frequency=frequency)
            ones = np.ones(len(mesh.nodes))
            found = model.measure(0.01 * ones, 0.5 * ones)[0]
            errors.append(np.abs(found / truth - 1).max())
        assert math.log2(errors[0] / errors[1]) > least


def test_threads_and_batches_change_no_bit() -> None:
    mesh = ball_mesh(10, layers=3)
    at = 10 * np.array([[1.0, 0, 0], [0, 0.6, 0.8], [-0.8, 0.6, 0]])
    model = ForwardModel(mesh, at, at)
    mua, mus = np.stack([maps(len(mesh.nodes), seed) for seed in range(3)], axis=1)
    together = model.measure(mua, mus)
    fields = model.fluence(mua, mus)
    threads = lesionkit.threads()
    try:
        lesionkit.threads(3)
        np.testing.assert_array_equal(model.measure(mua, mus), together)
        np.testing.assert_array_equal(model.fluence(mua, mus), fields)
    finally:
        lesionkit.threads(threads)
    for i in range(3):
        np.testing.assert_array_equal(model.measure(mua[i], mus[i]), together[i])
        np.testing.assert_array_equal(model.fluence(mua[i], mus[i]), fields[i])


@pytest.mark.parametrize("frequency", [0.0, 3e8])
def test_fields_of_other_maps_are_a_start(frequency: float) -> None:
    """As accurate as without, in fewer iterations; the same bits whatever the batch."""
    mesh = ball_mesh(20, layers=5, order=1)
    at = 20 * np.array([[1.0, 0, 0], [0, 0.6, 0.8], [-0.8, 0.6, 0]])
    plan = ForwardModel(mesh, at, at, frequency=frequency).plans.at("nodes")
    mua, mus = np.stack([maps(len(mesh.nodes), seed) for seed in range(2)], axis=1)
    cold, warm, alone = (np.empty((2, 3, 3), plan.kind) for _ in range(3))
    exact = np.stack([fields for _, each in plan.fields(mua, mus, cold) for fields in each])
    few = plan.iterations
    kept = Near({}, np.arange(2))
    for _ in plan.fields(1.05 * mua, 0.97 * mus, warm, kept):
        pass
    one = Near({1: kept.kept[1].copy()}, np.array([1]))
    found = np.stack([fields for _, each in plan.fields(mua, mus, warm, kept) for fields in each])
    assert plan.iterations < few
    np.testing.assert_allclose(warm, cold, rtol=2e-6)
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-9 * np.abs(exact).max())
    for _, each in plan.fields(mua[1:], mus[1:], alone[:1], one):
        np.testing.assert_array_equal(each[0], found[1])
    plan.measure(mua, mus, warm, kept)  # they are there already
    assert plan.iterations <= 2
    np.testing.assert_allclose(warm, cold, rtol=2e-6)


def test_half_of_everything_is_the_same_light() -> None:
    """Lengths twice as long and coefficients half as large: fluence a quarter."""
    sizes = [ball_mesh(radius, layers=3) for radius in (10, 20)]
    at = np.array([[1.0, 0, 0], [0, 0.6, 0.8]])
    first, second = (
        ForwardModel(m, 10 * k * at, 10 * k * at, source_depth=k)
        for m, k in zip(sizes, (1, 2), strict=True)
    )
    mua, mus = maps(len(sizes[0].nodes))
    np.testing.assert_allclose(
        second.measure(mua / 2, mus / 2), first.measure(mua, mus) / 4, rtol=1e-5
    )


@pytest.mark.filterwarnings("ignore:absorption and scattering are")
def test_losses_that_outweigh_all_are_solved() -> None:
    """Light that decays within an element: few neighbours are strong, and levels still shrink."""
    mesh = ball_mesh(41, layers=12, order=1)
    model = ForwardModel(mesh, [[41, 0, 0]], [[41, 0, 0]])
    readings = model.measure(*np.full((2, len(mesh.nodes)), 0.5))
    assert readings > 0


def test_what_does_not_converge_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lesionkit.optics.forward.solid_plan.ROUNDS", 1)
    mesh = ball_mesh(10, layers=3)
    model = ForwardModel(mesh, [[10, 0, 0]], [[-10, 0, 0]], accuracy=1e-8)
    ones = np.ones(len(mesh.nodes))
    with pytest.raises(ValueError, match=r"the solve converges, got a relative error of .* 1e-12"):
        model.fluence(0.01 * ones, ones)


def test_optodes_are_moved_to_the_surface_or_refused() -> None:
    mesh = ball_mesh(10, layers=3)
    model = ForwardModel(mesh, [[0, 10.3, 0]], [[0, 0, 9.8]])
    at = model.source_weights @ mesh.nodes, model.detector_weights @ mesh.nodes
    np.testing.assert_allclose(at[0], [[0, 9, 0]], atol=2e-2)
    np.testing.assert_allclose(at[1], [[0, 0, 10]], atol=3e-3)
    with pytest.raises(ValueError, match=r"detectors must lie on the surface .* detectors\[1\] at"):
        ForwardModel(mesh, [[0, 10, 0]], [[0, 0, 10], [0, 0, 14]])
    with pytest.raises(ValueError, match="sources must lie inside the mesh"):
        ForwardModel(mesh, [[0, 10, 0]], [[0, 0, 10]], source_depth=25)


def test_refused() -> None:
    mesh = ball_mesh(10, layers=2)
    model = ForwardModel(mesh, [[10, 0, 0]], [[0, 0, 10]])
    ones = np.ones(len(mesh.nodes))
    with pytest.raises(ValueError, match="at must not be 'quarters' on tetrahedra"):
        model.measure(ones, ones, at="quarters")
    with pytest.raises(ValueError, match="cost is counted for triangles"):
        model.cost()
    with pytest.raises(ValueError, match="accuracy must be a finite number at least 1e-08"):
        ForwardModel(mesh, [[10, 0, 0]], [[0, 0, 10]], accuracy=1e-12)
    with pytest.warns(UserWarning, match="swapped"):
        model.measure(ones, 0.01 * ones)


def test_nirfaster_ff_cylinder_runs_as_it_is_written(lesionkit_data: Path) -> None:
    folder = lesionkit_data / "data/nirst/nirfaster_ff"
    if not folder.is_dir():
        pytest.skip("needs LESIONKIT_DATA with data/nirst/nirfaster_ff")
    mesh = read_mesh(folder / "cylinder_stnd.node")
    assert (len(mesh.nodes), len(mesh.elements)) == (12695, 63810)
    sources, detectors = (
        np.loadtxt(folder / f"cylinder_stnd.{end}", skiprows=1)[:, 1:4]
        for end in ("source", "meas")
    )
    ones = np.ones(len(mesh.nodes))
    model = ForwardModel(mesh, sources, detectors, source_depth=0)
    assert (model.measure(0.01 * ones, ones) > 0).all()
    rim = model.detector_weights @ mesh.nodes
    both_ways = ForwardModel(mesh, rim, rim, source_depth=0, accuracy=1e-8)
    readings = both_ways.measure(0.01 * ones, ones)
    np.testing.assert_allclose(readings, readings.T, rtol=1e-8)
