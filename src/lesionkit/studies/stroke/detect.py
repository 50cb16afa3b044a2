"""Detectors of the stroke study: what kind of stroke lies in which box of a slice.

Noor, thesis, 2020, names R-CNN with a region proposal network. Plain R-CNN takes proposals from
elsewhere, and only Faster R-CNN has such a network, so both are here:

"rcnn"   : proposals are the pieces of k-means clusters, the quick net says what they are
"faster" : a region proposal network on the quick net's features, then the rest of the quick net
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, files
from lesionkit.clustering import KMeans, segment
from lesionkit.nets import checkpoints, fitting
from lesionkit.nets.detectors import boxes as bx
from lesionkit.nets.detectors.rcnn import Detections, QuickNet, classify_boxes, crop
from lesionkit.nets.detectors.rpn import FasterRCNN
from lesionkit.nets.framework import torch
from lesionkit.progress import Callback
from lesionkit.studies.stroke.plant import KINDS, Planted
from lesionkit.studies.stroke.prepare import Prepared, preprocess

Method = Literal["rcnn", "faster"]
METHODS: tuple[Method, ...] = ("rcnn", "faster")
RATES = {"rcnn": 0.01, "faster": 0.005}
MIN_PIXELS = 20  # pixels of a lesion, and of a proposal
CLUSTERS = (3, 4, 5, 6, 7)  # numbers of k-means clusters that proposals are made of
MAX_FRACTION = 0.15  # of the slice: what is larger is no proposal
LESIONS, OTHERS = 8, 24  # boxes of a slice, which is a training step of the quick net
JITTER = 0.15  # SD of the edges of true boxes, as a fraction of their size


class Example(NamedTuple):
    """A slice to learn from, or to be tested on."""

    image: torch.Tensor  # (3, rows, columns) float32
    boxes: torch.Tensor  # (k, 4) pixels, the true ones
    labels: torch.Tensor  # (k,) int64: 1 + the kind's place in KINDS
    proposals: torch.Tensor  # (n, 4) pixels


@dataclass(frozen=True)
class Options:
    """How to train: stochastic gradient descent with momentum, a slice a step.

    The published scripts have 40 epochs, a rate of 1e-3 and an L2 of 4e-3 after a pre-training on
    photographs; here it starts from nothing, with a larger rate and a smaller L2.
    """

    epochs: int = 12
    rate: float | None = None  # None: 0.01 for "rcnn", 0.005 for "faster", where four losses add up
    momentum: float = 0.9
    decay: float = 5e-4  # L2
    drop_every: int = 9  # epochs, after which the rate is a tenth
    seed: int = 0

    def __post_init__(self) -> None:
        arrays.integer(self.epochs, "epochs", at_least=1)
        if self.rate is not None:
            arrays.number(self.rate, "rate", above=0)
        arrays.number(self.momentum, "momentum", at_least=0, at_most=0.999)
        arrays.number(self.decay, "decay", at_least=0)
        arrays.integer(self.drop_every, "drop_every", at_least=1)
        arrays.integer(self.seed, "seed", at_least=0)


def true_boxes(mask: Any) -> npt.NDArray[np.float32]:
    """(k, 4): a box round each piece of 20 pixels or more; pieces that touch at corners are one."""
    from scipy import ndimage

    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    pieces = ndimage.find_objects(labels)
    found = [
        (x.start, y.start, x.stop, y.stop)
        for number, (y, x) in enumerate(pieces, 1)
        if sizes[number] >= MIN_PIXELS
    ]
    return np.array(found, np.float32).reshape(-1, 4)


def propose(image: Prepared) -> npt.NDArray[np.float32]:
    """(n, 4): boxes round the pieces of what is brighter, and of what is darker, than a threshold.

    Thresholds lie between k-means clusters, three to seven of them, the best there are; each mask
    is taken as it is and opened by one and two pixels, which cuts lesions from sulci.
    """
    from scipy import ndimage

    found: set[tuple[float, ...]] = set()
    for k in CLUSTERS:
        if len(np.unique(image.levels[image.brain])) < k:
            break
        classes = segment(image.levels, KMeans(k, init="optimal", n_init=1), mask=image.brain)
        for border in range(1, k):
            for mask in (classes >= border, (classes >= 0) & (classes < border)):
                if mask.mean() > MAX_FRACTION:
                    continue
                for width in range(3):
                    kept = ndimage.binary_opening(mask, iterations=width) if width else mask
                    found.update(map(tuple, true_boxes(kept).tolist()))
    return np.array(sorted(found), np.float32).reshape(-1, 4)


def net_input(image: Prepared) -> torch.Tensor:
    """(3, rows, columns) float32: S three times, as the quick net wants colours, less the normal
    brain's 0.4, over 0.2."""
    scaled = ((image.enhanced - 0.4) / 0.2).astype(np.float32)
    return torch.from_numpy(np.repeat(scaled[None], 3, 0))


def example(lesion: Planted) -> Example:
    """A planted lesion, prepared for training or for a test."""
    image = preprocess(lesion.dwi)
    boxes = torch.from_numpy(true_boxes(lesion.mask))
    labels = torch.full((len(boxes),), 1 + list(KINDS).index(lesion.kind))
    return Example(net_input(image), boxes, labels, torch.from_numpy(propose(image)))


def train(
    method: Method,
    examples: Sequence[Example],
    options: Options | None = None,
    *,
    folder: Path | None = None,
    progress: Callback | None = None,
) -> torch.nn.Module:
    """A trained QuickNet ("rcnn") or FasterRCNN ("faster"), the same again for the same seed.

    folder   : where each epoch leaves what the same call goes on from; None: it is not kept
    progress : called as progress(done, epochs, what) after each epoch, what being its loss
    Raises ValueError where there is nothing to learn from, where the loss is no longer finite, and
    for the folder of another run. torch's own generator stays as it was.
    """
    options = options or Options()
    examples = list(examples)
    if not examples:
        raise ValueError("examples must hold at least one example, got none")
    generator = torch.Generator().manual_seed(options.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        net = _new(method)
    rate = RATES[method] if options.rate is None else options.rate
    stepper = torch.optim.SGD(net.parameters(), rate, options.momentum, weight_decay=options.decay)
    schedule = torch.optim.lr_scheduler.StepLR(stepper, options.drop_every, 0.1)
    about = {**asdict(options), "rate": rate, "detector": method, "count": len(examples)}
    parts = {"net": net, "optimizer": stepper, "schedule": schedule, "draws": _Draws(generator)}

    def one(_: int) -> tuple[float, float]:
        order = torch.randperm(len(examples), generator=generator).tolist()
        losses = ((_loss(net, examples[i], generator), 1) for i in order)
        loss = fitting.learn(net, losses, lambda loss: fitting.step(stepper, loss))
        schedule.step()
        return loss, loss

    def kept() -> None:
        if folder is not None:
            fitting.keep(folder, about, parts, history)
        if progress is not None:
            progress(len(history), options.epochs, f"loss {history[-1]:.4g}")

    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with nullcontext() if folder is None else files.locked(folder):
        history = [] if folder is None else fitting.resumed(folder, about, parts)
        fitting.rounds(history, lambda: len(history) >= options.epochs, one, kept, "a lower rate")
    return net.eval()


class _Draws:
    """A generator as a part of what is kept."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {"state": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self._generator.set_state(state["state"])


def _new(method: Method) -> torch.nn.Module:
    if method == "rcnn":
        return QuickNet(len(KINDS))
    if method == "faster":
        return FasterRCNN(len(KINDS))
    raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")


def _loss(net: torch.nn.Module, of: Example, generator: torch.Generator) -> torch.Tensor:
    if isinstance(net, FasterRCNN):
        return net.loss(of.image[None], [of.boxes], [of.labels], generator)
    boxes, labels = _boxes_to_learn(of, generator)
    if not len(boxes):  # the mean of nothing would be nan
        return net.classify.bias.sum() * 0
    return torch.nn.functional.cross_entropy(net(crop(of.image, boxes)), labels)


def _boxes_to_learn(of: Example, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes with classes: lesion from an IoU of 0.5 on, else background, half of it near a lesion.

    Of lesions there are few proposals: true boxes, moved and stretched by chance, join them.
    """
    boxes, classes = of.proposals, torch.zeros(len(of.proposals), dtype=torch.long)
    best = boxes.new_zeros(len(boxes))
    if len(of.boxes):
        jittered = of.boxes.repeat(2 * LESIONS, 1)
        sizes = (jittered[:, 2:] - jittered[:, :2]).repeat(1, 2)
        jittered = jittered + JITTER * sizes * torch.randn(jittered.shape, generator=generator)
        jittered = jittered[((jittered[:, 2:] - jittered[:, :2]) > 2).all(1)]
        boxes = torch.cat([boxes, of.boxes, bx.clip(jittered, of.image.shape[1:])])
        best, match = bx.iou(boxes, of.boxes).max(1)
        classes = torch.where(best >= 0.5, of.labels[match], 0)

    def draw(these: torch.Tensor, most: int) -> torch.Tensor:
        places = these.nonzero()[:, 0]
        return places[torch.randperm(len(places), generator=generator)[:most]]

    near = draw((best < 0.5) & (best > 0.1), OTHERS // 2)
    far = draw(best <= 0.1, OTHERS - len(near))
    chosen = torch.cat([draw(best >= 0.5, LESIONS), near, far])
    return boxes[chosen], classes[chosen]


def detect(net: torch.nn.Module, of: Example, least: float = 0.5) -> Detections:
    """The strokes in a slice, best first; labels are 1 + the kind's place in KINDS."""
    if isinstance(net, FasterRCNN):
        return net.detect(of.image[None], least)[0]
    return classify_boxes(net, of.image, of.proposals, least)


def kind_of(found: Detections) -> str | None:
    """The kind of the best box; None where there is none."""
    return list(KINDS)[int(found.labels[0]) - 1] if len(found.boxes) else None


class Score(NamedTuple):
    """How well boxes are found; a box is right from an IoU of 0.5 on, each true one once."""

    recall: float  # of the true boxes, the fraction that is found, whatever it is called
    precision: float  # of what is found, the fraction that is a lesion, whatever it is called
    mean_iou: float  # of the right ones
    kind_recall: float  # the same, where the kind must be right too
    kind_precision: float
    by_kind: dict[str, float]  # kind_recall of each kind
    true: int
    found: int


def score(found: Iterable[Detections], examples: Iterable[Example]) -> Score:
    """Of detections and the slices they were found in. A fraction of nothing is nan."""
    true = hits = right = count = 0
    overlaps: list[float] = []
    per_kind = {kind: [0, 0] for kind in KINDS}
    for one, of in zip(found, examples, strict=True):
        true += len(of.boxes)
        count += len(one.boxes)
        for label in of.labels.tolist():
            per_kind[list(KINDS)[label - 1]][1] += 1
        overlap = bx.iou(one.boxes, of.boxes).clone()
        for i in range(len(one.boxes) if len(of.boxes) else 0):
            best, j = overlap[i].max(0)
            if best < 0.5:
                continue
            overlap[:, j] = -1  # this lesion is taken
            hits += 1
            overlaps.append(float(best))
            if one.labels[i] == of.labels[j]:
                right += 1
                per_kind[list(KINDS)[int(of.labels[j]) - 1]][0] += 1
    return Score(
        recall=_fraction(hits, true),
        precision=_fraction(hits, count),
        mean_iou=float(np.mean(overlaps)) if overlaps else float("nan"),
        kind_recall=_fraction(right, true),
        kind_precision=_fraction(right, count),
        by_kind={kind: _fraction(*pair) for kind, pair in per_kind.items()},
        true=true,
        found=count,
    )


def _fraction(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def save(net: torch.nn.Module, path: str | os.PathLike[str]) -> None:
    """The weights and what they are of, written beside and renamed when whole."""
    method = "faster" if isinstance(net, FasterRCNN) else "rcnn"
    content = {"detector": method, "kinds": list(KINDS), "weights": net.state_dict()}
    checkpoints.save(Path(path), content)


def load(path: str | os.PathLike[str]) -> torch.nn.Module:
    """A net that `save` wrote. Nothing in the file is run.

    Raises FileNotFoundError or ValueError, in a sentence, for all else.
    """
    held = checkpoints.read(path)
    if held.get("detector") not in METHODS or held.get("kinds") != list(KINDS):
        raise ValueError(
            f"path must be of a detector of {', '.join(KINDS)}, got {os.fspath(path)!r}"
        )
    net = _new(held["detector"])
    try:
        net.load_state_dict(held["weights"])
    except (KeyError, TypeError, AttributeError, RuntimeError) as problem:
        raise ValueError(
            f"path must hold the weights of such a detector, {os.fspath(path)!r} holds others"
        ) from problem
    return net.eval()
