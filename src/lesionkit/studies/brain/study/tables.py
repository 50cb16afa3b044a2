"""tables.txt: each table with its rows in one order, leaks named, patients beside regions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lesionkit.studies.brain.classify import CLASSES, MAIN
from lesionkit.studies.brain.study.protocol import Row
from lesionkit.studies.brain.study.records import Record
from lesionkit.studies.brain.systems.table import systems
from lesionkit.studies.brain.table1 import CNN, CONFUSION, LSTM, TABLE1
from lesionkit.studies.common.classify import wilson
from lesionkit.studies.common.text import as_text

TITLES = {"t1c": "T1 with contrast", "flair": "FLAIR", "table": "The table given"}
Cells = list[dict[str, str]]
OWN = "own"
SECONDS = {"CNN": 0.48, "LSTM": 0.23}  # of training, the paper's Table 2
NEIGHBOUR, NEAREST_MEAN = "POE by nearest neighbour", "POE by nearest mean"


class Section:
    """A heading, a table of words, and what is to be known about it."""

    def __init__(self, title: str, cells: Cells, *notes: str) -> None:
        self.title, self.cells, self.notes = title, cells, notes

    def lines(self) -> list[str]:
        return [self.title, *as_text(self.cells), *self.notes, ""]


def number(value: float | None, digits: int = 3) -> str:
    """.762, as papers print shares; - where there is none."""
    if value is None:
        return "-"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def spread(value: float | None, deviation: float | None) -> str:
    return f"{number(value)} ± {number(deviation)}" if value is not None else "-"


def sections(records: Sequence[Record], rows: Sequence[Row]) -> list[Section]:
    """All tables that the records fill, of each task in turn."""
    found: list[Section] = []
    for task in dict.fromkeys(record["task"] for record in records):
        of = [record for record in records if record["task"] == task]
        title = TITLES.get(task, task)
        tables: dict[str, list[Record]] = {}
        for record in of:
            tables.setdefault(record["table"], []).append(record)
        for name, make in MAKERS.items():
            if name in tables:
                found += make(title, tables[name], rows)
            if name == "features" and name in tables:
                found += _rules(title, tables["classifiers"], tables[name], rows)
    return found


def short(records: Sequence[Record]) -> Section:
    """The study's answer in a few rows, the paper's below."""
    cells: Cells = []
    told = {"mean": "", OWN: ": the study's own", "paper": ": most likely the paper's protocol"}
    for record in records:
        which = (record["table"], record["classifier"])
        if which == ("classifiers", MAIN) and record["key"] in told:
            title = TITLES.get(record["task"], record["task"])
            name = f"{title}, {record['row']}{told[record['key']]}"
            cells.append(_percent(name, record, record["n_rois"], record["n_patients"]))
    cells += [
        _percent(f"the paper's {name}: other data, protocol unknown", printed, 400, "?")
        for name, printed in (("CNN", CNN), ("LSTM", LSTM))
    ]
    return Section(f"In short ({MAIN}, means over seeds)", cells)


def _percent(name: str, told: Mapping[str, Any], count: int, patients: int | str) -> dict[str, str]:
    return {
        "row": name,
        "accuracy": f"{100 * told['accuracy']:.1f} %",
        "kappa": number(told["kappa"], 2),
        "AUC": number(told["auc"]),
        "regions": str(count),
        "patients": str(patients),
    }


def times(records: Sequence[Record]) -> Section:
    """Seconds of training, which no two runs have alike."""
    own = [r for r in records if r["key"] == OWN and r["table"] in ("classifiers", "nets")]
    tasks = list(dict.fromkeys(record["task"] for record in own))
    cells = []
    for name in dict.fromkeys(record["classifier"] for record in own):
        line = {"classifier": name}
        for task in tasks:
            of = [r for r in own if r["classifier"] == name and r["task"] == task]
            line[f"{TITLES.get(task, task)}, s"] = f"{of[0]['seconds']:.4f}" if of else "-"
        cells.append(line)
    for name, seconds in SECONDS.items():
        printed = [f"{seconds:.4f}"] + ["-"] * (len(tasks) - 1)
        cells.append(
            dict(zip(cells[0], [f"the paper's {name}, its machine", *printed], strict=True))
        )
    return Section(
        "Training time of a fold",
        cells,
        "wall clock of this run and this machine, the median over folds and the mean over seeds, "
        "selection not included",
    )


def headed(title: str, records: Sequence[Record]) -> str:
    own = _own(records)
    seeds = own["seeds"]
    return (
        f"{title}: {own['n_rois']} regions of {own['n_patients']} patients, seeds {seeds[0]} to "
        f"{seeds[-1]}"
    )


def _classifiers(title: str, records: list[Record], rows: Sequence[Row]) -> list[Section]:
    heading = headed(title, records)
    main = [record for record in records if record["classifier"] == MAIN]
    return [
        Section(
            f"{heading}; {MAIN}",
            [figures(_row(main, row)) for row in rows] + papers(),
            "accuracy and AUC ± standard deviation over seeds; Wilson: 95 %, as if regions were "
            "independent, which those of one patient are not;",
            "patients: mean ± standard deviation over patients of each one's accuracy, and of its "
            "AUC. TP and FP rates are weighted as Weka's.",
        ),
        _by_patient(f"{heading}; {MAIN}, patient by patient", main),
        _every(f"{heading}; every classifier, {_own(records)['row']}", records),
        by_row(f"{heading}; every classifier", records, rows, "classifier"),
        _confusion(f"{heading}; confusion, {_own(records)['row']}, all seeds", records),
        *_chosen(f"{heading}; selected features", main),
    ]


def _own(records: Sequence[Record]) -> Record:
    return next(record for record in records if record["key"] == OWN)


def _every(title: str, records: Sequence[Record]) -> Section:
    """The columns of the paper's Table 2, a line for each classifier."""
    own = [record for record in records if record["key"] == OWN]
    lines = [*(figures(record) for record in own), *papers()]
    names = [*(record["classifier"] for record in own), *(line["row"] for line in papers())]
    cells = [
        {"classifier": name, **{key: cell for key, cell in line.items() if key != "row"}}
        for name, line in zip(names, lines, strict=True)
    ]
    return Section(title, cells, "as above; the paper's Table 2 below")


def _row(records: Sequence[Record], row: Row) -> Record:
    return next(record for record in records if record["key"] == row.key)


def figures(record: Record) -> dict[str, str]:
    mark = " (the study's own)" if record["key"] == OWN else ""
    low, high = record["wilson"]
    return {
        "row": record["row"] + mark,
        "accuracy": spread(record["accuracy"], record["accuracy_sd"]),
        "Wilson": f"{number(low)}-{number(high)}",
        "kappa": number(record["kappa"], 2),
        "TP rate": number(record["tp_rate"]),
        "FP rate": number(record["fp_rate"]),
        "AUC": spread(record["auc"], record["auc_sd"]),
        "accuracy of patients": spread(_mean(record, "accuracy"), record["patient_sd"]),
        "AUC of patients": spread(record["auc_patients"], record["auc_patient_sd"]),
        "regions": str(record["n_rois"]),
        "patients": str(record["n_patients"]),
    }


def _mean(record: Record, name: str) -> float:
    told = record["patients"].values()
    return float(sum(one[name] for one in told) / len(told))


def papers() -> Cells:
    told = []
    for name, printed in (("CNN", CNN), ("LSTM", LSTM)):
        low, high = wilson(printed["accuracy"], 400)
        told.append({
            "row": f"the paper's {name}: other data, protocol unknown",
            "accuracy": number(printed["accuracy"]),
            "Wilson": f"{number(low)}-{number(high)}",
            "kappa": number(printed["kappa"], 2),
            "TP rate": number(printed["tp_rate"]),
            "FP rate": number(printed["fp_rate"]),
            "AUC": number(printed["auc"]),
            "accuracy of patients": "-",
            "AUC of patients": "-",
            "regions": "400",
            "patients": "?",
        })  # fmt: skip
    return told


def _by_patient(title: str, records: Sequence[Record]) -> Section:
    cells: Cells = []
    shown = {record["key"]: record["patients"] for record in records}
    for patient, told in shown[OWN].items():
        line = {"patient": patient, "regions": str(told["n"])}
        for name, key in (("mean intensity", "mean"), ("the study's own", OWN)):
            if key not in shown:  # a table without a mean
                continue
            line[f"{name}: accuracy"] = number(shown[key][patient]["accuracy"])
            line[f"{name}: AUC"] = number(shown[key][patient]["auc"])
        cells.append(line)
    return Section(title, cells)


def by_row(
    title: str,
    records: Sequence[Record],
    rows: Sequence[Row],
    variant: str,
    *notes: str,
) -> Section:
    """A line for each row of the protocol, in order, and each variant a column."""
    names = list(dict.fromkeys(r[variant] for r in records if r["key"] == OWN))
    cells = []
    for row in rows:
        line = {"row": row.title + (" (the study's own)" if row.key == OWN else "")}
        for name in names:
            of = [r for r in records if r["key"] == row.key and _is(r, variant, name)]
            line[name] = cell(of[0]) if of else "-"
        cells.append(line)
    return Section(title, cells, "accuracy (kappa) AUC, means over seeds", *notes)


def _is(record: Record, variant: str, name: str) -> bool:
    return bool(record[variant] == name or (variant == "features" and record["key"] == "mean"))


def cell(record: Record) -> str:
    told = (number(record["accuracy"]), number(record["kappa"], 2), number(record["auc"]))
    return "{} ({}) {}".format(*told)


def _confusion(title: str, records: Sequence[Record]) -> Section:
    own = [(r["classifier"], r["confusion"]) for r in records if r["key"] == OWN]
    cells = [
        {"classifier": name, "true": kind, "called normal": str(line[0]), "abnormal": str(line[1])}
        for name, counts in [*own, ("the paper's CNN", CONFUSION)]
        for kind, line in zip(CLASSES, counts, strict=True)
    ]
    return Section(title, cells)


def _chosen(title: str, records: Sequence[Record]) -> list[Section]:
    folds = _own(records)["chosen"]
    if not folds:
        return []
    sets = [set(fold) for fold in folds]
    counts = {name: sum(name in one for one in sets) for name in set().union(*sets)}
    ranked = sorted(counts, key=lambda name: (-counts[name], name))[:10]
    cells = [
        {"feature": name, f"of {len(folds)} folds": str(counts[name]),
         "in the paper's Table 1": "yes" if name in TABLE1 else ""}
        for name in ranked
    ]  # fmt: skip
    sizes = sorted(map(len, folds))
    return [
        Section(
            title,
            cells,
            f"{sizes[0]} to {sizes[-1]} columns a fold, {len(set.intersection(*sets))} in every "
            f"fold, {len(counts)} in some; of Table 1's {len(TABLE1)} names "
            f"{len(set(TABLE1) & set(counts))} in some",
        )
    ]


def _rules(
    title: str, classified: list[Record], others: list[Record], rows: Sequence[Row]
) -> list[Section]:
    """Both rules of POE+ACC side by side: the paper does not tell which it took."""
    main = [{**r, "features": NEIGHBOUR} for r in classified if r["classifier"] == MAIN]
    other = [r for r in others if r["features"] == NEAREST_MEAN]
    both = zip(_own(main)["chosen"], _own(other)["chosen"], strict=True)
    shared = [len(set(a) & set(b)) for a, b in both]
    return [
        by_row(
            f"{headed(title, main)}; {MAIN}, both rules of POE",
            [*main, *other],
            [row for row in rows if not row.mean],
            "features",
            f"a fold's columns by both rules: {min(shared)} to {max(shared)} are the same",
        )
    ]


def _features(title: str, records: list[Record], rows: Sequence[Row]) -> list[Section]:
    others = [record for record in records if record["features"] != NEAREST_MEAN]
    if not any(record["key"] == OWN for record in others):
        return []
    return [
        by_row(
            f"{headed(title, records)}; {MAIN} on other features",
            others,
            rows,
            "features",
            "of Table 1's features none is selected: rows that differ by that only are empty; "
            "levels not the region's: 0 to 255 as they are, which lets the mean in",
        )
    ]


def _small(title: str, records: list[Record], rows: Sequence[Row]) -> list[Section]:
    own = {
        key: next(r for r in records if r["key"] == key) for key in ("shuffled", "shuffled outside")
    }
    gap = own["shuffled outside"]["auc"] - own["shuffled"]["auc"]
    return [
        Section(
            f"{headed(title, records)}; {MAIN}, few regions",
            [figures(_row(records, row)) for row in rows],
            f"shuffled labels: AUC {number(own['shuffled outside']['auc'])} selected outside, "
            f"{number(own['shuffled']['auc'])} inside, {number(gap)} apart",
        )
    ]


def _systems(title: str, records: list[Record], rows: Sequence[Row]) -> list[Section]:
    cells: Cells = []
    printed = systems()
    for name in dict.fromkeys(record["classifier"] for record in records):
        line = {"system": name, "section": printed[name].section}
        for row in rows:
            of = [r for r in records if r["classifier"] == name and r["key"] == row.key]
            line[row.title] = cell(of[0]) if of else "-"
        cells.append({**line, "printed, other data": printed[name].printed or "-"})
    return [
        Section(
            f"{headed(title, records)}; the systems that the paper cites",
            cells,
            "accuracy (kappa) AUC, means over seeds; - where nothing is selected. cabgd and fo-btd "
            "are the paper's names of one system, by rules and by a tree.",
            "watershed-svm (2.3), multifractal-bpnn (2.10): on regions of their own, see below.",
        )
    ]


def segmentation(records: Sequence[Record]) -> list[Section]:
    """The segmenters, patient by patient, and over patients."""
    if not records:
        return []
    patients = list(dict.fromkeys(record["patient"] for record in records))
    cells: Cells = []
    for method in dict.fromkeys(record["method"] for record in records):
        of = {r["patient"]: r for r in records if r["method"] == method}
        line = {"method": method}
        scores = [r["dice"] for r in of.values() if r["dice"] is not None]
        line["mean"] = number(sum(scores) / len(scores)) if scores else "-"
        for patient in patients:
            line[patient] = f"{number(of[patient]['dice'])} / {number(of[patient]['dice_median'])}"
        free = sum(r["pixels_on_free_slices"] for r in of.values())
        line["pixels on free slices"] = f"{free:,}"
        cells.append(line)
    return [
        Section(
            "FLAIR: segmentation of the whole tumour, Dice mean / median over slices with more "
            "than 200 pixels of it",
            cells,
            "mean: over patients; free slices have no tumour",
        )
    ]


MAKERS: dict[str, Callable[[str, list[Record], Sequence[Row]], list[Section]]] = {
    "classifiers": _classifiers,
    "features": _features,
    "small": _small,
    "systems": _systems,
}
