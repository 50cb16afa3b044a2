"""Ours for any harness that times `factory(workload, data) -> callable | None`.

The workloads are W1 to W5 of `texture_work.py`; `data` holds the harness's own arrays: W1 `img`,
`levels`, `distances`, `angles`; W2 `rois`, `levels`, `offsets`; W3 `img`, `levels`, `window`,
`offsets`; W4 and W5 `vol` and `mask`, cut into 32 bins. The callable gives the arrays that such a
harness compares: `P` and six properties (distances, angles); `features` (regions, offsets, 11) in
nats; `map` (rows, columns, 5); PyRadiomics' names without their family.

    python HARNESS.py --candidate lesionkit=benchmarks.texture.candidate:factory
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import lesionkit
from benchmarks.texture.ours import REGION, settings
from benchmarks.texture.work import IN_MAPS, PROPERTIES
from lesionkit import texture

Data = dict[str, Any]
BINS = 32


def factory(workload: str, data: Data) -> Callable[[], Data] | None:
    """What a user does once: choose the number of threads, $OMP_NUM_THREADS or 2."""
    lesionkit.threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    run = RUNS.get(workload)
    return None if run is None else partial(run, data)


def one_image(data: Data) -> Data:
    matrices = texture.graycomatrix(
        data["img"], data["distances"], data["angles"], data["levels"], symmetric=True, normed=True
    )
    return {name: texture.graycoprops(matrices, name) for name in PROPERTIES} | {"P": matrices}


def regions(data: Data) -> Data:
    arguments = (data["rois"], data["offsets"], data["levels"])
    return {"features": texture.roi_features(*arguments, log_base=math.e)}


def maps(data: Data) -> Data:
    arguments = (data["img"], data["window"], data["offsets"], data["levels"])
    found = texture.feature_maps(*arguments, list(IN_MAPS.values()), log_base=math.e)
    return {"map": np.moveaxis(found, 0, -1)}


def volume(workload: str, data: Data) -> Data:
    found = texture.radiomics(
        data["vol"], data["mask"], (1, 1, 1), settings(BINS, REGION[workload])
    )
    return {name.rpartition("_")[2]: value for name, value in found.items()}


RUNS: dict[str, Callable[[Data], Data]] = {
    "W1": one_image,
    "W2": regions,
    "W3": maps,
    "W4": partial(volume, "W4"),
    "W5": partial(volume, "W5"),
}
