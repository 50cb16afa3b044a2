"""Minima of some depth: by hand, scikit-image's, properties, mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from lesionkit.fronts import h_minima, watershed


def test_by_hand() -> None:
    image = [[5, 3, 4, 1, 1, 4, 2, 6]]
    assert h_minima(image, 1).tolist() == [[0, 1, 0, 2, 2, 0, 3, 0]]
    assert h_minima(image, 2).tolist() == [[0, 0, 0, 1, 1, 0, 2, 0]]
    assert h_minima(image, 1.5).tolist() == h_minima(image, 2).tolist()
    assert h_minima(image, 99).tolist() == [[0, 0, 0, 1, 1, 0, 0, 0]]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float64])
@pytest.mark.parametrize("shape", [(40, 51), (9, 12, 13)])
def test_as_scikit_image(kind: Any, shape: tuple[int, ...]) -> None:
    morphology = pytest.importorskip("skimage.morphology")
    for seed in range(6):
        noise = np.random.default_rng(seed).standard_normal(shape)
        image = (ndimage.gaussian_filter(noise, seed % 3 / 2) * 40 + 110).clip(0, 250).astype(kind)
        for connectivity in range(1, len(shape) + 1):
            near = ndimage.generate_binary_structure(len(shape), connectivity)
            labels = h_minima(image, 7, connectivity)
            np.testing.assert_array_equal(labels > 0, morphology.h_minima(image, 7, near))
            np.testing.assert_array_equal(labels, ndimage.label(labels, near)[0])


def test_markers_for_the_watershed() -> None:
    noise = np.random.default_rng(1).standard_normal((60, 70))
    image = ndimage.gaussian_filter(noise, 2)
    markers = h_minima(image, 0.05)
    labels = watershed(image, markers)
    assert set(np.unique(labels)) == set(range(1, markers.max() + 1))
    few = h_minima(image, 0.3)
    assert few.max() < markers.max()
    assert (markers[few > 0] > 0).all()  # what is deeper than 0.3 is deeper than 0.05


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"h": 0}, ValueError, "h must be a finite number above 0, got 0"),
        ({"h": "1"}, TypeError, "h must be a finite number above 0, got str '1'"),
        ({"connectivity": 3}, ValueError, "connectivity must be from 1 to 2, got 3"),
        ({"image": [[np.nan, 1]]}, ValueError, "image must be finite"),
        ({"image": [[2**53, 1]]}, ValueError, r"image must hold integers below 2\^53 in size"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        h_minima(**({"image": np.zeros((3, 4)), "h": 1} | change))
