"""An image cut into classes by any clusterer, and the memberships of its pixels."""

from __future__ import annotations

import copy
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.clustering.histogram import Levels, levels
from lesionkit.clustering.images import ImageView, read
from lesionkit.clustering.spatial.base import Spatial
from lesionkit.clustering.starts import NotFinite

Labels = npt.NDArray[np.int32]
OURS = {"lesionkit.clustering.kmeans": "KMeans", "lesionkit.clustering.fcm": "FuzzyCMeans"}


def segment(image: Any, estimator: Any, mask: Any = None, channel_axis: int | None = None) -> Any:
    """Cut an image into classes, 0 the darkest.

    The intensity of a class is its centre's, over the channels their sum; where a clusterer has no
    `cluster_centers_`, the mean of the class's pixels. A class without pixels keeps its number. 8-
    and 16-bit integers, and numbers that are whole and span less than 65,536, are counted first,
    and the estimator is fitted to the distinct values with their counts for weights, where it takes
    weights. For memberships as well, see :class:`Segmentation`.

    Parameters
    ----------
    image : array of real numbers
        Any number of axes; finite inside the mask.
    estimator : clusterer
        KMeans, FuzzyCMeans, a spatial fuzzy c-means, or any scikit-learn clusterer with
        `fit_predict`. It is not changed: a copy is fitted.
    mask : array of bool or int, optional
        Of the image's shape; pixels where it is 0 do not count.
    channel_axis : int, optional
        The axis of the channels, if the image has one. None: the image is grey.

    Returns
    -------
    array of int32, of the image's shape and kind
        Classes in ascending order of intensity; -1 outside the mask, and where the clusterer gives
        a pixel to none.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import KMeans, segment
    >>> image = np.array([[10, 12, 200], [11, 90, 201]], np.uint8)
    >>> segment(image, KMeans(3, init="optimal"), mask=image < 201).tolist()
    [[0, 0, 2], [0, 1, -1]]
    """
    return Segmentation(image, estimator, mask, channel_axis).labels


class Segmentation:
    """An image cut into classes, 0 the darkest, with the memberships of its pixels.

    Parameters
    ----------
    image, estimator, mask, channel_axis : arguments
        As for :func:`segment`.

    Attributes
    ----------
    labels : array of int32
        What :func:`segment` returns.
    estimator : estimator
        The fitted copy; its clusters are in an order of its own, and it may be fitted to the
        image's distinct values.
    order : (classes,) array of int
        The estimator's clusters by intensity: class j is its cluster order[j].

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import FuzzyCMeans, Segmentation
    >>> image = np.array([[10, 10, 200], [10, 90, 200]], np.uint8)
    >>> found = Segmentation(image, FuzzyCMeans(2, random_state=0))
    >>> found.labels.tolist()
    [[0, 0, 1], [0, 0, 1]]
    >>> found.membership(1).shape
    (2, 3)
    """

    labels: Any
    estimator: Any
    order: npt.NDArray[np.intp]

    def __init__(
        self, image: Any, estimator: Any, mask: Any = None, channel_axis: int | None = None
    ) -> None:
        if not callable(getattr(estimator, "fit_predict", None)) or isinstance(estimator, type):
            raise TypeError(
                "estimator must be a clusterer with fit_predict, such as KMeans(4), got "
                f"{arrays.describe(estimator)}"
            )
        self._view = read(image, mask, channel_axis)
        self.estimator = _copy(estimator)
        if isinstance(estimator, Spatial):
            self._spatial()
        else:
            self._pixels()

    def membership(self, j: int) -> Any:
        """Memberships of all pixels in class j.

        Parameters
        ----------
        j : int
            Class, 0 the darkest.

        Returns
        -------
        array of the image's shape and kind
            0 outside the mask; float32 for a float32 image and for 8- and 16-bit integers, else
            float64.

        Raises
        ------
        TypeError, ValueError
            Where the estimator has no memberships, or there is no class j.
        """
        j = arrays.integer(j, "j", at_least=0, at_most=len(self.order) - 1)
        cluster = int(self.order[j])
        estimator, view = self.estimator, self._view
        if isinstance(estimator, Spatial):
            return estimator.membership(cluster)
        one_by_one = _is_ours(estimator) and hasattr(estimator, "_membership")
        if not one_by_one and not hasattr(estimator, "predict_proba"):
            raise TypeError(f"{type(estimator).__name__} has no memberships; use FuzzyCMeans")
        counted = self._levels
        samples = view.samples() if counted is None else counted.values
        if one_by_one:
            plane = np.empty(len(samples), view.dtype)
            estimator._membership(samples.astype(view.dtype, copy=False), cluster, plane)
        else:
            plane = estimator.predict_proba(samples)[:, cluster].astype(view.dtype)
        if counted is not None:
            table = np.zeros(counted.size, view.dtype)
            table[counted.present] = plane
            at = view.numbers()[:, 0].astype(np.int64) - counted.low
            plane = table[at]
        return view.whole(plane, 0)

    def _spatial(self) -> None:
        estimator, view = self.estimator, self._view
        estimator._fit_view(view)
        self.order = _order(estimator.cluster_centers_)
        labels = view.home.view(estimator.labels_, "labels")
        self.labels = view.home.back(_ranks(self.order, outside=True)[labels])

    def _pixels(self) -> None:
        estimator, view = self.estimator, self._view
        counted, samples = _counted(estimator, view)
        self._levels = counted
        values, weights = (samples, None) if counted is None else (counted.values, counted.weights)
        found = _fit(estimator, values, weights)
        centres = getattr(estimator, "cluster_centers_", None)
        if not isinstance(centres, np.ndarray) or centres.ndim != 2:
            centres = _means(values, weights, found)
        self.order = _order(centres)
        labels = _ranks(self.order, outside=found.min() < 0)[found]
        if counted is not None:
            labels = counted.labels(samples, labels)
        self.labels = view.whole(labels, -1)


def _is_ours(estimator: Any) -> bool:
    """A KMeans or FuzzyCMeans of ours, whose modules need not be imported to know."""
    return any(
        module in sys.modules and isinstance(estimator, getattr(sys.modules[module], name))
        for module, name in OURS.items()
    )


def _copy(estimator: Any) -> Any:
    """The estimator's settings in another one, not fitted."""
    if not (isinstance(estimator, Spatial) or _is_ours(estimator)):
        from sklearn.base import clone

        return clone(estimator, safe=False)
    other = object.__new__(type(estimator))
    settings = {name: value for name, value in vars(estimator).items() if name.strip("_") == name}
    vars(other).update(settings)
    if not isinstance(other.random_state, (int, type(None))):
        other.random_state = copy.deepcopy(other.random_state)
    return other


def _counted(estimator: Any, view: ImageView) -> tuple[Levels | None, npt.NDArray[Any]]:
    """The levels of a grey image, if it has few and the estimator takes weights; the samples."""
    if not view.channels and (_is_ours(estimator) or _takes_weights(estimator)):
        numbers = view.numbers()
        counted = levels(numbers, None)
        # k-means of fewer values than clusters is right only for the pixels themselves.
        least = getattr(estimator, "n_clusters", 1)
        # A number of clusters that is none is the estimator's to refuse.
        if counted is not None and not (isinstance(least, int) and len(counted.values) < least):
            return counted, numbers
    return None, view.samples()


def _takes_weights(estimator: Any) -> bool:
    from sklearn.utils.validation import has_fit_parameter

    return bool(has_fit_parameter(estimator, "sample_weight"))


def _fit(estimator: Any, values: Any, weights: Any) -> npt.NDArray[np.intp]:
    """Fits, and returns the clusters of the values."""
    if _is_ours(estimator):
        try:
            return estimator._fit(values, weights).labels_  # type: ignore[no-any-return]
        except NotFinite:
            raise NotFinite("image") from None
    given = {} if weights is None else {"sample_weight": weights}
    found: npt.NDArray[np.intp] = np.asarray(estimator.fit_predict(values, **given))
    return found


def _means(values: Any, weights: Any, found: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """The mean of each cluster's pixels; of an empty one infinity, so that it comes last."""
    inside = found >= 0
    sums = values.sum(1, dtype=np.float64)
    fractions = np.ones(len(values)) if weights is None else weights
    total = np.bincount(found[inside], fractions[inside])
    sums = np.bincount(found[inside], (fractions * sums)[inside])
    means = np.full(len(total), np.inf)
    np.divide(sums, total, out=means, where=total > 0)
    return means[:, None]


def _order(centres: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    return np.argsort(centres.sum(1, dtype=np.float64), kind="stable")


def _ranks(order: npt.NDArray[np.intp], outside: bool) -> Labels:
    """The class of each cluster; -1 at the end, for the number -1."""
    ranks = np.full(len(order) + outside, -1, np.int32)
    ranks[order] = np.arange(len(order))
    return ranks
