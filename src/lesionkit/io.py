"""Medical images from files, and masks into them: NIfTI, DICOM, PNG.

Arrays are (rows, columns) or (planes, rows, columns), left and right halves along the columns:
NIfTI volumes of any orientation are turned so that planes go up, rows to the front and columns to
the right; DICOM series to the same. What is written goes back to the orientation of its image.
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import files

NIFTI = (".nii", ".nii.gz")
DICOM = (".dcm", ".ima", ".dicom")
PNG = (".png",)
LABELS = 32  # the most that a mask may have
LEAST_VOLUME = 0.01  # of axes of length 1, which may be a little oblique
INSTALL = "pip install 'lesionkit[studies]'"


class MissingLibrary(ImportError):
    """A library that reads a format is not installed."""


@dataclass(frozen=True)
class Image:
    """An image, where it lies, and how it lay in its file."""

    values: npt.NDArray[Any]  # (rows, columns) or (planes, rows, columns)
    spacing: tuple[float, ...]  # mm, of each axis of `values`; 1 where the format has none
    affine: npt.NDArray[np.float64]  # of the file: from (i, j, k) there to mm, right-front-up
    axes: npt.NDArray[np.float64] = field(repr=False)  # nibabel's orientation of the file
    path: Path = Path()


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read a NIfTI, DICOM or PNG file, or a folder with one DICOM series.

    Values are as stored, times the slope and plus the intercept that the file gives. Raises
    ValueError, in a sentence that names the file, where it cannot be read whole, is of colours, of
    four axes, or has no possible spacing; MissingLibrary where its library is not there.
    """
    file = Path(path)
    kind = format_of(file)
    return {"NIfTI": _nifti, "DICOM": _dicom, "PNG": _png}[kind](file)


def read_mask(path: str | os.PathLike[str], like: Image | None = None) -> Image:
    """Read a mask: values above 0.5 are inside, so that 0.9999999 is.

    A file of more than 32 different values that go beyond 1, or of values below 0, is an image and
    no mask: ValueError.
    like : the image that it belongs to: shape and place must be its. PNG has no place:
           beside another format the picture's rows go to the back and its columns to the left.
    """
    mask = read_image(path)
    if not np.isfinite(mask.values).all():
        raise ValueError(
            f"{mask.path} must be a mask of finite numbers, it has NaN or infinite ones"
        )
    low, high = mask.values.min(), mask.values.max()
    different = 2 if high <= 1 else len(np.unique(mask.values))
    if low < 0 or different > LABELS:
        raise ValueError(
            f"{mask.path} must be a mask, of values from 0 to 1 or of {LABELS} labels at most, got "
            f"values from {low:g} to {high:g}" + f", {different} of them" * (different > LABELS)
        )
    inside = Image(mask.values > 0.5, mask.spacing, mask.affine, mask.axes, mask.path)
    if like is not None:
        if inside.values.shape != like.values.shape:
            raise ValueError(
                f"{mask.path} must have the shape of {like.path}, {like.values.shape}, got "
                f"{inside.values.shape}"
            )
        pictures = [format_of(image.path) == "PNG" for image in (mask, like)]
        if pictures[0] != pictures[1]:
            turned = np.ascontiguousarray(inside.values[::-1, ::-1])
            return Image(turned, like.spacing, like.affine, like.axes, mask.path)
        # A tenth of a pixel: headers are rounded.
        apart = 0.0 if pictures[0] else np.abs(_corners(inside) - _corners(like)).max()
        if apart > 0.1 * min(like.spacing):
            raise ValueError(
                f"{mask.path} must lie where {like.path} lies, it is {apart:.3g} mm off"
            )
    return inside


def write_mask(
    path: str | os.PathLike[str], mask: Any, like: Image, sidecar: Mapping[str, Any] | None = None
) -> None:
    """Write a mask as NIfTI (uint8, 0 and 1), in the orientation and with the affine of its image.

    path    : .nii or .nii.gz; written under another name, and renamed when it is whole
    mask    : booleans of the image's shape
    sidecar : what to write beside it, as JSON of the same name
    """
    file, inside = Path(path), np.asarray(mask)
    if not file.name.endswith(NIFTI):
        raise ValueError(f"path must end with .nii or .nii.gz, got {file}")
    if inside.dtype != bool or inside.shape != like.values.shape:
        raise ValueError(
            f"mask must hold booleans of shape {like.values.shape}, got {inside.dtype} of shape "
            f"{inside.shape}"
        )
    nibabel = library("nibabel", "NIfTI")
    volume = inside[None] if inside.ndim == 2 else inside
    back = nibabel.orientations.ornt_transform(_RIGHT_FRONT_UP, like.axes)
    voxels = nibabel.orientations.apply_orientation(volume.T.astype(np.uint8), back)
    data = nibabel.Nifti1Image(voxels, like.affine).to_bytes()
    files.write(file, gzip.compress(data, mtime=0) if file.name.endswith(".gz") else data)
    if sidecar is not None:
        files.write(sidecar_of(file), json.dumps(dict(sidecar), indent=2) + "\n")


def sidecar_of(path: Path) -> Path:
    """The JSON file that BIDS puts beside a NIfTI file."""
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def format_of(path: Path) -> str:
    """ "NIfTI", "DICOM" or "PNG", by name, or for names without an ending by content."""
    name = path.name.lower()
    if not path.exists():
        raise ValueError(f"{path} does not exist")
    if path.is_dir():
        if series(path):
            return "DICOM"
        raise ValueError(f"{path} is a folder without a DICOM series; name a file in it")
    for kind, endings in (("NIfTI", NIFTI), ("DICOM", DICOM), ("PNG", PNG)):
        if name.endswith(endings):
            return kind
    if _is_dicom(path):
        return "DICOM"
    raise ValueError(f"{path} must be NIfTI (.nii, .nii.gz), DICOM (.dcm) or PNG (.png)")


def series(folder: Path) -> list[Path]:
    """The DICOM files of a folder that holds two or more, and no NIfTI or PNG; else none.

    Files whose names end as theirs do are of the series, too: one that is broken must be named, not
    left out. Others, such as notes or an index, are not.
    """
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    if any(file.name.lower().endswith((*NIFTI, *PNG)) for file in files):
        return []
    files = [file for file in files if file.name != "DICOMDIR"]
    slices = {file for file in files if _is_dicom(file)}
    if len(slices) < 2:
        return []
    endings = {file.suffix.lower() for file in slices}
    return [file for file in files if file in slices or file.suffix.lower() in endings]


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:  # what cannot be opened is named by what tries to read it
        return False


_RIGHT_FRONT_UP = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
# What the libraries raise for files that are broken, or packed in a way that they do not know.
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    MemoryError,  # a header with wrong sizes asks for any amount
    zlib.error,
)


def library(name: str, kind: str) -> Any:
    """The module that reads files of this kind; MissingLibrary, which says how to get it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name != name.split(".")[0]:
            raise
        raise MissingLibrary(f"{kind} files need {missing.name}: {INSTALL}") from missing


def _unreadable(path: Path, kind: str, problem: Exception) -> ValueError:
    reason = str(problem).strip().split("\n")[0]
    if not reason:
        memory = isinstance(problem, MemoryError)
        reason = "it needs more memory than there is" if memory else type(problem).__name__
    return ValueError(f"{path} cannot be read as {kind}: {reason}")


def _nifti(path: Path) -> Image:
    nibabel = library("nibabel", "NIfTI")
    spatial = nibabel.spatialimages
    problems = (
        nibabel.filebasedimages.ImageFileError,
        spatial.HeaderDataError,
        spatial.ImageDataError,
    )
    try:
        loaded = nibabel.load(path)
        voxels = np.asarray(loaded.dataobj)
    except (*_BROKEN, *problems) as problem:
        raise _unreadable(path, "NIfTI", problem) from problem
    shape = voxels.shape
    while voxels.ndim > 3 and voxels.shape[-1] == 1:
        voxels = voxels[..., 0]
    if voxels.ndim not in (2, 3) or voxels.dtype.names:
        raise ValueError(
            f"{path} must hold one slice or volume of grey values, it has shape {shape}"
        )
    return _turned(voxels[..., None] if voxels.ndim == 2 else voxels, loaded.affine, path)


def _turned(voxels: npt.NDArray[Any], affine: Any, path: Path) -> Image:
    """(i, j, k) of any orientation as (planes, rows, columns), or a slice if it is one."""
    nibabel = library("nibabel", "NIfTI")
    matrix = np.asarray(affine, np.float64)
    lengths = np.sqrt((matrix[:3, :3] ** 2).sum(0))
    if not np.isfinite(matrix).all():
        raise ValueError(
            f"{path} must have an affine of finite numbers, it has NaN or infinite ones"
        )
    if not (lengths > 0).all():
        raise ValueError(f"{path} must have a spacing above 0 mm along each axis, got {lengths}")
    if abs(np.linalg.det(matrix[:3, :3] / lengths)) < LEAST_VOLUME:
        raise ValueError(f"{path} must have three axes that do not lie in one plane, they do")
    axes = nibabel.orientations.io_orientation(matrix)
    values = np.ascontiguousarray(nibabel.orientations.apply_orientation(voxels, axes).T)
    # Row r of `axes` tells which axis of the turned volume the file's axis r is.
    spacing = tuple(float(lengths[int(np.flatnonzero(axes[:, 0] == a)[0])]) for a in (2, 1, 0))
    if len(values) == 1:
        values, spacing = values[0], spacing[1:]
    return Image(values, spacing, matrix, axes, path)


def _dicom(path: Path) -> Image:
    pydicom = library("pydicom", "DICOM")
    slices, names = [], set()
    for file in series(path) if path.is_dir() else [path]:
        try:
            slice_ = pydicom.dcmread(file)
            pixels = slice_.pixel_array
            samples = int(getattr(slice_, "SamplesPerPixel", 1))
            slope = float(getattr(slice_, "RescaleSlope", 1) or 1)
            intercept = float(getattr(slice_, "RescaleIntercept", 0) or 0)
            names.add(str(getattr(slice_, "SeriesInstanceUID", "")))
        except (*_BROKEN, pydicom.errors.InvalidDicomError) as problem:
            raise _unreadable(file, "DICOM", problem) from problem
        if slice_.get("PhotometricInterpretation") == "MONOCHROME1":
            raise ValueError(f"{file} must be of MONOCHROME2, it is of MONOCHROME1: high is dark")
        if samples != 1 or pixels.ndim not in (2, 3):
            raise ValueError(f"{file} must hold grey values, it has colours")
        if (slope, intercept) != (1.0, 0.0):
            pixels = pixels * slope + intercept
        slices.append((slice_, pixels))
    if len({pixels.shape for _, pixels in slices}) > 1 or len(names) > 1:
        raise ValueError(f"{path} must hold one series of equal slices, it has several")
    return _stacked(slices, path)


def _stacked(slices: list[tuple[Any, npt.NDArray[Any]]], path: Path) -> Image:
    """Slices in the order of their places, with the affine that their headers give."""
    head = slices[0][0]
    try:
        along_row, along_column = np.array(
            getattr(head, "ImageOrientationPatient", None) or (1, 0, 0, 0, 1, 0), float
        ).reshape(2, 3)
        row_step, column_step = map(float, getattr(head, "PixelSpacing", None) or (1, 1))
        normal = np.cross(along_row, along_column)
        places = [
            np.array(getattr(s, "ImagePositionPatient", None) or (0, 0, i), float)
            for i, (s, _) in enumerate(slices)
        ]
        step = float(
            getattr(head, "SpacingBetweenSlices", None)
            or getattr(head, "SliceThickness", None)
            or 1
        )
    except _BROKEN as problem:
        raise _unreadable(path, "DICOM", problem) from problem
    if row_step < 0 or column_step < 0:  # it would turn the picture round
        raise ValueError(
            f"{path} must have a spacing above 0 mm along each axis, got "
            f"{row_step:g} and {column_step:g}"
        )
    order = np.argsort([place @ normal for place in places], kind="stable")
    if len(slices) > 1:
        steps = np.diff(np.array([places[i] @ normal for i in order]))
        step = float(np.median(steps))
        if not steps.min() > 0.1 * step:
            raise ValueError(
                f"{path} must hold one slice at each place, it has several, as of "
                "several b-values; keep those of one"
            )
        if np.abs(steps - step).max() > 0.1 * step:
            raise ValueError(
                f"{path} must hold slices at equal steps, it has steps of {steps.min():g} to "
                f"{steps.max():g} mm"
            )
    pixels = np.stack([slices[i][1] for i in order])
    if pixels.ndim == 4:
        if len(pixels) > 1:
            raise ValueError(f"{path} must hold one volume, it has {len(pixels)}")
        pixels = pixels[0]
    # DICOM's mm go left and back; ours right and front.
    flip = np.diag([-1.0, -1.0, 1.0])
    affine = np.eye(4)
    affine[:3, 0] = flip @ along_row * column_step
    affine[:3, 1] = flip @ along_column * row_step
    affine[:3, 2] = flip @ normal * step
    affine[:3, 3] = flip @ places[order[0]]
    return _turned(pixels.T, affine, path)


def _png(path: Path) -> Image:
    pillow = library("PIL.Image", "PNG")
    try:
        with pillow.open(path) as picture:
            picture.load()
            if picture.mode in ("P", "PA", "1"):
                picture = picture.convert("L" if picture.mode == "1" else "RGBA")
            values = np.array(picture)
    except (*_BROKEN, SyntaxError, pillow.DecompressionBombError) as problem:
        raise _unreadable(path, "PNG", problem) from problem
    if values.ndim == 3:
        colours = values[..., : 1 if values.shape[-1] == 2 else 3]
        if (colours != colours[..., :1]).any():
            raise ValueError(f"{path} must hold grey values, it has colours")
        values = np.ascontiguousarray(colours[..., 0])
    # Rows go back and columns left in the usual picture of a slice; its place is not known. The
    # array stays as the picture is.
    axes = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    return Image(values, (1.0, 1.0), np.diag([-1.0, -1.0, 1.0, 1.0]), axes, path)


def _corners(image: Image) -> npt.NDArray[np.float64]:
    """Where the first and the last voxel of the turned volume lie, mm."""
    nibabel = library("nibabel", "NIfTI")
    shape = np.array(image.values.shape if image.values.ndim == 3 else (1, *image.values.shape))
    stored = shape[::-1][image.axes[:, 0].astype(int)]
    turn = nibabel.orientations.inv_ornt_aff(image.axes, stored)
    ends = np.array([[0, 0, 0, 1], [*(shape[::-1] - 1), 1]], float).T
    corners: npt.NDArray[np.float64] = (image.affine @ turn @ ends)[:3]
    return corners
