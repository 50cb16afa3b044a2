"""Features of many small regions: published numbers, the slow reference, properties, mistakes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tolerances
from invariances import at_any_threads
from lesionkit.texture.glcm import cooccurrence
from lesionkit.texture.haralick import haralick
from lesionkit.texture.rois import MAZDA, label_features, roi_features
from reference import texture_mazda as reference

STEPS = [(0, 1), (1, 1), (1, 0), (1, -1)]
OFFSETS = [(d * r, d * c) for d in range(1, 6) for r, c in STEPS]
# Haralick, Shanmugam and Dinstein 1973, figure 3: the image, and its matrix at (0, 1).
HARALICK = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]], np.uint8)
HARALICK_ACROSS = np.array([[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]]) / 24


def close(ours: Any, expected: Any) -> None:
    np.testing.assert_allclose(
        ours, expected, rtol=tolerances.TEXTURE_SUMS, atol=tolerances.TEXTURE_SUMS
    )


def column(features: np.ndarray, name: str) -> np.ndarray:
    return features[..., MAZDA.index(name)]


def dense(counts: np.ndarray) -> np.ndarray:
    """The 11 features of matrices (..., levels, levels), as an array user writes them."""
    p = counts / counts.sum((-1, -2), keepdims=True)
    level = np.arange(1, p.shape[-1] + 1)
    i, j = level[:, None], level[None]
    over = (-2, -1)
    sums = np.stack([(p * (i + j == k)).sum(over) for k in range(2, 2 * len(level) + 1)], -1)
    apart = np.stack([(p * (abs(i - j) == k)).sum(over) for k in range(len(level))], -1)
    k, d = np.arange(2, 2 * len(level) + 1), np.arange(len(level))
    mean, average, far = (p * i).sum(over), sums @ k, apart @ d
    variance = (p * i * i).sum(over) - mean**2
    covariance = (p * i * j).sum(over) - mean**2
    flat = variance < 1e-9

    def entropy(q: np.ndarray) -> np.ndarray:
        return -(q * np.log10(np.where(q > 0, q, 1))).sum(-1)

    return np.stack(
        [
            (p**2).sum(over),
            (p * (i - j) ** 2).sum(over),
            np.where(flat, 1, covariance / np.where(flat, 1, variance)),
            variance,
            (p / (1 + (i - j) ** 2)).sum(over),
            average,
            sums @ k**2 - average**2,
            entropy(sums),
            entropy(p.reshape(*p.shape[:-2], -1)),
            apart @ d**2 - far**2,
            entropy(apart),
        ],
        -1,
    )


class TestKnownAnswers:
    def test_haralicks_image(self) -> None:
        found = roi_features(HARALICK[None], [(0, 1)], 4)[0, 0]
        close(found, dense(HARALICK_ACROSS))
        close(found[0], 84 / 576)  # the squares of his entries

    def test_two_pixels(self) -> None:
        """One pair (0, 2): two cells of 1/2; i + j = 4, |i - j| = 2."""
        found = roi_features(np.array([[[0, 2]]], np.uint8), [(0, 1)], 3, log_base=2)[0, 0]
        close(found, [0.5, 4, -1, 1, 0.2, 4, 0, 0, 1, 0, 0])

    def test_a_constant_roi(self) -> None:
        found = roi_features(np.full((1, 4, 4), 5), [(0, 1), (1, 0)], 8)
        np.testing.assert_array_equal(found, [[[1, 0, 1, 0, 1, 12, 0, 0, 0, 0, 0]] * 2])

    def test_no_pairs(self) -> None:
        rois = np.zeros((2, 3, 4), np.uint8)
        found = roi_features(rois, [(0, 1), (3, 0), (0, -4), (10**15, 0)], 2)
        assert np.isfinite(found[:, 0]).all()
        assert np.isnan(found[:, 1:]).all()
        assert np.isnan(roi_features(np.zeros((1, 1, 1), np.uint8), STEPS, 2)).all()


@pytest.mark.parametrize(
    ("shape", "levels", "dtype"),
    [
        ((3, 10, 10), 64, np.uint8),
        ((3, 7, 23), 8, np.int64),
        ((2, 9, 5), 256, np.uint8),
        ((2, 10, 10), 1000, np.uint16),
        ((1, 12, 19), 65536, np.int32),
    ],
)
def test_equals_the_reference(shape: tuple[int, ...], levels: int, dtype: Any) -> None:
    rois = np.random.default_rng(1).integers(0, levels, shape).astype(dtype)
    found = roi_features(rois, [*OFFSETS, (0, -2), (-3, 1)], levels)
    for i, roi in enumerate(rois):
        for k, offset in enumerate([*OFFSETS, (0, -2), (-3, 1)]):
            close(found[i, k], reference.mazda(roi, offset))


def test_a_batch_in_three_dimensions() -> None:
    rois = np.random.default_rng(2).integers(0, 9, (2, 3, 4, 5)).astype(np.uint16)
    offsets = [(0, 0, 1), (1, 0, 0), (1, -1, 2), (-2, 3, -4)]
    found = roi_features(rois, offsets, 9)
    for i, roi in enumerate(rois):
        for k, offset in enumerate(offsets):
            close(found[i, k], reference.mazda(roi, offset))


def test_equals_dense_matrices() -> None:
    random = np.random.default_rng(3)
    rois = np.cumsum(random.integers(-2, 3, (60, 10, 10)), 2) % 16
    counts = np.zeros((60, 20, 16, 16))
    for k, (dr, dc) in enumerate(OFFSETS):
        a = rois[:, : 10 - dr, max(0, -dc) : 10 - max(0, dc)]
        b = rois[:, dr:, max(0, dc) : 10 + min(0, dc)]
        for i in range(60):
            np.add.at(counts[i, k], (a[i].ravel(), b[i].ravel()), 1)
            np.add.at(counts[i, k], (b[i].ravel(), a[i].ravel()), 1)
    close(roi_features(rois, OFFSETS, 16), dense(counts))


def test_equals_the_features_of_matrices() -> None:
    """`haralick` of `cooccurrence`: another way to the same."""
    rois = np.random.default_rng(13).integers(0, 20, (7, 9, 8)).astype(np.uint8)
    counts = cooccurrence(rois, OFFSETS, 20)
    close(roi_features(rois, OFFSETS, 20), haralick(counts, MAZDA, log_base=10))


@pytest.mark.parametrize("levels", [256, 5000, 65536])
def test_large_regions(levels: int) -> None:
    """More pixels than keys of 16 bits allow, and more levels than one table of pairs holds."""
    roi = np.random.default_rng(4).integers(0, levels, (130, 140))
    roi[:, :70] //= 50
    a, b = roi[3:, :-2].ravel(), roi[:-3, 2:].ravel()
    found = roi_features(roi[None], [(-3, 2)], levels, log_base=math.e)[0, 0]
    n = a.size
    cells, count = np.unique([np.minimum(a, b), np.maximum(a, b)], axis=1, return_counts=True)
    fractions = np.where(cells[0] == cells[1], count / n, count / n / 2)
    times = np.where(cells[0] == cells[1], 1, 2)
    close(column(found, "AngScMom"), (times * fractions**2).sum())
    close(column(found, "Entropy"), -(times * fractions * np.log(fractions)).sum())
    for name, values in (("SumEntrp", a + b), ("DifEntrp", abs(a - b))):
        p = np.unique(values, return_counts=True)[1] / n
        close(column(found, name), -(p * np.log(p)).sum())
    close(column(found, "Contrast"), ((a - b) ** 2).mean())
    close(column(found, "SumVarnc"), np.var(a + b))
    close(column(found, "DifVarnc"), np.var(abs(a - b)))
    both = np.concatenate([a, b])
    close(column(found, "SumOfSqs"), np.var(both))
    close(column(found, "Correlat"), np.corrcoef(both, np.concatenate([b, a]))[0, 1])
    close(column(found, "InvDfMom"), (1 / (1 + (a - b) ** 2.0)).mean())


@pytest.mark.parametrize("how", ["sigma", "percentile"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int16])
def test_normalise(how: Any, dtype: Any) -> None:
    rois = (np.random.default_rng(5).normal(100, 20, (4, 8, 9))).astype(dtype)
    rois[1] = 7
    levels = np.array([reference.levels_of(roi, 64, how) for roi in rois])
    found = roi_features(rois, STEPS, 64, normalise=how)
    np.testing.assert_array_equal(found, roi_features(levels, STEPS, 64))
    if how == "sigma" and dtype == np.float64:
        assert 60 < column(found[0], "SumAverg").mean() < 70  # the middle of 64 levels


def test_one_outlier_leaves_no_width_between_percentiles() -> None:
    rois = np.zeros((1, 30, 30))
    rois[0, 3, 3] = 1e9
    found = roi_features(rois, [(0, 1)], 64, normalise="percentile")
    np.testing.assert_array_equal(found, roi_features(np.zeros((1, 30, 30), int), [(0, 1)], 64))


small = st.integers(0, 2**32 - 1).flatmap(
    lambda seed: st.tuples(
        st.just(np.random.default_rng(seed)),
        st.integers(1, 6),
        st.integers(1, 12),
        st.integers(1, 20),
        st.sampled_from([2, 5, 64, 65, 300]),
    )
)


@given(small)
def test_properties(case: tuple[np.random.Generator, int, int, int, int]) -> None:
    random, n, rows, columns, levels = case
    rois = random.integers(0, levels, (n, rows, columns)).astype(np.uint16)
    found = roi_features(rois, OFFSETS, levels)
    alone = [roi_features(roi[None], OFFSETS, levels) for roi in rois]
    np.testing.assert_array_equal(found, np.concatenate(alone))
    np.testing.assert_array_equal(found, roi_features(rois, -np.array(OFFSETS), levels))
    close(found, roi_features(rois.swapaxes(1, 2), np.array(OFFSETS)[:, ::-1], levels))
    some = ["Entropy", "Contrast", "InvDfMom"]
    chosen = np.stack([column(found, name) for name in some], -1)
    np.testing.assert_array_equal(roi_features(rois, OFFSETS, levels, some), chosen)
    # A constant more, or many more levels: nothing changes but the sum average.
    lifted = roi_features(rois.astype(int) + 700, OFFSETS, levels + 700)
    close(column(lifted, "SumAverg"), column(found, "SumAverg") + 1400)
    others = [name for name in MAZDA if name != "SumAverg"]
    for name in others:
        close(column(lifted, name), column(found, name))
    there = found[~np.isnan(found).any(-1)]
    assert ((column(there, "Correlat") >= -1 - 1e-12) & (column(there, "Correlat") <= 1)).all()
    assert (column(there, "AngScMom") <= 1).all()
    assert (there[:, [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]] >= 0).all()


def test_threads_chunks_and_layouts_change_nothing() -> None:
    rois = np.random.default_rng(6).integers(0, 64, (300, 10, 10)).astype(np.uint8)
    found = at_any_threads(lambda: roi_features(rois, OFFSETS, 64))
    locked = rois.copy()
    locked.flags.writeable = False
    strided = np.repeat(rois, 2, axis=2)[:, :, ::2]
    for same in (locked, strided, np.asfortranarray(rois), rois.astype(">i4"), rois.tolist()):
        np.testing.assert_array_equal(roi_features(same, OFFSETS, 64), found)


def test_an_empty_batch() -> None:
    assert roi_features(np.zeros((0, 5, 5), np.uint8), STEPS, 8).shape == (0, 4, 11)
    assert roi_features(np.zeros((0, 5, 5)), STEPS, 8, normalise="sigma").shape == (0, 4, 11)


def test_tensors() -> None:
    torch = pytest.importorskip("torch")
    rois = np.random.default_rng(7).integers(0, 8, (3, 5, 5)).astype(np.uint8)
    found = roi_features(torch.from_numpy(rois), STEPS, 8)
    assert isinstance(found, torch.Tensor)
    np.testing.assert_array_equal(found.numpy(), roi_features(rois, STEPS, 8))


def test_mahotas() -> None:
    """Its variants, as documented: levels from 0, base 2, `use_x_minus_y_variance`."""
    mahotas = pytest.importorskip("mahotas")
    rois = np.random.default_rng(8).integers(0, 16, (20, 10, 10)).astype(np.uint8)
    rois[:, 0, 0] = 15
    found = roi_features(rois, STEPS, 16, log_base=2)
    theirs = np.array([mahotas.features.haralick(r, use_x_minus_y_variance=True) for r in rois])
    theirs = theirs[..., : len(MAZDA)]
    theirs[..., MAZDA.index("SumAverg")] += 2
    close(found, theirs)


class TestLabels:
    def test_rectangles_are_rois(self) -> None:
        random = np.random.default_rng(9)
        image = random.integers(0, 300, (40, 60)).astype(np.uint16)
        labels = np.kron(np.arange(24).reshape(4, 6), np.ones((10, 10), int))
        rois = image.reshape(4, 10, 6, 10).swapaxes(1, 2).reshape(24, 10, 10)
        for how in (None, "sigma", "percentile"):
            found, ids = label_features(image, labels, OFFSETS, 300, normalise=how)
            np.testing.assert_array_equal(ids, np.arange(1, 24))
            assert ids.dtype == np.int64
            expected = roi_features(rois, OFFSETS, 300, normalise=how)[1:]
            np.testing.assert_array_equal(found, expected)

    @pytest.mark.parametrize(("shape", "levels"), [((14, 17), 9), ((14, 17), 900), ((5, 6, 7), 9)])
    def test_equals_the_reference(self, shape: tuple[int, ...], levels: int) -> None:
        random = np.random.default_rng(10)
        image = random.integers(0, levels, shape)
        labels = random.choice([0, 2, 5, 10**12], shape, p=[0.3, 0.3, 0.35, 0.05])
        offsets = [(0,) * (len(shape) - 2) + o for o in OFFSETS[:8]]
        found, ids = label_features(image, labels, offsets, levels)
        np.testing.assert_array_equal(ids, [2, 5, 10**12])
        for i, label in enumerate(ids):
            for k, offset in enumerate(offsets):
                close(found[i, k], reference.mazda(image, offset, inside=labels == label))

    @pytest.mark.parametrize("how", ["sigma", "percentile"])
    def test_normalise_looks_at_the_object_alone(self, how: Any) -> None:
        random = np.random.default_rng(11)
        image, labels = random.normal(size=(12, 13)), random.integers(0, 3, (12, 13))
        found, _ = label_features(image, labels, STEPS, 32, normalise=how)
        for label in (1, 2):
            levels = np.zeros(image.shape, int)
            levels[labels == label] = reference.levels_of(image[labels == label], 32, how)
            for k, offset in enumerate(STEPS):
                expected = reference.mazda(levels, offset, inside=labels == label)
                close(found[label - 1, k], expected)

    def test_properties(self) -> None:
        random = np.random.default_rng(12)
        image, labels = random.integers(0, 64, (50, 50)), random.integers(0, 40, (50, 50))
        labels.flags.writeable = False
        found, ids = label_features(image, labels, STEPS, 64)
        at_any_threads(lambda: label_features(image, labels, STEPS, 64)[0])
        # numbered otherwise, turned round, with nonsense in the background
        other = np.where(labels > 0, image, -5)
        again, numbers = label_features(other, labels * 1000, STEPS, 64)
        np.testing.assert_array_equal(again, found)
        np.testing.assert_array_equal(numbers, ids * 1000)
        close(label_features(image[::-1, ::-1], labels[::-1, ::-1], STEPS, 64)[0], found)

    def test_nothing_there(self) -> None:
        found, ids = label_features(np.ones((4, 4), int), np.zeros((4, 4), int), STEPS, 4)
        assert found.shape == (0, 4, 11)
        assert ids.shape == (0,)
        found, ids = label_features(np.ones((0, 4), int), np.zeros((0, 4), int), STEPS, 4)
        assert found.shape == (0, 4, 11)

    @pytest.mark.parametrize(
        ("labels", "kind", "message"),
        [
            (np.zeros((4, 5), int), ValueError, r"labels must have shape \(4, 4\)"),
            (np.full((4, 4), -1), ValueError, "labels must not be negative, got -1"),
            (np.full((4, 4), 0.5), ValueError, "labels must hold whole numbers, got 0.5"),
        ],
    )
    def test_mistakes(self, labels: Any, kind: type[Exception], message: str) -> None:
        with pytest.raises(kind, match=message):
            label_features(np.ones((4, 4), int), labels, STEPS, 4)

    def test_mistakes_of_the_image(self) -> None:
        labels = np.ones((4, 4), int)
        with pytest.raises(ValueError, match="image must be levels from 0 to 3, got 4"):
            label_features(labels * 4, labels, STEPS, 4)
        with pytest.raises(ValueError, match=r"image must have shape \(planes, rows, columns\)"):
            label_features(labels, labels, [(0, 0, 1)], 4)


GOOD: dict[str, Any] = {"rois": np.ones((2, 4, 4), np.uint8), "offsets": STEPS, "levels": 4}


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"rois": np.ones((4, 4), int)}, ValueError, r"rois must have shape \(n, rows, columns\)"),
        ({"offsets": [(0, 0, 1)]}, ValueError, r"rois must have shape \(n, planes, rows, columns"),
        ({"rois": np.ones((2, 0, 4), int)}, ValueError, "rois must have pixels"),
        ({"rois": np.full((1, 4, 4), 4)}, ValueError, "rois must be levels from 0 to 3, got 4"),
        ({"rois": np.full((1, 4, 4), -1)}, ValueError, "rois must be levels from 0 to 3, got -1"),
        ({"rois": np.ones((1, 4, 4))}, TypeError, "rois must hold integers .*, got float64"),
        ({"rois": np.ones((1, 4, 4), bool)}, TypeError, "rois must hold integers .*, got bool"),
        (
            {"rois": np.full((1, 4, 4), np.nan), "normalise": "sigma"},
            ValueError,
            "rois must be finite, got 16 NaN",
        ),
        (
            {"rois": np.full((1, 4, 4), 1e200), "normalise": "sigma"},
            ValueError,
            "rois must be within ±1e\\+150",
        ),
        (
            {"rois": np.ma.masked_equal(np.eye(4, dtype=int)[None], 1)},
            ValueError,
            "rois has masked entries",
        ),
        ({"levels": 0}, ValueError, "levels must be from 1 to 65536, got 0"),
        ({"levels": 65537}, ValueError, "levels must be from 1 to 65536, got 65537"),
        ({"levels": 4.0}, TypeError, "levels must be an integer"),
        ({"offsets": [(0, 0)]}, ValueError, "offsets must not hold a step of 0"),
        ({"offsets": [(0.5, 1)]}, TypeError, "offsets must hold integers"),
        ({"offsets": [1, 2]}, ValueError, r"offsets must have shape \(n, 2\) or \(n, 3\)"),
        ({"offsets": np.empty((0, 2), int)}, ValueError, "n at least 1"),
        ({"features": ["Energy"]}, ValueError, "features must be names out of AngScMom"),
        ({"features": np.array(["Entropy"] * 2)}, ValueError, "features must be names out of"),
        ({"features": [["Entropy"]]}, ValueError, "features must be names out of"),
        ({"features": "Entropy"}, ValueError, "features must be names out of AngScMom"),
        ({"features": 3}, ValueError, "features must be names out of AngScMom.*got 3"),
        ({"offsets": [(0, 1), (1,)]}, TypeError, "offsets must be an array of integers, got list"),
        ({"rois": [[[1, 2], [3]]]}, TypeError, "rois must be an array of integers .*, got list"),
        ({"features": []}, ValueError, "features must be names out of AngScMom"),
        ({"normalise": "minmax"}, ValueError, "normalise must be None, 'sigma' or 'percentile'"),
        ({"log_base": 1}, ValueError, "log_base must be a finite number above 1.0"),
    ],
)
def test_mistakes(change: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        roi_features(**{**GOOD, **change})
