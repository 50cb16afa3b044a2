"""Ours on the texture workloads: the public calls, made and called like a peer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.texture.work import ANGLES, IN_MAPS, MAZDA, PROPERTIES, Answer, Work

Run = Callable[[], Answer]


def one_image(work: Work) -> Run:
    from lesionkit.texture import graycomatrix, graycoprops

    def run() -> Answer:
        matrices = graycomatrix(
            work["image"], [1, 2, 3, 4, 5], ANGLES, work.levels, symmetric=True, normed=True
        )
        return {name: graycoprops(matrices, name) for name in PROPERTIES} | {"P": matrices}

    return run


def small_regions(work: Work) -> Run:
    from lesionkit.texture import roi_features

    def run() -> Answer:
        found = roi_features(work["rois"], work.offsets, work.levels, log_base=math.e)
        return {name: found[..., k] for k, name in enumerate(MAZDA)}

    return run


def maps(work: Work) -> Run:
    from lesionkit.texture import feature_maps

    names = list(IN_MAPS.values())

    def run() -> Answer:
        found = feature_maps(
            work["image"], work.window, work.offsets, work.levels, names, log_base=math.e
        )
        return dict(zip(IN_MAPS, found, strict=True))

    return run


def settings(levels: int, families: list[str], given: bool = False) -> Any:
    """Bins by count; or levels that are `given`, the directions' matrices added up."""
    from lesionkit.texture.radiomics import Settings

    if given:
        return Settings(binning="levels", aggregation="3D, merged", families=tuple(families))
    return Settings(binning="count", bin_count=levels, families=tuple(families))


def region(families: list[str], given: bool, work: Work) -> Run:
    """PyRadiomics' features of these families; `given`: from levels, as pictologics wants them."""
    from lesionkit.texture import radiomics

    chosen = settings(work.levels, families, given)
    spacing = (1.0, 1.0, 1.0)

    def name(key: str) -> str:
        short = key.removeprefix("original_")
        return f"merged {short}" if given and short.startswith(("glcm", "glrlm")) else short

    def run() -> Answer:
        found = radiomics(work["bins" if given else "volume"], work["mask"], spacing, chosen)
        return {name(key): np.asarray(value) for key, value in found.items()}

    return run


def shape(work: Work) -> Run:
    from lesionkit.texture import shape_features
    from lesionkit.texture.pyradiomics_names import SHAPE

    def run() -> Answer:
        found = shape_features(work["mask"])
        return {f"shape_{theirs}": np.asarray(found[name]) for theirs, name in SHAPE.items()}

    return run


def voxels(work: Work) -> Run:
    from lesionkit.texture import voxel_features

    chosen = settings(work.levels, REGION["W6"][1:], given=False)

    def run() -> Answer:
        maps = voxel_features(work["volume"], work["mask"], None, chosen)
        inside = work["mask"]
        return {name.removeprefix("original_"): image[inside] for name, image in maps.items()}

    return run


def ours(workload: str, beside: str, work: Work) -> Run:
    """Our call that does the same work as the peer `beside`."""
    if workload in ALONE:
        return ALONE[workload](work)
    given = beside == "pictologics"
    families = [f for f in REGION[workload] if not (given and f == "firstorder")]
    return region(families, given, work)


ALONE: dict[str, Callable[[Work], Run]] = {
    "W1": one_image,
    "W2": small_regions,
    "W3": maps,
    "W7": shape,
    "W8": voxels,
}
REGION = {
    "W4": ["glcm"],
    "W5": ["glrlm"],
    "W6": ["firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"],
}
