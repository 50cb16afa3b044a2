"""`lesionkit stroke`, end to end on small files."""

from __future__ import annotations

import json
import os
import re
from io import BytesIO as stream
from pathlib import Path

import numpy as np
import pytest

from lesionkit import cli, io
from lesionkit.studies.stroke import SEGMENTERS, cases, preprocess
from lesionkit.studies.stroke.cases import Case
from lesionkit.studies.stroke.image import pictures, process, read
from lesionkit.studies.stroke.image.scan import Scan
from reference.stroke_brain import brain
from stroke_files import nibabel, pillow, png, rows, volume


def test_a_volume_by_all_methods(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth, affine = volume(tmp_path / "sub-01")
    out = tmp_path / "out"
    asked = [str(tmp_path / "sub-01_dwi.nii.gz"), "--out", str(out)]
    assert cli.main(["stroke", *asked, "--truth", str(tmp_path / "sub-01_mask.nii.gz")]) == 0
    names = {f"sub-01_label-lesion_desc-{m}_mask" for m in SEGMENTERS}
    expected = {f"{name}{end}" for name in names for end in (".nii.gz", ".json")}
    assert {p.name for p in out.iterdir()} == expected | {"scores.tsv", "report.html", "done"}
    for name in names:
        found = nibabel.load(out / f"{name}.nii.gz")
        np.testing.assert_array_equal(found.affine, affine)
        both = np.asarray(found.dataobj) == truth
        assert both.mean() > 0.998
        side = json.loads((out / f"{name}.json").read_text())
        assert side["Type"] == "Lesion"
        assert side["Sources"] == ["sub-01_dwi.nii.gz"]
    found = rows(out)
    assert [row["method"] for row in found] == list(SEGMENTERS)
    assert [row["method"] for row in found if row["recommended"] == "yes"] == ["kmeans"]
    for row in found:
        assert float(row["jaccard"]) > 0.85
        assert float(row["truth_ml"]) == truth.sum() * 5 / 1000
        assert float(row["jaccard"]) + float(row["extra"]) + float(row["missed"]) == pytest.approx(
            1, abs=2e-4
        )
        dice, precision, recall = (float(row[n]) for n in ("dice", "precision", "sensitivity"))
        assert dice == pytest.approx(2 * precision * recall / (precision + recall), abs=2e-4)
        assert float(row["volume_ml"]) * precision == pytest.approx(
            float(row["truth_ml"]) * recall, rel=1e-3
        )
    page = (out / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2 * (2 + len(SEGMENTERS) + 1)
    assert not re.findall(r'(?:src|href)="(?!data:)', page)  # it needs no other file
    assert "found, ml" in page
    assert "One diffusion image alone" in page
    said = capsys.readouterr().out
    assert "1 of 1 cases done" in said
    assert re.search(r"kmeans +0\.9\d\d", said)
    assert said.startswith("Not for diagnosis.")


@pytest.mark.parametrize("letter", ["\t", "\n", "\r", "\x85", "\u2028", "\x1b"])
def test_a_name_with_a_break_keeps_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], letter: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    png(folder / f"a{letter}b")
    (folder / f"c{letter}d_dwi.png").write_bytes(b"hello")
    asked = ["stroke", str(folder), "--method", "glcm", "--out", str(tmp_path / "o")]
    assert cli.main(asked) == 1
    lines = (tmp_path / "o/scores.tsv").read_text().split("\n")
    assert len(lines) == 3  # the last is empty
    assert lines[0].count("\t") == lines[1].count("\t")
    assert all(len(line.splitlines()) == 1 for line in lines[:2])
    said = [x for x in capsys.readouterr().err.split("\n") if x.startswith("lesionkit:")]
    assert len(said) == 1
    assert "_dwi.png cannot be read as PNG" in said[0]


@pytest.mark.parametrize(
    ("name", "adc"),
    [
        ("sub-1_rec-ADC_dwi", True),  # SOOP
        ("sub-1_ses-2_adc", True),  # ISLES 2022
        ("sub-1_ADC", True),  # BIDS
        ("Subject02_ADC", True),
        ("ADC", True),
        ("a_ADCmap", True),
        ("a_desc-adc_dwi", True),
        ("sub-1_rec-TRACE_dwi", False),
        ("sub-adcock_dwi", False),
        ("decadc_dwi", False),
    ],
)
def test_maps_of_adc_are_known_by_name(tmp_path: Path, name: str, adc: bool) -> None:
    assert cases.is_adc(tmp_path / f"{name}.nii.gz") == adc


def test_maps_of_adc_are_no_cases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    png(tmp_path / "sub-1_rec-TRACE")
    png(tmp_path / "sub-1_rec-ADC")
    names = [case.name for case in cases.find_cases(tmp_path)]
    assert names == ["sub-1_rec-TRACE_dwi"]
    (tmp_path / "sub-1_rec-TRACE_dwi.png").rename(tmp_path / "b.png")
    (tmp_path / "sub-1_rec-ADC_dwi.png").rename(tmp_path / "b_ADC.png")
    assert [case.name for case in cases.find_cases(tmp_path)] == ["b"]
    out = str(tmp_path / "o")
    assert cli.main(["stroke", str(tmp_path / "b_ADC.png"), "--out", out]) == 2
    assert "image must be a diffusion image, " in capsys.readouterr().err
    (tmp_path / "b.png").unlink()
    with pytest.raises(
        ValueError, match=r"has no image: .*, only 1 of ADC, which are no diffusion"
    ):
        cases.find_cases(tmp_path)


def test_a_volume_under_a_shear_and_one_that_is_too_large(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume(tmp_path / "a")
    for kind in ("dwi", "mask"):
        file = tmp_path / f"a_{kind}.nii.gz"
        image = nibabel.load(file)
        affine = image.affine.copy()
        affine[1, 2] = 3.0
        nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), affine), file)
    (case,) = cases.find_cases(tmp_path)
    assert case.truth is not None
    (tmp_path / "o").mkdir()
    record, _ = process.process(case, process.Options(frozenset({"glcm"})), tmp_path / "o")
    truth = io.read_mask(case.truth)
    assert float(record["scores"][0]["truth_ml"]) == 5e-3 * np.count_nonzero(truth.values)
    assert truth.geometry.shear == pytest.approx(np.degrees(np.arctan(3 / 5)))
    asked = ["stroke", str(tmp_path), "--out", str(tmp_path / "o"), "--method", "glcm"]
    assert cli.main([*asked, "--max-gib", "1e-6"]) == 2
    assert re.search(r"its header asks for .* \(--max-gib\) allows", capsys.readouterr().err)


def test_a_name_that_is_not_utf_8_keeps_its_bytes(tmp_path: Path) -> None:
    png(tmp_path / "a")
    name = os.fsdecode(b"caf\xe9")
    try:
        (tmp_path / "a_dwi.png").rename(tmp_path / f"{name}_dwi.png")
    except OSError:
        pytest.skip("this file system has names of UTF-8 alone")
    out = tmp_path / "o"
    assert cli.main(["stroke", str(tmp_path), "--method", "glcm", "--out", str(out)]) == 0
    for file in ("scores.tsv", "report.html"):
        assert b"caf\xe9_dwi" in (out / file).read_bytes()


def test_the_report_tells_sides_and_scale(tmp_path: Path) -> None:
    volume(tmp_path / "a")
    png(tmp_path / "b")
    pillow.open(tmp_path / "b_dwi.png").convert("L").save(tmp_path / "c_dwi.jpg")
    out = tmp_path / "o"
    for name, told in (
        (
            "a_dwi.nii.gz",
            "Radiological display: the picture&#x27;s left is the",
        ),
        ("c_dwi.jpg", "A JPEG has no sides: it is shown as it is."),
        ("b_dwi.png", "The file gives no scale: a pixel counts as 1 mm."),
    ):
        asked = ["stroke", str(tmp_path / name), "--method", "glcm", "--out", str(out)]
        assert cli.main([*asked, "--overwrite"]) == 0
        assert told in (out / "report.html").read_text()


def test_the_view_is_radiological_and_cut_to_the_brain(tmp_path: Path) -> None:
    """Of a file that knows sides; a picture stays as it is seen."""
    volume(tmp_path / "a")
    png(tmp_path / "b")
    for name in ("a_dwi.nii.gz", "b_dwi.png"):
        images = read.read(Case("a", tmp_path / name), None, io.MAX_BYTES)
        one = Scan(Case("a", tmp_path / name), images, preprocess(images.dwi.values), {}, 0.0)
        view = pictures.View(one, 0 if one.is_volume else None)
        shown = view.of(np.asarray(images.dwi.values))
        whole = np.asarray(images.dwi.values)
        whole = whole[0, ::-1, ::-1] if one.is_volume else whole
        assert shown.shape[0] < whole.shape[0]
        assert shown.shape[1] < whole.shape[1]
        corner = np.argwhere(whole == shown.max())[0] - np.argwhere(shown == shown.max())[0]
        inner = tuple(slice(c, c + n) for c, n in zip(corner, shown.shape, strict=True))
        np.testing.assert_array_equal(whole[inner], shown)
        drawn = np.asarray(pillow.open(stream(view.panel(np.zeros_like(images.dwi.values)))))
        lettered = [bool(part.any()) for part in (drawn[:30, :30], drawn[:30, -30:])]
        assert lettered == [one.is_volume] * 2
        assert drawn.shape[1] >= 300


def test_no_lesion_and_dark_lesions(tmp_path: Path) -> None:
    png(tmp_path / "none", None)
    asked = [str(tmp_path), "--method", "threshold", "--out"]
    assert cli.main(["stroke", *asked, str(tmp_path / "o")]) == 0
    (row,) = rows(tmp_path / "o")
    names = ("jaccard", "dice", "extra", "missed")
    assert [row[name] for name in names] == ["1.0000", "1.0000", "0.0000", "0.0000"]
    assert row["sensitivity"] == row["precision"] == ""  # of nothing
    (tmp_path / "none_dwi.png").unlink()
    png(tmp_path / "dark", "hypo")
    assert cli.main(["stroke", *asked, str(tmp_path / "p"), "--kind", "hypo"]) == 0
    assert float(rows(tmp_path / "p")[0]["jaccard"]) > 0.85


def test_a_dicom_slice(tmp_path: Path) -> None:
    pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
    from dicom_files import dicom

    image, truth = brain()
    file = dicom(tmp_path / "a.dcm", image, PixelSpacing=[0.9, 0.9])
    asked = ["stroke", str(file), "--method", "glcm", "--out", str(tmp_path / "o")]
    assert cli.main(asked) == 0
    found = io.read_mask(tmp_path / "o/a_label-lesion_desc-glcm_mask.nii.gz", io.read_image(file))
    assert (found.values == truth[::-1, ::-1]).mean() > 0.999
    assert found.spacing == pytest.approx((0.9, 0.9))


@pytest.mark.parametrize("last", ["ADC", "ADC_UNSPECIFIED", "EADC"])
def test_a_dicom_map_of_adc_is_refused_by_its_header(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], last: str
) -> None:
    pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
    from dicom_files import dicom

    kinds = ["DERIVED", "PRIMARY", "DIFFUSION", last]
    file = dicom(tmp_path / "a.dcm", brain()[0], PixelSpacing=[0.9, 0.9], ImageType=kinds)
    assert cli.main(["stroke", str(file), "--method", "glcm", "--out", str(tmp_path / "o")]) != 0
    assert "a.dcm is a map of ADC by DICOM's ImageType" in capsys.readouterr().err
    assert not list((tmp_path / "o").glob("*.nii.gz"))
    trace = dicom(tmp_path / "b.dcm", brain()[0], ImageType=[*kinds[:3], "TRACEW"])
    assert not io.read_image(trace).adc


@pytest.mark.parametrize(
    ("prepare", "options", "sentence"),
    [
        ("", ["x_dwi.png"], "lesionkit: .*x_dwi.png does not exist"),
        ("empty", ["."], "lesionkit: .* has no image: NIfTI, DICOM or PNG"),
        (
            "png",
            ["a_dwi.png", "--method", "otsu"],
            "lesionkit: method must be 'threshold'.*'otsu'",
        ),
        ("png", ["a_dwi.png", "--truth", "b.png"], "lesionkit: .*b.png does not exist"),
        ("png", [".", "--truth", "a_mask.png"], "lesionkit: truth must be a folder where the im.*"),
        ("png", [".", "--truth", "empty"], "lesionkit: truth must hold .* none such as a_mask"),
        ("twice", ["."], "lesionkit: .* has several images named a_dwi"),
        (
            "small",
            ["a_dwi.png", "--truth", "a_mask.png"],
            "lesionkit: .*a_mask.png must have the .*",
        ),
        ("metres", ["a_dwi.nii"], "lesionkit: .* larger than 20 mm.* are 0.001 x 0.001 mm"),
        ("nan", ["a_dwi.nii"], "lesionkit: .*a_dwi.nii: image must be finite, got 1 NaN or inf.*"),
        ("four", ["a_dwi.nii"], "lesionkit: a_dwi.nii has 2 volumes .*: put a .bval .*"),
        ("file", ["a_dwi.png"], "lesionkit: out must be a folder, got the file o"),
    ],
)
def test_each_mistake_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    prepare: str,
    options: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    values = np.ones((9, 9, 9), np.float32)
    Path("empty").mkdir()
    if prepare in ("png", "twice", "small", "file"):
        png(tmp_path / "a")
    if prepare == "twice":
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), "a_dwi.nii")
    if prepare == "small":
        pillow.fromarray(np.ones((9, 9), bool)).save("a_mask.png")
    if prepare == "metres":
        affine = np.diag([0.001, 0.001, 0.005, 1])
        nibabel.save(nibabel.Nifti1Image(values, affine), "a_dwi.nii")
    if prepare == "nan":
        values[1, 1, 1] = np.nan
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), "a_dwi.nii")
    if prepare == "four":
        nibabel.save(nibabel.Nifti1Image(np.stack([values] * 2, -1), np.eye(4)), "a_dwi.nii")
    if prepare == "file":
        Path("o").write_text("")
    assert cli.main(["stroke", *options, "--out", "o"]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "cases/s" not in line]
    said = [line for line in lines if line.startswith("lesionkit:")]
    assert len(said) == 1
    assert re.fullmatch(sentence, said[0])
    assert not list(Path("o").glob("*mask*"))


def test_the_report_tells_what_is_implausible(tmp_path: Path) -> None:
    """Nothing found where a lesion was drawn, and far more found than was drawn."""
    png(tmp_path / "a")
    out = tmp_path / "o"
    truth = np.zeros(brain()[0].shape, np.uint8)
    truth[:2, :2] = 255
    pillow.fromarray(truth).save(tmp_path / "a_mask.png")
    asked = ["stroke", str(tmp_path), "--method", "kmeans", "--out", str(out)]
    assert cli.main(asked) == 0
    report = (out / "report.html").read_text()
    assert re.search(r"Far from the true 4 mm²: kmeans \S+ times of it\.", report)
    assert cli.main([*asked, "--kind", "hypo", "--overwrite"]) == 0
    report = (out / "report.html").read_text()
    assert "Nothing was found by kmeans: is it hyper?" in report
    for title in ("sensitivity", "precision", "extra / union", "missed / union"):
        assert f"<th>{title}</th>" in report
    pillow.fromarray(np.full(truth.shape, 255, np.uint8)).save(tmp_path / "a_mask.png")
    assert cli.main([*asked, "--overwrite"]) == 0
    assert "is it a mask of the brain?" in (out / "report.html").read_text()


def test_what_is_alike_on_both_sides_is_told(tmp_path: Path) -> None:
    image, truth = brain()
    both = np.maximum(image, image[:, ::-1])
    pillow.fromarray(both).save(tmp_path / "a_dwi.png")
    pillow.fromarray(np.where(truth, image, np.minimum(image, image[:, ::-1]))).save(
        tmp_path / "b_dwi.png"
    )
    asked = ["stroke", str(tmp_path), "--method", "kmeans", "--out", str(tmp_path / "o")]
    assert cli.main(asked) == 0
    page = (tmp_path / "o/report.html").read_text()
    a, b = page[page.index("<h2>a_dwi") : page.index("<h2>b_dwi")], page[page.index("<h2>b_dwi") :]
    assert "More than half of what kmeans found has its like on the other side" in a
    assert "has its like" not in b
