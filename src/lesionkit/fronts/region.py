"""Region growing, in Numba: a rule that each study changes, so its loop stands here in Python.

`_grow` is compiled when it is first called and kept on disk; uncompiled it is its own reference.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit._jit import njit
from lesionkit.fronts import inputs, level_sets


def region_grow(
    image: Any,
    seeds: Any,
    tolerance: float | None = None,
    *,
    threshold: float | None = None,
    connectivity: int = 1,
    channel_axis: int | None = None,
    mask: Any = None,
) -> Any:
    """Grow regions from seeds: a neighbour joins while it is like the region's mean, which follows.

    The order is defined, for means move: first come, first served, seeds in raster order, the
    neighbours of a pixel in raster order; a pixel that is refused may be asked again from another
    side.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array of real numbers
        And channels where `channel_axis` says so.
    seeds : array of integers or bool, of the image's shape
        0, or the number (1 and up) of the region that begins there; or booleans, one region.
    tolerance : float, optional
        A pixel joins if its distance from the mean, over all channels, is at most this. Give this
        or `threshold`.
    threshold : float, optional
        For one channel: a pixel joins if it is nearer to the mean than the mean is to this value
        (the split, merge and grow method of stroke lesions).
    connectivity : int, default 1
        Neighbours differ along this many axes at most.
    channel_axis : int, optional
        The axis of the channels, if the image has one.
    mask : array of bool, optional
        Only these pixels may join.

    Returns
    -------
    array of int32, of the image's shape
        The region's number, 0 where none came; of the image's kind.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or has NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import region_grow
    >>> image = np.array([[10.0, 11, 12, 30, 31], [10, 10, 12, 30, 10]])
    >>> region_grow(image, [[1, 0, 0, 2, 0], [0, 0, 0, 0, 0]], tolerance=3).tolist()
    [[1, 1, 1, 2, 2], [1, 1, 1, 2, 0]]
    """
    if (tolerance is None) == (threshold is None):
        raise ValueError("give either tolerance or threshold, and not both")
    limit = -1.0 if tolerance is None else arrays.number(tolerance, "tolerance", at_least=0)
    border = 0.0 if threshold is None else arrays.number(threshold, "threshold")
    home = arrays.on_cpu("region_grow", image=image, seeds=seeds, mask=mask)
    channels = level_sets.channels(image, channel_axis, home, takes_mask=True)
    shape = channels.shape[1:]
    if threshold is not None and len(channels) > 1:
        raise ValueError(f"threshold needs one channel, got {len(channels)}; give a tolerance")
    reach = arrays.integer(connectivity, "connectivity", at_least=1, at_most=len(shape))
    inside = np.ones(shape, bool)
    if mask is not None:
        inside = arrays.mask(mask, shape, home, some=True)
    channels = np.where(inside, channels, 0)
    channels = arrays.real(channels, "image", channels.shape)
    unit = inputs.scale_of(channels)  # differences are squared
    labels, most = _seeds(seeds, shape, home)
    labels[~inside] = -1
    if labels.max() <= 0:
        raise ValueError("seeds must hold a seed within the mask")
    labels = np.pad(labels, 1, constant_values=-1)
    values = np.pad(channels / unit, [(0, 0)] + [(1, 1)] * len(shape)).reshape(len(channels), -1).T
    _grow_compiled(
        np.ascontiguousarray(values),
        labels.ravel(),
        _offsets(labels.shape, reach),
        np.zeros((most + 1, len(channels))),
        np.zeros(most + 1, np.int64),
        limit / unit,
        border / unit,
    )
    grown = labels[(slice(1, -1),) * len(shape)]
    return home.back(np.maximum(grown, 0))


def _grow(
    values: Any,
    labels: Any,
    offsets: Any,
    means: Any,
    counts: Any,
    tolerance: float,
    threshold: float,
) -> None:
    """Grow `labels` [pixels] in place: 0 is free, below 0 may not join. values: [pixels][channels];
    means, counts: of each region, zeros at first. tolerance below 0: the rule of the threshold."""
    queue = np.empty(labels.size, np.int64)
    end = 0
    for pixel in range(labels.size):
        label = labels[pixel]
        if label > 0:
            queue[end] = pixel
            end += 1
            counts[label] += 1
            for c in range(values.shape[1]):
                means[label, c] += (values[pixel, c] - means[label, c]) / counts[label]
    begin = 0
    while begin < end:
        pixel = queue[begin]
        begin += 1
        label = labels[pixel]
        for offset in offsets:
            other = pixel + offset
            if labels[other] != 0:
                continue
            square = 0.0
            for c in range(values.shape[1]):
                square += (values[other, c] - means[label, c]) ** 2
            if tolerance >= 0:
                joins = square <= tolerance * tolerance
            else:
                joins = square < (means[label, 0] - threshold) ** 2
            if joins:
                labels[other] = label
                queue[end] = other
                end += 1
                counts[label] += 1
                for c in range(values.shape[1]):
                    means[label, c] += (values[other, c] - means[label, c]) / counts[label]


_grow_compiled: Any = njit(_grow)


def _seeds(seeds: Any, shape: tuple[int, ...], home: arrays.Home) -> tuple[Any, int]:
    """Seeds as a fresh int32 array, and the greatest number."""
    array = inputs.whole(seeds, "seeds", home, "integers or booleans")
    if array.shape != shape:
        raise ValueError(
            f"seeds must have the picture's shape {shape}, got {arrays.describe(array)}"
        )
    low, most = int(array.min()), int(array.max())
    if low < 0 or most > 2**31 - 2:
        raise ValueError(f"seeds must be from 0 to {2**31 - 2}, got {low} to {most}")
    if most == 0:
        raise ValueError("seeds must hold a seed or more, got zeros")
    return np.array(array, np.int32, order="C"), most


def _offsets(shape: tuple[int, ...], reach: int) -> Any:
    """Neighbours as steps in the padded picture, in raster order."""
    steps = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    ways = itertools.product((-1, 0, 1), repeat=len(shape))
    return np.array([int(np.dot(w, steps)) for w in ways if 0 < np.count_nonzero(w) <= reach])
