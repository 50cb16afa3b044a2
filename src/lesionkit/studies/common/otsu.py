"""Otsu's threshold of a histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def otsu(counts: npt.NDArray[Any], middles: npt.NDArray[np.float64]) -> float:
    """The threshold with the greatest variance between two classes: values above it are of the
    upper one.

    counts, middles : (bins,) how many values there are in each bin, and its middle
    Source: Otsu, IEEE Trans. Systems, Man and Cybernetics 9, 62, 1979.
    """
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * middles)
    above, total = counts.sum() - below, sums[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = sums[:-1] / below - (total - sums[:-1]) / above
        between = np.nan_to_num(below * above * apart**2)
    return float(middles[between.argmax()])
