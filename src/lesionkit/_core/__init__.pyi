# The compiled module: csrc/module.cpp. One .pyi per submodule (csrc/<domain>/bind.cpp).
import numpy as np
from numpy.typing import NDArray

from lesionkit._core import clustering as clustering
from lesionkit._core import fronts as fronts
from lesionkit._core import optics as optics
from lesionkit._core import texture as texture

level: str

def get_threads() -> int: ...
def set_threads(count: int) -> None: ...
def extent(values: NDArray[np.float32] | NDArray[np.float64]) -> tuple[float, float, bool]: ...
