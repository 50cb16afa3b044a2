"""How well numbers tell two kinds of patients apart: AUC, with an interval over patients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Real = npt.NDArray[np.float64]
DRAWS = 2000
FOLDS, REPEATS = 10, 10


class Auc(NamedTuple):
    """The area under the ROC curve, and the middle 95 per cent of it over drawn patients."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.2f}-{self.high:.2f})"


def area(positive: Any, scores: Any) -> float:
    """The fraction of pairs of a positive and a negative in which the positive scores higher; ties
    count a half. positive : (n,) booleans; scores : (n,)"""
    from scipy.stats import rankdata

    positive = np.asarray(positive, bool)
    hits, others = int(positive.sum()), int((~positive).sum())
    ranks = rankdata(np.asarray(scores, float))
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * others))


def curve(positive: Any, scores: Any, rates: Any) -> Real:
    """The ROC curve: the true positive rate at each false positive rate in `rates`, straight
    between the points that thresholds give. positive : (n,) booleans; scores : (n,)"""
    positive, values = np.asarray(positive, bool), np.asarray(scores, float)
    order = np.argsort(-values, kind="stable")
    last = np.append(np.diff(values[order]) != 0, True)  # of equal scores
    hits = np.cumsum(positive[order])[last]
    others = np.cumsum(~positive[order])[last]
    found = np.interp(rates, np.append(0, others / others[-1]), np.append(0, hits / hits[-1]))
    return np.asarray(found)


def auc(positive: Any, scores: Any, *, seed: int = 0, groups: Any = None) -> Auc:
    """AUC of scores, with an interval by drawing patients with replacement 2000 times.

    groups : None: each score is a patient's, and each kind is drawn by itself; else (n,) the
             patient of each score: patients are drawn with all their scores, and each must have
             some of both kinds
    ValueError where there are not two kinds, of each patient if there are groups, or where a score
    is not finite.
    """
    positive, (values,) = _checked(positive, scores)
    drawn = [area(positive[i], values[i]) for i in _draws(positive, seed, groups)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Auc(area(positive, values), float(low), float(high))


def added(positive: Any, more: Any, less: Any, *, seed: int = 0) -> Auc:
    """What one score has more of AUC than another, with its interval over the same patients."""
    positive, (a, b) = _checked(positive, more, less)
    drawn = [area(positive[i], a[i]) - area(positive[i], b[i]) for i in _draws(positive, seed)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Auc(area(positive, a) - area(positive, b), float(low), float(high))


def folds(
    positive: Any, groups: Any, seed: int = 0
) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Ten pairs of rows, to learn from and to test; fewer where a kind has fewer patients.

    groups : (n,) the patient of each row: one patient is never on both sides
    They depend on seed, kinds and groups alone: two methods are tested on the same ones. ValueError
    where a kind has fewer than two patients.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    positive = np.asarray(positive, bool)
    patients = [len(np.unique(np.asarray(groups)[positive == kind])) for kind in (True, False)]
    count = min(FOLDS, *patients)
    if count < 2:
        raise ValueError("positive must have two patients or more of each kind")
    split = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    return list(split.split(positive, positive, groups))


def out_of_fold(features: Any, positive: Any, groups: Any, *, seed: int = 0) -> Real:
    """Scores by logistic regression on patients not seen: (n,) the mean over ten times ten folds.

    features : (n, k); standardised by the patients learnt from, missing values their median
    groups   : (n,) the patient of each row, see :func:`folds`, which raises the same errors
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    values = np.asarray(features, float)
    positive = np.asarray(positive, bool)
    values = values[:, None] if values.ndim == 1 else values
    total = np.zeros(len(values))
    for repeat in range(REPEATS):
        for learnt, tested in folds(positive, groups, seed + repeat):
            model = make_pipeline(
                SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(C=1.0)
            )
            model.fit(values[learnt], positive[learnt])
            total[tested] += model.decision_function(values[tested])
    return total / REPEATS


def _checked(positive: Any, *scores: Any) -> tuple[npt.NDArray[np.bool_], list[Real]]:
    kinds = np.asarray(positive, bool)
    if kinds.all() or not kinds.any():
        raise ValueError("positive must hold both kinds, True and False")
    return kinds, [arrays.real(score, "scores", (len(kinds),)) for score in scores]


def _draws(
    positive: npt.NDArray[np.bool_], seed: int, groups: Any = None
) -> list[npt.NDArray[np.intp]]:
    random = np.random.default_rng(seed)
    if groups is None:
        kinds = [np.flatnonzero(positive), np.flatnonzero(~positive)]
        return [
            np.concatenate([random.choice(kind, len(kind)) for kind in kinds]) for _ in range(DRAWS)
        ]
    groups = np.asarray(groups)
    if groups.shape != positive.shape:
        raise ValueError(f"groups must have shape {positive.shape}, got {groups.shape}")
    patients = [np.flatnonzero(groups == one) for one in np.unique(groups)]
    if not all(0 < positive[rows].sum() < len(rows) for rows in patients):
        raise ValueError("groups must each hold both kinds, True and False")
    return [
        np.concatenate([patients[i] for i in random.integers(len(patients), size=len(patients))])
        for _ in range(DRAWS)
    ]
