"""`shape_features`: size and form of a mask, from its surface by marching cubes, in mm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture.region.discretise import mask_parts

MAX_SIDE = 65535  # voxels of the mask's box: sums of squares of places are whole numbers


def shape_features(
    mask: Any, spacing: Any = None, *, label: int = 1, steps: Any = None
) -> dict[str, float]:
    """Size and form of a region: its surface, volume, diameters and axes, in mm.

    The surface lies between voxels, with each vertex halfway between one inside and one outside
    (marching cubes; squares of a picture). On the CPU.

    Parameters
    ----------
    mask : (slices, rows, columns) or (rows, columns) array
        Booleans, or whole numbers, floats too, of which `label` is inside; one voxel or more, the
        box of which is at most 65,535 voxels wide.
    spacing : sequence of float, optional
        Of voxels along each axis, in the mask's order, mm, above 0; None: 1.
    label : int, default 1
        In a mask of whole numbers, the voxels that have it are inside.
    steps : (axes, 3) array of float, optional
        In place of `spacing`: how far it is, in mm, from a voxel to the next along each axis of the
        mask, as in `lesionkit.io.Geometry.steps`. Turned axes give the same features; sheared ones
        are measured as they are.

    Returns
    -------
    dict of str to float
        Of a volume 14: mesh_volume, voxel_volume (mm^3), surface_area (mm^2), surface_volume_ratio
        (1/mm), sphericity (1: a ball), maximum_3d_diameter, and maximum_2d_diameter_slice, _column
        and _row, in planes across the first, second and last axis (mm, between vertices);
        major_axis_length, minor_axis_length and least_axis_length (mm, 4 standard deviations of the
        places of the n voxels, of the population, as in PyRadiomics; IBSI's, which divide by n - 1,
        are sqrt(n / (n - 1)) times as long), elongation and flatness (minor and least by major; NaN
        of one voxel). Of a picture 9: mesh_surface, pixel_surface (mm^2), perimeter (mm),
        perimeter_surface_ratio, sphericity (1: a disc), maximum_diameter, major_axis_length,
        minor_axis_length, elongation.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1, shape and shape2D, whose numbers these are; IBSI reference manual
    (arXiv:1612.07003v11), section 3.1; Lorensen and Cline, SIGGRAPH 1987, 163-169.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import shape_features
    >>> z, y, x = np.indices((15, 41, 41)) - np.array([7, 20, 20]).reshape(3, 1, 1, 1)
    >>> ball = np.hypot(3 * z, np.hypot(y, x)) < 18.5
    >>> found = shape_features(ball, spacing=(3, 1, 1))
    >>> len(found), round(found["maximum_3d_diameter"], 1), round(found["sphericity"], 2)
    (14, 39.9, 0.85)
    """
    home = arrays.on_cpu("shape_features", mask=mask)
    parts = mask_parts(mask, label, home)
    axes = parts.inside.ndim
    if steps is None:
        given = np.ones(axes) if spacing is None else spacing
        mm = arrays.real(given, "spacing", (axes,), "mm", above=0)
        return shape_along(parts.cut, mm.tolist())
    if spacing is not None:
        raise TypeError("spacing must be None where steps are given")
    steps = arrays.real(steps, "steps", (axes, 3), "mm")
    lengths = np.linalg.norm(steps, axis=1)
    _check_lengths(lengths.tolist())
    if np.linalg.svd(steps / lengths[:, None], compute_uv=False).min() < 1e-6:
        where = "plane" if axes == 3 else "line"
        raise ValueError(f"steps must not lie in one {where}, got {steps.tolist()}")
    return _shape(parts.cut, steps)


MIN_STEP, MAX_STEP = 1e-50, 1e50  # mm
ROUNDING = 1e-14  # of the largest variance: what is smaller is a 0 that was rounded


def _check_lengths(lengths: Sequence[float]) -> None:
    if not (min(lengths) >= MIN_STEP and max(lengths) <= MAX_STEP):
        raise ValueError(f"spacing must be from {MIN_STEP:g} to {MAX_STEP:g} mm, got {lengths}")


def shape_along(cut: npt.NDArray[np.uint8], spacing: Sequence[float]) -> dict[str, float]:
    """The features of a mask's box (slices, rows, columns) or of a picture's (rows, 1, columns),
    whose axes are at right angles.

    spacing : mm, along the axes that the image has
    """
    _check_lengths(spacing)
    steps = np.zeros((len(spacing), 3))
    for axis, length in enumerate(spacing):
        steps[axis, 3 - len(spacing) + axis] = length
    return _shape(cut, steps)


def _shape(cut: npt.NDArray[np.uint8], steps: npt.NDArray[np.float64]) -> dict[str, float]:
    axes = len(steps)
    if max(cut.shape) > MAX_SIDE:
        raise ValueError(
            f"mask must have a box of at most {MAX_SIDE} voxels along each axis, got {cut.shape}"
        )
    sums = np.zeros(10, np.int64)
    if axes == 2:
        flat = np.zeros(3)
        _kernels.shape_of_picture(cut.swapaxes(0, 1), steps, sums, flat)
        return _of_picture(flat.tolist(), sums.tolist(), steps)
    sizes = np.zeros(6)
    _kernels.shape_of_volume(cut, steps, sums, sizes)
    area, volume, *diameters = sizes.tolist()
    least, minor, major = _variances(sums.tolist(), steps)
    of_slice, of_column, of_row, longest = diameters
    return {
        "elongation": _root(minor, major),
        "flatness": _root(least, major),
        "least_axis_length": 4 * math.sqrt(least),
        "major_axis_length": 4 * math.sqrt(major),
        "maximum_2d_diameter_column": of_column,
        "maximum_2d_diameter_row": of_row,
        "maximum_2d_diameter_slice": of_slice,
        "maximum_3d_diameter": longest,
        "mesh_volume": volume,
        "minor_axis_length": 4 * math.sqrt(minor),
        "sphericity": (36 * math.pi * volume**2) ** (1 / 3) / area,
        "surface_area": area,
        "surface_volume_ratio": area / volume if volume else math.inf,
        "voxel_volume": int(sums[0]) * abs(_determinant(steps.tolist())),
    }


def _of_picture(
    sizes: list[float], sums: list[int], steps: npt.NDArray[np.float64]
) -> dict[str, float]:
    outline, surface, diameter = sizes
    minor, major = _variances(sums, steps)[1:]
    return {
        "elongation": _root(minor, major),
        "major_axis_length": 4 * math.sqrt(major),
        "maximum_diameter": diameter,
        "mesh_surface": surface,
        "minor_axis_length": 4 * math.sqrt(minor),
        "perimeter": outline,
        "perimeter_surface_ratio": outline / surface,
        "pixel_surface": sums[0] * float(np.linalg.norm(np.cross(*steps))),
        "sphericity": 2 * math.sqrt(math.pi * surface) / outline,
    }


def _variances(sums: list[int], steps: npt.NDArray[np.float64]) -> list[float]:
    """Of the voxels' places along their principal axes, mm^2, ascending; three of them."""
    count, z, y, x, zz, yy, xx, zy, zx, yx = sums
    first = (z, y, x)
    second = ((zz, zy, zx), (zy, yy, yx), (zx, yx, xx))
    spread = [  # whole numbers until they are divided: nothing is lost
        [(count * second[a][b] - first[a] * first[b]) / count**2 for b in range(3)]
        for a in range(3)
    ]
    axes = len(steps)
    mm = steps.T @ np.array(spread)[3 - axes :, 3 - axes :] @ steps
    found = np.linalg.eigvalsh(mm)
    found[found < ROUNDING * found[-1]] = 0.0
    variances: list[float] = found.tolist()
    return variances


def _determinant(rows: list[list[float]]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = rows
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def _root(small: float, large: float) -> float:
    return math.sqrt(small / large) if large > 0 else math.nan
