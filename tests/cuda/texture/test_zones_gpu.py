"""Zones on a GPU, and the road there with the kernels on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lesionkit import arrays
from lesionkit.texture import zones
from lesionkit.texture.region import zones as module
from lesionkit.texture.region import zones_gpu
from lesionkit.texture.region.discretise import region_at


def test_the_road_to_a_gpu(
    kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done before and after the kernels: the image is not cut to the mask's box."""
    random = np.random.default_rng(0)
    image, mask = random.integers(0, 2, (4, 6, 5)), random.uniform(size=(4, 6, 5)) < 0.7
    mask[0] = False
    expected = zones(image, 2, mask, connectivity=2)
    cut = region_at(arrays.Home("NumPy", None), image, 2, mask)
    kernels_on_host()
    monkeypatch.setattr(module, "_kernels", zones_gpu)
    counts, sizes = module.count_zones(cut, 2)
    assert np.array_equal(counts, expected.counts)
    assert np.array_equal(sizes, expected.sizes)
    with pytest.raises(ValueError, match=r"image must have fewer than 2\^31 voxels"):
        zones_gpu.zones(np.broadcast_to(np.uint8(1), (2**11, 2**10, 2**10)), 1, 2, 3)


@pytest.mark.gpu
@pytest.mark.parametrize("shape", [(300, 400), (60, 70, 80)])
def test_on_a_gpu(cupy: Any, shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(1)
    image, mask = random.integers(0, 3, shape), random.uniform(size=shape) < 0.9
    for connectivity in (1, len(shape)):
        found = zones(cupy.asarray(image), 3, cupy.asarray(mask), connectivity)
        expected = zones(image, 3, mask, connectivity)
        for ours, cpu in zip(found, expected, strict=True):
            assert isinstance(ours, cupy.ndarray)
            assert np.array_equal(ours.get(), cpu)
