"""Pictures of the study: ROC curves, the drawn squares, confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lesionkit.report import new_figure
from lesionkit.studies.brain import regions
from lesionkit.studies.brain.classify import CLASSES, MAIN, RATES
from lesionkit.studies.brain.study.material import Material
from lesionkit.studies.brain.study.records import Record
from lesionkit.studies.brain.study.tables import OWN, TITLES, number
from lesionkit.studies.brain.table1 import CNN, CONFUSION

ABNORMAL, NORMAL, TUMOUR = "#ff4d4d", "#29d3ff", "#ffe14d"
MOST = 6  # patients that are shown
MARGIN = 4  # pixels around the brain
PAPER = "the paper's CNN: other data, protocol unknown"


def classified(records: Sequence[Record], task: str) -> list[Record]:
    """The rows of all classifiers of a task on the 229 features, or on their own input."""
    tables = ("classifiers", "nets")
    return [record for record in records if record["task"] == task and record["table"] in tables]


def tasks(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(record["task"] for record in records))


def roc(records: Sequence[Record]) -> Any:
    """Of each task the curves of all classifiers, and beside them those of the rows of one."""
    each = tasks(records)
    figure = new_figure(figsize=(11.5, 5.0 * len(each) + 0.3), layout="constrained")
    axes = figure.subplots(len(each), 2, squeeze=False)
    for (left, right), task in zip(axes, each, strict=True):
        of = classified(records, task)
        own = [record for record in of if record["key"] == OWN]
        rows = [record for record in of if record["classifier"] == MAIN]
        for axis, shown, name in ((left, own, "classifier"), (right, rows, "row")):
            for i, record in enumerate(shown):
                _curve(axis, record, record[name], f"C{i % 10}")
            _frame(axis)
        count = f"{own[0]['n_rois']} regions, {own[0]['n_patients']} patients"
        left.set_title(f"{TITLES.get(task, task)}: {own[0]['row']}\n{count}", fontsize=10)
        right.set_title(f"{TITLES.get(task, task)}: {MAIN}, the leak rows beside\n{count}",
                        fontsize=10)  # fmt: skip
    figure.suptitle("Not for diagnosis. Curves are means over seeds; in brackets the AUC")
    return figure


def _curve(axis: Any, record: Record, name: str, colour: str) -> None:
    dashed = "leaks" in record["row"]
    axis.plot(RATES, record["curve"], color=colour, lw=1.3 if dashed else 1.9,
              ls="--" if dashed else "-", label=f"{name} ({number(record['auc'])})")  # fmt: skip


def _frame(axis: Any) -> None:
    axis.plot([0, 1], [0, 1], color="#bbbbbb", lw=0.8)
    (good, bad), (missed, hit) = CONFUSION
    axis.plot(bad / (good + bad), hit / (missed + hit), "k*", ms=9,
              label=f"{PAPER} ({number(CNN['auc'])})")  # fmt: skip
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), box_aspect=1)
    axis.set(xlabel="normal regions called abnormal", ylabel="abnormal regions called so")
    axis.legend(fontsize=7, loc="lower right")


def squares(material: Material, shown: Sequence[str], seed: int) -> Any:
    """The squares of a seed, of each patient on the slice that has most of both kinds."""
    drawn = material.regions(seed)
    patients = material.patients[:MOST]
    figure = new_figure(figsize=(2.9 * len(patients), 3.2 * len(shown) + 0.7), layout="constrained")
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    axes = figure.subplots(len(shown), len(patients), squeeze=False)
    for column, patient in enumerate(patients):
        own = [region for region in drawn if region.patient == patient.name]
        plane = _fullest(own, len(patient.planes))
        rows, columns = (np.flatnonzero(patient.brain[plane].any(1 - axis)) for axis in (0, 1))
        for axis, task in zip(axes[:, column], shown, strict=True):
            axis.imshow(material.image(patient, task)[plane], cmap="gray", vmin=0, vmax=255)
            axis.contour(patient.tumour[plane], [0.5], colors=TUMOUR, linewidths=0.7)
            for region in own:
                if region.plane == plane:
                    colour = ABNORMAL if region.abnormal else NORMAL
                    corner = (region.column - 0.5, region.row - 0.5)
                    axis.add_patch(
                        Rectangle(corner, regions.SIZE, regions.SIZE, fill=False, ec=colour, lw=1.1)
                    )
            axis.set(xlim=(columns[0] - MARGIN, columns[-1] + MARGIN), xticks=[], yticks=[],
                     ylim=(rows[-1] + MARGIN, rows[0] - MARGIN))  # fmt: skip
        axes[0, column].set_title(f"{patient.name}\nslice {patient.planes[plane]}", fontsize=8)
    for axis, task in zip(axes[:, 0], shown, strict=True):
        axis.set_ylabel(TITLES.get(task, task))
    names = {"abnormal square": ABNORMAL, "normal square": NORMAL, "tumour": TUMOUR}
    marks = [Line2D([], [], color=colour, label=name) for name, colour in names.items()]
    figure.legend(handles=marks, loc="outside lower center", ncols=3, fontsize=8)
    more = len(material.patients) - len(patients)
    others = f"; {more} more patients" if more else ""
    figure.suptitle(f"Not for diagnosis. Squares of seed {seed}{others}", fontsize=10)
    return figure


def _fullest(drawn: Sequence[regions.Region], planes: int) -> int:
    """The plane with most squares of the kind that it has fewer of; of equals that with most."""
    counts = np.zeros((planes, 2), int)
    for region in drawn:
        counts[region.plane, int(region.abnormal)] += 1
    return int((counts.min(1) * len(drawn) + counts.sum(1)).argmax())


def confusions(records: Sequence[Record]) -> Any:
    """The confusion matrices of the study's own row, a row for each task and a column for each
    classifier, and the paper's."""
    each = tasks(records)
    own = {task: [r for r in classified(records, task) if r["key"] == OWN] for task in each}
    width = 1 + max(map(len, own.values()))
    figure = new_figure(figsize=(1.75 * width, 2.35 * len(each) + 0.5), layout="constrained")
    axes = figure.subplots(len(each), width, squeeze=False)
    for row, task in zip(axes, each, strict=True):
        for axis in row:
            axis.axis("off")
        cells: list[tuple[str, Any]] = [(r["classifier"], r["confusion"]) for r in own[task]]
        for axis, (name, counts) in zip(
            row, [*cells, ("the paper's CNN", CONFUSION)], strict=False
        ):
            _matrix(axis, name, np.asarray(counts))
        row[0].set_ylabel(f"{TITLES.get(task, task)}\ntrue", fontsize=8)
        row[0].set_yticks(range(2), CLASSES, fontsize=7)
    title = own[each[0]][0]["row"]
    figure.suptitle(
        f"Not for diagnosis. Confusion, {title}, all seeds; below: as called", fontsize=9
    )
    return figure


def _matrix(axis: Any, name: str, counts: Any) -> None:
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axis.axis("on")
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if share[row, column] > 0.5 else "black"
        axis.text(column, row, f"{count}", ha="center", va="center", color=colour, fontsize=8)
    right = counts.trace() / counts.sum()
    axis.set_title(f"{name}\n{100 * right:.1f} % right", fontsize=8)
    axis.set_xticks(range(2), CLASSES, fontsize=7)
    axis.set_yticks([])
