"""A made-up slice for the gallery: skull, brain, ventricles and a lesion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]


def ellipse(row: float, column: float, rows: float, columns: float, side: int = 160) -> Array:
    y, x = np.indices((side, side))
    return ((y - row) / rows) ** 2 + ((x - column) / columns) ** 2 <= 1


def slice_with_lesion(noise: float = 5.0, seed: int = 0) -> tuple[Array, Array, Array]:
    """The image, 0 to 255, the brain and the lesion, 160 x 160. The lesion is as bright as the
    white matter about it, but rougher."""
    random = np.random.default_rng(seed)
    brain, lesion = ellipse(80, 80, 64, 52), ellipse(98, 100, 13, 11)
    tissue = 90.0 * brain + 50.0 * ellipse(80, 80, 52, 40)
    for side in (-12, 12):
        tissue[ellipse(74, 80 + side, 18, 6)] = 40
    image = ndimage.gaussian_filter(tissue, 0.8) + random.normal(0, noise, tissue.shape)
    image += lesion * ndimage.gaussian_filter(random.normal(0, 60, tissue.shape), 1)
    return np.clip(image, 0, 255), brain, lesion
