"""What PyRadiomics does to an image before it filters: normalising, resampling, cropping."""

from __future__ import annotations

import math

import numpy as np

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.radiomics.regions import (
    Region,
    Settings,
    check_within,
    region_of,
    resample_mask,
)
from lesionkit.radiomics.volumes import (
    Floats,
    Volume,
    Voxels,
    cut,
    index_of,
    like,
    of_itk,
    padded,
    simpleitk,
    to_itk,
)
from lesionkit.texture.region.discretise import READ_AS_THEY_ARE

CHUNK = 2**16  # voxels, which stay in the cache
MARGIN = 24  # voxels: a cubic spline keeps 0.27 of what lies a voxel further, so 2e-14


def normalise(image: Volume, settings: Settings) -> Volume:
    """Mean 0 and standard deviation `normalizeScale` over the whole image, `removeOutliers`
    standard deviations at most; float64."""
    values = image.values
    total, squares = value_sums(values)
    mean = total / values.size
    deviation = math.sqrt(max(squares - total * total / values.size, 0.0) / max(values.size - 1, 1))
    if not deviation > 0:
        raise ValueError(
            f"{image.path or 'image'} must hold different intensities to be normalised, all are "
            f"{mean:g}"
        )
    found: Voxels = (values.astype(np.float64) - mean) * (1 / deviation)
    most = settings.get("removeOutliers")
    if most is not None:
        np.clip(found, -most, most, out=found)
    scale = settings.get("normalizeScale")
    found *= 1 if scale is None else scale
    return like(image, found)


def value_sums(values: Voxels) -> tuple[float, float]:
    """Of all values and of their squares, both exact for whole numbers, as ITK's are."""
    rows = np.ascontiguousarray(values).reshape(-1)
    if rows.dtype in READ_AS_THEY_ARE:
        total, squares = _kernels.value_sums(rows)
        return total, squares
    parts = (rows[first : first + CHUNK] for first in range(0, rows.size, CHUNK))
    found = [_kernels.value_sums(part.astype(np.float64)) for part in parts]
    return math.fsum(part[0] for part in found), math.fsum(part[1] for part in found)


def crop(image: Volume, region: Region, about: int) -> tuple[Volume, Region]:
    """Image and region about the region's box."""
    box = padded(region.box, region.mask.values.shape, [about] * image.axes)
    return cut(image, box), region_of(cut(region.mask, box))


def wanted_spacing(region: Region, settings: Settings) -> Floats | None:
    """What to resample to along x, y, z; None where resampling is not asked for."""
    asked = settings.get("resampledPixelSpacing")
    if not asked or settings.get("interpolator") is None:
        return None
    mask = np.array(region.mask.spacing)
    if len(asked) != len(mask):
        raise ValueError(
            f"resampledPixelSpacing must have {len(mask)} numbers, as the mask has axes, got "
            f"{list(asked)}"
        )
    steps = np.where(np.array(asked, float) == 0, mask, asked)
    return np.where(np.array(region.extent[::-1]) != 1, steps, mask)


def distance(settings: Settings) -> int:
    """padDistance, in voxels."""
    found = settings.get("padDistance")
    return 5 if found is None else int(found)


def resample(
    image: Volume, region: Region, steps: Floats, settings: Settings
) -> tuple[Volume, Region]:
    """Image and region on PyRadiomics' grid, which begins where the mask does, as far as
    padDistance goes about the region.

    steps : along x, y, z, mm
    """
    mask, about = region.mask, distance(settings)
    check_within(image, region)
    if np.allclose(image.spacing, steps):
        return crop(image, region_of(resample_mask(mask, image)), about)
    grid = _grid(region, steps, about)
    module = simpleitk()
    name = settings["interpolator"]
    seen = _needed(image, grid) if name == "sitkBSpline" else image
    source = to_itk(seen)
    resampler = module.ResampleImageFilter()
    resampler.SetOutputSpacing(grid.spacing)
    resampler.SetOutputDirection(grid.direction)
    resampler.SetOutputOrigin(grid.origin)
    resampler.SetSize(grid.size)
    resampler.SetOutputPixelType(source.GetPixelID())
    resampler.SetInterpolator(getattr(module, name))
    found = of_itk(resampler.Execute(source), path=image.path)
    return found, region_of(resample_mask(mask, grid))


def _grid(region: Region, steps: Floats, about: int) -> Volume:
    """Where the resampled voxels lie; the values mean nothing."""
    mask = region.mask
    spacing, size = np.array(mask.spacing), np.array(mask.size)
    ratio = spacing / steps
    low = np.array([part.start for part in region.box[::-1]])
    high = np.array([part.stop for part in region.box[::-1]])
    first = np.maximum(np.floor((low - 0.5) * ratio - about), 0)
    last = np.minimum(np.ceil((high - 0.5) * ratio + about), np.ceil(size * ratio) - 1)
    counts = (last - first + 1).astype(int)
    voxels = int(np.prod(counts.astype(float)))
    if voxels >= 2**31:
        raise ValueError(
            f"resampledPixelSpacing {steps.tolist()} mm makes {voxels:.3g} voxels about the "
            "region, more than 2^31"
        )
    origin = mask.place(0.5 * (steps - spacing) / spacing + first / ratio)
    shape = tuple(counts[::-1].tolist())
    nothing = np.broadcast_to(np.uint8(0), shape)
    return Volume(nothing, tuple(steps.tolist()), tuple(origin.tolist()), mask.direction, mask.path)


def _needed(image: Volume, grid: Volume) -> Volume:
    """The part of an image that decides on the spline at a grid."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in grid.size])).reshape(grid.axes, -1).T
    ends = np.array([index_of(image, grid.place(corner)) for corner in corners])
    low, high = np.floor(ends.min(0)).astype(int), np.ceil(ends.max(0)).astype(int)
    box = [
        slice(max(a - MARGIN, 0), max(min(b + MARGIN + 1, n), 1))
        for a, b, n in zip(low, high, image.size, strict=True)
    ]
    return cut(image, tuple(box[::-1]))


def check_finite(image: Volume, region: Region) -> None:
    """ValueError for NaN or infinity inside the region."""
    part = image.values[region.box]
    if part.dtype.kind == "f":
        arrays.finite_inside(part, image.path or "image", region.inside())
