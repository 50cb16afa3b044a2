"""Textures of the breasts: MaZda's co-occurrence features, after all images have one noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.texture import roi_features

QUIET = 0.02  # C: median difference of neighbours, to which each image is smoothed
OFFSETS = ((0, 1), (1, 0), (0, 4), (4, 0))  # in pixels of the patch
PATCH = 48  # rows and columns, into which the middle of a breast is sampled
LEVELS = 32


def features(women: Any) -> npt.NDArray[np.float64]:
    """(women, 22): eleven features at distances 1 and 4, over both directions and breasts; NaN
    where a breast is out of the frame. Grey levels are each patch's own, mean +- 3 sd, so that
    temperatures do not count."""
    rows = []
    for woman in women:
        quiet = smoothed(woman.celsius)
        patches = [patch(quiet, breast) for breast in woman.breasts if breast.any()]
        if len(patches) < 2:
            rows.append(np.full(22, np.nan))
            continue
        found = roi_features(np.stack(patches), OFFSETS, LEVELS, normalise="sigma")
        rows.append(found.mean(0).reshape(2, 2, -1).mean(1).ravel())
    return np.array(rows)


def smoothed(celsius: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The image smoothed until neighbours differ by 0.02 C (median): the camera's noise tells sick
    from healthy, and a texture would see it first."""
    from scipy import ndimage

    for sigma in np.arange(0, 6.1, 0.5):
        quiet: npt.NDArray[np.float32] = ndimage.gaussian_filter(celsius, sigma)
        if np.median(np.abs(np.diff(quiet, axis=1))) <= QUIET:
            break
    return quiet


def patch(values: npt.NDArray[np.float32], breast: npt.NDArray[np.bool_]) -> Any:
    """(48, 48): the middle half of the breast's box, so that neither rim nor fold is in it."""
    sides = []
    for axis in (0, 1):
        where = np.flatnonzero(breast.any(1 - axis))
        first, last = int(where[0]), int(where[-1])
        quarter = (last - first) / 4
        sides.append(np.linspace(first + quarter, last - quarter, PATCH).round().astype(int))
    return values[np.ix_(*sides)].astype(np.float64)
