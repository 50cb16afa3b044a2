"""Scores of masks: by hand, by their definitions, properties, empty ones, mistakes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tolerances
from lesionkit.geometry import Geometry
from lesionkit.metrics import masks as metrics
from reference import metrics_masks as reference

# --- known answers --------------------------------------------------------------------------------

FOUND = np.array([[1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
TRUTH = np.array([[0, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]])


def test_by_hand() -> None:
    # 2 in both, 2 found alone, 2 true alone, 6 in neither
    assert metrics.jaccard(FOUND, TRUTH) == 2 / 6
    assert metrics.dice(FOUND, TRUTH) == 4 / 8
    assert metrics.error_rates(FOUND, TRUTH) == (2 / 6, 2 / 6)
    assert metrics.error_rates(FOUND, TRUTH, "reference") == (2 / 4, 2 / 4)
    assert metrics.error_rates(FOUND, TRUTH, "standard") == (2 / 8, 2 / 4)
    assert metrics.lesion_f1(FOUND, TRUTH) == 2 * 1 / (2 * 1 + 1 + 1)
    assert metrics.volume(FOUND, (2.0, 0.5)) == 4


def test_the_published_means_add_up_as_ours_do() -> None:
    """Jaccard, FPR and FNR of the union are the whole of it."""
    assert sum((metrics.jaccard(FOUND, TRUTH), *metrics.error_rates(FOUND, TRUTH))) == 1


def test_borders_of_two_squares_a_step_apart() -> None:
    a, b = np.zeros((2, 30, 30), bool)
    a[5:15, 5:15] = True
    b[5:15, 8:18] = True
    assert metrics.hausdorff95(a, b) == 3
    assert metrics.hausdorff95(a, b, (1.0, 2.5)) == 7.5
    assert metrics.hausdorff95(a, a) == 0


def test_a_lone_speck_is_left_out_of_the_95_per_cent() -> None:
    a, b = np.zeros((2, 60, 60), bool)
    a[5:25, 5:25] = b[5:25, 5:25] = True
    b[55, 55] = True  # one of 77 border pixels
    assert metrics.hausdorff95(a, b) == 0


def test_lesions_touch_along_diagonals() -> None:
    assert metrics.lesion_f1(np.eye(4, dtype=bool), np.eye(4, dtype=bool)[::-1]) == 0
    assert metrics.lesion_f1([[1, 0], [0, 0]], [[1, 0], [0, 1]]) == 1


def test_scores_are_the_single_ones() -> None:
    got = metrics.scores(FOUND, TRUTH, (2.0, 0.5))
    assert got == (
        metrics.jaccard(FOUND, TRUTH),
        metrics.dice(FOUND, TRUTH),
        *metrics.error_rates(FOUND, TRUTH),
        metrics.hausdorff95(FOUND, TRUTH, (2.0, 0.5)),
        metrics.lesion_f1(FOUND, TRUTH),
        4.0,
        4.0,
    )


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)])
def test_empty_masks(shape: tuple[int, ...]) -> None:
    none, some = np.zeros((2, *shape), bool)
    some.flat[7] = True
    assert metrics.scores(none, none) == (1, 1, 0, 0, 0, 1, 0, 0)
    assert metrics.scores(some, none) == (0, 0, 1, 0, math.inf, 0, 1, 0)
    assert metrics.scores(none, some) == (0, 0, 0, 1, math.inf, 0, 0, 1)
    assert metrics.error_rates(none, none, "reference") == (0, 0)
    assert metrics.error_rates(some, none, "reference") == (math.inf, 0)
    assert metrics.error_rates(none, some, "reference") == (0, 1)
    assert metrics.error_rates(none, none, "standard") == (0, 0)
    whole = ~none
    assert metrics.error_rates(whole, whole, "standard") == (0, 0)


# --- by definition, and properties ----------------------------------------------------------------


@st.composite
def pairs(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(st.sampled_from([(9,), (6, 7), (3, 4, 5)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    fraction = draw(st.sampled_from([0.02, 0.2, 0.6]))
    return rng.random(shape) < fraction, rng.random(shape) < fraction


@settings(max_examples=60, deadline=None)
@given(pairs(), st.sampled_from([0.3, 1.0, 2.0]))
def test_by_definition(pair: Any, step: float) -> None:
    a, b = pair
    spacing = [1.0] * (a.ndim - 1) + [step]
    expected = reference.hausdorff95(a, b, spacing)
    got = metrics.hausdorff95(a, b, spacing)
    assert got == expected or math.isclose(got, expected, rel_tol=tolerances.DISTANCE)
    assert metrics.lesion_f1(a, b) == reference.lesion_f1(a, b)
    x, y = reference.pixels(a), reference.pixels(b)
    union = len(x | y)
    assert metrics.jaccard(a, b) == (len(x & y) / union if union else 1)
    rates = (len(x - y) / union, len(y - x) / union) if union else (0, 0)
    assert metrics.error_rates(a, b) == rates


@settings(max_examples=60, deadline=None)
@given(pairs())
def test_properties(pair: Any) -> None:
    a, b = pair
    j, d = metrics.jaccard(a, b), metrics.dice(a, b)
    assert math.isclose(d, 2 * j / (1 + j), abs_tol=1e-15)
    assert metrics.scores(a, a)[:6] == (1, 1, 0, 0, 0, 1)
    assert metrics.hausdorff95(a, b) == metrics.hausdorff95(b, a)
    forward, backward = metrics.error_rates(a, b), metrics.error_rates(b, a)
    assert forward == backward[::-1]


def test_integers_views_and_read_only_masks_do() -> None:
    expected = metrics.scores(FOUND, TRUTH)
    big = np.zeros((6, 8), np.uint16)
    big[::2, ::2] = FOUND * 255
    big.flags.writeable = False
    assert metrics.scores(big[::2, ::2], np.asfortranarray(TRUTH == 1)) == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f4", ">i2"])
def test_masks_as_files_give_them(dtype: Any) -> None:
    expected = metrics.scores(FOUND, TRUTH)
    near = FOUND.astype(dtype) * np.asarray(0.9999999, np.float64).astype(dtype)
    if np.dtype(dtype).kind == "f":
        assert metrics.scores(near, TRUTH.astype(dtype)) == expected
    assert metrics.scores(FOUND.astype(dtype), TRUTH.astype(dtype)) == expected


# --- spacing and geometry -------------------------------------------------------------------------


def sheared(degrees: float, axes: int = 3) -> Geometry:
    """Planes of 5 mm, each further to the front; or rows, each further to the right."""
    affine = np.diag([2.0, 3.0, 5.0, 1.0])
    affine[(1, 2) if axes == 3 else (0, 1)] = affine[axes - 1, axes - 1] * math.tan(
        math.radians(degrees)
    )
    return Geometry(affine, axes)


@pytest.mark.parametrize("degrees", [0.0, 10.0, -40.0])
@pytest.mark.parametrize("axes", [2, 3])
def test_volumes_and_distances_under_a_shear(degrees: float, axes: int) -> None:
    geometry = sheared(degrees, axes)
    shape = (4, 5, 6)[-axes:]
    size = 2 * 3 * (5 if axes == 3 else 1)
    assert metrics.volume(np.ones(shape), geometry) == pytest.approx(math.prod(shape) * size)
    assert geometry.shear == pytest.approx(abs(degrees))
    a, b = np.zeros((2, *shape), bool)
    first, last = (0,) * axes, tuple(n - 1 for n in shape)
    a[first] = b[last] = True
    apart = np.linalg.norm(np.diff(geometry.places([first, last]), axis=0))
    assert metrics.hausdorff95(a, b, geometry) == pytest.approx(apart)
    scores = metrics.scores(a, b, geometry)
    assert scores.hausdorff95 == pytest.approx(apart)
    assert scores.volume == pytest.approx(size)


def test_distances_under_a_shear_are_those_of_places() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random((2, 4, 5, 6)) < 0.2
    geometry = sheared(30)
    from scipy.ndimage import binary_erosion

    borders = [geometry.places(np.argwhere(m & ~binary_erosion(m))) for m in (a, b)]
    table = np.linalg.norm(borders[0][:, None] - borders[1], axis=-1)
    expected = max(np.percentile(table.min(axis), 95) for axis in (0, 1))
    assert metrics.hausdorff95(a, b, geometry) == pytest.approx(expected)
    # without a shear a geometry is its spacing
    straight = Geometry(np.diag([2.0, 3.0, 5.0, 1.0]))
    assert metrics.scores(a, b, straight) == metrics.scores(a, b, (5.0, 3.0, 2.0))


@pytest.mark.parametrize("spacing", [1e308, 1e-308, (1.0, 1e200), (1e-200, 1.0)])
def test_spacings_that_no_image_has(spacing: Any) -> None:
    for call in (metrics.scores, metrics.hausdorff95):
        with pytest.raises(ValueError, match=r"spacing must be from 1e-50 to 1e\+50 mm, got .*"):
            call(FOUND, TRUTH, spacing)
    with pytest.raises(ValueError, match="spacing must be from 1e-50"):
        metrics.volume(FOUND, spacing)
    with pytest.raises(ValueError, match="spacing must be of 2 axes, got a Geometry of 3 axes"):
        metrics.volume(FOUND, sheared(0))


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "truth", "kind", "sentence"),
    [
        (np.full((3, 4), 0.5), TRUTH, ValueError, "found must hold booleans or whole .* got 0.5.*"),
        (FOUND, np.full((3, 4), 0.9), ValueError, r"truth must .*; .* as truth > 0\.5"),
        (FOUND, np.full((3, 4), np.nan), ValueError, "truth must hold .* got nan.*"),
        (FOUND, TRUTH.astype(complex), TypeError, "truth must hold booleans .* got complex128 .*"),
        (FOUND, [[1], [1, 2]], TypeError, "truth must be an array of booleans .*"),
        (FOUND, TRUTH.T, ValueError, r"found and truth must have one shape, got \(3, 4\) and .*"),
        (np.zeros((0, 4), bool), TRUTH, ValueError, "found must hold a pixel or more, got bool.*"),
        (np.ma.masked_equal(FOUND, 0), TRUTH, ValueError, "found has masked entries.*"),
        (FOUND, 3, ValueError, "truth must hold a pixel or more, got int64 array of shape .*"),
    ],
)
def test_mistakes_in_masks(found: Any, truth: Any, kind: type[Exception], sentence: str) -> None:
    for score in (metrics.dice, metrics.jaccard, metrics.hausdorff95, metrics.scores):
        with pytest.raises(kind, match=sentence):
            score(found, truth)


def test_mistakes_in_options() -> None:
    with pytest.raises(ValueError, match="normalise must be 'union', 'reference' or 'standard'"):
        metrics.error_rates(FOUND, TRUTH, "all")
    with pytest.raises(ValueError, match="normalise must be"):
        metrics.error_rates(FOUND, TRUTH, np.array([1, 2]))
    for spacing in (0.0, (1.0, -1.0), (1.0, 1.0, 1.0), (1.0, math.nan)):
        for score in (metrics.hausdorff95, metrics.scores):
            with pytest.raises(ValueError, match="spacing"):
                score(FOUND, TRUTH, spacing)
