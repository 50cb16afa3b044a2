"""Watershed from markers: small floods by hand, the reference, properties, mistakes."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from fake_cupy import OnTheGpu
from invariances import at_any_threads, layouts
from lesionkit.fronts import h_minima, watershed
from reference.fronts import watershed as reference

# --- known answers --------------------------------------------------------------------------------


def test_two_basins_by_hand() -> None:
    gray = [[0, 1, 2, 5, 2, 1, 0]]
    markers = [[1, 0, 0, 0, 0, 0, 2]]
    # Both fronts reach the ridge's sides at level 2; the left one is the earlier.
    assert watershed(gray, markers).tolist() == [[1, 1, 1, 1, 2, 2, 2]]
    assert watershed(gray, markers, watershed_line=True).tolist() == [[1, 1, 1, 0, 2, 2, 2]]


def test_a_plateau_is_shared_by_distance() -> None:
    markers = np.zeros((1, 9), int)
    markers[0, 0], markers[0, 8] = 5, -3
    flat = np.zeros((1, 9), np.uint8)
    assert watershed(flat, markers).tolist() == [[5, 5, 5, 5, 5, -3, -3, -3, -3]]
    line = watershed(flat, markers, watershed_line=True).tolist()
    assert line == [[5, 5, 5, 5, 0, -3, -3, -3, -3]]


def test_water_does_not_fall_back() -> None:
    """Behind a ridge a pixel enters at the ridge's level, not at its own: label 2, which comes over
    a lower ridge, takes the valley although 1 is nearer."""
    gray = [[0, 9, 1, 1, 7, 0]]
    markers = [[1, 0, 0, 0, 0, 2]]
    assert watershed(gray, markers).tolist() == [[1, 1, 2, 2, 2, 2]]


def test_corners_count_with_connectivity_2() -> None:
    gray = np.array([[0, 9], [9, 0]])
    markers = np.array([[4, 0], [0, 0]])
    mask = gray == 0
    assert watershed(gray, markers, mask=mask).tolist() == [[4, 0], [0, 0]]
    assert watershed(gray, markers, 2, mask=mask).tolist() == [[4, 0], [0, 4]]


# --- reference ------------------------------------------------------------------------------------


def problem(seed: int) -> dict[str, Any]:
    """A random image of a random kind, with random markers, and perhaps a mask."""
    rng = np.random.default_rng(seed)
    axes = int(rng.integers(1, 5))
    shape = tuple(rng.integers(1, {1: 60, 2: 17, 3: 8, 4: 5}[axes], axes))
    kind = rng.choice([np.uint8, np.uint16, np.int16, np.int64, np.float32, np.float64])
    image = rng.integers(0, rng.choice([1, 3, 20, 250, 30000]), shape).astype(kind)
    if image.dtype.kind != "u":
        image -= kind(100)
    if image.dtype.kind == "f":
        image *= kind(0.37)
    elif image.dtype.itemsize == 8:
        image *= 10**12  # too wide for a place for each value
    label = rng.choice([2, 9, 2**31 - 1])
    names = rng.integers(-label if label > 2 else 1, label, shape)
    markers = np.where(rng.random(shape) < rng.choice([0.02, 0.2]), names, 0)
    markers = markers.astype(rng.choice([np.int32, np.int64]))
    return {
        "image": image,
        "markers": markers,
        "mask": rng.random(shape) < 0.8 if rng.integers(2) else None,
        "connectivity": int(rng.integers(1, axes + 1)),
    }


@given(seed=st.integers(0, 2**32 - 1), line=st.booleans())
def test_as_the_reference(seed: int, line: bool) -> None:
    given_ = problem(seed)
    labels = watershed(**given_, watershed_line=line)
    assert labels.dtype == given_["markers"].dtype
    np.testing.assert_array_equal(labels, reference.watershed(**given_, line=line))


def edges(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A smooth field's gradient in 256 levels, and its minima, numbered."""
    field = ndimage.gaussian_filter(np.random.default_rng(7).standard_normal(shape), 2)
    gradient = ndimage.gaussian_gradient_magnitude(field, 1)
    minima = ndimage.minimum_filter(field, 5) == field
    return (gradient / gradient.max() * 255).astype(np.uint8), ndimage.label(minima)[0]


@pytest.mark.parametrize("shape", [(70, 91), (17, 18, 19)])
@pytest.mark.parametrize("line", [False, True])
def test_a_gradient_as_the_reference(shape: tuple[int, ...], line: bool) -> None:
    image, markers = edges(shape)
    labels = watershed(image, markers, watershed_line=line)
    np.testing.assert_array_equal(labels, reference.watershed(image, markers, line=line))
    assert (labels != 0).all() or line


@pytest.mark.parametrize("shape", [(70, 91), (17, 18, 19)])
def test_most_pixels_as_scikit_image(shape: tuple[int, ...]) -> None:
    """Its order of ties is another one."""
    segmentation = pytest.importorskip("skimage.segmentation")
    image, markers = edges(shape)
    theirs = segmentation.watershed(image, markers)
    assert (watershed(image, markers) == theirs).mean() > 0.99


# --- properties -----------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1))
def test_only_the_order_of_values_counts(seed: int) -> None:
    given_ = problem(seed)
    image = given_.pop("image")
    _, ranks = np.unique(image, return_inverse=True)
    expected = watershed(ranks.reshape(image.shape), **given_)
    for other in (image, np.exp(ranks.reshape(image.shape) / 4000.0) - 7):
        np.testing.assert_array_equal(watershed(other, **given_), expected)


@given(seed=st.integers(0, 2**32 - 1))
def test_markers_stay_and_spread_over_what_they_can_reach(seed: int) -> None:
    given_ = problem(seed)
    labels, markers = watershed(**given_), given_["markers"]
    inside = np.ones(markers.shape, bool) if given_["mask"] is None else given_["mask"]
    marked = inside & (markers != 0)
    np.testing.assert_array_equal(labels[marked], markers[marked])
    structure = ndimage.generate_binary_structure(markers.ndim, given_["connectivity"])
    parts, _ = ndimage.label(inside, structure)
    reached = np.isin(parts, parts[marked]) & inside
    np.testing.assert_array_equal(labels != 0, reached)


def test_threads_change_no_bit() -> None:
    image, markers = edges((600, 700))
    at_any_threads(lambda: watershed(image, markers))


def test_order_strides_lists_and_read_only_arrays() -> None:
    image, markers = edges((30, 41))
    mask = ndimage.gaussian_filter(image.astype(float), 1) < 120
    expected = watershed(image, markers, mask=mask)
    kept = [image.copy(), markers.copy(), mask.copy()]
    for other in (
        *layouts(image),
        image.astype(">i4"),
        image.astype(np.float16),
    ):
        np.testing.assert_array_equal(watershed(other, markers, mask=mask), expected)
    np.testing.assert_array_equal(watershed(image, markers.T.copy().T, mask=mask * 3.0), expected)
    for kind in (">i2", ">f8", np.float16, np.longdouble):
        found = watershed(image, markers.astype(kind), mask=mask)
        np.testing.assert_array_equal(found, expected)
    for one, before in zip((image, markers, mask), kept, strict=True):
        np.testing.assert_array_equal(one, before)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "uint32", "uint64"])
def test_labels_keep_the_kind_of_the_markers(kind: str) -> None:
    image, markers = edges((20, 21))
    labels = watershed(image, markers.astype(kind))
    assert labels.dtype == kind
    np.testing.assert_array_equal(labels, watershed(image, markers))


def test_the_ends_of_the_types() -> None:
    markers = np.array([-(2**63), 0, 0, 0, 2**63 - 1])
    image = np.array([-(2**63), 2**63 - 1, 5, 2**63 - 2, 0])
    assert watershed(image, markers).tolist() == [markers[0]] * 2 + [markers[4]] * 3
    big = np.array([1, 0, 0, 0, 2**64 - 1], np.uint64)
    assert watershed(image, big).tolist() == [1, 1] + [2**64 - 1] * 3
    floats = np.array([-0.0, 1e-310, 0.0, -5e-324, 0.0])
    assert watershed(floats, np.array([1, 0, 0, 0, 2])).tolist() == [1, 1, 2, 2, 2]


def test_no_marker_and_no_neighbour() -> None:
    assert not watershed(np.zeros((4, 5)), np.zeros((4, 5), int)).any()
    assert watershed([[3]], [[7]]).tolist() == [[7]]
    outside = watershed(np.ones((2, 2)), np.ones((2, 2), int), mask=np.zeros((2, 2), bool))
    assert not outside.any()


def test_values_outside_the_mask_do_not_matter() -> None:
    image, markers = edges((25, 26))
    mask = np.arange(26) < 20
    mask = np.broadcast_to(mask, image.shape)
    spoilt = np.where(mask, image, np.nan)
    expected = watershed(image, markers, mask=mask)
    np.testing.assert_array_equal(watershed(spoilt, markers, mask=mask), expected)
    assert not expected[~mask].any()


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.float32, np.float64])
def test_another_thread_may_write_meanwhile(kind: Any) -> None:
    """Any labels may come, of the markers there were, or a refusal; and the process lives."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 16, (200, 200)).astype(kind)
    markers = ((rng.random(image.shape) > 0.98) * 3).astype(np.int32)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for value in (127, 3):
                image[:] = value
                markers[::7] = value
                markers[::7] = -value

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(60):
            watershed(image, markers)
            watershed(image, markers, compactness=0.5)
            h_minima(image, 2)
    finally:
        stop.set()
        thread.join()


# --- mistakes -------------------------------------------------------------------------------------

ZEROS = np.zeros((6, 7), np.uint8)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"image": ZEROS[0]}, ValueError, r"image and markers must have one shape, got .*\(7,\)"),
        ({"image": ZEROS * 1j}, TypeError, "image must hold real numbers, got complex128"),
        ({"image": ZEROS + np.nan}, ValueError, "image must be finite"),
        ({"image": [[1, 2], [3]]}, TypeError, "image must be an array of real numbers, got list"),
        ({"image": OnTheGpu()}, TypeError, "image must be a NumPy or CuPy array"),
        (
            {"image": np.ma.masked_equal(np.arange(42).reshape(6, 7), 3)},
            ValueError,
            "image has masked entries, which would be used here; pass image.data with mask",
        ),
        ({"markers": ZEROS + 0.5}, ValueError, r"markers must hold labels, .*, got 0.5"),
        ({"markers": ZEROS * 1j}, TypeError, "markers must hold labels, whole numbers or booleans"),
        ({"markers": np.array(3)}, ValueError, "markers must hold a pixel or more"),
        ({"markers": 0}, ValueError, "markers must be at least 1, got 0"),
        ({"markers": 2.5}, TypeError, "markers must be an integer at least 1, got float 2.5"),
        ({"markers": True}, TypeError, "markers must be an integer at least 1, got bool True"),
        ({"mask": ZEROS[:2]}, ValueError, r"mask must have the shape of image, \(6, 7\)"),
        ({"mask": ZEROS + 0.5}, ValueError, "mask must hold booleans .*, got 0.5"),
        (
            {"connectivity": np.ones(3)},
            ValueError,
            "connectivity must have 2 axes, got bool array",
        ),
        ({"connectivity": np.ones((3, 2))}, ValueError, "connectivity must have odd sides, or an"),
        ({"connectivity": [[1, 2], [3]]}, TypeError, "connectivity must be an integer from 1 to 2"),
        (
            {"connectivity": np.ones((3, 3)), "markers": None},
            TypeError,
            "connectivity must be an integer from 1 to 2, got float64 array",
        ),
        ({"offset": (1, 1)}, ValueError, "offset must be None where connectivity is a number"),
        (
            {"connectivity": np.ones((3, 3)), "offset": (1, 3)},
            ValueError,
            r"offset must be a place in an array of shape \(3, 3\), got \[1.0, 3.0\]",
        ),
        ({"compactness": -1}, ValueError, "compactness must be a finite number at least 0, got -1"),
        (
            {"compactness": 1, "watershed_line": True},
            ValueError,
            "watershed_line must be False with compactness, got 1",
        ),
        ({"connectivity": 3}, ValueError, "connectivity must be from 1 to 2, got 3"),
        ({"connectivity": 1.0}, TypeError, "connectivity must be an integer"),
        (
            {"image": ZEROS + np.inf, "mask": ZEROS == 0},
            ValueError,
            "image must be finite inside the mask, got 42 NaN or infinite",
        ),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    given_ = {"image": ZEROS, "markers": ZEROS.astype(int)} | change
    with pytest.raises(error, match=message):
        watershed(**given_)


def test_an_empty_image() -> None:
    with pytest.raises(ValueError, match="image must hold a pixel or more"):
        watershed(np.zeros((0, 3)), np.zeros((0, 3), int))


def test_an_image_beyond_32_bits() -> None:
    framed = np.zeros((1,) * 32, np.uint8)  # with its frame, two places in each axis
    with pytest.raises(ValueError, match=r"image must have at most 2\^32 pixels with its frame"):
        watershed(framed, framed)
