"""AUC, its intervals, folds: known answers, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from lesionkit.studies.common import discrimination as dis

pytest.importorskip("sklearn")


def test_areas_that_are_known() -> None:
    """Pairs of a positive and a negative, counted by hand."""
    assert dis.area([1, 1, 0, 0], [4, 3, 2, 1]) == 1
    assert dis.area([1, 1, 0, 0], [1, 2, 3, 4]) == 0
    assert dis.area([1, 0, 1, 0], [1, 1, 1, 1]) == 0.5
    assert dis.area([1, 1, 0, 0, 0], [5, 2, 3, 2, 1]) == pytest.approx((3 + 1 + 0.5) / 6)


def test_area_is_the_share_of_pairs() -> None:
    random = np.random.default_rng(0)
    kinds, scores = random.random(40) < 0.4, random.integers(0, 9, 40)
    pairs = scores[kinds][:, None] - scores[~kinds][None]
    assert dis.area(kinds, scores) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def test_an_interval_is_that_of_the_binormal_model() -> None:
    """Standard error after Hanley and McNeil (1982), equation 2: 0.0466 at 0.76 of 50 and 50."""
    random = np.random.default_rng(3)
    kinds = np.arange(100) < 50
    found = dis.auc(kinds, random.normal(size=100) + kinds)
    a = found.value
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    error = np.sqrt((a * (1 - a) + 49 * (q1 - a * a) + 49 * (q2 - a * a)) / 2500)
    assert found.low < a < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert dis.auc(kinds, random.normal(size=100) + kinds, seed=1) != found
    assert str(dis.Auc(0.5, 0.25, 0.751)) == "0.500 (0.25-0.75)"


def test_patients_are_drawn_with_all_their_scores() -> None:
    """Ten copies of each score tell nothing new: the interval is as wide as without them."""
    random = np.random.default_rng(1)
    patients = np.repeat(np.arange(20), 2)
    kinds = np.tile([True, False], 20)
    scores = random.normal(size=40) + kinds
    once = dis.auc(kinds, scores, groups=patients)
    tenfold = [np.repeat(part, 10) for part in (kinds, scores, patients)]
    again = dis.auc(*tenfold[:2], groups=tenfold[2])
    assert again == pytest.approx(once)
    apart = dis.auc(*tenfold[:2])
    assert apart.high - apart.low < 0.5 * (again.high - again.low)


def test_what_one_score_has_more() -> None:
    kinds = np.arange(60) < 30
    random = np.random.default_rng(2)
    good, poor = kinds + random.normal(size=60), random.normal(size=60)
    more = dis.added(kinds, good, poor)
    assert more.value == pytest.approx(dis.area(kinds, good) - dis.area(kinds, poor))
    assert more.low < more.value < more.high
    assert dis.added(kinds, good, good) == (0, 0, 0)


def test_no_patient_is_on_both_sides() -> None:
    patients = np.repeat(np.arange(30), 3)
    kinds = patients < 12
    split = dis.folds(kinds, patients)
    assert len(split) == 10
    assert sorted(np.concatenate([tested for _, tested in split])) == list(range(90))
    for learnt, tested in split:
        assert not set(patients[learnt]) & set(patients[tested])
        assert len(set(kinds[learnt])) == 2
    assert len(dis.folds(kinds[:45], patients[:45])) == 3  # of as many as the rarer kind has


def test_scores_of_patients_not_seen() -> None:
    """A column that tells kinds apart does so; one that only names patients does not."""
    random = np.random.default_rng(4)
    patients = np.repeat(np.arange(40), 2)
    kinds = patients % 2 == 0
    telling = np.column_stack([kinds + random.normal(0, 0.3, 80), random.normal(size=80)])
    telling[3, 1] = np.nan  # taken as the median
    assert dis.area(kinds, dis.out_of_fold(telling, kinds, patients)) > 0.95
    names = np.eye(40)[patients]
    assert dis.area(kinds, dis.out_of_fold(names, kinds, patients)) < 0.6
    scaled = dis.out_of_fold(telling * [1000, 0.001], kinds, patients)
    np.testing.assert_allclose(scaled, dis.out_of_fold(telling, kinds, patients), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dis.auc([True, True], [1, 2]), "positive must hold both kinds"),
        (lambda: dis.auc([True, False], [1, np.nan]), "scores must be finite"),
        (lambda: dis.auc([True, False], [1, 2, 3]), "scores must have shape"),
        (lambda: dis.auc([1, 0, 1], [1, 2, 3], groups=[1, 1]), "groups must have shape"),
        (lambda: dis.auc([1, 0, 1], [1, 2, 3], groups=[1, 1, 2]), "each hold both kinds"),
        (lambda: dis.folds([1, 1, 0, 0], [1, 1, 2, 3]), "two patients or more of each kind"),
    ],
)
def test_what_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
