"""Watershed from markers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import fronts as _kernels
from lesionkit.fronts import inputs
from lesionkit.fronts.markers import check_size, local_minima, regular_grid

WHOLE = "labels, whole numbers or booleans"


def watershed(
    image: Any,
    markers: Any = None,
    connectivity: Any = 1,
    offset: Any = None,
    mask: Any = None,
    compactness: float = 0,
    watershed_line: bool = False,
) -> Any:
    """Regions that grow from markers as water rises, with scikit-image's arguments.

    Pixels leave a queue in the order of grey value, then of entry, and label their neighbours that
    have no label, in raster order; these enter at the greater of their own and the present value.
    Markers enter in raster order. With a line a pixel is labelled when it leaves, if its neighbours
    have but one label. These are ITK's answers, to the last pixel. With compactness a pixel enters
    at its value and compactness times its distance to the marker's pixel, as often as it is
    reached, and has the label of the entry that leaves first. On the CPU, in one thread.

    Parameters
    ----------
    image : array of integers or floats
        Any number of axes, such as a gradient magnitude; finite (in the mask); about 2^32 pixels at
        most.
    markers : array, int or None, default None
        Labels of the image's shape, whole numbers or booleans; 0 is no marker. None: the image's
        local minima, numbered in raster order. A number, 1 or more: so many markers, or about so
        many, on a regular grid (in the mask).
    connectivity : int or array, default 1
        How many axes two neighbours may differ in, 1 to the number of axes: in 2-D, 1 for four
        neighbours and 2 for eight. Or an array of as many axes as the image, not 0 where there is a
        neighbour of its centre; then markers must be given.
    offset : sequence of int, optional
        The centre of such an array. None: its middle, and its sides must be odd.
    mask : array of bool or whole numbers, optional
        Of the image's shape: where to flood (not 0). None: everywhere.
    compactness : float, default 0
        How much higher a pixel counts for each pixel that it is away from its marker, which makes
        the regions rounder.
    watershed_line : bool, default False
        Leave a line between the regions, of label 0; only without compactness.

    Returns
    -------
    array of labels
        Of the markers' shape, dtype and kind (floats become integers; int32 of minima and int64 of
        a grid, of the image's kind); 0 where no water comes.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Meyer, 8e Congres AFCET, 847-857, 1991; Beare and Lehmann, Insight Journal, 2006; Neubert and
    Protzel, ICPR, 996-1001, 2014 (compactness).

    Examples
    --------
    >>> from lesionkit.fronts import watershed
    >>> watershed([[0, 1, 2, 5, 2, 1, 0]], [[1, 0, 0, 0, 0, 0, 2]]).tolist()
    [[1, 1, 1, 1, 2, 2, 2]]
    """
    counted = markers is None or isinstance(markers, (bool, int, float, np.generic))
    home = arrays.on_cpu("watershed", image=image, markers=None if counted else markers, mask=mask)
    inside = None if mask is None else arrays.mask(mask, _shape_of(image), home)
    gray = inputs.grey_image(image, home, inside, takes_mask=True)
    slope = arrays.number(compactness, "compactness", at_least=0)
    line = arrays.flag(watershed_line, "watershed_line")
    if line and slope > 0:
        raise ValueError(f"watershed_line must be False with compactness, got {slope:g}")
    seeds: npt.NDArray[Any]
    if markers is None:
        seeds = local_minima(gray, connectivity, inside)
    elif counted:
        seeds = regular_grid(gray.shape, arrays.integer(markers, "markers", at_least=1), inside)
    else:
        seeds = inputs.whole(markers, "markers", home, WHOLE)
    if gray.shape != seeds.shape:
        raise ValueError(
            f"image and markers must have one shape, got {arrays.describe(gray)} and "
            f"{arrays.describe(seeds)}"
        )
    offsets = _neighbours(connectivity, offset, gray)
    flooded = None if inside is None else inside.view(np.uint8)
    if slope > 0:
        source = np.empty(gray.shape, np.int64)
        marked = (seeds != 0).view(np.uint8)
        _kernels.compact_watershed(gray, marked, flooded, offsets, slope, source)
        labels = np.where(source >= 0, seeds.ravel()[source], seeds.dtype.type(0))
    else:
        labels = np.empty_like(seeds)
        bits = labels.view(np.uint8) if labels.dtype == bool else labels
        _kernels.watershed(gray, seeds.view(bits.dtype), flooded, offsets, line, bits)
    return home.back(labels)


def _neighbours(connectivity: Any, offset: Any, gray: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The steps to a pixel's neighbours, (neighbours, axes), in raster order."""
    axes = gray.ndim
    if _shape_of(connectivity) == ():
        reach = arrays.integer(connectivity, "connectivity", at_least=1, at_most=axes)
        if offset is not None:
            raise ValueError("offset must be None where connectivity is a number")
        check_size(gray)
        steps = []
        for count in range(1, reach + 1):
            for chosen in itertools.combinations(range(axes), count):
                for signs in itertools.product((-1, 1), repeat=count):
                    step = [0] * axes
                    for axis, sign in zip(chosen, signs, strict=True):
                        step[axis] = sign
                    steps.append(step)
        return np.array(sorted(steps), np.int64)
    near = inputs.whole(connectivity, "connectivity", arrays.home(connectivity=connectivity)) != 0
    if near.ndim != axes:
        raise ValueError(f"connectivity must have {axes} axes, got {arrays.describe(near)}")
    if offset is None:
        if any(n % 2 == 0 for n in near.shape):
            raise ValueError(
                f"connectivity must have odd sides, or an offset, got {arrays.describe(near)}"
            )
        middle = np.array(near.shape) // 2
    else:
        centre = arrays.real(offset, "offset", (axes,), at_least=0)
        middle = centre.astype(np.int64)
        if (middle != centre).any() or (middle >= near.shape).any():
            raise ValueError(
                f"offset must be a place in an array of shape {near.shape}, got {centre.tolist()}"
            )
    steps_to = np.argwhere(near) - middle
    steps_to = np.ascontiguousarray(steps_to[steps_to.any(axis=1)], np.int64)
    check_size(gray, np.abs(steps_to).max(axis=0, initial=1).tolist())
    return steps_to


def _shape_of(image: Any) -> tuple[int, ...]:
    """Of what may be a list, or no array at all: that is told by who reads it."""
    try:
        return tuple(np.shape(image))
    except (TypeError, ValueError):
        return ()
