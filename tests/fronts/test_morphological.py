"""Morphological contours: scikit-image's answers, the plain reference, properties, mistakes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from skimage import data
from skimage.segmentation import morphsnakes

from invariances import at_any_threads, layouts
from lesionkit.fronts import (
    checkerboard_level_set,
    disk_level_set,
    inverse_gaussian_gradient,
    morphological_chan_vese,
    morphological_geodesic_active_contour,
)
from reference.fronts import contours as reference


@pytest.fixture(autouse=True)
def theirs_from_the_start() -> None:
    begin_anew()


def begin_anew() -> None:
    """scikit-image alternates its two orders of smoothing from call to call: back to the first."""
    both = [
        lambda u: morphsnakes.sup_inf(morphsnakes.inf_sup(u)),
        lambda u: morphsnakes.inf_sup(morphsnakes.sup_inf(u)),
    ]
    morphsnakes._curvop.funcs = itertools.cycle(both)


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


# --- known answers --------------------------------------------------------------------------------

IMAGES = {
    "bytes": data.camera()[::4, ::4],
    "double": data.camera()[::4, ::4] / 255.0,
    "single": (data.camera()[::4, ::6] / 255.0).astype(np.float32),
    "noise": noise(0, 37, 53),
    "63 columns": noise(1, 30, 63),
    "64 columns": noise(2, 40, 64).astype(np.float32),
    "65 columns": noise(3, 30, 65),
    "smallest": noise(4, 2, 2),
    "wide": noise(5, 2, 700),
    "tall": noise(6, 700, 3).astype(np.float32),
    "volume": noise(7, 9, 20, 70),
    "thin volume": noise(8, 2, 33, 64).astype(np.float32),
    "truth": noise(9, 30, 30) > 0,
    "big integers": np.random.default_rng(10).integers(-(2**40), 2**40, (30, 30)),
    "flat": np.ones((20, 20)),
}
STARTS: tuple[Any, ...] = ("checkerboard", "disk", None)


def start_of(start: Any, shape: tuple[int, ...]) -> Any:
    return noise(11, *shape) if start is None else start


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", IMAGES)
def test_without_edges_as_scikit_image(name: str, start: Any) -> None:
    image = IMAGES[name]
    for smoothing, lambda1 in ((0, 1), (1, 1.0), (3, 1.7)):
        begin_anew()
        given = {"init_level_set": start_of(start, image.shape), "smoothing": smoothing}
        theirs = morphsnakes.morphological_chan_vese(image, 8, lambda1=lambda1, **given)
        ours = morphological_chan_vese(image, 8, lambda1=lambda1, **given)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", IMAGES)
def test_geodesic_as_scikit_image(name: str, start: Any) -> None:
    edges = IMAGES[name]
    if edges.dtype.kind != "f":
        edges = edges.astype(float)  # theirs refuses whole numbers
    for smoothing, balloon, threshold in (
        (1, 0, "auto"),
        (0, -1, "auto"),
        (1, 1.0, 0.3),
        (2, 0.5, 0),
    ):
        begin_anew()
        given = {"init_level_set": start_of(start, edges.shape), "smoothing": smoothing}
        given |= {"balloon": balloon, "threshold": threshold}
        theirs = morphsnakes.morphological_geodesic_active_contour(edges, 7, **given)
        ours = morphological_geodesic_active_contour(edges, 7, **given)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_what_goes_in_as_scikit_image() -> None:
    for shape in ((40, 31), (9, 12, 7)):
        np.testing.assert_array_equal(
            checkerboard_level_set(shape, 3), morphsnakes.checkerboard_level_set(shape, 3)
        )
        for given in ({}, {"center": (5,) * len(shape), "radius": 4.5}):
            ours, theirs = (
                disk_level_set(shape, **given),
                morphsnakes.disk_level_set(shape, **given),
            )
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
        image = noise(12, *shape)
        np.testing.assert_array_equal(
            inverse_gaussian_gradient(image, 50.0, 1.5),
            morphsnakes.inverse_gaussian_gradient(image, 50.0, 1.5),
        )


def test_a_disc_is_found() -> None:
    truth = disk_level_set((80, 90), radius=21) > 0
    image = ndimage.gaussian_filter(truth * 1.0, 1) + 0.05 * noise(13, 80, 90)
    found = morphological_chan_vese(image, 60, "disk", smoothing=2) > 0
    assert (found & truth).sum() / (found | truth).sum() > 0.97
    edges = inverse_gaussian_gradient(image, 300, 2)
    start = disk_level_set((80, 90), radius=36)
    found = morphological_geodesic_active_contour(edges, 60, start, balloon=-1, threshold=0.5) > 0
    assert (found & truth).sum() / (found | truth).sum() > 0.9


# --- reference ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 9), (5, 4, 6)])
def test_as_the_reference(shape: tuple[int, ...]) -> None:
    image, start = noise(14, *shape), noise(15, *shape) > 0
    for smoothing in (1, 2):
        np.testing.assert_array_equal(
            morphological_chan_vese(image, 3, start, smoothing, 1.2, 0.8),
            reference.morphological_chan_vese(image, start * 1, 3, smoothing, 1.2, 0.8),
        )
        for balloon in (0, 2, -1):
            np.testing.assert_array_equal(
                morphological_geodesic_active_contour(image, 3, start, smoothing, 0.1, balloon),
                reference.morphological_geodesic(image, start * 1, 3, smoothing, 0.1, balloon),
            )


# --- properties -----------------------------------------------------------------------------------


def test_the_callback_sees_each_iteration() -> None:
    image = noise(16, 30, 40)
    for call, given in (
        (morphological_chan_vese, {}),
        (morphological_geodesic_active_contour, {"balloon": 1, "threshold": 0.0}),
    ):
        seen: list[Any] = []
        last = call(image, 5, smoothing=3, iter_callback=seen.append, **given)
        assert len(seen) == 6
        for iterations, level in enumerate(seen):
            np.testing.assert_array_equal(level, call(image, iterations, smoothing=3, **given))
        np.testing.assert_array_equal(last, seen[-1])
        seen[-1][...] = 7  # a copy
        assert last.max() == 1


@pytest.mark.parametrize("smoothing", [0, 1, 2])
def test_what_repeats_ends_where_all_iterations_would(smoothing: int) -> None:
    """It stands still or swings between two contours after some 20 iterations, and is then left;
    called once for each iteration, it goes on."""
    image = ndimage.gaussian_filter(noise(21, 40, 50), 2)
    for iterations in (60, 61):
        stepped: list[Any] = []
        morphological_chan_vese(
            image, iterations, smoothing=smoothing, iter_callback=stepped.append
        )
        batch_size = morphological_chan_vese(image, iterations, smoothing=smoothing)
        np.testing.assert_array_equal(batch_size, stepped[-1])
        np.testing.assert_array_equal(stepped[-1], stepped[-3])


def test_a_callback_may_stop_it() -> None:
    def stop(level: Any) -> None:
        raise StopIteration

    with pytest.raises(StopIteration):
        morphological_chan_vese(noise(17, 9, 9), 5, iter_callback=stop)


@pytest.mark.parametrize("shape", [(300, 2000), (70, 200, 70)])
def test_threads_change_no_bit(shape: tuple[int, ...]) -> None:
    image = noise(18, *shape).astype(np.float32)
    at_any_threads(lambda: morphological_chan_vese(image, 3))
    at_any_threads(
        lambda: morphological_geodesic_active_contour(image, 3, balloon=1, threshold=0.1)
    )


def test_order_strides_and_read_only_arrays() -> None:
    image, start = noise(19, 24, 31), noise(20, 24, 31)
    kept = start.copy()
    for call in (morphological_chan_vese, morphological_geodesic_active_contour):
        expected = call(image, 4, start)
        for other in layouts(image):
            np.testing.assert_array_equal(call(other, 4, np.asfortranarray(start)), expected)
        np.testing.assert_array_equal(call(image, 0, start), start > 0)
    np.testing.assert_array_equal(start, kept)


# --- mistakes -------------------------------------------------------------------------------------

BOTH = (morphological_chan_vese, morphological_geodesic_active_contour)


@pytest.mark.parametrize("call", BOTH)
@pytest.mark.parametrize(
    ("image", "change", "error", "message"),
    [
        (np.ones(5), {}, ValueError, "image must have 2 or 3 axes, got float64 array"),
        (np.ones((5, 1)), {}, ValueError, r"image must have 2 pixels or more .*got \(5, 1\)"),
        (np.ones((4, 4)) * 1j, {}, TypeError, "image must hold real numbers"),
        (np.full((4, 4), np.inf), {}, ValueError, "image must be finite, got 16"),
        (
            np.ones((4, 4)),
            {"num_iter": -1},
            ValueError,
            "num_iter must be from 0 to 2147483647, got -1",
        ),
        (np.ones((4, 4)), {"num_iter": 1.5}, TypeError, "num_iter must be an integer"),
        (np.ones((4, 4)), {"smoothing": -1}, ValueError, "smoothing must be from 0"),
        (np.ones((4, 4)), {"init_level_set": "star"}, ValueError, "init_level_set must be 'che"),
        (np.ones((4, 4)), {"init_level_set": np.ones(4)}, ValueError, r"shape \(4, 4\), got"),
    ],
)
def test_mistakes(
    call: Any, image: Any, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call(image, **({"num_iter": 2} | change))


def test_mistakes_of_one_of_them() -> None:
    image = np.ones((4, 4))
    with pytest.raises(TypeError, match="lambda1 must be a finite number, got str '1'"):
        morphological_chan_vese(image, 1, lambda1="1")
    with pytest.raises(ValueError, match="threshold must be a number or 'auto', got 'otsu'"):
        morphological_geodesic_active_contour(image, 1, threshold="otsu")
    with pytest.raises(ValueError, match="balloon must be a finite number, got nan"):
        morphological_geodesic_active_contour(image, 1, balloon=np.nan)
