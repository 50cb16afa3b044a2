"""Watershed from markers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import fronts as _core
from lesionkit.fronts.inputs import flag, grey_image, home_on_cpu, mask_of, numbers

MOST_PLACES = 2**32  # of the image in its frame: they are numbered in 32 bits


def watershed(
    image: Any,
    markers: Any,
    mask: Any = None,
    connectivity: int = 1,
    *,
    watershed_line: bool = False,
) -> Any:
    """Regions that grow from markers as water rises: each pixel gets a marker's label.

    image    : integers or floats of any number of axes, such as a gradient magnitude; finite (in
               the mask); about 2^32 pixels at most
    markers  : integers, the image's shape; 0 is no marker, any other value a label
    mask     : booleans or integers, the image's shape: where to flood (not 0); None: everywhere
    connectivity : how many axes two neighbours may differ in, 1 to the number of axes: in 2-D, 1
               for four neighbours and 2 for eight
    watershed_line : leave a line between the regions, of label 0
    returns  : labels of the markers' shape, dtype and kind; 0 where no water comes
    Pixels leave a queue in the order of grey value, then of entry, and label their neighbours that
    have no label, in raster order; these enter at the greater of their own and the present value.
    Markers enter in raster order. With a line a pixel is labelled when it leaves, if its neighbours
    have but one label. These are ITK's answers, to the last pixel. Computed on the CPU, in one
    thread. Raises ValueError or TypeError where an argument is not as said here.
    Source: Meyer, 8e Congres AFCET, 847-857, 1991; Beare and Lehmann, Insight Journal, 2006.
    """
    home = home_on_cpu("watershed", image=image, markers=markers, mask=mask)
    seeds = numbers(markers, "markers", home, "iu", "integers (label booleans first)")
    inside = None if mask is None else mask_of(mask, seeds.shape, home).view(np.uint8)
    grey = grey_image(image, home, inside)
    if grey.shape != seeds.shape:
        raise ValueError(
            f"image and markers must have one shape, got {arrays.describe(grey)} and "
            f"{arrays.describe(seeds)}"
        )
    refuse_size(grey)
    connectivity = arrays.integer(connectivity, "connectivity", at_least=1, at_most=grey.ndim)
    line = flag(watershed_line, "watershed_line")
    labels = np.empty_like(seeds)
    _core.watershed(grey, seeds, inside, connectivity, line, labels)
    return home.back(labels)


def h_minima(image: Any, h: float, connectivity: int = 1) -> Any:
    """The basins that are at least h deep, as markers for `watershed`.

    image   : as for `watershed`; integers of 32 bits or more below 2^53 in size
    h       : depth of a basin above which it counts, in the image's unit, above 0; for integers
              the next whole number counts
    connectivity : as for `watershed`
    returns : int32 labels of the image's shape and kind: the lowest pixels of each basin that must
              be climbed by h or more to reach lower ground, connected ones with one label, numbered
              from 1 in raster order; 0 elsewhere. The lowest ground of all always counts.
    Where it is not 0 is scikit-image's h_minima, but for an h beyond the image's range and where
    rounding decides. Raises ValueError or TypeError where an argument is not as said here.
    Source: Vincent, IEEE Trans. Image Process. 2, 176-201, 1993; Soille, Morphological Image
    Analysis, 2003, 6.3.4.
    """
    home = home_on_cpu("h_minima", image=image)
    grey = grey_image(image, home)
    refuse_size(grey)
    depth = arrays.number(h, "h", above=0)
    connectivity = arrays.integer(connectivity, "connectivity", at_least=1, at_most=grey.ndim)
    if grey.dtype.kind != "f":
        depth = float(math.ceil(depth))
        if grey.itemsize <= 2:
            depth = min(depth, 2.0**17)
        elif max(-int(grey.min()), int(grey.max())) >= 2**53:
            raise ValueError("image must hold integers below 2^53 in size")
    labels = np.empty(grey.shape, np.int32)
    _core.h_minima(grey, depth, connectivity, labels)
    return home.back(labels)


def refuse_size(image: npt.NDArray[Any]) -> None:
    """Raise where the places of the image in its frame cannot be numbered."""
    steps = [math.prod(n + 1 for n in image.shape[d:]) for d in range(image.ndim + 1)]
    if steps[0] + 2 * sum(steps[1:]) > MOST_PLACES:
        raise ValueError(
            f"image must have at most 2^32 pixels with its frame, got {arrays.describe(image)}"
        )
