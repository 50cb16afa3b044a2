"""Skull stripping: the brain of a head with scalp, on any contrast, the whole volume at once.

A surface grows from within (`surface`, Smith, 2002) with the paper's fraction of a half. Ours is
what keeps it off the scalp: the outer 8 mm of the head, what is bright and joined to them where the
scalp is brighter than the brain (T1 after contrast), and all that lies 150 mm below the top of the
head are dark to it; and thin bone, which thick slices blur, is widened by 2 mm. At last sulci are
closed. docs/brain.md has what was measured, with these constants, on heads on which they were not
chosen.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import arrays, fronts
from lesionkit.studies.brain import surface

Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.float64]

ROBUST = (2.0, 98.0)  # per cent: darkest and brightest of a head
HEAD = 0.1  # of the way from one to the other: what is no air
SCALP = 8.0  # mm, of scalp and bone: no brain
TOUCHING = 5.0  # mm from the air that what belongs to the scalp comes to
BRIGHT_RING = 1.2  # times the brain: scalp that is brighter
FRACTIONS = (surface.FRACTION, 0.6)  # where the brain ends, without such a scalp and with it
BRIGHT = 1.35  # times the brain: fat
DEEP = 18.0  # mm: in the vault what is bright below it is no scalp, but a tumour
VAULT = 90.0  # mm, from the top of the head to its base
CUT = 0.8  # of the widest plane: an uppermost plane that is cut off from more head
HEIGHT = 150.0  # mm from the top of the head to the brain's lowest part
LEAST_PLANE = 1000.0  # mm^2 of head in a plane that counts as its top
BONE = 2.0  # mm, that thin bone is widened by
THICK = 3.0  # mm between planes that blur the bone
FINE, COARSE = (
    1.0,
    2.0,
)  # mm of pixels that the surface sees in planes; coarse where planes are thin
CLOSED = 8.0  # mm of gaps in the outline of the head
SULCI = 8.0  # mm, of a ball that does not fit into what is filled
SPECK = 2.5  # mm, of noise in the air
LONG = 200.0  # mm, of a head whose scale is not known
STRIPPED_AIR, STRIPPED_RING = 0.3, 0.1  # see `is_stripped`
FLAT = 9  # planes that a slice is repeated in
FLAT_STEP = 12.0  # mm between them


class Stripped(NamedTuple):
    """The brain of an image.

    Attributes
    ----------
    brain : numpy.ndarray of bool, the image's shape
        What is brain.
    note : str
        In a sentence what should be known of it; often nothing.
    """

    brain: Mask
    note: str


def strip(image: Any, spacing: Any = None) -> Stripped:
    """Find the brain.

    Parameters
    ----------
    image : array_like, (planes, rows, columns), planes upwards, or (rows, columns), an axial slice
        Real numbers of any unit; NaN counts as background.
    spacing : float or sequence of float, optional
        mm of each axis, or one number for all; None where it is not known: then the longer side of
        the head counts as 200 mm.

    Returns
    -------
    Stripped
        All False where there is no head, and the note says so. Of an image that is stripped
        already the brain is what is not background.

    Raises
    ------
    ValueError, TypeError
        Where an argument is not as said here.

    References
    ----------
    S. M. Smith, Human Brain Mapping 17, 143-155, 2002.
    """
    at = arrays.on_cpu(image=image)
    stored = arrays.image(image, "image", at, kinds="iuf")
    if stored.ndim not in (2, 3):
        raise ValueError(
            f"image must be (rows, columns) or (planes, rows, columns), got "
            f"{arrays.describe(stored)}"
        )
    values = stored.astype(np.float32)
    background = np.isnan(values)
    values[background] = 0 if background.all() else np.nanmin(values)
    steps = None if spacing is None else arrays.spacing_of(spacing, stored.ndim)
    if np.ptp(values) == 0:
        return Stripped(background & False, "No head was found: the image has one value.")
    steps = steps or (_scale_of(values) if stored.ndim == 2 else (1.0,) * 3)
    already = is_stripped(values, steps)
    if already is not None:
        return Stripped(already & ~background, "The skull is stripped already.")
    if stored.ndim == 3:
        brain = _strip(values, steps, HEIGHT)
    else:
        # A slice is taken as the middle of a head whose other slices are like it.
        repeated = np.repeat(values[None], FLAT, axis=0)
        brain = _strip(repeated, (FLAT_STEP, *steps), None)[FLAT // 2]
    brain = _filled(brain, steps) & ~background
    return Stripped(brain, "" if brain.any() else "No brain was found.")


def _strip(volume: Any, spacing: tuple[float, ...], height: float | None) -> Mask:
    """The brain of a volume. height : None where all planes are one slice"""
    nothing = np.zeros(volume.shape, bool)
    grid, steps, factors = _coarser(volume, spacing)
    low, high = np.percentile(grid, ROBUST)
    air = low + HEAD * (high - low)
    head = _head(grid > air, steps)
    tall = np.flatnonzero(head.sum((1, 2)) * steps[1] * steps[2] > LEAST_PLANE)
    if not tall.size:
        return nothing
    lowest = 0 if height is None else max(0, int(np.ceil(tall[-1] - height / steps[0])))
    base = int(np.ceil(tall[-1] - VAULT / steps[0]))
    if height is None:
        depth = np.array([ndimage.distance_transform_edt(head[0], sampling=steps[1:])] * len(head))
    else:  # above the top of the head there is air, beside the volume more of the head
        areas = head.sum((1, 2))
        above = head[-1:] & (areas[-1] > CUT * areas.max())
        roofed = np.concatenate([head, above])
        depth = ndimage.distance_transform_edt(roofed, sampling=steps)[:-1]
    inner = depth >= SCALP
    inner[:lowest] = False
    if not inner.any():
        return nothing
    centre = np.array(ndimage.center_of_mass(inner)) * steps
    radius = float((3 * inner.sum() * np.prod(steps) / (4 * np.pi)) ** (1 / 3))
    away = sum(
        ((np.arange(n) * step - middle) ** 2).reshape([-1 if i == axis else 1 for i in range(3)])
        for axis, (n, step, middle) in enumerate(zip(grid.shape, steps, centre, strict=True))
    )
    core = grid[(away < (0.6 * radius) ** 2) & (grid > air) & (grid < high)]
    middle = float(np.median(core)) if core.size else air
    levels = surface.Levels(float(low), float(air), middle)
    planes = np.arange(len(grid))[:, None, None]
    ring = grid[(depth > 2) & (depth < SCALP) & (planes >= lowest + 0.3 * (len(grid) - lowest))]
    fat = bool(ring.size) and float(np.median(ring)) > BRIGHT_RING * middle
    seen = grid.copy()
    if fat:
        seen[_scalp(grid, steps, depth, middle) & ((depth < DEEP) | (planes < base))] = low
    seen[depth < SCALP] = low
    seen[:lowest] = low
    if steps[0] > THICK:
        seen = ndimage.grey_erosion(seen, footprint=_disk(steps, BONE))
    grown = surface.grow(seen, steps, levels, centre, radius, FRACTIONS[fat])
    brain = surface.inside(*grown, grid.shape)
    if steps[0] > THICK:
        brain = ndimage.distance_transform_edt(~brain, sampling=steps) <= BONE
    brain[:lowest] = False
    return _enlarged(brain, factors, volume.shape)


def is_stripped(image: Any, spacing: tuple[float, ...]) -> Mask | None:
    """The brain of an image whose skull is stripped already; None of a whole head.

    It is stripped where more than 30 per cent of the pixels have exactly the value of the first
    corner, and less than 10 per cent of what lies 3 to 12 mm inside the rest is darker or brighter
    than 96 per cent of its middle: a scalp and bone are.
    """
    inside = image != image.flat[0]
    if inside.mean() > 1 - STRIPPED_AIR or not inside.any():
        return None
    planes = inside if inside.ndim == 3 else inside[None]
    filled = np.array([ndimage.binary_fill_holes(plane) for plane in planes]).reshape(image.shape)
    block = np.ones((1, 3, 3)[-image.ndim :])
    solid = ndimage.binary_opening(filled, block)
    depth = ndimage.distance_transform_edt(solid, sampling=spacing)
    ring, middle = image[(depth > 3) & (depth <= 12)], image[depth > depth.max() / 2]
    if not ring.size or not middle.size:
        return None
    low, high = np.percentile(middle, ROBUST)
    unlike = ((ring < low) | (ring > high)).mean()
    return filled if unlike < STRIPPED_RING else None


def _scalp(grid: Any, steps: tuple[float, ...], depth: Real, middle: float) -> Mask:
    """What is much brighter than the brain, and joined to the outside of the head."""
    smooth = ndimage.gaussian_filter(grid, (0, 1 / steps[1], 1 / steps[2]))
    labels, _ = ndimage.label(smooth > BRIGHT * middle)
    joined = np.unique(labels[(depth > 0) & (depth < TOUCHING)])
    return np.asarray(np.isin(labels, joined[joined > 0]))


def _head(mask: Mask, steps: tuple[float, ...]) -> Mask:
    """The largest piece without noise, each plane with its gaps closed and its holes filled."""
    opened = ndimage.binary_opening(mask, _disk(steps, SPECK))
    labels, count = ndimage.label(opened)
    if not count:
        return np.asarray(opened)
    piece = labels == 1 + int(np.bincount(labels.ravel())[1:].argmax())
    sides = [(0, 0), *((int(CLOSED / step) + 1,) * 2 for step in steps[1:])]
    closed = _closed(np.pad(piece, sides), steps)
    rows, columns = (slice(a, -b) for a, b in sides[1:])
    return np.array([ndimage.binary_fill_holes(plane) for plane in closed])[:, rows, columns]


def _closed(mask: Mask, steps: tuple[float, ...]) -> Mask:
    """Closing of each plane by 8 mm."""
    out = np.empty_like(mask)
    for plane, kept in zip(mask, out, strict=True):
        near = ndimage.distance_transform_edt(~plane, sampling=steps[1:]) <= CLOSED
        kept[:] = ndimage.distance_transform_edt(near, sampling=steps[1:]) > CLOSED if (
            plane.any()
        ) else plane  # fmt: skip
    return out


def _disk(steps: tuple[float, ...], radius: float) -> Mask:
    """What lies within a radius, mm; in the plane alone where planes lie further apart."""
    reach = [int(radius / step + 1e-9) for step in steps]
    grid = np.ogrid[tuple(slice(-n, n + 1) for n in reach)]
    squares = sum((axis * step) ** 2 for axis, step in zip(grid, steps, strict=True))
    return np.asarray(squares <= radius**2 + 1e-9)


def _filled(brain: Mask, spacing: tuple[float, ...]) -> Mask:
    """Sulci, and dents that a ball of 8 mm does not fit into, are brain: a closing."""
    if not brain.any():
        return brain
    box = ndimage.find_objects(brain.astype(np.int8))[0]
    wide = [int(np.ceil(SULCI / step)) + 1 for step in spacing]
    outside = ~np.pad(brain[box], [(n, n) for n in wide])
    near = fronts.distance_transform(outside, spacing, dtype=np.float32) <= SULCI
    filled = fronts.distance_transform(near, spacing, dtype=np.float32) > SULCI
    closed = brain.copy()
    closed[box] |= filled[tuple(slice(n, -n) for n in wide)]
    return closed


def _coarser(
    volume: Any, spacing: tuple[float, ...]
) -> tuple[Any, tuple[float, ...], tuple[int, ...]]:
    """Means over blocks, their size in mm, and in pixels."""
    wanted = (FINE if spacing[0] > THICK else COARSE) + 1e-6
    factors = tuple(
        max(1, min(int(wanted / s), n)) for s, n in zip(spacing, volume.shape, strict=True)
    )
    counts = [n // f for n, f in zip(volume.shape, factors, strict=True)]
    cut = volume[tuple(slice(n * f) for n, f in zip(counts, factors, strict=True))]
    parted = cut.reshape([k for n, f in zip(counts, factors, strict=True) for k in (n, f)])
    steps = tuple(s * f for s, f in zip(spacing, factors, strict=True))
    return parted.mean((1, 3, 5), dtype=np.float32), steps, factors


def _enlarged(mask: Mask, factors: tuple[int, ...], shape: tuple[int, ...]) -> Mask:
    """A mask of blocks on the pixels; those of no whole block are like the last one."""
    places = [
        np.minimum(np.arange(n) // factor, small - 1)
        for n, factor, small in zip(shape, factors, mask.shape, strict=True)
    ]
    return np.asarray(mask[np.ix_(*places)])


def _scale_of(slice_: Any) -> tuple[float, float]:
    """mm of a pixel, if the longer side of the head is 200 mm."""
    low, high = np.percentile(slice_, ROBUST)
    sides = [np.flatnonzero((slice_ > low + HEAD * (high - low)).any(axis)) for axis in (0, 1)]
    longest = max((int(side[-1] - side[0]) + 1 for side in sides if side.size), default=1)
    return (LONG / longest,) * 2
