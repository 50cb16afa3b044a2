"""A closed surface that grows inside a head until it meets the dark rim around the brain.

S. M. Smith, "Fast robust automated brain extraction", Human Brain Mapping 17, 143-155, 2002: the
forces and their constants are the paper's. The loops are compiled by Numba; the functions under
them are plain Python.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit._jit import njit

Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int64]

SUBDIVISIONS = 3  # of an icosahedron: 642 points, and then 2562
STEPS = (300, 100)  # of the coarse surface and of the fine one
SAMPLE = 2.0  # mm between grey values under a point
FRACTION = 0.5
INWARD = 20.0  # mm along which the least grey value is looked for; the greatest along half of it
SMALLEST_RADIUS, LARGEST_RADIUS = 3.33, 10.0  # mm, of curvature: smoothed wholly, hardly
TANGENT = 0.5  # share of the way to its neighbours' middle that a point takes along the surface
GREY = 0.05  # share of the points' distance that the grey values move a point, at most
OFF = 1e-6  # pixels that points are moved by, so that none lies on a line through pixels


class Levels(NamedTuple):
    """Grey values of a head: of the air, the least that is head, and of the brain's middle."""

    low: float
    head: float
    middle: float


def sphere(subdivisions: int) -> tuple[Real, Triangles]:
    """Points (n, 3) of length 1, and triangles (m, 3) seen counter-clockwise from outside."""
    golden = (1 + 5**0.5) / 2
    corners = [(-1, golden, 0), (1, golden, 0), (-1, -golden, 0), (1, -golden, 0)]
    points = np.array([np.roll(corner, turn) for turn in range(3) for corner in corners], float)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    near = 2 * points @ points.T > 0.8  # neighbours have a cosine of .447
    faces = [
        (a, b, c) if np.linalg.det(points[[a, b, c]]) > 0 else (a, c, b)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    triangles = np.array(faces)
    for _ in range(subdivisions):
        points, triangles = halved(points, triangles)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, triangles


def halved(points: Real, triangles: Triangles) -> tuple[Real, Triangles]:
    """Four triangles for each, with points in the middles of edges."""
    edges = np.sort(np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)]), 1)
    unique, which = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = which.reshape(3, -1) + len(points)
    a, b, c = triangles.T
    corners = ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))
    return (
        np.concatenate([points, points[unique].mean(1)]),
        np.concatenate([np.column_stack(three) for three in corners]),
    )


def neighbours(triangles: Triangles) -> npt.NDArray[np.int64]:
    """(n, 6): of each point those that share an edge with it; -1 where there are fewer."""
    edges = np.concatenate([triangles[:, [i, j]] for i in range(3) for j in range(3) if i != j])
    edges = np.unique(edges, axis=0)
    starts = np.searchsorted(edges[:, 0], np.arange(edges[-1, 0] + 1))
    table = np.full((len(starts), 6), -1)
    table[edges[:, 0], np.arange(len(edges)) - starts[edges[:, 0]]] = edges[:, 1]
    return table


def grow(
    volume: npt.NDArray[np.float32],
    spacing: tuple[float, ...],
    levels: Levels,
    centre: Real,
    radius: float,
    fraction: float = FRACTION,
) -> tuple[Real, Triangles]:
    """The surface that grows from a sphere of half the radius around the centre: its points in
    pixels, and its triangles.

    volume : (planes, rows, columns);  spacing : mm;  centre, radius : mm
    fraction : of the way from dark to bright, where the brain ends; a larger one gives less brain
    """
    unit, triangles = sphere(SUBDIVISIONS)
    points, steps = centre + radius / 2 * unit, np.array(spacing, float)
    for number, count in enumerate(STEPS):
        if number:
            points, triangles = halved(points, triangles)
        around = neighbours(triangles)
        _evolve(volume, steps, points, triangles, around, np.array(levels), fraction, count)
    return points / steps, triangles


@njit
def _evolve(
    volume: Any, spacing: Any, points: Any, triangles: Any, around: Any, levels: Any,
    fraction: float, steps: int,
) -> None:  # fmt: skip
    """Move the points, mm, in place."""
    low, head, middle = levels
    mean_curvature = (1 / SMALLEST_RADIUS + 1 / LARGEST_RADIUS) / 2
    slope = 6 / (1 / SMALLEST_RADIUS - 1 / LARGEST_RADIUS)
    normals, moved, away = np.empty_like(points), np.empty_like(points), np.empty(3)
    for _ in range(steps):
        _normals(points, triangles, normals)
        length = 0.0
        for p in range(len(points)):
            square = 0.0
            for i in range(3):
                square += (points[p, i] - points[around[p, 0], i]) ** 2
            length += np.sqrt(square) / len(points)
        for p in range(len(points)):
            count = 6 if around[p, 5] >= 0 else 5
            along = 0.0
            for i in range(3):
                away[i] = -points[p, i]
                for q in range(count):
                    away[i] += points[around[p, q], i] / count
                along += away[i] * normals[p, i]
            # the radius of curvature is length^2 / (2 |along|)
            bent = 2 * abs(along) / length**2
            smooth = (1 + np.tanh(slope * (bent - mean_curvature))) / 2
            least, most = _seen(volume, spacing, points[p], normals[p], middle, head)
            least = max(low, least)
            edge = (most - low) * fraction + low
            push = 0.0 if most <= low else 2 * (least - edge) / (most - low)
            for i in range(3):
                normal = along * normals[p, i]
                moved[p, i] = (
                    points[p, i]
                    + TANGENT * (away[i] - normal)
                    + smooth * normal
                    + GREY * push * length * normals[p, i]
                )
        points[:] = moved


@njit
def _normals(points: Any, triangles: Any, normals: Any) -> None:
    normals[:] = 0
    u, v = np.empty(3), np.empty(3)
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        for i in range(3):
            u[i] = points[b, i] - points[a, i]
            v[i] = points[c, i] - points[a, i]
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            across = u[j] * v[k] - u[k] * v[j]
            normals[a, i] += across
            normals[b, i] += across
            normals[c, i] += across
    for p in range(len(normals)):
        square = normals[p, 0] ** 2 + normals[p, 1] ** 2 + normals[p, 2] ** 2
        for i in range(3):
            normals[p, i] /= max(np.sqrt(square), 1e-12)


@njit
def _seen(volume: Any, spacing: Any, point: Any, normal: Any, middle: float, head: float) -> Any:
    """The least value up to 20 mm inwards, `middle` at most; the greatest up to 10 mm, from `head`
    to `middle`."""
    least, most = middle, head
    for step in range(int(INWARD / SAMPLE) + 1):
        depth = SAMPLE * step
        value = _value(volume, spacing, point, normal, depth)
        least = min(least, value)
        if 2 * depth <= INWARD:
            most = max(most, value)
    return least, min(most, middle)


@njit
def _value(volume: Any, spacing: Any, point: Any, normal: Any, depth: float) -> float:
    """The volume's value at a depth, mm, under a point, by lines between the pixels; 0, as air,
    outside it."""
    z = (point[0] - depth * normal[0]) / spacing[0]
    y = (point[1] - depth * normal[1]) / spacing[1]
    x = (point[2] - depth * normal[2]) / spacing[2]
    planes, rows, columns = volume.shape
    if not (-0.5 <= z <= planes - 0.5 and -0.5 <= y <= rows - 0.5 and -0.5 <= x <= columns - 0.5):
        return 0.0
    z = min(max(z, 0.0), planes - 1.0)
    y = min(max(y, 0.0), rows - 1.0)
    x = min(max(x, 0.0), columns - 1.0)
    k, r, c = int(z), int(y), int(x)
    k1, r1, c1 = (
        min(k + 1, volume.shape[0] - 1), min(r + 1, volume.shape[1] - 1),
        min(c + 1, volume.shape[2] - 1),
    )  # fmt: skip
    z, y, x = z - k, y - r, x - c
    below = (1 - y) * ((1 - x) * volume[k, r, c] + x * volume[k, r, c1]) + y * (
        (1 - x) * volume[k, r1, c] + x * volume[k, r1, c1]
    )
    above = (1 - y) * ((1 - x) * volume[k1, r, c] + x * volume[k1, r, c1]) + y * (
        (1 - x) * volume[k1, r1, c] + x * volume[k1, r1, c1]
    )
    return float((1 - z) * below + z * above)


def inside(points: Real, triangles: Triangles, shape: tuple[int, ...]) -> Mask:
    """The pixels whose middle, or the middle of one of whose faces, lies within a closed surface:
    planes may be thick. points : (n, 3) in pixels"""
    within = np.zeros(shape, bool)
    for aside in np.vstack([np.zeros(3), np.eye(3) / 2, -np.eye(3) / 2]):
        winding = np.zeros((shape[0], shape[1], shape[2] + 1), np.int32)
        _cross(points + aside + np.array([OFF, 2 * OFF, 0]), triangles, winding)
        within |= np.cumsum(winding, axis=2)[..., :-1] > 0
    return within


@njit
def _cross(points: Any, triangles: Any, winding: Any) -> None:
    """Where each line along the columns enters the surface add 1, and where it leaves -1, to the
    next pixel."""
    planes, rows, columns = winding.shape
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        za, ya, xa = points[a]
        zb, yb, xb = points[b]
        zc, yc, xc = points[c]
        twice = (zb - za) * (yc - ya) - (zc - za) * (yb - ya)  # the triangle's area, seen along x
        if twice == 0:
            continue
        for z in range(
            max(0, int(np.ceil(min(za, zb, zc)))), min(planes, int(max(za, zb, zc)) + 1)
        ):
            for y in range(
                max(0, int(np.ceil(min(ya, yb, yc)))), min(rows, int(max(ya, yb, yc)) + 1)
            ):
                v = ((z - za) * (yc - ya) - (zc - za) * (y - ya)) / twice
                w = ((zb - za) * (y - ya) - (z - za) * (yb - ya)) / twice
                if v >= 0 and w >= 0 and v + w <= 1:
                    x = xa + v * (xb - xa) + w * (xc - xa)
                    first = min(max(int(np.ceil(x)), 0), columns - 1)
                    winding[z, y, first] += 1 if twice < 0 else -1
