"""k-means and fuzzy c-means, plain and spatial, and codebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesionkit.lazy import make_lazy

if TYPE_CHECKING:
    from lesionkit.clustering.cmeans import cmeans as cmeans
    from lesionkit.clustering.cmeans import cmeans_predict as cmeans_predict
    from lesionkit.clustering.codebook import Codebook as Codebook
    from lesionkit.clustering.codebook import codebook as codebook
    from lesionkit.clustering.fcm import FuzzyCMeans as FuzzyCMeans
    from lesionkit.clustering.kmeans import KMeans as KMeans
    from lesionkit.clustering.segment import Segmentation as Segmentation
    from lesionkit.clustering.segment import segment as segment
    from lesionkit.clustering.spatial.methods import FCM_S1 as FCM_S1
    from lesionkit.clustering.spatial.methods import FCM_S2 as FCM_S2
    from lesionkit.clustering.spatial.methods import FLICM as FLICM
    from lesionkit.clustering.spatial.methods import sFCM as sFCM
    from lesionkit.clustering.spatial.on_histogram import FGFCM as FGFCM
    from lesionkit.clustering.spatial.on_histogram import EnFCM as EnFCM

_HOME: dict[str, str] = {
    "Codebook": "codebook",
    "EnFCM": "spatial.on_histogram",
    "FCM_S1": "spatial.methods",
    "FCM_S2": "spatial.methods",
    "FGFCM": "spatial.on_histogram",
    "FLICM": "spatial.methods",
    "FuzzyCMeans": "fcm",
    "KMeans": "kmeans",
    "Segmentation": "segment",
    "cmeans": "cmeans",
    "cmeans_predict": "cmeans",
    "codebook": "codebook",
    "sFCM": "spatial.methods",
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

make_lazy(__name__)
