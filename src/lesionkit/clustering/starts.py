"""Where k-means starts: k centres of each kind of `init`; and by which kernels."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit._core import clustering as _kernels
from lesionkit.arrays import describe, namespace, to_host

Real = npt.NDArray[np.float64]

MAX_DISTINCT = 2**20  # values of one feature that the exact optimum takes


class NotFinite(ValueError):
    """The samples hold NaN or infinity, or squares that no number holds."""

    def __init__(self, name: str = "X") -> None:
        super().__init__(
            f"{name} must be finite, and so must be the squares of its numbers and their sum"
        )


def kernels_for(X: Any, on_gpu: ModuleType) -> Any:
    """What computes where X lives: the compiled functions, or a module of the same names."""
    return _kernels if namespace(X) is np else on_gpu


def plus_plus(X: Any, weights: Any, k: int, random_state: Any, kernels: Any = _kernels) -> Real:
    """Greedy k-means++, with 2 + ln k candidates for each centre: csrc/clustering/kmeans/seeds.hpp.

    Of up to 4096 samples the law alone decides, not their order, nor whether one is repeated or has
    a weight.
    """
    trials = 2 + int(math.log(k))
    uniform = random_state.random_sample(1 + (k - 1) * trials)
    seeds = kernels.seeds(X, weights, k, trials, uniform, namespace(X).empty(len(X), np.float32))
    if not seeds:
        raise NotFinite
    return np.asarray(to_host(X[seeds]), np.float64)


def at_random(X: Any, weights: Any, k: int, random_state: Any) -> Real:
    """k different samples, drawn one after another in proportion to their weights."""
    weights = to_host(weights)
    if weights is None:
        from sklearn.utils.random import sample_without_replacement

        places = sample_without_replacement(len(X), k, random_state=random_state)
    else:
        possible = np.flatnonzero(weights)
        law = weights[possible] / weights[possible].sum()
        places = possible[
            random_state.choice(len(possible), min(k, len(possible)), replace=False, p=law)
        ]
        places = np.resize(places, k)  # fewer samples than clusters: some twice
    return np.asarray(to_host(X[places]), np.float64)


def optimal(X: Any, weights: Any, k: int) -> Real:
    """The means of the best clusters of one feature, ascending: the least inertia there is."""
    X, weights = to_host(X), to_host(weights)
    if X.shape[1] != 1:
        raise ValueError(f"init='optimal' needs samples of one feature, got {X.shape[1]} features")
    values, inverse, counts = np.unique(X[:, 0], return_inverse=True, return_counts=True)
    if not np.isfinite(values[-1:]).all() or not np.isfinite(values[:1]).all():
        raise NotFinite
    if len(values) > MAX_DISTINCT:
        raise ValueError(
            f"init='optimal' takes at most {MAX_DISTINCT} distinct values, got {len(values)}; "
            "round them, or start with 'k-means++'"
        )
    mass = np.asarray(counts if weights is None else np.bincount(inverse, weights), np.float64)
    there = mass > 0
    values, mass = np.ascontiguousarray(values[there], np.float64), mass[there]
    means = _kernels.optimum(values, mass, min(k, len(values)))
    return np.array([*means, *[means[-1]] * (k - len(means))])[:, None]


def random_of(random_state: Any) -> np.random.RandomState:
    """What draws: scikit-learn's rule, and NumPy generators, which are drawn from; else a clear
    error."""
    from sklearn.utils import check_random_state

    if isinstance(random_state, np.random.Generator):
        return np.random.RandomState(random_state.bit_generator)
    try:
        made: np.random.RandomState = check_random_state(random_state)
    except (TypeError, ValueError) as problem:
        raise ValueError(
            "random_state must be None, an integer from 0 to 4294967295, or a generator of "
            f"numpy.random, got {describe(random_state)}"
        ) from problem
    return made
