"""MaZda's families of features beside co-occurrence and runs, of batches of ROIs.

Histogram, gradient, autoregressive model and Haar energy, as in Materka and Strzelecki, "Texture
analysis methods: a review" (1998), and Szczypinski et al., "MaZda" (2009). Where no text of theirs
or of a user's names a detail it is marked "provisional", and may differ from MaZda's. Array algebra
throughout: the time goes into NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Real = npt.NDArray[np.float64]

HISTOGRAM = (
    "Mean",
    "Variance",
    "Skewness",
    "Kurtosis",
    "Perc.01%",
    "Perc.10%",
    "Perc.50%",
    "Perc.90%",
    "Perc.99%",
)
GRADIENT = ("GrMean", "GrVariance", "GrSkewness", "GrKurtosis", "GrNonZeros")
AR_MODEL = ("Teta1", "Teta2", "Teta3", "Teta4", "Sigma")
BANDS = ("LL", "LH", "HL", "HH")
MAX_VALUE = 1e70  # what is made of it is still a number


def _of_rois(compute: Callable[..., Real]) -> Callable[..., Any]:
    """Checks the ROIs, and gives the answer back as the kind of array that came."""

    @wraps(compute)
    def checked(rois: Any, *args: Any, **options: Any) -> Any:
        home = arrays.home(rois=rois)
        if home.gpu is not None:
            raise TypeError(
                f"rois must be on the CPU for {compute.__name__}, got a {home}; "
                "copy it to the host first"
            )
        array = arrays.real(home.view(rois, "rois"), "rois", ["n", "rows", "columns"])
        if 0 in array.shape[1:]:
            raise ValueError(f"rois must have pixels, got {arrays.describe(array)}")
        if array.size and max(-array.min(), array.max()) > MAX_VALUE:
            raise ValueError(
                f"rois must be within ±{MAX_VALUE:g}, so that their moments are numbers"
            )
        return home.back(compute(array, *args, **options))

    return checked


@_of_rois
def first_order(rois: Any) -> Any:
    """Nine features of the histogram of each ROI.

    Parameters
    ----------
    rois : (n, rows, columns) array of real numbers
        Finite, of any unit; on the CPU.

    Returns
    -------
    (n, 9) array of float64
        In the order of `families.HISTOGRAM`: mean, variance (of the population), skewness m3 /
        m2^1.5, kurtosis m4 / m2^2 - 3 (the 3 is provisional), both 0 for a constant ROI,
        and the percentiles 1, 10, 50, 90 and 99 (linear between two values, as `numpy.percentile`;
        provisional).

    Raises
    ------
    TypeError, ValueError
        Where `rois` is not as described, or goes beyond 1e70.

    References
    ----------
    Szczypinski et al., Comput. Methods Programs Biomed. 94, 66-76, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import first_order
    >>> first_order(np.arange(101.0).reshape(1, 1, 101))[0, [0, 1, 4, 8]].round(6).tolist()
    [50.0, 850.0, 1.0, 99.0]
    """
    values = _flat(rois)
    percentiles = np.percentile(values, [1, 10, 50, 90, 99], axis=1)
    return np.column_stack([*_moments(values), *percentiles])


@_of_rois
def gradient(rois: Any, step: int = 1) -> Any:
    """Five features of the gradient magnitude of each ROI.

    The magnitude is g = sqrt((x[r + step, c] - x[r - step, c])^2 + (x[r, c + step] - x[r, c -
    step])^2), over the pixels that have all four neighbours in the ROI.

    Parameters
    ----------
    rois : (n, rows, columns) array of real numbers
        Finite, at least 2 step + 1 rows and columns; on the CPU.
    step : int, default 1
        Pixels from the middle. 2 is the form over 5 x 5 pixels that is published with MaZda's
        features (Table 1 of the second reference); 1, over 3 x 3, is provisional.

    Returns
    -------
    (n, 5) array of float64
        In the order of `families.GRADIENT`: mean, variance, skewness, kurtosis - 3, and the
        fraction of pixels whose g is not 0.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or `rois` goes beyond 1e70.

    References
    ----------
    Szczypinski et al., Comput. Methods Programs Biomed. 94, 66-76, 2009; Nuclear Medicine and
    Molecular Imaging 48, 278-286, 2014 (PMC4571663), Table 1.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import gradient
    >>> gradient(np.tile(np.arange(6.0), (1, 6, 1))).tolist()
    [[2.0, 0.0, 0.0, 0.0, 1.0]]
    """
    step = arrays.integer(step, "step", at_least=1)
    rows, columns = rois.shape[1:]
    if min(rows, columns) < 2 * step + 1:
        raise ValueError(
            f"rois must have at least {2 * step + 1} rows and columns for step {step}, "
            f"got {arrays.describe(rois)}"
        )
    inner = slice(step, -step)
    down = rois[:, 2 * step :, inner] - rois[:, : -2 * step, inner]
    right = rois[:, inner, 2 * step :] - rois[:, inner, : -2 * step]
    size = _flat(np.hypot(down, right))
    return np.column_stack([*_moments(size), (size > 0).mean(axis=1)])


@_of_rois
def ar_model(rois: Any) -> Any:
    """The causal autoregressive model of each ROI, which has mean 0 and variance 1 before the fit.

    f(r, c) = Teta1 f(r, c - 1) + Teta2 f(r - 1, c - 1) + Teta3 f(r - 1, c) + Teta4 f(r - 1, c + 1)
    + e, by least squares over the pixels that have all four neighbours. The order of the neighbours
    is provisional.

    Parameters
    ----------
    rois : (n, rows, columns) array of real numbers
        Finite, at least 2 rows and 3 columns; on the CPU.

    Returns
    -------
    (n, 5) array of float64
        In the order of `families.AR_MODEL`: Teta1 to Teta4, and Sigma, the root of the mean of e^2.
        Where many solutions fit (stripes, few pixels) the shortest is taken; for a constant ROI all
        are 0.

    Raises
    ------
    TypeError, ValueError
        Where `rois` is not as described, or goes beyond 1e70.

    References
    ----------
    Materka and Strzelecki, "Texture analysis methods: a review", 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import ar_model
    >>> noise = np.random.default_rng(0).normal(size=(64, 64))
    >>> rows = np.zeros((64, 64))
    >>> for c in range(1, 64):
    ...     rows[:, c] = 0.9 * rows[:, c - 1] + noise[:, c]
    >>> round(float(ar_model(rows[None])[0, 0]), 1)  # Teta1
    0.9
    """
    rows, columns = rois.shape[1:]
    if rows < 2 or columns < 3:
        raise ValueError(
            f"rois must have at least 2 rows and 3 columns, got {arrays.describe(rois)}"
        )
    values, _ = _near_one(_flat(rois))
    off = values - values.mean(axis=1, keepdims=True)
    sigma = off.std(axis=1, keepdims=True)
    sigma[_constant(values)] = np.inf
    f = (off / np.where(sigma > 0, sigma, np.inf)).reshape(rois.shape)
    here = _flat(f[:, 1:, 1:-1])[..., None]
    near = (f[:, 1:, :-2], f[:, :-1, :-2], f[:, :-1, 1:-1], f[:, :-1, 2:])
    around = np.stack([_flat(g) for g in near], axis=-1)
    turned = around.swapaxes(1, 2)
    teta = np.linalg.pinv(turned @ around, rcond=1e-12, hermitian=True) @ (turned @ here)
    rest = np.sqrt(((here - around @ teta) ** 2).mean(axis=1))
    return np.column_stack([teta[..., 0], rest])


@_of_rois
def haar_energy(rois: Any, scales: int = 1) -> Any:
    """The energy of each ROI in the bands of its Haar wavelet transform.

    A block of 2 x 2 pixels a b / c d has the coefficients LL = (a + b + c + d) / 2, LH = (a + b - c
    - d) / 2 (low along the row, high along the column; provisional, some have HL and LH the
    other way), HL = (a - b + c - d) / 2 and HH = (a - b - c + d) / 2. An odd last row or column of
    a scale is left out.

    Parameters
    ----------
    rois : (n, rows, columns) array of real numbers
        Finite, at least 2^scales rows and columns; on the CPU.
    scales : int, default 1
        1 or more: the LL band of a scale is the image of the next.

    Returns
    -------
    (n, 4 scales) array of float64
        The mean of the squared coefficients, by scale, and in it in the order of `families.BANDS`:
        MaZda's WavEnLL_s-1, WavEnLH_s-1, ...

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or `rois` goes beyond 1e70.

    References
    ----------
    Szczypinski et al., Comput. Methods Programs Biomed. 94, 66-76, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import haar_energy
    >>> haar_energy(np.tile([0.0, 2.0], (1, 4, 2))).tolist()  # columns differ: LL and HL
    [[4.0, 0.0, 4.0, 0.0]]
    """
    scales = arrays.integer(scales, "scales", at_least=1)
    if min(rois.shape[1:]).bit_length() <= scales:
        side = str(2**scales) if scales < 32 else f"2**{scales}"
        raise ValueError(
            f"rois must have at least {side} rows and columns for {scales} scales, "
            f"got {arrays.describe(rois)}"
        )
    energies = []
    low = rois
    for _ in range(scales):
        low = low[:, : low.shape[1] // 2 * 2, : low.shape[2] // 2 * 2]
        a, b = low[:, ::2, ::2], low[:, ::2, 1::2]
        c, d = low[:, 1::2, ::2], low[:, 1::2, 1::2]
        bands = [a + b + c + d, a + b - c - d, a - b + c - d, a - b - c + d]
        energies += [((band / 2) ** 2).mean(axis=(1, 2)) for band in bands]
        low = bands[0] / 2
    return np.stack(energies, axis=1)


def _flat(rois: Real) -> Real:
    """(n, rows, columns) -> (n, pixels)."""
    return rois.reshape(len(rois), rois.shape[1] * rois.shape[2])


def _constant(values: Real) -> npt.NDArray[np.bool_]:
    """Rows of one value, however their mean may have been rounded."""
    flat: npt.NDArray[np.bool_] = (values == values[:, :1]).all(axis=1)
    return flat


def _near_one(values: Real) -> tuple[Real, npt.NDArray[np.int32]]:
    """Rows divided by powers of 2, so that their largest numbers are near 1; and the exponents."""
    exponents: npt.NDArray[np.int32] = np.frexp(abs(values).max(axis=1, initial=0.0))[1]
    return np.ldexp(values, -exponents[:, None]), exponents


def _moments(values: Real) -> tuple[Real, Real, Real, Real]:
    """Of each row: mean, variance, skewness, kurtosis - 3."""
    values, exponents = _near_one(values)
    mean = values.mean(axis=1)
    off = values - mean[:, None]
    off[_constant(values)] = 0.0
    square = off * off
    variance = square.mean(axis=1)
    scale = np.where(variance > 0, variance, np.inf)
    skewness = (square * off).mean(axis=1) / scale**1.5
    kurtosis = (square * square).mean(axis=1) / scale**2 - np.where(variance > 0, 3.0, 0.0)
    return np.ldexp(mean, exponents), np.ldexp(variance, 2 * exponents), skewness, kurtosis
