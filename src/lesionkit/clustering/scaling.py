"""Numbers whose squares leave their dtype: multiplied by a power of two first, which is exact.

Ordinary numbers stay as they are, so that their answers keep every bit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lesionkit import _core

# Between 1 / ORDINARY and ORDINARY squares, sums of them and quotients of such sums are in range.
ORDINARY = 2.0**400
ORDINARY_SINGLE = 2.0**40  # where squares are float32


def scale_for(largest: float, *, single: bool = False) -> float:
    """The power of two that brings numbers of up to `largest` to about 1; 1 if they are ordinary.

    single : squares are computed in float32
    """
    ordinary = ORDINARY_SINGLE if single else ORDINARY
    if not 0.0 < largest < math.inf or 1.0 / ordinary <= largest <= ordinary:
        return 1.0
    most = 120 if single else 1000  # so that the power is a number of the dtype, and its inverse
    return 2.0 ** min(max(-math.frexp(largest)[1], -most), most)


def largest(*values: Any) -> float:
    """The largest magnitude among arrays of floats, of NumPy or CuPy; NaN or infinity if any is."""
    return max((_largest(array) for array in values), default=0.0)


def _largest(array: Any) -> float:
    if not array.size:
        return 0.0
    if not isinstance(array, np.ndarray):
        return max(-float(array.min()), float(array.max()))
    order = array.T if array.flags.f_contiguous else array
    low, high, finite = _core.extent(np.require(order, requirements=["C", "A"]))
    return max(-low, high) if finite else math.inf


def in_range(X: Any, centres: Any) -> tuple[Any, Any, float]:
    """Samples and centres multiplied by one power of two, and that; as they are if ordinary."""
    scale = scale_for(largest(X, centres))
    return (X, centres, 1.0) if scale == 1.0 else (X * scale, centres * scale, scale)


def distances_back(distances: Any, scale: float) -> Any:
    """Distances of samples X that were multiplied by `scale`, as they are; ValueError where X's
    dtype does not hold one."""
    if scale != 1.0:
        with np.errstate(over="ignore"):
            distances = distances / distances.dtype.type(scale)
    if not math.isfinite(largest(distances)):
        raise ValueError(
            f"X must lie where {distances.dtype} holds its distances from the centres, got one "
            "that is beyond it"
        )
    return distances


def check_overflow(total: float, span: float, name: str) -> None:
    """Raise where a sum of squares overflows: of weights that add up to `total`, and of distances
    up to `span`."""
    if not math.isfinite(total * span * span):
        raise ValueError(
            f"{name} must be finite, and so must be the squares of its numbers and their sum, got "
            f"numbers {span:g} apart"
        )
