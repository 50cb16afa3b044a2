"""Classifiers of the stroke study: what kind of stroke six features tell of.

Noor, thesis, 2020, by the presets of MATLAB's Classification Learner: linear discriminant,
weighted k-NN, SVM one against one, bagged trees. Lesions of one patient (one shape, where they are
planted) never stand on both sides of a split.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.studies.common.classify import Result, scores_of

Real = npt.NDArray[np.float64]
Split = Literal["folds", "leave-one-out"]
NEIGHBOURS = 10


def classifiers(seed: int = 0) -> dict[str, Any]:
    """The table of classifiers, untrained.

    LDA: linear discriminant, full pooled covariance. Weighted k-NN: 10 neighbours, Euclidean,
    squared inverse distance, standardised. Linear SVM: C = 1, standardised, one against one; the
    thesis does not tell its kernel. Cubic SVM: (1 + <x, y> / p)^3 of p features. Gaussian SVM:
    exp(-|x - y|^2 / p). Bagged trees: 30 deep trees, grown on draws with replacement.

    Parameters
    ----------
    seed : int, default 0
        Of the draws, 0 or more.

    Returns
    -------
    dict of str to estimator
        scikit-learn's, by name.

    Raises
    ------
    TypeError, ValueError
        Where `seed` is no such number.

    References
    ----------
    Noor, thesis, 2020, by the presets of MATLAB's Classification Learner.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.ensemble import BaggingClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    seed = arrays.integer(seed, "seed", at_least=0)

    def standardised(estimator: Any) -> Any:
        return make_pipeline(StandardScaler(), estimator)

    return {
        "LDA": LinearDiscriminantAnalysis(solver="svd"),
        "weighted k-NN": standardised(KNeighborsClassifier(NEIGHBOURS, weights=inverse_square)),
        "linear SVM": standardised(SVC(kernel="linear", C=1.0)),
        "cubic SVM": standardised(SVC(kernel="poly", degree=3, gamma="auto", coef0=1.0, C=1.0)),
        "Gaussian SVM": standardised(SVC(kernel="rbf", gamma="auto", C=1.0)),
        "bagged trees": BaggingClassifier(DecisionTreeClassifier(), 30, random_state=seed),
    }


def inverse_square(distances: Real) -> Real:
    """Weights of neighbours; one that lies on the point outweighs all others.

    Parameters
    ----------
    distances : array
        At least 0.

    Returns
    -------
    array
        1 / distance^2.
    """
    return np.asarray(1 / np.maximum(distances, 1e-12) ** 2)


def classify(
    features: Any,
    kinds: Sequence[str],
    groups: Sequence[Any],
    split: Split = "leave-one-out",
    *,
    table: dict[str, Any] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> list[Result]:
    """Train and test each classifier on lesions of other patients.

    Parameters
    ----------
    features : (n, features) array
        Finite.
    kinds : (n,) sequence of str
        The true class of each, two or more.
    groups : (n,) sequence
        The patient, or shape, of each: all lesions of one are on one side.
    split : {"leave-one-out", "folds"}, default "leave-one-out"
        "leave-one-out": each group is tested by what learnt from all others; "folds": stratified,
        `folds` of them, drawn by `seed`.
    table : dict of str to estimator, optional
        Untrained; None: :func:`classifiers`.
    folds : int, default 5
        2 or more.
    seed : int, default 0
        Of the folds, and of bagged trees.

    Returns
    -------
    list of Result
        One for each classifier, in the order of the table.

    Raises
    ------
    TypeError, ValueError
        Where lengths differ, there are too few groups or lesions, features do not vary, or a class
        would be missing from what is learnt from.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    >>> from lesionkit.studies.stroke.classify import classify
    >>> values = np.random.default_rng(0).normal(size=(40, 2)) + 4 * (np.arange(40) % 2)[:, None]
    >>> kinds = ["acute", "chronic"] * 20
    >>> lda = {"LDA": LinearDiscriminantAnalysis()}
    >>> results = classify(values, kinds, np.arange(40) // 2, table=lda)
    >>> results[0].name, results[0].accuracy > 0.9
    ('LDA', True)
    """
    from sklearn.base import clone
    from sklearn.metrics import confusion_matrix

    values = arrays.real(features, "features", ("lesions", "features"))
    truth = np.array([str(kind) for kind in kinds])
    held = np.asarray(list(groups))
    for name, column in (("kinds", truth), ("groups", held)):
        if column.shape != (len(values),):
            raise ValueError(
                f"{name} must have one entry for each of the {len(values)} lesions, got "
                f"{len(column)}"
            )
    classes = tuple(dict.fromkeys(truth.tolist()))
    if len(classes) < 2:
        raise ValueError(f"kinds must have two classes or more, got {len(classes)}")
    parts = _parts(values, truth, held, split, folds, seed)
    for train, _ in parts:
        missing = set(classes) - set(truth[train])
        if missing:
            raise ValueError(
                f"groups must leave each class something to learn from, got none of "
                f"{', '.join(sorted(missing))} in a part"
            )
        if (values[train] == values[train][:1]).all():
            raise ValueError("features must tell lesions apart, got one value of each in a part")
        if table is None and len(train) < NEIGHBOURS:
            raise ValueError(
                f"features must leave {NEIGHBOURS} lesions or more to learn from, got {len(train)} "
                "in a part"
            )

    results = []
    for name, estimator in (table or classifiers(seed)).items():
        predicted = np.empty_like(truth)
        scores = np.empty((len(truth), len(classes)))
        seconds = []
        for train, test in parts:
            model = clone(estimator)
            start = time.perf_counter()
            model.fit(values[train], truth[train])
            seconds.append(time.perf_counter() - start)
            predicted[test] = model.predict(values[test])
            scores[test] = scores_of(model, values[test], classes)
        confusion = confusion_matrix(truth, predicted, labels=classes)
        results.append(
            Result(name, classes, predicted, scores, confusion, float(np.median(seconds)))
        )
    return results


def _parts(
    values: Real,
    truth: npt.NDArray[np.str_],
    groups: npt.NDArray[Any],
    split: Split,
    folds: int,
    seed: int,
) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

    many = len(np.unique(groups))
    if split == "folds":
        least = arrays.integer(folds, "folds", at_least=2)
        splitter: Any = StratifiedGroupKFold(
            least, shuffle=True, random_state=arrays.integer(seed, "seed", at_least=0)
        )
    elif split == "leave-one-out":
        least, splitter = 2, LeaveOneGroupOut()
    else:
        raise ValueError(f"split must be 'folds' or 'leave-one-out', got {split!r}")
    if many < least:
        raise ValueError(f"groups must be {least} or more for this split, got {many}")
    return list(splitter.split(values, truth, groups))


def auc(result: Result, kinds: Sequence[str]) -> Real:
    """Areas under the ROC curves, one kind against the rest.

    Parameters
    ----------
    result : Result
        Of :func:`classify`.
    kinds : (n,) sequence of str
        The true classes.

    Returns
    -------
    (classes,) array
        0.5 is chance.
    """
    from sklearn.metrics import roc_auc_score

    truth = np.array([str(kind) for kind in kinds])
    return np.array(
        [roc_auc_score(truth == name, result.scores[:, i]) for i, name in enumerate(result.classes)]
    )


def roc(result: Result, kinds: Sequence[str], kind: str) -> tuple[Real, Real]:
    """The ROC curve of a kind against the rest, at every threshold of its score.

    Parameters
    ----------
    result : Result
        Of :func:`classify`.
    kinds : (n,) sequence of str
        The true classes.
    kind : str
        One of them.

    Returns
    -------
    fpr, tpr : arrays
        False and true positive rates.

    Raises
    ------
    ValueError
        Where there is no such kind.
    """
    from sklearn.metrics import roc_curve

    truth = np.array([str(k) for k in kinds])
    if kind not in result.classes:
        raise ValueError(f"kind must be one of {', '.join(result.classes)}, got {kind!r}")
    fpr, tpr, _ = roc_curve(truth == kind, result.scores[:, result.classes.index(kind)])
    return fpr, tpr


def as_text(results: Sequence[Result], kinds: Sequence[str]) -> str:
    """The table of the study, in lines: one for each classifier, rates in per cent.

    Parameters
    ----------
    results : sequence of Result
        Of :func:`classify`.
    kinds : (n,) sequence of str
        The true classes.

    Returns
    -------
    str
        Lines.
    """
    names = [name.replace("_", " ") for name in results[0].classes]
    lines = [
        "classifier     accuracy  sensitivity  specificity   AUC  training  TPR / FNR of "
        + ", ".join(names)
    ]
    for one in results:
        rates = ", ".join(f"{100 * r:.1f} / {100 * (1 - r):.1f}" for r in one.tpr)
        lines.append(
            f"{one.name:14} {100 * one.accuracy:8.1f} {100 * one.sensitivity:12.1f} "
            f"{100 * one.specificity:12.1f} {auc(one, kinds).mean():6.3f} "
            f"{1000 * one.seconds:6.1f} ms  {rates}"
        )
    return "\n".join(lines)
