"""The Laplacian of a Gaussian: what it must be, SimpleITK's bits, a slow reference, parts of it."""

from __future__ import annotations

import platform

import numpy as np
import pytest

import lesionkit
from lesionkit.radiomics.filters import laplacian_of_gaussian
from reference import gaussian

RANDOM = np.random.default_rng(5)
CASES = [
    ((7, 8, 12), 1.0, (2.5, 0.9, 0.8), np.int16),
    ((4, 5, 30), 2.0, (1.0, 2.0, 0.7), np.float64),
    ((17, 19), 1.7, (0.9, 1.3), np.float32),
    ((33, 6), 0.3, (1.0, 1.0), np.int32),
    ((5, 70, 6), 0.4, (1.0, 1.0, 1.0), np.uint8),
    ((5, 6, 20), 2.0, (3.0, 2.0, 1.0), np.int64),
]


def image_of(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    values = RANDOM.normal(100, 40, shape).clip(0, 255)
    return values.astype(dtype)


def test_of_a_paraboloid() -> None:
    """Far from the border its curvature, whatever sigma is."""
    z, y, x = np.indices((60, 64, 68)) - 32.0
    image = 0.5 * (0.8 * z) ** 2 + 2 * (0.9 * y) ** 2 - 0.25 * x**2 + 3 * x - 7
    found = laplacian_of_gaussian(image, 2.0, (0.8, 0.9, 1.0))
    np.testing.assert_allclose(found[32, 32, 32], 4 * (1 + 4 - 0.5), rtol=1e-5)


def test_of_a_gaussian() -> None:
    """In the middle of one of 3 mm, smoothed by 2 mm: -3 sigma^2 / (9 + sigma^2) (13 / 9)^-1.5, but
    for a per cent, which is how far the waves are from a Gaussian."""
    z, y, x = np.indices((49, 49, 49)) - 24.0
    image = np.exp(-(z**2 + y**2 + x**2) / 18)
    found = laplacian_of_gaussian(image, 2.0)[24, 24, 24]
    assert found == pytest.approx(-3 * 4 / 13 * (9 / 13) ** 1.5, rel=1e-2)


@pytest.mark.parametrize(("shape", "sigma", "spacing", "dtype"), CASES)
def test_simpleitk(
    shape: tuple[int, ...], sigma: float, spacing: tuple[float, ...], dtype: type
) -> None:
    """To the last bit where its build keeps products and sums apart."""
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    image = image_of(shape, dtype)
    picture = sitk.GetImageFromArray(image)
    picture.SetSpacing(spacing[::-1])
    theirs = sitk.GetArrayFromImage(sitk.LaplacianRecursiveGaussian(picture, sigma, True))
    ours = laplacian_of_gaussian(image, sigma, spacing)
    assert ours.dtype == theirs.dtype
    if platform.machine() == "x86_64":
        np.testing.assert_array_equal(ours, theirs)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * abs(theirs).max())


@pytest.mark.parametrize(("shape", "sigma", "spacing", "dtype"), CASES)
def test_slow_reference(
    shape: tuple[int, ...], sigma: float, spacing: tuple[float, ...], dtype: type
) -> None:
    image = image_of(shape, dtype)
    wanted = gaussian.laplacian(image, sigma, spacing)
    found = laplacian_of_gaussian(image, sigma, spacing)
    # three roundings to float32 on the way, of numbers as large as the image's
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6 * max(abs(wanted).max(), 255))


@pytest.mark.parametrize("shape", [(9, 130, 41), (150, 90)])
def test_parts_threads_and_orders(shape: tuple[int, ...]) -> None:
    image = image_of(shape, np.int16)
    whole = laplacian_of_gaussian(image, 1.5)
    box = tuple(slice(n // 2 - 2, n // 2 + 3) for n in shape)
    np.testing.assert_array_equal(laplacian_of_gaussian(image, 1.5, box=box), whole[box])
    before = lesionkit.threads()
    try:
        lesionkit.threads(3)
        np.testing.assert_array_equal(laplacian_of_gaussian(image, 1.5), whole)
    finally:
        lesionkit.threads(before)
    other = np.asfortranarray(image).astype(">i2", order="K")
    np.testing.assert_array_equal(laplacian_of_gaussian(other, 1.5), whole)
    turned = laplacian_of_gaussian(image.T, 1.5)
    np.testing.assert_allclose(turned.T, whole, rtol=0, atol=1e-6 * 255)


def test_what_is_not_finite() -> None:
    image = image_of((6, 40, 40), np.float32)
    image[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="image must be finite, got 1 NaN"):
        laplacian_of_gaussian(image, 1.0)
