"""Fuzzy c-means as it is written down, sample by sample: Bezdek, Pattern Recognition with Fuzzy
Objective Function Algorithms, 1981, theorem 11.1. Slow; imports nothing of lesionkit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def memberships(x: Any, centres: Any, m: float) -> np.ndarray:
    """(clusters,) of one sample: u_j = 1 / sum_l (d_j / d_l)^(2/(m-1)); on centres, equal parts."""
    d = [math.dist(x, v) for v in centres]
    if min(d) == 0:
        on = [j for j, distance in enumerate(d) if distance == 0]
        return np.array([1 / len(on) if j in on else 0.0 for j in range(len(d))])
    u = []
    for j in range(len(d)):
        logs = [2 / (m - 1) * (math.log(d[j]) - math.log(other)) for other in d]
        u.append(0.0 if max(logs) > 700 else 1 / sum(math.exp(log) for log in logs))
    return np.array(u)


def fuzzy_c_means(
    x: Any, centres: Any, m: float, passes: int, weights: Any = None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Centres after so many passes, their memberships (samples, clusters), and the objective."""
    x, centres = np.asarray(x, float), np.array(centres, float)
    weights = np.ones(len(x)) if weights is None else weights
    for _ in range(passes):
        sums, mass = np.zeros_like(centres), np.zeros(len(centres))
        for sample, weight in zip(x, weights, strict=True):
            part = weight * memberships(sample, centres, m) ** m
            mass += part
            sums += part[:, None] * sample
        for j in range(len(centres)):
            if mass[j] > 0:
                centres[j] = sums[j] / mass[j]
    u = np.array([memberships(sample, centres, m) for sample in x])
    objective = 0.0
    for i, sample in enumerate(x):
        for j, centre in enumerate(centres):
            objective += weights[i] * u[i, j] ** m * math.dist(sample, centre) ** 2
    return centres, u, objective


def passes_until_still(
    x: Any, centres: Any, m: float, tol: float, most: int, weights: Any = None
) -> int:
    """Passes until the root of the mean square change of the memberships is below tol."""
    weights = np.ones(len(x)) if weights is None else weights
    _, before, _ = fuzzy_c_means(x, centres, m, 0)
    for done in range(1, most + 1):
        centres, after, _ = fuzzy_c_means(x, centres, m, 1, weights)
        change = (weights[:, None] * (after - before) ** 2).sum() / (weights.sum() * len(centres))
        if math.sqrt(change) < tol:
            return done
        before = after
    return most


def cmeans(x: Any, u: Any, m: float, error: float, most: int) -> tuple[Any, Any, list[float]]:
    """scikit-fuzzy's loop from memberships u (clusters, samples): centres, memberships, and of each
    pass the objective of the memberships before it with the centres after it.
    """
    x, history = np.asarray(x, float), []
    while True:
        fractions = u / u.sum(axis=0)
        centres = np.array(
            [(fractions[j] ** m) @ x / (fractions[j] ** m).sum() for j in range(len(fractions))]
        )
        distances = np.array([[math.dist(sample, v) for sample in x] for v in centres])
        history.append(float((fractions**m * distances**2).sum()))
        after = np.array([memberships(sample, centres, m) for sample in x]).T
        norm = np.linalg.norm(after - u)
        u = after
        if norm < error or len(history) == most:
            return centres, u, history
