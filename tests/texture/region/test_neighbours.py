"""Neighbourhoods: a case by hand, the slow reference, properties, mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tolerances
from invariances import at_any_threads
from lesionkit.texture.region.neighbours import (
    DEPENDENCE_FEATURES,
    dependence_features,
    neighbours,
    tone_features,
)
from reference import texture as reference
from region_cases import regions

IMAGE = np.array([[1, 1, 4, 3, 1], [3, 4, 0, 1, 1], [5, 4, 2, 2, 2], [2, 1, 1, 4, 4]])
CLOSE = {"rel": tolerances.TEXTURE_SUMS, "abs": tolerances.TEXTURE_SUMS}


def test_a_case_by_hand() -> None:
    """0 1 / 1 1: three ones with two like them each; means 1, and 2/3 about each one."""
    found = neighbours([[0, 1], [1, 1]], 2)
    assert found.dependence.shape == (2, 9)
    assert found.dependence[0, 0] == 1
    assert found.dependence[1, 2] == 3
    assert found.dependence.sum() == 4
    assert found.voxels.tolist() == [1, 3]
    assert found.differences == pytest.approx([1, 3 * (1 - 2 / 3)])
    assert neighbours([[0, 1], [1, 1]], 2, alpha=1).dependence[:, 3].tolist() == [1, 3]


@given(regions(), st.sampled_from([0, 1, 7]), st.sampled_from([1, 1, 2]))
def test_as_the_reference(
    region: tuple[np.ndarray, np.ndarray, int], alpha: int, distance: int
) -> None:
    image, mask, levels = region
    found = neighbours(np.where(mask, image, -5), levels, mask, alpha, distance)
    dependence, voxels, differences = reference.neighbourhoods_of(
        image, mask, levels, alpha, distance
    )
    assert np.array_equal(found.dependence, dependence)
    assert np.array_equal(found.voxels, voxels)
    assert found.differences == pytest.approx(differences, **CLOSE)
    assert found.dependence.sum() == mask.sum()

    cells = {(int(i) + 1, int(j) + 1): int(dependence[i, j]) for i, j in np.argwhere(dependence)}
    expected = reference.matrix_features(cells, int(mask.sum())) | {"whole": 1.0}
    features = dependence_features(found.dependence)
    for name, theirs in DEPENDENCE_FEATURES.items():
        assert features[name] == pytest.approx(expected[theirs], **CLOSE), name
    if voxels.sum():
        tones = reference.tone_features(voxels.tolist(), found.differences.tolist())
        assert tone_features(*found[1:]) == pytest.approx(tones, **CLOSE)


def test_alpha_beyond_all_levels() -> None:
    image = np.random.default_rng(0).integers(0, 9, (6, 7))
    everything = neighbours(image, 9, alpha=2**40).dependence
    assert np.array_equal(everything, neighbours(image, 9, alpha=8).dependence)
    assert everything[:, 8].sum() == 4 * 5  # inner pixels


def test_threads_do_not_matter() -> None:
    image = np.random.default_rng(1).integers(0, 30, (20, 60, 70))
    at_any_threads(lambda: neighbours(image, 30))


def test_flat_and_lonely_regions() -> None:
    flat = neighbours(np.full((4, 4), 2), 5)
    assert tone_features(*flat[1:]) == {
        "coarseness": 1e6, "contrast": 0.0, "busyness": 0.0, "complexity": 0.0, "strength": 0.0,
    }  # fmt: skip
    one = neighbours(np.full((1, 1), 2), 5)
    assert one.voxels.sum() == 0
    with pytest.raises(ValueError, match="voxels must hold a voxel that has a neighbour"):
        tone_features(*one[1:])
    assert one.dependence[2, 0] == 1
    assert dependence_features(one.dependence)["low_dependence_emphasis"] == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alpha": -1}, "alpha must be at least 0, got -1"),
        ({"alpha": 0.5}, "alpha must be an integer at least 0, got float 0.5"),
        ({"distance": 0}, "distance must be from 1 to 3, got 0"),
        ({"levels": 5}, "image must have levels from 0 to 4, got 5"),
        ({"mask": IMAGE > 9}, "mask must hold a pixel or more"),
    ],
)
def test_mistakes(options: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        neighbours(IMAGE, **{"levels": 6, **options})


def test_mistakes_of_features() -> None:
    with pytest.raises(ValueError, match=r"differences must have shape \(2\)"):
        tone_features([1, 2], [1.0, 2.0, 3.0])
