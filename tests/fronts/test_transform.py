"""The distance transform of a mask: by hand, its definition, SciPy's, properties, mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import tolerances
from fake_cupy import OnTheGpu
from invariances import at_any_threads, layouts
from lesionkit.fronts import distance_transform
from reference.fronts import transform as reference

# --- known answers --------------------------------------------------------------------------------


def test_by_hand() -> None:
    assert distance_transform([0, 1, 1, 1, 1, 0]).tolist() == [0, 1, 2, 2, 1, 0]
    assert distance_transform([1, 1, 0], 2.5).tolist() == [5, 2.5, 0]
    mask = np.ones((4, 5), bool)
    mask[0, 0] = False
    y, x = np.indices(mask.shape)
    np.testing.assert_array_equal(distance_transform(mask), np.hypot(y, x))
    np.testing.assert_allclose(
        distance_transform(mask, (3, 0.5)), np.hypot(3 * y, 0.5 * x), rtol=tolerances.DISTANCE
    )
    signed = distance_transform([[0, 0, 1, 1]], signed=True)
    assert signed.tolist() == [[2, 1, -1, -2]]


def test_one_class_alone_is_infinitely_far() -> None:
    assert (distance_transform(np.ones((3, 4), int)) == np.inf).all()
    assert (distance_transform(np.zeros((3, 4), int)) == 0).all()
    assert (distance_transform(np.ones((3, 4), int), signed=True) == -np.inf).all()
    assert (distance_transform(np.zeros((3, 4), int), signed=True) == np.inf).all()


def test_each_label_by_itself() -> None:
    """A border between two labels counts, too; 0 is no label."""
    labels = np.array([4, 4, 4, -7, -7, 0, 0, 4])
    far = distance_transform(labels, 0.5, each_label=True)
    assert far.tolist() == [1.5, 1, 0.5, 0.5, 0.5, 0, 0, 0.5]
    rng = np.random.default_rng(0)
    for shape in ((60,), (17, 23), (7, 8, 9)):
        labels = np.round(2 * ndimage.gaussian_filter(rng.standard_normal(shape), 1.5)).astype(int)
        labels *= 10**12
        spacing = [0.7, 1.3, 2.0][: len(shape)]
        expected = np.zeros(shape)
        for label in np.unique(labels[labels != 0]):
            expected += distance_transform(labels == label, spacing)
        for given_ in (labels, labels.astype(float) / 10**12):
            found = distance_transform(given_, spacing, each_label=True)
            np.testing.assert_allclose(found, expected, rtol=tolerances.DISTANCE)
        signed = distance_transform(labels, spacing, each_label=True, signed=True)
        np.testing.assert_array_equal(signed[labels != 0], -found[labels != 0])
        assert (signed[labels == 0] > 0).all()


# --- reference ------------------------------------------------------------------------------------


def problem(seed: int) -> tuple[np.ndarray, list[float]]:
    rng = np.random.default_rng(seed)
    axes = int(rng.integers(1, 5))
    shape = tuple(rng.integers(1, {1: 40, 2: 9, 3: 6, 4: 4}[axes], axes))
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), rng.choice([0, 0.7]))
    spacing = rng.uniform(0.3, 3, axes) if rng.integers(2) else np.ones(axes)
    return noise > rng.choice([-1.0, 0.0, 1.0]), spacing.tolist()


@given(seed=st.integers(0, 2**32 - 1))
def test_as_the_definition(seed: int) -> None:
    mask, spacing = problem(seed)
    expected = reference.distance_transform(mask, spacing)
    for dtype, tolerance in ((np.float64, tolerances.DISTANCE), (np.float32, tolerances.SINGLE)):
        signed = distance_transform(mask, spacing, signed=True, dtype=dtype)
        assert signed.dtype == dtype
        np.testing.assert_allclose(signed, expected, rtol=tolerance)
        inside = distance_transform(mask, spacing, dtype=dtype)
        np.testing.assert_array_equal(inside, np.where(mask, -signed, 0))


@pytest.mark.parametrize("shape", [(3000,), (150, 233), (1, 700), (37, 41, 53), (9, 8, 1, 30)])
@pytest.mark.parametrize("spacing", [1.0, 0.37])
def test_as_scipy(shape: tuple[int, ...], spacing: float) -> None:
    noise = np.random.default_rng(1).standard_normal(shape)
    for width, fraction in ((0, 0.99), (3, 0.5), (1, 0.1)):
        smooth = ndimage.gaussian_filter(noise, width)
        mask = smooth > np.quantile(smooth, fraction)
        expected = ndimage.distance_transform_edt(mask, sampling=[spacing] * mask.ndim)
        found = distance_transform(mask, spacing)
        np.testing.assert_allclose(found, expected, rtol=tolerances.DISTANCE)
        if spacing == 1.0:  # squares are whole numbers
            np.testing.assert_array_equal(found, expected)


def test_far_apart() -> None:
    """A line of which only the first pixel is outside: squares up to 10^10."""
    mask = np.ones((2, 100_000), bool)
    mask[0, 0] = False
    far = np.hypot(*np.indices(mask.shape))
    np.testing.assert_allclose(distance_transform(mask), far, rtol=tolerances.DISTANCE)
    single = distance_transform(mask, dtype=np.float32)
    np.testing.assert_allclose(single, far, rtol=tolerances.SINGLE)


# --- properties -----------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1))
def test_symmetries(seed: int) -> None:
    mask, spacing = problem(seed)
    signed = distance_transform(mask, spacing, signed=True)
    same = np.testing.assert_allclose
    same(distance_transform(~mask, spacing, signed=True), -signed, rtol=tolerances.DISTANCE)
    flipped = distance_transform(np.flip(mask), spacing, signed=True)
    same(np.flip(flipped), signed, rtol=tolerances.DISTANCE)
    turned = distance_transform(mask.T, spacing[::-1], signed=True)
    same(turned.T, signed, rtol=tolerances.DISTANCE)


def test_threads_change_no_bit() -> None:
    mask = ndimage.gaussian_filter(np.random.default_rng(2).standard_normal((90, 80, 70)), 2) > 0
    at_any_threads(lambda: distance_transform(mask, (1, 0.7, 3), signed=True))


def test_order_strides_lists_and_read_only_arrays() -> None:
    mask = np.random.default_rng(3).random((20, 31)) < 0.9
    expected = distance_transform(mask)
    kept = mask.copy()
    for other in (
        *layouts(mask),
        mask * 7,
        mask.astype(">i2"),
    ):
        np.testing.assert_array_equal(distance_transform(other), expected)
    np.testing.assert_array_equal(mask, kept)


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"mask": np.full((2, 2), 0.5)}, ValueError, "mask must hold booleans .*, got 0.5"),
        ({"mask": True}, ValueError, "mask must hold a pixel or more"),
        ({"mask": np.ones((0, 3), bool)}, ValueError, "mask must hold a pixel or more"),
        ({"mask": OnTheGpu()}, TypeError, "mask must be a NumPy or CuPy array"),
        ({"spacing": 0}, ValueError, "spacing must be above 0, got 0"),
        ({"spacing": "1"}, TypeError, "spacing must hold real numbers, got <U1"),
        ({"spacing": (1, 1, 1)}, ValueError, r"one number, or one for each of 2 axes"),
        ({"spacing": (1, -1)}, ValueError, "spacing must be above 0, got -1"),
        ({"spacing": (1, np.nan)}, ValueError, "spacing must be finite"),
        ({"dtype": int}, ValueError, "dtype must be float32 or float64, got int64"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        distance_transform(**({"mask": np.ones((2, 2), bool)} | change))
