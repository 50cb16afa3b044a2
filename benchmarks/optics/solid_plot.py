"""The picture of docs/light-3d.md: error beside time, and time beside the number of nodes.

python -m benchmarks.optics.solid_plot docs/light-3d-speed.png

One map of the ball of 41 mm, mua 0.01 and mus' 1.0 mm^-1, 32 sources and 32 detectors: CPU time of
one thread. redbirdpy and PARDISO (pypardiso) are drawn where they are installed.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import sparse

import lesionkit
from benchmarks.optics.solid import (
    NEAREST,
    RADIUS,
    SOURCE_DEPTH,
    TISSUES,
    _pardiso,
    _redbird,
    directions,
)
from lesionkit.optics import ForwardModel, ball_mesh
from reference.optics_solid import sphere_series

LAYERS = {1: (8, 12, 18, 23), 2: (4, 6, 8, 10, 12)}
PEERS_UP_TO = 20_000  # nodes: beyond, they take long
PAIRS = 3


def measure() -> dict[str, list[tuple[int, float, float]]]:
    """For each contender and mesh: nodes, ms, and the 95th percentile of the error."""
    mua, mus = TISSUES["P1"]
    sources, detectors = directions(32, 1), directions(32, 2)
    angles = np.arccos(np.clip(sources @ detectors.T, -1, 1))
    truth = sphere_series(RADIUS, mua, mus, RADIUS - SOURCE_DEPTH, angles)
    far = angles > NEAREST
    found: defaultdict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for order, sizes in LAYERS.items():
        for layers in sizes:
            mesh = ball_mesh(RADIUS, layers, order)
            ones = np.ones(len(mesh.nodes))
            model = ForwardModel(
                mesh, RADIUS * sources, RADIUS * detectors, source_depth=SOURCE_DEPTH, accuracy=1e-4
            )
            model.measure(mua * ones, mus * ones)  # plan and hierarchy are made
            kind = "linear" if order == 1 else "quadratic"
            maps = mua * ones, mus * ones
            runs: dict[str, Callable[[], Any]] = {
                f"lesionkit, {kind}": partial(model.measure, *maps)
            }
            if len(mesh.nodes) < PEERS_UP_TO:
                if order == 1 and importlib.util.find_spec("redbirdpy"):
                    runs["redbirdpy, linear"] = partial(
                        _redbird, model, mua, mus, sources, detectors
                    )
                if importlib.util.find_spec("pypardiso"):
                    right = sparse.vstack([model.source_weights, model.detector_weights])
                    solve = _pardiso(model.plans.at("nodes").matrix(*maps), right.toarray().T)
                    runs[f"PARDISO, {kind}"] = partial(_read, model.detector_weights, solve)
            spent: defaultdict[str, list[float]] = defaultdict(list)
            for _ in range(PAIRS):
                for name, run in runs.items():
                    begin = time.process_time()
                    readings = run()
                    spent[name].append(time.process_time() - begin)
                    error = np.quantile(np.abs(readings / truth - 1)[far], 0.95)
                    if len(spent[name]) == PAIRS:
                        taken = 1e3 * float(np.median(spent[name]))
                        found[name].append((len(mesh.nodes), taken, float(error)))
    return found


def _read(weights: sparse.csr_array, solve: Callable[[], Any]) -> Any:
    return (weights @ solve()[:, :32]).T


def picture(found: dict[str, list[tuple[int, float, float]]]) -> Figure:
    """Left: error against time. Right: time against nodes, with the power of its growth."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, points in found.items():
        nodes, ms, error = np.array(points).T
        ours = name.startswith("lesionkit")
        colour = "C0" if "linear" in name else "C3"
        style = {"color": colour if not name.startswith("redbird") else "C2"}
        style |= {"marker": "o" if ours else "s", "ls": "-" if ours else "--"}
        left.loglog(ms, 100 * error, label=name, **style)
        power = np.polyfit(np.log(nodes), np.log(ms), 1)[0]
        right.loglog(nodes, ms, label=f"{name}: nodes^{power:.2f}", **style)
    left.set(xlabel="CPU time of one map, ms", ylabel="95th percentile of the error, %")
    right.set(xlabel="nodes", ylabel="CPU time of one map, ms")
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=8)
        axes.grid(alpha=0.3, which="both")
    return figure


if __name__ == "__main__":
    lesionkit.threads(1)
    measured = measure()
    for contender, rows in measured.items():
        print(contender, *(f"{n:,} nodes {ms:.0f} ms {error:.2%};" for n, ms, error in rows))
    picture(measured).savefig(sys.argv[1], dpi=90)
