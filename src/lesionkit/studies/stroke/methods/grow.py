"""Split, merge and region growing: an earlier method of the stroke study's group.

Saad et al., IECBES 2010 and IAENG IJCS. The rules are those of a public re-implementation, whose
numbers of pixels are from its own data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lesionkit.fronts import region_grow
from lesionkit.studies.stroke.histograms import Peak
from lesionkit.studies.stroke.morphology import label
from lesionkit.studies.stroke.prepare import Kind, Mask, Prepared, kind_of, prepared
from lesionkit.studies.stroke.regions import MIN_PIXELS, Place, lesions

DEPTH = 3
MANY = {"hyper": 30, "hypo": 100}  # pixels beyond the threshold, in a block that is not homogeneous


def split_merge(image: Any, kind: Kind = "hyper", *, smallest: int = MIN_PIXELS) -> Mask:
    """Lesions by splitting, merging and region growing, slice by slice.

    1. Pixels in range: beyond the threshold of `adaptive_threshold` (the papers: a fixed range).
    2. Split: the slice is cut in four, three times, wherever a block has more than 30 (hypointense:
       100, for fluid is dark) pixels in range. Merge: the last blocks that have as many.
    3. Seeds: the pixels in range of these blocks.
    4. Growing: a neighbour joins while it is nearer to the region's mean than the mean is to the
       level of the lesion's edge. The mean follows.

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
    Saad et al., IECBES 2010 and IAENG IJCS.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import SEGMENTERS
    >>> row, column = np.ogrid[:128, :128]
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> slice_ = np.where(np.hypot(row - 64, column - 64) < 50, 100.0, 0.0) + 60 * lesion
    >>> slice_ *= np.random.default_rng(0).normal(1, 0.04, slice_.shape)
    >>> found = SEGMENTERS["split"](slice_)
    >>> (found == lesion).mean().item() > 0.999
    True
    """
    scene, kind = prepared(image), kind_of(kind)
    return lesions(split_cores(scene, kind, scene.normal_peak()), scene, kind, smallest, grow)


def split_cores(scene: Prepared, kind: Kind, found: Peak | None) -> Mask:
    """Steps 1 to 3 of `split_merge`; found : of `normal_peak`"""
    if found is None:
        return np.zeros_like(scene.brain)
    threshold = found.towards(kind, 1)
    if kind == "hyper":
        within = scene.levels >= threshold
    else:
        within = (scene.levels < threshold) & scene.brain
    planes = within.reshape(-1, *within.shape[-2:])
    for plane in planes:
        plane &= _split(plane, MANY[kind], DEPTH)
    return within


def _split(within: Mask, many: int, depth: int) -> Mask:
    """The smallest blocks that are not homogeneous."""
    out = np.zeros_like(within)
    if np.count_nonzero(within) > many:
        if depth == 0:
            out[...] = True
            return out
        rows, columns = (n // 2 for n in within.shape)
        for block in (
            np.s_[:rows, :columns],
            np.s_[:rows, columns:],
            np.s_[rows:, :columns],
            np.s_[rows:, columns:],
        ):
            out[block] = _split(within[block], many, depth - 1)
    return out


def grow(seeds: Mask, place: Place) -> Mask:
    """Step 4 of `split_merge`."""
    edge = place.edge(seeds)
    labels, _ = label(seeds)
    grown = region_grow(place.scene.levels, labels, threshold=edge, mask=place.beyond(edge) | seeds)
    return np.asarray(grown > 0)
