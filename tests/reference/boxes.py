"""Boxes by plain loops: overlap, suppression, ROI align."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Box = Sequence[float]


def iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / union if union > 0 else 0.0


def nms(boxes: Sequence[Box], scores: Sequence[float], threshold: float) -> list[int]:
    """One box after the other, the best first."""
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(iou(boxes[i], boxes[j]) <= threshold for j in kept):
            kept.append(i)
    return kept


def sample(image: npt.NDArray[np.float64], y: float, x: float) -> float:
    """Bilinear, at indices (y, x); beyond the border the image goes on as it ends."""
    y = min(max(y, 0.0), image.shape[0] - 1.0)
    x = min(max(x, 0.0), image.shape[1] - 1.0)
    y0, x0 = min(math.floor(y), image.shape[0] - 2), min(math.floor(x), image.shape[1] - 2)
    y0, x0 = max(y0, 0), max(x0, 0)
    y1, x1 = min(y0 + 1, image.shape[0] - 1), min(x0 + 1, image.shape[1] - 1)
    v, u = y - y0, x - x0
    above = (1 - u) * image[y0, x0] + u * image[y0, x1]
    below = (1 - u) * image[y1, x0] + u * image[y1, x1]
    return float((1 - v) * above + v * below)


def roi_align(
    image: npt.NDArray[np.float64],
    box: Box,
    size: int,
    samples: int,
    stride: float,
    origin: float,
) -> npt.NDArray[np.float64]:
    """(size, size) of one channel and one box."""
    x1, y1, x2, y2 = box
    out = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            values = []
            for p in range(samples):
                for q in range(samples):
                    y = y1 + (y2 - y1) * (i + (p + 0.5) / samples) / size
                    x = x1 + (x2 - x1) * (j + (q + 0.5) / samples) / size
                    values.append(sample(image, (y - origin) / stride, (x - origin) / stride))
            out[i, j] = sum(values) / len(values)
    return out
