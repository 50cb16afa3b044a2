"""How well one column parts the classes: the numbers behind the selectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.texture.region.discretise import edges_by_count

Real = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


def is_single(X: Any) -> bool:
    return getattr(X, "dtype", None) == np.float32


def near_one(X: Real) -> Real:
    """The columns; where numbers are so large or so small that their squares are none, those of all
    columns times powers of 2, which changes no score."""
    exponents = np.frexp(abs(X).max(0))[1]
    return np.ldexp(X, -exponents) if (abs(exponents) > 300).any() else X


def fisher_scores(X: Real, classes: Indices) -> Real:
    """Fisher's F of each column, as :class:`Fisher` defines it.

    Parameters
    ----------
    X : (samples, columns) array of float64
        Finite; not checked.
    classes : (samples,) array of int64
        0, 1, ..., each with a sample; not checked.

    Returns
    -------
    (columns,) array of float64
        F.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture.selection import fisher_scores
    >>> fisher_scores(np.array([[0.0], [2.0], [6.0], [8.0]]), np.array([0, 0, 1, 1])).tolist()
    [36.0]
    """
    X = X - X[0]  # a column that is constant, or constant in a class, gives exact zeros
    share = np.bincount(classes) / len(X)
    mean, variance = np.empty((2, len(share), X.shape[1]))
    for c in range(len(share)):
        samples = X[classes == c]
        off = samples - samples[0]
        mean[c] = samples[0] + off.mean(0)
        variance[c] = off.var(0)
    apart = (mean[:, None] - mean[None]) ** 2
    between = np.einsum("k,j,kjf->f", share, share, apart) / (1.0 - share @ share)
    within = share @ variance
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        score: Real = between / within
    return np.where(within > 0, score, np.where(between > 0, np.inf, 0.0))


def rounded(score: Real) -> Real:
    """To 12 digits: scores that differ only by rounding are tied, and go by column."""
    result = score.copy()
    good = np.isfinite(score) & (np.abs(score) > 1e-290)
    size = 10.0 ** (11 - np.floor(np.log10(np.abs(score[good]))))
    result[good] = np.round(score[good] * size) / size
    return result


def largest(score: Real, k: int) -> Indices:
    return np.argsort(-rounded(score), kind="stable")[:k].astype(np.int64)


def equal_width(x: Real, bins: int) -> Indices:
    low, high = x.min(), x.max()
    if low == high:
        return np.zeros(len(x), np.int64)
    place: Real = (x - low) / (high - low) * bins
    return np.minimum(place, bins - 1).astype(np.int64)


def equal_width_of_float32(x: Real, bins: int) -> Indices:
    """The same by edges of float32: what is 0.3 there is not below the edge 0.3."""
    edges = edges_by_count(x.min(), x.max(), bins, np.float32)
    return np.searchsorted(edges[1:-1], x, side="right").astype(np.int64)


def equal_frequency(x: Real, bins: int) -> Indices:
    edges = np.quantile(x, np.arange(1, bins) / bins)
    return np.searchsorted(edges, x, side="left").astype(np.int64)


def information(binned: Indices, classes: Indices, bins: int) -> Real:
    """Bits that each row of bins, (columns, samples), tells of the classes."""
    columns, kinds = len(binned), int(classes.max()) + 1
    cell = (np.arange(columns)[:, None] * kinds + classes) * bins + binned
    count = np.bincount(cell.ravel(), minlength=columns * kinds * bins)
    joint = count.reshape(columns, kinds, bins) / len(classes)
    by_chance = joint.sum(2, keepdims=True) * joint.sum(1, keepdims=True)
    there = joint > 0
    ratio = np.divide(joint, by_chance, out=np.ones_like(joint), where=there)
    bits = (joint * np.log2(ratio)).sum((1, 2))
    several = (joint.sum(1) > 0).sum(1) > 1
    return np.where(several, np.maximum(bits, 0.0), 0.0)


def unit_columns(X: Real, flat: npt.NDArray[np.bool_]) -> Real:
    """Columns about their mean, of length 1; a constant one is 0: products are correlations."""
    off = X - X[0]
    off /= np.where(flat, 1.0, np.abs(off).max(0))
    off -= off.mean(0)
    unit: Real = off / np.where(flat, 1.0, np.linalg.norm(off, axis=0))
    return np.where(flat, 0.0, unit)


def mean_errors(X: Real, classes: Indices) -> Real:
    """Of each column the share of samples that lie nearest to the mean of another class."""
    count = np.bincount(classes)
    errors = []
    for x in X.T:
        mean = x[0] + np.bincount(classes, x - x[0]) / count
        errors.append((np.abs(x[:, None] - mean).argmin(1) != classes).mean())
    return np.array(errors)


def neighbour_errors(X: Real, classes: Indices) -> Real:
    """Of each column the share of samples whose nearest other sample is of another class, by one
    sort: equal values of a column are a group, and the groups of all columns stand in a row."""
    order = X.T.argsort(1, kind="stable")
    x, kind = np.take_along_axis(X.T, order, 1), classes[order]
    first = np.ones(x.shape, bool)
    first[:, 1:] = x[:, 1:] != x[:, :-1]
    group = first.ravel().cumsum() - 1
    groups, kinds = int(group[-1]) + 1, int(classes.max()) + 1
    count = np.zeros((groups + 2, kinds))  # an empty group at either end
    count[1:-1] = np.bincount(group * kinds + kind.ravel(), minlength=groups * kinds).reshape(
        groups, kinds
    )
    gap = np.concatenate([np.diff(x[first], prepend=-np.inf), [np.inf]])
    gap[group.reshape(x.shape)[:, 0]] = np.inf  # to another column
    left, right = gap[:-1], gap[1:]
    near = np.where(left <= right, 1.0, 0.0)[:, None] * count[:-2]
    near += np.where(right <= left, 1.0, 0.0)[:, None] * count[2:]
    own = count[1:-1]
    near = np.where(own.sum(1, keepdims=True) > 1, own, near)[group]
    alone = own.sum(1)[group] == 1
    others = near.sum(1) - ~alone
    alike = near[np.arange(len(near)), kind.ravel()] - ~alone
    wrong = np.empty(x.shape)
    np.put_along_axis(wrong, order, (1.0 - alike / others).reshape(x.shape), 1)
    shares: Real = wrong.mean(1)
    return shares
