"""The intraclass correlation has the values of its papers."""

from __future__ import annotations

import numpy as np
import pytest

from lesionkit.metrics import intraclass

# Shrout and Fleiss, Psychological Bulletin 86, 1979, table 2: six targets, four judges.
RATINGS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_shrout_and_fleiss() -> None:
    """Their table 4: ICC(3, 1) = .71, of mean squares 11.24 between targets and 1.02 of error."""
    found = intraclass(RATINGS)
    between, error = 11.24, 1.02
    assert round(found.icc, 2) == 0.71
    assert found.icc == pytest.approx((between - error) / (between + 3 * error), abs=1e-3)
    assert (round(found.lower, 3), round(found.upper, 3)) == (0.342, 0.946)


def test_raters_may_differ_as_a_whole() -> None:
    shifted = np.array(RATINGS) * 3.0 + [0, 100, -7, 1e5]
    np.testing.assert_allclose(intraclass(shifted), intraclass(RATINGS), rtol=1e-6)
    same = np.arange(5.0)[:, None] + [0, 10, 20]
    assert intraclass(same) == (1, 1, 1)


def test_noise_alone_has_none() -> None:
    found = intraclass(np.random.default_rng(0).normal(size=(400, 20)))
    assert found.lower < 0 < found.upper
    assert abs(found.icc) < 0.01
    assert np.isnan(intraclass(np.ones((3, 4)))).all()


@pytest.mark.parametrize(
    ("ratings", "level", "sentence"),
    [
        ([[1, 2]], 0.95, "two targets and two raters or more"),
        ([[1], [2]], 0.95, "two targets and two raters or more"),
        ([[1, 2], [2, np.nan]], 0.95, "ratings must be finite"),
        (RATINGS, 1, "level must be below 1"),
        (RATINGS, 0, "level must be a finite number above 0"),
    ],
)
def test_bad_input(ratings: list[list[float]], level: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        intraclass(ratings, level=level)
