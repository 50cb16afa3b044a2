"""Choosing texture features: Fisher, POE+ACC, mutual information, and the three together.

scikit-learn transformers, to be fitted inside each fold of a cross-validation: selecting on all
samples first makes every estimate of accuracy too good. Each keeps its columns in the order in
which they stood; `order_` has them by rank, so `X[:, selector.order_]` is the table by rank.
The formulas are those that an author of MaZda gives in his lecture (Strzelecki, "Feature
reduction", Technical University of Lodz, paperzz.com/doc/8538576), after Mucciardi and Gose, IEEE
Trans. Comput. C-20, 1971. Whatever they leave open is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, clone
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from lesionkit import arrays
from lesionkit.texture.selection.scores import (
    equal_frequency,
    equal_width,
    equal_width_of_float32,
    fisher_scores,
    information,
    is_single,
    largest,
    mean_errors,
    near_one,
    neighbour_errors,
    rounded,
    unit_columns,
)

Real = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class _Selector(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """A selector of columns for classification: `order_` holds the chosen ones by rank."""

    def _get_support_mask(self) -> npt.NDArray[np.bool_]:
        check_is_fitted(self, "order_")
        mask = np.zeros(self.n_features_in_, bool)
        mask[self.order_] = True
        return mask

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _samples(self, X: Any, y: Any) -> tuple[Real, Indices]:
        """The checked table (samples, columns), and the class 0, 1, ... of each sample."""
        home = arrays.on_cpu(X=X, y=y)
        X = home.view(arrays.regular(X, "X"), "X")
        y = home.view(arrays.regular(y, "y", "classes"), "y")
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        try:
            check_classification_targets(y)
        except (ValueError, TypeError) as problem:
            raise type(problem)(f"y must hold a class a sample: {problem}") from problem
        self.classes_, classes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y must hold two classes or more, got one class")
        return near_one(X), classes.astype(np.int64)


class Fisher(_Selector):
    """Select the k columns whose classes lie farthest apart, measured by their spread.

    F = D / V with D = [1 / (1 - sum P_k^2)] sum_k sum_j P_k P_j (mu_k - mu_j)^2, the distance of
    the class means, and V = sum P_k V_k, the mean of the class variances (dividing by n_k); P_k is
    the fraction of samples in class k. Where V is 0, F is infinite if D > 0, else 0.

    Parameters
    ----------
    k : int, default 10
        How many columns; all, if there are fewer. Equal scores: the first column first.

    Attributes
    ----------
    scores_ : (columns,) array of float64
        F.
    order_ : (k,) array of int64
        The columns chosen, best first.

    Examples
    --------
    >>> from lesionkit.texture.selection import Fisher
    >>> X = [[0, 5.0, 1], [1, 5.1, 1], [0, 9.0, 1], [1, 9.1, 1]]
    >>> Fisher(k=1).fit(X, ["benign", "benign", "malignant", "malignant"]).order_.tolist()
    [1]
    """

    def __init__(self, k: int = 10) -> None:
        self.k = k

    def fit(self, X: Any, y: Any) -> Self:
        """Score the columns and choose.

        Parameters
        ----------
        X : (samples, columns) array of finite numbers
            The features.
        y : (samples,) array
            A class for each sample, two or more of them.

        Returns
        -------
        Fisher
            The selector, fitted.

        Raises
        ------
        TypeError, ValueError
            Where an argument or an option is not as described.
        """
        k = arrays.integer(self.k, "k", at_least=1)
        X, classes = self._samples(X, y)
        self.scores_ = fisher_scores(X, classes)
        self.order_ = largest(self.scores_, k)
        return self


class MutualInformation(_Selector):
    """Select the k columns that tell most about the class.

    MI = sum over bins b and classes c of p(b, c) log2 [p(b, c) / (p(b) p(c))], in bits.

    Parameters
    ----------
    k : int, default 10
        As for :class:`Fisher`.
    bins : int, default 10
        Into how many bins a column is cut, 2 or more.
    binning : {"width", "frequency"}, default "width"
        "width": equal steps from its least to its greatest value, as in MaZda. "frequency": between
        its quantiles, equal values always in one bin.

    Attributes
    ----------
    scores_ : (columns,) array of float64
        MI, 0 for a constant column.
    order_ : (k,) array of int64
        The columns chosen, best first.

    Examples
    --------
    >>> from lesionkit.texture.selection import MutualInformation
    >>> X = [[0, 5.0, 1], [1, 5.1, 1], [0, 9.0, 1], [1, 9.1, 1]]
    >>> MutualInformation(k=1).fit(X, [0, 0, 1, 1]).scores_.tolist()
    [0.0, 1.0, 0.0]
    """

    def __init__(
        self, k: int = 10, bins: int = 10, binning: Literal["width", "frequency"] = "width"
    ) -> None:
        self.k = k
        self.bins = bins
        self.binning = binning

    def fit(self, X: Any, y: Any) -> Self:
        """Score the columns and choose.

        Parameters
        ----------
        X : (samples, columns) array of finite numbers
            The features.
        y : (samples,) array
            A class for each sample, two or more of them.

        Returns
        -------
        MutualInformation
            The selector, fitted.

        Raises
        ------
        TypeError, ValueError
            Where an argument or an option is not as described.
        """
        k = arrays.integer(self.k, "k", at_least=1)
        bins = arrays.integer(self.bins, "bins", at_least=2)
        arrays.one_of(self.binning, "binning", ("width", "frequency"))
        single = is_single(X)
        X, classes = self._samples(X, y)
        cut = equal_width if self.binning == "width" else equal_frequency
        if self.binning == "width" and single:
            cut = equal_width_of_float32
        self.scores_ = information(cut(X, bins), classes, bins)
        self.order_ = largest(self.scores_, k)
        return self


class PoeAcc(_Selector):
    """Select k columns by low probability of error and low correlation with those chosen.

    The first has the least POE, the fraction of samples that it alone misclassifies. Each next one
    has the least w1 POE + w2 (mean over the chosen g of abs(corr(f, g))). A constant column
    correlates with nothing: abs(corr) is 0. Ties: the first column first.

    Parameters
    ----------
    k : int, default 10
        As for :class:`Fisher`.
    rule : {"nearest-neighbour", "nearest-mean"}, default "nearest-neighbour"
        Who classifies: the nearest other sample (leave-one-out; of several as near, the fraction of
        another class counts), or the nearest class mean (of two as near, the class that sorts
        first).
    weights : tuple of float, default (1, 1)
        (w1, w2), both at least 0; (1, 1) is the plain sum that MaZda takes.
    scaled : bool, default False
        Divide POE by the largest POE of all columns, as Mucciardi and Gose bring both terms to one
        range.

    Attributes
    ----------
    poe_ : (columns,) array of float64
        POE; for a constant column the fraction of all classes but the largest.
    order_ : (k,) array of int64
        The columns, as chosen.
    criterion_ : (k,) array of float64
        What each was chosen by.

    References
    ----------
    Mucciardi and Gose, IEEE Trans. Comput. C-20, 1971; see the module's text.

    Examples
    --------
    >>> from lesionkit.texture.selection import PoeAcc
    >>> X = [[0, 5.0, 10.0], [1, 5.1, 10.2], [0, 9.0, 18.0], [1, 9.1, 18.2]]
    >>> PoeAcc(2, rule="nearest-mean").fit(X, [0, 0, 1, 1]).order_.tolist()  # 2 is 2 times 1
    [1, 0]
    """

    def __init__(
        self,
        k: int = 10,
        rule: Literal["nearest-neighbour", "nearest-mean"] = "nearest-neighbour",
        weights: tuple[float, float] = (1.0, 1.0),
        scaled: bool = False,
    ) -> None:
        self.k = k
        self.rule = rule
        self.weights = weights
        self.scaled = scaled

    def fit(self, X: Any, y: Any) -> Self:
        """Choose the columns, one after another.

        Parameters
        ----------
        X : (samples, columns) array of finite numbers
            The features.
        y : (samples,) array
            A class for each sample, two or more of them.

        Returns
        -------
        PoeAcc
            The selector, fitted.

        Raises
        ------
        TypeError, ValueError
            Where an argument or an option is not as described.
        """
        k = arrays.integer(self.k, "k", at_least=1)
        arrays.one_of(self.rule, "rule", ("nearest-neighbour", "nearest-mean"))
        listed = isinstance(self.weights, (Sequence, np.ndarray))
        if not listed or len(self.weights) != 2:
            raise ValueError(f"weights must be two numbers, got {self.weights!r}")
        w1, w2 = (arrays.number(w, "weights", at_least=0.0) for w in self.weights)
        scaled = arrays.flag(self.scaled, "scaled")
        X, classes = self._samples(X, y)
        errors = neighbour_errors if self.rule == "nearest-neighbour" else mean_errors
        most = np.bincount(classes).max() / len(X)
        flat = X.max(0) == X.min(0)
        self.poe_ = np.where(flat, 1.0 - most, errors(X, classes))
        poe = w1 * (self.poe_ / (self.poe_.max() or 1.0) if scaled else self.poe_)
        unit = unit_columns(X, flat)
        left = np.ones(X.shape[1], bool)
        correlation = np.zeros(X.shape[1])  # its sum over the chosen
        order: list[int] = []
        criterion: list[float] = []
        for _ in range(min(k, X.shape[1])):
            cost = poe + w2 * correlation / len(order) if order else poe
            chosen = int(np.argmin(np.where(left, rounded(cost), np.inf)))
            order.append(chosen)
            criterion.append(float(cost[chosen]))
            left[chosen] = False
            correlation += np.abs(unit[:, chosen] @ unit)
        self.order_ = np.array(order, np.int64)
        self.criterion_ = np.array(criterion)
        return self


class FusedSelector(_Selector):
    """Select the union of Fisher's, POE+ACC's and mutual information's columns ("F+PA+MI").

    The three lists, of 10 columns each at first, follow one another, and a column stays where it
    comes first: where lists overlap there are fewer than 30.

    Parameters
    ----------
    fisher : Fisher, optional
        The first selector, which is copied; None: k = 10 and the defaults. So are the others.
    poe_acc : PoeAcc, optional
        The second.
    mutual_information : MutualInformation, optional
        The third.

    Attributes
    ----------
    order_ : (chosen,) array of int64
        The columns, by list, then by rank.
    ranks_ : (columns, 3) array of int64
        Rank in each list, 1 the best; 0 where a column is not in it.
    duplicates_ : array of int64
        The columns that are in more than one list, ascending.
    selectors_ : list
        The three, fitted, in that order.

    Examples
    --------
    >>> from lesionkit.texture.selection import Fisher, FusedSelector, MutualInformation, PoeAcc
    >>> X = [[0, 5.0, 1], [1, 5.1, 1], [0, 9.0, 1], [1, 9.1, 1]]
    >>> best = FusedSelector(Fisher(1), PoeAcc(1), MutualInformation(1)).fit(X, [0, 0, 1, 1])
    >>> best.order_.tolist(), best.ranks_.tolist()
    ([1], [[0, 0, 0], [1, 1, 1], [0, 0, 0]])
    """

    def __init__(
        self,
        fisher: Fisher | None = None,
        poe_acc: PoeAcc | None = None,
        mutual_information: MutualInformation | None = None,
    ) -> None:
        self.fisher = fisher
        self.poe_acc = poe_acc
        self.mutual_information = mutual_information

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the three selectors and join their lists.

        Parameters
        ----------
        X : (samples, columns) array of finite numbers
            The features.
        y : (samples,) array
            A class for each sample, two or more of them.

        Returns
        -------
        FusedSelector
            The selector, fitted.

        Raises
        ------
        TypeError, ValueError
            Where an argument or an option is not as described.
        """
        kept = np.float32 if is_single(X) else np.float64
        X, classes = self._samples(X, y)
        X = X.astype(kept, copy=False)
        given = (self.fisher, self.poe_acc, self.mutual_information)
        kinds = (Fisher, PoeAcc, MutualInformation)
        self.selectors_ = [
            (kind() if selector is None else clone(selector)).fit(X, classes)
            for kind, selector in zip(kinds, given, strict=True)
        ]
        self.ranks_ = np.zeros((X.shape[1], 3), np.int64)
        for column, selector in enumerate(self.selectors_):
            self.ranks_[selector.order_, column] = 1 + np.arange(len(selector.order_))
        every = np.concatenate([selector.order_ for selector in self.selectors_])
        self.order_ = every[np.sort(np.unique(every, return_index=True)[1])]
        self.duplicates_ = np.flatnonzero((self.ranks_ > 0).sum(1) > 1)
        return self
