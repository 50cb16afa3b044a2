"""lesionkit.fronts for the benchmark of eikonal, level-set and watershed packages.

    bench_peers.py --cases M1,M6 --candidate benchmarks.march_candidate:hook

Arrays are converted to float32 outside of what is timed, as peers convert theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Data = dict[str, Any]
Run = Callable[[], Any]


def travel_time(data: Data) -> dict[str, Run]:
    from lesionkit.fronts import arrival_time

    speed, seed = data["speed"].astype(np.float32), data["seed"]
    return {
        "order 1": lambda: arrival_time(speed, seed),
        "order 2": lambda: arrival_time(speed, seed, order=2),
        "order 2, float64": lambda: arrival_time(data["speed"], seed, order=2),
    }


def region(data: Data) -> dict[str, Run]:
    from lesionkit.fronts import arrival_time

    speed, seed, stop = data["speed"].astype(np.float32), data["seed"], data["stop"]
    return {"order 1": lambda: arrival_time(speed, seed, stop=stop) < np.inf}


def batch(data: Data) -> dict[str, Run]:
    from lesionkit.fronts import arrival_time

    speed = data["speed"].astype(np.float32)
    return {"order 1": lambda: arrival_time(speed, data["seeds"], batch_axis=0)}


TASKS: dict[str, Callable[[Data], dict[str, Run]]] = {
    "batch": batch,
    "region": region,
    "travel_time": travel_time,
}


def hook(task: str, data: Data) -> dict[str, Run] | None:
    """What is timed, by name; None for a task that is not offered."""
    return TASKS[task](data) if task in TASKS else None
