"""The distance transform by its definition: the least over all pixels of the other class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def distance_transform(mask: Any, spacing: Sequence[float]) -> np.ndarray:
    """How far each pixel is from the nearest one of the other class; negative inside the mask."""
    mask = np.asarray(mask) != 0
    scale = np.asarray(spacing)
    out = np.full(mask.shape, np.inf)
    for place in np.ndindex(mask.shape):
        for other in np.ndindex(mask.shape):
            if mask[other] != mask[place]:
                away = np.linalg.norm((np.array(place) - other) * scale)
                out[place] = min(out[place], away)
    return np.where(mask, -out, out)
