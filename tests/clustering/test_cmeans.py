"""scikit-fuzzy's names: the slow reference of its loop, its conventions, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tolerances
from invariances import at_any_threads
from lesionkit.clustering import cmeans, cmeans_predict
from reference.clustering import fcm as reference


def blobs(features: int, samples: int, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    return random.normal(size=(features, samples)) + 4 * random.integers(0, 3, samples)


def fractions(c: int, n: int) -> Any:
    u = np.random.default_rng(5).uniform(size=(c, n))
    return u / u.sum(axis=0)


@pytest.mark.parametrize("m", [2, 1.3, 4.0])
@pytest.mark.parametrize(("features", "c"), [(1, 3), (2, 2), (4, 9)])
def test_as_the_reference(m: float, features: int, c: int) -> None:
    data, u0 = blobs(features, 90), fractions(c, 90)
    for error, maxiter in ((0.05, 40), (0, 7), (1e9, 5)):
        cntr, u, given, d, jm, p, fpc = cmeans(data, c, m, error, maxiter, init=u0)
        centres, memberships, history = reference.cmeans(data.T, u0, m, error, maxiter)
        assert p == len(history)
        assert given is u0
        allowed = tolerances.CENTRES * max(1.0, 1 / (m - 1))
        np.testing.assert_allclose(cntr, centres, rtol=allowed, atol=allowed)
        np.testing.assert_allclose(u, memberships, rtol=0, atol=allowed)
        np.testing.assert_allclose(jm, history, rtol=allowed)
        distances = np.linalg.norm(data.T - centres[:, None], axis=2)
        np.testing.assert_allclose(d, distances, rtol=0, atol=100 * allowed)
        np.testing.assert_allclose(fpc, (memberships**2).sum() / 90, rtol=allowed)


def test_memberships_that_do_not_add_up() -> None:
    """They are divided by their sum; the first change is that from the given numbers."""
    data, u0 = blobs(2, 50), 3 * fractions(3, 50)
    _, _, _, _, jm, p, _ = cmeans(data, 3, 2, 4.0, 20, init=u0)
    _, _, history = reference.cmeans(data.T, u0, 2, 4.0, 20)
    assert p == len(history) > 1
    np.testing.assert_allclose(jm, history, rtol=tolerances.CENTRES)


def test_random_start() -> None:
    """As numpy.random.rand draws it; a seed does not touch numpy.random's own state."""
    data = blobs(2, 60)
    np.random.seed(7)  # noqa: NPY002
    drawn = np.random.rand(3, 60)  # noqa: NPY002
    after = np.random.rand()  # noqa: NPY002
    expected = drawn / drawn.sum(axis=0)
    np.random.seed(7)  # noqa: NPY002
    without = cmeans(data, 3, 2, 1e-3, 5)
    np.random.seed(7)  # noqa: NPY002
    np.random.rand(3, 60)  # noqa: NPY002
    with_seed = cmeans(data, 3, 2, 1e-3, 5, seed=7)
    assert np.random.rand() == after  # noqa: NPY002
    for result in (without, with_seed):
        np.testing.assert_array_equal(result[2], expected)
        np.testing.assert_array_equal(result[0], without[0])


def test_predict() -> None:
    data, test = blobs(3, 200), blobs(3, 70, seed=1)
    cntr, *_ = cmeans(data, 3, 2, 1e-4, 100, seed=1)
    u0 = fractions(3, 70)
    expected = np.array([reference.memberships(x, cntr, 2) for x in test.T]).T
    distances = np.linalg.norm(test.T - cntr[:, None], axis=2)
    first, then = ((u**2 * distances**2).sum() for u in (u0, expected))
    for error, maxiter, passes in ((1e-3, 50, 2), (1e9, 50, 1), (0, 4, 4), (1e-3, 1, 1)):
        u, given, d, jm, p, fpc = cmeans_predict(test, cntr, 2, error, maxiter, init=u0)
        assert p == passes
        assert given is u0
        np.testing.assert_allclose(u, expected, rtol=tolerances.CENTRES)
        np.testing.assert_allclose(d, distances, rtol=tolerances.CENTRES)
        np.testing.assert_allclose(jm, [first, *[then] * (p - 1)], rtol=tolerances.CENTRES)
        np.testing.assert_allclose(fpc, (expected**2).sum() / 70, rtol=tolerances.CENTRES)
    drawn = np.random.RandomState(4).rand(3, 70)
    given = cmeans_predict(test, cntr, 2, 0.1, 9, seed=4)[1]
    np.testing.assert_array_equal(given, drawn / drawn.sum(axis=0))


def test_other_metrics() -> None:
    """The general way is the fast one where both can go; another metric has other distances."""
    data, u0 = blobs(2, 80), fractions(3, 80)
    fast = cmeans(data, 3, 2, 1e-3, 30, init=u0)
    slow = cmeans(data, 3, 2, 1e-3, 30, "minkowski", init=u0)  # with p = 2
    for ours, theirs in zip(fast, slow, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerances.CENTRES, atol=1e-10)
    cntr, _, _, d, *_ = cmeans(data, 3, 2, 1e-3, 30, "cityblock", init=u0)
    np.testing.assert_allclose(d, np.abs(data.T - cntr[:, None]).sum(axis=2), rtol=1e-12)
    predicted = cmeans_predict(data, cntr, 2, 1e-3, 30, "cityblock", init=u0)
    np.testing.assert_allclose(predicted[2], d, rtol=1e-12)
    assert predicted[4] == 2


def test_a_sample_on_a_centre() -> None:
    data = np.array([[0.0, 0, 5, 5]])
    cntr, u, _, d, *_ = cmeans(
        data, 2, 2, 1e-9, 100, init=[[0.9, 0.8, 0.1, 0.2], [0.1, 0.2, 0.9, 0.8]]
    )
    np.testing.assert_allclose(cntr, [[0], [5]], atol=1e-9)
    np.testing.assert_allclose(u, [[1, 1, 0, 0], [0, 0, 1, 1]], atol=1e-9)
    assert d.min() == np.finfo(float).eps  # as there


@pytest.mark.parametrize("m", [2, 1.5])
def test_threads_change_no_bit(m: float) -> None:
    data, u0 = blobs(2, 300_000), fractions(3, 300_000)
    at_any_threads(lambda: cmeans(data, 3, m, 1e-9, 3, init=u0))


def test_kinds_of_data() -> None:
    data = np.round(blobs(2, 60) * 10)
    expected = cmeans(data, 3, 2, 1e-3, 9, seed=1)[0]
    for same in (data.astype(int), data.astype(np.float32), np.asfortranarray(data), data.tolist()):
        cntr = cmeans(same, 3, 2, 1e-3, 9, seed=1)[0]
        assert cntr.dtype == np.float64
        np.testing.assert_array_equal(cntr, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": np.ones(5)}, r"data must have shape \(features, samples\)"),
        ({"data": np.empty((2, 0))}, "data must not be empty"),
        ({"data": np.full((2, 9), np.inf)}, "data must be finite, got 18 NaN or infinite"),
        ({"c": 0}, "c must be at least 1, got 0"),
        ({"c": 2.5}, "c must be an integer"),
        ({"m": 1}, "m must be a finite number above 1.0, got 1"),
        ({"error": np.nan}, "error must be a finite number, got nan"),
        ({"maxiter": 0}, "maxiter must be at least 1, got 0"),
        ({"init": np.ones((2, 9))}, r"init must have shape \(3, 9\)"),
        ({"metric": "straight"}, "straight"),
    ],
)
def test_mistakes(change: dict[str, Any], message: str) -> None:
    settings = {"data": blobs(2, 9), "c": 3, "m": 2, "error": 0.1, "maxiter": 9, **change}
    with pytest.raises((ValueError, TypeError), match=message):
        cmeans(**settings)


def test_mistakes_of_predict() -> None:
    with pytest.raises(ValueError, match=r"cntr_trained must have shape \(c, 2\)"):
        cmeans_predict(blobs(2, 9), np.ones((3, 4)), 2, 0.1, 5)
    with pytest.raises(ValueError, match="test_data must be finite"):
        cmeans_predict(blobs(2, 9) * np.nan, np.ones((3, 2)), 2, 0.1, 5)


def test_no_centres_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^cntr_trained must hold a centre or more, got none$"):
        cmeans_predict(np.ones((2, 5)), np.zeros((0, 2)), 2.0, 0.1, 3)
    with pytest.raises(ValueError, match=r"^c must be "):
        cmeans(np.ones((2, 5)), 0, 2.0, 0.1, 3)
