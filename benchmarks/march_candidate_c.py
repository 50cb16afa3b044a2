"""Ours, for the harness of eikonal, level-set and watershed peers: contours.

python HARNESS.py --cases L1,L2 --candidate benchmarks.march_candidate_c:hook
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

import lesionkit
from lesionkit import fronts

Run = Callable[[], np.ndarray]


def hook(task: str, data: dict[str, Any]) -> dict[str, Run] | None:
    """What of a task is offered, by name: whole public calls. Threads: $OMP_NUM_THREADS or 2."""
    lesionkit.threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    if task == "chan_vese":
        return without_edges(data["image"], data["iterations"])
    if task == "gac":
        return geodesic(data["edge"], data["init"], data["iterations"])
    return None


def without_edges(image: np.ndarray, iterations: int) -> dict[str, Run]:
    single = image.astype(np.float32)
    given = {"mu": 0.25, "tol": 0, "max_num_iter": iterations, "dt": 0.5}
    return {
        "chan_vese": lambda: fronts.chan_vese(image, **given),
        "chan_vese-f32": lambda: fronts.chan_vese(single, **given),
        "chan_vese-energies": lambda: fronts.chan_vese(image, **given, extended_output=True)[0],
        "morphological_chan_vese": lambda: fronts.morphological_chan_vese(image, iterations),
    }


def geodesic(edge: np.ndarray, init: np.ndarray, iterations: int) -> dict[str, Run]:
    single = edge.astype(np.float32)
    level = init.astype(np.int8)
    given = {"smoothing": 1, "balloon": -1, "threshold": 0.5}
    return {
        "morphological_gac": lambda: fronts.morphological_geodesic_active_contour(
            edge, iterations, level, **given
        ),
        "geodesic_active_contour": lambda: fronts.geodesic_active_contour(
            edge, iterations, init, balloon=-1
        ),
        "geodesic_active_contour-f32": lambda: fronts.geodesic_active_contour(
            single, iterations, init, balloon=-1
        ),
    }
