"""Where the pixels of an array lie: what reading, masks, metrics and reports share."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Floats = npt.NDArray[np.float64]

MIN_STEP, MAX_STEP = 1e-50, 1e50  # mm: the volumes and squared distances of both are numbers
RIGHT = 0.05  # degrees from a right angle that are the rounding of headers, and no shear


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where the pixels of a slice (rows, columns) or volume (planes, rows, columns) lie.

    Parameters
    ----------
    affine : (4, 4) array
        From (column, row, plane) to mm: to the right, front and up of the patient.
    axes : int, default 3
        2 or 3, of the array; for 2 the affine's third column only says where planes would go.
    unit : {"mm", "pixel"}, default "mm"
        "pixel" where the file gives no scale: then a pixel counts as 1 mm.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.io import Geometry
    >>> tilted = np.diag([1.0, 1.0, 5.0, 1.0])
    >>> tilted[1, 2] = 2.0  # each plane lies 2 mm further to the front
    >>> Geometry(tilted).spacing
    (5.0, 1.0, 1.0)
    >>> round(Geometry(tilted).shear, 1)
    21.8
    """

    affine: Floats
    axes: int = 3
    unit: Literal["mm", "pixel"] = "mm"

    @property
    def steps(self) -> Floats:
        """mm from a pixel to the next along each axis of the array, (axes, 3)."""
        return self.affine[:3, : self.axes].T[::-1]

    @property
    def shear(self) -> float:
        """Degrees by which two axes are off a right angle, the most; 0 below 0.05."""
        unit = self.steps / np.linalg.norm(self.steps, axis=1, keepdims=True)
        cosines = np.abs(unit @ unit.T)[np.triu_indices(self.axes, 1)]
        angle = float(np.degrees(np.arcsin(min(cosines.max(), 1.0))))
        return angle if angle > RIGHT else 0.0

    @property
    def spacing(self) -> tuple[float, ...]:
        """mm of each axis of the array.

        Under a shear the edges of pixels would give too large a volume: columns have the length of
        their edge, rows their distance, and planes theirs. So the product is the size of a pixel,
        the absolute determinant of the steps.
        """
        if self.shear:
            square = np.linalg.qr(self.affine[:3, : self.axes], mode="r")
            return tuple(float(x) for x in np.abs(np.diag(square))[::-1])
        return tuple(float(x) for x in np.sqrt((self.steps**2).sum(1)))

    def places(self, indices: npt.ArrayLike) -> Floats:
        """Positions of pixels.

        Parameters
        ----------
        indices : (n, axes) array_like
            Of the array; fractions too.

        Returns
        -------
        (n, 3) array of float64
            mm.
        """
        origin = self.affine[:3, 3]
        places: Floats = np.asarray(indices, np.float64) @ self.steps + origin
        return places

    def corners(self, shape: tuple[int, ...]) -> Floats:
        """Positions of the first and last pixels of an array.

        Parameters
        ----------
        shape : tuple of int
            Of the array.

        Returns
        -------
        (2^axes, 3) array of float64
            mm.
        """
        return self.places(list(itertools.product(*((0, n - 1) for n in shape))))


def spacing_of(spacing: Any, axes: int) -> tuple[tuple[float, ...], Geometry | None]:
    """The spacing along each axis, mm, and the geometry if one came.

    spacing : a Geometry of `axes` axes, or one number above 0, or one for each axis
    Raises ValueError where it is not so, or outside 1e-50 to 1e50 mm.
    """
    if isinstance(spacing, Geometry):
        if spacing.axes != axes:
            raise ValueError(
                f"spacing must be of {axes} axes, got a Geometry of {spacing.axes} axes"
            )
        steps: tuple[float, ...] = spacing.spacing
    else:
        steps = arrays.spacing_of(spacing, axes)
    if min(steps) < MIN_STEP or max(steps) > MAX_STEP:
        raise ValueError(
            f"spacing must be from {MIN_STEP:g} to {MAX_STEP:g} mm, got "
            f"{', '.join(f'{step:g}' for step in steps)}"
        )
    return steps, spacing if isinstance(spacing, Geometry) else None
