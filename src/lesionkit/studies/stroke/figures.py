"""Pictures of the stroke study: what the classifiers mix up, and what the detectors find."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lesionkit import report
from lesionkit.studies.common.classify import Result
from lesionkit.studies.stroke.classify import roc
from lesionkit.studies.stroke.plant import KINDS, Planted

if TYPE_CHECKING:
    from lesionkit.nets.detectors.rcnn import Detections

SHORT = {
    "acute_ischemic": "acute",
    "sub_acute_ischemic": "sub-acute",
    "chronic_ischemic": "chronic",
    "acute_hemorrhage": "hemorrhage",
}
COLOURS = ("orange", "tomato", "deepskyblue", "violet")  # of the kinds
TRUTH = "lime"


def draw_classifiers(
    results: Sequence[Result], kinds: Sequence[str], path: str | os.PathLike[str]
) -> None:
    """Of each classifier its confusion matrix and its ROC curves, as a PNG."""

    figure = report.new_figure(figsize=(2.8 * len(results), 5.6), layout="constrained")
    axes = figure.subplots(2, len(results), squeeze=False)
    for one, (table, curves) in zip(results, axes.T, strict=True):
        names = [SHORT.get(name, name) for name in one.classes]
        _confusion(table, one, names)
        for i, name in enumerate(one.classes):
            curves.plot(*roc(one, kinds, name), color=COLOURS[i % 4], label=names[i], lw=1.5)
        curves.set(xlim=(-0.01, 0.5), ylim=(0.5, 1.01), xlabel="FPR", box_aspect=1)
    axes[0, 0].set_ylabel("true kind")
    axes[1, 0].set_ylabel("TPR")
    axes[1, 0].legend(fontsize=8, loc="lower right")
    report.save(figure, path)


def _confusion(axis: Any, one: Result, names: Sequence[str]) -> None:
    axis.imshow(one.confusion / one.confusion.sum(1, keepdims=True), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in _cells(one):
        dark = count > one.confusion[row].sum() / 2
        axis.text(
            column, row, f"{count}", ha="center", va="center", color="white" if dark else "black"
        )
    axis.set_title(f"{one.name}\n{100 * one.accuracy:.1f} % right", fontsize=10)
    axis.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=8)
    axis.set_yticks(range(len(names)), names, fontsize=8)


def _cells(one: Result) -> list[tuple[tuple[int, int], int]]:
    rows, columns = one.confusion.shape
    return [((r, c), int(one.confusion[r, c])) for r in range(rows) for c in range(columns)]


def draw_scatter(
    lesions: Sequence[tuple[float, float]],
    kinds: Sequence[str],
    result: Result,
    path: str | os.PathLike[str],
) -> None:
    """Standard deviation and mean boundary of each lesion, by its kind; what a classifier took for
    another is crossed in the colour of that, as a PNG.

    lesions : (std, mean boundary), in the order of kinds and of the result's predictions
    """
    figure = report.new_figure(figsize=(7, 5.4), layout="constrained")
    axis = figure.subplots()
    for name, colour in zip(result.classes, COLOURS, strict=False):
        own = [i for i, kind in enumerate(kinds) if kind == name]
        wrong = [i for i, kind in enumerate(kinds) if result.predicted[i] == name != kind]
        for chosen, style in ((own, {"marker": "o", "s": 14}), (wrong, {"marker": "x", "s": 45})):
            label = f"{SHORT.get(name, name)}" + " predicted, wrongly" * (chosen is wrong)
            x, y = zip(*(lesions[i] for i in chosen), strict=True) if chosen else ((), ())
            axis.scatter(x, y, color=colour, label=f"{label}, {len(chosen)}", **style)
    axis.set(xlabel="standard deviation of S", ylabel="mean boundary of S")
    axis.set_title(f"{result.name}, on shapes not seen: {100 * result.accuracy:.1f} % right")
    axis.legend(fontsize=8)
    report.save(figure, path)


def draw_roc_space(results: Sequence[Result], path: str | os.PathLike[str]) -> None:
    """Where each classifier lies in ROC space for each kind against the rest, as a PNG."""
    figure = report.new_figure(figsize=(3.2 * len(results[0].classes), 3.6), layout="constrained")
    axes = figure.subplots(1, len(results[0].classes), sharey=True, squeeze=False)[0]
    for number, (axis, name) in enumerate(zip(axes, results[0].classes, strict=True)):
        for i, one in enumerate(results):  # rings, for some lie in one place
            axis.scatter(1 - one.tnr[number], one.tpr[number], s=30 + 45 * i, label=one.name,
                         facecolors="none", edgecolors=f"C{i}", lw=1.5)  # fmt: skip
        axis.plot([0, 1], [0, 1], color="0.6", ls=":", lw=1)
        right = max(0.05, *(1.2 * (1 - one.tnr[number]) for one in results))
        axis.set(xlim=(-0.03 * right, right), ylim=(0.4, 1.02), xlabel="FPR")
        axis.set_title(SHORT.get(name, name), fontsize=10)
    axes[0].set_ylabel("TPR")
    axes[0].legend(fontsize=7, loc="lower right")
    report.save(figure, path)


def draw_detections(
    lesions: Sequence[Planted],
    truths: Sequence[Any],
    found: dict[str, Sequence[Detections]],
    path: str | os.PathLike[str],
) -> None:
    """A row for each detector, a column for each slice: true boxes and found ones, as a PNG.

    truths : of each slice its true boxes (k, 4);  found : of each detector its answers
    """
    figure = report.new_figure(
        figsize=(2.5 * len(lesions), 3.1 * len(found) + 0.3), layout="constrained"
    )
    from matplotlib.patches import Rectangle

    axes = figure.subplots(len(found), len(lesions), squeeze=False)
    for (name, answers), row in zip(found.items(), axes, strict=True):
        for axis, lesion, boxes, answer in zip(row, lesions, truths, answers, strict=True):
            axis.imshow(lesion.dwi, cmap="gray", vmin=0, vmax=150)
            axis.set_axis_off()
            for x1, y1, x2, y2 in boxes.tolist():
                axis.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, ec=TRUTH, lw=1))
            for (x1, y1, x2, y2), score, label in zip(
                *(part.tolist() for part in answer), strict=True
            ):
                colour = COLOURS[label - 1]
                axis.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, ec=colour, lw=1.5))
                text = f"{SHORT[list(KINDS)[label - 1]]} {score:.2f}"
                axis.text(x1, y1 - 3, text, color=colour, fontsize=7, clip_on=True)
            axis.set_title(f"{name}: {SHORT[lesion.kind]}", fontsize=8)
    figure.suptitle("green: true boxes; other colours: what was found, and its score", fontsize=9)
    report.save(figure, path)
