"""A made thermogram of a woman before a wall, whose parts are known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Woman(NamedTuple):
    celsius: np.ndarray  # (480, 640) float32
    body: np.ndarray
    breasts: tuple[np.ndarray, np.ndarray]  # the image's left one first
    marker: np.ndarray
    midline: float


def woman(seed: int = 0, midline: float = 312.0, noise: float = 0.05) -> Woman:
    """Torso, arms and neck at 32 C, breasts at 31 with warm folds beneath, paper at 24, a wall at
    20 C."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:480, :640].astype(float)
    side = np.abs(x - midline)
    torso = (side < 190) & (y > 60)
    arms = (side >= 190) & (y > 60) & (y < 220 - 0.6 * (side - 190))
    neck = (side < 70) & (y <= 60)
    breast = ((side - 105) / 98) ** 2 + ((y - 300) / 95) ** 2 < 1
    body = torso | arms | neck | breast
    down = y - 300 - 95 * np.sqrt(np.clip(1 - ((side - 105) / 98) ** 2, 0, 1))
    fold = np.where(torso & (side > 8) & (side < 200) & (down > 0), 2.5 * np.exp(-down / 18), 0)
    celsius = np.where(body, 32.0, 20.0) + np.where(breast, -1.0, 0.0) + fold * body
    marker = (side < 25) & (y > 410) & (y < 460)
    celsius[marker] = 24
    celsius += random.normal(0, noise, celsius.shape) if noise else 0
    left, right = breast & (x < midline), breast & (x >= midline)
    return Woman(celsius.astype(np.float32), body, (left, right), marker, midline)
