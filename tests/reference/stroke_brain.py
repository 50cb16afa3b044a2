"""A made-up slice that every segmenter of the stroke study must get right."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def ellipse(row: float, column: float, rows: float, columns: float, size: int = 256) -> np.ndarray:
    y, x = np.indices((size, size)).astype(float)
    inside: np.ndarray = ((y - row) / rows) ** 2 + ((x - column) / columns) ** 2 <= 1
    return inside


def brain(
    lesion: str | None = "hyper",
    seed: int = 0,
    at: tuple[float, float] = (110, 175),
    rim: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """256 x 256, 12 bits: a brain at 0.1 with a rim at 0.115, ventricles at 0.035, a lesion at 0.35
    (hyper) or 0.03 (hypo); blurred by 0.8 pixel, Rician noise of 0.008. With `rim` the lesion's
    outermost 2 pixels are at 0.2. And the lesion."""
    gray = np.zeros((256, 256))
    gray[ellipse(128, 128, 105, 82)] = 0.115
    gray[ellipse(128, 128, 98, 75)] = 0.10
    for side in (-1, 1):
        gray[ellipse(120, 128 + 16 * side, 30, 8)] = 0.035
    truth = ellipse(*at, 22, 17)
    if lesion is None:
        truth[:] = False
    gray[truth] = 0.35 if lesion == "hyper" else 0.03
    if rim:
        gray[truth & ~ellipse(*at, 20, 15)] = 0.2
    gray = ndimage.gaussian_filter(gray, 0.8)
    rng = np.random.default_rng(seed)
    noisy = np.hypot(gray + rng.normal(0, 0.008, gray.shape), rng.normal(0, 0.008, gray.shape))
    return np.rint(4095 * noisy).astype(np.uint16), truth
