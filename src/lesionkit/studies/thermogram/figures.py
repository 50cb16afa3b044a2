"""Pictures of the thermogram study: the twelve steps, the sides, the training curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.report import new_figure
from lesionkit.studies.thermogram.clusters import Clusters

# none, red, green, blue
COLOURS = np.array([(255, 255, 255), (214, 39, 40), (44, 160, 44), (31, 90, 200)], np.uint8)


def clusters(labels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Labels 0 to 3 as colours, (rows, columns, 3)."""
    return np.asarray(COLOURS[labels])


def steps(found: Clusters, title: str = "") -> Any:
    """A figure of the twelve steps, in the paper's order."""

    size = len(found.rgb)
    figure = new_figure(figsize=(14, 7.6), layout="constrained")
    if title:
        figure.suptitle(title)
    axes = figure.subplots(3, 4).ravel()
    words = np.array([word.rgb for word in found.words]).round().clip(0, 255).astype(np.uint8)
    binary = np.where(found.hits.any(0), found.hits.argmax(0) + 1, 0)
    shades = np.random.default_rng(1).integers(60, 256, (found.grown.max() + 1, 3), np.uint8)
    shades[0] = 255
    shown: list[tuple[str, Any]] = [
        ("1 picture, resized", found.rgb),
        ("2 blocks", found.rgb),
        (f"3 super-voxels: {len(found.positions)} positions", found.rgb),
        (f"4 first codebook: {len(found.codebook)} words", _swatches(found.codebook)),
        ("5 last codebook: " + ", ".join(w.name for w in found.words), _swatches(words, 1)),
        ("6 by ranges, then words", clusters(found.coded)),
        ("7, 8 within the ranges", clusters(binary)),
        (f"9 grown: {found.grown.max()} regions", shades[found.grown]),
        ("10 edge flow", found.strength),
        (f"11, 12 linked: {found.rounds} rounds, {found.open_ends} open ends", ~found.boundary),
        (f"12 merged: {found.regions.max()} regions", shades[found.regions % len(shades)]),
        ("clusters", clusters(found.labels)),
    ]
    for ax, (name, image) in zip(axes, shown, strict=True):
        ax.imshow(image, cmap="gray_r" if name.startswith("10") else "gray", interpolation="none")
        ax.set_title(name, fontsize=9)
        ax.set(xticks=[], yticks=[])
    for line in np.arange(1, 4) * size / 4 - 0.5:
        axes[1].axhline(line, color="white", lw=0.8)
        axes[1].axvline(line, color="white", lw=0.8)
    axes[2].plot(found.positions[:, 1], found.positions[:, 0], ".", color="white", ms=2)
    return figure


def _swatches(words: npt.NDArray[Any], rows: int = 4) -> npt.NDArray[np.uint8]:
    columns = -(-len(words) // rows)
    grid = np.full((rows * columns, 3), 255, np.uint8)
    grid[: len(words)] = words
    return grid.reshape(rows, columns, 3)


def woman(
    values: npt.NDArray[Any],
    outlines: dict[str, npt.NDArray[np.bool_]],
    column: float,
    curves: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None,
    unit: str,
) -> Any:
    """A figure of a thermogram with its parts outlined, and the mean of each row of both sides."""

    figure = new_figure(figsize=(9.5, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
    image = left.imshow(values, cmap="gray")
    for (name, mask), colour in zip(
        outlines.items(), ("#7CFC00", "#29d3ff", "#ffe14d", "#ff4d4d"), strict=False
    ):
        if mask.any() and not mask.all():
            left.contour(mask, [0.5], colors=colour, linewidths=0.9)
            left.plot([], [], color=colour, label=name)
    left.axvline(column, color="#ff66ff", lw=0.7, label="midline")
    left.legend(fontsize=7, loc="lower left")
    left.set(xticks=[], yticks=[])
    figure.colorbar(image, ax=left, label=unit, shrink=0.9)
    if curves is None:
        right.text(0.5, 0.5, "left and right were not compared", ha="center", va="center")
        right.axis("off")
    else:
        for curve, name, colour in zip(
            curves, ("image's left", "image's right"), ("C0", "C1"), strict=True
        ):
            right.plot(curve, np.arange(len(curve)), color=colour, label=name)
        right.invert_yaxis()
        right.set(xlabel="mean of the row, C beside the body's median", ylabel="row of the breasts")
        right.legend(fontsize=8)
    return figure
