"""Centres of many float32 samples: ours, scikit-learn's, and the means themselves.

    python -m benchmarks.cluster_precision               # 4, 16 and 60 million samples
    python -m benchmarks.cluster_precision 2e6

Two clusters, N(1, 0.1) with 85 % of the samples and N(5, 0.1), start at 1 and 5, three passes. The
truth is the mean of the samples of each, in float64.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import cluster

from lesionkit._core import clustering as _kernels
from lesionkit.clustering import KMeans

Real = npt.NDArray[np.float64]
START = np.array([[1.0], [5.0]])


def two_clusters(count: int) -> tuple[npt.NDArray[np.float32], Real]:
    """Samples (count, 1), and the means of the two clusters."""
    random = np.random.default_rng(0)
    x = np.float32(0.1) * random.standard_normal(count, np.float32)
    high = random.random(count, np.float32) >= 0.85
    x += np.where(high, np.float32(5), np.float32(1))
    return x[:, None], np.array([x[~high].mean(dtype=np.float64), x[high].mean(dtype=np.float64)])


def errors(count: int) -> dict[str, Any]:
    """How far the centres of each are from the means."""
    X, means = two_clusters(count)
    inside = START.copy()  # before they are rounded to the dtype of the samples
    _kernels.lloyd(X, None, False, inside, 3, 0.0, False)
    found = {"ours, float64 within": inside[:, 0] - means}
    for name, estimator in (("ours", KMeans), ("scikit-learn", cluster.KMeans)):
        fitted = estimator(2, init=START, n_init=1, max_iter=3, tol=0).fit(X)
        found[f"{name}, float32"] = fitted.cluster_centers_[:, 0].astype(np.float64) - means
        found[f"{name}, inertia"] = fitted.inertia_
    return found


def main(arguments: Sequence[str]) -> None:
    for count in map(float, arguments or ("4e6", "16e6", "60e6")):
        print(f"{count:,.0f} samples")
        for name, value in errors(int(count)).items():
            print(f"  {name:22} {np.array2string(np.asarray(value), precision=3)}")


if __name__ == "__main__":
    main(sys.argv[1:])
