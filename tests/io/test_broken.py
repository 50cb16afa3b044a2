"""Files that are broken, of another kind, or too large: each is refused in words."""

from __future__ import annotations

import gzip
import struct
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit import extras, io

nibabel = pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")
pydicom = pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")

from dicom_files import dicom  # noqa: E402
from nifti_files import VOLUME, nifti  # noqa: E402

RNG = np.random.default_rng(0)


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
    gray = RNG.integers(0, 255, (20, 20))
    nifti(tmp_path / "a.nii", gray[..., None].astype(np.int16))
    dicom(tmp_path / "b.dcm", gray.astype(np.uint16))
    pillow.fromarray(gray.astype(np.uint8)).save(tmp_path / "c.png")
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
    red = {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3, "PlanarConfiguration": 1}
    slice_ = dicom(tmp_path / "a.dcm", np.ones((3, 4, 4), np.uint8), **red)
    with pytest.raises(ValueError, match="must hold grey values, it has colours"):
        io.read_image(slice_)
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
    called = extras.EXTRAS[library][0]
    with pytest.raises(
        io.MissingLibrary, match=rf"^{kind} files need {called}, which is not.*\[studies\]'$"
    ):
        io.read_image(tmp_path / file)
