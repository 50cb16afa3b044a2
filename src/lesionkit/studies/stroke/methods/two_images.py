"""The six segmenters on two images, DWI and ADC: each works on the one image that is made of both
(`pair`), and its pieces are judged in three dimensions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage

from lesionkit import arrays
from lesionkit.studies.stroke.adc import Pair
from lesionkit.studies.stroke.methods import clusters, grow, thresholds, watershed
from lesionkit.studies.stroke.prepare import Kind, Mask, kind_of
from lesionkit.studies.stroke.regions import MIN_PIXELS


def _both(segmenter: Any, pair: Pair, kind: Kind = "hyper", *, smallest: int = MIN_PIXELS) -> Mask:
    if not isinstance(pair, Pair):
        raise TypeError(f"pair must be what pair(image, adc) returns, got {arrays.describe(pair)}")
    least = arrays.integer(smallest, "smallest", at_least=1)
    found = segmenter(pair.scene, kind_of(kind), smallest=least)
    labels, count = ndimage.label(found, np.ones((3,) * found.ndim))
    if not count:
        return np.asarray(found)
    numbers = np.arange(count + 1)
    keep = np.bincount(labels.ravel()) >= least
    if kind == "hyper":
        keep &= ndimage.mean(pair.adc, labels, numbers) < 1
    keep[0] = False
    return np.asarray(keep[labels])


SEGMENTERS_ADC = {
    "threshold-adc": partial(_both, thresholds.adaptive_threshold),
    "glcm-adc": partial(_both, thresholds.glcm),
    "watershed-adc": partial(_both, watershed.watershed),
    "fcm-adc": partial(_both, clusters.fcm_contour),
    "kmeans-adc": partial(_both, clusters.kmeans_marching),
    "split-adc": partial(_both, grow.split_merge),
}
