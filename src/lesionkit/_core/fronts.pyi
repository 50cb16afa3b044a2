# csrc/fronts/bind*.cpp. Python has checked every array: exact dtype, C-contiguous.
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# bind_chan_vese.cpp
def chan_vese(
    image: NDArray[Any],
    mask: NDArray[np.uint8] | None,
    phi: NDArray[Any],
    volume: bool,
    mu: float,
    lambdas: Sequence[float],
    tol: float,
    most: int,
    dt: float,
    with_energies: bool,
) -> list[float]: ...
