"""Ours on the clustering workloads: the public calls, made and called like a peer."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.clustering.peers import EXACT, Answer, Run
from benchmarks.clustering.work import Work


def ours(job: Work, beside: str, double: bool = False) -> Run:
    """Our call that does the same work as the peer `beside`, from the raw array to centres and
    labels, of FCM to the memberships too; `double`: from float64."""
    from lesionkit.clustering import FCM_S1, FuzzyCMeans, KMeans, Segmentation, sFCM

    X, start, classes = job.X.astype(np.float64) if double else job.X, job.start, job.classes

    def images(passes: int) -> Answer:
        """8 bits: the image itself."""
        first = "optimal" if beside in EXACT else start
        made = KMeans(classes, init=first, n_init=1, max_iter=passes, tol=0)
        return answer(Segmentation(job.raw, made).estimator)

    def samples(passes: int) -> Answer:
        return answer(KMeans(classes, init=start, n_init=1, max_iter=passes, tol=0).fit(X))

    def fuzzy(passes: int) -> Answer:
        made = FuzzyCMeans(classes, init=start, max_iter=passes, tol=0).fit(X)
        made.memberships_  # noqa: B018
        return answer(made)

    def spatial(passes: int) -> Answer:
        raw = job.raw.astype(np.float64) if double else job.raw
        if beside == "NumPy sFCM":
            return answer(sFCM(classes, init=start, max_iter=passes, tol=0).fit(raw))
        made = FCM_S1(classes, border="edge", init=start, max_iter=passes, tol=0)
        return answer(made.fit(raw))

    def answer(made: Any) -> Answer:
        return np.asarray(made.cluster_centers_), made.n_iter_

    if job.name.startswith("K1"):
        return images
    return {"k-means": samples, "FCM": fuzzy, "spatial FCM": spatial}[job.kind]
