"""The multilayer perceptron of the study, its penalty chosen on inner folds.

scikit-learn's MLPClassifier(20, solver="lbfgs") for two classes: the same first weights, loss,
penalty and steps, equal to rounding, in half of the time. Each choice of a penalty trains nine.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

Real = npt.NDArray[np.float64]
PENALTIES = (1e-2, 1.0, 10.0)  # its own 1e-4 leaves more free weights than there are regions
USUAL = 1.0  # where there are too few regions to choose on
INNER = 3  # folds, at most
HIDDEN = 20  # units
STEPS, SLOPE = 100, 3e-3  # it stops after so many, or where no slope is steeper


class Net(NamedTuple):
    """One hidden layer: its weights (columns, HIDDEN), its biases, and the same of the output."""

    first: Real
    bias: Real
    second: Real
    last: Any

    def probability(self, X: Real) -> Real:
        """(samples,) of the second class."""
        found: Real = expit(np.maximum(X @ self.first + self.bias, 0) @ self.second + self.last)
        return found


def _cut(weights: Real, columns: int) -> Net:
    many = columns * HIDDEN
    first, bias, second, last = np.split(weights, [many, many + HIDDEN, many + 2 * HIDDEN])
    return Net(first.reshape(columns, HIDDEN), bias, second, last[0])


def trained(X: Real, second: Real, penalty: float, seed: int) -> Net:
    """L-BFGS from Glorot's weights (Glorot and Bengio, AISTATS 2010) on the cross entropy and half
    the squared weights times the penalty, both by sample.

    X : (samples, columns);  second : (samples,) 1 in the second class, else 0
    """
    samples, columns = X.shape
    random = np.random.RandomState(seed)
    widths = (np.sqrt(6 / (columns + HIDDEN)), np.sqrt(6 / (HIDDEN + 1)))
    sizes = ((columns * HIDDEN, HIDDEN), (HIDDEN, 1))
    start = np.concatenate([
        random.uniform(-width, width, size)
        for width, pair in zip(widths, sizes, strict=True)
        for size in pair
    ])  # fmt: skip

    def loss(weights: Real) -> tuple[float, Real]:
        net = _cut(weights, columns)
        hidden = X @ net.first
        hidden += net.bias
        np.maximum(hidden, 0, out=hidden)
        output = hidden @ net.second + net.last
        entropy = np.logaddexp(0, output).sum() - second @ output
        off = (expit(output) - second) / samples
        back = np.multiply.outer(off, net.second)
        back *= hidden > 0
        slope = np.concatenate([
            (X.T @ back + penalty / samples * net.first).ravel(), back.sum(0),
            hidden.T @ off + penalty / samples * net.second, [off.sum()],
        ])  # fmt: skip
        squares = np.vdot(net.first, net.first) + net.second @ net.second
        return float((entropy + 0.5 * penalty * squares) / samples), slope

    limits = {"maxiter": STEPS, "gtol": SLOPE}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=limits)
    return _cut(found.x, columns)


class Mlp(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One layer of 20 units by L-BFGS, for standardised columns.

    Its penalty is the one of PENALTIES with the least cross entropy in inner folds of what is
    learnt from: of whole groups, three at most, where `fit` is given two or more; else of samples.
    Too few for that: 1.

    seed : of the weights
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """X : (samples, columns); y : (samples,) classes; groups : (samples,) or None"""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, kind = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(f"y must hold two classes, got {len(self.classes_)}")
        parts = _parts(kind, groups)
        losses = [self._loss(X, kind, parts, penalty) for penalty in PENALTIES]
        self.penalty_ = PENALTIES[int(np.argmin(losses))] if parts else USUAL
        self.net_ = self._fitted(X, kind, self.penalty_)
        return self

    def predict_proba(self, X: Any) -> Real:
        """(samples, classes)"""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return _both(self.net_.probability(X))

    def predict(self, X: Any) -> Any:
        """(samples,) classes."""
        told = self.predict_proba(X).argmax(1)
        return self.classes_[told]

    def _fitted(self, X: Real, kind: Any, penalty: float) -> Net:
        return trained(X, kind.astype(float), penalty, self.seed)

    def _loss(self, X: Real, kind: Any, parts: list[Any], penalty: float) -> float:
        """The sum of -log of what is held out, in all parts."""
        loss = 0.0
        for learnt, tested in parts:
            told = _both(self._fitted(X[learnt], kind[learnt], penalty).probability(X[tested]))
            right = told[np.arange(len(tested)), kind[tested]]
            loss -= float(np.log(np.maximum(right, 1e-12)).sum())
        return loss


def _both(second: Real) -> Real:
    """(samples, 2) probabilities."""
    return np.stack([1 - second, second], 1)


def _parts(kind: Any, groups: Any) -> list[Any]:
    """Inner folds, each with all classes to learn from; none where there is too little."""
    many = 0 if groups is None else len(np.unique(groups))
    if many >= 2:
        found = list(GroupKFold(min(many, INNER)).split(kind, kind, groups))
    elif np.bincount(kind).min() >= INNER:
        found = list(StratifiedKFold(INNER).split(kind, kind))
    else:
        found = []
    whole = all(len(np.unique(kind[learnt])) == kind.max() + 1 for learnt, _ in found)
    return found if whole else []
