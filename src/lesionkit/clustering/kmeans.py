"""k-means as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_is_fitted

from lesionkit import arrays
from lesionkit.arrays import namespace, to_host
from lesionkit.clustering import kmeans_gpu, scaling, starts
from lesionkit.clustering.estimator import CentreEstimator, as_floats
from lesionkit.clustering.histogram import levels, look_up
from lesionkit.clustering.samples import check_finite, checked_samples, checked_weights
from lesionkit.clustering.starts import kernels_for

Real = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
ROUNDING = 1e-10  # a run is better than another if its inertia is lower by more than this share
SMALL_SQUARE = 1e-200  # of a mean square: below it some may have been lost to underflow


class Given(NamedTuple):
    """What a run works on."""

    X: Any
    weights: Real | None
    counted: bool  # the weights are numbers of equal samples
    original: Any  # for functions that choose the start
    scale: float = 1.0  # X are the samples times this power of two


class Run(NamedTuple):
    """The end of one run of Lloyd's algorithm."""

    centres: npt.NDArray[Any]  # in the dtype of the samples
    labels: Labels
    counts: npt.NDArray[np.int64]  # of the labels
    inertia: float
    passes: int


class KMeans(CentreEstimator):
    """k-means: k centres with the least sum of ``w |x - nearest centre|^2``, by Lloyd's algorithm.

    Parameters, attributes and rules are those of scikit-learn's KMeans, but:

    - Sums are float64 whatever the dtype of X: centres of 60 million float32 samples are those of
      float64, rounded once.
    - Samples of one feature that are whole numbers, of a range below 65,536, are counted first;
      then a pass costs next to nothing.
    - init="optimal" starts from the best clusters there are of one feature, for up to 2^20 distinct
      values.
    - A weight is as good as a repetition: it counts in the tolerance, and in the seeds of up to
      4096 samples. An empty cluster never takes the only sample of another.
    - Sparse X is refused. A callable `init` gets X as it is, not less its mean.

    Parameters
    ----------
    n_clusters : int, default 8
        k, 1 or more; at most as many as there are samples.
    init : {"k-means++", "random", "optimal"}, array or callable, default "k-means++"
        k-means++ is greedy, with 2 + ln k candidates. An array has shape (k, features); a function
        init(X, k, random_state) returns one.
    n_init : int or "auto", default "auto"
        Runs, of which the best counts; "auto": 10 for "random" and functions, else 1.
    max_iter : int, default 300
        Passes at most.
    tol : float, default 1e-4
        Stop once the centres' squared shifts add up to at most tol times the mean variance of the
        features, or no label changes.
    verbose : int, default 0
        Print the inertia of each pass, which costs another one.
    random_state : int, RandomState or Generator, optional
        As in scikit-learn, or a NumPy generator.
    copy_x : bool, default True
        Has no effect: X is never changed.
    algorithm : {"lloyd", "elkan"}, default "lloyd"
        The answer is the same, and so is the work.

    Attributes
    ----------
    cluster_centers_ : (k, features) array
        In the dtype of X, float64 if that is not float32.
    labels_ : (samples,) array of int32
        The cluster of each sample.
    inertia_ : float
        Of these labels and centres.
    n_iter_ : int
        Passes.

    References
    ----------
    Lloyd, IEEE Trans. Inf. Theory 28, 1982; Arthur and Vassilvitskii, SODA 2007; for "optimal" Wang
    and Song, The R Journal 3, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import KMeans
    >>> X = np.array([[1], [2], [9], [10], [11]])
    >>> model = KMeans(2, init="optimal").fit(X)
    >>> model.cluster_centers_.ravel().tolist(), model.labels_.tolist(), model.inertia_
    ([1.5, 10.0], [0, 0, 1, 1, 1], 2.5)
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Literal["k-means++", "random", "optimal"] | Callable[..., Any] | Any = "k-means++",
        n_init: int | Literal["auto"] = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: Literal["lloyd", "elkan"] = "lloyd",
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the clusters of X.

        Where X lives on a GPU the work is done there, and there the arrays of the answer are; up to
        16 features. A run that leaves a cluster empty is done by the CPU.

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
        KMeans
            The estimator, fitted.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described.
        """
        home = arrays.home(X=X, sample_weight=sample_weight)
        with home.current():
            checked = checked_samples(self, X, home, reset=True)
            weights = checked_weights(sample_weight, checked, home)
            try:
                self._fit(checked, weights)
            except starts.NotFinite:
                if home.gpu is None:
                    check_finite(self, checked)
                raise
            self.labels_ = home.back(self.labels_)
            self.cluster_centers_ = home.back(home.xp.asarray(self.cluster_centers_))
        return self

    def predict(self, X: Any) -> Any:
        """Find the nearest cluster of each sample.

        Parameters
        ----------
        X : (samples, features) array
            Real, finite.

        Returns
        -------
        (samples,) array of int32
            Of two as near the lower number.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described, or before `fit`.
        """
        home = self._home(X)
        with home.current():
            X = checked_samples(self, X, home, reset=False, finite=True)
            return home.back(self._labels(X))

    def transform(self, X: Any) -> Any:
        """Distances of each sample from all centres.

        Parameters
        ----------
        X : (samples, features) array
            Real, finite.

        Returns
        -------
        (samples, k) array
            In the dtype of X.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described, or before `fit`.
        """
        home = self._home(X)
        with home.current():
            X = as_floats(checked_samples(self, X, home, reset=False, finite=True))
            X, centres, scale = scaling.in_range(X, self._centres())
            distances = namespace(X).empty((len(X), len(centres)), X.dtype)
            kernels_for(X, kmeans_gpu).distances(X, centres, distances)
            return home.back(scaling.distances_back(distances, scale))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Minus the inertia of X, for the centres found.

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
        home = self._home(X, sample_weight)
        with home.current():
            X = as_floats(checked_samples(self, X, home, reset=False, finite=True))
            weights = checked_weights(sample_weight, X, home)
            inertia = nearest(X, weights, self._centres())[2]
            if not np.isfinite(inertia):
                raise starts.NotFinite
            return -inertia

    def _fit(self, X: Any, sample_weight: Real | None) -> Self:
        """`fit` of checked samples: C-contiguous (n, features), float32 or float64, or (n, 1) of a
        small integer type; weights (n,) at least 0 and not all 0. NotFinite if X is not.
        """
        self._check_parameters(X.shape)
        on_cpu = namespace(X) is np
        counted = levels(X, sample_weight) if on_cpu and X.shape[1] == 1 else None
        dtype = X.dtype if X.dtype == np.float32 else np.dtype(np.float64)
        if counted is None:
            best = self._finite_run(Given(X, sample_weight, False, X), dtype)
            labels = best.labels
        else:
            given = Given(counted.values, counted.weights, sample_weight is None, X)
            best = self._best_run(given, dtype)
            labels = counted.labels(X, best.labels)
        found = int(np.count_nonzero(best.counts))
        if found < self.n_clusters:
            warnings.warn(
                f"Number of distinct clusters ({found}) found smaller than n_clusters "
                f"({self.n_clusters}). Possibly due to duplicate points in X.",
                ConvergenceWarning,
                stacklevel=3,
            )
        self.cluster_centers_ = best.centres
        self.labels_ = labels
        self.inertia_ = best.inertia
        self.n_iter_ = best.passes
        self.n_features_in_ = X.shape[1]
        self._n_features_out = len(best.centres)
        return self

    def _labels(self, X: Any) -> Any:
        """`predict` of checked samples."""
        centres = self._centres()
        if X.dtype.kind not in "iu":
            scale = scaling.scale_for(scaling.largest(centres))
            if scale != 1.0:  # what overflows is as far from all of them
                X, centres = X * X.dtype.type(scale), centres * scale
            return nearest(X, None, centres)[0]
        kind = np.iinfo(X.dtype)
        values = np.arange(kind.min, kind.max + 1.0)[:, None]
        return look_up(X, kind.min, nearest(values, None, centres)[0])

    def _finite_run(self, given: Given, dtype: np.dtype[Any]) -> Run:
        """The best run, of samples whose squares are in range; else NotFinite."""
        best = self._best_run(given, dtype)
        if not np.isfinite(best.inertia):
            raise starts.NotFinite
        total = len(given.X) if given.weights is None else float(given.weights.sum())
        if best.inertia >= SMALL_SQUARE * total:
            return best
        scale = scaling.scale_for(scaling.largest(given.X))
        if scale == 1.0:
            return best
        best = self._best_run(given._replace(X=given.X * scale, scale=scale), dtype)
        return best._replace(centres=best.centres / scale, inertia=best.inertia / scale / scale)

    def _best_run(self, given: Given, dtype: np.dtype[Any]) -> Run:
        chance = callable(self.init) or (isinstance(self.init, str) and self.init != "optimal")
        random_state = starts.random_of(self.random_state) if chance else None
        best: Run | None = None
        for _ in range(self._n_init):
            run = self._run(given, self._start(given, random_state), dtype)
            if best is None or run.inertia < best.inertia * (1 - ROUNDING):
                best = run
        assert best is not None
        return best

    def _start(self, given: Given, random_state: Any) -> Real:
        """(k, features) float64, which may be changed."""
        X, weights, _, original, scale = given
        k, init = self.n_clusters, self.init
        if isinstance(init, str):
            if init == "k-means++":
                start = starts.plus_plus(X, weights, k, random_state, kernels_for(X, kmeans_gpu))
            elif init == "random":
                start = starts.at_random(X, weights, k, random_state)
            else:
                start = starts.optimal(X, weights, k)
        else:
            start = init(original, k, random_state=random_state) if callable(init) else init
            start = to_host(start)
            start = arrays.numbers(start, "init", kinds="biuf").astype(np.float64, order="C")
            if start.ndim != 2:
                raise ValueError(f"init must have shape ({k}, {X.shape[1]}), got {start.shape}")
            if not np.isfinite(start).all():
                assert_all_finite(start, input_name="init")
            start *= scale
            for axis, (what, wanted) in enumerate(
                (("number of clusters", k), ("number of features of the data", X.shape[1]))
            ):
                if start.shape[axis] != wanted:
                    raise ValueError(
                        f"The shape of the initial centers {start.shape} does not match the "
                        f"{what} {wanted}."
                    )
        if self.verbose:
            print("Initialization complete")
        return start

    def _run(self, given: Given, centres: Real, dtype: np.dtype[Any]) -> Run:
        X, weights, counted = given[:3]
        passes, converged, finite, limit, steps = kernels_for(X, kmeans_gpu).lloyd(
            X, weights, counted, centres, self.max_iter, float(self.tol), bool(self.verbose)
        )
        if not finite:
            raise starts.NotFinite
        for number, (inertia, shift) in enumerate(steps):
            print(f"Iteration {number}, inertia {inertia}.")
            if number == passes - 1 and converged:
                print(f"Converged at iteration {number}: strict convergence.")
            elif number == passes - 1 and shift <= limit:
                print(
                    f"Converged at iteration {number}: center shift {shift} within tolerance "
                    f"{limit}."
                )
        kept = centres.astype(dtype)
        labels, counts, inertia = nearest(X, weights, kept.astype(np.float64))
        return Run(kept, labels, counts, inertia, passes)

    def _check_parameters(self, shape: tuple[int, int]) -> None:
        k = arrays.integer(self.n_clusters, "n_clusters", at_least=1)
        arrays.integer(self.max_iter, "max_iter", at_least=1)
        arrays.number(self.tol, "tol", at_least=0)
        named = isinstance(self.init, str)
        if named and self.init not in ("k-means++", "random", "optimal"):
            raise ValueError(
                "init must be 'k-means++', 'random', 'optimal', an array or a function, got "
                f"{self.init!r}"
            )
        arrays.one_of(self.algorithm, "algorithm", ("lloyd", "elkan"))
        if shape[0] < k:
            raise ValueError(f"n_samples={shape[0]} should be >= n_clusters={k}.")
        several = callable(self.init) or (named and self.init == "random")
        if isinstance(self.n_init, str) and self.n_init == "auto":
            self._n_init = 10 if several else 1
        else:
            self._n_init = arrays.integer(self.n_init, "n_init", at_least=1)
        if self._n_init > 1 and not named and not several:
            warnings.warn(
                "Explicit initial center position passed: performing only one init in "
                f"{type(self).__name__} instead of n_init={self._n_init}.",
                RuntimeWarning,
                stacklevel=4,
            )
            self._n_init = 1
        if named and self.init == "optimal":
            self._n_init = 1
        if self.algorithm == "elkan" and k == 1:
            warnings.warn(
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
                RuntimeWarning,
                stacklevel=4,
            )

    def _home(self, X: Any, sample_weight: Any = None) -> arrays.Home:
        check_is_fitted(self)
        return arrays.home(X=X, sample_weight=sample_weight, cluster_centers_=self.cluster_centers_)


def nearest(X: Any, weights: Any, centres: Real) -> tuple[Any, npt.NDArray[np.int64], float]:
    """Labels of the samples, the number of each label, and the inertia."""
    labels, counts = namespace(X).empty(len(X), np.int32), np.empty(len(centres), np.int64)
    inertia = kernels_for(X, kmeans_gpu).nearest(X, weights, centres, labels, counts)
    return labels, counts, inertia
