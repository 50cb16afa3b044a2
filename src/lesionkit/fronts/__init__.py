"""Fast marching, contours and watershed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesionkit.fronts.arrival import arrival_time as arrival_time

_HOME: dict[str, str] = {
    "arrival_time": "arrival",
}
__all__ = [
    "arrival_time",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"lesionkit.fronts.{_HOME[name]}"), name)
    raise AttributeError(f"module 'lesionkit.fronts' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
