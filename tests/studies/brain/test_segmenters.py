"""Segmenters of a bright tumour: known answers, and mistakes in words."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from lesionkit import io, metrics
from lesionkit.studies.brain import segmenters
from lesionkit.studies.brain.segmenters import SEGMENTERS, segment
from reference.head import head

SPACING = (6.0, 2.5, 2.5)


def needed(method: str) -> None:
    if method == "walker":
        pytest.importorskip("skimage", reason="scikit-image comes with lesionkit[studies]")


@pytest.mark.parametrize("method", SEGMENTERS)
def test_a_bright_tumour(method: str) -> None:
    needed(method)
    image, brain, tumour = head(tumour=200)
    found = segment(image[19], brain[19], method, spacing=2.5)
    assert metrics.scores(found, tumour[19], (2.5, 2.5)).dice > (0.6 if method == "sobel" else 0.9)
    whole = segment(image, brain, method, spacing=SPACING)
    assert whole.shape == image.shape
    if method != "halfway":  # slice by slice
        np.testing.assert_array_equal(whole[19], found)


def test_halfway_finds_nothing_where_there_is_nothing() -> None:
    image, brain, _ = head()
    assert not segment(image, brain, spacing=SPACING).any()
    image, brain, tumour = head(tumour=200)
    found = segment(image, brain, spacing=SPACING)
    assert metrics.scores(found, tumour, SPACING).dice > 0.9
    assert not found[~tumour.any((1, 2))].any()


@pytest.mark.parametrize("method", SEGMENTERS)
def test_flat_empty_and_one_pixel(method: str) -> None:
    needed(method)
    for brain in (np.zeros((9, 9), bool), np.ones((9, 9), bool), np.eye(9) > 2):
        assert not segment(np.ones((9, 9)), brain, method).any()
    one = np.zeros((3, 3), bool)
    one[1, 1] = True
    assert not segment(np.arange(9.0).reshape(3, 3), one, method).any()


def test_three_classes_by_trying_all() -> None:
    random = np.random.default_rng(1)
    values = np.concatenate([random.normal(m, 3, 400) for m in (10, 40, 90)])
    upper = segmenters._otsu3(values)
    counts, edges = np.histogram(values, 32)
    middles = (edges[1:] + edges[:-1]) / 2

    def within(low: int, high: int) -> float:
        parts = [slice(0, low), slice(low, high), slice(high, None)]
        means = [np.average(middles[p], weights=counts[p] + 1e-9) for p in parts]
        return sum(
            (counts[p] * (middles[p] - m) ** 2).sum() for p, m in zip(parts, means, strict=True)
        )

    best = min(itertools.combinations(range(1, 32), 2), key=lambda pair: within(*pair))
    assert not ((values > 55) & (values < 75)).any()
    assert 45 < upper < 82
    assert 45 < edges[best[1]] < 82


def test_mistakes() -> None:
    image, brain = np.ones((5, 5)), np.ones((5, 5), bool)
    with pytest.raises(ValueError, match="method must be 'otsu3', 'mad'"):
        segment(image, brain, "unet")
    with pytest.raises(ValueError, match="brain must"):
        segment(image, brain[:4])
    with pytest.raises(ValueError, match="image must be finite"):
        segment(np.full((5, 5), np.nan), brain)
    with pytest.raises(ValueError, match=r"image must be \(rows, columns\) or"):
        segment(np.ones(5), np.ones(5, bool))


@pytest.mark.parametrize("patient", ["0001", "0002", "0003", "0006"])
def test_flair_of_real_patients(patient: str) -> None:
    """Whole tumours of BRATS 2013, slices with more than 200 pixels of them, and those without."""
    pytest.importorskip("PIL", reason="Pillow comes with lesionkit[studies]")
    if "LESIONKIT_DATA" not in os.environ:
        pytest.skip("LESIONKIT_DATA is not set: it names the folder of shared data")
    folder = Path(os.environ["LESIONKIT_DATA"]) / "data/brain_tumor/brats2013/slices"
    files = sorted(folder.glob(f"brats_2013_pat{patient}_1_z*_flair.png"))
    volume = np.stack([io.read_image(file).values for file in files])
    labels = np.stack([io.read_mask(str(file).replace("flair", "label")).values for file in files])
    found = segment(volume, volume > 0, spacing=(4.0, 1.0, 1.0))
    area = labels.sum((1, 2))
    scores = [
        metrics.scores(found[i], labels[i], (1.0, 1.0)).dice for i in np.flatnonzero(area > 200)
    ]
    assert np.mean(scores) >= 0.86
    assert np.median(scores) >= 0.86
    if (area == 0).any():
        assert found[area == 0].sum((1, 2)).mean() <= 50
