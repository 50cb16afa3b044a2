"""Stroke lesions on diffusion MRI: five segmenters, and an earlier one, side by side.

N. M. Saad and colleagues' methods as in the thesis of Noor, 2020, and the papers named in each
module. Each segmenter has the signature::

    segment(image, kind="hyper", smallest=20) -> mask

where the image is (rows, columns) or (planes, rows, columns), finite real numbers of any unit with
left and right halves along the columns, or what `preprocess` returns, to prepare once; the kind is
"hyper" for lesions brighter than the normal brain (acute, sub-acute), "hypo" for darker ones
(chronic); `smallest` is pixels of the smallest region in a slice; and the mask is booleans of the
image's shape, all False where there is no lesion.

`SEGMENTERS_ADC` are the same six on two images, DWI and ADC: in place of the image they take what
`pair` returns, and `smallest` is of a piece in three dimensions (docs/stroke-adc.md).

In a volume grey levels (thresholds, clusters, matrices) are those of the whole volume, and shapes
(regions, contours, fronts, mirror images) those of each slice: slices are often 5 mm apart.
Raises ValueError or TypeError where an argument is not as said here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lesionkit.studies.common.libraries  # noqa: F401
from lesionkit.studies.stroke.adc.images import Pair, pair
from lesionkit.studies.stroke.adc.maps import adc_map, adc_scaled
from lesionkit.studies.stroke.methods.clusters import fcm_contour, kmeans_marching
from lesionkit.studies.stroke.methods.grow import split_merge
from lesionkit.studies.stroke.methods.thresholds import adaptive_threshold, glcm
from lesionkit.studies.stroke.methods.two_images import SEGMENTERS_ADC
from lesionkit.studies.stroke.methods.watershed import watershed
from lesionkit.studies.stroke.prepare import Kind, Mask, Prepared, preprocess

SEGMENTERS: dict[str, Callable[..., Mask]] = {
    "threshold": adaptive_threshold,
    "glcm": glcm,
    "watershed": watershed,
    "fcm": fcm_contour,
    "kmeans": kmeans_marching,
    "split": split_merge,
}


def segment(
    image: Any,
    method: str = "kmeans",
    kind: Kind = "hyper",
    *,
    smallest: int = 20,
    adc: Any = None,
    spacing: Any = None,
    brain: Any = None,
) -> Mask:
    """Segment lesions by one of `SEGMENTERS`, by name; with a map of ADC on both images.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array
        As for :func:`preprocess`, or what that or :func:`pair` returns.
    method : {"threshold", "glcm", "watershed", "fcm", "kmeans", "split"}, default "kmeans"
        The segmenter.
    kind : {"hyper", "hypo"}, default "hyper"
        Lesions brighter than the normal brain (acute, sub-acute), or darker ones (chronic).
    smallest : int, default 20
        Pixels of the smallest region in a slice; on two images, of the smallest piece in all.
    adc : array of the image's shape, optional
        Apparent diffusion coefficient, as for :func:`pair`; None: one image alone decides.
    spacing : float or sequence of float, optional
        mm of each axis, with `adc`; None: 1.
    brain : array of bool or whole numbers, optional
        Of the image's shape; None: found.

    Returns
    -------
    array of bool, of the image's shape
        True in lesions; all False where there is none.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import segment
    >>> row, column = np.ogrid[:128, :128]
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> slice_ = np.where(np.hypot(row - 64, column - 64) < 50, 100.0, 0.0) + 60 * lesion
    >>> slice_ *= np.random.default_rng(0).normal(1, 0.04, slice_.shape)
    >>> segment(slice_).sum().item(), lesion.sum().item()
    (193, 193)
    """
    if not isinstance(method, str) or method not in SEGMENTERS:
        raise ValueError(f"method must be one of {', '.join(SEGMENTERS)}, got {method!r}")
    if adc is not None:
        image = pair(image, adc, spacing=spacing, brain=brain)
    elif brain is not None and not isinstance(image, (Pair, Prepared)):
        image = preprocess(image, brain=brain)
    if isinstance(image, Pair):
        return SEGMENTERS_ADC[f"{method}-adc"](image, kind, smallest=smallest)
    return SEGMENTERS[method](image, kind, smallest=smallest)


__all__ = [
    "SEGMENTERS",
    "SEGMENTERS_ADC",
    "Kind",
    "Pair",
    "Prepared",
    "adc_map",
    "adc_scaled",
    "pair",
    "preprocess",
    "segment",
]
