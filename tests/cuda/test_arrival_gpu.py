"""Arrival times on a GPU, and the road there with the kernel on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_generate import NumpyAsCupy

import tolerances
from lesionkit import arrays, gpu
from lesionkit.fronts import arrival_gpu, arrival_time


def test_the_road_to_a_gpu(
    kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done before and after the kernel, with the kernel on the host."""
    random = np.random.default_rng(3)
    image, batch = random.uniform(0.5, 1, (9, 40)), random.uniform(0.5, 1, (5, 17, 6))
    seeds = random.uniform(0, 4, (17, 2))
    wall = random.random(image.shape) < 0.9
    expected = [
        arrival_time(image, (3.25, 30), 2.0, stop=25.0, mask=wall),
        arrival_time(batch, seeds, batch_axis=1),
    ]
    accurate = arrival_time(image, [(2, 3), (6.5, 30.2)], order=2, stop=9.0)
    given = {"stop": 9.0, "mask": wall, "return_labels": True}
    labelled = arrival_time(image, [(2, 3), (6.5, 30.2)], **given)
    kernels_on_host()
    monkeypatch.setattr(gpu, "require", NumpyAsCupy)
    monkeypatch.setattr(arrays, "home", lambda **_: arrays.Home("CuPy", 0))
    monkeypatch.setattr(arrival_gpu, "ROUNDS", 2)
    found = [
        arrival_time(image, (3.25, 30), 2.0, stop=25.0, mask=wall),
        arrival_time(batch, seeds, batch_axis=1),
    ]
    for ours, cpu in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, cpu, rtol=tolerances.TIMES)
    ours = arrival_time(image, [(2, 3), (6.5, 30.2)], order=2, stop=9.0)
    np.testing.assert_allclose(ours, accurate, rtol=tolerances.TIMES)
    times, labels = arrival_time(image, [(2, 3), (6.5, 30.2)], **given)
    np.testing.assert_allclose(times, labelled[0], rtol=tolerances.TIMES)
    np.testing.assert_array_equal(labels, labelled[1])
    assert {*np.unique(labels).tolist()} == {0, 1, 2}


@pytest.mark.gpu
@pytest.mark.parametrize("shape", [(300, 500), (40, 50, 60)])
def test_on_a_gpu(cupy: Any, shape: tuple[int, ...]) -> None:
    speed = np.random.default_rng(4).uniform(0.3, 1, shape).astype(np.float32)
    seed = [n // 3 for n in shape]
    times = arrival_time(cupy.asarray(speed), seed)
    np.testing.assert_allclose(times.get(), arrival_time(speed, seed), rtol=tolerances.TIMES_SINGLE)
    seeds = [seed, [n // 5 for n in shape]]
    ours, cpu = (
        arrival_time(s, seeds, return_labels=True)[1] for s in (cupy.asarray(speed), speed)
    )
    assert np.mean(ours.get() != cpu) < 1e-3  # times of float32 may tie


@pytest.mark.gpu
@pytest.mark.parametrize("asked", [{"order": 2}, {"factored": True}], ids=str)
def test_accurate_on_a_gpu(cupy: Any, asked: dict[str, Any]) -> None:
    speed = 1 + 0.3 * np.sin(np.arange(300 * 500).reshape(300, 500) / 4000)
    for seeds in ((100.0, 220.5), [(10, 20), (280.25, 400)]):
        ours = arrival_time(cupy.asarray(speed), seeds, **asked)
        expected = arrival_time(speed, seeds, **asked)
        np.testing.assert_allclose(ours.get(), expected, rtol=1e-9)


@pytest.mark.gpu
def test_a_batch_on_a_gpu(cupy: Any) -> None:
    speed = np.random.default_rng(5).uniform(0.3, 1, (20, 60, 70)).astype(np.float32)
    seeds = np.random.default_rng(6).uniform(0, 59, (20, 2))
    times = arrival_time(cupy.asarray(speed), seeds, batch_axis=0)
    np.testing.assert_allclose(
        times.get(), arrival_time(speed, seeds, batch_axis=0), rtol=tolerances.TIMES_SINGLE
    )
