"""The table of docs/fronts.md, small: the rows that must be equal are, for the peers here."""

from __future__ import annotations

from pathlib import Path

from benchmarks.fronts.agreement import agreement
from benchmarks.report import Report


def test_the_table_of_agreement(tmp_path: Path) -> None:
    agreement(Report(tmp_path, quick=True))
    table = (tmp_path / "results.md").read_text()
    assert "`chan_vese`" in table
    assert "`watershed`" in table
