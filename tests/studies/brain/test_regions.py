"""Squares: where they may lie, that they do not overlap, and that they depend on the seed alone."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from lesionkit.studies.brain import regions
from lesionkit.studies.brain.regions import cut, draw


def head(planes: int = 3, side: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """A round brain; tumour on the left of all planes but the last."""
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    brain = np.tile(np.hypot(rows, columns) < side / 2 - 1, (planes, 1, 1))
    tumour = np.zeros_like(brain)
    tumour[:-1, 18:42, 8:24] = True
    return tumour & brain, brain


@pytest.mark.parametrize("normal", regions.NORMAL)
def test_squares_lie_where_they_should(normal: str) -> None:
    tumour, brain = head()
    found = draw(tumour, brain, "P1", size=6, per_class=4, normal=normal)
    kinds = [region.abnormal for region in found]
    assert kinds == [True] * 4 + [False] * 4
    inside, free = cut(tumour, found, 6), cut(brain, found, 6)
    assert free.all()
    assert inside[:4].all()
    assert not cut(tumour, found[4:], 6, around=5).any()
    for one, other in combinations(found, 2):
        far = max(abs(one.row - other.row), abs(one.column - other.column)) >= 6
        assert one.plane != other.plane or far
    if normal == "free":
        assert {region.plane for region in found[4:]} == {2}
    if normal == "mirror":
        for one, other in zip(found[:4], found[4:], strict=True):
            assert (one.plane, one.row) == (other.plane, other.row)
            assert one.column + other.column + 6 == 60


def test_draws_depend_on_seed_patient_and_number_alone() -> None:
    tumour, brain = head()
    five, three = (draw(tumour, brain, "P1", size=5, per_class=n) for n in (5, 3))
    assert five[:3] == three[:3]
    assert five[5:8] == three[3:]
    assert draw(tumour, brain, "P1", size=5, per_class=5) == five
    assert draw(tumour, brain, "P1", size=5, per_class=5, seed=1) != five
    assert [r[1:] for r in draw(tumour, brain, "P2", size=5, per_class=5)] != [r[1:] for r in five]


def test_both_kinds_get_as_many_as_there_is_room_for() -> None:
    tumour, brain = head()
    found = draw(tumour, brain, size=10, per_class=1000)
    kinds = np.array([region.abnormal for region in found])
    assert 2 <= kinds.sum() == (~kinds).sum() < 12


def test_pixels_around_a_square() -> None:
    image = np.arange(2 * 20 * 20).reshape(2, 20, 20)
    at = [regions.Region("P", 1, 0, 12, True)]
    np.testing.assert_array_equal(cut(image, at, 6)[0], image[1, :6, 12:18])
    wide = cut(image, at, 6, around=4)[0]
    np.testing.assert_array_equal(wide[4:-4, 4:-4], image[1, :6, 12:18])
    np.testing.assert_array_equal(wide[0], wide[4])  # beyond the border


def test_where_no_square_fits() -> None:
    tumour, brain = head()
    with pytest.raises(ValueError, match="patient P7 has no square of 20 x 20 pixels wholly in "
                       "tumour; its largest is 16"):  # fmt: skip
        draw(tumour, brain, "P7", size=20)
    with pytest.raises(ValueError, match="patient P7 has no square of 10 x 10 pixels of normal"):
        draw(brain, brain, "P7")
    with pytest.raises(ValueError, match="normal brain at its mirror image"):
        draw(tumour, brain & (np.arange(60) < 30), "P7", normal="mirror")
    with pytest.raises(ValueError, match="tumour must hold booleans"):
        draw(tumour[0], brain[0])
    with pytest.raises(ValueError, match="brain must have tumour's shape"):
        draw(tumour, brain[:2])
    with pytest.raises(ValueError, match="normal must be"):
        draw(tumour, brain, normal="left")
