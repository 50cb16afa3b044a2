"""Images of few grey levels: counted, their answer is that of the plain loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import tolerances
from invariances import at_any_threads
from lesionkit._core import clustering as _kernels
from lesionkit.clustering import KMeans, histogram


def view(n: int, low: float, high: float, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    middle = np.array([0.2, 0.5, 0.9])[random.integers(0, 3, n)]
    return np.clip(low + (high - low) * (middle + random.normal(0, 0.06, n)), low, high).round()


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("uint8", 0, 255), ("int8", -128, 127), ("uint16", 0, 65535), ("int16", -1000, 3000),
        ("uint16", 700, 900), ("int32", -70, 3000), ("float32", -1024, 3071), ("float64", 5, 260),
    ],
)  # fmt: skip
@pytest.mark.parametrize("weighted", [False, True])
def test_as_the_plain_loop(kind: str, low: int, high: int, weighted: bool) -> None:
    n = 140_000 if high == 65535 else 30_000
    X = view(n, low, high)[:, None].astype(kind)
    w = np.random.default_rng(1).integers(0, 3, n) / 2 if weighted else None
    plain = X.astype(np.float64 if kind != "float32" else np.float32)
    assert histogram.levels(plain, w) is not None
    for k in (2, 3, 8, 20):
        start = np.linspace(low, high, k + 2)[1:-1, None]
        start[-1] = high + 400.0  # empty at first
        found = KMeans(k, init=start).fit(X, sample_weight=w)
        half = plain + plain.dtype.type(0.25)  # the same picture, but not of whole numbers
        assert histogram.levels(half, w) is None
        expected = KMeans(k, init=start + 0.25).fit(half, sample_weight=w)
        close = tolerances.single(plain.dtype)
        if k < 20 or not weighted:  # weighted, an empty cluster takes one sample or all its equals
            np.testing.assert_array_equal(found.labels_, expected.labels_)
            assert found.n_iter_ == expected.n_iter_
            np.testing.assert_allclose(
                found.cluster_centers_, expected.cluster_centers_ - 0.25, rtol=close, atol=close
            )
        np.testing.assert_allclose(found.inertia_, expected.inertia_, rtol=1e-6 if k < 20 else 0.3)
        assert found.cluster_centers_.dtype == plain.dtype
        np.testing.assert_array_equal(found.predict(X), found.labels_)
        np.testing.assert_array_equal(found.predict(plain), found.labels_)
        np.testing.assert_allclose(found.score(X, None, w), -found.inertia_, rtol=1e-7)
        np.testing.assert_allclose(
            found.transform(X)[:9], abs(plain[:9] - found.cluster_centers_.T)
        )


def test_seeds_and_the_optimum_of_counted_levels() -> None:
    X = view(20_000, 0, 255)[:, None].astype(np.uint8)
    values, counts = np.unique(X, return_counts=True)
    for init in ("k-means++", "optimal"):
        found = KMeans(6, init=init, random_state=0).fit(X)
        few = KMeans(6, init=init, random_state=0).fit(values[:, None], sample_weight=counts)
        np.testing.assert_allclose(found.cluster_centers_, few.cluster_centers_, rtol=1e-12)
        np.testing.assert_allclose(found.inertia_, few.inertia_, rtol=1e-12)
        np.testing.assert_array_equal(found.labels_, few.predict(X))
    best = KMeans(6, init="optimal").fit(X).inertia_
    assert best <= KMeans(6, n_init=10, random_state=0).fit(X).inertia_ * (1 + 1e-12)
    KMeans(6, init="random", random_state=0).fit(X)


def test_fewer_levels_than_clusters() -> None:
    X = np.resize(np.array([3, 200], np.uint8), (5000, 1))
    for init in ("k-means++", "optimal", "random"):
        with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\)"):
            assert KMeans(3, init=init).fit(X).inertia_ == 0


def test_what_is_counted() -> None:
    X = view(8192, 0, 100)[:, None]
    assert histogram.levels(X, None) is not None
    for other in (
        X[:4000],  # few
        X + 0.5,
        np.where(np.arange(8192)[:, None] == 8000, 3.5, X),
        np.where(np.arange(8192)[:, None] == 8000, np.nan, X),
        np.where(np.arange(8192)[:, None] == 8000, np.inf, X),
        X * 50,  # a range of 5000 for 8192 samples
        X * 2.0**40,
    ):
        assert histogram.levels(np.ascontiguousarray(other), None) is None


@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("n", [1, 5, 300_001])
def test_counts_and_tables(kind: str, n: int) -> None:
    random = np.random.default_rng(n)
    low, size = (-100, 200) if kind[0] != "u" else (0, 200)
    if kind == "uint16":
        size = 50_000
    x = random.integers(low, low + size, n).astype(kind)
    w = random.uniform(size=n)
    expected = np.bincount(x.astype(int) - low, minlength=size)

    def count() -> np.ndarray:
        counts, sums = np.zeros(size, np.int64), np.zeros(size)
        _kernels.count_values(x, None, low, counts, sums)
        np.testing.assert_array_equal(counts, expected)
        np.testing.assert_array_equal(sums, expected)
        counts[:], sums[:] = 0, 0
        _kernels.count_values(x, w, low, counts, sums)
        np.testing.assert_array_equal(counts, expected)
        np.testing.assert_allclose(sums, np.bincount(x.astype(int) - low, w, size))
        return sums

    at_any_threads(count)
    table = random.integers(0, 99, size).astype(np.int32)
    np.testing.assert_array_equal(
        histogram.look_up(x[:, None], low, table), table[x.astype(int) - low]
    )
