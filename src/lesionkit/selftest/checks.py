"""What a case yields, and how far the GPU may be off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from lesionkit.arrays import to_host

ROUNDING = 1e-9  # float64 on a GPU against the CPU, relative to the largest value
SINGLE = 1e-6  # the same where the answer is float32
GRAY = 1e-3  # fraction of bytes that may round the other way


class Check(NamedTuple):
    """One comparison: how far off, and how far off it may be."""

    what: str
    error: float
    allowed: float

    @property
    def passed(self) -> bool:
        return self.error <= self.allowed  # false for NaN


Case = Callable[[Any], Iterator[Check]]


def distance(ours: Any, cpu: Any) -> float:
    """The largest difference, relative to the largest value; NaN if any is."""
    return float(np.abs(to_host(ours) - cpu).max() / np.abs(cpu).max())
