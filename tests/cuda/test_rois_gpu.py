"""Features of regions on a GPU, and the road there with the kernels on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tolerances
from lesionkit import _core
from lesionkit.texture import rois_gpu
from lesionkit.texture.rois import roi_features

OFFSETS = [(0, 1), (2, -1), (-3, 0), (0, 9)]


def test_the_road_to_a_gpu(
    kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done before and after the kernels, with the kernels on the host."""
    random = np.random.default_rng(0)
    rois = random.integers(0, 40, (4, 6, 7))
    ways = ((40, None), (300, None), (16, "sigma"), (16, "percentile"))
    expected = [roi_features(rois, OFFSETS, levels, normalise=how) for levels, how in ways]
    kernels_on_host()
    monkeypatch.setattr(_core.texture, "roi_features", rois_gpu.roi_features)
    for (levels, how), cpu in zip(ways, expected, strict=True):
        found = roi_features(rois, OFFSETS, levels, normalise=how)
        np.testing.assert_allclose(found, cpu, rtol=tolerances.GPU, atol=tolerances.GPU)
    assert roi_features(rois[:0], OFFSETS, 40).shape == (0, 4, 11)
    with pytest.raises(ValueError, match="rois must have at most 87374 pixels each on this GPU"):
        roi_features(np.zeros((1, 300, 300), np.uint8), OFFSETS, 2)


@pytest.mark.gpu
def test_on_a_gpu(cupy: Any) -> None:
    random = np.random.default_rng(1)
    rois = random.normal(100, 20, (3000, 10, 10))
    small = rois.clip(0, 255).astype(np.uint8)
    for given, levels, how in ((small, 256, None), (rois, 64, "sigma"), (rois, 64, "percentile")):
        cpu = roi_features(given, OFFSETS, levels, normalise=how)
        found = roi_features(cupy.asarray(given), OFFSETS, levels, normalise=how)
        assert isinstance(found, cupy.ndarray)
        np.testing.assert_allclose(found.get(), cpu, rtol=tolerances.GPU, atol=tolerances.GPU)
    with pytest.raises(ValueError, match="rois must be levels from 0 to 3"):
        roi_features(cupy.asarray(small), OFFSETS, 4)


@pytest.mark.gpu
def test_cuda_tensors(cupy: Any) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    rois = np.random.default_rng(2).integers(0, 64, (300, 10, 10)).astype(np.uint8)
    found = roi_features(torch.as_tensor(rois, device="cuda"), OFFSETS, 64)
    assert found.is_cuda
    cpu = roi_features(rois, OFFSETS, 64)
    np.testing.assert_allclose(found.cpu(), cpu, rtol=tolerances.GPU, atol=tolerances.GPU)
