"""Images from files and masks into them: round trips, orientation, broken files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from lesionkit import io

nibabel = pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")
pydicom = pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")

from dicom_files import dicom  # noqa: E402
from nifti_files import VOLUME, nifti  # noqa: E402

RNG = np.random.default_rng(0)


# --- NIfTI ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "SAL"])
def test_nifti_of_any_orientation_is_turned_and_goes_back(tmp_path: Path, codes: str) -> None:
    first = np.diag([2.0, 3.0, 5.0, 1.0])
    first[:3, 3] = -7, 8, 9
    upright = nibabel.Nifti1Image(VOLUME, first)
    turn = nibabel.orientations.axcodes2ornt(codes)
    turned = upright.as_reoriented(turn)
    nibabel.save(turned, tmp_path / "a.nii.gz")
    image = io.read_image(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(image.values, VOLUME.T)
    assert image.spacing == (5, 3, 2)
    mask = image.values > 500
    out = tmp_path / "a_mask.nii.gz"
    io.write_mask(out, mask, image, {"Type": "Lesion"})
    saved = nibabel.load(out)
    np.testing.assert_array_equal(saved.affine, turned.affine)
    np.testing.assert_array_equal(np.asarray(saved.dataobj), np.asarray(turned.dataobj) > 500)
    assert saved.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(io.read_mask(out, image).values, mask)
    assert json.loads((tmp_path / "a_mask.json").read_text()) == {"Type": "Lesion"}
    assert not list(tmp_path.glob("*.partial"))


def test_a_mask_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    image = io.read_image(nifti(tmp_path / "a.nii", VOLUME))
    for name in ("b.nii.gz", "c.nii.gz"):
        io.write_mask(tmp_path / name, image.values > 3, image)
    assert (tmp_path / "b.nii.gz").read_bytes() == (tmp_path / "c.nii.gz").read_bytes()


def test_what_is_no_mask_is_not_written(tmp_path: Path) -> None:
    image = io.read_image(nifti(tmp_path / "a.nii", VOLUME))
    for wrong, message in (
        (VOLUME.T, "mask must hold booleans of shape"),
        (sparse.csr_array(VOLUME[0] > 3), "mask must hold booleans, got"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            io.write_mask(tmp_path / "m.nii", wrong, image)
    assert not (tmp_path / "m.nii").exists()


def test_values_near_1_are_inside(tmp_path: Path) -> None:
    stored = np.where(VOLUME > 500, np.float32(0.9999999), np.float32(0))
    found = io.read_mask(nifti(tmp_path / "m.nii", stored)).values
    assert found.dtype == bool
    np.testing.assert_array_equal(found, VOLUME.T > 500)


def test_slices_and_axes_of_one(tmp_path: Path) -> None:
    flat = io.read_image(nifti(tmp_path / "a.nii", VOLUME[:, :, :1]))
    np.testing.assert_array_equal(flat.values, VOLUME[:, :, 0].T)
    assert flat.spacing == (1, 1)
    io.write_mask(tmp_path / "m.nii", flat.values > 500, flat)
    assert nibabel.load(tmp_path / "m.nii").shape == (4, 5, 1)
    one = io.read_image(nifti(tmp_path / "b.nii", VOLUME[..., None]))
    assert one.values.shape == (6, 5, 4)


# --- DICOM and PNG --------------------------------------------------------------------------------


def test_dicom_slice(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 4095, (6, 7)).astype(np.uint16)
    image = io.read_image(dicom(tmp_path / "a.dcm", pixels, RescaleSlope=2, RescaleIntercept=-5))
    # Rows of DICOM go to the back and columns to the left; ours to the front and to the right.
    np.testing.assert_array_equal(image.values, 2.0 * pixels[::-1, ::-1] - 5)
    assert image.spacing == (0.5, 0.8)
    np.testing.assert_array_equal(np.diag(image.affine), [-0.8, -0.5, 5, 1])


def test_a_dicom_slice_whose_high_values_are_dark(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    dicom(tmp_path / "a.dcm", pixels, PhotometricInterpretation="MONOCHROME1")
    with pytest.raises(ValueError, match=r"a.dcm must be of MONOCHROME2, it is of MONOCHROME1"):
        io.read_image(tmp_path / "a.dcm")


def test_dicom_series_is_sorted_by_place(tmp_path: Path) -> None:
    stack = RNG.integers(0, 4095, (3, 6, 7)).astype(np.uint16)
    for name, index in (("b", 2), ("a", 1), ("c", 0)):
        dicom(tmp_path / name, stack[index], position=4.0 * index)
    image = io.read_image(tmp_path)
    np.testing.assert_array_equal(image.values, stack[:, ::-1, ::-1])
    assert image.spacing == (4, 0.5, 0.8)
    dicom(tmp_path / "d", stack[0], position=13.0)
    with pytest.raises(ValueError, match=r"must hold slices at equal steps, .* of 4 to 5 mm"):
        io.read_image(tmp_path)
    dicom(tmp_path / "d", stack[0], position=8.0)
    with pytest.raises(ValueError, match="must hold one slice at each place, it has several"):
        io.read_image(tmp_path)
    dicom(tmp_path / "d", stack[0, :4], position=12.0)
    with pytest.raises(ValueError, match="must hold one series of equal slices"):
        io.read_image(tmp_path)


def test_a_series_is_whole_whatever_lies_beside_it(tmp_path: Path) -> None:
    """Notes do not break it up into slices; a slice that is broken is not left out of it."""
    stack = RNG.integers(0, 4095, (3, 6, 7)).astype(np.uint16)
    for index, plane in enumerate(stack):
        dicom(tmp_path / f"{index}.dcm", plane, position=4.0 * index)
    (tmp_path / "notes.txt").write_text("hello")
    dicom(tmp_path / "DICOMDIR", stack[0])
    assert io.read_image(tmp_path).values.shape == (3, 6, 7)
    (tmp_path / "3.dcm").write_bytes(b"hello" * 99)
    with pytest.raises(ValueError, match=r"3.dcm cannot be read as DICOM"):
        io.read_image(tmp_path)
    nifti(tmp_path / "a.nii", VOLUME)
    assert io.series(tmp_path) == []


@pytest.mark.parametrize("mode", ["L", "I;16", "1", "LA", "RGB", "P"])
def test_png(tmp_path: Path, mode: str) -> None:
    gray = RNG.integers(0, 255, (5, 6)).astype(np.uint8)
    if mode == "I;16":
        picture, expected = pillow.fromarray(gray.astype(np.uint16) * 9), gray.astype(int) * 9
    elif mode == "1":
        picture, expected = pillow.fromarray(gray > 99), 255 * (gray > 99)
    else:
        picture, expected = pillow.fromarray(gray).convert(mode), gray
    picture.save(tmp_path / "a.png")
    image = io.read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.values, expected)
    io.write_mask(tmp_path / "m.nii.gz", image.values > 9, image)
    np.testing.assert_array_equal(
        np.asarray(nibabel.load(tmp_path / "m.nii.gz").dataobj)[..., 0].T, image.values > 9
    )


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("ending", [".jpg", ".JPEG"])
def test_jpeg(tmp_path: Path, mode: str, ending: str) -> None:
    y, x = np.indices((24, 32))
    file = tmp_path / f"a{ending}"
    pillow.fromarray((3 * y + 4 * x).astype(np.uint8)).convert(mode).save(file, quality=95)
    image = io.read_image(file)
    assert np.abs(image.values.astype(int) - (3 * y + 4 * x)).max() <= 4  # JPEG loses some
    assert image.geometry.unit == "pixel"
    pillow.fromarray(y > 9).save(tmp_path / "m.png")
    np.testing.assert_array_equal(io.read_mask(tmp_path / "m.png", image).values, y > 9)
    with pytest.raises(ValueError, match=rf"a{ending} cannot be read as JPEG: its header asks for"):
        io.read_image(file, max_bytes=99)


def test_pictures_are_read_as_they_are_shown(tmp_path: Path) -> None:
    """A tag may say that the pixels lie on their side."""
    tags = pillow.Exif()
    tags[0x0112] = 6  # turn by 90 degrees
    gray = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
    pillow.fromarray(gray).save(tmp_path / "a.png", exif=tags)
    np.testing.assert_array_equal(io.read_image(tmp_path / "a.png").values, np.rot90(gray, -1))


@pytest.mark.parametrize("mode", ["CMYK", "RGB", "YCbCr"])
def test_jpeg_of_colours(tmp_path: Path, mode: str) -> None:
    colours = pillow.fromarray(RNG.integers(0, 255, (16, 16, 3)).astype(np.uint8)).convert(mode)
    colours.save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"a.jpg must hold grey values, it has colours"):
        io.read_image(tmp_path / "a.jpg")


def test_a_png_that_is_a_jpeg_is_refused(tmp_path: Path) -> None:
    pillow.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a.png cannot be read as PNG: .+"):
        io.read_image(tmp_path / "a.png")


# --- the brain-tumour set -------------------------------------------------------------------------


def tumour(path: Path, **change: Any) -> Path:
    """A MAT v7.3 file as MATLAB writes it: arrays lie transposed."""
    h5py = pytest.importorskip("h5py", reason="h5py comes with lesionkit[studies]")
    image = np.arange(20 * 24, dtype=np.int16).reshape(20, 24)
    fields = {
        "image": image.T,
        "tumorMask": (image.T % 7 == 0).astype(np.uint8),
        "label": np.array([[2.0]]),
        "PID": np.array([[77]], np.uint16),
        **change,
    }
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in fields.items():
            if value is not None:
                file[f"cjdata/{name}"] = value
    return path


def test_the_brain_tumour_set(tmp_path: Path) -> None:
    file = tumour(tmp_path / "1.mat")
    image = np.arange(20 * 24).reshape(20, 24)
    one = io.read_tumour(file)
    np.testing.assert_array_equal(one.image.values, image)
    np.testing.assert_array_equal(one.mask.values, image % 7 == 0)
    assert one.mask.values.dtype == bool
    assert one.label == 2
    assert one.image.geometry.unit == "pixel"
    np.testing.assert_array_equal(io.read_image(file).values, image)
    np.testing.assert_array_equal(io.read_mask(file, one.image).values, one.mask.values)
    assert io.read_image(file).values.dtype == np.int16
    assert "77" not in repr(one).replace(str(tmp_path), "")[:50]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"image": None}, "numbers in cjdata/image, it does not"),
        ({"label": None}, "numbers in cjdata/label, it does not"),
        ({"tumorMask": "hello"}, "numbers in cjdata/tumorMask, it does not"),
        ({"tumorMask": np.zeros((20, 24))}, r"0 and 1 of the image's shape \(20, 24\) in cjdata"),
        ({"tumorMask": np.full((24, 20), 3)}, "0 and 1 of the image's shape"),
        ({"label": np.array([[4.0]])}, "1, 2 or 3 in cjdata/label"),
        ({"label": np.array([[1.0, 2.0]])}, "1, 2 or 3 in cjdata/label"),
        ({"image": np.zeros((0, 3))}, "one grey slice in cjdata/image"),
        ({"image": np.zeros((2, 3, 4))}, "one grey slice in cjdata/image"),
    ],
)
def test_files_of_the_set_that_lack_something(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=rf"1.mat must hold {sentence}"):
        io.read_tumour(tumour(tmp_path / "1.mat", **change))


def test_broken_files_of_the_set(tmp_path: Path) -> None:
    file = tumour(tmp_path / "1.mat")
    data = file.read_bytes()
    with pytest.raises(ValueError, match=r"1.mat cannot be read as MAT v7.3: its header asks for"):
        io.read_tumour(file, max_bytes=99)
    for wrong in (data[: 2 * len(data) // 3], b"hello" * 200, b""):
        file.write_bytes(wrong)
        with pytest.raises(ValueError, match=r"1.mat cannot be read as MAT v7.3: .+"):
            io.read_tumour(file)
    file.write_bytes(b"MATLAB 5.0 MAT-file, Platform: x".ljust(999))
    with pytest.raises(ValueError, match=r"it is of version 5; save it with -v7.3"):
        io.read_image(file)
    pillow.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"path must end with .mat, got .*a.png"):
        io.read_tumour(tmp_path / "a.png")


def test_masks_and_images_of_different_formats_lie_alike(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 255, (5, 6)).astype(np.uint8)
    pillow.fromarray(pixels).save(tmp_path / "a.png")
    pillow.fromarray(pixels > 99).save(tmp_path / "a_mask.png")
    picture, slice_ = (
        io.read_image(tmp_path / "a.png"),
        io.read_image(dicom(tmp_path / "a", pixels)),
    )
    io.write_mask(tmp_path / "m.nii", picture.values > 99, picture)
    for image in (picture, slice_):
        drawn = io.read_mask(tmp_path / "a_mask.png", image)
        np.testing.assert_array_equal(drawn.values, image.values > 99)
        assert drawn.spacing == image.spacing
    found = io.read_mask(tmp_path / "m.nii", picture)
    np.testing.assert_array_equal(found.values, picture.values > 99)
