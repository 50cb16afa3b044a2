# csrc/clustering/bind*.cpp. Python has checked every array: exact dtype, C-contiguous.
from typing import Any

import numpy as np
from numpy.typing import NDArray

# bind_fcm.cpp
def fcm_fit(
    x: NDArray[Any],
    weight: NDArray[np.float64] | None,
    span: float,
    greatest_weight: float,
    total_weight: float,
    m: float,
    max_iter: int,
    tol: float,
    of_memberships: bool,
    centres: NDArray[np.float64],
) -> tuple[int, float]: ...
def fcm_memberships(
    x: NDArray[Any],
    m: float,
    centres: NDArray[np.float64],
    only: int,
    planes: bool,
    out: NDArray[Any],
) -> None: ...
def fcm_distances(
    x: NDArray[Any], centres: NDArray[np.float64], planes: bool, out: NDArray[Any]
) -> None: ...
def fcm_labels(x: NDArray[Any], centres: NDArray[np.float64], out: NDArray[np.int32]) -> None: ...
def fcm_survey(
    x: NDArray[Any], weight: NDArray[np.float64] | None, out: NDArray[np.float64]
) -> bool: ...
def fcm_validity(
    x: NDArray[Any], weight: NDArray[np.float64] | None, m: float, centres: NDArray[np.float64]
) -> tuple[float, float, float]: ...
def cmeans_fit(
    x: NDArray[np.float64],
    u0: NDArray[np.float64],
    span: float,
    m: float,
    error: float,
    maxiter: int,
    centres: NDArray[np.float64],
) -> tuple[int, list[float]]: ...
def cmeans_change(
    x: NDArray[np.float64],
    u0: NDArray[np.float64],
    span: float,
    m: float,
    centres: NDArray[np.float64],
) -> tuple[float, float]: ...

# bind_kmeans.cpp: samples x (n, d) float32 or float64, centres (k, d)

def lloyd(
    x: NDArray[Any],
    weights: NDArray[np.float64] | None,
    counted: bool,
    centres: NDArray[np.float64],
    most: int,
    tol: float,
    watched: bool,
) -> tuple[int, bool, bool, float, list[tuple[float, float]]]: ...
def nearest(
    x: NDArray[Any],
    weights: NDArray[np.float64] | None,
    centres: NDArray[np.float64],
    labels: NDArray[np.int32],
    counts: NDArray[np.int64],
) -> float: ...
def distances(x: NDArray[Any], centres: NDArray[np.float64], out: NDArray[Any]) -> None: ...
def seeds(
    x: NDArray[Any],
    weights: NDArray[np.float64] | None,
    k: int,
    trials: int,
    uniform: NDArray[np.float64],
    work: NDArray[np.float32],
) -> list[int]: ...
def optimum(values: NDArray[np.float64], weights: NDArray[np.float64], k: int) -> list[float]: ...
def whole_numbers(x: NDArray[Any]) -> bool: ...
def count_values(
    x: NDArray[Any],
    sample_weights: NDArray[np.float64] | None,
    low: int,
    counts: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> None: ...
def look_up(
    x: NDArray[Any], low: int, table: NDArray[np.int32], labels: NDArray[np.int32]
) -> None: ...
