"""Phantoms one by one, from memory and from a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lesionkit.optics import generate, open_phantoms
from lesionkit.optics.phantoms.store.layout import CHUNK, REGION_COLUMNS, Region
from store_cases import COUNT, RECIPE


def test_one_phantom_of_a_store(whole: Path) -> None:
    phantoms = open_phantoms(whole)
    for number in (0, CHUNK + 5, -1):
        one = phantoms[number]
        assert one.number == range(COUNT)[number]
        for name in ("signal", "mri", "chromophores"):
            np.testing.assert_array_equal(getattr(one, name), getattr(phantoms, name)[number])
        rows = phantoms.inclusions[number]
        assert one.background == Region(*rows[0])
        assert one.background.radius == RECIPE.radius
        assert [list(region) for region in one.inclusions] == [
            row.tolist() for row in rows[1:] if row[2] > 0
        ]
        assert type(one.inclusions[0].hbo) is float
    assert Region._fields == REGION_COLUMNS


def test_all_phantoms_in_turn(whole: Path) -> None:
    phantoms = open_phantoms(whole)
    assert [one.number for one in phantoms] == list(range(COUNT))
    np.testing.assert_array_equal([one.mri for one in phantoms], phantoms.mri[:])
    assert {len(one.inclusions) for one in phantoms} == {1, 2}


def test_they_say_what_they_are_on_one_line(whole: Path) -> None:
    phantoms = open_phantoms(whole)
    assert repr(phantoms) == (
        f"<337 phantoms of seed 0 in {whole}: accuracy fast, 16 optodes, 2 wavelengths, "
        "12 x 12 pixels>"
    )
    assert repr(phantoms[0]).startswith("<phantom 0: inclusions of ")
    few = generate(RECIPE, 2)
    assert repr(few).startswith("<2 phantoms of seed 0: accuracy fast, ")
    np.testing.assert_array_equal(few[1].signal, few.signal[1])


@pytest.mark.parametrize(
    ("index", "kind", "sentence"),
    [
        (COUNT, IndexError, f"index must be from -{COUNT} to {COUNT - 1}, got {COUNT}"),
        (slice(3, 7), TypeError, r"index must be the number of one phantom, got slice.*; phantoms"),
        (1.0, TypeError, "index must be the number of one phantom, got float 1.0; phantoms"),
        (True, TypeError, "index must be the number of one phantom, got "),
    ],
)
def test_an_index_that_is_none(whole: Path, index, kind, sentence: str) -> None:
    with pytest.raises(kind, match=f"^{sentence}"):
        open_phantoms(whole)[index]
