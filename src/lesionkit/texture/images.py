"""What every function on grey levels asks of its image, mask, offsets and number of levels."""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.arrays import Home

MOST_LEVELS = 65536

Border = Literal["reflect", "symmetric", "edge", "wrap", "valid"]
BORDERS = ("reflect", "symmetric", "edge", "wrap", "valid")


def integers(value: Any, name: str, mask: Any = None) -> tuple[Home, Any]:
    """Where an image of integers lives, and the image there, C-contiguous; else a clear error."""
    home = arrays.home(**{name: value}, **({} if mask is None else {"mask": mask}))
    with home.current():
        array = home.view(value, name)
        if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
            raise ValueError(
                f"{name} has masked entries, which would be counted here; pass mask=~{name}.mask"
            )
        try:
            array = home.xp.asarray(array)
        except ValueError as problem:
            raise TypeError(
                f"{name} must be an array of integers, got {arrays.describe(value)}"
            ) from problem
        if array.dtype.kind not in "iu":
            hint = "; divide it into levels first" if array.dtype.kind == "f" else ""
            raise TypeError(f"{name} must hold integers, got {arrays.describe(array)}{hint}")
        if array.size == 0:
            raise ValueError(f"{name} must hold a voxel or more, got {arrays.describe(array)}")
        return home, home.xp.ascontiguousarray(
            array.astype(array.dtype.newbyteorder("="), copy=False)
        )


def offsets_of(offsets: Any, axes: int) -> npt.NDArray[np.int64]:
    """Offsets as (n, 2) or (n, 3) integers, no more numbers each than the image has axes."""
    try:
        array = np.asarray(offsets)
    except ValueError as problem:
        raise TypeError(
            f"offsets must be an array of integers, got {arrays.describe(offsets)}"
        ) from problem
    if array.dtype.kind not in "iu":
        raise TypeError(f"offsets must hold integers, got {arrays.describe(array)}")
    if array.ndim != 2 or array.shape[0] == 0 or array.shape[1] not in (2, 3):
        raise ValueError(
            f"offsets must have shape (n, 2) or (n, 3) with n at least 1, got "
            f"{arrays.describe(array)}"
        )
    if array.shape[1] > axes:
        raise ValueError(
            f"offsets must have as many numbers each as the image has axes ({axes}) or fewer, got "
            f"{array.shape[1]}"
        )
    if array.dtype.kind == "u":
        array = np.minimum(array, np.uint64(2**62))  # beyond any image, and an int64
    return array.astype(np.int64)


def refuse_levels(levels: Any) -> int:
    """The number of levels as an int; else a clear error."""
    return arrays.integer(levels, "levels", at_least=1, at_most=MOST_LEVELS)


def mask_of(mask: Any, image: Any, batch: int, home: Home) -> Any:
    """The mask as uint8 of the image's shape, None where there is none; else a clear error."""
    if mask is None:
        return None
    xp = home.xp
    array = xp.asarray(home.view(mask, "mask"))
    if array.dtype.kind not in "biu":
        raise TypeError(f"mask must hold booleans, got {arrays.describe(array)}")
    if array.shape not in (image.shape, image.shape[batch:]):
        raise ValueError(
            f"mask must have the image's shape {image.shape}, got {arrays.describe(array)}"
        )
    if array.dtype.kind != "b":
        array = array != 0
    whole = xp.broadcast_to(array, image.shape)
    return xp.ascontiguousarray(whole).view(np.uint8)


def refuse_log_base(log_base: Any) -> float:
    """The base of logarithms; else a clear error."""
    return arrays.number(log_base, "log_base", above=1.0)


def refuse_first_level(first_level: Any) -> int:
    """The number of the first level; else a clear error."""
    return arrays.integer(first_level, "first_level", at_least=0, at_most=2**31 - 1)


def refuse_memory(size: int, sentence: str) -> None:
    """Raise ValueError, `sentence` with the size in it, where memory cannot hold so many bytes."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not told by this system
        there = 2**47
    if size > there:
        raise ValueError(
            f"{sentence}, got {size / 2**30:,.1f} GiB of counts where there are "
            f"{there / 2**30:,.1f} GiB of memory"
        )


def refuse_border(border: Any) -> None:
    """Raise unless `border` is one of BORDERS."""
    if border not in BORDERS:
        raise ValueError(f"border must be one of {', '.join(BORDERS)}, got {border!r}")


def continued(image: Any, sides: tuple[int, ...], border: Border, xp: Any) -> Any:
    """The image with half a window more on each side, by numpy.pad's rule of that name."""
    halves = [side // 2 for side in sides]
    if border == "valid":
        if any(n < side for n, side in zip(image.shape, sides, strict=True)):
            raise ValueError(
                f"window must fit into the image where border is 'valid', got a window {sides} "
                f"for {arrays.describe(image)}"
            )
        return image
    return xp.pad(image, [(half, half) for half in halves], mode=border)
