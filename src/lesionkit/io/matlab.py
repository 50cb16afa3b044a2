"""MAT v7.3 files of the public brain-tumour set.

Cheng, 2017, figshare 10.6084/m9.figshare.1512427: a struct cjdata with image, tumorMask and label
in each of 3064 files. The patient's id in it is never read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit.io.common import BROKEN, Image, check_size, library, unplaced, unreadable

LABELS = ("meningioma", "glioma", "pituitary")  # 1, 2, 3


class TumourSlice(NamedTuple):
    """A slice of the brain-tumour set.

    Attributes
    ----------
    image : Image
        The slice.
    mask : Image
        Booleans: the tumour.
    label : int
        1 meningioma, 2 glioma, 3 pituitary tumour.

    Examples
    --------
    >>> from lesionkit import io
    >>> io.TumourSlice._fields
    ('image', 'mask', 'label')
    """

    image: Image
    mask: Image
    label: int


def read(path: Path, max_bytes: int) -> TumourSlice:
    """Image, mask and label of a file; ValueError where one is missing or does not fit."""
    h5py = library("h5py", "MAT v7.3")
    try:
        with h5py.File(path, "r") as file:
            image = _field(file, "image", path, max_bytes)
            mask = _field(file, "tumorMask", path, max_bytes)
            label = _field(file, "label", path, max_bytes)
    except (OSError, RuntimeError) as problem:
        with path.open("rb") as start:
            old = start.read(19) == b"MATLAB 5.0 MAT-file"
        reason = "it is of version 5; save it with -v7.3" if old else problem
        raise unreadable(path, "MAT v7.3", reason) from problem
    if image.ndim != 2 or image.size == 0 or image.dtype.kind not in "iuf":
        raise ValueError(f"{path} must hold one grey slice in cjdata/image, got {image.shape}")
    if mask.shape != image.shape or not np.isin(mask, (0, 1)).all():
        raise ValueError(
            f"{path} must hold 0 and 1 of the image's shape {image.shape} in cjdata/tumorMask, got "
            f"{mask.shape}"
        )
    if label.size != 1 or label.item() not in (1, 2, 3):
        raise ValueError(f"{path} must hold 1, 2 or 3 in cjdata/label")
    return TumourSlice(unplaced(image, path), unplaced(mask == 1, path), int(label.item()))


def _field(file: Any, name: str, path: Path, max_bytes: int) -> npt.NDArray[Any]:
    """An array as MATLAB has it: HDF5 lists its axes the other way round."""
    h5py = library("h5py", "MAT v7.3")
    try:
        data = file["cjdata"][name]
        known = isinstance(data, h5py.Dataset) and data.dtype.kind in "iufb"
    except BROKEN:
        known = False
    if not known:
        raise ValueError(f"{path} must hold numbers in cjdata/{name}, it does not")
    check_size(path, "MAT v7.3", data.size * data.dtype.itemsize, max_bytes)
    return np.array(data[()].T, data.dtype.newbyteorder("="), order="C")
