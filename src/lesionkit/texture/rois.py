"""MaZda's co-occurrence features of many small regions: ROIs cut out already, or labelled objects.

Nothing as large as a co-occurrence matrix is ever made: see csrc/texture/rois/rois.hpp.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import _core, arrays
from lesionkit.texture.images import check_levels, check_log_base, check_offsets, three
from lesionkit.texture.names import MAZDA as MAZDA

Normalise = Literal["sigma", "percentile"] | None

NORMALISE = {None: 0, "sigma": 1, "percentile": 2}
SINGLE = 4  # is added where the values are those of float32
MAX_VALUE = 1e150  # its square is still a number
SPARSE = 2**12  # labels above it, and an eighth of the pixels, are numbered anew


def roi_features(
    rois: Any,
    offsets: npt.ArrayLike,
    levels: int,
    features: Sequence[str] = MAZDA,
    *,
    normalise: Normalise = None,
    log_base: float = 10.0,
) -> Any:
    """MaZda's co-occurrence features of each ROI at each offset, with no matrix stored.

    Each matrix is symmetric: a pair counts as (a, b) and as (b, a), so an offset and its opposite
    give the same. Levels count from 1 (SumAverg is 2 to 2 levels). ROIs of a few hundred pixels are
    what this is made for; larger ones are right.

    Parameters
    ----------
    rois : (n, rows, columns) or (n, planes, rows, columns) array
        Integers in [0, levels); with `normalise` any finite real numbers. On a GPU a ROI may have
        as many pixels as fit into the shared memory of a block, 12 bytes each: some 5,000 (T4) to
        19,000 (H100).
    offsets : (k, 2) or, for ROIs of three axes, (k, 3) array_like of int
        Steps (row, column) or (plane, row, column) from one pixel of a pair to the other, not all
        0.
    levels : int
        1 to 65,536.
    features : sequence of str, default MAZDA
        In the order wanted.
    normalise : {None, "sigma", "percentile"}, default None
        How each ROI is cut into levels. None: it holds levels. "sigma": from its mean - 3 to its
        mean + 3 standard deviations (of the population). "percentile": from its 1st to its 99th
        percentile (`numpy.percentile`). x between low and high gets the level floor((x - low) /
        (high - low) levels), float32 as if it were not rounded; values outside get the first or
        last level; where low equals high all are level 0.
    log_base : float, default 10
        Of the entropies: 10, unlike the 2 of `haralick` and `feature_maps`, because programs with
        these names use it (provisional: no text of MaZda's says so). 2 gives bits, math.e nats.

    Returns
    -------
    (n, k, features) array of float64
        Of the kind of `rois`; GPU and CPU agree to 1e-9. Correlat of a constant ROI is 1. An offset
        as large as the ROI leaves no pair: its features are NaN, and so are all of a ROI of one
        pixel.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described; the message names it.

    References
    ----------
    Haralick, Shanmugam and Dinstein, IEEE Trans. SMC 3, 610-621, 1973; Szczypinski et al., Comput.
    Methods Programs Biomed. 94, 66-76, 2009 (the names).

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import roi_features
    >>> rois = np.random.default_rng(0).normal(100, 15, (1000, 21, 21))
    >>> features = roi_features(rois, [(0, 1), (1, 0)], 64, normalise="sigma")
    >>> features.shape
    (1000, 2, 11)
    >>> roi_features(np.eye(4, dtype=int)[None], [(1, 1)], 2, ["Correlat"]).round(9).item()
    1.0
    """
    home = arrays.home(rois=rois)
    of = _settings(offsets, levels, features, normalise, log_base)
    with home.current():
        (rois, rule), axes = _pixels(rois, "rois", of, home), of.axes
        if rois.ndim != axes + 1:
            shape = "(n, rows, columns)" if axes == 2 else "(n, planes, rows, columns)"
            raise ValueError(
                f"rois must have shape {shape} where offsets have {axes} columns, "
                f"got {arrays.describe(rois)}"
            )
        if 0 in rois.shape[1:]:
            raise ValueError(f"rois must have pixels, got {arrays.describe(rois)}")
        boxes = rois.reshape(len(rois), *(1,) * (3 - axes), *rois.shape[1:])
        out = home.xp.empty((len(rois), len(of.steps), len(of.chosen)))
        measure = _core.texture.roi_features
        if home.gpu is not None:
            from lesionkit.texture import rois_gpu

            measure = rois_gpu.roi_features
        measure(
            boxes,
            three(of.steps, boxes.shape[1:]),
            of.levels,
            rule,
            of.chosen,
            of.per_nat,
            out,
        )
    return home.back(out)


def label_features(
    image: Any,
    labels: Any,
    offsets: npt.ArrayLike,
    levels: int,
    features: Sequence[str] = MAZDA,
    *,
    normalise: Normalise = None,
    log_base: float = 10.0,
) -> tuple[Any, Any]:
    """MaZda's co-occurrence features of each object of a label image.

    A pair counts if both its pixels lie in the object. An object that fills a rectangle has the
    features that `roi_features` finds for that ROI, bit for bit.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array
        Levels, or with `normalise` real numbers, as the `rois` of :func:`roi_features`; what lies
        in no object is not looked at. On the CPU.
    labels : array of whole numbers, of the image's shape
        Floats too. 0 is the background, each other number an object, in one piece or in several.
    offsets : (k, 2) or (k, 3) array_like of int
        As for :func:`roi_features`.
    levels : int
        1 to 65,536.
    features : sequence of str, default MAZDA
        In the order wanted.
    normalise : {None, "sigma", "percentile"}, default None
        As for :func:`roi_features`, by the pixels of one object at a time.
    log_base : float, default 10
        Of the entropies.

    Returns
    -------
    features : (objects, k, features) array of float64
        Of the kind of `image`.
    labels : (objects,) array of int64
        The objects' labels, ascending.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import label_features
    >>> image = np.array([[0, 1, 0, 5, 5], [1, 0, 1, 5, 5]])
    >>> labels = np.array([[1, 1, 1, 7, 7], [1, 1, 1, 7, 7]])
    >>> features, found = label_features(image, labels, [(0, 1)], 8, ["Contrast"])
    >>> features[:, 0, 0].round(9).tolist(), found.tolist()
    ([1.0, 0.0], [1, 7])
    """
    home = arrays.on_cpu("label_features", image=image, labels=labels)
    of = _settings(offsets, levels, features, normalise, log_base)
    numbers, ids = _objects(labels, home)
    (image, rule), axes = _pixels(image, "image", of, home, numbers), of.axes
    if image.ndim != axes:
        shape = "(rows, columns)" if axes == 2 else "(planes, rows, columns)"
        raise ValueError(
            f"image must have shape {shape} where offsets have {axes} columns, "
            f"got {arrays.describe(image)}"
        )
    image, numbers = (a.reshape((1,) * (3 - axes) + a.shape) for a in (image, numbers))
    # Another thread may write to labels meanwhile: not more than `_objects` lets through.
    most = min(int(numbers.max(initial=0)), max(numbers.size, SPARSE))
    boxes = np.empty((most + 1, 6), np.int64)
    _core.texture.label_boxes(numbers, boxes)
    there = np.flatnonzero(boxes[1:, 3]).astype(np.int32) + np.int32(1)
    boxes = boxes[there]
    out = np.empty((len(there), len(of.steps), len(of.chosen)))
    _core.texture.label_features(
        image,
        numbers,
        boxes,
        there,
        three(of.steps, image.shape),
        of.levels,
        rule,
        of.chosen,
        of.per_nat,
        out,
    )
    found = there.astype(np.int64) if ids is None else ids[there]
    return home.back(out), home.back(found)


class _Settings(NamedTuple):
    """The checked arguments of both functions; features as numbers, the base as its fraction of a
    nat."""

    steps: npt.NDArray[np.int64]
    levels: int
    chosen: npt.NDArray[np.int32]
    normalise: Normalise
    per_nat: float

    @property
    def axes(self) -> int:
        return int(self.steps.shape[1])


def _settings(
    offsets: npt.ArrayLike, levels: int, features: Sequence[str], normalise: Any, log_base: float
) -> _Settings:
    steps = check_offsets(offsets, 3)
    if not steps.any(axis=1).all():
        raise ValueError("offsets must not hold a step of 0 along every axis: a pixel is no pair")
    levels = check_levels(levels)
    listed = isinstance(features, Sequence) and not isinstance(features, str)
    known = listed and all(isinstance(name, str) and name in MAZDA for name in features)
    if not known or not features:
        raise ValueError(f"features must be names out of {', '.join(MAZDA)}, got {features!r}")
    normalise = arrays.one_of(normalise, "normalise", (*NORMALISE,))
    base = check_log_base(log_base)
    chosen = np.array([MAZDA.index(name) for name in features], np.int32)
    return _Settings(steps, levels, chosen, normalise, 1.0 / math.log(base))


def _pixels(
    value: Any, name: str, of: _Settings, home: arrays.Home, inside: Any = None
) -> tuple[Any, int]:
    """Pixels as the kernels read them: C-contiguous uint8, uint16 or float64, in range where
    `inside` is not 0; and how they are to be normalised, by number."""
    xp = home.xp
    kinds, accepted = "biuf", "real numbers"
    if of.normalise is None:
        kinds, accepted = "iu", "integers (levels; normalise='sigma' makes them of other numbers)"
    image = arrays.numbers(home.view(value, name), name, xp, kinds=kinds, accepted=accepted)
    if inside is not None:
        arrays.check_shape(inside, "labels", image.shape)
    if of.normalise is not None:
        single = SINGLE if image.dtype == np.float32 else 0
        with np.errstate(over="ignore"):  # of a longer type: infinite, and refused
            image = arrays.contiguous(image.astype(np.float64, copy=False))
        image = arrays.finite_inside(image, name, None if inside is None else inside != 0)
        used = image if inside is None else image[inside != 0]
        if used.size and max(-float(used.min()), float(used.max())) > MAX_VALUE:
            raise ValueError(f"{name} must be within ±{MAX_VALUE:g}, so that it has a variance")
        return image, NORMALISE[of.normalise] + single
    if image.size:
        seen = image
        low, high = int(image.min()), int(image.max())
        if (low < 0 or high >= of.levels) and inside is not None:
            seen = image[inside != 0]
            low, high = int(seen.min(initial=0)), int(seen.max(initial=0))
        if low < 0 or high >= of.levels:
            raise ValueError(
                f"{name} must be levels from 0 to {of.levels - 1}, got {low if low < 0 else high}"
            )
        if seen is not image:
            image = np.where(inside != 0, image, 0)
    dtype = np.uint8 if image.dtype == np.uint8 else np.uint16
    return arrays.contiguous(image.astype(dtype, copy=False)), NORMALISE[None]


def _objects(
    labels: Any, home: arrays.Home
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64] | None]:
    """Labels as int32 that are not much more than there are pixels; and, where they were numbered
    anew, what each number was."""
    labels = arrays.labels(labels, "labels", home)
    if not labels.size:
        return labels.astype(np.int32), None
    low, high = int(labels.min()), int(labels.max())
    if low < 0:
        raise ValueError(f"labels must not be negative, got {low}")
    if high >= 2**63:
        raise ValueError(f"labels must be below 2**63, got {high}")
    if high <= max(labels.size // 8, SPARSE):
        return np.ascontiguousarray(labels, dtype=np.int32), None
    known, numbers = np.unique(labels.astype(np.int64), return_inverse=True)
    if known[0] != 0:  # there is no background
        known, numbers = np.concatenate([[0], known]), numbers + 1
    return (
        np.ascontiguousarray(numbers.reshape(labels.shape), dtype=np.int32),
        known.astype(np.int64),
    )
