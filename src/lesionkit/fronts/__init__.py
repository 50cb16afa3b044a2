"""Fast marching, contours and watershed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesionkit.fronts.arrival import arrival_time as arrival_time
    from lesionkit.fronts.geodesic import geodesic_segment as geodesic_segment
    from lesionkit.fronts.geodesic import gradient_weight as gradient_weight
    from lesionkit.fronts.geodesic import grey_weight as grey_weight
    from lesionkit.fronts.paths import geodesic_path as geodesic_path

_HOME: dict[str, str] = {
    "arrival_time": "arrival",
    "geodesic_path": "paths",
    "geodesic_segment": "geodesic",
    "gradient_weight": "geodesic",
    "grey_weight": "geodesic",
}
__all__ = [
    "arrival_time",
    "geodesic_path",
    "geodesic_segment",
    "gradient_weight",
    "grey_weight",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"lesionkit.fronts.{_HOME[name]}"), name)
    raise AttributeError(f"module 'lesionkit.fronts' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
