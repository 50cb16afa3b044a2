"""Texture: co-occurrence matrices, runs, zones, and the features drawn from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesionkit.lazy import make_lazy

if TYPE_CHECKING:
    from lesionkit.texture import families as families
    from lesionkit.texture import selection as selection
    from lesionkit.texture.families import ar_model as ar_model
    from lesionkit.texture.families import first_order as first_order
    from lesionkit.texture.families import gradient as gradient
    from lesionkit.texture.families import haar_energy as haar_energy
    from lesionkit.texture.glcm import cooccurrence as cooccurrence
    from lesionkit.texture.glcm import graycomatrix as graycomatrix
    from lesionkit.texture.glcm import graycoprops as graycoprops
    from lesionkit.texture.haralick import HARALICK as HARALICK
    from lesionkit.texture.haralick import IBSI as IBSI
    from lesionkit.texture.haralick import haralick as haralick
    from lesionkit.texture.lbp import cs_lbp as cs_lbp
    from lesionkit.texture.maps import feature_maps as feature_maps
    from lesionkit.texture.radiomics import Settings as Settings
    from lesionkit.texture.radiomics import radiomics as radiomics
    from lesionkit.texture.region.neighbours import dependence_features as dependence_features
    from lesionkit.texture.region.neighbours import neighbours as neighbours
    from lesionkit.texture.region.neighbours import tone_features as tone_features
    from lesionkit.texture.region.runs import run_length_features as run_length_features
    from lesionkit.texture.region.runs import run_lengths as run_lengths
    from lesionkit.texture.region.zones import zone_features as zone_features
    from lesionkit.texture.region.zones import zones as zones
    from lesionkit.texture.rois import MAZDA as MAZDA
    from lesionkit.texture.rois import label_features as label_features
    from lesionkit.texture.rois import roi_features as roi_features

_HOME = {
    "HARALICK": "haralick",
    "IBSI": "haralick",
    "MAZDA": "rois",
    "Settings": "radiomics",
    "ar_model": "families",
    "cooccurrence": "glcm",
    "cs_lbp": "lbp",
    "dependence_features": "region.neighbours",
    "feature_maps": "maps",
    "first_order": "families",
    "gradient": "families",
    "graycomatrix": "glcm",
    "graycoprops": "glcm",
    "haar_energy": "families",
    "haralick": "haralick",
    "label_features": "rois",
    "neighbours": "region.neighbours",
    "radiomics": "radiomics",
    "roi_features": "rois",
    "run_length_features": "region.runs",
    "run_lengths": "region.runs",
    "tone_features": "region.neighbours",
    "zone_features": "region.zones",
    "zones": "region.zones",
}
_MODULES = ("families", "selection")  # selection imports scikit-learn
__all__ = [
    "HARALICK",
    "IBSI",
    "MAZDA",
    "Settings",
    "ar_model",
    "cooccurrence",
    "cs_lbp",
    "dependence_features",
    "families",
    "feature_maps",
    "first_order",
    "gradient",
    "graycomatrix",
    "graycoprops",
    "haar_energy",
    "haralick",
    "label_features",
    "neighbours",
    "radiomics",
    "roi_features",
    "run_length_features",
    "run_lengths",
    "selection",
    "tone_features",
    "zone_features",
    "zones",
]

make_lazy(__name__)
