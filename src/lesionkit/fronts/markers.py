"""Markers for the watershed: minima of an image, and places on a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import fronts as _kernels
from lesionkit.fronts import inputs

MAX_PLACES = 2**32  # of the image in its frame: they are numbered in 32 bits


def h_minima(image: Any, h: float, connectivity: int = 1) -> Any:
    """The basins that are at least h deep, as markers for `watershed`.

    Where the labels are not 0 is scikit-image's h_minima, but for an h beyond the image's range and
    where rounding decides.

    Parameters
    ----------
    image : array of integers or floats
        As for :func:`watershed`; integers of 32 bits or more below 2^53 in size.
    h : float
        Depth of a basin from which on it counts, in the image's unit, above 0; for integers the
        next whole number counts.
    connectivity : int, default 1
        How many axes two neighbours may differ in.

    Returns
    -------
    array of int32, of the image's shape and kind
        The lowest pixels of each basin that must be climbed by h or more to reach lower ground,
        connected ones with one label, numbered from 1 in raster order; 0 elsewhere. The lowest
        ground of all always counts.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Vincent, IEEE Trans. Image Process. 2, 176-201, 1993; Soille, Morphological Image Analysis,
    2003, 6.3.4.

    Examples
    --------
    >>> from lesionkit.fronts import h_minima
    >>> h_minima([[5, 4, 5, 0, 5, 2, 5]], h=2).tolist()
    [[0, 0, 0, 1, 0, 2, 0]]
    """
    home = arrays.on_cpu("h_minima", image=image)
    gray = inputs.grey_image(image, home)
    check_size(gray)
    depth = arrays.number(h, "h", above=0)
    connectivity = arrays.integer(connectivity, "connectivity", at_least=1, at_most=gray.ndim)
    if gray.dtype.kind != "f":
        depth = float(math.ceil(depth))
        if gray.itemsize <= 2:
            depth = min(depth, 2.0**17)
        elif max(-int(gray.min()), int(gray.max())) >= 2**53:
            raise ValueError("image must hold integers below 2^53 in size")
    labels = np.empty(gray.shape, np.int32)
    _kernels.h_minima(gray, depth, connectivity, labels)
    return home.back(labels)


def local_minima(gray: npt.NDArray[Any], connectivity: Any, inside: Any) -> npt.NDArray[np.int32]:
    """The local minima of an image, numbered in raster order; none where it is constant."""
    from scipy import ndimage

    reach = arrays.integer(connectivity, "connectivity", at_least=1, at_most=gray.ndim)
    ranks = np.unique(gray, return_inverse=True)[1].reshape(gray.shape)
    lowest = h_minima(ranks, 1, reach) > 0 if ranks.any() else np.zeros(gray.shape, bool)
    if inside is not None:
        lowest &= inside
    labels: npt.NDArray[np.int32] = ndimage.label(
        lowest, ndimage.generate_binary_structure(gray.ndim, reach)
    )[0]
    return labels


def regular_grid(shape: tuple[int, ...], count: int, inside: Any) -> npt.NDArray[np.int64]:
    """Markers on a regular grid, about `count` in the mask, numbered in raster order.

    Of the axes, the shortest first, one is left out (its middle alone counts) where it is shorter
    than the sides of the cubes into which the rest would be cut.
    """
    pixels = math.prod(shape)
    if inside is not None:
        count = int(count / (max(int(inside.sum()), 1) / pixels))
    markers = np.zeros(shape, np.int64)
    where = [slice(None)] * len(shape)
    if count < pixels:
        order = sorted(range(len(shape)), key=lambda axis: shape[axis])
        for k, axis in enumerate(order):
            rest = [shape[a] for a in order[k:]]
            side = (math.prod(rest) / count) ** (1 / len(rest))
            if shape[axis] >= side:
                for other in order[k:]:
                    where[other] = slice(int(side // 2), None, round(side))
                break
            where[axis] = slice(shape[axis] // 2, None, shape[axis])
    points = markers[tuple(where)]
    points[...] = np.arange(1, points.size + 1).reshape(points.shape)
    return markers if inside is None else markers * inside


def check_size(image: npt.NDArray[Any], gaps: Sequence[int] = ()) -> None:
    """Raise where the places of the image in its frame cannot be numbered."""
    sides = [n + gap for n, gap in zip(image.shape, gaps or [1] * image.ndim, strict=True)]
    steps = [math.prod(sides[d:]) for d in range(image.ndim + 1)]
    if steps[0] + 2 * max(gaps, default=1) * sum(steps[1:]) > MAX_PLACES:
        raise ValueError(
            f"image must have at most 2^32 pixels with its frame, got {arrays.describe(image)}"
        )
