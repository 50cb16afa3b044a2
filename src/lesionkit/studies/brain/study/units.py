"""The study's work in units: each gives rows, and is done once however often a run is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from lesionkit.studies.brain.classify import MAIN, classifiers, fused
from lesionkit.studies.brain.features import COOCCURRENCE
from lesionkit.studies.brain.study import protocol
from lesionkit.studies.brain.study.material import Material
from lesionkit.studies.brain.study.protocol import Row, Table
from lesionkit.studies.brain.study.records import Record, record
from lesionkit.studies.brain.study.segmentation import scored
from lesionkit.studies.brain.systems.table import systems
from lesionkit.studies.brain.table1 import TABLE1

SMALL, DRAWS = 64, 8  # regions of the small tables, and how many are drawn
SYSTEM_SEEDS = 2  # of the cited systems: they are many
MAIN_FEATURES = "229 features"


class Unit(NamedTuple):
    """A name, and what makes its rows."""

    name: str
    make: Callable[[], list[Record]]


def units(
    material: Material, tasks: tuple[str, ...], rows: tuple[Row, ...], seeds: range
) -> Iterator[Unit]:
    """All units without nets, in the order of the tables."""
    for task in tasks:
        for seed in seeds:
            yield Unit(f"{task}-classifiers-{seed}", partial(_all, material, task, rows, seed))
        for seed in seeds:
            yield Unit(f"{task}-features-{seed}", partial(_sets, material, task, rows, seed))
        yield Unit(f"{task}-small", partial(_small, material, task, rows, seeds.start))
        for seed in seeds[:SYSTEM_SEEDS]:
            yield Unit(f"{task}-systems-{seed}", partial(_systems, material, task, rows, seed))


def segmentations(material: Material) -> Iterator[Unit]:
    """Units of the segmentation rows, a patient each."""
    for patient in material.patients:
        yield Unit(f"segmentation-{patient.name}", partial(scored, patient))


def _all(material: Material, task: str, rows: tuple[Row, ...], seed: int) -> list[Record]:
    table = material.table(task, seed)
    return [
        record(task, "classifiers", row, outcome, seed, MAIN_FEATURES, table.names)
        for row, outcome in protocol.run(table, rows, seed)
    ]


def _sets(material: Material, task: str, rows: tuple[Row, ...], seed: int) -> list[Record]:
    """The study's own classifier on other features, and with the other rule of POE."""
    only = {MAIN: classifiers(seed)[MAIN]}
    table = material.table(task, seed)
    every = ("cooccurrence", "histogram", "runs", "gradient", "ar", "haar")
    given: list[tuple[str, Table, dict[str, object]]] = [
        ("POE by nearest mean", table, {"selector": fused("nearest-mean")}),
        ("Table 1's 28", table.columns(TABLE1), {"selects": False}),
        ("co-occurrence", table.columns(COOCCURRENCE), {}),
        ("levels not the region's", material.table(task, seed, normalise=None), {}),
        ("all families", material.table(task, seed, every), {}),
    ]
    return [
        record(task, "features", row, outcome, seed, name, values.names)
        for name, values, how in given
        for row, outcome in protocol.run(values, rows, seed, classifiers=only, **how)  # type: ignore[arg-type]
    ]


def _small(material: Material, task: str, rows: tuple[Row, ...], seed: int) -> list[Record]:
    """As few regions as the cited papers have: there selecting outside leaks most."""
    only = {MAIN: classifiers(seed)[MAIN]}
    found = []
    for draw in range(seed, seed + DRAWS):
        table = material.table(task, draw)
        few = table.some(_few(table, SMALL))
        found += [
            record(task, "small", row, outcome, draw, MAIN_FEATURES, table.names)
            for row, outcome in protocol.run(few, rows, draw, classifiers=only)
        ]
    return found


def _systems(material: Material, task: str, rows: tuple[Row, ...], seed: int) -> list[Record]:
    """The cited systems by the same protocol; where nothing is selected, without those rows."""
    rois, found = material.rois(task, seed), []
    drawn = material.table(task, seed)
    measured: dict[object, np.ndarray] = {}
    for name, system in systems(seed).items():
        if system.measure not in measured:
            measured[system.measure] = system.measure(rois)
        values = measured[system.measure]
        names = tuple(map(str, range(values.shape[1])))
        table = replace(drawn, features=values, names=names)
        found += [
            record(task, "systems", row, outcome, seed, name)
            for row, outcome in protocol.run(
                table,
                rows,
                seed,
                classifiers={name: system.estimator},
                selector=system.selector,
                selects=system.selector is not None,
            )
        ]
    return found


def _few(table: Table, count: int) -> np.ndarray:
    """The first regions of each patient and kind, as many of each: they were drawn at random."""
    groups = [
        np.flatnonzero((table.patients == patient) & (table.abnormal == kind))
        for patient in np.unique(table.patients)
        for kind in (True, False)
    ]
    each = max(1, count // len(groups))
    return np.sort(np.concatenate([group[:each] for group in groups]))
