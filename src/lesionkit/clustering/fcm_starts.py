"""Where fuzzy c-means starts from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.clustering import starts

Real = npt.NDArray[np.float64]
NAMES = ("k-means++", "random_centers", "random_membership")
ROWS = 65536  # whose random memberships are held at once


class Start(NamedTuple):
    """What `init` and `n_init` ask for."""

    init: str | Real
    times: int
    n_clusters: int
    m: float

    def centres(
        self, X: Any, weight: Real | None, random: np.random.RandomState, scale: float
    ) -> Real:
        """(n_clusters, features) float64 of the caller's own; X are the samples times `scale`."""
        if isinstance(self.init, np.ndarray):
            return self.init * scale
        if self.init == "k-means++":
            return starts.plus_plus(X, weight, self.n_clusters, random)
        if self.init == "random_centers":
            return starts.at_random(X, weight, self.n_clusters, random)
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
    centres: Real = moments / sums[:, None] + origin
    return centres
