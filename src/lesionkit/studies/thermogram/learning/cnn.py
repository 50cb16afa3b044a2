"""A small CNN that tells sick from healthy, as most papers on DMR-IR have one; on two inputs.

Of whole pictures it sees wall, noise and warmth, which are leaks; of breasts of one noise level and
one mean it sees what a texture sees. Its row stands beside the leaks as any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.nets import fitting
from lesionkit.nets.framework import torch
from lesionkit.nets.unet import convolution
from lesionkit.studies.common.discrimination import folds
from lesionkit.studies.thermogram import clusters, textures
from lesionkit.studies.thermogram.measure import Woman

SIZE = 64
EPOCHS, BATCH, RATE = 15, 8, 1e-3
WIDTHS = (8, 16, 32)
Inputs = npt.NDArray[np.float32]


def whole(women: Sequence[Woman]) -> Inputs:
    """(women, 3, 64, 64) pictures in the colours of 22 to 37 C, 0 to 1: with all leaks."""
    pictures = [clusters.picture_of(woman.celsius, size=SIZE) for woman in women]
    return np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


def breasts(women: Sequence[Woman]) -> Inputs:
    """(women, 2, 48, 48) the middle of each breast, the right one mirrored, smoothed to one noise
    level, of mean 0 and standard deviation 1; zeros where a breast is out of the frame."""
    found = np.zeros((len(women), 2, textures.PATCH, textures.PATCH), np.float32)
    for row, woman in zip(found, women, strict=True):
        quiet = textures.smoothed(woman.celsius)
        for side, breast in enumerate(woman.breasts):
            if breast.any():
                patch = textures.patch(quiet, breast)[:, :: -1 if side else 1]
                row[side] = (patch - patch.mean()) / max(float(patch.std()), 1e-6)
    return found


def net(channels: int) -> Any:
    """(n, channels, h, w) to (n,): three convolutions, each halved, their mean, and a sum."""
    layers: list[Any] = []
    for before, after in zip((channels, *WIDTHS), WIDTHS, strict=False):
        layers += [convolution(before, after), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
    ends = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(WIDTHS[-1], 1)]
    return torch.nn.Sequential(*layers, *ends, torch.nn.Flatten(0))


def out_of_fold(
    inputs: Inputs, sick: Any, patients: Any, *, seed: int = 0
) -> npt.NDArray[np.float64]:
    """(n,) how sure a CNN is of sick, of patients that it has not seen: ten folds, once, the first
    of the ten times that `discrimination.out_of_fold` does."""
    sick = np.asarray(sick, bool)
    scores = np.zeros(len(inputs))
    for fold, (learnt, tested) in enumerate(folds(sick, patients, seed)):
        model = _fitted(inputs[learnt], sick[learnt], seed + fold)
        with torch.inference_mode():
            scores[tested] = model(torch.from_numpy(inputs[tested])).double().numpy()
    return scores


def _fitted(inputs: Inputs, sick: Any, seed: int) -> Any:
    x, y = torch.from_numpy(inputs), torch.from_numpy(sick).float()
    random = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = net(inputs.shape[1])
    optimizer = torch.optim.RMSprop(model.parameters(), RATE, 0.9, 1e-7)

    def losses() -> Iterator[tuple[Any, int]]:
        for chosen in np.array_split(random.permutation(len(x)), -(-len(x) // BATCH)):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x[chosen]), y[chosen])
            yield loss, len(chosen)

    def one(_: int) -> tuple[float, float]:
        loss = fitting.learn(model, losses(), lambda loss: fitting.step(optimizer, loss))
        return loss, loss

    history: list[float] = []
    fitting.rounds(history, lambda: len(history) >= EPOCHS, one, lambda: None)
    return model.eval()
