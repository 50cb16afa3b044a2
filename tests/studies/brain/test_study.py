"""The study on made heads: rows in their order, leaks named, resume, refusals."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")
pytest.importorskip("matplotlib", reason="matplotlib comes with lesionkit[studies]")

from matplotlib.figure import Figure  # noqa: E402

from lesionkit import cli  # noqa: E402
from lesionkit.studies.brain import classify  # noqa: E402
from lesionkit.studies.brain.datasets import brats  # noqa: E402
from lesionkit.studies.brain.study import (  # noqa: E402
    command,
    pictures,
    protocol,
    segmentation,
    tables,
    units,
)
from lesionkit.studies.brain.study.material import Material  # noqa: E402
from lesionkit.texture.selection import Fisher  # noqa: E402
from studies.brain import brain_folder  # noqa: E402

DRAWN = {name: getattr(pictures, name) for name in ("roc", "squares", "confusions")}
KEYS = ["mean", "own", "outside", "random", "paper", "shuffled outside", "shuffled"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return brain_folder.write(tmp_path_factory.mktemp("data"), 3)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two quick classifiers, ten columns by Fisher, three random folds, one small draw: the form is
    tested here. Pictures are blank but for `drawn`."""
    for name in DRAWN:
        monkeypatch.setattr(pictures, name, lambda *_: Figure(figsize=(1, 1)))
    table = classify.classifiers

    def two(seed: int = 0) -> dict[str, Any]:
        return {name: table(seed)[name] for name in ("SVM", "naive Bayes")}

    def ten(rule: str = "") -> Fisher:
        return Fisher(10)

    for module in (classify, units):
        monkeypatch.setattr(module, "classifiers", two)
        monkeypatch.setattr(module, "fused", ten)
    every = units.systems
    some = ("naive-bayes", "svm-32")
    monkeypatch.setattr(units, "systems", lambda seed: {name: every(seed)[name] for name in some})
    monkeypatch.setattr(protocol, "FOLDS", 3)
    monkeypatch.setattr(units, "DRAWS", 1)


@pytest.fixture
def drawn(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, draw in DRAWN.items():
        monkeypatch.setattr(pictures, name, draw)


def study(folder: Path, out: Path, *more: str) -> int:
    asked = ["brain-study", "--data", str(folder), "--out", str(out), "--per-class", "5"]
    return cli.main([*asked, "--seeds", "1", "--modality", "t1c", "--threads", "1", *more])


def test_rows_come_in_order_and_leaks_are_named() -> None:
    rows = protocol.rows_of()
    assert [row.key for row in rows] == KEYS
    assert [row.leaks for row in rows] == [False, False, True, True, True, True, False]
    assert all(row.leaks for row in protocol.rows_of("random"))
    assert all(row.leaks for row in protocol.rows_of("slice"))
    for row in rows:
        assert row.leaks == (row.select == "outside" or row.split != "patient")


def test_labels_are_shuffled_within_a_patient() -> None:
    patients = np.repeat(["A", "B"], 30)
    labels = np.arange(60) % 3 == 0
    zeros = np.zeros(60)
    table = protocol.Table(zeros[:, None], ("x",), labels, patients, zeros.astype(int), zeros)
    found = protocol.shuffled(table, 0)
    assert found[:30].sum() == found[30:].sum() == 10
    assert (found != labels).any()
    assert (found != protocol.shuffled(table, 1)).any()
    assert labels.sum() == 20  # what was given is as it was


@pytest.mark.usefixtures("quick")
def test_the_command_end_to_end(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert study(folder, out) == 0
    said = capsys.readouterr().out
    assert said.startswith("Not for diagnosis.")
    assert said.startswith((out / "tables.txt").read_text())
    content = json.loads((out / "study.json").read_text())
    assert content["patients"] == ["P0", "P1", "P2"]
    asked = ("task", "row", "classifier", "split", "selection", "accuracy", "wilson", "kappa",
             "auc", "n_rois", "n_patients")  # fmt: skip
    for row in content["rows"]:
        assert set(asked) <= set(row)
        assert row["n_patients"] == 3
        leaks = row["split"] != "patient" or row["selection"] == "outside"
        assert leaks == ("leaks" in row["row"]) or row["selection"] == "none"
    svm = [r for r in content["rows"] if r["table"] == "classifiers" and r["classifier"] == "SVM"]
    assert [row["key"] for row in svm] == KEYS
    own = svm[1]
    assert own["n_rois"] == 30
    assert own["accuracy"] > 0.8  # rough against smooth
    assert svm[0]["accuracy"] < own["accuracy"]
    assert set(own["patients"]) == {"P0", "P1", "P2"}
    order = [line[:25] for line in said.splitlines()]
    first = order.index("mean intensity, patients ")
    assert [r.title[:25].rstrip() for r in protocol.rows_of()] == [
        text.rstrip() for text in order[first : first + 7]
    ]
    assert "the paper's CNN: other data" in said
    lines = (out / "regions.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["patient", "plane", "row", "column", "abnormal"]
    assert len(lines) == 31
    assert len((out / "features_t1c.tsv").read_text().splitlines()[0].split("\t")) == 231
    names = {path.name for path in out.iterdir() if path.is_file()}
    assert names == {
        "study.json", "tables.txt", "report.html", "classifiers.json", "chosen.tsv", "times.tsv",
        "regions.tsv", "features_t1c.tsv", "roc.png", "regions.png", "confusions.png",
        "model_t1c.json",
    }  # fmt: skip


@pytest.mark.usefixtures("drawn")
def test_what_is_written_beside_the_tables(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert study(folder, out, "--format", "svg") == 0
    page = (out / "report.html").read_text()
    first = re.sub(r"<[^>]+>", "", page[page.index("<body>") :])
    assert first.startswith("Not for diagnosis.")
    assert page.count("data:image/png;base64,") == 3
    assert not re.search(r'(src|href)="(?!data:)', page)
    for told in ("84.5 %", ".69", ".897", "83.7 %", "Training time", "both rules of POE", "Wilson"):
        assert told in page
    header, *lines = [line.split("\t") for line in (out / "chosen.tsv").read_text().splitlines()]
    assert header == ["task", "features", "seed", "fold", "held_out", "rank", "column"]
    main = [line for line in lines if line[1] == units.MAIN_FEATURES]
    assert len(main) == 3 * 10  # folds, columns
    assert [line[4] for line in main[::10]] == ["P0", "P1", "P2"]
    assert [line[5] for line in main[:10]] == [str(i + 1) for i in range(10)]
    told = json.loads((out / "classifiers.json").read_text())["tasks"]["t1c"]
    assert list(told) == ["SVM", "naive Bayes"]
    assert "SVC()" in told["SVM"]["settings"]
    assert [len(row["roc"]) for row in told["SVM"]["rows"]] == [101] * 7
    assert (out / "roc.svg").read_text().startswith("<?xml")
    assert not (out / "roc.png").exists()
    rows = [line.split("\t") for line in (out / "times.tsv").read_text().splitlines()]
    assert rows[0][-1] == "seconds"
    assert float(rows[1][-1]) > 0
    assert "seconds" not in (out / "study.json").read_text()


@pytest.mark.usefixtures("quick")
def test_a_killed_study_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out, made = tmp_path / "out", []
    usual = units._all

    def told(*given: Any) -> Any:
        made.append(given)
        return usual(*given)

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(units, "_all", told)
    sets = units._sets
    monkeypatch.setattr(units, "_sets", killed)
    assert study(folder, out) == 130
    assert not (out / "study.json").exists()
    monkeypatch.setattr(units, "_sets", sets)
    assert study(folder, out) == 0
    assert len(made) == 1
    whole = (out / "tables.txt").read_text()
    capsys.readouterr()

    assert study(folder, out) == 2
    assert "holds a finished study" in capsys.readouterr().err
    assert (out / "tables.txt").read_text() == whole
    assert study(folder, out, "--overwrite") == 0
    assert len(made) == 2
    assert whole == (out / "tables.txt").read_text()


def without_times(out: Path) -> dict[str, bytes]:
    """The bytes of all files; how long training took is no two runs' own."""
    held = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    del held["times.tsv"]
    before, after = held["report.html"].split(b"<h2>Training time")
    held["report.html"] = before + after[after.index(b"</table>") :]
    return held


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the killed process is a fork of this one")
@pytest.mark.usefixtures("quick")
def test_a_study_killed_by_the_system_equals_one_that_was_not(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, whole = tmp_path / "killed", tmp_path / "whole"
    assert study(folder, whole) == 0
    done: list[Path] = []
    rename, count = Path.replace, 0

    def killed(self: Path, target: Path) -> Path:
        """SIGKILL of its own process, between writing the n-th file and giving it its name."""
        if len(done) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(target)
        return rename(self, target)

    for number in (2, 8):  # in the second step; when the last step is done, and some files are
        count = number
        process = multiprocessing.get_context("fork").Process(target=study, args=(folder, out))
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", killed)
            process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert any(path.suffix == ".partial" for path in out.rglob("*"))
        assert not (out / "study.json").exists()
    assert (out / "chosen.tsv").exists()
    assert study(folder, out, "--threads", "3") == 0
    assert not [path for path in out.rglob("*") if path.suffix == ".partial"]
    assert without_times(out) == without_times(whole)
    records = {path.name for path in (out / "done").iterdir()}
    assert records == {path.name for path in (whole / "done").iterdir()}


@pytest.mark.usefixtures("quick")
def test_a_patient_that_cannot_be_used_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = brain_folder.write(tmp_path / "data", 3)
    for path in (folder / brats.PLACE).glob("P1_*_label.png"):
        label = np.array(pillow.open(path))
        label[:, 19:] = 0
        pillow.fromarray(label).save(path)
    (folder / brats.PLACE / "P3_z000_label.png").write_bytes(b"no picture")
    assert study(folder, tmp_path / "out", "--split", "patient") == 1
    said = capsys.readouterr().out
    assert "Not used: patient P1 has no square of 10 x 10 pixels wholly in tumour" in said
    assert "Not used: patient P3: " in said
    assert "2 patients (P0, P2)" in said


def test_one_patient_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = brain_folder.write(tmp_path / "data", 1), tmp_path / "out"
    assert study(folder, out) == 2
    assert "two patients or more are needed to hold one out, got P0" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--per-class", "1"], "per-class must be from 2"),
        (["--seeds", "0"], "seeds must be from 1"),
        (["--seed", "-1"], "seed must be from 0"),
    ],
)
def test_mistakes_are_told_in_a_line(
    more: list[str], message: str, folder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "out"
    assert study(folder, out, *more) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "brain_tumor").mkdir()
    assert study(tmp_path, tmp_path / "out") == 2
    assert "must hold slices of a patient" in capsys.readouterr().err


def test_numbers_are_written_as_papers_do() -> None:
    assert [tables.number(v) for v in (0.7624, 1.0, -0.5, None)] == [".762", "1.000", "-.500", "-"]
    assert tables.spread(0.5, 0.01) == ".500 ± .010"
    assert command.Options().tasks == ("t1c", "flair")


def test_segmentation_is_scored_patient_by_patient(tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="scikit-image comes with lesionkit[studies]")
    (patient,), _ = brats.load(brain_folder.write(tmp_path, 1))
    rows = segmentation.scored(patient)
    assert [row["method"] for row in rows] == list(segmentation.SEGMENTERS)
    best = max(row["dice"] for row in rows)
    assert best > 0.8
    assert all(row["slices"] == 2 and row["pixels_on_free_slices"] >= 0 for row in rows)
    (section,) = tables.segmentation(rows)
    assert [line["method"] for line in section.cells] == list(segmentation.SEGMENTERS)
    assert tables.segmentation([]) == []


def test_near_duplicates_are_told_before_a_random_split(tmp_path: Path) -> None:
    patients, _ = brats.load(brain_folder.write(tmp_path, 2))
    material = Material(patients)
    assert command._near(material, ("t1c",)) == ""
    one, other = (patient.images["t1c"] for patient in patients)
    other[2] = np.where(one[0] > 0, 0.9 * one[0] + 5, 0)  # the same slice, darker
    told = command._near(material, ("t1c", "flair"))
    assert told.startswith("Near duplicates among 6 slices: 1 pair; a random split")
