"""MaZda's co-occurrence features of many small regions: ROIs cut out already, or labelled objects.

Nothing as large as a co-occurrence matrix is ever made: see csrc/texture/rois.hpp.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import _core, arrays

Normalise = Literal["sigma", "percentile"] | None

# In the order of the enum Feature in csrc/texture/rois.hpp.
MAZDA = (
    "AngScMom",
    "Contrast",
    "Correlat",
    "SumOfSqs",
    "InvDfMom",
    "SumAverg",
    "SumVarnc",
    "SumEntrp",
    "Entropy",
    "DifVarnc",
    "DifEntrp",
)
NORMALISE = {None: 0, "sigma": 1, "percentile": 2}
MOST_LEVELS = 65536
LARGEST = 1e150  # its square is still a number


def roi_features(
    rois: Any,
    offsets: npt.ArrayLike,
    levels: int,
    features: Sequence[str] = MAZDA,
    *,
    normalise: Normalise = None,
    log_base: float = 10.0,
) -> Any:
    """Co-occurrence features of each ROI at each offset (Haralick 1973, under MaZda's names).

    rois      : (n, rows, columns) or (n, planes, rows, columns). Without `normalise` integers in
                [0, levels); with it any finite real numbers. NumPy, CuPy or torch
    offsets   : (k, 2) or, for ROIs of three axes, (k, 3) integers: steps (row, column) or
                (plane, row, column) from one pixel of a pair to the other, not all 0
    levels    : 2 to 65,536
    features  : names out of MAZDA, in the order wanted
    normalise : how each ROI is cut into levels. None: it is levels already. "sigma": from its mean
                - 3 to its mean + 3 standard deviations (of the population); "percentile": from its
                1st to its 99th percentile (as numpy.percentile). A value x between low and high
                gets the level floor((x - low) / (high - low) levels); values outside go into the
                first or last level; where low equals high all are level 0
    log_base  : of the entropies. 10, unlike the 2 of `haralick` and `feature_maps`, because that is
                what programs with these names use; MaZda's own text was not at hand. 2 gives bits,
                math.e nats
    returns   : (n, k, features) float64, the same kind of array as `rois`

    The matrix is symmetric: a pair counts as (a, b) and as (b, a), so an offset and its opposite
    give the same. Levels count from 1 (SumAverg is 2 to 2 levels). Correlat of a constant ROI is 1.
    An offset as large as the ROI leaves no pair, and its features are NaN; those of a ROI of one
    pixel always are. ROIs of a few hundred pixels are what this is made for; larger ones are right.

    Raises TypeError or ValueError that names the argument. On a GPU the answers are the same to
    1e-9, and a ROI may have as many pixels as fit into the shared memory of a block, 12 bytes each:
    some 5,000 (T4) to 19,000 (H100).
    """
    home = arrays.home(rois=rois)
    rois = home.view(rois, "rois")
    steps, levels, chosen, per_nat = _settings(offsets, levels, features, normalise, log_base)
    with home.current():
        rois = _image(rois, "rois", levels, normalise, home.xp)
        axes = steps.shape[1]
        if rois.ndim != axes + 1:
            shape = "(n, rows, columns)" if axes == 2 else "(n, planes, rows, columns)"
            raise ValueError(
                f"rois must have shape {shape} where offsets have {axes} columns, "
                f"got {arrays.describe(rois)}"
            )
        if 0 in rois.shape[1:]:
            raise ValueError(f"rois must have pixels, got {arrays.describe(rois)}")
        boxes = rois.reshape(len(rois), *(1,) * (3 - axes), *rois.shape[1:])
        out = home.xp.empty((len(rois), len(steps), len(chosen)))
        measure = _core.texture.roi_features
        if home.gpu is not None:
            from lesionkit.texture import rois_gpu

            measure = rois_gpu.roi_features
        measure(
            boxes,
            _three(steps, boxes.shape[1:]),
            levels,
            NORMALISE[normalise],
            chosen,
            per_nat,
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
    """The same features of each object of a label image: pairs with both pixels in the object.

    image   : (rows, columns) or (planes, rows, columns), as `rois` of :func:`roi_features`; without
              `normalise` only pixels of objects need be levels
    labels  : integers of the same shape; 0 is the background, each other number an object, in one
              piece or in several
    others  : as for :func:`roi_features`; `normalise` looks at the pixels of one object at a time
    returns : features (objects, k, features) float64, and their labels (objects,) int64, ascending.
              Of an object that fills a rectangle they are those of that ROI, bit for bit

    NumPy arrays and CPU tensors. Raises TypeError or ValueError that names the argument.
    """
    home = arrays.home(image=image, labels=labels)
    if home.gpu is not None:
        raise TypeError(
            f"image must be on the CPU for label_features, got a {home}; copy it to the host first"
        )
    image, labels = home.view(image, "image"), home.view(labels, "labels")
    steps, levels, chosen, per_nat = _settings(offsets, levels, features, normalise, log_base)
    numbers, ids = _objects(labels)
    image = _image(image, "image", levels, normalise, np, inside=numbers)
    axes = steps.shape[1]
    if image.ndim != axes:
        shape = "(rows, columns)" if axes == 2 else "(planes, rows, columns)"
        raise ValueError(
            f"image must have shape {shape} where offsets have {axes} columns, "
            f"got {arrays.describe(image)}"
        )
    if image.shape != numbers.shape:
        raise ValueError(
            f"labels must have the shape of image, {image.shape}, got {arrays.describe(labels)}"
        )
    image, numbers = (a.reshape((1,) * (3 - axes) + a.shape) for a in (image, numbers))
    boxes = np.empty((int(numbers.max(initial=0)) + 1, 6), np.int64)
    _core.texture.label_boxes(numbers, boxes)
    there = np.flatnonzero(boxes[1:, 3]).astype(np.int32) + np.int32(1)
    boxes = boxes[there]
    out = np.empty((len(there), len(steps), len(chosen)))
    _core.texture.label_features(
        image,
        numbers,
        boxes,
        there,
        _three(steps, image.shape),
        levels,
        NORMALISE[normalise],
        chosen,
        per_nat,
        out,
    )
    found = there.astype(np.int64) if ids is None else ids[there]
    return home.back(out), home.back(found)


def _settings(
    offsets: npt.ArrayLike, levels: int, features: Sequence[str], normalise: Any, log_base: float
) -> tuple[npt.NDArray[np.int64], int, npt.NDArray[np.int32], float]:
    """The checked arguments, features as numbers and the base as its share of a nat."""
    steps = _array(offsets, "offsets", np)
    if steps.dtype.kind not in "iu":
        raise TypeError(f"offsets must be integers, got {arrays.describe(steps)}")
    if steps.ndim != 2 or steps.shape[1] not in (2, 3) or not len(steps):
        raise ValueError(
            f"offsets must have shape (k, 2) or (k, 3), k at least 1, got {arrays.describe(steps)}"
        )
    if not steps.any(axis=1).all():
        raise ValueError("offsets must not hold a step of 0 along every axis: a pixel is no pair")
    levels = arrays.integer(levels, "levels", at_least=2, at_most=MOST_LEVELS)
    listed = isinstance(features, Sequence) and not isinstance(features, str)
    if not listed or not features or any(name not in MAZDA for name in features):
        raise ValueError(f"features must be names out of {', '.join(MAZDA)}, got {features!r}")
    if normalise is not None and normalise not in ("sigma", "percentile"):
        raise ValueError(f"normalise must be None, 'sigma' or 'percentile', got {normalise!r}")
    base = arrays.number(log_base, "log_base", above=1.0)
    chosen = np.array([MAZDA.index(name) for name in features], np.int32)
    return steps, levels, chosen, 1.0 / math.log(base)


def _array(value: Any, name: str, xp: Any) -> Any:
    try:
        return xp.asarray(value)
    except (ValueError, TypeError) as problem:
        raise TypeError(
            f"{name} must be an array of integers, got {arrays.describe(value)}"
        ) from problem


def _three(steps: npt.NDArray[Any], shape: Sequence[int]) -> npt.NDArray[np.int64]:
    """Steps along three axes; those that leave the image are cut to what just leaves it."""
    most = np.array(shape[3 - steps.shape[1] :], np.int64)
    cut = np.clip(steps.astype(object), -most, most).astype(np.int64)
    three = np.zeros((len(steps), 3), np.int64)
    three[:, 3 - steps.shape[1] :] = cut
    return three


def _image(
    value: Any, name: str, levels: int, normalise: Normalise, xp: Any, inside: Any = None
) -> Any:
    """Pixels as the kernels read them: C-contiguous uint8, uint16 or float64, in range."""
    if normalise is not None:
        image = arrays.real(value, name, ["..."], xp=xp)
        if image.size and max(-float(image.min()), float(image.max())) > LARGEST:
            raise ValueError(f"{name} must be within ±{LARGEST:g}, so that it has a variance")
        return image
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name} has masked entries, which would be used here; fill them first")
    image = _array(value, name, xp)
    if image.dtype.kind not in "iu":
        raise TypeError(
            f"{name} must hold integer levels, got {arrays.describe(image)}; "
            "normalise='sigma' or 'percentile' makes levels of other numbers"
        )
    if image.size:
        seen = image
        low, high = int(image.min()), int(image.max())
        if (low < 0 or high >= levels) and inside is not None and inside.shape == image.shape:
            seen = image[inside != 0]
            low, high = int(seen.min(initial=0)), int(seen.max(initial=0))
        if low < 0 or high >= levels:
            raise ValueError(
                f"{name} must be levels from 0 to {levels - 1}, got {low if low < 0 else high}"
            )
        if seen is not image:
            image = np.where(inside != 0, image, 0)
    dtype = np.uint8 if image.dtype == np.uint8 else np.uint16
    return xp.ascontiguousarray(image, dtype=dtype)


def _objects(labels: Any) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64] | None]:
    """Labels as int32 that are not much more than there are pixels; and, where they were numbered
    anew, what each number was."""
    labels = _array(labels, "labels", np)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got {arrays.describe(labels)}")
    if not labels.size:
        return labels.astype(np.int32), None
    low, high = int(labels.min()), int(labels.max())
    if low < 0:
        raise ValueError(f"labels must not be negative, got {low}")
    if high >= 2**63:
        raise ValueError(f"labels must be below 2**63, got {high}")
    if high <= max(labels.size // 8, 2**12):
        return np.ascontiguousarray(labels, dtype=np.int32), None
    known, numbers = np.unique(labels.astype(np.int64), return_inverse=True)
    if known[0] != 0:  # there is no background
        known, numbers = np.concatenate([[0], known]), numbers + 1
    return (
        np.ascontiguousarray(numbers.reshape(labels.shape), dtype=np.int32),
        known.astype(np.int64),
    )
