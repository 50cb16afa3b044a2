"""The six segmenters on two images, DWI and ADC: each finds its cores in the one image that is made
of both, they are judged in three dimensions, and grow where both images part them from the tissue
around (`lesionkit.studies.stroke.adc`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import ndimage

from lesionkit import arrays
from lesionkit.studies.stroke.adc.images import Pair
from lesionkit.studies.stroke.adc.pieces import FLUID_LIKE, judged, parted
from lesionkit.studies.stroke.histograms import Peak
from lesionkit.studies.stroke.methods import clusters, grow, thresholds, watershed
from lesionkit.studies.stroke.prepare import Kind, Mask, Prepared, kind_of
from lesionkit.studies.stroke.regions import MIN_PIXELS, Place, half_height, lesions

PART = 0.45  # of the way from the tissue to the lesion: where its edge is
CLOSING = 3.0  # mm
IN_SLICE = 3  # pixels of the smallest region in a slice


def _both(
    cores: Callable[..., Mask],
    growth: Callable[[Mask, Place], Mask],
    pair: Pair,
    kind: Kind = "hyper",
    *,
    smallest: int = MIN_PIXELS,
) -> Mask:
    if not isinstance(pair, Pair):
        raise TypeError(f"pair must be what pair(image, adc) returns, got {arrays.describe(pair)}")
    kind, least = kind_of(kind), arrays.integer(smallest, "smallest", at_least=1)
    scene = pair.scene(kind)
    found = judged(cores(scene, kind, even(scene.normal_peak())), pair, kind)
    if not found.any():
        return found
    fluid = pair.adc > FLUID_LIKE if kind == "hypo" else None
    closing = max(1, round(CLOSING / pair.spacing[-1]))
    grown = lesions(
        found,
        parted(found, pair, kind),
        kind,
        IN_SLICE,
        growth,
        like=fluid,
        share=PART,
        closing=closing,
    )
    labels, _ = ndimage.label(grown, np.ones((3,) * grown.ndim))
    keep = np.bincount(labels.ravel()) >= least
    keep[0] = False
    return np.asarray(keep[labels])


def even(found: Peak | None) -> Peak | None:
    """The flank above the peak no longer than the one below, where partial fluid lies."""
    if found is None:
        return None
    return found._replace(high=min(found.high, 2 * found.level - found.low))


def _glcm_cores(scene: Prepared, kind: Kind, _: Peak | None) -> Mask:
    return thresholds.glcm_cores(scene, kind)


SEGMENTERS_ADC: dict[str, Callable[..., Mask]] = {
    "threshold-adc": partial(_both, thresholds.threshold_cores, half_height),
    "glcm-adc": partial(_both, _glcm_cores, half_height),
    "watershed-adc": partial(_both, watershed.watershed_cores, half_height),
    "fcm-adc": partial(_both, clusters.fuzzy_cores, clusters.contour),
    "kmeans-adc": partial(_both, clusters.hard_cores, clusters.march),
    "split-adc": partial(_both, grow.split_cores, grow.grow),
}
