"""Images as PyRadiomics sees them: voxels in the order of the file, and ITK's spacing, origin and
direction, whose axes run x, y, z."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, extras, io
from lesionkit.io import itk
from lesionkit.io.common import naming

Voxels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # lesionkit's mm go right and front, ITK's left and back


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels, and where they lie.

    Attributes
    ----------
    values : (z, y, x) or (y, x) array
        Of real numbers.
    spacing, origin : tuple of float
        mm, in the order x, y, z.
    direction : tuple of float
        The cosines of the axes, row by row, as ITK has them.
    path : str
        Where it came from; "" for what was in memory.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.radiomics import Volume
    >>> Volume(np.zeros((2, 3, 4)), (1.0, 1.0, 5.0)).size
    (4, 3, 2)
    """

    values: Voxels
    spacing: tuple[float, ...] = ()
    origin: tuple[float, ...] = ()
    direction: tuple[float, ...] = ()
    path: str = ""

    def __post_init__(self) -> None:
        """Fill in what is not said: 1 mm, from 0, along the axes."""
        axes = self.values.ndim
        for name, value in (("spacing", 1.0), ("origin", 0.0)):
            if not getattr(self, name):
                object.__setattr__(self, name, (value,) * axes)
        if not self.direction:
            object.__setattr__(self, "direction", tuple(np.eye(axes).ravel().tolist()))

    @property
    def axes(self) -> int:
        """2 or 3."""
        return self.values.ndim

    @property
    def size(self) -> tuple[int, ...]:
        """Voxels along x, y, z."""
        return self.values.shape[::-1]

    @cached_property
    def matrix(self) -> Floats:
        """(axes, axes): from a step of indices x, y, z to mm."""
        cosines = np.array(self.direction, np.float64).reshape(self.axes, self.axes)
        found: Floats = cosines * np.array(self.spacing)
        return found

    def place(self, index: npt.ArrayLike) -> Floats:
        """Where an index x, y, z lies, mm; fractions too.

        Parameters
        ----------
        index : (axes,) array_like
            Of the voxels' centres.

        Returns
        -------
        (axes,) array of float64
            mm.
        """
        found: Floats = self.matrix @ np.asarray(index, np.float64) + self.origin
        return found


def index_of(volume: Volume, place: npt.ArrayLike) -> Floats:
    """The index x, y, z of a place, mm."""
    away = np.asarray(place, np.float64) - np.array(volume.origin)
    return np.linalg.solve(volume.matrix, away).astype(np.float64)


def cut(volume: Volume, box: Box) -> Volume:
    """What lies in a box, as a view."""
    low = [part.start for part in box[::-1]]
    return replace(volume, values=volume.values[box], origin=tuple(volume.place(low).tolist()))


def like(volume: Volume, values: Voxels) -> Volume:
    """Other voxels in the same place."""
    return Volume(values, volume.spacing, volume.origin, volume.direction, volume.path)


Box = tuple[slice, ...]
"""Along z, y, x; each with a start and a stop."""


def read(source: Any, name: str, spacing: Any = None, *, layers: bool = False) -> Volume:
    """The image that `source` is or names.

    source  : a path, SimpleITK's image, lesionkit's, or an array (z, y, x) or (y, x)
    name    : of the argument, for messages
    spacing : mm along each axis of an array, in its order; None: 1
    layers  : several numbers at each voxel may be, as the last axis
    """
    if isinstance(source, Volume):
        return source
    if isinstance(source, io.Image):
        return _of_ours(source)
    if isinstance(source, (str, os.PathLike)):
        return _of_file(Path(source), layers)
    if is_itk(source):
        return of_itk(source, name=name)
    array = arrays.numbers(source, name, kinds="fiub", accepted="an image, a path or an array")
    if array.ndim not in (2, 3):
        raise ValueError(f"{name} must have 2 or 3 axes, got {arrays.describe(array)}")
    steps = (1.0,) * array.ndim if spacing is None else arrays.spacing_of(spacing, array.ndim)
    return Volume(array, tuple(steps)[::-1])


def simpleitk() -> Any:
    """The module, which knows grids and formats."""
    return extras.require("SimpleITK", "images on other grids need", "radiomics")


def is_itk(source: Any) -> bool:
    """Whether it is an image of SimpleITK, which is imported then."""
    module = sys.modules.get("SimpleITK")
    return module is not None and isinstance(source, module.Image)


def of_itk(image: Any, scale: float = 1.0, path: str = "", name: str = "image") -> Volume:
    """SimpleITK's image, whose voxels are not copied."""
    axes = image.GetDimension()
    if axes not in (2, 3):
        raise ValueError(f"{path or name} must be a slice or a volume, it has {axes} axes")
    return Volume(
        np.asarray(_Held(image)),
        tuple(x * scale for x in image.GetSpacing()),
        tuple(x * scale for x in image.GetOrigin()),
        tuple(image.GetDirection()),
        path,
    )


class _Held:
    """The voxels of SimpleITK's image, which its own views do not keep alive."""

    def __init__(self, image: Any) -> None:
        view = simpleitk().GetArrayViewFromImage(image)
        self.image, self.__array_interface__ = image, view.__array_interface__


def to_itk(volume: Volume) -> Any:
    """As SimpleITK's image; its voxels are copied."""
    module = simpleitk()
    values = volume.values.astype(np.uint8) if volume.values.dtype == bool else volume.values
    image = module.GetImageFromArray(np.ascontiguousarray(values))
    image.SetSpacing(volume.spacing)
    image.SetOrigin(volume.origin)
    image.SetDirection(volume.direction)
    return image


def _of_file(path: Path, layers: bool) -> Volume:
    """As PyRadiomics reads it, by ITK, where ITK reads it; but nothing that is cut or damaged."""
    kind = io.format_of(path)
    if kind in itk.ITK:
        image, scale, _ = itk.load(path, kind, io.MAX_BYTES, layers=layers)
        return of_itk(image, scale, str(path))
    image = io.read_image(path)
    volume = _of_ours(image)
    if kind != "NIfTI":
        return volume
    # ITK's place of NIfTI's headers, whose last bits decide on grids; its type after a scale
    module = simpleitk()
    reader = module.ImageFileReader()
    reader.SetFileName(str(path))
    with naming(path, kind):
        reader.ReadImageInformation()
    if reader.GetSize() != volume.size:
        return volume
    voxel = module.GetArrayViewFromImage(module.Image([1] * volume.axes, reader.GetPixelID()))
    values = volume.values.astype(voxel.dtype, copy=False)
    return Volume(values, reader.GetSpacing(), reader.GetOrigin(), reader.GetDirection(), str(path))


def _of_ours(image: io.Image) -> Volume:
    """In the order of its file, since filters and bounding boxes have directions."""
    if image.values.ndim == 2 and image.geometry.unit == "pixel":  # a picture
        return Volume(image.values, path=str(image.path))
    orientations = extras.require("nibabel", "images in memory need", "radiomics").orientations
    voxels = image.values[None] if image.values.ndim == 2 else image.values
    upright = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    back = orientations.ornt_transform(upright, image.axes)
    turned = orientations.apply_orientation(voxels.T, back).T
    affine = FLIP @ image.affine
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    return Volume(
        turned,
        tuple(spacing.tolist()),
        tuple(affine[:3, 3].tolist()),
        tuple((affine[:3, :3] / spacing).ravel().tolist()),
        str(image.path),
    )


def finite(values: npt.NDArray[Any], keep_float32: bool = False) -> npt.NDArray[Any]:
    """An image as float64, finite and with a voxel or more; else a clear error."""
    if not values.size:
        raise ValueError(f"image must hold a voxel or more, got {arrays.describe(values)}")
    found: npt.NDArray[Any] = arrays.real(values, "image", ("...",), keep_float32=keep_float32)
    return found


def checked_box(box: Box | None, shape: tuple[int, ...]) -> Box:
    """A slice from start to stop for each axis; else a clear error."""
    if box is None:
        return tuple(slice(0, size) for size in shape)
    if len(box) != len(shape):
        raise ValueError(f"box must have a slice for each of the image's {len(shape)} axes")
    found = tuple(slice(*part.indices(size)[:2]) for part, size in zip(box, shape, strict=True))
    if any(part.stop <= part.start for part in found):
        raise ValueError(f"box must hold a voxel or more of an image of shape {shape}, got {box}")
    return found


def padded(box: Box, shape: tuple[int, ...], about: Sequence[int]) -> Box:
    """A box with so many voxels about it along each axis, as far as there are any."""
    return tuple(
        slice(max(part.start - far, 0), min(part.stop + far, n))
        for part, n, far in zip(box, shape, about, strict=True)
    )


def around(
    values: npt.NDArray[Any], box: Box, axes: tuple[int, ...], margin: int
) -> tuple[npt.NDArray[Any], tuple[slice, ...]]:
    """A part of even sizes that reaches so far beyond the box along some axes, going on at the
    other end at the border; and where the box lies in it. All where that is no more."""
    inner = []
    for axis, part in enumerate(box):
        size = values.shape[axis] + values.shape[axis] % 2
        length = part.stop - part.start + 2 * margin
        length += length % 2
        if length >= size or axis not in axes:
            places = np.arange(size) if axis in axes else np.arange(part.start, part.stop)
            first = part.start if axis in axes else 0
        else:
            places, first = np.arange(part.start - margin, part.start - margin + length), margin
        places = places % size % values.shape[axis]
        values = np.take(values, places, axis)
        inner.append(slice(first, first + part.stop - part.start))
    return np.ascontiguousarray(values), tuple(inner)
