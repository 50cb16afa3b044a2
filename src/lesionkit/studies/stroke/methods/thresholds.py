"""Two segmenters of the stroke study that look for grey levels: adaptive threshold, and GLCM.

Adaptive threshold: Noor et al., JTEC 3(2), 2011; IJET, 2014. GLCM: IEEE, May 2011, 284-289. The
equations were not at hand; what was chosen here is marked so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.studies.stroke.histograms import BINS, GRID, TOP, Levels, Peak, peak
from lesionkit.studies.stroke.prepare import Kind, Mask, Prepared, kind_of, prepared
from lesionkit.studies.stroke.regions import MIN_PIXELS, lesions

LEVELS = 128  # Ng of the GLCM


def adaptive_threshold(
    image: Any, kind: Kind = "hyper", *, smallest: int = MIN_PIXELS, grid: int = GRID
) -> Mask:
    """Lesions beyond a threshold that the histograms of blocks give.

    1. A grid of 8 x 8 blocks; a histogram of each, 256 bins, brain pixels only.
    2. H(i), the greatest of these for each grey level i.
    3. D, the gradient of H smoothed by 2 bins.
    4. The threshold is the first level beyond the steep fall of the normal peak where D is about 0
       again: above the peak for hyperintense lesions, below it for hypointense ones.
    5. Lesion is what lies beyond it (regions: see `regions.lesions`).

    The peak is the whole brain's, not that of H, which a lesion that fills a block may lead (our
    choice). Volumes: each slice has its blocks, and all share the threshold.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array
        As for :func:`preprocess`, or what that returns.
    kind : {"hyper", "hypo"}, default "hyper"
        Lesions brighter than the normal brain (acute, sub-acute), or darker ones (chronic).
    smallest : int, default 20
        Pixels of the smallest region in a slice.
    grid : int, default 8
        Blocks along each side.

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
    Noor et al., JTEC 3(2), 2011; IJET, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import SEGMENTERS
    >>> row, column = np.ogrid[:128, :128]
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> slice_ = np.where(np.hypot(row - 64, column - 64) < 50, 100.0, 0.0) + 60 * lesion
    >>> slice_ *= np.random.default_rng(0).normal(1, 0.04, slice_.shape)
    >>> found = SEGMENTERS["threshold"](slice_)
    >>> (found == lesion).mean().item() > 0.999
    True
    """
    scene, kind = prepared(image), kind_of(kind)
    found = scene.normal_peak(arrays.integer(grid, "grid", at_least=1))
    return lesions(threshold_cores(scene, kind, found), scene, kind, smallest)


def threshold_cores(scene: Prepared, kind: Kind, found: Peak | None) -> Mask:
    """Step 5 of `adaptive_threshold`; found : of `normal_peak`, steps 1 to 4"""
    return beyond(_binned(scene.levels, BINS), scene.brain, found, kind)


def glcm(image: Any, kind: Kind = "hyper", *, smallest: int = MIN_PIXELS) -> Mask:
    """Lesions by the main diagonal of the co-occurrence matrix.

    1. 128 grey levels; pairs of brain pixels at distance 1, 0, 45, 90 and 135 degrees, summed.
    2. The cross-section c(i) = P(i, i): pairs within regions.
    3. Thresholds on both sides of the normal peak of c, by the rule of `adaptive_threshold`.
    4. Region information: both pixels of a pair beyond the threshold. Boundary information: one.
    5. Lesion is the pixels of region pairs, and of boundary pairs the one that lies beyond.

    Volumes: pairs within slices, one matrix.

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
    IEEE, May 2011, 284-289; Haddon and Boyce, IEEE PAMI 12, 1990, on regions and boundaries in the
    matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import SEGMENTERS
    >>> row, column = np.ogrid[:128, :128]
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> slice_ = np.where(np.hypot(row - 64, column - 64) < 50, 100.0, 0.0) + 60 * lesion
    >>> slice_ *= np.random.default_rng(0).normal(1, 0.04, slice_.shape)
    >>> found = SEGMENTERS["glcm"](slice_)
    >>> (found == lesion).mean().item() > 0.999
    True
    """
    scene, kind = prepared(image), kind_of(kind)
    # A pixel beyond the threshold is in some pair unless it is the only brain pixel around.
    return lesions(glcm_cores(scene, kind), scene, kind, smallest)


def glcm_cores(scene: Prepared, kind: Kind) -> Mask:
    """Steps 1 to 4 of `glcm`."""
    gray, counts = pairs(scene)
    section = counts.diagonal()
    found = peak(section, section)
    return beyond(gray, scene.brain, found, kind)


def pairs(scene: Prepared) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """The scene in 128 grey levels, and how often two of them lie side by side, (128, 128)."""
    from lesionkit.texture import cooccurrence

    gray = _binned(scene.levels, LEVELS)
    counts = cooccurrence(gray, [(0, 1), (1, 1), (1, 0), (1, -1)], LEVELS, scene.brain)
    return gray, counts.reshape(-1, LEVELS, LEVELS).sum(0).astype(np.float64)


def beyond(gray: npt.NDArray[Any], brain: Mask, found: Peak | None, kind: Kind) -> Mask:
    """Brain pixels above the peak, or below it."""
    if found is None:
        return np.zeros_like(brain)
    return (gray > found.high) & brain if kind == "hyper" else (gray < found.low) & brain


def _binned(levels: Levels, bins: int) -> npt.NDArray[np.uint8]:
    return (levels >> ((TOP + 1) // bins).bit_length() - 1).astype(np.uint8)
