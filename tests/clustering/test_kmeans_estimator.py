"""KMeans as an estimator: scikit-learn's checks, pipelines, and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from lesionkit.clustering import KMeans

X = np.random.default_rng(0).normal(size=(50, 3))


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")  # some checks have few samples
@parametrize_with_checks([KMeans(), KMeans(3, n_init=2, max_iter=5)])
def test_scikit_learns_checks(estimator: KMeans, check: Callable[[KMeans], None]) -> None:
    check(estimator)


def test_pipelines_and_copies() -> None:
    pipe = make_pipeline(StandardScaler(), KMeans(3, random_state=0))
    labels = pipe.fit_predict(X)
    np.testing.assert_array_equal(labels, pipe.predict(X))
    assert pipe.fit_transform(X).shape == (50, 3)
    fitted = pipe[-1]
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.cluster_centers_, fitted.cluster_centers_)
    assert clone(fitted).get_params() == fitted.get_params()
    assert "n_clusters=3" in repr(fitted)


def test_defaults_are_scikit_learns() -> None:
    from sklearn import cluster

    assert KMeans().get_params() == cluster.KMeans().get_params()


def test_weights() -> None:
    """A weight is a repetition; 0 is absence; a common factor is nothing."""
    random = np.random.default_rng(1)
    w = random.integers(0, 4, 50)
    expected = KMeans(4, random_state=0).fit(np.repeat(X, w, axis=0))
    for factor in (1, 0.25, 8):
        found = KMeans(4, random_state=0).fit(X, sample_weight=factor * w)
        np.testing.assert_allclose(found.cluster_centers_, expected.cluster_centers_, rtol=1e-10)
        np.testing.assert_allclose(found.inertia_, factor * expected.inertia_, rtol=1e-10)
        np.testing.assert_array_equal(np.repeat(found.labels_, w), expected.labels_)
    np.testing.assert_array_equal(
        KMeans(4, random_state=0).fit(X, sample_weight=2.0).labels_,
        KMeans(4, random_state=0).fit(X).labels_,
    )


def test_elkan_is_the_same() -> None:
    found = [KMeans(4, algorithm=a, random_state=0).fit(X) for a in ("lloyd", "elkan")]
    np.testing.assert_array_equal(found[0].cluster_centers_, found[1].cluster_centers_)
    with pytest.warns(RuntimeWarning, match="algorithm='elkan' doesn't make sense for a single"):
        KMeans(1, algorithm="elkan").fit(X)


def test_fewer_distinct_samples_than_clusters() -> None:
    few = np.array([[0.0, 0], [0, 1], [1, 0], [1, 0], [1, 0]])
    message = (
        r"^Number of distinct clusters \(3\) found smaller than n_clusters \(5\)\. Possibly due to "
        r"duplicate points in X\.$"
    )
    for init in ("k-means++", "random", few):
        with pytest.warns(ConvergenceWarning, match=message):
            found = KMeans(5, init=init, n_init=1).fit(few)
        assert found.inertia_ == 0
        assert np.isfinite(found.cluster_centers_).all()


def test_an_array_and_several_runs() -> None:
    with pytest.warns(
        RuntimeWarning, match=r"performing only one init in KMeans instead of n_init=4"
    ):
        assert KMeans(2, init=X[:2], n_init=4).fit(X)._n_init == 1


def broken(value: float) -> Any:
    wrong = X.copy()
    wrong[7, 1] = value
    return wrong


@pytest.mark.parametrize(
    ("parameters", "data", "weights", "error", "message"),
    [
        ({}, broken(np.nan), None, ValueError, "Input X contains NaN"),
        ({}, broken(np.inf), None, ValueError, "Input X contains infinity"),
        ({}, broken(-np.inf)[:, 1:2].astype(np.float32), None, ValueError, "contains infinity"),
        ({"init": "random"}, broken(np.nan)[:, 1:2], None, ValueError, "Input X contains NaN"),
        ({"init": "optimal"}, broken(np.nan)[:, 1:2], None, ValueError, "Input X contains NaN"),
        ({"init": X[:2]}, broken(np.nan), None, ValueError, "Input X contains NaN"),
        ({}, X[:0], None, ValueError, r"Found array with 0 sample\(s\)"),
        ({}, X[:, :0], None, ValueError, r"Found array with 0 feature\(s\)"),
        ({}, X[:, 0], None, ValueError, "Expected 2D array, got 1D array instead"),
        ({}, X[0, 0], None, ValueError, "Expected 2D array, got scalar array instead"),
        ({}, X[None], None, ValueError, "Found array with dim 3"),
        ({}, X * 1j, None, ValueError, "Complex data not supported"),
        ({}, [["a", "b"]] * 9, None, ValueError, "could not convert string to float"),
        ({}, None, None, ValueError, "Expected 2D array, got scalar array instead"),
        ({"n_clusters": 51}, X, None, ValueError, "n_samples=50 should be >= n_clusters=51"),
        ({}, X, np.zeros(50), ValueError, "weights? must (contain|not be 0)"),
        ({}, X, np.ones(49), ValueError, r"sample_weight.shape == \(49,\), expected \(50,\)"),
        ({}, X, np.ones((50, 1)), ValueError, "Sample weights must be 1D array or scalar"),
        ({}, X, -np.ones(50), ValueError, "sample_weight must be at least 0, got -1"),
        ({}, X, np.full(50, np.nan), ValueError, "Input sample_weight contains NaN"),
        ({"n_clusters": 0}, X, None, ValueError, "n_clusters must be at least 1, got 0"),
        ({"n_clusters": 2.0}, X, None, TypeError, "n_clusters must be an integer at least 1"),
        ({"max_iter": 0}, X, None, ValueError, "max_iter must be at least 1, got 0"),
        ({"tol": -1}, X, None, ValueError, "tol must be a finite number at least 0, got -1"),
        ({"tol": "1"}, X, None, TypeError, "tol must be a finite number at least 0, got str '1'"),
        ({"n_init": 0}, X, None, ValueError, "n_init must be at least 1, got 0"),
        ({"n_init": "all"}, X, None, TypeError, "n_init must be an integer at least 1"),
        ({"init": "pca"}, X, None, ValueError, r"init must be 'k-means\+\+', .* got 'pca'"),
        ({"init": X[:3]}, X, None, ValueError, r"initial centers \(3, 3\) .*number of clusters 2"),
        ({"init": X[:2, :2]}, X, None, ValueError, r"centers \(2, 2\) .*number of features.* 3"),
        ({"init": broken(np.nan)[7:9]}, X, None, ValueError, "Input init contains NaN"),
        ({"init": lambda *_, **__: X[:8]}, X, None, ValueError, r"centers \(8, 3\)"),
        ({"init": "optimal"}, X, None, ValueError, "needs samples of one feature, got 3 features"),
        ({"algorithm": "full"}, X, None, ValueError, "algorithm must be 'lloyd' or 'elkan'"),
    ],
)
def test_mistakes(
    parameters: dict[str, Any], data: Any, weights: Any, error: type[Exception], message: str
) -> None:
    before = None if data is None else np.array(data)
    with pytest.raises(error, match=message):
        KMeans(**{"n_clusters": 2, "n_init": 1} | parameters).fit(data, sample_weight=weights)
    if isinstance(before, np.ndarray) and before.dtype.kind == "f":
        np.testing.assert_array_equal(data, before)


def test_numbers_too_large() -> None:
    with pytest.raises(ValueError, match="X must be finite, and so must be the squares"):
        KMeans(1, init=[[0.0]]).fit([[1.7e308], [1.7e308]])


def test_mistakes_of_a_fitted_one() -> None:
    found = KMeans(2, random_state=0).fit(X)
    for method in (found.predict, found.transform, found.score):
        with pytest.raises(ValueError, match="Input X contains NaN"):
            method(broken(np.nan))
        with pytest.raises(ValueError, match="X has 2 features, but KMeans is expecting 3"):
            method(X[:, :2])
    with pytest.raises(ValueError, match="at least 0"):
        found.score(X, None, -np.ones(50))
    for name in ("predict", "transform", "score"):
        with pytest.raises(NotFittedError):
            getattr(KMeans(), name)(X)


def test_sparse_samples_are_refused() -> None:
    from scipy.sparse import csr_array

    with pytest.raises(TypeError, match=r"Sparse data was passed.*, but dense data is required"):
        KMeans(2).fit(csr_array(X))
