"""Where the tissue of a recipe is, where its optodes and the middles of its pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lesionkit.optics.phantoms import solids
from lesionkit.optics.phantoms.outline import Outline, cell_middles


class Geometry:
    """What follows from the fields of a recipe that say where its tissue is."""

    shape: str
    radius: float
    height: float | None
    optodes: int
    pixels: int
    outline: Outline | None

    @property
    def solid(self) -> bool:
        """Whether phantoms are in three dimensions, of tetrahedra and voxels."""
        return self.shape != "disc" or (self.outline is not None and self.outline.mesh.solid)

    @property
    def axes(self) -> int:
        """Of maps and MRI: 2 or 3."""
        return 3 if self.solid else 2

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Of the MRI, and of each map: (pixels, pixels), or (pixels, pixels, pixels)."""
        return (self.pixels,) * self.axes

    @property
    def half(self) -> float:
        """Half a side of the square or cube that the pixels fill, mm."""
        return max(self.radius, (self.height or 0) / 2)

    @property
    def positions(self) -> npt.NDArray[np.float64]:
        """The optodes on the rim, (optodes, axes) mm, counter-clockwise; a disc's first at angle 0.

        On a ball or cylinder from below.
        """
        if self.outline is not None:
            optodes: npt.NDArray[np.float64] = self.outline.optodes
            return optodes
        if self.solid:
            return solids.spiral(self.optodes, self.radius, self.height)
        angle = 2 * np.pi * np.arange(self.optodes) / self.optodes
        return self.radius * np.column_stack([np.cos(angle), np.sin(angle)])

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which pixels belong to the tissue, of `image_shape`: those whose centres do."""
        if self.outline is not None:
            return self.outline.inside(self.pixels).copy()
        if self.solid:
            deep: npt.NDArray[np.bool_] = self.depth(self.pixel_middles) >= 0
            return deep.reshape(self.image_shape)
        middle = (np.arange(self.pixels) + 0.5) * (2 / self.pixels) - 1  # of a disc of radius 1
        inside: npt.NDArray[np.bool_] = np.hypot(*np.meshgrid(middle, middle)) <= 1
        return inside

    @property
    def pixel_middles(self) -> npt.NDArray[np.float64]:
        """Middles of the pixels, (pixels^axes, axes) mm, row by row from the top.

        Of voxels plane by plane from below.
        """
        return cell_middles(self.pixels, self.half, self.axes)

    @property
    def outline_text(self) -> str:
        """The outline in words."""
        if self.outline is not None:
            return f"the rim of {self.outline!r}"
        return f"a {self.shape if self.solid else 'circle'} of {self.radius:g} mm"

    def depth(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """How deep points lie below the outline.

        Parameters
        ----------
        points : (n, axes) array
            mm.

        Returns
        -------
        (n,) array of float64
            mm, below 0 outside.
        """
        if self.outline is not None:
            return self.outline.depth(points)
        x, y, *z = np.transpose(points)
        away: npt.NDArray[np.float64] = np.hypot(x, y)
        if self.height is not None:
            deep: npt.NDArray[np.float64] = self.height / 2 - np.abs(z[0])
            return np.minimum(self.radius - away, deep)
        return self.radius - (np.hypot(away, z[0]) if z else away)

    def distance_to_rim(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """How far points are from the outline.

        Parameters
        ----------
        points : (n, axes) array
            mm.

        Returns
        -------
        (n,) array of float64
            mm, 0 or more.
        """
        return np.abs(self.depth(points))
