"""Rough sets: principal components in bins, and the fewest of them that tell the classes apart."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

Bins = npt.NDArray[np.int64]
SHARE = 0.95  # of the variance that the components keep
COUNT = 5  # bins, of equal frequency


class PcaReduct(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """PCA scores, of which QuickReduct keeps those whose bins tell the classes apart.

    Chouchoulas and Shen, "Rough set-aided keyword reduction", 2001 (QuickReduct, recalled); Alabbas
    et al., 2020, as the paper cites it. columns_ : the kept components, in the order of choice
    """

    def fit(self, X: Any, y: Any) -> Self:
        """X : (samples, columns) finite numbers; y : (samples,) classes."""
        self.scaler_ = StandardScaler().fit(X)
        self.pca_ = PCA(SHARE).fit(self.scaler_.transform(X))
        scores = self._scores(X)
        edges = np.quantile(scores, np.arange(1, COUNT) / COUNT, axis=0)
        binned = np.stack(
            [np.searchsorted(e, s, side="left") for e, s in zip(edges.T, scores.T, strict=True)], 1
        )
        self.columns_ = reduct(binned, np.unique(y, return_inverse=True)[1])
        return self

    def transform(self, X: Any) -> Any:
        """(samples, kept components)."""
        return self._scores(X)[:, self.columns_]

    def _scores(self, X: Any) -> Any:
        return self.pca_.transform(self.scaler_.transform(X))


def dependency(binned: Any, classes: Bins) -> float:
    """gamma: the share of samples whose bins no sample of another class has."""
    _, group = np.unique(binned, axis=0, return_inverse=True)
    counts = np.zeros((group.max() + 1, classes.max() + 1), np.int64)
    np.add.at(counts, (group.ravel(), classes), 1)
    pure = (counts > 0).sum(1) == 1
    return float(counts[pure].sum() / len(classes))


def reduct(binned: Any, classes: Bins) -> list[int]:
    """QuickReduct: the column that raises gamma most, again and again, to that of all columns; of
    equal ones the first."""
    whole, reached = dependency(binned, classes), 0.0
    chosen: list[int] = []
    while reached < whole or not chosen:
        left = [c for c in range(binned.shape[1]) if c not in chosen]
        gains = [dependency(binned[:, [*chosen, c]], classes) for c in left]
        reached = max(gains)
        chosen.append(left[gains.index(reached)])
    return chosen
