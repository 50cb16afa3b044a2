# csrc/fronts/bind*.cpp. Python has checked every array: exact dtype, C-contiguous.
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# bind_marching.cpp
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

# bind_distance.cpp
def march(
    phi: NDArray[np.float64],
    speed: NDArray[np.float64] | None,
    closed: NDArray[np.uint8] | None,
    spacing: list[float],
    periodic: list[bool],
    order: int,
    narrow: float,
    times: NDArray[np.float64],
    carried: NDArray[np.float64] | None,
    unknown: NDArray[np.uint8] | None,
    extended: NDArray[np.float64] | None,
) -> bool: ...
def distance_transform(
    mask: NDArray[np.uint8], spacing: list[float], both: bool, out: NDArray[Any]
) -> None: ...

# bind_watershed.cpp
def watershed(
    image: NDArray[Any],
    markers: NDArray[Any],
    mask: NDArray[np.uint8] | None,
    connectivity: int,
    watershed_line: bool,
    out: NDArray[Any],
) -> None: ...
def h_minima(
    image: NDArray[Any], h: float, connectivity: int, labels: NDArray[np.int32]
) -> int: ...
