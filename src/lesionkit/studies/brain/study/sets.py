"""Three sets of T1 with contrast: noise filters and augmentation, with and without, and what is
learnt from one set and tested on another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit.studies.brain import classify, features, regions
from lesionkit.studies.brain.classify import CLASSES, FOLDS, MAIN, Outcome
from lesionkit.studies.brain.datasets import duplicates, pairs
from lesionkit.studies.brain.datasets.augment import DENOISERS, TITLES, How, augment, denoise
from lesionkit.studies.brain.prepare import prepare
from lesionkit.studies.brain.study import protocol, tables
from lesionkit.studies.brain.study.material import Material
from lesionkit.studies.brain.study.protocol import HELD, Row, Table
from lesionkit.studies.brain.study.records import Record, record
from lesionkit.studies.brain.study.units import SYSTEM_SEEDS, Unit
from lesionkit.studies.common.classify import Result, scores_of

TASK, KINDS, ACROSS = "t1c", "noise and augmentation", "across sets"
SAID = "said of sets"  # the task of a record of sentences
COPIES = 3  # of each region that is learnt from
USUAL: How = "gaussian"  # what the paper names
OWN = Row("own", f"{HELD['patient']}, selected inside", "patient", "inside")
ROWS = (
    Row("mean", f"mean intensity, {HELD['patient']}", "patient", None, mean=True),
    OWN,
    Row("random", f"{HELD['random']}, selected inside", "random", "inside"),
)


class Drawn(NamedTuple):
    """The squares of a set after one filter. rois : (n, 10, 10) uint8;  table : their features"""

    rois: npt.NDArray[np.uint8]
    table: Table


@dataclass(eq=False)
class Sets:
    """The sets that a folder has."""

    material: Material
    folder: Path
    _levels: dict[tuple[str, How], list[Any]] = field(default_factory=dict)
    _drawn: dict[tuple[str, How, int], Drawn] = field(default_factory=dict)

    @cached_property
    def found(self) -> dict[str, pairs.Found]:
        """By name; a set without a scan is left out."""
        brats = [
            pairs.Scan(p.name, p.images["t1c"], p.brain, [], None, p.lossy)
            for p in self.material.patients
        ]
        given = {
            "BRATS": pairs.Found(brats, [], []),
            "Cheng": pairs.cheng(self.folder),
            "heads": pairs.heads(self.folder),
        }
        return {name: found for name, found in given.items() if found.scans}

    def levels(self, name: str, how: How) -> list[Any]:
        """The 8-bit images of a set after a filter, and the paper's sharpening."""
        if (name, how) not in self._levels:
            self._levels[name, how] = [
                prepare(denoise(s.image, s.brain, how), sigma=0, brain=s.brain).levels
                for s in self.found[name].scans
            ]
        return self._levels[name, how]

    def drawn(self, name: str, how: How, seed: int) -> Drawn:
        """The squares of a seed, and MaZda's table of them."""
        if (name, how, seed) not in self._drawn:
            squares, rois = [], []
            for scan, levels in zip(self.found[name].scans, self.levels(name, how), strict=True):
                own = pairs.drawn(scan, self.material.per_class, seed)
                if name == "BRATS":
                    own = [r for r in self.material.regions(seed) if r.patient == scan.patient]
                squares += own
                rois.append(regions.cut(levels, own))
            cut = np.concatenate(rois)
            table = Table(
                features.mazda(cut)[0],
                features.NAMES,
                np.array([square.abnormal for square in squares]),
                np.array([square.patient for square in squares]),
                np.array([square.plane for square in squares]),
                cut.mean((1, 2)),
            )
            self._drawn[name, how, seed] = Drawn(cut, table)
        return self._drawn[name, how, seed]


def units(sets: Sets, seeds: range) -> Iterator[Unit]:
    """What each set tells by itself, then across sets, and near duplicates: one unit, for all of it
    needs the heads, whose skulls are stripped once."""
    yield Unit("sets", partial(_all, sets, seeds[:SYSTEM_SEEDS]))


def _all(sets: Sets, seeds: range) -> list[Record]:
    rows = [row for seed in seeds for row in (*_alone(sets, seed), *_across(sets, seed))]
    return [*rows, *_told(sets)]


def _alone(sets: Sets, seed: int) -> list[Record]:
    rows = []
    for name in sets.found:
        table = sets.drawn(name, USUAL, seed).table
        if len(np.unique(table.patients)) < 2:
            continue
        only = {MAIN: classify.classifiers(seed)[MAIN]}
        rows += [
            record(TASK, KINDS, _in(name, row), outcome, seed, name)
            for row, outcome in protocol.run(table, ROWS, seed, classifiers=only)
            if row.key != OWN.key
        ]
        for how in DENOISERS:
            for more in (0, COPIES):
                given = sets.drawn(name, how, seed)
                parts = classify.parts_of(
                    given.table.abnormal, given.table.patients, "patient", FOLDS, None, seed
                )
                outcome = learnt(given, parts, more, seed)
                variant = _variant(how, more)
                rows.append(record(TASK, KINDS, _in(name, OWN), outcome, seed, variant))
    return rows


def _in(name: str, row: Row) -> Row:
    return row._replace(title=f"{name}: {row.title}")


def _variant(how: How, copies: int) -> str:
    return f"{TITLES[how]}{', augmented' if copies else ''}"


def learnt(given: Drawn, parts: Any, copies: int, seed: int) -> Outcome:
    """The study's classifier, features selected in what is learnt from; changed copies of the
    squares of a fold are learnt from, too, and none is tested.

    parts : pairs of rows to learn from and to test; each row is tested once
    copies : of each square
    """
    table, many = given.table, len(given.rois)
    values = [table.features]
    for number in range(copies):
        values.append(features.mazda(augment(given.rois, seed, number * many))[0])
    names = np.array(CLASSES)[table.abnormal.astype(int)]
    predicted, scores, seconds = np.empty_like(names), np.empty((many, 2)), []
    chosen, held = [], []
    for rows, tested in parts:
        model = classify.fused(), classify.classifiers(seed)[MAIN]
        seen, kinds = np.concatenate([v[rows] for v in values]), np.tile(names[rows], len(values))
        start = time.perf_counter()
        order = [int(i) for i in model[0].fit(seen, kinds == CLASSES[1]).order_]
        model[1].fit(seen[:, order], kinds)
        seconds.append(time.perf_counter() - start)
        predicted[tested] = model[1].predict(table.features[tested][:, order])
        scores[tested] = scores_of(model[1], table.features[tested][:, order], CLASSES)
        chosen.append(tuple(order))
        held.append(tuple(map(str, np.unique(table.patients[tested]))))
    return _outcome(table, predicted, scores, float(np.median(seconds)), chosen, held)


def _outcome(
    table: Table, predicted: Any, scores: Any, seconds: float, chosen: Any, held: Any
) -> Outcome:
    from sklearn.metrics import confusion_matrix

    names = np.array(CLASSES)[table.abnormal.astype(int)]
    confusion = confusion_matrix(names, predicted, labels=list(CLASSES))
    result = Result(MAIN, CLASSES, predicted, scores, confusion, seconds)
    return Outcome(result, table.abnormal, table.patients, True, tuple(chosen), tuple(held))


def leave_one_out(tables: Mapping[str, Table], seed: int = 0) -> dict[tuple[str, str], Outcome]:
    """What the study's classifier, learnt from one set or from all others, tells of each set.

    tables : by name, two or more, of the same columns
    Returns outcomes by (learnt from, tested on); "all others" is learnt from where there are more
    than two. Features are selected in what is learnt from; the tested set is not looked at.
    """
    if len(tables) < 2:
        raise ValueError(f"tables must hold two sets or more to leave one out, got {len(tables)}")
    found = {}
    for name, tested in tables.items():
        others = {other: table for other, table in tables.items() if other != name}
        given = {other: [table] for other, table in others.items()}
        if len(others) > 1:
            given["all others"] = list(others.values())
        for learnt_from, parts in given.items():
            seen = np.concatenate([part.features for part in parts])
            kinds = np.concatenate([part.abnormal for part in parts])
            names = np.array(CLASSES)[kinds.astype(int)]
            order = [int(i) for i in classify.fused().fit(seen, kinds).order_]
            model = classify.classifiers(seed)[MAIN]
            start = time.perf_counter()
            model.fit(seen[:, order], names)
            seconds = time.perf_counter() - start
            columns = tested.features[:, order]
            held = tuple(map(str, np.unique(tested.patients)))
            found[learnt_from, name] = _outcome(
                tested, model.predict(columns), scores_of(model, columns, CLASSES), seconds,
                [tuple(order)], [held],
            )  # fmt: skip
    return found


def _across(sets: Sets, seed: int) -> list[Record]:
    given = {name: sets.drawn(name, USUAL, seed).table for name in sets.found}
    if len(given) < 2:
        return []
    return [
        record(
            TASK, ACROSS, Row("own", f"learnt from {one}", "patient", "inside"), outcome, seed, name
        )
        for (one, name), outcome in leave_one_out(given, seed).items()
    ]


def _told(sets: Sets) -> list[Record]:
    """Sentences, and how many pairs of slices are nearly one."""
    known = sets.found
    told = [
        f"{name}: not in the folder, skipped."
        for name in ("BRATS", "Cheng", "heads")
        if name not in known
    ]
    for name, found in known.items():
        slices = [plane for scan in found.scans for plane in scan.image]
        near = duplicates.near_duplicates(slices)
        told += [*found.told, *(f"Not used: {problem}" for problem in found.problems)]
        told.append(
            f"{name}: {len(near)} pairs of {len(slices)} slices are near duplicates (perceptual "
            f"hash, {duplicates.AT_MOST} of 256 bits or less)"
            + ("; a random split would learn from what it tests." if near else ".")
        )
    return [{"task": SAID, "sentences": told}]


def sections(records: Sequence[Record], said: Sequence[str]) -> list[tables.Section]:
    """Both tables. said : sentences on the sets, below the first"""
    found = []
    of = {(r["row"], r["features"]): r for r in records if r["table"] == KINDS}
    cells: tables.Cells = []
    for name in dict.fromkeys(row.split(":")[0] for row, _ in of):
        mean, own, leaks = (_in(name, row).title for row in ROWS)
        usual = of[own, _variant(USUAL, 0)]
        for more, what in ((0, "without"), (COPIES, "with")):
            line = {"set": name, "regions": str(usual["n_rois"])}
            line |= {"patients": str(usual["n_patients"]), "augmentation": what}
            line |= {TITLES[how]: tables.cell(of[own, _variant(how, more)]) for how in DENOISERS}
            line["mean intensity"] = "-" if more else tables.cell(of[mean, "mean"])
            line["leaks: random folds"] = "-" if more else tables.cell(of[leaks, name])
            cells.append(line)
    if cells:
        notes = (
            f"accuracy (kappa) AUC, means over seeds; augmentation: {COPIES} changed copies of "
            "each region that is learnt from, none of those tested",
            *said,
        )
        title = f"Three sets of T1 with contrast; {MAIN}, {OWN.title}: noise and augmentation"
        found.append(tables.Section(title, cells, *notes))
    across = [r for r in records if r["table"] == ACROSS]
    if across:
        names = list(dict.fromkeys(r["features"] for r in across))
        cells = []
        for row in dict.fromkeys(r["row"] for r in across):
            line = {"": row}
            for name in names:
                one = [r for r in across if r["row"] == row and r["features"] == name]
                line[f"tested on {name}"] = tables.cell(one[0]) if one else "-"
            cells.append(line)
        title = f"One set learnt from, another tested; {MAIN}, selected in what is learnt from"
        found.append(tables.Section(title, cells, "accuracy (kappa) AUC, means over seeds"))
    return found
