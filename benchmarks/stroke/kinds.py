"""What limits the classifiers of the stroke study, and whether planted lesions are like the given
phantoms."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from scipy import ndimage

from benchmarks.report import Report
from lesionkit import io
from lesionkit.studies.stroke import plant, preprocess
from lesionkit.studies.stroke.classify import classifiers, classify
from lesionkit.studies.stroke.features import SIX, lesion_features

LESIONS = 560
WITHOUT: dict[str, dict[str, float]] = {
    "as it is": {},
    "an even inside": {"UNEVEN": 0.0},
    "an even coil": {"GAIN": 0.0, "BIAS": 0.0},
    "hardly any noise": {"NOISE": 1e-3},
}


def kinds(report: Report, root: Path, phantom_folder: str) -> None:
    template = plant.read_template(root / "data")
    shapes = plant.read_shapes(template, root / "data")
    given = phantoms(root / phantom_folder)
    rows, made = [], []
    for name, changes in WITHOUT.items():
        with mock.patch.dict(vars(plant), changes):
            lesions = [plant.plant(template, shapes, i) for i in range(LESIONS)]
        planted = [(one.kind, one.dwi, one.mask) for one in lesions]
        if not changes:
            made = planted
        results = classify(features(planted), [k for k, *_ in planted], [s.shape for s in lesions])
        rows.append([name, *(f"{100 * result.accuracy:.1f}" for result in results)])
    report.table(
        f"Accuracy, %, {LESIONS} planted lesions, shapes not seen",
        ["lesions with", *classifiers()],
        rows,
    )
    values, truth = features(made), [kind for kind, *_ in made]
    right = [
        np.mean(model.fit(values, truth).predict(features(given)) == [k for k, *_ in given])
        for model in classifiers().values()
    ]
    report.table(
        f"Learnt from {LESIONS} planted lesions, tested on the {len(given)} phantoms: accuracy, %",
        list(classifiers()),
        [[f"{100 * fraction:.1f}" for fraction in right]],
    )
    of_given, of_made = ratios(given), ratios(made)
    report.table(
        "Signal of a lesion over the normal brain's: mean ± standard deviation (least to greatest)",
        ["kind", "phantoms", "planted"],
        [[kind, of_given[kind], of_made[kind]] for kind in plant.KINDS],
    )


def phantoms(folder: Path) -> list[tuple[str, Any, Any]]:
    found = []
    for file in sorted(folder.glob("*_dwi.png")):
        truth = io.read_mask(file.with_name(file.name.replace("_dwi.", "_mask."))).values
        kind = file.name.split("_", 1)[1].split("_sub-")[0]
        found.append((kind, io.read_image(file).values, truth))
    return found


def features(lesions: list[tuple[str, Any, Any]]) -> Any:
    rows = [lesion_features(preprocess(dwi).enhanced, mask) for _, dwi, mask in lesions]
    return np.array([[getattr(row, name) for name in SIX] for row in rows])


def ratios(lesions: list[tuple[str, Any, Any]]) -> dict[str, str]:
    """Normal is the median of brain tissue, 6 pixels and more from the lesion."""
    values: dict[str, list[float]] = defaultdict(list)
    for kind, dwi, mask in lesions:
        far = ~ndimage.binary_dilation(mask, iterations=6)
        tissue = dwi[far & (dwi > 0.6 * np.median(dwi[preprocess(dwi).brain]))]
        values[kind].append(dwi[mask].mean() / np.median(tissue))
    return {
        kind: f"{np.mean(v):.2f} ± {np.std(v):.2f} ({np.min(v):.2f} to {np.max(v):.2f})"
        for kind, v in values.items()
    }
