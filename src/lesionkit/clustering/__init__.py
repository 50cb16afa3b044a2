"""k-means and fuzzy c-means, plain and spatial, and codebooks."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesionkit.clustering.cmeans import cmeans as cmeans
    from lesionkit.clustering.cmeans import cmeans_predict as cmeans_predict
    from lesionkit.clustering.codebook import Codebook as Codebook
    from lesionkit.clustering.codebook import codebook as codebook
    from lesionkit.clustering.fcm import FuzzyCMeans as FuzzyCMeans
    from lesionkit.clustering.kmeans import KMeans as KMeans
    from lesionkit.clustering.segment import Segmentation as Segmentation
    from lesionkit.clustering.segment import segment as segment
    from lesionkit.clustering.spatial import FCM_S1 as FCM_S1
    from lesionkit.clustering.spatial import FCM_S2 as FCM_S2
    from lesionkit.clustering.spatial import FLICM as FLICM
    from lesionkit.clustering.spatial import sFCM as sFCM
    from lesionkit.clustering.spatial_levels import FGFCM as FGFCM
    from lesionkit.clustering.spatial_levels import EnFCM as EnFCM

_HOME: dict[str, str] = {
    "Codebook": "codebook",
    "EnFCM": "spatial_levels",
    "FCM_S1": "spatial",
    "FCM_S2": "spatial",
    "FGFCM": "spatial_levels",
    "FLICM": "spatial",
    "FuzzyCMeans": "fcm",
    "KMeans": "kmeans",
    "Segmentation": "segment",
    "cmeans": "cmeans",
    "cmeans_predict": "cmeans",
    "codebook": "codebook",
    "sFCM": "spatial",
    "segment": "segment",
}
__all__ = [
    "FCM_S1",
    "FCM_S2",
    "FGFCM",
    "FLICM",
    "Codebook",
    "EnFCM",
    "FuzzyCMeans",
    "KMeans",
    "Segmentation",
    "cmeans",
    "cmeans_predict",
    "codebook",
    "sFCM",
    "segment",
]


class _Package(ModuleType):
    """`cmeans` has its module's name. An import of the module would put it in the place of the
    function: here it does not."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"lesionkit.clustering.{_HOME[name]}"), name)
    raise AttributeError(f"module 'lesionkit.clustering' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
