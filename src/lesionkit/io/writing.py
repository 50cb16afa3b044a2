"""Masks and maps as NIfTI, in the orientation and with the affine of an image: nothing else of its
header is written."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, files
from lesionkit.io.common import Image, library

_ENDINGS = (".nii", ".nii.gz")
_RIGHT_FRONT_UP = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])


def write_mask(
    path: str | os.PathLike[str], mask: Any, like: Image, sidecar: Mapping[str, Any] | None = None
) -> None:
    """Write a mask as NIfTI (uint8, 0 and 1), in the orientation and with the affine of its image.

    Parameters
    ----------
    path : str or path
        .nii or .nii.gz; written under another name, and renamed when it is whole.
    mask : array of bool
        Of the image's shape.
    like : Image
        The image.
    sidecar : mapping, optional
        What to write next to it, as JSON of the same name.

    Raises
    ------
    TypeError, ValueError
        Where the name ends otherwise, or the mask has another shape or dtype.
    MissingLibrary
        Without nibabel.

    Examples
    --------
    >>> import tempfile
    >>> import nibabel
    >>> import numpy as np
    >>> from lesionkit import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     head = nibabel.Nifti1Image(np.ones((4, 3, 2), np.float32), np.diag([1.0, 1, 5, 1]))
    ...     nibabel.save(head, f"{folder}/head.nii.gz")
    ...     image = io.read_image(f"{folder}/head.nii.gz")
    ...     io.write_mask(f"{folder}/mask.nii.gz", image.values > 0, image)
    ...     mask = io.read_mask(f"{folder}/mask.nii.gz", image)
    >>> mask.values.shape, mask.spacing  # (planes, rows, columns)
    ((2, 3, 4), (5.0, 1.0, 1.0))
    """
    inside = arrays.numbers(mask, "mask", accepted="booleans")
    file = _checked(path, inside, "mask", "booleans", like)
    _write(file, inside.astype(np.uint8), like)
    if sidecar is not None:
        files.write(sidecar_of(file), json.dumps(dict(sidecar), indent=2) + "\n")


def write_image(path: str | os.PathLike[str], values: npt.ArrayLike, like: Image) -> None:
    """Write values as NIfTI (float32), in the orientation and with the affine of an image.

    Parameters
    ----------
    path : str or path
        .nii or .nii.gz; written under another name, and renamed when it is whole.
    values : array
        Real numbers of the image's shape; NaN where there is none.
    like : Image
        The image.

    Raises
    ------
    TypeError, ValueError
        Where the name ends otherwise, or values have another shape, or are infinite in float32.
    MissingLibrary
        Without nibabel.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from lesionkit import io
    >>> where = io.Geometry(np.diag([2.0, 2.0, 3.0, 1.0]))
    >>> axes = np.array([[0, 1], [1, 1], [2, 1]])  # right, front, up
    >>> like = io.Image(np.zeros((3, 4, 5)), where, where.affine, axes)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     io.write_image(f"{folder}/hbo.nii.gz", like.values + 14.5, like)
    ...     image = io.read_image(f"{folder}/hbo.nii.gz")
    >>> image.values.shape, image.spacing, image.values.max().item()
    ((3, 4, 5), (3.0, 2.0, 2.0), 14.5)
    """
    given = arrays.numbers(values, "values", accepted="real numbers")
    file = _checked(path, given, "values", "real numbers", like)
    with np.errstate(over="ignore"):
        single = given.astype(np.float32)
    if np.isinf(single).any():
        raise ValueError("values must be numbers of float32, or NaN, got some beyond it")
    _write(file, single, like)


def _checked(path: Any, values: Any, name: str, kind: str, like: Image) -> Path:
    file = Path(path)
    if not file.name.endswith(_ENDINGS):
        raise ValueError(f"path must end with .nii or .nii.gz, got {file}")
    if values.shape != like.values.shape or (kind == "booleans" and values.dtype != bool):
        raise ValueError(
            f"{name} must hold {kind} of shape {like.values.shape}, got {values.dtype} of shape "
            f"{values.shape}"
        )
    return file


def _write(file: Path, values: npt.NDArray[Any], like: Image) -> None:
    nibabel = library("nibabel", "NIfTI")
    volume = values[None] if values.ndim == 2 else values
    back = nibabel.orientations.ornt_transform(_RIGHT_FRONT_UP, like.axes)
    voxels = nibabel.orientations.apply_orientation(volume.T, back)
    image = nibabel.Nifti1Image(voxels, like.affine)
    if like.geometry.unit == "mm":
        image.header.set_xyzt_units("mm")
    data = image.to_bytes()
    files.write(file, gzip.compress(data, mtime=0) if file.name.endswith(".gz") else data)


def sidecar_of(path: Path) -> Path:
    """The JSON file that BIDS puts next to a NIfTI file.

    Parameters
    ----------
    path : Path
        Of the NIfTI file.

    Returns
    -------
    Path
        Of the JSON file; it need not exist.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lesionkit import io
    >>> io.sidecar_of(Path("sub-1_dwi.nii.gz")).name
    'sub-1_dwi.json'
    """
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")
