"""Co-occurrence: published matrices, scikit-image, the slow reference, properties, mistakes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tolerances
from fake_cupy import OnTheGpu
from invariances import at_any_threads
from lesionkit.texture import cooccurrence, graycomatrix, graycoprops
from reference import texture as reference

ANGLES = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
PROPERTIES = [
    "contrast",
    "dissimilarity",
    "homogeneity",
    "ASM",
    "energy",
    "correlation",
    "mean",
    "variance",
    "std",
    "entropy",
]
# Haralick, Shanmugam and Dinstein 1973, figure 3: the image, and its matrices at 0, 135, 90 and 45
# degrees, which are our offsets (0, 1), (1, 1), (1, 0) and (1, -1).
IMAGE = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]], np.uint8)
MATRICES = {
    (0, 1): [[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]],
    (1, 1): [[2, 1, 3, 0], [1, 2, 1, 0], [3, 1, 0, 2], [0, 0, 2, 0]],
    (1, 0): [[6, 0, 2, 0], [0, 4, 2, 0], [2, 2, 2, 2], [0, 0, 2, 0]],
    (1, -1): [[4, 1, 0, 0], [1, 2, 2, 0], [0, 2, 4, 1], [0, 0, 1, 0]],
}
DTYPES = [np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)]


def random_image(seed: int, shape: tuple[int, ...], levels: int, dtype: Any = np.uint8) -> Any:
    return np.random.default_rng(seed).integers(0, levels, shape).astype(dtype)


# --- published ------------------------------------------------------------------------------------


def test_matrices_of_haralicks_example() -> None:
    counts = cooccurrence(IMAGE, list(MATRICES), 4)
    assert counts.dtype == np.uint32
    np.testing.assert_array_equal(counts, list(MATRICES.values()))
    drop_in = graycomatrix(IMAGE, [1], ANGLES, 4, symmetric=True)
    np.testing.assert_array_equal(np.moveaxis(drop_in[:, :, 0], 2, 0), list(MATRICES.values()))


def test_properties_of_scikit_images_example() -> None:
    """The contrasts that its documentation prints."""
    fractions = graycomatrix(IMAGE, [1, 2], [0, np.pi / 2], 4, symmetric=True, normed=True)
    np.testing.assert_allclose(
        graycoprops(fractions), [[7 / 12, 1], [1.25, 2.75]], rtol=tolerances.TEXTURE_SUMS
    )


# --- scikit-image ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_as_scikit_image(dtype: np.dtype[Any]) -> None:
    feature = pytest.importorskip("skimage.feature")
    random = np.random.default_rng(dtype.num)
    for levels in (2, 17, 100):
        image = random.integers(0, levels, random.integers(1, 30, 2)).astype(dtype)
        distances = [0, 1, 2, 2.5, 7.3, -2, 40]
        angles = [*ANGLES, np.pi / 6, *random.uniform(-7, 7, 3)]
        for symmetric in (False, True):
            for normed in (False, True):
                given = (image, distances, angles, levels, symmetric, normed)
                ours, theirs = graycomatrix(*given), feature.graycomatrix(*given)
                assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
                assert ours.flags.c_contiguous
                np.testing.assert_array_equal(ours, theirs)
                for name in PROPERTIES:
                    found, expected = graycoprops(ours, name), feature.graycoprops(theirs, name)
                    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
                    np.testing.assert_allclose(
                        found,
                        expected,
                        rtol=tolerances.TEXTURE_SUMS,
                        atol=tolerances.TEXTURE_SUMS,
                        err_msg=name,
                    )


@pytest.mark.parametrize(
    ("shape", "levels", "distances"),
    [
        ((300, 400), 5, [1]),  # few matrices: from tables
        ((30, 400), 300, [1, 2, 2]),  # from pixels sorted by level, one offset twice
        ((30, 40), 50, [*range(330)]),  # more counts in a row than 16 bits can tell apart
        ((600, 500), 256, [1, 2, 3, 40, 500]),
    ],
)
@pytest.mark.parametrize("flat", [False, True])
def test_large_matrices_as_scikit_image(
    shape: tuple[int, int], levels: int, distances: list[int], flat: bool
) -> None:
    feature = pytest.importorskip("skimage.feature")
    image = random_image(3, shape, levels, np.uint16)
    if flat:  # more pixels of one level than 16 bits count
        image[2:] = levels // 2
    for symmetric in (False, True):
        for normed in (False, True):
            given = (image, distances, ANGLES, levels, symmetric, normed)
            np.testing.assert_array_equal(graycomatrix(*given), feature.graycomatrix(*given))


MISTAKES = {
    "float": (np.ones((2, 2)), [1], [0], 4),
    "no levels": (np.ones((2, 2), np.int32), [1], [0]),
    "negative": (np.array([[-1, 1]]), [1], [0], 4),
    "too high": (np.array([[4, 1]], np.uint8), [1], [0], 4),
    "levels 0": (np.zeros((2, 2), np.uint8), [1], [0], 0),
    "levels below 0": (np.zeros((2, 2), np.uint8), [1], [0], -3),
    "levels 2.5": (np.zeros((2, 2), np.uint8), [1], [0], 2.5),
    "ragged": ([[0, 1], [1]], [1], [0], 4),
    "3 axes": (np.zeros((2, 2, 2), np.uint8), [1], [0], 4),
    "empty": (np.zeros((0, 2), np.uint8), [1], [0], 4),
    "one distance": (np.zeros((2, 2), np.uint8), 1, [0], 4),
    "no angle": (np.zeros((2, 2), np.uint8), [1], [], 4),
    "complex": (np.zeros((2, 2), complex), [1], [0], 4),
}


@pytest.mark.parametrize("given", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_refused_as_by_scikit_image(given: tuple[Any, ...]) -> None:
    feature = pytest.importorskip("skimage.feature")
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        feature.graycomatrix(*given)
    with pytest.raises(theirs.type):
        graycomatrix(*given)


def test_an_image_of_dates_is_named() -> None:
    with pytest.raises(TypeError, match="image must hold integers, got datetime64"):
        graycomatrix(np.zeros((2, 2), "datetime64[s]"), [1], [0], 4)
    with pytest.raises(ValueError, match="normed must be True or False, got"):
        graycomatrix(np.zeros((2, 2), np.uint8), [1], [0], 4, normed=np.array([1, 2]))


@pytest.mark.parametrize("levels", ["many", [4], 2.5])
def test_levels_that_are_no_number_are_named(levels: Any) -> None:
    with pytest.raises(TypeError, match="levels must be an integer at least 0, got"):
        graycomatrix(np.zeros((2, 2), np.uint8), [1], [0], levels)


@pytest.mark.parametrize(
    ("matrices", "name", "message"),
    [
        (np.ones((2, 2, 1)), "contrast", "`P` must be a 4-dimensional array"),
        (np.ones((2, 3, 1, 1)), "contrast", "num_level and num_level2 must be equal"),
        (np.ones((2, 2, 0, 1)), "contrast", "`P` cannot be an empty array"),
        (np.ones((2, 2, 1, 1)), "gloss", "gloss is an invalid property"),
        (np.ones((2, 2, 1, 1)), {}, "{} is an invalid property"),
        ([[1], [1, 2]], "contrast", "`P` must be a 4-dimensional array"),
    ],
)
def test_property_mistakes(matrices: Any, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        graycoprops(matrices, name)


def test_properties_of_what_is_no_array_of_real_numbers() -> None:
    counts = graycomatrix(random_image(1, (9, 9), 3), [1], [0.0], 3)
    np.testing.assert_array_equal(graycoprops(counts.tolist()), graycoprops(counts))
    with pytest.raises(TypeError, match="P must hold real numbers, got complex128"):
        graycoprops(counts * 1j)


def test_properties_of_matrices_of_any_kind() -> None:
    counts = graycomatrix(random_image(1, (20, 21), 6), [1, 2], ANGLES, 6)
    for name in PROPERTIES:
        expected = graycoprops(counts, name)
        for other in (
            counts.astype(np.int16),
            counts.astype(np.float32),
            counts.astype(">u4"),
            np.asfortranarray(counts),
        ):
            np.testing.assert_allclose(
                graycoprops(other, name), expected, rtol=tolerances.TEXTURE_SUMS
            )
    nothing = np.zeros((3, 3, 1, 1), np.uint32)
    found = {name: graycoprops(nothing, name).item() for name in PROPERTIES}
    assert found == {name: float(name == "correlation") for name in PROPERTIES}
    assert math.isnan(graycoprops(np.full((2, 2, 1, 1), np.nan)).item())


# --- slow reference -------------------------------------------------------------------------------


@pytest.mark.parametrize(("distance", "angle"), [(1, 0.3), (2.5, np.pi / 2), (1, np.pi / 6)])
def test_steps_are_scikit_images(distance: float, angle: float) -> None:
    image = random_image(2, (9, 8), 5)
    step = reference.pixel_offset(distance, angle)
    np.testing.assert_array_equal(
        graycomatrix(image, [distance], [angle], 5)[:, :, 0, 0],
        reference.glcm(image, step, 5, symmetric=False),
    )


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_counts_as_the_reference(dtype: np.dtype[Any], masked: bool, symmetric: bool) -> None:
    for levels, shape in ((3, (13, 9)), (40, (4, 5, 6)), (100, (7, 30))):
        image = random_image(levels, shape, levels, dtype)
        mask = random_image(4, shape, 4) > 0 if masked else None
        if masked and dtype.kind == "i":
            image[~mask] = -1
        offsets = np.random.default_rng(5).integers(-3, 4, (6, len(shape)))
        counts = cooccurrence(image, offsets, levels, mask, symmetric)
        for k, offset in enumerate(offsets):
            np.testing.assert_array_equal(
                counts[k], reference.glcm(image, offset, levels, mask, symmetric)
            )


def test_leading_axes_are_a_batch() -> None:
    image = random_image(6, (2, 3, 8, 9), 6)
    mask = random_image(7, (8, 9), 3) > 0
    counts = cooccurrence(image, [(0, 1), (2, -1)], 6, mask)
    assert counts.shape == (2, 3, 2, 6, 6)
    for at in np.ndindex(2, 3):
        np.testing.assert_array_equal(
            counts[at], cooccurrence(image[at], [(0, 1), (2, -1)], 6, mask)
        )
    volumes = cooccurrence(image, [(1, 0, 1)], 6)
    np.testing.assert_array_equal(volumes[1], cooccurrence(image[1], [(1, 0, 1)], 6))


@pytest.mark.parametrize("levels", [2, 30, 90, 300, 1000])
def test_large_images_are_counted_in_bands(levels: int) -> None:
    """By NumPy: the reference would take minutes."""
    image = random_image(8, (1200, 1300), levels, np.uint16)
    for dr, dc in ((1, -2), (0, 0)):
        a, b = image[: 1200 - dr, -min(dc, 0) :], image[dr:, : 1300 + min(dc, 0)]
        expected = np.bincount(a.astype(int).ravel() * levels + b.ravel(), minlength=levels**2)
        counts = cooccurrence(image, [(dr, dc)], levels, symmetric=False)
        np.testing.assert_array_equal(counts[0].ravel(), expected)


# --- properties -----------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    levels=st.integers(1, 20),
    offset=st.tuples(st.integers(-10, 10), st.integers(-10, 10)),
)
def test_properties(
    seed: int, shape: tuple[int, int], levels: int, offset: tuple[int, int]
) -> None:
    image = random_image(seed, shape, levels)
    one, both = (cooccurrence(image, [offset], levels, symmetric=s)[0] for s in (False, True))
    pairs = math.prod(max(0, n - abs(o)) for n, o in zip(shape, offset, strict=True))
    assert one.sum() == pairs
    np.testing.assert_array_equal(both, one + one.T)
    back = cooccurrence(image, [np.negative(offset)], levels, symmetric=False)[0]
    np.testing.assert_array_equal(back, one.T)
    shifted = cooccurrence(image + 3, [offset], levels + 3, symmetric=False)[0]
    np.testing.assert_array_equal(shifted[3:, 3:], one)
    assert shifted.sum() == pairs
    everywhere = cooccurrence(image, [offset], levels, np.ones(shape, bool))[0]
    np.testing.assert_array_equal(everywhere, both)
    assert not cooccurrence(image, [offset], levels, np.zeros(shape, bool)).any()


def test_order_strides_and_read_only_arrays() -> None:
    image = random_image(9, (20, 31), 9, np.int32)
    expected = cooccurrence(image, [(1, 2)], 9)
    wide = np.repeat(image, 2, axis=1)
    frozen = image.copy()
    frozen.flags.writeable = False
    for other in (np.asfortranarray(image), wide[:, ::2], frozen, image.astype(">i4")):
        np.testing.assert_array_equal(cooccurrence(other, [(1, 2)], 9), expected)
        drop_in = graycomatrix(other, [2], [0.3], 9)
        np.testing.assert_array_equal(drop_in, graycomatrix(image, [2], [0.3], 9))
    np.testing.assert_array_equal(cooccurrence(image.tolist(), [(1, 2)], 9), expected)
    np.testing.assert_array_equal(  # as scikit-image, which counts booleans too
        graycomatrix(image > 4, [2], [0.3], 2), graycomatrix((image > 4) * 1, [2], [0.3], 2)
    )


def test_threads_change_no_bit() -> None:
    image = random_image(10, (900, 1300), 256)

    def call() -> list[np.ndarray]:
        fractions = graycomatrix(image, [1, 2], ANGLES, symmetric=True, normed=True)
        return [fractions, *(graycoprops(fractions, name) for name in PROPERTIES)]

    at_any_threads(call)


def test_many_levels() -> None:
    image = np.array([[0, 2999, 2999]], np.uint16)
    counts = cooccurrence(image, [(0, 1)], 3000)
    assert counts[0, 0, 2999] == counts[0, 2999, 0] == 1
    assert counts[0, 2999, 2999] == 2
    assert counts.sum() == 4
    assert cooccurrence(np.zeros((1, 1), int), [(0, 1)], 1).sum() == 0


# --- mistakes -------------------------------------------------------------------------------------

ZEROS = np.zeros((3, 4), np.uint8)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            (ZEROS / 1, [(0, 1)], 4),
            TypeError,
            r"image must hold integers \(grey levels\), got float64",
        ),
        ((ZEROS > 0, [(0, 1)], 4), TypeError, "image must hold integers .*, got bool"),
        (([[1, 2], [3]], [(0, 1)], 4), TypeError, "image must be an array of integers"),
        ((ZEROS[:0], [(0, 1)], 4), ValueError, "image must hold a pixel or more"),
        ((ZEROS + 4, [(0, 1)], 4), ValueError, "image must hold levels from 0 to 3, got 4 to 4"),
        ((ZEROS - np.int8(1), [(0, 1)], 4), ValueError, "from 0 to 3, got -1 to -1"),
        ((np.full((2, 2), 2**63, np.uint64), [(0, 1)], 4), ValueError, "image must hold levels"),
        ((np.ma.masked_equal(ZEROS, 0), [(0, 1)], 4), ValueError, "image has masked entries"),
        ((OnTheGpu(), [(0, 1)], 4), TypeError, "image must be a NumPy or CuPy array"),
        ((ZEROS, [0, 1], 4), ValueError, r"offsets must have shape \(n, 2\) or \(n, 3\)"),
        ((ZEROS, [], 4), TypeError, "offsets must hold integers"),
        ((ZEROS, [(0.0, 1.0)], 4), TypeError, "offsets must hold integers, got float64"),
        ((ZEROS, [(0, 0, 1)], 4), ValueError, r"the image has axes \(2\) or fewer, got 3"),
        ((ZEROS, [(0, 1)], 0), ValueError, "levels must be from 1 to 65536, got 0"),
        ((ZEROS, [(0, 1)], 65537), ValueError, "levels must be from 1 to 65536, got 65537"),
        ((ZEROS, [(0, 1)], 4.0), TypeError, "levels must be an integer"),
        ((ZEROS, [(0, 1)], 4, ZEROS[:2] > 0), ValueError, "mask must have the shape of image"),
        ((ZEROS, [(0, 1)], 4, ZEROS + 0.5), ValueError, "mask must hold booleans .*, got 0.5"),
        ((ZEROS, [(0, 1)], 4, [[1], [1, 2]]), TypeError, "mask must be an array"),
        ((ZEROS, [(0, 1)], 4, None, "yes"), ValueError, "symmetric must be True or False"),
    ],
)
def test_mistakes(given: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        cooccurrence(*given)


def test_levels_are_checked_inside_the_mask_only() -> None:
    image = np.array([[9, 0, 1, -5]])
    mask = np.array([[False, True, True, False]])
    np.testing.assert_array_equal(cooccurrence(image, [(0, 1)], 2, mask), [[[0, 1], [1, 0]]])
    with pytest.raises(ValueError, match="from 0 to 1 where mask is true, got 0 to 9"):
        cooccurrence(image, [(0, 1)], 2, [[True, True, True, False]])


def test_torch_tensors_come_back_as_tensors() -> None:
    torch = pytest.importorskip("torch")
    counts = cooccurrence(torch.from_numpy(IMAGE), [(0, 1)], 4)
    assert isinstance(counts, torch.Tensor)
    assert counts.tolist() == [MATRICES[0, 1]]
