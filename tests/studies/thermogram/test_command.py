"""`lesionkit thermogram`, end to end on small files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lesionkit import cli, job
from reference.thermal_body import woman

pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")
pytest.importorskip("skimage", reason="scikit-image comes with lesionkit[studies]")


def png(path: Path, seed: int = 0) -> None:
    hundredths = (woman(seed).celsius * 100).round().astype(np.uint16)
    pillow.fromarray(hundredths).save(path)


def run(*asked: object) -> int:
    return cli.main(["thermogram", *map(str, asked)])


def test_a_thermogram_with_a_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    png(tmp_path / "a.png")
    hot = np.zeros((480, 640), np.uint8)
    hot[250:300, 180:260] = 255
    pillow.fromarray(hot).save(tmp_path / "a_truth.png")
    out = tmp_path / "out"
    assert run(tmp_path / "a.png", "--truth", tmp_path / "a_truth.png", "--out", out) == 0
    names = {f"a_{part}.png" for part in ("body", "breasts", "clusters", "steps")}
    tables = {f"{t}.tsv" for t in ("regions", "colours", "asymmetry", "leaks", "scores")}
    assert {p.name for p in out.iterdir()} == names | tables | {"report.html", "done"}
    body = np.asarray(pillow.open(out / "a_body.png"))
    assert set(np.unique(body)) == {0, 255}
    page = (out / "report.html").read_text()
    shown = re.sub("<[^>]+>", "", page.partition("<body>")[2])
    assert shown.startswith("Not for diagnosis.")
    assert not re.findall(r'(?:src|href)="(?!data:)', page)  # it needs no other file
    row = (out / "scores.tsv").read_text().splitlines()[1].split("\t")
    assert row[:2] == ["a", "codebook"]
    assert "1 of 1 cases done" in capsys.readouterr().out


def test_a_folder_goes_on_past_bad_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what is done is not done again, until its bytes or the options change."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    png(folder / "a.png")
    np.savetxt(folder / "a.txt", woman(1).celsius[::8, ::8], fmt="%.2f")
    (folder / "b.txt").write_text("1 2 3\n4 5\n")
    np.savetxt(folder / "c.csv", woman(1).celsius[::8, ::8], fmt="%.2f", delimiter=",")
    assert run(folder, "--out", out) == 1
    said = capsys.readouterr()
    assert "3 of 4 cases done" in said.out
    assert "b.txt must have rows of 3 numbers, row 2 (line 2) has 2" in said.err
    assert (out / "a_png_body.png").is_file()
    assert (out / "a_txt_body.png").is_file()
    page = (out / "report.html").read_text()
    assert "b.txt" in page

    before = (out / "c_body.png").stat().st_mtime_ns
    (folder / "b.txt").write_text("\n".join(["30 31 32"] * 3))
    run(folder, "--out", out)
    assert (out / "c_body.png").stat().st_mtime_ns == before
    (folder / "c.csv").write_text("broken")
    assert run(folder, "--out", out) == 1
    assert not (out / "c_body.png").exists()


def test_pictures_without_limits_are_relative(tmp_path: Path) -> None:
    level = ((woman().celsius - 20) / 16 * 255).clip(0, 255).astype(np.uint8)
    pillow.fromarray(level).save(tmp_path / "g.png")
    out = tmp_path / "out"
    assert run(tmp_path / "g.png", "--out", out) == 0
    assert "temperatures are not known" in (out / "report.html").read_text()
    assert (out / "asymmetry.tsv").read_text().count("\n") == 1
    assert run(tmp_path / "g.png", "--limits", 20, 36, "--out", out) == 0
    assert (out / "asymmetry.tsv").read_text().count("\n") == 2


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["none.png"], "none.png does not exist"),
        (["a.png", "--method", "kmeans"], "method must be 'codebook', 'unet' or 'enhanced'"),
        (["a.png", "--method", "all"], "weights must be the folder of a study"),
        (["a.png", "--truth", "."], "truth must be a mask"),
        ([".", "--truth", "a.png"], "truth must be a folder"),
        (["a.png", "--limits", "37", "22"], "low before high"),
        (["empty"], "has no thermogram"),
        (["a.png", "--max-gib", "0"], "max-gib must be"),
        (["a.png", "--max-gib", "1e-6"], "max_bytes (--max-gib) allows"),
        (["b.png"], "cannot be read as a picture"),
    ],
)
def test_mistakes_are_told_in_a_line(
    asked: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    png(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"\x89PNG")
    (tmp_path / "empty").mkdir()
    assert run(*asked, "--out", "out") == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_a_ledger_forgets_what_has_changed(tmp_path: Path) -> None:
    source, made = tmp_path / "in", tmp_path / "made.png"
    source.write_text("1")
    made.touch()
    ledger = job.Ledger(tmp_path, {"option": 1})
    ledger.put("a", [source], ["made.png"], {"x": 1})
    assert ledger.find("a", [source]) == {"x": 1}
    assert job.Ledger(tmp_path, {"option": 2}).find("a", [source]) is None
    assert ledger.find("b", [source]) is None
    source.write_text("2")
    assert ledger.find("a", [source]) is None
    source.write_text("1")
    record = tmp_path / "done/a.json"
    whole = record.read_text()
    record.write_text(json.dumps([1]))
    assert ledger.find("a", [source]) is None
    record.write_text(whole)
    ledger.forget("a")
    assert not made.exists()
    assert ledger.find("a", [source]) is None


def test_a_table_keeps_its_columns(tmp_path: Path) -> None:
    job.write_table(tmp_path / "t.tsv", [{"case": "a\tb\nc", "x": 1}], ("case", "x", "y"))
    assert (tmp_path / "t.tsv").read_text() == "case\tx\ty\na\\tb\\nc\t1\t\n"
