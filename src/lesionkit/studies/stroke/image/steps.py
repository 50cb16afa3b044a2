"""Pictures of the steps on one scan: histograms, co-occurrence, clusters, features.

Noor, thesis, 2020, by its captions: what is drawn is as said there, how it looks is ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from lesionkit import report
from lesionkit.studies.stroke.features import lesion_features
from lesionkit.studies.stroke.histograms import (
    BINS,
    GRID,
    TOP,
    block_histogram,
    histograms_of,
    peak,
)
from lesionkit.studies.stroke.image.scan import Scan
from lesionkit.studies.stroke.methods import clusters, thresholds
from lesionkit.studies.stroke.prepare import BACKGROUND, NORMAL, normal_peak

DRAWN = 150  # of block histograms, at most: those with most of the brain
LESIONS = 200  # of the scatter, at most, the largest


def draw_steps(scan: Scan, stem: str, out: Path) -> list[str]:
    """Draw all pictures of a scan into `out`/figures; their names, below `out`."""
    (out / "figures").mkdir(exist_ok=True)
    made = []
    for name, draw in PICTURES.items():
        file = f"figures/{stem}_{name}.png"
        figure = draw(scan)
        if figure is not None:
            report.save(figure, out / file)
            made.append(file)
    return made


def _preprocessing(scan: Scan) -> Any:
    """The histogram after each step of the preprocessing."""
    gray = np.asarray(scan.images.dwi.values, np.float64)
    gray = gray[np.isfinite(gray)]
    brain = scan.scene.brain
    normal = normal_peak(gray) or 1.0
    scaled = np.clip(NORMAL * gray / normal, 0, 1)
    levels = scan.scene.enhanced[brain]
    inside = (levels**2.5)[levels > 0]  # before the gamma
    figure = report.new_figure(figsize=(12, 3), layout="constrained")
    for axis, (title, values, top) in zip(
        figure.subplots(1, 4),
        (
            ("as stored", gray, float(np.percentile(gray, 99.9)) or 1.0),
            (f"normalised: the brain's peak at {NORMAL:g}", scaled, 0.5),
            (f"background (below {BACKGROUND:g}) removed", inside, 0.5),
            ("enhanced: to the power 0.4", levels, 1.0),
        ),
        strict=True,
    ):
        low = min(0.0, float(values.min(initial=0)))
        axis.hist(np.clip(values, low, top), BINS, range=(low, top), color="0.35")
        axis.set(title=title, xlabel="grey value")
        if values.size:
            axis.set_yscale("log")
        axis.title.set_fontsize(9)
    figure.axes[0].set_ylabel("pixels")
    return figure


def _blocks(scan: Scan) -> Any:
    """Histograms of blocks, the greatest of them at each level, its slope and the thresholds."""
    scene = scan.scene
    found = scene.normal_peak()
    if found is None:
        return None
    plane = scene.planes[_middle(scan)]
    each = histograms_of(plane.levels, plane.brain, GRID, scene.blocks)
    each = each[np.argsort(-each.sum(1), kind="stable")][:DRAWN]
    most = block_histogram(scene.levels, scene.brain, GRID, scene.blocks)
    figure = report.new_figure(figsize=(8, 5.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    level = np.arange(BINS) / (BINS - 1)
    upper.plot(level, each.T, color="0.75", lw=0.5)
    upper.plot(level, most, color="tab:blue", lw=1.5, label="H, the greatest of all blocks")
    smooth = ndimage.gaussian_filter1d(most, 2.0, mode="constant")
    lower.plot(level, np.gradient(smooth), color="tab:blue", label="D, the slope of H")
    what = "8 x 8 blocks" if scene.blocks == "grid" else "blocks of 8 x 8 pixels"
    upper.set(ylabel="pixels", title=f"Histograms of {what}")
    lower.set(ylabel="pixels a level", xlabel="S")
    _thresholds((upper, lower), (found.low, found.level, found.high), BINS)
    return figure


def _cooccurrence(scan: Scan) -> Any:
    """The co-occurrence matrix as contours, and its main diagonal."""
    _, counts = thresholds.pairs(scan.scene)
    section = counts.diagonal()
    found = peak(section, section)
    if found is None:
        return None
    figure = report.new_figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    levels = np.arange(len(section)) / (len(section) - 1)
    steps = np.geomspace(1, max(counts.max(), 10), 12)
    drawn = left.contour(levels, levels, np.maximum(counts, 0.5), steps, cmap="viridis",
                         norm="log")  # fmt: skip
    tens = 10.0 ** np.arange(int(np.log10(max(counts.max(), 10))) + 1)
    figure.colorbar(drawn, ax=left, label="pairs", ticks=tens, format="%.0f")
    left.set(title="Co-occurrence of levels", xlabel="S", ylabel="S of the neighbour", aspect=1)
    right.plot(levels, section, color="tab:blue", label="c, pairs of one level")
    right.set(title="Cross-section: the main diagonal", xlabel="S", ylabel="pairs", yscale="symlog")
    _thresholds((right,), (found.low, found.level, found.high), len(section))
    return figure


def _objective(scan: Scan) -> Any:
    """The objective of fuzzy c-means after each pass."""
    scene = scan.scene
    if np.count_nonzero(np.bincount(scene.levels[scene.brain])) < clusters.CLUSTERS:
        return None
    passes = int(clusters.fuzzy(scene).n_iter_)
    values = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it stops before it has converged
        for count in range(1, passes + 1):
            values.append(float(clusters.fuzzy(scene, count).objective_) / TOP**2)
    figure = report.new_figure(figsize=(6, 4), layout="constrained")
    axis = figure.subplots()
    axis.plot(np.arange(1, passes + 1), values, "o-", color="tab:blue", ms=3)
    axis.set(xlabel="pass", ylabel="objective J", title="Fuzzy c-means, 4 clusters")
    return figure


def _features(scan: Scan) -> Any:
    """Standard deviation and mean boundary of each piece that was found, in its largest slice."""
    figure = report.new_figure(figsize=(6, 4.6), layout="constrained")
    axis = figure.subplots()
    some = False
    for method, mask in scan.shown.items():
        points = pieces_of(scan, mask)
        if points:
            some = True
            axis.scatter(*np.array(points).T, s=16, label=f"{method}, {len(points)}", alpha=0.7)
    if not some:
        return None
    axis.set(xlabel="standard deviation of S", ylabel="mean boundary of S",
             title="Pieces that were found")  # fmt: skip
    axis.legend(fontsize=8)
    return figure


def pieces_of(scan: Scan, mask: Any) -> list[tuple[float, float]]:
    """(std, mean boundary) of the largest pieces, each in its largest slice."""
    planes = mask if scan.is_volume else mask[None]
    levels = scan.scene.enhanced if scan.is_volume else scan.scene.enhanced[None]
    labels, count = ndimage.label(planes, np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    points = []
    for number in np.argsort(-sizes, kind="stable")[:LESIONS] + 1:
        piece = labels == number
        plane = int(piece.sum((1, 2)).argmax())
        found = lesion_features(levels[plane], piece[plane])
        points.append((found.std, found.mean_boundary))
    return points


def _middle(scan: Scan) -> int:
    """The slice with the most of what was found, or of the brain."""
    if not scan.is_volume:
        return 0
    anywhere = np.any(list(scan.masks.values()), axis=0)
    return int((anywhere if anywhere.any() else scan.scene.brain).sum((1, 2)).argmax())


def _thresholds(axes: Any, found: tuple[int, int, int], bins: int) -> None:
    low, level, high = (value / (bins - 1) for value in found)
    for axis in axes:
        axis.axvline(level, color="0.5", ls="--", lw=1, label="the brain's peak")
        axis.axvline(low, color="tab:purple", lw=1, label="threshold of dark lesions")
        axis.axvline(high, color="tab:red", lw=1, label="threshold of bright lesions")
        axis.legend(fontsize=8)


PICTURES: Mapping[str, Callable[[Scan], Any]] = {
    "preprocessing": _preprocessing,
    "blocks": _blocks,
    "cooccurrence": _cooccurrence,
    "objective": _objective,
    "features": _features,
}


def draw_roc_space(points: Mapping[str, list[tuple[float, float]]], path: Path) -> None:
    """Where each method lies in ROC space, on each case with a truth.

    points : of each method (1 - specificity, sensitivity) of its cases
    """
    figure = report.new_figure(figsize=(6.4, 5.4), layout="constrained")
    axis = figure.subplots()
    plain = list(dict.fromkeys(method.removesuffix("-adc") for method in points))
    for method, values in points.items():
        x, y = np.array(values).T
        colour = f"C{plain.index(method.removesuffix('-adc'))}"
        marker = "D" if method.endswith("-adc") else "o"
        axis.scatter(x, y, s=12, alpha=0.3, color=colour, marker=marker, lw=0)
        axis.scatter(x.mean(), y.mean(), s=70, color=colour, marker=marker, edgecolor="black",
                     label=f"{method}, mean of {len(values)}")  # fmt: skip
    right = max([0.02, *(1.1 * x for values in points.values() for x, _ in values)])
    axis.plot([0, 1], [0, 1], color="0.6", ls=":", lw=1)
    axis.set(xlim=(-0.02 * right, right), ylim=(-0.02, 1.02), title="ROC space, by pixels",
             xlabel="1 - specificity (of the brain)", ylabel="sensitivity")  # fmt: skip
    axis.legend(fontsize=8)
    report.save(figure, path)
