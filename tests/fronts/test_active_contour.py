"""Geodesic active contours: circles that must shrink and grow, the plain reference, mistakes."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import tolerances
from invariances import at_any_threads, layouts
from lesionkit.fronts import disk_level_set, geodesic_active_contour, inverse_gaussian_gradient
from reference.fronts import contours as reference


def away(shape: tuple[int, ...], middle: Any, spacing: Any = 1.0) -> np.ndarray:
    """The distance of each pixel to a point, which is given in pixels."""
    steps = np.broadcast_to(np.asarray(spacing, float), len(shape))
    axes = zip(np.indices(shape), middle, steps, strict=True)
    return np.sqrt(sum(((a - m) * h) ** 2 for a, m, h in axes))


def radius(phi: np.ndarray, spacing: Any = 1.0) -> float:
    """Of a disc or ball, from its area or volume; the contour to a fraction of a pixel."""
    fine = ndimage.zoom(phi.astype(float), 4, order=1, grid_mode=True, mode="nearest")
    steps = np.broadcast_to(np.asarray(spacing, float), phi.ndim)
    size = float((fine > 0).mean() * phi.size * np.prod(steps))
    return math.sqrt(size / math.pi) if phi.ndim == 2 else (size * 0.75 / math.pi) ** (1 / 3)


# --- known answers --------------------------------------------------------------------------------

# Radii are within this many of the smallest pixel: second order in space, first in time.
RADIUS = 0.25


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["distance", "booleans", "other level set"])
@pytest.mark.parametrize("start", [20.0, 10.0])
def test_a_circle_shrinks_by_its_curvature(kind: str, start: float, dtype: Any) -> None:
    """dR/dt = -1/R, so that R^2 falls by 2t."""
    distance = start - away((64, 60), (31.3, 29.8))
    level = {
        "distance": distance,
        "booleans": distance > 0,
        "other level set": 30 * (np.exp(distance / 9) - 1),
    }[kind]
    iterations = 250 if start == 20 else 75
    found = geodesic_active_contour(
        np.ones((64, 60), dtype), iterations, level, extended_output=True
    )
    assert found[1].dtype == dtype
    np.testing.assert_array_equal(found[0], found[1] > 0)
    expected = math.sqrt(start**2 - 2 * found[2])
    assert expected < 0.8 * start
    assert abs(radius(found[1]) - expected) < RADIUS


def test_a_ball_shrinks_by_its_curvature() -> None:
    """kappa is 2/R on a sphere, so that R^2 falls by 4t; on pixels that are no cubes."""
    spacing = (1.6, 1.0, 1.0)
    level = 14 - away((24, 36, 36), (11.5, 17.5, 17.5), spacing)
    found = geodesic_active_contour(
        np.ones((24, 36, 36)), 80, level, spacing=spacing, extended_output=True
    )
    expected = math.sqrt(14**2 - 4 * found[2])
    assert expected < 13
    assert abs(radius(found[1], spacing) - expected) < RADIUS


@pytest.mark.parametrize("balloon", [1.0, -2.0])
def test_a_balloon_moves_at_its_speed(balloon: float) -> None:
    level = 15 - away((64, 64), (31.5, 31.5))
    found = geodesic_active_contour(
        np.ones((64, 64)), 12, level, balloon=balloon, curvature=0.0, extended_output=True
    )
    assert abs(radius(found[1]) - (15 + balloon * found[2])) < RADIUS


def test_spacing_is_a_unit() -> None:
    """Everything twice as large takes four times as long by curvature."""
    level = 15 - away((40, 40), (19.5, 19.5))
    one = geodesic_active_contour(np.ones((40, 40)), 50, level, extended_output=True)
    two = geodesic_active_contour(
        np.ones((40, 40)), 50, 2 * level, spacing=2.0, extended_output=True
    )
    np.testing.assert_allclose(two[1], 2 * one[1], atol=1e-9)
    np.testing.assert_allclose(two[2], 4 * one[2])


def test_a_contour_stops_at_an_edge() -> None:
    random = np.random.default_rng(1)
    truth = disk_level_set((80, 90), radius=21) > 0
    image = ndimage.gaussian_filter(truth * 1.0, 1) + 0.05 * random.standard_normal((80, 90))
    edges = inverse_gaussian_gradient(image, 300, 2) ** 2
    for start, balloon in ((34, -0.5), (8, 0.5)):
        found = geodesic_active_contour(
            edges, 1000, disk_level_set((80, 90), radius=start) > 0, balloon=balloon, advection=4.0
        )
        assert (found & truth).sum() / (found | truth).sum() > 0.9


def test_a_contour_that_vanishes_or_is_not_there() -> None:
    level = 3 - away((20, 20), (9, 9))
    gone = geodesic_active_contour(np.ones((20, 20)), 100, level, extended_output=True)
    assert not gone[0].any()
    np.testing.assert_array_equal(gone[1], -3)
    for start in (np.ones((9, 1), bool), np.zeros((1, 1), bool)):
        found = geodesic_active_contour(np.ones(start.shape), 5, start)
        np.testing.assert_array_equal(found, start)


# --- reference ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((14, 13), (1.0, 1.0)), ((9, 15), (2.0, 0.7)), ((6, 7, 8), (1.5, 1, 0.8))],
)
@pytest.mark.parametrize("weights", [(0.7, 1.0, 1.5), (-1.0, 0.3, 0.0)])
def test_each_step_as_the_reference(shape: Any, spacing: Any, weights: Any) -> None:
    random = np.random.default_rng(2)
    edges = random.uniform(0.1, 1, shape)
    level = ndimage.gaussian_filter(random.standard_normal(shape), 1)
    names = dict(zip(("balloon", "curvature", "advection"), weights, strict=True))
    states = [
        geodesic_active_contour(
            edges, iterations, level, spacing=spacing, extended_output=True, **names
        )
        for iterations in range(4)
    ]
    for (_, phi, time), (_, then, later) in itertools.pairwise(states):
        expected = reference.geodesic_step(phi, edges, weights, spacing, later - time)
        near = np.abs(phi) < 3 * max(spacing)
        assert near.any()
        np.testing.assert_allclose(then[near], expected[near], atol=tolerances.CONTOUR_STEPS)


# --- properties -----------------------------------------------------------------------------------


def test_inside_and_outside_are_alike() -> None:
    random = np.random.default_rng(3)
    edges, level = random.uniform(0.2, 1, (30, 33)), random.standard_normal((30, 33))
    level = ndimage.gaussian_filter(level, 2)
    given = {"advection": 2.0, "extended_output": True}
    one = geodesic_active_contour(edges, 20, level, balloon=0.5, **given)
    two = geodesic_active_contour(edges, 20, -level, balloon=-0.5, **given)
    turned = geodesic_active_contour(edges[:, ::-1].T, 20, level[:, ::-1].T, balloon=0.5, **given)
    np.testing.assert_allclose(two[1], -one[1], atol=1e-9)
    np.testing.assert_allclose(turned[1].T[:, ::-1], one[1], atol=1e-9)


def test_threads_change_no_bit() -> None:
    random = np.random.default_rng(4)
    edges, level = random.uniform(0.2, 1, (30, 50, 40)), random.standard_normal((30, 50, 40))
    at_any_threads(lambda: geodesic_active_contour(edges, 5, level, extended_output=True))


def test_order_strides_and_read_only_arrays() -> None:
    random = np.random.default_rng(5)
    edges, level = random.uniform(size=(24, 31)), random.standard_normal((24, 31))
    kept = level.copy()
    expected = geodesic_active_contour(edges, 5, level)
    for other in layouts(edges):
        np.testing.assert_array_equal(
            geodesic_active_contour(other, 5, np.asfortranarray(level)), expected
        )
    np.testing.assert_array_equal(level, kept)


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"gimage": np.ones(4)}, ValueError, "gimage must have 2 or 3 axes, got float64 array"),
        ({"gimage": np.ones((0, 4))}, ValueError, "gimage must hold a pixel or more"),
        ({"gimage": -np.ones((4, 4))}, ValueError, "gimage must be at least 0, got -1"),
        ({"gimage": np.full((4, 4), np.nan)}, ValueError, "gimage must be finite, got 16"),
        ({"gimage": np.ones((4, 4)) * 1j}, TypeError, "gimage must hold real numbers"),
        ({"num_iter": -1}, ValueError, "num_iter must be from 0 to 2147483647, got -1"),
        (
            {"init_level_set": "star"},
            ValueError,
            "init_level_set must be 'disk' or .*got str 'star'",
        ),
        ({"init_level_set": np.ones((4, 5))}, ValueError, r"the image's shape \(4, 4\), got"),
        ({"init_level_set": np.full((4, 4), np.inf)}, ValueError, "init_level_set must be finite"),
        ({"balloon": np.nan}, ValueError, "balloon must be a finite number, got nan"),
        ({"curvature": -1}, ValueError, "curvature must be a finite number at least 0, got -1"),
        ({"advection": "x"}, TypeError, "advection must be a finite number at least 0"),
        ({"spacing": 0}, ValueError, "spacing must be above 0, got 0"),
        ({"spacing": (1, 1, 1)}, ValueError, "spacing must be one number, or one for each of 2"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        geodesic_active_contour(**({"gimage": np.ones((4, 4)), "num_iter": 2} | change))
