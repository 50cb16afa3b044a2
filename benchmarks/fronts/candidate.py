"""lesionkit.fronts for a harness of eikonal, level-set and watershed peers: whole public calls.

    bench_peers.py --cases M1,M6,W1 --candidate benchmarks.fronts.candidate:hook

Arrays are converted to float32 outside of what is timed, as peers convert theirs. Threads:
$OMP_NUM_THREADS, or 2.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import lesionkit
from lesionkit import fronts

Data = dict[str, Any]
Run = Callable[[], Any]


def travel_time(data: Data) -> dict[str, Run]:
    speed, seed = data["speed"], data["seed"]
    single = speed.astype(np.float32)
    phi = np.ones(speed.shape)
    phi[tuple(seed)] = 0
    return {
        "order 1": partial(fronts.arrival_time, single, seed),
        "order 2": partial(fronts.arrival_time, single, seed, order=2),
        "order 2, float64": partial(fronts.arrival_time, speed, seed, order=2),
        "travel_time, order 1": lambda: np.asarray(fronts.travel_time(phi, speed, order=1)),
        "travel_time, order 2": lambda: np.asarray(fronts.travel_time(phi, speed, order=2)),
    }


def region(data: Data) -> dict[str, Run]:
    speed, seed, stop = data["speed"].astype(np.float32), data["seed"], data["stop"]
    return {"order 1": lambda: fronts.arrival_time(speed, seed, stop=stop) < np.inf}


def batch(data: Data) -> dict[str, Run]:
    speed = data["speed"].astype(np.float32)
    return {"order 1": partial(fronts.arrival_time, speed, data["seeds"], batch_axis=0)}


def signed_distance(data: Data) -> dict[str, Run]:
    phi, mask = data["phi"], data["mask"]

    def of_mask(dtype: type) -> Any:
        # to the pixels' edges rather than centres, as the task has it
        found = fronts.distance_transform(mask, signed=True, dtype=dtype)
        found -= np.copysign(found.dtype.type(0.5), found)
        return found

    runs: dict[str, Run] = {
        "distance, order 1": lambda: np.asarray(fronts.distance(phi, order=1)),
        "distance, order 2": lambda: np.asarray(fronts.distance(phi, order=2)),
    }
    if (np.abs(phi) == 0.5).all():  # the level set knows no more than the mask
        runs["distance_transform, float32"] = partial(of_mask, np.float32)
        runs["distance_transform, float64"] = partial(of_mask, np.float64)
    return runs


def chan_vese(data: Data) -> dict[str, Run]:
    image, iterations = data["image"], data["iterations"]
    single = image.astype(np.float32)
    given = {"mu": 0.25, "tol": 0, "max_num_iter": iterations, "dt": 0.5}
    return {
        "chan_vese": partial(fronts.chan_vese, image, **given),
        "chan_vese, float32": partial(fronts.chan_vese, single, **given),
        "chan_vese, energies": lambda: fronts.chan_vese(image, **given, extended_output=True)[0],
        "morphological_chan_vese": partial(fronts.morphological_chan_vese, image, iterations),
    }


def geodesic(data: Data) -> dict[str, Run]:
    edge, start, iterations = data["edge"], data["init"], data["iterations"]
    single, level = edge.astype(np.float32), start.astype(np.int8)
    given = {"smoothing": 1, "balloon": -1, "threshold": 0.5}
    morphological = fronts.morphological_geodesic_active_contour
    contour = fronts.geodesic_active_contour
    return {
        "morphological": partial(morphological, edge, iterations, level, **given),
        "level set": partial(contour, edge, iterations, start, balloon=-1),
        "level set, float32": partial(contour, single, iterations, start, balloon=-1),
    }


def watershed(data: Data) -> dict[str, Run]:
    return {"watershed": lambda: np.asarray(fronts.watershed(data["gradient"], data["markers"]))}


TASKS: dict[str, Callable[[Data], dict[str, Run]]] = {
    "batch": batch,
    "chan_vese": chan_vese,
    "gac": geodesic,
    "region": region,
    "signed_distance": signed_distance,
    "travel_time": travel_time,
    "watershed": watershed,
}


def hook(task: str, data: Data) -> dict[str, Run] | None:
    """What is timed, by name; None for a task that is not offered."""
    lesionkit.threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    return TASKS[task](data) if task in TASKS else None
