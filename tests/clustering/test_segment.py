"""segment and Segmentation: any clusterer, classes by intensity, masks, levels, memberships."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, AgglomerativeClustering
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.mixture import GaussianMixture

import tolerances
from invariances import at_any_threads
from lesionkit.clustering import (
    FCM_S1,
    FLICM,
    EnFCM,
    FuzzyCMeans,
    KMeans,
    Segmentation,
    segment,
    sFCM,
)

TRUTH = np.kron(np.arange(4).reshape(2, 2), np.ones((20, 25), int))
IMAGE = (np.array([40, 90, 140, 200])[TRUTH]).astype(np.uint8)
IMAGE += np.random.default_rng(0).integers(0, 12, IMAGE.shape).astype(np.uint8)
MASK = np.random.default_rng(1).random(IMAGE.shape) > 0.4
# Seeds in an order that is not that of intensity.
START = np.array([[150.0], [50.0], [210.0], [100.0]])
COLOURS = np.array([[3, 200, 9], [9, 4, 8], [200, 190, 180], [50, 4, 90]])
COLOURED = np.moveaxis(
    COLOURS[TRUTH] + np.random.default_rng(2).integers(-3, 3, (*TRUTH.shape, 3)), -1, 0
)

OURS = [
    KMeans(4, init=START, n_init=1),
    FuzzyCMeans(4, init=START),
    FCM_S1(4, init=START),
    EnFCM(4, init=START),
    sFCM(4, init=START, size=3),
    FLICM(4, init=START),
]
SPATIAL = OURS[2:]
THEIRS = [
    TheirKMeans(4, init=START, n_init=1),
    DBSCAN(eps=1.5, min_samples=5),
    AgglomerativeClustering(4),
    GaussianMixture(4, random_state=0, means_init=START),
]


# --- known answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", OURS + THEIRS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
def test_classes_by_intensity(estimator: Any, masked: bool, dtype: Any) -> None:
    labels = segment(IMAGE.astype(dtype), estimator, MASK if masked else None)
    assert labels.dtype == np.int32
    wrong = labels != (np.where(MASK, TRUTH, -1) if masked else TRUTH)
    assert wrong.mean() < (0.1 if estimator in SPATIAL else 1e-9)  # they err at the borders
    if masked:
        assert ((labels == -1) == ~MASK).all()


def test_channels_and_volumes() -> None:
    order = np.argsort(np.argsort(COLOURS.sum(1)))
    for estimator in (
        KMeans(4, random_state=0, n_init=4),
        TheirKMeans(4, random_state=0, n_init=4),
    ):
        labels = segment(COLOURED, estimator, channel_axis=0)
        np.testing.assert_array_equal(labels, order[TRUTH])
    volume = np.stack([IMAGE, IMAGE, IMAGE])
    for estimator in OURS:
        labels = segment(volume, estimator, np.stack([MASK, MASK, MASK]))
        assert labels.shape == volume.shape
        assert (labels[0] != np.where(MASK, TRUTH, -1)).mean() < 0.1
    line = segment(IMAGE[0], KMeans(2, init=[[50.0], [100.0]]))
    np.testing.assert_array_equal(line, TRUTH[0])


def test_noise_stays_outside() -> None:
    image = IMAGE.copy()
    image[3, 3] = 255
    labels = segment(image, DBSCAN(eps=3, min_samples=5))
    assert labels[3, 3] == -1
    assert labels.max() == 3


# --- properties -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "estimator", [OURS[0], OURS[1], THEIRS[0]], ids=["ours", "fuzzy", "theirs"]
)
def test_levels_are_the_pixels(estimator: Any) -> None:
    """Counted, or pixel by pixel where numbers are not whole."""
    image = np.random.default_rng(3).integers(0, 256, (90, 80)).astype(np.uint8)
    expected = segment(image, estimator)
    for other in (image.astype(np.uint16) * 1, image.astype(np.int32) - 500, image / 1.0):
        moved = estimator
        if other.min() < 0:
            settings = estimator.get_params() | {"init": START - 500}
            moved = type(estimator)(**settings)
        np.testing.assert_array_equal(segment(other, moved), expected)
    settings = estimator.get_params() | {"init": START / 3}
    thirds = segment(image / 3.0, type(estimator)(**settings))
    assert (thirds == expected).mean() > 0.999  # borders that a value hits may fall to either side
    pixels = type(estimator)(**estimator.get_params()).fit(image.reshape(-1, 1).astype(float))
    rank = np.argsort(np.argsort(pixels.cluster_centers_[:, 0]))
    np.testing.assert_array_equal(rank[pixels.labels_].reshape(image.shape), expected)


@pytest.mark.parametrize("estimator", OURS + THEIRS, ids=lambda e: type(e).__name__)
def test_the_estimator_is_not_changed(estimator: Any) -> None:
    before = dict(vars(estimator))
    found = Segmentation(IMAGE, estimator)
    assert vars(estimator) == before
    assert type(found.estimator) is type(estimator)
    assert found.estimator is not estimator
    np.testing.assert_array_equal(found.labels, segment(IMAGE, estimator))


def test_a_state_of_chance_is_not_used_up() -> None:
    state = np.random.RandomState(4)
    for estimator in (KMeans(3, random_state=state), FCM_S1(3, random_state=state)):
        first = segment(IMAGE, estimator)
        np.testing.assert_array_equal(segment(IMAGE, estimator), first)


def test_a_fitted_estimator_starts_anew() -> None:
    fitted = KMeans(4, init=START).fit(np.arange(9.0)[:, None])
    np.testing.assert_array_equal(segment(IMAGE, fitted), segment(IMAGE, OURS[0]))
    assert fitted.labels_.shape == (9,)


def test_threads_change_no_bit() -> None:
    image = np.random.default_rng(0).integers(0, 900, (300, 400)).astype(np.uint16)

    def call() -> tuple[Any, ...]:
        found = Segmentation(image, FuzzyCMeans(4, random_state=0))
        return found.labels, found.membership(2)

    at_any_threads(call)


def test_order_strides_and_read_only() -> None:
    frozen = IMAGE.copy()
    frozen.flags.writeable = False
    wide = np.repeat(IMAGE, 2, axis=1)
    for estimator in OURS:
        expected = segment(IMAGE, estimator)
        for other in (np.asfortranarray(IMAGE), wide[:, ::2], frozen):
            np.testing.assert_array_equal(segment(other, estimator), expected)


def test_more_classes_than_values() -> None:
    """As k-means of the pixels: a warning, and classes that stay empty."""
    image = np.repeat([[3, 7]], 5000, axis=0).astype(np.uint8)
    with pytest.warns(UserWarning, match="Number of distinct clusters"):
        labels = segment(image, KMeans(3, random_state=0))
    assert len(np.unique(labels)) == 2
    assert (labels[:, 0] < labels[:, 1]).all()


# --- memberships ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("masked", [False, True])
def test_memberships(dtype: Any, masked: bool) -> None:
    image, mask = IMAGE.astype(dtype), MASK if masked else None
    found = Segmentation(image, FuzzyCMeans(4, init=START), mask)
    inside = np.ones(IMAGE.shape, bool) if mask is None else mask
    planes = [found.membership(j) for j in range(4)]
    kind = np.float64 if dtype in (np.float64, np.int64) else np.float32
    assert {plane.dtype for plane in planes} == {np.dtype(kind)}
    u = found.estimator.predict_proba(IMAGE[inside].reshape(-1, 1).astype(float))
    for j, plane in enumerate(planes):
        np.testing.assert_allclose(
            plane[inside], u[:, found.order[j]], rtol=tolerances.SINGLE, atol=tolerances.SINGLE
        )
        assert not plane[~inside].any()
    np.testing.assert_array_equal(np.argmax(planes, 0)[inside], found.labels[inside])


@pytest.mark.parametrize("estimator", [OURS[2], OURS[3], OURS[4], THEIRS[3]])
def test_memberships_of_others(estimator: Any) -> None:
    found = Segmentation(IMAGE, estimator, MASK)
    planes = [found.membership(j) for j in range(4)]
    np.testing.assert_array_equal(np.argmax(planes, 0)[MASK], found.labels[MASK])
    np.testing.assert_allclose(np.sum(planes, 0)[MASK], 1, rtol=tolerances.SINGLE)
    assert not np.sum(planes, 0)[~MASK].any()


def test_memberships_with_channels() -> None:
    found = Segmentation(COLOURED, FuzzyCMeans(4, init=COLOURS.astype(float)), channel_axis=0)
    planes = [found.membership(j) for j in range(4)]
    np.testing.assert_array_equal(np.argmax(planes, 0), found.labels)


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"estimator": KMeans}, TypeError, r"estimator must be a clusterer with fit_predict, such"),
        (
            {"estimator": "k-means"},
            TypeError,
            "estimator must be a clusterer .*, got str 'k-means'",
        ),
        ({"image": IMAGE + np.nan}, ValueError, "image must be finite, got 2000 NaN or infinite"),
        ({"image": IMAGE > 90}, TypeError, "image must hold real numbers, got bool array"),
        ({"image": IMAGE[:0]}, ValueError, "image must hold a pixel or more"),
        ({"image": np.float64(3)}, ValueError, "image must hold a pixel or more, got float64"),
        ({"mask": MASK[:3]}, ValueError, r"mask must have the shape of image, \(40, 50\), got"),
        ({"mask": ~MASK & MASK}, ValueError, "mask must hold a pixel or more, and all"),
        ({"channel_axis": 2}, ValueError, "channel_axis must be from -2 to 1, got 2"),
        ({"estimator": KMeans(frozenset())}, TypeError, "n_clusters must be an integer"),
        ({"estimator": KMeans(0)}, ValueError, "n_clusters must be at least 1, got 0"),
        ({"estimator": FCM_S1(0)}, ValueError, "n_clusters must be from 1 to 256, got 0"),
        (
            {"estimator": EnFCM(2), "channel_axis": 0},
            ValueError,
            "EnFCM takes grey images, without",
        ),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        segment(**({"image": IMAGE, "estimator": KMeans(4)} | change))


def test_mistakes_in_memberships() -> None:
    with pytest.raises(TypeError, match="KMeans has no memberships; use FuzzyCMeans"):
        Segmentation(IMAGE, OURS[0]).membership(0)
    with pytest.raises(ValueError, match="j must be from 0 to 3, got 4"):
        Segmentation(IMAGE, OURS[1]).membership(4)
