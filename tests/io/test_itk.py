"""MetaImage and NRRD: geometry, units, several volumes, damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit import io

nibabel = pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")

from nifti_files import VOLUME  # noqa: E402


def itk_file(path: Path, voxels: np.ndarray = VOLUME.T, spacing: Any = (1.5, 2.0, 5.0)) -> Path:
    itk = pytest.importorskip("SimpleITK", reason="SimpleITK comes with lesionkit[studies]")
    image = itk.GetImageFromArray(np.ascontiguousarray(voxels), isVector=False)
    image.SetSpacing(spacing)
    itk.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize("ending", [".mha", ".mhd", ".nrrd", ".nhdr"])
def test_metaimage_and_nrrd(tmp_path: Path, ending: str) -> None:
    itk = pytest.importorskip("SimpleITK", reason="SimpleITK comes with lesionkit[studies]")
    image = itk.GetImageFromArray(np.ascontiguousarray(VOLUME.T))
    image.SetSpacing((1.5, 2.0, 5.0))
    image.SetOrigin((7.0, -8.0, 9.0))
    image.SetDirection((0, -1, 0, 1, 0, 0, 0, 0, 1))
    itk.WriteImage(image, str(tmp_path / f"a{ending}"))
    itk.WriteImage(image, str(tmp_path / "b.nii.gz"))
    found, same = io.read_image(tmp_path / f"a{ending}"), io.read_image(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(found.values, same.values)
    np.testing.assert_allclose(found.geometry.affine, same.geometry.affine, atol=1e-6)
    io.write_mask(tmp_path / "m.nii", found.values > 500, found)
    mask = io.read_mask(tmp_path / "m.nii", same)
    np.testing.assert_array_equal(mask.values, same.values > 500)


@pytest.mark.parametrize("ending", [".mha", ".nrrd"])
def test_metaimage_and_nrrd_of_more_axes_and_slices(tmp_path: Path, ending: str) -> None:
    four = np.stack([VOLUME.T, VOLUME.T // 2])
    images = io.read_images(itk_file(tmp_path / f"a{ending}", four, (1.5, 2.0, 5.0, 1.0)))
    assert list(images) == ["volume=0", "volume=1"]
    np.testing.assert_allclose(images["volume=1"].spacing, (5, 2, 1.5))
    flat = io.read_image(itk_file(tmp_path / f"b{ending}", VOLUME.T[0], (1.5, 2.0)))
    assert flat.values.shape == (5, 4)
    np.testing.assert_allclose(flat.spacing, (2, 1.5))


def test_units_and_missing_spacings_of_nrrd_and_metaimage(tmp_path: Path) -> None:
    file = itk_file(tmp_path / "a.nrrd", VOLUME.T.copy())
    data = file.read_bytes()
    line = b"kinds: domain domain domain\n"
    assert line in data
    for units, spacing in (
        (b'"mm" "mm" "mm"', (5, 2, 1.5)),
        (b'"um" "um" "um"', (5e-3, 2e-3, 1.5e-3)),
    ):
        file.write_bytes(data.replace(line, line + b"space units: " + units + b"\n"))
        np.testing.assert_allclose(io.read_image(file).spacing, spacing)
    file.write_bytes(data.replace(line, line + b'space units: "in" "in" "in"\n'))
    with pytest.raises(ValueError, match=r"a.nrrd must be in mm, cm, m or um"):
        io.read_image(file)
    file = itk_file(tmp_path / "a.mha")
    assert io.read_image(file).geometry.unit == "mm"
    lines = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join(x for x in lines if not x.startswith(b"ElementSpacing")))
    assert io.read_image(file).geometry.unit == "pixel"


@pytest.mark.parametrize("ending", [".mha", ".mhd", ".nrrd", ".nhdr"])
@pytest.mark.parametrize("packed", [False, True])
def test_damaged_voxels_of_metaimage_and_nrrd(tmp_path: Path, ending: str, packed: bool) -> None:
    """Of what is packed each flipped bit; of what is not, that some is missing."""
    itk = pytest.importorskip("SimpleITK", reason="SimpleITK comes with lesionkit[studies]")
    voxels = np.ascontiguousarray(VOLUME.T)
    itk.WriteImage(itk.GetImageFromArray(voxels), str(tmp_path / f"a{ending}"), packed)
    head = tmp_path / f"a{ending}"
    np.testing.assert_array_equal(io.read_image(head).values, voxels[:, ::-1, ::-1])
    others = [file for file in tmp_path.iterdir() if file != head]
    file = others[0] if others else head
    data, rng = file.read_bytes(), np.random.default_rng(2)
    sentence = rf"a{ending} cannot be read as .+"
    for place in rng.integers(len(data) - 150, len(data), 20) if packed else ():
        wrong = bytearray(data)
        wrong[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(wrong)
        with pytest.raises(ValueError, match=sentence):
            io.read_image(head)
    for cut in (1, 2, 100):
        file.write_bytes(data[:-cut])
        with pytest.raises(ValueError, match=sentence):
            io.read_image(head)


@pytest.mark.parametrize("ending", [".mha", ".nrrd"])
def test_broken_metaimage_and_nrrd(tmp_path: Path, ending: str) -> None:
    kind = "MetaImage" if ending == ".mha" else "NRRD"
    file = itk_file(tmp_path / f"a{ending}")
    data = file.read_bytes()
    with pytest.raises(ValueError, match=rf"a{ending} cannot be read as {kind}: its header asks"):
        io.read_image(file, max_bytes=99)
    for wrong in (data[: len(data) // 2], b"hello" * 99, b""):
        file.write_bytes(wrong)
        with pytest.raises(ValueError, match=rf"a{ending} cannot be read as {kind}: .+") as caught:
            io.read_image(file)
        assert "\n" not in str(caught.value)
    itk = pytest.importorskip("SimpleITK")
    colours = itk.GetImageFromArray(np.zeros((4, 5, 6, 3), np.uint8), isVector=True)
    itk.WriteImage(colours, str(file))
    with pytest.raises(ValueError, match=rf"a{ending} must hold grey values, it has 3 numbers at"):
        io.read_image(file)
