"""Samples as the passes of fuzzy c-means read them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from lesionkit.clustering import fcm_gpu, scaling
from lesionkit.clustering.histogram import levels
from lesionkit.clustering.starts import kernels_for

Real = npt.NDArray[np.float64]


class FcmData(NamedTuple):
    """Samples as the passes read them: as they are, or each value once and how often it occurs;
    times a power of two where they are so large or small that squares would leave their range."""

    x: Any
    weight: Real | None
    scale: float
    low: Real  # of each feature
    high: Real
    spread: float  # root of the mean variance of the features
    heaviest: float  # weight
    total: float

    @classmethod
    def of(cls, X: Any, weight: Real | None) -> Self | None:
        """None where X is not finite."""
        on_cpu = isinstance(X, np.ndarray)
        counted = levels(X, weight) if on_cpu and X.shape[1] == 1 else None
        if counted is not None:
            there = counted.weights > 0
            X, weight = counted.values[there], counted.weights[there]
        found, scale = np.empty((X.shape[1], 4)), 1.0
        if not kernels_for(X, fcm_gpu).column_statistics(X, weight, found):
            return None
        scale = scaling.scale_for(float(np.abs(found[:, :2]).max()))
        if scale != 1.0:
            X = X * scale
            kernels_for(X, fcm_gpu).column_statistics(X, weight, found)
        low, high, _, variance = found.T
        heaviest, total = (1.0, len(X)) if weight is None else (weight.max(), weight.sum())
        spread = math.sqrt(variance.mean())
        return cls(X, weight, scale, low, high, spread, float(heaviest), float(total))

    def run(
        self, centres: Real, m: float, max_iter: int, tol: float, of_memberships: bool
    ) -> tuple[int, float]:
        """Move the centres, (n_clusters, features), until they stop: passes, and J. They, tol and
        J are of numbers like x."""
        ends = np.vstack([self.low, self.high, centres])
        with np.errstate(over="ignore"):
            span = float(np.linalg.norm(np.ptp(ends, axis=0)))
        scaling.check_overflow(self.total, span / self.scale, "X")
        limit = tol if of_memberships else tol * self.spread
        passes, objective = kernels_for(self.x, fcm_gpu).fcm_fit(
            self.x, self.weight, span, self.heaviest, self.total, m, max_iter, limit,
            of_memberships, centres,
        )  # fmt: skip
        return passes, objective
