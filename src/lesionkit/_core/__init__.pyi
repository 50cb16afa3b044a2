# The compiled module: csrc/module.cpp. One .pyi per submodule (csrc/<domain>/bind*.cpp).
from lesionkit._core import optics as optics

level: str

def get_threads() -> int: ...
def set_threads(count: int) -> None: ...
