"""k-means in plain loops: Lloyd's algorithm, greedy k-means++, and the best clusters on a line.

Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28, 1982; Arthur and
Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007; Wang and Song,
"Ckmeans.1d.dp", The R Journal 3, 2011. float64 throughout.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float64]


class Found(NamedTuple):
    """Where Lloyd's algorithm ends."""

    centres: Real
    labels: npt.NDArray[np.intp]  # for these centres
    inertia: float
    passes: int
    inertias: list[float]  # before each pass


def squared_distance(x: Real, c: Real) -> float:
    return float(((x - c) ** 2).sum())


def nearest(X: Real, centres: Real) -> npt.NDArray[np.intp]:
    """The nearest centre of each sample; of two as near the first."""
    return np.array([np.argmin(((centres - x) ** 2).sum(axis=1)) for x in X])


def inertia_of(X: Real, w: Real, centres: Real, labels: npt.NDArray[np.intp]) -> float:
    return float(sum(w[i] * squared_distance(X[i], centres[labels[i]]) for i in range(len(X))))


def lloyd(
    X: Real, centres: Real, w: Real | None = None, most: int = 300, tol: float = 0.0
) -> Found:
    """scikit-learn's loop: it stops when no label changes, or when the squared shifts of the
    centres add up to tol times the mean (weighted) variance of the features or less."""
    X = np.asarray(X, np.float64)
    w = np.ones(len(X)) if w is None else w
    centres = np.array(centres, np.float64)
    mean = np.average(X, axis=0, weights=w)
    limit = tol * float(np.average((X - mean) ** 2, axis=0, weights=w).mean())
    before, inertias = None, []
    for _ in range(most):
        labels = nearest(X, centres)
        inertias.append(inertia_of(X, w, centres, labels))
        moved = means_of(X, w, centres, labels)
        shift = sum(squared_distance(a, b) for a, b in zip(moved, centres, strict=True))
        centres = moved
        if before is not None and np.array_equal(labels, before):
            break
        if shift <= limit:
            break
        before = labels
    labels = nearest(X, centres)
    return Found(centres, labels, inertia_of(X, w, centres, labels), len(inertias), inertias)


def means_of(X: Real, w: Real, centres: Real, labels: npt.NDArray[np.intp]) -> Real:
    """The clusters' means. An empty cluster takes the sample that is farthest from its centre,
    whose cluster keeps one sample at least; without any, the mean of the heaviest cluster."""
    k = len(centres)
    clusters = [[i for i in range(len(X)) if labels[i] == j and w[i] > 0] for j in range(k)]
    far = sorted(
        (-squared_distance(X[i], centres[labels[i]]), i) for i in range(len(X)) if w[i] > 0
    )
    for j in range(k):
        for distance, i in far:
            home = clusters[labels[i]]
            if not clusters[j] and distance < 0 and len(home) > 1 and i in home:
                home.remove(i)
                clusters[j] = [i]
    weight = [float(sum(w[i] for i in c)) for c in clusters]
    heaviest = clusters[int(np.argmax(weight))]
    return np.array(
        [np.average(X[c], axis=0, weights=w[c]) for c in (c if c else heaviest for c in clusters)]
    )


def plus_plus(X: Real, w: Real, k: int, trials: int, uniform: Real) -> list[int]:
    """Greedy k-means++ along the samples as they stand; uniform: 1 + (k - 1) trials in [0, 1)."""
    numbers = iter(uniform)

    def draw(law: list[float]) -> int:
        law = law if sum(law) > 0 else list(w)
        rest = next(numbers) * sum(law)
        for i, fraction in enumerate(law):
            if rest < fraction:
                return i
            rest -= fraction
        raise AssertionError("rounding")

    seeds = [draw(list(w))]
    while len(seeds) < k:
        near = [min(squared_distance(x, X[s]) for s in seeds) for x in X]
        drawn = [draw([a * b for a, b in zip(w, near, strict=True)]) for _ in range(trials)]
        left = [
            sum(w[i] * min(near[i], squared_distance(X[i], X[s])) for i in range(len(X)))
            for s in drawn
        ]
        seeds.append(drawn[int(np.argmin(left))])
    return seeds


def optimal_inertia(values: Real, w: Real, k: int) -> float:
    """The least inertia of k clusters of ascending values, over every way to cut them."""
    m = len(values)

    def cost(start: int, end: int) -> float:
        mean = np.average(values[start:end], weights=w[start:end])
        return float(np.sum(w[start:end] * (values[start:end] - mean) ** 2))

    least = [cost(0, j) if j else 0.0 for j in range(m + 1)]
    for _ in range(k - 1):
        least = [min([least[i] + cost(i, j) for i in range(j)], default=0.0) for j in range(m + 1)]
    return least[m]
