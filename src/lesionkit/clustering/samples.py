"""Samples and their weights, checked with scikit-learn's messages."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.validation import validate_data

from lesionkit import _core, arrays
from lesionkit.clustering.histogram import SMALL

# Of the heaviest sample: sums of squares times weights stay in range.
MIN_WEIGHT, MAX_WEIGHT = 1e-100, 1e100


def checked_samples(
    estimator: Any, X: Any, home: arrays.Home, *, reset: bool, finite: bool = False
) -> Any:
    """X (n, features) as scikit-learn would check it, float32 or float64, C-contiguous; but small
    integers of one feature stay what they are, in native byte order.

    finite : whether it is looked at that they are; a fit finds out by itself
    """
    arrays.check_unmasked(X, "X", "leave those samples out, or fill them first, with X.filled(...)")
    X = home.view(arrays.regular(X, "X"), "X")
    if home.gpu is not None:
        X = arrays.real(X, "X", ("n", "features"), xp=home.xp, keep_float32=True)
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        return X
    if type(X) is np.ndarray and X.dtype.kind in "iuf":
        X = X.astype(X.dtype.newbyteorder("="), copy=False)
        if X.dtype.name in SMALL and X.shape[1:] == (1,) and X.size:
            validate_data(estimator, X, reset=reset, skip_check_array=True)
            return np.require(X, requirements=["C", "A"])
    dtype = [np.float64, np.float32]
    X = validate_data(estimator, X, reset=reset, dtype=dtype, order="C", ensure_all_finite=False)
    X = np.require(X, requirements=["C", "A"])
    if finite and not _core.extent(X)[2]:
        check_finite(estimator, X)
    return X


def check_finite(estimator: Any, X: Any) -> None:
    """Tell in scikit-learn's words what is not finite, if anything."""
    assert_all_finite(X, input_name="X", estimator_name=type(estimator).__name__)


def checked_weights(
    sample_weight: Any, X: Any, home: arrays.Home
) -> npt.NDArray[np.float64] | Any | None:
    """Weights of the samples X where these live, as (n,) float64, at least 0 and not all 0; None
    stays None."""
    if sample_weight is None:
        return None
    advice = "fill them first, with sample_weight.filled(0) to leave those samples out"
    arrays.check_unmasked(sample_weight, "sample_weight", advice)
    one = isinstance(sample_weight, Number)
    given = sample_weight if one else arrays.regular(sample_weight, "sample_weight")
    given = home.view(given, "sample_weight")
    if home.gpu is not None:
        weights = arrays.real(given, "sample_weight", (len(X),), xp=home.xp, at_least=0)
    else:
        if not one and getattr(given, "ndim", 1) == 0:
            raise ValueError(
                f"sample_weight must have shape ({len(X)},), got {arrays.describe(sample_weight)}"
            )
        weights = np.full(len(X), given) if one else given
        weights = check_array(
            weights, dtype=np.float64, order="C", ensure_2d=False, input_name="sample_weight"
        )
        if weights.ndim != 1:  # the words of scikit-learn
            raise ValueError("Sample weights must be 1D array or scalar")
        if weights.shape != (len(X),):
            raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(len(X),)}!")
        if not weights.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
        if weights.min(initial=0.0) < 0:
            raise ValueError(f"sample_weight must be at least 0, got {weights.min():g}")
        weights = np.require(weights, requirements=["C", "A"])
    heaviest = float(weights.max())
    if heaviest == 0:
        raise ValueError("sample_weight must not be 0 for all samples")
    if not MIN_WEIGHT <= heaviest <= MAX_WEIGHT:
        raise ValueError(
            f"sample_weight must be from {MIN_WEIGHT:g} to {MAX_WEIGHT:g} for the heaviest sample, "
            f"got {heaviest:g}"
        )
    return weights
