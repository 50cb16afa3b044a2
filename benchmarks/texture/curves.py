"""Texture: time against the number of regions, of pixels and of grey levels; and first imports."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from benchmarks.plots import Curves
from benchmarks.report import Report
from benchmarks.texture.ours import ours
from benchmarks.texture.peers import missing, peer
from benchmarks.texture.work import Work, work
from benchmarks.timing import Contender, rounds

MAX_SECONDS = 1.0  # seconds: where one call of a peer takes longer, its curve ends
Sizes = Iterable[tuple[int, Work]]


def curves(report: Report) -> None:
    """One call against size; a peer's curve ends where a call would take long."""
    quick = report.quick
    regions = [400, 800] if quick else [400, 1000, 4000, 10_000, 40_000, 100_000]
    sides = [64, 128] if quick else [64, 128, 256, 512, 1024, 2048]
    depths = [16, 64] if quick else [8, 16, 32, 64, 128, 256]
    volumes = [16, 24] if quick else [32, 48, 64, 96, 128, 192]
    plots = {
        "regions of 10 x 10 pixels (W2)": (
            "W2",
            ["mahotas", "cp_measure", "cp_measure kernel"],
            ((n, work("W2", n)) for n in regions),
        ),
        "grey levels, 400 regions (W2)": (
            "W2",
            ["mahotas", "cp_measure kernel"],
            ((n, work("W2", regions[0], n)) for n in depths),
        ),
        "pixels, 256 levels (W1)": (
            "W1",
            ["scikit-image", "mahotas"],
            ((n**2, work("W1", n)) for n in sides),
        ),
        "pixels of a map (W3)": (
            "W3",
            ["ITK", "flash-radiomics"],
            ((n**2, work("W3", n)) for n in sides),
        ),
        "voxels of a region (W6)": (
            "W6",
            ["PyRadiomics' five", "flash-radiomics", "pictologics"],
            ((job.items, job) for job in (work("W6", n) for n in volumes)),
        ),
    }
    figure = Figure(figsize=(15, 9), layout="constrained")
    panels = figure.subplots(2, 3).ravel()
    panels[-1].set_axis_off()
    with threadpool_limits(report.threads):
        for axes, (title, (workload, peers, sizes)) in zip(panels, plots.items(), strict=False):
            found = curve(report, workload, peers, sizes)
            table(report, title, found)
            for name, points in found.items():
                axes.plot(*zip(*points, strict=True), "o-" if name == "ours" else "s--", label=name)
            axes.set(xscale="log", yscale="log", xlabel=title, ylabel="time of one call, ms")
            axes.grid(alpha=0.3, which="both")
            axes.legend(frameon=False)
    report.figure("texture-curves", figure)


def curve(report: Report, workload: str, peers: list[str], sizes: Sizes) -> Curves:
    """Milliseconds of each contender at each size."""
    running = [name for name in peers if not missing(workload, name)]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ("ours", *running)}
    for size, job in sizes:
        runs: dict[str, Callable[[], Any]] = {"ours": ours(workload, "", job)}
        runs |= {name: peer(workload, name, job) for name in running}
        contenders = {k: Contender(v, threads=report.threads) for k, v in runs.items()}
        for name, spent in rounds(contenders, min(report.pairs, 5)).items():
            found[name].append((size, float(np.median(spent)) * 1e3))
        running = [name for name in running if found[name][-1][1] < MAX_SECONDS * 1e3]
    return found


def table(report: Report, title: str, found: Curves) -> None:
    sizes = [size for size, _ in found["ours"]]
    rows = []
    for size in sizes:
        times = [dict(points).get(size) for points in found.values()]
        rows.append([f"{size:,}", *("" if t is None else f"{t:.3f}" for t in times)])
    first, last = found["ours"][0], found["ours"][-1]
    grown = f"{last[0] / first[0]:.4g} times the size, {last[1] / first[1]:.4g} times the time"
    report.table(
        f"Time against {title}, ms",
        ["size", *found],
        rows,
        f"Medians of {min(report.pairs, 5)} rounds, {report.threads} threads. Ours: {grown}. A "
        f"peer's curve ends where a call takes more than {MAX_SECONDS:g} s.",
    )


def imports(report: Report) -> None:
    """Import and first call in a process of its own: with no cache of compiled code, and again."""
    names = "feature_maps, graycomatrix, radiomics, roi_features"  # loaded when they are asked for
    works = {
        "lesionkit": f"from lesionkit.texture import {names}",
        "scikit-image": "import skimage.feature; skimage.feature.graycomatrix",
        "mahotas": "import mahotas.features",
        "PyRadiomics": "from radiomics import featureextractor",
        "flash-radiomics": "import flash_radiomics",
        "cp_measure": "import cp_measure.core.numba.measuretexture",
        "pictologics": "import pictologics",
    }
    rows = []
    for name, statement in works.items():
        if report.quick and name == "pictologics":
            report.say("pictologics is left out of a quick run: its first import takes minutes.")
            continue
        with tempfile.TemporaryDirectory() as cache:
            environment = os.environ | {"NUMBA_CACHE_DIR": cache}
            environment.pop("PICTOLOGICS_DISABLE_WARMUP", None)
            spent = []
            for _ in range(2):
                start = time.perf_counter()
                command = [sys.executable, "-c", statement]
                done = subprocess.run(command, env=environment, capture_output=True, check=False)
                spent.append(f"{time.perf_counter() - start:.2f}")
            if done.returncode:
                report.say(f"left out, {name}: {done.stderr.decode().splitlines()[-1]}")
                continue
        rows.append([name, *spent])
    report.table(
        "First import, s",
        ["package", "with nothing compiled", "again"],
        rows,
        "The whole process, interpreter included. cp_measure compiles with its first call.",
    )
