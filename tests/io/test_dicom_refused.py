"""DICOM that is refused: what is no grey image, and headers that ask for too much."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from lesionkit import io

pydicom = pytest.importorskip("pydicom", reason="pydicom comes with lesionkit[studies]")
pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")

from pydicom.sequence import Sequence  # noqa: E402

from dicom_files import SEEN, VOLUME, classic, header, item, save  # noqa: E402

# --- what is no grey image ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PALETTE COLOR", "YBR_FULL", "RGB"])
def test_colours_are_refused(tmp_path: Path, kind: str) -> None:
    file = save(header(VOLUME[0], PhotometricInterpretation=kind), tmp_path / "a.dcm")
    with pytest.raises(
        ValueError, match=r"a.dcm must hold grey values, it has colours: Phot.*0004"
    ):
        io.read_image(file)


def test_a_table_of_values_is_refused(tmp_path: Path) -> None:
    table = item(LUTDescriptor=[2, 0, 16], LUTData=b"\1\0\5\0", ModalityLUTType="US")
    file = save(header(VOLUME[0], ModalityLUTSequence=Sequence([table])), tmp_path / "a.dcm")
    with pytest.raises(
        ValueError, match=r"a.dcm must give its values .* ModalityLUTSequence \(0028"
    ):
        io.read_image(file)


def test_a_slope_that_makes_numbers_infinite(tmp_path: Path) -> None:
    file = save(header(VOLUME[0], RescaleSlope="1e308"), tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=r"a.dcm must hold finite values, with RescaleSlope"):
        io.read_image(file)


# --- bombs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"Rows": 60000, "Columns": 60000}, {"NumberOfFrames": 10**8}])
def test_headers_that_ask_for_more_than_allowed(tmp_path: Path, change: dict[str, int]) -> None:
    file = save(header(VOLUME[0], **change), tmp_path / "a.dcm")
    with pytest.raises(
        ValueError, match=r"a.dcm cannot be read as DICOM: its header asks for .*GiB"
    ):
        io.read_image(file)


def test_a_series_is_counted_together(tmp_path: Path) -> None:
    folder = classic(tmp_path)
    assert io.read_image(folder, max_bytes=2 * VOLUME.size).values.shape == SEEN.shape
    with pytest.raises(ValueError, match=r"its header asks for .* max_bytes"):
        io.read_image(folder, max_bytes=2 * VOLUME.size - 1)


def test_a_deflated_file_that_unpacks_to_more_than_allowed(tmp_path: Path) -> None:
    data = header(VOLUME[0], PixelSpacing=[1, 1])
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    file = save(data, tmp_path / "a.dcm")
    np.testing.assert_array_equal(io.read_image(file).values, SEEN[0])
    whole = file.read_bytes()
    start = 144 + int(pydicom.filereader.read_file_meta_info(file).FileMetaInformationGroupLength)
    pack = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    inner = zlib.decompress(whole[start:], -zlib.MAX_WBITS) + bytes(2**22)
    file.write_bytes(whole[:start] + pack.compress(inner) + pack.flush())
    with pytest.raises(ValueError, match=r"a.dcm cannot be read .* unpacks to more than max_bytes"):
        io.read_image(file, max_bytes=2**20)


@pytest.mark.parametrize("name", ["Rows", "Columns", "BitsAllocated"])
def test_sizes_that_are_not_there(tmp_path: Path, name: str) -> None:
    data = header(VOLUME[0])
    delattr(data, name)
    save(data, tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=rf"a.dcm must have a number above 0 in {name} \(0028"):
        io.read_image(tmp_path / "a.dcm")
