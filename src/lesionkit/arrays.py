"""Checks in words, and where an array lives: the whole backend story."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lesionkit import _core

Shape = Sequence[int | str | None]


def describe(value: object) -> str:
    """What came, for an error message: the kind of object, its dtype and shape."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def real(
    value: Any,
    name: str,
    shape: Shape,
    unit: str = "",
    *,
    at_least: float | None = None,
    above: float | None = None,
) -> np.ndarray:
    """`value` as a C-contiguous float64 array of `shape`, finite everywhere; else a clear error.

    shape : for each axis an int (exactly so many), or a name or None (any number); a leading
            ``...`` is written as the string "...", and admits any batch axes.
    at_least, above : what every number must be
    """
    if getattr(value, "requires_grad", False):
        raise TypeError(f"{name} carries gradients, which would be lost here; pass {name}.detach()")
    if hasattr(value, "__cuda_array_interface__"):
        raise TypeError(
            f"{name} must be a NumPy array, got a GPU array ({type(value).__module__}); "
            "copy it to the host first"
        )
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name} has masked entries, which would be used here; fill them first")
    try:
        array = np.asarray(value)
    except Exception as problem:
        raise TypeError(f"{name} must be an array of numbers, got {describe(value)}") from problem
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold real numbers, got {describe(array)}")
    require_shape(array, name, shape)
    array = np.asarray(array, dtype=np.float64, order="C")
    low, _, finite = _core.extent(array)  # as fast as memory: maps may be larger than their solve
    if not finite:
        bad = np.count_nonzero(~np.isfinite(array))
        raise ValueError(f"{name} must be finite{unit and f' ({unit})'}, got {bad} NaN or infinite")
    if at_least is not None and low < at_least:
        raise ValueError(f"{name} must be at least {f'{at_least:g} {unit}'.rstrip()}, got {low:g}")
    if above is not None and low <= above:
        raise ValueError(f"{name} must be above {f'{above:g} {unit}'.rstrip()}, got {low:g}")
    return array


def require_shape(array: np.ndarray, name: str, shape: Shape) -> None:
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
    """`value` as an int within its range; else a clear error."""
    accepted = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer {accepted}, got {describe(value)}")
    if value < at_least or (at_most is not None and value > at_most):
        raise ValueError(f"{name} must be {accepted}, got {value}")
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
        raise ValueError(f"{name} must be {accepted}, got {value}")
    return x
