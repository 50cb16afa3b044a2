"""One extraction: from an image and a mask to features, step by step as PyRadiomics goes."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from lesionkit.radiomics import diagnostics, measure, prepare, regions
from lesionkit.radiomics.images import images
from lesionkit.radiomics.parameters import Parameters
from lesionkit.radiomics.regions import Region
from lesionkit.radiomics.volumes import Volume


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
    source: Source, labels: Volume, label: Any, region: Region, parameters: Parameters
) -> dict[str, Any]:
    """Features of the region that has a label in a mask of whole numbers, and diagnostics where
    additionalInfo is set."""
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
    shaped = region if settings.get("resegmentShape") else whole
    shapes = measure.shapes(shaped, parameters.features, settings)
    found = {f"original_{name}": value for name, value in shapes.items()}
    for name, values, own in images(image, region, parameters):
        features = measure.textures(values, region, parameters.features, own)
        found |= {f"{name}_{feature}": value for feature, value in features.items()}
    return {**told, **found}
