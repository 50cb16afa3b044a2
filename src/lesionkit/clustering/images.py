"""What every clustering of an image asks of the image, its mask and its channels."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import extent
from lesionkit.arrays import Home

Real = npt.NDArray[np.floating[Any]]
EXACT_IN_FLOAT32 = ("u1", "i1", "u2", "i2")


class Picture(NamedTuple):
    """A checked image: its channels last, if it has any; its mask, if some pixels do not count."""

    home: Home
    pixels: npt.NDArray[Any]  # (*shape) or (*shape, channels): the numbers as they came
    mask: npt.NDArray[np.bool_] | None  # (*shape)
    channels: bool  # has an axis of channels

    @property
    def shape(self) -> tuple[int, ...]:
        return self.pixels.shape[:-1] if self.channels else self.pixels.shape

    @property
    def total(self) -> int:
        """Pixels in the mask."""
        return math.prod(self.shape) if self.mask is None else int(np.count_nonzero(self.mask))

    @property
    def dtype(self) -> np.dtype[Any]:
        """What is computed in: float32 and integers that it holds exactly in float32."""
        kind = self.pixels.dtype
        single = kind == np.float32 or kind.str[1:] in EXACT_IN_FLOAT32
        return np.dtype(np.float32 if single else np.float64)

    def samples(self) -> Real:
        """(pixels in the mask, channels) floats, C-contiguous."""
        inside = self.pixels.reshape(*self.shape, -1)
        if self.mask is not None:
            inside = inside[self.mask]
        inside = inside.reshape(-1, inside.shape[-1])
        return np.require(inside, self.dtype, ["C", "A"])

    def numbers(self) -> npt.NDArray[Any]:
        """(pixels in the mask, 1) of a grey image, C-contiguous: small integers and floats as they
        came, other integers as float64."""
        kind = self.pixels.dtype
        kept = kind.kind == "f" or kind.str[1:] in EXACT_IN_FLOAT32
        inside = self.pixels.reshape(-1) if self.mask is None else self.pixels[self.mask]
        return np.require(inside, kind if kept else np.float64, ["C", "A"])[:, None]

    def planes(self, dtype: np.dtype[Any] | None = None) -> Real:
        """(channels, planes, rows, columns) floats, 0 outside the mask."""
        every = np.moveaxis(self.pixels.reshape(*self.shape, -1), -1, 0)
        if self.mask is not None:
            every = np.where(self.mask, every, every.dtype.type(0))
        planes = np.require(every, dtype or self.dtype, ["C", "A"])
        return planes.reshape(len(planes), *(1,) * (3 - len(self.shape)), *self.shape)

    def inside(self, planes: Real) -> Real:
        """(channels, pixels in the mask) of (channels, planes, rows, columns)."""
        flat = planes.reshape(len(planes), -1)
        return np.ascontiguousarray(flat if self.mask is None else flat[:, self.mask.ravel()])

    def bytes(self) -> npt.NDArray[np.uint8] | None:
        """The mask as kernels read it."""
        return None if self.mask is None else self.mask.view(np.uint8)

    def weight(self) -> Real | None:
        """The mask as numbers, 0 and 1."""
        return None if self.mask is None else self.mask.astype(self.dtype)

    def outside(self, image: npt.NDArray[Any], value: Any) -> Any:
        """An image of planes as one of the picture's shape and kind, `value` outside the mask."""
        image = image.reshape(self.shape)
        if self.mask is not None:
            image[~self.mask] = value
        return self.home.back(image)

    def whole(self, values: Any, outside: Any) -> Any:
        """An image of the values inside the mask, of the picture's shape and kind."""
        if self.mask is None:
            return self.home.back(values.reshape(self.shape))
        image = np.full(self.shape, outside, values.dtype)
        image[self.mask] = values.ravel()
        return self.home.back(image)


def read(image: Any, mask: Any = None, channel_axis: Any = None) -> Picture:
    """The image of real numbers, finite inside the mask; else a clear error."""
    home = arrays.home(image=image, **({} if mask is None else {"mask": mask}))
    if home.gpu is not None:
        raise TypeError(f"image must be on the CPU, got a {home}; copy it to the host first")
    value = home.view(image, "image")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(
            "image has masked entries, which would be used here; pass mask=~image.mask"
        )
    try:
        pixels = np.asarray(value)
    except ValueError as problem:
        raise TypeError(
            f"image must be an array of numbers, got {arrays.describe(value)}"
        ) from problem
    if pixels.dtype.kind not in "fiu":
        raise TypeError(f"image must hold real numbers, got {arrays.describe(pixels)}")
    if not pixels.dtype.isnative or pixels.dtype.itemsize > 8 or pixels.dtype == np.float16:
        pixels = pixels.astype(np.float64)
    if channel_axis is not None:
        pixels = np.moveaxis(pixels, _axis(channel_axis, pixels), -1)
    shape = pixels.shape if channel_axis is None else pixels.shape[:-1]
    if not shape or not pixels.size:
        raise ValueError(f"image must hold a pixel or more, got {arrays.describe(pixels)}")
    picture = Picture(home, pixels, _mask(mask, shape, home), channel_axis is not None)
    _refuse_infinite(picture)
    return picture


def _axis(value: Any, image: npt.NDArray[Any]) -> int:
    axes = image.ndim
    return arrays.integer(value, "channel_axis", at_least=-axes, at_most=axes - 1)


def _mask(value: Any, shape: tuple[int, ...], home: Home) -> npt.NDArray[np.bool_] | None:
    if value is None:
        return None
    mask: npt.NDArray[Any] = np.asarray(home.view(value, "mask"))
    if mask.dtype.kind not in "biu":
        raise TypeError(f"mask must hold booleans, got {arrays.describe(mask)}")
    if mask.shape != shape:
        raise ValueError(f"mask must have the image's shape {shape}, got {arrays.describe(mask)}")
    inside = np.ascontiguousarray(mask != 0)
    if not inside.any():
        raise ValueError("mask must hold a pixel or more, got none")
    return None if inside.all() else inside


def _refuse_infinite(picture: Picture) -> None:
    pixels, mask = picture.pixels, picture.mask
    if pixels.dtype.kind != "f":
        return
    inside = pixels if mask is None else pixels[mask]
    order = inside.T if inside.flags.f_contiguous else inside
    if not extent(np.require(order, requirements=["C", "A"]))[2]:
        bad = int(np.count_nonzero(~np.isfinite(inside)))
        raise ValueError(
            f"image must be finite{'' if mask is None else ' inside the mask'}, got {bad} NaN or "
            "infinite"
        )
