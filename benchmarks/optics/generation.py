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
from benchmarks.optics.problem import phantoms, problem
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
count, out, accuracy = int(sys.argv[1]), sys.argv[2], sys.argv[4]
generate(PhantomRecipe(), count, out=out, seed=0, accuracy=accuracy, device="cpu")
# not ru_maxrss: a child process starts with its parent's
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) / 1024)
"""


def generation(report: Report) -> None:
    """Pairs of `generate`, store included, and the same number of solves; peak memory and size."""
    points: dict[str, dict[int, tuple[float, float, float]]] = {}
    for accuracy in ("fast", "accurate"):
        points[accuracy] = _generation(report, accuracy)
    report.figure("generation", plots.generation(points))


def _generation(report: Report, accuracy: str) -> dict[int, tuple[float, float, float]]:
    from lesionkit.optics import PhantomRecipe, generate

    recipe = PhantomRecipe()
    solves, nodes = _solves(recipe, accuracy)
    rows, points = [], {}
    for phantom_count in [32, 128] if report.quick else [500, 2000, 20_000]:
        with tempfile.TemporaryDirectory(dir=report.out) as folder:
            paths = (Path(folder) / f"{number}.zarr" for number in numbers())
            made: list[Any] = []
            jobs: dict[str, Callable[[], Any]] = {
                "whole": lambda n=phantom_count, made=made, paths=paths: made.append(
                    generate(recipe, n, next(paths), 0, accuracy=accuracy, device="cpu")
                ),
                "solves": partial(solves, phantom_count),
            }
            contenders = {
                name: Contender(job, threads=report.threads) for name, job in jobs.items()
            }
            # of the accurate 20,000 three pairs: each takes most of a minute
            pairs = 3 if accuracy == "accurate" and phantom_count > 2000 else min(report.pairs, 5)
            times = rounds(contenders, pairs, warm=0 if pairs == 3 else 1)
            stages = made[-1].seconds
            size = _size(Path(folder) / "0.zarr")
            memory = _peak(phantom_count, Path(folder) / "peak.zarr", report.threads, accuracy)
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
        f"generate, accuracy {accuracy}: {nodes} nodes, {len(recipe.wavelengths)} wavelengths, "
        f"{report.threads} threads",
        HEADER,
        rows,
        f"Medians of {min(report.pairs, 5)} pairs (3 of 20,000 accurate phantoms). The solves "
        "alone read from maps that lie ready in memory, with plans already made, and keep nothing. "
        "Peak memory: of a process of its own, imports included. "
        f"Stages of the last run of {phantom_count:,}, in s, some of them side by side: "
        + ", ".join(f"{stage} {spent:.2f}" for stage, spent in stages.items())
        + ".",
    )
    return points


def _solves(recipe: Any, accuracy: str) -> tuple[Callable[[int], None], int]:
    """The readings of so many phantoms at all wavelengths, nothing else; and the mesh's nodes."""
    from lesionkit.optics import ForwardModel, disc_mesh

    mesh = disc_mesh(nodes=1801 if accuracy == "fast" else None)
    at = "elements" if accuracy == "fast" else "quarters"
    models = [
        ForwardModel(mesh, recipe.positions, recipe.positions, source_depth=float(depth))
        for depth in recipe.source_depths
    ]
    parts = mesh.elements if accuracy == "fast" else mesh.quarters
    maps = phantoms(problem(mesh.nodes, parts, mesh.boundary), BLOCK)

    def solves(phantom_count: int) -> None:
        for start in range(0, phantom_count, BLOCK):
            part = slice(min(BLOCK, phantom_count - start))
            for model in models:
                model.measure(maps[0][part], maps[1][part], at=at)

    return solves, len(mesh.nodes)


def _peak(phantom_count: int, path: Path, threads: int, accuracy: str) -> float:
    return float(_python(PEAK, str(phantom_count), str(path), str(threads), accuracy))


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
