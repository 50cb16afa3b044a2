"""The least-squares support vector machine: one linear system."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

Real = npt.NDArray[np.float64]
GAMMAS = (0.1, 1.0, 10.0, 100.0)
INNER = 3


class LsSvm(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Two classes by [0 1'; 1 K + I / g] [b; a] = [0; y], with K = exp(-|x - y|^2 / columns).

    Suykens and Vandewalle, Neural Processing Letters 9, 293, 1999. g is the one of GAMMAS with the
    fewest errors in three inner folds, the least of equals.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """X : (samples, columns), standardised; y : (samples,) two classes."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, kind = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(
                "Only binary classification is supported. y must hold two classes, got "
                f"{len(self.classes_)} class{'es' * (len(self.classes_) != 1)}"
            )
        sign = np.where(kind == 1, 1.0, -1.0)
        kernel = rbf_kernel(X)
        self.gamma_ = GAMMAS[0]
        if np.bincount(kind).min() >= INNER:
            parts = list(StratifiedKFold(INNER).split(X, kind))
            wrong = [self._errors(kernel, sign, gamma, parts) for gamma in GAMMAS]
            self.gamma_ = GAMMAS[wrong.index(min(wrong))]
        self.support_, self.bias_ = _solved(kernel, sign, self.gamma_)
        self.points_ = X
        return self

    @staticmethod
    def _errors(kernel: Real, sign: Real, gamma: float, parts: Any) -> int:
        wrong = 0
        for learnt, tested in parts:
            weights, bias = _solved(kernel[np.ix_(learnt, learnt)], sign[learnt], gamma)
            told = kernel[np.ix_(tested, learnt)] @ weights + bias
            wrong += int(((told > 0) != (sign[tested] > 0)).sum())
        return wrong

    def decision_function(self, X: Any) -> Real:
        """(samples,) above 0 for the second class."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        told: Real = rbf_kernel(X, self.points_) @ self.support_ + self.bias_
        return told

    def predict(self, X: Any) -> Any:
        """(samples,) classes."""
        second = self.decision_function(X) > 0
        return self.classes_[second.astype(int)]


def _solved(kernel: Real, sign: Real, gamma: float) -> tuple[Real, float]:
    n = len(sign)
    system = np.zeros((n + 1, n + 1))
    system[0, 1:] = system[1:, 0] = 1
    system[1:, 1:] = kernel + np.eye(n) / gamma
    answer = np.linalg.solve(system, np.concatenate([[0.0], sign]))
    return answer[1:], float(answer[0])
