"""Tables as lines of text."""

from __future__ import annotations

from lesionkit.studies.common.text import as_text


def test_a_table_is_aligned() -> None:
    rows = [{"a": "xyz", "b": "1"}, {"a": "x", "b": "22"}]
    assert as_text(rows) == ["a    b", "xyz  1", "x    22"]
