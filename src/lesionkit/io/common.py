"""What all readers share: the image, its turning, libraries, sizes, and words for bad files."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import extras
from lesionkit.geometry import Geometry

MIN_VOLUME = 0.01  # of axes of length 1, which may be a little oblique
MAX_BYTES = 2**31  # of an image, by its header
# Maps of the apparent diffusion coefficient, dark where diffusion images are bright: sub-1_adc and
# sub-1_ADC (BIDS), sub-1_rec-ADC_dwi (SOOP), 1_ADCmap; and values of DICOM's ImageType.
ADC = re.compile(r"(?:^|[_-])e?adc(?:map)?(?:$|[_.])", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Image:
    """An image, where it lies, and how it lay in its file.

    Attributes
    ----------
    values : (rows, columns) or (planes, rows, columns) array
        As stored, with slope and intercept applied.
    geometry : Geometry
        Of `values`.
    affine : (4, 4) array
        Of the file: from (i, j, k) there to mm, right-front-up.
    axes : array
        nibabel's orientation of the file.
    path : Path
        Of the file.
    adc : bool
        Whether the header calls it a map of the apparent diffusion coefficient.
    placed : bool
        Whether the file says where it lies: not a NIfTI file of pixdim alone.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit import io
    >>> head = io.Geometry(np.diag([0.9, 0.9, 5.0, 1.0]))
    >>> image = io.Image(np.zeros((2, 3, 4)), head, head.affine, np.eye(3, 2))
    >>> image.spacing
    (5.0, 0.9, 0.9)
    """

    values: npt.NDArray[Any]
    geometry: Geometry
    affine: npt.NDArray[np.float64]
    axes: npt.NDArray[np.float64] = field(repr=False)
    path: Path = Path()
    adc: bool = False
    placed: bool = True

    @property
    def spacing(self) -> tuple[float, ...]:
        """mm of each axis of `values`, as `Geometry.spacing`; 1 where the file has no scale."""
        return self.geometry.spacing


# What the libraries raise for files that are broken, or packed in a way that they do not know.
BROKEN = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    AssertionError,
    struct.error,
    MemoryError,  # a header with wrong sizes asks for any amount
    zlib.error,
)


def library(name: str, kind: str) -> Any:
    """Import the module that reads files of a kind.

    Parameters
    ----------
    name : str
        Of the module.
    kind : str
        Of the files, for the message.

    Returns
    -------
    module
        The module.

    Raises
    ------
    MissingLibrary
        Where it is not installed; the message says how to get it.

    Examples
    --------
    >>> from lesionkit import io
    >>> io.library("json", "JSON").__name__
    'json'
    """
    return extras.require(name, f"{kind} files need", "studies")


def unreadable(path: Path, kind: str, problem: Exception | str) -> ValueError:
    """What is raised where a file is broken: one line that names it."""
    reason = str(problem).strip().split("\n")[0]
    if not reason:
        memory = isinstance(problem, MemoryError)
        reason = "it needs more memory than there is" if memory else type(problem).__name__
    return ValueError(f"{path} cannot be read as {kind}: {reason}")


@contextmanager
def naming(path: Path, kind: str, *more: type[Exception]) -> Iterator[None]:
    """Inside, what a library raises comes out as a ValueError of one line that names the file.

    more : what it raises beside the usual ones
    """
    raised: tuple[type[Exception], ...] = (*BROKEN, *more)
    try:
        yield
    except raised as problem:
        if isinstance(problem, ValueError) and str(path) in str(problem):
            raise  # it is ours
        raise unreadable(path, kind, problem) from problem


def check_size(
    path: Path, kind: str, size: int, max_bytes: int, asks: str = "its header asks for"
) -> None:
    """ValueError where a header asks for more than `max_bytes`, before any of it is read."""
    if size > max_bytes:
        raise unreadable(
            path,
            kind,
            f"{asks} {size / 2**30:.3g} GiB, max_bytes (--max-gib) allows "
            f"{max_bytes / 2**30:.3g}; pass more if the file is to be trusted",
        )


def check_affine(affine: npt.NDArray[np.float64], path: Path) -> None:
    """ValueError unless it is finite, with three steps above 0 that do not lie in one plane."""
    lengths = np.sqrt((affine[:3, :3] ** 2).sum(0))
    if not np.isfinite(affine).all():
        raise ValueError(
            f"{path} must have an affine of finite numbers, it has NaN or infinite ones"
        )
    if not (lengths > 0).all():
        raise ValueError(f"{path} must have a spacing above 0 mm along each axis, got {lengths}")
    if abs(np.linalg.det(affine[:3, :3] / lengths)) < MIN_VOLUME:
        raise ValueError(f"{path} must have three axes that do not lie in one plane, they do")


def upright(
    voxels: npt.NDArray[Any], affine: Any, path: Path, unit: Literal["mm", "pixel"] = "mm"
) -> Image:
    """(i, j, k) of any orientation as (planes, rows, columns), or a slice if it is one.

    Planes go up, rows to the front, columns to the right. Bytes come in the machine's order.
    """
    orientations = library("nibabel", "NIfTI").orientations
    matrix = np.asarray(affine, np.float64)
    if voxels.size == 0:
        raise ValueError(f"{path} must hold a voxel or more, its shape is {voxels.shape}")
    check_affine(matrix, path)
    axes = orientations.io_orientation(matrix)
    turned = orientations.apply_orientation(voxels, axes).T
    values = np.array(turned, turned.dtype.newbyteorder("="), order="C")
    turn = matrix @ orientations.inv_ornt_aff(axes, voxels.shape)
    if len(values) == 1:
        values = values[0]
    return Image(values, Geometry(turn, values.ndim, unit), matrix, axes, path)


def unplaced(values: npt.NDArray[Any], path: Path) -> Image:
    """A slice as it is seen, whose scale and place are not known.

    Rows go back and columns left in the usual picture of a slice.
    """
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    axes = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    return Image(values, Geometry(affine, 2, "pixel"), affine, axes, path)
