"""Public data sets as they are downloaded, and all images of a case on one grid. Made-up files."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from lesionkit import cli, io
from lesionkit.studies.stroke.cases import Case, Given, find_cases
from lesionkit.studies.stroke.image import read
from reference.stroke_brain import brain
from stroke_files import nibabel, pillow, png, rows

NOTHING = Given()
SISS = "VSD.Brain.XX.O.MR_{}.7061{}"
SOOP = "derivatives/lesion_masks/sub-1/dwi/sub-1_space-TRACE_desc-lesion{}_mask.nii.gz"


def touch(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


def found(root: Path, given: Given = NOTHING, kind: Any = "hyper") -> list[tuple[Any, ...]]:
    """Of each case its name, image, truth, ADC and b0, as names of files."""
    return [
        (case.name, *(path and path.name for path in (case.image, case.truth, case.adc, case.b0)))
        for case in find_cases(root, given, kind)
    ]


def test_bids_as_isles_2022_has_it(tmp_path: Path) -> None:
    name = "sub-strokecase0001_ses-0001"
    raw = f"rawdata/sub-strokecase0001/ses-0001/{name}"
    touch(
        tmp_path, f"{raw}_dwi.nii.gz", f"{raw}_adc.nii.gz", f"{raw}_flair.nii.gz",
        f"derivatives/sub-strokecase0001/ses-0001/{name}_msk.nii.gz",
        "rawdata/sub-strokecase0002/ses-0001/sub-strokecase0002_ses-0001_dwi.nii.gz",
    )  # fmt: skip
    files = [f"{name}_{end}.nii.gz" for end in ("dwi", "msk", "adc")]
    other = "sub-strokecase0002_ses-0001_dwi"
    expected = [(f"{name}_dwi", *files, None), (other, f"{other}.nii.gz", None, None, None)]
    assert found(tmp_path) == expected
    assert found(tmp_path / "rawdata") == expected


def test_bids_by_the_book(tmp_path: Path) -> None:
    """Folders dwi/ and anat/, two sessions; truths by three names; vessels and brains are none."""
    for session in ("1", "2"):
        name, there = f"sub-01_ses-{session}", f"sub-01/ses-{session}/dwi"
        touch(tmp_path, f"{there}/{name}_dwi.nii.gz", f"{there}/{name}_ADC.nii.gz",
              f"sub-01/ses-{session}/anat/{name}_T1w.nii.gz")  # fmt: skip
    masks = ("sub-01_ses-1_label-lesion_mask.nii.gz", "sub-01_ses-2_lesion-msk.nii.gz")
    for mask in (*masks, "sub-01_ses-2_cow-msk.nii.gz", "sub-01_ses-1_desc-brain_mask.nii.gz",
                 "sub-01_ses-1_label-lesion_desc-kmeans_mask.nii.gz"):  # fmt: skip
        touch(tmp_path, f"derivatives/manual/sub-01/{mask}")
    touch(tmp_path, "found/scores.tsv", "found/sub-01_ses-1_dwi.nii.gz")  # an earlier run's
    assert [case[:3] for case in found(tmp_path)] == [
        (f"sub-01_ses-{n}_dwi", f"sub-01_ses-{n}_dwi.nii.gz", mask)
        for n, mask in enumerate(masks, 1)
    ]
    own = touch(tmp_path / "own", "sub-01_ses-1_mask.nii.gz")
    given = [case[2] for case in found(tmp_path, Given(truth=own))]
    assert given == ["sub-01_ses-1_mask.nii.gz", None]
    with pytest.raises(ValueError, match=r"adc must hold that of an image, .* such as sub-01"):
        find_cases(tmp_path, Given(adc=own))


def test_soop(tmp_path: Path) -> None:
    raw = "sub-1/dwi/sub-1_rec-{}_dwi.nii.gz"
    touch(tmp_path, raw.format("TRACE"), raw.format("ADC"), SOOP.format(""), SOOP.format("Acute"),
          SOOP.format("Chronic"), "sub-1/anat/sub-1_FLAIR.nii.gz")  # fmt: skip
    for kind, word in (("hyper", "Acute"), ("hypo", "Chronic"), ("auto", "")):
        assert found(tmp_path, kind=kind) == [(
            "sub-1_rec-TRACE_dwi", "sub-1_rec-TRACE_dwi.nii.gz",
            f"sub-1_space-TRACE_desc-lesion{word}_mask.nii.gz", "sub-1_rec-ADC_dwi.nii.gz", None,
        )]  # fmt: skip


@pytest.mark.parametrize("end", [".nii", ".mha"])
def test_isles_2015(tmp_path: Path, end: str) -> None:
    for case in ("1", "2"):
        for number, what in enumerate(("DWI", "Flair", "T1", "T2")):
            name = SISS.format(what, number)
            touch(tmp_path, f"{case}/{name}/{name}{end}")
        truth = "VSD.Brain_3more.XX.XX.OT.70730"
        touch(tmp_path, f"{case}/{truth}/{truth}{end}")
    expected = [
        (case, SISS.format("DWI", 0) + end, f"VSD.Brain_3more.XX.XX.OT.70730{end}", None, None)
        for case in ("1", "2")
    ]
    assert found(tmp_path) == expected
    alone = find_cases(tmp_path / "1" / SISS.format("DWI", 0) / (SISS.format("DWI", 0) + end))
    assert [case.name for case in alone] == ["1"]


def test_folders_of_people_and_plain_names(tmp_path: Path) -> None:
    touch(tmp_path, "ann/dwi.nii.gz", "ann/adc.nii.gz", "bob/dwi.nii.gz", "bob/b0.nii.gz",
          "bob/t2.nii.gz")  # fmt: skip
    assert found(tmp_path) == [
        ("ann_dwi", "dwi.nii.gz", None, "adc.nii.gz", None),
        ("bob_dwi", "dwi.nii.gz", None, None, "b0.nii.gz"),
    ]
    (tmp_path / "bob/all").symlink_to(tmp_path)  # a circle
    assert len(find_cases(tmp_path)) == 2
    assert [case.adc for case in find_cases(tmp_path / "ann/dwi.nii.gz")] == [
        tmp_path / "ann/adc.nii.gz"
    ]
    touch(tmp_path / "t2", "a_T2w.nii.gz")
    (case,) = find_cases(tmp_path / "t2")
    assert "By its name (T2w) this is no diffusion image" in case.notes[0]


LESION = brain()[1][::2, ::2]
SLICES = np.stack([brain(seed=seed)[0][::2, ::2] for seed in range(4)]).astype(np.float64)
ADC = np.where(LESION, 0.4, 0.8) * np.ones((4, 1, 1))
AFFINE = np.diag([-2.0, 2.0, 5.0, 1.0])


def save(path: Path, volume: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    """(planes, rows, columns) or with volumes first, left before right."""
    voxels = np.moveaxis(volume, 0, -1) if volume.ndim == 4 else volume
    voxels = np.swapaxes(voxels[..., ::-1, :] if volume.ndim == 4 else voxels[..., ::-1], 0, 2)
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(voxels, np.float32), affine), path)
    return path


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    return save(tmp_path / "a_dwi.nii.gz", SLICES)


def read_case(scan: Path, **more: Any) -> read.Images:
    (case,) = find_cases(scan, Given(**{k: v for k, v in more.items() if k != "bvalue"}))
    return read.read(case, more.get("bvalue"), io.MAX_BYTES)


def test_adc_on_another_grid_is_resampled_with_a_word_or_refused(scan: Path) -> None:
    folder = scan.parent
    coarse = ndimage.zoom(ADC, (1, 0.5, 0.5), order=1, grid_mode=True, mode="nearest")
    affine = np.diag([-4.0, 4.0, 5.0, 1.0])
    affine[:2, 3] = -1 + 0, 1
    affine[0, 3] = -1.0
    images = read_case(scan, adc=save(folder / "x_adc.nii.gz", coarse, affine))
    assert images.adc is not None
    known = np.isfinite(images.adc)
    assert known.mean() > 0.9
    assert np.abs(images.adc - ADC)[known].mean() < 0.02
    assert any("has another grid, 4 x 64 x 64 of 5 x 4 x 4 mm: it was resampled" in n
               for n in images.notes)  # fmt: skip
    away = AFFINE.copy()
    away[0, 3] = 300
    with pytest.raises(ValueError, match=r"y_adc.nii.gz must lie where .*dwi.nii.gz lies, .* 0 %"):
        read_case(scan, adc=save(folder / "y_adc.nii.gz", ADC, away))


def test_adc_of_two_images_tells_its_b_value(scan: Path) -> None:
    zero = SLICES * np.exp(1000 * ADC * 1e-3)
    save(scan.with_name("a_b0.nii.gz"), zero)
    images = read_case(scan)
    assert images.adc is not None
    inside = SLICES > 100
    assert images.adc[inside] == pytest.approx(ADC[inside], abs=1e-4)
    assert "b = 1000 s/mm^2, assumed, for no file tells it" in images.notes[0]
    images = read_case(scan, bvalue=500.0)
    assert images.adc is not None
    assert images.adc[inside] == pytest.approx(2 * ADC[inside], abs=1e-4)
    assert "b = 500 s/mm^2, as asked." in images.notes[0]
    scan.with_name("a_dwi.bval").write_text("800\n")
    assert "b = 800 s/mm^2, by the file." in read_case(scan).notes[0]
    scan.with_name("a_dwi.bval").write_text("800 1000\n")
    with pytest.raises(ValueError, match=r"a_dwi.bval must hold one b-value, for a_dwi.nii.gz has"):
        read_case(scan)


def test_volumes_with_b_values(tmp_path: Path) -> None:
    zero = SLICES * np.exp(1000 * ADC * 1e-3)
    path = save(tmp_path / "a_dwi.nii.gz", np.stack([zero, SLICES, SLICES, SLICES / 2]))
    bval = tmp_path / "a_dwi.bval"
    bval.write_text("0 995 1005 2000\n")
    images = read_case(path)
    assert images.dwi.values == pytest.approx(SLICES, rel=1e-5)
    assert images.adc is not None
    assert images.adc[SLICES > 100] == pytest.approx(ADC[SLICES > 100], abs=1e-4)
    assert "Of 4 volumes those with b = 1000 s/mm^2 are the diffusion image" in images.notes[0]
    assert bval in find_cases(path)[0].inputs
    for text, sentence in (
        ("0 0 0 0", "must hold a volume with a b-value of 200 to 5000 s/mm.2, got 0"),
        ("0 1000", "must hold a finite b-value for each of 4 volumes, it has 2"),
        ("0 x 1 2", "must hold a b-value for each volume, it has words"),
    ):
        bval.write_text(text)
        with pytest.raises(ValueError, match=sentence):
            read_case(path)


def test_enhanced_dicom_with_b_values(tmp_path: Path) -> None:
    pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
    from dicom_files import enhanced, item
    from dicom_files import save as save_dicom

    frames = np.rint(np.stack([SLICES[0] * 2, SLICES[0]])).astype(np.uint16)
    data = enhanced(
        frames[[0, 0, 1, 1]],
        (0, 5, 0, 5),
        lambda i: {"MRDiffusionSequence": item(DiffusionBValue=1000.0 * (i // 2))},
    )
    images = read_case(save_dicom(data, tmp_path / "a.dcm"))
    assert images.dwi.values.shape == (2, 128, 128)
    assert images.adc is not None
    middle = np.median(images.adc[np.isfinite(images.adc)])
    assert middle == pytest.approx(np.log(2), abs=0.02)
    assert "b = 1000 s/mm^2, by the file" in images.notes[1]


def test_two_images_end_to_end(scan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """ADC by its name, a brain of one's own, the kind by the image; rows of both kinds."""
    folder = scan.parent
    save(folder / "a_adc.nii.gz", 1000 * ADC)
    inside = np.asarray(ndimage.binary_fill_holes(SLICES[0] > 200)) * np.ones((4, 1, 1))
    mask = save(folder / "brain.nii.gz", inside)
    asked = ["stroke", str(scan), "--method", "kmeans", "--kind", "auto", "--brain", str(mask)]
    assert cli.main([*asked, "--out", str(folder / "o")]) == 0
    table = rows(folder / "o")
    assert [(r["method"], r["images"], r["recommended"], r["kind"]) for r in table] == [
        ("kmeans-adc", "dwi+adc", "yes", "hyper"), ("kmeans", "dwi", "no", "hyper"),
    ]  # fmt: skip
    report = (folder / "o/report.html").read_text()
    for sentence in (
        "By its range the map of ADC is in 1e-6 mm^2/s.", "The brain is that of brain.nii.gz.",
        "Taken for hyperintense lesions: by the image alone", "On both images, DWI and ADC",
    ):  # fmt: skip
        assert sentence in report
    assert "One diffusion image alone" not in report
    only = ["stroke", str(scan), "--method", "kmeans-adc", "--out", str(folder / "p")]
    (folder / "a_adc.nii.gz").unlink()
    capsys.readouterr()
    assert cli.main(only) == 2
    assert "has no map of ADC and no image without weighting beside it" in capsys.readouterr().err
    assert cli.main([*only, "--bvalue", "7"]) == 2
    assert "bvalue must be" in capsys.readouterr().err


def test_nothing_of_a_header_about_a_person_is_written(tmp_path: Path) -> None:
    """Of DICOM and NIfTI: names, numbers and dates, in all files that come out."""
    pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
    from dicom_files import dicom

    private = ("Doe^Jane", "PAT4711", "19700102", "Hope Hospital")
    dicom(
        tmp_path / "a.dcm", brain()[0], PixelSpacing=[0.9, 0.9], PatientName=private[0],
        PatientID=private[1], PatientBirthDate=private[2], InstitutionName=private[3],
    )  # fmt: skip
    image = nibabel.Nifti1Image(np.ones((128, 128, 2), np.float32) * 100, AFFINE)
    image.header["descrip"], image.header["aux_file"] = b"Doe^Jane 19700102", b"PAT4711"
    nibabel.save(image, tmp_path / "b_dwi.nii.gz")
    for name in ("a.dcm", "b_dwi.nii.gz"):
        asked = ["stroke", str(tmp_path / name), "--method", "glcm"]
        assert cli.main([*asked, "--out", str(tmp_path / "o")]) == 0
    for file in (path for path in (tmp_path / "o").rglob("*") if path.is_file()):
        content = file.read_bytes()
        content = gzip.decompress(content) if file.suffix == ".gz" else content
        assert not [word for word in private if word.encode() in content], file


def test_bad_partners_are_named_and_the_rest_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abcd":
        png(tmp_path / name)
    pillow.fromarray(np.zeros((9, 9), np.uint16)).save(tmp_path / "a_adc.png")
    (tmp_path / "b_adc.png").write_bytes(b"hello")
    pillow.fromarray(np.full((256, 256), 40000, np.uint16)).save(tmp_path / "c_adc.png")
    asked = ["stroke", str(tmp_path), "--method", "glcm", "--out", str(tmp_path / "o")]
    assert cli.main(asked) == 1
    said = capsys.readouterr().err
    for sentence in (
        "a_adc.png must have the grid of", "b_adc.png cannot be read as PNG",
        "c_adc.png: adc must be in mm^2/s, 1e-3 or 1e-6 mm^2/s",
    ):  # fmt: skip
        assert sentence in said
    assert [row["case"] for row in rows(tmp_path / "o")] == ["d_dwi"]
    brain_ = tmp_path / "none.png"
    pillow.fromarray(np.zeros((256, 256), bool)).save(brain_)
    asked = ["stroke", str(tmp_path / "d_dwi.png"), "--brain", str(brain_)]
    assert cli.main([*asked, "--out", str(tmp_path / "p")]) == 2
    assert "none.png must be a mask of the brain, it is empty" in capsys.readouterr().err


def test_given_files_must_be_what_the_image_is(tmp_path: Path) -> None:
    png(tmp_path / "a")
    with pytest.raises(ValueError, match=r"adc: .*no.png does not exist"):
        find_cases(tmp_path / "a_dwi.png", Given(adc=tmp_path / "no.png"))
    with pytest.raises(ValueError, match="b0 must be a file where the image is one"):
        find_cases(tmp_path / "a_dwi.png", Given(b0=tmp_path))
    with pytest.raises(ValueError, match="brain must be a folder where the image is one"):
        find_cases(tmp_path, Given(brain=tmp_path / "a_dwi.png"))
    assert Case("a", tmp_path / "a_dwi.png").inputs == [tmp_path / "a_dwi.png"]


def test_figures_of_the_steps_and_blocks_of_pixels(tmp_path: Path) -> None:
    png(tmp_path / "a")
    asked = ["stroke", str(tmp_path / "a_dwi.png"), "--truth", str(tmp_path / "a_mask.png")]
    asked += ["--method", "threshold", "--blocks", "pixels", "--out", str(tmp_path / "o")]
    assert cli.main(asked) == 0
    assert float(rows(tmp_path / "o")[0]["dice"]) > 0.9
    assert cli.main([*asked, "--figures"]) == 0
    steps = ("blocks", "cooccurrence", "features", "objective", "preprocessing")
    made = sorted(path.name for path in (tmp_path / "o/figures").iterdir())
    assert made == sorted([*(f"a_{step}.png" for step in steps), "roc_space.png"])
