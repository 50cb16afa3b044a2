"""Ours, for the harness of eikonal and watershed peers: level-set functions, masks, watershed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lesionkit import fronts

Run = Callable[[], np.ndarray]


def hook(task: str, data: dict[str, Any]) -> dict[str, Run] | None:
    """What of a task is offered, by name: each a call that is timed, its answer included."""
    offered: dict[str, Callable[[dict[str, Any]], dict[str, Run]]] = {
        "travel_time": travel_time,
        "signed_distance": signed_distance,
        "watershed": watershed,
    }
    return offered[task](data) if task in offered else None


def travel_time(data: dict[str, Any]) -> dict[str, Run]:
    phi = np.ones(data["speed"].shape)
    phi[tuple(data["seed"])] = 0

    def of_order(order: int) -> Run:
        return lambda: np.asarray(fronts.travel_time(phi, data["speed"], order=order))

    return {f"travel_time-o{order}": of_order(order) for order in (1, 2)}


def signed_distance(data: dict[str, Any]) -> dict[str, Run]:
    phi, mask = data["phi"], data["mask"]

    def of_order(order: int) -> Run:
        return lambda: np.asarray(fronts.distance(phi, order=order))

    def of_mask(dtype: type) -> Run:
        def run() -> np.ndarray:  # to the pixels' edges rather than centres, as the task has it
            found: np.ndarray = fronts.distance_transform(mask, signed=True, dtype=dtype)
            found -= np.copysign(found.dtype.type(0.5), found)
            return found

        return run

    runs = {f"distance-o{order}": of_order(order) for order in (1, 2)}
    if (np.abs(phi) == 0.5).all():  # the level set knows no more than the mask
        runs |= {f"distance_transform-{kind.__name__}": of_mask(kind) for kind in DTYPES}
    return runs


DTYPES = (np.float32, np.float64)


def watershed(data: dict[str, Any]) -> dict[str, Run]:
    return {"watershed": lambda: np.asarray(fronts.watershed(data["gradient"], data["markers"]))}
