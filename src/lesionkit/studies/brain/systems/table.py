"""The cited systems by name: what each measures, selects and classifies with, and its printed
accuracy, which is of other data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit.studies.brain import features
from lesionkit.studies.brain.classify import NEIGHBOURS, fused, standardised
from lesionkit.texture import MAZDA, cs_lbp, haar_energy, run_length_features, run_lengths
from lesionkit.texture.region.runs import RUN_FEATURES

Real = npt.NDArray[np.float64]
ELEVEN = (
    *tuple(RUN_FEATURES)[:8],
    "grey_level_nonuniformity",
    "run_length_nonuniformity",
    "run_percentage",
)
CODES, RISE = 16, 0.01  # of CS-LBP: bins, and by which share of the range a pixel must be brighter


class System(NamedTuple):
    """One pipeline. printed : as the paper has it, "" where it gives no number"""

    section: str
    measure: Callable[[Any], Real]
    estimator: Any
    selector: Any = None
    printed: str = ""


def systems(seed: int = 0) -> dict[str, System]:
    """All that run on squares of 10 x 10 pixels, untrained, by name."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import BaggingClassifier
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import ExtraTreeClassifier

    from lesionkit.studies.brain.mlp import Mlp
    from lesionkit.studies.brain.systems.lssvm import LsSvm
    from lesionkit.studies.brain.systems.rough import PcaReduct
    from lesionkit.studies.brain.trees import J48Like, PartLike
    from lesionkit.texture.selection import Fisher

    net = Mlp(seed)
    components = make_pipeline(StandardScaler(), PCA(0.95), net)
    mixed = Fisher(9)
    return {
        "glcm-ann": System("2.1", nearest, standardised(net), printed="81.4"),
        "dwt-pca-ann": System("2.2", wavelets, components, printed='"notable"'),
        "pca-rst-j48": System("2.4, 2.8", table229, J48Like(), PcaReduct(), '"high"'),
        "pca-rst-svm": System("2.4, 2.8", table229, standardised(SVC()), PcaReduct(), '"high"'),
        "pca-rst-knn": System(
            "2.4, 2.8", table229, standardised(KNeighborsClassifier(NEIGHBOURS)), PcaReduct(),
            '"high"',
        ),
        "pca-rst-nb": System("2.4, 2.8", table229, GaussianNB(), PcaReduct(), '"high"'),
        "svm-32": System("2.5", cooccurrence, standardised(SVC()), Fisher(32)),
        "ls-svm": System("2.6", cooccurrence, standardised(LsSvm()), printed="77-98"),
        "naive-bayes": System("2.11", first_order, GaussianNB(), printed="81.25"),
        "rlm-cslbp-ann": System("2.12", runs_and_patterns, standardised(net), printed='"high"'),
        "fo-btd": System("2.13", table229, J48Like(), fused(), "85"),
        "cabgd": System("Table 4", table229, PartLike(), fused(), "85"),
        "hbtc-mlp": System("ref. 2", mixed_features, standardised(net), mixed, "98.8"),
        "hbtc-j48": System("ref. 2", mixed_features, J48Like(), mixed, "98.8"),
        "hbtc-bagging": System(
            "ref. 2", mixed_features, BaggingClassifier(random_state=seed), mixed, "98.8"
        ),
        "hbtc-random-tree": System(
            "ref. 2", mixed_features, ExtraTreeClassifier(random_state=seed), mixed, "98.8"
        ),
    }  # fmt: skip


def table229(rois: Real) -> Real:
    """(n, 229) MaZda's table."""
    return features.mazda(rois)[0]


def cooccurrence(rois: Real) -> Real:
    """(n, 220) at 6 bits."""
    return features.mazda(rois, families=("cooccurrence",))[0]


def nearest(rois: Real) -> Real:
    """(n, 44) at the four offsets of distance 1."""
    return cooccurrence(rois)[:, : 4 * len(MAZDA)]


def first_order(rois: Real) -> Real:
    """(n, 9) of the histogram."""
    return features.mazda(rois, families=("histogram",))[0]


def mixed_features(rois: Real) -> Real:
    """(n, 245) co-occurrence, runs, gradient."""
    return features.mazda(rois, families=("cooccurrence", "runs", "gradient"))[0]


def wavelets(rois: Real) -> Real:
    """(n, 37) the first Haar approximation, and the energies of three scales."""
    values = np.asarray(rois, float)
    rows, columns = (side // 2 * 2 for side in values.shape[1:])
    even = values[:, :rows, :columns]
    low = (even[:, ::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, ::2] + even[:, 1::2, 1::2]) / 2
    return np.column_stack([low.reshape(len(values), -1), haar_energy(values, 3)])


def runs_and_patterns(rois: Real) -> Real:
    """(n, 60) eleven features of runs in four directions, and the histogram of CS-LBP."""
    levels = features.quantised(rois, features.RUN_LEVELS)
    pixels = levels.shape[1] * levels.shape[2]
    steps = list(features.DIRECTIONS.values())
    rows = []
    for roi, cut in zip(np.asarray(rois, float), levels, strict=True):
        found = run_length_features(run_lengths(cut, steps, features.RUN_LEVELS), pixels)
        codes = cs_lbp(roi, threshold=RISE * float(np.ptp(roi)))
        counts = np.bincount(codes.ravel(), minlength=CODES) / codes.size
        rows.append(np.concatenate([*(found[name] for name in ELEVEN), counts]))
    return np.array(rows)
