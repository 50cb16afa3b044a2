"""Zones: a case worked by hand, the slow reference, properties, mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tolerances
from invariances import at_any_threads
from lesionkit.texture.region.zones import ZONE_FEATURES, merged, zone_features, zones
from reference import texture as reference
from region_cases import regions

# Thibault et al. 2009, figure 2: a picture of 4 levels, and its zones by level and size.
IMAGE = np.array([[1, 2, 3, 4], [1, 3, 4, 4], [3, 2, 2, 2], [4, 1, 4, 1]]) - 1
THIBAULT = [[2, 1, 0], [1, 0, 1], [0, 0, 1], [2, 0, 1]]


def cells(counts: np.ndarray, sizes: np.ndarray) -> dict[tuple[int, int], int]:
    return {(int(i), int(sizes[j])): int(counts[i, j]) for i, j in np.argwhere(counts)}


def test_thibaults_example() -> None:
    counts, sizes = zones(IMAGE, 4)
    assert sizes.tolist() == [1, 2, 3]
    assert counts.tolist() == THIBAULT
    assert counts.dtype == sizes.dtype == np.int64


@given(regions(), st.integers(1, 3))
def test_as_the_reference(region: tuple[np.ndarray, np.ndarray, int], joined: int) -> None:
    image, mask, levels = region
    joined = min(joined, image.ndim)
    found = zones(np.where(mask, image, 99), levels, mask, joined)
    expected = reference.zones_of(image, mask, joined)
    assert cells(*found) == expected
    assert found.counts.shape == (levels, len(found.sizes))
    assert found.counts.sum(0) @ found.sizes == mask.sum()
    features = zone_features(*found)
    theirs = {(level + 1, size): n for (level, size), n in expected.items()}
    expected_features = reference.matrix_features(theirs, int(mask.sum()))
    for name, their_name in ZONE_FEATURES.items():
        assert features[name] == pytest.approx(
            expected_features[their_name],
            rel=tolerances.TEXTURE_SUMS,
            abs=tolerances.TEXTURE_SUMS,
        )


@pytest.mark.parametrize("shape", [(40, 60, 70), (700, 800)])
@pytest.mark.parametrize("joined", [1, 2])
def test_many_slabs_as_scipy_labels_them(shape: tuple[int, ...], joined: int) -> None:
    """Zones that reach through all slabs; and threads do not matter."""
    ndimage = pytest.importorskip("scipy.ndimage")
    image = np.random.default_rng(0).integers(0, 3, shape)
    found = at_any_threads(lambda: zones(image, 3, None, joined))
    structure = ndimage.generate_binary_structure(image.ndim, joined)
    for level in range(3):
        labels, _ = ndimage.label(image == level, structure)
        counts = np.bincount(np.bincount(labels.ravel())[1:])
        expected = {(level, int(size)): int(counts[size]) for size in np.flatnonzero(counts)}
        ours = {cell: n for cell, n in cells(*found).items() if cell[0] == level}
        assert ours == expected


def test_a_long_thread() -> None:
    """A spiral is one zone however it winds."""
    spiral = np.zeros((101, 101), int)
    at, step = np.array([50, 50]), np.array([0, 1])
    for n in range(1, 48):
        for _ in range(2):
            for _ in range(2 * n):
                if (abs(at - 50) > 50).any():
                    break
                spiral[tuple(at)] = 1
                at = at + step
            step = np.array([step[1], -step[0]])
    for picture in (spiral, spiral.T, spiral[::-1, ::-1]):
        assert zones(picture, 2, picture == 1, 1).sizes.tolist() == [spiral.sum()]


def test_merged() -> None:
    parts = [zones(IMAGE, 4), zones(np.zeros((5, 5), int), 4)]
    counts, sizes = merged(parts)
    assert sizes.tolist() == [1, 2, 3, 25]
    assert counts.tolist() == [[*row, int(i == 0)] for i, row in enumerate(THIBAULT)]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((IMAGE, 4, None, 3), "connectivity must be from 1 to 2, got 3"),
        ((IMAGE, 4, None, 0), "connectivity must be from 1 to 2, got 0"),
        ((IMAGE, 3), "image must have levels from 0 to 2, got 3"),
        ((IMAGE * 1.0, 4), "image must hold integers .*, got float64 array"),
        ((IMAGE, 4, IMAGE < 0), "mask must hold a pixel or more"),
    ],
)
def test_mistakes(args: tuple[Any, ...], said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        zones(*args)


def test_mistakes_of_features() -> None:
    with pytest.raises(ValueError, match=r"sizes must have shape \(3\)"):
        zone_features(THIBAULT, [1, 2])
    with pytest.raises(ValueError, match="sizes must be above 0, got 0"):
        zone_features(THIBAULT, [0, 1, 2])
    with pytest.raises(ValueError, match="counts must count something in each matrix"):
        zone_features(np.zeros((3, 2)))
