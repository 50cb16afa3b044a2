"""Inputs of the tests of arrival times, and exact answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tolerances

INF = math.inf


def distance(shape: tuple[int, ...], seed: Any, spacing: Any = 1.0) -> np.ndarray:
    steps = np.broadcast_to(spacing, len(shape))
    away = [(i - s) * h for i, s, h in zip(np.indices(shape), seed, steps, strict=True)]
    return np.sqrt(sum(x * x for x in away))


def linear(shape: tuple[int, ...], seed: Any, slope: Any) -> tuple[np.ndarray, np.ndarray]:
    """A speed that is 1 at the seed and grows along `slope`, and its arrival times
    (Slotnick, "Lessons in seismic computing", 1959: rays are circles)."""
    speed = 1 + sum(g * (i - s) for i, s, g in zip(np.indices(shape), seed, slope, strict=True))
    g = math.hypot(*slope)
    return speed, np.arccosh(1 + (g * distance(shape, seed)) ** 2 / (2 * speed)) / g


def close(ours: Any, expected: Any, relative: float = tolerances.MARCHING) -> None:
    np.testing.assert_allclose(ours, expected, rtol=relative, atol=relative, equal_nan=True)


def random_speed(seed: int, shape: tuple[int, ...], walls: float = 0.15) -> np.ndarray:
    random = np.random.default_rng(seed)
    speed = random.uniform(0.3, 1.0, shape)
    speed[random.random(shape) < walls] = random.choice([0.0, -1.0])
    return speed
