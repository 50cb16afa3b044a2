"""A case that is done, in memory: what reports and pictures are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lesionkit import io
from lesionkit.studies.stroke import SEGMENTERS, Kind, Prepared
from lesionkit.studies.stroke.cases import Case
from lesionkit.studies.stroke.image.read import Images
from lesionkit.studies.stroke.prepare import Mask

RECOMMENDED, RECOMMENDED_ADC = "kmeans", "kmeans-adc"  # the thesis' best, alone and with ADC


@dataclass(frozen=True, eq=False)
class Scan:
    """A case, its images and the masks that were found."""

    case: Case
    images: Images
    scene: Prepared
    masks: Mapping[str, Mask]  # of each method
    seconds: float  # of the preprocessing

    @property
    def is_volume(self) -> bool:
        return self.scene.brain.ndim == 3

    @property
    def is_picture(self) -> bool:
        """Whether it is shown as it is: its rows go down, and nobody knows where left is."""
        return io.format_of(self.images.dwi.path) in io.RASTER

    @property
    def shown(self) -> dict[str, Mask]:
        """The masks of the methods that decide: those on both images where there are any."""
        both = {name: mask for name, mask in self.masks.items() if name.endswith("-adc")}
        return both or dict(self.masks)

    @property
    def recommended(self) -> str:
        """The method to look at first."""
        for name in (RECOMMENDED_ADC, RECOMMENDED):
            if name in self.masks:
                return name
        return next(iter(self.masks))


def kind_by(scene: Prepared) -> Kind:
    """The kind of lesion by the image alone: whether what is found bright or what is found dark is
    farther from the normal brain, in levels times pixels."""
    peak = scene.normal_peak()
    if peak is None:
        return "hyper"
    normal = peak.towards("hyper", 0)
    kinds: tuple[Kind, Kind] = ("hyper", "hypo")
    away = [
        np.abs(scene.levels[SEGMENTERS[RECOMMENDED](scene, kind)] - normal).sum() for kind in kinds
    ]
    return kinds[int(away[1] > away[0])]
