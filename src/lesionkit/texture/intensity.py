"""First-order statistics: of the intensities themselves, and of a histogram of levels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import _core, arrays
from lesionkit._core import texture as _kernels

Real = npt.NDArray[np.float64]


def intensity_features(values: Any, name: str = "values") -> dict[str, float]:
    """The eighteen intensity-based statistics of IBSI.

    values  : real numbers of any shape, one or more, finite; any unit
    returns : name -> float, in that unit, its square (variance, energy) or none. Percentiles are
              NumPy's, between the two nearest numbers; variance is of the population; kurtosis is
              excess kurtosis. Equal numbers have skewness and kurtosis 0; the coefficient of
              variation and the quartile coefficient are NaN or infinite where their divisor is 0,
              the robust deviation is NaN where no number lies between percentiles 10 and 90.
    Source: IBSI reference manual (arXiv:1612.07003v11), section 3.3.
    """
    x = arrays.real(values, "values", ("...",)).ravel()
    if not x.size:
        raise ValueError(f"values must hold a number or more, got {arrays.describe(values)}")
    low, high, _ = _core.extent(x)
    largest = max(-low, high)
    exponent = math.frexp(largest)[1]
    with np.errstate(over="ignore"):
        ranked = _percentiles(x, (10, 25, 50, 75, 90), low, high)
        if is_plain(largest):
            return _statistics(x, low, high, ranked)
        # Fourth powers would be no numbers: of numbers near 1 instead, divided by a power of 2.
        near = np.ldexp([low, high, *ranked], -exponent).tolist()
        found = _statistics(np.ldexp(x, -exponent), near[0], near[1], near[2:])
        scaled = {
            name: float(np.ldexp(value, POWERS.get(name, 1) * exponent))
            for name, value in found.items()
        }
    scaled |= {"minimum": low, "maximum": high, "median": ranked[2]}
    scaled |= {"percentile_10": ranked[0], "percentile_90": ranked[4]}
    if any(math.isinf(scaled[name]) for name in ("energy", "variance", "range")):
        raise ValueError(
            f"{name} must have an energy and a range below 1.8e308, got numbers as large as "
            f"{largest:g}"
        )
    return scaled


def is_plain(largest: float) -> bool:
    """Whether numbers so large have fourth powers, and these sums: from 2^-180 to 2^180."""
    return abs(math.frexp(largest)[1]) < 180


POWERS = {  # of the values' unit; 1 of all others
    "variance": 2,
    "energy": 2,
    "skewness": 0,
    "kurtosis": 0,
    "coefficient_of_variation": 0,
    "quartile_coefficient_of_dispersion": 0,
}


def _statistics(x: Real, low: float, high: float, ranked: list[float]) -> dict[str, float]:
    p10, p25, median, p75, p90 = ranked
    count, total, _, energy, _, _ = _sums(x, 0.0, low, high)
    mean = total / count
    _, _, absolute, square, cube, fourth = _sums(x, mean, low, high) / count
    of_median = _sums(x, median, low, high)[2] / count
    robust_count, robust_total, *_ = _sums(x, 0.0, p10, p90)
    flat = low == high
    with np.errstate(divide="ignore", invalid="ignore"):
        robust = _sums(x, robust_total / robust_count, p10, p90)[2] / robust_count
        features = {
            "mean": mean,
            "variance": 0.0 if flat else square,
            "skewness": 0.0 if flat else cube / square**1.5,
            "kurtosis": 0.0 if flat else fourth / square**2 - 3,
            "median": median,
            "minimum": low,
            "percentile_10": p10,
            "percentile_90": p90,
            "maximum": high,
            "interquartile_range": p75 - p25,
            "range": high - low,
            "mean_absolute_deviation": absolute,
            "robust_mean_absolute_deviation": robust,
            "median_absolute_deviation": of_median,
            "coefficient_of_variation": np.float64(0.0 if flat else math.sqrt(square)) / mean,
            "quartile_coefficient_of_dispersion": np.float64(p75 - p25) / (p75 + p25),
            "energy": energy,
            "root_mean_square": math.sqrt(energy / count),
        }
    return {name: float(value) for name, value in features.items()}


def histogram_features(counts: Any) -> dict[str, float]:
    """Entropy (bits) and uniformity of levels that occur `counts` (levels,) times, one or more of
    them above 0."""
    n = arrays.real(counts, "counts", ("levels",), at_least=0)
    if not n.size:
        raise ValueError(f"counts must hold a level or more, got {arrays.describe(counts)}")
    largest = n.max()
    if largest == 0:
        raise ValueError(f"counts must hold a number above 0, got {arrays.describe(n)}, all 0")
    n = n[n > 0] / largest
    p = n / n.sum()
    return {"entropy": float(-(p * np.log2(p)).sum()) + 0.0, "uniformity": float((p**2).sum())}


def _sums(x: Real, centre: float, low: float, high: float) -> Real:
    """Over x in [low, high]: how many, and the sums of d, |d|, d^2, d^3, d^4 of d = x - centre."""
    sums = np.empty(6)
    _kernels.power_sums(x, centre, low, high, sums)
    return sums


def _percentiles(x: Real, per_cent: tuple[int, ...], low: float, high: float) -> list[float]:
    """As np.percentile, without sorting."""
    places = [(len(x) - 1) * q / 100 for q in per_cent]
    below = [int(place) for place in places]
    ranks = np.array([[rank, min(rank + 1, len(x) - 1)] for rank in below])
    found = np.empty(2 * len(ranks))
    _kernels.order_statistics(x, low, high, ranks.ravel(), found)
    pairs = found.reshape(-1, 2).tolist()
    return [
        a + (b - a) * (place - rank) if place - rank < 0.5 else b - (b - a) * (1 - (place - rank))
        for (a, b), place, rank in zip(pairs, places, below, strict=True)
    ]
