"""Signed distance, travel time and extension velocities from a level set: scikit-fmm's names.

The signatures, the masked arrays in and out and the errors are scikit-fmm's, and so are the answers
at order 1, to rounding. Where answers at order 2 differ, and why, stands in docs/conformance.md.
Tensors come back for tensors; they cannot be masked, and are NaN where an array would be.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import extent
from lesionkit._core import fronts as _kernels

Doubles = npt.NDArray[np.float64]

MAX_AXES = 12
NUMBER = (int, float, np.integer, np.floating)
EPSILON = float(np.finfo(np.float64).eps)  # a lesser speed is none


def distance(
    phi: Any,
    dx: Any = 1.0,
    self_test: bool = False,
    order: int = 2,
    narrow: float = 0.0,
    periodic: Any = False,
) -> Any:
    """Signed distance from the zero contour of phi, with scikit-fmm's arguments.

    At order 2 the contour stays where it is, to second order, when distances are taken again.

    Parameters
    ----------
    phi : array of 1 to 12 axes
        Real and finite, perhaps masked; the contour lies where it is 0 or changes its sign between
        neighbours.
    dx : float or sequence of float, default 1
        Spacing of the nodes, one number or one for each axis, above 0.
    self_test : bool, default False
        Accepted and not used.
    order : {1, 2}, default 2
        Of the differences.
    narrow : float, default 0
        Half-width of the band about the contour to which the answer is limited; 0: none.
    periodic : bool or sequence of bool, default False
        Whether the axes wrap around, one boolean or one for each.

    Returns
    -------
    array of float64, of phi's shape
        With phi's sign. A masked array where phi is one or the band is, masked wherever no distance
        is known (of a tensor a tensor, NaN there).

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or phi has no zero contour.

    References
    ----------
    Sethian, SIAM Review 41, 199-235, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import distance
    >>> distance(np.array([-1.0, -1.0, 1.0, 1.0, 1.0]), dx=0.5).round(9).tolist()
    [-0.75, -0.25, 0.25, 0.75, 1.25]
    """
    given = _Given(phi, dx, self_test, order, narrow, periodic)
    return given.march()


def travel_time(
    phi: Any,
    speed: Any,
    dx: Any = 1.0,
    self_test: bool = False,
    order: int = 2,
    narrow: float = 0.0,
    periodic: Any = False,
) -> Any:
    """Time of travel from the zero contour of phi, with scikit-fmm's arguments.

    Parameters
    ----------
    phi : array of 1 to 12 axes
        Real and finite, perhaps masked; the contour lies where it is 0 or changes its sign between
        neighbours.
    speed : array of phi's shape
        Finite; nodes of a speed below 2.2e-16, and masked ones, are walls.
    dx : float or sequence of float, default 1
        Spacing of the nodes, one number or one for each axis, above 0.
    self_test : bool, default False
        Accepted and not used.
    order : {1, 2}, default 2
        Of the differences.
    narrow : float, default 0
        Greatest time that is wanted; 0: all.
    periodic : bool or sequence of bool, default False
        Whether the axes wrap around, one boolean or one for each.

    Returns
    -------
    array of float64, of phi's shape
        At least 0 on both sides; a masked array where a time is not known.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or phi has no zero contour.

    References
    ----------
    Sethian, SIAM Review 41, 199-235, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import travel_time
    >>> phi = np.array([-1.0, 1.0, 1.0, 1.0])
    >>> travel_time(phi, np.array([1.0, 1.0, 2.0, 2.0]), order=1).round(9).tolist()
    [0.5, 0.5, 1.0, 1.5]
    """
    given = _Given(phi, dx, self_test, order, narrow, periodic, speed=speed)
    given.take(speed)
    if extent(given.speed)[0] < EPSILON:
        given.close(given.speed < EPSILON)
    return given.march(given.speed)


def extension_velocities(
    phi: Any,
    speed: Any,
    dx: Any = 1.0,
    self_test: bool = False,
    order: int = 2,
    ext_mask: Any = None,
    narrow: float = 0.0,
    periodic: Any = False,
) -> Any:
    """Signed distance from the zero contour of phi, and the contour's speed extended from it.

    The speed is extended so that it is constant along the gradient of the distance. The arguments
    are scikit-fmm's.

    Parameters
    ----------
    phi : array of 1 to 12 axes
        Real and finite, perhaps masked; the contour lies where it is 0 or changes its sign between
        neighbours.
    speed : array of phi's shape
        Finite, of any sign; only what is next to the contour counts.
    dx : float or sequence of float, default 1
        Spacing of the nodes, one number or one for each axis, above 0.
    self_test : bool, default False
        Accepted and not used.
    order : {1, 2}, default 2
        Of the differences.
    ext_mask : array of phi's shape, optional
        Not 0: the speed is not known here. None: it is known everywhere.
    narrow : float, default 0
        As for :func:`distance`.
    periodic : bool or sequence of bool, default False
        Whether the axes wrap around, one boolean or one for each.

    Returns
    -------
    distance : array of float64, of phi's shape
        As from :func:`distance`.
    speed : array of float64, of phi's shape
        Masked as the distance is.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or phi has no zero contour.

    References
    ----------
    Adalsteinsson and Sethian, J. Comput. Phys. 148, 2-22, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.fronts import extension_velocities
    >>> phi = np.array([-1.5, -0.5, 0.5, 1.5])
    >>> d, speed = extension_velocities(phi, np.array([9.0, 2.0, 4.0, 9.0]))
    >>> d.round(9).tolist(), speed.round(9).tolist()
    ([-1.5, -0.5, 0.5, 1.5], [3.0, 3.0, 3.0, 3.0])
    """
    given = _Given(phi, dx, self_test, order, narrow, periodic, speed=speed, ext_mask=ext_mask)
    given.take(speed)
    unknown = np.zeros(given.phi.shape, bool)
    if ext_mask is not None:
        marked = arrays.image(ext_mask, "ext_mask", given.home)
        if marked.dtype != bool:
            marked = arrays.real(marked, "ext_mask", marked.shape)
        unknown = marked != 0
    if unknown.shape != given.phi.shape:
        raise ValueError("phi and ext_mask must have the same shape")
    extended = np.empty_like(given.phi)
    return given.march(None, (given.speed, np.ascontiguousarray(unknown), extended))


class _Given:
    """The arguments, checked in scikit-fmm's order, with its errors."""

    def __init__(
        self,
        phi: Any,
        dx: Any,
        self_test: Any,
        order: Any,
        narrow: Any,
        periodic: Any,
        **others: Any,
    ) -> None:
        self.home = arrays.on_cpu("marching", phi=phi, **others)
        phi = self.home.view(phi, "phi")
        self.phi = _doubles(phi, "phi must be a 1 to 12-D array of doubles")
        axes = self.phi.ndim
        if isinstance(periodic, (bool, np.bool_)):
            self.periodic = [bool(periodic)] * axes
        elif _is_list(periodic, axes):
            self.periodic = [bool(value) for value in periodic]
        else:
            raise ValueError(
                'parameter "periodic" must be of type bool or sequence of type bool of length '
                "phi.ndim."
            )
        of_numbers = isinstance(narrow, np.ndarray) and narrow.dtype.kind in "biuf"
        if not (isinstance(narrow, NUMBER) or (of_numbers and narrow.ndim == 0)):
            raise TypeError(f'parameter "narrow" must be a number, got {arrays.describe(narrow)}')
        if not narrow >= 0:
            raise ValueError('parameter "narrow" must be greater than or equal to zero.')
        try:
            self.narrow = float(narrow) or np.inf
        except OverflowError:  # an integer beyond float64
            self.narrow = np.inf
        _either(self_test, "self_test", 0, 1)
        self.order = _either(order, "order", 1, 2)
        try:
            self.spacing = np.broadcast_to(dx, axes) if np.ndim(dx) == 0 else np.asarray(dx)
            self.spacing = self.spacing.astype(np.float64, casting="safe")
        except (TypeError, ValueError, RuntimeError) as problem:
            raise ValueError("dx must be a 1D array of doubles") from problem
        if self.spacing.ndim != 1:
            raise ValueError("dx must be a 1D array of doubles")
        self.closed: npt.NDArray[np.bool_] | None = None
        if isinstance(phi, np.ma.MaskedArray) and np.ma.is_masked(phi):
            self.close(np.ma.getmaskarray(phi))
        self.speed = self.phi
        if self.spacing.shape != (axes,):
            raise ValueError("dx must be of length len(phi.shape)")
        if not (self.spacing > 0).all():
            raise ValueError("dx must be greater than zero")
        if not np.isfinite(self.spacing).all():
            raise ValueError("dx must be finite")

    def take(self, speed: Any) -> None:
        """The speed; its masked nodes are walls."""
        speed = self.home.view(speed, "speed")
        self.speed = _doubles(speed, "speed must be a 1D to 12-D array of doubles")
        if self.speed.shape != self.phi.shape:
            raise ValueError("phi and speed must have the same shape")
        if isinstance(speed, np.ma.MaskedArray) and np.ma.is_masked(speed):
            self.close(np.ma.getmaskarray(speed))

    def close(self, nodes: npt.NDArray[np.bool_]) -> None:
        """No front goes through these nodes."""
        self.closed = nodes if self.closed is None else self.closed | nodes

    def march(
        self,
        speed: Doubles | None = None,
        carried: tuple[Doubles, npt.NDArray[np.bool_], Doubles] | None = None,
    ) -> Any:
        """The times or distances; with `carried`, these and the extended speed."""
        for name, array in {"phi": self.phi, "speed": self.speed}.items():
            if not extent(array)[2]:
                bad = ~np.isfinite(array) & (True if self.closed is None else ~self.closed)
                if bad.any():
                    raise ValueError(
                        f"{name} must be finite, got {np.count_nonzero(bad)} NaN or infinite"
                    )
        closed = None if self.closed is None else np.ascontiguousarray(self.closed).view(np.uint8)
        times = np.empty_like(self.phi)
        front, unknown, extended = carried or (None, None, None)
        # Spacings are squared, and squared again: far from 1 they get a unit of their own.
        least = float(self.spacing.min())
        unit = 1.0 if 1e-50 < least < 1e50 else 2.0 ** np.floor(np.log2(least))
        with np.errstate(over="ignore"):  # infinite: no limit
            limit = float(self.narrow / unit)
        found = times.size > 0 and _kernels.march(
            self.phi,
            speed,
            closed,
            (self.spacing / unit).tolist(),
            self.periodic,
            self.order,
            limit,
            times,
            front,
            None if unknown is None else unknown.view(np.uint8),
            extended,
        )
        if not found:
            raise ValueError("the array phi contains no zero contour (no zero level set)")
        if unit != 1.0:
            reached = np.isfinite(times)
            with np.errstate(over="ignore"):
                times *= unit
            if not np.isfinite(times[reached]).all():
                raise ValueError("dx must be so small that float64 holds the answer, it does not")
        if extended is None:
            return self.answer(times)
        return self.answer(times), self.answer(extended)

    def answer(self, result: Doubles) -> Any:
        """The answer, masked and 0 where it is NaN; a tensor as it is."""
        if self.home.library == "torch" or extent(result)[2]:
            return self.home.back(result)
        mask = np.isnan(result)
        result[mask] = 0
        return np.ma.MaskedArray(result, mask)


def _doubles(value: Any, message: str) -> Doubles:
    """`value` as a C-contiguous float64 array of 1 to 12 axes; else ValueError."""
    try:
        array = np.asarray(value).astype(np.float64, casting="safe", copy=False)
    except (TypeError, ValueError) as problem:
        raise ValueError(message) from problem
    if not 1 <= array.ndim <= MAX_AXES:
        raise ValueError(message)
    return np.require(array, requirements=["C", "A"])


def _either(value: Any, name: str, one: int, other: int) -> int:
    """The one number or the other, with scikit-fmm's words where it is neither."""
    if not isinstance(value, (int, np.integer, np.bool_)):
        raise TypeError(f"{name} must be {one} or {other}, got {arrays.describe(value)}")
    if value not in (one, other):
        raise ValueError(f"{name} must be {one} or {other}")
    return int(value)


def _is_list(value: Any, length: int) -> bool:
    """Whether it is a list, or an array of one axis, of this length."""
    try:
        return bool(np.shape(value) == (length,))
    except (TypeError, ValueError, RuntimeError):
        return False
