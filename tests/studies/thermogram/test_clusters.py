"""The twelve steps: known pictures, the loops beside plain ones, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from lesionkit.studies.thermogram import asymmetry, clusters, leaks, merge
from lesionkit.studies.thermogram import body as bodies
from reference.thermal_body import woman


def patches() -> np.ndarray:
    """Blue, with a green and a red patch; the paper's own colours."""
    page = np.zeros((128, 128, 3), np.uint8) + np.array([0, 60, 200], np.uint8)
    page[20:60, 20:60] = (0, 200, 90)
    page[70:110, 60:110] = (255, 83, 0)
    return page


def test_three_patches_are_three_clusters() -> None:
    page = patches()
    found = clusters.segment(page)
    expected = np.where(page[..., 0] > 200, 1, np.where(page[..., 1] > 150, 2, 3))
    assert (found.labels == expected).mean() > 0.98
    assert [word.name for word in found.words] == ["red", "green", "blue"]
    assert found.abnormal
    np.testing.assert_array_equal(found.hits[0], page[..., 0] > 200)
    assert found.regions.max() == 3


def test_what_each_argument_does() -> None:
    page = patches()
    off = clusters.segment(page, sigma_on=False)
    assert not off.hits.any()  # no condition is on: the words alone decide
    assert (off.labels == clusters.segment(page).labels).mean() > 0.98
    assert len(clusters.segment(page).positions) == 256
    assert len(clusters.segment(page, spacing=2).positions) == 64 * 64
    assert len(clusters.segment(page, blocks=8).codebook) == 64
    assert clusters.segment(page, size=64).labels.shape == (64, 64)
    narrow = {**clusters.RANGES, "red": ((0, 1), (0, 1), (0, 1))}
    assert not clusters.segment(page, ranges=narrow).hits[0].any()


def test_two_colours_and_a_dark_wall() -> None:
    page = np.zeros((128, 128, 3), np.uint8)
    page[30:90, 30:90] = (0, 200, 90)
    page[40:60, 40:60] = (250, 60, 10)
    found = clusters.segment(page)
    assert (found.labels[:20] == 0).all()
    assert found.labels[50, 50] == 1
    assert found.labels[80, 80] == 2
    one = np.zeros((128, 128, 3), np.uint8)
    one[30:90, 30:90] = (0, 200, 90)
    assert (clusters.segment(one).labels[30:90, 30:90] == 2).mean() > 0.95


def test_regions_are_split_where_a_line_cuts_them() -> None:
    regions = np.ones((9, 12), np.int32)
    regions[:, 8:] = 2
    line = np.zeros((9, 12), bool)
    line[:, 4] = True
    cut = merge.split(regions, line)
    assert len(np.unique(cut)) == 3
    assert len(np.unique(cut[:, :4])) == len(np.unique(cut[:, 5:8])) == 1
    assert set(np.unique(cut[:, 4])) <= {cut[0, 0], cut[0, 6]}
    lone = np.zeros((9, 12), bool)
    lone[:, :8] = True  # nothing of region 1 is left: it stays one
    assert len(np.unique(merge.split(regions, lone)[:, :8])) == 1


def test_split_is_labelling_without_the_line() -> None:
    random = np.random.default_rng(0)
    regions = ndimage.zoom(random.integers(0, 4, (6, 6)), 8, order=0).astype(np.int32)
    line = random.random(regions.shape) < 0.2
    cut = merge.split(regions, line)
    assert ((cut > 0) == (regions > 0)).all()
    for number in np.unique(regions[regions > 0]):
        pieces, count = ndimage.label((regions == number) & ~line)
        for piece in range(1, count + 1):
            assert len(np.unique(cut[pieces == piece])) == 1


def test_merging_the_nearest_first() -> None:
    regions = np.repeat(np.arange(1, 5, dtype=np.int32)[None], 6, 0).repeat(5, 1)
    page = np.zeros((6, 20, 3))
    for number, value in ((1, 0), (2, 15), (3, 28), (4, 90)):
        page[regions == number] = value
    joined = merge.merged(regions, page, 25.0, 0)  # of a root of three channels
    assert joined[0].tolist() == [1] * 5 + [2] * 10 + [3] * 5
    small = regions.copy()
    small[0, 0] = 5
    page[0, 0] = 200
    assert merge.merged(small, page, 0.0, 3).max() == 4


def test_compiled_loops_are_the_plain_ones() -> None:
    random = np.random.default_rng(1)
    regions = ndimage.zoom(random.integers(0, 5, (5, 5)), 6, order=0).astype(np.int32)
    line = random.random(regions.shape) < 0.15
    plain = np.zeros_like(regions)
    merge._split(regions, line, plain)
    np.testing.assert_array_equal(plain, merge.split(regions, line))
    page = random.random((*regions.shape, 3)) * 100
    targets = np.arange(int(plain.max()) + 1)
    merge._merge(plain, page, 30.0, 5, targets)
    compiled = np.arange(int(plain.max()) + 1)
    merge._merge_compiled(plain, page, 30.0, 5, compiled)
    np.testing.assert_array_equal(targets, compiled)


def test_resizing_leaves_no_pixel_out() -> None:
    """The mean of a picture is that of its small one; an edge is where it was."""
    values = np.random.default_rng(0).normal(30, 1, (480, 640)).astype(np.float32)
    small = clusters._bilinear(values, 128)
    assert small.std() < 0.5
    assert small.mean() == pytest.approx(values.mean(), abs=0.01)
    ramp = np.tile(np.arange(640, dtype=np.float32), (480, 1))
    np.testing.assert_allclose(clusters._bilinear(ramp, 128)[5], np.arange(128) * 5 + 2, atol=0.51)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 8}, "size must be"),
        ({"blocks": 1}, "blocks must be"),
        ({"tau": -1}, "tau must be"),
        ({"ranges": {"red": ((0, 1),) * 3}}, "ranges must have red, green and blue"),
    ],
)
def test_arguments_that_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clusters.segment(patches(), **change)


def test_pictures_that_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8 array of shape"):
        clusters.segment(patches().astype(float))
    with pytest.raises(ValueError, match="it is black"):
        clusters.segment(patches() * 0)


def test_left_and_right() -> None:
    scene = woman()
    axis = bodies.midline(scene.celsius, scene.body)
    even = asymmetry.features(scene.celsius, scene.body, axis)
    assert max(even) < 0.15
    warm = scene.celsius + np.where(scene.breasts[0], 1, 0).astype(np.float32)
    uneven = asymmetry.features(warm, scene.body, axis)
    assert uneven.p95 == pytest.approx(1, abs=0.15)
    assert uneven.mean > even.mean + 0.2
    assert uneven.histogram > 0.2
    mirrored = asymmetry.features(warm[:, ::-1], scene.body[:, ::-1])
    np.testing.assert_allclose(mirrored, uneven, atol=0.08)
    warmer = asymmetry.features(warm + 3, scene.body, axis)  # how warm she is does not count
    np.testing.assert_allclose(warmer, uneven, atol=0.01)
    with pytest.raises(ValueError, match="from the front"):
        asymmetry.features(scene.celsius, scene.body, bodies.Midline(320, 0.3))


def test_leaks_are_the_walls() -> None:
    scene = woman(noise=0.05)
    found = leaks.features(scene.celsius, scene.body, "T0042.png")
    assert found.number == 42
    assert found.wall_mean == pytest.approx(20, abs=0.02)
    assert found.wall_sd == pytest.approx(0.05, abs=0.005)
    # the median of |a - b| of two normal numbers is 0.954 of their sd
    assert found.wall_noise == pytest.approx(0.954 * 0.05, rel=0.05)
    assert found.body_share == pytest.approx(scene.body.mean())
    bare = leaks.features(scene.celsius, np.ones_like(scene.body))
    assert np.isnan([bare.wall_mean, bare.number]).all()
    assert np.isfinite(bare.noise)
