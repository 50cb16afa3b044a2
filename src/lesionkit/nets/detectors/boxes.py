"""Boxes of detectors: overlap, suppression, regression targets, and pooling of what lies inside.

A box is (x1, y1, x2, y2) in pixels: x to the right along the columns, y down along the rows, edges
and not centres, so that pixel (0, 0) is the box (0, 0, 1, 1) and its centre is at (0.5, 0.5).
torchvision has these functions as well, but each of its versions takes one version of torch alone.
"""

from __future__ import annotations

import math

from lesionkit.nets.framework import torch

# Predicted sizes grow by 62.5 times at most: an untrained net must not overflow exp.
MAX_LOG_SCALE = math.log(1000 / 16)


def area(boxes: torch.Tensor) -> torch.Tensor:
    """Areas of boxes.

    Parameters
    ----------
    boxes : (n, 4) tensor
        Pixels.

    Returns
    -------
    (n,) tensor
        Square pixels; 0 for a box that is turned inside out.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets.detectors import boxes as bx
    >>> bx.area(torch.tensor([[0.0, 0, 2, 3]])).tolist()
    [6.0]
    """
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)


def iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Intersection over union of each of one set of boxes with each of another.

    Parameters
    ----------
    a : (n, 4) tensor
        Pixels.
    b : (m, 4) tensor
        Pixels.

    Returns
    -------
    (n, m) tensor
        0 to 1; two boxes of no area have 0 in common.

    Raises
    ------
    ValueError
        Where a shape is another.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets.detectors import boxes as bx
    >>> bx.iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[0.0, 0, 2, 4]])).item()
    0.5
    """
    _check_boxes(a, "a")
    _check_boxes(b, "b")
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

    "Kept" is what no better kept box suppresses, so it is the one fixed point of that sentence:
    here all boxes are judged at once, as often as the longest chain of suppressions needs, in place
    of one after the other.

    Parameters
    ----------
    boxes : (n, 4) tensor
        Pixels.
    scores : (n,) tensor
        The greater, the better.
    threshold : float, default 0.5
        The IoU above which the lesser box goes, 0 to 1.
    groups : (n,) tensor of int, optional
        Boxes of different groups (classes, images) leave each other alone.

    Returns
    -------
    tensor of int
        Indices of the kept boxes, best first; of equal scores the earlier is better.

    Raises
    ------
    ValueError
        Where shapes do not fit, or the threshold is out of range.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets.detectors import boxes as bx
    >>> three = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 5], [9, 9, 12, 12]])
    >>> bx.nms(three, torch.tensor([0.8, 0.9, 0.1])).tolist()
    [1, 2]
    """
    _check_boxes(boxes, "boxes")
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
    """Regression targets: how anchors must move and grow to be boxes.

    ((x - xa) / wa, (y - ya) / ha, ln(w / wa), ln(h / ha)) of centres and sizes.

    Parameters
    ----------
    boxes : (n, 4) tensor
        Pixels.
    anchors : (n, 4) tensor
        Pixels.

    Returns
    -------
    (n, 4) tensor
        No unit.

    References
    ----------
    Girshick et al., CVPR 2014, equations 6 to 9.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets.detectors import boxes as bx
    >>> bx.encode(torch.tensor([[1.0, 0, 3, 2]]), torch.tensor([[0.0, 0, 2, 2]])).tolist()
    [[0.5, 0.0, 0.0, 0.0]]
    """
    middle, size = _middle_and_size(boxes)
    from_middle, from_size = _middle_and_size(anchors)
    return torch.cat([(middle - from_middle) / from_size, torch.log(size / from_size)], 1)


def decode(deltas: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """Boxes from regression targets: the inverse of :func:`encode`.

    Parameters
    ----------
    deltas : (n, 4) tensor
        Of :func:`encode`.
    anchors : (n, 4) tensor
        Pixels.

    Returns
    -------
    (n, 4) tensor
        Pixels; sizes grow by no more than 62.5 times.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets.detectors import boxes as bx
    >>> bx.decode(torch.tensor([[0.5, 0, 0, 0]]), torch.tensor([[0.0, 0, 2, 2]])).tolist()
    [[1.0, 0.0, 3.0, 2.0]]
    """
    from_middle, from_size = _middle_and_size(anchors)
    middle = from_middle + deltas[:, :2] * from_size
    half = from_size * deltas[:, 2:].clamp(max=MAX_LOG_SCALE).exp() / 2
    return torch.cat([middle - half, middle + half], 1)


def clip(boxes: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """Cut boxes at the edges of an image.

    Parameters
    ----------
    boxes : (n, 4) tensor
        Pixels.
    shape : tuple of int
        (rows, columns) of the image.

    Returns
    -------
    (n, 4) tensor
        Pixels.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets.detectors import boxes as bx
    >>> bx.clip(torch.tensor([[-1.0, 0, 9, 9]]), (4, 6)).tolist()
    [[0.0, 0.0, 6.0, 4.0]]
    """
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
    """What lies in each box, as a grid of cells: the mean of bilinear samples of each.

    With no rounding anywhere. Bilinear sampling is one weight for rows times one for columns, and
    means are linear: each box is two small matrices.

    Parameters
    ----------
    features : (n, channels, rows, columns) tensor of floats
        Of images.
    boxes : (k, 4) tensor
        In pixels of the image that the features were made of.
    images : (k,) tensor of int
        Of which of the n each box is.
    size : int
        Cells a side.
    samples : int, default 2
        Points a side in each cell, evenly spread.
    stride, origin : float, default 1 and 0.5
        Feature i lies at the image's x = origin + stride i; 1 and 0.5 for the image itself. Beyond
        the first and the last the features go on as they end.

    Returns
    -------
    (k, channels, size, size) tensor
        Means.

    Raises
    ------
    ValueError
        Where shapes do not fit, or a number is below 1.

    References
    ----------
    He et al., Mask R-CNN, ICCV 2017.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets.detectors import boxes as bx
    >>> ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    >>> bx.roi_align(ramp, torch.tensor([[2.0, 2, 6, 6]]), torch.tensor([0]), 2)[0, 0].tolist()
    [[2.5, 4.5], [2.5, 4.5]]
    """
    _check_boxes(boxes, "boxes")
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


def _check_boxes(boxes: torch.Tensor, name: str) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{name} must have shape (n, 4): x1, y1, x2, y2, got {tuple(boxes.shape)}")
