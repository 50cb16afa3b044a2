"""Weights of samples, checked with scikit-learn's messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays


def checked_weights(sample_weight: Any, X: Any) -> npt.NDArray[np.float64] | None:
    """Weights of the samples X as (n,) float64, at least 0 and not all 0; None stays None."""
    if sample_weight is None:
        return None
    from sklearn.utils.validation import _check_sample_weight

    weights: npt.NDArray[np.float64] = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if weights.min(initial=0.0) < 0:
        raise ValueError(f"sample_weight must be at least 0, got {weights.min():g}")
    _refuse_nothing(weights)
    return np.require(weights, requirements=["C", "A"])


def weights_on_gpu(sample_weight: Any, X: Any, home: arrays.Home) -> Any:
    """The same for arrays of a GPU, with the messages of `lesionkit.arrays`."""
    if sample_weight is None:
        return None
    given = home.view(sample_weight, "sample_weight")
    weights = arrays.real(given, "sample_weight", (len(X),), xp=home.xp, at_least=0)
    _refuse_nothing(weights)
    return weights


def _refuse_nothing(weights: Any) -> None:
    if not weights.any():
        raise ValueError("sample_weight must not be 0 for all samples")
