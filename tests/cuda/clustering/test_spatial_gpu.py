"""Spatial fuzzy c-means on a GPU, and the road there with the kernels on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tolerances
from lesionkit.clustering import FCM_S1, FCM_S2, FLICM, EnFCM, sFCM
from lesionkit.clustering.spatial import base, methods

START = np.array([[1.0, 2.0], [3.0, 1.0]])
SETTINGS: dict[str, Any] = {"init": START, "tol": 1e-3, "border": "reflect"}
METHODS = [
    FCM_S1(2, alpha=2.0, max_iter=3, **SETTINGS),
    FCM_S2(2, include_self=True, max_iter=2, **SETTINGS),
    sFCM(2, p=0.0, q=2.0, size=3, max_iter=2, **SETTINGS),
    FLICM(2, m=1.8, max_iter=2, **SETTINGS),
]
NAMES = [type(method).__name__ for method in METHODS]


def image(shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Of two channels, the last axis, and a mask."""
    random = np.random.default_rng(0)
    parts = np.arange(shape[0]) < shape[0] // 2
    x = START[parts.astype(int)].reshape(-1, *(1,) * (len(shape) - 1), 2)
    return x + random.normal(0, 0.4, (*shape, 2)), random.uniform(size=shape) < 0.9


def same(ours: Any, cpu: Any, to_host: Callable[[Any], Any] = np.asarray) -> None:
    assert ours.n_iter_ == cpu.n_iter_
    np.testing.assert_allclose(ours.cluster_centers_, cpu.cluster_centers_, rtol=tolerances.GPU)
    assert np.array_equal(to_host(ours.labels_), cpu.labels_)
    for j in range(2):
        expected = cpu.membership(j)
        np.testing.assert_allclose(to_host(ours.membership(j)), expected, atol=tolerances.GPU)


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_the_road_to_a_gpu(
    kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch, method: Any
) -> None:
    """What is done before and after the kernels, with the kernels on the host."""
    x, mask = image((5, 6))
    cpu = type(method)(**method.get_params()).fit(x, mask, channel_axis=-1)
    kernels_on_host()
    for module in (base, methods):
        monkeypatch.setattr(module, "kernels_for", lambda _, on_gpu: on_gpu)
    same(method.fit(x, mask, channel_axis=-1), cpu)


@pytest.mark.gpu
@pytest.mark.parametrize("method", METHODS, ids=NAMES)
@pytest.mark.parametrize("shape", [(300, 400), (30, 40, 50)])
def test_on_a_gpu(cupy: Any, method: Any, shape: tuple[int, ...]) -> None:
    x, mask = image(shape)
    cpu = type(method)(**method.get_params()).fit(x, mask, channel_axis=-1)
    ours = method.fit(cupy.asarray(x), cupy.asarray(mask), channel_axis=-1)
    assert isinstance(ours.labels_, cupy.ndarray)
    same(ours, cpu, cupy.asnumpy)
    seeded = FCM_S1(2, random_state=0).fit(cupy.asarray(x[..., 0].astype(np.float32)))
    assert seeded.labels_.shape == shape


@pytest.mark.gpu
def test_mistakes(cupy: Any) -> None:
    with pytest.raises(ValueError, match="image must have at most 16 channels on a GPU, got 17"):
        sFCM(2).fit(cupy.ones((4, 4, 17)), channel_axis=-1)
    with pytest.raises(TypeError, match="image must be on the CPU, got a CuPy array on GPU 0"):
        EnFCM(2).fit(cupy.ones((4, 4)))
