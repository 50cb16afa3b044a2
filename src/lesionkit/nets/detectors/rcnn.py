"""The quick net of R-CNN: what is in a box, and is it anything at all?

Girshick et al., Rich feature hierarchies, CVPR 2014, with the 15-layer net for 32 x 32 pixels that
goes back to Krizhevsky's "CIFAR-10 quick" of cuda-convnet, as in MATLAB's R-CNN examples; the
layers are those that Noor's thesis (2020) names.
"""

from __future__ import annotations

from typing import NamedTuple

from lesionkit import arrays
from lesionkit.nets.detectors.boxes import nms, roi_align
from lesionkit.nets.framework import torch

CROP = 32  # pixels a side of what the quick net looks at
CONTEXT = 4  # of these, on each side of the box
STRIDE, ORIGIN = 4.0, 3.5  # of the body's features: pools of 3 by steps of 2, and no border
WIDTH = 576  # what comes out of the pool: 64 channels of 3 x 3


class Detections(NamedTuple):
    """What was found in one image, best first.

    Attributes
    ----------
    boxes : (n, 4) tensor
        x1, y1, x2, y2 in pixels.
    scores : (n,) tensor
        0 to 1.
    labels : (n,) tensor of int
        From 1 on: 0 is background.
    """

    boxes: torch.Tensor
    scores: torch.Tensor
    labels: torch.Tensor


class QuickNet(torch.nn.Module):  # type: ignore[misc]
    """The quick net of R-CNN: crops to scores of classes.

    116,581 weights for 4 classes and background::

        layer                     input 32 x 32 x 3 body                      conv 5x5 32, max pool
        3/2, ReLU, conv 5x5 32, ReLU, average pool 3/2,
                                  conv 5x5 64, ReLU: 7 x 7 x 64
        pool                      average pool 3/2: 3 x 3 x 64
        hidden                    fully connected 64, ReLU
        classify                  fully connected, classes + 1; the softmax is left to the loss

    Parameters
    ----------
    classes : int, default 4
        1 or more, background not counted.

    Raises
    ------
    TypeError, ValueError
        Where `classes` is no such number.

    References
    ----------
    Girshick et al., Rich feature hierarchies, CVPR 2014; the module's text says where the layers
    are from.

    Examples
    --------
    >>> import torch
    >>> from lesionkit.nets import QuickNet
    >>> net = QuickNet(classes=4)
    >>> sum(weights.numel() for weights in net.parameters())
    116581
    >>> tuple(net(torch.zeros(2, 3, 32, 32)).shape)
    (2, 5)
    """

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.classes = arrays.integer(classes, "classes", at_least=1)
        nn = torch.nn
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 5, padding=2),
            nn.MaxPool2d(3, 2),
            nn.ReLU(),
            nn.Conv2d(32, 32, 5, padding=2),
            nn.ReLU(),
            nn.AvgPool2d(3, 2),
            nn.Conv2d(32, 64, 5, padding=2),
            nn.ReLU(),
        )
        self.pool = nn.AvgPool2d(3, 2)
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(WIDTH, 64), nn.ReLU())
        self.classify = nn.Linear(64, classes + 1)
        start_evenly(self)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Scores of the classes of crops.

        Parameters
        ----------
        crops : (n, 3, 32, 32) tensor of floats
            Scaled as in training.

        Returns
        -------
        (n, classes + 1) tensor
            Background first, before the softmax.

        Raises
        ------
        ValueError
            Where `crops` has another shape.
        """
        if crops.ndim != 4 or crops.shape[1:] != (3, CROP, CROP):
            raise ValueError(
                f"crops must have shape (n, 3, {CROP}, {CROP}), got {tuple(crops.shape)}"
            )
        return self.classify(self.hidden(self.pool(self.body(crops))))


def start_evenly(net: torch.nn.Module) -> None:
    """Weights of a new net by He et al., ICCV 2015: signals keep their size through ReLUs. Those of
    layers that end in scores and moves are small, so that no answer is favoured."""
    for layer in net.modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
            last = layer.out_channels if isinstance(layer, torch.nn.Conv2d) else layer.out_features
            if last in (32, 64):
                torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            else:
                torch.nn.init.normal_(layer.weight, std=0.01)
            torch.nn.init.zeros_(layer.bias)


def crop(image: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """What is in each box of an image, and about it, as the quick net looks at it.

    The box fills the middle 24 pixels, so that its edges can be seen.

    Parameters
    ----------
    image : (3, rows, columns) tensor
        Scaled as in training.
    boxes : (n, 4) tensor
        Pixels.

    Returns
    -------
    (n, 3, 32, 32) tensor
        Crops.

    Raises
    ------
    ValueError
        Where a shape is another.
    """
    about = (boxes[:, 2:] - boxes[:, :2]) * (CONTEXT / (CROP - 2 * CONTEXT))
    boxes = torch.cat([boxes[:, :2] - about, boxes[:, 2:] + about], 1)
    which = torch.zeros(len(boxes), dtype=torch.long, device=image.device)
    return roi_align(image[None], boxes, which, CROP)


def classify_boxes(
    net: QuickNet, image: torch.Tensor, boxes: torch.Tensor, least: float = 0.5
) -> Detections:
    """R-CNN: the proposed boxes that the quick net takes for more than background.

    image : (3, rows, columns), scaled as in training;  boxes : (n, 4) proposals, pixels
    least : the score from which a box counts (see `best_of`)
    """
    with torch.no_grad():
        fractions = net(crop(image, boxes)).softmax(1)
    return best_of(boxes, fractions, least)


def best_of(boxes: torch.Tensor, fractions: torch.Tensor, least: float) -> Detections:
    """Of each box its best class but background, of boxes that overlap by more than half the best.

    shares : (n, classes + 1) after the softmax
    A score is how sure it is that there is something, whichever class: of two classes that look
    alike neither may reach `least`.
    """
    scores, labels = 1 - fractions[:, 0], fractions[:, 1:].argmax(1)
    good = (scores >= least).nonzero()[:, 0]
    kept = good[nms(boxes[good], scores[good], 0.5)]
    return Detections(boxes[kept], scores[kept], labels[kept] + 1)
