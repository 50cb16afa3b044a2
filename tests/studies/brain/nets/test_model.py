"""The saved model: the study's own SVM, what is refused, and `lesionkit brain --model`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")
pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")

from lesionkit import cli  # noqa: E402
from lesionkit.studies.brain import classify, features, model  # noqa: E402
from lesionkit.studies.brain.datasets import brats  # noqa: E402
from lesionkit.studies.brain.image import squares  # noqa: E402
from lesionkit.studies.brain.study import results  # noqa: E402
from lesionkit.studies.brain.study.material import Material  # noqa: E402
from lesionkit.texture.selection import Fisher  # noqa: E402
from studies.brain import brain_folder  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return brain_folder.write(tmp_path_factory.mktemp("data"), 3)


@pytest.fixture(scope="module")
def trained(folder: Path) -> model.Model:
    """Of the tumours of two patients, the third unseen."""
    patients, _ = brats.load(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classify, "fused", lambda: Fisher(10))
        return results._model(Material(patients[:2], 6), "flair", 0)


@pytest.fixture(scope="module")
def saved(trained: model.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model_flair.json"
    model.save(trained, path)
    return path


def some_squares(count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    abnormal = np.arange(count) % 2 == 1
    noise = np.random.default_rng(0).uniform(-9, 9, (count, 10, 10))
    return 128 + noise * np.where(abnormal, 6, 1)[:, None, None], abnormal


def test_it_is_the_studys_own_svm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sums, to rounding, and probabilities that rise with them."""
    monkeypatch.setattr(classify, "fused", lambda: Fisher(10))
    given, abnormal = some_squares()
    found = model.fit(given, abnormal, np.repeat(["A", "B"], 20), "t1c")
    assert (found.n_rois, found.n_patients, len(found.names)) == (40, 2, 10)
    table, names = features.mazda(given)
    columns = table[:, [names.index(name) for name in found.names]]
    svm = classify.classifiers()["SVM"].fit(columns, abnormal)
    sums = svm.decision_function(columns)
    expected = 1 / (1 + np.exp(-found.slope * sums - found.offset))
    np.testing.assert_allclose(found.probability(given), expected, rtol=1e-9)
    assert found.slope > 0
    assert found.probability(given[:0]).shape == (0,)


def test_saved_and_read_to_the_bit(trained: model.Model, saved: Path) -> None:
    again = model.load(saved)
    given, _ = some_squares()
    np.testing.assert_array_equal(again.probability(given), trained.probability(given))
    assert again.digest == trained.digest
    assert "P0" not in saved.read_text()  # nobody's name
    with pytest.raises(ValueError, match="squares must have 10 x 10 pixels, got 9 x 10"):
        again.probability(given[:, 1:])


def test_levels_do_not_depend_on_the_brightest() -> None:
    brain = np.ones((40, 40), bool)
    plain = np.random.default_rng(0).normal(100, 5, (40, 40))
    spot = plain.copy()
    spot[:6, :6] += 200
    with_spot, without = (model.levels_of(image, brain) for image in (spot, plain))
    for levels in (with_spot, without):
        np.testing.assert_allclose(np.percentile(levels, (25, 50)), model.QUARTILES, atol=2)
    assert with_spot.max() == 255
    assert (
        abs(np.median(with_spot[10:, 10:]) - np.median(without[10:, 10:])) < 6
    )  # of 16 between quartile and median
    assert (model.levels_of(plain, ~brain) == 0).all()


BREAKS: dict[str, Any] = {
    "is of another kind": {"what": "something"},
    "is of format 2, and this version reads 1": {"format": 2},
    "its numbers do not fit together": {"bias": "x"},
    "numbers do not fit": {"names": ["S(1,0)AngScMom"]},
    "do not fit together": {"names": []},
    "not fit together": {"modality": "ct"},
    "fit together": {"gamma": -1.0},
    "together": {"weights": [float("nan")]},
}


@pytest.mark.parametrize("sentence", BREAKS)
def test_a_broken_file_is_refused(saved: Path, tmp_path: Path, sentence: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(json.loads(saved.read_text()) | BREAKS[sentence]))
    with pytest.raises(ValueError, match=sentence):
        model.load(path)


def test_other_files_are_refused(
    saved: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = folder / brats.PLACE / "P2_z000_flair.png"
    (tmp_path / "half.json").write_bytes(saved.read_bytes()[:500])
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "deep.json").write_text("[" * 10**5)
    for file, sentence in (
        (tmp_path / "half.json", "half.json is broken, or of another kind"),
        (tmp_path / "list.json", "list.json is of another kind"),
        (tmp_path / "deep.json", "deep.json is broken"),
        (tmp_path / "no.json", "no.json does not exist"),
        (tmp_path, "is a folder"),
        (image, "P2_z000_flair.png is broken, or of another kind"),
    ):
        asked = ["brain", str(image), "--model", str(file), "--out", str(tmp_path / "out")]
        assert cli.main(asked) == 2
        told = capsys.readouterr().err
        assert sentence in told
        assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("stem", "sentence"),
    [
        ("a_FLAIR", ""),
        ("a_t1c", "is T1 with contrast by its name, and the model is of FLAIR"),
        ("sub-1_ce-gadolinium_T1w", "is T1 with contrast by its name"),
        ("sub-1_T1w", "is T1 by its name"),
        ("a_t2", "is T2 by its name"),
        ("a_dwi", "is diffusion by its name"),
        ("scan", "must tell its modality by its name, as NAME_flair does"),
    ],
)
def test_the_modality_is_checked(trained: model.Model, stem: str, sentence: str) -> None:
    path = Path(f"{stem}.nii")
    if not sentence:
        squares.check_modality(path, stem, trained)
        return
    with pytest.raises(ValueError, match=sentence):
        squares.check_modality(path, stem, trained)


def test_squares_lie_in_the_brain_and_are_put_back(trained: model.Model) -> None:
    values = np.random.default_rng(0).uniform(50, 90, (2, 34, 47))
    brain = np.zeros(values.shape, bool)
    brain[1, 5:32, 8:40] = True
    told = squares.judge(values, brain, trained, Path("x"))
    assert told.corners.tolist() == [[1, r, c] for r in (10, 20) for c in (10, 20, 30)]
    for (plane, row, column), chance in zip(told.corners, told.chances, strict=True):
        part = told.chart[plane, row : row + 10, column : column + 10]
        np.testing.assert_array_equal(part, np.float32(chance))
    assert np.isfinite(told.chart).sum() == 600
    assert told.of(brain) == pytest.approx(told.chances.mean())
    assert told.of(~brain) is None
    assert told.answer(~brain)["judged"] == "whole brain"
    with pytest.raises(ValueError, match="no square of 10 x 10 pixels wholly in the brain"):
        squares.judge(values, brain & False, trained, Path("x"))


def test_the_command(
    saved: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A patient that the model has not seen: a slice with a tumour, one without; another modality
    is named, and the rest is done."""
    (tmp_path / "in").mkdir()
    for name in ("P2_z000_flair.png", "P2_z020_flair.png", "P2_z000_t1c.png", "P2_z000_label.png"):
        (tmp_path / "in" / name).write_bytes((folder / brats.PLACE / name).read_bytes())
    asked = ["brain", str(tmp_path / "in"), "--model", str(saved), "--out", str(tmp_path / "out")]
    assert cli.main(asked) == 1
    told = capsys.readouterr()
    assert "P2_z000_t1c.png is T1 with contrast by its name, and the model is of FLAIR" in told.err
    assert "P2_z000_flair, halfway: abnormal" in told.out
    assert "P2_z020_flair, halfway: normal" in told.out
    lines = [line.split("\t") for line in (tmp_path / "out/scores.tsv").read_text().splitlines()]
    with_tumour, free = (dict(zip(lines[0], line, strict=True)) for line in lines[1:])
    assert with_tumour["class"] == "abnormal"
    assert with_tumour["judged"] == "what was found"
    assert float(with_tumour["probability"]) > 0.5 > float(free["probability"])
    assert int(with_tumour["abnormal_squares"]) > int(free["abnormal_squares"])
    pieces = [line.split("\t") for line in (tmp_path / "out/pieces.tsv").read_text().splitlines()]
    assert float(dict(zip(pieces[0], pieces[1], strict=True))["probability"]) > 0.5
    squares_ = (tmp_path / "out/squares.tsv").read_text().splitlines()
    assert len(squares_) == 1 + int(with_tumour["squares"]) + int(free["squares"])
    report = (tmp_path / "out/report.html").read_text()
    assert "The model learnt from" in report
    assert "by the model" in report
