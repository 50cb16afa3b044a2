"""Spatial fuzzy c-means: each pass against plain loops, known answers, properties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tolerances
from invariances import at_any_threads
from lesionkit.clustering import FCM_S1, FCM_S2, FGFCM, FLICM, EnFCM, FuzzyCMeans, sFCM
from reference.clustering import spatial as reference
from spatial_cases import ALL

WITH_CHANNELS = (FCM_S1, FCM_S2, sFCM, FLICM)
BORDERS = ("valid", "reflect", "symmetric", "edge")
START = np.array([[0.1], [1.2], [3.0]])


def noisy(shape: tuple[int, ...], seed: int = 0, noise: float = 0.3) -> np.ndarray:
    """Three steps with noise."""
    image = np.random.default_rng(seed).normal(0, noise, shape)
    image[..., shape[-1] // 3 :] += 1.0
    image[shape[0] // 2 :] += 1.5
    return image


def holes(shape: tuple[int, ...], seed: int = 1) -> np.ndarray:
    mask = np.random.default_rng(seed).random(shape) > 0.15
    mask[tuple(slice(0, n // 2) for n in shape)] &= np.random.default_rng(2).random() > 2
    mask[(0,) * len(shape)] = True  # a pixel without neighbours
    return mask


def planes(estimator: Any) -> np.ndarray:
    return np.stack([estimator.membership(j) for j in range(estimator.n_clusters)], -1)


def compare(estimator: Any, mask: np.ndarray, centres: Any, u: np.ndarray) -> None:
    close = {"rtol": tolerances.SPATIAL, "atol": tolerances.SPATIAL}
    np.testing.assert_allclose(estimator.cluster_centers_, centres, **close)
    np.testing.assert_allclose(planes(estimator), u, **close)
    labels = np.where(mask, u.argmax(-1), -1)
    np.testing.assert_array_equal(estimator.labels_, labels)
    assert estimator.labels_.dtype == np.int32


SHAPES = [((9, 8), 3), ((35, 3), (3, 5)), ((3, 20), 7), ((4, 3, 5), 3), ((2, 4, 6), (1, 3, 5))]


@pytest.fixture(params=SHAPES, ids=str)
def work(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    shape, size = request.param
    sides = size if isinstance(size, tuple) else (size,) * len(shape)
    return noisy(shape), holes(shape), sides


# --- reference ------------------------------------------------------------------------------------


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize(("kind", "what"), [(FCM_S1, "mean"), (FCM_S2, "median")])
def test_fcm_s(work: Any, border: Any, masked: bool, own: bool, kind: Any, what: str) -> None:
    image, mask, size = work
    mask = mask if masked else np.ones(image.shape, bool)
    m, alpha = (2.0, 0.7) if own else (1.6, 3.0)
    near = reference.filtered(image, mask, size, border, own, what)
    centres = START
    for _ in range(2):
        _, centres = reference.fcm_s(image, near, mask, centres, m, alpha)
    u, _ = reference.fcm_s(image, near, mask, centres, m, alpha)
    fitted = kind(
        3, m=m, alpha=alpha, size=size, include_self=own, border=border,
        init=START[:, 0], max_iter=2, tol=0,
    ).fit(image, mask if masked else None)  # fmt: skip
    compare(fitted, mask, centres, u)
    assert fitted.n_iter_ == 2


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("m", "p", "q"), [(2.0, 1, 1), (1.7, 0, 2), (3.0, 1.5, 0.5)])
def test_sfcm(work: Any, border: Any, masked: bool, m: float, p: float, q: float) -> None:
    image, mask, size = work
    mask = mask if masked else np.ones(image.shape, bool)
    centres = START
    for _ in range(2):
        _, centres = reference.sfcm(image, mask, centres, m, p, q, size, border)
    u, _ = reference.sfcm(image, mask, centres, m, p, q, size, border)
    settings = {"size": size, "border": border, "init": START, "max_iter": 2, "tol": 0}
    compare(
        sFCM(3, m=m, p=p, q=q, **settings).fit(image, mask if masked else None), mask, centres, u
    )


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("m", [2.0, 1.5])
def test_flicm(work: Any, border: Any, masked: bool, m: float) -> None:
    image, mask, size = work
    mask = mask if masked else np.ones(image.shape, bool)
    u, centres = reference.fcm(image, mask, START, m), START
    for _ in range(2):
        centres = reference.new_centres(u, m, image, mask)
        u = reference.flicm(image, mask, u, centres, m, size, border)
    centres = reference.new_centres(u, m, image, mask)
    settings = {"size": size, "border": border, "init": START, "max_iter": 2, "tol": 0}
    compare(FLICM(3, m=m, **settings).fit(image, mask if masked else None), mask, centres, u)


@pytest.mark.parametrize("border", ["valid", "symmetric"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", ["EnFCM", "local", "S1", "S2"])
def test_on_levels(work: Any, border: Any, masked: bool, kind: str) -> None:
    image, mask, size = work
    image = np.rint(image * 40).astype(np.int16)
    mask = mask if masked else np.ones(image.shape, bool)
    if kind == "EnFCM":
        near = reference.filtered(image, mask, size, border, False, "mean")
        mixed = (image + 0.5 * near) / 1.5
    elif kind == "local":
        mixed = reference.similar(image, mask, size, border, 3.0, 2.0)
    else:
        what = {"S1": "mean", "S2": "median"}[kind]
        mixed = reference.filtered(image, mask, size, border, False, what)
    levels = np.rint(mixed)
    settings = {"size": size, "border": border, "init": 40 * START, "max_iter": 2, "tol": 0}
    made = EnFCM(3, alpha=0.5, **settings)
    if kind != "EnFCM":
        made = FGFCM(3, lambda_g=2.0, variant=kind, **settings)
    made.fit(image, mask if masked else None)
    centres = 40 * START
    for _ in range(2):
        _, centres = reference.grey_levels(levels, mask, 2.0, centres)
    u, _ = reference.grey_levels(levels, mask, 2.0, centres)
    np.testing.assert_allclose(made.cluster_centers_, centres, rtol=tolerances.SPATIAL)
    np.testing.assert_allclose(planes(made), u, rtol=tolerances.SINGLE, atol=tolerances.SINGLE)
    np.testing.assert_array_equal(made.labels_, np.where(mask, u.argmax(-1), -1))


def a_pass(kind: Any, image: np.ndarray, mask: np.ndarray, start: np.ndarray) -> tuple[Any, Any]:
    """Centres after one pass of the reference, 3 x 3 pixels, and the memberships about them."""
    if kind is sFCM:
        _, centres = reference.sfcm(image, mask, start, 2.0, 1, 1, (3, 3), "valid")
        u, _ = reference.sfcm(image, mask, centres, 2.0, 1, 1, (3, 3), "valid")
    elif kind is FLICM:
        u = reference.fcm(image, mask, start, 2.0)
        centres = reference.new_centres(u, 2.0, image, mask)
        u = reference.flicm(image, mask, u, centres, 2.0, (3, 3), "valid")
        centres = reference.new_centres(u, 2.0, image, mask)
    else:
        what = "mean" if kind is FCM_S1 else "median"
        near = reference.filtered(image, mask, (3, 3), "valid", False, what)
        _, centres = reference.fcm_s(image, near, mask, start, 2.0, 1.0)
        u, _ = reference.fcm_s(image, near, mask, centres, 2.0, 1.0)
    return centres, u


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", WITH_CHANNELS)
def test_channels(kind: Any, masked: bool) -> None:
    image = np.stack([noisy((9, 8)), -noisy((9, 8), 5), noisy((9, 8), 6, 1.0)], -1)
    mask = holes((9, 8)) if masked else np.ones((9, 8), bool)
    start = np.array([[0, 0, 0.0], [1, -1, 1], [2, -2, 2], [3, -3, 3]])
    fitted = kind(4, init=start, max_iter=1, tol=0, size=3)
    fitted.fit(np.moveaxis(image, -1, 0), mask if masked else None, channel_axis=0)
    centres, u = a_pass(kind, image, mask, start)
    compare(fitted, mask, centres, u)


@pytest.mark.parametrize("classes", [1, 2, 3, 4, 5, 6, 9])
@pytest.mark.parametrize("kind", [FCM_S1, sFCM, FLICM])
def test_numbers_of_classes(kind: Any, classes: int) -> None:
    """Few classes have a faster way to the memberships."""
    image, start = noisy((8, 19)), np.linspace(-1, 4, classes)[:, None]
    mask = np.ones(image.shape, bool)
    fitted = kind(classes, init=start, max_iter=1, tol=0, size=3).fit(image)
    centres, u = a_pass(kind, image, mask, start)
    compare(fitted, mask, centres, u)


# --- known answers --------------------------------------------------------------------------------


def test_fgfcm_by_hand() -> None:
    """One row: the middle pixel 4 has neighbours 0 and 6, sigma^2 = (16 + 4) / 2 = 10."""
    weights = np.exp([-16 / 20, -4 / 20])
    levels = [0.0, 0.0, 0.0]
    levels[1] = round(float(weights @ [0, 6] / weights.sum()))
    levels[0], levels[2] = 4.0, 4.0  # one neighbour each
    made = FGFCM(2, lambda_g=2.0, init=[4.0, 5.0], max_iter=1, tol=0).fit(np.array([[0, 4, 6]]))
    assert made.labels_.tolist() == [[int(abs(v - 5) < abs(v - 4)) for v in levels]]
    np.testing.assert_array_equal(made._levels, sorted(set(levels)))


def test_flicm_by_hand() -> None:
    """Pixels 0 and 2, centres 0 and 1: u = (1, 0) and (1/5, 4/5); then V, then G with d = 1."""
    made = FLICM(2, init=[0.0, 1.0], max_iter=1, tol=0).fit(np.array([[0.0, 2.0]]))
    u = np.array([[1.0, 0.0], [0.2, 0.8]])
    v = (u**2).T @ [0.0, 2.0] / (u**2).sum(0)
    x = np.array([0.0, 2.0])
    far = (x[:, None] - v) ** 2
    far += 0.5 * ((1 - u) ** 2 * far)[::-1]
    expected = (1 / far) / (1 / far).sum(1, keepdims=True)
    np.testing.assert_allclose(planes(made)[0], expected, rtol=tolerances.SPATIAL)


@pytest.mark.parametrize("m", [2.0, 1.4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "made", [lambda **k: sFCM(4, p=1, q=0, **k), lambda **k: FCM_S1(4, alpha=0, **k)]
)
def test_without_neighbours_it_is_fcm(made: Any, m: float, dtype: Any) -> None:
    image = noisy((30, 41)).astype(dtype)
    start = np.linspace(0, 3, 4)[:, None]
    plain = FuzzyCMeans(4, m=m, init=start, max_iter=20, tol=0).fit(image.reshape(-1, 1))
    ours = made(m=m, init=start, max_iter=20, tol=0).fit(image)
    rtol = tolerances.SPATIAL if dtype == np.float64 else tolerances.SINGLE
    np.testing.assert_allclose(ours.cluster_centers_, plain.cluster_centers_, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(planes(ours).reshape(-1, 4), plain.memberships_, atol=10 * rtol)
    assert (ours.labels_.ravel() == plain.labels_).mean() > 0.999
    assert ours.cluster_centers_.dtype == planes(ours).dtype == dtype


def test_the_same_stop_as_fcm() -> None:
    image = noisy((40, 41))
    start = np.linspace(0, 3, 4)[:, None]
    for tol in (1e-2, 1e-4, 1e-6):
        plain = FuzzyCMeans(4, init=start, tol=tol).fit(image.reshape(-1, 1))
        assert FCM_S1(4, alpha=0, init=start, tol=tol).fit(image).n_iter_ == plain.n_iter_
        assert plain.n_iter_ < 300


def test_objective_never_rises() -> None:
    """Of FCM_S1; sFCM and FLICM minimise nothing."""
    image = noisy((20, 21), noise=0.6)
    mask = np.ones(image.shape, bool)
    near = reference.filtered(image, mask, (3, 3), "valid", False, "mean")
    centres, last = np.array([[0.0], [0.1], [5.0]]), np.inf
    for _ in range(8):
        made = FCM_S1(3, alpha=2.0, init=centres, max_iter=1, tol=0).fit(image)
        here = reference.fcm_s_objective(image, near, mask, centres, 2.0, 2.0)
        assert here <= last * (1 + tolerances.SPATIAL)
        centres, last = made.cluster_centers_, here


@pytest.mark.parametrize("kind", [sFCM, FLICM])
def test_fixed_point(kind: Any) -> None:
    """At the end one more pass changes nothing."""
    image = noisy((30, 31))
    made = kind(3, init=START, tol=1e-13, max_iter=3000).fit(image)
    assert made.n_iter_ < 3000
    mask = np.ones(image.shape, bool)
    if kind is sFCM:
        _, again = reference.sfcm(image, mask, made.cluster_centers_, 2.0, 1, 1, (5, 5), "valid")
    else:
        u = reference.flicm(image, mask, planes(made), made.cluster_centers_, 2.0, (3, 3), "valid")
        again = reference.new_centres(u, 2.0, image, mask)
    np.testing.assert_allclose(again, made.cluster_centers_, rtol=tolerances.SPATIAL)


@pytest.mark.parametrize("kind", ALL)
def test_noise_leaves_the_labels(kind: Any) -> None:
    """A step with noise: fewer pixels are wrong than by plain FCM."""
    truth = np.zeros((64, 64), int)
    truth[:, 32:] = 1
    image = truth + np.random.default_rng(3).normal(0, 0.45, truth.shape)
    start = [[0.0], [1.0]]
    plain = FuzzyCMeans(2, init=start).fit(image.reshape(-1, 1)).labels_.reshape(truth.shape)
    settings = {"alpha": 4.0} if kind in (FCM_S1, FCM_S2, EnFCM) else {}
    ours = kind(2, init=start, **settings).fit(image).labels_
    assert (ours != truth).mean() < 0.5 * (plain != truth).mean()


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_constant_image(kind: Any, dtype: Any) -> None:
    image = np.full((7, 9), 5, dtype)
    made = kind(2, init=[5.0, 9.0], tol=0, max_iter=3).fit(image)
    assert (made.labels_ == 0).all()
    assert made.cluster_centers_[0] == 5
    np.testing.assert_array_equal(made.membership(0), 1)
    made = kind(3, init=[5.0, 5.0, 9.0], tol=0, max_iter=1).fit(image)
    np.testing.assert_allclose(made.membership(1), 0.5, rtol=tolerances.SINGLE)
    np.testing.assert_array_equal(made.labels_, 0)


# --- properties -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("shape", [(150, 70), (5, 70, 23)])
def test_threads_change_no_bit(kind: Any, shape: tuple[int, ...]) -> None:
    image, mask = noisy(shape).astype(np.float32), holes(shape)

    def call() -> tuple[Any, ...]:
        made = kind(4, init=np.arange(4.0), max_iter=5, tol=0).fit(image, mask)
        return made.cluster_centers_, planes(made), made.labels_

    at_any_threads(call)


@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1e-6, 1.0, 1e6]))
def test_memberships_add_up(seed: int, scale: float) -> None:
    image = scale * noisy((6, 37), seed)
    mask = holes((6, 37), seed)
    for kind in (FCM_S1, sFCM, FLICM):
        made = kind(3, random_state=seed, max_iter=3).fit(image, mask)
        total = planes(made).sum(-1)
        np.testing.assert_allclose(total[mask], 1, rtol=tolerances.SPATIAL)
        assert not total[~mask].any()
        assert planes(made).min() >= 0


@pytest.mark.parametrize("kind", ALL)
def test_what_the_mask_hides_is_not_read(kind: Any) -> None:
    image, mask = noisy((12, 14)), holes((12, 14))
    settings = {"init": np.arange(3.0), "max_iter": 4, "border": "reflect"}
    expected = kind(3, **settings).fit(image, mask)
    hidden = np.where(mask, image, np.nan)
    other = kind(3, **settings).fit(hidden, mask.astype(np.uint8))
    np.testing.assert_array_equal(other.cluster_centers_, expected.cluster_centers_)
    np.testing.assert_array_equal(planes(other), planes(expected))
    assert (expected.labels_[~mask] == -1).all()
    whole = kind(3, **settings).fit(image, np.ones(image.shape, bool))
    none = kind(3, **settings).fit(image)
    np.testing.assert_array_equal(whole.labels_, none.labels_)


@pytest.mark.parametrize("kind", ALL)
def test_order_strides_read_only_and_kinds(kind: Any) -> None:
    image = np.rint(20 * noisy((10, 12)) + 40)
    settings = {"init": [10.0, 50.0, 90.0], "max_iter": 3, "tol": 0}
    expected = kind(3, **settings).fit(image)
    frozen = image.copy()
    frozen.flags.writeable = False
    wide = np.repeat(image, 2, axis=1)
    for other in (
        np.asfortranarray(image),
        wide[:, ::2],
        frozen,
        image.tolist(),
        image.astype(">f8"),
    ):
        made = kind(3, **settings).fit(other)
        np.testing.assert_array_equal(made.labels_, expected.labels_)
        np.testing.assert_array_equal(made.cluster_centers_, expected.cluster_centers_)
    assert kind(3, **settings).fit_predict(frozen).tolist() == expected.labels_.tolist()
    for dtype in (np.uint8, np.int16, np.int32, np.int64, np.float32):
        made = kind(3, **settings, **({"levels": 65536} if kind in (EnFCM, FGFCM) else {}))
        made.fit(image.astype(dtype))
        rtol = 1e-2 if kind in (EnFCM, FGFCM) else tolerances.SINGLE  # other levels
        np.testing.assert_allclose(made.cluster_centers_, expected.cluster_centers_, rtol=rtol)
        single = dtype in (np.uint8, np.int16, np.float32)
        assert made.membership(0).dtype == (np.float32 if single else np.float64)
        assert made.cluster_centers_.dtype == (np.float32 if dtype == np.float32 else np.float64)


@pytest.mark.parametrize("kind", ALL)
def test_seeds(kind: Any) -> None:
    image = noisy((20, 22))
    one = kind(3, random_state=4).fit(image)
    np.testing.assert_array_equal(kind(3, random_state=4).fit(image).labels_, one.labels_)
    assert one.n_iter_ <= one.max_iter
    assert "n_clusters=3" in repr(one)
    assert "cluster_centers_" not in repr(one)
