"""MaZda's table and the preprocessing as one writes them with scikit-image and NumPy: the steps and
constants of `lesionkit.studies.brain`, and nothing of ours."""

from __future__ import annotations

from typing import Any

import numpy as np
from skimage import exposure, feature, filters

LEVELS = 64
DISTANCES = np.arange(1, 6)
ALONG = (0, np.pi / 2)  # S(d,0), S(0,d)
ACROSS = (3 * np.pi / 4, np.pi / 4)  # S(d,d), S(d,-d); rows grow downwards
FIRST, SECOND = np.indices((LEVELS, LEVELS)) + 1
SUMS, DIFFERENCES = (FIRST + SECOND).ravel(), np.abs(FIRST - SECOND).ravel()


def table(rois: Any) -> Any:
    """(n, 229) of regions: eleven features at twenty offsets, then nine of the histogram."""
    return np.array([[*cooccurrence(levels_of(roi)), *histogram(roi)] for roi in rois])


def levels_of(roi: Any) -> Any:
    """Mean +- 3 sd in 64 levels."""
    low, high = roi.mean() - 3 * roi.std(), roi.mean() + 3 * roi.std()
    if low == high:
        return np.zeros(roi.shape, np.uint8)
    cut = np.floor((roi - low) / (high - low) * LEVELS)
    return np.clip(cut, 0, LEVELS - 1).astype(np.uint8)


def cooccurrence(levels: Any) -> list[float]:
    """220 features: of each distance along columns, along rows, and along both diagonals."""
    how = {"levels": LEVELS, "symmetric": True, "normed": True}
    along = feature.graycomatrix(levels, DISTANCES, ALONG, **how)
    across = feature.graycomatrix(levels, DISTANCES * np.sqrt(2), ACROSS, **how)
    found = []
    for d in range(len(DISTANCES)):
        for matrix in (
            along[:, :, d, 0],
            along[:, :, d, 1],
            across[:, :, d, 0],
            across[:, :, d, 1],
        ):
            found += eleven(matrix)
    return found


def eleven(p: Any) -> list[float]:
    """Haralick's features under MaZda's names, of one matrix of shares."""
    mean = (FIRST * p).sum()
    variance = ((FIRST - mean) ** 2 * p).sum()
    together = ((FIRST - mean) * (SECOND - mean) * p).sum()
    apart = (FIRST - SECOND) ** 2
    sums = np.bincount(SUMS, p.ravel())
    differences = np.bincount(DIFFERENCES, p.ravel())
    sum_mean, sum_variance = moments(sums)
    return [
        (p * p).sum(),
        (apart * p).sum(),
        together / variance if variance > 0 else 1.0,
        variance,
        (p / (1 + apart)).sum(),
        sum_mean,
        sum_variance,
        entropy(sums),
        entropy(p),
        moments(differences)[1],
        entropy(differences),
    ]


def moments(shares: Any) -> tuple[float, float]:
    """Mean and variance of a histogram's place."""
    place = np.arange(len(shares))
    mean = (place * shares).sum()
    return mean, ((place - mean) ** 2 * shares).sum()


def entropy(shares: Any) -> float:
    """To base 10."""
    there = shares[shares > 0]
    return float(-(there * np.log10(there)).sum())


def histogram(roi: Any) -> list[float]:
    """Mean, variance, skewness, kurtosis and five percentiles."""
    off = roi - roi.mean()
    m2, m3, m4 = ((off**k).mean() for k in (2, 3, 4))
    shape = [m3 / m2**1.5, m4 / m2**2 - 3] if m2 > 0 else [0.0, 0.0]
    return [roi.mean(), m2, *shape, *np.percentile(roi, (1, 10, 50, 90, 99))]


def prepare(image: Any, brain: Any) -> Any:
    """Smoothed, sharpened, 8 bits between two percentiles of the brain, 0 outside."""
    how = {"mode": "nearest", "truncate": 3, "preserve_range": True}
    smooth = filters.gaussian(image, 1.0, **how)
    sharp = smooth + (smooth - filters.gaussian(smooth, 1.0, **how))
    ends = tuple(np.percentile(sharp[brain], (0.5, 99.8)))
    levels = exposure.rescale_intensity(sharp, in_range=ends, out_range=(0, 255))
    return np.where(brain, np.rint(levels), 0).astype(np.uint8)
