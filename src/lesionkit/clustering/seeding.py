"""temporary"""
from typing import Any
import numpy as np
def seed(X: Any, n_clusters: int, sample_weight: Any, random_state: Any) -> Any:
    n = len(X)
    w = np.ones(n) if sample_weight is None else sample_weight
    p = np.cumsum(w)
    def draw(q: Any) -> int:
        c = np.cumsum(q); return int(min(np.searchsorted(c, random_state.random_sample() * c[-1], side="right"), n-1))
    C = [X[draw(w)].astype(float)]
    best = ((X - C[0]) ** 2).sum(1)
    for _ in range(1, n_clusters):
        C.append(X[draw(w*best)].astype(float))
        best = np.minimum(best, ((X - C[-1]) ** 2).sum(1))
    return np.array(C)
