"""The stroke study's five pipelines as one writes them with scikit-image, scikit-fuzzy,
scikit-learn, scikit-fmm and SciPy: the steps and constants of `lesionkit.studies.stroke`
for an image of whole numbers, and nothing of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import skfmm
import skfuzzy
from scipy import ndimage
from skimage import feature, filters, measure, morphology, segmentation
from sklearn.cluster import KMeans

Array = Any
NORMAL = round(4095 * 0.1**0.4)


class Scene(NamedTuple):
    levels: Array
    brain: Array
    kind: str


def prepare(image: Array, kind: str) -> Scene:
    """Normalised by the brain's peak, background off, gamma, 4096 levels."""
    low, high = int(image.min()), int(image.max())
    counts, edges = np.histogram(image, np.arange(low - 0.5, high + 1))
    values = (edges[:-1] + edges[1:]) / 2
    top = np.percentile(image[image > max(low, 0)], 99, method="inverted_cdf")
    clipped = np.minimum(image, top)
    counts, edges = np.histogram(clipped, np.arange(low - 0.5, top + 1))
    begin = min(filters.threshold_otsu(hist=(counts, values[: len(counts)])), clipped.mean())
    inside = image[(image > begin) & (image < top)].astype(float)
    light, edges = np.histogram(
        inside, np.arange(inside.min() - 0.5, inside.max() + 1), weights=inside
    )
    at = ndimage.gaussian_filter1d(light, max(len(light) / 64, 1e-3), mode="nearest").argmax()
    peak = (edges[at] + edges[at + 1]) / 2
    levels = np.rint(4095 * np.clip(image * (0.1 / peak), 0, 1) ** 0.4).astype(np.uint16)
    regions = measure.label(levels > int(4095 * 0.023**0.4), connectivity=1)
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    brain = ndimage.binary_fill_holes(regions == sizes.argmax())
    return Scene(np.where(brain, levels, 0).astype(np.uint16), brain, kind)


def limits(scene: Scene, histogram: Array, whole: Array) -> tuple[int, int, int]:
    """The normal peak, and where its flanks end."""
    sigma = 2 * len(histogram) / 256
    level = int(ndimage.gaussian_filter1d(whole, sigma, mode="constant").argmax())
    slope = np.gradient(ndimage.gaussian_filter1d(histogram, sigma, mode="constant"))
    reach = round(0.15 * len(histogram))

    def flank(fall: Array) -> int:
        steep = fall.max()
        if steep <= 0:
            return len(fall) - 1
        begin = int(np.flatnonzero(fall >= 0.5 * steep)[0])
        ended = np.flatnonzero(fall[begin:] <= 0.15 * steep)
        return begin + int(ended[0]) if ended.size else len(fall) - 1

    up = flank(-slope[level : level + reach + 1])
    down = flank(slope[max(level - reach, 0) : level + 1][::-1])
    return level, level - down, level + up


def block_limits(scene: Scene) -> tuple[int, int, int]:
    """By the greatest of the histograms of 8 x 8 blocks."""
    rows, columns = scene.levels.shape
    block_rows, block_columns = np.arange(rows) * 8 // rows, np.arange(columns) * 8 // columns
    best = np.zeros(256)
    for i in range(8):
        for j in range(8):
            block = np.ix_(block_rows == i, block_columns == j)
            inside = scene.levels[block][scene.brain[block]] // 16
            best = np.maximum(best, np.histogram(inside, 256, (-0.5, 255.5))[0])
    whole = np.histogram(scene.levels[scene.brain] // 16, 256, (-0.5, 255.5))[0]
    return limits(scene, best, whole.astype(float))


def threshold(image: Array, kind: str) -> Array:
    scene = prepare(image, kind)
    _, low, high = block_limits(scene)
    gray = scene.levels // 16
    return finish(scene, outside(scene, gray, low, high), half_height)


def glcm(image: Array, kind: str) -> Array:
    scene = prepare(image, kind)
    gray = scene.levels // 32
    # Level 0 stands for what is not brain.
    marked = np.where(scene.brain, gray + 1, 0).astype(np.uint8)
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    counts = feature.graycomatrix(marked, [1], angles, levels=129, symmetric=True)
    section = np.einsum("iida->i", counts)[1:].astype(float)
    _, low, high = limits(scene, section, section)
    return finish(scene, outside(scene, gray, low, high), half_height)


def watershed(image: Array, kind: str) -> Array:
    scene = prepare(image, kind)
    level, low, high = block_limits(scene)
    gray = scene.levels
    if kind == "hypo":
        gray = np.where(scene.brain, 4095 - gray, 0).astype(np.uint16)
    disk = morphology.disk(3)
    opened = morphology.reconstruction(morphology.erosion(gray, disk), gray)
    dilated = morphology.dilation(opened, disk)
    smooth = 4095 - morphology.reconstruction(4095 - dilated, 4095 - opened)
    smooth = smooth.astype(np.uint16)
    markers = measure.label(morphology.local_maxima(smooth, connectivity=2), connectivity=2)
    normal, end = level * 16, (high + 1 if kind == "hyper" else low) * 16
    least = normal + 0.75 * (end - normal)
    outside = ~scene.brain | (smooth <= (normal if kind == "hyper" else 4095 - normal))
    markers[outside] = markers.max() + 1
    background = markers.max()
    grey32 = scene.levels.astype(np.float32)
    gradient = np.hypot(ndimage.sobel(grey32, 0), ndimage.sobel(grey32, 1))
    regions = segmentation.watershed(gradient, markers, connectivity=2)
    keep = np.zeros(background + 1, bool)
    other = mirrored(scene.levels, scene.brain) if kind == "hypo" else None
    for region in measure.regionprops(regions, scene.levels):
        if region.label == background:
            continue
        mean = region.intensity_mean
        keep[region.label] = mean > least if kind == "hyper" else mean < least
        if other is not None and keep[region.label]:
            keep[region.label] = unlike(scene, region.slice, *other)
    return finish(scene, keep[regions], half_height)


def fcm(image: Array, kind: str) -> Array:
    scene = prepare(image, kind)
    values = scene.levels[scene.brain].astype(float)
    ends = np.sort(values)
    start = ends[np.ceil((np.arange(4) + 0.5) / 4 * len(ends)).astype(int) - 1]
    start += np.arange(4) * 1e-3
    away = np.maximum(np.abs(values - start[:, None]), 1e-12) ** -2.0
    centres, *_ = skfuzzy.cmeans(
        values[None], 4, 2, error=1e-6, maxiter=100, init=away / away.sum(0)
    )
    return clustered(scene, np.sort(centres.ravel()), contour)


def kmeans(image: Array, kind: str) -> Array:
    scene = prepare(image, kind)
    values = scene.levels[scene.brain].astype(float)
    model = KMeans(4, n_init=10, random_state=0).fit(values[:, None])
    return clustered(scene, np.sort(model.cluster_centers_.ravel()), march)


def clustered(scene: Scene, centres: Array, grow: Callable[..., Array]) -> Array:
    level, low, high = block_limits(scene)
    end = high + 1 if scene.kind == "hyper" else low
    half, least = ((level + part * (end - level)) * 16 for part in (0.5, 0.75))
    borders = (centres[1:] + centres[:-1]) / 2
    if scene.kind == "hyper":
        first = min(int((centres < half).sum()), 3)
        candidates = scene.levels > max(borders[first - 1], half)
    else:
        last = max(int((centres < half).sum()) - 1, 0)
        candidates = (scene.levels < min(borders[last], half)) & scene.brain
    return finish(scene, candidates, grow, least)


def outside(scene: Scene, gray: Array, low: int, high: int) -> Array:
    return ((gray > high) if scene.kind == "hyper" else (gray < low)) & scene.brain


# --- regions --------------------------------------------------------------------------------------


def finish(
    scene: Scene, candidates: Array, grow: Callable[..., Array], least: float | None = None
) -> Array:
    other = None
    if scene.kind == "hypo":
        other = mirrored(scene.levels, scene.brain)
        candidates = alone(scene, candidates)
    labels = measure.label(candidates, connectivity=1)
    seeds = np.zeros_like(candidates)
    for region in measure.regionprops(labels, scene.levels):
        if region.area < 20:
            continue
        mean = region.intensity_mean
        if least is not None and not (mean > least if scene.kind == "hyper" else mean < least):
            continue
        if other is None or unlike(scene, region.slice, *other):
            seeds[region.slice] |= region.image
    if not seeds.any():
        return seeds
    grown = grow(scene, seeds)
    if scene.kind == "hypo" and grown.any():
        dark = (scene.levels < edge(scene, grown)) & scene.brain
        grown = grown | (dark & morphology.dilation(grown, morphology.diamond(2)))
        grown = rimmed(scene, grown)
    grown = tidy(grown, scene.brain)
    return morphology.remove_small_objects(grown, max_size=19, connectivity=1)


def rimmed(scene: Scene, grown: Array) -> Array:
    """Dark regions with their bright rims."""
    inside = scene.levels[scene.brain].astype(float)
    spread = 1.4826 * np.percentile(np.abs(inside - NORMAL), 50, method="inverted_cdf")
    bright = scene.brain & (scene.levels > NORMAL + spread)
    dark = grown | ((scene.levels < edge(scene, grown)) & scene.brain)
    out = grown.copy()
    labels = measure.label(grown, connectivity=1)
    for region in range(1, labels.max() + 1):
        part = labels == region
        whole = morphology.reconstruction(part, dark, footprint=morphology.diamond(1)) > 0
        most = 0.2
        for shape in (part, whole):
            ring = morphology.dilation(shape, np.ones((5, 5))) & scene.brain & ~shape
            if ring.any() and bright[ring].mean() > most:
                most = bright[ring].mean()
                out |= shape | (bright & ring)
    return out


def edge(scene: Scene, regions: Array) -> float:
    return 0.6 * NORMAL + 0.4 * scene.levels[regions].mean()


def beyond(scene: Scene, limit: float) -> Array:
    if scene.kind == "hyper":
        return (scene.levels > limit) & scene.brain
    return alone(scene, (scene.levels < limit) & scene.brain)


def half_height(scene: Scene, seeds: Array) -> Array:
    grown = seeds
    for _ in range(2):
        mask = beyond(scene, edge(scene, grown))
        labels = measure.label(mask, connectivity=1)
        reached = np.unique(labels[seeds & mask])
        grown = tidy(np.isin(labels, reached[reached > 0]), scene.brain)
    return grown


def contour(scene: Scene, seeds: Array) -> Array:
    median = np.median(scene.levels[scene.brain])
    side = np.maximum if scene.kind == "hyper" else np.minimum
    gray = np.where(scene.brain, side(scene.levels, median), median).astype(np.float32)
    if scene.kind == "hypo":
        dark = (scene.levels < edge(scene, seeds)) & scene.brain
        gray[dark & ~alone(scene, dark)] = median
    out = np.zeros_like(seeds)
    labels = measure.label(seeds, connectivity=1)
    for region in measure.regionprops(labels):
        box = tuple(slice(max(side.start - 8, 0), side.stop + 8) for side in region.slice)
        start = labels[box] == region.label
        level = segmentation.morphological_chan_vese(
            gray[box], 100, start, smoothing=0, lambda2=2.25
        )
        out[box] |= (level > 0) & scene.brain[box]
    return out


def march(scene: Scene, seeds: Array) -> Array:
    levels = scene.levels.astype(float)
    reference, limit = levels[seeds].mean(), edge(scene, seeds)
    away = (reference - levels) / (reference - limit)
    weight = 1 / (1e-3 + np.sqrt(np.clip(away, 0, None)))
    weight[~beyond(scene, limit)] = 1e-3
    large = morphology.remove_small_objects(seeds, max_size=200, connectivity=1)
    start = morphology.erosion(large, morphology.diamond(1)) | (seeds & ~large)
    phi = np.ma.MaskedArray(np.where(start, -1.0, 1.0), ~scene.brain)
    times = skfmm.travel_time(phi, weight, narrow=100.0, order=1)
    return ~np.ma.getmaskarray(times)


def tidy(mask: Array, brain: Array) -> Array:
    padded = np.pad(mask, 4)
    closed = morphology.closing(padded, morphology.disk(3))[4:-4, 4:-4] & brain
    out = closed.copy()
    regions = measure.label(closed, connectivity=2)
    sizes = np.bincount(regions.ravel())
    holes = measure.label(np.pad(~closed, 1, constant_values=True), connectivity=1)[1:-1, 1:-1]
    frame = measure.label(np.pad(~closed, 1, constant_values=True), connectivity=1)[0, 0]
    for hole in measure.regionprops(holes):
        first = tuple(hole.coords[0])
        if hole.label != frame and hole.area < 0.5 * sizes[regions[first[0], first[1] - 1]]:
            out[hole.slice] |= hole.image
    return out


# --- the mirror image -----------------------------------------------------------------------------


def mirrored(plane: Array, brain: Array) -> tuple[Array, Array]:
    """The plane and the brain, mirrored across the brain's long axis."""
    moments = measure.moments(brain.astype(np.uint8), 2)
    r0, c0 = moments[1, 0] / moments[0, 0], moments[0, 1] / moments[0, 0]
    central = measure.moments_central(brain.astype(np.uint8), (r0, c0), 2)
    spread = np.array([[central[2, 0], central[1, 1]], [central[1, 1], central[0, 2]]])
    values, vectors = np.linalg.eigh(spread)
    down, across = vectors[:, 1] * np.sign(vectors[0, 1] or 1.0)
    if values[1] < 1.15**2 * values[0] or abs(across) > np.sin(np.deg2rad(20)):
        down, across = 1.0, 0.0
    y, x = np.indices(plane.shape)
    away = 2 * (down * (x - c0) - across * (y - r0))
    places = np.array([y + away * across, x - away * down])
    return tuple(
        ndimage.map_coordinates(p, np.rint(places), order=0, mode="constant")
        for p in (plane, brain)
    )


def alone(scene: Scene, candidates: Array) -> Array:
    kept = morphology.remove_small_objects(candidates, max_size=4, connectivity=1)
    return candidates & ~mirrored(kept, scene.brain)[0].astype(bool)


def unlike(scene: Scene, box: Any, other: Array, other_brain: Array) -> bool:
    around = tuple(slice(max(side.start - 3, 0), side.stop + 3) for side in box)
    both = scene.brain[around] & other_brain[around].astype(bool)
    here, there = scene.levels[around][both], other[around][both]
    if both.sum() < 2 or not here.std() or not there.std():
        return True
    return bool(np.corrcoef(here, there)[0, 1] < 0.6)


TWINS: dict[str, Callable[[Array, str], Array]] = {
    "threshold": threshold,
    "glcm": glcm,
    "watershed": watershed,
    "fcm": fcm,
    "kmeans": kmeans,
}
