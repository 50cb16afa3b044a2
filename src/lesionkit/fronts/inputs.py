"""What the functions of this domain ask of their arguments, in words: one place for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.arrays import Home

MOST_STEPS = 2**31 - 1  # iterations and the like
WIDEST = 1e4  # of a Gaussian, in pixels: its kernel must be made
REAL = "real numbers"


# --- where ----------------------------------------------------------------------------------------


def home_of(**values: Any) -> Home:
    """The one home of these arguments; None (not given) and names live nowhere."""
    given = {k: v for k, v in values.items() if not (v is None or isinstance(v, str))}
    return arrays.home(**given) if given else Home("NumPy", None)


def home_on_cpu(what: str, **values: Any) -> Home:
    """The same, on the CPU; else TypeError."""
    home = home_of(**values)
    if home.gpu is not None:
        names = " and ".join(name for name, value in values.items() if value is not None)
        raise TypeError(
            f"{names} must be on the CPU for {what}, got a {home}; copy to the host first"
        )
    return home


# --- arrays ---------------------------------------------------------------------------------------


def numbers(value: Any, name: str, home: Home, kinds: str = "biuf", accepted: str = REAL) -> Any:
    """`value` as an array of `home.xp`, of one axis or more and one pixel or more, of a dtype whose
    kind is in `kinds`, contiguous and in native order; else a clear error."""
    array = home.view(value, name)
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise ValueError(f"{name} has masked entries, which would be used here; fill them first")
    try:
        array = home.xp.asarray(array)
    except (TypeError, ValueError) as problem:
        raise TypeError(
            f"{name} must be an array of {accepted}, got {arrays.describe(value)}"
        ) from problem
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name} must hold {accepted}, got {arrays.describe(array)}")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must hold a pixel or more, got {arrays.describe(array)}")
    if home.gpu is not None:
        return home.xp.ascontiguousarray(array)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return np.require(native, requirements=["C", "A"])


def floating(value: Any, name: str, home: Home) -> Any:
    """`value` as float32 (where it is, or float16) or float64, as scikit-image does; else a clear
    error. NaN may be in it."""
    array = numbers(value, name, home)
    single = array.dtype in (np.float16, np.float32)
    return array.astype(np.float32 if single else np.float64, copy=False)


def mask_of(
    mask: Any, shape: Sequence[int], home: Home, name: str = "mask", *, some: bool = False
) -> Any:
    """A mask as booleans of `shape`, contiguous; else a clear error.

    some : it must hold a pixel or more
    """
    array = numbers(mask, name, home, "biu", "booleans")
    if array.shape != tuple(shape):
        raise ValueError(
            f"{name} must have the image's shape {tuple(shape)}, got {arrays.describe(array)}"
        )
    inside = array if array.dtype == bool else array != 0
    if some and not inside.any():
        raise ValueError(f"{name} must hold a pixel or more, and all of it is False")
    return inside


def grey_image(value: Any, home: Home, mask: Any = None) -> npt.NDArray[Any]:
    """An image of integers, float32 or float64 as it is (booleans as uint8, half and long floats
    as these), finite wherever the mask is not 0; else a clear error."""
    image: npt.NDArray[Any] = numbers(value, "image", home)
    if image.dtype.kind == "b":
        return image.view(np.uint8)
    if image.dtype.kind != "f":
        return image
    if image.dtype not in (np.float32, np.float64):
        image = image.astype(np.float32 if image.itemsize < 4 else np.float64)
    if mask is None:
        arrays.real(image, "image", image.shape, keep_float32=True)
        return image
    bad = ~np.isfinite(image)
    if bad.any():
        if (bad & (mask != 0)).any():
            count = int(np.count_nonzero(bad & (mask != 0)))
            raise ValueError(f"image must be finite in the mask, got {count} NaN or infinite")
        image = np.where(bad, image.dtype.type(0), image)
    return image


# --- places ---------------------------------------------------------------------------------------


def points_of(
    value: Any, name: str, sizes: Sequence[int], images: int | None = None, also: str = ""
) -> Any:
    """Points within an image of these sizes, as (k, axes) float64, or (images, k, axes) where
    `images` says how many there are; else a clear error, which tells what is `also` accepted."""
    points, axes = arrays.real(value, name, ("...",)), len(sizes)
    if images is None:
        wanted, fits = f"a point of {axes} numbers, or (k, {axes})", points.ndim in (1, 2)
    else:
        wanted = f"({images}, {axes}) or ({images}, k, {axes})"
        fits = points.ndim in (2, 3) and len(points) == images
    if not fits or points.shape[-1] != axes or points.size == 0:
        raise ValueError(f"{name} must be {also}{wanted}, got {arrays.describe(points)}")
    points = points.reshape(*(() if images is None else (images,)), -1, axes)
    last = np.array(sizes) - 1
    outside = ((points < 0) | (points > last)).any(axis=-1)
    if outside.any():
        raise ValueError(
            f"{name} must lie within the image, from 0 to {tuple(last.tolist())}, got "
            f"{tuple(points[outside][0].tolist())}"
        )
    return points


def in_three_axes(points: Any) -> Any:
    """Points of 1 to 3 axes as the kernels take them: in planes, rows and columns."""
    return np.concatenate((np.zeros((*points.shape[:-1], 3 - points.shape[-1])), points), axis=-1)


# --- choices --------------------------------------------------------------------------------------


def one_of(value: Any, name: str, accepted: Sequence[Any]) -> Any:
    """The one of `accepted` (names, numbers, booleans) that `value` equals; else ValueError."""
    if isinstance(value, (str, bool, int, np.bool_, np.integer)):
        for option in accepted:
            if value == option:
                return option
    *others, last = map(repr, accepted)
    raise ValueError(f"{name} must be {', '.join(others)} or {last}, got {arrays.describe(value)}")


def flag(value: Any, name: str) -> bool:
    """A boolean; else ValueError."""
    return bool(one_of(value, name, (True, False)))
