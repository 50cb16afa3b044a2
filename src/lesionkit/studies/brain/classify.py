"""Classifiers of regions, and how they do on what they have not seen, by every split and selection.

The default is the honest one: whole patients held out, features selected in what is learnt from.
"""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.studies.common.classify import Result, scores_of, wilson
from lesionkit.studies.common.discrimination import area, curve

Real = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Split = Literal["patient", "slice", "random"]
Select = Literal["inside", "outside"] | None
CLASSES = ("normal", "abnormal")
FOLDS = 10
NEIGHBOURS = 5
RATES = np.linspace(0, 1, 101)  # false positive rates at which ROC curves are kept
MAIN = "SVM"  # the study's own classifier: scikit-learn's defaults


class Told(NamedTuple):
    """What one patient's regions tell."""

    n: int
    accuracy: float
    auc: float  # NaN where the patient has one kind only


@dataclass(frozen=True, eq=False)
class Outcome:
    """How one classifier did on regions that it had not seen; all folds pooled, as Weka does.

    Attributes
    ----------
    result : Result
        Predictions, scores, confusion matrix, time.
    abnormal : (n,) array of bool
        The truth.
    patients : (n,) array of str
        The patient of each region.
    selected : bool
        Whether features were.
    chosen : tuple of tuple of int
        Of each fold the selected columns, by rank.
    held : tuple of tuple of str
        Of each fold the patients with regions that were tested.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain.classify import evaluate
    >>> abnormal = np.arange(60) % 2 == 1
    >>> patients = np.repeat(["A", "B", "C"], 20)
    >>> found = evaluate(abnormal[:, None] * 1.0, abnormal, patients, select=None)
    >>> found[0].name, found[0].accuracy, found[0].auc, found[0].n
    ('SVM', 1.0, 1.0, 60)
    """

    result: Result
    abnormal: Flags
    patients: npt.NDArray[np.str_]
    selected: bool
    chosen: tuple[tuple[int, ...], ...]
    held: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """Of the classifier."""
        return self.result.name

    @property
    def n(self) -> int:
        """How many regions."""
        return len(self.abnormal)

    @property
    def accuracy(self) -> float:
        """The fraction of regions that is right."""
        return self.result.accuracy

    @property
    def wilson(self) -> tuple[float, float]:
        """95 per cent, as if regions were independent; those of one patient are not."""
        return wilson(self.accuracy, self.n)

    @property
    def kappa(self) -> float:
        """Cohen's: what is right beyond chance."""
        return self.result.kappa

    @property
    def tp_rate(self) -> float:
        """Weighted by the classes' sizes, as Weka prints it: the accuracy."""
        return self.result.tp_rate

    @property
    def fp_rate(self) -> float:
        """Weighted by the classes' sizes, as Weka prints it."""
        return self.result.fp_rate

    @property
    def seconds(self) -> float:
        """Of training, a median over the folds."""
        return self.result.seconds

    @property
    def confusion(self) -> npt.NDArray[np.int64]:
        """Counts, (true, predicted), normal first."""
        return self.result.confusion

    @property
    def scores(self) -> Real:
        """How sure of abnormal, (n,)."""
        return np.asarray(self.result.scores[:, 1])

    @property
    def auc(self) -> float:
        """The area under the ROC curve of all folds' scores."""
        return area(self.abnormal, self.scores)

    @property
    def curve(self) -> Real:
        """The ROC curve of all folds' scores: true positive rates at RATES."""
        return curve(self.abnormal, self.scores, RATES)

    @property
    def by_patient(self) -> dict[str, Told]:
        """What each patient's regions tell, by name."""
        right = (self.result.predicted == CLASSES[1]) == self.abnormal
        told = {}
        for name in np.unique(self.patients):
            here = self.patients == name
            kinds = self.abnormal[here]
            both = 0 < kinds.sum() < len(kinds)
            auc = area(kinds, self.scores[here]) if both else float("nan")
            told[str(name)] = Told(int(here.sum()), float(right[here].mean()), auc)
        return told


def classifiers(seed: int = 0) -> dict[str, Any]:
    """The table of classifiers, untrained, each a scikit-learn estimator.

    Standardised but for the trees, which do not see scales, and naive Bayes. scikit-learn's
    defaults: penalties of 1 in the SVM (radial, gamma of the columns' variance) and in logistic
    regression, 5 neighbours; but for the MLP, whose penalty is chosen on inner folds of patients
    (`mlp`).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    from lesionkit.studies.brain.mlp import Mlp
    from lesionkit.studies.brain.trees import J48Like, PartLike

    seed = arrays.integer(seed, "seed", at_least=0)
    return {
        MAIN: standardised(SVC()),
        "logistic": standardised(LogisticRegression(max_iter=2000)),
        "MLP": standardised(Mlp(seed)),
        "k-NN": standardised(KNeighborsClassifier(NEIGHBOURS)),
        "naive Bayes": GaussianNB(),
        "J48-like": J48Like(),
        "PART-like": PartLike(),
    }


def standardised(estimator: Any) -> Any:
    """The estimator behind a StandardScaler."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), estimator)


def evaluate(
    features: Any,
    abnormal: Any,
    patients: Any,
    *,
    split: Split = "patient",
    select: Select = "inside",
    folds: int = FOLDS,
    table: Mapping[str, Any] | None = None,
    selector: Any = None,
    slices: Any = None,
    seed: int = 0,
) -> list[Outcome]:
    """Train and test each classifier on regions that it has not seen.

    Parameters
    ----------
    features : (n, k) array
        Finite numbers.
    abnormal : (n,) array of bool
        The truth.
    patients : (n,) array
        The patient of each region.
    split : {"patient", "slice", "random"}, default "patient"
        "patient": whole patients are held out, each once where there are no more than `folds`.
        "slice": whole slices. "random": regions, stratified. The last two leak: what is held out
        has neighbours among what is learnt from.
    select : {"inside", "outside", None}, default "inside"
        "inside": features are selected in each fold's training part. "outside": once, from all
        regions and labels, which leaks. None: all are taken.
    folds : int, default 10
        2 or more, at most.
    table : mapping of str to estimator, optional
        scikit-learn's, untrained; by default :func:`classifiers`. One whose `fit` takes `groups`
        is given the patients of what it learns from.
    selector : transformer, optional
        With `order_`, or any other; by default Fisher, POE+ACC and mutual information, ten each.
    slices : (n,) array, optional
        The slice of each region in its patient; needed for "slice".
    seed : int, default 0
        Of folds and weights.

    Returns
    -------
    list of Outcome
        One for each classifier, in the order of the table.

    Raises
    ------
    ValueError, TypeError
        Where lengths differ, there is one patient only to hold out, or a class would be missing
        from a training part.

    References
    ----------
    Selection outside: Ambroise and McLachlan, PNAS 99, 6562, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain.classify import evaluate
    >>> abnormal = np.arange(60) % 2 == 1
    >>> noise = np.random.default_rng(0).normal(size=(60, 300))
    >>> patients = np.repeat(["A", "B", "C"], 20)
    >>> inside, outside = (evaluate(noise, abnormal, patients, select=how)[0] for how in
    ...                    ("inside", "outside"))
    >>> inside.accuracy < 0.65, outside.accuracy > 0.75  # there is nothing to find
    (True, True)
    """
    from sklearn import config_context

    values = arrays.real(features, "features", ("regions", "features"))
    kinds, held = np.asarray(abnormal), np.asarray(patients).astype(str)
    if kinds.shape != (len(values),) or kinds.dtype != bool:
        raise ValueError(
            f"abnormal must be a boolean for each of the {len(values)} regions, got "
            f"{arrays.describe(kinds)}"
        )
    if held.shape != kinds.shape:
        raise ValueError(
            f"patients must have one entry for each of the {len(values)} regions, got {held.size}"
        )
    arrays.one_of(select, "select", ("inside", "outside", None))
    seed = arrays.integer(seed, "seed", at_least=0)
    parts = parts_of(kinds, held, split, folds, slices, seed)
    names = np.array(CLASSES)[kinds.astype(int)]
    tested = tuple(tuple(map(str, np.unique(held[rows]))) for _, rows in parts)
    outcomes = []
    with config_context(assume_finite=True, skip_parameter_validation=True):  # checked above
        views = _selected(values, kinds, parts, select, selector)
        chosen = tuple(view.chosen for view in views)
        for name, estimator in (table or classifiers(seed)).items():
            result = _tested(name, estimator, views, names, parts, held)
            outcomes.append(Outcome(result, kinds, held, select is not None, chosen, tested))
    return outcomes


class _View(NamedTuple):
    """What a fold sees of the features."""

    learnt: Real
    tested: Real
    chosen: tuple[int, ...]


def fused(rule: str = "nearest-neighbour") -> Any:
    """The paper's selection: Fisher, POE+ACC by one of two rules, and mutual information."""
    from lesionkit.texture.selection import FusedSelector, PoeAcc

    return FusedSelector(poe_acc=PoeAcc(rule=rule))  # type: ignore[arg-type]


def parts_of(
    abnormal: Flags,
    patients: npt.NDArray[np.str_],
    split: Split,
    folds: int = FOLDS,
    slices: Any = None,
    seed: int = 0,
) -> list[tuple[Indices, Indices]]:
    """Pairs of rows, to learn from and to test. See :func:`evaluate`, which raises the same."""
    from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, StratifiedKFold

    folds = arrays.integer(folds, "folds", at_least=2)
    arrays.one_of(split, "split", ("patient", "slice", "random"))
    groups: Any = patients
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    if split == "random":
        fewest = int(np.bincount(abnormal, minlength=2).min())
        if fewest < folds:
            raise ValueError(f"abnormal must hold {folds} regions of each kind, got {fewest}")
        groups, splitter = None, StratifiedKFold(folds, shuffle=True, random_state=seed)
    elif split == "slice":
        if slices is None or np.shape(slices) != patients.shape:
            raise ValueError("slices must have one entry for each region where split is 'slice'")
        groups = np.char.add(np.char.add(patients, "/"), np.asarray(slices).astype(str))
    elif (many := len(np.unique(patients))) <= folds:
        if many < 2:
            raise ValueError(
                f"patients must be two or more to hold one out, got {many}; split 'slice' or "
                "'random' compare the slices of one"
            )
        splitter = LeaveOneGroupOut()
    parts = list(splitter.split(abnormal, abnormal, groups))
    for learnt, _ in parts:
        if len(np.unique(abnormal[learnt])) < 2:
            raise ValueError(
                "patients must leave both kinds of region to learn from, got one kind in a fold"
            )
    return parts


def _selected(
    values: Real,
    kinds: Flags,
    parts: list[tuple[Indices, Indices]],
    select: Select,
    selector: Any,
) -> list[_View]:
    from sklearn.base import clone

    if select is None:
        return [_View(values[learnt], values[tested], ()) for learnt, tested in parts]
    model = fused() if selector is None else selector
    views, outside = [], clone(model).fit(values, kinds) if select == "outside" else None
    for learnt, tested in parts:
        fitted = outside or clone(model).fit(values[learnt], kinds[learnt])
        order = tuple(int(i) for i in getattr(fitted, "order_", ()))
        if order:
            views.append(_View(values[learnt][:, order], values[tested][:, order], order))
        else:
            views.append(
                _View(fitted.transform(values[learnt]), fitted.transform(values[tested]), ())
            )
    return views


def _tested(
    name: str,
    estimator: Any,
    views: list[_View],
    names: npt.NDArray[np.str_],
    parts: list[tuple[Indices, Indices]],
    patients: npt.NDArray[np.str_],
) -> Result:
    from sklearn.base import clone
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import confusion_matrix

    predicted, scores, seconds = np.empty_like(names), np.empty((len(names), 2)), []
    for view, (learnt, tested) in zip(views, parts, strict=True):
        model = clone(estimator)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it stops where it is told to
            model.fit(view.learnt, names[learnt], **_groups(model, patients[learnt]))
        seconds.append(time.perf_counter() - start)
        predicted[tested] = model.predict(view.tested)
        scores[tested] = scores_of(model, view.tested, CLASSES)
    confusion = confusion_matrix(names, predicted, labels=list(CLASSES))
    return Result(name, CLASSES, predicted, scores, confusion, float(np.median(seconds)))


def _groups(model: Any, groups: npt.NDArray[np.str_]) -> dict[str, Any]:
    """What `fit` is given beside: the groups, where the estimator, or a pipeline's last, takes
    them."""
    name, last = model.steps[-1] if hasattr(model, "steps") else ("", model)
    if "groups" not in inspect.signature(last.fit).parameters:
        return {}
    return {f"{name}__groups" if name else "groups": groups}
