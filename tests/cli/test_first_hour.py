"""docs/first-hour.md: its commands and its Python run, in order, with smaller sizes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lesionkit import cli

PAGE = (Path(__file__).parents[2] / "docs/first-hour.md").read_text()
BLOCKS = re.findall(r"^```(bash|python)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SMALLER = {"256": "20", "300": "24", "3": "1", "5": "2", "8": "1"}
"""Counts, epochs and limits of the page, and here."""
FASTER = ["--accuracy", "fast", "--wavelengths", "661", "808", "948"]


def test_the_page_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    done = []
    for kind, code in BLOCKS:
        if kind == "python":
            exec(compile(code, "first-hour.md", "exec"), {})
            continue
        program, *asked = [SMALLER.get(word, word) for word in shlex.split(code)]
        assert program == "lesionkit"
        asked += FASTER if asked[0] == "phantoms" else []
        assert cli.main(asked) == 0, asked
        done.append(asked[0])
    assert done == [
        "selftest", "phantoms", "phantoms", "reconstruct", "train", "train", "evaluate",
    ]  # fmt: skip
    said = capsys.readouterr()
    for report in (
        "20 phantoms in",
        "24 phantoms in",
        "<24 phantoms of seed 0 in phantoms.zarr: ",
        "znet: going on from epoch 1",
        "| SSIM | water |",
    ):
        assert report in said.out, report
    assert "lesionkit: epoch 2 of 2, loss " in said.err
    assert (tmp_path / "hbo.png").stat().st_size > 1000
    with pytest.raises(SystemExit):
        cli.main(["reconstruct", "phantoms.zarr"])
