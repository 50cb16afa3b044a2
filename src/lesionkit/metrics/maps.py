"""How far a recovered map is from the truth: MSE, PSNR, SSIM, and errors of inclusions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Floats = npt.NDArray[np.float64]

# Wang et al., IEEE Transactions on Image Processing 13(4), 600-612 (2004)
WINDOW, REACH = 1.5, 5  # pixels: standard deviation of the Gaussian window, of 11 x 11 pixels
K1, K2 = 0.01, 0.03
MAX_RATIO = 1e70  # of a value to the peak
MAX_POWER = 500  # of two, of numbers whose sums of squares are finite


def mse(recovered: npt.ArrayLike, truth: npt.ArrayLike, inside: npt.ArrayLike) -> Floats:
    """Mean square error over the pixels `inside`, for each map.

    Parameters
    ----------
    recovered, truth : (..., rows, columns) array
        Finite.
    inside : (rows, columns) array of bool or whole numbers
        At least one not 0.

    Returns
    -------
    (...) array of float64
        In squared units of the maps.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or squares are beyond float64.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.metrics import mse
    >>> truth = np.array([[1.0, 2.0], [3.0, 9.0]])
    >>> inside = [[1, 1], [1, 0]]
    >>> mse(truth + 2, truth, inside).item()
    4.0
    """
    recovered, truth, chosen = _checked(recovered, truth, inside)
    square, scale = _mean_square(recovered, truth, chosen)
    with np.errstate(over="ignore", under="ignore"):
        error: Floats = np.ldexp(square, 2 * scale)
    if not np.isfinite(error).all():
        raise ValueError(
            "recovered must differ from truth by numbers whose squares float64 holds, below 1e154"
        )
    return error


def psnr(recovered: npt.ArrayLike, truth: npt.ArrayLike, inside: npt.ArrayLike) -> Floats:
    """Peak signal-to-noise ratio: 10 log10(peak^2 / MSE).

    The peak, which is the range of the data as well, is the greatest value of the true map; MSE is
    :func:`mse`, so pixels that are known to be 0 do not count. Maps of any size do: they are scaled
    by a power of two before squares are taken.

    Parameters
    ----------
    recovered, truth : (..., rows, columns) array
        Finite.
    inside : (rows, columns) array of bool or whole numbers
        At least one not 0.

    Returns
    -------
    (...) array of float64
        dB; infinite for a perfect map.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or a true map has no value above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.metrics import psnr
    >>> truth = np.array([[1.0, 2.0], [3.0, 9.0]])
    >>> inside = [[1, 1], [1, 0]]
    >>> psnr(truth + 0.3, truth, inside).round(6).item()
    20.0
    """
    recovered, truth, chosen = _checked(recovered, truth, inside)
    fraction, power = np.frexp(_peak(truth, chosen))
    square, scale = _mean_square(recovered, truth, chosen)
    with np.errstate(divide="ignore"):
        decibels: Floats = 10 * np.log10(fraction**2 / square)
    decibels += 20 * np.log10(2) * (power - scale)
    return decibels


def _mean_square(x: Floats, y: Floats, chosen: Any) -> tuple[Floats, Any]:
    """The mean of (x - y)^2 / 4^scale, and scale, of each map: no square is beyond float64."""
    # Halves, for the difference of two numbers may be twice as large as float64 holds.
    half = 0.5 * x[..., chosen] - 0.5 * y[..., chosen]
    scale = np.frexp(np.abs(half).max(axis=-1))[1]
    square: Floats = np.square(np.ldexp(half, -scale[..., None])).mean(axis=-1)
    return square, scale + 1


def ssim(recovered: npt.ArrayLike, truth: npt.ArrayLike, inside: npt.ArrayLike) -> Floats:
    """Mean structural similarity over the pixels `inside`.

    With a Gaussian window of 1.5 pixels on 11 x 11, K1 = 0.01, K2 = 0.03, and the greatest value of
    the true map as the range of the data; images are reflected at their edges. It is what
    scikit-image's `structural_similarity(gaussian_weights=True, use_sample_covariance=False,
    full=True)` has at these pixels.

    Parameters
    ----------
    recovered, truth : (..., rows, columns) array
        Finite; no value may be more than 1e70 times as far from 0 as the peak, for fourth powers
        are taken.
    inside : (rows, columns) array of bool or whole numbers
        At least one not 0.

    Returns
    -------
    (...) array of float64
        At most 1.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or a true map has no value above 0.

    References
    ----------
    Wang et al., IEEE Trans. Image Processing 13(4), 600-612, 2004, equation 13.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.metrics import ssim
    >>> truth = np.random.default_rng(0).random((20, 20))
    >>> inside = np.ones((20, 20), bool)
    >>> ssim(truth, truth, inside).item(), ssim(truth.T, truth, inside).item() < 0.5
    (1.0, True)
    """
    from scipy.ndimage import gaussian_filter

    x, y, chosen = _checked(recovered, truth, inside)
    axes = (-2, -1)

    def mean(image: Floats) -> Floats:
        blurred: Floats = gaussian_filter(image, WINDOW, axes=axes, radius=REACH, mode="reflect")
        return blurred

    peak = _peak(y, chosen)[..., None, None]
    power = -np.frexp(peak)[1]  # on this scale the peak lies between 0.5 and 1
    with np.errstate(over="ignore"):
        peak, x, y = (np.ldexp(one, power) for one in (peak, x, y))
    for name, image in (("recovered", x), ("truth", y)):
        if np.abs(image).max(initial=0) > MAX_RATIO:
            raise ValueError(
                f"{name} must hold numbers up to {MAX_RATIO:g} times the peak, the greatest of "
                "truth inside"
            )
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    mx, my = mean(x), mean(y)
    vx, vy, both = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    numerator = (2 * mx * my + c1) * (2 * both + c2)
    similarity = numerator / ((mx * mx + my * my + c1) * (vx + vy + c2))
    average: Floats = similarity[..., chosen].mean(axis=-1)
    return average


class InclusionErrors(NamedTuple):
    """Errors of each map and inclusion; NaN where nothing was found.

    Attributes
    ----------
    value, true_value : (..., inclusions) array
        Recovered and true, in the unit of the maps.
    contrast, true_contrast : (..., inclusions) array
        Value by the mean of the background.
    displacement : (..., inclusions) array
        Of where it was found from the inclusion's centre, mm.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.metrics import inclusion_errors
    >>> truth = np.full((20, 20), 10.0)
    >>> truth[8:12, 8:12] = 30
    >>> inclusion_errors(truth, truth, [[0, 0, 4]], radius=20).displacement.round(9).tolist()
    [0.0]
    """

    value: Floats
    true_value: Floats
    contrast: Floats
    true_contrast: Floats
    displacement: Floats


def inclusion_errors(
    maps: npt.ArrayLike,
    truth: npt.ArrayLike,
    discs: npt.ArrayLike,
    radius: float,
    inside: npt.ArrayLike | None = None,
) -> InclusionErrors:
    """Contrast and place of inclusions in maps of one phantom.

    A value is the mean over the inclusion's pixels. Contrast is that by the mean of the background:
    the phantom's pixels more than a quarter of its radius away from every inclusion, or outside all
    inclusions if there are none such; NaN where that mean is 0. An inclusion is found at the
    centroid of what exceeds half of its greatest rise above the background, among the pixels that
    are within twice its radius of its centre and nearer to it than to the others.

    Parameters
    ----------
    maps, truth : (..., pixels, pixels) array
        Recovered and true; row 0 at y = +radius.
    discs : (inclusions, 3) array
        x, y and radius of each inclusion, mm.
    radius : float
        Of the phantom, or half a side of the square around it, mm.
    inside : (pixels, pixels) array of bool or whole numbers, optional
        The pixels of the phantom; None: those of a disc.

    Returns
    -------
    InclusionErrors
        `value`, `true_value`, `contrast`, `true_contrast` and `displacement`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, an inclusion or the background holds no pixel's
        centre, or a contrast is beyond float64.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.metrics import inclusion_errors
    >>> truth = np.full((20, 20), 10.0)
    >>> truth[8:12, 8:12] = 30
    >>> found = inclusion_errors(0.5 * truth + 5, truth, [[0, 0, 2]], radius=20)
    >>> found.contrast.round(6).tolist(), found.true_contrast.round(6).tolist()
    ([2.0], [3.0])
    """
    found = arrays.real(maps, "maps", ("...", "pixels", "pixels"))
    pixels = found.shape[-1]
    if pixels == 0 or found.shape[-2] != pixels:
        raise ValueError(f"maps must be square with a pixel or more, got {arrays.describe(found)}")
    true = arrays.real(truth, "truth", found.shape)
    inclusions = arrays.real(discs, "discs", ("inclusions", 3), "mm")
    radius = arrays.number(radius, "radius", above=0, unit="mm")
    middle = ((np.arange(pixels) + 0.5) / pixels * 2 - 1) * radius
    x, y = np.meshgrid(middle, -middle)
    distance = np.hypot(x - inclusions[:, 0, None, None], y - inclusions[:, 1, None, None])
    edge = distance - inclusions[:, 2, None, None]
    if not len(edge) or not (edge <= 0).any(axis=(1, 2)).all():
        raise ValueError("discs must be one or more, and hold a pixel's centre each")
    if inside is None:
        within = np.hypot(x, y) <= radius
    else:
        at = arrays.on_cpu(inside=inside)
        within = arrays.mask(inside, x.shape, at, "inside", image="maps", some=True)
    background = within & (edge.min(axis=0) > radius / 4)
    if not background.any():
        background = within & (edge.min(axis=0) > 0)
    if not background.any():
        raise ValueError("discs must leave some of the phantom as background, they cover it")

    # Sums of the greatest numbers would be infinite: a power of two changes no digit.
    top = max(float(np.abs(image).max(initial=0)) for image in (found, true))
    power = max(int(np.frexp(top)[1]) - MAX_POWER, 0)
    found, true = np.ldexp(found, -power), np.ldexp(true, -power)
    values, contrasts = [], []
    for image in (found, true):
        base = image[..., background].mean(axis=-1)
        means = np.stack([image[..., one <= 0].mean(axis=-1) for one in edge], axis=-1)
        values.append(np.ldexp(means, power))
        contrasts.append(_contrast(means, base[..., None]))

    nearest = np.argmin(edge, axis=0)
    rise = found - found[..., background].mean(axis=-1)[..., None, None]
    away = []
    for number, (cx, cy, size) in enumerate(inclusions):
        window = within & (nearest == number) & (distance[number] <= 2 * size)
        here = np.where(window, rise, 0)
        half = here.max(axis=(-2, -1), keepdims=True) / 2
        weight = np.where(here > np.maximum(half, 1e-9), here, 0)
        with np.errstate(invalid="ignore"):
            share = weight / weight.sum(axis=(-2, -1), keepdims=True)
        dx, dy = (share * (x - cx)).sum(axis=(-2, -1)), (share * (y - cy)).sum(axis=(-2, -1))
        away.append(np.hypot(dx, dy))
    (value, true_value), (contrast, true_contrast) = values, contrasts
    displacement = np.stack(away, axis=-1)
    return InclusionErrors(value, true_value, contrast, true_contrast, displacement)


def _contrast(means: Floats, base: Floats) -> Floats:
    """Means by the background's; NaN where that is 0."""
    with np.errstate(over="ignore"):
        contrast: Floats = np.divide(
            means,
            base,
            out=np.full_like(means, np.nan),
            where=np.broadcast_to(base != 0, means.shape),
        )
    if np.isinf(contrast).any():
        raise ValueError("maps and truth must have a background further from 0 than float64 ends")
    return contrast


def _checked(recovered: Any, truth: Any, inside: Any) -> tuple[Floats, Floats, Any]:
    x = arrays.real(recovered, "recovered", ("...", "rows", "columns"))
    y = arrays.real(truth, "truth", x.shape)
    at = arrays.on_cpu(inside=inside)
    return x, y, arrays.mask(inside, x.shape[-2:], at, "inside", image="recovered", some=True)


def _peak(truth: Floats, chosen: Any) -> Floats:
    peak: Floats = truth[..., chosen].max(axis=-1)
    if np.any(peak <= 0):
        raise ValueError("truth must be above 0 somewhere: its greatest value is the peak")
    return peak
