"""What every clustering of an image asks of the image, its mask and its channels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.arrays import Home
from lesionkit.clustering import scaling

Real = npt.NDArray[np.floating[Any]]
EXACT_IN_FLOAT32 = ("u1", "i1", "u2", "i2")


class ImageView(NamedTuple):
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
        return math.prod(self.shape) if self.mask is None else int(self.mask.sum())

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
        return arrays.contiguous(inside.astype(self.dtype, copy=False))  # type: ignore[no-any-return]

    def numbers(self) -> npt.NDArray[Any]:
        """(pixels in the mask, 1) of a grey image, C-contiguous: small integers and floats as they
        came, other integers as float64."""
        kind = self.pixels.dtype
        kept = kind.kind == "f" or kind.str[1:] in EXACT_IN_FLOAT32
        inside = self.pixels.reshape(-1) if self.mask is None else self.pixels[self.mask]
        return np.require(inside, kind if kept else np.float64, ["C", "A"])[:, None]

    def planes(self, dtype: np.dtype[Any] | None = None) -> Real:
        """(channels, planes, rows, columns) floats, 0 outside the mask."""
        xp = self.home.xp
        every = xp.moveaxis(self.pixels.reshape(*self.shape, -1), -1, 0)
        if self.mask is not None:
            every = xp.where(self.mask, every, every.dtype.type(0))
        planes: Real = arrays.contiguous(every.astype(dtype or self.dtype, copy=False))
        return planes.reshape(len(planes), *(1,) * (3 - len(self.shape)), *self.shape)

    def inside(self, planes: Real) -> Real:
        """(channels, pixels in the mask) of (channels, planes, rows, columns)."""
        flat = planes.reshape(len(planes), -1)
        return arrays.contiguous(flat if self.mask is None else flat[:, self.mask.ravel()])  # type: ignore[no-any-return]

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
        image = self.home.xp.full(self.shape, outside, values.dtype)
        image[self.mask] = values.ravel()
        return self.home.back(image)

    def scaled(self) -> tuple[ImageView, float]:
        """The picture with its numbers multiplied by a power of two, and that: 1 unless their
        squares, or products of these, would leave what is computed in."""
        if self.pixels.dtype.kind != "f":
            return self, 1.0
        scale = scaling.scale_for(scaling.largest(self.pixels), single=self.dtype == np.float32)
        if scale == 1.0:
            return self, 1.0
        return self._replace(pixels=self.pixels * self.pixels.dtype.type(scale)), scale


def read(
    image: Any,
    mask: Any = None,
    channel_axis: Any = None,
    where: Callable[..., Home] = arrays.on_cpu,
) -> ImageView:
    """The image of real numbers, finite inside the mask; else a clear error. Where it is not finite
    outside, it becomes 0.

    where : what finds its home: `arrays.home`, or `arrays.on_cpu` where only the CPU does the rest
    """
    home = where(image=image, mask=mask)
    pixels = arrays.image(image, "image", home, kinds="fiu", takes_mask=True)
    axis = None if channel_axis is None else _axis(channel_axis, pixels)
    inside = None
    if mask is not None:
        shape = pixels.shape if axis is None else np.delete(pixels.shape, axis).tolist()
        inside = arrays.mask(mask, shape, home, some=True)
        inside = None if inside.all() else inside
    if axis is None:
        return ImageView(home, arrays.finite_inside(pixels, "image", inside), inside, False)
    everywhere = None if inside is None else home.xp.expand_dims(inside, axis)
    pixels = home.xp.moveaxis(arrays.finite_inside(pixels, "image", everywhere), axis, -1)
    return ImageView(home, pixels, inside, True)


def _axis(value: Any, image: npt.NDArray[Any]) -> int:
    axes = image.ndim
    if axes == 1:
        raise ValueError(
            "image must have an axis or more beside that of its channels, got "
            f"{arrays.describe(image)}"
        )
    return arrays.integer(value, "channel_axis", at_least=-axes, at_most=axes - 1)
