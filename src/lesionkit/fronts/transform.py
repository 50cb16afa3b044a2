"""The exact Euclidean distance transform of a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import fronts as _kernels
from lesionkit.fronts import inputs


def distance_transform(
    mask: Any,
    spacing: Any = 1.0,
    *,
    signed: bool = False,
    each_label: bool = False,
    dtype: npt.DTypeLike = np.float64,
) -> Any:
    """Distance of each pixel of a mask from the nearest pixel outside, from centre to centre.

    Exact, in time proportional to the number of pixels; on the CPU.

    Parameters
    ----------
    mask : array of bool or whole numbers
        Any number of axes; not 0 is inside. The border of the image is not outside.
    spacing : float or sequence of float, default 1
        Of the pixels, one number above 0 or one for each axis.
    signed : bool, default False
        Outside the mask, the distance of the nearest pixel inside; inside, negative distances. Else
        distances outside are 0.
    each_label : bool, default False
        `mask` holds labels: the distance from the nearest pixel of another label, or of none (0).
    dtype : dtype, default float64
        float64, exact but for rounding; or float32, in half the memory.

    Returns
    -------
    array of the mask's shape and kind
        In the unit of `spacing`; infinite where there is no pixel of the other side.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Felzenszwalb and Huttenlocher, Theory of Computing 8, 415-428, 2012; Meijster, Roerdink and
    Hesselink, Mathematical Morphology and its Applications, 331-340, 2000.

    Examples
    --------
    >>> from lesionkit.fronts import distance_transform
    >>> distance_transform([[0, 1, 1, 1, 1]], spacing=(5, 0.5)).tolist()
    [[0.0, 0.5, 1.0, 1.5, 2.0]]
    >>> distance_transform([0, 1, 1, 0, 0], signed=True).tolist()
    [1.0, -1.0, -1.0, 1.0, 2.0]
    """
    home = arrays.on_cpu("distance_transform", mask=mask)
    inside = inputs.whole(mask, "mask", home, "booleans (or numbers that are whole, 0 outside)")
    if not arrays.flag(each_label, "each_label"):
        inside = inside != 0
    inside = inside.view(np.uint8) if inside.dtype == bool else _numbered(inside)
    try:
        kind = np.dtype(dtype)
    except Exception as problem:
        raise TypeError(
            f"dtype must be float32 or float64, got {arrays.describe(dtype)}"
        ) from problem
    if kind not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {kind}")
    distances = np.empty(inside.shape, kind)
    steps = arrays.spacing_of(spacing, inside.ndim)
    _kernels.distance_transform(inside, steps, arrays.flag(signed, "signed"), distances)
    return home.back(distances)


def _numbered(labels: Any) -> Any:
    """Labels as int32, 0 where they are 0; their ranks where they are too great."""
    if max(-int(labels.min()), int(labels.max())) < 2**31:
        return labels.astype(np.int32, copy=False)
    _, places = np.unique(labels, return_inverse=True)
    places = places.reshape(labels.shape).astype(np.int32)
    return np.where(labels == 0, np.int32(0), places + np.int32(1))
