"""`Outline`: tissue of any shape with optodes on its rim, in place of a recipe's disc."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics.forward.optodes import snap, snap_to_rim
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.phantoms import solids

Floats = npt.NDArray[np.float64]

CANDIDATES, NUMBERS = 8, 4  # places that are drawn at once for a phantom, and numbers of each
ROUNDS = 500
"""In which a place is looked for: 4,000 of the square's."""

GRID = 128  # cells along a side, whose depths are known beforehand

_STRAIGHT = 1e-9  # sine of the angle of a corner that is none
_CENTRED = 1e-9  # of the half width: a middle nearer to the origin is not moved again
_STREAM = 2**63  # of the keys of random numbers: no other stream of a seed has such


class Outline:
    """A mesh of triangles or tetrahedra with its optodes, known by its content.

    Nodes and optodes are shifted, so that the middle of the square (or cube) around the mesh is the
    origin: the pixels of phantoms are that square. Optodes are put in order counter-clockwise along
    the rim, from the first that is given on; those of tetrahedra keep their order. Two outlines are
    equal if their content is.

    Parameters
    ----------
    mesh : Mesh
        Of triangles of 3 or 6 nodes, or tetrahedra of 4 or 10; those without are given nodes in
        the middle of their edges.
    optodes : (n, 2) array
        mm, sources that are detectors too; within half a boundary edge of the rim, 2 to 1024;
        (n, 3) for tetrahedra, on the surface.

    Attributes
    ----------
    mesh : Mesh
        Of 6-node triangles or 10-node tetrahedra.
    optodes : (n, 2) or (n, 3) array of float64
        mm.
    half : float
        Half a side of the square or cube around the mesh, mm.
    sha256 : str
        Of nodes, elements and optodes.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> from lesionkit.optics import Outline, triangular_interface
    >>> outline = Outline(*triangular_interface(side=60))
    >>> round(outline.half, 6), len(outline.optodes)
    (30.0, 16)
    >>> Outline.from_dict(outline.to_dict()) == outline
    True
    """

    def __init__(self, mesh: Mesh, optodes: npt.ArrayLike) -> None:
        if not isinstance(mesh, Mesh):
            raise TypeError(f"mesh must be a lesionkit.optics.Mesh, got {arrays.describe(mesh)}")
        places = arrays.real(optodes, "optodes", ("n", mesh.nodes.shape[1]), "mm")
        if not 2 <= len(places) <= 1024:
            raise ValueError(f"optodes must be 2 to 1024, got {len(places)}")
        low, high = mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)
        middle, half = (low + high) / 2, float((high - low).max() / 2)
        if half > 1000:
            raise ValueError(f"mesh must be at most 2000 mm wide, got {2 * half:g}")
        mesh = mesh.to_quadratic()
        if np.abs(middle).max() > _CENTRED * half:
            mesh, places = Mesh(mesh.nodes - middle, mesh.elements), places - middle
        if mesh.solid:
            along = snap(mesh, places, "optodes").position
        else:
            rim = snap_to_rim(mesh, places, "optodes")
            along = rim.edge + rim.fraction
            places = places[np.argsort((along - along[0]) % len(mesh.boundary), kind="stable")]
        if len(np.unique(along, axis=0)) < len(along):
            raise ValueError("optodes must lie at different places of the rim, got two at one")
        self.mesh, self.half = mesh, half
        self.optodes = places
        self.optodes.flags.writeable = False
        digest = hashlib.sha256()
        for part in (self.mesh.nodes, self.mesh.elements, self.optodes):
            digest.update(f"{part.dtype.str}{part.shape}".encode() + part.tobytes())
        self.sha256 = digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outline) and other.sha256 == self.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __reduce__(self) -> tuple[Any, ...]:
        return Outline, (self.mesh, self.optodes)

    def __repr__(self) -> str:
        return (
            f"Outline({len(self.mesh.nodes)} nodes, {len(self.optodes)} optodes, "
            f"{2 * self.half:g} mm, {self.sha256[:12]})"
        )

    def to_dict(self) -> dict[str, Any]:
        """The outline as plain JSON values.

        Returns
        -------
        dict
            SHA-256, nodes, elements and optodes, which :meth:`from_dict` reads.
        """
        parts = {"nodes": self.mesh.nodes, "elements": self.mesh.elements, "optodes": self.optodes}
        return {"sha256": self.sha256, **{name: part.tolist() for name, part in parts.items()}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Outline:
        """Make an outline of what :meth:`to_dict` gave.

        Parameters
        ----------
        values : mapping
            Its SHA-256 is compared with that of the content, where it is there.

        Returns
        -------
        Outline
            The same.

        Raises
        ------
        TypeError, ValueError
            Where something is missing, refused, or not what the SHA-256 says.
        """
        if not isinstance(values, Mapping) or not {"nodes", "elements", "optodes"} <= set(values):
            raise ValueError(
                "outline must hold nodes, elements and optodes, got "
                + (f"{sorted(values)}" if isinstance(values, Mapping) else arrays.describe(values))
            )
        made = cls(Mesh(values["nodes"], values["elements"]), values["optodes"])
        if values.get("sha256", made.sha256) != made.sha256:
            raise ValueError(
                f"outline must be what its sha256 says, {str(values['sha256'])[:12]}, got "
                f"{made.sha256[:12]}"
            )
        return made

    @functools.cached_property
    def rim(self) -> Floats:
        """The corners of the outline, (n, 2) mm, counter-clockwise."""
        nodes = self.mesh.nodes[self.mesh.boundary[:, [0, 2]].ravel()]
        before, after = nodes - np.roll(nodes, 1, axis=0), np.roll(nodes, -1, axis=0) - nodes
        bend = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
        size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        corners: Floats = nodes[np.abs(bend) > _STRAIGHT * size]
        return corners

    @functools.cached_property
    def _grid(self) -> Floats:
        """Depths at the middles of GRID x GRID cells of the square, row 0 at the bottom."""
        middle = ((np.arange(GRID) + 0.5) / GRID * 2 - 1) * self.half
        points = np.stack(np.meshgrid(middle, middle), axis=-1).reshape(-1, 2)
        return self.depth(points).reshape(GRID, GRID)

    def _deeper(self, points: Floats, needed: Floats) -> npt.NDArray[np.bool_]:
        """Whether points (n, 2) are as deep as is needed (n,). A depth changes by no more than the
        way, so that the nearest cell's settles all but those within half a cell of it."""
        column, row = np.clip(((points / self.half + 1) / 2 * GRID).astype(int), 0, GRID - 1).T
        middle = ((np.stack([column, row], axis=-1) + 0.5) / GRID * 2 - 1) * self.half
        over = self._grid[row, column] - needed
        way = np.linalg.norm(points - middle, axis=1)
        deep: npt.NDArray[np.bool_] = over > way
        close = np.flatnonzero(np.abs(over) <= way)
        deep[close] = self.depth(points[close]) >= needed[close]
        return deep

    @functools.lru_cache(maxsize=8)  # noqa: B019
    def inside(self, pixels: int) -> npt.NDArray[np.bool_]:
        """Which pixels' middles lie in the tissue.

        Parameters
        ----------
        pixels : int
            Rows and columns of the square; planes as well of a cube.

        Returns
        -------
        (pixels, pixels) or (pixels, pixels, pixels) array of bool
            Row 0 at the top; not to be written to.
        """
        axes = self.mesh.nodes.shape[1]
        points = cell_middles(pixels, self.half, axes)
        within = self.mesh.locate(points)[0] >= 0 if self.mesh.solid else self.depth(points) >= 0
        inside: npt.NDArray[np.bool_] = within.reshape((pixels,) * axes)
        inside.flags.writeable = False
        return inside

    def depth(self, points: npt.ArrayLike) -> Floats:
        """How deep points lie below the rim.

        Parameters
        ----------
        points : (n, 2) array
            mm; (n, 3) of tetrahedra.

        Returns
        -------
        (n,) array of float64
            mm from the nearest point of the rim, below 0 outside; of tetrahedra to the flat faces
            between the rim's corners.

        Raises
        ------
        TypeError, ValueError
            Of tetrahedra: for points of another kind or shape, NaN and infinity.
        """
        if self.mesh.solid:
            return solids.depth(self.mesh, np.asarray(points, np.float64))
        p = np.asarray(points, np.float64)
        found = np.empty(len(p))
        start, end = self.rim, np.roll(self.rim, -1, axis=0)
        along = end - start
        length = np.square(along).sum(axis=1)
        for first in range(0, len(p), 1024):  # bounds memory
            q = p[first : first + 1024, None]
            away = q - start
            fraction = np.clip((away * along).sum(axis=2) / length, 0, 1)
            square = np.square(away - fraction[..., None] * along).sum(axis=2)
            above = (start[:, 1] > q[..., 1]) != (end[:, 1] > q[..., 1])
            with np.errstate(divide="ignore", invalid="ignore"):
                x = start[:, 0] + (q[..., 1] - start[:, 1]) / along[:, 1] * along[:, 0]
            crossed = (above & (q[..., 0] < x)).sum(axis=1)
            distance = np.sqrt(square.min(axis=1))
            found[first : first + 1024] = np.where(crossed % 2, distance, -distance)
        return found

    def place(
        self, radii: Floats, gaps: tuple[float, float], margin: float, seed: int, first: int
    ) -> Floats:
        """Places for the inclusions of phantoms `first` and on.

        One inclusion lies anywhere, uniformly; a pair has its middle, direction and gap drawn until
        both fit.

        Parameters
        ----------
        radii : (n, 2) array
            mm, of each phantom's inclusions; 0: absent.
        gaps : tuple of float
            Least and greatest distance between the edges of a pair, mm.
        margin : float
            Least distance from an inclusion's edge to the rim, mm.
        seed, first : int
            Phantom i has numbers of its own, whatever is drawn beside it.

        Returns
        -------
        (n, 2, 2) array of float64
            x and y, mm; 0 of what is absent.

        Raises
        ------
        ValueError
            Where the outline has no room.
        """
        places = np.zeros((len(radii), 2, 2))
        waiting = np.arange(len(radii))
        for turn in range(ROUNDS):
            if not len(waiting):
                return places
            drawn = _numbers(seed, turn, waiting + first)
            one = radii[waiting]
            middle = (2 * drawn[..., :2] - 1) * self.half
            angle = 2 * np.pi * drawn[..., 2]
            gap = gaps[0] + (gaps[1] - gaps[0]) * drawn[..., 3]
            pair = one.min(axis=1) > 0
            reach = np.where(pair[:, None], (gap + one.sum(axis=1)[:, None]) / 2, 0)
            step = reach[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
            both = np.stack([middle - step, middle + step], axis=2)  # (n, candidates, 2, 2)
            needed = np.broadcast_to(
                np.where(one > 0, one + margin, -np.inf)[:, None], both.shape[:3]
            )
            deep = self._deeper(both.reshape(-1, 2), needed.ravel())
            fits = np.asarray(deep.reshape(both.shape[:3]).all(axis=2))
            found = fits.any(axis=1)
            chosen = both[np.arange(len(waiting)), fits.argmax(axis=1)]
            places[waiting[found]] = (chosen * (one > 0)[..., None])[found]
            waiting = waiting[~found]
        raise ValueError(
            f"outline must have room for the recipe's inclusions: none was found for radii of "
            f"{radii[waiting[0]].tolist()} mm, {gaps[0]:g} to {gaps[1]:g} mm apart"
        )


def cell_middles(pixels: int, half: float, axes: int) -> Floats:
    """Middles of the pixels of a square or the voxels of a cube about the origin, (pixels^axes,
    axes) mm: row by row from the top (+y), from the left (-x); planes from below (-z)."""
    middle = ((np.arange(pixels) + 0.5) / pixels * 2 - 1) * half
    along = [*[middle] * (axes - 2), -middle, middle]
    return np.stack(np.meshgrid(*along, indexing="ij")[::-1], axis=-1).reshape(-1, axes)


def _numbers(seed: int, turn: int, phantoms: npt.NDArray[np.intp]) -> Floats:
    """(n, CANDIDATES, NUMBERS) uniform numbers, those of each phantom by its own index."""
    blocks = CANDIDATES * NUMBERS // 4  # of Philox, four numbers each
    key = np.array([seed, _STREAM + turn], np.uint64)
    shape = (-1, CANDIDATES, NUMBERS)

    def of(first: int, count: int) -> Floats:
        random = np.random.Generator(np.random.Philox(counter=first * blocks, key=key))
        return random.random(count * CANDIDATES * NUMBERS).reshape(shape)

    if len(phantoms) and phantoms[-1] - phantoms[0] == len(phantoms) - 1:
        return of(int(phantoms[0]), len(phantoms))
    return np.concatenate([of(int(i), 1) for i in phantoms])
