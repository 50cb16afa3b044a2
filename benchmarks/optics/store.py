"""Reading a store: what its checksums cost, and zarr-python beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds


def reading(report: Report) -> None:
    import zarr

    from lesionkit.nets import PhantomDataset, Scaling
    from lesionkit.nets.phantoms.data import epoch_order
    from lesionkit.optics import PhantomRecipe, generate, open_phantoms
    from lesionkit.optics.phantoms.store.layout import CHUNK, layouts
    from lesionkit.optics.phantoms.store.reader import StoredArray

    count = 256 if report.quick else 5_000
    recipe = PhantomRecipe(nodes=900)  # how right readings are changes neither size nor time
    with tempfile.TemporaryDirectory(dir=report.out) as folder:
        path = Path(folder) / "phantoms.zarr"
        phantoms = generate(recipe, count, path, device="cpu")
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        group = zarr.open_group(path, mode="r")
        shapes = layouts(recipe).items()
        plain = {name: StoredArray(path / name, layout, count, None) for name, layout in shapes}
        dataset = PhantomDataset(path, Scaling.of(phantoms.read("signal", 0, 64), recipe, "fast"))
        orders = epoch_order(0, count, 16, 0, 0)

        def through(arrays: Callable[[str], Any]) -> Callable[[], float]:
            def run() -> float:
                total = 0.0
                for name, _ in shapes:
                    for first in range(0, count, CHUNK):
                        total += float(arrays(name)[first : first + CHUNK].flat[0])
                return total

            return run

        def epoch() -> int:
            dataset._forget()
            return sum(len(dataset[int(index)]) for order in orders for index in order)

        runs = {
            "checked": through(lambda name: getattr(open_phantoms(path), name)),
            "not checked": through(plain.__getitem__),
            "zarr": through(group.__getitem__),
        }
        assert len({run() for run in runs.values()}) == 1
        jobs = {name: Contender(run, count, report.threads) for name, run in runs.items()}
        seconds = rounds(jobs, min(report.pairs, 5))
        items = rounds({"epoch": Contender(epoch, count, report.threads)}, 1, warm=0)
    rows = [
        [
            title,
            f"{1e6 * np.median(seconds[name]):.3g}",
            str(ratio(seconds[name], seconds["not checked"])),
        ]
        for title, name in (
            ("`open_phantoms`, every byte checked", "checked"),
            ("the same without checksums", "not checked"),
            ("zarr-python, its CRC-32C checked", "zarr"),
        )
    ]
    report.table(
        f"Reading a store of {count:,} phantoms, {size / 2**20:.0f} MiB, by chunks",
        ["", "microseconds a phantom", "times as long as without checksums"],
        rows,
        "`PhantomDataset` in the order of an epoch, scaling included, takes "
        f"{1e6 * items['epoch'][0]:.3g} microseconds a phantom.",
    )
