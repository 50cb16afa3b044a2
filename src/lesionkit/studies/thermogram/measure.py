"""All thermograms of DMR-IR, each measured once: what the study's tables are made of."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lesionkit.studies.thermogram import asymmetry, clusters, leaks, read
from lesionkit.studies.thermogram import body as bodies
from lesionkit.studies.thermogram.readers import colour

SCALES = ("22-37 C", "image's range", "body's range")
NOISE = 0.02  # C, to which images are smoothed before textures: below the quietest camera's


@dataclass(frozen=True)
class Woman:
    """One thermogram, and what was measured of it."""

    name: str
    patient: int
    sick: bool
    semicolon: bool  # the format of the original matrix: a leak, and never a feature
    celsius: npt.NDArray[np.float32]
    body: npt.NDArray[np.bool_]
    axis: bodies.Midline
    breasts: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
    leaks: leaks.Leaks
    asymmetry: asymmetry.Asymmetry | None  # None: not from the front
    red_range: tuple[float, ...]  # fraction of the body in the red range, by SCALES
    red_cluster: tuple[float, ...]  # fraction of the picture in the red cluster, by SCALES
    no_range: tuple[float, ...]  # fraction of the body in no range


def data_folder(path: str | os.PathLike[str] | None = None) -> Path:
    """The folder that holds `breast_thermal`: as given, or LESIONKIT_DATA's `data`."""
    root = os.environ.get("LESIONKIT_DATA")
    if path is None and not root:
        raise ValueError(
            "data must be the folder that holds breast_thermal; got None, and LESIONKIT_DATA is "
            "not set"
        )
    folder = Path(path) if path is not None else Path(str(root)) / "data"
    needed = "breast_thermal/dmr_ir"
    if not (folder / needed / "index.csv").is_file():
        raise ValueError(
            f"data must be a folder with {needed}/index.csv in it, got {str(folder)!r}"
        )
    return folder / needed


def women(path: str | os.PathLike[str] | None = None) -> Iterator[Woman]:
    """Each woman of DMR-IR, in the index's order. path : see `data_folder`"""
    folder = data_folder(path)
    for row in index(folder):
        yield measured(folder / "celsius_x100_png16" / f"{row['id']}.png", row)


def index(folder: Path) -> list[dict[str, str]]:
    """The rows of the folder's index.csv: id, diagnosis, txt_delimiter."""
    with (folder / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row.get("diagnosis") not in ("Sick", "Healthy") or not row.get("id"):
            raise ValueError(f"{folder / 'index.csv'} must say Sick or Healthy of each id")
    return rows


def measured(path: Path, row: dict[str, str]) -> Woman:
    """Everything about one thermogram."""
    celsius = read.thermogram(path).values
    body = bodies.find(celsius)
    axis = bodies.midline(celsius, body)
    try:
        unlike = asymmetry.features(celsius, body, axis)
    except ValueError:
        unlike = None
    red, grown, missed = zip(*(_red(celsius, body, scale) for scale in SCALES), strict=True)
    found = leaks.features(celsius, body, path)
    return Woman(
        row["id"],
        int(found.number),
        row["diagnosis"] == "Sick",
        row.get("txt_delimiter") == "semicolon",
        celsius,
        body,
        axis,
        bodies.breasts(celsius, body, axis),
        found,
        unlike,
        red,
        grown,
        missed,
    )


def limits_of(
    celsius: npt.NDArray[np.float32], body: npt.NDArray[np.bool_], scale: str
) -> tuple[float, float]:
    """The colours' limits: fixed, of the image, or of the middle 98 per cent of the body."""
    if scale == SCALES[0]:
        return colour.LIMITS
    values = celsius if scale == SCALES[1] else celsius[body]
    part = (0, 100) if scale == SCALES[1] else (1, 99)
    low, high = np.percentile(values, part)
    return float(low), float(high)


def _red(
    celsius: npt.NDArray[np.float32], body: npt.NDArray[np.bool_], scale: str
) -> tuple[float, float, float]:
    from lesionkit.studies.thermogram.regions import scaled

    found = clusters.segment(
        clusters.picture_of(celsius, "rainbow", limits_of(celsius, body, scale))
    )
    inside = scaled(body, len(found.rgb))
    missed: npt.NDArray[np.bool_] = ~np.asarray(found.hits.any(0))
    return (
        float(found.hits[0][inside].mean()),
        float(found.red.mean()),
        float(missed[inside].mean()),
    )
