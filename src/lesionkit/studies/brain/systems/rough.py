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
    group = np.zeros(len(classes), np.int64)
    for bins in np.asarray(binned).T:
        group = _parted(group, bins)
    return _told(group, classes)


def _parted(group: Bins, bins: Bins) -> Bins:
    """The groups 0, 1, ... of those who were together and have one bin."""
    found: Bins = np.unique(group * (bins.max() + 1) + bins, return_inverse=True)[1]
    return found


def _told(group: Bins, classes: Bins) -> float:
    """The share of samples in whose group no sample of another class is."""
    kinds = int(classes.max()) + 1
    counts = np.bincount(group * kinds + classes, minlength=(int(group.max()) + 1) * kinds)
    table = counts.reshape(-1, kinds)
    pure = (table > 0).sum(1) == 1
    return float(table[pure].sum() / len(classes))


def reduct(binned: Any, classes: Bins) -> list[int]:
    """QuickReduct: the column that raises gamma most, again and again, to that of all columns; of
    equal ones the first."""
    whole, reached = dependency(binned, classes), 0.0
    chosen: list[int] = []
    group = np.zeros(len(classes), np.int64)
    while reached < whole or not chosen:
        left = [c for c in range(binned.shape[1]) if c not in chosen]
        groups = [_parted(group, binned[:, c]) for c in left]
        gains = [_told(one, classes) for one in groups]
        reached = max(gains)
        best = gains.index(reached)
        chosen.append(left[best])
        group = groups[best]
    return chosen
