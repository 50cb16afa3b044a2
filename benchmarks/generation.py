"""The main job, phantoms to a store, against its solves alone; and what an import costs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import count as numbers
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import plots
from benchmarks.problem import disc, ours, phantoms
from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds

BLOCK = 256  # maps that the solves alone use again and again: the values do not change the time

HEADER = [
    "phantoms",
    "generate, s",
    "solves alone, s",
    "generate / solves",
    "phantoms / s",
    "peak memory, MiB",
    "store, MiB",
]

PEAK = """
import sys
from pathlib import Path
import lesionkit
from lesionkit.optics import PhantomRecipe, generate
lesionkit.threads(int(sys.argv[3]))
generate(PhantomRecipe(), int(sys.argv[1]), out=sys.argv[2], seed=0, device="cpu")
# not ru_maxrss: a child process starts with its parent's
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) / 1024)
"""


def generation(report: Report) -> None:
    """Pairs of `generate`, store included, and the same number of solves; peak memory and size."""
    from lesionkit.optics import PhantomRecipe, generate

    recipe = PhantomRecipe()
    work = disc(recipe.nodes)
    models = [ours(work, float(depth)) for depth in recipe.source_depths]
    maps = phantoms(work, BLOCK)

    def solves(phantom_count: int) -> None:
        for start in range(0, phantom_count, BLOCK):
            part = slice(min(BLOCK, phantom_count - start))
            for model in models:
                model.measure(maps[0][part], maps[1][part], at="elements")

    rows, points = [], {}
    for phantom_count in [32, 128] if report.quick else [500, 2000, 20_000]:
        with tempfile.TemporaryDirectory(dir=report.out) as folder:
            paths = (Path(folder) / f"{number}.zarr" for number in numbers())
            made: list[Any] = []
            jobs: dict[str, Callable[[], Any]] = {
                "whole": lambda n=phantom_count, made=made, paths=paths: made.append(
                    generate(recipe, n, out=next(paths), seed=0, device="cpu")
                ),
                "solves": partial(solves, phantom_count),
            }
            contenders = {
                name: Contender(job, threads=report.threads) for name, job in jobs.items()
            }
            times = rounds(contenders, min(report.pairs, 5))
            stages = made[-1].seconds
            size = _size(Path(folder) / "0.zarr")
            memory = _peak(phantom_count, Path(folder) / "peak.zarr", report.threads)
        whole, alone = (float(np.median(times[name])) for name in ("whole", "solves"))
        points[phantom_count] = (whole, alone, memory)
        rows.append(
            [
                f"{phantom_count:,}",
                f"{whole:.2f}",
                f"{alone:.2f}",
                str(ratio(times["whole"], times["solves"])),
                f"{phantom_count / whole:,.0f}",
                f"{memory:.0f}",
                f"{size / 2**20:.1f}",
            ]
        )
    report.table(
        f"generate, {recipe.nodes} nodes, {len(recipe.wavelengths)} wavelengths, "
        f"{report.threads} threads",
        HEADER,
        rows,
        f"Medians of {min(report.pairs, 5)} pairs. The solves alone read from maps that lie ready "
        "in memory, with plans already made, and keep nothing. Peak memory: of a process of its "
        "own, imports included. "
        f"Stages of the last run of {phantom_count:,}, in s, some of them side by side: "
        + ", ".join(f"{stage} {spent:.2f}" for stage, spent in stages.items())
        + ".",
    )
    report.figure("generation", plots.generation(points))


def _peak(phantom_count: int, path: Path, threads: int) -> float:
    return float(_python(PEAK, str(phantom_count), str(path), str(threads)))


def _size(store: Path) -> int:
    return sum(file.stat().st_size for file in store.rglob("*") if file.is_file())


def imports(report: Report) -> None:
    """Fresh processes in turn, each timing one import from inside, interpreter start left out."""
    statements = {
        "import numpy": "import numpy",
        "import lesionkit": "import lesionkit",
        "from lesionkit.optics import ForwardModel": "from lesionkit.optics import ForwardModel",
    }
    seconds: dict[str, list[float]] = {name: [] for name in statements}
    for turn in range(-2, 5 if report.quick else 31):
        for name, statement in statements.items():
            clock = f"from time import perf_counter as t; a = t(); {statement}; print(t() - a)"
            spent = float(_python(clock))
            if turn >= 0:
                seconds[name].append(spent)
    times = {name: np.array(spent) for name, spent in seconds.items()}
    rows = [
        [name, f"{np.median(spent) * 1e3:.1f}", str(ratio(spent, times["import numpy"]))]
        for name, spent in times.items()
    ]
    report.table("Import", ["statement", "median, ms", "ratio to numpy"], rows)


def _python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"a process of its own failed:\n{done.stderr}")
    return done.stdout.splitlines()[-1]
