"""Fuzzy c-means that look at a pixel's neighbours: FCM_S1, FCM_S2, sFCM, FLICM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.clustering.images import ImageView, Real
from lesionkit.clustering.spatial import spatial_gpu
from lesionkit.clustering.spatial.base import Spatial
from lesionkit.clustering.starts import kernels_for


@dataclass(kw_only=True, eq=False)
class FCM_S1(Spatial):
    """Fuzzy c-means with the mean of the neighbours.

    ``J = sum_i sum_j u_ij^m (|x_i - v_j|^2 + alpha |y_i - v_j|^2)``, y the neighbours' mean: a
    pixel that disagrees with its surroundings counts less, and its class is the nearest to
    (x + alpha y) / (1 + alpha). J never rises from one pass to the next.

    Parameters
    ----------
    n_clusters : int
        Classes, 1 to 256.
    m : float, default 2
        Fuzziness, above 1.
    size : int or sequence of int, default 3
        Side of the window, an odd number of pixels, or one for each axis; at most 32,767 pixels.
    border : {"valid", "reflect", "symmetric", "edge"}, default "valid"
        How the image goes on past its border, by the rule of `numpy.pad`; "valid": it does not, and
        a window there holds fewer pixels.
    init : "k-means++" or array, default "k-means++"
        Seeds drawn from the pixels, or the first centres, (n_clusters,) or (n_clusters, channels).
    max_iter : int, default 300
        Passes at most.
    tol : float, default 1e-4
        A pass in which no centre's coordinate moves by more than tol times the standard deviation
        of what is clustered is the last.
    random_state : int or Generator, optional
        Of the seeds.
    alpha : float, default 1
        How much the neighbours count, at least 0; 0 is plain FCM.
    include_self : bool, default False
        Whether the pixel is one of its own neighbours.

    Attributes
    ----------
    cluster_centers_ : (n_clusters, channels) array
        float32 for a float32 image, else float64.
    labels_ : array of int32, of the image's shape
        The class of the greatest membership, the first of several; -1 outside the mask.
    n_iter_ : int
        Passes.

    References
    ----------
    Chen and Zhang, IEEE Trans. Syst. Man Cybern. B 34, 1907-1916, 2004, eq. 11 to 13.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import FCM_S1
    >>> image = np.full((20, 20), 50.0)
    >>> image[5:15, 5:15] = 90
    >>> image[10, 10] = 50  # a noisy pixel
    >>> labels = FCM_S1(2, init=[50, 90], alpha=4).fit_predict(image)
    >>> labels.sum().item(), labels[10, 10].item()
    (100, 1)
    """

    alpha: float = 1.0
    include_self: bool = False

    _filter: ClassVar[str] = "window_mean"

    def _check_parameters(self) -> None:
        super()._check_parameters()
        arrays.number(self.alpha, "alpha", at_least=0)
        arrays.flag(self.include_self, "include_self")

    def _fit(self, view: ImageView) -> None:
        x, xp = view.planes(), view.home.xp
        kernels = kernels_for(x, spatial_gpu)
        z = xp.empty_like(x)
        extra = xp.zeros(x.shape[1:], x.dtype)
        mean_or_median = getattr(kernels, self._filter)
        mean_or_median(x, view.bytes(), *self._window(view), bool(self.include_self), z)
        kernels.mix(x, z, float(self.alpha), extra)
        self._z = view.inside(z)
        self._extra = view.inside(extra[None])[0]
        samples = xp.ascontiguousarray(self._z.T)
        self._centres = self._first_centres(samples)
        self.n_iter_ = kernels.spatial_fcm_fit(
            self._z,
            self._extra,
            None,
            float(self.m),
            self.max_iter,
            self._tolerance(samples),
            self._centres,
        )
        labels = xp.empty(samples.shape[0], np.int32)
        self._answer(labels=labels)
        self.labels_ = view.whole(labels, -1)

    def _answer(
        self, j: int = 0, plane: Real | None = None, labels: npt.NDArray[np.int32] | None = None
    ) -> None:
        kernels_for(self._z, spatial_gpu).spatial_fcm_planes(
            self._z, self._extra, float(self.m), self._centres, j, plane, labels
        )

    def _plane(self, j: int) -> Any:
        plane = self._view.home.xp.empty(self._z.shape[1], self._z.dtype)
        self._answer(j, plane)
        return self._view.whole(plane, 0)


class FCM_S2(FCM_S1):
    """Fuzzy c-means with the median of the neighbours, for impulse noise.

    As :class:`FCM_S1`, with y the median, of each channel by itself and of an even number the mean
    of the two in the middle.

    Parameters
    ----------
    n_clusters, m, size, border, init, max_iter, tol, random_state : settings
        As for :class:`FCM_S1`, and so are the attributes and methods.
    alpha : float, default 1
        How much the neighbours count, at least 0.
    include_self : bool, default False
        True makes y the usual median filter.

    Attributes
    ----------
    cluster_centers_, labels_, n_iter_ : results
        As for :class:`FCM_S1`.

    References
    ----------
    Chen and Zhang, IEEE Trans. Syst. Man Cybern. B 34, 1907-1916, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import FCM_S2
    >>> image = np.full((20, 20), 50.0)
    >>> image[5:15, 5:15] = 90
    >>> image[10, 10] = 50  # a noisy pixel
    >>> FCM_S2(2, init=[50, 90], alpha=4).fit_predict(image)[10, 10].item()
    1
    """

    _filter: ClassVar[str] = "window_median"


@dataclass(kw_only=True, eq=False)
class sFCM(Spatial):
    """Fuzzy c-means with memberships weighed by those of the window.

    u'_ij = u_ij^p h_ij^q / sum_l u_il^p h_il^q, u plain FCM's memberships and h_ij the sum of u_kj
    over the window about i, the pixel itself included. Centres come from u', u from the centres.
    Nothing is minimised: the passes need not settle for every image. The paper stops where no
    centre moves by 0.02 or more on a scale of 256 levels.

    Parameters
    ----------
    n_clusters, m : settings
        As for :class:`FCM_S1`, and so are the attributes and methods.
    size : int or sequence of int, default 5
        Side of the window; 5 is the paper's.
    border, init, max_iter, tol, random_state : settings
        As for :class:`FCM_S1`.
    p, q : float, default 1
        Powers of the memberships and of their sums, at least 0 and not both 0; (1, 0) is plain FCM.
        The paper's are (1, 1) and (0, 2).

    Attributes
    ----------
    cluster_centers_, labels_, n_iter_ : results
        As for :class:`FCM_S1`.

    References
    ----------
    Chuang et al., Comput. Med. Imaging Graph. 30, 9-15, 2006, eq. 4 and 5.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import sFCM
    >>> image = np.full((20, 20), 50.0)
    >>> image[5:15, 5:15] = 90
    >>> image[10, 10] = 50  # a noisy pixel
    >>> sFCM(2, init=[50, 90], p=0, q=2).fit_predict(image)[10, 10].item()
    1
    """

    p: float = 1.0
    q: float = 1.0
    size: int | Sequence[int] = 5

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for name in ("p", "q"):
            arrays.number(getattr(self, name), name, at_least=0)
        if self.p == 0 and self.q == 0:
            raise ValueError("p and q must not both be 0: all memberships would be equal")

    def _fit(self, view: ImageView) -> None:
        self._planes, self._weight = view.planes(), view.weight()
        kernels = kernels_for(self._planes, spatial_gpu)
        samples = view.samples()
        self._centres = self._first_centres(samples)
        self._rules = (float(self.m), float(self.p), float(self.q))
        self._where = self._window(view)
        self.n_iter_ = kernels.sfcm_fit(
            self._planes,
            self._weight,
            *self._where,
            *self._rules,
            self.max_iter,
            self._tolerance(samples),
            self._centres,
        )
        labels = view.home.xp.empty(self._planes.shape[1:], np.int32)
        self._answer(labels=labels)
        self.labels_ = view.outside(labels, -1)

    def _answer(
        self, j: int = 0, plane: Real | None = None, labels: npt.NDArray[np.int32] | None = None
    ) -> None:
        kernels_for(self._planes, spatial_gpu).sfcm_planes(
            self._planes, self._weight, *self._where, *self._rules, self._centres, j, plane, labels
        )

    def _plane(self, j: int) -> Any:
        plane = self._view.home.xp.empty(self._planes.shape[1:], self._planes.dtype)
        self._answer(j, plane)
        return self._view.outside(plane, 0)


class FLICM(Spatial):
    """Fuzzy local information c-means.

    u from ``|x_i - v_j|^2 + G_ij``, G_ij the sum over the neighbours r of
    ``(1 - u_rj)^m |x_r - v_j|^2 / (1 + d_ir)``, d_ir their distance in pixels; the
    centres from u as in FCM. There is nothing to tune. The u_rj are those of the pass before, all
    of them; the first ones are plain FCM's of the first centres. J may rise. The paper stops by the
    change of the memberships, here as in the other methods by the centres'. Two sets of memberships
    are kept while it is fitted, and one after.

    Parameters
    ----------
    n_clusters, m, size, border, init, max_iter, tol, random_state : settings
        As for :class:`FCM_S1`, and so are the attributes and methods.

    Attributes
    ----------
    cluster_centers_, labels_, n_iter_ : results
        As for :class:`FCM_S1`.

    References
    ----------
    Krinidis and Chatzis, IEEE Trans. Image Process. 19, 1328-1337, 2010, eq. 17 to 20.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import FLICM
    >>> image = np.full((20, 20), 50.0)
    >>> image[5:15, 5:15] = 90
    >>> image[10, 10] = 50  # a noisy pixel
    >>> FLICM(2, init=[50, 90]).fit_predict(image)[10, 10].item()
    1
    """

    def _fit(self, view: ImageView) -> None:
        x, samples, xp = view.planes(), view.samples(), view.home.xp
        kernels = kernels_for(x, spatial_gpu)
        self._centres = self._first_centres(samples)
        self._u = xp.empty((self.n_clusters, *x.shape[1:]), x.dtype)
        labels = xp.empty(x.shape[1:], np.int32)
        self.n_iter_ = kernels.flicm_fit(
            x,
            view.weight(),
            *self._window(view),
            float(self.m),
            self.max_iter,
            self._tolerance(samples),
            self._centres,
            self._u,
            xp.empty_like(self._u),
            labels,
        )
        self.labels_ = view.outside(labels, -1)

    def _plane(self, j: int) -> Any:
        return self._view.outside(self._u[j].copy(), 0)
