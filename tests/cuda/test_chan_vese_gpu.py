"""Contours without edges on a GPU, and the road there with the kernels on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tolerances
from lesionkit import _core
from lesionkit.fronts import chan_vese
from lesionkit.fronts.contours import chan_vese_gpu


def test_it_need_not_be_looked_at(
    kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However seldom the host looks, the level set is the one at which it came to rest."""
    kernels_on_host()
    random = np.random.default_rng(1)
    image, start = random.uniform(size=(1, 1, 9, 11)), random.normal(size=(1, 9, 11))
    rest = (False, 0.3, [1.0, 1.0], 0.1, 5, 0.5, True)
    cpu = start.copy()
    made = len(_core.fronts.chan_vese(image, None, cpu, *rest)) // 6
    assert 0 < made < 4
    for looks in (1, 64):
        monkeypatch.setattr(chan_vese_gpu, "LOOKS", looks)
        phi = start.copy()
        assert len(chan_vese_gpu.chan_vese(image, None, phi, *rest)) == made
        np.testing.assert_allclose(phi, cpu, rtol=tolerances.GPU, atol=tolerances.GPU)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_on_a_gpu(cupy: Any, dtype: Any) -> None:
    random = np.random.default_rng(2)
    image = random.uniform(size=(2, 30, 40, 50)).astype(dtype)
    mask = random.uniform(size=(30, 40, 50)) < 0.9
    given = {"max_num_iter": 50, "extended_output": True, "channel_axis": 0}
    ours = chan_vese(cupy.asarray(image), mask=cupy.asarray(mask), **given)
    expected = chan_vese(image, mask=mask, **given)
    rounding = tolerances.GPU if dtype == np.float64 else tolerances.SINGLE
    assert ours[1].dtype == dtype
    np.testing.assert_allclose(ours[1].get(), expected[1], rtol=rounding, atol=10 * rounding)
    np.testing.assert_allclose(ours[2], expected[2], rtol=100 * rounding)
    assert (ours[0].get() == expected[0]).mean() > 0.999
