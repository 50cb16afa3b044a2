"""The table of classifiers: presets, splits that keep groups together, rates by hand."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.svm import SVC

from lesionkit.studies.stroke import classify as sc

KINDS = ("acute", "sub", "chronic", "hemorrhage")


@pytest.fixture(scope="module")
def lesions() -> tuple[Any, list[str], list[int]]:
    """Twelve groups, each with a lesion of each kind; two kinds overlap."""
    rng = np.random.default_rng(0)
    centres = np.array([[0.8, 0.1], [0.7, 0.1], [0.3, 0.1], [0.4, 0.3]])
    kinds = [KINDS[i % 4] for i in range(48)]
    values = np.array([centres[i % 4] for i in range(48)]) + rng.normal(0, 0.03, (48, 2))
    return values, kinds, [i // 4 for i in range(48)]


def test_the_presets() -> None:
    table = sc.classifiers()
    assert list(table) == [
        "LDA", "weighted k-NN", "linear SVM", "cubic SVM", "Gaussian SVM", "bagged trees",
    ]  # fmt: skip
    neighbours = table["weighted k-NN"][-1]
    assert neighbours.n_neighbors == 10
    np.testing.assert_allclose(neighbours.weights(np.array([0.5, 2.0])), [4, 0.25])
    assert np.isfinite(neighbours.weights(np.zeros(2))).all()
    assert table["bagged trees"].n_estimators == 30
    assert all(isinstance(table[name][-1], SVC) for name in ("linear SVM", "cubic SVM"))


@pytest.mark.parametrize("split", ["leave-one-out", "folds"])
def test_a_table(lesions: Any, split: Any) -> None:
    results = sc.classify(*lesions, split)
    assert [one.name for one in results] == list(sc.classifiers())
    for one in results:
        assert one.classes == KINDS
        assert one.confusion.sum(1).tolist() == [12] * 4
        assert 0.8 <= one.accuracy <= 1
        assert one.accuracy == np.mean(one.predicted == np.array(lesions[1]))
        assert one.seconds > 0
        areas = sc.auc(one, lesions[1])
        assert (areas > 0.8).all()
        # Who is told apart from all others without a mistake has an area of one.
        assert areas[2] == 1
        fpr, tpr = sc.roc(one, lesions[1], "chronic")
        assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    text = sc.as_text(results, lesions[1])
    assert len(text.splitlines()) == 7


def test_the_same_again(lesions: Any) -> None:
    one, other = (sc.classify(*lesions, "folds", seed=4) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.confusion, b.confusion)
        assert np.array_equal(a.scores, b.scores)


class Spy:
    """Remembers which groups it learnt from, and which it was asked about."""

    seen: ClassVar[list[tuple[set[float], set[float]]]] = []

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {}

    def fit(self, values: Any, kinds: Any) -> Spy:
        self.classes_ = np.unique(kinds)
        self.learnt = set(values[:, 0])
        return self

    def predict(self, values: Any) -> Any:
        Spy.seen.append((self.learnt, set(values[:, 0])))
        return np.repeat(self.classes_[:1], len(values))

    def predict_proba(self, values: Any) -> Any:
        return np.full((len(values), len(self.classes_)), 1 / len(self.classes_))


@pytest.mark.parametrize("split", ["leave-one-out", "folds"])
def test_no_group_is_on_both_sides(lesions: Any, split: Any) -> None:
    _, kinds, groups = lesions
    Spy.seen.clear()
    (result,) = sc.classify(np.array(groups)[:, None], kinds, groups, split, table={"spy": Spy()})
    assert len(Spy.seen) == (12 if split == "leave-one-out" else 5)
    for learnt, asked in Spy.seen:
        assert not learnt & asked
    assert set.union(*(asked for _, asked in Spy.seen)) == set(groups)
    assert sc.auc(result, kinds).tolist() == [0.5] * 4


def test_rates_by_hand() -> None:
    confusion = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 10]])
    one = sc.Result("x", ("a", "b", "c"), np.array([]), np.zeros((0, 3)), confusion, 0.1)
    assert one.accuracy == 27 / 30
    np.testing.assert_allclose(one.tpr, [0.8, 0.9, 1])
    np.testing.assert_allclose(one.tnr, [19 / 20, 18 / 20, 1])
    assert one.sensitivity == pytest.approx(0.9)
    assert one.specificity == pytest.approx(0.95)


def test_two_classes() -> None:
    values = np.random.default_rng(1).normal(0, 1, (24, 2))
    values[::2] += 3
    kinds = ["b", "a"] * 12
    for one in sc.classify(values, kinds, [i // 2 for i in range(24)]):
        assert one.classes == ("b", "a")
        assert (sc.auc(one, kinds) > 0.9).all()


def test_mistakes(lesions: Any) -> None:
    values, kinds, groups = lesions
    with pytest.raises(ValueError, match="kinds must have one entry for each of the 48 lesions"):
        sc.classify(values, kinds[:-1], groups)
    with pytest.raises(ValueError, match=r"groups must have one entry .*, got 3"):
        sc.classify(values, kinds, groups[:3])
    with pytest.raises(ValueError, match="features must be finite"):
        sc.classify(values * np.nan, kinds, groups)
    with pytest.raises(ValueError, match="kinds must have two classes or more, got 1"):
        sc.classify(values, ["a"] * 48, groups)
    for same in (values * 0, values[:, :0]):
        with pytest.raises(ValueError, match="features must tell lesions apart, got one value"):
            sc.classify(same, kinds, groups)
    few = np.r_[:10], ["a", "b"] * 5, list(range(5)) * 2
    with pytest.raises(ValueError, match=r"features must leave 10 lesions or more .*, got 8 in a"):
        sc.classify(few[0][:, None], *few[1:])
    with pytest.raises(ValueError, match="groups must be 2 or more for this split, got 1"):
        sc.classify(values, kinds, [0] * 48)
    with pytest.raises(ValueError, match="got none of acute in a part"):
        sc.classify(values, kinds, [0 if k == "acute" else i for i, k in enumerate(kinds, 1)])
    with pytest.raises(ValueError, match="split must be 'folds' or 'leave-one-out', got 'random'"):
        sc.classify(values, kinds, groups, "random")
    with pytest.raises(ValueError, match="folds must be at least 2, got 1"):
        sc.classify(values, kinds, groups, "folds", folds=1)
    with pytest.raises(ValueError, match=r"kind must be one of acute, .*, got 'tumour'"):
        sc.roc(sc.classify(values, kinds, groups, "folds")[0], kinds, "tumour")
