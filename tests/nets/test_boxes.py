"""Boxes of detectors: known overlaps, greedy suppression, and what ROI align must get exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit.nets.detectors import boxes as bx  # noqa: E402
from reference import boxes as reference  # noqa: E402

# float32: sums of a few products of pixels and weights
SINGLE = 1e-5


def tensor(*rows: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32).reshape(len(rows), -1)


def random_boxes(n: int, seed: int, size: float = 40) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, size, (n, 2))
    return torch.from_numpy(np.hstack([low, low + rng.uniform(1, size / 2, (n, 2))])).float()


# --- overlap --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "fraction"),
    [
        ((0, 0, 10, 10), 1),  # itself
        ((5, 0, 15, 10), 1 / 3),  # half of each
        ((5, 5, 15, 15), 25 / 175),
        ((2, 2, 8, 8), 0.36),  # inside
        ((10, 0, 20, 10), 0),  # an edge in common
        ((30, 30, 40, 40), 0),
        ((4, 4, 4, 4), 0),  # of no area
    ],
)
def test_known_overlaps(other: tuple[float, ...], fraction: float) -> None:
    a = tensor((0, 0, 10, 10))
    assert bx.iou(a, tensor(other)).item() == pytest.approx(fraction, rel=SINGLE)
    assert bx.iou(tensor(other), a).item() == pytest.approx(fraction, rel=SINGLE)


def test_overlap_of_nothing() -> None:
    empty = torch.zeros(0, 4)
    assert bx.iou(empty, random_boxes(3, 0)).shape == (0, 3)
    assert bx.iou(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 0


def test_overlaps_are_the_slow_ones() -> None:
    a, b = random_boxes(20, 1), random_boxes(30, 2)
    slow = [[reference.iou(p, q) for q in b.tolist()] for p in a.tolist()]
    np.testing.assert_allclose(bx.iou(a, b), slow, atol=SINGLE)


# --- suppression ----------------------------------------------------------------------------------


def test_a_chain() -> None:
    """The first suppresses the second, which then cannot suppress the third."""
    chain = tensor((0, 0, 10, 10), (0, 4, 10, 14), (0, 8, 10, 18))
    scores = torch.tensor([0.9, 0.8, 0.7])
    assert bx.nms(chain, scores, 0.4).tolist() == [0, 2]
    assert bx.nms(chain, scores, 0.5).tolist() == [0, 1, 2]
    # Best first, whatever the order they come in
    assert bx.nms(chain, torch.tensor([0.7, 0.8, 0.9]), 0.4).tolist() == [2, 0]


def test_the_earlier_of_equals_stays_and_groups_do_not_meet() -> None:
    twice = tensor((0, 0, 10, 10), (0, 0, 10, 10))
    scores = torch.tensor([0.5, 0.5])
    assert bx.nms(twice, scores).tolist() == [0]
    assert bx.nms(twice, scores, groups=torch.tensor([1, 2])).tolist() == [0, 1]
    assert bx.nms(torch.zeros(0, 4), torch.zeros(0)).tolist() == []


@settings(max_examples=60)
@given(st.integers(0, 40), st.integers(0, 10_000), st.sampled_from([0.1, 0.3, 0.5, 0.7]))
def test_suppression_is_the_slow_one(n: int, seed: int, threshold: float) -> None:
    boxes = random_boxes(n, seed, 25)
    scores = torch.from_numpy(np.random.default_rng(seed).integers(0, 9, n) / 8.0).float()
    assert bx.nms(boxes, scores, threshold).tolist() == reference.nms(
        boxes.tolist(), scores.tolist(), threshold
    )


# --- targets --------------------------------------------------------------------------------------


def test_targets_by_hand() -> None:
    anchor, box = tensor((0, 0, 10, 20)), tensor((5, 0, 25, 20))
    # The centre moves from (5, 10) to (15, 10); twice as wide, as high as before.
    np.testing.assert_allclose(bx.encode(box, anchor), [[1, 0, np.log(2), 0]], atol=SINGLE)


def test_decode_undoes_encode() -> None:
    boxes, anchors = random_boxes(50, 3), random_boxes(50, 4)
    back = bx.decode(bx.encode(boxes, anchors), anchors)
    np.testing.assert_allclose(back, boxes, atol=1e-4)


def test_sizes_stay_finite_and_boxes_inside() -> None:
    wild = bx.decode(torch.full((1, 4), 1e4), tensor((0, 0, 8, 8)))
    assert torch.isfinite(wild).all()
    assert bx.clip(tensor((-5, -5, 500, 500)), (20, 30)).tolist() == [[0, 0, 30, 20]]


# --- ROI align ------------------------------------------------------------------------------------


def test_a_ramp_is_exact() -> None:
    """Bilinear samples of a plane lie on it, and the mean of a cell is its centre's value."""
    rows, columns = np.mgrid[:30, :40] + 0.5
    ramp = torch.from_numpy(3 * columns - 2 * rows + 1).double()[None, None]
    box = torch.tensor([[4.3, 6.1, 29.9, 22.7]]).double()
    pooled = bx.roi_align(ramp, box, torch.tensor([0]), 5, samples=3)[0, 0]
    x1, y1, x2, y2 = box[0].tolist()
    middle = (np.arange(5) + 0.5) / 5
    expected = 3 * (x1 + (x2 - x1) * middle) - 2 * (y1 + (y2 - y1) * middle)[:, None] + 1
    np.testing.assert_allclose(pooled, expected, rtol=1e-12)


def test_pixels_of_a_box_that_fits_them_come_back() -> None:
    image = torch.from_numpy(np.random.default_rng(5).random((1, 2, 12, 12)))
    box = torch.tensor([[3.0, 4.0, 8.0, 9.0]]).double()
    pooled = bx.roi_align(image, box, torch.tensor([0]), 5, samples=1)
    np.testing.assert_allclose(pooled[0], image[0, :, 4:9, 3:8], rtol=1e-12)


def test_a_constant_stays_beyond_the_border() -> None:
    image = torch.full((1, 1, 6, 6), 2.5)
    pooled = bx.roi_align(image, tensor((-9, -9, 20, 3)), torch.tensor([0]), 4)
    np.testing.assert_allclose(pooled, 2.5, rtol=SINGLE)


@pytest.mark.parametrize(("stride", "origin"), [(1.0, 0.5), (4.0, 3.5)])
@pytest.mark.parametrize("samples", [1, 2])
def test_roi_align_is_the_slow_one(stride: float, origin: float, samples: int) -> None:
    rng = np.random.default_rng(6)
    features = rng.random((3, 2, 9, 11))
    boxes = random_boxes(7, 8, 30).double()
    images = rng.integers(0, 3, 7)
    pooled = bx.roi_align(
        torch.from_numpy(features), boxes, torch.from_numpy(images), 4,
        samples=samples, stride=stride, origin=origin,
    )  # fmt: skip
    slow = [
        [reference.roi_align(c, box, 4, samples, stride, origin) for c in features[image]]
        for box, image in zip(boxes.tolist(), images, strict=True)
    ]
    np.testing.assert_allclose(pooled, slow, atol=1e-12)


def test_gradients_of_roi_align() -> None:
    features = torch.rand(2, 1, 5, 6, dtype=torch.float64, requires_grad=True)
    boxes = torch.tensor([[0.7, 1.2, 4.1, 3.9], [1.0, 0.3, 5.5, 4.4]]).double()
    images = torch.tensor([1, 0])
    assert torch.autograd.gradcheck(lambda f: bx.roi_align(f, boxes, images, 3), (features,))


# --- mistakes -------------------------------------------------------------------------------------


def test_mistakes() -> None:
    good = random_boxes(3, 0)
    with pytest.raises(ValueError, match=r"a must have shape \(n, 4\): x1, y1, x2, y2, got \(4,\)"):
        bx.iou(good[0], good)
    with pytest.raises(ValueError, match=r"scores must have shape \(3,\), one for each box, got"):
        bx.nms(good, torch.zeros(2))
    with pytest.raises(ValueError, match=r"threshold must be from 0 to 1, got 1\.5"):
        bx.nms(good, torch.zeros(3), 1.5)
    with pytest.raises(
        ValueError, match=r"features must have shape \(n, channels, rows, columns\)"
    ):
        bx.roi_align(torch.zeros(3, 9, 9), good, torch.zeros(3), 4)
    with pytest.raises(ValueError, match=r"images must have shape \(3,\), got \(1,\)"):
        bx.roi_align(torch.zeros(1, 3, 9, 9), good, torch.zeros(1), 4)
    with pytest.raises(ValueError, match="size and samples must be 1 or more, got 0 and 2"):
        bx.roi_align(torch.zeros(1, 3, 9, 9), good, torch.zeros(3), 0)
