# csrc/clustering/bind.cpp. Python has checked every array: exact dtype, C-contiguous.
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

# fcm/kernels.hpp
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
    out: NDArray[Any],
    planes: bool = False,
) -> None: ...
def fcm_distances(
    x: NDArray[Any], centres: NDArray[np.float64], out: NDArray[Any], planes: bool = False
) -> None: ...
def fcm_labels(x: NDArray[Any], centres: NDArray[np.float64], out: NDArray[np.int32]) -> None: ...
def column_statistics(
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

# spatial fuzzy c-means
_Real = TypeVar("_Real", np.float32, np.float64)
_Bytes = NDArray[np.uint8]
_Labels = NDArray[np.int32]
_Half = tuple[int, int, int]

# Images are (channels, planes, rows, columns); a window is half its sides and the number of a
# border rule. `x` of spatial_fcm is (channels, n); `centres` (classes, channels) float64 are moved.

def window_mean(
    images: NDArray[_Real],
    mask: _Bytes | None,
    half: _Half,
    border: int,
    self: bool,
    out: NDArray[_Real],
) -> None: ...
def window_median(
    images: NDArray[_Real],
    mask: _Bytes | None,
    half: _Half,
    border: int,
    self: bool,
    out: NDArray[_Real],
) -> None: ...
def window_similar(
    images: NDArray[_Real],
    mask: _Bytes | None,
    half: _Half,
    border: int,
    reach: float,
    alike: float,
    out: NDArray[_Real],
) -> None: ...
def mix(x: NDArray[_Real], y: NDArray[_Real], alpha: float, extra: NDArray[_Real]) -> None: ...
def spatial_fcm_fit(
    x: NDArray[_Real],
    extra: NDArray[_Real] | None,
    weight: NDArray[_Real] | None,
    m: float,
    max_iter: int,
    tolerance: float,
    centres: NDArray[np.float64],
) -> int: ...
def spatial_fcm_planes(
    x: NDArray[_Real],
    extra: NDArray[_Real] | None,
    m: float,
    centres: NDArray[np.float64],
    chosen: int,
    plane: NDArray[_Real] | None,
    labels: _Labels | None,
) -> None: ...
def sfcm_fit(
    x: NDArray[_Real],
    weight: NDArray[_Real] | None,
    half: _Half,
    border: int,
    m: float,
    p: float,
    q: float,
    max_iter: int,
    tolerance: float,
    centres: NDArray[np.float64],
) -> int: ...
def sfcm_planes(
    x: NDArray[_Real],
    weight: NDArray[_Real] | None,
    half: _Half,
    border: int,
    m: float,
    p: float,
    q: float,
    centres: NDArray[np.float64],
    chosen: int,
    plane: NDArray[_Real] | None,
    labels: _Labels | None,
) -> None: ...
def flicm_fit(
    x: NDArray[_Real],
    weight: NDArray[_Real] | None,
    half: _Half,
    border: int,
    m: float,
    max_iter: int,
    tolerance: float,
    centres: NDArray[np.float64],
    u: NDArray[_Real],
    spare: NDArray[_Real],
    labels: _Labels,
) -> int: ...

# codebooks
def cell_sums(
    x: NDArray[_Real],
    weights: NDArray[np.float64] | None,
    labels: _Labels,
    words: NDArray[np.float64],
    cells: NDArray[np.float64],
) -> None: ...
def merge_pairs(words: NDArray[np.float64], weights: NDArray[np.float64], target: int) -> None: ...

# kmeans/kernels.hpp: samples x (n, d) float32 or float64, centres (k, d)

def lloyd(
    x: NDArray[Any],
    weights: NDArray[np.float64] | None,
    counted: bool,
    centres: NDArray[np.float64],
    max_iter: int,
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
