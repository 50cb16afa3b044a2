"""The study's tables on made women, leaks first; how each thermogram is measured."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from lesionkit import cli
from lesionkit.studies.common import discrimination
from lesionkit.studies.thermogram import measure, study
from lesionkit.studies.thermogram.readers import colour
from reference.thermal_body import woman
from thermal_women import women

pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")
pytest.importorskip("sklearn")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folds once, not ten times: the tables' form is tested here, folds in test_discrimination."""
    monkeypatch.setattr(discrimination, "REPEATS", 1)
    monkeypatch.setattr(discrimination, "DRAWS", 200)


def folder(root: Path, count: int = 6, size: int = 2) -> Path:
    """A small DMR-IR; every second woman is sick, and a degree warmer."""
    place = root / "breast_thermal/dmr_ir"
    (place / "celsius_x100_png16").mkdir(parents=True)
    rows = ["id,diagnosis,txt_delimiter"]
    for number in range(count):
        name, sick = f"T{number:04d}", number % 2
        celsius = woman(number).celsius[::size, ::size] + sick
        hundredths = (celsius * 100).round().astype(np.uint16)
        pillow.fromarray(hundredths).save(place / "celsius_x100_png16" / f"{name}.png")
        kind = "semicolon" if number == 1 else "space"
        rows.append(f"{name},{'Sick' if sick else 'Healthy'},{kind}")
    (place / "index.csv").write_text("\n".join(rows) + "\n")
    return root


def test_each_woman_is_measured(tmp_path: Path) -> None:
    found = list(measure.women(folder(tmp_path, 2)))
    assert [(w.name, w.sick, w.semicolon) for w in found] == [
        ("T0000", False, False),
        ("T0001", True, True),
    ]
    scene = woman(1)
    one = found[1]
    assert one.patient == 1
    assert one.leaks.number == 1
    assert one.leaks.body_mean == pytest.approx(scene.celsius[scene.body].mean() + 1, abs=0.05)
    assert abs(one.axis.column - scene.midline / 2) <= 2
    assert one.axis.frontal
    assert all(b.sum() > 0.9 * t.sum() / 4 for b, t in zip(one.breasts, scene.breasts, strict=True))
    assert one.asymmetry is not None
    assert max(one.asymmetry) < 0.3
    for fractions in (one.red_range, one.red_cluster, one.no_range):
        assert len(fractions) == 3
        assert all(0 <= fraction <= 1 for fraction in fractions)


def test_limits_of_colours() -> None:
    celsius = np.arange(16.0, 416.0).reshape(20, 20).astype(np.float32)
    body = np.zeros((20, 20), bool)
    body[5:10] = True  # 116 to 215
    fixed, image, inside = (measure.limits_of(celsius, body, scale) for scale in measure.SCALES)
    assert fixed == colour.LIMITS == (22, 37)
    assert image == (16, 415)
    np.testing.assert_allclose(inside, (116 + 0.99, 215 - 0.99))


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("id,diagnosis\nT1,Ill\n", "must say Sick or Healthy of each id"),
        ("id,diagnosis\n,Sick\n", "must say Sick or Healthy of each id"),
        ("name\nT1\n", "must say Sick or Healthy of each id"),
        (None, "must be a folder with breast_thermal/dmr_ir/index.csv"),
    ],
)
def test_folders_that_are_refused(index: str | None, message: str, tmp_path: Path) -> None:
    place = tmp_path / "breast_thermal/dmr_ir"
    place.mkdir(parents=True)
    if index is not None:
        (place / "index.csv").write_text(index)
    with pytest.raises(ValueError, match=message):
        measure.index(measure.data_folder(tmp_path))


def test_the_data_is_where_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "data", 1)
    monkeypatch.setenv("LESIONKIT_DATA", str(tmp_path))
    assert measure.data_folder() == tmp_path / "data/breast_thermal/dmr_ir"
    monkeypatch.delenv("LESIONKIT_DATA")
    with pytest.raises(ValueError, match="LESIONKIT_DATA is not set"):
        measure.data_folder()


def test_leaks_come_first_and_methods_are_judged_beside_them() -> None:
    table = study.leak_table(list(women()))
    names = [row["row"] for row in table]
    assert [name.startswith("leak") for name in names] == [True] * 6 + [False] * (len(names) - 6)
    by_name = {row["row"]: row for row in table}
    number = by_name["leak: file number"]
    assert number["all"] == "1.000 (1.00-1.00)"  # sick women have numbers from 100 on
    assert number["adds (all)"] == ""  # a leak is no method
    warm = by_name["leak: mean of the body"]
    assert float(warm["all"][:5]) > 0.95  # half a degree more
    apart = by_name["left against right, 9 numbers"]
    assert re.fullmatch(r"[+-]\d\.\d{3} \([+-]\d\.\d\d to [+-]\d\.\d\d\)", apart["adds (all)"])
    counts = [row["features"] for row in table]
    assert counts == ["1", "4", "1", "1", "1", "6", *["1"] * 6, "1", "9", "22"]


def test_a_lower_number_is_said_to_be_lower() -> None:
    sick = np.array([True, True, False, False])
    patients = np.arange(4)
    assert study._report(np.array([1.0, 2, 3, 4]), sick, patients, 0).endswith(" lower in sick")
    assert study._report(np.array([1.0, 4, 3, np.nan]), sick, patients, 0)[:5] == "0.500"


def test_too_few_women_have_no_figure() -> None:
    """Of space files one woman is sick: nothing can be told of her kind."""
    few = [w for w in women() if not w.sick][:4] + [w for w in women() if w.sick][:2]
    table = study.leak_table(few)  # number 3 of the two sick ones came with semicolons
    assert {row["space files"] for row in table} == {"–"}
    assert all(row["all"] != "–" for row in table)


def test_counts_tell_format_and_the_papers_rule() -> None:
    report = study._counts(list(women()))
    assert report[0].startswith(
        "12 women, 4 sick; in 1 sick and 0 healthy the matrix came with semi"
    )
    assert "22-37 C 4 of 4 sick and 8 of 8 healthy" in report[1]
    assert "body's range 0 of 4 sick and 0 of 8 healthy" in report[1]
    assert report[2].endswith("50 % (22-37 C), 25 % (image's range), 75 % (body's range).")
    assert report[3].endswith("compared): T0005.")


def test_the_command_end_to_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without nets first; then with nets of one epoch; then again, from what they left."""
    pytest.importorskip("torch", reason="torch is not installed: lesionkit[nets]")
    pytest.importorskip("skimage", reason="scikit-image comes with lesionkit[studies]")
    from lesionkit.studies.thermogram.learning import cnn, spots

    monkeypatch.setattr(spots, "EACH", 2)
    monkeypatch.setattr(cnn, "EPOCHS", 1)
    data, out = folder(tmp_path / "data", 6, size=4), tmp_path / "out"
    asked = ["thermogram-study", "--data", str(data), "--out", str(out), "--width", "1"]
    assert cli.main(asked) == 0
    said = capsys.readouterr().out
    assert said.startswith("Not for diagnosis.")
    assert said == (out / "table.txt").read_text()
    assert not (out / "unet").exists()
    lines = (out / "women.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines[1:]] == [f"T{i:04d}" for i in range(6)]

    assert cli.main([*asked, "--epochs", "1"]) == 0
    said = capsys.readouterr().out
    for name in ("CNN of whole pictures", "left against right", "codebook", "enhanced", "breasts"):
        assert name in said
    tables = {f"{name}.tsv" for name in ("table", "women", "spots", "silver")}
    shown = {"table.txt", "spots.json", "silver.json", "report.html", "curves.png", "spots.png"}
    nets = {"unet", "enhanced", "body", "breasts", "red_cluster"}
    assert {path.name for path in out.iterdir()} == tables | shown | nets
    page = re.sub("<[^>]+>", "", (out / "report.html").read_text().partition("<body>")[2])
    assert page.startswith("Not for diagnosis.")
    spots_table = (out / "spots.tsv").read_text()
    before = (out / "unet/last.pt").stat().st_mtime_ns
    assert cli.main([*asked, "--epochs", "1"]) == 0
    assert (out / "spots.tsv").read_text() == spots_table
    assert (out / "unet/last.pt").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--width", "0"], "width must be"),
        (["--epochs", "-1"], "epochs must be"),
        (["--seed", "-1"], "seed must be"),
        ([], "must be a folder with breast_thermal/dmr_ir/index.csv"),
    ],
)
def test_mistakes_are_told_in_a_line(
    more: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = ["thermogram-study", "--data", str(tmp_path), "--out", str(out), *more]
    assert cli.main(asked) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not out.exists()
