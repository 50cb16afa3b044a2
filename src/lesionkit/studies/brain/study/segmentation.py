"""Segmentation rows of the study: every method on the FLAIR slices of each patient."""

from __future__ import annotations

import numpy as np

from lesionkit.metrics import dice
from lesionkit.studies.brain.datasets.brats import Patient
from lesionkit.studies.brain.segmenters import SEGMENTERS, segment
from lesionkit.studies.brain.study.records import Record

LEAST = 200  # pixels of tumour in a slice that is scored


def scored(patient: Patient) -> list[Record]:
    """A row for each method. dice : the mean over slices with more than 200 pixels of tumour;
    pixels_on_free_slices : what was found where there is no tumour at all, in all such slices"""
    image, truth = patient.images["flair"], patient.tumour
    apart = float(np.median(np.diff(patient.planes))) if len(patient.planes) > 1 else 1.0
    areas = truth.sum((1, 2))
    large = np.flatnonzero(areas > LEAST)
    rows = []
    for method in SEGMENTERS:
        found = segment(image, patient.brain, method, spacing=(apart, 1.0, 1.0))
        scores = [dice(found[plane], truth[plane]) for plane in large]
        rows.append({
            "task": "segmentation",
            "patient": patient.name,
            "method": method,
            "dice": float(np.mean(scores)) if scores else None,
            "dice_median": float(np.median(scores)) if scores else None,
            "slices": len(scores),
            "pixels_on_free_slices": int(found[areas == 0].sum()),
        })  # fmt: skip
    return rows
