"""Seven segmenters of a tumour that is brighter than the brain, as on FLAIR.

Each has the signature

    segment(image, brain, spacing) -> mask

image   : (rows, columns) or (planes, rows, columns), float64, finite in the brain
brain   : booleans of the image's shape
spacing : mm of each axis
returns : booleans of the image's shape

Six are what the systems that the paper cites do, slice by slice: the largest piece of each. They
always answer, whether there is a tumour or not. The seventh, `halfway` (ours), joins them: the
robust scale of `mad`, two levels of which the upper one says whether there is a tumour, and the
whole volume at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import arrays, extras, fronts
from lesionkit.studies.common.holes import filled
from lesionkit.studies.common.otsu import otsu

Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.float64]

BINS = 256
MADS = 2.5  # above the median
DEVIATIONS = 1.5  # above the mean
SIGMA_OF_MAD = 1.4826  # of a normal distribution, in median absolute deviations
SURE = 3.0  # sigmas above the brain's median: what is no brain
BRAIN = 1.0  # sigmas: what is no tumour
HALF = 0.5  # of the way from the brain's median to the tumour's
ROUNDS = 10
LEAST = {2: 50.0, 3: 200.0}  # mm^2 and mm^3 of what is sure
SMOOTH = 1.0  # mm, or a pixel where these are larger
CLOSED = 3  # pixels that edges are closed by
DEEP = 3  # pixels from the rim of a bright piece: a marker of the watershed
WALKER = 130.0  # how unlikely a walker is to cross an edge


def otsu3(image: Real, brain: Mask, spacing: tuple[float, ...]) -> Mask:
    """The brightest of Otsu's three classes."""
    return _by_slice(image, brain, lambda grey, inside: grey > _otsu3(grey[inside]))


def mad(image: Real, brain: Mask, spacing: tuple[float, ...]) -> Mask:
    """More than 2.5 robust deviations above the median."""

    def bright(grey: Real, inside: Mask) -> Mask:
        middle, sigma = _robust(grey[inside])
        found: Mask = grey > middle + MADS * sigma
        return found

    return _by_slice(image, brain, bright)


def meansd(image: Real, brain: Mask, spacing: tuple[float, ...]) -> Mask:
    """More than 1.5 standard deviations above the mean."""

    def bright(grey: Real, inside: Mask) -> Mask:
        found: Mask = grey > grey[inside].mean() + DEVIATIONS * grey[inside].std()
        return found

    return _by_slice(image, brain, bright)


def sobel(image: Real, brain: Mask, spacing: tuple[float, ...]) -> Mask:
    """What strong edges by Sobel enclose, after closing (cited system 2.9)."""

    def enclosed(grey: Real, inside: Mask) -> Mask:
        deep = ndimage.binary_erosion(inside, iterations=CLOSED)  # its own rim is no edge
        edges = np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1))
        if not deep.any():
            return np.asarray(deep)
        strong = (edges > _otsu(edges[deep])) & deep
        closed = ndimage.binary_closing(np.pad(strong, CLOSED), iterations=CLOSED)
        return filled(closed)[CLOSED:-CLOSED, CLOSED:-CLOSED]

    return _by_slice(image, brain, enclosed)


def watershed(image: Real, brain: Mask, spacing: tuple[float, ...]) -> Mask:
    """Otsu's bright class, parted by water that rises from its deepest pixels; the brightest basin
    (cited systems 2.3 and 2.7)."""

    def basin(grey: Real, inside: Mask) -> Mask:
        bright = inside & (grey > _otsu(grey[inside]))
        depth = ndimage.distance_transform_edt(bright)
        markers, count = ndimage.label(depth > DEEP)
        if not count:
            return np.asarray(bright)
        labels = np.asarray(fronts.watershed(-depth, markers, mask=bright))
        means = ndimage.mean(grey, labels, np.arange(1, count + 1))
        return np.asarray(labels == 1 + int(np.argmax(means)))

    return _by_slice(image, brain, basin)


def walker(image: Real, brain: Mask, spacing: tuple[float, ...]) -> Mask:
    """Where a random walker meets sure tumour before sure brain (Grady, IEEE PAMI 28, 1768, 2006;
    scikit-image's)."""
    segmentation = extras.require("skimage.segmentation", "the walker of lesionkit brain needs")

    def reached(grey: Real, inside: Mask) -> Mask:
        middle, sigma = _robust(grey[inside])
        seeds = np.where(inside, 0, -1)
        seeds[inside & (grey > middle + SURE * sigma)] = 1
        seeds[inside & (grey < middle + BRAIN * sigma)] = 2
        if not (seeds == 1).any() or not (seeds == 2).any():
            return np.asarray(seeds == 1)
        scaled = np.where(inside, (grey - middle) / (sigma or 1.0) / SURE, 0.0)
        labels = segmentation.random_walker(scaled, seeds, beta=WALKER, mode="bf")
        found: Mask = labels == 1
        return found

    return _by_slice(image, brain, reached)


def halfway(image: Real, brain: Mask, spacing: tuple[float, ...]) -> Mask:
    """One piece, in the whole volume, that is brighter than half way from brain to tumour.

    The largest piece of 3 robust deviations above the brain's median is the tumour; one of less
    than 50 mm^2, in a volume 200 mm^3, is noise, and there is none. Its border is half way between
    both medians, found by turns until it stays, and at least 1 deviation above the brain's.
    """
    empty = np.zeros(brain.shape, bool)
    if not brain.any():
        return empty
    middle, sigma = _robust(image[brain])
    if sigma == 0:
        return empty
    smooth = [0.0] * (image.ndim - 2) + [min(SMOOTH / step, 1.0) for step in spacing[-2:]]
    grey = (ndimage.gaussian_filter(np.where(brain, image, middle), smooth) - middle) / sigma
    found, level = _piece(grey, brain, SURE), SURE
    if found.sum() * np.prod(spacing) < LEAST[image.ndim]:
        return empty
    for _ in range(ROUNDS):
        if not found.any():
            return empty
        last, level = level, max(BRAIN, HALF * float(np.median(grey[found])))
        if level == last:
            break
        found = _piece(grey, brain, level)
    return filled(found)


def _piece(grey: Real, brain: Mask, level: float) -> Mask:
    """Of the pieces above the level the one with the most sure pixels."""
    labels, _ = ndimage.label((grey > level) & brain, np.ones((3,) * grey.ndim))
    sure = np.bincount(labels[(grey > SURE) & brain], minlength=1)
    sure[0] = 0
    best = int(sure.argmax())
    return labels == best if best else np.zeros(brain.shape, bool)


SEGMENTERS: dict[str, Callable[[Real, Mask, tuple[float, ...]], Mask]] = {
    "otsu3": otsu3,
    "mad": mad,
    "meansd": meansd,
    "sobel": sobel,
    "watershed": watershed,
    "walker": walker,
    "halfway": halfway,
}


def segment(image: Any, brain: Any, method: str = "halfway", *, spacing: Any = 1.0) -> Mask:
    """The tumour by one of `SEGMENTERS`.

    Parameters
    ----------
    image : array_like, (rows, columns) or (planes, rows, columns)
        Real numbers of any unit, finite in the brain.
    brain : array_like, of the image's shape
        Booleans or whole numbers.
    method : str
        A key of `SEGMENTERS`.
    spacing : float or sequence of float
        mm of each axis, or one number for all.

    Returns
    -------
    numpy.ndarray of bool, the image's shape
        What is tumour.

    Raises
    ------
    ValueError, TypeError
        Where an argument is not as said here.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain.segmenters import segment
    >>> image = np.tile([90.0, 100.0, 110.0], (30, 10))
    >>> image[10:14, 12:18] = 300
    >>> int(segment(image, image > 0, spacing=2.0).sum())
    24
    """
    at = arrays.on_cpu(image=image, brain=brain)
    grey = arrays.image(image, "image", at, kinds="iuf")
    if grey.ndim not in (2, 3):
        raise ValueError(
            f"image must be (rows, columns) or (planes, rows, columns), got {arrays.describe(grey)}"
        )
    inside = arrays.mask(brain, grey.shape, at, "brain")
    steps = arrays.spacing_of(spacing, grey.ndim)
    find = SEGMENTERS[arrays.one_of(method, "method", tuple(SEGMENTERS))]
    finite = arrays.finite_inside(grey, "image", inside)
    return find(finite.astype(np.float64), inside, steps)


def _by_slice(image: Real, brain: Mask, bright: Callable[[Real, Mask], Mask]) -> Mask:
    """Of each slice the largest piece, holes filled, of what is bright in the brain."""
    if image.ndim == 3:
        planes = [_by_slice(*pair, bright) for pair in zip(image, brain, strict=True)]
        return np.array(planes).reshape(image.shape)
    if not brain.any() or np.ptp(image[brain]) == 0:
        return np.zeros(brain.shape, bool)
    labels, count = ndimage.label(bright(image, brain) & brain)
    if not count:
        return np.zeros(brain.shape, bool)
    return filled(labels == 1 + int(np.bincount(labels.ravel())[1:].argmax())) & brain


def _robust(values: Real) -> tuple[float, float]:
    """The median, and the standard deviation by the median absolute deviation from it."""
    middle = float(np.median(values))
    return middle, SIGMA_OF_MAD * float(np.median(np.abs(values - middle)))


def _otsu(values: Real) -> float:
    counts, edges = np.histogram(values, BINS)
    return otsu(counts, (edges[1:] + edges[:-1]) / 2)


def _otsu3(values: Real) -> float:
    """The upper of the two thresholds that part three classes with the most variance between."""
    counts, edges = np.histogram(values, BINS)
    middles = (edges[1:] + edges[:-1]) / 2
    weights = np.append(0, np.cumsum(counts))
    sums = np.append(0, np.cumsum(counts * (middles - middles[0])))

    def part(first: Any, last: Any) -> Any:
        """The part of the variance of a class, bins first to last."""
        size = weights[last] - weights[first]
        return (sums[last] - sums[first]) ** 2 / np.maximum(size, 1)

    low, high = np.arange(1, BINS - 1)[:, None], np.arange(2, BINS)[None]
    between = np.where(low < high, part(0, low) + part(low, high) + part(high, BINS), -1.0)
    upper = int(np.unravel_index(between.argmax(), between.shape)[1]) + 2
    return float(edges[upper])
