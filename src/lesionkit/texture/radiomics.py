"""`radiomics`: PyRadiomics' 107 features of a region, by IBSI's ways to aggregate them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit.texture import pyradiomics_names as names
from lesionkit.texture.intensity import histogram_features, intensity_features
from lesionkit.texture.region import one_window
from lesionkit.texture.region.discretise import Intensities, Region, intensities
from lesionkit.texture.region.matrices import TEXTURES, Features, Work, levels_of
from lesionkit.texture.region.settings import Family, checked_settings, families_of
from lesionkit.texture.region.settings import Settings as Settings
from lesionkit.texture.shape import shape_along


def radiomics(
    volume: Any,
    mask: Any,
    spacing: Any = None,
    settings: Settings | None = None,
    **options: Any,
) -> dict[str, float]:
    """Shape, intensity and texture features of a region: PyRadiomics' names and numbers.

    On the CPU only.

    Parameters
    ----------
    volume : (slices, rows, columns) or (rows, columns) array of real numbers
        Finite inside the mask; what stands outside is not looked at. A tensor where `mask` is one.
    mask : array of the volume's shape
        Booleans, or whole numbers, floats too, of which `settings.label` is inside; two voxels or
        more.
    spacing : sequence of float, optional
        Of voxels along each axis, in the volume's order, mm; None: 1. It matters to the shape and
        to TotalEnergy: neighbours are counted in voxels, as in IBSI and PyRadiomics.
    settings : Settings, optional
        None: PyRadiomics' defaults.
    **options : optional
        Settings by name, in place of `settings`: `bin_width=5`.

    Returns
    -------
    dict of str to float
        "original_shape_Elongation", "original_firstorder_Energy" ..., 107 names with all families,
        102 of a picture (shape2D has 9). NaN where the region has no pair of neighbours to count
        (glcm).

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1 (van Griethuysen et al., Cancer Research 77, e104, 2017), whose entropies,
    variances and directions these are; IBSI reference manual (arXiv:1612.07003v11).

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import radiomics
    >>> volume = np.random.default_rng(0).normal(100, 30, (8, 32, 32))
    >>> found = radiomics(volume, volume > 110, spacing=(5, 1, 1))
    >>> len(found), round(found["original_firstorder_Minimum"])
    (107, 110)
    >>> len(radiomics(volume, volume > 110, bin_width=5, families=("glcm",)))
    24
    """
    settings = checked_settings("radiomics", settings, options)
    if mask is None:
        raise TypeError("mask must be booleans or labels of the volume's shape, got None")
    region = intensities(volume, mask, settings.label)
    if region.voxels < 2:
        raise ValueError("mask must hold two voxels or more, got one: it has no texture")
    steps = np.ones(region.axes) if spacing is None else spacing
    mm = arrays.real(steps, "spacing", (region.axes,), "mm", above=0)
    families = families_of(settings, region.axes)
    found = measured(region, mm.tolist(), settings, families)
    return {f"original_{name}": value for name, value in found.items()}


def measured(
    region: Intensities, spacing: Sequence[float], settings: Settings, families: tuple[Family, ...]
) -> dict[str, float]:
    """{"glcm_Contrast": ...} of a region of two voxels or more.

    spacing : along each axis, mm
    """
    axis = 0 if region.axes == 2 or settings.aggregation.startswith("3D") else settings.slice_axis
    turned = region.turned(axis) if axis else region
    levels = levels_of(turned, settings, max(settings.distances))
    if {*families} - {"shape", "shape2D"}:
        _warn_of_one_bin(region, levels, settings)
    along = [spacing[axis], *spacing[:axis], *spacing[axis + 1 :]]
    work = Work(levels, settings, np.array(along))
    volume_of_voxel = math.prod(spacing)
    small = one_window.features_of(turned, levels, settings, families, volume_of_voxel)
    if small and {*families} <= {*one_window.FAMILIES}:
        return {name: small[name] for name in one_window.columns_of(families)}
    found: dict[str, float] = {}
    for family in families:
        table = names.FAMILIES[family]
        if small and family in one_window.FAMILIES:
            found |= {name: small[name] for name in one_window.columns_of((family,))}
            continue
        if family in ("shape", "shape2D"):
            features = shape_along(region.mask, spacing)
        elif family == "firstorder":
            features = _first_order(region, levels, volume_of_voxel, settings.shift)
        else:
            features = TEXTURES[family](work)
        found |= {f"{family}_{new}": float(features[old]) for new, old in table.items()}
    return found


def _warn_of_one_bin(region: Intensities, levels: Region, settings: Settings) -> None:
    """Where intensities differ and their levels do not: no texture is left."""
    spread = region.high - region.low
    if settings.binning != "width" or not 0 < spread < settings.bin_width:
        return
    if np.count_nonzero(levels.counts()) == 1:
        warnings.warn(
            f"the region falls into one bin of width {settings.bin_width:g}: choose bin_width well "
            f"below {spread:g}, over which its intensities range, or binning='count'",
            stacklevel=4,
        )


def _first_order(region: Intensities, levels: Region, volume: float, shift: float) -> Features:
    features: Features = intensity_features(region.values, "volume")
    count, mean, energy = region.voxels, features["mean"], features["energy"]
    if shift:
        with np.errstate(over="ignore"):
            energy = float(((region.values + shift) ** 2).sum())
    if not np.isfinite(energy * volume):
        raise ValueError(
            "volume must have an energy below 1.8e308 in the mask, shifted and times the volume of "
            f"a voxel, got numbers from {region.low:g} to {region.high:g}, shift {shift:g} and "
            f"{volume:g} mm^3"
        )
    return {
        **features,
        **histogram_features(levels.counts()),
        "mean": mean,
        "energy": energy,
        "total_energy": energy * volume,
        "root_mean_square": (energy / count) ** 0.5,
        # PyRadiomics' is not excess kurtosis; of equal numbers it is 0 all the same
        "kurtosis": features["kurtosis"] + 3 if features["range"] > 0 else 0.0,
    }
