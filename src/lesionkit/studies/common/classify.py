"""How classifiers did on what they had not seen: rates, kappa, intervals, curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float64]
Z95 = 1.959963984540054  # of the normal distribution, two-sided


class Result(NamedTuple):
    """How one classifier did on samples that it had not seen.

    Attributes
    ----------
    name : str
        Of the classifier.
    classes : tuple of str
        The order of classes in the rest.
    predicted : (n,) array of str
        The class of each sample.
    scores : (n, classes) array
        The larger, the surer.
    confusion : (classes, classes) array of int
        True by predicted.
    seconds : float
        Of training, a median over the folds.
    """

    name: str
    classes: tuple[str, ...]
    predicted: npt.NDArray[np.str_]
    scores: Real
    confusion: npt.NDArray[np.int64]
    seconds: float

    @property
    def accuracy(self) -> float:
        """The fraction of all samples that is right."""
        return float(self.confusion.trace() / self.confusion.sum())

    @property
    def tpr(self) -> Real:
        """Fraction of each kind's samples that is called so, (classes,); FNR is 1 less this."""
        return np.asarray(self.confusion.diagonal() / self.confusion.sum(1))

    @property
    def tnr(self) -> Real:
        """Fraction of all other samples not called so, (classes,); FPR is 1 less this."""
        others = self.confusion.sum() - self.confusion.sum(1)
        wrong = self.confusion.sum(0) - self.confusion.diagonal()
        return np.asarray(1 - wrong / others)

    @property
    def sensitivity(self) -> float:
        """The mean of the kinds' TPR, one against the rest."""
        return float(self.tpr.mean())

    @property
    def specificity(self) -> float:
        """The mean of the kinds' TNR, one against the rest."""
        return float(self.tnr.mean())

    @property
    def tp_rate(self) -> float:
        """TPR weighted by how many samples each class has, as Weka prints it: the accuracy."""
        return float(self.tpr @ self.confusion.sum(1) / self.confusion.sum())

    @property
    def fp_rate(self) -> float:
        """FPR weighted by how many samples each class has, as Weka prints it."""
        return float((1 - self.tnr) @ self.confusion.sum(1) / self.confusion.sum())

    @property
    def kappa(self) -> float:
        """Cohen's: what is right beyond chance."""
        return kappa(self.confusion)


def kappa(confusion: Any) -> float:
    """Cohen's kappa of a confusion matrix; 0 where chance alone gets all right."""
    counts = np.asarray(confusion, float)
    share = counts / counts.sum()
    chance = float(share.sum(0) @ share.sum(1))
    return float((share.trace() - chance) / (1 - chance)) if chance < 1 else 0.0


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 per cent interval of a share seen in n independent samples (Wilson, 1927)."""
    z = Z95**2 / n
    middle = (share + z / 2) / (1 + z)
    half = Z95 * np.sqrt(share * (1 - share) / n + z / (4 * n)) / (1 + z)
    return float(middle - half), float(middle + half)


def scores_of(model: Any, values: Real, classes: Sequence[Any]) -> Real:
    """(n, classes) in the order of `classes`: probabilities, or an SVM's sums of votes."""
    if hasattr(model, "predict_proba"):
        scores = model.predict_proba(values)
    else:
        scores = model.decision_function(values)
        if scores.ndim == 1:  # of two classes
            scores = np.stack([-scores, scores], 1)
    return np.asarray(scores)[:, [list(model.classes_).index(name) for name in classes]]
