"""The MLP's penalty is chosen on inner folds, of patients where there are several."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lesionkit.studies.brain import classify, mlp

RANDOM = np.random.default_rng(0)
KINDS = np.tile([True, False], 15)
GROUPS = np.repeat(["A", "B", "C"], 10)
CLEAR = np.where(KINDS, 2.0, -2.0)[:, None] + RANDOM.normal(0, 0.3, (30, 3))
NOISE = RANDOM.normal(size=(30, 8))


def test_the_penalty_is_of_what_is_learnt_from() -> None:
    """Noise wants the greater one; what is clear, the lesser."""
    assert mlp.Mlp().fit(NOISE, KINDS, GROUPS).penalty_ == max(mlp.PENALTIES)
    clear = mlp.Mlp().fit(CLEAR, KINDS, GROUPS)
    assert clear.penalty_ == min(mlp.PENALTIES)
    assert (clear.predict(CLEAR) == KINDS).all()
    np.testing.assert_allclose(clear.predict_proba(CLEAR).sum(1), 1)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")  # in so few steps
@pytest.mark.parametrize("penalty", mlp.PENALTIES)
def test_the_net_is_scikit_learns(penalty: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Step by step. From some 100 steps on, the rounding of BLAS decides when both stop."""
    monkeypatch.setattr(mlp, "STEPS", 20)
    monkeypatch.setattr(mlp, "SLOPE", 1e-9)
    theirs = MLPClassifier(
        (mlp.HIDDEN,), solver="lbfgs", alpha=penalty, max_iter=20, tol=1e-9, random_state=3
    ).fit(NOISE, KINDS)
    ours = mlp.trained(NOISE, KINDS.astype(float), penalty, 3)
    np.testing.assert_allclose(
        ours.probability(NOISE), theirs.predict_proba(NOISE)[:, 1], atol=1e-6
    )


@pytest.mark.parametrize(
    ("groups", "kinds", "folds"),
    [
        (GROUPS, KINDS, 3),
        (np.repeat([f"P{i}" for i in range(15)], 2), KINDS, mlp.INNER),
        (np.repeat("A", 30), KINDS, mlp.INNER),  # of samples
        (None, KINDS, mlp.INNER),
        (None, np.arange(30) < 2, 0),  # too few
        (GROUPS, GROUPS == "A", 0),  # a class would be missing
    ],
)
def test_inner_folds(groups: np.ndarray | None, kinds: np.ndarray, folds: int) -> None:
    parts = mlp._parts(kinds.astype(int), groups)
    assert len(parts) == folds
    for learnt, tested in parts:
        assert not set(learnt) & set(tested)
        if groups is not None and len(set(groups)) > 1:
            assert not set(groups[learnt]) & set(groups[tested])


def test_patients_come_to_who_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """To an estimator alone and to a pipeline's last; never those of the patient held out."""
    seen: list[set[str]] = []

    def parts(kind: np.ndarray, groups: np.ndarray) -> list[object]:
        assert len(kind) == len(groups) == 20
        seen.append(set(groups))
        return []

    monkeypatch.setattr(mlp, "_parts", parts)
    table = {"alone": mlp.Mlp(), "piped": make_pipeline(StandardScaler(), mlp.Mlp())}
    found = classify.evaluate(CLEAR, KINDS, GROUPS, select=None, table=table)
    assert seen == [{"B", "C"}, {"A", "C"}, {"A", "B"}] * 2
    assert [one.accuracy for one in found] == [1, 1]
