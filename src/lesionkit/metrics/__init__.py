"""Scores: how well masks agree (`masks`), maps (`maps`), and repeated measurements (`agreement`).

Masks of lesions: `dice`, `jaccard`, `error_rates`, `hausdorff95`, `lesion_f1`, `volume`, `scores`.
Recovered maps against true ones: `mse`, `psnr`, `ssim`, `inclusion_errors`. Repeated measurements:
`intraclass`.
"""

from lesionkit.metrics.agreement import Intraclass, intraclass
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
    "Intraclass",
    "Rates",
    "Scores",
    "dice",
    "error_rates",
    "hausdorff95",
    "inclusion_errors",
    "intraclass",
    "jaccard",
    "lesion_f1",
    "mse",
    "psnr",
    "scores",
    "ssim",
    "volume",
]
