"""The table of docs/fronts.md, small: the rows that must be equal are, for the peers here."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.fronts.agreement import agreement
from benchmarks.fronts.rows import against_peers
from benchmarks.report import Report


def test_the_table_of_agreement(tmp_path: Path) -> None:
    agreement(Report(tmp_path, quick=True))
    table = (tmp_path / "results.md").read_text()
    assert "`chan_vese`" in table
    assert "`watershed`" in table


@pytest.mark.filterwarnings("ignore")  # the peers' own
def test_the_benchmark_refuses_no_row(tmp_path: Path) -> None:
    """Ours is as near to the truth as each peer here, or equal to it."""
    against_peers(Report(tmp_path, quick=True, pairs=3))
    table = (tmp_path / "results.md").read_text()
    for name in ("arrival_time", "distance_transform", "chan_vese", "watershed"):
        assert f"`{name}`" in table
