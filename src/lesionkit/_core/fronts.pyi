# csrc/fronts/bind*.cpp. Python has checked every array: exact dtype, C-contiguous.
from collections.abc import Sequence
from typing import Any

def arrival_times(
    speed: Any,
    mask: Any,
    pace: float,
    spacing: Sequence[float],
    stop: float,
    order: int,
    reach: float,
    first: Any,
    nodes: Any,
    at: Any,
    seed_of: Any,
    seeds: Any,
    times: Any,
    labels: Any,
) -> None: ...
