"""Pieces in three dimensions: which are lesions, and the direction in which both images part them
from the tissue around."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit.studies.stroke.adc.images import Pair
from lesionkit.studies.stroke.histograms import TOP
from lesionkit.studies.stroke.mirror import Mirror, midline
from lesionkit.studies.stroke.prepare import Kind, Mask, Prepared
from lesionkit.studies.stroke.regions import NORMAL_LEVEL

MIN_VOLUME = 30.0  # mm^3, of a core
EVIDENCE = 0.3  # of the greater half of a core, at least
SPREADS = 2.0  # SD of the evidence in tissue, at least, in a volume
LOW = 0.08  # of the tissue's ADC: by how much a core in a volume is below it
DEEP = 4.0  # mm: mean distance of a core's voxels from the brain's rim, in a volume
DARK = 0.9  # DWI of a dark core
NEAR, FAR = 2.0, 12.0  # mm from a core: the tissue around it
REACH = 3.0  # mm from a core: how far bright lesions of a volume grow
FLUID_LIKE = 1.3  # times the tissue's ADC: it may be fluid
NO_INFARCT = 1.6  # times the tissue's ADC: it is no bright lesion
TINY = 1e-9  # of an image without noise
STEP = 0.5  # of the normal level, from normal tissue to the cores' mean


def judged(cores: Mask, pair: Pair, kind: Kind) -> Mask:
    """The pieces that are lesions."""
    if kind == "hypo":
        cores = unmirrored(cores, pair)
    labels, count = ndimage.label(cores, _joined(cores.ndim))
    if not count:
        return cores
    numbers = np.arange(count + 1)
    size = np.bincount(labels.ravel(), minlength=count + 1)
    keep = size * np.prod(pair.spacing) >= MIN_VOLUME
    if kind == "hyper":
        least = EVIDENCE if cores.ndim == 2 else max(EVIDENCE, SPREADS * pair.spread)
        keep &= _tops(labels, pair.evidence) - _partners(labels, pair) >= least
        if cores.ndim == 3:
            keep &= ndimage.mean(pair.adc, labels, numbers) <= 1 - LOW
            keep &= ndimage.mean(pair.depth, labels, numbers) >= DEEP
    else:
        keep &= ndimage.mean(pair.dwi, labels, numbers) <= DARK
    keep[0] = False
    return np.asarray(keep[labels])


def _tops(labels: npt.NDArray[np.int32], evidence: Any) -> npt.NDArray[np.float64]:
    """The mean of the greater half of each piece."""
    at = labels > 0
    number, value = labels[at], evidence[at]
    order = np.lexsort((value, number))
    number, value = number[order], value[order]
    size = np.bincount(number)
    place = np.arange(number.size) - (np.cumsum(size) - size)[number]
    top = place >= size[number] // 2
    total = np.bincount(number[top], value[top], size.size)
    return np.asarray(total / np.maximum(1, size - size // 2))


def _partners(labels: npt.NDArray[np.int32], pair: Pair) -> npt.NDArray[np.float64]:
    """The mean evidence of what lies opposite each piece and is none itself, 0 at least."""
    mirror = Mirror(midline(pair.brain), labels.shape[-2:])
    shape = (-1, *labels.shape[-2:])
    there = np.array([mirror(plane) for plane in labels.reshape(shape)]).reshape(labels.shape)
    there[labels > 0] = 0
    size = np.bincount(there.ravel(), minlength=int(labels.max()) + 1)
    total = np.bincount(there.ravel(), pair.evidence.ravel(), size.size)
    return np.maximum(total / np.maximum(size, 1), 0)


def parted(cores: Mask, pair: Pair, kind: Kind) -> Prepared:
    """Fisher's discriminant of both images between cores, of which there are some, and the tissue
    around: an image in which the tissue has the normal level, and the cores are bright or dark."""
    box = _box(cores, [int(np.ceil(FAR / step)) + 1 for step in pair.spacing])
    away = ndimage.distance_transform_edt(~cores[box], sampling=pair.spacing)
    around = pair.brain[box] & (away > NEAR) & (away <= FAR)
    both = np.stack([np.log(pair.dwi), pair.adc])
    here, there = both[:, cores], both[(slice(None), *box)][:, around]
    tissue = there[:, there[1] < NO_INFARCT]
    if min(here.shape[1], tissue.shape[1]) < 3:  # too few to know how they spread
        return pair.scene(kind)
    normal = tissue.mean(1)
    apart = here.mean(1) - normal
    weights = np.linalg.solve(np.cov(here) + np.cov(there) + TINY * np.eye(2), apart)
    way = np.tensordot(weights, both - normal.reshape(-1, *(1,) * cores.ndim), 1)
    way /= weights @ apart
    if kind == "hyper" and cores.ndim == 3:
        far = np.ones(cores.shape, bool)
        far[box] = away > REACH
        way[far & (way > 0)] = 0
    step = STEP if kind == "hyper" else -STEP
    levels = np.clip(np.rint(NORMAL_LEVEL * (1 + step * way)), 1, TOP).astype(np.uint16)
    if kind == "hyper":
        levels[pair.adc > NO_INFARCT] = 1
    return Prepared(np.where(pair.brain, levels, np.uint16(0)), pair.brain)


def unmirrored(cores: Mask, pair: Pair) -> Mask:
    """The cores without what is fluid on both sides."""
    mirror = Mirror(midline(pair.brain), cores.shape[-2:])
    shape = (-1, *cores.shape[-2:])
    adc = ndimage.gaussian_filter(pair.adc, [1 / step for step in pair.spacing])
    out = cores.copy()
    for plane, fluid in zip(out.reshape(shape), (adc > FLUID_LIKE).reshape(shape), strict=True):
        plane &= ~(fluid & mirror(fluid))
    return out


def _joined(axes: int) -> npt.NDArray[np.bool_]:
    return np.ones((3,) * axes, np.bool_)


def _box(mask: Mask, margin: list[int]) -> tuple[slice, ...]:
    (found,) = ndimage.find_objects(mask.astype(np.int8))
    return tuple(slice(max(s.start - m, 0), s.stop + m) for s, m in zip(found, margin, strict=True))
