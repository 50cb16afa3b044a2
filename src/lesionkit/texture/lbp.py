"""Centre-symmetric local binary patterns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture.images import Border, check_border, continued

MAX_VALUE = 1e300
KINDS = (np.uint8, np.uint16, np.float32, np.float64)  # what the kernels read as it is


def cs_lbp(
    image: Any,
    points: int = 8,
    radius: float = 1.0,
    threshold: float = 0.0,
    *,
    border: Border = "reflect",
) -> Any:
    """Centre-symmetric local binary pattern of each pixel.

    Parameters
    ----------
    image : (rows, columns) array of real numbers
        Finite.
    points : int, default 8
        Neighbours on the circle, an even number from 2 to 32.
    radius : float, default 1
        Of the circle, in pixels, at most 1000. Neighbours between pixels are interpolated
        bilinearly, in float64.
    threshold : float, default 0
        By how much a neighbour must exceed the opposite one, in the image's unit, at least 0; the
        paper takes 1 % of the range.
    border : {"reflect", "symmetric", "edge", "wrap", "valid"}, default "reflect"
        As for :func:`feature_maps`; the margin is the radius, rounded up.

    Returns
    -------
    array of uint8, uint16 for more than 16 points
        Codes in [0, 2^(points / 2)), of the image's shape (less twice the margin where `border` is
        "valid") and kind. Neighbour p lies at the angle 2 pi p / points, the first on the right,
        the next ones above it, and sets bit p; a flat patch has code 0. Where an interpolated
        difference is the threshold but for rounding, the bit may depend on the instruction set.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Heikkila, Pietikainen and Schmid, Pattern Recognition 42, 425-436, 2009, eq. 2.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import cs_lbp
    >>> ramp = np.tile(np.arange(5.0), (3, 1))  # brighter to the right
    >>> cs_lbp(ramp, points=4)[1].tolist()
    [0, 1, 1, 1, 0]
    """
    points = arrays.integer(points, "points", at_least=2, at_most=32)
    if points % 2:
        raise ValueError(f"points must be even, so that each has an opposite one, got {points}")
    radius = arrays.number(radius, "radius", above=0, at_most=1000, unit="pixels")
    threshold = arrays.number(threshold, "threshold", at_least=0)
    border = check_border(border)
    home = arrays.home(image=image)
    with home.current():
        xp = home.xp
        given = _real(home.view(image, "image"), xp)
        margin = math.ceil(radius)
        if border == "valid" and min(given.shape) <= 2 * margin:
            raise ValueError(
                f"radius must fit into the image where border is 'valid', got {radius:g} for "
                f"{arrays.describe(given)}"
            )
        padded = xp.ascontiguousarray(continued(given, (2 * margin + 1,) * 2, border, xp))
        shape = (padded.shape[0] - 2 * margin, padded.shape[1] - 2 * margin)
        codes = xp.empty(shape, np.uint16)
        kernels: Any = _kernels
        if home.gpu is not None:
            from lesionkit.texture import maps_gpu as kernels
        kernels.cs_lbp(padded, xp.asarray(neighbours(points, radius)), threshold, codes)
        return home.back(codes if points > 16 else codes.astype(np.uint8))


def _real(value: Any, xp: Any) -> Any:
    """The image as one of KINDS: integers of other kinds as float64."""
    image = arrays.real(value, "image", ("rows", "columns"), xp=xp)
    if not image.size:
        raise ValueError(f"image must hold a pixel or more, got {arrays.describe(image)}")
    if max(-float(image.min()), float(image.max())) > MAX_VALUE:
        raise ValueError(
            f"image must be within ±{MAX_VALUE:g}, so that its differences are numbers"
        )
    kind = xp.asarray(value).dtype
    return image.astype(kind) if kind in KINDS and kind.isnative else image


def neighbours(points: int, radius: float) -> npt.NDArray[np.float64]:
    """Row, column, and the fractions below and right of them, of the first half of the circle."""
    angle = 2 * np.pi * np.arange(points // 2) / points
    # What is a whole number but for rounding lies on a pixel.
    place = np.round([-radius * np.sin(angle), radius * np.cos(angle)], 9)
    return np.concatenate([np.floor(place), place - np.floor(place)]).T.copy()
