"""Faster R-CNN on the quick net: a region proposal network finds the boxes that R-CNN is given.

Ren et al., Faster R-CNN, NIPS 2015. The quick net's body runs over the whole image once. From its
features the proposal network tells boxes from background and moves them; what lies in the best is
pooled (ROI align, in the place of nothing: 7 x 7 is what the body makes of a crop) and goes on
through the rest of the quick net.
"""

from __future__ import annotations

from typing import NamedTuple

from lesionkit.nets.detectors import boxes as bx
from lesionkit.nets.detectors.rcnn import (
    ORIGIN,
    STRIDE,
    Detections,
    QuickNet,
    best_of,
    start_evenly,
)
from lesionkit.nets.framework import torch

MIN_SIDE = 15  # rows and columns of an image, of which three pools of 3 by steps of 2 leave one
CELLS = 7  # of the pooled features, a side
SPREAD = (0.1, 0.1, 0.2, 0.2)  # typical size of the second stage's targets, which are divided by it


class Anchors(NamedTuple):
    """Anchor boxes: squares of these sides (pixels), and the same areas at other ratios."""

    sides: tuple[float, ...] = (12.0, 24.0, 40.0, 64.0)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)  # height / width


class Sampling(NamedTuple):
    """How many boxes a training step looks at, and which count as lesion (IoU)."""

    anchors: int = 64
    anchor_lesion: float = 0.6
    anchor_background: float = 0.3
    rois: int = 32
    roi_lesion: float = 0.5
    lesions: float = 0.5  # the largest fraction of them


class FasterRCNN(torch.nn.Module):  # type: ignore[misc]
    """Faster R-CNN on the quick net: images to boxes with classes.

    :meth:`loss` is for training, :meth:`detect` for use after it. Boxes are (x1, y1, x2, y2) in
    pixels.

    Parameters
    ----------
    classes : int, default 4
        1 or more, background not counted.
    anchors : Anchors, optional
        `sides` of the squares (12, 24, 40, 64 pixels at first), and `ratios` height / width (0.5,
        1, 2).

    Raises
    ------
    TypeError, ValueError
        Where `classes` is no such number.

    References
    ----------
    Ren et al., Faster R-CNN, NIPS 2015.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets import FasterRCNN
    >>> net = FasterRCNN(classes=1).eval()
    >>> found = net.detect(torch.zeros(1, 3, 64, 64), least=0.99)
    >>> len(found), tuple(found[0].boxes.shape)[1]
    (1, 4)
    """

    def __init__(self, classes: int = 4, anchors: Anchors | None = None) -> None:
        super().__init__()
        self.quick = QuickNet(classes)
        self.anchors = anchors or Anchors()
        each = len(self.anchors.sides) * len(self.anchors.ratios)
        nn = torch.nn
        self.propose_hidden = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())
        self.objectness = nn.Conv2d(64, each, 1)
        self.propose_move = nn.Conv2d(64, 4 * each, 1)
        self.move = nn.Linear(64, 4)
        start_evenly(self)

    def anchor_boxes(self, rows: int, columns: int) -> torch.Tensor:
        """The anchors at every place of a map of the proposal network.

        Parameters
        ----------
        rows, columns : int
            Of the map.

        Returns
        -------
        (rows columns each, 4) tensor
            Boxes, in pixels of the image.
        """
        weight = self.objectness.weight
        # The pool before it halves the map: its place i lies at the body's place 2 i + 1.
        step, first = 2 * STRIDE, ORIGIN + STRIDE
        x = first + step * torch.arange(columns, dtype=weight.dtype, device=weight.device)
        y = first + step * torch.arange(rows, dtype=weight.dtype, device=weight.device)
        middles = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1)
        halves = weight.new_tensor(
            [
                [side / ratio**0.5 / 2, side * ratio**0.5 / 2]
                for side in self.anchors.sides
                for ratio in self.anchors.ratios
            ]
        )
        low = middles[:, :, None] - halves
        high = middles[:, :, None] + halves
        return torch.cat([low, high], -1).reshape(-1, 4)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """What the body of the quick net makes of images.

        Parameters
        ----------
        images : (n, 3, rows, columns) tensor of floats
            Scaled alike, 15 or more rows and columns.

        Returns
        -------
        (n, 64, ...) tensor
            Features.

        Raises
        ------
        ValueError
            Where `images` has another shape, or is so small that the proposal network has nothing.
        """
        if images.ndim != 4 or images.shape[1] != 3 or min(images.shape[2:]) < MIN_SIDE:
            raise ValueError(
                f"images must have shape (n, 3, rows, columns), {MIN_SIDE} or more of both, got "
                f"{tuple(images.shape)}"
            )
        return self.quick.body(images)

    def propose(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Anchors, and what the proposal network says of each.

        Parameters
        ----------
        features : tensor
            Of :meth:`features`.

        Returns
        -------
        anchors : (a, 4) tensor
            Boxes.
        scores : (n, a) tensor
            Of each image, before the sigmoid.
        moves : (n, a, 4) tensor
            Of each image, as `encode` defines them.
        """
        hidden = self.propose_hidden(self.quick.pool(features))
        n, _, rows, columns = hidden.shape
        scores = self.objectness(hidden).permute(0, 2, 3, 1).reshape(n, -1)
        moves = self.propose_move(hidden).permute(0, 2, 3, 1).reshape(n, -1, 4)
        return self.anchor_boxes(rows, columns), scores, moves

    def second_stage(
        self, features: torch.Tensor, rois: torch.Tensor, images: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Classes and moves of boxes.

        Parameters
        ----------
        features : tensor
            Of :meth:`features`.
        rois : (k, 4) tensor
            Boxes.
        images : (k,) tensor of int
            Of which image each box is.

        Returns
        -------
        classes : (k, classes + 1) tensor
            Before the softmax.
        moves : (k, 4) tensor
            Of the boxes.

        Raises
        ------
        ValueError
            Where shapes do not fit.
        """
        pooled = bx.roi_align(features, rois, images, CELLS, stride=STRIDE, origin=ORIGIN)
        hidden = self.quick.hidden(self.quick.pool(pooled))
        return self.quick.classify(hidden), self.move(hidden)

    def detect(
        self, images: torch.Tensor, least: float = 0.5, proposals: int = 64
    ) -> list[Detections]:
        """What is in each image.

        Parameters
        ----------
        images : (n, 3, rows, columns) tensor of floats
            Scaled alike, 15 or more rows and columns.
        least : float, default 0.5
            The score from which a box counts.
        proposals : int, default 64
            For the second stage, at most.

        Returns
        -------
        list of Detections
            `boxes`, `scores` and `labels` of each image.

        Raises
        ------
        ValueError
            Where `images` has another shape.
        """
        with torch.no_grad():
            features = self.features(images)
            anchors, scores, moves = self.propose(features)
            found = []
            for i in range(len(images)):
                rois = _best_proposals(anchors, scores[i], moves[i], images.shape[2:], proposals)
                which = torch.full((len(rois),), i, device=rois.device)
                logits, shift = self.second_stage(features, rois, which)
                moved = bx.decode(shift * shift.new_tensor(SPREAD), rois)
                found.append(best_of(bx.clip(moved, images.shape[2:]), logits.softmax(1), least))
        return found

    def loss(
        self,
        images: torch.Tensor,
        truths: list[torch.Tensor],
        labels: list[torch.Tensor],
        generator: torch.Generator,
        sampling: Sampling | None = None,
    ) -> torch.Tensor:
        """The sum of four: lesion or not, and where, of anchors; class, and where, of proposals.

        Parameters
        ----------
        images : (n, 3, rows, columns) tensor of floats
            Scaled alike, 15 or more rows and columns.
        truths : list of (k, 4) tensors
            The true boxes of each image; k may be 0.
        labels : list of (k,) tensors of int
            Their classes, 1 and up.
        generator : torch.Generator
            Draws which boxes count.
        sampling : Sampling, optional
            How many boxes count, and which count as lesion.

        Returns
        -------
        () tensor
            The mean over the images.

        Raises
        ------
        ValueError
            Where shapes do not fit.
        """
        sampling = sampling or Sampling()
        features = self.features(images)
        anchors, scores, moves = self.propose(features)
        total = features.new_zeros(())
        for i, (truth, label) in enumerate(zip(truths, labels, strict=True)):
            chosen, matched = _match_anchors(anchors, truth, sampling, generator)
            lesion = matched >= 0
            total = total + torch.nn.functional.binary_cross_entropy_with_logits(
                scores[i, chosen], lesion.to(scores.dtype)
            )
            if lesion.any():
                target = bx.encode(truth[matched[lesion]], anchors[chosen[lesion]])
                total = total + _distance(moves[i, chosen[lesion]], target, len(chosen))

            with torch.no_grad():
                rois = _best_proposals(
                    anchors, scores[i], moves[i], images.shape[2:], 4 * sampling.rois
                )
                rois = torch.cat([truth, rois])
                rois, of = _match_rois(rois, truth, sampling, generator)
            if not len(rois):
                continue
            which = torch.full((len(rois),), i, device=rois.device)
            logits, shift = self.second_stage(features, rois, which)
            lesion = of >= 0
            classes = torch.zeros_like(of)
            classes[lesion] = label[of[lesion]]
            total = total + torch.nn.functional.cross_entropy(logits, classes)
            if lesion.any():
                target = bx.encode(truth[of[lesion]], rois[lesion]) / rois.new_tensor(SPREAD)
                total = total + _distance(shift[lesion], target, len(rois))
        return total / len(images)


def _best_proposals(
    anchors: torch.Tensor,
    scores: torch.Tensor,
    moves: torch.Tensor,
    shape: tuple[int, int],
    most: int,
) -> torch.Tensor:
    """The best boxes of an image: moved, cut at its edges, none twice."""
    top = scores.argsort(descending=True, stable=True)[: 6 * most]
    boxes = bx.clip(bx.decode(moves[top], anchors[top]), shape)
    large = ((boxes[:, 2:] - boxes[:, :2]) >= 2).all(1)
    boxes, ranks = boxes[large], scores[top][large]
    return boxes[bx.nms(boxes, ranks, 0.7)[:most]]


def _match_anchors(
    anchors: torch.Tensor, truth: torch.Tensor, sampling: Sampling, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Anchors that count, and which true box each is of, -1 for background.

    An anchor is lesion if it overlaps a true box enough, or best of all anchors.
    """
    overlap = bx.iou(anchors, truth)
    if len(truth):
        best, of = overlap.max(1)
        lesion = best >= sampling.anchor_lesion
        nearest = overlap.argmax(0)
        lesion[nearest] = True
        of[nearest] = torch.arange(len(truth), device=of.device)
    else:
        best = anchors.new_zeros(len(anchors))
        of = torch.zeros(len(anchors), dtype=torch.long, device=anchors.device)
        lesion = torch.zeros_like(of, dtype=torch.bool)
    background = ~lesion & (best < sampling.anchor_background)
    return _sample(lesion, background, of, sampling.anchors, sampling.lesions, generator)


def _match_rois(
    rois: torch.Tensor, truth: torch.Tensor, sampling: Sampling, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Proposals that count, and which true box each is of, -1 for background."""
    if len(truth):
        best, of = bx.iou(rois, truth).max(1)
    else:
        best = rois.new_zeros(len(rois))
        of = torch.zeros(len(rois), dtype=torch.long, device=rois.device)
    lesion = best >= sampling.roi_lesion
    chosen, of = _sample(lesion, ~lesion, of, sampling.rois, sampling.lesions, generator)
    return rois[chosen], of


def _sample(
    lesion: torch.Tensor,
    background: torch.Tensor,
    of: torch.Tensor,
    count: int,
    fraction: float,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """At most `count` of them, at most `share` of these lesion, drawn by chance."""
    positive = _draw(lesion, int(count * fraction), generator)
    negative = _draw(background, count - len(positive), generator)
    matched = torch.cat([of[positive], torch.full_like(negative, -1)])
    return torch.cat([positive, negative]), matched


def _draw(these: torch.Tensor, most: int, generator: torch.Generator) -> torch.Tensor:
    places = these.nonzero()[:, 0]
    order = torch.randperm(len(places), generator=generator).to(places.device)
    return places[order[:most]]


def _distance(moves: torch.Tensor, target: torch.Tensor, count: int) -> torch.Tensor:
    """The Huber distance, a mean over all boxes that count, lesion or not."""
    huber = torch.nn.functional.smooth_l1_loss(moves, target, beta=1 / 9, reduction="sum")
    return huber / count
