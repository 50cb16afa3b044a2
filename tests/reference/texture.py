"""Texture as plain loops over the definitions. Slow, and without anything of lesionkit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from reference.texture_mazda import pairs_of

# Runs, zones, neighbourhoods: of images of 2 or 3 axes, `inside` a boolean array of their shape.


def runs_of(
    image: np.ndarray, direction: Sequence[int], inside: np.ndarray
) -> dict[tuple[int, int], int]:
    """{(level, length): how many runs} along a direction: each voxel whose predecessor is not of
    its run starts one."""

    def level(at: tuple[int, ...]) -> int | None:
        there = all(0 <= a < n for a, n in zip(at, image.shape, strict=True))
        return int(image[at]) if there and inside[at] else None

    found: dict[tuple[int, int], int] = {}
    for start in np.ndindex(*image.shape):
        here = level(start)
        before = level(tuple(a - d for a, d in zip(start, direction, strict=True)))
        if here is None or before == here:
            continue
        length, at = 0, start
        while level(at) == here:
            length, at = length + 1, tuple(a + d for a, d in zip(at, direction, strict=True))
        found[here, length] = found.get((here, length), 0) + 1
    return found


def neighbours_of(
    at: tuple[int, ...], inside: np.ndarray, distance: int = 1, axes: int | None = None
) -> Iterator[tuple[int, ...]]:
    """Voxels inside, at most `distance` away in every axis, and in `axes` axes or fewer."""
    for step in np.ndindex(*(2 * distance + 1,) * inside.ndim):
        by = [s - distance for s in step]
        moved = sum(b != 0 for b in by)
        to = tuple(a + b for a, b in zip(at, by, strict=True))
        if (
            0 < moved <= (axes or inside.ndim)
            and all(0 <= t < n for t, n in zip(to, inside.shape, strict=True))
            and inside[to]
        ):
            yield to


def zones_of(image: np.ndarray, inside: np.ndarray, axes: int) -> dict[tuple[int, int], int]:
    """{(level, size): how many zones}, by flooding; neighbours differ in `axes` axes or fewer."""
    found: dict[tuple[int, int], int] = {}
    left = {at for at in np.ndindex(*image.shape) if inside[at]}
    while left:
        front, size = [left.pop()], 0
        level = int(image[front[0]])
        while front:
            size += 1
            for to in neighbours_of(front.pop(), inside, axes=axes):
                if to in left and image[to] == level:
                    left.remove(to)
                    front.append(to)
        found[level, size] = found.get((level, size), 0) + 1
    return found


def neighbourhoods_of(
    image: np.ndarray, inside: np.ndarray, levels: int, alpha: int, distance: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dependence counts (levels, neighbours + 1), voxels with a neighbour (levels,), and the sum of
    their differences from the mean of their neighbours (levels,)."""
    dependence = np.zeros((levels, (2 * distance + 1) ** image.ndim), int)
    voxels, differences = np.zeros(levels, int), np.zeros(levels)
    for at in np.ndindex(*image.shape):
        if not inside[at]:
            continue
        here = int(image[at])
        others = [int(image[to]) for to in neighbours_of(at, inside, distance)]
        dependence[here, sum(abs(other - here) <= alpha for other in others)] += 1
        if others:
            voxels[here] += 1
            differences[here] += abs(here - math.fsum(others) / len(others))
    return dependence, voxels, differences


def matrix_features(cells: dict[tuple[int, int], int], voxels: int) -> dict[str, float]:
    """What runs, zones and dependences have in common, of {(level from 1, size): count}."""
    n = sum(cells.values())

    def mean(f) -> float:
        return math.fsum(count * f(i, j) for (i, j), count in cells.items()) / n

    def squares(axis: int) -> float:
        sums: dict[int, int] = {}
        for cell, count in cells.items():
            sums[cell[axis]] = sums.get(cell[axis], 0) + count
        return float(sum(s * s for s in sums.values()))

    mean_i, mean_j = mean(lambda i, j: i), mean(lambda i, j: j)
    return {
        "small": mean(lambda i, j: j**-2),
        "large": mean(lambda i, j: j**2),
        "low_grey": mean(lambda i, j: i**-2),
        "high_grey": mean(lambda i, j: i**2),
        "small_low_grey": mean(lambda i, j: (i * j) ** -2),
        "small_high_grey": mean(lambda i, j: i**2 / j**2),
        "large_low_grey": mean(lambda i, j: j**2 / i**2),
        "large_high_grey": mean(lambda i, j: (i * j) ** 2),
        "grey_nonuniformity": squares(0) / n,
        "grey_nonuniformity_normalised": squares(0) / n**2,
        "size_nonuniformity": squares(1) / n,
        "size_nonuniformity_normalised": squares(1) / n**2,
        "percentage": n / voxels,
        "grey_variance": mean(lambda i, j: (i - mean_i) ** 2),
        "size_variance": mean(lambda i, j: (j - mean_j) ** 2),
        "entropy": -math.fsum(c / n * math.log2(c / n) for c in cells.values()),
        "energy": math.fsum((c / n) ** 2 for c in cells.values()),
    }


def tone_features(voxels: Sequence[int], differences: Sequence[float]) -> dict[str, float]:
    """Amadasun & King 1989, eqs. 3 to 9, with levels from 1, as double sums."""
    total = sum(voxels)
    level = [
        (i + 1, n / total, s) for i, (n, s) in enumerate(zip(voxels, differences, strict=True)) if n
    ]
    pairs = [(a, b) for a in level for b in level]
    ps = math.fsum(p * s for _, p, s in level)
    spread = math.fsum(abs(i * p - j * q) for (i, p, _), (j, q, _) in pairs)
    contrast = math.fsum(p * q * (i - j) ** 2 for (i, p, _), (j, q, _) in pairs)
    s_sum, kinds = math.fsum(s for _, _, s in level), len(level)
    return {
        "coarseness": 1 / ps if ps else 1e6,
        "contrast": contrast / (kinds * (kinds - 1)) * s_sum / total if kinds > 1 else 0.0,
        "busyness": ps / spread if spread else 0.0,
        "complexity": math.fsum(
            abs(i - j) * (p * s + q * t) / (p + q) for (i, p, s), (j, q, t) in pairs
        )
        / total,
        "strength": math.fsum((p + q) * (i - j) ** 2 for (i, p, _), (j, q, _) in pairs) / s_sum
        if s_sum
        else 0.0,
    }


# Co-occurrence: the matrix of any image and offset, all features, windows, patterns.


def glcm(
    image: np.ndarray,
    offset: Sequence[int],
    levels: int,
    inside: np.ndarray | None = None,
    symmetric: bool = True,
) -> np.ndarray:
    """Haralick's matrix: [a, b] tells how often b stands at the offset from a."""
    counts = np.zeros((levels, levels), int)
    for a, b in pairs_of(image, offset, inside):
        counts[a, b] += 1
        if symmetric:
            counts[b, a] += 1
    return counts


def pixel_offset(distance: float, angle: float) -> tuple[int, int]:
    """scikit-image's step: rounded, halves away from zero, by adding a half and cutting off."""
    steps = (math.sin(angle) * distance, math.cos(angle) * distance)
    return tuple(int(x + 0.5 if x > 0 else x - 0.5) for x in steps)


def haralick_features(counts: np.ndarray, base: float = 2.0, first: int = 1) -> dict[str, float]:
    """Every feature of a matrix that has entries, from its definition: Haralick 1973, appendix I;
    IBSI reference manual, section 3.6."""
    levels, whole = len(counts), counts.sum()
    cells = [
        (i + first, j + first, counts[i, j] / whole)
        for i in range(levels)
        for j in range(levels)
        if counts[i, j]
    ]
    x, y = counts.sum(1) / whole, counts.sum(0) / whole
    numbers = range(first, first + levels)
    sums = {k: sum(p for i, j, p in cells if i + j == k) for k in range(2 * first + 2 * levels)}
    apart = {k: sum(p for i, j, p in cells if abs(i - j) == k) for k in range(levels)}

    def entropy(fractions: Iterable[float]) -> float:
        return -sum(p * math.log(p, base) for p in fractions if p > 0)

    mu_x = sum(i * p for i, p in zip(numbers, x, strict=True))
    mu_y = sum(i * p for i, p in zip(numbers, y, strict=True))
    var_x = sum((i - mu_x) ** 2 * p for i, p in zip(numbers, x, strict=True))
    var_y = sum((i - mu_y) ** 2 * p for i, p in zip(numbers, y, strict=True))
    mean_sum = sum(k * p for k, p in sums.items())
    mean_apart = sum(k * p for k, p in apart.items())
    whole_entropy = entropy(p for *_, p in cells)
    hx, hy = entropy(x), entropy(y)
    hxy1 = -sum(p * math.log(x[i - first] * y[j - first], base) for i, j, p in cells)
    hxy2 = entropy(a * b for a in x for b in y)
    flat = var_x * var_y == 0
    q = [
        [
            sum(
                counts[i, k] * counts[j, k] / (x[i] * y[k]) / whole**2
                for k in range(levels)
                if y[k] > 0
            )
            for j in range(levels)
            if x[j] > 0
        ]
        for i in range(levels)
        if x[i] > 0
    ]
    roots = sorted(abs(root) for root in np.linalg.eigvals(np.array(q)))
    clusters = [sum((i + j - mu_x - mu_y) ** n * p for i, j, p in cells) for n in (2, 3, 4)]
    return {
        "joint_maximum": max(p for *_, p in cells),
        "joint_average": mu_x,
        "joint_variance": var_x,
        "joint_entropy": whole_entropy,
        "difference_average": mean_apart,
        "difference_variance": sum((k - mean_apart) ** 2 * p for k, p in apart.items()),
        "difference_entropy": entropy(apart.values()),
        "sum_average": mean_sum,
        "sum_variance": sum((k - mean_sum) ** 2 * p for k, p in sums.items()),
        "sum_entropy": entropy(sums.values()),
        "angular_second_moment": sum(p * p for *_, p in cells),
        "energy": math.sqrt(sum(p * p for *_, p in cells)),
        "contrast": sum((i - j) ** 2 * p for i, j, p in cells),
        "dissimilarity": sum(abs(i - j) * p for i, j, p in cells),
        "inverse_difference": sum(p / (1 + abs(i - j)) for i, j, p in cells),
        "normalised_inverse_difference": sum(p / (1 + abs(i - j) / levels) for i, j, p in cells),
        "inverse_difference_moment": sum(p / (1 + (i - j) ** 2) for i, j, p in cells),
        "normalised_inverse_difference_moment": sum(
            p / (1 + (i - j) ** 2 / levels**2) for i, j, p in cells
        ),
        "inverse_variance": sum(p / (i - j) ** 2 for i, j, p in cells if i != j),
        "correlation": 1.0
        if flat
        else sum((i - mu_x) * (j - mu_y) * p for i, j, p in cells) / math.sqrt(var_x * var_y),
        "autocorrelation": sum(i * j * p for i, j, p in cells),
        "cluster_tendency": clusters[0],
        "cluster_shade": clusters[1],
        "cluster_prominence": clusters[2],
        "information_correlation_1": (whole_entropy - hxy1) / max(hx, hy) if max(hx, hy) else 0.0,
        "information_correlation_2": math.sqrt(max(1 - math.exp(-2 * (hxy2 - whole_entropy)), 0)),
        "maximal_correlation": 1.0 if len(roots) < 2 else math.sqrt(roots[-2]),
    }


def cs_lbp(image: np.ndarray, points: int, radius: float, threshold: float) -> np.ndarray:
    """Centre-symmetric patterns of the pixels whose circle lies inside, interpolated bilinearly."""
    margin = math.ceil(radius)

    def value(row: float, column: float) -> float:
        row, column = round(row, 9), round(column, 9)
        top, left = math.floor(row), math.floor(column)
        down, right = row - top, column - left
        return sum(
            weight * float(image[r, c])
            for r, c, weight in (
                (top, left, (1 - down) * (1 - right)),
                (top, left + 1, (1 - down) * right),
                (top + 1, left, down * (1 - right)),
                (top + 1, left + 1, down * right),
            )
            if weight
        )

    codes = np.zeros([n - 2 * margin for n in image.shape], int)
    for at in np.ndindex(*codes.shape):
        for p in range(points // 2):
            angle = 2 * math.pi * p / points
            down, right = -radius * math.sin(angle), radius * math.cos(angle)
            row, column = at[0] + margin, at[1] + margin
            if value(row + down, column + right) - value(row - down, column - right) > threshold:
                codes[at] += 2**p
    return codes
