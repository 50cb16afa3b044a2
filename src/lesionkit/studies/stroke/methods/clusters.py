"""Two segmenters of the stroke study that begin with clusters of grey levels: fuzzy c-means with an
active contour, and k-means with fast marching.

Noor, thesis, 2020; IJECE 9(3), 2019 (fuzzy c-means and active contour). Numbers of clusters, boxes
and weights are our choice: the texts at hand do not have them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from lesionkit.clustering import FuzzyCMeans, KMeans, Segmentation
from lesionkit.fronts import arrival_time, morphological_chan_vese
from lesionkit.studies.stroke.histograms import DISTINCT, Peak
from lesionkit.studies.stroke.mirror import asymmetric
from lesionkit.studies.stroke.morphology import label
from lesionkit.studies.stroke.prepare import Kind, Mask, Prepared, box_of, kind_of, prepared
from lesionkit.studies.stroke.regions import MIN_PIXELS, Place, connected, large, lesions

CLUSTERS = 4  # fluid, white and grey matter, lesion
PASSES = 100  # of fuzzy c-means, at most
CONTOUR = 100  # iterations
SMOOTHING = 0  # regions are closed and filled afterwards
BOX = 8  # pixels around a region
MIN_WEIGHT = 1e-3
STOP = 100.0
LARGE = 200  # pixels: seeds of more are eroded


def fcm_contour(image: Any, kind: Kind = "hyper", *, smallest: int = MIN_PIXELS) -> Mask:
    """Lesions by fuzzy c-means, their borders by an active contour.

    1. Fuzzy c-means of the brain's S: 4 clusters, m = 2, at most 100 passes, centres begun at
       quantiles.
    2. The brightest cluster (the darkest for hypointense lesions), and those next to it whose
       centres are nearer to the threshold of `adaptive_threshold` than to the normal peak. Of these
       the pixels that are nearer to it, too, in regions whose mean is three quarters of the way
       there: a brain without a lesion has a brightest cluster as well.
    3. Contours without edges (morphological Chan-Vese, 100 iterations) from each region, inside its
       box and 8 pixels around, what is not brain filled with the brain's median, and so what lies
       on the other side of it than lesions: else the two regions found would be brain and air, or
       fluid. Weights 1 and 2.25 put the edge 0.4 of the way from one region's mean to the other's,
       where the other methods have it.

    Volumes have one set of clusters, contours are of slices.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array
        As for :func:`preprocess`, or what that returns.
    kind : {"hyper", "hypo"}, default "hyper"
        Lesions brighter than the normal brain (acute, sub-acute), or darker ones (chronic).
    smallest : int, default 20
        Pixels of the smallest region in a slice.

    Returns
    -------
    array of bool, of the image's shape
        True in lesions; all False where there is none.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Noor, thesis, 2020; IJECE 9(3), 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import SEGMENTERS
    >>> row, column = np.ogrid[:128, :128]
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> slice_ = np.where(np.hypot(row - 64, column - 64) < 50, 100.0, 0.0) + 60 * lesion
    >>> slice_ *= np.random.default_rng(0).normal(1, 0.04, slice_.shape)
    >>> found = SEGMENTERS["fcm"](slice_)
    >>> (found == lesion).mean().item() > 0.999
    True
    """
    return _segment(image, kind, smallest, fuzzy, contour)


def kmeans_marching(image: Any, kind: Kind = "hyper", *, smallest: int = MIN_PIXELS) -> Mask:
    """Lesions by k-means, grown by fast marching: the thesis' best.

    1. k-means of the brain's S, 4 clusters, the best there are (the thesis: of several starts).
    2. Seeds: the brightest (darkest) cluster as in `fcm_contour`; larger than 200 pixels, eroded
       by one.
    3. Weights W = 1 / (0.001 + (d / c)^0.5), d being how far S is from the seeds' mean on the
       normal brain's side, and c where the edge is, 0.6 of the way to the normal level; from c on
       W = 0.001.
    4. Fast marching, |grad T| W = 1, from the seeds; lesion is T <= 100.

    The thesis divides T by its maximum, so that its threshold depends on the size of the image.
    MATLAB's c = 25 of 255 reaches normal tissue where a lesion is faint. A pixel beyond c takes a
    time of 1000, so that any limit from some 20 to some 900 gives nearly the same regions. Volumes
    have one set of clusters, fronts are of slices.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array
        As for :func:`preprocess`, or what that returns.
    kind : {"hyper", "hypo"}, default "hyper"
        Lesions brighter than the normal brain (acute, sub-acute), or darker ones (chronic).
    smallest : int, default 20
        Pixels of the smallest region in a slice.

    Returns
    -------
    array of bool, of the image's shape
        True in lesions; all False where there is none.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Noor, thesis, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import SEGMENTERS
    >>> row, column = np.ogrid[:128, :128]
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> slice_ = np.where(np.hypot(row - 64, column - 64) < 50, 100.0, 0.0) + 60 * lesion
    >>> slice_ *= np.random.default_rng(0).normal(1, 0.04, slice_.shape)
    >>> found = SEGMENTERS["kmeans"](slice_)
    >>> (found == lesion).mean().item() > 0.999
    True
    """
    return _segment(image, kind, smallest, _hard, march)


def _segment(image: Any, kind: Kind, smallest: int, centres_of: Any, grow: Any) -> Mask:
    scene, kind = prepared(image), kind_of(kind)
    found = scene.normal_peak()
    cores = _cores(scene, kind, centres_of, found)
    least = None if found is None else found.towards(kind, DISTINCT)
    return lesions(cores, scene, kind, smallest, grow, least)


def fuzzy_cores(scene: Prepared, kind: Kind, found: Peak | None) -> Mask:
    """Steps 1 and 2 of `fcm_contour`, whatever the means; found : of `normal_peak`"""
    return _cores(scene, kind, fuzzy, found, DISTINCT)


def hard_cores(scene: Prepared, kind: Kind, found: Peak | None) -> Mask:
    """Steps 1 and 2 of `kmeans_marching`, whatever the means; found : of `normal_peak`"""
    return _cores(scene, kind, _hard, found, DISTINCT)


def _cores(
    scene: Prepared, kind: Kind, centres_of: Any, found: Peak | None, part: float = 0.5
) -> Mask:
    counts = np.bincount(scene.levels[scene.brain])
    if found is None or np.count_nonzero(counts) < CLUSTERS:
        return np.zeros_like(scene.brain)
    centres = np.sort(np.asarray(centres_of(scene).cluster_centers_, np.float64).ravel())
    # Cluster i lies between borders i and i + 1.
    borders = np.concatenate([[-np.inf], (centres[1:] + centres[:-1]) / 2, [np.inf]])
    half = found.towards(kind, part)
    if kind == "hyper":
        first = min(int(np.searchsorted(centres, half)), CLUSTERS - 1)
        return np.asarray(scene.levels > max(borders[first], half))
    last = max(int(np.searchsorted(centres, half)) - 1, 0)
    return np.asarray((scene.levels < min(borders[last + 1], half)) & scene.brain)


def fuzzy(scene: Prepared, passes: int = PASSES) -> Any:
    """Fuzzy c-means of the brain's levels, begun at quantiles, fitted."""
    ends = np.cumsum(np.bincount(scene.levels[scene.brain]))
    quantiles = (np.arange(CLUSTERS) + 0.5) / CLUSTERS * ends[-1]
    start = np.searchsorted(ends, quantiles).astype(np.float64)
    start += np.arange(CLUSTERS) * 1e-3  # quantiles may fall together
    model = FuzzyCMeans(CLUSTERS, init=start[:, None], max_iter=passes, tol=1e-5)
    return Segmentation(scene.levels, model, scene.brain).estimator


def _hard(scene: Prepared) -> Any:
    """The best k-means there is, fitted."""
    return Segmentation(scene.levels, KMeans(CLUSTERS, init="optimal"), scene.brain).estimator


def contour(seeds: Mask, place: Place) -> Mask:
    """Step 3 of `fcm_contour`."""
    scene = place.scene
    brain = scene.brain
    median = np.median(scene.levels[brain])
    side = np.maximum if place.kind == "hyper" else np.minimum
    gray = np.where(brain, side(scene.levels, median), median).astype(np.float32)
    if place.mirror is not None:  # ventricles are filled, too
        dark = (scene.levels < place.edge(seeds)) & brain
        gray[dark & ~asymmetric(dark, place.mirror, place.like)] = median
    labels, _ = label(seeds)
    out = np.zeros_like(seeds)
    for number, region in enumerate(ndimage.find_objects(labels), 1):
        box = tuple(slice(max(side.start - BOX, 0), side.stop + BOX) for side in region)
        if min(gray[box].shape) < 2:  # a line has no contour
            out[box] |= labels[box] == number
            continue
        level = morphological_chan_vese(
            gray[box], CONTOUR, labels[box] == number, SMOOTHING, lambda2=(1 / place.share - 1) ** 2
        )
        out[box] |= (level > 0) & brain[box]
    return out


def march(seeds: Mask, place: Place) -> Mask:
    """Steps 2 to 4 of `kmeans_marching`."""
    reference, edge = float(place.scene.levels[seeds].mean()), place.edge(seeds)
    if reference == edge:  # seeds as the normal brain: nothing to grow into
        return seeds
    # What the front cannot reach in time need not be looked at.
    open_ = connected(place.beyond(edge) | seeds, seeds)
    box = box_of(open_)
    levels, seeds = place.scene.levels[box], seeds[box]
    away = (reference - levels) / (reference - edge)  # 1 at the edge, whatever the kind
    weight = 1 / (MIN_WEIGHT + np.sqrt(np.clip(away, 0, None)))
    weight[~open_[box]] = 0
    sizes = large(seeds, LARGE + 1)
    start = ndimage.binary_erosion(sizes) | (seeds & ~sizes)
    if not start.any():
        start = seeds
    border = start & ~ndimage.binary_erosion(start, border_value=1)  # fronts begin nowhere else
    times = arrival_time(weight, np.argwhere(border if border.any() else start), stop=STOP)
    out = np.zeros_like(open_)
    out[box] = np.isfinite(times) | start
    return out
