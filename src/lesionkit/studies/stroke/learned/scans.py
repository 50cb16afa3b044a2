"""What the U-Net learns from: lesions planted into brains of 2 mm, as slabs of a volume.

The recipe is that of `plant`, in three dimensions and with its constants drawn anew for each slab:
a net that knew one contrast, one noise and one size would know no scanner. Brains are the tissue
maps of MNI152, as slices of 2 and of 5 mm, and one real normal scan. Besides lesions there is what
is none: T2 shine-through (bright, and not dark on ADC), and brightness near air.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import io
from lesionkit.studies.stroke import plant
from lesionkit.studies.stroke.prepare import GAMMA, NORMAL, preprocess

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Range = tuple[float, float]

PIXEL = 2.0  # mm, of a slice
SLICES = 8  # of a slab: a step of the training
NORMAL_SCAN = "stroke_dwi/ads/Subject02/Subject02"
KINDS = tuple(plant.KINDS)
OFTEN = (0.45, 0.25, 0.15, 0.15)  # in the order of KINDS
DARK = (False, False, True, True)  # on DWI

# Drawn for each slab. A kind's S0, and its D in 1e-3 mm^2/s; the README's values lie inside, and so
# do the contrasts that it tells of real acute infarcts.
CONTRAST: dict[str, tuple[Range, Range]] = {
    "acute_ischemic": ((1.0, 1.9), (0.40, 0.72)),
    "sub_acute_ischemic": ((1.3, 1.7), (0.70, 0.90)),
    "chronic_ischemic": ((1.6, 2.6), (1.6, 2.8)),
    "acute_hemorrhage": ((0.30, 0.55), (0.50, 0.80)),
}
SHINE: tuple[Range, Range] = ((1.3, 2.2), (1.05, 1.6))  # no lesion that is looked for
ZOOMS: Range = (0.2, 1.1)  # of a lesion's real size
MAX_PIECES = 8
GREY_S0: Range = (0.92, 1.15)  # factors of a tissue's S0 and D
GREY_D: Range = (0.92, 1.12)
NOISES: Range = (0.3, 1.5)  # times `plant.NOISE`
BLURS: Range = (0.2, 0.8)  # pixels
GAINS: Range = (0.92, 1.08)  # of the normal brain's signal and ADC, which are not found exactly
NEAR_AIR: Range = (0.2, 1.2)  # brightness added where a brain touches air
LESIONS = 0.9  # of slabs that have some
MIN_BRAIN = 100  # pixels of a slice that is learnt from


class Slab(NamedTuple):
    """Some slices of a scan with lesions, and a slice more on both sides.

    Attributes
    ----------
    level : (slices + 2, rows, columns) array of float32
        S of the papers: the normal brain lies about 0.4.
    adc : (slices + 2, rows, columns) array of float32
        The normal brain lies about 1; 0 outside.
    brain : (slices + 2, rows, columns) array of bool
        The brain.
    lesions : (2, slices, rows, columns) array of bool
        Bright ones and dark ones on DWI.
    """

    level: Floats
    adc: Floats
    brain: Mask
    lesions: Mask


@dataclass(frozen=True)
class Brain:
    """A brain without a lesion.

    Attributes
    ----------
    s0, diffusivity : (planes, rows, columns) array of float32
        As `plant` has them. Of a template those of white matter and fluid; grey matter's are drawn.
    grey, fluid : (planes, rows, columns) array of float32
        Fractions, 0 to 1; no grey matter is known of a real scan.
    brain : (planes, rows, columns) array of bool
        The brain.
    spacing : tuple of float
        mm.
    firsts : (n,) array of int
        Planes that a slab may begin with.
    usual : tuple of float
        The brain's middle signal on DWI, and its middle D.
    real : bool
        It has noise and a coil of its own.
    """

    s0: Floats
    diffusivity: Floats
    grey: Floats
    fluid: Floats
    brain: Mask
    spacing: tuple[float, float, float]
    firsts: npt.NDArray[np.intp]
    usual: tuple[float, float]
    real: bool = False


@dataclass(frozen=True)
class Shape:
    """A real lesion, 0 to 1, of voxels of 1 mm."""

    name: str
    inside: Floats


def template_brain(template: plant.Template, thickness: int) -> Brain:
    """The tissue maps in slices of so many mm, of pixels of 2 mm; rows go to the front."""
    step = int(PIXEL)
    shape = np.array(template.white.shape) // (thickness, step, step)

    def coarse(volume: npt.NDArray[np.generic]) -> Floats:
        planes, rows, columns = shape * (thickness, step, step)
        part = volume[:planes, ::-1][:, :rows, :columns].astype(np.float32)
        split = part.reshape(shape[0], thickness, shape[1], step, shape[2], step)
        return np.asarray(split.mean((1, 3, 5)), np.float32)

    white, grey, brain = (coarse(v) for v in (template.white, template.grey, template.brain))
    inside = brain > 0.5
    fluid = np.clip(1 - white - grey, 0, 1) * inside
    white, grey = white * inside, grey * inside
    s0 = white * plant.WHITE[0] + fluid * plant.FLUID[0]
    diffusivity = white * plant.WHITE[1] + fluid * plant.FLUID[1]
    whole = (s0 + grey * plant.GREY[0], diffusivity + grey * plant.GREY[1])
    return Brain(
        s0, diffusivity, grey, fluid, inside, (float(thickness), PIXEL, PIXEL),
        _firsts(inside, np.zeros(len(inside), bool)), _usual(*whole, inside),
    )  # fmt: skip


def real_brain(data: str | os.PathLike[str]) -> Brain:
    """The one normal scan of the data folder; the planes of its spot are left out."""
    stem = str(Path(data) / NORMAL_SCAN)
    image = io.read_image(f"{stem}_DWI.nii.gz")
    adc = io.read_image(f"{stem}_ADC.nii.gz").values.astype(np.float32) * 1e3
    truth = io.read_mask(f"{stem}_DAGMNet_CH3_Lesion_Predict.nii.gz", image).values
    inside = preprocess(image.values).brain
    signal = image.values.astype(np.float32)
    zoom = (1.0, image.spacing[1] / PIXEL, image.spacing[2] / PIXEL)
    dwi, adc = (resampled(v, zoom) for v in (signal, np.clip(adc, 0, 4)))
    brain = resampled(inside.astype(np.float32), zoom) > 0.5
    normal = float(np.median(dwi[brain]))
    diffusivity = np.where(brain, adc, 0).astype(np.float32)
    s0 = np.where(brain, 0.5 * dwi / normal * np.exp(diffusivity), 0).astype(np.float32)
    fluid = np.clip((diffusivity - 1.0) / 1.5, 0, 1)
    return Brain(
        s0, diffusivity, np.zeros_like(s0), fluid, brain, (image.spacing[0], PIXEL, PIXEL),
        _firsts(brain, np.asarray(truth.any((1, 2)))), _usual(s0, diffusivity, brain), real=True,
    )  # fmt: skip


def _firsts(brain: Mask, barred: Mask) -> npt.NDArray[np.intp]:
    """Where slabs may begin: none of their slices, but for the outer two, is without brain or
    barred."""
    good = (brain.sum((1, 2)) >= MIN_BRAIN) & ~barred
    runs = np.lib.stride_tricks.sliding_window_view(good[1:-1], SLICES).all(1)
    return np.flatnonzero(runs)


def _usual(s0: Floats, diffusivity: Floats, brain: Mask) -> tuple[float, float]:
    slower = diffusivity[brain]
    return float(np.median(s0[brain] * np.exp(-slower))), float(np.median(slower))


def resampled(volume: Floats, zoom: Sequence[float]) -> Floats:
    """A volume, or one of its slices, on another grid: linear, over the same part of the body;
    smoothed before where the grid is coarser."""
    widths = [0.42 * (1 / z - 1) if z < 1 else 0.0 for z in zoom]
    smooth = ndimage.gaussian_filter(volume, widths) if any(widths) else volume
    sizes = [max(1, round(n * z)) for n, z in zip(volume.shape, zoom, strict=True)]
    return onto(smooth, sizes)


def onto(volume: Floats, sizes: Sequence[int]) -> Floats:
    """The same on so many voxels: outer borders stay where they are."""
    ratios = np.array(volume.shape) / np.array(sizes)
    if (ratios == 1).all():
        return volume
    found: Floats = ndimage.affine_transform(
        volume, ratios, ratios / 2 - 0.5, tuple(sizes), order=1, mode="nearest"
    )
    return found


def read_shapes(data: str | os.PathLike[str]) -> list[Shape]:
    """All SOOP lesions, in three dimensions."""
    folder = plant.data_folder(data) / "stroke_dwi/soop_lesion_masks"
    shapes = []
    for file in sorted(folder.glob("*_lesion.nii.gz")):
        lesion = io.read_mask(file).values
        name = file.name.removeprefix("bwsr").removesuffix("_lesion.nii.gz")
        places = [np.flatnonzero(lesion.any(tuple({0, 1, 2} - {axis}))) for axis in range(3)]
        part = tuple(slice(p[0], p[-1] + 1) for p in places)
        shapes.append(Shape(name, np.pad(lesion[part], 1).astype(np.float32)))
    return shapes


def laid(
    shape: Shape, brain: Brain, planes: slice, middle: Sequence[float], zoom: float, mirrored: bool
) -> Floats:
    """The part of each voxel of some planes, 0 to 1, that a shape fills whose middle lies at the
    voxel `middle` of the brain's grid."""
    found = np.zeros((planes.stop - planes.start, *brain.s0.shape[1:]), np.float32)
    steps = np.array(brain.spacing) / zoom  # in the shape's voxels
    inside = shape.inside[..., ::-1] if mirrored else shape.inside
    half = np.array(inside.shape) / 2
    low = np.floor(np.array(middle) - half / steps).astype(int) - 1
    high = np.ceil(np.array(middle) + half / steps).astype(int) + 2
    low = np.maximum(low, (planes.start, 0, 0))
    high = np.minimum(high, (planes.stop, *brain.s0.shape[1:]))
    if (high <= low).any():
        return found
    offset = half - 0.5 + (low - np.array(middle)) * steps
    from_first = np.array([planes.start, 0, 0])
    box = tuple(slice(*ends) for ends in zip(low - from_first, high - from_first, strict=True))
    found[box] = ndimage.affine_transform(inside, steps, offset, tuple(high - low), order=1)
    return found


def plant_slab(brains: Sequence[Brain], shapes: Sequence[Shape], item: int, seed: int) -> Slab:
    """Slab `item` of the endless set `seed`: the same alone, or after any others."""
    rng = np.random.default_rng([seed, item])
    brain = brains[int(rng.integers(len(brains)))]
    number = int(rng.choice(len(KINDS), p=OFTEN))
    first = int(rng.choice(brain.firsts))
    planes = slice(first, first + SLICES + 2)
    inside, fluid, grey = brain.brain[planes], brain.fluid[planes], brain.grey[planes]
    s0 = brain.s0[planes] + grey * np.float32(plant.GREY[0] * rng.uniform(*GREY_S0))
    diffusivity = brain.diffusivity[planes] + grey * np.float32(
        plant.GREY[1] * rng.uniform(*GREY_D)
    )
    level, usual = (float(u * rng.uniform(*GAINS)) for u in brain.usual)

    def put(contrast: tuple[Range, Range], where: Floats, rim: float | None = None) -> None:
        inner = np.full(s0.shape, rng.uniform(*contrast[0]), np.float32)
        if rim is not None:
            lesion = where > 0.5
            inner[lesion & ~ndimage.binary_erosion(lesion, np.ones((1, 3, 3)))] = rim
        inner *= np.float32(plant.TISSUE) * (1 + _uneven(s0.shape, rng))
        slower = np.float32(rng.uniform(*contrast[1])) * (1 + _uneven(s0.shape, rng))
        s0[...] += where * (inner - s0)
        diffusivity[...] += where * (slower - diffusivity)

    def pieces(many: int, largest: float) -> Floats:
        found = np.zeros(s0.shape, np.float32)
        for _ in range(many):
            places = np.argwhere(inside[1:-1])
            middle = places[rng.integers(len(places))] + np.array([first + 1.5, 0.5, 0.5])
            shape = shapes[int(rng.integers(len(shapes)))]
            zoom = largest * float(np.exp(rng.uniform(*np.log(ZOOMS))))
            found = np.maximum(found, laid(shape, brain, planes, middle, zoom, rng.random() < 0.5))
        return np.asarray(found * inside)

    put(SHINE, pieces(int(rng.integers(0, 3)), 0.5) * (1 - fluid))
    kind = plant.KINDS[KINDS[number]]
    filled = pieces(int(MAX_PIECES ** rng.random()) if rng.random() < LESIONS else 0, 1.0)
    lesion = (filled > 0.5) & (True if kind.fluid else fluid < 0.5)
    put(CONTRAST[KINDS[number]], filled if kind.fluid else filled * (1 - fluid), kind.rim)
    _brighten_near_air(s0, inside, rng)
    dwi, adc = _scanned(s0, diffusivity, brain.real, rng)
    intensity = np.clip(NORMAL * dwi / level, 0, 1)
    found = np.zeros((2, SLICES, *s0.shape[1:]), bool)
    found[int(DARK[number])] = lesion[1:-1]
    return Slab(
        np.where(inside, intensity**GAMMA, 0).astype(np.float32),
        np.where(inside, adc / usual, 0).astype(np.float32),
        inside,
        found,
    )


def _uneven(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Noise of mean 0 and the SD of a lesion's unevenness, over some 3 mm."""
    noise = ndimage.gaussian_filter(
        rng.standard_normal(shape, np.float32), (0.5, plant.PATCHES / PIXEL, plant.PATCHES / PIXEL)
    )
    return np.asarray(plant.UNEVEN * noise / noise.std(), np.float32)


def _brighten_near_air(s0: Floats, brain: Mask, rng: np.random.Generator) -> None:
    """Make some places at the brain's rim brighter, on all images of the scan: no lesions."""
    rim = np.argwhere(brain & ~ndimage.binary_erosion(brain, np.ones((1, 5, 5))))
    z, y, x = np.ogrid[tuple(slice(n) for n in s0.shape)]
    for _ in range(rng.integers(0, 4)):
        place = rim[rng.integers(len(rim))]
        width = rng.uniform(1, 5)
        far = ((z - place[0]) / 2) ** 2 + (y - place[1]) ** 2 + (x - place[2]) ** 2
        s0 *= (1 + rng.uniform(*NEAR_AIR) * np.exp(-far / (2 * width**2))).astype(np.float32)


def _scanned(
    s0: Floats, diffusivity: Floats, real: bool, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """DWI, and ADC in 1e-3 mm^2/s: coil, blur and noise. A real scan has its own, and gets little
    more."""
    width = plant.BIAS_WIDTH / PIXEL / 2
    waves = ndimage.gaussian_filter(rng.standard_normal(s0.shape, np.float32), (4, width, width))
    bias = 0.0 if real else plant.BIAS * (waves - waves.mean()) / waves.std()
    blur = 0.0 if real else rng.uniform(*BLURS)
    noise = plant.NOISE / plant.SCALE * rng.uniform(*NOISES) * (0.3 if real else 1.0)
    images = []
    for signal in (s0, s0 * np.exp(-diffusivity)):
        smooth = ndimage.gaussian_filter(signal * (1 + bias), (0, blur, blur))
        real_part, imaginary = noise * rng.standard_normal((2, *s0.shape), np.float32)
        images.append(np.hypot(smooth + real_part, imaginary))
    b0, dwi = images
    adc = np.log(np.maximum(b0, 1e-6) / np.maximum(dwi, 1e-6))
    return dwi, np.clip(adc, 0, 4)
