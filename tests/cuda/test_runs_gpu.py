"""Run lengths on a GPU, and the road there with the kernel on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tolerances
from lesionkit import arrays, gpu
from lesionkit.texture.region import runs, runs_gpu
from lesionkit.texture.region.discretise import region_at
from lesionkit.texture.region.runs import count_runs, run_length_features, run_lengths, steps_of


def test_the_road_to_a_gpu(
    kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done before and after the kernel, with the kernel on the host."""
    kernels_on_host()
    monkeypatch.setattr(gpu, "require", lambda: np)
    random, there = np.random.default_rng(3), arrays.Home("CuPy", 0)
    for shape, levels in (((4, 5, 6), 4), ((9, 8), 300)):
        image, mask = random.integers(0, 4, shape), random.uniform(size=shape) < 0.8
        for m in (mask, None):
            wild = image if m is None else np.where(m, image, -77)
            expected = run_lengths(wild, None, levels, m)
            cut = region_at(there, wild, levels, m)
            with monkeypatch.context() as patched:
                patched.setattr(runs, "_kernels", runs_gpu)
                counts = count_runs(cut, steps_of(None, len(shape)))
            assert np.array_equal(counts, expected)
    with pytest.raises(ValueError, match="image must have levels from 0 to 2, got 3"):
        region_at(there, image, 3)
    with pytest.raises(ValueError, match="mask must hold a pixel or more"):
        region_at(there, image, 4, image > 9)
    bytes_ = np.full((2, 3), 255, np.uint8)
    cut = region_at(there, bytes_, 256, bytes_ > 0)
    assert cut.padded.max() == 256


@pytest.mark.gpu
def test_on_a_gpu(cupy: Any) -> None:
    random = np.random.default_rng(4)
    image, mask = random.integers(0, 8, (30, 40, 50)), random.uniform(size=(30, 40, 50)) < 0.9
    counts = run_lengths(cupy.asarray(image), None, 8, cupy.asarray(mask))
    expected = run_lengths(image, None, 8, mask)
    assert np.array_equal(counts.get(), expected)
    for name, value in run_length_features(counts).items():
        np.testing.assert_allclose(
            value.get(), run_length_features(expected)[name], rtol=tolerances.GPU
        )
