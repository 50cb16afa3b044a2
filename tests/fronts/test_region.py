"""Region growing: ramps and discs whose answer is known, the loop uncompiled, mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage.segmentation import flood

from invariances import layouts
from lesionkit.fronts import region
from lesionkit.fronts.region import region_grow


def seeds_at(shape: tuple[int, ...], *places: tuple[int, ...]) -> np.ndarray:
    seeds = np.zeros(shape, int)
    for number, place in enumerate(places, 1):
        seeds[place] = number
    return seeds


# --- known answers --------------------------------------------------------------------------------


def test_the_mean_follows() -> None:
    """Of 0, 1, 2, ... four join: the mean of 0 to 3 is 1.5, and 4 is 2.5 away."""
    ramp = np.arange(10.0)[None]
    grown = region_grow(ramp, seeds_at(ramp.shape, (0, 0)), 2.2)
    np.testing.assert_array_equal(grown, [[1, 1, 1, 1, 0, 0, 0, 0, 0, 0]])
    assert grown.dtype == np.int32


def test_nearer_to_the_mean_than_the_mean_to_the_threshold() -> None:
    """From 4 downwards while |I - mean| < |mean - 1|: 4 and 3 (1 < 3), 2.25 (1.25 < 2.5), 1.5
    (1.58 < 2.08), and 1 no more (1.69 = 1.69)."""
    line = np.array([[4, 3, 2.25, 1.5, 1.0, 0.5]])
    grown = region_grow(line, seeds_at(line.shape, (0, 0)), threshold=1.0)
    np.testing.assert_array_equal(grown, [[1, 1, 1, 1, 0, 0]])


@pytest.mark.parametrize("connectivity", [1, 2])
def test_even_regions_are_flooded(connectivity: int) -> None:
    image = np.random.default_rng(0).integers(0, 2, (40, 50))
    image[20, 25] = 1
    grown = region_grow(image, seeds_at(image.shape, (20, 25)), 0.0, connectivity=connectivity)
    expected = flood(image, (20, 25), connectivity=connectivity)
    np.testing.assert_array_equal(grown, expected)


def test_regions_grow_together_and_share_no_pixel() -> None:
    image = np.zeros((5, 11))
    grown = region_grow(image, seeds_at(image.shape, (2, 0), (2, 10)), 1.0)
    assert (grown[:, :5] == 1).all()
    assert (grown[:, 6:] == 2).all()
    assert (grown[:, 5] == 1).all()  # at the same distance: the first


def test_channels_volumes_masks_and_booleans() -> None:
    random = np.random.default_rng(1)
    truth = np.zeros((12, 13, 14), bool)
    truth[3:9, 4:10, 2:12] = True
    colours = np.stack([truth * 3.0, truth * 4.0])  # 5 apart
    colours += random.uniform(-0.1, 0.1, colours.shape)
    start = np.zeros(truth.shape, bool)
    start[5, 6, 7] = True
    np.testing.assert_array_equal(region_grow(colours, start, 4.5, channel_axis=0) == 1, truth)
    np.testing.assert_array_equal(
        region_grow(np.moveaxis(colours, 0, -1), start, 5.5, channel_axis=-1), 1
    )
    mask = np.indices(truth.shape)[2] < 9
    colours[:, ~mask] = np.nan
    grown = region_grow(colours, start, 5.5, channel_axis=0, mask=mask)
    np.testing.assert_array_equal(grown == 1, mask)


# --- reference ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [{"tolerance": 0.8}, {"threshold": 1.2}])
def test_uncompiled_it_is_the_same(monkeypatch: pytest.MonkeyPatch, rule: dict[str, float]) -> None:
    random = np.random.default_rng(2)
    image = random.standard_normal((17, 19))
    seeds = (random.uniform(size=image.shape) < 0.02) * random.integers(1, 5, image.shape)
    for connectivity in (1, 2):
        compiled = region_grow(image, seeds, connectivity=connectivity, **rule)
        with monkeypatch.context() as patch:
            patch.setattr(region, "_grow_compiled", region._grow)
            plain = region_grow(image, seeds, connectivity=connectivity, **rule)
        np.testing.assert_array_equal(compiled, plain)
        assert 0 < (compiled > 0).mean() < 1


# --- properties -----------------------------------------------------------------------------------


def test_order_strides_and_read_only_arrays() -> None:
    random = np.random.default_rng(3)
    image, seeds = random.standard_normal((20, 31)), seeds_at((20, 31), (4, 5), (15, 20))
    kept = image.copy(), seeds.copy()
    expected = region_grow(image, seeds, 0.9)
    np.testing.assert_array_equal(region_grow(image * 8 - 3, seeds, 7.2), expected)
    image.flags.writeable = seeds.flags.writeable = False
    for other in layouts(image):
        for start in (seeds, np.asfortranarray(seeds), seeds.astype(np.uint8)):
            np.testing.assert_array_equal(region_grow(other, start, 0.9), expected)
    np.testing.assert_array_equal(image, kept[0])
    np.testing.assert_array_equal(seeds, kept[1])


# --- mistakes -------------------------------------------------------------------------------------

IMAGE, SEEDS = np.ones((4, 5)), seeds_at((4, 5), (1, 1))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"tolerance": None}, ValueError, "give either tolerance or threshold, and not both"),
        ({"threshold": 1.0}, ValueError, "give either tolerance or threshold, and not both"),
        ({"tolerance": -1}, ValueError, "tolerance must be a finite number at least 0.*got -1"),
        ({"image": np.ones(4)}, ValueError, "image must have 2 or 3 axes"),
        ({"image": IMAGE * np.nan}, ValueError, "image must be finite, got 20 NaN"),
        ({"image": IMAGE * 1j}, TypeError, "image must hold real numbers"),
        ({"seeds": SEEDS * 0.5}, ValueError, "seeds must hold integers or booleans, got 0.5"),
        ({"seeds": SEEDS[1:]}, ValueError, r"seeds must have the picture's shape \(4, 5\), got"),
        ({"seeds": SEEDS * 0}, ValueError, "seeds must hold a seed or more, got zeros"),
        ({"seeds": -SEEDS}, ValueError, "seeds must be from 0 to 2147483646, got -1 to 0"),
        ({"mask": SEEDS == 0}, ValueError, "seeds must hold a seed within the mask"),
        ({"mask": SEEDS[1:] == 0}, ValueError, r"mask must have the shape of image, \(4, 5\)"),
        ({"connectivity": 3}, ValueError, "connectivity must be from 1 to 2, got 3"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        region_grow(**({"image": IMAGE, "seeds": SEEDS, "tolerance": 1.0} | change))


def test_a_threshold_has_one_channel() -> None:
    with pytest.raises(ValueError, match="threshold needs one channel, got 2; give a tolerance"):
        region_grow(np.ones((2, 4, 5)), SEEDS, threshold=1.0, channel_axis=0)
