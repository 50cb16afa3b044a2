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
from lesionkit.studies.stroke.prepare import Mask, Prepared, image_of, preprocess

Relative = npt.NDArray[np.float32]

WEIGHT = 1.0  # of the ADC: the image is what a b-value of 1 + WEIGHT times would give
AROUND = 15.0  # mm, SD: the tissue around
FLUID = 1.6  # times the brain's median ADC: no tissue


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
    def scene(self) -> Prepared:
        """The one image of both, prepared: DWI as it would be at a greater b-value."""
        both = self.dwi * np.exp(WEIGHT * (1 - self.adc))
        return preprocess(np.where(self.brain, both, 0), brain=self.brain)


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
    scene = preprocess(gray, brain=brain)
    at = arrays.on_cpu(adc=adc)
    given = arrays.image(adc, "adc", at, kinds="iuf")
    if given.shape != gray.shape:
        raise ValueError(
            f"adc must have the shape of image, {gray.shape}, got {arrays.describe(given)}; "
            "bring it to the image's grid first"
        )
    steps = arrays.spacing_of(1.0 if spacing is None else spacing, gray.ndim)
    if not scene.brain.any():
        one = np.ones(gray.shape, np.float32)
        return Pair(one, one, scene.brain, steps, "")
    scaled, unit = adc_scaled(given, scene.brain)
    known = scene.brain & (scaled > 0)
    tissue = known & (scaled < FLUID * np.median(scaled[known]))
    return Pair(
        _relative(gray, tissue, scene.brain, steps),
        _relative(scaled, tissue, known, steps),
        scene.brain,
        steps,
        unit,
    )


def _relative(
    values: npt.NDArray[Any], tissue: Mask, inside: Mask, spacing: tuple[float, ...]
) -> Relative:
    """Values over the mean of the tissue around; 1 outside."""
    width = [AROUND / step for step in spacing]
    share = ndimage.gaussian_filter(tissue.astype(np.float32), width, mode="constant")
    seen = np.where(tissue, values, 0).astype(np.float32)
    around = ndimage.gaussian_filter(seen, width, mode="constant")
    out = np.ones(values.shape, np.float32)
    np.divide(values * share, around, out=out, where=inside & (around > 0))
    return out
