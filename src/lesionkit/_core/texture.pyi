# csrc/texture/bind.cpp; what the arguments are, the kernels.hpp of the rooms say.
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# filters/laplacian.cpp
def laplacian_of_gaussian(
    image: NDArray[Any],
    spacing: NDArray[np.float64],
    sigma: float,
    axes: int,
    wanted: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None: ...
def perturb(
    values: NDArray[np.float64],
    distance: NDArray[np.float64],
    first: NDArray[np.int64],
    weights: NDArray[np.float64],
    shift: float,
    noise: float,
    seed: int,
    item: int,
    kept: NDArray[np.uint8],
    noisy: NDArray[np.float64],
) -> None: ...

# glcm/count_pairs.cpp
def count_pairs(
    image: NDArray[Any],
    mask: NDArray[np.uint8] | None,
    offsets: NDArray[np.int64],
    symmetric: bool,
    counts: NDArray[Any],
) -> tuple[int, int]: ...

# glcm/graycomatrix.cpp
def graycomatrix(
    image: NDArray[Any],
    offsets: NDArray[np.int64],
    symmetric: bool,
    totals: NDArray[np.float64],
    matrices: NDArray[Any],
) -> None: ...

# glcm/properties.cpp
def weighted_sums(
    matrices: NDArray[Any],
    weights: NDArray[np.float64],
    square: bool,
    sums: NDArray[np.float64],
) -> None: ...
def line_sums(matrices: NDArray[Any], sums: NDArray[np.float64]) -> None: ...
def entropies(
    matrices: NDArray[Any], totals: NDArray[np.float64], out: NDArray[np.float64]
) -> None: ...

# glcm/marginals.cpp
def marginals(
    counts: NDArray[Any], lines: NDArray[np.float64], totals: NDArray[np.float64]
) -> None: ...

# maps/lbp.cpp
def cs_lbp(
    image: NDArray[Any],
    neighbours: NDArray[np.float64],
    threshold: float,
    codes: NDArray[np.uint16],
) -> None: ...

# maps/maps.cpp
def feature_maps(
    image: NDArray[np.uint16],
    window: Sequence[int],
    offsets: NDArray[np.int64],
    levels: int,
    features: Sequence[int],
    average: bool,
    first_level: float,
    log_base: float,
    out: NDArray[np.float64],
) -> None: ...

# region/levels.cpp. padded: unsigned levels of a region as csrc/texture/region/volume.hpp tells

def mask_box(mask: NDArray[np.uint8]) -> list[int]: ...
def inside_extent(volume: NDArray[Any], mask: NDArray[np.uint8]) -> tuple[float, float, bool]: ...
def gather(volume: NDArray[Any], mask: NDArray[np.uint8], values: NDArray[np.float64]) -> None: ...
def place(
    levels: NDArray[Any],
    mask: NDArray[np.uint8] | None,
    limit: int,
    border: int,
    padded: NDArray[Any],
) -> bool: ...
def place_bins(
    volume: NDArray[Any],
    mask: NDArray[np.uint8],
    edges: NDArray[np.float64],
    highest: int,
    epsilon: float,
    border: int,
    padded: NDArray[Any],
) -> None: ...
def place_levels(
    volume: NDArray[Any],
    mask: NDArray[np.uint8],
    highest: int,
    border: int,
    padded: NDArray[Any],
) -> bool: ...
def value_sums(values: NDArray[Any]) -> tuple[float, float]: ...
def level_counts(padded: NDArray[Any], counts: NDArray[np.int64]) -> None: ...
def power_sums(
    values: NDArray[np.float64], centre: float, low: float, high: float, sums: NDArray[np.float64]
) -> None: ...
def order_statistics(
    values: NDArray[np.float64],
    low: float,
    high: float,
    ranks: NDArray[np.int64],
    found: NDArray[np.float64],
) -> None: ...

# rois/rois.cpp
def roi_features(
    rois: NDArray[Any],
    offsets: NDArray[np.int64],
    levels: int,
    normalise: int,
    features: NDArray[np.int32],
    per_nat: float,
    out: NDArray[np.float64],
) -> None: ...
def label_features(
    image: NDArray[Any],
    labels: NDArray[np.int32],
    boxes: NDArray[np.int64],
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    levels: int,
    normalise: int,
    features: NDArray[np.int32],
    per_nat: float,
    out: NDArray[np.float64],
) -> None: ...
def label_boxes(labels: NDArray[np.int32], boxes: NDArray[np.int64]) -> None: ...

# region/tables.cpp. padded: as above

def run_lengths(
    padded: NDArray[Any],
    border: int,
    directions: NDArray[np.int64],
    table: NDArray[np.uint32],
) -> None: ...
def region_pairs(
    padded: NDArray[Any],
    border: int,
    directions: NDArray[np.int64],
    table: NDArray[np.uint32],
) -> None: ...
def zones(
    padded: NDArray[Any], border: int, levels: int, connectivity: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...
def neighbours(
    padded: NDArray[Any],
    border: int,
    offsets: NDArray[np.int64],
    alpha: int,
    rows: NDArray[np.int32],
    dependence: NDArray[np.int64],
    voxels: NDArray[np.int64],
    differences: NDArray[np.int64],
) -> None: ...

# shape/shape.cpp
def shape_of_volume(
    mask: NDArray[np.uint8],
    steps: NDArray[np.float64],
    sums: NDArray[np.int64],
    sizes: NDArray[np.float64],
) -> None: ...
def shape_of_picture(
    mask: NDArray[np.uint8],
    steps: NDArray[np.float64],
    sums: NDArray[np.int64],
    sizes: NDArray[np.float64],
) -> None: ...

# windows/windows.cpp
def window_features(
    padded: NDArray[Any],
    values: NDArray[np.float64] | None,
    middles: NDArray[np.int64],
    directions: NDArray[np.int64],
    steps: NDArray[np.int64],
    radius: Sequence[int],
    families: Sequence[bool],
    levels: int,
    symmetric: bool,
    one_level: bool,
    maximal: bool,
    alpha: int,
    shift: float,
    voxel: float,
    out: NDArray[np.float64],
) -> None: ...
def region_features(
    padded: NDArray[Any],
    values: NDArray[np.float64] | None,
    directions: NDArray[np.int64],
    steps: NDArray[np.int64],
    families: Sequence[bool],
    levels: int,
    symmetric: bool,
    one_level: bool,
    maximal: bool,
    alpha: int,
    shift: float,
    voxel: float,
    out: NDArray[np.float64],
) -> None: ...
