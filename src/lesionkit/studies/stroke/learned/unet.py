"""The learned row beside the six methods: a U-Net of 2.5 dimensions over DWI and ADC.

Each slice is seen with its two neighbours, as seven images: S of three slices, their ADC over the
brain's middle one, and whether there is an ADC at all. Answers are two: lesions that are bright on
DWI, and dark ones.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import arrays, metrics
from lesionkit.nets import checkpoints, fitting
from lesionkit.nets.framework import torch
from lesionkit.nets.unet import Body
from lesionkit.progress import Callback
from lesionkit.studies.stroke.learned import scans
from lesionkit.studies.stroke.prepare import Kind, Prepared

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

FILE = "net.pt"
WHAT = "U-Net over DWI and ADC"
VERSION = 1  # of what the net is given
KINDS: tuple[Kind, ...] = ("hyper", "hypo")  # of its two answers
CHANNELS = 7
SLABS = 100  # of an epoch, each a step
WEIGHT, SHARE = 10.0, 4.0  # of lesions in the cross entropy, and of that beside the Dice
RATE = 2e-3  # of Adam; a tenth in the last quarter
ALONE = 0.3  # of slabs, without an ADC
HELD_OUT = 0.2  # of the shapes
MIN_VOLUME = 40.0  # mm^3, of a piece: five voxels of 2 mm; 20 mm^2 of a slice
MAX_ADC = 3.0  # times the brain's
BATCH = 8  # slices at once


class LesionNet(torch.nn.Module):  # type: ignore[misc]
    """forward(x): (n, 7, rows, columns), multiples of 16, to (n, 2, rows, columns) before the
    sigmoid: bright lesions, and dark ones.

    width : channels of the first level
    """

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.width = width
        self.body = Body(CHANNELS, width, dropout=0.0)
        self.head = torch.nn.Conv2d(width, len(KINDS), 1)
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.constant_(self.head.bias, -4.0)  # lesions are rare

    def forward(self, x: Any) -> Any:
        return self.head(self.body(x))

    @property
    def count(self) -> int:
        """How many numbers were learnt."""
        return sum(p.numel() for p in self.parameters())


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to train. epochs : of 100 steps, each a slab of 8 slices;  width : see LesionNet."""

    epochs: int
    width: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        arrays.integer(self.epochs, "epochs", at_least=1)
        arrays.integer(self.width, "width", at_least=1, at_most=64)
        arrays.integer(self.seed, "seed", at_least=0, at_most=2**31)


def images_of(level: Floats, adc: Floats | None, brain: Mask) -> Any:
    """(planes + 2, rows, columns) each, the outer planes seen as neighbours only, to the net's
    (planes, 7, rows, columns), rows and columns filled up to multiples of 16."""
    slower = np.zeros_like(level) if adc is None else np.clip(adc, 0, MAX_ADC) - 1
    parts = [(level - 0.4) / 0.2, slower]
    stacked = np.stack([np.where(brain, part, 0) for part in parts])
    windows = np.lib.stride_tricks.sliding_window_view(stacked, 3, axis=1)  # (2, n, r, c, 3)
    images = np.moveaxis(windows, (0, 4), (1, 2)).reshape(len(level) - 2, 6, *level.shape[1:])
    full = np.pad(images, [(0, 0), (0, 1), (0, -level.shape[1] % 16), (0, -level.shape[2] % 16)])
    full[:, 6] = adc is not None
    return torch.from_numpy(np.ascontiguousarray(full, np.float32))


def loss_of(answers: Any, truth: Any) -> Any:
    """The cross entropy, in which lesions weigh more, and what is missing of the Dice of bright and
    dark lesions together."""
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(
        answers, truth, pos_weight=torch.tensor(WEIGHT)
    )
    found = answers.sigmoid()
    dice = (2 * (found * truth).sum() + 1) / (found.sum() + truth.sum() + 1)
    return SHARE * entropy + 1 - dice


def halves(shapes: Sequence[scans.Shape], seed: int) -> tuple[list[Any], list[Any]]:
    """Shapes to learn from, and the others."""
    order = np.random.default_rng(seed).permutation(len(shapes))
    many = max(1, round(HELD_OUT * len(shapes)))
    return [shapes[i] for i in sorted(order[many:])], [shapes[i] for i in sorted(order[:many])]


def train(
    brains: Sequence[scans.Brain],
    shapes: Sequence[scans.Shape],
    options: Options,
    folder: Path,
    progress: Callback | None = None,
) -> LesionNet:
    """A trained net; the same call goes on where one was interrupted, and gives the same bits.

    No slab comes twice: each epoch plants its own.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        net = LesionNet(options.width)
    optimizer = torch.optim.Adam(net.parameters(), RATE)

    def loss(chosen: fitting.Indices, epoch: int) -> Any:
        (number,) = chosen
        slab = scans.plant_slab(brains, shapes, epoch * SLABS + int(number), options.seed)
        adc = None if torch.rand(()) < ALONE else slab.adc
        images = images_of(slab.level, adc, slab.brain)
        truth = _filled(slab.lesions, images)
        if torch.rand(()) < 0.5:
            images, truth = images.flip(3), truth.flip(3)
        return loss_of(net(images), truth)

    fitting.fit(
        net, optimizer, loss, SLABS, folder,
        {**asdict(options), "model": WHAT, "version": VERSION, "shapes": len(shapes)},
        epochs=options.epochs, batch=1, seed=options.seed,
        rate=lambda epoch: RATE * (0.1 if epoch >= 0.75 * options.epochs else 1), progress=progress,
    )  # fmt: skip
    return net


def _filled(lesions: Mask, images: Any) -> Any:
    """(2, n, rows, columns) as the net's answers are: (n, 2, rows, columns) of the images."""
    rows, columns = images.shape[2:]
    truth = np.moveaxis(lesions, 0, 1)
    edges = [(0, 0), (0, 0), (0, rows - truth.shape[2]), (0, columns - truth.shape[3])]
    return torch.from_numpy(np.pad(truth, edges).astype(np.float32))


def probabilities(net: LesionNet, images: Any) -> Floats:
    """(n, 2, rows, columns) of the net's images."""
    net.eval()
    with torch.inference_mode():
        parts = [net(images[i : i + BATCH]).sigmoid() for i in range(0, len(images), BATCH)]
    found: Floats = torch.cat(parts).numpy()
    return found


def segment(
    net: LesionNet,
    scene: Prepared,
    spacing: Sequence[float],
    kind: Kind = "hyper",
    adc: Any = None,
) -> Mask:
    """Where the net is surer of a lesion than not, in pieces of 40 mm^3 (of a slice 20 mm^2) and
    more.

    scene   : what `preprocess` returns; rows to the front, as files are read
    spacing : mm of each axis
    adc     : of the scene's shape, in any unit: the net sees it over the brain's middle one
    """
    shape = scene.brain.shape
    if not scene.brain.any():
        return np.zeros(shape, bool)
    level, brain = scene.enhanced.astype(np.float32), scene.brain
    slower = None if adc is None else _relative(np.asarray(adc, np.float32), brain)
    if brain.ndim == 2:
        level, brain = level[None], brain[None]
        slower = None if slower is None else slower[None]
        spacing = (scans.PIXEL, *spacing)
    zoom = [min(1.0, spacing[0] / scans.PIXEL), *(step / scans.PIXEL for step in spacing[1:])]

    def seen(volume: Floats) -> Floats:
        return np.pad(scans.resampled(volume, zoom), [(1, 1), (0, 0), (0, 0)], mode="edge")

    inside = seen(brain.astype(np.float32)) > 0.5
    rows, columns = inside.shape[1:]
    images = images_of(seen(level), None if slower is None else seen(slower), inside)
    found = probabilities(net, images)[:, KINDS.index(kind), :rows, :columns]
    mask = (scans.onto(found, brain.shape) > 0.5) & brain
    least = MIN_VOLUME / np.prod(spacing)
    labels, _ = ndimage.label(mask, np.ones((3, 3, 3)))
    large = np.bincount(labels.ravel()) >= least
    large[0] = False
    return np.asarray(large[labels].reshape(shape))


def _relative(adc: Floats, brain: Mask) -> Floats:
    """The ADC over the brain's middle one; a brain without one has no ADC to tell of."""
    inside = adc[brain]
    usual = float(np.median(inside[inside > 0])) if (inside > 0).any() else 0.0
    if not np.isfinite(usual) or usual <= 0:
        raise ValueError("adc must be above 0 in the brain, got none that is")
    return np.where(brain & np.isfinite(adc), adc / usual, 0).astype(np.float32)


def unseen(
    net: LesionNet,
    brains: Sequence[scans.Brain],
    shapes: Sequence[scans.Shape],
    seed: int,
    count: int = 100,
) -> list[dict[str, str]]:
    """Rows of a table: mean Dice of planted slabs of shapes not learnt from, that hold a lesion."""
    scores: dict[tuple[str, str], list[float]] = {}
    for item in range(count):
        slab = scans.plant_slab(brains, shapes, item, seed)
        for given, adc in (("DWI and ADC", slab.adc), ("DWI alone", None)):
            found = probabilities(net, images_of(slab.level, adc, slab.brain)) > 0.5
            for place, what in enumerate(("bright", "dark")):
                truth = slab.lesions[place]
                rows, columns = truth.shape[1:]
                if truth.any():
                    dice = metrics.dice(found[:, place, :rows, :columns], truth)
                    scores.setdefault((given, what), []).append(dice)
    return [
        {"given": given, "lesions": what, "n": str(len(dice)), "Dice": f"{np.mean(dice):.3f}"}
        for (given, what), dice in sorted(scores.items())
    ]


def save(net: LesionNet, path: Path) -> None:
    """The weights and what they are of, for :func:`load`."""
    content = {"model": WHAT, "version": VERSION, "width": net.width, "weights": net.state_dict()}
    checkpoints.save(path, content)


def load(path: str | os.PathLike[str]) -> LesionNet:
    """A net that `save` wrote. FileNotFoundError or ValueError, in a sentence, for all else."""
    held = checkpoints.read(path)
    if held.get("model") != WHAT:
        raise ValueError(f"path must be of a {WHAT}, got {os.fspath(path)!r}, which is of another")
    if held.get("version") != VERSION:
        raise ValueError(
            f"{os.fspath(path)} is a {WHAT} of version {held.get('version')}; this version of "
            f"lesionkit uses version {VERSION}"
        )
    try:
        net = LesionNet(arrays.integer(held["width"], "width", at_least=1, at_most=64))
        net.load_state_dict(held["weights"])
    except (KeyError, TypeError, AttributeError, RuntimeError, ValueError) as problem:
        raise ValueError(f"{os.fspath(path)} does not hold the weights of a {WHAT}") from problem
    net.eval()
    return net
