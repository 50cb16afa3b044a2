"""Scores: how well masks agree (`masks`), and maps (`maps`).

Masks of lesions: `dice`, `jaccard`, `error_rates`, `hausdorff95`, `lesion_f1`, `volume`, `scores`.
Recovered maps against true ones: `mse`, `psnr`, `ssim`, `inclusion_errors`.
"""

from lesionkit.metrics.maps import InclusionErrors, inclusion_errors, mse, psnr, ssim
from lesionkit.metrics.masks import (
    Rates,
    Scores,
    dice,
    error_rates,
    hausdorff95,
    jaccard,
    lesion_f1,
    scores,
    volume,
)

__all__ = [
    "InclusionErrors",
    "Rates",
    "Scores",
    "dice",
    "error_rates",
    "hausdorff95",
    "inclusion_errors",
    "jaccard",
    "lesion_f1",
    "mse",
    "psnr",
    "scores",
    "ssim",
    "volume",
]
