"""Selection of features: a case worked by hand, the definitions, scikit-learn's own checks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import tolerances
from lesionkit.texture.selection import Fisher, FusedSelector, MutualInformation, PoeAcc
from reference import texture_mazda as reference

# Six samples of two classes; the columns: what they are for.
Y = ["a", "a", "a", "b", "b", "b"]
X = np.array(
    [  # apart, apart*2  half   constant  mixed   in one class
        [0.0, 0.0, 0.0, 0.1, 0.0, 1.0],
        [1.0, 2.0, 1.0, 0.1, 4.0, 1.0],
        [2.0, 4.0, 6.0, 0.1, 8.0, 1.0],
        [7.0, 14.0, 5.0, 0.1, 1.0, 3.0],
        [8.0, 16.0, 8.0, 0.1, 5.0, 3.0],
        [9.0, 18.0, 10.0, 0.1, 9.0, 3.0],
    ]
)


def close(ours: Any, expected: Any) -> None:
    np.testing.assert_allclose(ours, expected, rtol=tolerances.SELECTION, atol=1e-15)


class TestByHand:
    def test_fisher(self) -> None:
        """P = 1/2 each: 1 - sum P^2 = 1/2, D = 2 (2 / 4) (mu_a - mu_b)^2 = (mu_a - mu_b)^2.

        apart: means 1 and 8, variances 2/3: 49 / (2/3) = 73.5, whatever its unit. half: means 7/3
        and 23/3, variances 62/9 and 38/9: (16/3)^2 / (50/9) = 5.12. mixed: means 4 and 5, variances
        32/3: 3/32. In one class: V = 0 and D > 0. Constant: V = D = 0.
        """
        found = Fisher(k=4).fit(X, Y)
        close(found.scores_, [73.5, 73.5, 5.12, 0, 3 / 32, math.inf])
        np.testing.assert_array_equal(found.order_, [5, 0, 1, 2])
        np.testing.assert_array_equal(found.get_support(indices=True), [0, 1, 2, 5])
        np.testing.assert_array_equal(found.transform(X), X[:, [0, 1, 2, 5]])

    def test_mutual_information(self) -> None:
        """Two bins. apart and in one class: a class in each, 1 bit. half, cut at 5: 0 and 1 of a in
        the lower, the rest above. mixed, cut at 4.5: two of a and one of b, and the other way.
        """
        found = MutualInformation(k=3, bins=2).fit(X, Y)
        half = (2 / 6) * math.log2((2 / 6) / (2 / 6 * 1 / 2))
        half += (1 / 6) * math.log2((1 / 6) / (4 / 6 * 1 / 2))
        half += (3 / 6) * math.log2((3 / 6) / (4 / 6 * 1 / 2))
        mixed = 2 * (2 / 6) * math.log2((2 / 6) / (1 / 4)) + 2 * (1 / 6) * math.log2((1 / 6) / 0.25)
        close(found.scores_, [1, 1, half, 0, mixed, 1])
        np.testing.assert_array_equal(found.order_, [0, 1, 5])

    def test_poe(self) -> None:
        """Nearest neighbour. half: 0-1, 1-0, 6-5 wrong, 5-6 wrong, 8-(6 or 10) half wrong, 10-8:
        2.5 of 6. mixed: 0-1, 4-5, 8-9 and back: all wrong. Constant: half of the samples."""
        found = PoeAcc(k=6).fit(X, Y)
        close(found.poe_, [0, 0, 2.5 / 6, 0.5, 1, 0])

    def test_poe_of_the_nearest_mean(self) -> None:
        """half: means 7/3 and 23/3, cut at 5: 6 is wrong, and 5, as near to both, goes to a.
        mixed: means 4 and 5, cut at 4.5: 8 and 1 are wrong."""
        found = PoeAcc(k=6, rule="nearest-mean").fit(X, Y)
        close(found.poe_, [0, 0, 2 / 6, 0.5, 2 / 6, 0])

    def test_poe_acc(self) -> None:
        """First column 0 (the first without an error). Then, by POE + mean of abs(corr): constant
        0.5 + 0; in one class 0 + corr(0, 5) = 0.97; apart*2 0 + 1; half 2.5/6 + 0.90; mixed
        1 + 0.26: the constant, then with half of each correlation in one class 0.49."""
        found = PoeAcc(k=3).fit(X, Y)
        with_first = np.corrcoef(X[:, 0], X[:, 5])[0, 1]
        np.testing.assert_array_equal(found.order_, [0, 3, 5])
        close(found.criterion_, [0, 0.5, with_first / 2])
        # without the correlation: by POE alone, and the first column first
        plain = PoeAcc(k=4, weights=(1, 0)).fit(X, Y)
        np.testing.assert_array_equal(plain.order_, [0, 1, 5, 2])
        scaled = PoeAcc(k=2, weights=(0.5, 0.5), scaled=True, rule="nearest-mean").fit(X, Y)
        np.testing.assert_array_equal(scaled.order_, [0, 5])  # the constant costs 0.5 of 1 now
        close(scaled.criterion_, [0, with_first / 2])

    def test_fused(self) -> None:
        parts = (Fisher(k=2), PoeAcc(k=3), MutualInformation(k=2, bins=2))
        found = FusedSelector(*parts).fit(X, Y)
        np.testing.assert_array_equal(found.order_, [5, 0, 3, 1])  # 5 0 | 0 3 5 | 0 1
        np.testing.assert_array_equal(found.duplicates_, [0, 5])
        ranks = [[2, 1, 1], [0, 0, 2], [0, 0, 0], [0, 2, 0], [0, 0, 0], [1, 3, 0]]
        np.testing.assert_array_equal(found.ranks_, ranks)
        np.testing.assert_array_equal(found.transform(X), X[:, [0, 1, 3, 5]])
        assert not hasattr(parts[0], "order_")  # what was given is copied


@given(st.integers(0, 2**32 - 1))
def test_equals_the_reference(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, columns, classes = random.integers(4, 30), random.integers(1, 8), random.integers(2, 5)
    y = np.concatenate([np.arange(classes), random.integers(0, classes, n)])
    x = random.integers(0, random.choice([3, 20, 1000]), (len(y), columns)).astype(float)
    close(Fisher().fit(x, y).scores_, [reference.fisher(c, y) for c in x.T])
    close(PoeAcc().fit(x, y).poe_, [reference.poe(c, y) for c in x.T])
    bins = int(random.integers(2, 12))
    expected = [reference.mutual_information(c, y, bins) for c in x.T]
    np.testing.assert_allclose(
        MutualInformation(bins=bins).fit(x, y).scores_, expected, rtol=1e-9, atol=1e-12
    )


@given(st.integers(0, 2**32 - 1))
def test_properties(seed: int) -> None:
    random = np.random.default_rng(seed)
    y = random.permutation(np.arange(40) % 3)
    x = random.normal(size=(40, 25)) + random.uniform(0, 2, 25) * y[:, None]
    for selector in (
        Fisher(), PoeAcc(), PoeAcc(rule="nearest-mean"), MutualInformation(),
        MutualInformation(binning="frequency"), FusedSelector(),
    ):  # fmt: skip
        order = selector.fit(x, y).order_
        assert len({*order}) == len(order)
        # the samples in another order, other names of the classes
        turn = random.permutation(40)
        np.testing.assert_array_equal(selector.fit(x[turn], -y[turn] * 7).order_, order)
        # a column twice: the first stands before its copy
        twice = selector.fit(np.hstack([x, x[:, :1]]), y).order_.tolist()
        assert 25 not in twice or (0 in twice and twice.index(0) < twice.index(25))


def test_equal_frequency_keeps_equal_values_together() -> None:
    x = np.array([0, 0, 0, 0, 0, 1, 2, 3])[:, None]
    y = [0, 0, 0, 0, 0, 1, 1, 1]
    close(MutualInformation(bins=4, binning="frequency").fit(x, y).scores_, reference.entropy(y))


def test_fewer_columns_than_asked_for() -> None:
    found = FusedSelector().fit(X, Y)
    assert sorted(found.order_) == [0, 1, 2, 3, 4, 5]
    assert found.transform(X).shape == X.shape


def test_names_of_columns() -> None:
    names = [f"S(0,1){i}" for i in range(6)]
    found = Fisher(k=2).fit(X, Y)
    assert [*found.get_feature_names_out(names)] == [names[0], names[5]]


def test_inside_a_fold_noise_stays_noise() -> None:
    """300 columns of noise: chosen on all samples they seem to tell the class; inside the fold of a
    pipeline they do not."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(60, 300)), np.arange(60) % 2
    near = KNeighborsClassifier(3)
    leaked = cross_val_score(near, FusedSelector().fit_transform(x, y), y, cv=5).mean()
    honest = cross_val_score(make_pipeline(FusedSelector(), near), x, y, cv=5).mean()
    assert leaked > 0.7
    assert honest < 0.65


@parametrize_with_checks(
    [Fisher(), PoeAcc(), PoeAcc(rule="nearest-mean"), MutualInformation(), FusedSelector()]
)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize(
    ("selector", "kind", "message"),
    [
        (Fisher(k=0), ValueError, "k must be at least 1, got 0"),
        (PoeAcc(k=2.5), TypeError, "k must be an integer"),
        (PoeAcc(rule="vote"), ValueError, "rule must be 'nearest-neighbour' or 'nearest-mean'"),
        (PoeAcc(weights=(1, 2, 3)), ValueError, "weights must be two numbers"),
        (PoeAcc(weights=[[1], [1, 2]]), TypeError, "weights must be a finite number at least 0"),
        (PoeAcc(scaled=np.ones(2)), ValueError, "scaled must be True or False, got"),
        (PoeAcc(weights=(1, -2)), ValueError, "weights must be a finite number at least 0"),
        (MutualInformation(bins=1), ValueError, "bins must be at least 2, got 1"),
        (MutualInformation(binning="auto"), ValueError, "binning must be 'width' or 'frequency'"),
    ],
)
def test_mistakes(selector: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        selector.fit(X, Y)


@pytest.mark.parametrize("selector", [Fisher(), PoeAcc(), MutualInformation(), FusedSelector()])
def test_mistakes_of_the_data(selector: Any) -> None:
    with pytest.raises(ValueError, match="two classes or more, got one class"):
        selector.fit(X, ["a"] * 6)
    with pytest.raises(ValueError, match="NaN"):
        selector.fit(X * np.nan, Y)
    with pytest.raises(ValueError, match="y must be an array of classes, got list"):
        selector.fit(X, [[1, 2], 1])
    with pytest.raises(ValueError, match="X must be an array of real numbers, got list"):
        selector.fit([[1], [2, 3]], Y)
    with pytest.raises(ValueError, match="X must hold real numbers, got complex128"):
        selector.fit(X * 1j, Y)
    with pytest.raises(TypeError, match=r"y must hold a class a sample: .*bytes"):
        selector.fit(X, np.array([b"a"] * 3 + [b"b"] * 3))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        selector.fit(X, X[:, 0] + 0.5)


@pytest.mark.parametrize("power", [-1000, -600, 600, 1000])
@pytest.mark.parametrize("selector", [Fisher(3), PoeAcc(3), MutualInformation(3), FusedSelector()])
def test_columns_of_any_magnitude(selector: Any, power: int) -> None:
    selector.fit(X, Y)
    expected = {name: getattr(selector, name) for name in vars(selector) if name.endswith("_")}
    selector.fit(np.ldexp(X, power), Y)
    for name in {"order_", "scores_", "poe_", "criterion_"} & {*expected}:
        np.testing.assert_array_equal(getattr(selector, name), expected[name])
