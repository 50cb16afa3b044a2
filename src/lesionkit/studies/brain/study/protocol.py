"""The rows of every table, in their order: brightness alone, the study's own, then the leaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit.studies.brain.classify import FOLDS, Outcome, Select, Split, evaluate, parts_of

Real = npt.NDArray[np.float64]

HELD = {
    "patient": "patients held out",
    "slice": "leaks: slices held out",
    "random": "leaks: random folds",
}


class Row(NamedTuple):
    """One way to split, to select and to label."""

    key: str
    title: str
    split: Split
    select: Select
    shuffled: bool = False
    mean: bool = False

    @property
    def leaks(self) -> bool:
        return "leaks" in self.title


def rows_of(split: Split = "patient") -> tuple[Row, ...]:
    """The seven rows; `split` is that of the study's own."""
    held = HELD[split]
    return (
        Row("mean", f"mean intensity, {held}", split, None, mean=True),
        Row("own", f"{held}, selected inside", split, "inside"),
        Row("outside", f"{_leaks(held)}, selected outside", split, "outside"),
        Row("random", "leaks: random folds, selected inside", "random", "inside"),
        Row("paper", "leaks: random folds, selected outside", "random", "outside"),
        Row("shuffled outside", f"{_leaks(held)}, shuffled, selected outside", split, "outside",
            shuffled=True),
        Row("shuffled", f"{held}, shuffled, selected inside", split, "inside", shuffled=True),
    )  # fmt: skip


def _leaks(held: str) -> str:
    return held if held.startswith("leaks") else f"leaks: {held}"


@dataclass(frozen=True, eq=False)
class Table:
    """Features of regions, and whose they are."""

    features: Real  # (n, k)
    names: tuple[str, ...]  # k
    abnormal: npt.NDArray[np.bool_]
    patients: npt.NDArray[np.str_]
    slices: npt.NDArray[np.int64]
    mean: Real  # (n,) the regions' mean intensity

    def columns(self, names: Any) -> Table:
        """The same regions, with these columns only."""
        at = [self.names.index(name) for name in names]
        kept = self.features[:, at]
        return Table(kept, tuple(names), self.abnormal, self.patients, self.slices, self.mean)

    def some(self, rows: Any) -> Table:
        """Some of the regions."""
        parts = (self.abnormal, self.patients, self.slices, self.mean)
        abnormal, patients, slices, mean = (part[rows] for part in parts)
        return Table(self.features[rows], self.names, abnormal, patients, slices, mean)


def shuffled(table: Table, seed: int) -> npt.NDArray[np.bool_]:
    """Labels without meaning: those of each patient dealt out anew among its regions; the labels of
    patients with regions of one kind only dealt out among these patients."""
    random = np.random.Generator(np.random.Philox(key=np.array([seed, 2**63], np.uint64)))
    labels = table.abnormal.copy()
    alike = []
    for patient in np.unique(table.patients):
        here = np.flatnonzero(table.patients == patient)
        if len(np.unique(labels[here])) == 1:
            alike.append(here)
        labels[here] = labels[random.permutation(here)]
    kinds = [bool(labels[here[0]]) for here in alike]
    for here, other in zip(alike, random.permutation(len(alike)), strict=True):
        labels[here] = kinds[other]
    return labels


def folds_of(table: Table, row: Row) -> int:
    """Ten; of random ones no more than there are regions of either kind."""
    fewest = int(np.bincount(table.abnormal, minlength=2).min())
    return max(2, min(FOLDS, fewest)) if row.split == "random" else FOLDS


def check(table: Table, rows: tuple[Row, ...], seeds: range) -> None:
    """ValueError where a row's folds cannot be made, before any work."""
    for row in rows:
        for seed in seeds:
            labels = shuffled(table, seed) if row.shuffled else table.abnormal
            folds = folds_of(table, row)
            parts_of(labels, table.patients, row.split, folds, table.slices, seed)


def run(
    table: Table,
    rows: tuple[Row, ...],
    seed: int,
    *,
    classifiers: Mapping[str, Any] | None = None,
    selector: Any = None,
    selects: bool = True,
) -> Iterator[tuple[Row, Outcome]]:
    """Each row with each classifier.

    classifiers, selector : as of `evaluate`
    selects : False where nothing is selected: rows that differ only by that are left out
    """
    for row in rows:
        if not selects and row.select == "outside":
            continue
        labels = shuffled(table, seed) if row.shuffled else table.abnormal
        found = evaluate(
            table.mean[:, None] if row.mean else table.features,
            labels,
            table.patients,
            split=row.split,
            select=None if row.mean or not selects else row.select,
            folds=folds_of(table, row),
            table=classifiers,
            selector=selector,
            slices=table.slices,
            seed=seed,
        )
        for outcome in found:
            yield row, outcome
