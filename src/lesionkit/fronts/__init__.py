"""Fast marching, contours and watershed."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesionkit.fronts.arrival import arrival_time as arrival_time
    from lesionkit.fronts.distance import distance as distance
    from lesionkit.fronts.distance import extension_velocities as extension_velocities
    from lesionkit.fronts.distance import travel_time as travel_time
    from lesionkit.fronts.transform import distance_transform as distance_transform
    from lesionkit.fronts.watershed import h_minima as h_minima
    from lesionkit.fronts.watershed import watershed as watershed

_HOME = {
    "arrival_time": "arrival",
    "distance": "distance",
    "distance_transform": "transform",
    "h_minima": "watershed",
    "extension_velocities": "distance",
    "travel_time": "distance",
    "watershed": "watershed",
}
__all__ = [
    "arrival_time",
    "distance",
    "distance_transform",
    "extension_velocities",
    "h_minima",
    "travel_time",
    "watershed",
]


class _Package(ModuleType):
    """A function may have its module's name. An import of the module would put it in the place of
    the function: here it does not."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"lesionkit.fronts.{_HOME[name]}"), name)
    raise AttributeError(f"module 'lesionkit.fronts' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
