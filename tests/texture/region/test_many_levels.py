"""Regions of thousands of levels: work grows with the voxels, not with levels squared."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from lesionkit.texture import (
    Settings,
    cooccurrence,
    dependence_features,
    haralick,
    neighbours,
    radiomics,
)
from lesionkit.texture.haralick import IBSI, features_of
from lesionkit.texture.region.discretise import region
from lesionkit.texture.region.neighbours import tone_features
from lesionkit.texture.region.pairs import Cells, CellSums, count_cells
from lesionkit.texture.region.runs import all_directions, count_runs, steps_of

NAMES = (*IBSI, "maximal_correlation")


@pytest.mark.parametrize("shape", [(5, 6, 7), (9, 11)])
def test_cells_have_the_features_of_their_matrices(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    image, mask = random.integers(0, 40, shape), random.uniform(size=shape) < 0.8
    directions = all_directions(len(shape))
    cells = count_cells(region(image, 40, mask), steps_of(directions, len(shape)))
    matrices = cooccurrence(image, directions, 40, mask)
    for found, merged in ((cells, matrices), ([sum(cells[1:], cells[0])], matrices.sum(0)[None])):
        ours = features_of(CellSums(found), NAMES)
        np.testing.assert_allclose(ours, haralick(merged, NAMES), rtol=1e-9, atol=1e-12)


def test_the_maximal_correlation_of_many_levels() -> None:
    """The largest eigenvalues of a sparse matrix, against all of the dense one."""
    random = np.random.default_rng(1)
    i = random.integers(0, 600, 4000)
    j = np.clip(i + random.integers(-40, 41, i.size), 0, 599)
    cells = Cells.of(np.minimum(i, j), np.maximum(i, j), None, 600)
    matrix = np.zeros((600, 600))
    np.add.at(matrix, (np.concatenate([i, j]), np.concatenate([j, i])), 1)
    expected = haralick(matrix, "maximal_correlation")
    assert cells.maximal_correlation() == pytest.approx(expected, rel=1e-9)


def test_parts_without_a_pair_between_them() -> None:
    two = Cells.of(np.array([0, 7, 8]), np.array([1, 8, 9]), None, 10)
    matrix = np.zeros((10, 10))
    for a, b in ((0, 1), (7, 8), (8, 9)):
        matrix[[a, b], [b, a]] = 1
    assert two.maximal_correlation() == 1.0
    assert haralick(matrix, "maximal_correlation") == pytest.approx(1.0)


@pytest.mark.parametrize("aggregation", ["3D, averaged", "3D, merged", "2D, averaged",
                                         "2D, slice-merged", "2.5D, merged"])  # fmt: skip
def test_bins_that_stay_empty_only_move_the_numbers(aggregation: str) -> None:
    """Levels 1, 2, 3 and the same 100 times as far apart: what looks at no number is the same."""
    levels = np.random.default_rng(2).integers(1, 4, (4, 6, 6))
    settings = Settings(binning="levels", aggregation=aggregation)
    near, far = (radiomics(levels * k, levels > 0, settings=settings) for k in (1, 101))
    for name in (
        "glcm_JointEntropy",
        "glcm_MCC",
        "glcm_Imc1",
        "glcm_Correlation",
        "glrlm_RunEntropy",
        "glrlm_ShortRunEmphasis",
        "glszm_ZoneEntropy",
        "gldm_DependenceEntropy",
    ):
        assert far[f"original_{name}"] == pytest.approx(near[f"original_{name}"], rel=1e-9), name
    assert far["original_glcm_Contrast"] == pytest.approx(101**2 * near["original_glcm_Contrast"])
    high = "original_glrlm_HighGrayLevelRunEmphasis"
    assert far[high] == pytest.approx(101**2 * near[high])


def test_three_voxels_far_apart() -> None:
    """Matrices of 65,000 levels would take 60 GiB."""
    volume, mask = np.array([[[0.5, 30000.5, 65000.5]]]), np.ones((1, 1, 3), bool)
    found = radiomics(volume, mask, settings=Settings(bin_width=1.0))
    assert found["original_glcm_Contrast"] == pytest.approx((30000**2 + 35000**2) / 2)
    assert found["original_glcm_JointEntropy"] == pytest.approx(2.0)
    assert found["original_glszm_ZonePercentage"] == 1.0
    assert found["original_glrlm_GrayLevelNonUniformity"] == 1.0


def test_tones_of_many_levels() -> None:
    """Against the sums over pairs of levels, written out."""
    random = np.random.default_rng(3)
    n, s = random.integers(0, 4, 400).astype(float), random.uniform(0, 9, 400)
    s[n == 0] = 0
    i, p = np.arange(1.0, 401), n / n.sum()
    there = p > 0
    i, p, s = i[there], p[there], s[there]
    apart, both = abs(i[:, None] - i), p[:, None] + p
    kinds = len(i)
    expected = {
        "coarseness": 1 / (p @ s),
        "contrast": p @ apart**2 @ p * s.sum() / n.sum() / (kinds * (kinds - 1)),
        "busyness": p @ s / abs((i * p)[:, None] - i * p).sum(),
        "complexity": (apart * ((p * s)[:, None] + p * s) / both).sum() / n.sum(),
        "strength": (both * apart**2).sum() / s.sum(),
    }
    whole = np.zeros(400)
    whole[there] = s
    assert tone_features(n, whole) == pytest.approx(expected, rel=1e-12)
    assert tone_features([3, 1, 1], [1.0, 0, 0])["busyness"] > 0
    assert tone_features([6, 3, 2], [1.0, 1, 1])["busyness"] == 0  # i p is 6 / 11 of each


def test_tones_of_16000_levels() -> None:
    image = np.random.default_rng(4).permutation(16000).reshape(20, 20, 40)
    found = neighbours(image, 16000)
    features = tone_features(found.voxels, found.differences)
    assert all(np.isfinite(value) and value > 0 for value in features.values())


def test_runs_are_counted_a_few_directions_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = region(np.random.default_rng(5).integers(0, 3, (4, 5, 6)) ** 4, 20)
    steps = steps_of(None, 3)
    expected = count_runs(cut, steps)
    monkeypatch.setattr("lesionkit.texture.region.runs.MAX_TABLES", 4 * 21 * 7 * 3)
    np.testing.assert_array_equal(count_runs(cut, steps), expected)


def test_many_levels_without_a_pair():
    """Features of integers whose only pair of neighbours is outside the region."""
    volume = np.array([[[1400, 3000, 2000]]])
    mask = np.array([[[True, False, True]]])
    found = radiomics(volume, mask, settings=Settings(bin_width=0.5))
    assert np.isnan(found["original_glcm_Contrast"])


def test_neighbourhoods_of_many_levels_are_those_of_all_levels() -> None:
    """A region's tables have rows of the levels that occur alone; of the functions' one of each."""
    levels = np.random.default_rng(6).integers(0, 900, (7, 8, 9)) ** 2 // 500
    found = radiomics(
        levels + 1, levels >= 0, binning="levels", families=("gldm", "ngtdm"), alpha=40
    )
    every = neighbours(levels, 1700, alpha=40)
    dependence = dependence_features(every.dependence)
    tones = tone_features(every.voxels, every.differences)
    for name, value in (
        ("gldm_LargeDependenceEmphasis", dependence["high_dependence_emphasis"]),
        ("gldm_HighGrayLevelEmphasis", dependence["high_grey_level_emphasis"]),
        ("gldm_DependenceEntropy", dependence["dependence_entropy"]),
        ("ngtdm_Busyness", tones["busyness"]),
        ("ngtdm_Complexity", tones["complexity"]),
        ("ngtdm_Strength", tones["strength"]),
    ):
        assert found[f"original_{name}"] == pytest.approx(float(value), rel=1e-12), name


@pytest.mark.parametrize("aggregation", ["3D, averaged", "2D, averaged"])
def test_memory_of_neighbourhoods_does_not_grow_with_levels(aggregation: str) -> None:
    """Tables of 60,000 levels took 39 MB; those of 512 voxels take 0.3."""
    levels = np.random.default_rng(7).integers(1, 60000, (8, 8, 8))
    settings = Settings(binning="levels", families=("gldm", "ngtdm"), aggregation=aggregation)
    radiomics(levels, levels > 0, settings=settings)
    tracemalloc.start()
    radiomics(levels, levels > 0, settings=settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6
