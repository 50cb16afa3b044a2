"""Errors of maps and of inclusions, against plain loops, scikit-image and phantoms made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from lesionkit.metrics import maps as metrics
from reference import metrics_maps as slow

# Sums of some hundred pixels in another order, and differences of squares of numbers about 1.
SUMS = 1e-10


@pytest.fixture
def images():
    random = np.random.default_rng(3)
    truth = random.uniform(1, 3, (3, 19, 23))
    recovered = truth + random.normal(0, 0.3, truth.shape)
    inside = np.hypot(*np.ogrid[-9:10, -11:12]) < 9
    return recovered, truth, inside


@pytest.mark.parametrize("name", ["mse", "psnr", "ssim"])
def test_plain_loops(images, name) -> None:
    recovered, truth, inside = images
    found = getattr(metrics, name)(recovered, truth, inside)
    expected = [getattr(slow, name)(x, y, inside) for x, y in zip(recovered, truth, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=SUMS)


def test_scikit_image(images) -> None:
    recovered, truth, inside = images
    everywhere = np.ones_like(inside)
    for x, y in zip(recovered, truth, strict=True):
        peak = y.max()
        expected = peak_signal_noise_ratio(y, x, data_range=peak)
        assert metrics.psnr(x, y, everywhere) == pytest.approx(expected, rel=SUMS)
        _, similarity = structural_similarity(
            y, x, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True,
            data_range=y[inside].max(),
        )  # fmt: skip
        assert metrics.ssim(x, y, inside) == pytest.approx(similarity[inside].mean(), rel=SUMS)


def test_known_answers() -> None:
    truth, inside = np.full((2, 4, 4), 10.0), np.ones((4, 4), bool)
    inside[0] = False
    off = truth.copy()
    off[0] += 1
    off[:, 0] = np.nan  # what is outside does not count, but must be finite
    off[:, 0] = 1e6
    np.testing.assert_array_equal(metrics.mse(off, truth, inside), [1, 0])
    np.testing.assert_allclose(metrics.psnr(off, truth, inside), [20, np.inf])
    assert metrics.ssim(truth, truth, inside) == pytest.approx([1, 1])
    # Constant images: equation 6 of Wang et al. alone, (2 x y + C1) / (x^2 + y^2 + C1).
    c1 = (0.01 * 10) ** 2
    expected = (2 * 10 * 8 + c1) / (100 + 64 + c1)
    assert metrics.ssim(truth * 0.8, truth, inside) == pytest.approx([expected] * 2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"recovered": np.full((3, 3), np.nan)}, "recovered must be finite, got 9 NaN or infinite"),
        ({"truth": np.ones((2, 3))}, r"truth must have shape \(3, 3\), got float64 array.*"),
        ({"inside": np.ones((2, 3))}, r"inside must have the shape of recovered, \(3, 3\), got .*"),
        ({"inside": np.full((3, 3), 0.5)}, "inside must hold booleans .*, got 0.5; .*"),
        ({"inside": np.zeros((3, 3), bool)}, "inside must hold a pixel or more, .*"),
    ],
)
@pytest.mark.parametrize("name", ["mse", "psnr", "ssim"])
def test_bad_input(name, change, sentence) -> None:
    good = {"recovered": np.ones((3, 3)), "truth": np.ones((3, 3)), "inside": np.eye(3) > 0}
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        getattr(metrics, name)(**{**good, **change})


def test_a_truth_of_nothing_has_no_peak() -> None:
    nothing = np.zeros((3, 3))
    for name in ("psnr", "ssim"):
        with pytest.raises(ValueError, match="truth must be above 0 somewhere"):
            getattr(metrics, name)(nothing, nothing, np.ones((3, 3), bool))


# --- numbers of any size --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e200, 1e-200, 1e-310, 2.0**1000])
def test_psnr_and_ssim_do_not_depend_on_the_unit(images, size) -> None:
    recovered, truth, inside = images
    for name in ("psnr", "ssim"):
        expected = getattr(metrics, name)(recovered, truth, inside)
        found = getattr(metrics, name)(recovered * size, truth * size, inside)
        # a denormal number has few digits
        np.testing.assert_allclose(found, expected, rtol=SUMS if size > 1e-300 else 1e-4)


def test_a_power_of_two_changes_no_bit(images) -> None:
    recovered, truth, inside = images
    expected = metrics.ssim(recovered, truth, inside)
    np.testing.assert_array_equal(metrics.ssim(recovered * 8, truth * 8, inside), expected)
    mse = metrics.mse(recovered, truth, inside)
    np.testing.assert_array_equal(metrics.mse(recovered * 8, truth * 8, inside), mse * 64)


def test_numbers_next_to_the_ends_of_float64() -> None:
    inside = np.ones((4, 5), bool)
    top = np.full((4, 5), 1.7e308)
    assert metrics.psnr(-top, top, inside) == pytest.approx(-20 * np.log10(2))
    assert metrics.mse(top * 1e-160, -top * 1e-160, inside) == pytest.approx(3.4e148**2)
    with pytest.raises(ValueError, match=r"recovered must differ from truth by .* below 1e154"):
        metrics.mse(top, np.zeros_like(top), inside)
    small = np.full((4, 5), 1e-60)
    with pytest.raises(
        ValueError, match=r"recovered must hold numbers up to 1e\+70 times the peak"
    ):
        metrics.ssim(top, small, inside)
    with pytest.raises(ValueError, match=r"truth must hold numbers up to 1e\+70 times the peak"):
        metrics.ssim(small, np.where(np.eye(4, 5) > 0, 1e-60, -1e300), inside)


# --- inclusions -------------------------------------------------------------------------------

PIXELS, RADIUS = 100, 41.0


def disc_image(discs, values, background=10.0):
    """(pixels, pixels): a phantom painted by hand."""
    middle = ((np.arange(PIXELS) + 0.5) / PIXELS * 2 - 1) * RADIUS
    x, y = np.meshgrid(middle, -middle)
    image = np.where(np.hypot(x, y) <= RADIUS, background, 0.0)
    for (cx, cy, radius), value in zip(discs, values, strict=True):
        image[np.hypot(x - cx, y - cy) <= radius] = value
    return image


DISCS = [(20.0, 10.0, 8.0), (-15.0, -12.0, 6.0)]


def test_a_perfect_map_has_no_errors() -> None:
    truth = disc_image(DISCS, [25.0, 15.0])
    errors = metrics.inclusion_errors(truth, truth, DISCS, RADIUS)
    np.testing.assert_allclose(errors.value, [25, 15])
    np.testing.assert_allclose(errors.contrast, [2.5, 1.5])
    np.testing.assert_allclose(errors.true_contrast, errors.contrast)
    assert (errors.displacement < 0.1).all()  # of a pixel of 0.82 mm


def test_a_moved_and_fainter_inclusion() -> None:
    truth = disc_image(DISCS, [25.0, 15.0])
    moved = disc_image([(23.0, 14.0, 8.0), DISCS[1]], [20.0, 15.0])
    maps = np.stack([moved, truth])
    errors = metrics.inclusion_errors(maps, np.stack([truth] * 2), DISCS, RADIUS)
    assert errors.displacement.shape == (2, 2)
    np.testing.assert_allclose(errors.displacement[0], [5, 0], atol=0.2)
    assert errors.contrast[0, 0] < 1.9
    np.testing.assert_allclose(errors.contrast[1], errors.true_contrast[1])


def test_an_inclusion_that_is_not_found() -> None:
    truth = disc_image(DISCS[:1], [20.0])
    flat = disc_image([], [])
    errors = metrics.inclusion_errors(flat, truth, DISCS[:1], RADIUS)
    assert np.isnan(errors.displacement).all()
    np.testing.assert_allclose(errors.contrast, 1)


def test_a_disc_that_fills_the_phantom_has_a_background_still() -> None:
    large = [(0.0, 0.0, 36.0)]
    truth = disc_image(large, [20.0])
    errors = metrics.inclusion_errors(truth, truth, large, RADIUS)
    np.testing.assert_allclose(errors.contrast, 2)


@pytest.mark.parametrize("size", [1e300, 1e-100])
def test_inclusions_of_numbers_of_any_size(size) -> None:
    truth = disc_image(DISCS, [25.0, 15.0]) * size
    errors = metrics.inclusion_errors(truth, truth, DISCS, RADIUS)
    np.testing.assert_allclose(errors.value, [25 * size, 15 * size])
    np.testing.assert_allclose(errors.contrast, [2.5, 1.5])


def test_a_background_of_nothing_has_no_contrast() -> None:
    truth = disc_image(DISCS, [25.0, 15.0])
    errors = metrics.inclusion_errors(np.zeros_like(truth), truth, DISCS, RADIUS)
    assert np.isnan(errors.contrast).all()
    np.testing.assert_allclose(errors.true_contrast, [2.5, 1.5])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"maps": np.zeros((3, 0))}, "maps must be square with a pixel or more, got float64 .*"),
        ({"maps": np.zeros((4, 5))}, "maps must be square .*"),
        ({"truth": np.ones((8, 9))}, r"truth must have shape \(9, 9\), got .*"),
        ({"discs": np.zeros((0, 3))}, "discs must be one or more, and hold a pixel's centre each"),
        ({"discs": [[900.0, 0, 1]]}, "discs must be one or more, .*"),
        ({"discs": [[0, 0, 99.0]]}, "discs must leave some of the phantom as background, .*"),
        ({"discs": [[0, 0, np.inf]]}, r"discs must be finite \(mm\), got 1 NaN or infinite"),
    ],
)
def test_mistakes_in_inclusions(change, sentence) -> None:
    good = {"maps": np.ones((9, 9)), "truth": np.ones((9, 9)), "discs": [[0.0, 0, 9]]}
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        metrics.inclusion_errors(**{**good, **change}, radius=RADIUS)
