"""What estimators that part samples by centres share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)

from lesionkit import arrays


class CentreEstimator(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    ClusterMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """A clusterer whose `transform` gives distances from centres, in the dtype of the samples."""

    cluster_centers_: Any
    labels_: Any

    def _centres(self) -> npt.NDArray[np.float64]:
        """The centres as kernels take them."""
        home = arrays.home(cluster_centers_=self.cluster_centers_)
        centres = home.view(self.cluster_centers_, "cluster_centers_")
        return np.ascontiguousarray(arrays.to_host(centres), np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def as_floats(X: Any) -> Any:
    """Samples of a small integer type as float64; floats as they are."""
    return X.astype(np.float64) if X.dtype.kind in "iu" else X
