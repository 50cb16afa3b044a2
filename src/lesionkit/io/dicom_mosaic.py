"""Siemens mosaics: the slices of a volume as tiles of one picture."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.io.common import BROKEN, library
from lesionkit.io.dicom_frames import TILTED, Floats, Frame, frames_of, tag


def mosaic_of(data: Any, pixels: npt.NDArray[Any], file: Path, number: int) -> list[Frame]:
    """The slices of a mosaic; `number` tells its file from others of the series.

    The picture's place is that which it would have as one slice with the middle of the volume's
    first; how many tiles there are, and which way they go, its private header tells.
    """
    count, normal = _csa(data)
    if count is None or normal is None:
        raise ValueError(
            f"{file} is a mosaic of slices and must tell how many and which way they go in "
            "NumberOfImagesInMosaic and SliceNormalVector of (0029,1010), it does not"
        )
    side = math.ceil(math.sqrt(count))
    rows, columns = (n // side for n in pixels.shape[1:])
    whole = frames_of(data, pixels, file)[0]
    if whole.orientation is None or whole.spacing is None or whole.position is None:
        wanted = ("ImageOrientationPatient", "PixelSpacing", "ImagePositionPatient")
        raise ValueError(f"{file} is a mosaic and must have {', '.join(map(tag, wanted))}")
    if len(pixels) > 1 or pixels.shape[1] % side or pixels.shape[2] % side:
        raise ValueError(
            f"{file} must have a mosaic that {count} slices divide, got {pixels.shape[1:]} pixels"
        )
    beyond = np.array([pixels.shape[2] - columns, pixels.shape[1] - rows]) / 2
    corner = whole.position + (beyond * whole.spacing[::-1]) @ whole.orientation

    frames = []
    for i in range(count):
        top, left = i // side * rows, i % side * columns
        frames.append(
            Frame(
                f"{file}, slice {i + 1}",
                whole.pixels[top : top + rows, left : left + columns],
                whole.orientation,
                corner + normal * whole.step * i,
                whole.spacing,
                whole.step,
                {**whole.marks, "volume": number},
            )
        )
    return frames


def _csa(data: Any) -> tuple[int | None, Floats | None]:
    """Number of images of a mosaic, and the direction from the first to the last."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nibabel calls its own readers experimental
        reader = library("nibabel.nicom.csareader", "DICOM mosaic")
    try:
        header = reader.get_csa_header(data, "image")
        if header is None:
            return None, None
        count, normal = reader.get_n_mosaic(header), reader.get_slice_normal(header)
    except (*BROKEN, reader.CSAError):
        return None, None
    if not count or normal is None or abs(np.linalg.norm(normal) - 1) > TILTED:
        return None, None
    return int(count), np.asarray(normal, np.float64)
