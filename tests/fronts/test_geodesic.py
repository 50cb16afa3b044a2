"""Geodesic segmentation and paths: formulas by hand, phantoms, invariances, mistakes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit.fronts import (
    arrival_time,
    geodesic_path,
    geodesic_segment,
    gradient_weight,
    grey_weight,
)


def disc(noise: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """A bright disc in the dark, and where it is."""
    y, x = np.indices((80, 90))
    inside = np.hypot(y - 40, x - 45) < 18
    image = inside + noise * np.random.default_rng(0).standard_normal(inside.shape)
    return image, inside


# --- weights --------------------------------------------------------------------------------------


def test_grey_weight_by_hand() -> None:
    image = np.array([[0.0, 1.0, 2.0, 3.0, 9.0]])
    found = grey_weight(image, [(0, 0)], cutoff=4, rolloff=2, midpoint=0.5)
    w = [1 / (1 + (u / 0.5) ** 2) for u in (0, 0.25, 0.5, 0.75, 1)]
    expected = [0.001 + 0.999 * (x - w[-1]) / (1 - w[-1]) for x in w]
    np.testing.assert_allclose(found[0], expected, rtol=1e-14)
    assert found[0, 0] == 1
    assert found[0, 4] == pytest.approx(0.001)


def test_grey_weight_of_a_mask_and_a_range() -> None:
    image, inside = disc()
    low, high = np.percentile(image, (1, 99))
    np.testing.assert_array_equal(
        grey_weight(image, inside), grey_weight(image, inside, cutoff=(high - low) / 4)
    )
    assert grey_weight(np.ones((4, 4)), [(1, 1)]).min() == 1
    for dtype, expected in ((np.uint8, np.float32), (np.float32, np.float32), (float, np.float64)):
        assert grey_weight(np.ones((4, 4), dtype), [(1, 1)]).dtype == expected
        assert gradient_weight(np.ones((4, 4), dtype)).dtype == expected


def test_gradient_weight_by_hand() -> None:
    from scipy import ndimage

    image, _ = disc()
    g = ndimage.gaussian_gradient_magnitude(image, 2)
    low, high = np.percentile(g, (1, 99))
    g = np.clip((g - low) / (high - low), 0, 1)
    w = 1 / (1 + (g / 0.3) ** 4)
    expected = np.where(w < 0.2, 1e-3, w)
    found = gradient_weight(image, sigma=2, rolloff=4, midpoint=0.3, cutoff=0.2)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert (gradient_weight(np.ones((9, 9))) == 1).all()


# --- segments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("weight", "least"), [("grey", 0.95), ("gradient", 0.85)])
def test_a_disc_is_found(weight: Any, least: float) -> None:
    """Small gradients end some pixels before the edge."""
    image, inside = disc()
    found = geodesic_segment(image, (40, 45), threshold=0.02, weight=weight)
    assert found.dtype == bool
    overlap = 2 * (found & inside).sum() / (found.sum() + inside.sum())
    assert overlap > least


def test_threshold_and_stop_are_one_thing() -> None:
    image, inside = disc()
    seeds = np.zeros_like(inside)
    seeds[38:43, 44:47] = True
    found, times = geodesic_segment(image, seeds, threshold=0.05, return_times=True)
    weights = grey_weight(image, seeds)
    full = arrival_time(weights, np.argwhere(seeds))
    np.testing.assert_array_equal(times, full)
    np.testing.assert_array_equal(found, full <= 0.05 * full.max())
    stop = 0.05 * full.max()
    np.testing.assert_array_equal(geodesic_segment(image, seeds, stop=stop), found)
    np.testing.assert_array_equal(geodesic_segment(image, seeds, stop=stop, weight=weights), found)
    assert geodesic_segment(image, seeds).sum() < found.sum()


def test_masks_and_volumes() -> None:
    volume = np.zeros((12, 20, 20), np.float32)
    volume[3:9, 5:15, 5:15] = 1
    found = geodesic_segment(volume, (6, 10, 10), threshold=0.01, spacing=(2, 1, 1), cutoff=0.5)
    np.testing.assert_array_equal(found, volume > 0)
    mask = np.ones(volume.shape, bool)
    mask[6:] = False
    half = geodesic_segment(volume, (4, 10, 10), mask=mask, cutoff=0.5)
    np.testing.assert_array_equal(half, (volume > 0) & mask)
    nothing = geodesic_segment(volume, (6, 10, 10), mask=np.zeros(volume.shape, bool))
    assert not nothing.any()


def test_lesions_on_real_slices(lesionkit_data: Path) -> None:
    """Lesions planted into diffusion-weighted slices: both forms agree, every pixel is reached."""
    from skimage.io import imread

    folder = lesionkit_data / "data" / "stroke_dwi" / "planted_phantom"
    for name in sorted(folder.glob("*_acute_*_dwi.png"))[:6]:
        image = imread(name).astype(np.float32)
        lesion = imread(name.with_name(name.name.replace("_dwi", "_mask"))) > 0
        seed = np.unravel_index(np.where(lesion, image, -1).argmax(), image.shape)
        found, times = geodesic_segment(image, seed, threshold=0.005, return_times=True)
        assert np.isfinite(times).all()
        stop = 0.005 * float(times.max())
        np.testing.assert_array_equal(geodesic_segment(image, seed, stop=stop), times <= stop)
        assert found[seed]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"threshold": 0.1, "stop": 1}, ValueError, "threshold and stop exclude each other"),
        ({"threshold": 0}, ValueError, "threshold must be a finite number above 0"),
        ({"threshold": 2}, ValueError, "at most 1"),
        ({"weight": "colour"}, ValueError, "weight must be 'grey' or 'gradient', got str"),
        ({"weight": np.ones(3)}, ValueError, "weight must have the image's shape"),
        ({"weight": np.ones((8, 9)), "sigma": 1}, TypeError, "take no options, got sigma"),
        ({"cutoff": 0}, ValueError, "cutoff must be a finite number above 0"),
        (
            {"seeds": np.zeros((8, 9), bool)},
            ValueError,
            "seeds must hold a pixel or more, and all of it is False",
        ),
        ({"seeds": np.zeros((8, 8), bool)}, ValueError, "seeds must have the shape of image"),
        ({"seeds": (1, 2, 3)}, ValueError, "seeds must be bool of shape"),
        ({"seeds": (9, 2)}, ValueError, "seeds must lie within the image"),
        ({"image": np.full((8, 9), np.nan)}, ValueError, "image must be finite"),
        ({"image": np.ones((2, 2, 2, 2))}, ValueError, "image must have 1 to 3 axes"),
        ({"stop": -1}, ValueError, "stop must be a finite number at least 0"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments: dict[str, Any] = {"image": np.eye(8, 9), "seeds": (2, 3)}
    with pytest.raises(error, match=message):
        geodesic_segment(**(arguments | change))


# --- paths ----------------------------------------------------------------------------------------


def length(path: np.ndarray, spacing: Any = 1.0) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0) * spacing, axis=1).sum())


@pytest.mark.parametrize(
    ("shape", "seed", "end", "spacing"),
    [
        ((60, 80), (20.3, 30.7), (50, 70), 1.0),
        ((60, 80), (0, 0), (59, 79), 1.0),
        ((60, 80), (20, 30), (20, 79), (2.0, 0.5)),
        ((20, 30, 25), (4.5, 7, 20), (18, 28.5, 2), (1.0, 0.7, 1.3)),
        ((50,), (20.5,), (3,), 2.0),
    ],
)
def test_straight_where_speed_is_constant(
    shape: tuple[int, ...], seed: Any, end: Any, spacing: Any
) -> None:
    times = arrival_time(np.ones(shape), seed, spacing, order=2, factored=True)
    path = geodesic_path(times, end, seed, spacing)
    np.testing.assert_array_equal(path[0], end)
    np.testing.assert_array_equal(path[-1], seed)
    straight = float(np.linalg.norm((np.array(end) - seed) * spacing))
    assert straight <= length(path, spacing) + 1e-12
    assert length(path, spacing) == pytest.approx(straight, rel=2e-3)
    way = (np.array(end) - seed) * spacing / straight
    off = (path - seed) * spacing
    off -= np.outer(off @ way, way)
    assert np.abs(off).max() < 0.15


def test_arcs_where_speed_is_linear() -> None:
    """Rays are circles about points where the speed is 0 (Slotnick 1959)."""
    slope = 0.02
    speed = 1 + slope * (np.arange(101.0) - 20)[:, None] * np.ones((101, 101))
    times = arrival_time(speed, (20, 20), order=2)
    path = geodesic_path(times, (20, 80), (20, 20), step=0.25)
    radius = np.hypot(path[:, 0] - (20 - 1 / slope), path[:, 1] - 50)
    assert np.ptp(radius) < 0.1


def test_times_fall_along_a_path_and_walls_are_passed() -> None:
    speed = np.random.default_rng(0).uniform(0.2, 1, (70, 90))
    speed[np.random.default_rng(1).random(speed.shape) < 0.25] = 0
    speed[5, 5] = 1
    times = arrival_time(speed, (5, 5))
    ends = np.argwhere(np.isfinite(times))[::37]
    for end, path in zip(ends, geodesic_path(times, ends), strict=True):
        np.testing.assert_array_equal(path[0], end)
        np.testing.assert_array_equal(path[-1], (5, 5))
        assert np.linalg.norm(np.diff(path, axis=0), axis=1).max(initial=0.0) <= 3
    long = np.ones((101, 101))
    long[:80, 50] = 0
    times = arrival_time(long, (20, 20), order=2)
    path = geodesic_path(times, (20, 80), (20, 20))
    assert length(path) == pytest.approx(2 * math.hypot(60, 30), rel=0.01)
    assert path[:, 0].max() == pytest.approx(80, abs=1)


def test_one_path_or_many() -> None:
    times = arrival_time(np.ones((30, 40), np.float32), [(5, 5), (25, 30)], order=2)
    ends = [(0, 0), (29, 39), (15.5, 2.25), (5, 5)]
    paths = geodesic_path(times, ends, [(5, 5), (25, 30)])
    assert [tuple(path[-1]) for path in paths] == [(5, 5), (25, 30), (5, 5), (5, 5)]
    assert len(paths[3]) == 1
    for end, path in zip(ends, paths, strict=True):
        np.testing.assert_array_equal(geodesic_path(times, end, [(5, 5), (25, 30)]), path)
        np.testing.assert_array_equal(
            geodesic_path(np.asfortranarray(times), end, [(5, 5), (25, 30)]), path
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": np.ones((2, 2, 2, 2))}, "times must have 1 to 3 axes"),
        ({"times": np.full((5, 6), np.nan)}, "times must not be NaN"),
        ({"points": (1, 2, 3)}, "points must be a point of 2 numbers"),
        ({"points": (5, 2)}, "points must lie within the image"),
        ({"points": [(1, 1), (4, 5)]}, r"points must lie where a front arrives, got \(4.0, 5.0\)"),
        ({"seeds": (9, 2)}, "seeds must lie within the image"),
        ({"step": 0}, "step must be a finite number above 0"),
        ({"spacing": -1}, "spacing must be above 0"),
    ],
)
def test_mistakes_about_paths(change: dict[str, Any], message: str) -> None:
    times = arrival_time(np.ones((5, 6)), (2, 2))
    times[4, 5] = np.inf
    arguments: dict[str, Any] = {"times": times, "points": (1, 1)}
    with pytest.raises(ValueError, match=message):
        geodesic_path(**(arguments | change))
