"""Each piece of a tumour: where it lies, its area, and which way it is turned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit.geometry import Geometry

LEAST = 20.0  # mm^2, in its largest slice, of a piece that is listed


class Piece(NamedTuple):
    """A piece, by its largest slice.

    Attributes
    ----------
    number : int
        From 1, the largest first.
    plane : int or None
        The largest slice, from 0; None of a slice alone.
    row, column : float
        Its middle there, in pixels.
    place : str
        The middle in mm to the right, front and up; nothing where the file does not say.
    area : float
        mm^2 in that slice.
    length, width : float
        mm of the ellipse with the same moments.
    angle : float
        Degrees from the columns' axis to the long axis, towards the front, above -90 and up to 90.
    volume : float or None
        ml; None of a slice alone.
    probability : float or None
        How likely it is abnormal by a saved model, the mean over its squares; None without a model,
        and where no square lies in it.
    """

    number: int
    plane: int | None
    row: float
    column: float
    place: str
    area: float
    length: float
    width: float
    angle: float
    volume: float | None
    probability: float | None = None


def describe(
    mask: npt.NDArray[np.bool_],
    geometry: Geometry,
    seen: bool,
    chance: Callable[[npt.NDArray[np.bool_]], float | None] = lambda _: None,
) -> list[Piece]:
    """The pieces of 20 mm^2 or more.

    mask : (rows, columns) or (planes, rows, columns)
    seen : whether rows go down, as in a picture, and not to the front
    chance : the probability of a piece, by its mask
    """
    labels, count = ndimage.label(mask, np.ones((3,) * mask.ndim))
    steps = geometry.spacing
    found: list[tuple[float, Any]] = []
    for number in range(1, count + 1):
        piece = labels == number
        planes = piece if piece.ndim == 3 else piece[None]
        plane = int(planes.sum((1, 2)).argmax())
        area = float(planes[plane].sum() * steps[-1] * steps[-2])
        if area < LEAST:
            continue
        rows, columns = np.nonzero(planes[plane])
        y, x = rows * steps[-2], columns * steps[-1]
        pixel = np.diag([steps[-2], steps[-1]]) ** 2 / 12  # a pixel's own moments
        spread, axes = np.linalg.eigh(np.cov(np.array([y, x]), bias=True).reshape(2, 2) + pixel)
        down, right = axes[:, 1] * (np.sign(axes[1, 1]) or 1.0)
        angle = float(np.degrees(np.arctan2(-down if seen else down, right)))
        middle = [float(rows.mean()), float(columns.mean())]
        place = ""
        if geometry.unit == "mm":
            at = geometry.places([[plane, *middle] if piece.ndim == 3 else middle])[0]
            place = ", ".join(f"{value:.1f}" for value in at)
        whole = float(piece.sum() * np.prod(steps) / 1000) if piece.ndim == 3 else None
        width, length = (4 * np.sqrt(value) for value in spread)
        row = (
            plane if piece.ndim == 3 else None, *middle, place, area, float(length), float(width),
            90.0 if angle <= -90 else angle, whole, chance(piece),
        )  # fmt: skip
        found.append((area if whole is None else whole, row))
    found.sort(key=lambda pair: -pair[0])
    return [Piece(i, *row) for i, (_, row) in enumerate(found, start=1)]
