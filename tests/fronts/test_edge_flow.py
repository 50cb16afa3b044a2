"""Edge flow and linking: edges that are known, the loops uncompiled, mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from invariances import layouts
from lesionkit.fronts import edge_flow as flows
from lesionkit.fronts import link_boundaries
from lesionkit.fronts.level_sets import disk_level_set

LOOPS = ("_begin", "_propagate", "_meet", "_link")


@pytest.fixture
def module() -> Any:
    import sys

    return sys.modules["lesionkit.fronts.edge_flow"]


def uncompiled(module: Any, patch: pytest.MonkeyPatch) -> None:
    for name in LOOPS:
        patch.setattr(module, f"{name}_compiled", getattr(module, name))


# --- known answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [False, True])
def test_flows_meet_at_a_step(turn: bool) -> None:
    image = np.zeros((30, 40))
    image[:, 17:] = 1
    found = flows(image.T if turn else image, 1.5)
    strength = found.strength.T if turn else found.strength
    flow = found.start[::-1].transpose(0, 2, 1) if turn else found.start
    assert (strength[:, 16] > 0).all()
    assert not strength[:, :16].any()
    assert not strength[:, 17:].any()
    assert (flow[1, :, 12:17] > 0).all()  # towards the edge from both sides
    assert (flow[1, :, 17:22] < 0).all()
    np.testing.assert_allclose(found.flow.sum((1, 2)), found.start.sum((1, 2)), atol=1e-12)


def test_a_disc_has_a_closed_boundary() -> None:
    image = disk_level_set((60, 60), radius=17) * 100.0
    boundary = flows(image, 2.0).strength > 5
    regions, count = ndimage.label(~boundary)
    assert count == 2
    inside = regions == regions[30, 30]
    truth = image > 0
    assert (inside & truth).sum() / (inside | truth).sum() > 0.9


def test_colours_weigh() -> None:
    image = np.zeros((2, 20, 30))
    image[0, :, 10:] = 1
    image[1, :, 20:] = 1
    for weights, column in (([1.0, 0.0], 9), ([0.0, 2.0], 19)):
        strength = flows(image, 1.0, channel_axis=0, weights=weights).strength
        assert set(np.flatnonzero(strength.any(0))) == {column}
    both = flows(np.moveaxis(image, 0, -1), 1.0, channel_axis=-1).strength
    assert {9, 19} <= set(np.flatnonzero(both.any(0)))


def test_no_edge_no_flow() -> None:
    found = flows(np.full((9, 8), 3.0))
    for part in found:
        assert not part.any()


def test_gaps_are_closed() -> None:
    lines = np.zeros((30, 40), bool)
    lines[10, 2:15] = lines[10, 20:38] = True  # a gap of 5
    linked = link_boundaries(lines)
    assert linked[10, 2:38].all()
    assert linked.sum() == 36
    np.testing.assert_array_equal(link_boundaries(lines, most=4.0), lines)  # too far
    square = np.zeros((40, 40), bool)
    square[5, 5:30] = square[30, 5:30] = square[5:31, 5] = True
    square[8:27, 30] = True  # two corners are open
    assert ndimage.label(~link_boundaries(square))[1] == 2


def test_what_is_closed_or_alone_stays() -> None:
    ring = np.zeros((20, 20), bool)
    ring[4:12, 4:12] = True
    ring[5:11, 5:11] = False
    ring[15, 15] = True  # no direction
    np.testing.assert_array_equal(link_boundaries(ring), ring)
    np.testing.assert_array_equal(link_boundaries(np.zeros((3, 3), bool)), False)


# --- reference ------------------------------------------------------------------------------------


def test_uncompiled_it_is_the_same(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    image = ndimage.gaussian_filter(random.standard_normal((2, 14, 17)), (0, 1, 1))
    lines = random.uniform(size=(20, 22)) < 0.15
    compiled = flows(image, 1.2, channel_axis=0), link_boundaries(lines)
    uncompiled(module, monkeypatch)
    plain = flows(image, 1.2, channel_axis=0), link_boundaries(lines)
    for one, other in zip(compiled[0], plain[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(compiled[1], plain[1])
    assert compiled[1].sum() > lines.sum()


# --- properties -----------------------------------------------------------------------------------


def test_units_and_turns() -> None:
    random = np.random.default_rng(2)
    image = ndimage.gaussian_filter(random.standard_normal((30, 31)), 2)
    one = flows(image)
    np.testing.assert_array_equal(flows(4 * image).strength, 4 * one.strength)
    kept = image.copy()
    for other in layouts(image):
        np.testing.assert_array_equal(flows(other).strength, one.strength)
    np.testing.assert_array_equal(image, kept)
    assert (one.strength >= 0).all()


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"image": np.ones(4)}, ValueError, "image must have 2 or 3 axes"),
        ({"image": np.ones((4, 4, 4))}, ValueError, "image must have 2 axes beside its channels"),
        ({"image": np.full((4, 4), np.nan)}, ValueError, "image must be finite, got 16 NaN"),
        ({"sigma": 0}, ValueError, "sigma must be a finite number above 0"),
        ({"orientations": 7}, ValueError, "orientations must be even, got 7"),
        ({"orientations": 2}, ValueError, "orientations must be from 4 to 360, got 2"),
        ({"weights": [1.0, 2.0]}, ValueError, r"weights must have shape \(1\)"),
        ({"weights": [-1.0]}, ValueError, "weights must be at least 0, got -1"),
        ({"max_iter": -1}, ValueError, "max_iter must be from 0 to 2147483647, got -1"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        flows(**({"image": np.ones((4, 4))} | change))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"boundary": np.full((3, 3), 0.5)}, ValueError, "boundary must hold booleans .*, got 0.5"),
        ({"boundary": np.ones(3, bool)}, ValueError, "boundary must (have 2 axes|hold a pixel)"),
        ({"reach": -1}, ValueError, "reach must be a finite number at least 0"),
        ({"least": -1}, ValueError, "least must be a finite number at least 0"),
        ({"most": 2}, ValueError, "most must be a finite number at least 3.0, got 2"),
    ],
)
def test_mistakes_of_linking(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        link_boundaries(**({"boundary": np.ones((3, 3), bool)} | change))
