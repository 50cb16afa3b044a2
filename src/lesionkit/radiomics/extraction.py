"""One extraction: from an image and a mask to features, step by step as PyRadiomics goes."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

from lesionkit.radiomics import diagnostics, measure, prepare, regions
from lesionkit.radiomics.images import images
from lesionkit.radiomics.parameters import Parameters
from lesionkit.radiomics.regions import Region
from lesionkit.radiomics.volumes import Volume, cut, like, padded, to_itk


class Source:
    """An image that several regions share, and what is made of it once."""

    def __init__(self, image: Volume) -> None:
        self.image = image
        self._normalised: dict[tuple[Any, Any], Volume] = {}

    @cached_property
    def told(self) -> dict[str, Any]:
        """Its diagnostics."""
        return diagnostics.of_image(self.image, "original")

    def normalised(self, settings: regions.Settings) -> Volume:
        """The image, with mean 0 where `normalize` asks for it."""
        if not settings.get("normalize"):
            return self.image
        key = settings.get("normalizeScale"), settings.get("removeOutliers")
        if key not in self._normalised:
            self._normalised[key] = prepare.normalise(self.image, settings)
        return self._normalised[key]


def extract(
    source: Source,
    labels: Volume,
    label: Any,
    region: Region,
    parameters: Parameters,
    voxel_based: bool = False,
) -> dict[str, Any]:
    """Features of the region that has a label in a mask of whole numbers, and diagnostics where
    additionalInfo is set.

    voxel_based : maps in place of features, as SimpleITK's images
    """
    settings = {**parameters.settings, "label": label}
    told: dict[str, Any] = {}
    if additional := settings.get("additionalInfo", False):
        told |= diagnostics.versions()
        told |= diagnostics.configuration(settings, parameters.image_types)
        told |= source.told
        told |= diagnostics.of_mask(labels, region, None, "original")

    def tell(image: Volume, region: Region, kind: str) -> None:
        if additional:
            if kind == "interpolated":
                told.update(diagnostics.of_image(image, kind))
            told.update(diagnostics.of_mask(None, region, image, kind))

    image = source.normalised(settings)
    steps = prepare.wanted_spacing(region, settings)
    if steps is not None:
        image, region = prepare.resample(image, region, steps, settings)
        if region.voxels == 0:
            raise ValueError(f"{labels.path or 'mask'} holds no voxel after resampling")
        tell(image, region, "interpolated")
    else:
        region, corrected = regions.on_grid(image, region, settings)
        if corrected:
            tell(image, region, "corrected")
        if settings.get("preCrop"):
            image, region = prepare.crop(image, region, prepare.distance(settings))
    regions.check_large(region, settings)
    prepare.check_finite(image, region)
    whole = region
    if settings.get("resegmentRange") is not None:
        region = regions.resegment(image, region, settings)
        regions.check_large(region, settings)
        tell(image, region, "resegmented")
    if voxel_based:
        return told | _maps(image, region, parameters)
    shaped = region if settings.get("resegmentShape") else whole
    return told | features(image, region, shaped, parameters)


def features(
    image: Volume, region: Region, shaped: Region, parameters: Parameters
) -> dict[str, float]:
    """Of a prepared image and region, on one grid.

    shaped : the region whose shape is measured
    """
    shapes = measure.shapes(shaped, parameters.features, parameters.settings)
    found = dict(zip(_names("original", tuple(shapes)), shapes.values(), strict=True))
    for name, values, own in images(image, region, parameters):
        textures = measure.textures(values, region, parameters.features, own)
        found.update(zip(_names(name, tuple(textures)), textures.values(), strict=True))
    return found


@lru_cache(maxsize=64)
def _names(image: str, features: tuple[str, ...]) -> tuple[str, ...]:
    """The features' names of an image; most regions have the same."""
    return tuple(f"{image}_{feature}" for feature in features)


def _maps(image: Volume, region: Region, parameters: Parameters) -> dict[str, Any]:
    """Of each image and feature, where the region's box is and a window's radius about it."""
    radius = parameters.settings.get("kernelRadius") or 1
    box = padded(region.box, region.mask.values.shape, [radius] * image.axes)
    wide = replace(region, box=box)
    place = cut(region.mask, box)
    found = {}
    for kind, values, own in images(image, wide, parameters):
        for name, voxels in measure.maps(values, wide, parameters.features, own).items():
            found[f"{kind}_{name}"] = to_itk(like(place, voxels))
    return found
