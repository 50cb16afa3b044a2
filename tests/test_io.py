"""Images from files and masks into them: round trips, orientation, broken files."""

from __future__ import annotations

import gzip
import json
import struct
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from lesionkit import io

nibabel = pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")
pydicom = pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")

RNG = np.random.default_rng(0)
VOLUME = RNG.integers(0, 1000, (4, 5, 6)).astype(np.int16)  # right, front, up


def nifti(path: Path, voxels: np.ndarray, affine: Any = None) -> Path:
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4) if affine is None else affine), path)
    return path


def dicom(path: Path, pixels: np.ndarray, position: float = 0.0, **more: Any) -> Path:
    """A slice of 0.5 x 0.8 mm pixels, `position` mm above the origin."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(path)])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = MRImageStorage
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID = "1.2.3"
    data.Rows, data.Columns = pixels.shape[:2]
    data.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    data.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8 * pixels.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = 0
    data.PixelSpacing = [0.5, 0.8]
    data.SliceThickness = 5.0
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = [0, 0, position]
    for name, value in more.items():
        setattr(data, name, value)
    data.PixelData = pixels.tobytes()
    data.save_as(path, enforce_file_format=True)
    return path


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
    grey = RNG.integers(0, 255, (5, 6)).astype(np.uint8)
    if mode == "I;16":
        picture, expected = pillow.fromarray(grey.astype(np.uint16) * 9), grey.astype(int) * 9
    elif mode == "1":
        picture, expected = pillow.fromarray(grey > 99), 255 * (grey > 99)
    else:
        picture, expected = pillow.fromarray(grey).convert(mode), grey
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
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
    pillow.fromarray(grey).save(tmp_path / "a.png", exif=tags)
    np.testing.assert_array_equal(io.read_image(tmp_path / "a.png").values, np.rot90(grey, -1))


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


# --- mistakes -------------------------------------------------------------------------------------


def broken(path: Path, kind: str) -> Path:
    """A file that is not what its name says."""
    if kind == "no such file":
        return path / "a.nii.gz"
    if kind == "folder":
        return path
    if kind == "text":
        (path / "a.txt").write_text("hello")
        return path / "a.txt"
    name, cut = kind.split(", ")
    file = path / f"a.{name}"
    if name == "png":
        pillow.fromarray(RNG.integers(0, 255, (90, 90)).astype(np.uint8)).save(file)
    elif name == "dcm":
        dicom(file, np.ones((40, 40), np.uint16))
    else:
        nifti(file, RNG.integers(0, 9999, (30, 30, 9)).astype(np.int16))
    data = file.read_bytes()
    file.write_bytes({"half": data[: len(data) // 2], "empty": b"", "text": b"hello " * 99}[cut])
    return file


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("no such file", "a.nii.gz does not exist"),
        ("folder", "is a folder without a DICOM series; name a file in it"),
        ("text", r"a.txt must be NIfTI \(.nii, .nii.gz\), DICOM \(.dcm, .* or MAT \(.mat\)"),
        *(
            (f"{name}, {cut}", f"a.{name} cannot be read as {what}: .+")
            for name, what in (
                ("nii.gz", "NIfTI"),
                ("nii", "NIfTI"),
                ("dcm", "DICOM"),
                ("png", "PNG"),
            )
            for cut in ("half", "empty", "text")
        ),
    ],
)
def test_unreadable_files_are_named(tmp_path: Path, kind: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        io.read_image(broken(tmp_path, kind))
    assert "\n" not in str(caught.value)


def test_files_with_wrong_bytes_are_read_or_refused(tmp_path: Path) -> None:
    """Whatever the libraries raise, a ValueError comes out."""
    rng = np.random.default_rng(5)
    grey = RNG.integers(0, 255, (20, 20))
    nifti(tmp_path / "a.nii", grey[..., None].astype(np.int16))
    dicom(tmp_path / "b.dcm", grey.astype(np.uint16))
    pillow.fromarray(grey.astype(np.uint8)).save(tmp_path / "c.png")
    said = []
    for file in list(tmp_path.iterdir()):
        data = np.frombuffer(file.read_bytes(), np.uint8)
        broken_file = tmp_path / f"broken{file.suffix}"
        for _ in range(60):
            wrong = data.copy()
            places = rng.integers(0, min(data.size, 1000), 3)
            wrong[places] = rng.integers(0, 256, 3)
            broken_file.write_bytes(wrong.tobytes())
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    assert io.read_image(broken_file).values.ndim in (2, 3)
            except ValueError as problem:
                said.append(str(problem))
    assert said
    assert all("broken" in sentence for sentence in said)


def test_images_that_are_no_grey_slices(tmp_path: Path) -> None:
    four = nifti(tmp_path / "a.nii", np.zeros((3, 3, 3, 2), np.int16))
    with pytest.raises(
        ValueError, match=r"must hold one slice or volume .* has 2 of shape \(3, 3, 3\)"
    ):
        io.read_image(four)
    colours = tmp_path / "a.png"
    pillow.fromarray(RNG.integers(0, 255, (5, 6, 3)).astype(np.uint8)).save(colours)
    with pytest.raises(ValueError, match="must hold grey values, it has colours"):
        io.read_image(colours)
    with pytest.raises(ValueError, match="must hold grey values, it has colours"):
        io.read_image(dicom(tmp_path / "a.dcm", np.ones((4, 4, 3), np.uint8)))
    flat = nibabel.Nifti1Image(VOLUME, None)
    flat.header.set_sform(np.diag([1.0, 0.0, 1.0, 1.0]), code=1)
    nibabel.save(flat, tmp_path / "b.nii")
    with pytest.raises(ValueError, match="must have a spacing above 0 mm along each axis"):
        io.read_image(tmp_path / "b.nii")
    flat.header.set_sform([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], code=1)
    nibabel.save(flat, tmp_path / "c.nii")
    with pytest.raises(ValueError, match="must have three axes that do not lie in one plane"):
        io.read_image(tmp_path / "c.nii")
    flat.header.set_sform(np.diag([1.0, np.nan, 1.0, 1.0]), code=1)
    nibabel.save(flat, tmp_path / "d.nii")
    with pytest.raises(ValueError, match="must have an affine of finite numbers"):
        io.read_image(tmp_path / "d.nii")
    turned = dicom(tmp_path / "b.dcm", np.ones((4, 4), np.uint8), PixelSpacing=[-1, 1])
    with pytest.raises(ValueError, match=r"must have a spacing above 0 mm .*, got -1 and 1"):
        io.read_image(turned)


def test_sizes_that_no_memory_holds(tmp_path: Path) -> None:
    """A header may ask for any amount."""
    data = bytearray(nifti(tmp_path / "a.nii", VOLUME).read_bytes())
    data[42:48] = struct.pack("<3h", 30000, 30000, 30000)
    (tmp_path / "a.nii").write_bytes(data)
    with pytest.raises(ValueError, match=r"a.nii cannot be read as NIfTI: .+"):
        io.read_image(tmp_path / "a.nii")
    chunks = (
        (b"IHDR", struct.pack(">2I5B", 30000, 30000, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    )
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )
    )
    with pytest.raises(ValueError, match=r"a.png cannot be read as PNG: Image size"):
        io.read_image(tmp_path / "a.png")


def test_masks_that_do_not_fit(tmp_path: Path) -> None:
    image = io.read_image(nifti(tmp_path / "a.nii", VOLUME))
    ones = np.ones(VOLUME.shape, np.uint8)
    with pytest.raises(
        ValueError, match=r"must have the shape of .*, \(6, 5, 4\), got \(6, 5, 3\)"
    ):
        io.read_mask(nifti(tmp_path / "m.nii", ones[:3]), image)
    moved = np.eye(4)
    moved[0, 3] = 2
    with pytest.raises(ValueError, match=r"must lie where .* lies, it is 2 mm off"):
        io.read_mask(nifti(tmp_path / "n.nii", ones, moved), image)
    with pytest.raises(ValueError, match="must be a mask of finite numbers"):
        io.read_mask(nifti(tmp_path / "o.nii", np.full(VOLUME.shape, np.nan, np.float32)))
    with pytest.raises(
        ValueError, match=r"must be a mask, of .* got values from 2 to 997, 114 of them"
    ):
        io.read_mask(tmp_path / "a.nii")
    with pytest.raises(ValueError, match=r"must be a mask, of .* got values from -1 to -1$"):
        io.read_mask(nifti(tmp_path / "o.nii", np.full(VOLUME.shape, -1, np.int16)))
    labels = VOLUME % 32
    inside = io.read_mask(nifti(tmp_path / "o.nii", labels)).values
    assert np.count_nonzero(inside) == np.count_nonzero(labels)
    with pytest.raises(
        ValueError, match=r"mask must hold booleans of shape \(6, 5, 4\), got int16"
    ):
        io.write_mask(tmp_path / "p.nii", image.values, image)
    with pytest.raises(ValueError, match=r"path must end with .nii or .nii.gz"):
        io.write_mask(tmp_path / "p.png", image.values > 0, image)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.nii", "m.nii", "n.nii", "o.nii"]


@pytest.mark.parametrize(
    ("library", "file", "kind"),
    [
        ("nibabel", "a.nii", "NIfTI"),
        ("pydicom", "a.dcm", "DICOM"),
        ("PIL", "a.png", "PNG"),
        ("PIL", "a.jpg", "JPEG"),
        ("SimpleITK", "a.mha", "MetaImage"),
        ("SimpleITK", "a.nrrd", "NRRD"),
        ("h5py", "a.mat", "MAT v7.3"),
    ],
)
def test_a_missing_library_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, file: str, kind: str
) -> None:
    (tmp_path / file).write_bytes(gzip.compress(b"something"))
    for name in [n for n in sys.modules if n == library or n.startswith(f"{library}.")]:
        monkeypatch.delitem(sys.modules, name)

    class Absent:
        def find_spec(self, name: str, *_: Any) -> None:
            if name.split(".")[0] == library:
                raise ModuleNotFoundError(f"No module named {library!r}", name=library)

    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    with pytest.raises(
        io.MissingLibrary, match=rf"{kind} files need {library}: pip install '.\[studies\]'"
    ):
        io.read_image(tmp_path / file)
