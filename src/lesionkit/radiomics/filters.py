"""PyRadiomics' filters, as functions of arrays.

Each takes a `box`: of what part of the image the answer is wanted, which saves time. The answer is
that part of the answer for the whole image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, extras
from lesionkit._core import texture as _kernels
from lesionkit.radiomics.volumes import Box, around, checked_box, finite, padded

Real = npt.NDArray[np.float64]

REACH = 28  # sigmas: both waves of the recursive Gaussian fall as exp(-1.3732 x / sigma) or faster

__all__ = [
    "exponential",
    "gradient",
    "laplacian_of_gaussian",
    "logarithm",
    "square",
    "square_root",
    "wavelet",
]


def square(image: Any, box: Box | None = None) -> Real:
    """The squares of intensities, scaled so that the largest stays: ``x^2 / max |x|``.

    Parameters
    ----------
    image : array of real numbers
        Finite; any number of axes.
    box : tuple of slices, optional
        The part of the answer that is wanted; None: all.

    Returns
    -------
    array of float64
        In the image's unit; 0 where all are 0.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1, image type Square.

    Examples
    --------
    >>> from lesionkit.radiomics.filters import square
    >>> square([[-2.0, 1.0, 4.0]]).tolist()
    [[1.0, 0.25, 4.0]]
    """
    part, largest = _part_and_largest(image, box)
    return (part * (1 / math.sqrt(largest))) ** 2 if largest else part


def square_root(image: Any, box: Box | None = None) -> Real:
    """The roots of intensities, with their sign, scaled so that the largest stays.

    Parameters
    ----------
    image : array of real numbers
        Finite; any number of axes.
    box : tuple of slices, optional
        The part of the answer that is wanted; None: all.

    Returns
    -------
    array of float64
        ``sign(x) sqrt(|x| max |x|)``, in the image's unit.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1, image type SquareRoot.

    Examples
    --------
    >>> from lesionkit.radiomics.filters import square_root
    >>> square_root([[-1.0, 0.0, 4.0]]).tolist()
    [[-2.0, 0.0, 4.0]]
    """
    part, largest = _part_and_largest(image, box)
    return np.copysign(np.sqrt(abs(part) * largest), part)


def logarithm(image: Any, box: Box | None = None) -> Real:
    """The logarithms of intensities, with their sign, scaled so that the largest stays.

    Parameters
    ----------
    image : array of real numbers
        Finite; any number of axes.
    box : tuple of slices, optional
        The part of the answer that is wanted; None: all.

    Returns
    -------
    array of float64
        ``c sign(x) ln(|x| + 1)``, in the image's unit, with c = m / ln(m + 1), ``m = max |x|``.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1, image type Logarithm.

    Examples
    --------
    >>> from lesionkit.radiomics.filters import logarithm
    >>> logarithm([[-1.0, 0.0, 3.0]]).tolist()
    [[-1.5, 0.0, 3.0]]
    """
    part, largest = _part_and_largest(image, box)
    scale = largest / np.log(largest + 1) if largest else 1.0
    return np.copysign(np.log(abs(part) + 1) * scale, part)


def exponential(image: Any, box: Box | None = None) -> Real:
    """The exponentials of intensities, scaled so that the largest stays, if it is not negative.

    Parameters
    ----------
    image : array of real numbers
        Finite, one or more of them not 0; any number of axes.
    box : tuple of slices, optional
        The part of the answer that is wanted; None: all.

    Returns
    -------
    array of float64
        ``exp(x ln(m) / m)`` for ``m = max |x|``, in the image's unit.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1, image type Exponential.

    Examples
    --------
    >>> from lesionkit.radiomics.filters import exponential
    >>> exponential([[-8.0, 0.0, 8.0]]).round(9).tolist()
    [[0.125, 1.0, 8.0]]
    """
    part, largest = _part_and_largest(image, box)
    if largest == 0:
        raise ValueError("image must hold a number other than 0: it has no exponential scale")
    found: Real = np.exp(part * (np.log(largest) / largest))
    return found


def gradient(image: Any, spacing: Any = None, box: Box | None = None) -> npt.NDArray[np.float32]:
    """The length of the gradient, by differences of both neighbours along each axis.

    Parameters
    ----------
    image : array of real numbers
        Finite; any number of axes.
    spacing : sequence of float, optional
        Of voxels along each axis, in the image's order, mm; None: 1 (PyRadiomics'
        gradientUseSpacing=False).
    box : tuple of slices, optional
        The part of the answer that is wanted; None: all.

    Returns
    -------
    array of float32
        In the image's unit per mm. A voxel at the border is its own neighbour there.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1, image type Gradient: SimpleITK's GradientMagnitudeImageFilter.

    Examples
    --------
    >>> from lesionkit.radiomics.filters import gradient
    >>> gradient([[0.0, 2.0, 4.0]], spacing=(1, 0.5)).tolist()
    [[2.0, 4.0, 2.0]]
    """
    values = finite(arrays.numbers(image, "image", kinds="iuf"))
    steps = np.ones(values.ndim) if spacing is None else spacing
    mm = arrays.real(steps, "spacing", (values.ndim,), "mm", above=0)
    box = checked_box(box, values.shape)
    total = np.zeros([s.stop - s.start for s in box])
    for axis, (part, size) in enumerate(zip(box, values.shape, strict=True)):
        places = np.arange(part.start, part.stop)
        one, other = (
            np.take(values[(*box[:axis], slice(None), *box[axis + 1 :])], beside, axis)
            for beside in (np.minimum(places + 1, size - 1), np.maximum(places - 1, 0))
        )
        total += ((one - other) * (0.5 / mm[axis])) ** 2
    return np.sqrt(total).astype(np.float32)


def laplacian_of_gaussian(
    image: Any, sigma: float, spacing: Any = None, box: Box | None = None
) -> npt.NDArray[np.float32]:
    """The Laplacian of a Gaussian of the image, times sigma^2, by ITK's recursive filter.

    On x86-64 the bits are SimpleITK's. Of a `box` only what lies within :data:`REACH` sigmas about
    it is read: what lies further moves no sum by half of its last bit.

    Parameters
    ----------
    image : (slices, rows, columns) or (rows, columns) array of real numbers
        4 voxels or more along each axis, and more than sigma / spacing + 1. It goes on beyond its
        border with the values there.
    sigma : float
        Of the Gaussian, mm, above 0.
    spacing : sequence of float, optional
        Of voxels along each axis, in the image's order, mm; None: 1.
    box : tuple of slices, optional
        The part of the answer that is wanted; None: all.

    Returns
    -------
    array of float32
        In the image's unit; negative where it is bright.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1, image type LoG: SimpleITK's LaplacianRecursiveGaussianImageFilter, with
    NormalizeAcrossScale. Deriche, INRIA RR-1893, 1993; Farneback and Westin, Journal of
    Mathematical Imaging and Vision 26, 293, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.radiomics.filters import laplacian_of_gaussian
    >>> spot = np.zeros((21, 21, 21))
    >>> spot[10, 10, 10] = 1000
    >>> found = laplacian_of_gaussian(spot, 2.0)
    >>> int(found.argmin()) == int(spot.argmax())
    True
    """
    whole = arrays.numbers(image, "image", kinds="iuf")
    sigma = arrays.number(sigma, "sigma", above=0)
    steps = np.ones(whole.ndim) if spacing is None else spacing
    mm = arrays.real(steps, "spacing", (whole.ndim,), "mm", above=0)
    needed = np.maximum(np.ceil(sigma / mm) + 1, 4)
    if whole.ndim not in (2, 3) or (np.array(whole.shape) < needed).any():
        raise ValueError(
            f"image must have at least {needed.astype(int).tolist()} voxels along its axes for a "
            f"sigma of {sigma:g} mm, got {arrays.describe(whole)}"
        )
    box = checked_box(box, whole.shape)
    reach = [max(4, math.ceil(REACH * sigma / step)) for step in mm]
    seen = padded(box, whole.shape, reach)
    part = whole[seen]
    if part.dtype not in (np.int16, np.int32):
        part = finite(part, keep_float32=True)
    wanted = [(b.start - s.start, b.stop - s.start) for b, s in zip(box, seen, strict=True)]
    if whole.ndim == 2:
        part, mm, wanted = part[None], np.array([1.0, *mm]), [(0, 1), *wanted]
    found = np.empty([stop - start for start, stop in wanted], np.float32)
    if part.strides[-1] != part.itemsize or not part.dtype.isnative:
        part = np.ascontiguousarray(part, part.dtype.newbyteorder("="))
    _kernels.laplacian_of_gaussian(part, mm, sigma, whole.ndim, np.array(wanted), found)
    return found[0] if whole.ndim == 2 else found


def wavelet(
    image: Any,
    name: str = "coif1",
    level: int = 1,
    start_level: int = 0,
    axes: Sequence[int] | None = None,
    box: Box | None = None,
) -> dict[str, npt.NDArray[Any]]:
    """The bands of an undecimated wavelet transform, each of the image's size.

    Parameters
    ----------
    image : array of real numbers
        Finite; any number of axes. Where a size is odd, the first value along that axis is put
        behind the last; the image repeats itself beyond its border.
    name : str, default "coif1"
        A discrete wavelet of PyWavelets.
    level : int, default 1
        How many levels; each takes the last one's low band.
    start_level : int, default 0
        How many levels come before these, and are not given.
    axes : sequence of int, optional
        Those to transform, in the order of the letters; None: all, the last axis first, as in
        PyRadiomics.
    box : tuple of slices, optional
        The part of the answer that is wanted; None: all.

    Returns
    -------
    dict of str to array of float64, of float32 for such an image
        PyRadiomics' names, in its order: "wavelet-LLH" ..., "wavelet2-LLH" ... of further levels,
        and the low band of the last at the end.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.
    MissingLibrary
        Where PyWavelets is not installed.

    References
    ----------
    PyRadiomics 3.0.1, image type Wavelet.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.radiomics.filters import wavelet
    >>> bands = wavelet(np.ones((5, 6)), "haar")
    >>> {name: round(float(band[0, 0]), 9) for name, band in bands.items()}
    {'wavelet-LH': 0.0, 'wavelet-HL': 0.0, 'wavelet-HH': 0.0, 'wavelet-LL': 2.0}
    """
    pywt = extras.require("pywt", "the filter Wavelet needs")
    values = arrays.numbers(image, "image", kinds="iuf")
    level = arrays.integer(level, "level", at_least=1, at_most=32)
    start_level = arrays.integer(start_level, "start_level", at_least=0, at_most=32)
    if name not in pywt.wavelist(kind="discrete"):
        raise ValueError(f"name must be a discrete wavelet of PyWavelets, got {name!r}")
    chosen = tuple(range(values.ndim - 1, -1, -1) if axes is None else axes)
    if not chosen or len({*chosen} & {*range(values.ndim)}) < len(chosen):
        raise ValueError(f"axes must be different axes of the image's {values.ndim}, got {axes!r}")
    kernel = pywt.Wavelet(name)
    box = checked_box(box, values.shape)
    near, inner = around(values, box, chosen, (start_level + level) * kernel.dec_len)
    data = finite(near, keep_float32=True)
    low, found = "a" * len(chosen), {}
    for number in range(1 - start_level, level + 1):
        (bands,) = pywt.swtn(data, kernel, level=1, start_level=0, axes=chosen)
        data = bands.pop(low)
        if number < 1:
            continue
        prefix = f"wavelet{number if number > 1 else ''}-"
        for letters, band in bands.items():
            found[prefix + letters.replace("a", "L").replace("d", "H")] = band[inner]
    found[f"wavelet{level if level > 1 else ''}-{'L' * len(chosen)}"] = data[inner]
    return found


def _part_and_largest(image: Any, box: Box | None) -> tuple[Real, float]:
    """The box as float64, and the largest magnitude of the image."""
    values = finite(arrays.numbers(image, "image", kinds="iuf"))
    largest = max(-float(values.min()), float(values.max()))
    return values[checked_box(box, values.shape)].astype(np.float64), largest
