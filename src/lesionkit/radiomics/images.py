"""The images that features are measured on, where the region is: the original, and what filters
make of it, under PyRadiomics' names."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lesionkit.radiomics import filters, patterns
from lesionkit.radiomics.parameters import Parameters
from lesionkit.radiomics.regions import Region, Settings
from lesionkit.radiomics.volumes import Volume, Voxels

Named = tuple[str, Voxels]
Filter = Callable[[Volume, Region, Settings], Iterator[Named]]
"""Gives names, and voxels of the region's box."""


def _said(settings: Settings, name: str, usual: Any) -> Any:
    value = settings.get(name)
    return usual if value is None else value


def _original(image: Volume, region: Region, settings: Settings) -> Iterator[Named]:
    yield "original", image.values[region.box]


def _pointwise(name: str, function: Callable[..., Voxels]) -> Filter:
    def filtered(image: Volume, region: Region, settings: Settings) -> Iterator[Named]:
        yield name, function(image.values, region.box)

    return filtered


def _gradient(image: Volume, region: Region, settings: Settings) -> Iterator[Named]:
    spacing = image.spacing[::-1] if _said(settings, "gradientUseSpacing", True) else None
    yield "gradient", filters.gradient(image.values, spacing, region.box)


def _log(image: Volume, region: Region, settings: Settings) -> Iterator[Named]:
    spacing = image.spacing[::-1]
    for sigma in settings.get("sigma") or ():
        needed = [max(4, int(np.ceil(sigma / step)) + 1) for step in spacing]
        shape = image.values.shape
        if any(n < least for n, least in zip(shape, needed, strict=True)):
            warnings.warn(
                f"LoG of sigma {sigma:g} mm is left out: it needs {needed[::-1]} voxels "
                f"or more, the image has {list(image.size)}",
                stacklevel=2,
            )
            continue
        name = f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D"
        yield name, filters.laplacian_of_gaussian(image.values, sigma, spacing, region.box)


def _wavelet(image: Volume, region: Region, settings: Settings) -> Iterator[Named]:
    axes = list(range(image.axes))[::-1]
    if settings.get("force2D"):
        axes.remove(_said(settings, "force2Ddimension", 0))
    bands = filters.wavelet(
        image.values,
        _said(settings, "wavelet", "coif1"),
        _said(settings, "level", 1),
        _said(settings, "start_level", 0),
        axes,
        region.box,
    )
    yield from bands.items()


def _lbp_2d(image: Volume, region: Region, settings: Settings) -> Iterator[Named]:
    yield (
        "lbp-2D",
        patterns.lbp_2d(
            image.values,
            _said(settings, "lbp2DRadius", 1.0),
            _said(settings, "lbp2DSamples", 8),
            _said(settings, "lbp2DMethod", "uniform"),
            _said(settings, "force2Ddimension", 0),
            region.box,
        ),
    )


def _lbp_3d(image: Volume, region: Region, settings: Settings) -> Iterator[Named]:
    if image.axes != 3:
        warnings.warn("LBP3D is left out: the image is a slice", stacklevel=2)
        return
    codes = patterns.lbp_3d(
        image.values,
        region.mask.values,
        _said(settings, "lbp3DLevels", 2),
        _said(settings, "lbp3DIcosphereRadius", 1.0),
        _said(settings, "lbp3DIcosphereSubdivision", 1),
    )
    for name, values in codes.items():
        yield name, values[region.box]


FILTERS: dict[str, Filter] = {
    "Exponential": _pointwise("exponential", filters.exponential),
    "Gradient": _gradient,
    "LBP2D": _lbp_2d,
    "LBP3D": _lbp_3d,
    "LoG": _log,
    "Logarithm": _pointwise("logarithm", filters.logarithm),
    "Original": _original,
    "Square": _pointwise("square", filters.square),
    "SquareRoot": _pointwise("squareroot", filters.square_root),
    "Wavelet": _wavelet,
}


def images(
    image: Volume, region: Region, parameters: Parameters
) -> Iterator[tuple[str, Voxels, dict[str, Any]]]:
    """Each image where the region's box is, with PyRadiomics' name of it and the settings that hold
    for it."""
    for kind, own in parameters.image_types.items():
        settings = {**parameters.settings, **own}
        for name, values in FILTERS[kind](image, region, settings):
            yield name, values, settings
