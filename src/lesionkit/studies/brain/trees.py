"""Trees and rules like Weka's J48 and PART, for tables of numbers without gaps.

Quinlan, C4.5: Programs for Machine Learning, 1993; Frank and Witten, "Generating accurate rule sets
without global optimization", ICML 1998; both recalled. Unlike J48 there is no subtree raising, and
unlike PART each rule comes from a whole pruned tree and not from a part of one: hence "like".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

Real = npt.NDArray[np.float64]
LEAST = 2  # samples of a leaf
CONFIDENCE = 0.25
Z = 0.6744897501960817  # of the normal distribution, one-sided, at CONFIDENCE
MOST_SPLIT = 25  # C4.5: no side of a split need have more samples than this


@dataclass
class Node:
    """A leaf, or a question and two answers."""

    counts: Real  # (classes,) training samples
    column: int = -1
    threshold: float = 0.0
    below: Node | None = None  # values <= threshold
    above: Node | None = None

    @property
    def errors(self) -> float:
        """What a leaf here would get wrong, pessimistically."""
        n, wrong = float(self.counts.sum()), float(self.counts.sum() - self.counts.max())
        return wrong + _more(n, wrong)


def _more(n: float, wrong: float) -> float:
    """Errors to add to those seen: the upper end of their interval at CONFIDENCE."""
    if n == 0:
        return 0.0
    if wrong < 1:
        base = float(n * (1 - CONFIDENCE ** (1 / n)))
        return base + wrong * (_more(n, 1.0) - base) if wrong else base
    if wrong + 0.5 >= n:
        return max(n - wrong, 0.0)
    share = (wrong + 0.5) / n
    root = np.sqrt(share / n - share**2 / n + Z**2 / (4 * n * n))
    upper = (share + Z**2 / (2 * n) + Z * root) / (1 + Z**2 / n)
    return float(upper * n - wrong)


def _entropy(counts: Real, n: Real) -> Real:
    """Bits times samples, over the last axis."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(counts > 0, counts * np.log2(counts / n[..., None]), 0.0)
    total: Real = -bits.sum(-1)
    return total


class _Split(NamedTuple):
    column: int
    threshold: float


def _best(X: Real, hot: Real) -> _Split | None:
    """The split of C4.5: the best gain ratio among columns of at least the mean gain."""
    n, classes = hot.shape
    least = int(min(max(0.1 * n / classes, LEAST), MOST_SPLIT))
    if n < 2 * least:
        return None
    order = X.argsort(0, kind="stable")
    sorted_ = np.take_along_axis(X, order, 0)
    left = hot[order].cumsum(0)[:-1]  # (n - 1, columns, classes)
    total = hot.sum(0)
    count = np.arange(1.0, n)[:, None] + np.zeros(X.shape[1])
    free = sorted_[1:] > sorted_[:-1]
    places = free.sum(0)
    allowed = free & (count >= least) & (n - count >= least)
    whole = float(_entropy(total, np.array(float(n))))
    gain = (whole - _entropy(left, count) - _entropy(total - left, n - count)) / n
    gain = np.where(allowed, gain, -np.inf)
    row = gain.argmax(0)
    columns = np.arange(X.shape[1])
    best = gain[row, columns] - np.log2(np.maximum(places, 1)) / n  # for the choice of a threshold
    good = np.isfinite(best) & (best > 1e-9)
    if not good.any():
        return None
    share = (row + 1) / n
    worth = best / -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    worth[~good | (best < best[good].mean() - 1e-3)] = -np.inf
    column = int(worth.argmax())
    low, high = sorted_[row[column] : row[column] + 2, column]
    middle = (low + high) / 2
    return _Split(column, float(middle if middle < high else low))


def grown(X: Real, hot: Real) -> Node:
    """A tree of all samples, pruned: a subtree that does no better than a leaf becomes one.

    hot : (n, classes) 1 in the column of a sample's class
    """
    node = Node(hot.sum(0))
    split = None if node.counts.max() == len(hot) else _best(X, hot)
    if split is not None:
        below = X[:, split.column] <= split.threshold
        node.column, node.threshold = split
        node.below, node.above = grown(X[below], hot[below]), grown(X[~below], hot[~below])
        if node.errors <= _errors(node) + 0.1:
            node.column, node.below, node.above = -1, None, None
    return node


def _errors(node: Node) -> float:
    if node.below is None or node.above is None:
        return node.errors
    return _errors(node.below) + _errors(node.above)


class _Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """What trees and rules share."""

    def fit(self, X: Any, y: Any) -> Self:
        """X : (samples, columns) finite numbers; y : (samples,) classes."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, index = np.unique(y, return_inverse=True)
        self._learn(X, np.eye(len(self.classes_))[index])
        return self

    def predict_proba(self, X: Any) -> Real:
        """(samples, classes) shares of the training samples in the leaf or under the rule."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self._shares(X)

    def predict(self, X: Any) -> Any:
        """(samples,) the class of the greatest share; the first of equals."""
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(1)]

    def _learn(self, X: Real, hot: Real) -> None:
        raise NotImplementedError

    def _shares(self, X: Real) -> Real:
        raise NotImplementedError


class J48Like(_Classifier):
    """C4.5's tree: gain ratio, leaves of two samples or more, pruned at confidence .25.

    tree_ : the root
    """

    def _learn(self, X: Real, hot: Real) -> None:
        self.tree_ = grown(X, hot)

    def _shares(self, X: Real) -> Real:
        return np.array([self._leaf(row) for row in X]).reshape(len(X), len(self.classes_))

    def _leaf(self, row: Real) -> Real:
        node = self.tree_
        while node.below is not None and node.above is not None:
            node = node.below if row[node.column] <= node.threshold else node.above
        share: Real = node.counts / node.counts.sum()
        return share


class Test(NamedTuple):
    """One condition of a rule."""

    column: int
    threshold: float
    above: bool

    def holds(self, X: Real) -> npt.NDArray[np.bool_]:
        """(samples,) of which it holds."""
        higher: npt.NDArray[np.bool_] = X[:, self.column] > self.threshold
        return higher if self.above else ~higher


class PartLike(_Classifier):
    """Rules, one after another: each is the leaf of most samples of a tree of what is left.

    rules_ : (conditions, (classes,) counts) each; the last has no condition
    """

    def _learn(self, X: Real, hot: Real) -> None:
        self.rules_: list[tuple[tuple[Test, ...], Real]] = []
        while len(X):
            rule = max(_leaves(grown(X, hot)), key=lambda leaf: leaf[1].sum())
            self.rules_.append(rule)
            covered = _covered(rule[0], X)
            X, hot = X[~covered], hot[~covered]
        if self.rules_[-1][0]:  # what no rule covers
            self.rules_.append(((), np.sum([counts for _, counts in self.rules_], axis=0)))

    def _shares(self, X: Real) -> Real:
        shares = np.zeros((len(X), len(self.classes_)))
        left = np.ones(len(X), bool)
        for tests, counts in self.rules_:
            here = left & _covered(tests, X)
            shares[here] = counts / counts.sum()
            left &= ~here
        return shares


def _covered(tests: tuple[Test, ...], X: Real) -> npt.NDArray[np.bool_]:
    inside = np.ones(len(X), bool)
    for test in tests:
        inside &= test.holds(X)
    return inside


def _leaves(node: Node, tests: tuple[Test, ...] = ()) -> list[tuple[tuple[Test, ...], Real]]:
    if node.below is None or node.above is None:
        return [(tests, node.counts)]
    low, high = (Test(node.column, node.threshold, above) for above in (False, True))
    return _leaves(node.below, (*tests, low)) + _leaves(node.above, (*tests, high))
