"""Fit a net to a list of examples, and go on after an interruption to the same weights.

For small sets that are in memory; Z-Net and Y-Net, which stream millions of phantoms, have
`training`. The folder holds last.pt, the net after the last whole epoch, written whole or not at
all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, files
from lesionkit.nets import checkpoints
from lesionkit.nets.framework import torch

LAST = "last.pt"
Indices = npt.NDArray[np.intp]


def fit(
    net: Any,
    optimizer: Any,
    loss_of: Callable[[Indices, int], Any],
    count: int,
    folder: Path,
    about: Mapping[str, Any],
    *,
    epochs: int,
    batch: int,
    seed: int = 0,
    progress: Callable[[int, float], object] | None = None,
) -> list[float]:
    """Train, and return the mean loss of each epoch.

    loss_of  : the loss of the examples of these indices in this epoch (from 0), on which
               backward() is called
    about    : what tells one run from another, plain values: a folder of another run is refused;
               more epochs of the same run go on from where it stands
    progress : called after each epoch with its number, from 1, and its loss
    Order and dropout are drawn from seed and epoch alone. Raises ValueError where the loss is no
    longer finite.
    """
    epochs = arrays.integer(epochs, "epochs", at_least=1)
    batch = arrays.integer(batch, "batch", at_least=1)
    about = {**about, "batch": batch, "seed": seed, "count": count}
    folder.mkdir(parents=True, exist_ok=True)
    with files.locked(folder):
        history = _resumed(net, optimizer, folder / LAST, about)
        for epoch in range(len(history), epochs):
            random = np.random.Generator(np.random.Philox(key=np.array([seed, epoch], np.uint64)))
            order = random.permutation(count)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(int(random.integers(2**62)))
                loss = _epoch(net, optimizer, loss_of, order, epoch, batch)
            if not np.isfinite(loss):
                raise ValueError(
                    f"training went astray in epoch {epoch + 1}: the loss is {loss}; try a lower "
                    "learning rate"
                )
            history.append(loss)
            checkpoints.save(
                folder / LAST,
                {
                    "about": about,
                    "history": history,
                    "state": net.state_dict(),
                    "optimizer": optimizer.state_dict(),
                },
            )
            if progress is not None:
                progress(epoch + 1, loss)
    net.eval()
    return history


def _epoch(
    net: Any,
    optimizer: Any,
    loss_of: Callable[[Indices, int], Any],
    order: Indices,
    epoch: int,
    batch: int,
) -> float:
    net.train()
    total = 0.0
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(chosen, epoch)
        loss.backward()
        optimizer.step()
        total += float(loss.detach()) * len(chosen)
    return total / len(order)


def _resumed(net: Any, optimizer: Any, last: Path, about: Mapping[str, Any]) -> list[float]:
    """Take up what the last whole epoch left; its history, empty where there is none."""
    if not last.exists():
        return []
    content = checkpoints.read(last)
    if content.get("about") != about:
        raise ValueError(f"{last.parent} holds another run: choose another folder")
    net.load_state_dict(content["state"])
    optimizer.load_state_dict(content["optimizer"])
    return list(content["history"])
