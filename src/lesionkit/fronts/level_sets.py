"""Images and level sets as the contours take them, and the level sets that have a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.fronts import inputs


def channels(
    image: Any, channel_axis: int | None, home: arrays.Home, *, takes_mask: bool = False
) -> Any:
    """A picture or volume as floats with its channels in front, one if it has no such axis."""
    image = inputs.floating(image, "image", home, takes_mask=takes_mask)
    if channel_axis is None:
        image = image[np.newaxis]
    else:
        axis = arrays.integer(
            channel_axis, "channel_axis", at_least=-image.ndim, at_most=image.ndim - 1
        )
        image = home.xp.moveaxis(image, axis, 0)
    if image.ndim not in (3, 4):
        raise ValueError(
            f"image must have 2 or 3 axes, and one of channels where channel_axis says so, got "
            f"{image.ndim - 1}"
        )
    return image


def given(phi: Any, shape: Sequence[int], home: arrays.Home) -> Any:
    """A level set that the caller gives: finite, of the image's shape, booleans as they are; else a
    clear error."""
    level = arrays.image(phi, "init_level_set", home)
    if level.shape != tuple(shape):
        raise ValueError(
            f"init_level_set must have the image's shape {tuple(shape)}, got "
            f"{arrays.describe(level)}"
        )
    if level.dtype == bool:
        return level
    return arrays.real(level, "init_level_set", level.shape)


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
    """A level set that is 1 within a disk or ball, else 0, with scikit-image's arguments.

    Parameters
    ----------
    image_shape : sequence of int
        Of the answer.
    center : sequence of float, optional
        One number for each axis. None: the middle (n // 2).
    radius : float, optional
        In pixels. None: 3/8 of the shortest side.

    Returns
    -------
    array of int8
        0 and 1.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> from lesionkit.fronts import disk_level_set
    >>> disk_level_set((3, 5), radius=1.5).tolist()
    [[0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 0]]
    """
    shape = _shape(image_shape)
    if center is None:
        center = [n // 2 for n in shape]
    middle = arrays.real(center, "center", (len(shape),)).tolist()
    size = min(shape) * 3.0 / 8.0 if radius is None else arrays.number(radius, "radius")
    return (size - distance_to(middle, shape) > 0).astype(np.int8)


def checkerboard_level_set(
    image_shape: Sequence[int], square_size: int = 5
) -> npt.NDArray[np.int8]:
    """A level set of squares of 0 and 1, 0 in the first corner, with scikit-image's arguments.

    Parameters
    ----------
    image_shape : sequence of int
        Of the answer.
    square_size : int, default 5
        Side of a square in pixels, 1 or more.

    Returns
    -------
    array of int8
        0 and 1.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> from lesionkit.fronts import checkerboard_level_set
    >>> checkerboard_level_set((2, 6), square_size=2).tolist()
    [[0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0]]
    """
    shape = _shape(image_shape)
    side = arrays.integer(square_size, "square_size", at_least=1, at_most=inputs.MAX_STEPS)
    odd = np.zeros((), np.int64)
    for a in np.ogrid[tuple(slice(n) for n in shape)]:
        odd = odd ^ (a // side & 1)
    return np.broadcast_to(odd, shape).astype(np.int8)


def _shape(image_shape: Any) -> tuple[int, ...]:
    """The shape of a level set; else a clear error."""
    sizes = arrays.real(image_shape, "image_shape", ("axes",), at_least=1)
    if not sizes.size or (sizes != np.rint(sizes)).any():
        raise ValueError(f"image_shape must hold whole numbers, one or more, got {image_shape}")
    return tuple(map(int, sizes))
