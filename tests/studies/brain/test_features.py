"""MaZda's table: its names, its numbers against plain loops, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from lesionkit.studies.brain import features
from lesionkit.studies.brain.table1 import CNN, CONFUSION, LISTS, TABLE1
from lesionkit.studies.common.classify import Result, wilson
from reference import texture_mazda as reference

ROIS = np.random.default_rng(0).integers(0, 256, (3, 10, 10)).astype(float)


def test_names() -> None:
    assert len(features.NAMES) == len(set(features.NAMES)) == 229
    assert features.NAMES[:2] == ("S(1,0)AngScMom", "S(1,0)Contrast")
    assert features.NAMES[-9:] == features.HISTOGRAM
    assert features.OFFSETS.shape == (20, 2)
    # dx along columns; rows grow downwards
    assert features.STEPS["S(2,0)"] == (0, 2)
    assert features.STEPS["S(0,2)"] == (2, 0)
    assert features.STEPS["S(3,3)"] == (-3, 3)
    assert features.STEPS["S(3,-3)"] == (3, 3)


def test_the_papers_table() -> None:
    assert [len(names) for names in LISTS] == [10, 10, 10]
    assert len(TABLE1) == 28
    assert set(TABLE1) < set(features.NAMES)
    counts = np.array(CONFUSION)
    paper = Result("CNN", ("normal", "abnormal"), np.array([]), np.array([]), counts, 0.48)
    assert paper.accuracy == paper.tp_rate == CNN["accuracy"]
    assert round(paper.kappa, 2) == CNN["kappa"]
    assert round(paper.fp_rate, 3) == CNN["fp_rate"]
    np.testing.assert_allclose(wilson(paper.accuracy, 400), (0.806, 0.877), atol=5e-4)


def test_every_feature_is_that_of_plain_loops() -> None:
    table, names = features.mazda(ROIS)
    assert names == features.NAMES
    assert table.shape == (3, 229)
    for roi, row in zip(ROIS, table, strict=True):
        told = dict(zip(names, row, strict=True))
        levels = reference.levels_of(roi, 64, "sigma")
        for name in ("S(1,0)", "S(0,3)", "S(2,2)", "S(5,-5)"):
            expected = reference.mazda(levels, features.STEPS[name])
            found = [told[name + feature] for feature in features.MAZDA]
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(row[-9:], reference.histogram_features(roi), rtol=1e-9)


def test_families() -> None:
    every = tuple(features.FAMILIES)
    table, names = features.mazda(ROIS, families=every)
    assert len(names) == len(set(names)) == 229 + 20 + 5 + 5 + 8
    told = dict(zip(names, table[0], strict=True))
    # runs of one row by hand: 10 rows of 10 pixels along the rows
    flat = np.tile(np.arange(10.0), (10, 1)).T[None] * 20
    values, keys = features.mazda(flat, families=("runs",))
    by_name = dict(zip(keys, values[0], strict=True))
    assert by_name["Horzl_LngREmph"] == 100  # ten runs of length ten
    assert by_name["Horzl_Fraction"] == 0.1
    assert by_name["Vertl_ShrtREmp"] == 1
    levels = reference.levels_of(ROIS[0], 16, "sigma").astype(float)
    expected = reference.gradient_features(levels)
    np.testing.assert_allclose([told[n] for n in features.GRADIENT], expected, rtol=1e-9)
    np.testing.assert_allclose([told[n] for n in features.AR_MODEL],
                               reference.ar_features(ROIS[0]), rtol=1e-6)  # fmt: skip


@pytest.mark.parametrize("how", ["sigma", "percentile"])
def test_levels_are_those_of_the_kernels(how: str) -> None:
    found = features.quantised(ROIS, 64, how)
    for roi, levels in zip(ROIS, found, strict=True):
        np.testing.assert_array_equal(levels, reference.levels_of(roi, 64, how))


def test_levels_of_the_image_let_the_mean_in() -> None:
    brighter = ROIS / 2 + 100
    table = {}
    for how in ("sigma", None):
        values, names = features.mazda(np.stack([ROIS[0] / 2, brighter[0]]), normalise=how)
        table[how] = values[:, names.index("S(1,0)SumAverg")]
    assert table["sigma"][0] == pytest.approx(table["sigma"][1])
    assert table[None][1] > table[None][0] + 40  # 100 of 256 levels, of two pixels, in 64


def test_a_constant_region_has_finite_features() -> None:
    for how in ("sigma", "percentile", None):
        table, _ = features.mazda(
            np.full((1, 10, 10), 7), families=tuple(features.FAMILIES), normalise=how
        )
        assert np.isfinite(table).all()


@pytest.mark.parametrize(
    ("rois", "how", "message"),
    [
        (np.zeros((2, 5, 9)), {}, "rois must have at least 6 rows and columns"),
        (np.zeros((9, 9)), {}, "rois must"),
        (np.full((1, 9, 9), np.nan), {}, "rois must"),
        (ROIS, {"families": ("wavelets",)}, "families must be"),
        (ROIS, {"levels": 1}, "levels must be"),
    ],
)
def test_refused(rois: np.ndarray, how: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        features.mazda(rois, **how)
