"""DICOM as scanners write it, made up: single slices, series, frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

FLAT = [1, 0, 0, 0, 1, 0]
PLANES, ROWS, COLUMNS = 4, 6, 5
VOLUME = np.random.default_rng(0).integers(1, 4000, (PLANES, ROWS, COLUMNS)).astype(np.uint16)
SEEN = VOLUME[:, ::-1, ::-1]  # rows to the front, columns to the right


def header(pixels: np.ndarray, name: str = "a", **more: Any) -> FileDataset:
    """(..., rows, columns) grey values of 8 or 16 bits; `more` are other elements."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[name])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("a", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID = "1.2.3"
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8 * pixels.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, 0
    data.PixelData = pixels.tobytes()
    for key, value in more.items():
        setattr(data, key, value)
    return data


def save(data: FileDataset, path: Path) -> Path:
    data.save_as(path, enforce_file_format=True)
    return path


def dicom(path: Path, pixels: np.ndarray, position: float = 0.0, **more: Any) -> Path:
    """A slice of 0.5 x 0.8 mm pixels, `position` mm above the origin."""
    usual = {
        "PixelSpacing": [0.5, 0.8],
        "SliceThickness": 5.0,
        "ImageOrientationPatient": FLAT,
        "ImagePositionPatient": [0, 0, position],
    }
    return save(header(pixels, str(path), **{**usual, **more}), path)


def classic(folder: Path, changes: Any = None, volume: np.ndarray = VOLUME) -> Path:
    """A series of single slices, 2 x 1.5 mm and 5 mm apart; `changes` of slice number i."""
    for i, plane in enumerate(volume):
        usual = {
            "PixelSpacing": [2, 1.5],
            "ImageOrientationPatient": FLAT,
            "ImagePositionPatient": [-20, -30, 5.0 * i],
            "SliceThickness": 5,
        }
        given = {**usual, **(changes(i) if changes else {})}
        data = header(plane, **{k: v for k, v in given.items() if v is not None})
        save(data, folder / f"{len(list(folder.iterdir()))}.dcm")
    return folder


def item(**values: Any) -> Dataset:
    data = Dataset()
    for name, value in values.items():
        setattr(data, name, value)
    return data


def enhanced(
    pixels: np.ndarray, positions: Any, own: Any = None, shared: dict[str, Any] | None = None
) -> FileDataset:
    """A multi-frame file; `own` gives functional groups of frame i, `shared` those of all."""
    data = header(pixels, NumberOfFrames=len(pixels))
    common = {
        "PixelMeasuresSequence": item(PixelSpacing=[2, 1.5], SliceThickness=5),
        "PlaneOrientationSequence": item(ImageOrientationPatient=FLAT),
        **(shared or {}),
    }
    groups = {name: Sequence([one]) for name, one in common.items() if one is not None}
    data.SharedFunctionalGroupsSequence = Sequence([item(**groups)])
    frames = []
    for i, position in enumerate(positions):
        mine = {
            "PlanePositionSequence": item(ImagePositionPatient=[-20, -30, float(position)]),
            **(own(i) if own else {}),
        }
        frames.append(item(**{k: Sequence([v]) for k, v in mine.items() if v is not None}))
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return data


PLACES = 10 + 5.0 * np.arange(PLANES)


def siemens(data: FileDataset, b: int) -> None:
    block = data.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", b)
