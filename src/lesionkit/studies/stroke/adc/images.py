"""Both images, each relative to the tissue around, and the one image that is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import arrays
from lesionkit.studies.stroke.adc.maps import adc_scaled
from lesionkit.studies.stroke.prepare import Kind, Mask, Prepared, image_of, kind_of, preprocess
from lesionkit.studies.stroke.regions import NORMAL_LEVEL

Relative = npt.NDArray[np.float32]

KAPPA = 1.0  # of the ADC in the evidence
WEIGHT = 0.5  # of the ADC: the image is what a b-value of about 1 + WEIGHT times would give
SMOOTH = 1.5  # mm, SD: of the ADC in it
AROUND = 30.0  # mm, SD: the tissue around
# Of the logarithm of the smoothed image of both: what is farther from its tissue is none; at first,
# when the brain's own values stand for the tissue around, and in each pass then.
APART = (0.2, 0.12, 0.12, 0.12)
COARSE = 5.0  # mm: of the grid on which means are taken
FLUID = 1.6  # times the brain's median ADC: no tissue
TISSUE_DWI = 0.4  # times the normal brain: tissue is brighter
TISSUE_ADC = (0.3, 2.0)  # 1e-3 mm^2/s, smoothed: fat and noise have less, fluid has more
THREAD, FOLD = 4.0, 8.0  # mm: thinner pieces are no brain, thinner gaps are
LOWEST, HIGHEST = 0.05, 20.0  # times the tissue around
LEAST_SHARE = 1e-3  # of the tissue around; with less the whole brain's is taken


@dataclass(frozen=True, eq=False)
class Pair:
    """Two images of one brain, ready to be segmented.

    Attributes
    ----------
    dwi, adc : array of float32
        (rows, columns) or (planes, rows, columns); relative to the mean of the tissue around, 1 in
        normal tissue, and outside the brain.
    brain : array of bool
        The brain.
    spacing : tuple of float
        mm of each axis.
    unit : str
        In which the map of ADC was, for people.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import pair
    >>> row, column = np.ogrid[:128, :128]
    >>> brain = np.hypot(row - 64, column - 64) < 50
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> random = np.random.default_rng(0)
    >>> dwi = (100.0 * brain + 60 * lesion) * random.normal(1, 0.04, brain.shape)
    >>> adc = (800 * brain - 300 * lesion) * random.normal(1, 0.04, brain.shape)
    >>> both = pair(dwi, adc)
    >>> both.unit, (both.adc[lesion].mean() < 0.8).item()
    ('1e-6 mm^2/s', True)
    """

    dwi: Relative
    adc: Relative
    brain: Mask
    spacing: tuple[float, ...]
    unit: str

    @cached_property
    def both(self) -> Relative:
        """The image of both: DWI as it would be at a greater b-value."""
        return _both(self.dwi, self.adc, self.spacing)

    @cached_property
    def evidence(self) -> Relative:
        """How much a pixel speaks for a bright lesion: bright on DWI, and dark on ADC."""
        return np.asarray(np.log(self.dwi) + KAPPA * (1 - self.adc)) * self.brain

    @cached_property
    def spread(self) -> float:
        """SD of the evidence in tissue, of the median distance from its median."""
        seen = self.evidence[self.brain & (self.adc < FLUID)]
        if not seen.size:
            return 0.0
        return float(1.4826 * np.median(np.abs(seen - np.median(seen))))

    @cached_property
    def depth(self) -> Relative:
        """mm to the brain's rim."""
        return np.asarray(ndimage.distance_transform_edt(self.brain, sampling=self.spacing))

    def scene(self, kind: Kind) -> Prepared:
        """Give the image in which lesions of a kind are looked for.

        Parameters
        ----------
        kind : {"hyper", "hypo"}
            Bright ones are looked for in the image of both, dark ones in DWI.

        Returns
        -------
        Prepared
            Levels and brain.

        Raises
        ------
        ValueError
            Where the kind is not one of them.

        Examples
        --------
        >>> import numpy as np
        >>> from lesionkit.studies.stroke import pair
        >>> brain = np.hypot(*np.ogrid[-64:64, -64:64]) < 50
        >>> pair(100.0 * brain, 0.8 * brain).scene("hyper").brain.sum().item()
        7825
        """
        chosen = self.both if kind_of(kind) == "hyper" else self.dwi
        return preprocess(np.where(self.brain, chosen, 0), brain=self.brain)


def pair(image: Any, adc: Any, *, spacing: Any = None, brain: Any = None) -> Pair:
    """Prepare two images of one brain.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array
        Diffusion weighted, as for :func:`preprocess`.
    adc : array of the image's shape
        Apparent diffusion coefficient, in mm^2/s, 1e-3 or 1e-6 mm^2/s. What is not above 0 is not
        known.
    spacing : float or sequence of float, optional
        mm of each axis; None: 1.
    brain : array of bool or whole numbers, optional
        Of the image's shape; None: found.

    Returns
    -------
    Pair
        Both images, relative to the tissue around.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.stroke import pair
    >>> row, column = np.ogrid[:128, :128]
    >>> brain = np.hypot(row - 64, column - 64) < 50
    >>> lesion = np.hypot(row - 50, column - 80) < 8
    >>> random = np.random.default_rng(0)
    >>> dwi = (100.0 * brain + 60 * lesion) * random.normal(1, 0.04, brain.shape)
    >>> adc = (800 * brain - 300 * lesion) * random.normal(1, 0.04, brain.shape)
    >>> (pair(dwi, adc).adc[lesion].mean() < 0.8).item()
    True
    """
    gray = image_of(image)
    steps = arrays.spacing_of(1.0 if spacing is None else spacing, gray.ndim)
    scene = preprocess(gray, brain=brain)
    at = arrays.on_cpu(adc=adc)
    given = arrays.image(adc, "adc", at, kinds="iuf")
    if given.shape != gray.shape:
        raise ValueError(
            f"adc must have the shape of image, {gray.shape}, got {arrays.describe(given)}; "
            "bring it to the image's grid first"
        )
    if not scene.brain.any():
        one = np.ones(gray.shape, np.float32)
        return Pair(one, one, scene.brain, steps, "")
    scaled, unit = adc_scaled(given, scene.brain)
    if brain is None and gray.ndim == 3:
        inside = _whole(scene, gray, scaled, steps)
        scene = Prepared(np.where(inside, scene.levels, np.uint16(0)), inside)
    known = scene.brain & (scaled > 0)
    tissue = normal = known & (scaled < FLUID * np.median(scaled[known]))
    scaled[~known] = 0
    width = [SMOOTH / step for step in steps]
    one = np.where(scene.brain, gray / _normal(scene, gray), 1).astype(np.float32)
    other = np.where(known, scaled / np.median(scaled[tissue]), 1).astype(np.float32)
    for apart in APART:
        both = ndimage.gaussian_filter(_both(one, other, steps), width)
        tissue = normal & (np.abs(np.log(np.maximum(both, LOWEST))) < apart)
        one = _relative(gray, tissue, scene.brain, steps)
        other = _relative(scaled, tissue, known, steps)
    return Pair(one, other, scene.brain, steps, unit)


def _whole(scene: Prepared, gray: npt.NDArray[Any], adc: Relative, spacing: Any) -> Mask:
    """The brain of all planes together: the largest piece of tissue, by both images, without what
    hangs on it by a thread; and the fluid within."""
    tissue = scene.brain & (gray > TISSUE_DWI * _normal(scene, gray))
    smooth = ndimage.gaussian_filter(np.nan_to_num(adc), [SMOOTH / step for step in spacing])
    tissue &= (smooth > TISSUE_ADC[0]) & (smooth < TISSUE_ADC[1])
    opened = _opened(tissue, THREAD, spacing)
    labels, count = ndimage.label(opened)
    if not count:
        return scene.brain
    piece = labels == 1 + int(np.bincount(labels.ravel())[1:].argmax())
    closed = ~_opened(~piece, FOLD, spacing)
    filled = np.array([ndimage.binary_fill_holes(plane) for plane in closed])
    return filled & scene.brain


def _opened(mask: Mask, radius: float, spacing: tuple[float, ...]) -> Mask:
    """Opening of each plane by a disk; beyond the border it goes on as it is there."""
    out = np.empty_like(mask)
    for plane, into in zip(mask, out, strict=True):
        wide = np.pad(plane, 1, mode="edge")
        inner = ndimage.distance_transform_edt(wide, sampling=spacing[1:]) > radius
        if inner.all() or not inner.any():
            into[...] = inner[1:-1, 1:-1]
            continue
        near = ndimage.distance_transform_edt(~inner, sampling=spacing[1:]) <= radius
        into[...] = near[1:-1, 1:-1]
    return out


def _normal(scene: Prepared, gray: npt.NDArray[Any]) -> float:
    """The grey value of the normal brain: of the level that it has in what is prepared."""
    at = scene.brain & (np.abs(scene.levels.astype(np.int32) - NORMAL_LEVEL) <= NORMAL_LEVEL // 20)
    return float(np.median(gray[at if at.any() else scene.brain]))


def _both(dwi: Relative, adc: Relative, spacing: tuple[float, ...]) -> Relative:
    """The image of both."""
    smooth = ndimage.gaussian_filter(adc, [SMOOTH / step for step in spacing])
    return np.asarray(dwi * np.exp(WEIGHT * (1 - smooth)))


def _relative(
    values: npt.NDArray[Any],
    tissue: Mask,
    inside: Mask,
    spacing: tuple[float, ...],
) -> Relative:
    """Values over the mean of the tissue around; 1 outside."""
    sides = zip(spacing, values.shape, strict=True)
    blocks = [max(1, min(int(COARSE / step), n)) for step, n in sides]
    width = [AROUND / (n * step) for n, step in zip(blocks, spacing, strict=True)]
    share = _sums(tissue.astype(np.float32), blocks)
    total = _sums(np.where(tissue, values, 0).astype(np.float32), blocks)
    whole = total.sum(dtype=np.float64) / max(1.0, share.sum(dtype=np.float64))
    share, total = (ndimage.gaussian_filter(x, width, mode="constant") for x in (share, total))
    few = share < LEAST_SHARE * np.prod(blocks)
    means = np.where(few, whole, total / np.where(few, 1, share)).astype(np.float32)
    for axis, (n, block) in enumerate(zip(values.shape, blocks, strict=True)):
        means = _between(means, axis, n, block)
    out = np.ones(values.shape, np.float32)
    np.divide(values, means, out=out, where=inside & (means > 0))
    return np.clip(out, LOWEST, HIGHEST)


def _sums(values: npt.NDArray[np.float32], blocks: list[int]) -> npt.NDArray[np.float32]:
    """Sums of blocks; the last of an axis may be smaller."""
    for axis, block in enumerate(blocks):
        if block > 1:
            values = np.add.reduceat(values, np.arange(0, values.shape[axis], block), axis)
    return values


def _between(
    means: npt.NDArray[np.float32], axis: int, count: int, block: int
) -> npt.NDArray[np.float32]:
    """Means of blocks along an axis, on its pixels: linear between the middles of blocks."""
    if block == 1:
        return means
    place = np.clip((np.arange(count) + 0.5) / block - 0.5, 0, means.shape[axis] - 1)
    first = np.minimum(place.astype(np.intp), max(means.shape[axis] - 2, 0))
    share = (place - first).astype(np.float32)
    share = share.reshape([-1 if i == axis else 1 for i in range(means.ndim)])
    after = np.take(means, np.minimum(first + 1, means.shape[axis] - 1), axis)
    return np.asarray(np.take(means, first, axis) * (1 - share) + after * share)
