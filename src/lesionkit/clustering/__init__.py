"""k-means and fuzzy c-means, plain and spatial, and codebooks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesionkit.clustering.kmeans import KMeans as KMeans

_HOME: dict[str, str] = {
    "KMeans": "kmeans",
}
__all__: list[str] = [
    "KMeans",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"lesionkit.clustering.{_HOME[name]}"), name)
    raise AttributeError(f"module 'lesionkit.clustering' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
