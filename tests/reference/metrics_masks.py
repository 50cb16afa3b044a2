"""Scores of masks by their definitions, pixel by pixel."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Place = tuple[int, ...]


def pixels(mask: Any) -> set[Place]:
    return {tuple(int(i) for i in place) for place in np.argwhere(np.asarray(mask))}


def neighbours(place: Place, diagonal: bool) -> list[Place]:
    steps = itertools.product((-1, 0, 1), repeat=len(place))
    return [
        tuple(p + s for p, s in zip(place, step, strict=True))
        for step in steps
        if 0 < sum(map(abs, step)) <= (len(place) if diagonal else 1)
    ]


def regions(mask: Any) -> list[set[Place]]:
    left, out = pixels(mask), []
    while left:
        region, edge = set(), [left.pop()]
        while edge:
            place = edge.pop()
            region.add(place)
            new = left.intersection(neighbours(place, True))
            left -= new
            edge += new
        out.append(region)
    return out


def lesion_f1(found: Any, truth: Any) -> float:
    a, b = pixels(found), pixels(truth)
    hit = sum(bool(region & a) for region in regions(truth))
    missed = sum(not region & a for region in regions(truth))
    false = sum(not region & b for region in regions(found))
    return 1.0 if not (hit or missed or false) else 2 * hit / (2 * hit + missed + false)


def hausdorff95(found: Any, truth: Any, spacing: Sequence[float]) -> float:
    borders = []
    for mask in (found, truth):
        inside = pixels(mask)
        borders.append([p for p in inside if any(n not in inside for n in neighbours(p, False))])
    if not borders[0] or not borders[1]:
        return 0.0 if borders[0] == borders[1] else math.inf
    far = []
    for border, other in (borders, borders[::-1]):
        away = [
            min(math.dist([x * s for x, s in zip(p, spacing, strict=True)], q) for q in scaled)
            for scaled in [[[x * s for x, s in zip(q, spacing, strict=True)] for q in other]]
            for p in border
        ]
        far.append(float(np.percentile(away, 95)))
    return max(far)
