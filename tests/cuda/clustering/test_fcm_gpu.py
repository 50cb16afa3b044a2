"""FuzzyCMeans on arrays of a GPU: on the host with NumPy's in their place, and on a GPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tolerances
from lesionkit.clustering import FuzzyCMeans, fcm, fcm_gpu
from lesionkit.clustering.fcm import Validity


def blobs(n: int, d: int, kind: Any = np.float32) -> Any:
    random = np.random.default_rng(0)
    return (random.normal(size=(n, d)) + 4 * random.integers(0, 3, (n, 1))).astype(kind)


def test_the_estimator_on_the_host(
    kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels_on_host()
    X = blobs(60, 2)
    weights = np.random.default_rng(1).uniform(0, 2, 60)
    made = []
    for kernels in (None, fcm_gpu):
        if kernels:
            monkeypatch.setattr(fcm, "kernels_for", lambda _, on_gpu: on_gpu)
        model = FuzzyCMeans(3, random_state=0, max_iter=3, tol=1e-9).fit(X, sample_weight=weights)
        u, far = model.predict_proba(X), model.transform(X)
        made.append((model, u, far, model.score(X, None, weights), model.validity(X, weights)))
    cpu, ours = made
    assert ours[0].n_iter_ == cpu[0].n_iter_
    np.testing.assert_array_equal(ours[0].labels_, cpu[0].labels_)
    np.testing.assert_allclose(ours[0].cluster_centers_, cpu[0].cluster_centers_, rtol=1e-5)
    for one, other in zip(ours[1:], cpu[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_spread_and_ends(kernels_on_host: Callable[..., None]) -> None:
    kernels_on_host()
    X, found = blobs(40, 3, np.float64), np.empty((3, 4))
    weights = np.arange(40.0)
    assert fcm_gpu.column_statistics(X, weights, found)
    np.testing.assert_array_equal(found[:, :2].T, [X.min(axis=0), X.max(axis=0)])
    mean = np.average(X, axis=0, weights=weights)
    np.testing.assert_allclose(found[:, 2], mean, rtol=tolerances.GPU)
    variance = np.average((X - mean) ** 2, axis=0, weights=weights).mean()
    np.testing.assert_allclose(found[:, 3], variance, rtol=tolerances.GPU)


def test_batches_of_passes(
    kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host looks only now and then whether it is done: what was started since does nothing."""
    kernels_on_host()
    X = blobs(50, 1, np.float64)
    found = []
    for passes in (1, 4):
        monkeypatch.setattr(fcm_gpu, "PASSES", passes)
        centres = X[:2].copy()
        found.append(
            (fcm_gpu.fcm_fit(X, None, 20.0, 1.0, 50.0, 2.0, 5, 0.4, False, centres), centres)
        )
    assert found[0][0] == found[1][0]
    assert 1 < found[0][0][0] < 5
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(("d", "c"), [(1, 4), (4, 5), (9, 3)])
@pytest.mark.parametrize("criterion", ["centers", "memberships"])
def test_cupy_arrays(cupy: Any, kind: Any, d: int, c: int, criterion: Any) -> None:
    X = blobs(100_003, d, kind)
    settings: dict[str, Any] = {"init": X[:c].astype(float), "criterion": criterion, "tol": 1e-3}
    cpu = FuzzyCMeans(c, **settings).fit(X)
    ours, again = (FuzzyCMeans(c, **settings).fit(cupy.asarray(X)) for _ in range(2))
    assert isinstance(ours.labels_, cupy.ndarray)
    np.testing.assert_array_equal(ours.cluster_centers_, again.cluster_centers_)
    allowed = 1e-5 if kind == np.float32 else 1e-9
    assert ours.n_iter_ == cpu.n_iter_
    np.testing.assert_allclose(ours.cluster_centers_, cpu.cluster_centers_, rtol=allowed, atol=1e-6)
    np.testing.assert_allclose(ours.objective_, cpu.objective_, rtol=allowed)
    assert (ours.labels_.get() == cpu.labels_).mean() > 0.9999
    np.testing.assert_allclose(ours.memberships_.get(), cpu.memberships_, atol=30 * allowed)
    far = ours.transform(cupy.asarray(X))
    assert far.dtype == kind
    np.testing.assert_allclose(far.get(), cpu.transform(X), rtol=allowed, atol=1e-5)
    np.testing.assert_allclose(ours.validity(cupy.asarray(X)), cpu.validity(X), rtol=1e-4)


@pytest.mark.gpu
def test_mistakes(cupy: Any) -> None:
    X = cupy.asarray(blobs(50, 2))
    with pytest.raises(ValueError, match="X must be finite, got 100 NaN"):
        FuzzyCMeans(2).fit(X * math.nan)
    with pytest.raises(ValueError, match="at most 16 features on a GPU, got 17"):
        FuzzyCMeans(2).fit(cupy.ones((50, 17)))
    with pytest.raises(TypeError, match="must live in one place"):
        FuzzyCMeans(2).fit(X, sample_weight=np.ones(50))
    with pytest.raises(ValueError, match="expecting 2 features"):
        FuzzyCMeans(2).fit(X).predict(cupy.ones((5, 3)))
    assert isinstance(FuzzyCMeans(2).fit(X).validity(X), Validity)
