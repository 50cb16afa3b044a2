"""PyRadiomics' sample cases and the values that its own tests compare with.

Both stand in the folder data/ of its sdist (pyradiomics-3.0.1.tar.gz, 34 MB, BSD-3-Clause), which
is read as $LESIONKIT_DATA/data/pyradiomics.
"""

from __future__ import annotations

import ast
import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES = ("brain1", "brain2", "breast1", "lung1", "lung2")


@dataclass(frozen=True)
class Baseline:
    """What PyRadiomics' tests want of a class, of one case with some settings."""

    feature_class: str
    test: str
    case: str
    settings: dict[str, Any]
    image_types: dict[str, Any]
    values: dict[str, float]

    @property
    def parameters(self) -> dict[str, Any]:
        """As a dictionary of PyRadiomics' own."""
        return {
            "setting": {**self.settings, "additionalInfo": False},
            "imageType": self.image_types,
            "featureClass": {self.feature_class: None},
        }


def folder_of(data: Path) -> Path:
    """Of the cases, in the folder that LESIONKIT_DATA names."""
    return data / "data" / "pyradiomics"


def image_and_mask(folder: Path, case: str) -> tuple[str, str]:
    """Their files."""
    return str(folder / f"{case}_image.nrrd"), str(folder / f"{case}_label.nrrd")


def baselines(folder: Path) -> Iterator[Baseline]:
    """All of them."""
    for file in sorted((folder / "baseline").glob("baseline_*.csv")):
        yield from _of_class(file, file.stem.removeprefix("baseline_"))


def _of_class(file: Path, feature_class: str) -> Iterator[Baseline]:
    with file.open(newline="") as lines:
        table = list(csv.reader(lines))
    for column, test in enumerate(table[0][1:], start=1):
        cells = {row[0]: row[column] for row in table[1:]}
        told = {name: cells[f"diagnostics_Configuration_{name}"] for name in
                ("TestCase", "Settings", "EnabledImageTypes")}  # fmt: skip
        settings = ast.literal_eval(told["Settings"])
        if feature_class == "shape":  # as its tests do
            settings["resegmentRange"] = None
        values = {k: float(v) for k, v in cells.items() if not k.startswith("diagnostics")}
        yield Baseline(
            feature_class,
            test,
            told["TestCase"],
            settings,
            ast.literal_eval(told["EnabledImageTypes"]),
            values,
        )


def difference(one: float, other: float) -> float:
    """Relative to the larger; 0 of two NaN, infinite of one."""
    if math.isnan(one) or math.isnan(other):
        return 0.0 if math.isnan(one) and math.isnan(other) else math.inf
    return abs(one - other) / max(abs(one), abs(other)) if one != other else 0.0
