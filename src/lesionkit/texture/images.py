"""What every function on grey levels asks of its image, mask, offsets and number of levels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.arrays import Home

MAX_LEVELS = 65536

Border = Literal["reflect", "symmetric", "edge", "wrap", "valid"]
BORDERS = ("reflect", "symmetric", "edge", "wrap", "valid")


def integers(value: Any, name: str, home: Home, takes_mask: bool = False) -> Any:
    """An image of integers where it lives, C-contiguous; else a clear error.

    takes_mask : the function has an argument `mask`, which is what masked entries are told to use
    """
    accepted = "integers (grey levels)"
    return arrays.image(value, name, home, kinds="iu", accepted=accepted, takes_mask=takes_mask)


def check_offsets(offsets: Any, axes: int) -> npt.NDArray[np.int64]:
    """Offsets as (n, 2) or (n, 3) integers, no more numbers each than the image has axes."""
    array = arrays.numbers(offsets, "offsets", kinds="iu", accepted="integers")
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
    return np.ascontiguousarray(array, np.int64)


def three(steps: npt.NDArray[np.int64], shape: Sequence[int]) -> npt.NDArray[np.int64]:
    """Steps along three axes; those that leave an image of `shape` are cut to what just does."""
    axes = steps.shape[1]
    far = np.array(shape[len(shape) - axes :], np.int64)
    full = np.zeros((len(steps), 3), np.int64)
    full[:, 3 - axes :] = np.clip(steps, -far, far)
    return full


def check_levels(levels: Any) -> int:
    """The number of levels as an int; else a clear error."""
    return arrays.integer(levels, "levels", at_least=1, at_most=MAX_LEVELS)


def mask_of(mask: Any, image: Any, batch: int, home: Home, some: bool = False) -> Any:
    """The mask as uint8 of the image's shape, None where there is none; else a clear error.

    batch : so many of the image's first axes the mask may lack;  some : it must hold a pixel
    """
    if mask is None:
        return None
    if not hasattr(mask, "ndim"):  # a list
        mask = arrays.numbers(mask, "mask")
    shape = image.shape if mask.ndim >= image.ndim else image.shape[batch:]
    inside = arrays.mask(mask, shape, home, some=some)
    return home.xp.ascontiguousarray(home.xp.broadcast_to(inside, image.shape)).view(np.uint8)


def check_log_base(log_base: Any) -> float:
    """The base of logarithms; else a clear error."""
    return arrays.number(log_base, "log_base", above=1.0)


def check_first_level(first_level: Any) -> int:
    """The number of the first level; else a clear error."""
    return arrays.integer(first_level, "first_level", at_least=0, at_most=2**31 - 1)


def check_memory(size: int, sentence: str) -> None:
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


def check_border(border: Any) -> Border:
    """One of BORDERS; else a clear error."""
    found: Border = arrays.one_of(border, "border", BORDERS)
    return found


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
