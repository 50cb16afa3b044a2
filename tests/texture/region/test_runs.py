"""Run lengths: Galloway's example, the slow reference, properties, mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

import tolerances
from invariances import at_any_threads
from lesionkit.texture.region.emphasis import emphases
from lesionkit.texture.region.runs import (
    RUN_FEATURES,
    all_directions,
    run_length_features,
    run_lengths,
)
from reference import texture as reference
from region_cases import regions

# Galloway 1975, figures 1 and 2: a picture, and its runs at 0, 45, 90 and 135 degrees.
IMAGE = np.array([[0, 1, 2, 3], [0, 2, 3, 3], [2, 1, 1, 1], [3, 0, 3, 0]])
GALLOWAY = {
    (0, 1): [[4, 0, 0, 0], [1, 0, 1, 0], [3, 0, 0, 0], [3, 1, 0, 0]],
    (1, -1): [[4, 0, 0, 0], [4, 0, 0, 0], [0, 0, 1, 0], [3, 1, 0, 0]],
    (1, 0): [[2, 1, 0, 0], [4, 0, 0, 0], [3, 0, 0, 0], [3, 1, 0, 0]],
    (1, 1): [[4, 0, 0, 0], [4, 0, 0, 0], [3, 0, 0, 0], [5, 0, 0, 0]],
}


def dense(runs: dict[tuple[int, int], int], levels: int) -> np.ndarray:
    table = np.zeros((levels, max(length for _, length in runs)), int)
    for (level, length), count in runs.items():
        table[level, length - 1] = count
    return table


def test_galloways_example() -> None:
    counts = run_lengths(IMAGE, list(GALLOWAY), 4)
    for found, (direction, published) in zip(counts, GALLOWAY.items(), strict=True):
        assert found.tolist() == np.array(published)[:, : counts.shape[2]].tolist(), direction
    assert counts.dtype == np.int64


@given(regions())
def test_as_the_reference(region: tuple[np.ndarray, np.ndarray, int]) -> None:
    image, mask, levels = region
    directions = all_directions(image.ndim)
    wild = np.where(mask, image, -77)  # what stands outside is not looked at
    counts = run_lengths(wild, None, levels, mask)
    longest = 0
    for direction, found in zip(directions, counts, strict=True):
        runs = reference.runs_of(image, direction, mask)
        expected = dense(runs, levels)
        longest = max(longest, expected.shape[1])
        assert np.array_equal(found[:, : expected.shape[1]], expected)
        assert not found[:, expected.shape[1] :].any()
        features = run_length_features(found)
        cells = {(level + 1, length): n for (level, length), n in runs.items()}
        expected_features = reference.matrix_features(cells, int(mask.sum()))
        for name, theirs in RUN_FEATURES.items():
            assert features[name] == pytest.approx(
                expected_features[theirs], rel=tolerances.TEXTURE_SUMS, abs=tolerances.TEXTURE_SUMS
            )
    assert counts.shape == (len(directions), levels, longest)
    lengths = np.arange(1, longest + 1)
    assert (counts.sum(1) @ lengths == mask.sum()).all()  # each voxel is in one run


def test_any_type_and_layout() -> None:
    random = np.random.default_rng(0)
    image, mask = random.integers(0, 5, (6, 7, 8)), random.uniform(size=(6, 7, 8)) < 0.8
    expected = run_lengths(image, None, 5, mask)
    for kind in "bBhHiIqQ":
        assert np.array_equal(run_lengths(image.astype(kind), None, 5, mask), expected)
    assert np.array_equal(run_lengths(image.astype(">i4"), None, 5, mask), expected)
    assert np.array_equal(run_lengths(np.asfortranarray(image), None, 5, mask * 3), expected)
    strided = np.repeat(image, 2, axis=2)[..., ::2]
    strided.flags.writeable = False
    assert np.array_equal(run_lengths(strided, None, 5, mask), expected)
    for levels in (200, 255, 256, 65535, 65536):  # 8, 16 and 32 bits
        more = run_lengths(np.where(mask, image + levels - 5, 0), [(1, 1, 1)], levels, mask)
        assert np.array_equal(more[0, levels - 5 :], expected[-1][:, : more.shape[2]])


def test_opposite_directions_have_the_same_runs() -> None:
    image = np.random.default_rng(1).integers(0, 3, (5, 6, 7))
    forward = all_directions(3)
    back = [tuple(-n for n in step) for step in forward]
    assert len(forward) == 13
    assert np.array_equal(run_lengths(image, forward, 3), run_lengths(image, back, 3))


def test_threads_do_not_matter() -> None:
    image = np.random.default_rng(2).integers(0, 4, (20, 60, 70))
    at_any_threads(lambda: run_lengths(image, None, 4))


def test_wide_pictures() -> None:
    """Rows longer than a block of vector code; runs as long as the picture."""
    picture = np.zeros((2, 9000), np.uint8)
    picture[1, 8000:] = 1
    counts = run_lengths(picture, [(0, 1), (1, 0)], 2)
    assert counts[0, 0, 8999] == counts[0, 0, 7999] == counts[0, 1, 999] == 1
    assert counts[0].sum() == 3
    assert counts[1].sum() == 8000 + 2 * 1000


def test_features_of_many_matrices_and_of_none() -> None:
    counts = run_lengths(IMAGE, None, 4)
    together = run_length_features(counts)
    for k, matrix in enumerate(counts):
        for name, value in run_length_features(matrix).items():
            assert together[name][k] == value
    assert run_length_features(counts[0], 8)["run_percentage"] == 2 * together["run_percentage"][0]
    with pytest.raises(ValueError, match="counts must count something in each matrix"):
        run_length_features(np.zeros((3, 2)))
    merged = run_length_features(counts.sum(0))
    assert merged["run_percentage"] == counts.sum() / (4 * 16)
    assert emphases(np.ones((1, 1)))["entropy"] == 0


def test_torch_tensors_stay_tensors() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    counts = run_lengths(torch.from_numpy(IMAGE), None, 4)
    assert isinstance(counts, torch.Tensor)
    assert isinstance(run_length_features(counts)["run_entropy"], torch.Tensor)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((IMAGE / 1, None, 4), "image must hold integers .*, got float64 array"),
        ((IMAGE, None, 3), "image must have levels from 0 to 2, got 3"),
        ((IMAGE - 1, None, 3, IMAGE < 2), "levels from 0 to 2 in the mask, got -1"),
        ((IMAGE.astype(np.uint64) + 2**63, None, 4), "image must have levels from 0 to 3, got"),
        ((IMAGE[0], None, 4), "image must have 2 or 3 axes, got int64 array of shape"),
        ((IMAGE[:0], None, 4), "image must hold a pixel or more"),
        ((IMAGE, None, 0), "levels must be from 1 to 65536, got 0"),
        ((IMAGE, [(0, 0)], 4), "directions must be one or more steps of -1, 0 or 1, not all 0"),
        ((IMAGE, [(0, 2)], 4), "directions must be one or more steps"),
        ((IMAGE, np.zeros((0, 2), int), 4), "directions must be one or more steps"),
        ((IMAGE, [(0, 0, 1)], 4), r"directions must have shape \(n, 2\)"),
        ((IMAGE, [(0.0, 1.0)], 4), "directions must hold integers"),
        ((IMAGE, None, 4, IMAGE > 9), "mask must hold a pixel or more"),
        ((IMAGE, None, 4, IMAGE[1:] > 0), r"mask must have the shape of image, \(4, 4\)"),
        ((IMAGE, None, 4, IMAGE * np.nan), "mask must hold booleans .*, got nan"),
    ],
)
def test_mistakes(args: tuple[Any, ...], said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        run_lengths(*args)


def test_mistakes_of_features() -> None:
    with pytest.raises(ValueError, match=r"counts must have shape \(\.\.\., levels, sizes\)"):
        run_length_features([1, 2])
    with pytest.raises(ValueError, match="counts must be at least 0, got -1"):
        run_length_features([[1, -1]])
