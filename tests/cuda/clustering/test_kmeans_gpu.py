"""k-means on a GPU, and the road there with the kernels on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tolerances
from lesionkit._core import clustering as _kernels
from lesionkit.clustering import KMeans, kmeans, kmeans_gpu


def groups(n: int, d: int, dtype: Any = np.float32) -> Any:
    random = np.random.default_rng(d)
    middle = np.arange(4)[:, None] * 3.0 + random.uniform(0, 1, (4, d))
    return (middle[random.integers(0, 4, n)] + random.normal(0, 0.3, (n, d))).astype(dtype)


def test_the_road_to_a_gpu(
    kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done before and after the kernels, with the kernels on the host."""
    X = groups(300, 2)
    w = np.random.default_rng(0).integers(0, 3, 300) / 2
    cpu = {
        init: KMeans(4, init=init, random_state=0).fit(X, sample_weight=w) for init in ("random",)
    }
    kernels_on_host()
    monkeypatch.setattr(kmeans, "kernels_for", lambda _, on_gpu: on_gpu)
    for init, expected in cpu.items():
        found = KMeans(4, init=init, random_state=0).fit(X, sample_weight=w)
        order = found.cluster_centers_[:, 0].argsort()
        expected_order = expected.cluster_centers_[:, 0].argsort()
        np.testing.assert_allclose(
            found.cluster_centers_[order], expected.cluster_centers_[expected_order], rtol=1e-6
        )
        np.testing.assert_allclose(found.inertia_, expected.inertia_, rtol=1e-9)
        np.testing.assert_array_equal(found.predict(X), found.labels_)
        np.testing.assert_allclose(found.score(X, None, w), -found.inertia_, rtol=tolerances.GPU)


def test_seeds_as_on_the_cpu(kernels_on_host: Callable[..., None]) -> None:
    """Along the samples as they stand, so as the CPU's of many samples."""
    kernels_on_host()
    X = groups(4200, 2, np.float64)
    uniform = np.random.default_rng(1).uniform(size=1 + 2 * 3)
    for w in (None, np.random.default_rng(2).uniform(size=4200)):
        expected = _kernels.seeds(X, w, 3, 3, uniform, np.empty(4200, np.float32))
        assert kmeans_gpu.seeds(X, w, 3, 3, uniform) == expected
    assert len(kmeans_gpu.seeds(np.zeros((5, 1)), None, 3, 2, np.linspace(0, 0.9, 5))) == 3
    assert kmeans_gpu.seeds(np.full((5, 1), np.inf), None, 2, 2, np.zeros(3)) == []


def test_an_empty_cluster_goes_to_the_cpu(kernels_on_host: Callable[..., None]) -> None:
    kernels_on_host()
    for X in (groups(100, 1), groups(100, 3)):
        start = np.vstack([X[:2], np.full((1, X.shape[1]), 99.0)]).astype(float)
        given = [start.copy(), start.copy()]
        ours = kmeans_gpu.lloyd(X, None, False, given[0], 5, 0.0, False)
        assert ours == _kernels.lloyd(X, None, False, given[1], 5, 0.0, False)
        np.testing.assert_array_equal(*given)


def test_what_is_refused(kernels_on_host: Callable[..., None]) -> None:
    kernels_on_host()
    with pytest.raises(ValueError, match="X must have at most 16 features on a GPU, got float32"):
        kmeans_gpu.lloyd(groups(20, 17), None, False, np.zeros((2, 17)), 5, 0.0, False)
    X = groups(20, 2)
    X[3] = np.nan
    assert not kmeans_gpu.lloyd(X, None, False, np.zeros((2, 2)), 5, 0.0, False)[2]


@pytest.mark.gpu
@pytest.mark.parametrize("d", [1, 3, 16])
def test_on_a_gpu(cupy: Any, d: int) -> None:
    for dtype in (np.float32, np.float64):
        X = groups(200_000, d, dtype)
        w = np.random.default_rng(3).uniform(size=len(X))
        for weights in (None, w):
            cpu = KMeans(4, init=X[:4]).fit(X, sample_weight=weights)
            given = None if weights is None else cupy.asarray(weights)
            gpu = KMeans(4, init=X[:4]).fit(cupy.asarray(X), sample_weight=given)
            assert isinstance(gpu.labels_, cupy.ndarray)
            np.testing.assert_allclose(
                gpu.cluster_centers_.get(), cpu.cluster_centers_, rtol=tolerances.single(dtype)
            )
            assert np.mean(gpu.labels_.get() != cpu.labels_) < 1e-4
            np.testing.assert_allclose(gpu.inertia_, cpu.inertia_, rtol=1e-6)
            assert gpu.n_iter_ == cpu.n_iter_
            predicted = gpu.predict(cupy.asarray(X))
            np.testing.assert_array_equal(predicted.get(), gpu.labels_.get())
            distances = gpu.transform(cupy.asarray(X))
            np.testing.assert_allclose(distances.get(), cpu.transform(X), rtol=1e-4, atol=1e-4)
    again = KMeans(4, random_state=0).fit(cupy.asarray(X))
    other = KMeans(4, random_state=0).fit(cupy.asarray(X))
    np.testing.assert_array_equal(again.cluster_centers_.get(), other.cluster_centers_.get())
    with pytest.raises(TypeError, match="must live in one place"):
        again.predict(X)
    with pytest.raises(ValueError, match="X must be finite"):
        KMeans(2).fit(cupy.asarray(X) * np.nan)


@pytest.mark.gpu
def test_cuda_tensors(cupy: Any) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    X = groups(50_000, 2)
    found = KMeans(4, init=X[:4]).fit(torch.as_tensor(X, device="cuda"))
    assert found.labels_.is_cuda
    np.testing.assert_array_equal(found.labels_.cpu(), KMeans(4, init=X[:4]).fit(X).labels_)
