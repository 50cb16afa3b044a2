"""Which elements may hold a point: boxes in the cells of a grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_AT_ONCE = 2_000_000  # pairs of a point and a box: some 50 MB


class Boxes:
    """Boxes by the cells of a regular grid that they reach into.

    lowest, highest : (m, d) corners
    """

    def __init__(self, lowest: Floats, highest: Floats) -> None:
        self._lowest, self._highest = lowest, highest
        count, axes = lowest.shape
        self._corner = lowest.min(axis=0)
        width = highest.max(axis=0) - self._corner
        self._cells = max(1, round(count ** (1 / axes) / 2))  # along each axis
        self._scale = self._cells / np.where(width > 0, width, 1)
        first, last = self._cell_of(lowest), self._cell_of(highest)
        shape = last - first + 1
        reached = shape.prod(axis=1)
        box = np.repeat(np.arange(count), reached)
        within = np.arange(len(box)) - np.repeat(np.cumsum(reached) - reached, reached)
        number = np.zeros(len(box), np.intp)
        for axis in range(axes):
            step = within % shape[box, axis]
            within //= shape[box, axis]
            number = number * self._cells + first[box, axis] + step
        order = np.argsort(number, kind="stable")
        self._box = box[order]
        self._start = np.searchsorted(number[order], np.arange(self._cells**axes + 1))

    def _cell_of(self, points: Floats) -> Indices:
        cell = np.floor((points - self._corner) * self._scale).astype(np.intp)
        clipped: Indices = np.clip(cell, 0, self._cells - 1)
        return clipped

    def around(self, points: Floats) -> Iterator[tuple[Indices, Indices]]:
        """Pairs of a point (k, d) and a box that holds it, both as numbers, some at a time; all of
        a point's at once, by its number and the box's."""
        number = np.zeros(len(points), np.intp)
        for cell in self._cell_of(points).T:
            number = number * self._cells + cell
        many = self._start[number + 1] - self._start[number]
        batch = (np.cumsum(many) - many) // _AT_ONCE
        for begin, end in zip(*_runs(batch), strict=True):
            here = many[begin:end]
            point = np.repeat(np.arange(begin, end), here)
            at = np.arange(len(point)) - np.repeat(np.cumsum(here) - here, here)
            box = self._box[self._start[number[point]] + at]
            of = points[point]
            near = ((self._lowest[box] <= of) & (of <= self._highest[box])).all(axis=1)
            yield point[near], box[near]


def _runs(labels: Indices) -> tuple[Indices, Indices]:
    """Where runs of equal numbers begin and end."""
    change = np.flatnonzero(np.diff(labels)) + 1
    return np.append(0, change)[: len(labels)], np.append(change, len(labels))[: len(labels)]
