"""How far the features are from PyRadiomics' own: its baselines, and the program itself beside ours
where its Python is named."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.radiomics.baselines import (
    CASES,
    Baseline,
    baselines,
    difference,
    folder_of,
    image_and_mask,
)
from benchmarks.radiomics.processes import Peer, python_of
from benchmarks.report import Report
from lesionkit.radiomics import RadiomicsFeatureExtractor, Volume
from lesionkit.radiomics.volumes import like, read

TOLERANCE = 1e-6  # relative
ROUNDED = 1e-15  # what PyRadiomics' 2.2e-16 inside its logarithms makes of an entropy of 0

FILTERS: dict[str, dict[str, Any]] = {
    "Original": {},
    "LoG": {"sigma": [1.0, 3.0, 5.0]},
    "Wavelet": {},
    "Square": {},
    "SquareRoot": {},
    "Logarithm": {},
    "Exponential": {},
    "Gradient": {},
    "LBP2D": {"binWidth": 1},
    "LBP3D": {"binWidth": 0.1},
}

# The file and PyRadiomics 3.0.1 itself differ here, and ours is what the program says.
STALE = {
    ("brain1", f"original_shape_{name}")
    for name in ("MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity")
}


def reason(test: str, feature: str, wanted: float, found: float) -> str:
    """Why a value may differ from the baseline; "" where it may not."""
    if max(abs(wanted), abs(found)) < ROUNDED:
        return "an entropy of 0: theirs is -3e-16, from the 2.2e-16 inside its logarithm"
    if (test, feature) in STALE:
        return "the baseline is older than PyRadiomics 3.0.1, whose own answer is ours"
    return ""


@cache
def _images(folder: Path, case: str) -> tuple[Volume, Volume]:
    image, mask = image_and_mask(folder, case)
    return read(image, "image"), read(mask, "mask")


PLANES = {"brain1": 16, "brain2": 8, "breast1": 9, "lung1": 33, "lung2": 22}
"""Of the sdist's "2D" masks, which it does not hold, by the boxes in their baselines."""


def measured(folder: Path, baseline: Baseline) -> dict[str, Any]:
    """Ours, with the settings of a baseline."""
    case = baseline.case.removesuffix("_2D")
    image, mask = _images(folder, case)
    if case != baseline.case:
        values = np.zeros_like(mask.values)
        values[PLANES[case]] = mask.values[PLANES[case]]
        mask = like(mask, values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found: dict[str, Any] = RadiomicsFeatureExtractor(baseline.parameters).execute(image, mask)
    return found


def against_baselines(folder: Path) -> Iterator[tuple[Baseline, str, float, float]]:
    """Each value of the baselines: which, its feature, theirs and ours."""
    for baseline in baselines(folder):
        found = measured(folder, baseline)
        for feature, wanted in baseline.values.items():
            yield baseline, feature, wanted, found[feature]


def agreement(report: Report) -> None:
    """Tables: the baselines, class by class; and each filter and class beside the program."""
    data = os.environ.get("LESIONKIT_DATA")
    folder = folder_of(Path(data)) if data else None
    if folder is None or not folder.is_dir():
        report.say("radiomics-agreement: skipped, $LESIONKIT_DATA/data/pyradiomics is not there")
        return
    count: dict[str, int] = defaultdict(int)
    worst: dict[str, float] = defaultdict(float)
    reasons: dict[tuple[str, str], int] = defaultdict(int)
    for baseline, feature, wanted, found in against_baselines(folder):
        off = difference(wanted, found)
        why = reason(baseline.test, feature, wanted, found) if off > TOLERANCE else ""
        assert off <= TOLERANCE or why, (baseline.test, feature, wanted, found)
        count[baseline.feature_class] += 1
        if why:
            reasons[baseline.feature_class, why] += 1
        else:
            worst[baseline.feature_class] = max(worst[baseline.feature_class], off)
    rows = [[name, str(n), f"{worst[name]:.1e}"] for name, n in count.items()]
    listed = "; ".join(f"{name}, {n} values: {why}" for (name, why), n in reasons.items())
    report.table(
        "PyRadiomics' baselines: largest relative difference",
        ["class", "values", "largest"],
        rows,
        f"Left out: {listed}.",
    )
    python = python_of("pyradiomics")
    if python is None:
        report.say("The program itself: skipped, $PYRADIOMICS_PYTHON names no Python")
        return
    cases = CASES[1:3] if report.quick else CASES
    _beside(report, folder, python, cases)


def _beside(report: Report, folder: Path, python: str, cases: tuple[str, ...]) -> None:
    parameters = {"imageType": FILTERS, "setting": {"minimumROIDimensions": 1}}
    table: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    values = 0
    left_out: dict[str, int] = defaultdict(int)
    with Peer(python, "pyradiomics") as peer:
        for case in cases:
            image, mask = image_and_mask(folder, case)
            theirs = peer.ask({"image": image, "mask": mask, "params": parameters})
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                ours = RadiomicsFeatureExtractor(parameters).execute(*_images(folder, case))
            for name, wanted in theirs["features"].items():
                if name.startswith("diagnostics"):
                    continue
                kind, family, _ = name.split("_")
                off = difference(wanted, float(ours[name]))
                values += 1
                if off > TOLERANCE:
                    why = reason(case, "", wanted, float(ours[name]))
                    left_out[why or f"{case} {name}: {wanted!r}, {float(ours[name])!r}"] += 1
                else:
                    table[kind][family] = max(table[kind][family], off)
    families = list(dict.fromkeys(family for row in table.values() for family in row))
    rows = [
        [kind, *(f"{row[family]:.1e}" if family in row else "" for family in families)]
        for kind, row in table.items()
    ]
    report.table(
        f"Beside PyRadiomics 3.0.1: {values} values of {len(cases)} cases, largest relative "
        "difference",
        ["image", *families],
        rows,
        "Left out: " + "; ".join(f"{n} values: {why}" for why, n in left_out.items()) + ".",
    )
