"""Near duplicates among images: a hash of what is seen, not of the bytes.

A random split of a set with duplicates tests on what was learnt from. Brightness, JPEG and a small
crop change few bits of a hash of low frequencies, another image changes half of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft

from lesionkit import arrays

Words = npt.NDArray[np.uint64]

SIDE = 64  # an image is averaged to SIDE x SIDE
LOW = 16  # frequencies along each axis: 256 bits
AT_MOST = 40  # bits of 256 in which near duplicates differ
BRIGHT = 0.1  # of the range: what is no background
SOME = 0.05  # of the pixels of a row or column at the border of what is shown
CHUNK = 512  # images that are compared with all others at once


class Pair(NamedTuple):
    """Two images that are nearly one.

    Attributes
    ----------
    first, second : int
        Their numbers, from 0; the first is the less.
    distance : int
        Bits of 256 in which their hashes differ.

    Examples
    --------
    >>> from lesionkit.studies.brain.datasets.duplicates import Pair
    >>> Pair(0, 2, 4).distance
    4
    """

    first: int
    second: int
    distance: int


def perceptual_hash(image: Any) -> Words:
    """256 bits of an image: which of its low frequencies are above their median.

    Parameters
    ----------
    image : (rows, columns) array
        Finite real numbers of any unit. What it shows is cut to the rows and columns of which
        5 per cent are above a tenth of its range, and averaged to 64 x 64.

    Returns
    -------
    (4,) array of uint64
        Of the 16 x 16 lowest frequencies of the cosine transform (II). All 0 where the image is
        constant.

    Raises
    ------
    ValueError, TypeError
        Where the image has no pixel, is not two-dimensional or not finite.

    References
    ----------
    Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010, section 3.1
    (DCT hash; there of 64 bits).
    """
    values = arrays.real(arrays.regular(image, "image"), "image", ("rows", "columns"))
    if not values.size:
        raise ValueError(f"image must have pixels, got shape {values.shape}")
    low, span = values.min(), np.ptp(values)
    if span == 0:
        return np.zeros(LOW * LOW // 64, np.uint64)
    scaled = (values - low) / span
    seen = scaled > BRIGHT
    rows, columns = (np.flatnonzero(seen.mean(axis) >= SOME) for axis in (1, 0))
    if rows.size and columns.size:
        scaled = scaled[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    small = _averaged(_averaged(scaled, SIDE).T, SIDE).T
    lowest = np.asarray(fft.dctn(small, norm="ortho"))[:LOW, :LOW].ravel()
    bits = lowest > np.median(lowest)
    return np.packbits(bits).view(np.uint64)


def _averaged(values: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    """Means of the first axis over `count` equal parts, which cut pixels where they must."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, 0)])
    edges = np.linspace(0, len(values), count + 1)
    whole = np.minimum(edges.astype(int), len(values) - 1)
    at = sums[whole] + (edges - whole)[:, None] * values[whole]
    means: npt.NDArray[np.float64] = np.diff(at, axis=0) * (count / len(values))
    return means


def near_duplicates(images: Sequence[Any], at_most: int = AT_MOST) -> list[Pair]:
    """Pairs of images that are nearly the same.

    Parameters
    ----------
    images : sequence of (rows, columns) arrays
        Of any sizes; see :func:`perceptual_hash`. Constant ones are no one's duplicate.
    at_most : int, default 40
        Bits of 256 in which two may differ, 0 to 256. docs/brain.md has how it was chosen.

    Returns
    -------
    list of Pair
        first < second, in order.

    Raises
    ------
    ValueError, TypeError
        Where an argument is not as said here.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain.datasets.duplicates import near_duplicates
    >>> random = np.random.default_rng(0)
    >>> one, other = random.random((2, 40, 40))
    >>> [pair[:2] for pair in near_duplicates([one, other, 0.8 * one + 0.1])]
    [(0, 2)]
    """
    at_most = arrays.integer(at_most, "at_most", at_least=0, at_most=LOW * LOW)
    if not len(images):
        return []
    words = np.stack([perceptual_hash(image) for image in images])
    some = np.any(words != 0, axis=1)
    pairs: list[Pair] = []
    for start in range(0, len(words), CHUNK):
        part = words[start : start + CHUNK]
        bits = np.bitwise_count(part[:, None] ^ words[None]).sum(2, dtype=np.int64)
        near = (bits <= at_most) & some[None] & some[start : start + CHUNK, None]
        for i, j in zip(*np.nonzero(near), strict=True):
            if start + i < j:
                pairs.append(Pair(int(start + i), int(j), int(bits[i, j])))
    return pairs
