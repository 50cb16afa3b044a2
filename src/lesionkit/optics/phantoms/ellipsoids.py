"""Ellipsoids in tissue: how they are drawn, and which share of a tetrahedron or voxel is in one.

A phantom's ellipsoids have the diameters and the tissue that the kernel draws for discs of the same
seed and index. Here are added, from the phantom's own random numbers: three semi-axes, a uniformly
random turn, and a place where the ball around the ellipsoid fits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit.optics.mesh.solids import cut_tetrahedron

Floats = npt.NDArray[np.float64]

DRAWS, GRAY = range(2)  # streams of random numbers of a phantom
_STREAM = 2**63 + 2**62  # of their keys: no other stream of a seed has such

CANDIDATES = 8  # places that are tried at once
ROUNDS = 500

PARTS = 4  # along an edge: shares are those of PARTS^3 places, spread evenly in a cell


class Ellipsoid(NamedTuple):
    """An ellipsoid of one tissue: an inclusion, or the background.

    Attributes
    ----------
    x, y, z : float
        Of its middle, mm.
    a, b, c : float
        Semi-axes, mm; 0: it is absent.
    qx, qy, qz, qw : float
        The unit quaternion that turns the axes x, y and z into those of a, b and c.
    hbo, hb : float
        Micromolar.
    water : float
        Per cent.
    amplitude, power : float
        Of scattering; mm^-1, and no unit.
    """

    x: float
    y: float
    z: float
    a: float
    b: float
    c: float
    qx: float
    qy: float
    qz: float
    qw: float
    hbo: float
    hb: float
    water: float
    amplitude: float
    power: float

    @property
    def radius(self) -> float:
        """Of the ball of its volume, mm."""
        return float((self.a * self.b * self.c) ** (1 / 3))


COLUMNS = Ellipsoid._fields
MIDDLE, SEMI_AXES, TURN, TISSUE = slice(0, 3), slice(3, 6), slice(6, 10), slice(10, 15)
"""Of COLUMNS."""


def numbers(seed: int, stream: int, phantom: int) -> np.random.Generator:
    """A phantom's own random numbers, whatever is drawn beside it."""
    key = np.array([seed, _STREAM + stream], np.uint64)
    return np.random.Generator(np.random.Philox(counter=phantom << 64, key=key))


def draw(recipe: Any, discs: Floats, seed: int, first: int) -> Floats:
    """Regions (n, 3, 15) of phantoms `first` and on, of the discs (n, 3, 8) that were drawn for
    them."""
    regions = np.zeros((*discs.shape[:2], len(COLUMNS)))
    regions[..., TISSUE] = discs[..., 3:]
    regions[:, 0, SEMI_AXES] = recipe.half
    regions[..., TURN.stop - 1] = 1
    for number, (made, radii) in enumerate(zip(regions[:, 1:], discs[:, 1:, 2], strict=True)):
        random = numbers(seed, DRAWS, first + number)
        there = radii > 0
        axes = radii[:, None] * random.uniform(recipe.stretch[0], recipe.stretch[1], (2, 3))
        turn = random.standard_normal((2, 4))  # uniform among all turns, once it is of length 1
        made[:, SEMI_AXES] = axes
        made[there, TURN] = turn[there] / np.linalg.norm(turn[there], axis=1, keepdims=True)
        reach = axes.max(axis=1)
        gaps, margin = recipe.pair_distance, recipe.margin
        made[:, MIDDLE] = place(recipe.depth, recipe.half, reach, gaps, margin, random)
    return regions


def place(
    depth: Callable[[Floats], Floats],
    half: float,
    reach: Floats,
    gaps: tuple[float, float],
    margin: float,
    random: np.random.Generator,
) -> Floats:
    """Middles (2, 3) mm of balls of radius `reach` (2,) mm; one of 0 is absent, its middle 0.

    One lies anywhere, uniformly; a pair has its middle, direction and gap drawn until both fit.

    depth : of points (n, 3) below the surface of the tissue, which lies in a cube of side 2 half
    gaps, margin : mm, least and greatest between the two, and least to the surface
    """
    there = reach > 0
    for _ in range(ROUNDS):
        middle = random.uniform(-half, half, (CANDIDATES, 1, 3))
        along = random.standard_normal((CANDIDATES, 1, 3))
        along /= np.linalg.norm(along, axis=2, keepdims=True)
        gap = random.uniform(*gaps, (CANDIDATES, 1, 1))
        step = (gap + reach.sum()) / 2 * there.all()
        both = middle + step * along * np.array([[-1.0], [1.0]])
        deep = depth(both.reshape(-1, 3)).reshape(-1, 2)
        fits = ((deep >= reach + margin) | ~there).all(axis=1)
        if fits.any():
            chosen: Floats = both[fits.argmax()] * there[:, None]
            return chosen
    raise ValueError(
        f"single_diameters, pair_diameter, pair_distance and stretch must leave room for the "
        f"inclusions: none was found for balls of {reach.round(3).tolist()} mm, {gaps[0]:g} to "
        f"{gaps[1]:g} mm apart"
    )


class Cells(NamedTuple):
    """Cells of tissue.

    middle : (m, 3) mm
    size   : (m,) mm, of a ball about the middle that holds the cell
    places : of some cells, by number: (k, PARTS^3, 3) mm
    """

    middle: Floats
    size: Floats
    places: Callable[[npt.NDArray[np.intp]], Floats]


def tetrahedra(corners: Floats) -> Cells:
    """Those of corners (m, 4, 3) mm; places are the middles of parts of the same volume."""
    lattice, parts = cut_tetrahedron(PARTS)
    weights = lattice[parts].mean(axis=1) / PARTS
    middle = corners.mean(axis=1)
    size = np.linalg.norm(corners - middle[:, None], axis=2).max(axis=1)
    return Cells(middle, size, lambda some: np.einsum("qc,kcx->kqx", weights, corners[some]))


def voxels(middles: Floats, side: float) -> Cells:
    """Cubes of that side about middles (m, 3) mm."""
    along = ((np.arange(PARTS) + 0.5) / PARTS - 0.5) * side
    within = np.stack(np.meshgrid(along, along, along), axis=-1).reshape(-1, 3)
    size = np.full(len(middles), np.sqrt(3) / 2 * side)
    return Cells(middles, size, lambda some: middles[some, None] + within)


def shares(cells: Cells, inclusions: Floats) -> Floats:
    """Which share of each cell lies in each of the inclusions (k, 15) -> (k, m), in [0, 1]."""
    found = np.zeros((len(inclusions), len(cells.middle)))
    for share, row in zip(found, inclusions, strict=True):
        axes = row[SEMI_AXES]
        if axes.min() <= 0:
            continue
        to_ball = _turn(row[TURN]).T / axes[:, None]  # in which the ellipsoid is one of radius 1

        def away(points: Floats, middle: Floats = row[MIDDLE], by: Floats = to_ball) -> Floats:
            moved = np.einsum("ij,...j->...i", by, points - middle)
            length: Floats = np.sqrt(np.square(moved).sum(axis=-1))
            return length

        beyond, slack = away(cells.middle) - 1, cells.size / axes.min()
        share[beyond <= -slack] = 1
        cut = np.flatnonzero(np.abs(beyond) < slack)
        share[cut] = (away(cells.places(cut)) <= 1).mean(axis=1)
    return found


def _turn(quaternion: Floats) -> Floats:
    """(3, 3): what turns the axes x, y, z into the columns."""
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
