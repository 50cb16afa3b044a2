"""The table of docs/fronts.md, small: the rows that must be equal are, for the peers here."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.__main__ import PARTS, main
from benchmarks.fronts.agreement import agreement
from benchmarks.report import Report
from benchmarks.timing import Spread


def test_the_table_of_agreement(tmp_path: Path) -> None:
    agreement(Report(tmp_path, quick=True))
    table = (tmp_path / "results.md").read_text()
    assert "`chan_vese`" in table
    assert "`watershed`" in table


@pytest.mark.filterwarnings("ignore")  # the peers' own
def test_the_benchmark_refuses_no_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ours is as near to the truth as each peer here, or equal to it; and the report says so."""
    main(["fronts", "--quick", "--pairs", "1", "--out", str(tmp_path)])
    assert "report.html" in capsys.readouterr().out
    table, page = ((tmp_path / name).read_text() for name in ("results.md", "report.html"))
    for name in ("arrival_time", "distance_transform", "chan_vese", "watershed"):
        assert f"`{name}`" in table
        assert name in page
    for words in ("The peer that comes nearest", "Peak memory so far, MiB", "scipy "):
        assert words in page
    assert (tmp_path / "fronts-ratios.png").stat().st_size > 1000


def test_a_part_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(report: Report) -> None:
        raise AssertionError("a <peer> differs by 1e-3")

    monkeypatch.setitem(PARTS, "busy", wrong)
    with pytest.raises(SystemExit) as left:
        main(["busy", "--out", str(tmp_path)])
    assert left.value.code == 1
    page = (tmp_path / "report.html").read_text()
    assert "busy: AssertionError: a &lt;peer&gt; differs by 1e-3" in page


def test_a_spread_is_read_as_it_was_written() -> None:
    spread = Spread(3.24, 0.00123, 15e5)
    assert Spread.read(str(spread)) == spread
    assert str(Spread(2154.3, 12, 3000)) == "2,154 (12–3,000)"
    assert Spread.read("2,154 (12–3,000)") == Spread(2154, 12, 3000)
    assert Spread.read("12.3") is None
