"""Fast marching from the zero level set of phi as plain loops: one heap, one node at a time.

Sethian, "Fast marching methods", SIAM Review 41, 1999; the start and the extended speed as in
Adalsteinsson and Sethian, "The fast construction of extension velocities in level set methods",
J. Comput. Phys. 148, 1999. At order 1 every axis with a final neighbour counts, as in scikit-fmm.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Place = tuple[int, ...]


class Grid:
    def __init__(self, phi: Any, closed: Any, spacing: Sequence[float], wraps: Sequence[bool]):
        self.phi, self.closed, self.spacing, self.wraps = phi, closed, spacing, wraps

    def neighbour(self, place: Place, axis: int, by: int) -> Place | None:
        """The place `by` nodes away, unless that is outside, closed or the place itself."""
        at, side = place[axis] + by, self.phi.shape[axis]
        if self.wraps[axis]:
            at %= side
        if not 0 <= at < side:
            return None
        other = (*place[:axis], at, *place[axis + 1 :])
        return None if self.closed[other] or other == place else other


def smooth_distance(grid: Grid, place: Place) -> float:
    """phi over its slope: along an axis on which the slopes before and behind the node differ by no
    more than half the greatest one their mean, else that towards the nearer crossing."""
    slopes: list[list[tuple[int, float]]] = []
    for axis, h in enumerate(grid.spacing):
        sides = [(by, grid.neighbour(place, axis, by)) for by in (-1, 1)]
        slopes.append(
            [(by, (grid.phi[at] / grid.phi[place] - 1) / h) for by, at in sides if at is not None]
        )
    greatest = max(abs(slope) for axis in slopes for _, slope in axis)
    total = 0.0
    for axis_slopes, h in zip(slopes, grid.spacing, strict=True):
        up = [by * slope for by, slope in axis_slopes]
        crossing = max([-slope for _, slope in axis_slopes if slope < -1 / h], default=0.0)
        smooth = len(up) == 2 and abs(up[1] - up[0]) <= 0.5 * greatest
        total += ((up[0] + up[1]) / 2 if smooth else crossing) ** 2
    return math.sqrt(1 / total) if total > 0 else math.inf


def start(grid: Grid, speed: Any, carried: Any, unknown: Any, order: int = 1) -> Any:
    """Times of the nodes at the front, and what they carry."""
    times, extended = {}, {}
    for place in np.ndindex(grid.phi.shape):
        phi = grid.phi[place]
        if grid.closed[place]:
            continue
        if phi == 0:
            times[place], extended[place] = 0.0, carried[place]
            continue
        weights, speeds = [], []
        for axis in range(grid.phi.ndim):
            nearest = math.inf
            for by in (-1, 1):
                other = grid.neighbour(place, axis, by)
                if other is None or phi * grid.phi[other] >= 0:
                    continue
                part = phi / (phi - grid.phi[other])
                if part < nearest:
                    nearest, a, b = part, carried[place], carried[other]
                    between = b if unknown[place] else a if unknown[other] else a + part * (b - a)
            if nearest < math.inf:
                weights.append(1 / (nearest * grid.spacing[axis]) ** 2)
                speeds.append(between)
        if weights:
            distance = math.sqrt(1 / sum(weights))
            if order == 2:
                distance = min(smooth_distance(grid, place), math.sqrt(1 / max(weights)))
            times[place] = distance / speed[place]
            extended[place] = float(np.dot(weights, speeds)) / sum(weights)
    return times, extended


def solve(sides: list[tuple[float, float, float]], slowness: float, first_order: bool) -> float:
    """T with sum ((T - at) / h)^2 = slowness^2, of (from, at, h) along the axes; at order 2 without
    the axes of latest `from` where T would be before them."""
    while True:
        a = sum(1 / h**2 for _, _, h in sides)
        low = min(at for _, at, _ in sides)
        b = sum((at - low) / h**2 for _, at, h in sides)
        c = sum(((at - low) / h) ** 2 for _, at, h in sides) - slowness**2
        left = b * b - a * c
        if first_order:
            return low + (b + math.sqrt(max(left, 0.0))) / a
        latest = max(sides)
        if (left >= 0 and low + (b + math.sqrt(left)) / a >= latest[0]) or len(sides) == 1:
            return low + (b + math.sqrt(max(left, 0.0))) / a
        sides = [side for side in sides if side is not latest]


def march(
    phi: Any,
    speed: Any = None,
    closed: Any = None,
    spacing: Sequence[float] = (1.0,),
    wraps: Sequence[bool] = (False,),
    order: int = 1,
    narrow: float = math.inf,
    carried: Any = None,
    unknown: Any = None,
) -> Any:
    """(times, extended speed): NaN where the front does not come; times are at least 0."""
    phi = np.asarray(phi, float)
    none = np.zeros(phi.shape, bool)
    closed = none if closed is None else np.asarray(closed)
    unknown = none if unknown is None else np.asarray(unknown)
    carried = np.zeros(phi.shape) if carried is None else np.asarray(carried, float)
    speed = np.ones(phi.shape) if speed is None else np.asarray(speed, float)
    grid = Grid(phi, closed, spacing, wraps)
    times, extended = start(grid, speed, carried, unknown, order)
    front = set(times)
    tentative: dict[Place, float] = {}
    queue: list[Any] = []

    def renew(place: Place) -> None:
        sides = []
        for axis, h in enumerate(spacing):
            options = [(by, grid.neighbour(place, axis, by)) for by in (-1, 1)]
            known = [(times[at], k, by) for k, (by, at) in enumerate(options) if at in times]
            if not known:
                continue
            one, _, by = min(known)
            two = grid.neighbour(place, axis, 2 * by) if order == 2 else None
            beyond = times.get(two, math.inf) if two is not None else math.inf
            if two is not None and phi[two] * phi[place] < 0:  # across the front: at its speed here
                here = speed[grid.neighbour(place, axis, by)]
                beyond = -beyond * speed[two] / here if two in front else math.inf
            if beyond <= one:
                sides.append((one, one + (one - beyond) / 3, h / 1.5))
            else:
                sides.append((one, one, h))
        tentative[place] = solve(sides, 1 / speed[place], order == 1)
        heapq.heappush(queue, (tentative[place], place))

    def around(place: Place, by: int) -> Any:
        for axis, sign in itertools.product(range(phi.ndim), (-by, by)):
            other = grid.neighbour(place, axis, sign)
            if other is not None and other not in times:
                yield other

    def extend(place: Place) -> None:
        weights, speeds = [], []
        for axis, h in enumerate(spacing):
            sides = [grid.neighbour(place, axis, by) for by in (-1, 1)]
            later = [(times[place] - times[at], extended[at]) for at in sides if at in times]
            later = [side for side in later if abs(side[0]) > np.finfo(float).eps]
            if later:
                pick = min if order == 1 and phi[place] > 0 else max  # the first, of two that tie
                by, value = pick(later, key=lambda side: side[0])
                weights.append(abs(by) / h**2)
                speeds.append(value)
        extended[place] = float(np.dot(weights, speeds)) / sum(weights)

    for place in sorted(front):
        for other in around(place, 1):
            renew(other)
    while queue and queue[0][0] <= narrow:
        now = queue[0][0]
        final = []
        while queue and queue[0][0] == now:
            time, place = heapq.heappop(queue)
            if place not in times and tentative[place] == time:
                times[place] = time
                extend(place)
                final.append(place)
        for place in final:
            for other in {*around(place, 1), *(around(place, 2) if order == 2 else ())}:
                if any(at in times for at in near(grid, other)):
                    renew(other)
    result = np.full((2, *phi.shape), np.nan)
    for place, time in times.items():
        result[0][place], result[1][place] = time, extended[place]
    return result


def near(grid: Grid, place: Place) -> Any:
    """The neighbours of a node."""
    for axis, by in itertools.product(range(grid.phi.ndim), (-1, 1)):
        other = grid.neighbour(place, axis, by)
        if other is not None:
            yield other
