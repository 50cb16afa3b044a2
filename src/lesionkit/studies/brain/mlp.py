"""The multilayer perceptron of the study, its penalty chosen on inner folds."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

Real = npt.NDArray[np.float64]
PENALTIES = (1e-2, 1.0, 10.0)  # its own 1e-4 leaves more free weights than there are regions
USUAL = 1.0  # where there are too few regions to choose on
INNER = 3  # folds, at most
HIDDEN = 20  # units
STEPS, SLOPE = 100, 3e-3  # it stops after so many, or where no slope is steeper


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
        parts = _parts(kind, groups)
        losses = [self._loss(X, kind, parts, penalty) for penalty in PENALTIES]
        self.penalty_ = PENALTIES[int(np.argmin(losses))] if parts else USUAL
        self.net_ = self._fitted(X, kind, self.penalty_)
        return self

    def predict_proba(self, X: Any) -> Real:
        """(samples, classes)"""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self.net_.predict_proba(X))

    def predict(self, X: Any) -> Any:
        """(samples,) classes."""
        told = self.predict_proba(X).argmax(1)
        return self.classes_[told]

    def _fitted(self, X: Real, kind: Any, penalty: float) -> MLPClassifier:
        net = MLPClassifier(
            (HIDDEN,), solver="lbfgs", alpha=penalty, max_iter=STEPS, tol=SLOPE,
            random_state=self.seed,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it stops where it is told to
            return net.fit(X, kind)

    def _loss(self, X: Real, kind: Any, parts: list[Any], penalty: float) -> float:
        """The sum of -log of what is held out, in all parts."""
        loss = 0.0
        for learnt, tested in parts:
            told = self._fitted(X[learnt], kind[learnt], penalty).predict_proba(X[tested])
            right = told[np.arange(len(tested)), kind[tested]]
            loss -= float(np.log(np.maximum(right, 1e-12)).sum())
        return loss


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
