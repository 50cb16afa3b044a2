"""Input as files and other libraries give it: masked, big-endian, float masks, tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from lesionkit.clustering import FCM_S1, EnFCM, FuzzyCMeans, KMeans, codebook, segment
from spatial_cases import ALL

ESTIMATORS = [KMeans, FuzzyCMeans]
GREY = np.repeat([10, 12, 200, 205], 30)
IMAGE = np.add.outer(np.arange(12.0), np.arange(10.0))
HIDDEN = np.indices(IMAGE.shape)[0] < 4


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("dtype", [">i2", ">u2", ">i4", ">f4", ">f8"])
@pytest.mark.parametrize("columns", [1, 2])
def test_big_endian_samples(kind: Any, dtype: str, columns: int) -> None:
    X = np.repeat(GREY[:, None], columns, 1)
    native = X.astype(np.dtype(dtype).newbyteorder("="))
    one, other = (kind(2, random_state=0).fit(Z) for Z in (native, X.astype(dtype)))
    np.testing.assert_array_equal(other.labels_, one.labels_)
    np.testing.assert_array_equal(other.predict(X.astype(dtype)), one.labels_)
    assert other.cluster_centers_.dtype == one.cluster_centers_.dtype
    np.testing.assert_array_equal(other.cluster_centers_, one.cluster_centers_)


@pytest.mark.parametrize("dtype", [">i2", ">f4", "float16"])
def test_images_of_other_dtypes(dtype: str) -> None:
    image = IMAGE.astype(dtype)
    for estimator in (KMeans(2, random_state=0), FCM_S1(2, random_state=0)):
        expected = segment(IMAGE.astype(np.float32), estimator)
        np.testing.assert_array_equal(segment(image, estimator), expected)


def masked(array: Any) -> Any:
    return np.ma.masked_array(array, mask=np.arange(array.size).reshape(array.shape) < 3)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_masked_samples_are_refused(kind: Any) -> None:
    X = np.arange(12.0).reshape(6, 2)
    with pytest.raises(ValueError, match=r"^X has masked entries.*leave those samples out"):
        kind(2).fit(masked(X))
    fitted = kind(2, random_state=0).fit(X)
    for call in (fitted.predict, fitted.transform, fitted.score):
        with pytest.raises(ValueError, match=r"^X has masked entries"):
            call(masked(X))
    with pytest.raises(ValueError, match=r"^sample_weight has masked.*sample_weight.filled\(0\)"):
        kind(2).fit(X, sample_weight=masked(np.ones(6)))
    with pytest.raises(ValueError, match=r"^init has masked entries"):
        kind(2, init=masked(X[:2])).fit(X)
    whole = np.ma.masked_array(X, mask=False)
    np.testing.assert_array_equal(kind(2, random_state=0).fit(whole).labels_, fitted.labels_)


def test_masked_images_and_masks_are_refused() -> None:
    hidden = np.ma.masked_array(IMAGE, HIDDEN)
    for call in (
        lambda image, mask: segment(image, KMeans(2, random_state=0), mask),
        lambda image, mask: FCM_S1(2, random_state=0).fit(image, mask),
        lambda image, mask: codebook(image, 2, mask=mask),
    ):
        with pytest.raises(ValueError, match=r"^image has .*pass image.data with mask=~image.mask"):
            call(hidden, None)
        with pytest.raises(ValueError, match=r"^mask has masked entries.*mask.filled"):
            call(IMAGE, np.ma.masked_array(np.ones(IMAGE.shape, np.uint8), HIDDEN))
        call(hidden.data, ~hidden.mask)
    for call in (
        FCM_S1(2, init=masked(np.arange(4.0))[2:]).fit,
        lambda x: codebook(x, 2, masked(np.arange(4.0))),
    ):
        with pytest.raises(ValueError, match=r"^init has masked entries"):
            call(IMAGE)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_masks_and_nan_outside(dtype: Any) -> None:
    inside = ~HIDDEN
    mask = np.where(inside, 0.9999999, 1e-8).astype(dtype)
    image = np.where(inside, IMAGE, np.nan)
    for estimator in (KMeans(2, random_state=0), FCM_S1(2, random_state=0)):
        expected = segment(IMAGE, estimator, inside)
        np.testing.assert_array_equal(segment(image, estimator, mask), expected)
    coloured = np.stack([image, image, np.where(inside, 1.0, np.inf)])
    labels = segment(coloured, KMeans(2, random_state=0), mask, channel_axis=0)
    np.testing.assert_array_equal(labels, segment(IMAGE, KMeans(2, random_state=0), inside))
    with pytest.raises(ValueError, match=r"^mask must hold booleans .*, got 0.5"):
        segment(IMAGE, KMeans(2), np.full(IMAGE.shape, 0.5))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_numbers_that_no_kernel_takes(kind: Any) -> None:
    X = np.arange(12.0).reshape(6, 2)
    with pytest.raises(ValueError, match=r"^max_iter must be from 1 to 9223372036854775807, got"):
        kind(2, max_iter=2**63).fit(X)
    with pytest.raises(ValueError, match=r"^tol must be a finite number"):
        kind(2, tol=10**400).fit(X)
    with pytest.raises((TypeError, ValueError), match=r"^init must"):
        kind(2, init=[[1.0], [2.0, 3.0]]).fit(X)
    for seed in (-1, 2**32, "a", [[1]]):
        with pytest.raises(ValueError, match=r"^random_state must be None, an integer"):
            kind(2, random_state=seed).fit(X)


@pytest.mark.parametrize("kind", ALL)
def test_settings_that_no_kernel_takes(kind: Any) -> None:
    for settings, message in (
        ({"max_iter": 2**63}, "max_iter must be from 1 to 9223372036854775807"),
        ({"border": np.array(["edge", "valid"])}, "border must be 'valid', "),
        ({"size": np.array(2)}, "size must "),
        ({"size": [[1], [1, 2]]}, "size must "),
        ({"max_iter": np.uint64(2**63)}, "max_iter must be from 1 to 9223372036854775807"),
        ({"init": [[1.0], [2.0, 3.0]]}, "init must be an array of real numbers"),
        ({"random_state": -1}, "random_state must be None, an integer"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^{message}"):
            kind(2, **settings).fit(IMAGE)


@pytest.mark.parametrize("kind", [FCM_S1, EnFCM])
def test_flags(kind: Any) -> None:
    for value in (np.ones(2, bool), "yes", 2):
        with pytest.raises(ValueError, match=r"^include_self must be True or False, got"):
            kind(2, include_self=value).fit(IMAGE)


def test_sizes_that_are_none() -> None:
    for value in (2, np.float16(2), {}):
        with pytest.raises(TypeError, match=r"^through must be integers in a list, got"):
            codebook(IMAGE, 4, through=value)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_rows_of_several_lengths(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"^X must be an array of real numbers, got list"):
        kind(2).fit([[1.0], [2.0, 3.0]])
    with pytest.raises(ValueError, match=r"^sample_weight must be an array of real numbers, got"):
        kind(2).fit([[1.0], [2.0]], sample_weight=[[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("kind", [*ESTIMATORS, *ALL])
def test_numpy_generators(kind: Any) -> None:
    data = IMAGE.reshape(-1, 2) if kind in ESTIMATORS else IMAGE
    one, again = (kind(2, random_state=np.random.default_rng(5)).fit(data) for _ in range(2))
    np.testing.assert_array_equal(one.labels_, again.labels_)
    shared = np.random.default_rng(5)
    before = shared.bit_generator.state
    kind(2, random_state=shared).fit(data)
    assert shared.bit_generator.state != before  # it is drawn from


@pytest.mark.parametrize("kind", ALL)
def test_clones(kind: Any) -> None:
    made = kind(3, m=1.7, tol=1e-3, random_state=4).fit(IMAGE)
    other = clone(made)
    assert other.get_params() == made.get_params()
    assert not hasattr(other, "labels_")
    np.testing.assert_array_equal(other.fit(IMAGE).labels_, made.labels_)
    assert other.set_params(m=2.5).m == 2.5
    with pytest.raises(ValueError, match=f"^settings of {kind.__name__} are n_clusters, .* got k"):
        other.set_params(k=3)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_names_of_features(kind: Any) -> None:
    X = np.arange(12.0).reshape(6, 2)
    names = kind(3, random_state=0).fit(X).get_feature_names_out()
    assert names.tolist() == [f"{kind.__name__.lower()}{j}" for j in range(3)]


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_tables_of_pandas(kind: Any) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    X = pandas.DataFrame({"a": np.arange(6.0), "b": np.arange(6.0) ** 2})
    model = kind(3, random_state=0).set_output(transform="pandas").fit(X)
    assert list(model.transform(X).columns) == [f"{kind.__name__.lower()}{j}" for j in range(3)]


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_tensors(kind: Any) -> None:
    torch = pytest.importorskip("torch")
    X = torch.arange(12.0).reshape(6, 2)
    weight = torch.ones(6, dtype=torch.float64)
    expected = kind(2, random_state=0).fit(X.numpy())
    found = kind(2, random_state=0).fit(X, sample_weight=weight)
    np.testing.assert_array_equal(found.labels_.numpy(), expected.labels_)
    with pytest.raises(TypeError, match=r"^sample_weight carries gradients.*detach"):
        kind(2).fit(X, sample_weight=weight.requires_grad_())
    with pytest.raises(TypeError, match=r"^init carries gradients.*detach"):
        kind(2, init=X[:2].clone().requires_grad_()).fit(X)
    with pytest.raises(TypeError, match="must live in one place"):
        kind(2).fit(X.numpy(), sample_weight=torch.ones(6))
