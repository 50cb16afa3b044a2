# csrc/fronts/bind*.cpp. Python has checked every array: exact dtype, C-contiguous.
from collections.abc import Sequence
from typing import Any

def arrival_times(
    speed: Any,
    mask: Any,
    spacing: Sequence[float],
    stop: float,
    first: Any,
    nodes: Any,
    at: Any,
    label_of: Any,
    times: Any,
    labels: Any,
) -> None: ...
