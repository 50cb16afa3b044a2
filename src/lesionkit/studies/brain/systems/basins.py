"""Regions that a watershed finds, instead of squares: shape and texture of each (cited system
2.3)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import extras, fronts
from lesionkit.studies.common.otsu import otsu
from lesionkit.texture import MAZDA, label_features

Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.float64]

BINS = 256
APART = 3  # pixels between two peaks of depth: markers
LEAST = 30  # pixels of a region that is measured
LEVELS = 64
AROUND = ((0, 1), (1, 0), (-1, 1), (1, 1))
NAMES = ("area", "perimeter", *MAZDA)


class Basins(NamedTuple):
    """The regions of one slice.

    Attributes
    ----------
    labels : (rows, columns) array of int
        0 is none.
    ids : (n,) array of int
        The labels of those that are measured.
    features : (n, 13) array of float64
        Area and perimeter in pixels, and eleven of co-occurrence, means over four directions, of
        each region's own levels.
    mean : (n,) array of float64
        Grey value.
    """

    labels: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    features: Real
    mean: Real


def basins(image: npt.NDArray[np.uint8], brain: Mask) -> Basins:
    """Otsu's bright class of a slice, parted by water that rises from its deepest pixels.

    image : (rows, columns) grey levels;  brain : of its shape
    """
    labels = np.zeros(image.shape, np.int64)
    grey = image.astype(np.float64)
    if brain.any() and np.ptp(grey[brain]) > 0:
        counts, edges = np.histogram(grey[brain], BINS)
        bright = brain & (grey > otsu(counts, (edges[1:] + edges[:-1]) / 2))
        depth = ndimage.distance_transform_edt(bright)
        peak = depth == ndimage.maximum_filter(depth, 2 * APART + 1)
        markers, _ = ndimage.label(peak & bright, np.ones((3, 3)))
        labels = np.asarray(fronts.watershed(-depth, markers, mask=bright), np.int64)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    ids = np.flatnonzero(sizes >= LEAST)
    kept = np.where(np.isin(labels, ids), labels, 0)
    if not ids.size:
        return Basins(labels, ids, np.empty((0, len(NAMES))), np.empty(0))
    measure = extras.require("skimage.measure", "the regions of watershed-svm need", "studies")
    told = measure.regionprops_table(kept, properties=("label", "area", "perimeter"))
    texture, _ = label_features(grey, kept, AROUND, LEVELS, normalise="sigma")
    shape = np.column_stack([told["area"], told["perimeter"]])
    mean = np.asarray(ndimage.mean(grey, kept, ids))
    return Basins(labels, ids, np.hstack([shape, texture.mean(1)]), mean)


def in_tumour(found: Basins, tumour: Mask) -> Any:
    """(n,) of each region the share that lies in the tumour."""
    return np.asarray(ndimage.mean(tumour.astype(np.float64), found.labels, found.ids))
