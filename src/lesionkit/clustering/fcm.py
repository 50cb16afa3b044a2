"""Fuzzy c-means: a scikit-learn estimator that never holds a matrix of memberships."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from lesionkit import arrays
from lesionkit._core import clustering as _kernels
from lesionkit.arrays import to_host
from lesionkit.clustering import fcm_gpu, scaling
from lesionkit.clustering.estimator import CentreEstimator, as_floats
from lesionkit.clustering.fcm_data import FcmData
from lesionkit.clustering.fcm_starts import Start, start_of
from lesionkit.clustering.samples import check_finite, checked_samples, checked_weights
from lesionkit.clustering.starts import kernels_for, random_of

Real = npt.NDArray[np.float64]


class Validity(NamedTuple):
    """Indices of a fuzzy partition, w being the weights of the samples, n their sum.

    Attributes
    ----------
    partition_coefficient : float
        sum w u^2 / n, 1 / n_clusters to 1: Bezdek, J. Cybernetics 3, 1973.
    partition_entropy : float
        -sum w u ln u / n, 0 to ln n_clusters: Bezdek, Biometrics 30, 1974.
    xie_beni : float
        J / (n d^2), d being the distance of the two nearest centres; small is good; 0 for one
        cluster, infinite where two fall together: Xie and Beni, IEEE PAMI 13, 1991.
    """

    partition_coefficient: float
    partition_entropy: float
    xie_beni: float


class FuzzyCMeans(CentreEstimator):
    """Fuzzy c-means: each sample belongs to each cluster to a degree between 0 and 1.

    It looks for the centres v that make ``J = sum_i w_i sum_j u_ij^m |x_i - v_j|^2`` small, with
    ``u_ij = |x_i - v_j|^(-2/(m-1)) / sum_l |x_i - v_l|^(-2/(m-1))``, the memberships of sample i; a
    sample that lies on centres belongs to these alone, in equal parts. J falls with every pass.

    X is (samples, features), real and finite. float32 is read as it is and summed in float64; one
    column of 8- or 16-bit integers, or of floats that hold such whole numbers, is counted first,
    and a pass then costs the same for any number of samples. The answer has the same bits with any
    number of threads.

    Parameters
    ----------
    n_clusters : int, default 8
        1 or more, at most as many as samples.
    m : float, default 2
        Above 1: near 1 memberships are nearly 0 or 1 as in k-means, with a large m nearly equal.
        With many features choose m near 1: else all centres fall together.
    init : {"k-means++", "random_centers", "random_membership"} or array, default "k-means++"
        "random_centers" are samples drawn by weight. An array holds the centres, (n_clusters,
        features).
    n_init : int or "auto", default "auto"
        Starts, of which the one with the smallest J is kept; "auto": 1 with k-means++ or an array,
        else 10.
    max_iter : int, default 300
        Passes over the samples for one start, at most.
    tol : float, default 1e-4
        When to stop, by `criterion`; 0: only where nothing moves at all.
    criterion : {"centers", "memberships"}, default "centers"
        "centers": stop once no coordinate of a centre moves by more than tol times the root of the
        mean variance of the features. "memberships": once the root of the mean square change of all
        memberships is below tol, which costs about twice the time a pass.
    random_state : int, RandomState or Generator, optional
        As in scikit-learn, or a NumPy generator.

    Attributes
    ----------
    cluster_centers_ : (n_clusters, features) array
        float32 if X is, else float64.
    labels_ : (samples,) array of int32
        The nearest centre, the first of several: the largest membership.
    memberships_ : (samples, n_clusters) array
        Worked out when asked for from the X of `fit`, which is kept for it, but not pickled.
    objective_ : float
        J.
    n_iter_ : int
        Passes of the start that was kept.
    n_features_in_ : int
        Features of X.

    References
    ----------
    Bezdek, Pattern Recognition with Fuzzy Objective Function Algorithms, 1981.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import FuzzyCMeans
    >>> X = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> model = FuzzyCMeans(2, init=[[0.0], [10.0]]).fit(X)
    >>> model.cluster_centers_.round(2).ravel().tolist(), model.labels_.tolist()
    ([0.5, 9.5], [0, 0, 1, 1])
    >>> model.predict_proba([[5.0]]).round(6).tolist()
    [[0.5, 0.5]]
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        m: float = 2.0,
        init: Any = "k-means++",
        n_init: int | Literal["auto"] = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        criterion: Literal["centers", "memberships"] = "centers",
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.m = m
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.criterion = criterion
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the centres.

        Parameters
        ----------
        X : (samples, features) array
            Real, finite.
        y : ignored
            For scikit-learn's pipelines.
        sample_weight : (samples,) array, optional
            At least 0 and not all 0. None: all 1.

        Returns
        -------
        FuzzyCMeans
            The estimator, fitted.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described.
        """
        home, X = self._samples(X, sample_weight, reset=True)
        with home.current():
            self._fit(X, checked_weights(sample_weight, X, home))
        self.labels_ = home.back(self.labels_)
        self._fitted_to = home, X
        return self

    def predict(self, X: Any) -> Any:
        """Find the nearest centre of each sample.

        Parameters
        ----------
        X : (samples, features) array
            Real, finite.

        Returns
        -------
        (samples,) array of int32
            The cluster of the largest membership.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described, or before `fit`.
        """
        home, X = self._samples(X, finite=True)
        with home.current():
            return home.back(self._labels(X))

    def predict_proba(self, X: Any) -> Any:
        """Memberships of each sample in all clusters.

        Parameters
        ----------
        X : (samples, features) array
            Real, finite.

        Returns
        -------
        (samples, n_clusters) array
            From 0 to 1, their sum is 1; float32 if X is.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described, or before `fit`.
        """
        return self._memberships(*self._samples(X, finite=True))

    def transform(self, X: Any) -> Any:
        """Distances of each sample from all centres.

        Parameters
        ----------
        X : (samples, features) array
            Real, finite.

        Returns
        -------
        (samples, n_clusters) array
            float32 if X is.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described, or before `fit`.
        """
        home, X = self._samples(X, finite=True)
        with home.current():
            X, centres, scale = scaling.in_range(as_floats(X), self._centres())
            out = home.xp.empty((len(X), len(centres)), X.dtype)
            if scale == 1.0 or home.gpu is not None:
                kernels_for(X, fcm_gpu).fcm_distances(X, centres, out)
            else:  # for samples that are far, in units of the spread of the centres
                _kernels.distances(X, centres, out)
            return home.back(scaling.distances_back(out, scale))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Minus J of these samples, for the centres found.

        Parameters
        ----------
        X : (samples, features) array
            Real, finite.
        y : ignored
            For scikit-learn's pipelines.
        sample_weight : (samples,) array, optional
            At least 0 and not all 0. None: all 1.

        Returns
        -------
        float
            At most 0.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described, or before `fit`.
        """
        home, X = self._samples(X, sample_weight)
        with home.current():
            data = self._data(X, checked_weights(sample_weight, X, home))
            centres = self._centres() * data.scale
            objective = data.run(centres, float(self.m), 0, 0.0, False)[1]
            return -objective / data.scale / data.scale

    def validity(self, X: Any, sample_weight: Any = None) -> Validity:
        """How well the fitted centres part these samples, in one pass over them.

        Parameters
        ----------
        X : (samples, features) array
            Real, finite.
        sample_weight : (samples,) array, optional
            At least 0 and not all 0. None: all 1.

        Returns
        -------
        Validity
            `partition_coefficient`, `partition_entropy` and `xie_beni`.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described, or before `fit`.
        """
        home, X = self._samples(X, sample_weight, finite=True)
        with home.current():
            weight = checked_weights(sample_weight, X, home)
            X, centres = as_floats(X), self._centres()
            total = float(len(X) if weight is None else weight.sum())
            scaling.check_overflow(total, 2 * scaling.largest(X, centres), "X")
            X, centres, _ = scaling.in_range(X, centres)
            squares, logarithms, objective = kernels_for(X, fcm_gpu).fcm_validity(
                X, weight, float(self.m), centres
            )
        between = np.linalg.norm(centres[:, None] - centres, axis=2)
        nearest = np.min(between[~np.eye(len(centres), dtype=bool)], initial=np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            xie_beni = np.divide(objective, total * nearest**2)
        return Validity(squares / total, -logarithms / total, float(xie_beni))

    @property
    def memberships_(self) -> Any:
        """Memberships of the samples of `fit`; AttributeError after unpickling."""
        check_is_fitted(self)
        if not hasattr(self, "_fitted_to"):
            raise AttributeError(
                "memberships_ needs the samples of fit, which are not pickled; use predict_proba(X)"
            )
        return self._memberships(*self._fitted_to)

    # What `lesionkit.clustering.segment` relies on: the work alone, for samples that are checked.

    def _fit(self, X: Any, sample_weight: Real | None = None) -> Self:
        """X : (samples, features) float32 or float64, or one column of a type in SMALL; contiguous
        sample_weight : (samples,) float64, checked;  both NumPy's, or both CuPy's
        """
        start = self._parameters(X)
        data = self._data(X, sample_weight)
        stop = (int(self.max_iter), float(self.tol), self.criterion == "memberships")
        random = random_of(self.random_state)
        best: tuple[float, int, Real] | None = None
        x, weight = data.x, data.weight
        if isinstance(start.init, str):  # draws are the same wherever the samples live
            x, weight = to_host(x), to_host(weight)
        for _ in range(start.times):
            centres = start.centres(x, weight, random, data.scale)
            passes, objective = data.run(centres, float(self.m), *stop)
            if best is None or objective < best[0]:
                best = objective, passes, centres
        assert best is not None
        objective, self.n_iter_, centres = best
        self.objective_ = objective / data.scale / data.scale
        kind = np.float32 if X.dtype == np.float32 else np.float64
        self.cluster_centers_ = (centres / data.scale).astype(kind, copy=False)
        self.n_features_in_ = X.shape[1]
        self._n_features_out = len(centres)
        self.labels_ = self._labels(X)
        return self

    def _labels(self, X: Any) -> Any:
        labels = arrays.namespace(X).empty(len(X), np.int32)
        kernels_for(X, fcm_gpu).fcm_labels(X, self._centres(), labels)
        return labels

    def _membership(self, X: Any, j: int, out: Any) -> None:
        """Write the memberships of class j into out (samples,) float32 or float64."""
        X = X if X.dtype == out.dtype else X.astype(out.dtype)
        kernels_for(X, fcm_gpu).fcm_memberships(X, float(self.m), self._centres(), j, out)

    def _memberships(self, home: arrays.Home, X: Any) -> Any:
        X = as_floats(X)
        with home.current():
            out = home.xp.empty((len(X), len(self.cluster_centers_)), X.dtype)
            kernels_for(X, fcm_gpu).fcm_memberships(X, float(self.m), self._centres(), -1, out)
            return home.back(out)

    def _parameters(self, X: Any) -> Start:
        arrays.integer(self.n_clusters, "n_clusters", at_least=1)
        arrays.number(self.m, "m", above=1.0)
        arrays.integer(self.max_iter, "max_iter", at_least=1)
        arrays.number(self.tol, "tol", at_least=0.0)
        arrays.one_of(self.criterion, "criterion", ("centers", "memberships"))
        if len(X) < self.n_clusters:
            raise ValueError(
                f"n_samples={len(X)} should be >= n_clusters={self.n_clusters}: each cluster "
                "needs a sample"
            )
        return start_of(self.init, self.n_init, int(self.n_clusters), float(self.m), X.shape[1])

    def _samples(
        self, X: Any, sample_weight: Any = None, *, reset: bool = False, finite: bool = False
    ) -> tuple[arrays.Home, Any]:
        """Where they live, and the checked samples.

        finite : look for NaN and infinities, which FcmData does as well
        """
        if not reset:
            check_is_fitted(self)
        home = arrays.home(X=X, sample_weight=sample_weight)
        with home.current():
            X = checked_samples(self, X, home, reset=reset, finite=finite)
            if home.gpu is not None and X.shape[1] > fcm_gpu.MAX_FEATURES:
                raise ValueError(
                    f"X must have at most {fcm_gpu.MAX_FEATURES} features on a GPU, got "
                    f"{X.shape[1]}"
                )
        return home, X

    def _data(self, X: Any, sample_weight: Any) -> FcmData:
        data = FcmData.of(X, sample_weight)
        if data is None:
            check_finite(self, X)
            raise ValueError("X must be finite")
        return data

    def __getstate__(self) -> Any:
        state = dict(super().__getstate__())
        state.pop("_fitted_to", None)
        return state
