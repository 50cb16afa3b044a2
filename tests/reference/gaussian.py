"""The recursive Gaussian in plain loops: its kernel, number by number, and sums over it.

Farneback and Westin, Journal of Mathematical Imaging and Vision 26, 293, 2006: two damped waves of
x = place / sigma to either side.
"""

from __future__ import annotations

import math

import numpy as np

WAVES = ((0.6681, 1.3932), (2.0787, 1.3732))  # frequency, damping
GAUSSIAN = ((1.3530, 1.8151), (-0.3531, 0.0902))  # of each its cosine and its sine
SECOND = ((-1.3563, 5.2318), (0.3446, -2.2355))


def _sample(place: int, sigma: float, amplitudes: tuple[tuple[float, float], ...]) -> float:
    x = abs(place) / sigma
    return sum(
        math.exp(-damping * x) * (cosine * math.cos(frequency * x) + sine * math.sin(frequency * x))
        for (frequency, damping), (cosine, sine) in zip(WAVES, amplitudes, strict=True)
    )


def kernels(sigma: float) -> tuple[list[float], list[float]]:
    """Of the Gaussian, whose sum is 1, and of its second derivative by voxels: of constants 0, of
    squares 2. sigma in voxels; from the middle outwards."""
    far = math.ceil(30 * sigma) + 4

    def whole(half: list[float]) -> float:
        return half[0] + 2 * sum(half[1:])

    smooth = [_sample(n, sigma, GAUSSIAN) for n in range(far)]
    second = [_sample(n, sigma, SECOND) for n in range(far)]
    level = whole(second) / whole(smooth)
    second = [a - level * b for a, b in zip(second, smooth, strict=True)]
    scale = whole(smooth)
    curved = whole([n * n * k for n, k in enumerate(second)]) / 2
    return [k / scale for k in smooth], [k / curved for k in second]


def along(line: np.ndarray, half: list[float]) -> np.ndarray:
    """A line's sums over a kernel; it goes on beyond its ends with what is there."""
    last = len(line) - 1
    return np.array(
        [
            half[0] * line[i]
            + sum(
                half[n] * (line[max(i - n, 0)] + line[min(i + n, last)])
                for n in range(1, len(half))
            )
            for i in range(len(line))
        ]
    )


def laplacian(image: np.ndarray, sigma: float, spacing: tuple[float, ...]) -> np.ndarray:
    """sigma^2 times the sum of the second derivatives, mm."""
    total = np.zeros(image.shape)
    for derived in range(image.ndim):
        part = image.astype(np.float64)
        for axis, step in enumerate(spacing):
            smooth, second = kernels(sigma / step)
            half = second if axis == derived else smooth
            part = np.apply_along_axis(along, axis, part, half)
        total += part * (sigma / spacing[derived]) ** 2
    return total
