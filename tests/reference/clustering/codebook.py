"""Codebooks in plain loops: Linde, Buzo and Gray 1980 with the splits and moves that lesionkit
documents, and Equitz' pairwise nearest neighbour by looking at every pair each time.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def cells_of(pixels: Array, words: Array) -> list[Array]:
    """The pixels of each word; of several as near the first."""
    labels = [int(((words - x) ** 2).sum(1).argmin()) for x in pixels]
    return [pixels[[k == j for k in labels]] for j in range(len(words))]


def distortion(pixels: Array, words: Array) -> float:
    return float(np.mean([((words - x) ** 2).sum(1).min() for x in pixels]))


def worst_first(cells: list[Array], words: Array) -> list[int]:
    total = [((cell - word) ** 2).sum() for cell, word in zip(cells, words, strict=True)]
    return [int(j) for j in np.argsort([-t for t in total], kind="stable")]


def lloyd(pixels: Array, words: Array, tol: float) -> Array:
    last = np.inf
    while True:
        here = distortion(pixels, words)
        if here == 0 or last - here <= tol * here:
            return words
        last = here
        cells = cells_of(pixels, words)
        order = worst_first(cells, words)
        words = np.array([c.mean(0) if len(c) else w for c, w in zip(cells, words, strict=True)])
        empty = [j for j, cell in enumerate(cells) if not len(cell)]
        for j, worst in zip(empty, order, strict=False):
            spread = cells[worst].std(0)
            if not spread.any():
                continue
            step = np.zeros_like(spread)
            step[spread.argmax()] = 0.01 * spread.max()
            words[j], words[worst] = words[worst] + step, words[worst] - step
            last = np.inf


def split(pixels: Array, words: Array, size: int) -> Array:
    cells = cells_of(pixels, words)
    made, more = [cell.mean(0) for cell in cells], []
    for j in worst_first(cells, words)[: size - len(words)]:
        step = 0.01 * cells[j].std(0)
        if step.any():
            more.append(made[j] + step)
            made[j] = made[j] - step
    return np.array(made + more)


def by_splitting(pixels: Array, n: int, tol: float) -> Array:
    words = lloyd(pixels, pixels.mean(0, keepdims=True), tol)
    while len(words) < n:
        words = lloyd(pixels, split(pixels, words, min(n, 2 * len(words))), tol)
    return words


def merged(words: Array, weights: Array, target: int) -> tuple[Array, Array]:
    """Equitz 1989, eq. 6, of all pairs the first that costs least."""
    words, weights = list(words), list(weights)
    while len(words) > target:
        best = (np.inf, 0, 0)
        for a in range(len(words)):
            for b in range(a + 1, len(words)):
                na, nb = weights[a], weights[b]
                apart = ((words[a] - words[b]) ** 2).sum()
                cost = na * nb / (na + nb) * apart if na + nb else 0.0
                if cost < best[0]:
                    best = (cost, a, b)
        _, a, b = best
        total = weights[a] + weights[b]
        if total:
            words[a] = (weights[a] * words[a] + weights[b] * words[b]) / total
        weights[a] = total
        del words[b], weights[b]
    return np.array(words), np.array(weights)
