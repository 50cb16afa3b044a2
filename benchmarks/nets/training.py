"""A training step of Z-Net through ours, data path included, beside plain loops over arrays."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds


def training(report: Report) -> None:
    import torch

    from lesionkit.nets import TrainingOptions
    from lesionkit.nets.framework import find_device
    from lesionkit.nets.phantoms.augmentation import turned
    from lesionkit.nets.phantoms.data import Stored
    from lesionkit.nets.training import Trainer
    from lesionkit.optics import PhantomRecipe, generate, open_phantoms

    pixels, batch, steps = (32, 8, 1) if report.quick else (100, 16, 2)
    recipe = PhantomRecipe(nodes=900, pixels=pixels)
    threads = torch.get_num_threads()
    torch.set_num_threads(report.threads)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "phantoms.zarr"
        generate(recipe, 100, store)
        phantoms, data = open_phantoms(store), Stored(store)
        options = TrainingOptions(batch=batch)
        device = find_device("cpu")
        trainer = Trainer(Path(folder) / "run", {"net": "znet"}, data, options, device)
        source = data.source(trainer.scaling, device, 0)
        orders = data.orders(batch, 0, 0)[:steps]

        def ours() -> float:
            trainer.net.train()
            return sum(float(trainer.step(turned(b, 0))) for b in source.batches(orders))

        scaled = trainer.scaling
        arrays = (
            scaled.signals(phantoms.signal[:]),
            scaled.mri(phantoms.mri[:]),
            scaled.targets(phantoms.chromophores[:]),
        )
        plain = _plain(arrays, orders, recipe.inside, channels_last=False)
        same = _plain(arrays, orders, recipe.inside, channels_last=True)
        first = [contender() for contender in (ours, plain, same)]
        # The first loss is of the same weights and phantoms: float32 sums in another order.
        np.testing.assert_allclose(first, first[0], rtol=1e-2)
        items = sum(map(len, orders))
        contenders = {
            "ours": Contender(ours, items, report.threads),
            "plain": Contender(plain, items, report.threads),
            "channels last": Contender(same, items, report.threads),
        }
        # rounds() keeps BLAS and OpenMP on one thread for what is not ours; all here are torch's,
        # with the threads set above.
        seconds = rounds(contenders, report.pairs)
    torch.set_num_threads(threads)
    rows = [
        [name, f"{1000 * np.median(seconds[key]):.3g}", str(ratio(seconds[key], seconds["ours"]))]
        for name, key in (
            ("`lesionkit train`: store, order, step", "ours"),
            ("plain torch loop over arrays in memory", "plain"),
            ("the same with channels_last", "channels last"),
        )
    ]
    report.table(
        f"A training step of Z-Net: batch {batch}, {pixels} x {pixels} pixels, float32, "
        f"{report.threads} threads",
        ["", "ms per phantom", "times as long as ours"],
        rows,
        "Forward, backward and Adam; the loss is the same.",
    )


def _plain(
    arrays: tuple[Any, ...], orders: list[Any], inside: Any, channels_last: bool
) -> Callable[[], float]:
    """What one writes without lesionkit."""
    import torch

    from lesionkit.nets import ZNet

    layout = torch.channels_last if channels_last else torch.contiguous_format
    signals, mri, maps = (torch.from_numpy(part) for part in arrays)
    torch.manual_seed(0)
    net = ZNet(signals.shape[1], mri.shape[-1]).to(memory_format=layout)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
    mask = torch.from_numpy(inside)

    def run() -> float:
        total = 0.0
        for order in orders:
            index = torch.from_numpy(order)
            x, y = (part[index].to(memory_format=layout) for part in (signals, mri))
            error = (net(x, y) - maps[index])[..., mask]
            loss = error.square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total

    return run
