"""Images and level sets as the contours take them, and the level sets that have a name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays


def floating(value: Any, name: str, xp: Any) -> Any:
    """`value` as float32 (where it is, or float16) or float64, as scikit-image does; else a clear
    error. NaN may be in it."""
    try:
        array = xp.asarray(value)
    except ValueError as problem:
        raise TypeError(
            f"{name} must be an array of numbers, got {arrays.describe(value)}"
        ) from problem
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got {arrays.describe(array)}")
    single = array.dtype in (np.float16, np.float32)
    return array.astype(np.float32 if single else np.float64, copy=False)


def channels(image: Any, channel_axis: int | None, xp: Any) -> Any:
    """A picture or volume as floats with its channels in front, one if it has no such axis."""
    image = floating(image, "image", xp)
    size_of(image, "image")
    if channel_axis is None:
        image = image[np.newaxis]
    else:
        axis = arrays.integer(
            channel_axis, "channel_axis", at_least=-image.ndim, at_most=image.ndim - 1
        )
        image = xp.moveaxis(image, axis, 0)
    if image.ndim not in (3, 4):
        raise ValueError(
            f"image must have 2 or 3 axes, and one of channels where channel_axis says so, got "
            f"{image.ndim - 1}"
        )
    return image


def mask_of(mask: Any, shape: Sequence[int], home: arrays.Home) -> Any:
    """The mask as booleans of `shape`, with a pixel or more; else a clear error."""
    array = home.xp.asarray(home.view(mask, "mask"))
    if array.dtype.kind not in "biu":
        raise TypeError(f"mask must hold booleans, got {arrays.describe(array)}")
    if array.shape != tuple(shape):
        raise ValueError(
            f"mask must have the image's shape {tuple(shape)}, got {arrays.describe(array)}"
        )
    array = array != 0
    if not array.any():
        raise ValueError("mask must hold a pixel or more")
    return array


def box_of(mask: Any, xp: Any) -> tuple[slice, ...]:
    """The smallest box that holds the mask."""
    box = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        where = xp.flatnonzero(mask.any(axis=others))
        box.append(slice(int(where[0]), int(where[-1]) + 1))
    return tuple(box)


def smooth_checkerboard(shape: Sequence[int], dtype: Any) -> npt.NDArray[Any]:
    """Products of sines with a zero at each fifth pixel: scikit-image's bits in two dimensions."""
    waves = np.ones((), dtype)
    for n in shape:
        waves = waves[..., np.newaxis] * np.sin(np.arange(n, dtype=dtype) * (np.pi / 5))
    return waves


def smooth_disk(shape: Sequence[int], size: float, dtype: Any) -> npt.NDArray[Any]:
    """1 in the middle and 0 on the largest circle about it (size 1), or on one of half the radius,
    where the middle has 1/3 (size 0.5)."""
    middle = [(n - 1) // 2 for n in shape]
    radius = float(min(middle))
    if radius == 0:
        raise ValueError(
            f"init_level_set: a disk needs 3 pixels or more along each axis, got shape {(*shape,)}"
        )
    radius *= size
    scale = radius if size == 1 else 3 * radius
    phi: npt.NDArray[Any] = (radius - distance_to(middle, shape)) / scale
    return phi.astype(dtype)


def distance_to(point: Sequence[float], shape: Sequence[int]) -> npt.NDArray[np.float64]:
    """Distance of each pixel to a point, in pixels."""
    axes = np.ogrid[tuple(slice(n) for n in shape)]
    squares = sum(((a - float(p)) ** 2 for a, p in zip(axes, point, strict=True)), np.zeros(()))
    return np.sqrt(np.broadcast_to(squares, shape))


def disk_level_set(
    image_shape: Sequence[int],
    *,
    center: Sequence[float] | None = None,
    radius: float | None = None,
) -> npt.NDArray[np.int8]:
    """1 within a disk or ball, else 0; as scikit-image's.

    image_shape : of the answer;  center : one number for each axis, else the middle (n // 2)
    radius : in pixels, else 3/8 of the shortest side
    """
    if center is None:
        center = [n // 2 for n in image_shape]
    if radius is None:
        radius = min(image_shape) * 3.0 / 8.0
    return (radius - distance_to(center, image_shape) > 0).astype(np.int8)


def checkerboard_level_set(
    image_shape: Sequence[int], square_size: int = 5
) -> npt.NDArray[np.int8]:
    """Squares of 0 and 1, 0 in the first corner; as scikit-image's."""
    axes = np.ogrid[tuple(slice(n) for n in image_shape)]
    odd = np.zeros((), np.int64)
    for a in axes:
        odd = odd ^ (a // square_size & 1)
    return np.broadcast_to(odd, tuple(image_shape)).astype(np.int8)


def size_of(image: Any, name: str) -> int:
    """How many pixels; else a clear error where there is none."""
    size: int = math.prod(image.shape)
    if size == 0:
        raise ValueError(f"{name} must hold a pixel or more, got {arrays.describe(image)}")
    return size
