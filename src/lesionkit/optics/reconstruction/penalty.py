"""What a reconstruction prefers where the data do not decide: Tikhonov's penalty, and DRI's.

Direct regularisation imaging takes its preference from the gray values of an MR image, without a
segmentation (Zhang et al., Biomed. Opt. Express 6, 2015; Feng et al., J. Biomed. Opt. 21, 2016;
in the form that is told of them): maps x minimise ||data - F(x)||^2 + lambda ||L x||^2 with

    L_ii = 1,   L_ij = -w_ij / sum_{k != i} w_ik,   w_ij = exp(-(g_i - g_j)^2 / (2 sigma^2)),

where g_i is the gray value at place i and sigma the difference of gray values that counts as one.
So each value is drawn to the mean of all places that look like it, near or far, and no absolute
value is preferred to another. In an image without contrast all w are 1, and each value is drawn to
the mean of all: that is what "tikhonov" means here, ||x - mean(x)||^2 times (n / (n - 1))^2.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAX_GAP = 6.0  # scales
ROUNDING = 1e-14  # of what is left of the diagonal, 1


class LowRank(NamedTuple):
    """L = diag(diagonal) - across kernel', of many places: the weights of gray values, which are
    single numbers, are a matrix of some tens of columns.

    diagonal       : (places,)
    across, kernel : (places, r)
    """

    diagonal: Floats
    across: Floats
    kernel: Floats

    def times(self, maps: Floats) -> Floats:
        """L of each of maps (m, places)."""
        out: Floats = maps * self.diagonal - (maps @ self.kernel) @ self.across.T
        return out

    def transposed_times(self, maps: Floats) -> Floats:
        """L' of each of maps (m, places)."""
        out: Floats = maps * self.diagonal - (maps @ self.across) @ self.kernel.T
        return out


class Penalty:
    """Tikhonov's penalty of `count` places, or that of their gray values (places,) and scale."""

    def __init__(self, count: int, gray: Floats | None = None, scale: float = 1.0) -> None:
        self._gray = np.zeros(count) if gray is None else gray
        self._scale = scale

    @functools.cached_property
    def matrix(self) -> Floats:
        """L'L, (places, places)."""
        return guided(self._gray, self._scale)

    @functools.cached_property
    def low_rank(self) -> LowRank:
        """L, of two places or more. Gaps between gray values of more than 6 scales count as 6:
        places so far apart weigh 1e-8 on each other, and no place is without others like it."""
        order = np.argsort(self._gray, kind="stable")
        gaps = np.minimum(np.diff(self._gray[order] / self._scale), MAX_GAP)
        place = np.empty(len(order))
        place[order] = np.append(0, np.cumsum(gaps))
        kernel = _gaussian_factor(place)
        total = np.empty(len(place))
        for first in range(0, len(place), 256):
            some = place[first : first + 256, None]
            total[first : first + 256] = np.exp(-0.5 * np.square(some - place)).sum(axis=1) - 1
        total = np.maximum(total, 1e-9)  # rounding of what two places at a gap of 6 have
        return LowRank(1 + 1 / total, kernel / total[:, None], kernel)


def _gaussian_factor(place: Floats) -> Floats:
    """U (places, r) of exp(-(x_i - x_j)^2 / 2) = U U', by Cholesky with pivots."""
    left, columns = np.ones(len(place)), np.empty((0, len(place)))
    while left.max() > ROUNDING and len(columns) < len(place):
        i = int(left.argmax())
        column = np.exp(-0.5 * np.square(place - place[i])) - columns[:, i] @ columns
        columns = np.vstack([columns, column / np.sqrt(left[i])])
        left = np.maximum(left - np.square(columns[-1]), 0)
    return np.ascontiguousarray(columns.T)


def guided(gray: Floats, scale: float) -> Floats:
    """L'L for gray values (places,) and their scale sigma, (places, places)."""
    count = len(gray)
    if count == 1:
        return np.zeros((1, 1))
    weight = np.exp(-0.5 * np.square((gray[:, None] - gray) / scale))
    np.fill_diagonal(weight, 0)
    # A place like no other: its nearest gray values, however far, would decide. Kept finite.
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    weight /= -total
    np.fill_diagonal(weight, 1)
    product: Floats = weight.T @ weight
    return product
