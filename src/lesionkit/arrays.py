"""Checks in words, once for all domains; and where arrays live (homes.py), under one name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lesionkit import _core
from lesionkit.homes import Home as Home
from lesionkit.homes import check_no_container, check_no_gradients, short
from lesionkit.homes import describe as describe
from lesionkit.homes import home as home
from lesionkit.homes import namespace as namespace
from lesionkit.homes import on_cpu as on_cpu
from lesionkit.homes import to_host as to_host

Shape = Sequence[int | str | None]


def real(
    value: Any,
    name: str,
    shape: Shape,
    unit: str = "",
    xp: Any = np,
    *,
    at_least: float | None = None,
    above: float | None = None,
    keep_float32: bool = False,
) -> Any:
    """`value` as a C-contiguous float64 array of `shape`, finite everywhere; else a clear error.

    shape : for each axis an int (exactly so many), or a name or None (any number); a leading
            ``...`` is written as the string "...", and admits any batch axes.
    xp    : where: numpy, or cupy for an array that is on a GPU already (see :class:`Home`)
    at_least, above : what every number must be
    keep_float32 : leave float32 as it is; every other dtype becomes float64
    """
    array = numbers(value, name, xp, kinds="fiu")
    check_shape(array, name, shape)
    kept = keep_float32 and array.dtype == np.float32
    array = xp.asarray(array, dtype=np.float32 if kept else np.float64, order="C")
    if xp is np:
        array = np.require(array, requirements=["C", "A"])  # aligned as well: C++ reads registers
    low, finite = _least(array)
    if not finite:
        bad = int(xp.count_nonzero(~xp.isfinite(array)))
        raise ValueError(f"{name} must be finite{unit and f' ({unit})'}, got {bad} NaN or infinite")
    if at_least is not None and low < at_least:
        raise ValueError(f"{name} must be at least {f'{at_least:g} {unit}'.rstrip()}, got {low:g}")
    if above is not None and low <= above:
        raise ValueError(f"{name} must be above {f'{above:g} {unit}'.rstrip()}, got {low:g}")
    return array


# --- arrays of numbers, images, masks, labels -----------------------------------------------------


def numbers(
    value: Any,
    name: str,
    xp: Any = np,
    *,
    kinds: str = "biuf",
    accepted: str = "real numbers",
    masked: str = "",
) -> Any:
    """`value` as an array of `xp` whose dtype is of one of `kinds`, in native byte order; else a
    clear error.

    masked : what to do with an array that has masked entries; empty: fill them
    """
    check_no_gradients(value, name)
    check_no_container(value, name)
    if xp is np and hasattr(value, "__cuda_array_interface__"):
        raise TypeError(
            f"{name} must be a NumPy array, got a GPU array ({type(value).__module__}); "
            "copy it to the host first"
        )
    check_unmasked(value, name, masked)
    try:
        array: np.ndarray = xp.asarray(value)
    except MemoryError:
        raise
    except Exception as problem:
        raise TypeError(
            f"{name} must be an array of {accepted}, got {describe(value)}"
        ) from problem
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name} must hold {accepted}, got {describe(array)}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def regular(value: Any, name: str, accepted: str = "real numbers") -> Any:
    """`value`, lists and single numbers as arrays, for scikit-learn to check; ValueError where it
    is complex, has rows of several lengths, or numbers beyond float64."""
    array = value
    if isinstance(value, (list, tuple, int, float, complex)):
        try:
            array = np.asarray(value)
            if array.dtype == object:
                np.asarray(array, np.float64)
        except (ValueError, OverflowError) as problem:
            raise ValueError(
                f"{name} must be an array of {accepted}, got {describe(value)}"
            ) from problem
        except TypeError:  # words and the like, of which scikit-learn speaks
            pass
    kind = getattr(getattr(array, "dtype", None), "kind", "")
    if kind in ("c", "V"):
        said = ": Complex data not supported" if kind == "c" else ""  # as scikit-learn says it
        raise ValueError(f"{name} must hold {accepted}, got {describe(array)}{said}")
    return array


def check_unmasked(value: Any, name: str, advice: str = "") -> None:
    """Raise where entries are masked: what is made of the array would have them all the same."""
    parts = value if isinstance(value, (list, tuple)) else (value,)
    masked = (part for part in parts if isinstance(part, np.ma.MaskedArray))
    if any(part.dtype.names is None and np.ma.is_masked(part) for part in masked):
        raise ValueError(
            f"{name} has masked entries, which would be used here; "
            + (advice or f"fill them first, with {name}.filled(...)")
        )


def image(
    value: Any,
    name: str,
    at: Home,
    *,
    kinds: str = "biuf",
    accepted: str = "real numbers",
    takes_mask: bool = False,
) -> Any:
    """`value` as an array where it lives: one axis or more, one pixel or more, of a dtype whose
    kind is in `kinds` (half and long floats as float32 and float64, which kernels read),
    C-contiguous; else a clear error. It may hold NaN (:func:`finite_inside`).

    takes_mask : the function has an argument `mask`, which is what masked entries are told to use
    """
    advice = f"pass {name}.data with mask=~{name}.mask" if takes_mask else ""
    check_unmasked(value, name, advice)
    array = numbers(at.view(value, name), name, at.xp, kinds=kinds, accepted=accepted)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must hold a pixel or more, got {describe(array)}")
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        with np.errstate(over="ignore"):  # what a float64 cannot hold is infinite, and not finite
            array = array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    return contiguous(array)


def contiguous(array: Any) -> Any:
    """C-contiguous and aligned, as kernels read; no copy where it is so already."""
    if isinstance(array, np.ndarray):
        return np.require(np.asarray(array), requirements=["C", "A"])
    return namespace(array).ascontiguousarray(array)


def finite_inside(image: Any, name: str, inside: Any = None) -> Any:
    """An image of floats that is finite wherever `inside` (booleans, or None: everywhere) is True,
    with 0 where it is not finite outside; else ValueError. Integers as they are."""
    if image.dtype.kind != "f":
        return image
    if inside is None:
        if not _least(image)[1]:
            bad = int(np.count_nonzero(~namespace(image).isfinite(image)))
            raise ValueError(f"{name} must be finite, got {bad} NaN or infinite")
        return image
    xp = namespace(image)
    bad_pixels = ~xp.isfinite(image)
    if not bad_pixels.any():
        return image
    if bad := int(xp.count_nonzero(bad_pixels & inside)):
        raise ValueError(f"{name} must be finite inside the mask, got {bad} NaN or infinite")
    return xp.where(bad_pixels, image.dtype.type(0), image)


def labels(value: Any, name: str, at: Home, accepted: str = "whole numbers") -> Any:
    """Labels or a mask as integers or booleans where they live, C-contiguous; else a clear error.

    Floats count as the whole numbers that they are within 1e-3: the scaling of an image file makes
    0.9999999 of 1. Others are refused, since nobody can say which label 0.5 is.
    """
    array = numbers(at.view(value, name), name, at.xp, accepted=accepted)
    if array.dtype.kind == "f":
        array = array.astype(np.float64) if array.dtype == np.float16 else array
        whole = at.xp.rint(array)
        with np.errstate(invalid="ignore"):  # infinity less infinity
            off = ~(at.xp.abs(array - whole) <= 1e-3) | (at.xp.abs(whole) > 2**31)
        if off.any():
            raise ValueError(
                f"{name} must hold {accepted}, got {float(array[off][0]):g}; "
                f"of probabilities make a mask first, as {name} > 0.5"
            )
        array = whole.astype(np.int32 if array.dtype == np.float32 else np.int64)
    return contiguous(array)


def mask(
    value: Any,
    shape: Sequence[int],
    at: Home,
    name: str = "mask",
    *,
    image: str = "image",
    some: bool = False,
) -> Any:
    """A mask as C-contiguous booleans of `shape`, True where it is not 0; else a clear error.

    image : the name of what it must have the shape of
    some  : it must hold a pixel or more
    """
    array = labels(value, name, at, "booleans (or numbers that are whole, 0 outside)")
    if array.shape != tuple(shape):
        raise ValueError(
            f"{name} must have the shape of {image}, {tuple(shape)}, got {describe(array)}"
        )
    inside = array if array.dtype == bool else array != 0
    if some and not inside.any():
        raise ValueError(f"{name} must hold a pixel or more, and all of it is False")
    return inside


def labelled(array: Any, label: int, name: str) -> Any:
    """Where labels equal `label`; else ValueError, which says what labels there are."""
    inside = array == label
    if not inside.any():
        there = [int(n) for n in namespace(array).unique(array)]
        some = ", ".join(map(str, there[:10])) + (", ..." if len(there) > 10 else "")
        raise ValueError(f"{name} must hold a pixel or more of label {label}, got labels {some}")
    return inside


def _least(array: Any) -> tuple[float, bool]:
    """The smallest number, and whether all are finite; at the speed of memory, since maps may be
    larger than their solve."""
    if isinstance(array, np.ndarray):
        low, _, finite = _core.extent(array)
        return low, finite
    if not array.size:
        return np.inf, True
    low, high = float(array.min()), float(array.max())  # NaN if any is
    return low, bool(np.isfinite([low, high]).all())


def check_shape(array: Any, name: str, shape: Shape) -> None:
    """Raise unless `array` has `shape` (written as for :func:`real`)."""
    batched = bool(shape) and shape[0] == "..."
    tail = list(shape[1:]) if batched else list(shape)
    fits = array.ndim >= len(tail) if batched else array.ndim == len(tail)
    if fits:
        last = array.shape[array.ndim - len(tail) :]
        fits = all(not isinstance(n, int) or n == m for n, m in zip(tail, last, strict=True))
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{name} must have shape ({wanted}), got {describe(array)}")


def integer(value: Any, name: str, *, at_least: int, at_most: int | None = None) -> int:
    """`value` as an int within its range, and within an int64; else a clear error."""
    if at_most is None and isinstance(value, (int, np.integer)) and value >= 2**63:
        at_most = 2**63 - 1
    accepted = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer {accepted}, got {describe(value)}")
    if value < at_least or (at_most is not None and value > at_most):
        raise ValueError(f"{name} must be {accepted}, got {short(str(value))}")
    return int(value)


def number(
    value: Any,
    name: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    unit: str = "",
) -> float:
    """`value` as a finite float within its range; else a clear error."""
    limits = [
        text
        for text, limit in (
            (f"above {above}", above),
            (f"at least {at_least}", at_least),
            (f"at most {at_most}", at_most),
        )
        if limit is not None
    ]
    accepted = f"a finite number{unit and ' of ' + unit} {' and '.join(limits)}".rstrip()
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be {accepted}, got {describe(value)}")
    try:
        x = float(value)
    except OverflowError:
        x = np.inf
    if (
        not np.isfinite(x)
        or (above is not None and not x > above)
        or (at_least is not None and x < at_least)
        or (at_most is not None and x > at_most)
    ):
        raise ValueError(f"{name} must be {accepted}, got {short(str(value))}")
    return x


def one_of(value: Any, name: str, accepted: Sequence[Any]) -> Any:
    """The one of `accepted` (names, numbers, booleans, None) that `value` equals; else an error."""
    if value is None or isinstance(value, (str, bool, int, np.bool_, np.integer)):
        for option in accepted:
            if value == option:
                return option
    *others, last = map(repr, accepted)
    listed = f"{', '.join(others)} or {last}" if others else last
    raise ValueError(f"{name} must be {listed}, got {describe(value)}")


def flag(value: Any, name: str) -> bool:
    """A boolean; else ValueError."""
    return bool(one_of(value, name, (True, False)))


def spacing_of(spacing: Any, axes: int) -> tuple[float, ...]:
    """The spacing along each axis; else a clear error."""
    steps = real(spacing, "spacing", ("...",), above=0.0)
    if steps.shape not in ((), (axes,)):
        raise ValueError(
            f"spacing must be one number, or one for each of {axes} axes, got {describe(steps)}"
        )
    return tuple(map(float, np.broadcast_to(steps, axes)))
