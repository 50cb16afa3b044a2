"""Boxes of detectors: overlap, suppression, regression targets, and pooling of what lies inside.

A box is (x1, y1, x2, y2) in pixels: x to the right along the columns, y down along the rows, edges
and not centres, so that pixel (0, 0) is the box (0, 0, 1, 1) and its centre is at (0.5, 0.5).
"""

from __future__ import annotations

import math

from lesionkit.nets.framework import torch

# Predicted sizes grow by 62.5 times at most: an untrained net must not overflow exp.
LARGEST = math.log(1000 / 16)


def area(boxes: torch.Tensor) -> torch.Tensor:
    """(n,) areas in pixels of (n, 4) boxes; 0 for one that is turned inside out."""
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)


def iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(n, m) shares, 0 to 1: intersection over union of each of (n, 4) with each of (m, 4) boxes.

    Two boxes of no area have 0 in common.
    """
    _require_boxes(a, "a")
    _require_boxes(b, "b")
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    common = (high - low).clamp(min=0).prod(2)
    union = area(a)[:, None] + area(b)[None] - common
    return torch.where(union > 0, common / union.clamp(min=1e-30), torch.zeros_like(common))


def nms(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    threshold: float = 0.5,
    groups: torch.Tensor | None = None,
) -> torch.Tensor:
    """Which boxes to keep: from the best score down, each that no kept one overlaps too much.

    boxes, scores : (n, 4) pixels, (n,)
    threshold : the IoU above which the lesser box goes, 0 to 1
    groups    : (n,) integers; boxes of different groups (classes, images) leave each other alone
    returns   : indices of the kept boxes, best first; of equal scores the earlier is better

    "Kept" is what no better kept box suppresses, so it is the one fixed point of that sentence:
    here all boxes are judged at once, as often as the longest chain of suppressions needs, in
    place of one after the other.
    """
    _require_boxes(boxes, "boxes")
    for name, value in (("scores", scores), ("groups", groups)):
        if value is not None and value.shape != boxes.shape[:1]:
            raise ValueError(
                f"{name} must have shape ({len(boxes)},), one for each box, got "
                f"{tuple(value.shape)}"
            )
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be from 0 to 1, got {threshold}")
    order = scores.argsort(descending=True, stable=True)
    ranked = boxes[order]
    suppresses = (iou(ranked, ranked) > threshold).triu(1)
    if groups is not None:
        suppresses &= groups[order][:, None] == groups[order][None]
    kept = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    while True:
        now = ~(suppresses & kept[:, None]).any(0)
        if torch.equal(now, kept):
            return order[kept]
        kept = now


def encode(boxes: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """(n, 4) regression targets: how `anchors` must move and grow to be `boxes`.

    ((x - xa) / wa, (y - ya) / ha, ln(w / wa), ln(h / ha)) of centres and sizes. Girshick et al.,
    CVPR 2014, equations 6 to 9.
    """
    middle, size = _middle_and_size(boxes)
    from_middle, from_size = _middle_and_size(anchors)
    return torch.cat([(middle - from_middle) / from_size, torch.log(size / from_size)], 1)


def decode(deltas: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """(n, 4) boxes: the inverse of `encode`; sizes grow by no more than 62.5 times."""
    from_middle, from_size = _middle_and_size(anchors)
    middle = from_middle + deltas[:, :2] * from_size
    half = from_size * deltas[:, 2:].clamp(max=LARGEST).exp() / 2
    return torch.cat([middle - half, middle + half], 1)


def clip(boxes: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """Boxes cut at the edges of an image of `shape` (rows, columns)."""
    rows, columns = shape
    limit = boxes.new_tensor([columns, rows, columns, rows])
    return torch.minimum(boxes.clamp(min=0), limit)


def roi_align(
    features: torch.Tensor,
    boxes: torch.Tensor,
    images: torch.Tensor,
    size: int,
    *,
    samples: int = 2,
    stride: float = 1.0,
    origin: float = 0.5,
) -> torch.Tensor:
    """What lies in each box, as a grid of size x size cells: the mean of bilinear samples of each.

    features : (n, channels, rows, columns), floats
    boxes    : (k, 4) in pixels of the image that the features were made of
    images   : (k,) integers: of which of the n each box is
    size     : cells a side;  samples : points a side in each cell, evenly spread
    stride, origin : feature i lies at the image's x = origin + stride i; 1 and 0.5 for the image
               itself. Beyond the first and the last the features go on as they end.
    returns  : (k, channels, size, size)

    He et al., Mask R-CNN, ICCV 2017, with no rounding anywhere. Bilinear sampling is one weight
    for rows times one for columns, and means are linear: each box is two small matrices.
    """
    _require_boxes(boxes, "boxes")
    if features.ndim != 4:
        raise ValueError(
            f"features must have shape (n, channels, rows, columns), got {tuple(features.shape)}"
        )
    if images.shape != boxes.shape[:1]:
        raise ValueError(f"images must have shape ({len(boxes)},), got {tuple(images.shape)}")
    if size < 1 or samples < 1:
        raise ValueError(f"size and samples must be 1 or more, got {size} and {samples}")
    rows, columns = features.shape[2:]
    across = _weights(boxes[:, 0], boxes[:, 2], columns, size, samples, stride, origin)
    down = _weights(boxes[:, 1], boxes[:, 3], rows, size, samples, stride, origin)
    out = features.new_zeros(len(boxes), features.shape[1], size, size)
    for image in range(len(features)):
        mine = (images == image).nonzero()[:, 0]
        if len(mine):
            narrow = torch.einsum("chw,kxw->kchx", features[image], across[mine])
            out = out.index_copy(0, mine, torch.einsum("kyh,kchx->kcyx", down[mine], narrow))
    return out


def _weights(
    low: torch.Tensor,
    high: torch.Tensor,
    length: int,
    size: int,
    samples: int,
    stride: float,
    origin: float,
) -> torch.Tensor:
    """(k, size, length): how much of each feature along an axis is in each cell of each box."""
    n = size * samples
    steps = (torch.arange(n, dtype=low.dtype, device=low.device) + 0.5) / n
    at = (low[:, None] + (high - low)[:, None] * steps - origin) / stride
    # A hat of width 1 about each sample is bilinear interpolation.
    places = torch.arange(length, dtype=low.dtype, device=low.device)
    hats = (1 - (at.clamp(0, length - 1)[..., None] - places).abs()).clamp(min=0)
    return hats.reshape(len(low), size, samples, length).mean(2)


def _middle_and_size(boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes[:, :2] + size / 2, size


def _require_boxes(boxes: torch.Tensor, name: str) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{name} must have shape (n, 4): x1, y1, x2, y2, got {tuple(boxes.shape)}")
