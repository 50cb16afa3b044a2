"""A small region as one window: all its features in one call of the kernel that measures windows.

Of a region of some thousand voxels calls of NumPy take longer than counting does.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit._core import texture as _kernels
from lesionkit.texture import pyradiomics_names as names
from lesionkit.texture.intensity import is_plain
from lesionkit.texture.region.discretise import Intensities, Region
from lesionkit.texture.region.matrices import MAX_TABLE, within
from lesionkit.texture.region.settings import Family, Settings

Indices = npt.NDArray[np.int64]
FAMILIES: tuple[Family, ...] = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
"""In the order of the kernel."""
AGGREGATIONS = ("3D, averaged", "2.5D, direction-merged")
MAX_VOXELS = 1 << 13  # of a region for one thread


def features_of(
    region: Intensities,
    levels: Region,
    settings: Settings,
    families: tuple[Family, ...],
    voxel: float,
) -> dict[str, float]:
    """{"glcm_Contrast": ...} of those families that are measured here; empty where the region is
    too large, or the settings are none of windows.

    voxel : mm^3
    """
    order = in_order(families)
    if not (
        order
        and region.voxels <= MAX_VOXELS
        and levels.levels <= MAX_TABLE
        and settings.aggregation in AGGREGATIONS
        and is_plain(max(-region.low, region.high, abs(settings.shift)))
    ):
        return {}
    values = padded_values(region, levels.border) if "firstorder" in order else None
    shape = levels.padded.shape
    flat = settings.aggregation.startswith("2.5D") and levels.axes == 3
    frame = [levels.border, levels.border if levels.axes == 3 else 0, levels.border]
    span = [0 if flat and not axis else shape[axis] - 2 * frame[axis] - 1 for axis in range(3)]
    far = max(settings.distances)
    limits = tuple(min(most, far) for most in span)
    columns = columns_of(order)
    out = np.empty(len(columns))
    _kernels.region_features(
        levels.padded,
        values,
        steps_within(limits, settings.distances),
        steps_within(limits, (1,)),
        **rules_of(levels, settings, order, True, voxel),
        out=out,
    )
    return dict(zip(columns, out.tolist(), strict=True))


def in_order(families: tuple[Family, ...]) -> tuple[Family, ...]:
    """Those that windows have, in the kernel's order."""
    return tuple(family for family in FAMILIES if family in families)


@cache
def columns_of(order: tuple[Family, ...]) -> tuple[str, ...]:
    """The names of the kernel's columns."""
    return tuple(f"{family}_{name}" for family in order for name in names.FAMILIES[family])


def padded_values(region: Intensities, border: int) -> npt.NDArray[np.float64]:
    """The region's numbers, where its levels are."""
    above = border if region.axes == 3 else 0
    depth, height, width = region.volume.shape
    found = np.zeros((depth + 2 * border, height + 2 * above, width + 2 * border))
    inner = slice(border, border + depth), slice(above, above + height)
    found[(*inner, slice(border, border + width))] = region.volume
    return found


def rules_of(
    levels: Region, settings: Settings, order: tuple[Family, ...], maximal: bool, voxel: float
) -> dict[str, Any]:
    """The kernel's arguments from `families` on."""
    return {
        "families": [family in order for family in FAMILIES],
        "levels": levels.levels,
        "symmetric": settings.symmetric,
        "one_level": np.count_nonzero(levels.counts()) == 1,
        "maximal": maximal,
        "alpha": min(int(settings.alpha), levels.levels),
        "shift": settings.shift,
        "voxel": voxel,
    }


@cache
def steps_within(span: tuple[int, ...], distances: tuple[int, ...]) -> Indices:
    """Steps (n, 3), each as long as one of the distances and no longer than `span` along any axis,
    of two opposite ones one."""
    every = within(3, tuple(distance for distance in distances if distance <= max(span)))
    found = [s for s in every if all(abs(part) <= far for far, part in zip(span, s, strict=True))]
    return np.array(found, np.int64).reshape(-1, 3)
