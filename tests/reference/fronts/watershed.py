"""Flooding from markers as plain loops.

Meyer, "Un algorithme optimal pour la ligne de partage des eaux", 8e Congres AFCET, 1991; with the
dividing lines of Beare and Lehmann, "The watershed transform in ITK", Insight Journal, 2006.
"""

from __future__ import annotations

import heapq
import itertools
from typing import Any

import numpy as np


def neighbours(place: tuple[int, ...], shape: tuple[int, ...], connectivity: int) -> Any:
    """The places beside one, in raster order."""
    for step in itertools.product((-1, 0, 1), repeat=len(shape)):
        if 0 < sum(map(abs, step)) <= connectivity:
            other = tuple(a + b for a, b in zip(place, step, strict=True))
            if all(0 <= a < n for a, n in zip(other, shape, strict=True)):
                yield other


def watershed(
    image: Any, markers: Any, mask: Any = None, connectivity: int = 1, line: bool = False
) -> np.ndarray:
    """Labels of the markers' dtype; the queue is a heap of (grey, entry, place)."""
    image, markers = np.asarray(image), np.asarray(markers)
    inside = np.ones(image.shape, bool) if mask is None else np.asarray(mask) != 0
    labels = np.where(inside, markers, 0)
    entered = labels != 0
    queue: list[Any] = []
    entry = itertools.count()

    def enter(place: tuple[int, ...], now: Any) -> None:
        entered[place] = True
        heapq.heappush(queue, (max(image[place], now), next(entry), place))

    for place in map(tuple, np.argwhere(labels != 0)):
        if not line:
            enter(place, image[place])
            continue
        for other in neighbours(place, image.shape, connectivity):
            if inside[other] and not entered[other]:
                enter(other, image[other])
    while queue:
        now, _, place = heapq.heappop(queue)
        around = [q for q in neighbours(place, image.shape, connectivity) if inside[q]]
        if line:
            found = {labels[q] for q in around} - {0}
            if len(found) > 1:
                continue  # a dividing line
            labels[place] = found.pop()
        for other in around:
            if not entered[other]:
                if not line:
                    labels[other] = labels[place]
                enter(other, now)
    return labels
