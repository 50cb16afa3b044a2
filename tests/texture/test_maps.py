"""Feature maps: each pixel against the matrix of its window, properties, mistakes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tolerances
from invariances import at_any_threads
from lesionkit.texture import MAZDA, cooccurrence, feature_maps, haralick
from lesionkit.texture.images import BORDERS
from lesionkit.texture.maps import FEATURES
from reference import texture as reference

OFFSETS = [(0, 1), (1, 1), (1, 0), (1, -1)]


def random_image(seed: int, shape: tuple[int, ...], levels: int) -> np.ndarray:
    """Noise, flat in one corner."""
    image = np.random.default_rng(seed).integers(0, levels, shape)
    image[tuple(slice(0, n // 2) for n in shape)] = levels - 1
    return image


def close(ours: Any, expected: Any) -> None:
    np.testing.assert_allclose(
        ours, expected, rtol=tolerances.TEXTURE_SUMS, atol=tolerances.TEXTURE_SUMS
    )


# --- reference ------------------------------------------------------------------------------------


def test_each_pixel_as_the_reference() -> None:
    image = random_image(1, (7, 8), 5)
    maps = feature_maps(image, 5, OFFSETS, 5, FEATURES, border="valid", average=False)
    assert maps.shape == (4, len(FEATURES), 3, 4)
    for row, column in np.ndindex(3, 4):
        window = image[row : row + 5, column : column + 5]
        for k, offset in enumerate(OFFSETS):
            expected = reference.haralick_features(reference.glcm(window, offset, 5))
            close(maps[k, :, row, column], [expected[name] for name in FEATURES])


@pytest.mark.parametrize(
    ("shape", "window", "offsets", "levels"),
    [
        ((40, 33), 7, OFFSETS, 32),
        ((19, 17), (5, 7), [(0, 1), (2, -3), (-4, 0)], 8),
        ((33, 9), 3, [(0, 1), (1, -1)], 256),
        ((12, 12), 11, [(0, 0), (3, 2)], 2),
        ((6, 5), 1, [(0, 0)], 3),
        ((7, 8, 9), (3, 3, 5), [(0, 0, 1), (1, -1, 1), (-1, 1, 2)], 5),
        ((4, 20, 6), (1, 9, 3), [(0, 1, 0)], 40),
    ],
)
@pytest.mark.parametrize("border", BORDERS)
def test_as_haralick_of_each_window(
    shape: Any, window: Any, offsets: Any, levels: int, border: Any
) -> None:
    image = random_image(2, shape, levels)
    sides = window if isinstance(window, tuple) else (window,) * len(shape)
    whole = image
    if border != "valid":
        whole = np.pad(image, [(side // 2, side // 2) for side in sides], mode=border)
    windows = np.lib.stride_tricks.sliding_window_view(whole, sides)
    for first, base in ((1, 2.0), (0, math.e)):
        rest = {"log_base": base, "first_level": first}
        each = haralick(cooccurrence(windows, offsets, levels), FEATURES, **rest)
        expected = np.moveaxis(each, (-2, -1), (0, 1))
        ours = feature_maps(
            image, window, offsets, levels, FEATURES, border=border, average=False, **rest
        )
        close(ours, expected)
        mean = feature_maps(image, window, offsets, levels, FEATURES, border=border, **rest)
        assert mean.shape == (len(FEATURES), *windows.shape[: image.ndim])
        close(mean, expected.mean(0))


@pytest.mark.parametrize("levels", [257, 1000, 65536])
def test_many_levels(levels: int) -> None:
    """Without haralick, whose matrices would not fit: from the levels that occur, renumbered."""
    used = np.array([0, 1, levels // 2, levels - 2, levels - 1])
    image = random_image(3, (20, 21), 5)
    counted = ["angular_second_moment", "energy", "joint_entropy"]
    np.testing.assert_array_equal(
        feature_maps(used[image], 5, OFFSETS, levels, counted),
        feature_maps(image, 5, OFFSETS, 5, counted),
    )
    moments = ["contrast", "correlation", "sum_average"]
    ours = feature_maps(used[image], 3, [(0, 1)], levels, moments, border="valid")
    for row, column in ((0, 0), (11, 9), (17, 18)):
        a = used[image[row : row + 3, column : column + 2]].ravel() + 1.0
        b = used[image[row : row + 3, column + 1 : column + 3]].ravel() + 1.0
        both = np.corrcoef(np.r_[a, b], np.r_[b, a])[0, 1] if np.ptp(np.r_[a, b]) else 1.0
        expected = [np.mean((a - b) ** 2), both, np.mean(a + b)]
        np.testing.assert_allclose(ours[:, row, column], expected, rtol=tolerances.TEXTURE_SUMS)


# --- properties -----------------------------------------------------------------------------------

UNMOVED = [name for name in FEATURES if name not in ("sum_average", "joint_average")]


@given(seed=st.integers(0, 2**32 - 1), levels=st.integers(1, 9), side=st.sampled_from([3, 5]))
def test_properties(seed: int, levels: int, side: int) -> None:
    image = random_image(seed, (9, 23), levels)
    maps = feature_maps(image, side, OFFSETS, levels + 4, UNMOVED)
    close(feature_maps(image + 4, side, OFFSETS, levels + 4, UNMOVED), maps)
    close(feature_maps(image, side, np.negative(OFFSETS), levels + 4, UNMOVED), maps)
    turned = feature_maps(image.T, side, [o[::-1] for o in OFFSETS], levels, UNMOVED)
    close(turned.swapaxes(1, 2), maps)


def test_flat_image() -> None:
    maps = feature_maps(np.full((6, 7), 3), 3, OFFSETS, 8, FEATURES)
    ones = {"angular_second_moment", "correlation", "inverse_difference_moment", "energy"}
    levels = {"sum_average": 8.0, "joint_average": 4.0}
    for name, map_ in zip(FEATURES, maps, strict=True):
        assert (map_ == levels.get(name, float(name in ones))).all(), name


def test_a_large_window_does_not_drift() -> None:
    image = random_image(4, (40, 900), 4)
    wide = feature_maps(image, (39, 3), OFFSETS, 4, FEATURES, border="valid")
    cut = feature_maps(image[:, -60:], (39, 3), OFFSETS, 4, FEATURES, border="valid")
    np.testing.assert_array_equal(wide[..., -58:], cut)


def test_threads_change_no_bit() -> None:
    image = random_image(5, (70, 50), 16)
    at_any_threads(lambda: feature_maps(image, 7, OFFSETS, 16, FEATURES))


def test_order_strides_and_read_only_arrays() -> None:
    image = random_image(6, (20, 31), 9)
    expected = feature_maps(image, 3, OFFSETS, 9)
    assert expected.shape == (11, 20, 31)
    frozen = image.astype(np.uint8)
    frozen.flags.writeable = False
    wide = np.repeat(image, 2, axis=1)
    for other in (np.asfortranarray(image), wide[:, ::2], frozen, image.tolist()):
        np.testing.assert_array_equal(feature_maps(other, 3, OFFSETS, 9), expected)
    np.testing.assert_array_equal(feature_maps(image, 3, OFFSETS, 9, MAZDA), expected)
    np.testing.assert_array_equal(feature_maps(image, 3, OFFSETS, 9, "contrast"), expected[1])
    one = feature_maps(np.array([[2]]), 3, [(0, 1)], 3, "contrast", border="edge")
    assert one.tolist() == [[0.0]]


# --- mistakes -------------------------------------------------------------------------------------

ZEROS = np.zeros((6, 7), np.uint8)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"image": ZEROS / 1}, TypeError, "image must hold integers .*, got float64"),
        ({"image": ZEROS + 4}, ValueError, "image must hold levels from 0 to 3, got 4 to 4"),
        ({"image": ZEROS - np.int8(2)}, ValueError, "from 0 to 3, got -2 to -2"),
        ({"image": ZEROS[0]}, ValueError, "image must have 2 or 3 axes"),
        ({"window": 4}, ValueError, "window must be odd, so that it has a middle, got 4"),
        ({"window": 0}, ValueError, "window must be at least 1, got 0"),
        ({"window": (3, 3, 3)}, ValueError, "window must be one odd number, or one for each of 2"),
        ({"window": 3.0}, TypeError, "window must be an integer"),
        ({"window": 183}, ValueError, "window must hold at most 32767 pixels, got 183"),
        ({"window": 9, "border": "valid"}, ValueError, "window must fit into the image"),
        ({"offsets": [(0, 3)]}, ValueError, r"offsets must be shorter than the window \(3, 3\)"),
        ({"offsets": [(0, 0, 1)]}, ValueError, "offsets must have as many numbers"),
        ({"offsets": [(0, 1.5)]}, TypeError, "offsets must hold integers"),
        ({"levels": 1}, ValueError, "image must hold levels from 0 to 0, got 0 to 1"),
        ({"levels": 65537}, ValueError, "levels must be from 1 to 65536"),
        ({"features": "autocorrelation"}, ValueError, "features must be of .*contrast"),
        (
            {"border": "mirror"},
            ValueError,
            "border must be .reflect., .* or .valid., got str .mirror.",
        ),
        ({"log_base": 0.5}, ValueError, "log_base must be a finite number above 1.0"),
        ({"first_level": 0.5}, TypeError, "first_level must be an integer"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    image = ZEROS.copy()
    image[0, 0] = 1
    given = {"image": image, "window": 3, "offsets": [(0, 1)], "levels": 4} | change
    with pytest.raises(error, match=message):
        feature_maps(**given)


def test_offsets_of_a_volume_have_three_numbers() -> None:
    with pytest.raises(ValueError, match="one number for each of the image's 3 axes, got 2"):
        feature_maps(np.zeros((3, 3, 3), int), 3, [(0, 1)], 4)
