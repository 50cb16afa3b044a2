"""Denoise, sharpen, eight bits: by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from lesionkit.studies.brain.prepare import prepare

IMAGE = np.random.default_rng(0).normal(100, 20, (40, 50)).astype(np.float32)
BRAIN = np.zeros((40, 50), bool)
BRAIN[5:35, 5:45] = True


def test_the_steps_by_hand() -> None:
    smooth = gaussian_filter(IMAGE.astype(float), 1.0, mode="nearest", truncate=3)
    sharp = smooth + 2 * (smooth - gaussian_filter(smooth, 1.0, mode="nearest", truncate=3))
    low, high = np.percentile(sharp[BRAIN], (0.5, 99.8))
    expected = np.where(BRAIN, np.rint((sharp - low).clip(0, high - low) / (high - low) * 255), 0)
    found = prepare(IMAGE, amount=2, brain=BRAIN)
    assert found.levels.dtype == np.uint8
    assert np.abs(found.levels.astype(float) - expected).max() <= 1
    np.testing.assert_array_equal(found.brain, BRAIN)
    plain = prepare(IMAGE, sigma=0, amount=0, brain=BRAIN).levels
    assert np.corrcoef(plain[BRAIN], IMAGE[BRAIN])[0, 1] > 0.999


def test_planes_of_a_volume_are_filtered_alone() -> None:
    both = np.stack([IMAGE, IMAGE[::-1]])
    found = prepare(both, brain=np.stack([BRAIN, BRAIN[::-1]])).levels
    np.testing.assert_array_equal(found[0], found[1][::-1])


@pytest.mark.parametrize("how", ["global", "clahe"])
def test_equalised(how: str) -> None:
    if how == "clahe":
        pytest.importorskip("skimage", reason="scikit-image comes with lesionkit[studies]")
    skewed = np.exp(IMAGE / 20)
    plain, level = (prepare(skewed, brain=BRAIN, equalise=e).levels[BRAIN] for e in (None, how))
    assert plain.std() < level.std()
    if how == "global":
        counts = np.histogram(level, 8, (0, 256))[0]
        assert counts.max() - counts.min() < 0.03 * level.size


def test_nan_is_background() -> None:
    holed = IMAGE.copy()
    holed[:5] = np.nan
    holed[10, 10] = np.nan
    found = prepare(holed, brain=BRAIN)
    assert not found.brain[10, 10]
    assert found.levels[10, 10] == 0
    np.testing.assert_array_equal(np.isnan(holed).sum(), 251)  # what was given is as it was


@pytest.mark.parametrize(
    ("image", "how", "message"),
    [
        (np.zeros((2, 3, 4, 5)), {"brain": BRAIN}, "image must have shape"),
        (np.full((4, 4), np.nan), {"brain": BRAIN}, "image must have finite pixels"),
        (IMAGE, {"brain": BRAIN[1:]}, "brain must have the image's shape"),
        (IMAGE, {"brain": BRAIN, "sigma": -1}, "sigma must be"),
        (IMAGE, {"brain": BRAIN, "equalise": "local"}, "equalise must be"),
    ],
)
def test_refused(image: np.ndarray, how: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prepare(image, **how)


def test_no_brain_no_levels() -> None:
    assert not prepare(IMAGE, brain=np.zeros_like(BRAIN)).levels.any()
