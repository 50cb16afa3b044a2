"""Texture: co-occurrence matrices, runs, zones, and the features drawn from them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesionkit.texture import families as families
    from lesionkit.texture import selection as selection
    from lesionkit.texture.rois import MAZDA as MAZDA
    from lesionkit.texture.rois import label_features as label_features
    from lesionkit.texture.rois import roi_features as roi_features

_HOME = {
    "MAZDA": "rois",
    "label_features": "rois",
    "roi_features": "rois",
}
_MODULES = ("families", "selection")  # selection imports scikit-learn
__all__ = [
    "MAZDA",
    "families",
    "label_features",
    "roi_features",
    "selection",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"lesionkit.texture.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(f"lesionkit.texture.{_HOME[name]}"), name)
    raise AttributeError(f"module 'lesionkit.texture' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
