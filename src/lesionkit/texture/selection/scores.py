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


def equal_width(X: Real, bins: int) -> Indices:
    """(columns, samples) the bin of each, in equal steps over its column."""
    low, high = X.min(0), X.max(0)
    flat = low == high
    place: Real = (X - low) / np.where(flat, 1.0, high - low) * bins
    return np.where(flat, 0, np.minimum(place, bins - 1).astype(np.int64)).T


def equal_width_of_float32(X: Real, bins: int) -> Indices:
    """The same by edges of float32: what is 0.3 there is not below the edge 0.3."""
    edges = [edges_by_count(x.min(), x.max(), bins, np.float32)[1:-1] for x in X.T]
    return np.array([np.searchsorted(e, x, side="right") for e, x in zip(edges, X.T, strict=True)])


def equal_frequency(X: Real, bins: int) -> Indices:
    edges = [np.quantile(x, np.arange(1, bins) / bins) for x in X.T]
    return np.array([np.searchsorted(e, x, side="left") for e, x in zip(edges, X.T, strict=True)])


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
    kinds, columns = len(count), X.shape[1]
    cell = (np.arange(columns)[:, None] * kinds + classes).ravel()
    total = np.bincount(cell, (X - X[0]).T.ravel(), kinds * columns).reshape(columns, kinds)
    mean = X[0][:, None] + total / count
    nearest = np.abs(X.T[:, :, None] - mean[:, None]).argmin(2)
    shares: Real = (nearest != classes).mean(1)
    return shares


def neighbour_errors(X: Real, classes: Indices) -> Real:
    """Of each column the share of samples whose nearest other sample is of another class, by one
    sort: equal values of a column are a group, and the groups of all columns stand in a row."""
    order = X.T.argsort(1)  # in any order within a group
    place = order + (np.arange(X.shape[1]) * len(X))[:, None]
    x, kind = np.ascontiguousarray(X.T).ravel()[place], classes[order]
    first = np.ones(x.shape, bool)
    first[:, 1:] = x[:, 1:] != x[:, :-1]
    group = first.ravel().cumsum() - 1
    groups, kinds = int(group[-1]) + 1, int(classes.max()) + 1
    cell = kind.ravel() * groups + group
    count = np.zeros((kinds, groups + 2))  # an empty group at either end
    count[:, 1:-1] = np.bincount(cell, minlength=kinds * groups).reshape(kinds, groups)
    gap = np.concatenate([np.diff(x[first], prepend=-np.inf), [np.inf]])
    gap[group.reshape(x.shape)[:, 0]] = np.inf  # to another column
    left, right = gap[:-1], gap[1:]
    own = count[:, 1:-1]
    several = own.sum(0) > 1
    near = np.where(several, own, (left <= right) * count[:, :-2] + (right <= left) * count[:, 2:])
    others, alike = near.sum(0) - several, near - several
    wrong = np.empty(x.size)
    wrong[place.ravel()] = (1.0 - alike / others).ravel()[cell]
    shares: Real = wrong.reshape(x.shape).mean(1)
    return shares
