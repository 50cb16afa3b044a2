"""Siemens' mosaics of slices in one DICOM image."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit import io

pydicom = pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")

from pydicom.dataset import FileDataset  # noqa: E402

from dicom_files import COLUMNS, FLAT, ROWS, VOLUME, header, save, siemens  # noqa: E402


def mosaic(count: int, **more: Any) -> FileDataset:
    """Tiles of 6 x 5 pixels, three in a row."""
    tiles = np.zeros((3 * ROWS, 3 * COLUMNS), np.uint16)
    for i in range(count):
        row, column = divmod(i, 3)
        here = np.s_[row * ROWS : (row + 1) * ROWS, column * COLUMNS : (column + 1) * COLUMNS]
        tiles[here] = 100 * (i + 1) + VOLUME[0] % 50
    usual = {
        "ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "MOSAIC"],
        "PixelSpacing": [2, 1.5],
        "ImagePositionPatient": [0, 0, 7],
        "ImageOrientationPatient": FLAT,
        "SpacingBetweenSlices": 5,
    }
    return header(tiles, **{**usual, **more})


def csa(data: FileDataset, count: int, normal: Any) -> FileDataset:
    """Siemens' private header, of the two fields that matter."""

    def field(name: str, kind: str, values: list[str]) -> bytes:
        parts = [name.encode().ljust(64, b"\0"), len(values).to_bytes(4, "little")]
        parts += [kind.encode().ljust(4, b"\0"), bytes(4)]
        parts += [len(values).to_bytes(4, "little"), (77).to_bytes(4, "little")]
        for value in values:
            text = value.encode() + b"\0"
            size = len(text).to_bytes(4, "little")
            parts += [size * 4, text.ljust(-(-len(text) // 4) * 4, b"\0")]
        return b"".join(parts)

    fields = [
        field("NumberOfImagesInMosaic", "US", [str(count)]),
        field("SliceNormalVector", "FD", [f"{x:.8f}" for x in normal]),
    ]
    head = b"SV10\4\3\2\1" + len(fields).to_bytes(4, "little") + (77).to_bytes(4, "little")
    block = data.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", head + b"".join(fields))
    return data


@pytest.mark.parametrize("up", [1, -1])
@pytest.mark.parametrize("count", [9, 7])
def test_a_mosaic_is_cut_up(tmp_path: Path, count: int, up: int) -> None:
    image = io.read_image(save(csa(mosaic(count), count, (0, 0, up)), tmp_path / "a.dcm"))
    assert image.values.shape == (count, ROWS, COLUMNS)
    levels = image.values.min((1, 2)) // 100
    np.testing.assert_array_equal(levels, np.arange(count)[::up] + 1)
    assert image.spacing == (5, 2, 1.5)
    # the middle of the picture is that of the first slice
    first = [0 if up == 1 else count - 1, (ROWS - 1) / 2, (COLUMNS - 1) / 2]
    middle = [-(3 * COLUMNS - 1) / 2 * 1.5, -(3 * ROWS - 1) / 2 * 2, 7]
    np.testing.assert_allclose(image.geometry.places([first])[0], middle)


def test_mosaics_that_do_not_tell(tmp_path: Path) -> None:
    file = tmp_path / "a.dcm"
    for data in (mosaic(9), csa(mosaic(9), 0, (0, 0, 1)), csa(mosaic(9), 9, (0, 0, 0))):
        save(data, file)
        with pytest.raises(ValueError, match=r"a.dcm is a mosaic .*NumberOfImagesInMosaic and"):
            io.read_image(file)
    data = csa(mosaic(9), 9, (0, 0, 1))
    whole = data.private_block(0x0029, "SIEMENS CSA HEADER")[0x10].value
    for cut in (9, 90, len(whole) - 9):
        data = mosaic(9)
        block = data.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", whole[:cut])
        save(data, file)
        with pytest.raises(ValueError, match=r"a.dcm is a mosaic .*NumberOfImagesInMosaic and"):
            io.read_image(file)
    save(csa(mosaic(9), 17, (0, 0, 1)), file)
    with pytest.raises(ValueError, match=r"a.dcm must have a mosaic that 17 slices divide"):
        io.read_image(file)
    save(csa(mosaic(9, ImagePositionPatient=None), 9, (0, 0, 1)), file)
    with pytest.raises(ValueError, match=r"a.dcm is a mosaic and must have .*ImagePositionPatient"):
        io.read_image(file)


def test_mosaics_of_several_b_values(tmp_path: Path) -> None:
    for b in (0, 1000):
        data = csa(mosaic(9), 9, (0, 0, 1))
        siemens(data, b)
        save(data, tmp_path / f"{b}.dcm")
    images = io.read_images(tmp_path)
    assert list(images) == ["b=0", "b=1000"]
    assert images["b=0"].values.shape == (9, ROWS, COLUMNS)


def test_a_real_mosaic_lies_where_nibabel_puts_it(tmp_path: Path) -> None:
    folder = os.environ.get("LESIONKIT_DATA")
    if folder is None:
        pytest.skip("LESIONKIT_DATA, the folder of the data, is not set")
    import nibabel

    file = Path(folder) / "data/misc/nibabel/0.dcm"
    with pytest.raises(ValueError, match=r"0.dcm must have a mosaic that 48 slices divide, got"):
        io.read_image(file)
    data = pydicom.dcmread(file)
    tiles = np.random.default_rng(0).integers(0, 99, (252, 252)).astype(np.uint16)
    data.Rows = data.Columns = 252  # 7 x 7 of 36 x 36
    data.PixelData = tiles.tobytes()
    data.save_as(tmp_path / "a.dcm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nibabel calls its own readers experimental
        from nibabel.nicom.dicomwrappers import wrapper_from_file
    theirs = wrapper_from_file(tmp_path / "a.dcm")
    affine = np.diag([-1.0, -1, 1, 1]) @ theirs.affine
    upright = nibabel.as_closest_canonical(nibabel.Nifti1Image(theirs.get_data(), affine))
    image = io.read_image(tmp_path / "a.dcm")
    np.testing.assert_array_equal(image.values, np.asarray(upright.dataobj).T)
    np.testing.assert_allclose(image.geometry.affine, upright.affine, atol=1e-5)
