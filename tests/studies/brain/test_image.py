"""`lesionkit brain`, end to end on small made-up heads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lesionkit import cli
from lesionkit.geometry import Geometry
from lesionkit.studies.brain.image import cases, job, pieces
from reference.head import head

nibabel = pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")
pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")

SPACING = (6.0, 2.5, 2.5)


def save(path: Path, volume: np.ndarray) -> np.ndarray:
    """A volume (planes, rows, columns) as NIfTI, left before right; its affine."""
    affine = np.diag([-2.5, 2.5, 6.0, 1.0])
    affine[:3, 3] = 90, -110, -100
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(volume[..., ::-1].T), affine), path)
    return affine


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """A folder of two heads with truths, the second stripped already."""
    folder = tmp_path / "in"
    folder.mkdir()
    image, brain, tumour = head(tumour=200)
    save(folder / "a_flair.nii.gz", image)
    save(folder / "a_seg.nii.gz", tumour.astype(np.uint8))
    save(folder / "b_flair.nii.gz", np.where(brain, image, 0))
    save(folder / "b_seg.nii.gz", tumour.astype(np.uint8))
    return folder


def scores(out: Path) -> list[dict[str, str]]:
    lines = [line.split("\t") for line in (out / "scores.tsv").read_text().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def test_a_volume(heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    asked = ["brain", str(heads / "a_flair.nii.gz"), "--truth", str(heads / "a_seg.nii.gz")]
    assert cli.main([*asked, "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Not for diagnosis.")
    names = {"a_flair_desc-brain_mask", "a_flair_label-tumour_desc-halfway_mask"}
    made = {f"{name}{end}" for name in names for end in (".nii.gz", ".json")}
    assert {p.name for p in out.iterdir()} == made | {
        "scores.tsv", "pieces.tsv", "report.html", "done",
    }  # fmt: skip
    truth = nibabel.load(heads / "a_seg.nii.gz")
    found = nibabel.load(out / "a_flair_label-tumour_desc-halfway_mask.nii.gz")
    np.testing.assert_array_equal(found.affine, truth.affine)
    (row,) = scores(out)
    assert float(row["dice"]) > 0.9
    assert float(row["pixels_on_free_slices"]) == 0
    assert row["unit"] == "mm^3"
    lines = (out / "pieces.tsv").read_text().splitlines()
    assert len(lines) == 2
    x, y, z = map(
        float, dict(zip(*(n.split("\t") for n in lines), strict=True))["place"].split(",")
    )
    assert abs(x - 30) < 4  # the tumour's middle: 30 mm right of the head's
    assert abs(y - 20) < 4
    assert abs(z - 15) < 6
    report = (out / "report.html").read_text()
    assert report.index("Not for diagnosis.") < report.index("<h1>")
    assert "the picture's left is the patient's right" in report.replace("&#x27;", "'")
    side = json.loads((out / "a_flair_desc-brain_mask.json").read_text())
    assert side["Sources"] == ["a_flair.nii.gz"]


def test_a_folder_with_bad_cases(
    heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, _, tumour = head(tumour=200)
    (heads / "broken.nii.gz").write_bytes(b"\x1f\x8b rubbish")
    save(heads / "c.nii.gz", image)
    save(heads / "c_mask.nii.gz", tumour[1:].astype(np.uint8))
    save(heads / "four.nii.gz", np.stack([image] * 2, 0))
    save(heads / "nothing.nii.gz", np.ones_like(image))
    assert cli.main(["brain", str(heads), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    assert "2 of 6 cases done" in told.out
    for sentence in (
        "broken.nii.gz cannot be read as NIfTI",
        "c_mask.nii.gz must have the shape of",
        "four.nii.gz has 2 volumes of shape (30, 88, 72): name the one to take",
        "nothing.nii.gz: no brain was found; give its mask with --brain",
    ):
        assert sentence in told.err
    assert {row["case"] for row in scores(tmp_path / "out")} == {"a_flair", "b_flair"}
    report = (tmp_path / "out/report.html").read_text()
    assert "The skull is stripped already." in report
    assert "mean Dice" in report
    four = [str(heads / "four.nii.gz"), "--volume", "1", "--out", str(tmp_path / "one")]
    assert cli.main(["brain", *four]) == 0
    assert cli.main(["brain", *four[:2], "7", "--out", str(tmp_path / "none")]) == 2
    assert "volume must be 0 to 1" in capsys.readouterr().err


def test_what_is_done_is_kept(
    heads: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[str] = []
    real = cases.process

    def process(case: cases.Case, *rest: object) -> object:
        seen.append(case.name)
        if len(seen) == 2:
            raise KeyboardInterrupt  # as if it were killed
        return real(case, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(job, "process", process)
    asked = ["brain", str(heads), "--out", str(tmp_path / "out")]
    assert cli.main(asked) == 130
    assert cli.main(asked) == 0
    assert seen == ["a_flair", "b_flair", "b_flair"]
    before = (tmp_path / "out/scores.tsv").read_text()
    assert cli.main(asked) == 0
    assert len(seen) == 3
    assert cli.main([*asked, "--method", "mad"]) == 2
    assert "holds results of other files or options" in capsys.readouterr().err
    assert (tmp_path / "out/scores.tsv").read_text() == before
    assert cli.main([*asked, "--method", "mad", "--overwrite"]) == 0
    assert {row["method"] for row in scores(tmp_path / "out")} == {"mad"}
    one = ["brain", str(heads / "a_flair.nii.gz"), "--truth", str(heads / "a_seg.nii.gz")]
    assert cli.main([*one, "--method", "mad", "--out", str(tmp_path / "out")]) == 0
    assert [row["case"] for row in scores(tmp_path / "out")] == ["a_flair", "b_flair"]


def test_pictures_and_a_brain_of_ones_own(tmp_path: Path) -> None:
    image, brain, _ = head(tumour=200)
    plane = np.clip(image[19], 0, 255).astype(np.uint8)
    pillow.fromarray(plane).save(tmp_path / "slice.jpg", quality=95)
    pillow.fromarray(brain[19]).save(tmp_path / "own.png")
    asked = ["brain", str(tmp_path / "slice.jpg"), "--brain", str(tmp_path / "own.png")]
    assert cli.main([*asked, "--out", str(tmp_path / "out")]) == 0
    report = (tmp_path / "out/report.html").read_text()
    for sentence in ("8 bits, lossy", "The file gives no scale", "The brain is that of own.png"):
        assert sentence in report
    assert "Radiological" not in report


def test_nan_is_background(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, brain, tumour = head(tumour=200)
    save(tmp_path / "nan.nii.gz", np.where(brain, image, np.nan))
    save(tmp_path / "all.nii.gz", np.ones_like(brain).astype(np.uint8))
    out = str(tmp_path / "out")
    assert cli.main(["brain", str(tmp_path / "nan.nii.gz"), "--out", out]) == 0
    found = nibabel.load(f"{out}/nan_label-tumour_desc-halfway_mask.nii.gz").get_fdata()
    assert 0.9 < found.sum() / tumour.sum() < 1.1
    own = ["--brain", str(tmp_path / "all.nii.gz"), "--out", str(tmp_path / "two")]
    assert cli.main(["brain", str(tmp_path / "nan.nii.gz"), *own]) == 2
    assert "must be finite in the brain of" in capsys.readouterr().err


def test_pieces() -> None:
    y, x = np.mgrid[:60, :80]
    mask = ((x - 40 + (y - 30)) / 20) ** 2 + ((x - 40 - (y - 30)) / 8) ** 2 < 1
    mask[2:4, 2:4] = True  # 4 mm^2
    (piece,) = pieces.describe(mask, Geometry(np.eye(4), 2), seen=False)
    assert (piece.row, piece.column) == pytest.approx((30, 40))
    assert piece.area == mask.sum() - 4
    assert piece.length == pytest.approx(2 * 20 / np.sqrt(2), rel=0.03)
    assert piece.width == pytest.approx(2 * 8 / np.sqrt(2), rel=0.08)
    assert piece.angle == pytest.approx(45, abs=1)
    assert piece.place == "40.0, 30.0, 0.0"
    (piece,) = pieces.describe(mask, Geometry(np.eye(4), 2, "pixel"), seen=True)
    assert piece.angle == pytest.approx(-45, abs=1)
    assert piece.place == ""


def test_mistakes(heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "out")]
    image = str(heads / "a_flair.nii.gz")
    (tmp_path / "empty").mkdir()
    for asked, sentence in (
        ([image, "--method", "unet"], "method must be 'otsu3'"),
        ([image, "--truth", str(heads)], "truth must be a mask where the image is a file"),
        ([str(heads), "--truth", image], "truth must be a folder where the image is one"),
        ([str(heads), "--brain", str(tmp_path / "empty")], "brain must hold masks such as"),
        ([str(tmp_path / "empty")], "empty has no image"),
        ([str(tmp_path / "no.nii")], "no.nii does not exist"),
        ([image, "--volume", "-1"], "volume must be"),
    ):
        assert cli.main(["brain", *asked, *out]) == 2
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
