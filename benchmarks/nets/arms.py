"""A fixed set, a stream, and a stream with missing optodes: three ways to the same number of steps.

    python -m benchmarks.nets.arms OUT stream --epochs 200     # trains an arm, or goes on with it
    python -m benchmarks.nets.arms OUT                         # judges the arms that are there

All arms have the same recipe (50 x 50 pixels), options, validation phantoms (0 to 399 of seed 0)
and test phantoms (400 to 599); an epoch is 1,400 phantoms in batches of 16, turned and mirrored at
random. `fixed` learns from the same 1,400 in each epoch, the first of the stream's.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Report
from benchmarks.timing import machine
from lesionkit import files, report
from lesionkit.nets import PhantomStream, TrainingOptions, load, records
from lesionkit.nets.framework import torch
from lesionkit.nets.longer import more_epochs
from lesionkit.nets.phantoms.data import Batch, InMemory, epoch_order
from lesionkit.nets.phantoms.stream import TEST, Streamed
from lesionkit.nets.reconstruction import NETS
from lesionkit.nets.training import Trainer
from lesionkit.optics import PhantomRecipe
from lesionkit.optics.phantoms.store.phantoms import Phantoms
from lesionkit.studies.nirst.evaluation import CHROMOPHORES as MAPS

STREAM = PhantomStream(recipe=PhantomRecipe(pixels=50))
CPU = torch.device("cpu")
ARMS = {"fixed": 0.0, "stream": 0.0, "missing": 0.6}
HALF = tuple(range(0, 16, 2))


class Fixed(Streamed):
    """The first epoch of a stream, again and again in another order."""

    def __init__(self, stream: PhantomStream) -> None:
        super().__init__(stream)
        self.record["stream"]["fixed"] = True

    def source(self, scaling: Any, device: Any, workers: int) -> Any:
        made = super().source(scaling, device, workers)
        first, stop = self.split.training
        phantoms = self.stream.make(first, stop - first)
        kept = InMemory(phantoms, 0, stop - first, scaling, device)

        class Both:
            def batches(self, orders: Sequence[Any]) -> Iterator[Batch]:
                if orders[0][0] < first:
                    return made.batches(orders)
                return kept.batches([order - first for order in orders])

        return Both()

    def orders(self, batch: int, seed: int, epoch: int) -> list[Any]:
        return epoch_order(*self.split.training, batch, seed, epoch)


def train(out: Path, net: str, arm: str, seed: int, epochs: int) -> None:
    options = TrainingOptions(
        epochs=epochs,
        batch=16,
        learning_rate=0.001,
        augment=True,
        average=0.998,
        missing=ARMS[arm],
        patience=10**6,
        seed=seed,
    )
    data = (Fixed if arm == "fixed" else Streamed)(STREAM)
    folder = out / f"{net}-{arm}-{seed}"
    files.make_folder(out)
    job = records.job(net, data.record, options.to_dict(), asdict(data.split), CPU)
    more_epochs(folder, options)
    record = records.find(folder, job, data.described)
    if record["state"] == "running":
        with files.working_in(folder):
            trainer = Trainer(folder, record, data, options, CPU)
            trainer.run(data.source(trainer.scaling, CPU, 0), None)


def judge(out: Path) -> None:
    """Tables and curves of the arms that are there."""
    told = Report(out)
    told.say(f"# Three ways to the same number of steps\n\n{machine()}")
    runs = sorted(folder for folder in out.iterdir() if (folder / records.RUN).is_file())
    phantoms = STREAM.make(TEST[0], TEST[1] - TEST[0])
    found = {run.name: Errors(run, phantoms) for run in runs}
    told.table(
        f"Errors over the disc of {len(phantoms)} unseen phantoms",
        ["run", "epochs", *(f"MSE {name}" for name in MAPS), *(f"PSNR {name}" for name in MAPS)],
        [
            [
                name,
                str(arm.epochs),
                *(f"{v:.3g}" for v in arm.mse.mean(0)),
                *(f"{v:.1f}" for v in arm.psnr.mean(0)),
            ]
            for name, arm in found.items()
        ],
    )
    told.table(
        "Beside `fixed` of the same net and seed: difference of MSE in per cent of fixed's",
        ["run", *MAPS],
        [
            [name, *(difference(found[fixed].mse[:, i], arm.mse[:, i]) for i in range(len(MAPS)))]
            for name, arm in found.items()
            if (fixed := re.sub(r"-(stream|missing)-", "-fixed-", name)) != name and fixed in found
        ],
        "Means over phantoms, and 95 % of 10,000 bootstrap samples of phantoms.",
    )
    told.table(
        "8 of 16 optodes: MSE, and times that with all",
        ["run", *MAPS],
        [
            [
                name,
                *(
                    f"{half:.3g} ({half / whole:.2f}x)"
                    for half, whole in zip(arm.half.mean(0), arm.mse.mean(0), strict=True)
                ),
            ]
            for name, arm in found.items()
            if arm.half is not None
        ],
    )
    report.save(curves(runs), out / "arms.png")


class Errors:
    """Of the kept net of a run."""

    def __init__(self, run: Path, phantoms: Phantoms) -> None:
        net, truth, inside = load(run), phantoms.chromophores[:], STREAM.recipe.inside

        def mse(missing: Sequence[int]) -> Any:
            maps = net.reconstruct(
                phantoms.signal, STREAM.recipe, mri=phantoms.mri, missing=missing
            )
            return ((maps - truth)[..., inside].astype(float) ** 2).mean(-1)

        self.epochs = len(records.read(run)["history"])
        self.mse = mse(())
        self.psnr = 10 * np.log10(truth.max(axis=(2, 3)) ** 2 / self.mse)
        self.half = mse(HALF) if net.net.masked else None


def difference(fixed: Any, other: Any) -> str:
    random = np.random.default_rng(0)
    samples = random.integers(len(fixed), size=(10_000, len(fixed)))
    change = 100 * (other[samples].mean(1) / fixed[samples].mean(1) - 1)
    low, high = np.percentile(change, [2.5, 97.5])
    return f"{100 * (other.mean() / fixed.mean() - 1):+.1f} ({low:+.1f} to {high:+.1f})"


def curves(runs: Sequence[Path]) -> Any:
    figure = report.new_figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for number, run in enumerate(runs):
        history = records.read(run)["history"]
        epochs = [row["epoch"] for row in history]
        for name, line in (("training", ":"), ("validation", "-")):
            label = run.name if name == "validation" else None
            values = [row[name] for row in history]
            axes.loglog(epochs, values, line, color=f"C{number}", label=label)
    axes.set(xlabel="epoch (1,400 phantoms)", ylabel="mean square error of scaled maps")
    axes.set_title("Validation, and dotted the training as it went")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("arm", nargs="?", choices=ARMS)
    parser.add_argument("--net", default="linear-unet", choices=NETS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=200)
    options = parser.parse_args()
    if options.arm is None:
        judge(options.out)
    else:
        torch.set_num_threads(1)
        train(options.out, options.net, options.arm, options.seed, options.epochs)


if __name__ == "__main__":
    main()
