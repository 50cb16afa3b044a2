"""Splits, selection inside and outside, rates by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from lesionkit.studies.brain import classify
from lesionkit.studies.brain.classify import evaluate, parts_of

RANDOM = np.random.default_rng(0)
PATIENTS = np.repeat(["P1", "P2", "P3"], 20)
ABNORMAL = np.tile([True, False], 30)
CLEAR = np.where(ABNORMAL, 2.0, -2.0)[:, None] + RANDOM.normal(0, 0.3, (60, 3))
NOISE = RANDOM.normal(size=(60, 400))
ONE = {"logistic": LogisticRegression()}


def test_every_classifier_tells_what_is_clear() -> None:
    found = evaluate(CLEAR, ABNORMAL, PATIENTS)
    names = ["SVM", "logistic", "MLP", "k-NN", "naive Bayes", "J48-like", "PART-like"]
    assert [one.name for one in found] == names
    for one in found:
        assert one.accuracy == one.tp_rate > 0.95
        assert one.auc > 0.95
        assert one.n == one.confusion.sum() == 60
        assert set(one.by_patient) == {"P1", "P2", "P3"}
        assert one.seconds > 0
        low, high = one.wilson
        assert low < one.accuracy < high + 1e-9


def test_rates_by_hand() -> None:
    """A classifier that always says abnormal."""
    always = {"always": DummyClassifier(strategy="constant", constant="abnormal")}
    (one,) = evaluate(CLEAR, ABNORMAL, PATIENTS, table=always)
    assert one.confusion.tolist() == [[0, 30], [0, 30]]
    assert (one.accuracy, one.kappa, one.tp_rate, one.fp_rate, one.auc) == (0.5, 0, 0.5, 0.5, 0.5)


@pytest.mark.parametrize("split", ["patient", "slice", "random"])
def test_splits(split: str) -> None:
    slices = np.tile(np.repeat(np.arange(10), 2), 3)
    parts = parts_of(ABNORMAL, PATIENTS, split, 10, slices)
    assert len(parts) == (3 if split == "patient" else 10)
    tested = np.concatenate([test for _, test in parts])
    assert sorted(tested) == list(range(60))
    both = [set(PATIENTS[learnt]) & set(PATIENTS[test]) for learnt, test in parts]
    assert any(both) == (split != "patient")
    if split == "slice":
        groups = [(p, s) for p, s in zip(PATIENTS, slices, strict=True)]
        for learnt, test in parts:
            assert not {groups[i] for i in learnt} & {groups[i] for i in test}


def test_more_patients_than_folds() -> None:
    patients = np.repeat([f"P{i:02}" for i in range(15)], 4)
    parts = parts_of(ABNORMAL, patients, "patient", 5)
    assert len(parts) == 5
    assert all(not set(patients[a]) & set(patients[b]) for a, b in parts)


def test_selecting_outside_leaks() -> None:
    """Noise alone: chance inside the folds, far above it where selection saw all labels."""
    outside, inside = (
        evaluate(NOISE, ABNORMAL, PATIENTS, select=select, table=ONE)[0]
        for select in ("outside", "inside")
    )
    assert outside.auc > 0.75
    assert inside.auc < 0.65
    assert len(inside.chosen) == 3
    assert len(set(outside.chosen)) == 1 < len(set(inside.chosen))


def test_what_is_held_out_is_never_seen() -> None:
    """Changed labels and features of one patient change nothing of how the others are learnt."""
    changed, labels = NOISE.copy(), ABNORMAL.copy()
    here = PATIENTS == "P3"
    changed[here] += 100
    labels[here] = ~labels[here]
    before, after = (
        evaluate(x, y, PATIENTS, table=ONE)[0] for x, y in ((NOISE, ABNORMAL), (changed, labels))
    )
    assert before.chosen[2] == after.chosen[2]  # P3 held out
    assert before.chosen[0] != after.chosen[0]


def test_all_columns_and_other_selectors() -> None:
    (every,) = evaluate(CLEAR, ABNORMAL, PATIENTS, select=None, table=ONE)
    assert every.chosen == ((), (), ())
    assert not every.selected
    (other,) = evaluate(
        NOISE, ABNORMAL, PATIENTS, selector=classify.fused("nearest-mean"), table=ONE
    )
    assert all(10 <= len(fold) <= 30 for fold in other.chosen)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"patients": np.repeat("P1", 60)}, "two or more to hold one out, got 1"),
        ({"patients": PATIENTS[:9]}, "patients must have one entry for each of the 60"),
        ({"abnormal": ABNORMAL.astype(int)}, "abnormal must be a boolean"),
        ({"abnormal": ABNORMAL & (PATIENTS == "P1")}, "both kinds of region to learn from"),
        ({"abnormal": np.arange(60) < 4, "split": "random"}, "must hold 10 regions of each kind"),
        ({"split": "slice"}, "slices must have one entry"),
        ({"split": "half"}, "split must be"),
        ({"select": "all"}, "select must be"),
        ({"folds": 1}, "folds must be"),
    ],
)
def test_refused(how: dict, message: str) -> None:
    given = {"abnormal": ABNORMAL, "patients": PATIENTS, "table": ONE, **how}
    with pytest.raises(ValueError, match=message):
        evaluate(CLEAR, given.pop("abnormal"), given.pop("patients"), **given)
