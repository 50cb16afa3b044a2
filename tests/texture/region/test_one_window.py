"""A small region as one window: what the matrices of large regions give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lesionkit.texture import radiomics
from lesionkit.texture.region import one_window

OPTIONS: list[dict[str, Any]] = [
    {},
    {"bin_width": 5, "symmetric": False},
    {"distances": (1, 2), "alpha": 2, "shift": 30},
    {"aggregation": "2.5D, direction-merged", "slice_axis": 1},
    {"binning": "count", "bin_count": 90, "distances": (2,)},
]
# roots of what is 0 but for rounding
ROUNDED = {"original_glcm_Imc2": 1e-7, "original_glcm_MCC": 1e-7}


def both(monkeypatch: pytest.MonkeyPatch, *args: Any, **options: Any) -> tuple[Any, Any]:
    """As one window, and by matrices."""
    found = radiomics(*args, **options)
    with monkeypatch.context() as patch:
        patch.setattr(one_window, "MAX_VOXELS", 0)
        return found, radiomics(*args, **options)


def same(found: dict[str, float], wanted: dict[str, float]) -> None:
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        expected = pytest.approx(value, rel=1e-10, abs=ROUNDED.get(name, 1e-12), nan_ok=True)
        assert found[name] == expected, name


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", [(4, 6, 5), (1, 8, 7), (9, 8)])
@pytest.mark.filterwarnings("ignore:the region falls into one bin")
def test_as_by_matrices(
    shape: tuple[int, ...], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if len(shape) == 2 and "slice_axis" in options:
        options = {**options, "slice_axis": 0}
    random = np.random.default_rng(len(shape))
    for share, spread in ((0.15, 60), (0.5, 30), (1, 8)):
        mask = random.random(shape) < share
        mask.flat[[0, 3]] = True
        volume = random.normal(100, spread, shape)
        same(*both(monkeypatch, volume, mask, **options))


def test_voxels_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A direction counts for runs where two voxels lie on one of its lines, however far apart."""
    volume = np.arange(7 * 5 * 6.0).reshape(7, 5, 6)
    mask = np.zeros(volume.shape, bool)
    mask[0, 0, 0] = mask[4, 4, 4] = mask[0, 3, 0] = mask[6, 0, 3] = True
    same(*both(monkeypatch, volume, mask, bin_width=5))
    mask[:] = False
    mask[0, 0, 0] = mask[6, 1, 4] = True
    same(*both(monkeypatch, volume, mask, bin_width=5))
