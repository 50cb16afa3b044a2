"""Numbers at the ends of their types: a clear sentence or the right answer, never a stray read."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tolerances
from lesionkit import texture
from lesionkit.texture import Settings, families
from lesionkit.texture.intensity import POWERS, histogram_features, intensity_features

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
    with pytest.raises(ValueError, match="volume must have bins that float64 can tell apart"):
        texture.radiomics(volume, EVERY, settings=settings)


@pytest.mark.parametrize("low", [0.0, 1e7, 1e14])
def test_bins_far_from_zero_are_those_of_a_search(low):
    from lesionkit.texture.region.discretise import edges_by_count, intensities

    volume = low + np.random.default_rng(0).uniform(0, 10, (20, 20, 20))
    found = intensities(volume, np.ones(volume.shape, bool))
    edges = edges_by_count(found.low, found.high, 256)
    levels = found.region(edges).padded[1:-1, 1:-1, 1:-1]
    np.testing.assert_array_equal(levels, np.searchsorted(edges, volume, side="right"))


def test_a_masked_volume_is_refused():
    masked = np.ma.masked_array(ONE_ULP, ONE_ULP > 1)
    with pytest.raises(ValueError, match=r"volume has masked entries.* with mask & ~volume.mask"):
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


# --- magnitudes -----------------------------------------------------------------------------------

FAR = [-1000, -500, -300, 300, 450]  # powers of 2: scaling by them is exact
NUMBERS = np.random.default_rng(1).normal(5, 1, (6, 6, 6))


@pytest.mark.parametrize("power", FAR)
def test_intensities_of_any_magnitude(power):
    near = intensity_features(NUMBERS)
    for name, value in intensity_features(np.ldexp(NUMBERS, power)).items():
        expected = math.ldexp(near[name], POWERS.get(name, 1) * power)
        assert value == pytest.approx(expected, rel=tolerances.TEXTURE_SUMS, abs=0), name


def test_intensities_whose_energy_is_no_number():
    with pytest.raises(ValueError, match="values must have an energy and a range below"):
        intensity_features([1e200, -1e200])
    with pytest.raises(ValueError, match="volume must have an energy below"):
        texture.radiomics(NUMBERS, np.ones((6, 6, 6), int), bin_width=1, shift=1e200)


@pytest.mark.parametrize("power", [-1000, -500, -300, 200])
def test_mazdas_families_of_any_magnitude(power):
    far = np.ldexp(NUMBERS, power)
    scale = np.ldexp(1.0, np.array([power, 2 * power, 0, 0, *[power] * 5]))
    expected = families.first_order(NUMBERS) * scale
    np.testing.assert_allclose(families.first_order(far), expected, rtol=tolerances.TEXTURE_SUMS)
    near = families.ar_model(NUMBERS)
    np.testing.assert_allclose(families.ar_model(far), near, rtol=1e-9)


@pytest.mark.parametrize("power", [-1060, -600, 600, 1000])
def test_matrices_of_any_magnitude(power):
    counts = np.random.default_rng(2).integers(1, 9, (2, 5, 5)).astype(float)
    names = list(texture.IBSI)
    np.testing.assert_allclose(
        texture.haralick(np.ldexp(counts, power), names),
        texture.haralick(counts, names),
        rtol=tolerances.TEXTURE_SUMS,
        atol=tolerances.TEXTURE_SUMS,
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: texture.cooccurrence(EVERY[0], [(0, 1)] * 10_000, 65536),
            "levels must be so few that 10000 matrices of 65536 x 65536 fit into memory, got",
        ),
        (
            lambda: texture.haralick(np.ones((2, 2)), first_level=10**400),
            "first_level must be from 0 to 2147483647",
        ),
        (
            lambda: texture.feature_maps(EVERY[0], 3, [(0, 1)], 2, first_level=10**400),
            "first_level must be from 0 to 2147483647",
        ),
        (
            lambda: families.haar_energy(NUMBERS, scales=10**9),
            r"at least 2\*\*1000000000 rows and columns",
        ),
        (
            lambda: texture.run_length_features(np.ones((2, 3)), voxels=-1),
            "voxels must be above 0, got -1",
        ),
        (lambda: texture.zone_features(np.ones((2, 3)), voxels=0), "voxels must be above 0, got 0"),
        (lambda: texture.zone_features(np.full((2, 3), 1e200)), "counts must have a largest"),
        (lambda: texture.tone_features([1e200], [1.0]), "voxels must have a largest number"),
        (lambda: histogram_features([]), "counts must hold a level or more"),
        (lambda: histogram_features([0, 0]), "counts must hold a number above 0"),
        (lambda: texture.dependence_features(np.zeros((8, 10))), "counts must count something"),
        (lambda: texture.run_length_features(np.zeros((0, 10))), "counts must count something"),
        (lambda: texture.zone_features(np.array([np.eye(2), np.zeros((2, 2))])), "with 1 that are"),
        (lambda: texture.tone_features(np.zeros(8), np.ones(8)), "voxels must hold a voxel"),
        (lambda: texture.zone_features(np.eye(2), [1.0, 1e200]), "sizes must be between 1e-50"),
        (lambda: texture.zone_features(np.eye(2), voxels=1e-300), "voxels must be between"),
        (lambda: texture.cs_lbp(np.full((4, 4), 1e305)), r"image must be within ±1e\+300"),
    ],
)
def test_numbers_out_of_reach(call, message):
    with pytest.raises(ValueError, match=message):
        call()
