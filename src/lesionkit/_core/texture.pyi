# csrc/texture/bind*.cpp, in the order of those files.
from typing import Any

import numpy as np
from numpy.typing import NDArray

# bind_rois.cpp
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
