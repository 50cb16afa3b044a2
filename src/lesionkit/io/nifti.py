"""NIfTI-1 and -2, plain and gzipped.

One rule for headers that say several things: the sform where its code is above 0 and it is not all
zeros; else the qform where its code is above 0; else pixdim alone. Its units become mm. A file in
which the chosen one's voxels are not pixdim's, or sform and qform are mirror images, is refused:
which of them holds cannot be told.
"""

from __future__ import annotations

import gzip
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.io.common import (
    Image,
    check_affine,
    check_size,
    library,
    naming,
    upright,
)

MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # of xyzt_units; 0: not said, taken as mm
ROUNDED = 0.01  # by how much of it a voxel's edge in sform may differ from pixdim
HEADER = 540  # bytes, of the longer header
CHUNK = 2**20


def read(path: Path, max_bytes: int) -> dict[str, Image]:
    """The volume of a file, or all of them by name: by b-value where a .bval lies beside it."""
    nibabel = library("nibabel", "NIfTI")
    with naming(
        path,
        "NIfTI",
        nibabel.filebasedimages.ImageFileError,
        nibabel.spatialimages.HeaderDataError,
        nibabel.spatialimages.ImageDataError,
        nibabel.wrapstruct.WrapStructError,
    ):
        header = _header(nibabel, path)
        affine, placed = _affine(header, path)
        voxels = _voxels(header, path, max_bytes)
    if voxels.ndim < 4:
        volumes = {"": voxels[..., None] if voxels.ndim == 2 else voxels}
    else:
        names = _names(path, voxels.shape[3])
        volumes = {name: voxels[..., i] for i, name in enumerate(names)}
    return {
        name: replace(upright(volume, affine, path), placed=placed)
        for name, volume in volumes.items()
    }


def _voxels(header: Any, path: Path, max_bytes: int) -> npt.NDArray[Any]:
    """(i, j), (i, j, k) or (i, j, k, volumes), after slope and intercept."""
    shape = kept = tuple(int(n) for n in header.get_data_shape())
    stored, offset = header.get_data_dtype(), int(header.get_data_offset())
    while len(kept) > 3 and kept[-1] == 1:
        kept = kept[:-1]
    if len(kept) not in (2, 3, 4) or stored.kind not in "iuf":
        raise ValueError(
            f"{path} must hold slices or volumes of grey values, it has {stored} of shape {shape}"
        )
    if 0 in shape:
        raise ValueError(f"{path} must hold a voxel or more, its shape is {shape}")
    slope, intercept = _scaling(header, path)
    scaled = (slope, intercept) != (1.0, 0.0)
    count = math.prod(shape)
    check_size(path, "NIfTI", count * (8 if scaled else stored.itemsize), max_bytes)
    content = _content(path, offset + count * stored.itemsize, max_bytes)
    voxels: npt.NDArray[Any] = np.ndarray(kept, stored, content, offset, order="F")
    return _scaled(voxels, slope, intercept, path) if scaled else voxels


def _header(nibabel: Any, path: Path) -> Any:
    with (gzip.open if _packed(path) else open)(path, "rb") as file:
        start = file.read(HEADER)
    for order in ("little", "big"):
        size = int.from_bytes(start[:4], order)
        if size in (348, 540):
            kind = nibabel.Nifti1Header if size == 348 else nibabel.Nifti2Header
            return kind(start[:size])
    raise ValueError("it does not begin with a NIfTI header")


def _packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _scaling(header: Any, path: Path) -> tuple[float, float]:
    """A slope of 0 or NaN is none; an intercept of NaN beside a slope is 0, as it is not set."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if np.isnan(slope) or slope == 0:
        return 1.0, 0.0
    intercept = 0.0 if np.isnan(intercept) else intercept
    if np.isinf(slope) or np.isinf(intercept):
        raise ValueError(f"{path} must have a finite scl_slope and scl_inter, one is infinite")
    return slope, intercept


def _scaled(
    voxels: npt.NDArray[Any], slope: float, intercept: float, path: Path
) -> npt.NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        values = voxels.astype(np.float64) * slope + intercept
    if np.isinf(values).any() and not np.isinf(voxels).any():
        raise ValueError(f"{path} must hold numbers of float64, with scl_slope they are infinite")
    return values


def _affine(header: Any, path: Path) -> tuple[npt.NDArray[np.float64], bool]:
    """From voxels to mm, and whether more than pixdim says so."""
    unit = int(header["xyzt_units"]) & 7
    if unit not in MILLIMETRES:
        raise ValueError(f"{path} must be in mm, m or micron, its xyzt_units has the code {unit}")
    sform = header.get_sform() if int(header["sform_code"]) > 0 else None
    if sform is not None and not sform[:3, :3].any():
        sform = None
    qform = header.get_qform() if int(header["qform_code"]) > 0 else None
    affine = np.array(
        next((m for m in (sform, qform) if m is not None), header.get_base_affine()), np.float64
    )
    check_affine(affine, path)
    if sform is not None:
        _check_agreement(affine, qform, header, path)
    affine[:3] *= MILLIMETRES[unit]
    return affine, sform is not None or qform is not None


def _check_agreement(sform: npt.NDArray[Any], qform: Any, header: Any, path: Path) -> None:
    """ValueError where the sform's voxels are not those of pixdim, along axes with two or more."""
    long = np.array([n > 1 for n in (*header.get_data_shape(), 1, 1, 1)[:3]])
    edges = np.abs(np.asarray(header["pixdim"][1:4], np.float64))
    lengths = np.sqrt((sform[:3, :3] ** 2).sum(0))
    across = np.abs(np.diag(np.linalg.qr(sform[:3, :3], mode="r")))  # under a shear
    apart = np.minimum(np.abs(lengths - edges), np.abs(across - edges)) > ROUNDED * lengths
    if (apart & long & (edges > 0)).any():
        raise ValueError(
            f"{path} must have one size of voxels: by sform it is {_times(lengths)}, by pixdim "
            f"{_times(edges)}; correct the wrong one, or set sform_code to 0"
        )
    if qform is not None and np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) < 0:
        raise ValueError(
            f"{path} must have one left and right, sform and qform are mirror images; set "
            "sform_code or qform_code to 0"
        )


def _times(edges: npt.NDArray[Any]) -> str:
    return " x ".join(f"{edge:.4g}" for edge in edges)


def _content(path: Path, size: int, max_bytes: int) -> bytes:
    """All bytes up to the last voxel. What is gzipped is read to its end, where its checksum is."""
    if not _packed(path):
        with path.open("rb") as file:
            return _all_of(file.read(size), size)
    with gzip.open(path) as file:
        content, rest = file.read(size), 0
        while more := len(file.read(CHUNK)):
            rest += more
            if rest > max_bytes:
                raise ValueError("it unpacks to more than max_bytes beyond its last voxel")
    return _all_of(content, size)


def _all_of(content: bytes, size: int) -> bytes:
    if len(content) < size:
        raise ValueError(f"it is cut short: {len(content)} bytes of {size}")
    return content


def _names(path: Path, count: int) -> list[str]:
    """Of volumes: their b-values in the .bval beside the file (FSL, BIDS), or their number."""
    base = path.name
    for ending in (".gz", ".nii"):
        base = base[: -len(ending)] if base.lower().endswith(ending) else base
    companion = path.with_name(base + ".bval")
    if not companion.is_file():
        return [f"volume={i}" for i in range(count)]
    try:
        values = [float(word) for word in companion.read_text().split()]
    except ValueError as problem:
        raise ValueError(
            f"{companion} must hold a b-value for each volume, it has words"
        ) from problem
    if len(values) != count or not np.isfinite(values).all():
        raise ValueError(
            f"{companion} must hold a finite b-value for each of {count} volumes, it has "
            f"{len(values)}"
        )
    names = [f"b={value:g}" for value in values]
    several = {name for name in names if names.count(name) > 1}
    return [
        f"{name}, direction={names[:i].count(name) + 1}" if name in several else name
        for i, name in enumerate(names)
    ]
