"""`train`: a net learns from a store of phantoms, after Feng et al. (2022). It may be interrupted.

The folder of a run holds

    run.json    everything needed to repeat it: options, data, split, versions, history
    weights.pt  the net of the epoch that was best on the validation phantoms, with its scaling
    last.pt     net and optimizer after the last whole epoch, from where it is resumed
    curves.png  the loss of each epoch; card.md, the model card

Each is written whole or not at all. The loss is the mean square error of scaled maps over the
pixels of the disc.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import arrays, files
from lesionkit.nets import checkpoints, fitting, records
from lesionkit.nets.fitting import LAST
from lesionkit.nets.framework import find_device, torch
from lesionkit.nets.layers import CHANNELS_LAST, parameter_count
from lesionkit.nets.linear_unet import LinearUNet
from lesionkit.nets.options import TrainingOptions
from lesionkit.nets.phantoms import missing
from lesionkit.nets.phantoms.augmentation import SYMMETRIES, symmetries, turned
from lesionkit.nets.phantoms.data import Batch, Source, Stored, TrainingData, in_batches
from lesionkit.nets.phantoms.scaling import Scaling
from lesionkit.nets.phantoms.stream import PhantomStream, Streamed
from lesionkit.nets.reconstruction import NETS, WEIGHTS, build, check_axes

Progress = Callable[[int, int, int, float], object]

ONE_PIXEL = {"ynet": 64, "linear-unet": 32}
"""A map of fewer pixels is a single one at the bottom of the net."""

FITTED = 8192
"""Phantoms at most that a linear estimate is fitted to."""


def train(
    net: str,
    data: str | os.PathLike[str] | PhantomStream,
    out: str | os.PathLike[str],
    options: TrainingOptions | None = None,
    *,
    device: str = "auto",
    workers: int = 2,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train a net on a store or a stream of phantoms, or go on with the training at `out`.

    Parameters
    ----------
    net : {"znet", "ynet", "linear-unet", "znet-no-mri", "znet3d"}
        Which net; znet3d for phantoms in three dimensions, the others for two.
    data : str, path or PhantomStream
        Of a store made by `lesionkit.optics.generate`; or a stream, whose phantoms are made while
        the net learns, each of them once.
    out : str or path
        Folder of the run; the same call resumes it after its last whole epoch. On the CPU the
        weights are then, bit for bit, those of a run that was never interrupted.
    options : TrainingOptions, optional
        None: the defaults.
    device : str, default "auto"
        "auto" (a GPU if torch has one), "cpu", "cuda", "cuda:1", ...
    workers : int, default 2
        Processes that read the store where it does not fit into memory.
    progress : callable, optional
        Called as progress(epoch, batches done, batches, loss) after every batch.

    Returns
    -------
    dict
        What run.json holds.

    Raises
    ------
    TypeError, ValueError
        Before any work, for anything else, for a store of another version or with NaN in it, and
        for an `out` that holds another run or that another process trains in.
    OSError
        Where it cannot be written.

    Examples
    --------
    >>> from lesionkit import nets
    >>> options = nets.TrainingOptions(epochs=50, batch=16)
    >>> run = nets.train("znet", "phantoms.zarr", "runs/znet", options)  # doctest: +SKIP
    """
    options = TrainingOptions() if options is None else options
    if not isinstance(options, TrainingOptions):
        raise TypeError(f"options must be TrainingOptions, got {arrays.describe(options)}")
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be None or a function, got {arrays.describe(progress)}")
    net = arrays.one_of(net, "net", tuple(NETS))
    workers = arrays.integer(workers, "workers", at_least=0, at_most=1024)
    place = find_device(device)
    given: TrainingData = Streamed(data) if isinstance(data, PhantomStream) else Stored(Path(data))
    check_axes(net, given.recipe)
    if options.augment and (given.recipe.outline is not None or given.recipe.solid):
        raise ValueError(
            f"augment needs a disc, which is symmetric, got {given.recipe.outline_text}"
        )
    if options.augment and symmetries(given.recipe) == 1:
        raise ValueError(
            f"augment needs a multiple of 4 optodes, got data with {given.recipe.optodes}"
        )
    first, stop = given.split.training
    least = min(map(len, in_batches(np.arange(first, stop), options.batch)))
    if least == 1 and given.recipe.pixels < ONE_PIXEL.get(net, 0):
        raise ValueError(
            f"batch must leave no phantom by itself where {net} has fewer than {ONE_PIXEL[net]} "
            f"pixels, for its batch norm; got {options.batch} for {stop - first} phantoms"
        )
    folder = Path(out)
    job = records.job(net, given.record, options.to_dict(), asdict(given.split), place)
    record = records.find(folder, job, given.described)
    if record["state"] == "running":
        with files.working_in(folder):
            record = records.find(folder, job, given.described)  # another may have finished it
            if record["state"] == "running":
                trainer = Trainer(folder, record, given, options, place)
                trainer.run(given.source(trainer.scaling, place, workers), progress)
                return trainer.record
    if not (folder / WEIGHTS).is_file():
        raise ValueError(f"{folder} holds a {record['state']} run, but its {WEIGHTS} is gone")
    return record


class Trainer:
    """A run at work: the net, its optimizer, and where they stand."""

    def __init__(
        self,
        folder: Path,
        record: dict[str, Any],
        data: TrainingData,
        options: TrainingOptions,
        device: Any,
    ) -> None:
        self.folder, self.record, self.data = folder, record, data
        self.options, self.device = options, device
        content = self._left(folder / LAST)
        if content is None:
            self.scaling = Scaling.of(data.signals(), data.recipe, data.accuracy)
        else:
            self.scaling = Scaling.from_state(content["scaling"])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            net = build(record["net"], data.recipe, masked=options.missing > 0)
        self.net = net.to(device, memory_format=CHANNELS_LAST[net.axes])
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=options.learning_rate)
        mixed = options.precision == "mixed"
        if options.precision == "auto":
            mixed = device.type == "cuda"
        half = device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
        self.cast = torch.float16 if half else torch.bfloat16
        self.mixed = mixed
        self.scaler = torch.amp.GradScaler(device.type, enabled=mixed and half)
        self.inside = torch.from_numpy(data.recipe.inside).to(device)
        self.mixing = torch.from_numpy(self.scaling.mixing).to(device)
        self.unmixing = torch.linalg.inv(self.mixing.double()).float()
        if content is not None:
            self.net.load_state_dict(content["state"])
            self.optimizer.load_state_dict(content["optimizer"])
            self.scaler.load_state_dict(content["scaler"])
            self.record["history"] = content["history"]
            self._judge()  # it may have died between last.pt and run.json
        elif isinstance(self.net, LinearUNet):
            some = data.first(self.scaling, FITTED)
            moved = (Batch(*(part.to(device) for part in batch)) for batch in some)
            self.net.estimate.fit(moved, symmetries(data.recipe), self.mixing)
        self.average = fitting.averaged(self.net, options.average) if options.average else None
        if content is not None and self.average is not None:
            self.average.load_state_dict(content["average"])

    def _left(self, last: Path) -> dict[str, Any] | None:
        """What the last whole epoch left; None before the first. Another run's, or none where
        run.json tells of epochs, would go on with weights that the history does not tell of."""
        done = len(self.record.get("history", []))
        if not last.exists():
            if done:
                raise ValueError(
                    f"{last} is missing, from which {done} epochs go on: choose another folder"
                )
            return None
        content = checkpoints.read(last)
        try:
            report = {"net": content["net"], **content["about"]}
            own = all(report[name] == self.record[name] for name in records.COMPARED)
            own &= content["history"][:done] == self.record["history"]
        except (KeyError, TypeError):
            own = False
        if not own:
            raise ValueError(f"{last} is of another run than run.json beside it")
        return content

    def run(self, source: Source, progress: Progress | None) -> None:
        self.record["parameters"] = parameter_count(self.net)
        records.write(self.folder, self.record)

        def one(epoch: int) -> tuple[dict[str, Any], float]:
            start = time.perf_counter()
            training = self._learn(source, epoch, progress)
            validation = self._validate(source)
            row = {
                "epoch": epoch + 1,
                "training": training,
                "validation": validation,
                "seconds": round(time.perf_counter() - start, 3),
            }
            return row, validation

        fitting.rounds(
            self.record["history"],
            lambda: bool(self.record["state"] != "running"),
            one,
            self._keep,
            f"a learning_rate below {self.options.learning_rate:g}",
        )

    def _keep(self) -> None:
        """Write the net if it is the best so far, what a resume needs, and the record."""
        history = self.record["history"]
        self._judge()
        if self.record["best"]["epoch"] == len(history):
            checkpoints.save(self.folder / WEIGHTS, self._content(self.judged))
        average = {} if self.average is None else {"average": self.average.state_dict()}
        checkpoints.save(
            self.folder / LAST,
            {
                **self._content(self.net),
                **average,
                "optimizer": self.optimizer.state_dict(),
                "scaler": self.scaler.state_dict(),
                "history": history,
            },
        )
        records.write(self.folder, self.record)

    def _judge(self) -> None:
        """Which epoch was the best, and whether it is over, by the history."""
        history, options = self.record["history"], self.options
        best = min(history, key=lambda row: row["validation"])
        self.record["best"] = {name: best[name] for name in ("epoch", "validation")}
        if len(history) >= options.epochs:
            self.record["state"] = "finished"
        elif len(history) - best["epoch"] >= options.patience:
            self.record["state"] = "stopped early"

    @property
    def judged(self) -> Any:
        """The net that is judged and kept."""
        return self.net if self.average is None else self.average.module

    def _content(self, net: Any) -> dict[str, Any]:
        about = {name: self.record[name] for name in ("data", "options", "split", "environment")}
        return {
            "net": self.record["net"],
            "about": {**about, "epoch": len(self.record["history"])},
            "scaling": self.scaling.state(),
            "state": net.state_dict(),
        }

    def _learn(self, source: Source, epoch: int, progress: Progress | None) -> float:
        """One epoch; the mean loss of its phantoms."""
        options = self.options
        orders = self.data.orders(options.batch, options.seed, epoch)
        random = np.random.Generator(
            np.random.Philox(key=np.array([options.seed, 2**63 + epoch], np.uint64))
        )
        symmetries = random.integers(SYMMETRIES, size=len(orders)) * options.augment

        def losses() -> Iterator[tuple[Any, int]]:
            for number, batch in enumerate(source.batches(orders)):
                if options.schedule == "cosine":
                    fraction = (epoch + number / len(orders)) / options.epochs
                    rate = options.learning_rate * (1 + np.cos(np.pi * fraction)) / 2
                    self.optimizer.param_groups[0]["lr"] = float(rate)
                some = turned(batch, int(symmetries[number]))
                if options.missing and random.random() < options.missing:
                    yield self._loss(*self._without_some(some, random)), len(batch.maps)
                else:
                    yield self._loss(some), len(batch.maps)

        def report(number: int, loss: float) -> None:
            assert progress is not None
            progress(epoch + 1, number, len(orders), loss)

        return fitting.learn(self.net, losses(), self._step, report if progress else None)

    def step(self, batch: Batch) -> Any:
        """One step of the optimizer; the loss, on the device."""
        loss = self._loss(batch)
        self._step(loss)
        return loss.detach()

    def _step(self, loss: Any) -> None:
        fitting.step(self.optimizer, loss, self.scaler)
        if self.average is not None:
            self.average.update_parameters(self.net)

    def _without_some(self, batch: Batch, random: np.random.Generator) -> tuple[Batch, Any]:
        """The batch without readings drawn at random, and which of them are there."""
        count, wavelengths, optodes, _ = batch.signals.shape
        there = (
            missing.drawn(random, wavelengths, optodes).to(self.device).expand(count, -1, -1, -1)
        )
        values = torch.einsum("vw,nwsj->nvsj", self.unmixing, batch.signals)
        values = missing.filled(values, there)
        return batch._replace(signals=torch.einsum("vw,nwsj->nvsj", self.mixing, values)), there

    def _loss(self, batch: Batch, there: Any = None, net: Any = None) -> Any:
        signals, mri = (
            part.contiguous(memory_format=CHANNELS_LAST[part.dim() - 2]) for part in batch[:2]
        )
        with torch.autocast(self.device.type, self.cast, enabled=self.mixed):
            maps = (net or self.net)(signals, mri, there)
        error = (maps.float() - batch.maps) * self.inside
        return error.square().sum() / (self.inside.sum() * maps.shape[0] * maps.shape[1])

    def _validate(self, source: Source) -> float:
        orders = in_batches(np.arange(*self.data.split.validation), self.options.batch)
        net = self.judged.eval()
        total = torch.zeros((), device=self.device)
        with torch.inference_mode():
            for batch in source.batches(orders):
                total += self._loss(batch, net=net) * len(batch.maps)
        first, stop = self.data.split.validation
        return float(total) / (stop - first)
