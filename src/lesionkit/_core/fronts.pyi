# csrc/fronts/bind*.cpp. Python has checked every array: exact dtype, C-contiguous.
from typing import Any

import numpy as np
from numpy.typing import NDArray

# bind_watershed.cpp
def watershed(
    image: NDArray[Any],
    markers: NDArray[Any],
    mask: NDArray[np.uint8] | None,
    connectivity: int,
    watershed_line: bool,
    out: NDArray[Any],
) -> None: ...
