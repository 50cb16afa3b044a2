"""Shape of a mask in plain loops: marching cubes triangle by triangle, all pairs of vertices.

Lorensen and Cline, SIGGRAPH 1987; on a face whose corners are inside crosswise each is cut off by
itself. Polygons are filled by fans; which, where it matters to the area, is taken as an argument:
the largest of the areas, as in PyRadiomics' table but for polygons of seven vertices.
"""

from __future__ import annotations

import itertools
import math

import numpy as np


def polygons(inside: np.ndarray) -> list[list[np.ndarray]]:
    """The outlines of the surface in a cube (2, 2, 2), as lists of places in voxels."""
    next_of: dict[tuple[float, ...], tuple[float, ...]] = {}
    for axis, side in itertools.product(range(3), range(2)):
        around = [(0, 0), (0, 1), (1, 1), (1, 0)]
        corners = [tuple(np.insert(c, axis, side)) for c in around]
        if (side + (axis == 1)) % 2 == 0:  # all faces turn the same way, seen from outside
            corners.reverse()
        leads_in = [k for k in range(4) if not inside[corners[k]] and inside[corners[(k + 1) % 4]]]
        for k in leads_in:
            out = k + 1
            while inside[corners[(out + 1) % 4]]:
                out += 1

            def middle(k: int, corners: list[tuple[int, ...]] = corners) -> tuple[float, ...]:
                return tuple((np.add(corners[k % 4], corners[(k + 1) % 4]) / 2).tolist())

            next_of[middle(out)] = middle(k)
    found = []
    while next_of:
        at = next(iter(next_of))
        found.append([])
        while at in next_of:
            found[-1].append(np.array(at))
            at = next_of.pop(at)
    return found


def fan_areas(polygon: list[np.ndarray], steps: np.ndarray) -> list[float]:
    """The area of each fan that fills a polygon, mm^2."""
    p = [at @ steps for at in polygon]
    n = len(p)
    return [
        sum(
            np.linalg.norm(np.cross(p[(k + i) % n] - p[k], p[(k + i + 1) % n] - p[k])) / 2
            for i in range(1, n - 1)
        )
        for k in range(n)
    ]


def surface(mask: np.ndarray, steps: np.ndarray) -> float:
    """mm^2."""
    whole, total = np.pad(mask, 1), 0.0
    for z, y, x in itertools.product(*(range(n - 1) for n in whole.shape)):
        cube = whole[z : z + 2, y : y + 2, x : x + 2]
        if cube[1, 1, 0]:  # a cube and the one turned inside out have the same surface
            cube = ~cube
        for polygon in polygons(cube):
            of_cube, to_choose = fan_areas(polygon, np.eye(3)), fan_areas(polygon, steps)
            if len(polygon) == 7:
                rounded = np.round(of_cube, 9)
                (chosen,) = [k for k in range(7) if (rounded == rounded[k]).sum() == 1]
            else:
                chosen = int(np.argmax(np.round(of_cube, 9)))
            total += to_choose[chosen]
    return total


def vertices(mask: np.ndarray) -> np.ndarray:
    """(n, axes): halfway between neighbours, one inside and one outside; in voxels."""
    whole = np.pad(mask, 1).astype(int)
    found = []
    for axis in range(mask.ndim):
        half = np.zeros(mask.ndim)
        half[axis] = 0.5
        found.append(np.argwhere(np.diff(whole, axis=axis) != 0) + half)
    return np.concatenate(found)


def diameters(mask: np.ndarray, steps: np.ndarray) -> dict[str, float]:
    """In planes across each axis, and in space (or in the plane of a picture), mm."""
    at = vertices(mask)
    names = ("slice", "column", "row")
    longest = dict.fromkeys((*names, "all"), 0.0)
    for a, b in itertools.combinations(at, 2):
        far = math.dist((a - b) @ steps, (0, 0, 0))
        longest["all"] = max(longest["all"], far)
        for axis in range(mask.ndim):
            if a[axis] == b[axis]:
                longest[names[axis]] = max(longest[names[axis]], far)
    return longest
