"""Features of a region of one image, under PyRadiomics' names and in its order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lesionkit.radiomics import names
from lesionkit.radiomics.regions import Region, Settings
from lesionkit.radiomics.volumes import Voxels
from lesionkit.texture import Settings as TextureSettings
from lesionkit.texture import radiomics, shape_features, voxel_features
from lesionkit.texture.pyradiomics_names import FAMILIES

Features = dict[str, float]
Classes = Mapping[str, list[str]]


def textures(values: Voxels, region: Region, classes: Classes, settings: Settings) -> Features:
    """Of all classes but shapes: {"glcm_Contrast": ...}, in the order of the classes.

    values : of an image where the region's box is
    """
    families = [name for name in classes if not name.startswith("shape")]
    if not families:
        return {}
    spacing = region.mask.spacing[::-1]
    found = radiomics(values, region.inside(), spacing, _settings(settings, families))
    prefix = "original_"
    found = {name.removeprefix(prefix): value for name, value in found.items()}
    if "firstorder" in families:
        found["firstorder_StandardDeviation"] = math.sqrt(found["firstorder_Variance"])
    return {
        f"{family}_{name}": found[f"{family}_{name}"]
        for family in families
        for name in classes[family] or names.FEATURES[family]
        if f"{family}_{name}" in found
    }


def maps(values: Voxels, region: Region, classes: Classes, settings: Settings) -> dict[str, Voxels]:
    """Of the window about each voxel, {"glcm_Contrast": map of the region's box}; of no shapes."""
    wanted = {
        name: [one for one in features or names.FEATURES[name] if one in names.FEATURES[name]]
        for name, features in classes.items()
        if not name.startswith("shape")
    }
    asked = [f"{family}_{name}" for family, features in wanted.items() for name in features]
    if not asked:
        return {}
    if settings.get("weightingNorm"):
        raise ValueError(
            "weightingNorm must be None where voxelBased is True: maps have no weights"
        )
    found = voxel_features(
        values,
        region.inside(),
        region.mask.spacing[::-1],
        _settings(settings, list(wanted)),
        kernel_radius=settings.get("kernelRadius") or 1,
        masked_kernel=settings.get("maskedKernel") is not False,
        initial=settings.get("initValue") or 0.0,
        features=asked,
    )
    return {name: found[f"original_{name}"] for name in asked}


def shapes(region: Region, classes: Classes, settings: Settings) -> Features:
    """Of the shape classes: {"shape_Elongation": ...}."""
    found: Features = {}
    mask, axes = region.inside(), region.mask.axes
    spacing = region.mask.spacing[::-1]
    for name, features in classes.items():
        if name == "shape" and axes == 3:
            shape = _renamed("shape", shape_features(mask, spacing))
            volume, area = shape["MeshVolume"], shape["SurfaceArea"]
            shape["Compactness1"] = volume / (math.pi * area**3) ** 0.5
            shape["Compactness2"] = 36 * math.pi * volume**2 / area**3
        elif name == "shape2D" and (axes == 2 or settings.get("force2D")):
            shape = _renamed("shape2D", shape_features(*_flat(mask, spacing, settings)))
        else:  # PyRadiomics has none of a picture, and none in a plane unless force2D asks for it
            continue
        shape["SphericalDisproportion"] = 1 / shape["Sphericity"]
        found |= {
            f"{name}_{feature}": shape[feature] for feature in features or names.FEATURES[name]
        }
    return found


def _flat(mask: Any, spacing: tuple[float, ...], settings: Settings) -> tuple[Any, Any]:
    """A region of one plane, and the spacing in it."""
    if mask.ndim == 2:
        return mask, spacing
    axis = settings.get("force2Ddimension") or 0
    if mask.shape[axis] > 1:
        raise ValueError(
            f"shape2D must have a region of one plane along axis {axis} (force2Ddimension), got "
            f"{mask.shape[axis]}: leave the class out, or cut the mask into planes"
        )
    return mask.squeeze(axis), np.delete(spacing, axis)


def _renamed(family: str, features: Features) -> Features:
    return {name: features[ours] for name, ours in FAMILIES[family].items()}


def _settings(settings: Settings, families: list[str]) -> TextureSettings:
    """Ours for PyRadiomics'."""

    def said(name: str, usual: Any) -> Any:
        value = settings.get(name)
        return usual if value is None else value

    counted = settings.get("binCount") is not None
    norm = settings.get("weightingNorm")
    where = "2.5D" if settings.get("force2D") else "3D"
    apart = "direction-merged" if where == "2.5D" else "averaged"
    return TextureSettings(
        binning="count" if counted else "width",
        bin_width=said("binWidth", 25),
        bin_count=said("binCount", 32),
        aggregation=f"{where}, {'merged' if norm else apart}",  # type: ignore[arg-type]
        slice_axis=said("force2Ddimension", 0),
        distances=tuple(said("distances", (1,))),
        weighting=None if norm == "no_weighting" else norm,
        symmetric=said("symmetricalGLCM", True),
        families=tuple(families),  # type: ignore[arg-type]
        alpha=said("gldm_a", 0),
        shift=said("voxelArrayShift", 0),
    )
