"""The stroke study's segmenters on a made-up brain; its steps by hand; mistakes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from invariances import at_any_threads
from lesionkit import metrics
from lesionkit.studies.stroke import SEGMENTERS, Kind, preprocess, segment
from lesionkit.studies.stroke import mirror as stroke_mirror
from lesionkit.studies.stroke import regions as stroke_regions
from lesionkit.studies.stroke.methods import thresholds as thresholds
from reference.stroke_brain import brain

BOTH: list[Kind] = ["hyper", "hypo"]
METHODS = list(SEGMENTERS)


# --- every segmenter ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_made_up_brain(method: str, kind: Kind, seed: int) -> None:
    image, truth = brain(kind, seed)
    before = image.copy()
    found = SEGMENTERS[method](image, kind)
    assert found.dtype == bool
    assert found.shape == image.shape
    assert metrics.jaccard(found, truth) >= 0.85
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("method", METHODS)
def test_no_lesion_is_an_empty_mask(method: str, kind: Kind) -> None:
    for seed in range(3):
        assert not SEGMENTERS[method](brain(None, seed)[0], kind).any()


@pytest.mark.parametrize("method", METHODS)
def test_a_lesion_of_the_other_kind_is_none(method: str) -> None:
    """But for the light between a dark lesion and the rim, nothing is brighter than the brain."""
    assert not SEGMENTERS[method](brain("hypo")[0], "hyper").any()
    assert not SEGMENTERS[method](brain("hyper")[0], "hypo").any()


@pytest.mark.parametrize("at", [(110, 175), (175, 135)])
@pytest.mark.parametrize("method", METHODS)
def test_a_haemorrhage_has_its_bright_rim(method: str, at: tuple[float, float]) -> None:
    """Beside the midline and across it, where most of the dark has a dark twin."""
    image, truth = brain("hypo", at=at, rim=True)
    assert metrics.jaccard(segment(image, method, "hypo"), truth) >= 0.85


@pytest.mark.parametrize("method", METHODS)
def test_the_unit_of_the_image_does_not_matter(method: str) -> None:
    image, truth = brain()
    for other in (image.astype(np.float32), image.astype(float) * 3, image.astype(np.int32) * 2):
        assert metrics.jaccard(segment(other, method), truth) >= 0.85


@pytest.mark.parametrize("method", METHODS)
def test_a_volume_is_its_slices(method: str) -> None:
    """Levels are the volume's, shapes each slice's; a slice of air stays empty."""
    image, truth = brain()
    volume = np.stack([image, image[:, ::-1], np.zeros_like(image)])
    found = segment(volume, method)
    assert metrics.jaccard(found[0], truth) >= 0.85
    assert metrics.jaccard(found[1], truth[:, ::-1]) >= 0.85
    assert not found[2].any()


@pytest.mark.parametrize("method", METHODS)
def test_same_bits_for_any_layout_and_number_of_threads(method: str) -> None:
    image, _ = brain()
    expected = segment(image, method)
    padded = np.zeros((256, 512), np.uint16)
    padded[:, ::2] = image
    padded.flags.writeable = False
    np.testing.assert_array_equal(segment(padded[:, ::2], method), expected)
    np.testing.assert_array_equal(segment(np.asfortranarray(image), method), expected)
    at_any_threads(lambda: segment(image, method))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("gray", [0, 7, 0.3])
def test_an_image_of_one_value_has_no_lesion(method: str, gray: float) -> None:
    for kind in BOTH:
        assert not segment(np.full((64, 48), gray), method, kind).any()


@pytest.mark.parametrize("method", METHODS)
def test_tiny_images_and_noise_do_no_harm(method: str) -> None:
    rng = np.random.default_rng(3)
    for shape in ((1, 1), (3, 5), (2, 9, 9), (40, 40)):
        for kind in BOTH:
            assert segment(rng.integers(0, 200, shape), method, kind).shape == shape


@pytest.mark.parametrize("method", METHODS)
def test_slices_of_one_row_or_column(method: str) -> None:
    image, _ = brain()
    for volume in (image[:, None, :], image[:, :, None]):
        assert segment(volume, method).shape == volume.shape


@pytest.mark.parametrize("method", METHODS)
def test_a_ramp_does_no_harm(method: str) -> None:
    """The middle of the flank is beyond all clusters."""
    ramp = np.tile(np.arange(1, 256), (64, 1))
    for scene in (preprocess(ramp, bits=8), preprocess(ramp[:, ::-1], brain=np.ones_like(ramp))):
        for kind in BOTH:
            assert segment(scene, method, kind).shape == ramp.shape


def test_prepared_once_is_prepared_each_time() -> None:
    image, _ = brain()
    scene = preprocess(image)
    for method in METHODS:
        np.testing.assert_array_equal(segment(scene, method), segment(image, method))


def test_the_smallest_region() -> None:
    image, _ = brain()
    assert not segment(image, smallest=2000).any()
    assert segment(image, smallest=1).any()


def test_ventricles_go_with_the_mirror_and_lesions_stay() -> None:
    image, truth = brain("hypo")
    scene = preprocess(image)
    dark = (scene.levels < 1300) & scene.brain
    assert metrics.jaccard(dark, truth) < 0.5
    mirror = stroke_mirror.Mirror(stroke_mirror.midline(scene.brain), (256, 256))
    alone = stroke_regions.large(stroke_mirror.asymmetric(dark, mirror), 20)
    assert metrics.jaccard(alone, truth) > 0.85


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "kind", "sentence"),
    [
        (np.zeros((0, 5)), ValueError, r"image must hold a pixel or more, got float64 .*"),
        (np.zeros(9), ValueError, r"image must be \(rows, columns\) or .* got .* shape \(9,\)"),
        (
            np.zeros((2, 3, 4, 5)),
            ValueError,
            r"image must be .* got float64 array of shape \(2, .*",
        ),
        (
            np.zeros((9, 9, 3), np.uint8),
            ValueError,
            "image must be grey, got what looks like col.*",
        ),
        (np.full((9, 9), np.nan), ValueError, "image must be finite, got 81 NaN or infinite"),
        (np.zeros((9, 9), complex), TypeError, "image must hold real numbers, got complex128 .*"),
        (np.zeros((9, 9, 4)), ValueError, "image must be grey, got what looks like colours.*"),
        (np.ma.masked_less([[1, 2], [3, 4]], 2), ValueError, "image has masked entries.*"),
        (np.full((9, 9), 1e200), ValueError, r"image must hold numbers up to 1e\+100.*"),
        ([["a"]], TypeError, "image must hold real numbers, got .*"),
    ],
)
def test_mistakes_in_images(image: Any, kind: type[Exception], sentence: str) -> None:
    for method in METHODS:
        with pytest.raises(kind, match=sentence):
            segment(image, method)


@pytest.mark.parametrize("method", METHODS)
def test_mistakes_in_options(method: str) -> None:
    image, _ = brain()
    with pytest.raises(ValueError, match="kind must be 'hyper' or 'hypo', got str 'dark'"):
        segment(image, method, "dark")
    with pytest.raises(ValueError, match="smallest must be at least 1, got 0"):
        segment(image, method, smallest=0)


def test_other_mistakes() -> None:
    image, _ = brain()
    with pytest.raises(ValueError, match=r"method must be one of threshold, glcm, .* got 'otsu'"):
        segment(image, "otsu")
    with pytest.raises(ValueError, match="bits must be from 1 to 32, got 0"):
        preprocess(image, bits=0)
    with pytest.raises(ValueError, match=r"brain must have the shape of image, \(256, 256\), got"):
        preprocess(image, brain=np.zeros((9, 9), bool))
    with pytest.raises(ValueError, match=r"brain must hold booleans .*, got 0.5; of probabilities"):
        preprocess(image, brain=np.full(image.shape, 0.5))
    with pytest.raises(TypeError, match=r"brain must be an array of booleans .*, got list"):
        preprocess(image, brain=[[1], [1, 2]])
    with pytest.raises(ValueError, match="brain has masked entries"):
        preprocess(image, brain=np.ma.masked_less(np.ones(image.shape), 2))
    with pytest.raises(ValueError, match="image must be finite inside the mask, got 1 NaN"):
        preprocess(
            np.where(np.arange(image.size).reshape(image.shape) == 9, np.nan, image),
            brain=image >= 0,
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_is_background(dtype: type) -> None:
    """As tools that strip skulls, or resample beyond the field of view, leave it."""
    image, _ = brain()
    inside = preprocess(image).brain
    bare = np.where(inside, image, np.nan).astype(dtype)
    zeros = np.where(inside, image, 0).astype(dtype)
    for given in (None, inside, inside.astype(np.float32)):
        scene, expected = preprocess(bare, brain=given), preprocess(zeros, brain=given)
        np.testing.assert_array_equal(scene.levels, expected.levels)
        np.testing.assert_array_equal(scene.brain, expected.brain)
    volume = np.stack([bare, bare])
    np.testing.assert_array_equal(preprocess(volume).brain, [preprocess(bare).brain] * 2)


def test_nan_in_the_brain_is_refused() -> None:
    image, _ = brain()
    inside = preprocess(image).brain
    bare = np.where(inside, image, np.nan)
    middle = tuple(int(c) for c in np.argwhere(inside).mean(0))
    bare[middle] = np.nan
    with pytest.raises(ValueError, match="image must be finite, got 1 NaN or infinite inside the"):
        preprocess(bare)
    with pytest.raises(ValueError, match="image must be finite inside the mask, got 1 NaN"):
        preprocess(bare, brain=inside)
    bare[middle] = np.inf
    for given in (None, inside):
        with pytest.raises(ValueError, match="image must be finite"):
            preprocess(bare, brain=given)


@pytest.mark.parametrize("outside", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_outside_the_brain_need_not_be_finite(outside: float, dtype: Any) -> None:
    image, _ = brain()
    inside = image > np.median(image)
    masks = inside, np.where(inside, 0.9999999, 0).astype(dtype)  # as image files give them
    expected = preprocess(np.where(inside, image, 0).astype(dtype), brain=inside)
    for mask in masks:
        found = preprocess(np.where(inside, image, outside).astype(dtype), brain=mask)
        np.testing.assert_array_equal(found.levels, expected.levels)
        np.testing.assert_array_equal(found.brain, inside)


# --- real shapes ----------------------------------------------------------------------------------


def test_planted_phantoms() -> None:
    """Means over the faintest types that each method claims; the docs have all figures."""
    if "LESIONKIT_DATA" not in os.environ:
        pytest.skip("LESIONKIT_DATA, the folder of the data, is not set")
    from lesionkit.io import read_image, read_mask

    folder = Path(os.environ["LESIONKIT_DATA"]) / "data/stroke_dwi/planted_phantom"
    images = sorted(folder.glob("*acute_ischemic*_dwi.png"))[::3]
    assert len(images) == 10
    for method, least in (("threshold", 0.8), ("glcm", 0.8), ("kmeans", 0.8)):
        scores = [
            metrics.jaccard(
                segment(read_image(path).values, method),
                read_mask(path.with_name(path.name.replace("_dwi.", "_mask."))).values,
            )
            for path in images
        ]
        assert np.mean(scores) > least
