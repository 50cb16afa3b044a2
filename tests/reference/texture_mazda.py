"""MaZda's features of a region, and the selection of features, as plain loops over the definitions.

Slow, and without anything of lesionkit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

# Regions: MaZda's features of one ROI at one offset.


def pairs_of(
    image: np.ndarray, offset: Sequence[int], inside: np.ndarray | None = None
) -> Iterator[tuple[int, int]]:
    """Levels of the two pixels of each pair, both in the image, and inside."""
    for at in np.ndindex(*image.shape):
        to = tuple(a + o for a, o in zip(at, offset, strict=True))
        if all(0 <= t < n for t, n in zip(to, image.shape, strict=True)) and (
            inside is None or (inside[at] and inside[to])
        ):
            yield int(image[at]), int(image[to])


def mazda(
    image: np.ndarray,
    offset: Sequence[int],
    base: float = 10.0,
    inside: np.ndarray | None = None,
) -> list[float]:
    """The 11 features in MaZda's order, from their definitions (Haralick 1973, appendix), with the
    symmetric matrix as a dictionary and levels from 1."""
    matrix: dict[tuple[int, int], float] = {}
    pairs = list(pairs_of(image, offset, inside))
    if not pairs:
        return [math.nan] * 11
    for a, b in pairs:
        for cell in ((a + 1, b + 1), (b + 1, a + 1)):
            matrix[cell] = matrix.get(cell, 0.0) + 0.5 / len(pairs)
    sums: dict[int, float] = {}
    differences: dict[int, float] = {}
    for (i, j), p in matrix.items():
        sums[i + j] = sums.get(i + j, 0.0) + p
        differences[abs(i - j)] = differences.get(abs(i - j), 0.0) + p

    def entropy(fractions: Iterable[float]) -> float:
        return -sum(p * math.log(p, base) for p in fractions)

    def mean(table: dict[int, float]) -> float:
        return sum(k * p for k, p in table.items())

    def variance(table: dict[int, float]) -> float:
        return sum((k - mean(table)) ** 2 * p for k, p in table.items())

    mu = sum(i * p for (i, _), p in matrix.items())
    spread = sum((i - mu) ** 2 * p for (i, _), p in matrix.items())
    together = sum((i - mu) * (j - mu) * p for (i, j), p in matrix.items())
    return [
        sum(p * p for p in matrix.values()),
        sum((i - j) ** 2 * p for (i, j), p in matrix.items()),
        together / spread if spread > 1e-12 else 1.0,
        spread,
        sum(p / (1 + (i - j) ** 2) for (i, j), p in matrix.items()),
        mean(sums),
        variance(sums),
        entropy(sums.values()),
        entropy(matrix.values()),
        variance(differences),
        entropy(differences.values()),
    ]


def levels_of(values: np.ndarray, levels: int, how: str) -> np.ndarray:
    """Levels of the values of one ROI, from mean +- 3 sigma or between two percentiles."""
    x = sorted(float(v) for v in values.flat)
    if how == "sigma":
        mean = math.fsum(x) / len(x)
        sigma = math.sqrt(math.fsum((v - mean) ** 2 for v in x) / len(x))
        low, high = mean - 3 * sigma, mean + 3 * sigma
    else:
        low, high = (_percentile(x, q) for q in (0.01, 0.99))
    quantised = np.zeros(values.shape, int)
    if x[0] < x[-1] and low < high:
        for at in np.ndindex(*values.shape):
            level = math.floor((float(values[at]) - low) / (high - low) * levels)
            quantised[at] = min(max(level, 0), levels - 1)
    return quantised


def _percentile(x: list[float], q: float) -> float:
    at = q * (len(x) - 1)
    below = math.floor(at)
    return x[below] + (x[min(below + 1, len(x) - 1)] - x[below]) * (at - below)


# Selection of features: scores of one column.


def fisher(x: Sequence[float], y: Sequence[int]) -> float:
    """Distance of the class means over the mean of the class variances."""
    fraction, mean, variance = {}, {}, {}
    for c in {*y}:
        values = [v for v, label in zip(x, y, strict=True) if label == c]
        fraction[c] = len(values) / len(x)
        mean[c] = sum(values) / len(values)
        variance[c] = sum((v - mean[c]) ** 2 for v in values) / len(values)
    apart = sum(
        fraction[k] * fraction[j] * (mean[k] - mean[j]) ** 2 for k in fraction for j in fraction
    )
    apart /= 1 - sum(p * p for p in fraction.values())
    within = sum(fraction[c] * variance[c] for c in fraction)
    return apart / within if within else (math.inf if apart else 0.0)


def poe(x: Sequence[float], y: Sequence[int]) -> float:
    """Leave-one-out errors of the nearest neighbour; of several as near, the fraction that errs."""
    if len({*x}) == 1:
        return 1 - max(sum(label == c for label in y) for c in y) / len(y)
    errors = 0.0
    for i in range(len(x)):
        far = {k: abs(x[k] - x[i]) for k in range(len(x)) if k != i}
        nearest = [k for k, d in far.items() if d == min(far.values())]
        errors += sum(y[k] != y[i] for k in nearest) / len(nearest)
    return errors / len(x)


def entropy(labels: Sequence[object]) -> float:
    """In bits."""
    counts = [sum(a == b for a in labels) for b in labels]
    return -sum(math.log2(c / len(labels)) for c in counts) / len(labels)


def mutual_information(x: Sequence[float], y: Sequence[int], bins: int) -> float:
    """H(bin) + H(class) - H(both), in bits; bins of equal width."""
    low, high = min(x), max(x)
    if low == high:
        return 0.0
    bin_of = [min(math.floor((v - low) / (high - low) * bins), bins - 1) for v in x]
    return entropy(bin_of) + entropy(list(y)) - entropy(list(zip(bin_of, y, strict=True)))


# MaZda's other families, of one ROI.


def moments(values: Sequence[float]) -> list[float]:
    """Mean, variance, skewness, kurtosis - 3; the last two 0 where all values are the same."""
    n = len(values)
    mean = sum(values) / n
    m2, m3, m4 = (sum((v - mean) ** k for v in values) / n for k in (2, 3, 4))
    return [mean, m2, m3 / m2**1.5 if m2 else 0.0, m4 / m2**2 - 3 if m2 else 0.0]


def histogram_features(roi: np.ndarray) -> list[float]:
    values = sorted(float(v) for v in roi.flat)
    fractions = (0.01, 0.1, 0.5, 0.9, 0.99)
    return [*moments(values), *(_percentile(values, fraction) for fraction in fractions)]


def gradient_features(roi: np.ndarray) -> list[float]:
    rows, columns = roi.shape
    sizes = [
        math.hypot(roi[r + 1, c] - roi[r - 1, c], roi[r, c + 1] - roi[r, c - 1])
        for r in range(1, rows - 1)
        for c in range(1, columns - 1)
    ]
    return [*moments(sizes), sum(g != 0 for g in sizes) / len(sizes)]


def ar_features(roi: np.ndarray) -> list[float]:
    rows, columns = roi.shape
    f = (roi - roi.mean()) / roi.std()
    here, around = [], []
    for r in range(1, rows):
        for c in range(1, columns - 1):
            here.append(f[r, c])
            around.append([f[r, c - 1], f[r - 1, c - 1], f[r - 1, c], f[r - 1, c + 1]])
    teta = np.linalg.lstsq(np.array(around), np.array(here), rcond=None)[0]
    rest = np.array(here) - np.array(around) @ teta
    return [*teta, math.sqrt((rest**2).mean())]


def haar_energies(roi: np.ndarray, scales: int) -> list[float]:
    energies = []
    for _ in range(scales):
        rows, columns = roi.shape[0] // 2, roi.shape[1] // 2
        bands = np.zeros((4, rows, columns))
        for r in range(rows):
            for c in range(columns):
                upper, lower = roi[2 * r, 2 * c : 2 * c + 2], roi[2 * r + 1, 2 * c : 2 * c + 2]
                bands[0, r, c] = (upper[0] + upper[1] + lower[0] + lower[1]) / 2
                bands[1, r, c] = (upper[0] + upper[1] - lower[0] - lower[1]) / 2
                bands[2, r, c] = (upper[0] - upper[1] + lower[0] - lower[1]) / 2
                bands[3, r, c] = (upper[0] - upper[1] - lower[0] + lower[1]) / 2
        energies += [float((band**2).sum()) / band.size for band in bands]
        roi = bands[0]
    return energies
