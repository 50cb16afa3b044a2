"""Optodes of one frame found in another, by a turn and a shift: their numbers need not agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

ALIKE = 0.1  # mm: of two motions that fit as well, the smaller turn is taken


@dataclass(frozen=True, eq=False)
class Motion:
    """A turn counter-clockwise, then a shift: p goes to R p + shift.

    matrix : (2, 2) R
    shift  : (2,) mm
    """

    matrix: Floats
    shift: Floats

    @property
    def degrees(self) -> float:
        """The turn, -180 to 180."""
        return float(np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0])))

    def there(self, points: Floats) -> Floats:
        """Points (n, 2) of the first frame in the second."""
        moved: Floats = points @ self.matrix.T + self.shift
        return moved

    def back(self, points: Floats) -> Floats:
        """Points (n, 2) of the second frame in the first."""
        moved: Floats = (points - self.shift) @ self.matrix
        return moved


def find(points: Floats, places: Floats, tolerance: float) -> tuple[Motion, Index, float]:
    """The motion that brings points (m, 2) onto places (n, 2), no two of which need be near.

    returns : the motion; of each point the nearest place; the greatest distance between them, mm,
              which may be beyond the tolerance: then nothing better was found
    """
    first = 0
    second = int(np.linalg.norm(points - points[first], axis=1).argmax())
    apart = points[second] - points[first]
    between = places - places[:, None]  # from place a to place b
    length = np.linalg.norm(between, axis=2)
    off = np.abs(length - np.linalg.norm(apart))
    a, b = np.nonzero(off <= max(2 * tolerance, float(off.min())))
    motions: list[tuple[Motion, Index, float]] = []
    for start, end in zip(a, b, strict=True):
        turn = np.arctan2(*between[start, end][::-1]) - np.arctan2(*apart[::-1])
        middle = (places[start] + places[end]) / 2
        matrix = _rotation(turn)
        motion = Motion(matrix, middle - matrix @ (points[first] + points[second]) / 2)
        nearest, worst = _nearest(motion, points, places)
        if worst <= 3 * tolerance or not motions:
            motion = _best(points, places[nearest])
            motions.append((motion, *_nearest(motion, points, places)))
    least = min(worst for *_, worst in motions)
    alike = [found for found in motions if found[2] <= least + ALIKE]
    return min(alike, key=lambda found: (round(abs(found[0].degrees), 1), -found[0].degrees))


def _rotation(angle: float) -> Floats:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def _nearest(motion: Motion, points: Floats, places: Floats) -> tuple[Index, float]:
    distance = np.linalg.norm(motion.there(points)[:, None] - places, axis=2)
    nearest = distance.argmin(axis=1)
    return nearest, float(distance[np.arange(len(points)), nearest].max())


def _best(points: Floats, onto: Floats) -> Motion:
    """The motion of the least squares (Kabsch, Acta Cryst. A32, 922, 1976; in two dimensions)."""
    middles = points.mean(axis=0), onto.mean(axis=0)
    p, q = points - middles[0], onto - middles[1]
    cross = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
    matrix = _rotation(np.arctan2(cross.sum(), (p * q).sum()))
    return Motion(matrix, middles[1] - matrix @ middles[0])
