"""What tells sick women of DMR-IR from healthy ones and is no part of a woman.

Measured before any method, and printed above it: a method counts by what it adds to these.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lesionkit.studies.thermogram import body as bodies

APART = 15  # pixels from the body: nearer, the wall is warmed by it


class Leaks(NamedTuple):
    """Numbers of a thermogram that hold no lesion; NaN where there is no wall, or no number."""

    wall_mean: float  # C, of the wall at least 15 pixels from the body
    wall_sd: float  # C
    wall_noise: float  # C, median difference of neighbours along a row of wall
    wall_noise_down: float  # C, along a column
    noise: float  # C, median difference of neighbours along a row, of the whole image
    body_mean: float  # C
    maximum: float  # C
    body_share: float  # of the image that is body
    number: float  # in the file's name


WALL = ("wall_mean", "wall_sd", "wall_noise", "wall_noise_down")


def features(celsius: Any, body: Any, path: str | Path | None = None) -> Leaks:
    """The leaks of a thermogram, C, (rows, columns); path : of its file, for the number."""
    from scipy import ndimage

    values = bodies.temperatures(celsius)
    inside = bodies.mask_of(body, values.shape)
    wall = ndimage.distance_transform_edt(~inside) >= APART if not inside.all() else ~inside
    pieces, count = ndimage.label(wall)  # connected to the border: not the holes beside the head
    if count:
        rim = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
        wall = np.isin(pieces, rim[rim > 0])
    across = np.abs(np.diff(values, axis=1))
    down = np.abs(np.diff(values, axis=0))
    some = bool((wall[:, 1:] & wall[:, :-1]).any() and (wall[1:] & wall[:-1]).any())
    digits = re.search(r"\d+", Path(path).stem) if path is not None else None
    return Leaks(
        float(values[wall].mean()) if some else np.nan,
        float(values[wall].std()) if some else np.nan,
        float(np.median(across[wall[:, 1:] & wall[:, :-1]])) if some else np.nan,
        float(np.median(down[wall[1:] & wall[:-1]])) if some else np.nan,
        float(np.median(across)),
        float(values[inside].mean()),
        float(values.max()),
        float(inside.mean()),
        float(digits.group()) if digits else np.nan,
    )
