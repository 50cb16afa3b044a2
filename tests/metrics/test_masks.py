"""Scores of masks: by hand, by their definitions, properties, empty ones, mistakes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tolerances
from lesionkit.metrics import masks as metrics
from reference import metrics_masks as reference

# --- known answers --------------------------------------------------------------------------------

FOUND = np.array([[1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
TRUTH = np.array([[0, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]])


def test_by_hand() -> None:
    # 2 in both, 2 found alone, 2 true alone, 6 in neither
    assert metrics.jaccard(FOUND, TRUTH) == 2 / 6
    assert metrics.dice(FOUND, TRUTH) == 4 / 8
    assert metrics.error_rates(FOUND, TRUTH) == (2 / 6, 2 / 6)
    assert metrics.error_rates(FOUND, TRUTH, "reference") == (2 / 4, 2 / 4)
    assert metrics.error_rates(FOUND, TRUTH, "standard") == (2 / 8, 2 / 4)
    assert metrics.lesion_f1(FOUND, TRUTH) == 2 * 1 / (2 * 1 + 1 + 1)
    assert metrics.volume(FOUND, (2.0, 0.5)) == 4


def test_the_published_means_add_up_as_ours_do() -> None:
    """Jaccard, FPR and FNR of the union are the whole of it."""
    assert sum((metrics.jaccard(FOUND, TRUTH), *metrics.error_rates(FOUND, TRUTH))) == 1


def test_borders_of_two_squares_a_step_apart() -> None:
    a, b = np.zeros((2, 30, 30), bool)
    a[5:15, 5:15] = True
    b[5:15, 8:18] = True
    assert metrics.hausdorff95(a, b) == 3
    assert metrics.hausdorff95(a, b, (1.0, 2.5)) == 7.5
    assert metrics.hausdorff95(a, a) == 0


def test_a_lone_speck_is_left_out_of_the_95_per_cent() -> None:
    a, b = np.zeros((2, 60, 60), bool)
    a[5:25, 5:25] = b[5:25, 5:25] = True
    b[55, 55] = True  # one of 77 border pixels
    assert metrics.hausdorff95(a, b) == 0


def test_lesions_touch_along_diagonals() -> None:
    assert metrics.lesion_f1(np.eye(4, dtype=bool), np.eye(4, dtype=bool)[::-1]) == 0
    assert metrics.lesion_f1([[1, 0], [0, 0]], [[1, 0], [0, 1]]) == 1


def test_scores_are_the_single_ones() -> None:
    got = metrics.scores(FOUND, TRUTH, (2.0, 0.5))
    assert got == (
        metrics.jaccard(FOUND, TRUTH),
        metrics.dice(FOUND, TRUTH),
        *metrics.error_rates(FOUND, TRUTH),
        metrics.hausdorff95(FOUND, TRUTH, (2.0, 0.5)),
        metrics.lesion_f1(FOUND, TRUTH),
        4.0,
        4.0,
    )


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)])
def test_empty_masks(shape: tuple[int, ...]) -> None:
    none, some = np.zeros((2, *shape), bool)
    some.flat[7] = True
    assert metrics.scores(none, none) == (1, 1, 0, 0, 0, 1, 0, 0)
    assert metrics.scores(some, none) == (0, 0, 1, 0, math.inf, 0, 1, 0)
    assert metrics.scores(none, some) == (0, 0, 0, 1, math.inf, 0, 0, 1)
    assert metrics.error_rates(none, none, "reference") == (0, 0)
    assert metrics.error_rates(some, none, "reference") == (math.inf, 0)
    assert metrics.error_rates(none, some, "reference") == (0, 1)
    assert metrics.error_rates(none, none, "standard") == (0, 0)
    whole = ~none
    assert metrics.error_rates(whole, whole, "standard") == (0, 0)


# --- by definition, and properties ----------------------------------------------------------------


@st.composite
def pairs(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(st.sampled_from([(9,), (6, 7), (3, 4, 5)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    share = draw(st.sampled_from([0.02, 0.2, 0.6]))
    return rng.random(shape) < share, rng.random(shape) < share


@settings(max_examples=60, deadline=None)
@given(pairs(), st.sampled_from([0.3, 1.0, 2.0]))
def test_by_definition(pair: Any, step: float) -> None:
    a, b = pair
    spacing = [1.0] * (a.ndim - 1) + [step]
    expected = reference.hausdorff95(a, b, spacing)
    got = metrics.hausdorff95(a, b, spacing)
    assert got == expected or math.isclose(got, expected, rel_tol=tolerances.DISTANCE)
    assert metrics.lesion_f1(a, b) == reference.lesion_f1(a, b)
    x, y = reference.pixels(a), reference.pixels(b)
    union = len(x | y)
    assert metrics.jaccard(a, b) == (len(x & y) / union if union else 1)
    rates = (len(x - y) / union, len(y - x) / union) if union else (0, 0)
    assert metrics.error_rates(a, b) == rates


@settings(max_examples=60, deadline=None)
@given(pairs())
def test_properties(pair: Any) -> None:
    a, b = pair
    j, d = metrics.jaccard(a, b), metrics.dice(a, b)
    assert math.isclose(d, 2 * j / (1 + j), abs_tol=1e-15)
    assert metrics.scores(a, a)[:6] == (1, 1, 0, 0, 0, 1)
    assert metrics.hausdorff95(a, b) == metrics.hausdorff95(b, a)
    forward, backward = metrics.error_rates(a, b), metrics.error_rates(b, a)
    assert forward == backward[::-1]


def test_integers_views_and_read_only_masks_do() -> None:
    expected = metrics.scores(FOUND, TRUTH)
    big = np.zeros((6, 8), np.uint16)
    big[::2, ::2] = FOUND * 255
    big.flags.writeable = False
    assert metrics.scores(big[::2, ::2], np.asfortranarray(TRUTH == 1)) == expected


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "truth", "kind", "sentence"),
    [
        (np.ones((2, 3)), TRUTH, TypeError, "found must hold booleans or integers, got float64.*"),
        (FOUND, np.full((3, 4), 0.9), TypeError, r"truth must .*; .* pass truth > 0\.5"),
        (FOUND, TRUTH.T, ValueError, r"found and truth must have one shape, got \(3, 4\) and .*"),
        (np.zeros((0, 4), bool), TRUTH, ValueError, "found must hold a pixel or more, got bool.*"),
        (np.ma.masked_equal(FOUND, 0), TRUTH, ValueError, "found has masked entries.*"),
        (FOUND, 3, ValueError, "truth must hold a pixel or more, got int64 array of shape .*"),
    ],
)
def test_mistakes_in_masks(found: Any, truth: Any, kind: type[Exception], sentence: str) -> None:
    for score in (metrics.dice, metrics.jaccard, metrics.hausdorff95, metrics.scores):
        with pytest.raises(kind, match=sentence):
            score(found, truth)


def test_mistakes_in_options() -> None:
    with pytest.raises(ValueError, match="normalise must be 'union', 'reference' or 'standard'"):
        metrics.error_rates(FOUND, TRUTH, "all")  # type: ignore[arg-type]
    for spacing in (0.0, (1.0, -1.0), (1.0, 1.0, 1.0), (1.0, math.nan)):
        for score in (metrics.hausdorff95, metrics.scores):
            with pytest.raises(ValueError, match="spacing"):
                score(FOUND, TRUTH, spacing)
