"""DICOM: a slice, a folder with one series, or a multi-frame file.

Every header is asked, not the first alone. `frames` reads the slices of a file with their places,
`stack` makes volumes of them.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit.io.common import ADC, BROKEN, Image, check_size, library, naming
from lesionkit.io.dicom_frames import Frame, frames_of, tag
from lesionkit.io.dicom_mosaic import mosaic_of
from lesionkit.io.dicom_stack import stack

DEFLATED = "1.2.840.10008.1.2.1.99"
META = 132 + 12  # bytes of the preamble, and of the length of the meta information


def series(folder: Path, others: tuple[str, ...]) -> list[Path]:
    """The DICOM files of a folder that holds two or more, and none that ends as `others`; or none.

    Files whose names end as theirs do are of the series, too: one that is broken must be named, not
    left out. Others, such as notes or an index, are not.
    """
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    if any(file.name.lower().endswith(others) for file in files):
        return []
    files = [file for file in files if file.name != "DICOMDIR"]
    slices = {file for file in files if is_dicom(file)}
    if len(slices) < 2:
        return []
    endings = {file.suffix.lower() for file in slices}
    return [file for file in files if file in slices or file.suffix.lower() in endings]


def is_dicom(path: Path) -> bool:
    """Whether the file begins as DICOM files do."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:  # what cannot be opened is named by what tries to read it
        return False


def read(path: Path, files: list[Path], max_bytes: int) -> dict[str, Image]:
    """The image in these files of one series, or all of them by name."""
    errors = library("pydicom", "DICOM").errors
    frames: list[Frame] = []
    names, size, adc = set(), 0, False
    for number, file in enumerate(files):
        with naming(file, "DICOM", errors.InvalidDicomError, errors.BytesLengthException):
            data = _header(file, max_bytes)
            size += _size(data, file)
            check_size(path, "DICOM", size, max_bytes)
            _check_grey(data, file)
            names.add(str(data.get("SeriesInstanceUID", "")))
            pixels = _pixels(data, file)
            kinds = tuple(map(str, data.get("ImageType") or ()))
            adc = adc or any(ADC.search(kind) for kind in kinds)
            if "MOSAIC" in kinds:
                frames += mosaic_of(data, pixels, file, number)
            else:
                frames += frames_of(data, pixels, file)
    if len({frame.pixels.shape for frame in frames}) > 1 or len(names) > 1:
        raise ValueError(f"{path} must hold one series of equal slices, it has several")
    return {name: replace(image, adc=adc) for name, image in stack(frames, path).items()}


def _header(file: Path, max_bytes: int) -> Any:
    pydicom = library("pydicom", "DICOM")
    meta = pydicom.filereader.read_file_meta_info(file)
    if meta.get("TransferSyntaxUID") == DEFLATED:
        _check_deflated(file, META + int(meta.FileMetaInformationGroupLength), max_bytes)
    return pydicom.dcmread(file)


def _check_deflated(file: Path, begin: int, max_bytes: int) -> None:
    """All after the file's meta information is packed, and its size is not told."""
    with file.open("rb") as stream:
        stream.seek(begin)
        unpack, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
        rest = stream.read()
        while rest and not unpack.eof:
            size += len(unpack.decompress(rest, 2**20))
            rest = unpack.unconsumed_tail
            if size > max_bytes:
                raise ValueError("it unpacks to more than max_bytes")


def _size(data: Any, file: Path) -> int:
    """Bytes of the pixels that the header asks for."""
    size = 1
    for name, usual in (
        ("Rows", None),
        ("Columns", None),
        ("NumberOfFrames", 1),
        ("SamplesPerPixel", 1),
        ("BitsAllocated", None),
    ):
        try:
            value = data.get(name)
            count = usual if value is None or value == "" else int(value)
        except BROKEN:
            count = None
        if count is None or count < 1:
            raise ValueError(f"{file} must have a number above 0 in {tag(name)}")
        size *= count
    return max(size // 8, 1)


def _check_grey(data: Any, file: Path) -> None:
    """ValueError where numbers are not grey values, bright where they are high."""
    kind = data.get("PhotometricInterpretation")
    if kind == "MONOCHROME1":
        raise ValueError(f"{file} must be of MONOCHROME2, it is of MONOCHROME1: high is dark")
    if kind != "MONOCHROME2" or data.get("SamplesPerPixel", 1) != 1:
        raise ValueError(
            f"{file} must hold grey values, it has colours: {tag('PhotometricInterpretation')} "
            "is not MONOCHROME2"
        )
    if data.get("ModalityLUTSequence"):
        raise ValueError(
            f"{file} must give its values by slope and intercept, it has a table of them, "
            f"{tag('ModalityLUTSequence')}"
        )


def _pixels(data: Any, file: Path) -> Any:
    """(frames, rows, columns) as stored."""
    pixels = np.asarray(data.pixel_array)
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3:
        raise ValueError(f"{file} must hold slices of grey values, it has shape {pixels.shape}")
    return pixels
