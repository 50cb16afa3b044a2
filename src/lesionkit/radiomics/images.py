"""The images that features are measured on: the original, and what filters make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lesionkit.radiomics.parameters import Parameters
from lesionkit.radiomics.regions import Region, Settings
from lesionkit.radiomics.volumes import Volume

Named = tuple[str, Volume]
Filter = Callable[[Volume, Region, Settings], Iterator[Named]]


def _original(image: Volume, region: Region, settings: Settings) -> Iterator[Named]:
    yield "original", image


FILTERS: dict[str, Filter] = {"Original": _original}


def images(
    image: Volume, region: Region, parameters: Parameters
) -> Iterator[tuple[str, Volume, dict[str, Any]]]:
    """Each image with PyRadiomics' name of it and the settings that hold for it."""
    for kind, own in parameters.image_types.items():
        settings = {**parameters.settings, **own}
        if kind not in FILTERS:
            raise ValueError(f"image type {kind} must be one of {', '.join(FILTERS)}")
        for name, filtered in FILTERS[kind](image, region, settings):
            yield name, filtered, settings
