"""What ForwardModel refuses, and in what words."""

from __future__ import annotations

import numpy as np
import pytest

from forward_cases import RING, model, random_maps
from lesionkit.optics import ForwardModel, Mesh

MAP = np.full(217, 0.01)


def changed(index, value):
    out = np.full(217, 1.0)
    out[index] = value
    return out


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((-MAP, MAP), ValueError, "absorption must be at least 0 mm.-1, got -0.01"),
        ((MAP, changed(3, 0.0)), ValueError, "scattering must be above 0 mm.-1, got 0"),
        ((MAP, changed(3, -1.0)), ValueError, "scattering must be above 0 mm.-1, got -1"),
        ((changed(5, np.nan), MAP), ValueError, "absorption must be finite .*got 1 NaN"),
        ((MAP, changed(5, np.inf)), ValueError, "scattering must be finite .*got 1 NaN"),
        (
            (MAP[:-1], MAP),
            ValueError,
            r"absorption must have shape .* got .*\(216,\)",
        ),
        ((0.01, MAP), ValueError, r"absorption must have shape \(\.\.\., 217\), got"),
        ((MAP, np.ones((2, 217))), ValueError, r"same shape, got \(217,\) and \(2, 217\)"),
        (
            (MAP, MAP.astype(complex)),
            TypeError,
            "scattering must hold real numbers, got compl",
        ),
        ((["a"] * 217, MAP), TypeError, "absorption must hold real numbers"),
        ((MAP * 0, np.full(217, 5e-324)), ValueError, "of a size that float64 can work with"),
        (
            (MAP, MAP, "pixels"),
            ValueError,
            "at must be 'nodes', 'elements' or 'quarters', got 'pixels'",
        ),
        ((MAP, MAP, "elements"), ValueError, r"absorption must have shape \(\.\.\., 384\)"),
        (
            (MAP, np.ones(384)),
            ValueError,
            r"scattering must have shape \(\.\.\., 217\) at the nodes, got float64 array of shape "
            r"\(384,\): so many are the elements, at='elements'",
        ),
        ((MAP, MAP, "quarters"), ValueError, "at must not be 'quarters' on 3-node triangles"),
    ],
)
def test_maps_that_are_refused(arguments, error, message):
    for method in (model().measure, model().fluence):
        with pytest.raises(error, match=message):
            method(*arguments)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"mesh": RING}, TypeError, "mesh must be a lesionkit.optics.Mesh, got float64 array"),
        (
            {"sources": RING * 0.9},
            ValueError,
            r"sources must lie on the rim .*\[0\] at",
        ),
        ({"detectors": RING * 1.3}, ValueError, "detectors must lie on the rim"),
        ({"sources": RING[:, 0]}, ValueError, r"sources must have shape \(any, 2\), got"),
        ({"sources": RING[:0]}, ValueError, "sources must hold at least one position"),
        ({"detectors": RING * np.nan}, ValueError, "detectors must be finite"),
        ({"sources": RING * 2, "source_depth": 0}, ValueError, "sources must lie inside the mesh"),
        ({"source_depth": 90.0}, ValueError, "sources must lie inside the mesh"),
        ({"source_depth": -1.0}, ValueError, "source_depth must be .* at least 0"),
        ({"refractive_index": 0.9}, ValueError, "refractive_index must be .* at least 1"),
        ({"refractive_index": 1e20}, ValueError, "refractive_index must be .* at most 10"),
        ({"frequency": -1.0}, ValueError, "frequency must be .* at least 0"),
        ({"frequency": np.nan}, ValueError, "frequency must be a finite number"),
        ({"frequency": "100 MHz"}, TypeError, "frequency must be a finite number of Hz"),
        ({"compat": "toast"}, ValueError, "compat must be None or 'nirfast', got 'toast'"),
    ],
)
def test_models_that_are_refused(change, error, message):
    arguments = {"mesh": model().mesh, "sources": RING, "detectors": RING} | change
    with pytest.raises(error, match=message):
        ForwardModel(**arguments)


def test_cost_is_asked_for_a_place_that_exists():
    with pytest.raises(
        ValueError, match="at must be 'nodes', 'elements' or 'quarters', got 'pixels'"
    ):
        model().cost("pixels")
    with pytest.raises(ValueError, match="not counted with compat"):
        ForwardModel(model().mesh, RING, RING, compat="nirfast").cost()


def test_the_compiled_plan_refuses_arrays_that_do_not_fit():
    plan = model().plans.at("nodes")
    right = np.ones((2, 217)), np.ones((2, 217)), np.empty((2, 16, 16))
    plan.measure(*right)
    for i in range(3):
        wrong = [a[:1] if i == j else a for j, a in enumerate(right)]
        with pytest.raises(ValueError, match="arrays do not fit the plan"):
            plan.measure(*wrong)


def test_unaligned_maps():
    of = model()
    mua, mus = random_maps(1, 217)
    room = np.empty(217 * 8 + 1, np.uint8)
    shifted = room[1:].view(np.float64)
    shifted[:] = mua[0]
    np.testing.assert_array_equal(of.measure(shifted, mus[0]), of.measure(mua[0], mus[0]))


def test_meshes_that_are_refused():
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    with pytest.raises(ValueError, match=r"sources must have shape \(any, 3\)"):
        ForwardModel(Mesh(corners, [[0, 1, 2, 3]]), RING, RING)
    at = [[0.2, 0.2, 0]]
    with pytest.raises(ValueError, match="3-node triangles with compat='nirfast'"):
        ForwardModel(Mesh(corners, [[0, 1, 2, 3]]), at, at, compat="nirfast")


def test_nirfast_takes_properties_at_nodes_of_linear_elements():
    of = ForwardModel(model().mesh, RING, RING, compat="nirfast")
    with pytest.raises(ValueError, match="at must be 'nodes' with compat='nirfast'"):
        of.measure(np.ones(384), np.ones(384), at="elements")
    with pytest.raises(ValueError, match="3-node triangles with compat='nirfast'"):
        ForwardModel(model(order=2).mesh, RING, RING, compat="nirfast")
