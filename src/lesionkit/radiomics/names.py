"""PyRadiomics 3.0.1's names: image types, feature classes, features, in the order it gives them."""

from __future__ import annotations

from collections.abc import Sequence

from lesionkit.texture.pyradiomics_names import FAMILIES

ORDER = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm", "shape", "shape2D")

IMAGE_TYPES = (
    "Exponential",
    "Gradient",
    "LBP2D",
    "LBP3D",
    "LoG",
    "Logarithm",
    "Original",
    "Square",
    "SquareRoot",
    "Wavelet",
)


def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """By the names of PyRadiomics' methods, which is its order: getMeanAbsoluteDeviationFeature...
    stands before getMeanFeature..."""
    return tuple(sorted(names, key=lambda name: f"{name}FeatureValue"))


FEATURES: dict[str, tuple[str, ...]] = {name: _in_order(tuple(FAMILIES[name])) for name in ORDER}
"""Of each class, what it computes if no feature of it is named."""

DERIVED: dict[str, tuple[str, ...]] = {
    "firstorder": ("StandardDeviation",),
    "shape": ("Compactness1", "Compactness2", "SphericalDisproportion"),
    "shape2D": ("SphericalDisproportion",),
}
"""Deprecated features that follow from others: computed where they are named."""

DEPRECATED: dict[str, tuple[str, ...]] = {
    "glcm": ("Dissimilarity", "Homogeneity1", "Homogeneity2", "SumVariance"),
    "gldm": ("DependencePercentage", "GrayLevelNonUniformityNormalized"),
}
"""Deprecated features that may be named and are left out, since they equal others."""

CLASSES = tuple(FEATURES)
_FULL = {family: tuple(f"{family}_{name}" for name in table) for family, table in FEATURES.items()}


def full(feature_class: str, asked: Sequence[str]) -> tuple[str, ...]:
    """The names "glcm_Contrast" ... of the features asked for; of none, of all."""
    return tuple(f"{feature_class}_{name}" for name in asked) or _FULL[feature_class]


def known(feature_class: str) -> tuple[str, ...]:
    """All features of a class that may be named."""
    more = (*DERIVED.get(feature_class, ()), *DEPRECATED.get(feature_class, ()))
    return (*FEATURES[feature_class], *more)
