"""Marker-controlled watershed with the mirror-correlation template, of the stroke study.

Noor, thesis, 2020, figures 3.20 to 3.23: the usual recipe of markers by reconstruction (Meyer and
Beucher, J. Visual Communication and Image Representation 1, 1990; Vincent, IEEE Trans. Image
Process. 2, 1993).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.fronts import h_minima
from lesionkit.fronts import watershed as flood
from lesionkit.studies.stroke.histograms import DISTINCT, TOP, Levels, Peak
from lesionkit.studies.stroke.mirror import Mirror, lesion_like, mirror_for
from lesionkit.studies.stroke.morphology import reconstruct
from lesionkit.studies.stroke.prepare import Kind, Mask, Prepared, kind_of, prepared
from lesionkit.studies.stroke.regions import MIN_PIXELS, lesions


def watershed(image: Any, kind: Kind = "hyper", *, smallest: int = MIN_PIXELS) -> Mask:
    """Lesions by a watershed from markers, slice by slice.

    1. Gradient magnitude of S, by Sobel's operator.
    2. S opened and closed by reconstruction, disk of radius 3.
    3. Markers of objects: the regional maxima of 2 for hyperintense lesions, the minima for
       hypointense ones. Of the background: what is not brain, and what of 2 is not beyond the
       normal peak (our choice: the thesis' lines half way between the objects of Otsu's threshold
       do not part a lesion from brain that is above that threshold, too).
    4. Watershed of the gradient from these markers.
    5. Lesions are the regions whose mean is three quarters of the way from the normal peak to
       the threshold of `adaptive_threshold` (our choice: the thesis' rule is not known; a mean has
       little noise), and that correlate with their mirror image by less than 0.6 if hypointense.

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
    Noor, thesis, 2020, figures 3.20 to 3.23.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import SEGMENTERS
    >>> row, column = np.ogrid[:128, :128]
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> slice_ = np.where(np.hypot(row - 64, column - 64) < 50, 100.0, 0.0) + 60 * lesion
    >>> slice_ *= np.random.default_rng(0).normal(1, 0.04, slice_.shape)
    >>> found = SEGMENTERS["watershed"](slice_)
    >>> (found == lesion).mean().item() > 0.999
    True
    """
    scene, kind = prepared(image), kind_of(kind)
    mirror = mirror_for(scene.cropped, kind)
    return lesions(watershed_cores(scene, kind, scene.normal_peak(), mirror), scene, kind, smallest)


def watershed_cores(
    scene: Prepared, kind: Kind, found: Peak | None, mirror: Mirror | None = None
) -> Mask:
    """Steps 1 to 5 of `watershed`; found : of `normal_peak`;  mirror : of the cropped scene, whose
    likes go; None: all stay"""
    out = np.zeros_like(scene.brain)
    if found is None:
        return out
    box, inner = scene.box, scene.cropped
    kept = np.zeros_like(inner.brain)
    planes = kept.reshape(-1, *kept.shape[-2:])
    for plane, into in zip(inner.planes, planes, strict=True):
        if plane.brain.any():
            into[...] = _candidates(plane, kind, found, mirror)
    out[box] = kept
    return out


def _candidates(scene: Prepared, kind: Kind, found: Peak, mirror: Mirror | None) -> Mask:
    levels = scene.levels if kind == "hyper" else np.where(scene.brain, TOP - scene.levels, 0)
    smooth = open_close(levels.astype(np.uint16))
    objects = h_minima(TOP - smooth.astype(np.int32), 1, 2)
    background = int(objects.max()) + 1
    normal, least = found.towards(kind, 0), found.towards(kind, DISTINCT)
    outside = ~scene.brain | (smooth <= (normal if kind == "hyper" else TOP - normal))
    markers = np.where(outside, np.int32(background), objects)
    regions = flood(gradient(scene.levels), markers, connectivity=2)
    regions[regions == background] = 0
    inside = regions > 0
    sizes = np.bincount(regions[inside], minlength=background)
    sums = np.bincount(regions[inside], scene.levels[inside], background)
    means = sums / np.maximum(sizes, 1)
    keep = means > least if kind == "hyper" else means < least
    keep[0] = False
    if mirror is not None and keep.any():
        chosen = np.where(keep[regions], regions, 0)
        keep[1:] &= lesion_like(chosen, scene, mirror, background - 1)
    candidates: Mask = keep[regions]
    return candidates


def gradient(levels: Levels) -> npt.NDArray[np.float32]:
    """The length of Sobel's gradient; beyond the border the image is mirrored."""
    framed = np.pad(levels, 1, mode="symmetric").astype(np.float32)
    across = framed[:, 2:] - framed[:, :-2]
    down = framed[2:] - framed[:-2]
    across = across[:-2] + 2 * across[1:-1] + across[2:]
    down = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    length: npt.NDArray[np.float32] = np.sqrt(across * across + down * down)
    return length


def open_close(gray: Levels) -> Levels:
    """Opening by reconstruction, then closing by reconstruction, by a disk of radius 3."""
    opened = reconstruct(eroded(gray), gray)
    low = TOP - eroded(TOP - opened)
    return TOP - reconstruct(TOP - low, TOP - opened)


def eroded(gray: Levels) -> Levels:
    """Erosion by the disk of radius 3, whose rows reach 0, 2, 2, 3, 2, 2, 0 pixels to each side."""
    rows, columns = gray.shape
    framed = np.pad(gray, 3, constant_values=TOP)
    wide = framed[:, 3:-3].copy()
    reach = {0: wide.copy()}
    for step in (1, 2, 3):
        np.minimum(wide, framed[:, 3 - step : columns + 3 - step], out=wide)
        np.minimum(wide, framed[:, 3 + step : columns + 3 + step], out=wide)
        reach[step] = wide.copy()
    out = reach[3][3:-3].copy()
    for row, side in ((0, 0), (1, 2), (2, 2), (4, 2), (5, 2), (6, 0)):
        np.minimum(out, reach[side][row : row + rows], out=out)
    return out
