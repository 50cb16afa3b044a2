"""Unseen planted lesions on one image and on two: python -m benchmarks stroke-adc"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.report import Report

SEED, EACH = 100, 70  # seeds on which nothing was chosen, and lesions of each


def two_images(report: Report) -> None:
    """Mean Jaccard of 280 planted lesions, each method on DWI alone and on DWI and ADC."""
    if "LESIONKIT_DATA" not in os.environ:
        report.say("left out: LESIONKIT_DATA, the folder of the data, is not set")
        return
    from lesionkit import metrics
    from lesionkit.studies.stroke import SEGMENTERS, SEGMENTERS_ADC, pair, plant, preprocess

    data = Path(os.environ["LESIONKIT_DATA"]) / "data"
    template = plant.read_template(data)
    shapes = plant.read_shapes(template, data)
    found: dict[str, list[list[float]]] = defaultdict(list)
    for item in range(len(plant.KINDS) * len(shapes)):
        lesion = plant.plant(template, shapes, item, SEED + item // EACH)
        dark = lesion.kind in ("chronic_ischemic", "acute_hemorrhage")
        kind = "hypo" if dark else "hyper"
        one, two = preprocess(lesion.dwi), pair(lesion.dwi, lesion.adc)
        masks = [
            *(f(one, kind) for f in SEGMENTERS.values()),
            *(f(two, kind) for f in SEGMENTERS_ADC.values()),
        ]
        scores = [metrics.jaccard(mask, lesion.mask) for mask in masks]
        for group in (f"{lesion.kind.replace('_', ' ')} ({kind})", f"all {kind}"):
            found[group].append(scores)
    report.table(
        "Mean Jaccard of planted lesions, seeds 100 to 103",
        ["cases", "n", *SEGMENTERS, *SEGMENTERS_ADC],
        [[g, str(len(s)), *(f"{m:.3f}" for m in np.mean(s, axis=0))] for g, s in found.items()],
    )
