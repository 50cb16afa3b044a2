"""Left against right: nine numbers of the difference between a body's mirrored sides."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.studies.thermogram import body as bodies

GAP = 0.08  # of the body's width: beside the midline nothing is compared
BINS = np.linspace(-5, 5, 33)  # C, beside the body's median


class Asymmetry(NamedTuple):
    """Nine numbers of the difference between left and right; C where nothing else is said.

    L and R are the sides after smoothing and taking the body's median off, R mirrored.

    Attributes
    ----------
    mean : float
        |mean(L - R)|.
    mean_size : float
        Mean |L - R|.
    p95 : float
        95th percentile of |L - R|.
    low : float
        |difference of the 5th percentiles|.
    median : float
        |difference of the medians|.
    high : float
        |difference of the 95th percentiles|.
    spread : float
        |difference of the standard deviations|.
    unlike : float
        1 - correlation of L and R.
    histogram : float
        Half the L1 distance of the histograms, 32 bins from -5 to 5 C, 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import asymmetry, body
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> asymmetry.features(celsius, body.find(celsius)).mean < 0.1
    True
    """

    mean: float
    mean_size: float
    p95: float
    low: float
    median: float
    high: float
    spread: float
    unlike: float
    histogram: float


class Sides(NamedTuple):
    """Both sides of the breast rows as they lie over each other.

    Attributes
    ----------
    left, right : (rows, columns) array of float32
        Columns away from the midline.
    both : (rows, columns) array of bool
        Where both sides are body.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import asymmetry, body
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> inside = body.find(celsius)
    >>> found = asymmetry.sides(celsius, inside, body.midline(celsius, inside))
    >>> found.left.shape == found.right.shape == found.both.shape
    True
    """

    left: npt.NDArray[np.float32]
    right: npt.NDArray[np.float32]
    both: npt.NDArray[np.bool_]


def sides(celsius: Any, body: Any, axis: bodies.Midline, smooth: float = 4.0) -> Sides:
    """The sides of a body, smoothed within it, its median taken off.

    Rows go from the top of the breasts to their folds.

    Parameters
    ----------
    celsius : (rows, columns) array
        Temperatures, C; 16 or more of both.
    body : (rows, columns) array of bool
        Of :func:`body.find`.
    axis : Midline
        Of :func:`body.midline`.
    smooth : float, default 4
        Pixels, of the Gaussian; at least 0.

    Returns
    -------
    Sides
        `left`, `right` and `both`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, for a view from the side (correlation below 0.6), or
        where a breast is out of the frame.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import asymmetry, body
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> inside = body.find(celsius)
    >>> found = asymmetry.sides(celsius, inside, body.midline(celsius, inside))
    >>> abs(found.left - found.right)[found.both].mean().item() < 0.2
    True
    """
    from scipy import ndimage

    values = bodies.temperatures(celsius)
    inside = bodies.mask_of(body, values.shape)
    smooth = arrays.number(smooth, "smooth", at_least=0)
    if not axis.frontal:
        raise ValueError(
            f"celsius must show a woman from the front to compare left and right: it is like its "
            f"mirror image by {axis.correlation:.2f}, {bodies.SIDE_VIEW} at least"
        )
    left, right = bodies.breasts(values, inside, axis)
    rows = np.flatnonzero((left | right).any(1))
    if not (left.any() and right.any()):
        raise ValueError("celsius must show both breasts to compare left and right, it does not")
    skin = inside & ~bodies.marker(values, inside, axis)
    weight = ndimage.gaussian_filter(skin.astype(np.float32), smooth)
    mean = ndimage.gaussian_filter(np.where(skin, values, 0), smooth) / np.maximum(weight, 1e-3)
    mean -= np.median(mean[skin])
    box = slice(int(rows[0]), int(rows[-1]) + 1)
    column = round(axis.column)
    gap = round(GAP * np.ptp(np.flatnonzero(inside[box].any(0))) / 2)
    reach = min(column, values.shape[1] - column)
    near, far = slice(column - reach, column - gap), slice(column + gap, column + reach)
    return Sides(
        mean[box, near][:, ::-1],
        mean[box, far],
        skin[box, near][:, ::-1] & skin[box, far],
    )


def features(
    celsius: Any, body: Any, axis: bodies.Midline | None = None, *, smooth: float = 4.0
) -> Asymmetry:
    """Nine numbers of a thermogram's difference between left and right.

    They tell of differences alone: nothing in them knows how warm a body is, nor its wall.

    Parameters
    ----------
    celsius : (rows, columns) array
        Temperatures, C; 16 or more of both.
    body : (rows, columns) array of bool
        Of :func:`body.find`.
    axis : Midline, optional
        Of :func:`body.midline`; None: it is found.
    smooth : float, default 4
        Pixels, of the Gaussian.

    Returns
    -------
    Asymmetry
        C, but for `unlike` and `histogram`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, for a view from the side, or where a breast is out of
        the frame.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import asymmetry, body
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> celsius += 2.0 * (np.hypot(row - 65, column - 50) < 5)  # a warm spot on one side
    >>> asymmetry.features(celsius, body.find(celsius)).p95 > 0.3
    True
    """
    inside = bodies.mask_of(body, np.shape(celsius))
    axis = bodies.midline(celsius, inside) if axis is None else axis
    found = sides(celsius, inside, axis, smooth)
    a, b = found.left[found.both].astype(float), found.right[found.both].astype(float)
    if a.size < 100:
        raise ValueError("celsius must show both breasts to compare left and right, it does not")
    apart = a - b
    low, median, high = np.abs(np.subtract(*(np.percentile(s, (5, 50, 95)) for s in (a, b))))
    fractions = [np.histogram(s.clip(-4.999, 4.999), BINS)[0] / a.size for s in (a, b)]
    alike = np.corrcoef(a, b)[0, 1] if a.std() > 0 and b.std() > 0 else 0.0
    return Asymmetry(
        float(abs(apart.mean())),
        float(np.abs(apart).mean()),
        float(np.percentile(np.abs(apart), 95)),
        float(low),
        float(median),
        float(high),
        float(abs(a.std() - b.std())),
        float(1 - alike),
        float(np.abs(fractions[0] - fractions[1]).sum() / 2),
    )
