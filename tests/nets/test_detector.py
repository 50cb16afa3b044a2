"""The quick net and Faster R-CNN: sizes, geometry, and that they can learn one image by heart."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit import nets  # noqa: E402
from lesionkit.nets.detectors import boxes as bx  # noqa: E402
from lesionkit.nets.detectors.rcnn import (  # noqa: E402
    ORIGIN,
    STRIDE,
    QuickNet,
    best_of,
    classify_boxes,
    crop,
)
from lesionkit.nets.detectors.rpn import Anchors, FasterRCNN, Sampling, _match_anchors  # noqa: E402


def parameters(net: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


def test_weights_of_the_quick_net() -> None:
    """116,581 for 4 classes and background, as in the net that users of MATLAB copy."""
    assert nets.QuickNet is QuickNet
    assert parameters(QuickNet(4)) == 116_581
    assert parameters(QuickNet(1)) == 116_581 - 3 * 65


def test_fifteen_layers() -> None:
    """Input, 8 of the body, pool, FC, ReLU, FC, softmax and classification."""
    net = QuickNet()
    layers = [*net.body, net.pool, net.hidden[1], net.hidden[2], net.classify]
    assert 1 + len(layers) + 2 == 15
    sizes = [net.body(torch.zeros(1, 3, 32, 32)).shape[2:]]
    sizes.append(net.pool(net.body(torch.zeros(1, 3, 32, 32))).shape[2:])
    assert sizes == [(7, 7), (3, 3)]


def test_where_features_lie() -> None:
    """A spot in the image lights the feature that stride and origin say, and no other so much."""
    body = QuickNet().body
    with torch.no_grad():
        for layer in body:
            if isinstance(layer, torch.nn.Conv2d):  # a pass-through of the first channel
                layer.weight.zero_()
                layer.bias.zero_()
                layer.weight[0, 0, 2, 2] = 1
        for place in (3, 7):
            image = torch.zeros(1, 3, 65, 65)
            at = int(ORIGIN + STRIDE * place - 0.5)
            image[0, 0, at, at] = 1
            lit = body(image)[0, 0]
            assert np.unravel_index(int(lit.argmax()), lit.shape) == (place, place)


def test_a_crop_of_24_pixels_is_the_image_about_them() -> None:
    image = torch.rand(3, 50, 60)
    cropped = crop(image, torch.tensor([[11.0, 9.0, 35.0, 33.0]]))
    # Samples lie a quarter pixel off the centres, two to each: their mean is near the pixel.
    blurred = torch.nn.functional.conv2d(
        image[:, None], torch.tensor([1.0, 6, 1]).outer(torch.tensor([1.0, 6, 1]))[None, None] / 64
    )[:, 0]
    np.testing.assert_allclose(cropped[0], blurred[:, 4:36, 6:38], atol=1e-5)


def test_best_boxes() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 1, 10, 11], [30, 30, 40, 40], [50, 50, 60, 60]])
    fractions = torch.tensor([[0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3], [0.9, 0.05, 0.05]])
    found = best_of(boxes, fractions, 0.5)
    assert found.labels.tolist() == [2, 1]
    assert found.boxes.tolist() == [[0, 1, 10, 11], [30, 30, 40, 40]]
    np.testing.assert_allclose(found.scores, [0.9, 0.7])


def test_no_proposals_no_detections() -> None:
    found = classify_boxes(QuickNet(), torch.rand(3, 40, 40), torch.zeros(0, 4))
    assert [len(part) for part in found] == [0, 0, 0]


def test_anchors() -> None:
    net = FasterRCNN(anchors=Anchors((16.0, 32.0), (0.5, 1.0, 2.0)))
    anchors = net.anchor_boxes(2, 3)
    assert anchors.shape == (2 * 3 * 6, 4)
    sizes = anchors[:6, 2:] - anchors[:6, :2]
    np.testing.assert_allclose(sizes.prod(1), [256] * 3 + [1024] * 3, rtol=1e-5)
    np.testing.assert_allclose(sizes[:, 1] / sizes[:, 0], [0.5, 1, 2] * 2, rtol=1e-5)
    middles = (anchors[:, :2] + anchors[:, 2:]) / 2
    np.testing.assert_allclose(middles[0], [7.5, 7.5], atol=1e-5)
    np.testing.assert_allclose(middles[6], [15.5, 7.5], atol=1e-5)  # to the right


def test_every_true_box_has_an_anchor() -> None:
    anchors = FasterRCNN().anchor_boxes(10, 10)
    truth = torch.tensor([[3.0, 3.0, 8.0, 8.0], [20.0, 20.0, 60.0, 55.0]])
    generator = torch.Generator().manual_seed(0)
    chosen, of = _match_anchors(anchors, truth, Sampling(), generator)
    assert set(of.tolist()) == {-1, 0, 1}
    assert len(chosen) == 64
    overlap = bx.iou(anchors[chosen], truth)
    assert (overlap[of == -1] < 0.3).all()
    assert (overlap[of == 1, 1] >= 0.6).all()


def spot() -> tuple[torch.Tensor, torch.Tensor]:
    """A noisy slice with a bright box in it."""
    image = 0.1 * torch.randn(3, 80, 72, generator=torch.Generator().manual_seed(1))
    image[:, 30:54, 20:46] += 2
    return image, torch.tensor([[20.0, 30.0, 46.0, 54.0]])


def learnt(seed: int, steps: int) -> FasterRCNN:
    torch.manual_seed(seed)
    net = FasterRCNN(2, Anchors((16.0, 24.0, 32.0)))
    image, box = spot()
    generator = torch.Generator().manual_seed(seed)
    stepper = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(steps):
        stepper.zero_grad()
        net.loss(image[None], [box], [torch.tensor([2])], generator).backward()
        stepper.step()
    return net


def test_one_image_by_heart() -> None:
    net = learnt(0, 60)
    image, box = spot()
    (found,) = net.detect(image[None])
    assert found.labels.tolist()[0] == 2
    assert bx.iou(found.boxes[:1], box).item() > 0.7
    assert (bx.iou(found.boxes, box)[:, 0] > 0.2).all()  # nothing elsewhere


def test_the_same_seed_gives_the_same_bits() -> None:
    for one, other in zip(learnt(3, 2).parameters(), learnt(3, 2).parameters(), strict=True):
        assert torch.equal(one, other)


def test_slices_without_lesions_are_learnt_from() -> None:
    net = FasterRCNN()
    loss = net.loss(
        torch.rand(1, 3, 64, 64), [torch.zeros(0, 4)], [torch.zeros(0, dtype=torch.long)],
        torch.Generator().manual_seed(0),
    )  # fmt: skip
    loss.backward()
    assert torch.isfinite(loss)


def test_mistakes() -> None:
    with pytest.raises(ValueError, match=r"crops must have shape \(n, 3, 32, 32\), got \(1, 1, 32"):
        QuickNet()(torch.zeros(1, 1, 32, 32))
    for shape in ((1, 3, 14, 40), (1, 1, 40, 40), (3, 40, 40)):
        with pytest.raises(ValueError, match=r"images must have shape .* 15 or more of both, got"):
            FasterRCNN().detect(torch.zeros(shape))
    assert len(FasterRCNN().detect(torch.zeros(1, 3, 15, 15))) == 1
    with pytest.raises(ValueError, match="classes must be at least 1, got 0"):
        QuickNet(0)
