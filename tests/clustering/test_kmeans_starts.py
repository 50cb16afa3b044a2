"""Where k-means starts: greedy k-means++, random samples, the best clusters of one feature."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionkit._core import clustering as _kernels
from lesionkit.clustering import KMeans, starts
from reference.clustering import kmeans as reference


def seeds(X: Any, w: Any, k: int, trials: int, uniform: Any) -> list[int]:
    return _kernels.seeds(X, w, k, trials, uniform, np.empty(len(X), np.float32))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 5, 18])
def test_seeds_as_the_reference(d: int, dtype: Any, weighted: bool) -> None:
    """Few samples are taken in ascending order, many as they stand."""
    random = np.random.default_rng(d)
    for n in (60, 4300):
        X = random.normal(size=(n, d)).astype(dtype)
        X = X[np.lexsort(X.T[::-1])] if n < 100 else X
        w = random.integers(0, 3, n).astype(float) if weighted else None
        k = 6 if n < 100 else 2
        uniform = random.uniform(size=1 + (k - 1) * 3)
        found = seeds(X, w, k, 3, uniform)
        masses = np.ones(n) if w is None else w
        assert found == reference.plus_plus(X.astype(float), masses, k, 3, uniform)


def test_seeds_do_not_depend_on_order_or_repetition() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 3))
    w = random.integers(0, 4, 40)
    uniform = random.uniform(size=1 + 7 * 4)
    expected = X[seeds(X, w.astype(float), 8, 4, uniform)]
    order = random.permutation(40)
    shuffled = np.ascontiguousarray(X[order])
    np.testing.assert_array_equal(
        shuffled[seeds(shuffled, w[order] * 0.5, 8, 4, uniform)], expected
    )
    repeated = np.repeat(X, w, axis=0)
    np.testing.assert_array_equal(repeated[seeds(repeated, None, 8, 4, uniform)], expected)


@pytest.mark.parametrize("n", [900, 5000])
def test_the_law_of_the_seeds(n: int) -> None:
    """One candidate: the second seed is drawn in proportion to w d^2 (chi squared, 12 places)."""
    random = np.random.default_rng(1)
    places = np.array([0.0, 1, 2, 3, 5, 8, 9, 11, 12, 14, 15, 20])
    X = np.resize(places, n)[:, None]
    w = np.resize([1.0, 2, 0.5], n)
    counts = np.zeros(12)
    for _ in range(1500):
        uniform = np.array([1e-9, random.uniform()])  # the first seed is at 0
        counts[np.searchsorted(places, X[seeds(X, w, 2, 1, uniform)[1], 0])] += 1
    law = np.array([w[X[:, 0] == x].sum() * x**2 for x in places])
    law *= 1500 / law.sum()
    assert counts[0] == 0
    assert np.sum((counts - law)[1:] ** 2 / law[1:]) < 30  # 10 degrees of freedom: p = 0.001


def test_seeds_of_equal_samples() -> None:
    for n in (6, 5000):
        X = np.full((n, 2), 7.0)
        found = seeds(X, None, 4, 3, np.linspace(0, 0.99, 10))
        assert all(0 <= s < n for s in found)
        assert len(found) == 4
    for n in (6, 5000):
        X = np.full((n, 2), 7.0)
        X[3, 1] = np.nan
        assert seeds(X, None, 4, 3, np.zeros(10)) == []


def test_seeds_of_any_size() -> None:
    X = np.random.default_rng(2).normal(size=(5000, 2))
    uniform = np.random.default_rng(3).uniform(size=1 + 4 * 3)
    expected = seeds(X, None, 5, 3, uniform)
    for size in (2.0**-600, 2.0**-140, 2.0**140, 2.0**600):
        assert seeds(X * size, None, 5, 3, uniform) == expected


def test_samples_at_random() -> None:
    X = np.arange(5.0)[:, None]
    state = np.random.RandomState(0)
    counts = np.zeros(5)
    for _ in range(400):
        drawn = starts.at_random(X, np.array([1.0, 0, 4, 1, 2]), 3, state)[:, 0].astype(int)
        assert len({*drawn}) == 3
        counts[drawn] += 1
    assert counts[1] == 0
    assert counts[2] > counts[4] > counts[0]
    np.testing.assert_array_equal(np.sort(starts.at_random(X, None, 5, state)[:, 0]), np.arange(5))
    few = starts.at_random(X, np.array([0, 1.0, 0, 1, 0]), 4, state)
    assert {*few[:, 0]} == {1, 3}


@given(
    values=st.lists(st.integers(-30, 30), min_size=1, max_size=14),
    k=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_the_optimum_is_the_least_of_all(values: list[int], k: int, seed: int) -> None:
    """Over every way to cut a handful of values; weights that are whole, or any."""
    random = np.random.default_rng(seed)
    x = np.array(values) / 4
    w = random.integers(1, 4, len(x)).astype(float) if seed % 2 else random.uniform(0.1, 2, len(x))
    k = min(k, len({*values}))
    found = KMeans(k, init="optimal").fit(x[:, None], sample_weight=w)
    order = np.argsort(x, kind="stable")
    x, w = x[order], w[order]
    least = min(
        sum(
            np.sum(w[a:b] * (x[a:b] - np.average(x[a:b], weights=w[a:b])) ** 2)
            for a, b in zip((0, *cuts), (*cuts, len(x)), strict=True)
        )
        for cuts in combinations(range(1, len(x)), k - 1)
    )
    np.testing.assert_allclose(found.inertia_, least, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("k", [1, 2, 7, 16])
def test_the_optimum_as_the_reference(k: int) -> None:
    random = np.random.default_rng(k)
    x = np.unique(random.normal(size=60))
    w = random.uniform(0.1, 3, len(x))
    found = KMeans(k, init="optimal", tol=0).fit(x[:, None] + 1e6, sample_weight=w)
    np.testing.assert_allclose(found.inertia_, reference.optimal_inertia(x, w, k), rtol=1e-6)
    assert (np.diff(found.cluster_centers_[:, 0]) > 0).all()
    assert found.n_iter_ <= 2
    for seed in range(3):
        other = KMeans(k, random_state=seed).fit(x[:, None] + 1e6, sample_weight=w)
        assert found.inertia_ <= other.inertia_ * (1 + 1e-9)


def test_the_optimum_of_fewer_values_than_clusters() -> None:
    with pytest.warns(UserWarning, match=r"distinct clusters \(2\)"):
        found = KMeans(4, init="optimal").fit([[3.0], [1], [3], [1]])
    assert found.inertia_ == 0


def test_too_many_values_for_the_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "MAX_DISTINCT", 90)
    X = np.random.default_rng(0).normal(size=(91, 1))
    with pytest.raises(ValueError, match=r"takes at most 90 distinct values, got 91; round them"):
        KMeans(2, init="optimal").fit(X)
    KMeans(2, init="optimal").fit(X[:90])
