"""scikit-fuzzy's `cmeans` and `cmeans_predict`: the same arguments, the same answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import clustering as _kernels
from lesionkit.clustering import scaling

Real = npt.NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)  # the least membership and distance there


Fit = tuple[Real, Real, Any, Real, Real, int, Any]


def cmeans(
    data: Any,
    c: int,
    m: float,
    error: float,
    maxiter: int,
    metric: str = "euclidean",
    init: Any = None,
    seed: int | None = None,
) -> Fit:
    """Fuzzy c-means with the arguments and answers of scikit-fuzzy 0.5's `skfuzzy.cluster.cmeans`.

    Unlike there, data and init must be finite, and NumPy's global random state is not seeded.
    :class:`FuzzyCMeans` does the same from centres, and without the matrices.

    Parameters
    ----------
    data : (features, samples) array
        Finite real numbers.
    c : int
        Clusters.
    m : float
        Fuzziness, above 1.
    error : float
        Stop once the Frobenius norm of the change of all memberships is below it: the more samples,
        the later.
    maxiter : int
        Passes at most, at least 1.
    metric : str, default "euclidean"
        Any of `scipy.spatial.distance.cdist`; only "euclidean" is fast.
    init : (c, samples) array, optional
        Memberships to start from. None: random, as `numpy.random.rand` draws them.
    seed : int, optional
        Of the random memberships; 0 to 4,294,967,295.

    Returns
    -------
    cntr : (c, features) array of float64
        Centres.
    u : (c, samples) array of float64
        Memberships.
    u0 : (c, samples) array
        The first memberships, as given or drawn.
    d : (c, samples) array of float64
        Distances.
    jm : (p,) array of float64
        The objective of each pass, with the memberships before it and the centres after it.
    p : int
        Passes.
    fpc : float
        Mean sum of squares of u.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import cmeans
    >>> data = np.array([[0.0, 1.0, 9.0, 10.0]])
    >>> cntr, u, u0, d, jm, p, fpc = cmeans(data, 2, m=2, error=1e-5, maxiter=100, seed=0)
    >>> sorted(cntr.ravel().round(2).tolist()), u.shape
    ([0.5, 9.5], (2, 4))
    """
    data = _samples(data, "data")
    c = arrays.integer(c, "c", at_least=1)
    m, error, maxiter = _rules(m, error, maxiter)
    u0, start = _start(c, data.shape[1], init, seed)
    if _is_other(metric):
        return _cmeans_by(metric, data, None, m, error, maxiter, u0, start)
    x, cntr, scale = scaling.in_range(np.ascontiguousarray(data.T), np.zeros((c, len(data))))
    p, jm = _kernels.cmeans_fit(x, start, _range(x, scale, "data"), m, error, maxiter, cntr)
    u, d, fpc = _memberships(x, cntr, m, scale)
    return cntr / scale, u, u0, d, np.array(jm) / scale / scale, p, fpc


def cmeans_predict(
    test_data: Any,
    cntr_trained: Any,
    m: float,
    error: float,
    maxiter: int,
    metric: str = "euclidean",
    init: Any = None,
    seed: int | None = None,
) -> tuple[Real, Any, Real, Real, int, Any]:
    """Memberships of new samples, as scikit-fuzzy's `skfuzzy.cluster.cmeans_predict` finds them.

    u depends on the centres alone, so that only jm and p depend on `init`.

    Parameters
    ----------
    test_data : (features, samples) array
        Finite real numbers.
    cntr_trained : (c, features) array
        Centres, which are kept.
    m, error, maxiter, metric, init, seed : arguments
        As for :func:`cmeans`.

    Returns
    -------
    u, u0, d, jm, p, fpc : results
        As of :func:`cmeans`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> from lesionkit.clustering import cmeans_predict
    >>> u = cmeans_predict([[2.0, 5.0]], [[0.0], [10.0]], m=2, error=1e-5, maxiter=10, seed=0)[0]
    >>> u.round(3).tolist()
    [[0.941, 0.5], [0.059, 0.5]]
    """
    data = _samples(test_data, "test_data")
    cntr: Real = arrays.real(cntr_trained, "cntr_trained", ("c", data.shape[0]))
    if not len(cntr):
        raise ValueError("cntr_trained must hold a centre or more, got none")
    m, error, maxiter = _rules(m, error, maxiter)
    u0, start = _start(len(cntr), data.shape[1], init, seed)
    if _is_other(metric):
        return _cmeans_by(metric, data, cntr, m, error, maxiter, u0, start)[1:]
    x, cntr, scale = scaling.in_range(np.ascontiguousarray(data.T), cntr)
    span = _range(np.vstack([x, cntr]), scale, "test_data and cntr_trained")
    change, first = _kernels.cmeans_change(x, start, span, m, cntr)
    # From the second pass on nothing changes: it is the last, unless no change is small enough.
    p = 1 if change < error or maxiter == 1 else 2 if error > 0.0 else maxiter
    u, d, fpc = _memberships(x, cntr, m, scale)
    jm = np.full(p, _objective(u, d, m))
    jm[0] = first / scale / scale
    return u, u0, d, jm, p, fpc


def _samples(data: Any, name: str) -> Real:
    array: Real = arrays.real(data, name, ("features", "samples"))
    if not array.size:
        raise ValueError(f"{name} must not be empty, got {arrays.describe(array)}")
    return array


def _rules(m: float, error: float, maxiter: int) -> tuple[float, float, int]:
    return (
        arrays.number(m, "m", above=1.0),
        arrays.number(error, "error"),
        arrays.integer(maxiter, "maxiter", at_least=1),
    )


def _start(c: int, n: int, init: Any, seed: int | None) -> tuple[Any, Real]:
    """What is returned as u0, and the same as the kernels read it."""
    if init is not None:
        return init, arrays.real(init, "init", (c, n))
    try:
        rand = np.random.rand if seed is None else np.random.RandomState(seed).rand
    except Exception as problem:  # what it makes of the odd kinds of numbers, and of tensors
        raise ValueError(
            f"seed must be None or an integer from 0 to 4294967295, got {arrays.describe(seed)}"
        ) from problem
    u0 = rand(c, n)
    u0 /= u0.sum(axis=0)
    return u0, u0


def _is_other(metric: Any) -> bool:
    """Whether it is one of SciPy's beside the Euclidean; else a clear error."""
    if not isinstance(metric, str):
        raise TypeError(f"metric must be a name of SciPy's, got {arrays.describe(metric)}")
    return metric != "euclidean"


def _range(x: Real, scale: float, name: str) -> float:
    """No two rows of x, which is the data times `scale`, are farther apart; squares and their sums
    are finite, else a clear error."""
    span = float(np.linalg.norm(np.ptp(x, axis=0)))
    scaling.check_overflow(len(x), span / scale, name)
    return span


def _memberships(x: Real, cntr: Real, m: float, scale: float) -> tuple[Real, Real, Any]:
    """u and d, (c, samples), and the partition coefficient; x and cntr are times `scale`."""
    u, d = np.empty((2, len(cntr), len(x)))
    _kernels.fcm_memberships(x, m, cntr, -1, u, planes=True)
    _kernels.fcm_distances(x, cntr, d, planes=True)
    np.fmax(d / scale, EPS, out=d)
    return u, d, np.vdot(u, u) / len(x)


def _objective(u: Real, d: Real, m: float) -> float:
    return float((u**m * d**2).sum())


def _cmeans_by(
    metric: str,
    data: Real,
    fixed: Real | None,
    m: float,
    error: float,
    maxiter: int,
    u0: Any,
    start: Real,
) -> Fit:
    """The same for any metric of SciPy, in NumPy; with `fixed` centres where they are given."""
    from scipy.spatial.distance import cdist

    x = data.T
    u, history = np.fmax(start, EPS), []
    while True:
        before = u
        weights = np.fmax(before / before.sum(axis=0), EPS) ** m
        cntr = weights @ x / weights.sum(axis=1, keepdims=True) if fixed is None else fixed
        try:
            apart = cdist(x, cntr, metric=metric)
        except ValueError as problem:
            raise ValueError(
                f"metric must be one that scipy.spatial.distance.cdist takes for these data, got "
                f"{arrays.describe(metric)}: {problem}"
            ) from problem
        d = np.fmax(apart.T, EPS)
        if not np.isfinite(d).all():
            raise ValueError(f"metric {metric!r} must give finite distances for these data")
        history.append((weights * d**2).sum())
        u = (d / d.min(axis=0)) ** (-2.0 / (m - 1.0))
        u /= u.sum(axis=0)
        if np.linalg.norm(u - before) < error or len(history) == maxiter:
            return cntr, u, u0, d, np.array(history), len(history), np.vdot(u, u) / len(x)
