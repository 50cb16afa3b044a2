"""A table of regions from elsewhere: read, refused by row and column, run by the same rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib comes with lesionkit[studies]")
pytest.importorskip("skimage", reason="scikit-image comes with lesionkit[studies]")

from matplotlib.figure import Figure

from lesionkit import cli
from lesionkit.studies.brain import classify
from lesionkit.studies.brain.study import given, pictures, protocol, units
from lesionkit.texture.selection import Fisher

LINES = [
    "patient,class,Mean,Contrast",
    *(f"P{i // 4},{i % 2},{100 + i % 3},{i % 2 + i / 100}" for i in range(24)),
]


def written(folder: Path, lines: list[str], name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return path


def test_a_table_is_read(tmp_path: Path) -> None:
    table = given.read(written(tmp_path, LINES))
    assert table.names == ("Mean", "Contrast")
    assert table.features.shape == (24, 2)
    assert table.abnormal.tolist() == [False, True] * 12
    assert table.patients[:5].tolist() == ["P0"] * 4 + ["P1"]
    np.testing.assert_array_equal(table.mean, table.features[:, 0])
    assert given.has_mean(table)
    tabs = [line.replace(",", "\t").replace("Mean", "Slope") for line in LINES]
    other = given.read(written(tmp_path, [tabs[0], "", *tabs[1:]], "mine.tsv"))
    np.testing.assert_array_equal(other.features, table.features)
    assert not given.has_mean(other)
    words = [line.replace(",1,", ", Abnormal,").replace(",0,", ",normal,") for line in LINES]
    assert given.read(written(tmp_path, words)).abnormal.tolist() == table.abnormal.tolist()


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (0, "patient,kind,Contrast", "has no column class"),
        (0, "patient,class", "has no feature"),
        (0, "patient,class,Mean,Mean", "has 'Mean' twice"),
        (2, "P0,1,100", "row 3 of .* has 3"),
        (2, "P0,1,100,wet", "a finite number in row 3, column 'Contrast' of .*, got 'wet'"),
        (2, "P0,1,nan,1", "a finite number in row 3, column 'Mean' of .*, got 'nan'"),
        (2, "P0,2,100,1", "0, 1, normal or abnormal in row 3, column 'class' of .*, got '2'"),
        (2, " ,1,100,1", "a name in row 3, column 'patient' of .*, got ''"),
    ],
)
def test_what_is_wrong_is_named_by_row_and_column(
    line: int, text: str, message: str, tmp_path: Path
) -> None:
    lines = [*LINES]
    lines[line] = text
    with pytest.raises(ValueError, match=message):
        given.read(written(tmp_path, lines))


def test_slices_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a column slice for --split slice"):
        given.read(written(tmp_path, LINES), "slice")
    lines = [LINES[0] + ",slice", *(f"{line},{i % 3}" for i, line in enumerate(LINES[1:]))]
    assert given.read(written(tmp_path, lines), "slice").slices[:4].tolist() == [0, 1, 2, 0]


def test_no_table_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "mine.csv", tmp_path / "out"
    for content, message in (
        (b"\x89PNG\r\n\x1a\n\x00", "must be text of tab- or comma-separated values"),
        (b"", "has no column patient"),
        (b"patient,class,x\n", "has names only"),
        (b"patient,class,x\n" + 9 * b"A,0,1\nA,1,2\n", "got A alone"),
        (b"patient,class,x\nA,0,1\nA,1,2\nB,0,1\nC,0,3\n", "got one kind in a fold"),
    ):
        path.write_bytes(content)
        assert cli.main(["brain-study", "--table", str(path), "--out", str(out)]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1
    asked = ["brain-study", "--table", str(path), "--data", str(tmp_path), "--out", str(out)]
    assert cli.main(asked) == 2
    assert "--data or --table, got both" in capsys.readouterr().err
    assert not out.exists()


def test_patients_of_one_kind_swap_their_labels() -> None:
    """Within such a patient nothing can be shuffled."""
    patients = np.repeat([f"P{i}" for i in range(8)], 3)
    labels = np.repeat(np.arange(8) % 2 == 1, 3)
    zeros = np.zeros(24)
    table = protocol.Table(zeros[:, None], ("x",), labels, patients, zeros.astype(int), zeros)
    found = protocol.shuffled(table, 0)
    assert (found != labels).any()
    assert found.sum() == 12
    assert all(len(set(found[patients == name])) == 1 for name in patients)


def test_the_same_rows_without_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("roc", "confusions"):
        monkeypatch.setattr(pictures, name, lambda *_: Figure(figsize=(1, 1)))
    table = classify.classifiers
    for module in (classify, units):
        monkeypatch.setattr(module, "classifiers", lambda seed=0: {"SVM": table(seed)["SVM"]})
        monkeypatch.setattr(module, "fused", lambda rule="": Fisher(1))
    path, out = written(tmp_path, LINES), tmp_path / "out"
    asked = ["brain-study", "--table", str(path), "--out", str(out), "--seeds", "1"]
    assert cli.main([*asked, "--threads", "1"]) == 0
    said = capsys.readouterr().out
    assert "24 regions of 6 patients, 12 abnormal, 2 features, measured elsewhere: mine.csv" in said
    rows = json.loads((out / "study.json").read_text())["rows"]
    main = [row for row in rows if row["table"] == "classifiers"]
    assert [row["key"] for row in main] == [row.key for row in protocol.rows_of()]
    assert main[1]["accuracy"] == 1  # Contrast is the class
    assert main[0]["accuracy"] < 0.8  # Mean is not
    assert not (out / "regions.tsv").exists()
    assert "both rules of POE" in (out / "report.html").read_text()
