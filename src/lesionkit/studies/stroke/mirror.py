"""The mirror-correlation template of the stroke study: ventricles have a like on the other side.

The thesis correlates regions with a template to part hypointense lesions from cerebrospinal fluid.
The template is not published; here it is the other half of the brain, mirrored (our choice).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit.studies.stroke.morphology import label
from lesionkit.studies.stroke.prepare import Kind, Mask, Prepared

STRONG = 0.6  # correlation: 0.6 to 0.8 is called strong, more very strong
MARGIN = 3  # pixels around a region that are correlated with it
SPECK = 5  # pixels: what is smaller is noise
ROUND = 1.15  # axes of a brain that are less apart than this tell no tilt


class Midline(NamedTuple):
    """The line that parts the halves: a point on it, and its direction, (rows, columns)."""

    centre: tuple[float, float]
    along: tuple[float, float]


def midline(brain: Mask) -> Midline:
    """The brain's long axis through its centre of mass, all slices together.

    The halves must lie left and right. A brain that is nearly round, or whose long axis is more
    than 20 degrees from the columns', is taken to be straight.
    """
    weight = brain.reshape(-1, *brain.shape[-2:]).sum(0, dtype=np.float64)
    total = weight.sum()
    if not total:
        return Midline((0.0, 0.0), (1.0, 0.0))
    row, column = (np.arange(n, dtype=np.float64) for n in weight.shape)
    middle = float(weight.sum(1) @ row / total), float(weight.sum(0) @ column / total)
    y, x = row - middle[0], column - middle[1]
    spread = np.array(
        [[weight.sum(1) @ y**2, y @ weight @ x], [y @ weight @ x, weight.sum(0) @ x**2]]
    )
    values, vectors = np.linalg.eigh(spread)
    down, across = vectors[:, 1] * np.sign(vectors[0, 1] or 1.0)
    if values[1] < ROUND**2 * values[0] or abs(across) > np.sin(np.deg2rad(20)):
        down, across = 1.0, 0.0
    return Midline(middle, (float(down), float(across)))


class Mirror:
    """Slices of one shape, each pixel in the place of its contralateral one."""

    def __init__(self, line: Midline, shape: tuple[int, int]) -> None:
        (r0, c0), (down, across) = line
        y, x = np.ogrid[: shape[0], : shape[1]]
        # Twice the distance from the line, along its normal (-across, down).
        away = 2 * (down * (x - c0) - across * (y - r0))
        rows = np.rint(y + away * across).astype(np.intp)
        columns = np.rint(x - away * down).astype(np.intp)
        inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        # What has its contralateral outside the image gets the pixel that is added at the end.
        self._from = np.where(inside, rows * shape[1] + columns, shape[0] * shape[1])

    def __call__(self, plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
        flat = np.append(plane.ravel(), plane.dtype.type(0))
        out: npt.NDArray[Any] = flat[self._from]
        return out


def mirror_for(scene: Prepared, kind: Kind) -> Mirror | None:
    """For hypointense lesions, which ventricles are like, the mirror of a brain's slices."""
    return Mirror(midline(scene.brain), scene.brain.shape[-2:]) if kind == "hypo" else None


def asymmetric(candidates: Mask, mirror: Mirror, like: Mask | None = None) -> Mask:
    """Candidates without those whose contralateral pixel is one too; like : only what may go so"""
    labels, sizes = label(candidates)
    contralaterals = mirror((sizes >= SPECK)[labels])
    if like is not None:
        contralaterals &= like
    alone: Mask = candidates & ~contralaterals
    return alone


def lesion_like(
    regions: npt.NDArray[np.int32], scene: Prepared, mirror: Mirror, count: int
) -> Mask:
    """For each region, 1 to `count`, whether it is unlike its mirror image: r < 0.6, where r is the
    correlation of S in the region's box, and 3 pixels around it, with the mirrored S there. Only
    what is brain on both sides counts: else the outline of the head would correlate."""
    other = mirror(scene.levels)
    both = scene.brain & mirror(scene.brain)
    unlike = np.zeros(count, bool)
    for number, box in enumerate(ndimage.find_objects(regions)):
        if box is None:
            continue
        around = tuple(slice(max(side.start - MARGIN, 0), side.stop + MARGIN) for side in box)
        inside = both[around]
        here, there = (p[around][inside].astype(np.float64) for p in (scene.levels, other))
        if here.size:
            here, there = here - here.mean(), there - there.mean()
        size = np.sqrt((here @ here) * (there @ there))
        unlike[number] = size == 0 or here @ there < STRONG * size
    return unlike
