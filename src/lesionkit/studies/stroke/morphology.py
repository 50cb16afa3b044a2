"""Loops of the stroke study over pixels, in Numba: regions, and reconstruction.

Compiled when first called, and kept on disk.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.uint16]


def label(mask: Mask, diagonal: bool = False) -> tuple[npt.NDArray[np.int32], int]:
    """The regions of a slice, numbered from 1 by their first pixels in raster order, and how many;
    connected along axes, or along diagonals, too. SciPy's numbers, in less time on a slice."""
    labels = np.empty(mask.shape, np.int32)
    return labels, int(_label(np.ascontiguousarray(mask), diagonal, labels))


@numba.njit(cache=True)
def _label(mask: Any, diagonal: bool, labels: Any) -> int:
    """Union-find: each pixel takes the least root of its neighbours that are done."""
    rows, columns = mask.shape
    parent = np.empty(mask.size // 2 + 2, np.int32)
    count = 0
    for r in range(rows):
        for c in range(columns):
            if not mask[r, c]:
                labels[r, c] = 0
                continue
            best = 0
            if c > 0 and mask[r, c - 1]:
                best = labels[r, c - 1]
            if r > 0:
                first = max(c - 1, 0) if diagonal else c
                last = min(c + 1, columns - 1) if diagonal else c
                for above in range(first, last + 1):
                    if mask[r - 1, above]:
                        other = labels[r - 1, above]
                        if best == 0:
                            best = other
                        elif other != best:
                            best = _join(parent, best, other)
            if best == 0:
                count += 1
                parent[count] = count
                best = count
            labels[r, c] = best
    # A root is the least of its labels: numbers in order of their first pixels.
    regions = 0
    for number in range(1, count + 1):
        root = parent[number]
        if root == number:
            regions += 1
            parent[number] = regions
        else:
            parent[number] = parent[root]
    for r in range(rows):
        for c in range(columns):
            if labels[r, c]:
                labels[r, c] = parent[labels[r, c]]
    return regions


@numba.njit(cache=True)
def _join(parent: Any, a: int, b: int) -> int:
    """Make two trees one; the root, which is the less of both."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    while parent[b] != b:
        parent[b] = parent[parent[b]]
        b = parent[b]
    root = min(a, b)
    parent[a] = parent[b] = root
    return root


def closed(mask: Mask, radius: int) -> Mask:
    """Closing by a disk: what is within `radius` of the mask, less what is within it of the rest.
    Beyond the border there is nothing, and room for it."""
    rows, columns = mask.shape
    framed = np.zeros((rows + 4 * radius, columns + 4 * radius), np.bool_)
    inner = (slice(2 * radius, -2 * radius),) * 2
    framed[inner] = mask
    near = np.zeros_like(framed)
    _closed(framed, near, radius)
    return framed[inner]


@numba.njit(cache=True)
def _closed(mask: Any, near: Any, radius: int) -> None:
    """`near` becomes the dilated mask, and then `mask` the eroded one of that."""
    rows, columns = mask.shape
    square = radius * radius
    for r in range(radius, rows - radius):
        for c in range(radius, columns - radius):
            if mask[r, c]:
                for dr in range(-radius, radius + 1):
                    for dc in range(-radius, radius + 1):
                        if dr * dr + dc * dc <= square:
                            near[r + dr, c + dc] = True
    for r in range(radius, rows - radius):
        for c in range(radius, columns - radius):
            if mask[r, c] or not near[r, c]:
                continue
            whole = True
            for dr in range(-radius, radius + 1):
                for dc in range(-radius, radius + 1):
                    if dr * dr + dc * dc <= square and not near[r + dr, c + dc]:
                        whole = False
            mask[r, c] = whole


def reconstruct(marker: Levels, mask: Levels) -> Levels:
    """Morphological reconstruction by dilation, eight neighbours: the marker grows under the mask.

    Vincent, IEEE Trans. Image Process. 2, 1993, the hybrid algorithm.
    """
    out = np.pad(np.minimum(marker, mask), 1)
    _reconstruct(out, np.pad(mask, 1))
    return out[1:-1, 1:-1]


@numba.njit(cache=True)
def _reconstruct(grey: Any, mask: Any) -> None:
    """In place; both have a frame of zeros, so that every pixel has eight neighbours."""
    rows, columns = grey.shape
    line = np.zeros(columns, grey.dtype)
    for r in range(1, rows - 1):
        _three(grey[r - 1], line)
        best = grey[r, 0]
        for c in range(1, columns - 1):
            best = min(max(best, line[c], grey[r, c]), mask[r, c])
            grey[r, c] = best
    queue = np.empty(grey.size, np.int32)
    queued = np.zeros(grey.size, np.bool_)
    tail = 0
    for r in range(rows - 2, 0, -1):
        _three(grey[r + 1], line)
        best = grey[r, columns - 1]
        for c in range(columns - 2, 0, -1):
            best = min(max(best, line[c], grey[r, c]), mask[r, c])
            grey[r, c] = best
            if (
                (grey[r, c + 1] < best and grey[r, c + 1] < mask[r, c + 1])
                or (grey[r + 1, c - 1] < best and grey[r + 1, c - 1] < mask[r + 1, c - 1])
                or (grey[r + 1, c] < best and grey[r + 1, c] < mask[r + 1, c])
                or (grey[r + 1, c + 1] < best and grey[r + 1, c + 1] < mask[r + 1, c + 1])
            ):
                queue[tail] = r * columns + c
                queued[r * columns + c] = True
                tail += 1
    head, held, size = 0, tail, grey.size
    tail %= size
    while held:
        p = queue[head]
        head = head + 1 if head + 1 < size else 0
        held -= 1
        queued[p] = False
        r, c = p // columns, p % columns
        here = grey[r, c]
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                value = grey[r + dr, c + dc]
                if value < here and value != mask[r + dr, c + dc]:
                    grey[r + dr, c + dc] = min(here, mask[r + dr, c + dc])
                    q = (r + dr) * columns + c + dc
                    if not queued[q]:
                        queue[tail] = q
                        queued[q] = True
                        tail = tail + 1 if tail + 1 < size else 0
                        held += 1


@numba.njit(cache=True)
def _three(row: Any, out: Any) -> None:
    """The greatest of each three neighbours of a row, but for its ends."""
    for c in range(1, row.size - 1):
        out[c] = max(row[c - 1], row[c], row[c + 1])
