"""What functions on whole images ask of these and of masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.arrays import Home


def home_on_cpu(what: str, **values: Any) -> Home:
    """The one home of these arguments (None: not given), on the CPU; else TypeError."""
    given = {name: value for name, value in values.items() if value is not None}
    home = arrays.home(**given)
    if home.gpu is not None:
        raise TypeError(
            f"{' and '.join(given)} must be on the CPU for {what}, got a {home}; "
            "copy to the host first"
        )
    return home


def numbers(value: Any, name: str, home: Home, kinds: str, accepted: str) -> npt.NDArray[Any]:
    """`value` as a C-contiguous array of one axis or more and one pixel or more, of a dtype whose
    kind is in `kinds`; else a clear error."""
    array = home.view(value, name)
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise ValueError(
            f"{name} has masked entries, which would be used here; pass mask=~{name}.mask"
        )
    try:
        array = np.asarray(array)
    except ValueError as problem:
        raise TypeError(
            f"{name} must be an array of {accepted}, got {arrays.describe(value)}"
        ) from problem
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name} must hold {accepted}, got {arrays.describe(array)}")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must hold a pixel or more, got {arrays.describe(array)}")
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return np.require(native, requirements=["C", "A"])


def mask_of(mask: Any, shape: tuple[int, ...], home: Home) -> npt.NDArray[np.uint8] | None:
    """The mask as uint8, None where there is none; else a clear error."""
    if mask is None:
        return None
    array = np.asarray(home.view(mask, "mask"))
    if array.dtype.kind not in "biu":
        raise TypeError(f"mask must hold booleans, got {arrays.describe(array)}")
    if array.shape != shape:
        raise ValueError(f"mask must have the image's shape {shape}, got {arrays.describe(array)}")
    inside: npt.NDArray[np.bool_] = np.ascontiguousarray(
        array if array.dtype == bool else array != 0
    )
    return inside.view(np.uint8)


def grey_image(value: Any, home: Home, mask: Any = None) -> npt.NDArray[Any]:
    """An image of integers, float32 or float64 as it is (booleans as uint8, half and long floats
    as these), finite wherever the mask is not 0; else a clear error."""
    image = numbers(value, "image", home, "biuf", "real numbers")
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
