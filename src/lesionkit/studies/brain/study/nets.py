"""Rows and tables of the nets: CNN and LSTM on selected features and on squares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from lesionkit.studies.brain.study import protocol
from lesionkit.studies.brain.study.given import TASK
from lesionkit.studies.brain.study.material import Material
from lesionkit.studies.brain.study.protocol import Row
from lesionkit.studies.brain.study.records import Record, record
from lesionkit.studies.brain.study.tables import (
    OWN,
    TITLES,
    Section,
    by_row,
    figures,
    headed,
    number,
    papers,
)
from lesionkit.studies.brain.study.units import GIVEN, MAIN_FEATURES, Unit

NETS = {
    "CNN, features": "cnn-features",
    "LSTM, features": "lstm-features",
    "CNN, squares": "cnn-patch",
    "LSTM, squares": "lstm-patch",
}
DRAWN = 8  # times as many squares of the patients learnt from, in rows of "MORE"
MORE = f"2 CNNs, {DRAWN} x squares"
ABOUT = (
    f"{MORE}: of the patients learnt from {DRAWN} times as many squares are drawn, those tested "
    "are the same; the mean of two nets, of squares as they are and without their own mean."
)
PIXELS = "pixels"
SHOWN = 10  # folds whose order of features is printed, at most


def units(
    material: Material, tasks: tuple[str, ...], rows: tuple[Row, ...], seeds: range, epochs: int
) -> Iterator[Unit]:
    """A unit for each net, task and seed. epochs : 0 for none at all"""
    for task in tasks if epochs else ():
        for seed in seeds:
            for name, kind in NETS.items():
                make = _of_features if kind.endswith("features") else _of_squares
                yield Unit(
                    f"{task}-{kind}-{seed}",
                    partial(make, material, task, rows, seed, name, kind, epochs),
                    alone=True,
                )
            yield Unit(
                f"{task}-cnn-more-{seed}",
                partial(_more, material, task, rows, seed, epochs),
                alone=True,
            )


def units_of(
    table: protocol.Table, rows: tuple[Row, ...], seeds: range, epochs: int
) -> Iterator[Unit]:
    """The nets on features, of a table of regions that was measured elsewhere."""
    for seed in seeds if epochs else ():
        for name, kind in NETS.items():
            if kind.endswith("features"):
                make = partial(_on_columns, table, TASK, GIVEN, rows, seed, name, kind, epochs)
                yield Unit(f"{TASK}-{kind}-{seed}", make)


def _of_features(
    material: Material, task: str, rows: tuple[Row, ...], seed: int, name: str, kind: Any,
    epochs: int,
) -> list[Record]:  # fmt: skip
    table = material.table(task, seed)
    return _on_columns(table, task, MAIN_FEATURES, rows, seed, name, kind, epochs)


def _on_columns(
    table: protocol.Table, task: str, features: str, rows: tuple[Row, ...], seed: int, name: str,
    kind: Any, epochs: int,
) -> list[Record]:  # fmt: skip
    from lesionkit.studies.brain.nets import Net

    given = tuple(row for row in rows if not row.mean)
    net = {name: Net(kind, epochs, seed)}
    return [
        record(task, "nets", row, outcome, seed, features, table.names)
        for row, outcome in protocol.run(table, given, seed, classifiers=net)
    ]


def _of_squares(
    material: Material, task: str, rows: tuple[Row, ...], seed: int, name: str, kind: Any,
    epochs: int,
) -> list[Record]:  # fmt: skip
    """Nothing is selected of squares: rows that differ by that only are left out."""
    from lesionkit.studies.brain.nets import Net

    return [
        record(task, "nets", row, outcome, seed, PIXELS)
        for row, outcome in protocol.run(
            _squares(material, task, seed),
            tuple(row for row in rows if not row.mean),
            seed,
            classifiers={name: Net(kind, epochs, seed)},
            selects=False,
        )
    ]


def _more(
    material: Material, task: str, rows: tuple[Row, ...], seed: int, epochs: int
) -> list[Record]:
    """Patients held out only: of those learnt from further squares are drawn, which may overlap."""
    from lesionkit.studies.brain.nets import More, Net

    found = []
    first = 2**32 + seed * DRAWN  # no seed that can be asked for
    further = [_squares(material, task, first + i) for i in range(DRAWN - 1)]
    for row in rows:
        if row.split != "patient" or row.select != "inside":
            continue
        labels = [
            protocol.shuffled(table, seed) if row.shuffled else table.abnormal for table in further
        ]
        more = More(
            np.concatenate([table.features for table in further]),
            np.concatenate(labels),
            np.concatenate([table.patients for table in further]),
        )
        net = {MORE: Net("cnn-patch", epochs, seed, more, (False, True))}
        found += [
            record(task, "nets", row, outcome, seed, PIXELS)
            for _, outcome in protocol.run(
                _squares(material, task, seed), (row,), seed, classifiers=net, selects=False
            )
        ]
    return found


def _squares(material: Material, task: str, seed: int) -> protocol.Table:
    """The table of a draw with pixels in the place of features."""
    rois = material.rois(task, seed)
    values = rois.reshape(len(rois), -1).astype(float)
    drawn = material.regions(seed)
    return protocol.Table(
        values,
        tuple(map(str, range(values.shape[1]))),
        np.array([region.abnormal for region in drawn]),
        np.array([region.patient for region in drawn]),
        np.array([region.plane for region in drawn]),
        values.mean(1),
    )


def sections(records: Sequence[Record], rows: Sequence[Row]) -> list[Section]:
    """Of each task: the study's own row, patient by patient; every row; the LSTM's order."""
    found: list[Section] = []
    for task in dict.fromkeys(one["task"] for one in records):
        of = [one for one in records if one["task"] == task and one["table"] == "nets"]
        if of:
            found += _sections(headed(TITLES[task], of), of, rows)
    return found


def _sections(heading: str, records: list[Record], rows: Sequence[Row]) -> list[Section]:
    own = [one for one in records if one["key"] == OWN]
    lines = [{**figures(one), "row": one["classifier"]} for one in own]
    patients = [
        {
            "patient": patient,
            **{
                one["classifier"]: f"{number(one['patients'][patient]['accuracy'])} "
                f"{number(one['patients'][patient]['auc'])}"
                for one in own
            },
        }
        for patient in own[0]["patients"]
    ]
    given = [row for row in rows if not row.mean]
    return [
        Section(
            f"{heading}; nets, {own[0]['row']}",
            lines + papers(),
            *([ABOUT] if any(one["classifier"] == MORE for one in own) else []),
        ),
        Section(f"{heading}; nets, patient by patient", patients, "accuracy AUC, means over seeds"),
        by_row(
            f"{heading}; nets, every row", records, given, "classifier",
            "- where nothing is selected",
        ),
        *_order(f"{heading}; features as the LSTM is given them", own),
    ]  # fmt: skip


def _order(title: str, own: Sequence[Record]) -> list[Section]:
    """The order of the first seed's folds: an LSTM depends on it."""
    chosen: list[list[str]] = next(
        (one["chosen"] for one in own if one["classifier"] == "LSTM, features"), []
    )
    folds = chosen[: len(chosen) // max(1, len(own[0]["seeds"]))][:SHOWN]
    if not folds:
        return []
    cells = [
        {
            "step": str(step + 1),
            **{
                f"fold {fold + 1}": names[step] if step < len(names) else ""
                for fold, names in enumerate(folds)
            },
        }
        for step in range(max(map(len, folds)))
    ]
    told = "Fisher's ten by rank, then what POE+ACC and mutual information add; seed"
    return [Section(title, cells, f"{told} {own[0]['seeds'][0]}")]
