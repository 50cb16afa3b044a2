"""Where fuzzy c-means starts from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Real = npt.NDArray[np.float64]
NAMES = ("k-means++", "random_centers", "random_membership")
ROWS = 65536  # whose random memberships are held at once
FEW = 4096  # numbers, so that sorting them costs nothing


class Start(NamedTuple):
    """What `init` and `n_init` ask for."""

    init: str | Real
    times: int
    n_clusters: int
    m: float

    def centres(self, X: Any, weight: Real | None, random: np.random.RandomState) -> Real:
        """(n_clusters, features) float64 of the caller's own."""
        if isinstance(self.init, np.ndarray):
            return self.init.copy()
        if X.size <= FEW:
            X, weight = _distinct(X, weight)
        if self.init == "k-means++":
            from lesionkit.clustering.seeding import seed

            return np.array(seed(X, self.n_clusters, weight, random), np.float64)
        if self.init == "random_centers":
            return X[_drawn(len(X), weight, self.n_clusters, random)].astype(np.float64)
        return _of_random_memberships(X, weight, self.n_clusters, self.m, random)


def start_of(init: Any, n_init: Any, n_clusters: int, m: float, features: int) -> Start:
    """The checked start; else a clear error."""
    if isinstance(init, str):
        if init not in NAMES:
            raise ValueError(f"init must be one of {', '.join(NAMES)} or an array, got {init!r}")
    else:
        init = arrays.real(init, "init", (n_clusters, features))
    if isinstance(n_init, str):
        if n_init != "auto":
            raise ValueError(f"n_init must be 'auto' or an integer at least 1, got {n_init!r}")
        several = isinstance(init, str) and init != "k-means++"
        return Start(init, 10 if several else 1, n_clusters, m)
    times = arrays.integer(n_init, "n_init", at_least=1)
    return Start(init, times if isinstance(init, str) else 1, n_clusters, m)


def _distinct(X: Any, weight: Real | None) -> tuple[Any, Real]:
    """Each sample of weight once, with its weight, in ascending order: what is drawn then depends
    neither on the order of the samples, nor on whether they are repeated or weigh more.
    """
    order = np.lexsort(X.T)
    if weight is not None:
        order = order[weight[order] > 0]
    X = X[order]
    first = np.ones(len(X), bool)
    np.any(X[1:] != X[:-1], axis=1, out=first[1:])
    weights = np.ones(len(X)) if weight is None else weight[order]
    return X[first], np.add.reduceat(weights, np.flatnonzero(first))


def _drawn(
    n: int, weight: Real | None, count: int, random: np.random.RandomState
) -> npt.NDArray[np.int64]:
    """`count` samples, each drawn with a probability in proportion to its weight among those that
    are left; once all of weight are drawn, these again.
    """
    limits = None if weight is None else np.cumsum(weight)
    there = n if weight is None else np.count_nonzero(weight)
    chosen: list[int] = []
    while len(chosen) < min(count, there):
        if limits is None:
            at = random.randint(n)
        else:
            at = np.searchsorted(limits, random.random_sample() * limits[-1], side="right")
        if at < n and at not in chosen:
            chosen.append(int(at))
    return np.resize(chosen, count)


def _of_random_memberships(
    X: Any, weight: Real | None, n_clusters: int, m: float, random: np.random.RandomState
) -> Real:
    """The centres that memberships drawn at random, each sample's divided by their sum, lead to."""
    sums, moments = np.zeros(n_clusters), np.zeros((n_clusters, X.shape[1]))
    origin = X[0].astype(np.float64)
    for first in range(0, len(X), ROWS):
        x = X[first : first + ROWS] - origin
        u = random.random_sample((len(x), n_clusters))
        u = (u / u.sum(axis=1, keepdims=True)) ** m
        if weight is not None:
            u *= weight[first : first + ROWS, None]
        sums += u.sum(axis=0)
        moments += u.T @ x
    return moments / sums[:, None] + origin
