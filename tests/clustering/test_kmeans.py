"""k-means: known answers, the slow reference, scikit-learn on fixed starts, properties."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import cluster
from sklearn.exceptions import ConvergenceWarning

import tolerances
from invariances import at_any_threads
from lesionkit._core import clustering as _kernels
from lesionkit.clustering import KMeans
from reference.clustering import kmeans as reference

Arrays = dict[str, npt.NDArray[Any]]


def mixture(n: int, d: int, groups: int, seed: int, dtype: Any = np.float64) -> npt.NDArray[Any]:
    """n samples of d features around some centres."""
    random = np.random.default_rng(seed)
    middle = random.uniform(-3, 3, (groups, d))
    return (middle[random.integers(0, groups, n)] + random.normal(0, 0.7, (n, d))).astype(dtype)


def fitted(X: Any, start: Any, w: Any = None, **parameters: Any) -> KMeans:
    return KMeans(len(start), init=start, n_init=1, **parameters).fit(X, sample_weight=w)


# --- known answers ----------------------------------------------------------------------------


def test_by_hand() -> None:
    """Two means of four weighted points: (0,0) x 3 and (1/2,0), (1/2,1) and (1,1) x 3."""
    X = np.array([[0, 0], [0.5, 0], [0.5, 1], [1, 1]])
    found = fitted(X, X[[0, 3]], [3, 1, 1, 3])
    np.testing.assert_array_equal(found.labels_, [0, 0, 1, 1])
    np.testing.assert_array_equal(found.cluster_centers_, [[0.125, 0], [0.875, 1]])
    assert found.inertia_ == 0.375
    assert found.n_iter_ == 2
    assert found.labels_.dtype == np.int32
    assert type(found.inertia_) is float
    assert type(found.n_iter_) is int


def test_lloyds_own_example() -> None:
    """The best two levels of a Gaussian are +- sqrt(2 / pi) (Max, IRE Trans. Inf. Theory 6, 1960),
    with the mean square error 1 - 2 / pi; four are +- 0.4528 and +- 1.510, error 0.1175."""
    from scipy.special import ndtri

    n = 200_001
    x = ndtri((np.arange(n) + 0.5) / n)[:, None]
    two = fitted(x, [[-1.0], [0.3]], tol=0)
    np.testing.assert_allclose(two.cluster_centers_[:, 0] ** 2, 2 / np.pi, rtol=1e-4)
    np.testing.assert_allclose(two.inertia_ / n, 1 - 2 / np.pi, rtol=1e-4)
    four = fitted(x, [[-2.0], [-1], [1], [2]], tol=0)
    levels = [-1.510, -0.4528, 0.4528, 1.510]
    np.testing.assert_allclose(four.cluster_centers_[:, 0], levels, atol=5e-4)
    np.testing.assert_allclose(four.inertia_ / n, 0.1175, atol=1e-4)


@pytest.mark.parametrize("features", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_samples_of_float32(features: int, dtype: Any) -> None:
    """More samples than 2^24, where sums and counts of float32 stop growing."""
    n = 2**20
    random = np.random.default_rng(0)
    high = random.uniform(size=n) >= 0.85
    x = (random.normal(0, 0.1, n) + np.where(high, 5, 1)).astype(np.float32)
    X = np.repeat(np.tile(x, 17)[:, None], features, axis=1).astype(dtype)
    means = [x[~high].mean(dtype=np.float64), x[high].mean(dtype=np.float64)]
    centres = np.array([[1.0] * features, [5.0] * features])
    _kernels.lloyd(X, None, False, centres, 3, 0.0, False)
    for e in range(features):
        np.testing.assert_allclose(centres[:, e], means, rtol=0, atol=1e-9)
    found = fitted(X, [[1.0] * features, [5.0] * features])
    np.testing.assert_array_equal(found.cluster_centers_[:, 0], np.array(means, dtype))
    spread = ((x - np.where(high, *found.cluster_centers_[::-1, 0].astype(float))) ** 2).sum()
    np.testing.assert_allclose(found.inertia_, 17 * features * spread, rtol=1e-9)


# --- the slow reference -----------------------------------------------------------------------

CASES = [
    pytest.param(n, d, k, id=f"{n} of {d}, {k} clusters")
    for n, d, k in (
        (1, 1, 1), (7, 1, 2), (40, 1, 3), (101, 1, 5), (150, 1, 8), (150, 1, 12), (200, 1, 16),
        (200, 1, 17), (120, 1, 40), (5, 2, 1), (61, 2, 3), (130, 3, 5), (90, 4, 4), (110, 5, 7),
        (70, 7, 6), (65, 16, 9), (80, 17, 5), (50, 33, 4), (300, 2, 260),
    )
]  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "k"), CASES)
def test_as_the_reference(n: int, d: int, k: int, dtype: Any, weighted: bool) -> None:
    random = np.random.default_rng(n + d + k)
    X = mixture(n, d, min(k, 6), n * d, dtype)
    w = random.integers(0, 4, n) + 0.5 * (k > n // 2) + 1e-3 * (n == 1) if weighted else None
    start = X[random.permutation(n)[:k]] + (0.1 * (n > k)) * random.normal(size=(k, d)).astype(
        dtype
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for tol, most in ((0.0, 300), (1e-4, 300), (1e-2, 4)):
            expected = reference.lloyd(X, start, w, most, tol)
            found = fitted(X, start, w, tol=tol, max_iter=most)
            close = tolerances.single(dtype)
            np.testing.assert_array_equal(found.labels_, expected.labels)
            np.testing.assert_allclose(
                found.cluster_centers_, expected.centres, rtol=close, atol=close
            )
            np.testing.assert_allclose(found.inertia_, expected.inertia, rtol=close, atol=close)
            # a shift of exactly 0 ends a run: clusters of one sample have it in the reference
            assert found.n_iter_ == expected.passes or (tol == 0 and k > n // 2)


@pytest.mark.parametrize("d", [1, 3])
def test_empty_clusters(d: int) -> None:
    """Far starts, equal starts, a lonely sample: as the reference, and none is left empty."""
    random = np.random.default_rng(d)
    X = mixture(40, d, 3, d)
    w = random.uniform(0, 2, 40) * (random.uniform(size=40) < 0.8)
    far = np.full((1, d), 50.0)
    for start in (
        np.vstack([X[:2], far]),
        np.vstack([far, X[:1], far + 1, X[5:6]]),
        np.repeat(X[:1], 4, axis=0),
        np.vstack([X[3:4], far, far, far, far]),
    ):
        for weights in (None, w):
            expected = reference.lloyd(X, start, weights)
            found = fitted(X, start, weights, tol=0)
            np.testing.assert_array_equal(found.labels_, expected.labels)
            np.testing.assert_allclose(
                found.cluster_centers_, expected.centres, rtol=tolerances.KMEANS
            )
            assert found.n_iter_ == expected.passes
            assert len(np.unique(found.labels_)) == len(start)
    lonely = np.array([[0.0] * d, [9.0] * d, [9.5] * d])
    found = fitted(lonely, [[4.0] * d, [9.0] * d, [99.0] * d])
    assert sorted(found.labels_) == [0, 1, 2]


def test_ties_go_to_the_lower_number() -> None:
    X = np.array([[0.0], [1], [2], [3], [4]])
    for start, labels in (
        ([[1.0], [3.0]], [0, 0, 0, 1, 1]),
        ([[3.0], [1.0]], [1, 1, 0, 0, 0]),
    ):
        for dtype in (np.float32, np.float64):
            for columns in (1, 2, 5):
                Z = np.repeat(X, columns, axis=1).astype(dtype)
                centres = np.repeat(np.array(start), columns, axis=1)
                given = KMeans(2)
                given.cluster_centers_, given.n_features_in_ = centres, columns
                np.testing.assert_array_equal(given.predict(Z), labels)


# --- scikit-learn on fixed starts -------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("d", "k"), [(1, 4), (1, 20), (2, 3), (3, 8), (8, 10), (20, 5)])
def test_as_scikit_learn(d: int, k: int, weighted: bool) -> None:
    X = mixture(1000, d, k, d)
    w = np.random.default_rng(1).uniform(0.5, 2, 1000) if weighted else None
    for tol in (0, 1e-4):
        parameters: dict[str, Any] = {"init": X[:k], "n_init": 1, "tol": tol}
        theirs = cluster.KMeans(k, **parameters).fit(X, sample_weight=w)
        ours = KMeans(k, **parameters).fit(X, sample_weight=w)
        np.testing.assert_array_equal(ours.labels_, theirs.labels_)
        np.testing.assert_allclose(
            ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9, atol=1e-12
        )
        np.testing.assert_allclose(ours.inertia_, theirs.inertia_, rtol=1e-10)
        assert ours.n_iter_ == theirs.n_iter_
        np.testing.assert_allclose(ours.transform(X), theirs.transform(X), rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(ours.score(X, None, w), theirs.score(X, None, w), rtol=1e-9)
        np.testing.assert_array_equal(ours.predict(X[::2]), theirs.predict(X[::2]))
        assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())


# --- properties -------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("n", "d", "k"), [(1_200_003, 1, 4), (300_001, 1, 30), (300_007, 3, 8), (50_011, 20, 12)]
)
def test_any_number_of_threads_gives_the_same_bits(n: int, d: int, k: int, weighted: bool) -> None:
    for dtype in (np.float32, np.float64):
        X = mixture(n, d, k, 3, dtype)
        w = np.random.default_rng(4).uniform(size=n) if weighted else None

        def call(X: Any = X, w: Any = w) -> tuple[Any, ...]:
            made = KMeans(k, max_iter=3, random_state=0).fit(X, sample_weight=w)
            return made.cluster_centers_, made.labels_, made.inertia_

        at_any_threads(call)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("d", "k"), [(1, 5), (1, 24), (4, 7), (18, 9)])
def test_the_inertia_never_rises(d: int, k: int, dtype: Any) -> None:
    for seed in range(3):
        X = mixture(20_000, d, k, seed, dtype)
        w = np.random.default_rng(seed).uniform(0, 1, 20_000) if seed else None
        start = X[:k].astype(np.float64)
        *_, steps = _kernels.lloyd(X, w, False, start, 100, 0.0, True)
        inertia = np.array([step[0] for step in steps])
        assert len(inertia) > 3
        assert (np.diff(inertia) <= 1e-13 * inertia[0]).all()


def test_a_centre_among_distant_groups_is_right_in_float32() -> None:
    """Groups a thousandth wide, a thousand apart: their scores in float32 say nothing."""
    random = np.random.default_rng(0)
    far = np.repeat([[-1000.0, 0], [1000, 0]], 2000, axis=0)
    near = np.tile([[0.0, 0], [0, 0.004]], (2000, 1))
    X = (far + near + random.normal(0, 2e-4, far.shape)).astype(np.float32)
    start = np.array([[-1000, 0], [-1000, 0.004], [1000, 0], [1000, 0.004]], np.float32)
    found = fitted(X, start, tol=0)
    exact = reference.nearest(X.astype(float)[:500], found.cluster_centers_.astype(float))
    np.testing.assert_array_equal(found.labels_[:500], exact)
    np.testing.assert_array_equal(np.bincount(found.labels_), [1000] * 4)


@given(
    values=st.lists(st.integers(-6, 6), min_size=1, max_size=40),
    columns=st.integers(1, 3),
    k=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_any_small_problem(values: list[int], columns: int, k: int, seed: int) -> None:
    """Duplicates, ties and empty clusters as they come: labels fit the centres, every centre that
    has samples is their mean, and predict agrees with labels_."""
    X = np.resize(np.array(values, float), (len(values), columns)) / 4
    k = min(k, len(X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(k, random_state=seed, tol=0).fit(X)
    distances = found.transform(X)
    chosen = distances[np.arange(len(X)), found.labels_]
    np.testing.assert_allclose(
        chosen, distances.min(axis=1), rtol=1e-14
    )  # or a tie, but for rounding
    np.testing.assert_array_equal(found.predict(X), found.labels_)
    distinct = len(np.unique(X, axis=0))
    assert len(np.unique(found.labels_)) == min(k, distinct)
    if k >= distinct:
        assert found.inertia_ == 0
    for j in np.unique(found.labels_):
        mean = X[found.labels_ == j].mean(axis=0)
        np.testing.assert_allclose(found.cluster_centers_[j], mean, atol=1e-12)


def test_other_layouts_and_nothing_is_changed() -> None:
    X = mixture(500, 4, 3, 0)
    expected = fitted(X, X[:3])
    wide = np.empty((500, 9))
    wide[:, 1::2] = X
    locked = X.copy()
    locked.flags.writeable = False
    for other in (np.asfortranarray(X), wide[:, 1::2], X[::-1][::-1], locked, X.tolist()):
        before = np.array(other)
        w = np.ones(500)
        w.flags.writeable = False
        found = fitted(other, X[:3], w)
        np.testing.assert_array_equal(found.cluster_centers_, expected.cluster_centers_)
        np.testing.assert_array_equal(found.labels_, expected.labels_)
        np.testing.assert_array_equal(np.array(other), before)
    start = X[:3].copy()
    fitted(X, start)
    np.testing.assert_array_equal(start, X[:3])


def test_dtypes() -> None:
    X = mixture(300, 2, 3, 0) * 10
    for dtype in (np.float32, np.float64, np.int32, np.uint8, np.float16):
        Z = np.abs(X).astype(dtype)
        kept = np.float32 if dtype == np.float32 else np.float64
        found = KMeans(2, random_state=0).fit(Z)
        assert found.cluster_centers_.dtype == kept
        assert found.transform(Z).dtype == kept
        assert found.labels_.dtype == found.predict(Z).dtype == np.int32


def test_numbers_of_any_size() -> None:
    X = mixture(400, 3, 2, 5)
    expected = fitted(X, X[:2])
    for size in (1e-150, 1e-30, 1e30, 1e150):
        found = fitted(X * size, X[:2] * size)
        np.testing.assert_array_equal(found.labels_, expected.labels_)
        np.testing.assert_allclose(found.cluster_centers_ / size, expected.cluster_centers_)
    for size in (1e-18, 1e25):
        Z = (X[:, :1] * size).astype(np.float32)
        found = fitted(Z, Z[:2])
        double = fitted(Z.astype(float), Z[:2].astype(float))
        np.testing.assert_allclose(found.cluster_centers_, double.cluster_centers_, rtol=1e-6)


def test_several_runs_and_the_best_of_them() -> None:
    X = mixture(2000, 2, 12, 7)
    for init in ("random", "k-means++"):
        runs = [KMeans(12, init=init, n_init=n, random_state=0).fit(X).inertia_ for n in (1, 3, 20)]
        assert runs[0] >= runs[1] >= runs[2]
        assert runs[0] > runs[2]
    again = [KMeans(5, random_state=3).fit(X) for _ in range(2)]
    np.testing.assert_array_equal(again[0].cluster_centers_, again[1].cluster_centers_)
    assert KMeans(5, init="random").fit(X)._n_init == 10
    assert KMeans(5).fit(X)._n_init == 1


def test_a_function_starts(capsys: pytest.CaptureFixture[str]) -> None:
    X = mixture(200, 2, 3, 1) + 100
    seen = []

    def init(data: Any, k: int, random_state: Any) -> Any:
        seen.append((data.mean(), random_state.uniform()))
        return data[:k]

    found = KMeans(3, init=init, n_init=2, random_state=0, verbose=1).fit(X)
    assert len(seen) == 2
    assert all(mean == X.mean() for mean, _ in seen)
    np.testing.assert_array_equal(found.labels_, fitted(X, X[:3]).labels_)
    said = capsys.readouterr().out
    assert said.count("Initialization complete") == 2
    assert "Iteration 0, inertia" in said
    assert "Converged at iteration" in said
