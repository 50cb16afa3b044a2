# csrc/fronts/bind*.cpp. Python has checked every array: exact dtype, C-contiguous.
from collections.abc import Sequence
from typing import Any

# bind_marching.cpp
def arrival_times(
    speed: Any,
    mask: Any,
    pace: float,
    spacing: Sequence[float],
    stop: float,
    first: Any,
    nodes: Any,
    at: Any,
    times: Any,
) -> None: ...
def front_labels(
    times: Any, first: Any, nodes: Any, at: Any, label_of: Any, labels: Any
) -> None: ...

# bind_accurate.cpp
def make_accurate(
    speed: Any,
    mask: Any,
    pace: float,
    spacing: Sequence[float],
    stop: float,
    first: Any,
    nodes: Any,
    at: Any,
    times: Any,
    order: int,
    reach: float,
    seed_of: Any,
    seeds: Any,
) -> None: ...

# bind_paths.cpp
def find_paths(
    times: Any, spacing: Sequence[float], points: Any, seeds: Any, step: float
) -> tuple[Any, Any]: ...
