"""Bins of float32 images: of tenths, as the scale of a file makes them, those of whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lesionkit.texture import Settings, radiomics, roi_features
from lesionkit.texture.region.discretise import edges_by_count, edges_by_width, intensities
from lesionkit.texture.rois import label_features
from lesionkit.texture.selection import FusedSelector, MutualInformation

WHOLE = np.random.default_rng(3).permutation(np.arange(384) % 9).reshape(6, 8, 8)
INSIDE = np.zeros(WHOLE.shape, bool)
INSIDE[1:5, 1:7, 1:7] = True
STEPS = [(0, 1), (1, 0), (1, -1)]
# Of PyRadiomics 3.0.1 with binCount 8, of the whole numbers and of the tenths.
THEIRS = {"original_firstorder_Entropy": 2.9113635127559423,
          "original_glszm_ZoneVariance": 29.762046400951817}  # fmt: skip


def levels_of(volume: np.ndarray, count: int) -> np.ndarray:
    found = intensities(volume, np.ones(volume.shape, bool))
    return found.region(edges_by_count(found.low, found.high, count, found.precision)).image()


@pytest.mark.parametrize("scale", [0.1, 0.01, 0.0024420026])
@pytest.mark.parametrize("order", ["C", "F", ">f4"])
def test_bins_by_count_are_those_of_the_whole_numbers(scale: float, order: str) -> None:
    tenths = (WHOLE * scale).astype(np.float32)
    tenths = tenths.astype(order) if order == ">f4" else np.array(tenths, order=order)
    np.testing.assert_array_equal(levels_of(tenths, 8), levels_of(WHOLE, 8))


def test_features_of_tenths() -> None:
    settings = Settings(binning="count", bin_count=8)
    whole = radiomics(WHOLE, INSIDE, settings=settings)
    tenths = radiomics((WHOLE * 0.1).astype(np.float32), INSIDE, settings=settings)
    for name, value in whole.items():
        if not name.startswith("original_firstorder") or name in THEIRS:
            assert tenths[name] == pytest.approx(value, rel=1e-12), name
    for name, value in THEIRS.items():
        assert tenths[name] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("count", [5, 10, 32, 100])
def test_edges_by_count_are_numpys(kind: type[Any], count: int) -> None:
    volume = (WHOLE * 0.7 - 3).astype(kind)
    edges = edges_by_count(float(volume.min()), float(volume.max()), count, kind)
    theirs = np.histogram_bin_edges(volume, count)
    assert edges.dtype == theirs.dtype
    np.testing.assert_array_equal(edges[:-1], theirs[:-1])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("width", [0.1, 0.25, 0.7])
def test_edges_by_width_are_pyradiomics(kind: type[Any], width: float) -> None:
    volume = (WHOLE * 0.1 + 0.75).astype(kind)
    low, high = volume.min(), volume.max()
    theirs = np.arange(low - low % width, high + 2 * width, width)
    edges = edges_by_width(float(low), float(high), width, None, kind)
    np.testing.assert_array_equal(edges, theirs)


def test_bins_that_float32_cannot_tell_apart_are_those_of_float64() -> None:
    low = np.float32(1000)
    volume = np.where(WHOLE % 2, low, np.nextafter(low, np.float32(2000)))
    np.testing.assert_array_equal(levels_of(volume, 64), np.where(WHOLE % 2, 1, 64))


@pytest.mark.parametrize("scale", [0.1, 0.01, 0.7])
def test_rois_of_tenths_have_the_levels_of_whole_numbers(scale: float) -> None:
    """100 values of 0 to 8, so that percentiles 1 and 99 are 0 and 8."""
    whole = np.random.default_rng(1).permutation(np.arange(100) % 9).reshape(1, 10, 10)
    tenths = (whole * scale).astype(np.float32)
    settings = {"levels": 8, "normalise": "percentile"}
    expected = roi_features(whole, STEPS, **settings)
    np.testing.assert_array_equal(roi_features(tenths, STEPS, **settings), expected)
    found, _ = label_features(tenths[0], np.ones((10, 10), int), STEPS, **settings)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("size", [1e-200, 1e-310])
def test_rois_of_small_numbers_have_levels(size: float) -> None:
    """Their squares are no numbers."""
    rois = np.random.default_rng(2).integers(0, 9, (3, 8, 8)).astype(float)
    expected = roi_features(rois, STEPS, 8, normalise="sigma")
    found = roi_features(rois * size, STEPS, 8, normalise="sigma")
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_columns_of_tenths_have_the_bins_of_whole_numbers() -> None:
    random = np.random.default_rng(4)
    whole = np.column_stack([random.permutation(np.arange(90) % 9) for _ in range(5)]).astype(float)
    classes = random.integers(0, 2, 90)
    tenths = (whole * 0.1).astype(np.float32)
    one, other = (MutualInformation(bins=8).fit(x, classes) for x in (whole, tenths))
    np.testing.assert_allclose(one.scores_, other.scores_, rtol=1e-12)
    fused = [FusedSelector().fit(x, classes) for x in (whole, tenths)]
    np.testing.assert_array_equal(*(f.selectors_[2].scores_ for f in fused))
