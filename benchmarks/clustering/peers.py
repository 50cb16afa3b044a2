"""Who else clusters: a peer is made from a Work and then called with a number of passes.

Making one is what its user does once (imports, settings, memberships that belong to the first
centres); calling it goes from the arrays to the centres, with labels or memberships where the peer
gives them. All start from the same centres, and stop by nothing but the number of passes, or
because no label changes any more (scikit-learn and its kin).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.clustering.work import Array, Work, _squares

Answer = tuple[Array, int]  # the centres, and the passes that were made
Run = Callable[[int], Answer]  # from the number of passes at most


def sklearn(job: Work, module: str = "sklearn", algorithm: str = "lloyd") -> Run:
    if module == "sklearnex":
        from sklearnex.cluster import KMeans
    else:
        from sklearn.cluster import KMeans
    start = job.start.astype(np.float32)

    def run(passes: int) -> Answer:
        made = KMeans(
            job.classes, init=start, n_init=1, max_iter=passes, tol=0, algorithm=algorithm
        )
        made.fit(job.X)
        return np.asarray(made.cluster_centers_), made.n_iter_

    return run


def sklearn_histogram(job: Work) -> Run:
    """What a careful user does with 8 bits; the image's labels included."""
    from sklearn.cluster import KMeans

    def run(passes: int) -> Answer:
        counts = np.bincount(job.raw.ravel(), minlength=256)
        values = np.flatnonzero(counts)
        made = KMeans(job.classes, init=job.start, n_init=1, max_iter=passes, tol=0)
        made.fit(values[:, None].astype(float), sample_weight=counts[values].astype(float))
        table = np.zeros(256, np.int32)
        table[values] = made.labels_
        np.take(table, job.raw)
        return np.asarray(made.cluster_centers_), made.n_iter_

    return run


def faiss(job: Work) -> Run:
    import faiss as package

    start = job.start.astype(np.float32)

    def run(passes: int) -> Answer:
        made = package.Kmeans(
            job.X.shape[1],
            job.classes,
            niter=passes,
            min_points_per_centroid=1,
            max_points_per_centroid=2**31 - 1,  # at first it looks at 256 samples a centre
        )
        made.train(job.X, init_centroids=start)
        return np.asarray(made.centroids), passes

    return run


def opencv(job: Work) -> Run:
    import cv2

    cv2.setNumThreads(2)
    labels = _squares(job.X, job.start).argmin(1).astype(np.int32)
    flags = cv2.KMEANS_USE_INITIAL_LABELS

    def run(passes: int) -> Answer:
        stop = (cv2.TERM_CRITERIA_MAX_ITER, passes, 0.0)
        centres = cv2.kmeans(job.X, job.classes, labels.copy(), stop, 1, flags)[2]
        return np.asarray(centres), passes

    return run


def scipy(job: Work) -> Run:
    from scipy.cluster.vq import kmeans2

    start = job.start.astype(np.float32)

    def run(passes: int) -> Answer:
        found = kmeans2(job.X, start, passes, minit="matrix", check_finite=False)
        return np.asarray(found[0]), passes

    return run


def mlpack(job: Work, algorithm: str) -> Run:
    import mlpack as package

    def run(passes: int) -> Answer:
        found = package.kmeans(
            input_=job.X.astype(np.float64),
            clusters=job.classes,
            initial_centroids=job.start.copy(),
            max_iterations=passes,
            algorithm=algorithm,
            allow_empty_clusters=True,
            labels_only=True,
        )
        # Its centres lie in memory that it gives back: they are copied while the rest is held.
        return np.array(found["centroid"]), passes

    return run


def ckwrap(job: Work) -> Run:
    """The exact optimum of the histogram."""
    import ckwrap as package

    def run(passes: int) -> Answer:
        counts = np.bincount(job.raw.ravel(), minlength=256)
        values = np.flatnonzero(counts)
        found = package.ckmeans(
            values.astype(float), job.classes, weights=counts[values].astype(float)
        )
        table = np.zeros(256, np.int32)
        table[values] = found.labels
        np.take(table, job.raw)
        return np.asarray(found.centers)[:, None], 0

    return run


def kmeans1d(job: Work) -> Run:
    """The exact optimum of the pixels."""
    import kmeans1d as package

    def run(passes: int) -> Answer:
        return np.array(package.cluster(job.X.ravel(), job.classes).centroids)[:, None], 0

    return run


def _memberships(job: Work) -> Array:
    """Those of the first centres, (classes, samples)."""
    u = np.empty((job.classes, len(job.X)))
    for first in range(0, len(job.X), 1 << 20):
        part = slice(first, first + (1 << 20))
        near = 1 / np.maximum(_squares(job.X[part], job.start), 1e-20)
        u[:, part] = (near / near.sum(1, keepdims=True)).T
    return u


def skfuzzy(job: Work) -> Run:
    import skfuzzy as package

    u = _memberships(job)

    def run(passes: int) -> Answer:
        X = job.X.T.astype(np.float64)
        found = package.cmeans(X, job.classes, 2, 0.0, passes, init=u)
        return np.asarray(found[0]), found[5]

    return run


def fcmeans(job: Work) -> Run:
    from fcmeans import FCM

    u = np.ascontiguousarray(_memberships(job).T)

    class FromTheSameStart(FCM):
        def _init_u(self, X: Any) -> None:
            self.u = u

    def run(passes: int) -> Answer:
        made = FromTheSameStart(n_clusters=job.classes, m=2.0, max_iter=passes, error=1e-9)
        made.fit(job.X.astype(np.float64))
        return np.asarray(made.centers), passes

    return run


def numpy_fcm_s1(job: Work) -> Run:
    """As one writes it, with a matrix of memberships and SciPy's filter."""
    from scipy.ndimage import uniform_filter

    def run(passes: int) -> Answer:
        image = job.raw.astype(np.float64)
        x, y = image.ravel(), ((9 * uniform_filter(image, 3, mode="nearest") - image) / 8).ravel()
        centres = job.start[:, 0].copy()
        for _ in range(passes):
            far = (x[:, None] - centres) ** 2 + (y[:, None] - centres) ** 2
            near = 1 / np.maximum(far, 1e-20)
            w = (near / near.sum(1, keepdims=True)) ** 2
            centres = (w * (x + y)[:, None]).sum(0) / (2 * w.sum(0))
        return centres[:, None], passes

    return run


def numpy_sfcm(job: Work) -> Run:
    """As one writes it, 5 x 5, p = q = 1, with SciPy's box filter."""
    from scipy.ndimage import uniform_filter

    def run(passes: int) -> Answer:
        x, centres = job.raw.astype(np.float64), job.start[:, 0].copy()
        for _ in range(passes):
            near = 1 / np.maximum((x - centres[:, None, None]) ** 2, 1e-20)
            u = near / near.sum(0)
            both = u * np.stack([uniform_filter(plane, 5, mode="constant") for plane in u])
            w = (both / both.sum(0)) ** 2
            centres = (w * x).sum((1, 2)) / w.sum((1, 2))
        return centres[:, None], passes

    return run


KMEANS: dict[str, tuple[str, Callable[[Work], Run]]] = {
    "scikit-learn": ("sklearn", sklearn),
    "scikit-learn, elkan": ("sklearn", partial(sklearn, algorithm="elkan")),
    "scikit-learn-intelex": ("sklearnex", partial(sklearn, module="sklearnex")),
    "faiss": ("faiss", faiss),
    "OpenCV": ("cv2", opencv),
    "SciPy": ("scipy", scipy),
    "mlpack": ("mlpack", partial(mlpack, algorithm="naive")),
    "mlpack, hamerly": ("mlpack", partial(mlpack, algorithm="hamerly")),
}
ON_HISTOGRAM = {"scikit-learn, histogram": ("sklearn", sklearn_histogram)}
EXACT = {"ckwrap, histogram": ("ckwrap", ckwrap), "kmeans1d": ("kmeans1d", kmeans1d)}
FCM = {"scikit-fuzzy": ("skfuzzy", skfuzzy), "fuzzy-c-means": ("fcmeans", fcmeans)}
PEERS: dict[str, dict[str, tuple[str, Callable[[Work], Run]]]] = {
    "K1k3": KMEANS | ON_HISTOGRAM | EXACT,
    "K1k8": KMEANS | ON_HISTOGRAM | EXACT,
    "K2": KMEANS,
    "K3": KMEANS,
    "K4": KMEANS,
    "F1": FCM,
    "F2": FCM,
    "F3": FCM,
    "F4": {"NumPy FCM_S1": ("scipy", numpy_fcm_s1), "NumPy sFCM": ("scipy", numpy_sfcm)},
}
