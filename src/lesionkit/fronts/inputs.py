"""What the functions of this domain ask of their arguments beside what arrays.py does, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.arrays import Home

MAX_STEPS = 2**31 - 1  # iterations and the like
MAX_SIGMA = 1e4  # of a Gaussian, in pixels: its kernel must be made
NUMPY = Home("NumPy", None)


# --- arrays ---------------------------------------------------------------------------------------


def floating(value: Any, name: str, home: Home, *, takes_mask: bool = False) -> Any:
    """`value` as float32 (where it is, or float16) or float64, as scikit-image does; else a clear
    error. NaN may be in it."""
    array = arrays.image(value, name, home, takes_mask=takes_mask)
    return array.astype(np.float32 if array.dtype == np.float32 else np.float64, copy=False)


def whole(value: Any, name: str, home: Home, accepted: str = "whole numbers") -> Any:
    """Labels, or a mask, as integers or booleans, of one axis or more, one pixel or more."""
    return arrays.labels(arrays.image(value, name, home, accepted=accepted), name, NUMPY, accepted)


def grey_image(
    value: Any, home: Home, mask: Any = None, *, takes_mask: bool = False
) -> npt.NDArray[Any]:
    """An image of integers, float32 or float64 as it is (booleans as uint8, half and long floats
    as these), finite wherever the mask is True; else a clear error."""
    image: npt.NDArray[Any] = arrays.image(value, "image", home, takes_mask=takes_mask)
    if image.dtype.kind == "b":
        return image.view(np.uint8)
    if mask is not None and mask.shape != image.shape:
        mask = None  # the caller tells of the shapes
    finite: npt.NDArray[Any] = arrays.finite_inside(image, "image", mask)
    return finite


def name_or_array(value: Any) -> Any:
    """What lives somewhere: None where a name was given."""
    return None if isinstance(value, str) else value


def scale_of(values: Any) -> float:
    """A power of two near the greatest magnitude, by which squares and sums neither overflow nor
    vanish; 1 if that is no extreme one."""
    return power_of_two(float(max(-values.min(), values.max(), 0)))


def power_of_two(number: float) -> float:
    """Near a number, or 1 if that is no extreme one: squares must stay within float32."""
    exponent = math.frexp(number)[1]
    return math.ldexp(1.0, exponent - 1) if abs(exponent) > 20 else 1.0


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
