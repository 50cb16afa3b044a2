"""Trees and rules: small ones by hand, and scikit-learn's checks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from lesionkit.studies.brain import trees
from lesionkit.studies.brain.trees import J48Like, PartLike

X = np.array([[0.0, 5], [1, 1], [2, 4], [3, 2], [4, 3], [5, 9], [6, 8], [7, 7]])
Y = np.array(list("aaaabbbb"))


@pytest.mark.parametrize("kind", [J48Like, PartLike])
def test_one_question_parts_two_kinds(kind: type) -> None:
    model = kind().fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), Y)
    np.testing.assert_array_equal(model.predict([[3.4, 0], [3.6, 0]]), ["a", "b"])
    np.testing.assert_array_equal(model.predict_proba(X).sum(1), np.ones(8))


def test_the_tree_and_the_rules() -> None:
    root = J48Like().fit(X, Y).tree_
    assert (root.column, root.threshold) == (0, 3.5)
    assert root.below is not None
    assert root.below.below is None
    rules = PartLike().fit(X, Y).rules_
    assert [len(tests) for tests, _ in rules] == [1, 0]
    assert sum(counts.sum() for _, counts in rules) == 8


def test_pessimistic_errors() -> None:
    """Quinlan's table: no errors among 6, 9 and 1 samples are .206, .143 and .750 of them; one
    among 16 is .157, for which Weka's normal distribution has .155."""
    for n, share in ((6, 0.206), (9, 0.143), (1, 0.750)):
        assert trees._more(n, 0) / n == pytest.approx(share, abs=5e-4)
    assert 1 + trees._more(16, 1) == pytest.approx(16 * 0.1547, abs=0.005)


def test_noise_is_pruned_away() -> None:
    random = np.random.default_rng(0)
    model = J48Like().fit(random.normal(size=(60, 4)), np.arange(60) % 5 == 0)
    assert model.tree_.below is None  # the majority is better than any question


def test_rules_follow_a_staircase() -> None:
    x = np.linspace(0, 1, 200)[:, None]
    y = (x[:, 0] * 5).astype(int) % 2
    for kind in (J48Like, PartLike):
        assert (kind().fit(x, y).predict(x) == y).mean() > 0.97


@parametrize_with_checks([J48Like(), PartLike()])
def test_estimators_keep_scikit_learns_ways(estimator: object, check: object) -> None:
    check(estimator)  # type: ignore[operator]
