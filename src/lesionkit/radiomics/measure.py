"""Features of a region of one image, under PyRadiomics' names and in its order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from lesionkit.radiomics import names
from lesionkit.radiomics.regions import Region, Settings
from lesionkit.radiomics.volumes import Voxels
from lesionkit.texture import Settings as TextureSettings
from lesionkit.texture import shape_features, voxel_features
from lesionkit.texture.pyradiomics_names import FAMILIES
from lesionkit.texture.radiomics import measured
from lesionkit.texture.region.discretise import intensities_of
from lesionkit.texture.shape import shape_along

Features = dict[str, float]
Classes = Mapping[str, list[str]]


def textures(values: Voxels, region: Region, classes: Classes, settings: Settings) -> Features:
    """Of all classes but shapes: {"glcm_Contrast": ...}, in the order of the classes.

    values : of an image where the region's box is
    """
    families = tuple(name for name in classes if not name.startswith("shape"))
    if not families:
        return {}
    cut, part = boxes(region, values)
    inside = intensities_of(part, cut, region.mask.axes, region.voxels)
    own = _settings(settings, families)
    found = measured(inside, region.mask.spacing[::-1], own, own.families or ())
    if not any(classes[family] for family in families):
        return found
    if "firstorder" in families:
        found["firstorder_StandardDeviation"] = math.sqrt(found["firstorder_Variance"])
    wanted = (name for family in families for name in names.full(family, classes[family]))
    return {name: found[name] for name in wanted if name in found}


def boxes(region: Region, *images: Voxels) -> list[Voxels]:
    """The region's box of its mask, and images of it, as (z, y, x): a slice's rows are slices."""
    found = [region.mask.values[region.box], *images]
    return found if region.mask.axes == 3 else [part[:, None] for part in found]


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
        _settings(settings, tuple(wanted)),
        kernel_radius=settings.get("kernelRadius") or 1,
        masked_kernel=settings.get("maskedKernel") is not False,
        initial=settings.get("initValue") or 0.0,
        features=asked,
    )
    return {name: found[f"original_{name}"] for name in asked}


def shapes(region: Region, classes: Classes, settings: Settings) -> Features:
    """Of the shape classes: {"shape_Elongation": ...}."""
    found: Features = {}
    axes, spacing = region.mask.axes, region.mask.spacing[::-1]
    for name, features in classes.items():
        if name == "shape" and axes == 3:
            shape = _renamed("shape", shape_along(boxes(region)[0], spacing))
            volume, area = shape["MeshVolume"], shape["SurfaceArea"]
            shape["Compactness1"] = volume / (math.pi * area**3) ** 0.5
            shape["Compactness2"] = 36 * math.pi * volume**2 / area**3
        elif name == "shape2D" and (axes == 2 or settings.get("force2D")):
            shape = _renamed("shape2D", shape_features(*_flat(region.inside(), spacing, settings)))
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


def _settings(settings: Settings, families: tuple[str, ...]) -> TextureSettings:
    """Ours for PyRadiomics'."""

    def said(name: str, usual: Any) -> Any:
        value = settings.get(name)
        return usual if value is None else value

    counted = settings.get("binCount") is not None
    norm = settings.get("weightingNorm")
    where = "2.5D" if settings.get("force2D") else "3D"
    apart = "direction-merged" if where == "2.5D" else "averaged"
    return _made(
        binning="count" if counted else "width",
        bin_width=said("binWidth", 25),
        bin_count=said("binCount", 32),
        aggregation=f"{where}, {'merged' if norm else apart}",
        slice_axis=said("force2Ddimension", 0),
        distances=tuple(said("distances", (1,))),
        weighting=None if norm == "no_weighting" else norm,
        symmetric=said("symmetricalGLCM", True),
        families=families,
        alpha=said("gldm_a", 0),
        shift=said("voxelArrayShift", 0),
    )


@lru_cache(maxsize=16, typed=True)
def _made(**fields: Any) -> TextureSettings:
    """Those of the last few regions, which have the same mostly."""
    return TextureSettings(**fields)
