"""The six features: by hand, against plain loops, and what is refused."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

pytest.importorskip("skimage", reason="scikit-image is not installed: lesionkit[studies]")

from lesionkit.io import MissingLibrary
from lesionkit.studies.stroke.features import (
    SIX,
    Features,
    feature_table,
    lesion_features,
)

EXACT = 1e-12  # sums in another order


def test_by_hand() -> None:
    """A square of 5 x 5 of 0.5, whose middle 3 x 3 is 0.8."""
    image = np.full((9, 9), 0.1)
    image[2:7, 2:7] = 0.5
    image[3:6, 3:6] = 0.8
    mask = np.zeros((9, 9), bool)
    mask[2:7, 2:7] = True
    found = lesion_features(image, mask)
    mean = (16 * 0.5 + 9 * 0.8) / 25
    assert found.mean == pytest.approx(mean, rel=EXACT)
    assert found.median == 0.5
    variance = (16 * (0.5 - mean) ** 2 + 9 * (0.8 - mean) ** 2) / 25
    assert found.std == pytest.approx(math.sqrt(variance), rel=EXACT)
    assert found.mean_boundary == 0.5
    assert found.mode == 128.5 / 256
    # The line through the border pixels' centres is 16 long.
    assert found.compactness == pytest.approx(16**2 / (4 * math.pi * 25), rel=EXACT)
    assert found.roundness == pytest.approx(1 / found.compactness, rel=EXACT)


def test_a_disc_is_compact_and_a_line_is_not() -> None:
    rows, columns = np.mgrid[:101, :101]
    disc = np.hypot(rows - 50, columns - 50) < 40
    line = np.abs(rows - 50) < 2
    flat = np.full((101, 101), 0.4)
    # The perimeter of a digital circle is measured within 4 per cent; it is squared.
    assert lesion_features(flat, disc).compactness == pytest.approx(1, abs=0.08)
    assert lesion_features(flat, line).compactness > 5


def slow(image: np.ndarray, mask: np.ndarray) -> list[float]:
    """Mean, median, SD, mean boundary and mode in plain loops."""
    rows, columns = mask.shape
    values, border, counts = [], [], [0] * 256
    for r in range(rows):
        for c in range(columns):
            if not mask[r, c]:
                continue
            values.append(image[r, c])
            counts[min(int(image[r, c] * 256), 255)] += 1
            around = [
                0 <= r + i < rows and 0 <= c + j < columns and bool(mask[r + i, c + j])
                for i in (-1, 0, 1)
                for j in (-1, 0, 1)
            ]
            if not all(around):
                border.append(image[r, c])
    n = len(values)
    mean = sum(values) / n
    ranked = sorted(values)
    median = (ranked[(n - 1) // 2] + ranked[n // 2]) / 2
    deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / n)
    return [
        mean,
        median,
        deviation,
        sum(border) / len(border),
        (counts.index(max(counts)) + 0.5) / 256,
    ]


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image, mask = rng.random((12, 15)), rng.random((12, 15)) < 0.7
    image[0, 0], mask[0, 0] = 1.0, True
    np.testing.assert_allclose(lesion_features(image, mask)[:5], slow(image, mask), rtol=EXACT)


def test_a_single_pixel() -> None:
    mask = np.zeros((5, 5), int)
    mask[2, 2] = 7
    found = lesion_features(np.full((5, 5), 0.3), mask)
    assert (found.mean, found.std, found.mean_boundary) == (0.3, 0, 0.3)
    assert math.isfinite(found.compactness)


def test_a_table() -> None:
    image, mask = np.random.default_rng(0).random((2, 8, 8))
    table = feature_table([(image, mask > 0.5), (image, mask > 0.2)])
    assert table.shape == (2, 6)
    assert table[1].tolist() == list(lesion_features(image, mask > 0.2)[:6])
    assert Features._fields[:6] == SIX
    assert feature_table([], ["mean"]).shape == (0, 1)


def test_nothing_is_changed() -> None:
    image = np.random.default_rng(0).random((8, 16))[:, ::2]
    mask = image > 0.3
    image.setflags(write=False)
    before = image.copy()
    lesion_features(image, mask)
    assert np.array_equal(image, before)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "skimage.measure", raising=False)
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(MissingLibrary, match=r"need scikit-image, .*\[studies"):
        lesion_features(np.ones((3, 3)), np.ones((3, 3), bool))


def test_mistakes() -> None:
    image, mask = np.full((4, 5), 0.5), np.ones((4, 5), bool)
    with pytest.raises(ValueError, match="mask must hold a pixel or more, and all of it"):
        lesion_features(image, ~mask)
    with pytest.raises(
        ValueError, match=r"mask must have the shape of image, \(4, 5\), got .* \(5, 4\)"
    ):
        lesion_features(image, mask.T)
    with pytest.raises(ValueError, match=r"mask must hold booleans .*, got 0.5"):
        lesion_features(image, mask * 0.5)
    assert lesion_features(image, mask * 1.0) == lesion_features(image, mask)
    assert lesion_features(np.where(np.eye(4, 5), image, np.nan), np.eye(4, 5)).mean == 0.5
    with pytest.raises(
        ValueError, match="image must be from 0 to 1, got 255 to 255; preprocess it"
    ):
        lesion_features(image * 510, mask)
    with pytest.raises(
        ValueError, match="image must be finite inside the mask, got 20 NaN or infinite"
    ):
        lesion_features(image * np.nan, mask)
    with pytest.raises(ValueError, match=r"image must have shape \(rows, columns\)"):
        lesion_features(image[0], mask[0])
    with pytest.raises(ValueError, match=r"names must be of mean, median, .*, got 'area'"):
        feature_table([], ["area"])
