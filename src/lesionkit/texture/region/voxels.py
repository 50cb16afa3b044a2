"""`voxel_features`: PyRadiomics' features of the window about each voxel of a mask, as maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture import pyradiomics_names as names
from lesionkit.texture.region.discretise import Intensities, intensities, mask_parts
from lesionkit.texture.region.matrices import levels_of
from lesionkit.texture.region.one_window import (
    AGGREGATIONS,
    FAMILIES,
    columns_of,
    in_order,
    padded_values,
    rules_of,
    steps_within,
)
from lesionkit.texture.region.settings import Family, Settings, checked_settings

Indices = npt.NDArray[np.int64]
MAX_PLACES = 4096  # voxels of a window
AT_ONCE = 1 << 15  # windows whose features wait to be written into maps


def voxel_features(
    volume: Any,
    mask: Any,
    spacing: Any = None,
    settings: Settings | None = None,
    *,
    kernel_radius: int = 1,
    masked_kernel: bool = True,
    initial: float = 0.0,
    features: Sequence[str] | None = None,
    **options: Any,
) -> dict[str, npt.NDArray[np.float64]]:
    """Features of the window about each voxel of a mask: PyRadiomics' voxel-based maps.

    Levels are those of the region as a whole. On the CPU only.

    Parameters
    ----------
    volume : (slices, rows, columns) or (rows, columns) array of real numbers
        Finite inside the mask, or wherever a window looks.
    mask : array of the volume's shape
        Booleans, or whole numbers of which `settings.label` is inside; two voxels or more.
    spacing : sequence of float, optional
        Of voxels along each axis, in the volume's order, mm; None: 1. It matters to TotalEnergy.
    settings : Settings, optional
        None: PyRadiomics' defaults. The aggregation is "3D, averaged", or for windows within slices
        "2.5D, direction-merged"; there is no weighting, and no shape.
    kernel_radius : int, default 1
        Voxels from the middle of a window to its side; a window has 4,096 voxels or fewer.
    masked_kernel : bool, default True
        Whether only voxels of the mask count. False: all that lie in the window, with the levels of
        the mask's box, wider by the radius.
    initial : float, default 0
        What stands outside the mask (PyRadiomics' initValue).
    features : sequence of str, optional
        Which maps: names such as "glcm_Contrast". None: all of the families.
    **options : optional
        Settings by name, in place of `settings`: `bin_width=5`.

    Returns
    -------
    dict of str to array of float64, of the volume's shape
        "original_firstorder_Energy" ..., 93 maps of 8 bytes a voxel with all families. NaN where a
        window has no pair of neighbours (glcm) or no two voxels on a line (glrlm).

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1, voxel-based extraction. Where a window has a direction without a pair, it has
    no map of MCC at all: its eigenvalue solver refuses NaN. Here these directions are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import voxel_features
    >>> volume = np.random.default_rng(0).normal(100, 30, (8, 32, 32))
    >>> maps = voxel_features(volume, volume > 90, families=("glcm", "ngtdm"), initial=np.nan)
    >>> len(maps), maps["original_glcm_Contrast"].shape
    (29, (8, 32, 32))
    """
    settings = checked_settings("voxel_features", settings, options)
    families = _families(settings)
    radius = arrays.integer(kernel_radius, "kernel_radius", at_least=1)
    masked = arrays.flag(masked_kernel, "masked_kernel")
    if not (isinstance(initial, float) and math.isnan(initial)):
        initial = arrays.number(initial, "initial")
    wanted = _wanted(features, families)
    home = arrays.on_cpu("voxel_features", volume=volume, mask=mask)
    parts = mask_parts(mask, settings.label, home)
    inside, axes = parts.inside, parts.inside.ndim
    if parts.voxels < 2:
        raise ValueError("mask must hold two voxels or more, got one: it has no texture")
    given = np.ones(axes) if spacing is None else spacing
    mm = arrays.real(given, "spacing", (axes,), "mm", above=0)
    flat = settings.aggregation.startswith("2.5D") or axes == 2
    reach = (radius, 0, radius) if axes == 2 else (0 if flat else radius, radius, radius)
    if math.prod(2 * far + 1 for far in reach) > MAX_PLACES:
        raise ValueError(
            f"kernel_radius must make windows of at most {MAX_PLACES} voxels, got {radius}"
        )
    corner = [part.start for part in parts.box]
    if masked:
        region = intensities(volume, inside)
    else:
        counted = np.zeros(inside.shape, bool)
        solid = counted if axes == 3 else counted[:, None]
        wide = [slice(max(part.start - radius, 0), part.stop + radius) for part in parts.box]
        if axes == 2:
            wide[1] = slice(0, 1)
        solid[tuple(wide)] = True
        corner = [part.start for part in wide]
        region = intensities(volume, counted)
    places = np.argwhere(inside if axes == 3 else inside[:, None]) - corner
    axis = settings.slice_axis if flat and axes == 3 else 0
    if axis:
        region = region.turned(axis)
        places = places[:, [axis, *(other for other in range(3) if other != axis)]]
    found = _Windows(
        region, settings, families, radius, reach, float(mm.prod()), "glcm_MCC" in wanted
    )
    maps = {name: np.full(inside.shape, initial) for name in wanted}
    columns = {name: found.columns[name] for name in wanted}
    at = np.flatnonzero(inside)
    for first in range(0, len(at), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        values = found.measure(places[some])
        for name, column in columns.items():
            maps[name].reshape(-1)[at[some]] = values[:, column]
    return {f"original_{name}": image for name, image in maps.items()}


class _Windows:
    """Windows of one form in a region, and which column of their features has which name."""

    def __init__(
        self,
        region: Intensities,
        settings: Settings,
        families: tuple[Family, ...],
        radius: int,
        reach: tuple[int, int, int],
        voxel: float,
        maximal: bool,
    ) -> None:
        self.levels = levels_of(region, settings, radius)
        order = in_order(families)
        self.columns = {name: k for k, name in enumerate(columns_of(order))}
        self.values = padded_values(region, radius) if "firstorder" in order else None
        self.border = np.array([radius, radius if region.axes == 3 else 0, radius])
        span = tuple(2 * far for far in reach)
        self.arguments = (
            steps_within(span, settings.distances),
            steps_within(span, (1,)),
            reach,
        )
        self.rules = rules_of(self.levels, settings, order, maximal, voxel)

    def measure(self, places: Indices) -> npt.NDArray[np.float64]:
        """(n, features) of the windows about places (n, 3) of the region's box."""
        at = places + self.border
        shape = self.levels.padded.shape
        middles = np.ascontiguousarray(np.ravel_multi_index(tuple(at.T), shape), dtype=np.int64)
        out = np.empty((len(places), len(self.columns)))
        _kernels.window_features(
            self.levels.padded, self.values, middles, *self.arguments, **self.rules, out=out
        )
        return out


def _families(settings: Settings) -> tuple[Family, ...]:
    if settings.aggregation not in AGGREGATIONS:
        known = "' or '".join(AGGREGATIONS)
        raise ValueError(f"aggregation must be '{known}' for maps, got {settings.aggregation!r}")
    chosen = settings.families
    if chosen is None:
        return tuple(family for family in get_args(Family) if family in FAMILIES)
    if without := {*chosen} - {*FAMILIES}:
        raise ValueError(
            f"families must be of {', '.join(FAMILIES)} for maps, got {min(without)!r}"
        )
    return chosen


def _wanted(features: Sequence[str] | None, families: tuple[Family, ...]) -> list[str]:
    every = [f"{family}_{name}" for family in families for name in names.FAMILIES[family]]
    if features is None:
        return every
    if isinstance(features, str) or not {*features} <= {*every} or not features:
        raise ValueError(
            f"features must be names such as {every[0]!r}, of the families "
            f"{', '.join(families)}, got {features!r}"
        )
    return list(dict.fromkeys(features))
