"""Fast marching, contours and watershed."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesionkit.fronts.active_contour import geodesic_active_contour as geodesic_active_contour
    from lesionkit.fronts.chan_vese import chan_vese as chan_vese
    from lesionkit.fronts.edge_flow import EdgeFlow as EdgeFlow
    from lesionkit.fronts.edge_flow import edge_flow as edge_flow
    from lesionkit.fronts.edge_flow import link_boundaries as link_boundaries
    from lesionkit.fronts.levels import checkerboard_level_set as checkerboard_level_set
    from lesionkit.fronts.levels import disk_level_set as disk_level_set
    from lesionkit.fronts.morphological import (
        inverse_gaussian_gradient as inverse_gaussian_gradient,
    )
    from lesionkit.fronts.morphological import morphological_chan_vese as morphological_chan_vese
    from lesionkit.fronts.morphological import (
        morphological_geodesic_active_contour as morphological_geodesic_active_contour,
    )
    from lesionkit.fronts.region import region_grow as region_grow

_HOME = {
    "EdgeFlow": "edge_flow",
    "chan_vese": "chan_vese",
    "checkerboard_level_set": "levels",
    "disk_level_set": "levels",
    "edge_flow": "edge_flow",
    "geodesic_active_contour": "active_contour",
    "inverse_gaussian_gradient": "morphological",
    "link_boundaries": "edge_flow",
    "morphological_chan_vese": "morphological",
    "morphological_geodesic_active_contour": "morphological",
    "region_grow": "region",
}
__all__ = [
    "EdgeFlow",
    "chan_vese",
    "checkerboard_level_set",
    "disk_level_set",
    "edge_flow",
    "geodesic_active_contour",
    "inverse_gaussian_gradient",
    "link_boundaries",
    "morphological_chan_vese",
    "morphological_geodesic_active_contour",
    "region_grow",
]


class _Package(ModuleType):
    """Some functions have their module's name. An import of the module would put it in the place
    of the function: here it does not."""

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
