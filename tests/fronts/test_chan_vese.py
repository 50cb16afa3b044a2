"""Contours without edges: scikit-image's bits, the plain reference, properties, mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import skimage.segmentation
from skimage import data

import tolerances
from invariances import at_any_threads, layouts
from lesionkit.fronts import chan_vese
from reference.fronts import contours as reference

STARTS = ("checkerboard", "disk", "small disk")


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def blob(seed: int, *shape: int) -> np.ndarray:
    """A bright ball off the middle, in noise."""
    axes = np.indices(shape)
    away = sum((a - 0.4 * n) ** 2 for a, n in zip(axes, shape, strict=True)) ** 0.5
    return (away < 0.3 * min(shape)) + 0.2 * noise(seed, *shape)


# --- known answers --------------------------------------------------------------------------------

IMAGES = {
    "bytes": data.camera()[::4, ::4],
    "double": data.camera()[::4, ::4] / 255.0,
    "single": (data.camera()[::4, ::4] / 255.0).astype(np.float32),
    "half": data.camera()[::8, ::8].astype(np.float16),
    "noise": noise(0, 37, 53),
    "tall": noise(1, 700, 3),
    "row": noise(2, 1, 40),
    "column": noise(3, 40, 1),
    "one pixel": noise(4, 1, 1),
    "flat": np.ones((30, 31)),
    "truth": noise(5, 20, 21) > 0,
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", IMAGES)
def test_the_bits_of_scikit_image(name: str, start: str) -> None:
    image = IMAGES[name]
    if start != "checkerboard" and min(image.shape) < 3:
        with pytest.raises(ValueError, match="a disk needs 3 pixels or more along each axis"):
            chan_vese(image, init_level_set=start)
        return
    for rest in ({}, {"mu": 0.1, "lambda1": 1.3, "lambda2": 0.7, "dt": 0.9, "tol": 1e-9}):
        given = {"max_num_iter": 40, "init_level_set": start, "extended_output": True, **rest}
        ours = chan_vese(image, **given)
        theirs = skimage.segmentation.chan_vese(image, **given)
        for part, expected in zip(ours[:2], theirs[:2], strict=True):
            assert part.dtype == expected.dtype
            np.testing.assert_array_equal(part, expected)
        rounding = tolerances.CONTOUR_ENERGY if ours[1].dtype == np.float64 else 1e-5
        np.testing.assert_allclose(ours[2], theirs[2], rtol=rounding, atol=rounding)


def test_a_level_set_of_ones_own() -> None:
    image, phi = noise(6, 50, 40), noise(7, 50, 40)
    kept = phi.copy()
    for start in (phi, phi.astype(np.float32), phi > 0, (phi * 9).astype(int)):
        ours = chan_vese(image, init_level_set=start, max_num_iter=9)
        theirs = skimage.segmentation.chan_vese(image, init_level_set=start, max_num_iter=9)
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(phi, kept)
    np.testing.assert_array_equal(chan_vese(image, init_level_set=phi, max_num_iter=0), phi > 0)


def test_two_regions_are_found() -> None:
    for shape in ((40, 50), (20, 24, 22)):
        image = blob(8, *shape)
        truth = blob(8, *shape) - 0.2 * noise(8, *shape) > 0.5
        found = chan_vese(image, mu=0.2, init_level_set="disk", max_num_iter=200, tol=1e-4)
        found = found if found[truth].mean() > 0.5 else ~found
        assert (found & truth).sum() / (found | truth).sum() > 0.95


# --- reference ------------------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(9, 11), (1, 7), (5, 6, 7), (4, 1, 5)])
def test_as_the_reference(shape: tuple[int, ...], channels: int, masked: bool) -> None:
    image = np.random.default_rng(9).uniform(0, 1, (channels, *shape))
    for channel in image:  # from 0 to 1, so that scaling changes nothing
        channel.flat[:2] = 0, 1
    mask = np.random.default_rng(10).uniform(size=shape) < 0.8 if masked else None
    if mask is not None:
        mask.flat[:2] = True
    expected = noise(11, *shape) if mask is None else np.where(mask, noise(11, *shape), 0)
    weights = {"mu": 0.3, "lambda1": 1.5, "lambda2": 0.5, "dt": 0.4, "tol": -1.0}
    segmentation, phi, energies = chan_vese(
        np.moveaxis(image, 0, -1),
        **weights,
        max_num_iter=4,
        init_level_set=expected,
        extended_output=True,
        channel_axis=-1,
        mask=mask,
    )
    for energy in energies:
        again = reference.chan_vese_energy(image, expected, 0.3, (1.5, 0.5), mask)
        np.testing.assert_allclose(energy, again, rtol=tolerances.CONTOUR_ENERGY)
        expected = reference.chan_vese_step(image, expected, 0.3, (1.5, 0.5), 0.4, mask)
    assert len(energies) == 4
    np.testing.assert_allclose(
        phi, expected, rtol=tolerances.CONTOUR_STEPS, atol=tolerances.CONTOUR_STEPS
    )
    np.testing.assert_array_equal(segmentation, phi > 0)


# --- properties -----------------------------------------------------------------------------------


def test_a_box_is_a_picture_of_its_own() -> None:
    image, mask = noise(12, 60, 50), np.zeros((60, 50), bool)
    box = (slice(20, 45), slice(7, 40))
    mask[box] = True
    image[~mask] = np.nan
    start = np.where(mask, 0.0, np.inf)
    start[box] = noise(13, 25, 33)
    given = {"max_num_iter": 20, "extended_output": True}
    ours = chan_vese(image, init_level_set=start, mask=mask, **given)
    alone = chan_vese(image[box], init_level_set=start[box], **given)
    for part, expected in zip(ours[:2], alone[:2], strict=True):
        np.testing.assert_array_equal(part[box], expected)
        assert not part[~mask].any()
    np.testing.assert_allclose(ours[2], alone[2], rtol=tolerances.CONTOUR_ENERGY)


def test_equal_channels_are_one() -> None:
    image = noise(14, 30, 40)
    expected = chan_vese(image, max_num_iter=20, extended_output=True)
    twice = np.stack([image, 5 * image + 3])
    ours = chan_vese(twice, max_num_iter=20, extended_output=True, channel_axis=0)
    np.testing.assert_allclose(ours[1], expected[1], atol=tolerances.CONTOUR_STEPS)


def test_threads_change_no_bit() -> None:
    image = blob(15, 20, 90, 40)
    at_any_threads(lambda: chan_vese(image, max_num_iter=5, extended_output=True))


def test_order_strides_and_read_only_arrays() -> None:
    image = noise(16, 24, 31)
    expected = chan_vese(image, max_num_iter=10)
    for other in layouts(image):
        np.testing.assert_array_equal(chan_vese(other, max_num_iter=10), expected)


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"image": np.ones(5)}, ValueError, "image must have 2 or 3 axes.*got 1"),
        ({"image": np.ones((2, 2, 2, 2))}, ValueError, "image must have 2 or 3 axes.*got 4"),
        ({"image": np.ones((0, 3))}, ValueError, "image must hold a pixel or more"),
        ({"image": np.ones((2, 2)) * 1j}, TypeError, "image must hold real numbers"),
        ({"image": [[1], [1, 2]]}, TypeError, "image must be an array of real numbers"),
        ({"image": np.full((3, 3), np.nan)}, ValueError, "image must be finite, got 9 NaN"),
        ({"mu": "a"}, TypeError, "mu must be a finite number, got str 'a'"),
        ({"lambda2": np.inf}, ValueError, "lambda2 must be a finite number, got inf"),
        ({"dt": None}, TypeError, "dt must be a finite number above 0.0 .*, got NoneType None"),
        ({"dt": -1e308}, ValueError, "dt must be a finite number above 0.0 and at most 1000000.0"),
        ({"tol": np.nan}, ValueError, "tol must be a finite number, got nan"),
        ({"max_num_iter": -1}, ValueError, "max_num_iter must be from 0 to 2147483647, got -1"),
        ({"max_num_iter": 2.0}, TypeError, "max_num_iter must be an integer"),
        ({"init_level_set": "star"}, ValueError, "init_level_set must be 'checker.*got str 'star'"),
        ({"init_level_set": np.ones((3, 4))}, ValueError, r"the picture's shape \(4, 4\)"),
        ({"init_level_set": np.full((4, 4), np.inf)}, ValueError, "init_level_set must be finite"),
        ({"channel_axis": 2}, ValueError, "channel_axis must be from -2 to 1, got 2"),
        ({"channel_axis": 0}, ValueError, "image must have 2 or 3 axes.*got 1"),
        (
            {"mask": np.ones((4, 5), bool)},
            ValueError,
            r"mask must have the shape of image, \(4, 4\)",
        ),
        ({"mask": np.zeros((4, 4), bool)}, ValueError, "mask must hold a pixel or more"),
        ({"mask": np.full((4, 4), 0.5)}, ValueError, "mask must hold booleans .*, got 0.5"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        chan_vese(**({"image": noise(17, 4, 4)} | change))
