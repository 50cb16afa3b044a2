"""scikit-image's other calls of watershed: no markers, a number of them, compactness, offsets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from lesionkit.fronts import watershed


@pytest.fixture
def peer() -> Any:
    return pytest.importorskip("skimage.segmentation").watershed


def noise(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Floats without ties, in which the peers' orders of neighbours do not matter."""
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.standard_normal(shape), 1.0)


@pytest.mark.parametrize("shape", [(40,), (30, 33), (9, 10, 11)])
def test_without_markers_and_with_a_number_of_them(peer: Any, shape: tuple[int, ...]) -> None:
    image = noise(1, shape)
    coarse = np.round(3 * image).astype(np.int16)  # minima of several pixels
    mask = ndimage.gaussian_filter(np.random.default_rng(2).random(shape), 2) > 0.48
    for connectivity in range(1, len(shape) + 1):
        ours = watershed(image, connectivity=connectivity)
        theirs = peer(image, connectivity=connectivity)
        assert ours.dtype == theirs.dtype == np.int32
        np.testing.assert_array_equal(ours, theirs)
        for name in (image, coarse):
            assert watershed(name, None, connectivity).max() == peer(name, None, connectivity).max()
            masked = watershed(name, connectivity=connectivity, mask=mask)
            assert masked.max() == peer(name, connectivity=connectivity, mask=mask).max()
    for count in (1, 2, 5, 17, image.size // 2, image.size, 10 * image.size):
        ours, theirs = watershed(image, count), peer(image, count)
        assert ours.dtype == theirs.dtype == np.int64
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(
            watershed(image, np.int64(count), mask=mask), peer(image, count, mask=mask)
        )


def test_a_long_thin_image_has_its_markers_in_one_line(peer: Any) -> None:
    for shape in ((3, 200), (4, 90, 2), (2, 3, 50)):
        image = noise(3, shape)
        for count in (4, 11):
            np.testing.assert_array_equal(watershed(image, count), peer(image, count))


def test_an_even_image_has_no_minima() -> None:
    assert not watershed(np.full((4, 5), 7.5)).any()
    assert watershed([[3, 1, 1, 2, 0, 4]]).tolist() == [[1, 1, 1, 2, 2, 2]]


def test_boolean_markers_are_one_region(peer: Any) -> None:
    image = noise(4, (20, 21))
    marks = np.zeros(image.shape, bool)
    marks[3, 4] = marks[15, 16] = True
    mask = np.arange(21) < 18
    for given_ in ({}, {"mask": np.broadcast_to(mask, image.shape)}, {"compactness": 0.1}):
        ours = watershed(image, marks, **given_)
        assert ours.dtype == bool
        np.testing.assert_array_equal(ours, peer(image, marks, **given_))


@pytest.mark.parametrize("shape", [(50,), (31, 28), (9, 11, 10)])
@pytest.mark.parametrize("compactness", [1e-3, 0.1, 2.0, 1e6])
def test_compact_regions(peer: Any, shape: tuple[int, ...], compactness: float) -> None:
    image = noise(5, shape)
    rng = np.random.default_rng(6)
    marks = np.where(rng.random(shape) < 0.03, rng.integers(1, 9, shape), 0)
    marks.flat[7] = 5
    mask = rng.random(shape) < 0.9
    for given_ in ({}, {"mask": mask}, {"connectivity": len(shape)}):
        theirs = peer(image, marks, compactness=compactness, **given_)
        ours = watershed(image, marks, compactness=compactness, **given_)
        assert ours.dtype == theirs.dtype
        assert (ours == theirs).mean() > (0.98 if compactness > 1 else 0.999)  # then many tie


def test_compact_regions_on_even_ground_are_the_nearest_markers() -> None:
    marks = np.zeros((21, 30), np.int32)
    places = [(3, 4), (15, 8), (10, 22)]
    for label, place in enumerate(places, 1):
        marks[place] = label
    labels = watershed(np.zeros(marks.shape, np.uint8), marks, compactness=1)
    y, x = np.indices(marks.shape)
    far = np.stack([np.hypot(y - a, x - b) for a, b in places])
    nearest = np.sort(far, 0)
    clear = nearest[1] - nearest[0] > 1
    np.testing.assert_array_equal(labels[clear], far.argmin(0)[clear] + 1)


@pytest.mark.parametrize(
    ("sides", "offset"),
    [((3, 3), None), ((5, 3), None), ((1, 7), None), ((2, 3), (0, 1)), ((3, 4), (1, 2))],
)
def test_an_array_of_neighbours(peer: Any, sides: tuple[int, int], offset: Any) -> None:
    image = noise(7, (26, 29))
    rng = np.random.default_rng(8)
    marks = np.where(rng.random(image.shape) < 0.02, rng.integers(1, 9, image.shape), 0)
    near = rng.random(sides) < 0.7
    mask = rng.random(image.shape) < 0.9
    for given_ in ({}, {"mask": mask}):
        ours = watershed(image, marks, near, offset, **given_)
        np.testing.assert_array_equal(ours, peer(image, marks, near, offset, **given_))
    structure = ndimage.generate_binary_structure(2, 2)
    np.testing.assert_array_equal(
        watershed(image, marks, structure, watershed_line=True),
        watershed(image, marks, 2, watershed_line=True),
    )
