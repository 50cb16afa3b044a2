"""Fuzzy c-means on the grey levels of a filtered image: EnFCM and FGFCM.

A pass goes through the levels with their counts, not through the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import clustering as _kernels
from lesionkit._core import extent
from lesionkit.clustering.images import ImageView
from lesionkit.clustering.spatial.base import Doubles, Spatial

MAX_COUNTED = 1 << 20  # levels that are counted in a table
MAX_ALPHA = 1e100  # times grey values it is finite
VARIANTS = ("local", "S1", "S2")


@dataclass(kw_only=True, eq=False)
class _OnLevels(Spatial):
    """Plain FCM on the grey levels of the image that `_filtered` makes."""

    levels: int = 256

    _home_of: ClassVar[Any] = staticmethod(arrays.on_cpu)

    def fit(self, image: Any, mask: Any = None) -> Self:  # type: ignore[override]
        """Fit to a grey image or volume.

        Parameters
        ----------
        image : (rows, columns) or (planes, rows, columns) array of real numbers
            Finite inside the mask.
        mask : array of bool or int, optional
            As for :class:`FCM_S1`.

        Returns
        -------
        Self
            The estimator, fitted.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described.
        """
        return super().fit(image, mask)

    def fit_predict(self, image: Any, mask: Any = None) -> Any:  # type: ignore[override]
        """Fit to a grey image or volume, and label its pixels.

        Parameters
        ----------
        image : array
            As for `fit`.
        mask : array, optional
            As for `fit`.

        Returns
        -------
        array of int32, of the image's shape
            `labels_`.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described.
        """
        return self.fit(image, mask).labels_

    def _filtered(self, view: ImageView, x: Doubles) -> Doubles:
        """xi of the planes x."""
        raise NotImplementedError

    def _fit_view(self, view: ImageView) -> Self:
        if view.channels:
            raise ValueError(f"{type(self).__name__} takes grey images, without channel_axis")
        return super()._fit_view(view)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        arrays.integer(self.levels, "levels", at_least=2, at_most=65536)

    def _fit(self, view: ImageView) -> None:
        # In float64 throughout: what lies halfway between two levels is to be seen as that.
        x = np.asarray(view.planes(np.dtype(np.float64)), np.float64)
        xi = np.asarray(view.inside(self._filtered(view, x))[0], np.float64)
        integers = view.pixels.dtype.kind in "iu"
        self._levels, self._codes, counts = grey_levels(xi, None if integers else self.levels)
        samples = self._levels[:, None]
        self._centres = self._first_centres(samples, counts)
        self.n_iter_ = _kernels.spatial_fcm_fit(
            self._levels[None],
            None,
            counts,
            float(self.m),
            self.max_iter,
            self._tolerance(samples, counts),
            self._centres,
        )
        labels = np.empty(len(samples), np.int32)
        self._answer(labels=labels)
        self.labels_ = view.whole(labels[self._codes], -1)

    def _answer(
        self, j: int = 0, plane: Doubles | None = None, labels: npt.NDArray[np.int32] | None = None
    ) -> None:
        _kernels.spatial_fcm_planes(
            self._levels[None], None, float(self.m), self._centres, j, plane, labels
        )

    def _plane(self, j: int) -> Any:
        plane = np.empty(len(self._levels))
        self._answer(j, plane)
        return self._view.whole(plane.astype(self._view.dtype)[self._codes], 0)


def grey_levels(xi: Doubles, levels: int | None) -> tuple[Doubles, npt.NDArray[np.int64], Doubles]:
    """The levels that occur, the number of each pixel's, and how many pixels each has.

    levels : how many the range is cut into; None: the integers. To the nearest, of two the even.
    """
    low, high, _ = extent(xi)
    step = 1.0
    if levels is None:
        low = float(np.rint(low))
        places = np.rint(xi) - low
    else:
        if high > low:
            step = high / (levels - 1) - low / (levels - 1)
        places = np.rint((xi - low) / step)
    if places.max() < MAX_COUNTED:
        numbers = places.astype(np.int64)
        counts = np.bincount(numbers)
        there: npt.NDArray[Any] = np.flatnonzero(counts)
        codes = (np.cumsum(counts > 0) - 1)[numbers]
        counts = counts[there]
    else:
        there, codes, counts = np.unique(places, return_inverse=True, return_counts=True)
    return low + step * there, codes, counts.astype(np.float64)


@dataclass(kw_only=True, eq=False)
class EnFCM(_OnLevels):
    """Enhanced fuzzy c-means: plain FCM on the grey levels of a mixed image.

    xi = (x + alpha y) / (1 + alpha), y the mean of the neighbours, is rounded to grey levels. Grey
    images only.

    Parameters
    ----------
    n_clusters, m, size, border, init, max_iter, tol, random_state : settings
        As for :class:`FCM_S1`, and so are the attributes and methods.
    levels : int, default 256
        Into how many levels, 2 to 65,536, the range of an image of floats is cut; xi of an image of
        integers is rounded to the nearest integer, of two the even one.
    alpha : float, default 1
        How much the neighbours count, 0 to 1e100.
    include_self : bool, default False
        Whether the pixel is one of its own neighbours.

    Attributes
    ----------
    cluster_centers_, labels_, n_iter_ : results
        As for :class:`FCM_S1`.

    References
    ----------
    Szilagyi, Benyo, Szilagyi and Adam, Proc. IEEE EMBS 25, 724-726, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import EnFCM
    >>> image = np.full((20, 20), 50.0)
    >>> image[5:15, 5:15] = 90
    >>> image[10, 10] = 50  # a noisy pixel
    >>> EnFCM(2, init=[50, 90], alpha=4).fit_predict(image)[10, 10].item()
    1
    """

    alpha: float = 1.0
    include_self: bool = False

    def _check_parameters(self) -> None:
        super()._check_parameters()
        arrays.number(self.alpha, "alpha", at_least=0, at_most=MAX_ALPHA)
        arrays.flag(self.include_self, "include_self")

    def _filtered(self, view: ImageView, x: Doubles) -> Doubles:
        y = np.empty_like(x)
        where = self._window(view)
        _kernels.window_mean(x, view.bytes(), *where, bool(self.include_self), y)
        return (x + self.alpha * y) / (1.0 + self.alpha)


@dataclass(kw_only=True, eq=False)
class FGFCM(_OnLevels):
    """Fast generalised fuzzy c-means: plain FCM on the grey levels of a filtered image.

    xi is the mean of the neighbours r, each with the weight exp(-s_r / lambda_s) exp(-(x_r - x)^2 /
    (lambda_g sigma^2)), where s_r is the greatest of its distances along the axes, in pixels, and
    sigma^2 the mean over the neighbours of (x_r - x)^2. It is rounded to grey levels. The pixel is
    no neighbour of its own. Grey images only.

    Parameters
    ----------
    n_clusters, m, size, border, init, max_iter, tol, random_state : settings
        As for :class:`FCM_S1`, and so are the attributes and methods.
    levels : int, default 256
        As for :class:`EnFCM`.
    lambda_s, lambda_g : float, default 3 and 6
        How far, and how unlike, a neighbour may be, above 0.
    variant : {"local", "S1", "S2"}, default "local"
        "local": the weights above. "S1": all equal, the mean. "S2": the median.

    Attributes
    ----------
    cluster_centers_, labels_, n_iter_ : results
        As for :class:`FCM_S1`.

    References
    ----------
    Cai, Chen and Zhang, Pattern Recognition 40, 825-838, 2007, eq. 8 to 14.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import FGFCM
    >>> image = np.full((20, 20), 50.0)
    >>> image[5:15, 5:15] = 90
    >>> image[10, 10] = 50  # a noisy pixel
    >>> FGFCM(2, init=[50, 90]).fit_predict(image)[10, 10].item()
    1
    """

    lambda_s: float = 3.0
    lambda_g: float = 6.0
    variant: Literal["local", "S1", "S2"] = "local"

    def _check_parameters(self) -> None:
        super()._check_parameters()
        arrays.number(self.lambda_s, "lambda_s", above=0)
        arrays.number(self.lambda_g, "lambda_g", above=0)
        arrays.one_of(self.variant, "variant", VARIANTS)

    def _filtered(self, view: ImageView, x: Doubles) -> Doubles:
        xi = np.empty_like(x)
        where = (x, view.bytes(), *self._window(view))
        if self.variant == "local":
            _kernels.window_similar(*where, float(self.lambda_s), float(self.lambda_g), xi)
        elif self.variant == "S1":
            _kernels.window_mean(*where, False, xi)
        else:
            _kernels.window_median(*where, False, xi)
        return xi
