"""The steps that the stroke study's segmenters share, by hand and against libraries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from lesionkit import metrics
from lesionkit.studies.stroke import SEGMENTERS, Kind, histograms, preprocess, segment
from lesionkit.studies.stroke import mirror as stroke_mirror
from lesionkit.studies.stroke import prepare as stroke_prepare
from lesionkit.studies.stroke import regions as stroke_regions
from lesionkit.studies.stroke.methods.watershed import eroded, gradient
from lesionkit.studies.stroke.morphology import closed, label, reconstruct
from reference.stroke_brain import brain

BOTH: list[Kind] = ["hyper", "hypo"]
METHODS = list(SEGMENTERS)


def test_preprocessing_brings_the_brain_to_0_4() -> None:
    image, _ = brain()
    for scale in (1, 7):
        scene = preprocess(image.astype(int) * scale)
        assert np.median(scene.enhanced[scene.brain]) == pytest.approx(0.4, abs=0.01)
    assert 23_000 < scene.brain.sum() < 29_000  # the ellipse has 27,049
    assert scene.levels[~scene.brain].max() == 0


def test_preprocessing_with_the_scanners_bits_is_the_papers() -> None:
    image, _ = brain()
    scene = preprocess(image, bits=12)
    expected = np.rint(4095 * (image / 4095) ** 0.4)
    np.testing.assert_array_equal(scene.levels[scene.brain], expected[scene.brain])


def test_a_brain_that_is_given_is_taken() -> None:
    image, _ = brain()
    inside = np.zeros(image.shape, bool)
    inside[100:150, 100:200] = True
    np.testing.assert_array_equal(preprocess(image, brain=inside).brain, inside)


@pytest.mark.parametrize("method", METHODS)
def test_holes_of_a_brain_that_is_given_are_no_lesion(method: str) -> None:
    for kind in BOTH:
        image, truth = brain(kind)
        inside = preprocess(image).brain
        middle = tuple(int(n) for n in np.argwhere(truth).mean(0))
        inside[middle] = False
        found = segment(preprocess(image, brain=inside), method, kind)
        assert metrics.jaccard(found, truth) >= 0.85
        assert not found[middle]


def test_the_peak_is_the_brains_whatever_the_air() -> None:
    image, _ = brain()
    for part in (image, image[30:226, 50:206], np.pad(image, 200)):
        # within the noise's standard deviation
        assert stroke_prepare.normal_peak(part) == pytest.approx(410, abs=33)
        assert stroke_prepare.normal_peak(part / 4095) == pytest.approx(0.1, abs=0.008)


@pytest.mark.parametrize("blocks", ["grid", "pixels"])
def test_block_histograms_by_plain_loops(blocks: histograms.Blocks) -> None:
    scene = preprocess(brain()[0][:200, :151], blocks=blocks)
    counts: dict[tuple[int, int], np.ndarray] = {}
    for r in range(200):
        for c in range(151):
            place = (r * 8 // 200, c * 8 // 151) if blocks == "grid" else (r // 8, c // 8)
            counts.setdefault(place, np.zeros(256, int))
            if scene.brain[r, c]:
                counts[place][scene.levels[r, c] // 16] += 1
    found = histograms.block_histogram(scene.levels, scene.brain, 8, scene.blocks)
    np.testing.assert_array_equal(found, np.max(list(counts.values()), axis=0))
    each = histograms.histograms_of(scene.levels, scene.brain, 8, scene.blocks)
    assert len(each) == len(counts)
    assert scene.cropped.blocks == scene.planes[0].blocks == blocks
    with pytest.raises(ValueError, match="blocks must be 'grid' or 'pixels'"):
        preprocess(scene.levels, blocks="none")  # type: ignore[arg-type]


def test_the_ends_of_a_peaks_flanks() -> None:
    level = np.arange(256)
    bell = 1000 * np.exp(-(((level - 100) / 6) ** 2) / 2)
    found = histograms.peak(bell, bell)
    assert found is not None
    assert found.level == 100
    # Smoothed by 2 it has a width of 6.32; its slope is 15 % of the steepest at 2.59 widths.
    assert found.high == 117
    assert found.low == 83
    assert histograms.peak(np.zeros(256), np.zeros(256)) is None


def test_erosion_and_reconstruction_are_scikit_images() -> None:
    morphology = pytest.importorskip("skimage.morphology")
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (5, 40), (60, 53)):
        gray = rng.integers(0, 4095, shape).astype(np.uint16)
        low = eroded(gray)
        np.testing.assert_array_equal(low, morphology.erosion(gray, morphology.disk(3)))
        np.testing.assert_array_equal(reconstruct(low, gray), morphology.reconstruction(low, gray))


def test_regions_and_gradients_are_scipys() -> None:
    rng = np.random.default_rng(2)
    for shape in ((1, 1), (1, 30), (31, 1), (40, 53)):
        for fraction in (0.0, 0.3, 0.5, 0.6, 0.9, 1.0):
            mask = rng.random(shape) < fraction
            for diagonal in (False, True):
                expected = ndimage.label(mask, np.ones((3, 3)) if diagonal else None)
                labels, sizes = label(mask, diagonal)
                np.testing.assert_array_equal(labels, expected[0])
                np.testing.assert_array_equal(sizes[1:], np.bincount(expected[0].ravel())[1:])
                assert sizes[0] == 0
        gray = rng.integers(0, 4095, shape).astype(np.float32)
        expected = np.hypot(ndimage.sobel(gray, 0), ndimage.sobel(gray, 1))
        np.testing.assert_allclose(gradient(gray.astype(np.uint16)), expected, rtol=1e-6)


def test_closing_and_filling_are_scikit_images() -> None:
    morphology = pytest.importorskip("skimage.morphology")
    rng = np.random.default_rng(1)
    mask = rng.random((50, 60)) < 0.1
    expected = morphology.closing(np.pad(mask, 4), morphology.disk(3))[4:-4, 4:-4]
    np.testing.assert_array_equal(closed(mask, 3), expected)
    ring = np.zeros((20, 30), bool)
    ring[2:8, 2:8] = True
    ring[4:6, 4:6] = False  # 4 of 32: filled
    ring[9:19, 9:19] = True
    ring[10:18, 10:18] = False  # 64 beside 36: stays
    expected = ring.copy()
    expected[4:6, 4:6] = True
    np.testing.assert_array_equal(stroke_regions.filled(ring), expected)


def test_a_midline_is_found_though_the_head_is_tilted() -> None:
    scene = preprocess(brain()[0])
    straight = stroke_mirror.midline(scene.brain)
    assert straight.centre == pytest.approx((128, 128), abs=1)
    assert straight.along == pytest.approx((1, 0), abs=0.02)
    tilted = ndimage.rotate(scene.brain.astype(float), 8, reshape=False) > 0.5
    turned = stroke_mirror.midline(tilted)
    assert abs(turned.along[1]) == pytest.approx(np.sin(np.deg2rad(8)), abs=0.02)
    mirrored = stroke_mirror.Mirror(turned, tilted.shape)(tilted)
    assert metrics.dice(mirrored, tilted) > 0.98
