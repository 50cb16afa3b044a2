"""Numbers at the ends of their types: a clear sentence or the right answer, never a stray read."""

from __future__ import annotations

import numpy as np
import pytest

from lesionkit import texture
from lesionkit.texture import Settings

EVERY = np.ones((4, 4, 4), int)
ONE_ULP = np.where(np.arange(64) % 2, 1.0, np.nextafter(1, 2)).reshape(4, 4, 4)


@pytest.mark.parametrize(
    ("volume", "settings"),
    [
        (np.full((4, 4, 4), 1e20), Settings()),
        (np.full((4, 4, 4), 1e17), Settings(bin_width=7)),
        (ONE_ULP, Settings(binning="count")),
        (np.where(EVERY.cumsum().reshape(4, 4, 4) % 2, 1e308, -1e308), Settings(binning="count")),
        (np.full((4, 4, 4), 5.0), Settings(bin_origin=5.0, bin_width=1e-17)),
        (np.arange(64.0).reshape(4, 4, 4) * 5e-324, Settings(binning="count")),
    ],
)
def test_bins_that_float64_cannot_tell_apart(volume, settings):
    with pytest.raises(ValueError, match="image must have bins that float64 can tell apart"):
        texture.radiomics(volume, EVERY, settings=settings)


@pytest.mark.parametrize("low", [0.0, 1e7, 1e14])
def test_bins_far_from_zero_are_those_of_a_search(low):
    from lesionkit.texture.discretise import edges_by_count, intensities

    volume = low + np.random.default_rng(0).uniform(0, 10, (20, 20, 20))
    found = intensities(volume, np.ones(volume.shape, bool))
    edges = edges_by_count(found.low, found.high, 256)
    levels = found.region(edges).padded[1:-1, 1:-1, 1:-1]
    np.testing.assert_array_equal(levels, np.searchsorted(edges, volume, side="right"))


def test_a_masked_volume_is_refused():
    masked = np.ma.masked_array(ONE_ULP, ONE_ULP > 1)
    with pytest.raises(ValueError, match="image has masked entries"):
        texture.radiomics(masked, EVERY)


@pytest.mark.parametrize("step", [np.array([[-128, -128]], np.int8), np.array([[-(2**63), 0]])])
def test_directions_that_have_no_absolute_value(step):
    with pytest.raises(ValueError, match="directions must be one or more steps of -1, 0 or 1"):
        texture.run_lengths(np.zeros((30, 30), int), step, 8)


def test_labels_beyond_float64():
    labels = np.full((5, 5), 2**60 + 1, np.uint64)
    labels[0] = 2**60 + 3
    ids = texture.label_features(np.zeros((5, 5), int), labels, [(0, 1)], 8)[1]
    np.testing.assert_array_equal(ids, [2**60 + 1, 2**60 + 3])
    with pytest.raises(ValueError, match=r"labels must be below 2\*\*63"):
        texture.label_features(np.zeros((5, 5), int), labels + np.uint64(2**63), [(0, 1)], 8)


def test_offsets_beyond_any_image():
    far = np.array([(0, 2**64 - 1)], np.uint64)
    assert texture.cooccurrence(np.zeros((5, 5), int), far, 2).sum() == 0
    with pytest.raises(ValueError, match="offsets must be shorter than the window"):
        texture.feature_maps(np.zeros((9, 9), int), 3, [(0, -(2**63))], 2)
    with pytest.raises(ValueError, match="window must hold at most"):
        texture.feature_maps(np.zeros((9, 9), int), 2**32 - 1, [(0, 1)], 2)
