"""The training loop, and `fit`, which fits a net to a list of examples in memory.

`rounds` is the loop over epochs and `learn` an epoch: Z-Net and Y-Net, which stream millions of
phantoms (`training`), run through both as `fit` does. After each epoch last.pt is written, whole
or not at all, from where the same call goes on to the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, files
from lesionkit.nets import checkpoints
from lesionkit.nets.framework import torch
from lesionkit.progress import Callback

LAST = "last.pt"
Indices = npt.NDArray[np.intp]


Row = TypeVar("Row")


def rounds(
    history: list[Row],
    over: Callable[[], bool],
    one: Callable[[int], tuple[Row, float]],
    keep: Callable[[], object],
    advice: str = "a lower learning rate",
) -> None:
    """Epochs until it is `over`: `one` more, from the number in `history` on, then `keep` it.

    one    : trains the epoch of this number (from 0); what history tells of it, and its loss
    advice : what to try where the loss is no longer finite, which raises ValueError
    """
    while not over():
        epoch = len(history)
        row, loss = one(epoch)
        if not np.isfinite(loss):
            raise ValueError(
                f"training went astray in epoch {epoch + 1}: the loss is {loss}; try {advice}"
            )
        history.append(row)
        keep()


def learn(
    net: Any,
    losses: Iterable[tuple[Any, int]],
    step: Callable[[Any], object],
    progress: Callable[[int, float], object] | None = None,
) -> float:
    """One epoch: a step for each of `losses`; the mean loss of its examples.

    losses   : yields a loss, and of how many examples it is the mean; computed when asked for, as
               the net then stands
    step     : see :func:`step`
    progress : called after each step with how many there were, and the mean loss so far
    """
    net.train()
    total, count = 0.0, 0
    for number, (loss, size) in enumerate(losses, 1):
        step(loss)
        total = total + loss.detach().double() * size  # on the device, without waiting for it
        count += size
        if progress is not None:
            progress(number, float(total) / count)
    return float(total) / count


def step(optimizer: Any, loss: Any, scaler: Any = None) -> None:
    """One step of the optimizer down a loss; scaler : torch's GradScaler, for half precision."""
    optimizer.zero_grad(set_to_none=True)
    if scaler is None:
        loss.backward()
        optimizer.step()
    else:
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()


def averaged(net: Any, decay: float) -> Any:
    """The net with an exponential moving average of its weights, and of its batch norms' figures.

    At first it forgets faster than `decay` says, so that the first weights do not linger.
    """

    def mean(old: Any, new: Any, count: Any) -> Any:
        if not old.is_floating_point():
            return new
        return torch.lerp(old, new, max(1 - decay, 9 / (10 + float(count))))

    return torch.optim.swa_utils.AveragedModel(net, avg_fn=mean, use_buffers=True)


def fit(
    net: Any,
    optimizer: Any,
    loss_of: Callable[[Indices, int], Any],
    count: int,
    folder: Path | None,
    about: Mapping[str, Any],
    *,
    epochs: int,
    batch: int,
    seed: int = 0,
    rate: Callable[[int], float] | None = None,
    progress: Callback | None = None,
) -> list[float]:
    """Train, and return the mean loss of each epoch.

    loss_of  : the loss of the examples of these indices in this epoch (from 0), on which
               backward() is called
    folder   : of the run; None: nothing is kept, for nets that are trained in seconds
    about    : what tells one run from another, plain values: a folder of another run is refused;
               more epochs of the same run go on from where it stands
    rate     : the learning rate of an epoch (from 0); None: the optimizer's own
    progress : called as progress(done, epochs, what) after each epoch, what being its loss
    Order and dropout are drawn from seed and epoch alone. Raises ValueError where the loss is no
    longer finite.
    """
    epochs = arrays.integer(epochs, "epochs", at_least=1)
    batch = arrays.integer(batch, "batch", at_least=1)
    about = {**about, "batch": batch, "seed": seed, "count": count}
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with files.locked(folder) if folder is not None else nullcontext():
        parts = {"state": net, "optimizer": optimizer}
        history = [] if folder is None else resumed(folder, about, parts)

        def losses(order: Indices, epoch: int) -> Iterator[tuple[Any, int]]:
            for start in range(0, count, batch):
                chosen = order[start : start + batch]
                yield loss_of(chosen, epoch), len(chosen)

        def one(epoch: int) -> tuple[float, float]:
            random = np.random.Generator(np.random.Philox(key=np.array([seed, epoch], np.uint64)))
            order = random.permutation(count)
            if rate is not None:
                for group in optimizer.param_groups:
                    group["lr"] = rate(epoch)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(int(random.integers(2**62)))
                loss = learn(net, losses(order, epoch), lambda loss: step(optimizer, loss))
            return loss, loss

        def kept() -> None:
            if folder is not None:
                keep(folder, about, parts, history)
            if progress is not None:
                progress(len(history), epochs, f"loss {history[-1]:.4g}")

        rounds(history, lambda: len(history) >= epochs, one, kept)
    net.eval()
    return history


def resumed(folder: Path, about: Mapping[str, Any], parts: Mapping[str, Any]) -> list[float]:
    """Take up what `keep` left after the last whole epoch; its history, empty where there is none.

    about : as of :func:`fit`
    parts : by name, what has `state_dict` and `load_state_dict`: the net, the optimizer
    """
    last = folder / LAST
    if not last.exists():
        return []
    content = checkpoints.read(last)
    if content.get("about") != about:
        raise ValueError(f"{folder} holds another run: choose another folder")
    for name, part in parts.items():
        part.load_state_dict(content[name])
    return list(content["history"])


def keep(
    folder: Path, about: Mapping[str, Any], parts: Mapping[str, Any], history: list[float]
) -> None:
    """Write last.pt, whole or not at all, for `resumed`."""
    states = {name: part.state_dict() for name, part in parts.items()}
    checkpoints.save(folder / LAST, {"about": dict(about), "history": history, **states})
