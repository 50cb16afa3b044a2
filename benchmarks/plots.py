"""The pictures: ratios, time against size and threads, error against time."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from benchmarks.report import Ratio

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


def precision(tissues: Mapping[str, Curves], base: float | None) -> Figure:
    """A panel for each tissue: worst relative error against ms per system; a point is a mesh."""
    figure = Figure(figsize=(13, 4.8), layout="constrained")
    panels = figure.subplots(1, len(tissues), sharey=True)
    for axes, (tissue, curves) in zip(panels, tissues.items(), strict=True):
        for name, points in curves.items():
            star = len(points) == 1
            style = "*" if star else "o-" if name.startswith("ours") else "s--"
            size, above = (16, 4) if star else (6, 3)
            axes.plot(*zip(*points, strict=True), style, ms=size, zorder=above, label=name)
        axes.axhline(0.01, color="k", ls=":", lw=1, label="1 %")
        if base is not None:
            label = "CHOLMOD, linear, 1,801 nodes"
            axes.axvline(base, color="C3", ls="-.", lw=1, label=label)
        _log_log(axes, "time per system, ms", "")
        axes.set_title(tissue)
    panels[0].set_ylabel("largest relative error of a reading")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    figure.suptitle("No, one and two inclusions against the series; a point is a mesh")
    return figure


def generation(accuracies: Mapping[str, Mapping[int, tuple[float, float, float]]]) -> Figure:
    """Left: seconds of the whole job and of its solves. Right: peak memory. Against phantoms."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for number, (accuracy, stages) in enumerate(accuracies.items()):
        counts, colour = list(stages), f"C{number}"
        whole, solves, memory = zip(*stages.values(), strict=True)
        left.plot(counts, whole, "o-", c=colour, label=f"generate, {accuracy}, store included")
        left.plot(counts, solves, "s--", c=colour, label="its solves alone")
        right.plot(counts, memory, "o-", c=colour, label=accuracy)
    _log_log(left, "phantoms", "time, s")
    left.legend(frameon=False)
    right.axhline(1024, color="k", ls=":", label="1 GiB")
    right.set(xscale="log", xlabel="phantoms", ylabel="peak memory of the process, MiB")
    right.set_ylim(bottom=0)
    right.legend(frameon=False)
    right.grid(alpha=0.3)
    return figure


def ratios(found: Sequence[Ratio]) -> Figure:
    """A line for each ratio, from the least to the greatest, with its median; grouped by work."""
    works = list(dict.fromkeys(ratio.work for ratio in found))
    figure = Figure(figsize=(9, 0.9 + 0.22 * (len(found) + len(works))), layout="constrained")
    axes = figure.subplots()
    places, names, place = [], [], 0
    for number, work in enumerate(works):
        place -= 1
        short = textwrap.shorten(work, 90, placeholder=" ...")
        axes.text(0, place, short, transform=axes.get_yaxis_transform(), va="center", size=8)
        for ratio in (one for one in found if one.work == work):
            place -= 1
            places.append(place)
            names.append(ratio.row)
            spread, colour = ratio.spread, f"C{number % 10}"
            axes.plot([spread.low, spread.high], [place, place], "-", c=colour, lw=3, alpha=0.4)
            axes.plot(spread.median, place, "o", c=colour, ms=4)
    axes.axvline(1, color="k", lw=1)
    axes.set_yticks(places, names, size=8)
    axes.set(xscale="log", xlabel="times as long as ours", ylim=(place - 1, 0))
    axes.grid(axis="x", alpha=0.3)
    return figure


def _log_log(axes: Axes, x: str, y: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    axes.grid(alpha=0.3, which="both")
