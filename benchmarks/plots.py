"""The pictures: time against size and threads, error against time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

Curves = Mapping[str, Sequence[tuple[float, float]]]


def scaling(curves: Curves) -> Figure:
    """Left: ms per system against nodes, everybody. Right: our gain by threads at each size."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    for name, points in curves.items():
        ours = name.startswith("ours")
        left.plot(*zip(*points, strict=True), "o-" if ours else "s--", label=name)
    _log_log(left, "nodes of the mesh", "time per system, ms")
    left.legend(frameon=False)
    left.set_title("16 x 16 readings, assembly included")

    own = {
        int(re.findall(r"\d+", name)[0]): dict(p) for name, p in curves.items() if "ours" in name
    }
    for nodes in own[1]:
        gains = [own[1][nodes] / own[count][nodes] for count in own]
        right.plot(list(own), gains, "o-", label=f"{nodes:,} nodes")
    right.plot(list(own), list(own), "k:", label="ideal")
    right.set(xlabel="threads", ylabel="times as fast as with 1 thread", title="Ours")
    right.set_xticks(list(own))
    right.legend(frameon=False)
    right.grid(alpha=0.3)
    return figure


def precision(curves: Curves) -> Figure:
    """Largest relative error of the readings against ms per system; each point is a mesh."""
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    colours: dict[str, str] = {}
    for name, points in curves.items():
        who, what = name.split(": ")
        colour = colours.setdefault(what, f"C{len(colours)}")
        axes.plot(
            *zip(*points, strict=True), "o-" if who == "ours" else "s--", c=colour, label=name
        )
    _log_log(axes, "time per system, ms", "largest relative error of a reading")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    axes.set_title("Homogeneous disc against the Bessel series; a point is a mesh")
    return figure


def generation(stages: Mapping[int, tuple[float, float, float]]) -> Figure:
    """Left: seconds of the whole job and of its solves. Right: peak memory. Against phantoms."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    counts = list(stages)
    whole, solves, memory = zip(*stages.values(), strict=True)
    left.plot(counts, whole, "o-", label="generate, store included")
    left.plot(counts, solves, "s--", label="its solves alone")
    _log_log(left, "phantoms", "time, s")
    left.legend(frameon=False)
    right.plot(counts, memory, "o-")
    right.axhline(1024, color="k", ls=":", label="1 GiB")
    right.set(xscale="log", xlabel="phantoms", ylabel="peak memory of the process, MiB")
    right.set_ylim(bottom=0)
    right.legend(frameon=False)
    right.grid(alpha=0.3)
    return figure


def _log_log(axes: Axes, x: str, y: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    axes.grid(alpha=0.3, which="both")
