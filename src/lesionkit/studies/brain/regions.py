"""Squares of 10 x 10 pixels drawn from tumour and from normal brain, without overlap.

The paper's radiologists drew theirs; here they are drawn at random from the masks, so that anyone
gets the same ones. Both kinds lie wholly in the brain: a black border would tell them apart.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Mask = npt.NDArray[np.bool_]
Normal = Literal["any", "mirror", "free"]
NORMAL = ("any", "mirror", "free")
SIZE, PER_CLASS, MARGIN = 10, 34, 5
TRIES = 50  # draws before it is looked which squares are still free


class Region(NamedTuple):
    """A square, by its top left corner.

    Attributes
    ----------
    patient : str
        Whose.
    plane, row, column : int
        Counted from 0.
    abnormal : bool
        Whether it lies in tumour.
    """

    patient: str
    plane: int
    row: int
    column: int
    abnormal: bool


def draw(
    tumour: Any,
    brain: Any,
    patient: str = "",
    *,
    size: int = SIZE,
    per_class: int = PER_CLASS,
    margin: int = MARGIN,
    seed: int = 0,
    normal: Normal = "any",
) -> list[Region]:
    """As many squares wholly in tumour as wholly in normal brain, of one patient.

    Parameters
    ----------
    tumour, brain : (planes, rows, columns) array of bool
        Where they are.
    patient : str, default ""
        With the seed and the square's number it is all that a draw depends on.
    size : int, default 10
        Pixels of a side.
    per_class : int, default 34
        Squares of each kind; both get fewer where one has no room for as many.
    margin : int, default 5
        Pixels, along rows and columns, between a normal square and the tumour of its slice.
    seed : int, default 0
        0 or more.
    normal : {"any", "mirror", "free"}, default "any"
        Where normal squares lie. "any": in every slice. "free": in slices without tumour.
        "mirror": at the mirror image of the abnormal ones, about the middle of the brain.

    Returns
    -------
    list of Region
        The abnormal ones, then the normal ones. No two of a slice overlap.

    Raises
    ------
    ValueError, TypeError
        Where not one square fits, and how large the largest is.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.brain.regions import draw
    >>> brain = np.ones((2, 40, 40), bool)
    >>> tumour = brain & (np.arange(40) < 12)
    >>> [region.abnormal for region in draw(tumour, brain, per_class=2)]
    [True, True, False, False]
    """
    arrays.integer(per_class, "per_class", at_least=1)
    arrays.integer(seed, "seed", at_least=0)
    there = places(tumour, brain, patient, size=size, margin=margin, normal=normal)
    return drawn(there, per_class, seed)


class Places(NamedTuple):
    """Where squares of one patient may lie: the corners of those wholly in tumour and of those of
    normal brain, (planes, rows - size + 1, columns - size + 1).

    turn : a corner's column and that of its mirror image together; None where they are not paired
    """

    patient: str
    size: int
    abnormal: Mask
    normal: Mask
    turn: int | None


def places(
    tumour: Any,
    brain: Any,
    patient: str = "",
    *,
    size: int = SIZE,
    margin: int = MARGIN,
    normal: Normal = "any",
) -> Places:
    """What of :func:`draw` does not depend on the seed; the same arguments and errors."""
    size = arrays.integer(size, "size", at_least=1)
    margin = arrays.integer(margin, "margin", at_least=0)
    arrays.one_of(normal, "normal", NORMAL)
    inside, head = (_volume(mask, name) for mask, name in ((tumour, "tumour"), (brain, "brain")))
    if inside.shape != head.shape:
        raise ValueError(f"brain must have tumour's shape {inside.shape}, got {head.shape}")
    abnormal = _full(inside & head, size)
    if not abnormal.any():
        raise ValueError(
            f"patient {patient} has no square of {size} x {size} pixels wholly in tumour; its "
            f"largest is {_largest(inside & head)}"
        )
    free = _full(head, size) & _clear(inside, size, margin)
    if normal == "free":
        free[inside.any((1, 2))] = False
    elif normal == "mirror":
        return _mirrored(abnormal, free, head, patient, size)
    if not free.any():
        raise ValueError(
            f"patient {patient} has no square of {size} x {size} pixels of normal brain, "
            f"{margin} pixels or more from tumour"
        )
    return Places(patient, size, abnormal, free, None)


def drawn(there: Places, per_class: int = PER_CLASS, seed: int = 0) -> list[Region]:
    """Squares of one patient, see :func:`draw`; not checked."""
    ones = _picked(there, per_class, seed, True)
    if there.turn is not None:
        turn = there.turn
        return [*ones, *(r._replace(column=turn - r.column, abnormal=False) for r in ones)]
    others = _picked(there, per_class, seed, False)
    many = min(len(ones), len(others))
    return [*ones[:many], *others[:many]]


def cut(
    image: npt.NDArray[Any], regions: list[Region], size: int = SIZE, around: int = 0
) -> npt.NDArray[Any]:
    """(n, size + 2 around, size + 2 around) the squares of an image (planes, rows, columns), with
    some pixels around them; beyond its border the border's pixels are repeated."""
    wide = np.pad(image, ((0, 0), (around, around), (around, around)), mode="edge")
    side = size + 2 * around
    shape = (len(regions), side, side)
    found = np.empty(shape, image.dtype)
    for square, at in zip(found, regions, strict=True):
        square[:] = wide[at.plane, at.row : at.row + side, at.column : at.column + side]
    return found


def _volume(mask: Any, name: str) -> Mask:
    array = np.asarray(mask)
    if array.dtype != bool or array.ndim != 3:
        raise ValueError(
            f"{name} must hold booleans of shape (planes, rows, columns), got "
            f"{arrays.describe(array)}"
        )
    return array


def _sums(mask: Mask, size: int) -> npt.NDArray[np.int32]:
    """How many pixels of each square, by its corner; squares beyond the border do not count."""
    total = np.pad(mask.cumsum(1, np.int32).cumsum(2, np.int32), ((0, 0), (1, 0), (1, 0)))
    inner = total[:, size:, size:] - total[:, :-size, size:]
    counts: npt.NDArray[np.int32] = inner - total[:, size:, :-size] + total[:, :-size, :-size]
    return counts


def _full(mask: Mask, size: int) -> Mask:
    """Corners of squares that lie wholly in a mask, (planes, rows - size + 1, ...)."""
    if min(mask.shape[1:]) < size:
        return np.zeros((len(mask), 0, 0), bool)
    return np.asarray(_sums(mask, size) == size * size)


def _clear(mask: Mask, size: int, margin: int) -> Mask:
    """Corners of squares with nothing of a mask in them, or nearer than `margin` along an axis."""
    wide = np.pad(mask, ((0, 0), (margin, margin), (margin, margin)))
    return np.asarray(_sums(wide, size + 2 * margin) == 0)


def _largest(mask: Mask) -> int:
    """The side of the largest square that fits."""
    side = 0
    while side < min(mask.shape[1:]) and _full(mask, side + 1).any():
        side += 1
    return side


def random_of(patient: str, seed: int, item: int, kind: int) -> np.random.Generator:
    """Random numbers that depend on these four alone. kind : whole number, 0 or more"""
    name = int.from_bytes(hashlib.sha256(patient.encode()).digest()[:8], "little")
    key = np.array([seed, name], np.uint64)
    counter = np.array([0, 0, kind, item], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def _picked(there: Places, count: int, seed: int, abnormal: bool) -> list[Region]:
    """Corners one after another, each drawn from those whose squares are still free."""
    corners = there.abnormal if abnormal else there.normal
    patient, size = there.patient, there.size
    left = np.flatnonzero(corners)
    found: list[Region] = []
    while len(found) < count and len(left):
        random = random_of(patient, seed, len(found), int(abnormal))
        for _ in range(TRIES):
            at = left[random.integers(len(left))]
            plane, row, column = (int(i) for i in np.unravel_index(at, corners.shape))
            region = Region(patient, plane, row, column, abnormal)
            if not any(_overlap(region, other, size) for other in found):
                found.append(region)
                break
        else:  # few are free: look which
            left = _free(left, corners.shape, found, size)
    return found


def _overlap(one: Region, other: Region, size: int) -> bool:
    off = max(abs(one.row - other.row), abs(one.column - other.column))
    return one.plane == other.plane and off < size


def _free(
    left: npt.NDArray[np.intp], shape: tuple[int, ...], found: list[Region], size: int
) -> npt.NDArray[np.intp]:
    planes, rows, columns = np.unravel_index(left, shape)
    free = np.ones(len(left), bool)
    for one in found:
        off = np.maximum(np.abs(rows - one.row), np.abs(columns - one.column))
        free &= (planes != one.plane) | (off >= size)
    return left[free]


def _mirrored(abnormal: Mask, free: Mask, head: Mask, patient: str, size: int) -> Places:
    """Abnormal squares whose mirror images are normal."""
    across = np.flatnonzero(head.any((0, 1)))
    turn = int(across[0] + across[-1]) - size + 1  # corner -> the mirror image's corner
    columns = turn - np.arange(abnormal.shape[2])
    there = (columns >= 0) & (columns < abnormal.shape[2])
    opposite = np.zeros_like(abnormal)
    opposite[:, :, there] = free[:, :, columns[there]]
    if not (abnormal & opposite).any():
        raise ValueError(
            f"patient {patient} has no square of {size} x {size} pixels in tumour with normal "
            "brain at its mirror image"
        )
    return Places(patient, size, abnormal & opposite, free, turn)
