"""Arrival times as plain loops over the definitions. Slow, and without anything of lesionkit."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence

import numpy as np

Node = tuple[int, ...]


def neighbours(node: Node, shape: Sequence[int]) -> Iterator[tuple[int, int, Node]]:
    """(axis, side, neighbour) of each neighbour within the grid."""
    for axis, n in enumerate(shape):
        for side in (-1, 1):
            if 0 <= node[axis] + side < n:
                yield axis, side, (*node[:axis], node[axis] + side, *node[axis + 1 :])


def quadratic(slopes: Sequence[tuple[float, float]], slowness: float) -> float:
    """The larger root T of sum (rate (T - at))^2 = slowness^2; NaN where there is none."""
    first = slopes[0][0]
    a = sum(rate**2 for _, rate in slopes)
    b = sum(rate**2 * (at - first) for at, rate in slopes)
    c = sum(rate**2 * (at - first) ** 2 for at, rate in slopes) - slowness**2
    square = b * b - a * c
    return first + (b + math.sqrt(square)) / a if square >= 0 else math.nan


def upwind(times: np.ndarray, node: Node, slowness: float, spacing: Sequence[float]) -> float:
    """Order 1 (Rouy and Tourin 1992): with as many axes as have a lesser time than the result."""
    least = [math.inf] * times.ndim
    for axis, _, beside in neighbours(node, times.shape):
        least[axis] = min(least[axis], times[beside])
    slopes = sorted((at, 1 / h) for at, h in zip(least, spacing, strict=True) if at < math.inf)
    time = slopes[0][0] + slowness / slopes[0][1]
    for count in range(2, len(slopes) + 1):
        if slopes[count - 1][0] >= time:
            break
        time = quadratic(slopes[:count], slowness)
    return time


def arrival(speed: np.ndarray, starts: dict[Node, float], spacing: Sequence[float]) -> np.ndarray:
    """Fast marching with a heap (Sethian 1996)."""
    times = np.full(speed.shape, math.inf)
    for node, time in starts.items():
        times[node] = time
    heap = [(time, node) for node, time in starts.items()]
    heapq.heapify(heap)
    accepted = set()
    while heap:
        time, node = heapq.heappop(heap)
        if node in accepted or time > times[node]:
            continue
        accepted.add(node)
        for _, _, beside in neighbours(node, speed.shape):
            if beside in accepted or not speed[beside] > 0:
                continue
            time = upwind(times, beside, 1 / speed[beside], spacing)
            if time < times[beside]:
                times[beside] = time
                heapq.heappush(heap, (time, beside))
    return times


def ordered(
    speed: np.ndarray,
    first: np.ndarray,
    starts: dict[Node, float],
    spacing: Sequence[float],
    second: bool,
    seed: tuple[Sequence[float], float] | None = None,
) -> np.ndarray:
    """Order 1 or 2 in the order of `first`, times of order 1; factored where `seed` (place,
    slowness) is given: T0 = slowness * distance, and differences are taken of T - T0. A node uses
    the neighbours that come before it, by more than rounding; the second one where it comes before
    the first."""
    times = np.full(speed.shape, math.inf)
    for node, time in starts.items():
        times[node] = time

    def known(node: Node) -> float:
        at, slowness = seed or ((0.0,) * len(node), 0.0)
        return slowness * math.hypot(
            *((x - y) * h for x, y, h in zip(node, at, spacing, strict=True))
        )

    finite = [node for node in np.ndindex(*speed.shape) if first[node] < math.inf]
    for node in sorted(finite, key=lambda node: (first[node], node)):
        if node in starts:
            continue
        slowness = 1 / speed[node]
        square = slowness**2
        sides: dict[int, tuple[int, Node]] = {}
        for axis, side, beside in neighbours(node, speed.shape):  # the lower side first
            if axis not in sides or first[beside] < first[sides[axis][1]]:
                sides[axis] = (side, beside)
        slopes = []
        for axis, (side, one) in sides.items():
            h = spacing[axis]
            slope = 0.0  # of T0 along the axis
            if seed is not None and known(node) > 0:
                away = (node[axis] - seed[0][axis]) * h
                slope = seed[1] ** 2 * away / known(node)
            if not first[one] < first[node] * (1 - 5e-16):
                if seed is not None and abs(away) <= 0.51 * h:
                    square -= slope**2
                continue
            two = tuple(x + side * (d == axis) for d, x in enumerate(one))
            there = 0 <= two[axis] < speed.shape[axis] and first[two] <= first[one]
            if second and there and times[two] <= times[one]:
                here = (4 * times[one] - times[two]) / 3
                shift = known(node) - (4 * known(one) - known(two)) / 3 + 2 / 3 * h * side * slope
                slopes.append((times[one], here + shift, 1.5 / h))
            else:
                shift = known(node) - known(one) + h * side * slope
                slopes.append((times[one], times[one] + shift, 1 / h))
        if square <= 0:
            square = slowness**2
        slopes.sort(key=lambda slope: slope[0])
        if not slopes:
            times[node] = first[node]
        for count in range(len(slopes), 0, -1):
            time = quadratic([(at, rate) for _, at, rate in slopes[:count]], math.sqrt(square))
            if time >= slopes[count - 1][0]:
                times[node] = time
                break
        if slopes and times[node] == math.inf:
            times[node] = slopes[0][0] + math.sqrt(square) / slopes[0][2]
    return times
