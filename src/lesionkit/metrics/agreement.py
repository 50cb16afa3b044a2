"""Agreement of measurements that were repeated."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lesionkit import arrays


class Intraclass(NamedTuple):
    """An intraclass correlation with its interval.

    Attributes
    ----------
    icc : float
        1 where each target's ratings differ by nothing but the raters' means; NaN where the targets
        and ratings do not differ at all.
    lower, upper : float
        The ends of its interval.

    Examples
    --------
    >>> from lesionkit.metrics import Intraclass
    >>> Intraclass(0.71, 0.34, 0.95).icc
    0.71
    """

    icc: float
    lower: float
    upper: float


def intraclass(ratings: Any, *, level: float = 0.95) -> Intraclass:
    """ICC(3,1): how far single measurements by the same raters tell targets apart.

    Two-way mixed effects, consistency: raters (or perturbations) are those of interest, and what
    they differ by on the whole does not count.

    Parameters
    ----------
    ratings : (targets, raters) array of real numbers
        Finite, two targets and two raters or more.
    level : float, default 0.95
        Of the interval, between 0 and 1.

    Returns
    -------
    Intraclass
        The correlation, and the ends of its interval; NaN where no target differs from another.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Shrout and Fleiss, Psychological Bulletin 86, 420-428, 1979; interval: McGraw and Wong,
    Psychological Methods 1, 30-46, 1996, table 7.

    Examples
    --------
    >>> from lesionkit.metrics import intraclass
    >>> ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8]]
    >>> ratings += [[7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> [round(x, 2) for x in intraclass(ratings)]  # table 2 of Shrout and Fleiss
    [0.71, 0.34, 0.95]
    """
    from scipy import special

    table = arrays.real(ratings, "ratings", ("targets", "raters"))
    n, k = table.shape
    if n < 2 or k < 2:
        raise ValueError(f"ratings must have two targets and two raters or more, got {table.shape}")
    share = arrays.number(level, "level", above=0, at_most=1)
    if share == 1:
        raise ValueError("level must be below 1, got 1")
    table = table - table.mean()
    of_targets, of_raters = table.mean(1), table.mean(0)
    rest = table - of_targets[:, None] - of_raters
    between = k * float(of_targets @ of_targets) / (n - 1)
    error = float((rest**2).sum()) / ((n - 1) * (k - 1))
    scale = float(np.abs(table).max()) ** 2
    if between <= 1e-28 * scale and error <= 1e-28 * scale:
        return Intraclass(np.nan, np.nan, np.nan)
    icc = (between - error) / (between + (k - 1) * error)
    if error <= 1e-28 * between:
        return Intraclass(1.0, 1.0, 1.0)
    ratio, tail = between / error, (1 - share) / 2
    degrees = n - 1, (n - 1) * (k - 1)
    low = ratio / special.fdtri(*degrees, 1 - tail)
    high = ratio * special.fdtri(*degrees[::-1], 1 - tail)
    return Intraclass(icc, float((low - 1) / (low + k - 1)), float((high - 1) / (high + k - 1)))
