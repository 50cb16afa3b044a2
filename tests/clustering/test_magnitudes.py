"""Numbers whose squares leave their range: scaled by a power of two, or refused in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lesionkit.clustering import (
    FuzzyCMeans,
    KMeans,
    cmeans,
    cmeans_predict,
    codebook,
    scaling,
    segment,
)
from spatial_cases import ALL

MEANS = (1.0, 3.0, 6.0)


def table(features: int = 2) -> Any:
    random = np.random.default_rng(1)
    return np.concatenate([random.normal(mean, 0.3, (40, features)) for mean in MEANS])


def image() -> Any:
    return table(12).reshape(20, 72)


@pytest.mark.parametrize("power", [-1000, -664, -540, -401])
@pytest.mark.parametrize(
    ("settings", "features"),
    [({}, 1), ({}, 2), ({"init": "random"}, 7), ({"init": "optimal"}, 1), ({"init": "array"}, 2)],
)
def test_tiny_samples_of_kmeans(settings: Any, features: int, power: int) -> None:
    X, tiny = table(features), np.ldexp(table(features), power)
    one, other = (
        KMeans(3, random_state=0, **(settings | ({"init": Z[[0, 50, 100]]} if array else {})))
        for Z in (X, tiny)
        for array in [settings.get("init") == "array"]
    )
    one.fit(X)
    other.fit(tiny)
    np.testing.assert_array_equal(other.labels_, one.labels_)
    np.testing.assert_array_equal(other.cluster_centers_, np.ldexp(one.cluster_centers_, power))
    np.testing.assert_array_equal(other.predict(tiny), one.labels_)
    np.testing.assert_array_equal(other.transform(tiny), np.ldexp(one.transform(X), power))


@pytest.mark.parametrize("power", [-1000, -664, -540, -401])
@pytest.mark.parametrize(
    "settings",
    [{}, {"m": 3.0}, {"init": "random_membership", "criterion": "memberships"}],
)
def test_tiny_samples_of_fuzzy_c_means(settings: Any, power: int) -> None:
    X, tiny = table(), np.ldexp(table(), power)
    one = FuzzyCMeans(3, random_state=0, **settings).fit(X)
    other = FuzzyCMeans(3, random_state=0, **settings).fit(tiny)
    np.testing.assert_array_equal(other.cluster_centers_, np.ldexp(one.cluster_centers_, power))
    np.testing.assert_array_equal(other.labels_, one.labels_)
    np.testing.assert_array_equal(other.predict(tiny), one.labels_)
    np.testing.assert_allclose(other.predict_proba(tiny), one.memberships_, rtol=1e-12)
    np.testing.assert_allclose(other.transform(tiny), np.ldexp(one.transform(X), power))
    np.testing.assert_allclose(other.validity(tiny), one.validity(X))


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("dtype", "power"),
    [("float64", p) for p in (-1000, -540, 520, 1000)]
    + [("float32", p) for p in (-120, -80, 70, 120)],
)
def test_images_of_any_magnitude(kind: Any, dtype: str, power: int) -> None:
    plain = image().astype(dtype)
    scaled = np.ldexp(plain, power)
    one = kind(3, random_state=0).fit(plain)
    other = kind(3, random_state=0).fit(scaled)
    np.testing.assert_array_equal(other.labels_, one.labels_)
    np.testing.assert_array_equal(other.cluster_centers_, np.ldexp(one.cluster_centers_, power))
    np.testing.assert_array_equal(other.membership(1), one.membership(1))
    given = kind(3, init=other.cluster_centers_).fit(scaled)
    np.testing.assert_array_equal(
        given.labels_, kind(3, init=one.cluster_centers_).fit(plain).labels_
    )


def test_words_of_any_magnitude() -> None:
    one = codebook(image(), 3)
    for power in (-1000, -540, 400):
        other = codebook(np.ldexp(image(), power), 3)
        np.testing.assert_array_equal(other.labels, one.labels)
        np.testing.assert_array_equal(other.words, np.ldexp(one.words, power))


def test_cmeans_of_small_numbers() -> None:
    X = table().T
    one = cmeans(X, 3, 2.0, 1e-3, 20, seed=1)
    for power in (-540, -900):
        other = cmeans(np.ldexp(X, power), 3, 2.0, 1e-3, 20, seed=1)
        np.testing.assert_array_equal(other[0], np.ldexp(one[0], power))
        np.testing.assert_array_equal(other[1], one[1])


@pytest.mark.parametrize("size", [1e160, 1e200, 1e307])
@pytest.mark.parametrize(
    ("fit", "name"),
    [
        (lambda X: KMeans(3, random_state=0).fit(X), "X"),
        (lambda X: KMeans(3, init="optimal").fit(X[:, :1]), "X"),
        (lambda X: FuzzyCMeans(3, random_state=0).fit(X), "X"),
        (lambda X: FuzzyCMeans(3, random_state=0).fit(table()).score(X), "X"),
        (lambda X: KMeans(3, random_state=0).fit(table()).score(X), "X"),
        (lambda X: codebook(X, 3), "image"),
        (lambda X: cmeans(X.T, 3, 2.0, 1e-3, 9, seed=0), "data"),
        (
            lambda X: cmeans_predict(table().T, X[:3], 2.0, 1e-3, 9, seed=0),
            "test_data and cntr_trained",
        ),
    ],
)
def test_squares_that_overflow_are_refused(fit: Any, name: str, size: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be finite, and so must be the squares"):
        fit(table() * size)


@pytest.mark.parametrize("kind", [KMeans, FuzzyCMeans])
def test_far_samples_of_ordinary_centres(kind: Any) -> None:
    model = kind(3, random_state=0).fit(table())
    far = np.array([[1e200, 0.0], [0.0, -1e300]])
    np.testing.assert_allclose(model.transform(far), [[1e200] * 3, [1e300] * 3])
    assert set(model.predict(far)) <= {0, 1, 2}


@pytest.mark.parametrize("kind", [KMeans, FuzzyCMeans])
def test_weights_out_of_range_are_refused(kind: Any) -> None:
    for weight in (1e-310, 1e-150, 1e150, 1e308):
        with pytest.raises(ValueError, match=r"^sample_weight must be from 1e-100 to 1e\+100 for"):
            kind(3, random_state=0).fit(table(), sample_weight=np.full(120, weight))


def test_ordinary_numbers_stay_as_they_are() -> None:
    for largest in (0.0, 1e-100, 1.0, 1e100, np.inf, np.nan):
        assert scaling.scale_for(largest) == 1.0
    for largest in (1e-11, 70_000.0, 1e11):
        assert scaling.scale_for(largest, single=True) == 1.0
    for largest in (5e-324, 1e-200, 1e200, 1.7e308):
        assert 2.0**-80 < largest * scaling.scale_for(largest) < 2.0**80


def test_distances_beyond_float32_are_refused() -> None:
    """Two samples 6.8e38 apart: float32 ends at 3.4e38."""
    X = np.array([[-3.4e38], [3.4e38]], np.float32)
    model = KMeans(2, random_state=0).fit(X)
    with pytest.raises(ValueError, match="X must lie where float32 holds its distances"):
        model.transform(X)
    assert np.isfinite(KMeans(2, random_state=0).fit_transform(X.astype(np.float64))).all()
    with pytest.raises(ValueError, match="X must lie where float32 holds its distances"):
        FuzzyCMeans(2, random_state=0).fit(X).transform(X)


def test_an_image_of_squares_that_overflow_is_named_so() -> None:
    far = np.random.default_rng(0).uniform(-1, 1, (13, 13)) * 1.7e308
    with pytest.raises(ValueError, match=r"^image must be finite, and so must be the squares"):
        segment(far, KMeans(1, random_state=0))


@pytest.mark.parametrize("kind", [KMeans, FuzzyCMeans])
def test_what_is_no_table_is_named(kind: Any) -> None:
    with pytest.raises(ValueError, match="X must be an array of real numbers, got int"):
        kind(2).fit(10**400)
    with pytest.raises(ValueError, match=r"sample_weight must have shape \(120,\), got"):
        kind(2).fit(table(), sample_weight=np.array(2.0))
