"""Arrays as files, other libraries and other threads hand them over: numbers, or a sentence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lesionkit import texture
from lesionkit.texture import (
    Settings,
    cooccurrence,
    cs_lbp,
    feature_maps,
    graycomatrix,
    graycoprops,
    haralick,
    label_features,
    neighbours,
    radiomics,
    roi_features,
    run_lengths,
    zones,
)

IMAGE = np.random.default_rng(0).integers(0, 8, (8, 9)).astype(np.uint8)
HERE = np.indices(IMAGE.shape)[0] < 5
STEPS = [(0, 1), (1, -1)]
MASKED: dict[str, Callable[[Any], Any]] = {
    "cooccurrence": lambda mask: cooccurrence(IMAGE, STEPS, 8, mask),
    "run_lengths": lambda mask: run_lengths(IMAGE, None, 8, mask),
    "zones": lambda mask: zones(IMAGE, 8, mask).counts,
    "neighbours": lambda mask: neighbours(IMAGE, 8, mask).dependence,
    "label_features": lambda labels: label_features(IMAGE, labels, STEPS, 8)[0],
    "radiomics": lambda mask: list(radiomics(IMAGE * 30.0, mask).values()),
}


@pytest.mark.parametrize("function", MASKED.values(), ids=MASKED)
def test_masks_are_what_files_hold(function: Callable[[Any], Any]) -> None:
    expected = function(HERE.astype(int))
    for mask in (HERE, HERE * 1.0, HERE * np.float32(0.9999999), HERE.astype(">i2"), HERE.tolist()):
        np.testing.assert_array_equal(function(mask), expected)
    with pytest.raises(ValueError, match=r"got 0\.4"):
        function(HERE * 0.4)
    with pytest.raises(ValueError, match="got nan"):
        function(np.where(HERE, np.nan, 0))


@pytest.mark.parametrize("function", MASKED.values(), ids=MASKED)
def test_masked_entries_of_a_mask_are_not_inside(function: Callable[[Any], Any]) -> None:
    given = np.ma.masked_array(np.ones(IMAGE.shape, np.uint8), mask=HERE)
    with pytest.raises(ValueError, match=r"(mask|labels) has masked entries"):
        function(given)
    nothing_masked = np.ma.masked_array(HERE, mask=False)
    np.testing.assert_array_equal(function(nothing_masked), function(HERE))


COUNTS = np.arange(1.0, 5).reshape(2, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: cooccurrence(m, STEPS, 8), r"image has .*pass image.data with mask=~image.mask"),
        (lambda m: zones(m, 8), r"image has .*pass image.data with mask=~image.mask"),
        (lambda m: feature_maps(m, 3, STEPS, 8), "image has masked entries"),
        (lambda m: cs_lbp(m), "image has masked entries"),
        (lambda m: label_features(m, HERE, STEPS, 8), "image has masked entries"),
        (lambda m: roi_features(m[None], STEPS, 8, normalise="sigma"), "rois has masked entries"),
        (lambda m: haralick(m[:8, :8]), "counts has masked entries"),
        (lambda m: texture.run_length_features(m), "counts has masked entries"),
        (lambda m: texture.zone_features(COUNTS, voxels=m), "voxels has masked entries"),
        (lambda m: texture.tone_features([1], m[0, :1]), "differences has masked entries"),
        (lambda m: cooccurrence(IMAGE, m[:, :2], 8), "offsets has masked entries"),
    ],
)
def test_masked_entries_are_refused(call: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.ma.masked_array(IMAGE, mask=IMAGE > 0))


def test_the_labels_that_there_are() -> None:
    with pytest.raises(ValueError, match="of label 1, got labels 0, 255"):
        radiomics(IMAGE / 1, HERE * 255)
    with pytest.raises(ValueError, match="of label 3, got labels 0, 2"):
        radiomics(IMAGE / 1, HERE * 2.0, settings=Settings(label=3))
    two = Settings(label=2)
    expected = radiomics(IMAGE * 30.0, HERE * 2, settings=two)
    assert radiomics(IMAGE * 30.0, HERE * 1.9999999, settings=two) == expected


def test_nan_outside_the_objects() -> None:
    values = IMAGE * 1.5
    outside = np.where(HERE, values, np.nan)
    expected = label_features(values, HERE, STEPS, 8, normalise="sigma")[0]
    for image in (outside, outside.astype(np.float32), np.where(HERE, values, -np.inf)):
        found = label_features(image, HERE, STEPS, 8, normalise="sigma")[0]
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="image must be finite inside the mask, got 45 NaN"):
        label_features(values * np.nan, HERE, STEPS, 8, normalise="sigma")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda image, _: radiomics(image, HERE), "volume"),
        (lambda _, mask: radiomics(IMAGE / 1, mask), "mask"),
        (lambda image, _: cooccurrence(image, STEPS, 8), "image"),
        (lambda _, mask: zones(IMAGE, 8, mask), "mask"),
        (lambda _, mask: label_features(IMAGE, mask, STEPS, 8), "labels"),
        (lambda image, _: graycomatrix(image, [1], [0], 8), "image"),
        (lambda image, _: cs_lbp(image), "image"),
    ],
)
def test_simpleitk_images_are_refused_at_once(call: Callable[..., Any], name: str) -> None:
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    image, mask = sitk.GetImageFromArray(IMAGE), sitk.GetImageFromArray(HERE.astype(np.uint8))
    with pytest.raises(TypeError, match=rf"{name} must be an array.*GetArrayFromImage\({name}\)"):
        call(image, mask)


ANSWERS: dict[str, Callable[..., Any]] = {
    "graycomatrix": lambda image, steps: graycomatrix(image, [1, 2], [0.0, 1.5], 8),
    "cooccurrence": lambda image, steps: cooccurrence(image, steps, 8),
    "feature_maps": lambda image, steps: feature_maps(image, 3, steps, 8),
    "roi_features": lambda image, steps: roi_features(image[None], steps, 8),
    "label_features": lambda image, steps: label_features(image, HERE, steps, 8)[0],
    "run_lengths": lambda image, steps: run_lengths(image, steps, 8),
    "zones": lambda image, steps: zones(image, 8).counts,
    "cs_lbp": lambda image, steps: cs_lbp(image),
    "radiomics": lambda image, steps: list(radiomics(image * 30, HERE).values()),
}


@pytest.mark.parametrize("function", ANSWERS.values(), ids=ANSWERS)
def test_byte_order_and_memory_order(function: Callable[..., Any]) -> None:
    steps = np.array([*STEPS, (1, 0)])
    expected = function(IMAGE.astype(np.int16), steps)
    wide = np.repeat(IMAGE.astype(np.uint16), 2, axis=1)[:, ::2]
    for image in (IMAGE.astype(">i2"), IMAGE.astype(">u8"), np.asfortranarray(IMAGE), wide):
        for other in (steps, np.asfortranarray(steps), steps.astype(">i2"), steps[::-1][::-1]):
            np.testing.assert_array_equal(function(image, other), expected)


@pytest.mark.parametrize("function", MASKED.values(), ids=MASKED)
def test_tensors_with_gradients_are_refused(function: Callable[[Any], Any]) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(TypeError, match=r"carries gradients, .*\.detach\(\)"):
        function(torch.ones(IMAGE.shape, requires_grad=True))


def test_tensors_with_gradients_in_second_arguments() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    one = torch.ones(2, requires_grad=True)
    for call in (
        lambda: graycomatrix(IMAGE, one, [0.0], 8),
        lambda: graycoprops(torch.ones(2, 2, 1, 1, requires_grad=True)),
        lambda: texture.zone_features(COUNTS, one),
        lambda: texture.tone_features([1, 1], one),
        lambda: radiomics(IMAGE, HERE, one),
        lambda: cooccurrence(IMAGE, torch.ones(2, 2, requires_grad=True), 8),
    ):
        with pytest.raises(TypeError, match="carries gradients"):
            call()


def test_tensors_on_the_cpu() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    volume = (IMAGE * 30).astype(np.float32)
    tensors = torch.from_numpy(volume), torch.from_numpy(HERE)
    assert radiomics(*tensors) == radiomics(volume, HERE)
    counts = torch.from_numpy(COUNTS)
    for found in (haralick(counts, "contrast"), *texture.run_length_features(counts).values()):
        assert isinstance(found, torch.Tensor)
    with pytest.raises(TypeError, match="volume and mask must live in one place"):
        radiomics(tensors[0], HERE)
    with pytest.raises(TypeError, match="bfloat16"):
        radiomics(tensors[0].to(torch.bfloat16), tensors[1])


RACE = """
import threading
import numpy as np
from lesionkit import texture

image = np.zeros((200, 200), np.uint16)
volume, mask = np.zeros((20, 40, 40)), np.ones((20, 40, 40), bool)
labels = np.ones((200, 200), np.int32)
done = threading.Event()

def write():
    while not done.is_set():
        for array, other in ((image, 60000), (volume, 1e6), (mask, False), (labels, 2**30)):
            array.ravel()[::3] = other
            array.ravel()[::3] = 1

writer = threading.Thread(target=write, daemon=True)  # a call that raises ends all
writer.start()
steps = [(0, 1), (1, 0), (1, 1), (1, -1), (0, 2)]
calls = [
    lambda: texture.graycomatrix(image, [1, 2, 3], [0.0, 1.5], 32),
    lambda: texture.cooccurrence(image, steps, 32),
    lambda: texture.roi_features(image[None], steps, 32),
    lambda: texture.label_features(image, labels, steps, 32),
    lambda: texture.feature_maps(image[:40, :40].copy(), 3, steps, 32, border="valid"),
    lambda: texture.radiomics(volume, mask, settings=texture.Settings(bin_width=1e4)),
    lambda: texture.run_lengths(image, None, 32),
    lambda: texture.zones(image, 32),
]
for call in 12 * calls:
    try:
        call()
    except (ValueError, TypeError):  # what it found was out of range
        pass
done.set()
writer.join()
print("alive")
"""


def test_another_thread_may_write_to_what_is_read() -> None:
    """Whatever the answers are: no count and no level leaves its table."""
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "alive", done.stderr[-2000:]


@pytest.mark.parametrize("scale", [1e-308, 1e-170, 1e200, 1e308])
@pytest.mark.parametrize("name", ["ASM", "energy", "homogeneity", "correlation", "entropy", "std"])
def test_properties_of_matrices_of_any_scale(scale: float, name: str) -> None:
    matrices = graycomatrix(IMAGE, [1, 2], [0.0], 8, normed=True)
    expected = graycoprops(matrices, name)
    np.testing.assert_allclose(graycoprops(matrices * scale, name), expected, rtol=1e-12)
    mixed = matrices * np.array([1.0, scale])[:, None]
    np.testing.assert_allclose(graycoprops(mixed, name), expected, rtol=1e-12)


def test_properties_of_what_is_not_finite_are_scikit_images() -> None:
    odd = np.ones((2, 2, 1, 3))
    odd[0, 0, 0] = np.nan, np.inf, 0
    found = graycoprops(odd, "ASM")[0]
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(1 / 3)
    assert graycoprops(np.zeros((2, 2, 1, 1)), "ASM") == 0
