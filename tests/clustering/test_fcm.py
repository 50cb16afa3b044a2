"""Fuzzy c-means: known answers, the slow reference, properties, bad input."""

from __future__ import annotations

import itertools
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import estimator_checks_generator

import tolerances
from invariances import at_any_threads
from lesionkit.clustering import FuzzyCMeans
from reference.clustering import fcm as reference

KINDS = (np.float32, np.float64)
ALLOWED = {np.float32: tolerances.CENTRES_OF_SINGLE, np.float64: tolerances.CENTRES}


def blobs(n: int, d: int, seed: int = 0, kind: Any = np.float64) -> Any:
    random = np.random.default_rng(seed)
    return (random.normal(size=(n, d)) + 4 * random.integers(0, 3, (n, 1))).astype(kind)


def fitted(X: Any, centres: Any, passes: int, weights: Any = None, **rest: Any) -> FuzzyCMeans:
    """Exactly so many passes from these centres."""
    rest = {"tol": 0, "max_iter": max(passes, 1), **rest}
    return FuzzyCMeans(len(centres), init=centres, **rest).fit(X, sample_weight=weights)


# Known answers


@pytest.mark.parametrize("kind", KINDS)
def test_three_points_on_a_line(kind: Any) -> None:
    """Of -1, 0, 1 in two clusters with m = 2 the centres are +-a with 3 a^4 + 6 a^2 = 5."""
    X = np.array([[-1.0], [0], [1]], kind)
    model = FuzzyCMeans(2, init=[[-1.0], [0.3]], tol=1e-14, max_iter=1000).fit(X)
    a = math.sqrt(math.sqrt(8 / 3) - 1)
    np.testing.assert_allclose(model.cluster_centers_.ravel(), [-a, a], rtol=ALLOWED[kind])
    inner = (1 - a) ** 2 / (2 + 2 * a * a)
    expected = [[1 - inner, inner], [0.5, 0.5], [inner, 1 - inner]]
    np.testing.assert_allclose(model.memberships_, expected, rtol=10 * ALLOWED[kind])
    assert model.labels_[[0, 2]].tolist() == [0, 1]  # the second is near a tie


def test_one_cluster_is_the_mean() -> None:
    X, weights = blobs(40, 3), np.arange(40.0)
    model = FuzzyCMeans(1, m=3.0).fit(X, sample_weight=weights)
    mean = np.average(X, axis=0, weights=weights)
    np.testing.assert_allclose(model.cluster_centers_, [mean], rtol=tolerances.CENTRES)
    spread = float(weights @ ((X - mean) ** 2).sum(axis=1))
    np.testing.assert_allclose(model.objective_, spread, rtol=tolerances.CENTRES)
    assert (model.memberships_ == 1).all()


def test_on_a_centre() -> None:
    """A sample on centres belongs to these alone, in equal parts; the label is the first."""
    X = np.array([[0.0, 0], [1, 1], [2, 2], [9, 9]])
    model = fitted(X, [[0.0, 0], [1, 1], [1, 1]], 1)
    model.cluster_centers_ = np.array([[0.0, 0], [1, 1], [1, 1]])
    u = model.predict_proba(X)
    assert u[:2].tolist() == [[1, 0, 0], [0, 0.5, 0.5]]
    assert model.predict(X).tolist() == [0, 1, 1, 1]


def test_a_centre_without_samples_stays() -> None:
    """All samples lie on other centres: nothing belongs to the third."""
    X = np.repeat([[0.0], [1.0]], 5, axis=0)
    model = fitted(X, [[0.0], [1], [7]], 4)
    assert model.cluster_centers_.ravel().tolist() == [0, 1, 7]
    assert model.objective_ == 0


# The estimator of scikit-learn


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(
    ("estimator", "check"),
    list(estimator_checks_generator(FuzzyCMeans())),
    ids=lambda x: getattr(getattr(x, "func", x), "__name__", ""),
)
def test_estimator_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_methods_agree() -> None:
    X = blobs(200, 2, kind=np.float32)
    model = FuzzyCMeans(3, random_state=0)
    labels = model.fit_predict(X)
    u, distances = model.predict_proba(X), model.transform(X)
    assert u.dtype == distances.dtype == model.cluster_centers_.dtype == np.float32
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, model.predict(X))
    np.testing.assert_array_equal(labels, distances.argmin(axis=1))
    np.testing.assert_allclose(u.sum(axis=1), 1, rtol=tolerances.SINGLE)
    np.testing.assert_array_equal(u, model.memberships_)
    np.testing.assert_allclose(model.score(X), -model.objective_, rtol=tolerances.SINGLE)
    for j in range(3):
        plane = np.empty(200, np.float32)
        model._membership(X, j, plane)
        np.testing.assert_array_equal(plane, u[:, j])
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(X), u)
    with pytest.raises(AttributeError, match=r"are not pickled; use predict_proba"):
        _ = loaded.memberships_


# The slow reference


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("m", [2.0, 1.5, 1.05, 4.0])
@pytest.mark.parametrize(("n", "d", "c"), [(301, 1, 4), (70, 2, 2), (130, 3, 5), (90, 7, 11)])
def test_as_the_reference(kind: Any, m: float, n: int, d: int, c: int) -> None:
    X = blobs(n, d, seed=c, kind=kind)
    start = X[:c].astype(float)
    weights = np.random.default_rng(1).integers(0, 4, n).astype(float)
    for given_weights in (None, weights):
        model = fitted(X, start, 3, given_weights, m=m)
        centres, u, objective = reference.fuzzy_c_means(X, start, m, 3, given_weights)
        allowed = ALLOWED[kind] * max(1.0, 1 / (m - 1))  # errors are raised to that power
        size = np.abs(X).max()
        np.testing.assert_allclose(model.cluster_centers_, centres, atol=allowed * size)
        np.testing.assert_allclose(model.objective_, objective, rtol=allowed)
        np.testing.assert_allclose(model.memberships_, u, atol=30 * allowed)
        distances = np.linalg.norm(X[:, None] - model.cluster_centers_.astype(float), axis=2)
        np.testing.assert_allclose(model.transform(X), distances, rtol=0, atol=allowed * size)
        assert (model.labels_ == distances.argmin(axis=1)).mean() > 0.99  # ties aside
        assert model.n_iter_ == 3


@pytest.mark.parametrize("m", [2.0, 1.3])
@pytest.mark.parametrize("weighted", [False, True])
def test_stops_with_the_memberships(m: float, weighted: bool) -> None:
    X = blobs(120, 2)
    weights = np.random.default_rng(1).integers(0, 4, 120).astype(float) if weighted else None
    model = FuzzyCMeans(3, m=m, init=X[:3], tol=1e-3, criterion="memberships")
    model.fit(X, sample_weight=weights)
    assert model.n_iter_ == reference.passes_until_still(X, X[:3], m, 1e-3, 300, weights)
    centres, _, objective = reference.fuzzy_c_means(X, X[:3], m, model.n_iter_, weights)
    np.testing.assert_allclose(model.cluster_centers_, centres, rtol=tolerances.CENTRES)
    np.testing.assert_allclose(model.objective_, objective, rtol=tolerances.CENTRES)


def test_stops_with_the_centres() -> None:
    X = blobs(300, 2)
    spread = math.sqrt(X.var(axis=0).mean())
    model = FuzzyCMeans(3, init=X[:3], tol=1e-3).fit(X)
    assert 1 < model.n_iter_ < 300
    ends = [fitted(X, X[:3], model.n_iter_ + k).cluster_centers_ for k in (-2, -1, 0)]
    shifts = [np.abs(b - a).max() for a, b in itertools.pairwise(ends)]
    assert shifts[0] > 1e-3 * spread >= shifts[1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("m", [2.0, 1.4])
def test_validity(kind: Any, m: float) -> None:
    X = blobs(151, 2, kind=kind)
    weights = np.random.default_rng(1).integers(0, 4, 151).astype(float)
    for given_weights in (None, weights):
        w = np.ones(151) if given_weights is None else given_weights
        model = FuzzyCMeans(3, m=m, random_state=0).fit(X, sample_weight=given_weights)
        centres = model.cluster_centers_.astype(float)
        _, u, objective = reference.fuzzy_c_means(X, centres, m, 0, w)
        nearest = min(math.dist(centres[i], centres[j]) for i in range(3) for j in range(i))
        found = model.validity(X, given_weights)
        expected = (
            w @ (u**2).sum(axis=1) / w.sum(),
            -w @ (u * np.log(np.maximum(u, 1e-300))).sum(axis=1) / w.sum(),
            objective / (w.sum() * nearest**2),
        )
        np.testing.assert_allclose(found, expected, rtol=tolerances.CENTRES)
    single = FuzzyCMeans(1).fit(X)
    assert single.validity(X) == (1.0, 0.0, 0.0)
    single.cluster_centers_ = np.repeat(single.cluster_centers_, 2, axis=0)
    assert single.validity(X)[2] == math.inf


# Properties


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 3])
@given(st.integers(0, 10**6), st.integers(2, 9), st.sampled_from([2.0, 1.2, 3.0]))
def test_the_objective_never_rises(kind: Any, d: int, seed: int, c: int, m: float) -> None:
    X = blobs(60, d, seed, kind)
    falling = [fitted(X, X[:c], passes, m=m).objective_ for passes in range(1, 8)]
    rounding = 1 + ALLOWED[kind]
    assert all(b <= a * rounding for a, b in itertools.pairwise(falling))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("d", "c", "m"), [(1, 4, 2.0), (3, 5, 2.0), (2, 9, 2.0), (2, 3, 1.4)])
def test_threads_change_no_bit(kind: Any, d: int, c: int, m: float) -> None:
    X = blobs(700_000 // (d * c), d, kind=kind)
    weights = np.random.default_rng(0).uniform(0, 2, len(X))

    def call() -> list[Any]:
        found: list[Any] = []
        for given_weights in (None, weights):
            for criterion in ("centers", "memberships"):
                model = FuzzyCMeans(c, m=m, init=X[:c], tol=1e-9, max_iter=4, criterion=criterion)
                model.fit(X, sample_weight=given_weights)
                found += [model.cluster_centers_, model.memberships_, model.labels_]
                found += [model.transform(X[:99]), model.objective_]
        return found

    at_any_threads(call)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16, *KINDS])
def test_counted_whole_numbers_are_the_same(kind: Any) -> None:
    """Against the same numbers, halved, as float64: they are not whole, and not counted."""
    random = np.random.default_rng(2)
    low, high = (-90, 120) if np.dtype(kind).kind != "u" else (3, 250)
    whole = random.integers(low, high, 9001)
    weights = random.integers(0, 3, 9001).astype(float)
    start = np.array([[low + 1.0], [20.0], [99.5]])
    halved = (whole[:, None] + 0.25) / 2
    for given_weights in (None, weights):
        counted = fitted(whole[:, None].astype(kind), start, 9, given_weights)
        direct = fitted(halved, (start + 0.25) / 2, 9, given_weights)
        expected = direct.cluster_centers_ * 2 - 0.25
        allowed = tolerances.SINGLE if kind == np.float32 else tolerances.CENTRES
        np.testing.assert_allclose(counted.cluster_centers_, expected, rtol=allowed)
        np.testing.assert_allclose(counted.objective_, 4 * direct.objective_, rtol=1e-12)
        np.testing.assert_array_equal(counted.labels_, direct.labels_)
        u = counted.memberships_
        assert u.dtype == (np.float32 if kind == np.float32 else np.float64)
        np.testing.assert_allclose(u, direct.memberships_, atol=30 * allowed)
        assert counted.n_iter_ == direct.n_iter_ == 9


@pytest.mark.parametrize("d", [1, 2])
def test_a_weight_is_a_repetition(d: int) -> None:
    X = blobs(300, d)
    times = np.random.default_rng(1).integers(0, 4, 300)
    for init in ("k-means++", X[:4]):
        model = FuzzyCMeans(4, init=init, n_init=1, random_state=3, tol=1e-12, max_iter=2000)
        weighted = model.fit(X, sample_weight=times).objective_
        repeated = model.fit(X.repeat(times, axis=0)).objective_
        np.testing.assert_allclose(weighted, repeated, rtol=1e-9)  # where both have stopped


def test_starts() -> None:
    X = blobs(500, 2)
    for init in ("k-means++", "random_centers", "random_membership"):
        models = [FuzzyCMeans(3, init=init, random_state=s).fit(X) for s in (1, 1, 2)]
        np.testing.assert_array_equal(models[0].cluster_centers_, models[1].cluster_centers_)
        assert (models[0].cluster_centers_ != models[2].cluster_centers_).any()
        best = FuzzyCMeans(3, init=init, n_init=5, random_state=1).fit(X)
        single = FuzzyCMeans(3, init=init, n_init=1, random_state=1).fit(X)
        assert best.objective_ <= single.objective_
    weights = np.zeros(500)
    weights[7:10] = 1.0
    model = FuzzyCMeans(3, init="random_centers", max_iter=1).fit(X, sample_weight=weights)
    np.testing.assert_allclose(np.sort(model.cluster_centers_, 0), np.sort(X[7:10], 0))


def test_any_memory_order_and_kind() -> None:
    X = blobs(100, 3)
    expected = fitted(X, X[:3], 5)
    wide = np.zeros((200, 6))
    wide[::2, ::2] = X
    locked = X.copy()
    locked.flags.writeable = False
    swapped = X.astype(">f8")
    for same in (np.asfortranarray(X), wide[::2, ::2], locked, swapped, X.tolist()):
        model = fitted(same, X[:3], 5)
        np.testing.assert_array_equal(model.cluster_centers_, expected.cluster_centers_)
        np.testing.assert_array_equal(model.predict_proba(same), expected.memberships_)
    start = X[:3].copy()
    FuzzyCMeans(3, init=start).fit(X)
    np.testing.assert_array_equal(start, X[:3])


# Numbers that float has no room for


@pytest.mark.parametrize("c", [3, 8, 12])
@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize(
    "change",
    [
        lambda X: X * np.float32(1e-30),
        lambda X: X * np.float32(1e30),
        lambda X: np.vstack([X, X[:1] + np.float32(1e25)]),
        lambda X: np.vstack([X * np.float32(1e-20), X[:1] + np.float32(1e5)]),
        lambda X: np.vstack([X, X[:1] * np.float32(3e4)]),
        lambda X: X + np.float32(1000),
        lambda X: X * np.float32(0) + np.float32(5),
    ],
)
def test_float32_as_float64(change: Any, d: int, c: int) -> None:
    X = change(blobs(3000, d, kind=np.float32))
    start = X[:c].astype(float)
    start[0] = X[-1]
    ours, exact = (fitted(X.astype(kind), start, 4) for kind in KINDS)
    span = np.ptp(X, axis=0).max() or 1.0
    error = np.abs(ours.cluster_centers_ - exact.cluster_centers_)
    assert (error <= tolerances.CENTRES_OF_SINGLE * (np.abs(exact.cluster_centers_) + span)).all()
    if exact.objective_ < 1e300:
        np.testing.assert_allclose(ours.objective_, exact.objective_, rtol=1e-5)
    u = ours.memberships_
    assert np.isfinite(u).all()
    np.testing.assert_allclose(u.sum(axis=1), 1, rtol=tolerances.SINGLE)


@pytest.mark.parametrize("kind", KINDS)
def test_eight_centres_close_together(kind: Any) -> None:
    """All within 1e-4 of the range: products of squares leave float."""
    random = np.random.default_rng(0)
    X = np.concatenate([random.normal(0, 1e-5, 400), [0, 1]])[:, None].astype(kind)
    start = np.linspace(-2e-5, 2e-5, 8)[:, None]
    model = fitted(X, start, 2)
    centres, u, objective = reference.fuzzy_c_means(X, start, 2.0, 2)
    np.testing.assert_allclose(model.cluster_centers_, centres, atol=1e-5 * ALLOWED[kind])
    np.testing.assert_allclose(model.memberships_, u, atol=30 * ALLOWED[kind])
    np.testing.assert_allclose(model.objective_, objective, rtol=ALLOWED[kind])


# Bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_clusters": 0}, "n_clusters must be at least 1, got 0"),
        ({"n_clusters": 2.0}, "n_clusters must be an integer"),
        ({"n_clusters": 21}, "n_samples=20 should be >= n_clusters=21"),
        ({"m": 1}, "m must be a finite number above 1.0, got 1"),
        ({"m": math.nan}, "m must be a finite number above 1.0, got nan"),
        ({"m": "2"}, "m must be a finite number"),
        ({"max_iter": 0}, "max_iter must be at least 1, got 0"),
        ({"tol": -1}, "tol must be a finite number at least 0.0, got -1"),
        ({"criterion": "U"}, "criterion must be 'centers' or 'memberships', got str 'U'"),
        ({"init": "k-medoids"}, "init must be one of k-means.*got 'k-medoids'"),
        ({"init": [[1.0]]}, r"init must have shape \(2, 3\)"),
        ({"init": [[np.nan] * 3] * 2}, "init must be finite, got 6 NaN"),
        ({"n_init": 0}, "n_init must be at least 1, got 0"),
        ({"n_init": "all"}, "n_init must be 'auto' or an integer at least 1, got 'all'"),
    ],
)
def test_mistakes_in_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        FuzzyCMeans(**{"n_clusters": 2, **settings}).fit(blobs(20, 3))


@pytest.mark.parametrize(
    ("X", "weights", "message"),
    [
        (np.full((5, 2), np.nan), None, "Input X contains NaN"),
        (np.array([[1.0], [np.inf]]), None, "Input X contains infinity"),
        (np.empty((0, 2)), None, r"Found array with 0 sample\(s\)"),
        (np.empty((3, 0)), None, r"0 feature\(s\)"),
        (np.arange(3.0), None, "Expected 2D array, got 1D array"),
        (np.ones((3, 1)) * 1j, None, "X must hold real numbers, .*Complex data not supported"),
        (np.ones((3, 1)), [0, 0, 0], "must contain at least one non-zero number"),
        (np.ones((3, 1)), [1, -1, 1], "sample_weight must be at least 0, got -1"),
        (np.ones((3, 1)), [1, np.nan, 1], "Input sample_weight contains NaN"),
        (np.ones((3, 1)), [1, 1], r"sample_weight.shape == \(2,\), expected \(3,\)"),
    ],
)
def test_mistakes_in_samples(X: Any, weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FuzzyCMeans(1).fit(X, sample_weight=weights)


def test_before_and_after() -> None:
    with pytest.raises(NotFittedError):
        FuzzyCMeans().predict(blobs(9, 1))
    with pytest.raises(NotFittedError):
        _ = FuzzyCMeans().memberships_
    model = FuzzyCMeans(2).fit(blobs(9, 2))
    for method in (model.predict, model.predict_proba, model.transform, model.score):
        with pytest.raises(ValueError, match="X has 3 features"):
            method(blobs(9, 3))
        with pytest.raises(ValueError, match="Input X contains NaN"):
            method(blobs(9, 2) * np.nan)
