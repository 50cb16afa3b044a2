"""The reader of BRATS slices: what it gives, and each mistake in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")

from lesionkit.studies.brain.datasets import brats  # noqa: E402
from studies.brain import brain_folder  # noqa: E402


def test_what_is_read(tmp_path: Path) -> None:
    patients, problems = brats.load(brain_folder.write(tmp_path, 2))
    assert problems == []
    assert [patient.name for patient in patients] == ["P0", "P1"]
    flair, t1c, labels = brain_folder.slices(1)
    one = patients[1]
    assert one.planes == (0, 10, 20)
    np.testing.assert_array_equal(one.images["flair"], flair)
    np.testing.assert_array_equal(one.images["t1c"], t1c)
    np.testing.assert_array_equal(one.tumour, labels > 0)
    np.testing.assert_array_equal(one.brain, flair > 0)
    assert not one.lossy
    assert one.prepared("t1c").shape == t1c.shape


def test_dark_holes_are_brain(tmp_path: Path) -> None:
    folder = brain_folder.write(tmp_path, 1)
    for name in ("flair", "t1c"):
        path = folder / brats.PLACE / f"P0_z000_{name}.png"
        image = np.array(pillow.open(path))
        image[30:40, 40:50] = 0  # a ventricle
        pillow.fromarray(image).save(path)
    (one,), _ = brats.load(folder)
    assert one.brain[0, 30:40, 40:50].all()
    assert not one.brain[0, 0, 0]


def test_jpeg_is_lossy(tmp_path: Path) -> None:
    (one,), problems = brats.load(brain_folder.write(tmp_path, 1, "jpg"))
    assert one.lossy
    assert problems == []


def change(folder: Path, name: str, image: np.ndarray | None) -> None:
    path = folder / brats.PLACE / name
    path.unlink() if image is None else pillow.fromarray(image).save(path)


@pytest.mark.parametrize(
    ("name", "image", "message"),
    [
        ("P0_z010_t1c.png", None, "P0_z010_label.png must have P0_z010_t1c.png beside it"),
        ("P0_z010_t1c.png", np.zeros((9, 9), np.uint8), r"must have the grid of its label, \(72,"),
        ("P0_z010_flair.png", np.zeros((72, 72), np.uint16), "must have 8 bits, got uint16"),
        ("P0_z010_flair.png", np.full((72, 72), 9, np.uint8), "slices must be stripped"),
    ],
)
def test_a_bad_patient_is_named_and_the_rest_is_read(
    name: str, image: np.ndarray | None, message: str, tmp_path: Path
) -> None:
    folder = brain_folder.write(tmp_path, 2)
    change(folder, name, image)
    if "stripped" in message:
        for plane in (0, 20):
            change(folder, f"P0_z{plane:03d}_flair.png", image)
    patients, problems = brats.load(folder)
    assert [patient.name for patient in patients] == ["P1"]
    assert len(problems) == 1
    assert problems[0].startswith("patient P0: ")
    with pytest.raises(ValueError, match=message):
        raise ValueError(problems[0])


def test_slices_of_two_sizes(tmp_path: Path) -> None:
    folder = brain_folder.write(tmp_path, 1)
    for name in ("flair", "t1c", "label"):
        change(folder, f"P0_z010_{name}.png", np.zeros((9, 9), np.uint8))
    assert "must have the shape of the patient's other slices" in brats.load(folder)[1][0]


def test_where_the_data_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brain_folder.write(tmp_path / "data", 1)
    monkeypatch.setenv("LESIONKIT_DATA", str(tmp_path))
    assert brats.data_folder() == tmp_path / "data"
    with pytest.raises(ValueError, match="must be a folder with brain_tumor in it"):
        brats.data_folder(tmp_path)
    monkeypatch.delenv("LESIONKIT_DATA")
    with pytest.raises(ValueError, match="LESIONKIT_DATA is not set"):
        brats.data_folder()
