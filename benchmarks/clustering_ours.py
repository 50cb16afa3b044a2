"""Ours on the clustering workloads: the public calls, made and called like a peer."""

from __future__ import annotations

import numpy as np

from benchmarks.clustering_peers import EXACT, Run
from benchmarks.clustering_work import Array, Work


def ours(job: Work, beside: str, double: bool = False) -> Run:
    """Our call that does the same work as the peer `beside`, from the raw array to centres and
    labels, of FCM to the memberships too; `double`: from float64."""
    from lesionkit.clustering import FCM_S1, FuzzyCMeans, KMeans, Segmentation, sFCM

    X, start, classes = job.X.astype(np.float64) if double else job.X, job.start, job.classes

    def images(passes: int) -> Array:
        """8 bits: the image itself."""
        first = "optimal" if beside in EXACT else start
        made = KMeans(classes, init=first, n_init=1, max_iter=passes, tol=0)
        return np.asarray(Segmentation(job.raw, made).estimator.cluster_centers_)

    def samples(passes: int) -> Array:
        made = KMeans(classes, init=start, n_init=1, max_iter=passes, tol=0)
        return np.asarray(made.fit(X).cluster_centers_)

    def fuzzy(passes: int) -> Array:
        made = FuzzyCMeans(classes, init=start, max_iter=passes, tol=0).fit(X)
        made.memberships_  # noqa: B018
        return np.asarray(made.cluster_centers_)

    def spatial(passes: int) -> Array:
        settings = {"init": start, "max_iter": passes, "tol": 0}
        raw = job.raw.astype(np.float64) if double else job.raw
        if beside == "NumPy sFCM":
            return np.asarray(sFCM(classes, **settings).fit(raw).cluster_centers_)
        return np.asarray(FCM_S1(classes, border="edge", **settings).fit(raw).cluster_centers_)

    if job.name.startswith("K1"):
        return images
    return {"k-means": samples, "FCM": fuzzy, "spatial FCM": spatial}[job.kind]
