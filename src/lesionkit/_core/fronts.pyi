# csrc/fronts/bind.cpp. Python has checked every array: exact dtype, C-contiguous.
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# eikonal/kernels.hpp
def arrival_times(
    speed: Any,
    mask: Any,
    scale: float,
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
def make_accurate(
    speed: Any,
    mask: Any,
    scale: float,
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
def find_paths(
    times: Any, spacing: Sequence[float], points: Any, seeds: Any, step: float
) -> tuple[Any, Any]: ...

# marching/kernels.hpp
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
    mask: NDArray[Any], spacing: Sequence[float], both: bool, out: NDArray[Any]
) -> None: ...

# watershed/kernels.hpp
def watershed(
    image: NDArray[Any],
    markers: NDArray[Any],
    mask: NDArray[np.uint8] | None,
    offsets: NDArray[np.int64],
    watershed_line: bool,
    out: NDArray[Any],
) -> None: ...
def compact_watershed(
    image: NDArray[Any],
    marked: NDArray[np.uint8],
    mask: NDArray[np.uint8] | None,
    offsets: NDArray[np.int64],
    compactness: float,
    out: NDArray[np.int64],
) -> None: ...

# contours/kernels.hpp
def chan_vese(
    image: NDArray[Any],
    mask: NDArray[np.uint8] | None,
    phi: NDArray[Any],
    volume: bool,
    mu: float,
    lambdas: Sequence[float],
    tol: float,
    max_iter: int,
    dt: float,
    with_energies: bool,
) -> list[float]: ...
def morphological_chan_vese(
    image: NDArray[Any],
    level: NDArray[np.uint8],
    volume: bool,
    iterations: int,
    smoothing: int,
    smoothed: int,
    lambda1: float,
    lambda2: float,
) -> None: ...
def morphological_geodesic(
    image: NDArray[Any],
    level: NDArray[np.uint8],
    volume: bool,
    iterations: int,
    smoothing: int,
    smoothed: int,
    where: NDArray[np.uint8] | None,
    grow: bool,
) -> None: ...
def geodesic_active_contour(
    edge: NDArray[Any],
    level: NDArray[Any],
    spacing: Sequence[float],
    balloon: float,
    curvature: float,
    advection: float,
    iterations: int,
) -> float: ...
def h_minima(
    image: NDArray[Any], h: float, connectivity: int, labels: NDArray[np.int32]
) -> int: ...
