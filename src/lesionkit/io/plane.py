"""`Plane`: a plane cut from a volume by its geometry, such as that of optodes in a breast MRI."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.io.common import Image

Floats = npt.NDArray[np.float64]

MAX_PLACE = 1e9  # mm: more is no place
MIN_ANGLE = 5.0  # degrees between the axes of a plane, and between two lines of fiducials


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane in the space of a volume: x and y in it, mm, to right, front and up of the patient.

    Parameters
    ----------
    origin : (3,) array
        mm, where x = y = 0 lies; up to 1e9.
    x, y : (3,) arrays
        The directions of the plane's axes, of any length; y is made perpendicular to x.
    off : float, default 0
        mm by which fiducials lay off their places, the most.

    Raises
    ------
    TypeError, ValueError
        Where directions are 0 or nearly parallel.

    Examples
    --------
    >>> from lesionkit.io import Plane
    >>> coronal = Plane([10, 0, -5], x=[2, 0, 0], y=[0, 0, 1])
    >>> coronal.places([[3, 4]]).tolist()
    [[13.0, 0.0, -1.0]]
    """

    origin: npt.ArrayLike
    x: npt.ArrayLike
    y: npt.ArrayLike
    off: float = 0.0

    def __post_init__(self) -> None:
        """Check directions, and make them perpendicular and of length 1."""
        origin, x, y = (
            arrays.real(getattr(self, name), name, (3,)) for name in ("origin", "x", "y")
        )
        if np.abs(origin).max() > MAX_PLACE:
            raise ValueError(f"origin must lie within {MAX_PLACE:g} mm, got {origin.tolist()}")
        for name, way in (("x", x), ("y", y)):
            if not np.abs(way).max() > 0:
                raise ValueError(f"{name} must be a direction, got {way.tolist()}")
        x, y = (way / np.abs(way).max() for way in (x, y))  # squares of any are numbers then
        x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
        sine = np.linalg.norm(np.cross(x, y))
        if sine < np.sin(np.radians(MIN_ANGLE)):
            raise ValueError(
                f"x and y must span a plane, {MIN_ANGLE:g} degrees or more from each other, got "
                f"{x.round(4).tolist()} and {y.round(4).tolist()}"
            )
        y = y - (x @ y) * x
        for name, value in (("origin", origin), ("x", x), ("y", y / np.linalg.norm(y))):
            object.__setattr__(self, name, value)

    @classmethod
    def of_fiducials(cls, points: npt.ArrayLike, places: npt.ArrayLike) -> Plane:
        """The plane of markers that are known in it and seen in the volume.

        Parameters
        ----------
        points : (n, 2) array
            mm, in the plane; three or more, not on one line.
        places : (n, 3) array
            mm, of the same markers in the volume: to right, front and up.

        Returns
        -------
        Plane
            By least squares, without a stretch; `off` is the greatest distance that is left.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described.

        References
        ----------
        Arun et al., IEEE Trans. Pattern Analysis and Machine Intelligence 9, 698, 1987.

        Examples
        --------
        >>> from lesionkit.io import Plane
        >>> seen = [[10, 0, 0], [10, 30, 0], [10, 0, 40]]
        >>> plane = Plane.of_fiducials([[0, 0], [30, 0], [0, 40]], seen)
        >>> plane.places([[1, 2]]).round(9).tolist(), round(plane.off, 9)
        ([[10.0, 1.0, 2.0]], 0.0)
        """
        flat = arrays.real(points, "points", ("n", 2), "mm")
        seen = arrays.real(places, "places", ("n", 3), "mm")
        if len(flat) != len(seen) or len(flat) < 3:
            raise ValueError(
                "points and places must be of the same three markers or more, got "
                f"{len(flat)} and {len(seen)}"
            )
        middles = flat.mean(axis=0), seen.mean(axis=0)
        spread = np.linalg.svd(flat - middles[0], compute_uv=False)
        if spread[1] < np.sin(np.radians(MIN_ANGLE)) * spread[0]:
            raise ValueError("points must not lie on one line")
        solid = np.column_stack([flat - middles[0], np.zeros(len(flat))])
        u, _, vt = np.linalg.svd(solid.T @ (seen - middles[1]))
        sign = np.diag([1.0, 1.0, np.linalg.det(u @ vt)])  # never mirrored
        matrix = u @ sign @ vt  # rows: x, y and their normal
        origin = middles[1] - middles[0] @ matrix[:2]
        off = float(np.linalg.norm(origin + flat @ matrix[:2] - seen, axis=1).max())
        return cls(origin, matrix[0], matrix[1], off)

    def places(self, points: npt.ArrayLike) -> Floats:
        """Where points of the plane lie in the volume's space.

        Parameters
        ----------
        points : (n, 2) array
            mm.

        Returns
        -------
        (n, 3) array of float64
            mm, to right, front and up.
        """
        both = np.stack([np.asarray(self.x), np.asarray(self.y)])
        places: Floats = np.asarray(self.origin) + np.asarray(points, np.float64) @ both
        return places

    def cut(self, image: Image, points: npt.ArrayLike) -> Floats:
        """Values of a volume at points of the plane.

        Parameters
        ----------
        image : Image
            A volume whose file says where it lies.
        points : (n, 2) array
            mm.

        Returns
        -------
        (n,) array of float64
            Between voxels linearly; NaN outside the volume.

        Raises
        ------
        ValueError
            For a slice, and for a volume without a scale.

        Examples
        --------
        >>> import numpy as np
        >>> from lesionkit import io
        >>> ramp = np.arange(60.0).reshape(3, 4, 5)  # planes, rows, columns
        >>> where = io.Geometry(np.diag([2.0, 2.0, 3.0, 1.0]))
        >>> volume = io.Image(ramp, where, where.affine, np.eye(3, 2))
        >>> sagittal = io.Plane([4, 0, 0], x=[0, 1, 0], y=[0, 0, 1])
        >>> sagittal.cut(volume, [[2, 3], [3, 1.5], [9, 0]]).tolist()
        [27.0, 19.5, nan]
        """
        from scipy import ndimage

        if image.values.ndim != 3 or image.geometry.unit != "mm":
            raise ValueError(
                f"{image.path} must be a volume that lies somewhere in mm, got "
                f"{image.values.ndim} axes in {image.geometry.unit}"
            )
        geometry = image.geometry
        origin = geometry.affine[:3, 3]
        index = (self.places(points) - origin) @ np.linalg.inv(geometry.steps)
        edge = np.array(image.values.shape) - 1
        within = ((index >= -0.5) & (index <= edge + 0.5)).all(axis=1)  # a voxel's own half
        values = np.full(len(index), np.nan)
        values[within] = ndimage.map_coordinates(
            image.values.astype(np.float64), index[within].T, order=1, mode="nearest"
        )
        return values
