"""Codebooks: cases worked by hand, plain loops, properties, mistakes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tolerances
from invariances import at_any_threads
from lesionkit._core import clustering as _kernels
from lesionkit.clustering import codebook
from reference.clustering import codebook as reference


def coloured(shape: tuple[int, ...] = (12, 10), seed: int = 0) -> np.ndarray:
    """Pixels about five colours."""
    rng = np.random.default_rng(seed)
    colours = rng.uniform(0, 200, (5, 3))
    return colours[rng.integers(0, 5, shape)] + rng.normal(0, 8, (*shape, 3))


# --- known answers --------------------------------------------------------------------------------


def test_by_hand() -> None:
    """0, 1, 10, 11: one word 5.5 with (30.25 + 20.25) / 2; then 0.5 and 10.5; then the pixels."""
    found = codebook(np.array([0.0, 1.0, 10.0, 11.0]), 4)
    assert found.words.tolist() == [[0], [1], [10], [11]]
    assert found.labels.tolist() == [0, 1, 2, 3]
    assert found.sizes == (1, 2, 4)
    assert found.distortions.tolist() == [25.25, 0.25, 0.0]
    two = codebook(np.array([[10, 1], [11, 0]], np.uint8), 2)
    assert two.words.tolist() == [[0.5], [10.5]]
    assert two.labels.tolist() == [[1, 0], [1, 0]]


def test_only_the_worst_cell_is_split() -> None:
    """Two tight cells and a wide one: the third word goes into the wide one."""
    found = codebook(np.array([0.0, 0.1, 10.0, 10.1, 14.0, 14.1]), 3)
    np.testing.assert_allclose(found.words[:, 0], [0.05, 10.05, 14.05])
    assert found.sizes == (1, 2, 3)


def test_black_can_be_split() -> None:
    """By a spread of its own, where a fraction of the word, 0, would not do."""
    assert codebook(np.array([-1.0, 1.0]), 2).words.tolist() == [[-1], [1]]


def test_half_without_pixels() -> None:
    """Both pixels lie on the plane between the halves: one half stays empty, and is moved."""
    found = codebook(np.array([[0.0, 1.0], [1.0, 0.0]]), 2, channel_axis=1)
    assert sorted(found.words.tolist()) == [[0, 1], [1, 0]]


def test_pairs_by_hand() -> None:
    """Of 0 (10 pixels), 3 (1) and 5 (10): 0 + 3 costs 8.2, 3 + 5 only 3.6."""
    words, weights = np.array([[0.0], [3.0], [5.0]]), np.array([10.0, 1.0, 10.0])
    _kernels.merge_pairs(words, weights, 2)
    np.testing.assert_allclose(words[:2, 0], [0, 53 / 11])
    assert weights[:2].tolist() == [10, 11]


def test_blocks() -> None:
    """The brightest pixel of each of four blocks, by the sum of channels; then 2 words of them."""
    colours = [[1, 0, 0], [0, 0, 9], [0, 90, 0], [40, 40, 12]]
    image = np.zeros((4, 6, 3), np.uint8) + np.uint8([1, 0, 0])
    image[0, 1], image[1, 5], image[3, 0], image[2, 3] = colours
    found = codebook(image, 4, "blocks", channel_axis=-1, blocks=2)
    assert found.words.tolist() == colours
    assert found.sizes == (4,)
    assert found.distortions.tolist() == [0]
    fewer = codebook(image, 2, "blocks", channel_axis=-1, blocks=2)
    assert fewer.sizes == (4, 2)
    assert fewer.words[1].tolist() == [20, 65, 6]
    hidden = np.ones((4, 6), bool)
    hidden[2:, :3] = False  # a block without pixels, which has no word
    found = codebook(image, 3, "blocks", channel_axis=-1, blocks=2, mask=hidden)
    assert found.words.tolist() == [colours[0], colours[1], colours[3]]
    assert found.sizes == (3,)


# --- reference ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
def test_splitting(n: int, dtype: Any) -> None:
    image = coloured().astype(dtype)
    found = codebook(image, n, channel_axis=-1)
    pixels = image.reshape(-1, 3).astype(float)
    expected = reference.by_splitting(pixels, n, 1e-3)
    expected = expected[np.argsort(expected.sum(1))]
    rtol = tolerances.SINGLE if dtype == np.float32 else tolerances.SPATIAL
    np.testing.assert_allclose(found.words, expected, rtol=rtol)
    assert found.words.dtype == (np.float32 if dtype == np.float32 else np.float64)
    np.testing.assert_allclose(
        found.distortions[-1], reference.distortion(pixels, expected), rtol=rtol
    )
    nearest = ((pixels[:, None] - expected) ** 2).sum(-1).argmin(1)
    np.testing.assert_array_equal(found.labels.ravel(), nearest)


def test_grey_levels_are_the_pixels() -> None:
    """Counted as levels, or not because they are few, or not whole."""
    image = np.random.default_rng(2).integers(0, 60, (80, 80)) ** 2 // 15
    expected = codebook(image.astype(np.uint8), 6)
    for other in (image.astype(np.float32), image.astype(np.int64), image / 1.0):
        found = codebook(other, 6)
        np.testing.assert_allclose(found.words, expected.words, rtol=tolerances.SINGLE)
        np.testing.assert_array_equal(found.labels, expected.labels)
    shifted = codebook(image + 0.5, 6)
    np.testing.assert_allclose(shifted.words, expected.words + 0.5, rtol=tolerances.SPATIAL)


@pytest.mark.parametrize("start", [5, 16])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_merging(start: int, n: int) -> None:
    image = coloured(seed=3)
    pixels = image.reshape(-1, 3)
    first = pixels[:start]
    found = codebook(image, n, first, channel_axis=-1)
    words, size = reference.lloyd(pixels, first, 1e-3), start
    sizes = [start]
    while size > n:
        size = max(-(-size // 2), n)
        cells = reference.cells_of(pixels, words)
        means = np.array([c.mean(0) if len(c) else w for c, w in zip(cells, words, strict=True)])
        words, _ = reference.merged(means, np.array([len(c) for c in cells]), size)
        words = reference.lloyd(pixels, words, 1e-3)
        sizes.append(size)
    np.testing.assert_allclose(
        found.words, words[np.argsort(words.sum(1))], rtol=tolerances.SPATIAL
    )
    assert found.sizes == tuple(sizes)


@given(
    seed=st.integers(0, 2**32 - 1),
    k=st.integers(1, 25),
    d=st.integers(1, 3),
    target=st.integers(1, 25),
)
def test_pairs(seed: int, k: int, d: int, target: int) -> None:
    rng = np.random.default_rng(seed)
    words, weights = rng.normal(size=(k, d)), rng.integers(0, 5, k) * rng.random(k)
    target = min(k, target)
    expected, expected_weights = reference.merged(words, weights, target)
    words, weights = words.copy(), weights.copy()
    _kernels.merge_pairs(words, weights, target)
    np.testing.assert_allclose(words[:target], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(weights[:target], expected_weights, rtol=1e-9)


# --- properties -----------------------------------------------------------------------------------


def test_distortion_falls_as_the_codebook_grows() -> None:
    found = codebook(coloured((40, 40), 5), 20, channel_axis=-1)
    assert found.sizes == (1, 2, 4, 8, 16, 20)
    assert (np.diff(found.distortions) < 0).all()
    assert (np.diff(found.words.sum(1)) > 0).all()


def test_threads_change_no_bit() -> None:
    image = coloured((300, 200), 4).astype(np.float32)

    def call() -> tuple[Any, ...]:
        made = codebook(image, 9, channel_axis=-1)
        return made.words, made.labels, made.distortions

    at_any_threads(call)


def test_mask_and_through() -> None:
    image, mask = coloured((20, 21)), np.random.default_rng(1).random((20, 21)) > 0.3
    found = codebook(np.where(mask[..., None], image, np.nan), 4, mask=mask, channel_axis=-1)
    expected = codebook(image[mask], 4, channel_axis=-1)
    np.testing.assert_array_equal(found.words, expected.words)
    np.testing.assert_array_equal(found.labels[mask], expected.labels)
    assert (found.labels[~mask] == -1).all()
    way = codebook(image, 3, "blocks", channel_axis=-1, through=[8])
    assert way.sizes == (16, 8, 3)
    assert codebook(image, 6, through=[2, 3], channel_axis=-1).sizes == (1, 2, 3, 6)


@pytest.mark.parametrize("image", [np.full((5, 6), 3), np.repeat([2.0, 7.0], 40)])
def test_fewer_pixels_than_words(image: np.ndarray) -> None:
    different = len(np.unique(image))
    with pytest.warns(UserWarning, match=rf"image has {different} different pixels .* than n=5"):
        found = codebook(image, 5)
    np.testing.assert_array_equal(found.words[:, 0], np.unique(image))
    np.testing.assert_array_equal(found.words[found.labels, 0], image)
    assert found.sizes[-1] == different
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codebook(image, different)


# --- mistakes -------------------------------------------------------------------------------------

IMAGE = np.arange(48.0).reshape(6, 8)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n": 0}, ValueError, "n must be from 1 to 65536, got 0"),
        ({"n": 2.0}, TypeError, "n must be an integer from 1 to 65536, got float 2.0"),
        ({"image": IMAGE + np.inf}, ValueError, "image must be finite, got 48 NaN or infinite"),
        ({"init": "random"}, ValueError, "init must be 'split', 'blocks' or words, got 'random'"),
        ({"init": [[1.0, 2.0]]}, ValueError, r"init must have shape \(k, 1\), got float64"),
        ({"init": np.zeros((0, 1))}, ValueError, "init must hold from 1 to 65536 words, got 0"),
        ({"init": "blocks", "blocks": 7}, ValueError, "blocks must be at most .*, 6, got 7"),
        ({"through": [3]}, ValueError, "through must lead from 1 words to n=4, down, or up and"),
        ({"init": [1, 2, 3, 4, 5.0], "through": [6]}, ValueError, "through must lead from 5 words"),
        ({"tol": -1}, ValueError, "tol must be a finite number at least 0, got -1"),
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1, got 0"),
        ({"mask": IMAGE < 0}, ValueError, "mask must hold a pixel or more, and all"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        codebook(**({"image": IMAGE, "n": 4} | change))
