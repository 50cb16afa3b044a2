"""Run lengths on a GPU, and the road there with the kernel on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tolerances
from lesionkit.texture.region import runs_gpu
from lesionkit.texture.region.runs import count_runs, run_length_features, run_lengths, steps_of


def test_the_road_to_a_gpu(kernels_on_host: Callable[..., None]) -> None:
    """What is done before and after the kernel, with the kernel on the host."""
    kernels_on_host()
    random = np.random.default_rng(3)
    for shape, levels in (((4, 5, 6), 4), ((9, 8), 300)):
        image, mask = random.integers(0, 4, shape), random.uniform(size=shape) < 0.8
        for m in (mask, None):
            wild = image if m is None else np.where(m, image, -77)
            expected = run_lengths(wild, None, levels, m)
            cut = runs_gpu.region(wild, levels, m)
            counts = count_runs(cut, steps_of(None, len(shape)), runs_gpu.run_lengths)
            assert np.array_equal(counts, expected)
    with pytest.raises(ValueError, match="image must have levels from 0 to 2, got 3"):
        runs_gpu.region(image, 3, None)
    with pytest.raises(ValueError, match="mask must hold a pixel or more"):
        runs_gpu.region(image, 4, image > 9)
    bytes_ = np.full((2, 3), 255, np.uint8)
    cut = runs_gpu.region(bytes_, 256, bytes_ > 0)
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
