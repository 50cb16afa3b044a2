"""Splitting and merging of regions, in Numba: a rule that a study changes, so its loop stands here
in Python. Compiled when it is first called and kept on disk; uncompiled it is its own reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit._jit import njit

Labels = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


def split(regions: Labels, boundary: Mask) -> Labels:
    """Regions cut where a boundary crosses them.

    regions : (rows, columns), numbers from 1, 0 for none
    The pieces of a region without the boundary's pixels (4-connected) are regions of their own; the
    boundary's pixels go to the nearest piece of their own region, or stay one if there is none.
    """
    out = np.zeros_like(regions)
    _split_compiled(np.ascontiguousarray(regions), np.ascontiguousarray(boundary), out)
    return out


def merged(regions: Labels, page: npt.NDArray[np.float64], below: float, fewest: int) -> Labels:
    """Regions joined with their neighbours (4-connected) while the means of two are nearer than
    `below`, the nearest pair first; then those of less than `fewest` pixels, the smallest first,
    with the neighbour of the nearest mean. page : (rows, columns, channels). Numbered anew."""
    count = int(regions.max())
    if count == 0:
        return regions
    target = np.arange(count + 1)
    _merge_compiled(np.ascontiguousarray(regions), page, below, fewest, target)
    _, numbers = np.unique(target[1:], return_inverse=True)
    table = np.concatenate([[0], numbers + 1]).astype(np.int32)
    return table[regions]


def open_ends(boundary: Mask) -> int:
    """Pixels of a boundary that have one neighbour of eight."""
    from scipy import ndimage

    around = ndimage.convolve(boundary.astype(np.int8), np.ones((3, 3), np.int8), mode="constant")
    return int((boundary & (around == 2)).sum())


def _split(regions: Any, boundary: Any, out: Any) -> int:
    """Fill out [rows][columns]; returns the number of pieces."""
    rows, columns = regions.shape
    queue = np.empty((rows * columns, 2), np.int64)
    count = 0
    for turn in range(2):  # pieces; then what is boundary and touches no piece of its region
        for row in range(rows):
            for column in range(columns):
                free = regions[row, column] > 0 and out[row, column] == 0
                if not free or (turn == 0 and boundary[row, column]):
                    continue
                count += 1
                out[row, column] = count
                queue[0, 0], queue[0, 1] = row, column
                begin, end = 0, 1
                while begin < end:
                    y, x = queue[begin]
                    begin += 1
                    for k in range(4):
                        b = y + (k == 0) - (k == 1)
                        a = x + (k == 2) - (k == 3)
                        if b < 0 or b >= rows or a < 0 or a >= columns or out[b, a] != 0:
                            continue
                        if regions[b, a] == regions[y, x] and (turn == 1 or not boundary[b, a]):
                            out[b, a] = count
                            queue[end, 0], queue[end, 1] = b, a
                            end += 1
        if turn == 0:  # pieces spread over the boundary's pixels, all at once
            end = 0
            for row in range(rows):
                for column in range(columns):
                    if out[row, column] > 0:
                        queue[end, 0], queue[end, 1] = row, column
                        end += 1
            begin = 0
            while begin < end:
                y, x = queue[begin]
                begin += 1
                for k in range(4):
                    b = y + (k == 0) - (k == 1)
                    a = x + (k == 2) - (k == 3)
                    if b < 0 or b >= rows or a < 0 or a >= columns or out[b, a] != 0:
                        continue
                    if regions[b, a] == regions[y, x]:
                        out[b, a] = out[y, x]
                        queue[end, 0], queue[end, 1] = b, a
                        end += 1
    return count


def _merge(regions: Any, page: Any, below: float, fewest: int, target: Any) -> None:
    """Fill target [regions + 1]: the number that each region takes."""
    rows, columns = regions.shape
    n = len(target)
    channels = page.shape[2]
    sizes = np.zeros(n, np.int64)
    sums = np.zeros((n, channels))
    touch = np.zeros((n, n), np.bool_)
    for row in range(rows):
        for column in range(columns):
            here = regions[row, column]
            sizes[here] += 1
            for c in range(channels):
                sums[here, c] += page[row, column, c]
            if row + 1 < rows and regions[row + 1, column] != here:
                touch[here, regions[row + 1, column]] = True
                touch[regions[row + 1, column], here] = True
            if column + 1 < columns and regions[row, column + 1] != here:
                touch[here, regions[row, column + 1]] = True
                touch[regions[row, column + 1], here] = True
    touch[0, :] = False
    touch[:, 0] = False
    alive = sizes > 0
    alive[0] = False
    while True:
        best, first, second = np.inf, -1, -1
        least = fewest
        for i in range(1, n):  # the nearest pair
            if not alive[i]:
                continue
            for j in range(i + 1, n):
                if touch[i, j] and alive[j]:
                    square = 0.0
                    for c in range(channels):
                        square += (sums[i, c] / sizes[i] - sums[j, c] / sizes[j]) ** 2
                    if square < best and square < below * below:
                        best, first, second = square, i, j
        if first < 0:  # the smallest region, and its nearest neighbour
            for i in range(1, n):
                if alive[i] and sizes[i] < least and touch[i].any():
                    least, first = sizes[i], i
            if first < 0:
                return
            for j in range(1, n):
                if touch[first, j] and alive[j]:
                    square = 0.0
                    for c in range(channels):
                        square += (sums[first, c] / sizes[first] - sums[j, c] / sizes[j]) ** 2
                    if square < best:
                        best, second = square, j
        alive[second] = False
        sizes[first] += sizes[second]
        for c in range(channels):
            sums[first, c] += sums[second, c]
        for j in range(1, n):
            if touch[second, j] and j != first:
                touch[first, j] = True
                touch[j, first] = True
            touch[second, j] = False
            touch[j, second] = False
            if target[j] == second:
                target[j] = first


_split_compiled: Any = njit(_split)
_merge_compiled: Any = njit(_merge)
