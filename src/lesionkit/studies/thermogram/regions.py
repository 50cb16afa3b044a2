"""Regions of a segmented thermogram: shape, contour, area, colours; and the paper's stages."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, extras
from lesionkit.studies.thermogram.clusters import NAMES, Clusters

Mask = npt.NDArray[np.bool_]
STAGES = ("none", "initial", "middle", "advanced")
SPOT = 0.01  # of a breast that is red: less is none
LARGE = 0.25  # more is a whole breast


class Region(NamedTuple):
    """A region of the clusters' picture."""

    number: int
    cluster: str
    area: int  # pixels
    share: float  # of the picture
    row: float  # of its centre
    column: float
    perimeter: float  # pixels, of its contour
    compactness: float  # perimeter^2 / (4 pi area): 1 for a disc, more for anything else
    elongation: float  # long axis over short axis of the ellipse of equal moments
    solidity: float  # its fraction of its convex hull
    red: float  # means of its colours
    green: float
    blue: float


def describe(found: Clusters) -> list[Region]:
    """Each region of the clusters, the largest first. Needs scikit-image."""
    measure = extras.require("skimage.measure", "shapes of regions need")
    rows = []
    for props in measure.regionprops(found.regions):
        where = found.regions == props.label
        cluster = int(found.labels[where][0])
        length = max(float(props.perimeter), 1.0)
        short = float(props.axis_minor_length)
        colours = found.rgb[where].mean(0)
        row, column = map(float, props.centroid)
        rows.append(
            Region(
                number=int(props.label),
                cluster=NAMES[cluster - 1],
                area=int(props.area),
                share=float(props.area / found.regions.size),
                row=row,
                column=column,
                perimeter=length,
                compactness=length**2 / (4 * np.pi * float(props.area)),
                elongation=float(props.axis_major_length) / short if short > 0 else np.inf,
                solidity=float(props.solidity),
                red=float(colours[0]),
                green=float(colours[1]),
                blue=float(colours[2]),
            )
        )
    return sorted(rows, key=lambda region: -region.area)


class Colours(NamedTuple):
    """The colours of a cluster, as the paper's Tables 2 and 3 have them: from the 5th to the 95th
    percentile of each channel."""

    cluster: str
    share: float  # of the picture
    red: tuple[int, int]
    green: tuple[int, int]
    blue: tuple[int, int]


def colours(found: Clusters) -> list[Colours]:
    """The colour distribution of each cluster that is there."""
    rows = []
    for number, name in enumerate(NAMES, 1):
        where = found.labels == number
        if where.any():
            low, high = np.percentile(found.rgb[where], (5, 95), axis=0).round().astype(int)
            ends = [(int(a), int(b)) for a, b in zip(low, high, strict=True)]
            rows.append(Colours(name, float(where.mean()), *ends))
    return rows


def stage_of(red: Any, breasts: tuple[Any, Any]) -> str:
    """The paper's stages, in its words: a small red spot; one breast red; both breasts red.

    red, breasts : masks of one shape, (rows, columns)
    "none" where less than 1 per cent of each breast is red; "advanced" where a quarter or more of
    both is, "middle" where that of one is, else "initial". The paper gives no thresholds: these are
    ours. No image that could be had has a stage, so this has never been scored.
    """
    shape = np.shape(red)
    masks = [
        arrays.mask(m, shape, arrays.home(**{name: m}), name, image="red")
        for name, m in (("red", red), ("breasts", breasts[0]), ("breasts", breasts[1]))
    ]
    fractions = [float(masks[0][side].mean()) if side.any() else 0.0 for side in masks[1:]]
    large = sum(fraction >= LARGE for fraction in fractions)
    if large:
        return STAGES[1 + large]
    return STAGES[int(max(fractions) >= SPOT)]


def scaled(mask: Mask, size: int) -> Mask:
    """A mask in the clusters' picture: (size, size), the nearest pixels."""
    rows, columns = (
        np.minimum(((np.arange(size) + 0.5) * side / size).astype(int), side - 1)
        for side in mask.shape
    )
    return np.asarray(mask[np.ix_(rows, columns)])
