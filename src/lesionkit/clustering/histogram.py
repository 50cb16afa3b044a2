"""Samples of one feature and few whole numbers, such as the pixels of an image: each number once,
with how often it occurs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import _core
from lesionkit._core import clustering as _kernels

MAX_VALUES = 65536  # different numbers
MIN_SAMPLES = 4096  # below, counting is not worth its overhead
SMALL = ("uint8", "int8", "uint16", "int16")


class Levels(NamedTuple):
    """The numbers that occur among the samples, ascending, and their weights."""

    low: int  # of the range of all
    size: int  # of the range
    present: npt.NDArray[np.intp]  # places in the range
    values: npt.NDArray[np.float64]  # (present, 1)
    weights: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]  # of samples

    def labels(self, X: Any, of_values: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """The label of every sample, from those of the values."""
        table = np.zeros(self.size, np.int32)
        table[self.present] = of_values
        return look_up(X, self.low, table)


def look_up(X: Any, low: int, table: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """table[X - low] for samples (n, 1)."""
    labels = np.empty(len(X), np.int32)
    _kernels.look_up(X, low, table, labels)
    return labels


def levels(X: Any, weights: npt.NDArray[np.float64] | None) -> Levels | None:
    """The samples (n, 1) as levels; None if they are not of that kind, or too few to bother."""
    if X.dtype.name in SMALL:
        kind = np.iinfo(X.dtype)
        low, high = (kind.min, kind.max) if kind.bits == 8 else (int(X.min()), int(X.max()))
    else:
        if len(X) < MIN_SAMPLES or not _kernels.whole_numbers(X):
            return None
        least, most, finite = _core.extent(X)
        if not finite or most - least >= min(MAX_VALUES, len(X) // 2):
            return None
        low, high = int(least), int(most)
    size = high - low + 1
    counts, sums = np.zeros(size, np.int64), np.zeros(size)
    _kernels.count_values(X, weights, low, counts, sums)
    present = np.flatnonzero(counts)
    values = np.asarray(present[:, None] + low, np.float64)
    return Levels(low, size, present, values, sums[present], counts[present])
