"""The codebook method as one would write it with scikit-learn and scikit-image: the same steps and
constants, numpy where a step is a formula, plain loops where each pixel waits for another."""

from __future__ import annotations

import warnings
from collections import deque
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.filters import gaussian
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

SPREAD = 0.01  # of a cell: how many standard deviations a word without pixels lies from its mean
NEIGHBOURS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]


def words(page: Any, inside: Any, sizes: tuple[int, ...] = (8, 3), blocks: int = 4) -> Any:
    """Three words, dark to bright: the brightest pixel of each block, then pairs merged and Lloyd's
    passes, each by KMeans, until the distortion falls by a thousandth or less."""
    pixels = page[inside].astype(float)
    side = len(page) // blocks
    first = []
    for i in range(blocks):
        for j in range(blocks):
            box = np.s_[i * side : (i + 1) * side, j * side : (j + 1) * side]
            if inside[box].any():
                bright = np.where(inside[box], page[box].sum(-1, dtype=int), -1)
                first.append(page[box].reshape(-1, 3)[bright.argmax()])
    book = _lloyd(pixels, np.array(first, float))
    for size in sizes:
        means, weights = list(book[0]), list(book[1])
        while len(means) > size:
            best = (np.inf, 0, 0)
            for i in range(len(means)):
                for j in range(i + 1, len(means)):
                    together = weights[i] + weights[j]
                    if together == 0:
                        cost = 0.0
                    else:
                        fraction = weights[i] * weights[j] / together
                        cost = fraction * ((means[i] - means[j]) ** 2).sum()
                    best = min(best, (cost, i, j))
            _, i, j = best
            together = max(weights[i] + weights[j], 1e-300)
            means[i] = (weights[i] * means[i] + weights[j] * means[j]) / together
            weights[i] += weights[j]
            del means[j], weights[j]
        book = _lloyd(pixels, np.array(means))
    return book[0][np.argsort(book[0].sum(1))]


def _lloyd(pixels: Any, book: Any) -> Any:
    """Words after the passes, and how many pixels each has. A word without pixels goes beside the
    mean of the worst cell, along its most uneven channel; KMeans would take the farthest pixel."""
    last = np.inf
    for _ in range(101):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            labels = np.linalg.norm(pixels[:, None] - book[None], axis=2).argmin(1)
            squares = ((pixels - book[labels]) ** 2).sum(1)
            here = squares.mean()
            if here == 0 or last - here <= 1e-3 * here:
                break
            used = np.unique(labels)
            fitted = KMeans(len(used), init=book[used], n_init=1, max_iter=1, tol=0).fit(pixels)
            book[used], last = fitted.cluster_centers_, here
            empty = np.setdiff1d(np.arange(len(book)), used)
            worst = np.argsort(-np.bincount(labels, squares, len(book)), kind="stable")
            spread = {cell: pixels[labels == cell].std(0) for cell in used}
            worst = [cell for cell in worst[: len(empty)] if cell in spread and spread[cell].any()]
            for word, other in zip(empty, worst, strict=False):
                deviations, channel = spread[other], spread[other].argmax()
                book[word] = book[other]
                book[word, channel] += SPREAD * deviations[channel]
                book[other, channel] -= SPREAD * deviations[channel]
                last = np.inf
    return book, np.bincount(labels, minlength=len(book)).astype(float)


def grow(page: Any, seeds: Any, tolerance: float, inside: Any) -> Any:
    """First come, first served: a neighbour of eight joins within tolerance of the region's mean,
    which follows."""
    rows, columns = seeds.shape
    labels = seeds.copy()
    means, counts = {}, {}
    waiting = deque()
    for row in range(rows):
        for column in range(columns):
            if label := int(labels[row, column]):
                count = counts.get(label, 0) + 1
                value = page[row, column].astype(float)
                mean = means.get(label, np.zeros(3))
                means[label], counts[label] = mean + (value - mean) / count, count
                waiting.append((row, column))
    while waiting:
        row, column = waiting.popleft()
        label = int(labels[row, column])
        for dy, dx in NEIGHBOURS:
            y, x = row + dy, column + dx
            if not (0 <= y < rows and 0 <= x < columns) or labels[y, x] or not inside[y, x]:
                continue
            apart = page[y, x] - means[label]
            if apart @ apart <= tolerance * tolerance:
                labels[y, x] = label
                counts[label] += 1
                means[label] = means[label] + apart / counts[label]
                waiting.append((y, x))
    return labels


def edge_flow(page: Any, sigma: float = 2.0, orientations: int = 8) -> Any:
    """The strength of boundaries, (rows, columns)."""
    planes = [page[..., c].astype(float) for c in range(3)]
    smooth = [gaussian(p, sigma, mode="nearest", preserve_range=True) for p in planes]
    down = [ndimage.gaussian_filter(p, sigma, (1, 0), mode="nearest") for p in planes]
    right = [ndimage.gaussian_filter(p, sigma, (0, 1), mode="nearest") for p in planes]
    rows, columns = planes[0].shape
    grid = np.mgrid[:rows, :columns].astype(float)
    angles = 2 * np.pi * np.arange(orientations) / orientations
    energy, errors = np.zeros((2, orientations, rows, columns))
    likely = np.zeros((orientations, rows, columns))
    half = orientations // 2
    for c in range(3):
        for t, angle in enumerate(angles):
            y = np.clip(grid[0] + 4 * sigma * np.sin(angle), 0, rows - 1)
            x = np.clip(grid[1] + 4 * sigma * np.cos(angle), 0, columns - 1)
            there = ndimage.map_coordinates(smooth[c], [y, x], order=1)
            errors[t] = np.abs(there - smooth[c])
            energy[t] += np.abs(np.sin(angle) * down[c] + np.cos(angle) * right[c]) / 3
        both = errors + np.roll(errors, -half, 0)
        likely += np.where(both > 0, errors / np.where(both > 0, both, 1), 0.5) / 3
    total = sum(np.roll(likely, -k, 0) for k in range(half))
    first = total.argmax(0)
    flow = np.zeros((2, rows, columns))
    for k in range(half):
        t = (first + k) % orientations
        here = np.take_along_axis(energy, t[None], 0)[0]
        flow += here * np.stack([np.sin(angles)[t], np.cos(angles)[t]])
    for _ in range(1000):
        moved, changed = np.zeros_like(flow), False
        for row in range(rows):
            for column in range(columns):
                fy, fx = flow[:, row, column]
                size = max(abs(fy), abs(fx))
                if size == 0:
                    continue
                y = row + int(np.sign(fy)) * (abs(fy) > 0.41421356237309503 * size)
                x = column + int(np.sign(fx)) * (abs(fx) > 0.41421356237309503 * size)
                if (
                    0 <= y < rows
                    and 0 <= x < columns
                    and flow[0, y, x] * fy + flow[1, y, x] * fx > 0
                ):
                    changed = True
                else:
                    y, x = row, column
                moved[:, y, x] += fy, fx
        flow = moved
        if not changed:
            break
    strength = np.zeros((rows, columns))
    facing = (flow[0, :-1] > 0) & (flow[0, 1:] < 0)
    strength[:-1] = np.where(facing, flow[0, :-1] - flow[0, 1:], 0)
    facing = (flow[1, :, :-1] > 0) & (flow[1, :, 1:] < 0)
    across = np.where(facing, flow[1, :, :-1] - flow[1, :, 1:], 0)
    strength[:, :-1] = np.maximum(strength[:, :-1], across)
    return strength
