"""Regions of interest: whether they are large enough and lie on the image's grid, and what of them
stays when intensities are restricted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit._core import texture as _kernels
from lesionkit.radiomics.volumes import Box, Volume, index_of, like, simpleitk, to_itk

Settings = Mapping[str, Any]
TOLERANCE = 1e-6  # ITK's, of voxels (origin, spacing) and of cosines
OUTSIDE = 1e-3  # voxels that a region may stick out of the image before it is resampled


@dataclass(frozen=True, eq=False)
class Region:
    """Where a label is, of a mask.

    mask   : uint8, 1 inside; in the place of the mask
    box    : the smallest that holds it, along z, y, x
    voxels : inside
    """

    mask: Volume
    box: Box
    voxels: int

    @property
    def extent(self) -> tuple[int, ...]:
        """Voxels of the box along z, y, x."""
        return tuple(part.stop - part.start for part in self.box)

    def inside(self) -> npt.NDArray[np.bool_]:
        """Booleans, of the box."""
        return self.mask.values[self.box].view(np.bool_)


def region_of(mask: Volume) -> Region:
    """Of a mask of uint8, 0 and 1; without a voxel inside its box is empty."""
    values = np.ascontiguousarray(mask.values)
    flat = values if mask.axes == 3 else values[:, None]
    z0, z1, y0, y1, x0, x1, voxels = _kernels.mask_box(flat)
    box = (slice(z0, z1), slice(y0, y1), slice(x0, x1))
    return Region(like(mask, values), box if mask.axes == 3 else (box[0], box[2]), voxels)


# --- checks ---------------------------------------------------------------------------------------


def check_large(region: Region, settings: Settings) -> None:
    """ValueError where a region has too few dimensions or voxels."""
    name = region.mask.path or "mask"
    dimensions = sum(n > 1 for n in region.extent)
    least = settings.get("minimumROIDimensions") or 2
    if dimensions == 0:
        raise ValueError(f"{name} must hold two voxels or more, got one: it has no texture")
    if dimensions < least:
        kinds = {1: "a line", 2: "a plane"}
        raise ValueError(
            f"{name} must have {least} dimensions (minimumROIDimensions), got {kinds[dimensions]} "
            f"of {' x '.join(map(str, region.extent[::-1]))} voxels"
        )
    size = settings.get("minimumROISize")
    if size is not None and region.voxels <= size:
        raise ValueError(
            f"{name} must hold more than {size} voxels (minimumROISize), got {region.voxels}"
        )


def mismatch(image: Volume, mask: Volume, tolerance: float | None) -> str:
    """In words, how the mask's grid differs from the image's; "" where it does not.

    tolerance : of origin and spacing as a part of the first voxel's edge, and of cosines
    """
    most = TOLERANCE if tolerance is None else tolerance
    if image.size != mask.size:
        return f"{mask.size} voxels and not {image.size}"
    step = most * abs(image.spacing[0])
    for what, unit, limit in (
        ("origin", " mm", step),
        ("spacing", " mm", step),
        ("direction", "", most),
    ):
        off = np.abs(np.subtract(getattr(image, what), getattr(mask, what))).max()
        if off > limit:
            return f"its {what} {off:.3g}{unit} off"
    return ""


def on_grid(image: Volume, region: Region, settings: Settings) -> tuple[Region, bool]:
    """The region on the image's grid, and whether it had to be brought there (correctMask)."""
    mask = region.mask
    off = mismatch(image, mask, settings.get("geometryTolerance"))
    if not off:
        return region, False
    if not settings.get("correctMask"):
        raise ValueError(
            f"{mask.path or 'mask'} must lie on the grid of {image.path or 'the image'}, it has "
            f"{off}; geometryTolerance allows more, correctMask resamples the mask"
        )
    check_within(image, region)
    corrected = region_of(resample_mask(region.mask, image))
    if corrected.voxels == 0:
        raise ValueError(f"{mask.path or 'mask'} holds no voxel of the image after correctMask")
    return corrected, True


def check_within(image: Volume, region: Region) -> None:
    """ValueError where the region's box sticks out of the image."""
    low = np.array([part.start for part in region.box[::-1]]) - 0.5
    high = np.array([part.stop for part in region.box[::-1]]) - 0.5
    ends = [index_of(image, region.mask.place(corner)) for corner in (low, high)]
    out = np.min(ends, axis=0) < -0.5 - OUTSIDE
    out |= np.max(ends, axis=0) > np.array(image.size) - 0.5 + OUTSIDE
    if out.any():
        raise ValueError(
            f"{region.mask.path or 'mask'} must lie inside {image.path or 'the image'}, its box "
            f"goes from voxel {np.round(ends[0], 1).tolist()} to {np.round(ends[1], 1).tolist()} "
            f"of {list(image.size)}"
        )


def resample_mask(mask: Volume, like: Volume) -> Volume:
    """The nearest voxel of the mask at each of the image's, by SimpleITK."""
    module = simpleitk()
    grid = module.ResampleImageFilter()
    grid.SetOutputSpacing(like.spacing)
    grid.SetOutputOrigin(like.origin)
    grid.SetOutputDirection(like.direction)
    grid.SetSize(like.size)
    grid.SetInterpolator(module.sitkNearestNeighbor)
    values = module.GetArrayFromImage(grid.Execute(to_itk(mask)))
    return Volume(values, like.spacing, like.origin, like.direction, mask.path)


# --- intensities ----------------------------------------------------------------------------------


def resegment(image: Volume, region: Region, settings: Settings) -> Region:
    """What of a region lies within resegmentRange, by resegmentMode."""
    limits = sorted(settings["resegmentRange"])
    mode = settings.get("resegmentMode") or "absolute"
    inside = region.inside()
    part = image.values[region.box]
    values = part[inside]
    if mode == "relative":
        limits = [values.max() * x for x in limits]
    elif mode == "sigma":
        mean, deviation = np.mean(values), np.std(values)
        limits = [mean + deviation * x for x in limits]
    keep = inside & (part >= limits[0])
    if len(limits) == 2:
        keep &= part <= limits[1]
    kept = int(keep.sum())
    if kept <= 1:
        raise ValueError(
            f"resegmentRange must leave two voxels or more, {mode} {settings['resegmentRange']} "
            f"leaves {kept} of {region.voxels}, whose intensities are {values.min():g} to "
            f"{values.max():g}"
        )
    whole = np.zeros(region.mask.values.shape, np.uint8)
    whole[region.box] = keep
    return region_of(like(region.mask, whole))
