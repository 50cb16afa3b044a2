"""Histograms of the brain's levels, and the normal brain's peak in them."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Kind = Literal["hyper", "hypo"]
Blocks = Literal["grid", "pixels"]  # 8 x 8 of them in a slice, or of 8 x 8 pixels each
Levels = npt.NDArray[np.uint16]
Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.float64]

TOP = 4095  # 12 bits, as the scanners that the papers used
GRID = 8  # blocks along each side of an image
BINS = 256
STEP = (TOP + 1) // BINS  # levels in a bin
SMOOTHING = 2.0  # bins of 256
REACH = 0.15  # of the range: how far from the peak its flank may be
DISTINCT = 0.75  # of the way from the normal peak to the threshold: where means of regions must be
STEEP, FLAT = 0.5, 0.15  # of the steepest slope: where the flank begins, and where it has ended


class Peak(NamedTuple):
    """The normal brain in a histogram: its level, and where its flanks end.

    Attributes
    ----------
    level : int
        Of the peak, in bins of the histogram.
    low, high : int
        Bins where the flanks below and above it end.
    """

    level: int
    low: int
    high: int

    def towards(self, kind: Kind, part: float) -> float:
        """A level a part of the way from the peak to the threshold.

        Parameters
        ----------
        kind : {"hyper", "hypo"}
            On which side the threshold lies.
        part : float
            0 is the peak, 1 the threshold.

        Returns
        -------
        float
            A level of S, of a histogram of 256 bins.
        """
        threshold = self.high + 1 if kind == "hyper" else self.low
        return (self.level + part * (threshold - self.level)) * STEP


def block_histogram(levels: Levels, brain: Mask, grid: int, blocks: Blocks = "grid") -> Real:
    """H: for each of 256 grey levels the most brain pixels that a block of a slice has of it."""
    rows, columns = levels.shape[-2:]
    best = np.zeros(BINS)
    shape = (-1, rows, columns)
    for plane, inside in zip(levels.reshape(shape), brain.reshape(shape), strict=True):
        np.maximum(best, histograms_of(plane, inside, grid, blocks).max(0), out=best)
    return best


def histograms_of(plane: Levels, inside: Mask, grid: int, blocks: Blocks = "grid") -> Real:
    """The histogram of each block of a slice, (blocks, 256), brain pixels only.

    blocks : "grid", `grid` x `grid` of them in the slice; "pixels", of `grid` x `grid` pixels each
    """
    sides = []
    for size in plane.shape:
        place = np.arange(size)
        sides.append(place * grid // size if blocks == "grid" else place // grid)
    count = int(sides[1][-1]) + 1
    block = sides[0][:, None] * count + sides[1]
    cells = block[inside] * BINS + plane[inside] // STEP
    total = (int(sides[0][-1]) + 1) * count
    return np.bincount(cells, minlength=total * BINS).reshape(-1, BINS).astype(np.float64)


def whole_histogram(levels: Levels, brain: Mask) -> Real:
    """The brain's histogram, of 256 levels."""
    return np.bincount(levels[brain] // STEP, minlength=BINS).astype(np.float64)


def peak(histogram: Real, whole: Real) -> Peak | None:
    """The normal peak of `whole`, and where its flanks end in `histogram`; None without a brain."""
    if not whole.any():
        return None
    width = SMOOTHING * len(histogram) / BINS
    level = int(ndimage.gaussian_filter1d(whole, width, mode="constant").argmax())
    smooth = ndimage.gaussian_filter1d(histogram, width, mode="constant")
    slope = np.gradient(smooth)
    reach = round(REACH * len(histogram))
    up = _flank(-slope[level : level + reach + 1])
    down = _flank(slope[max(level - reach, 0) : level + 1][::-1])
    return Peak(level, level - down, level + up)


def _flank(fall: Real) -> int:
    """How many levels from the peak its flank has ended."""
    steepest = fall.max()
    if steepest <= 0:
        return len(fall) - 1
    begin = int((fall >= STEEP * steepest).argmax())
    ended = fall[begin:] <= FLAT * steepest
    return begin + int(ended.argmax()) if ended.any() else len(fall) - 1
