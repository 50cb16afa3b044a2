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
from lesionkit.studies.brain.study.given import TASK
from lesionkit.studies.brain.study.material import Material
from lesionkit.studies.brain.study.protocol import Row, Table
from lesionkit.studies.brain.study.records import Record, record
from lesionkit.studies.brain.study.segmentation import scored
from lesionkit.studies.brain.study.tables import NEAREST_MEAN
from lesionkit.studies.brain.systems.table import System, systems
from lesionkit.studies.brain.table1 import TABLE1

SMALL, DRAWS = 64, 8  # regions of the small tables, and how many are drawn
SYSTEM_SEEDS = 2  # of the cited systems: they are many
MAIN_FEATURES = "229 features"
GIVEN = "the table's features"


class Unit(NamedTuple):
    """A name, and what makes its rows. alone : by threads of its own, not beside other units"""

    name: str
    make: Callable[[], list[Record]]
    alone: bool = False


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


def units_of(table: Table, rows: tuple[Row, ...], seeds: range) -> Iterator[Unit]:
    """The units of a table of regions that was measured elsewhere."""
    for seed in seeds:
        yield Unit(
            f"{TASK}-classifiers-{seed}", partial(_classified, table, TASK, rows, seed, GIVEN)
        )
    for seed in seeds:
        yield Unit(f"{TASK}-features-{seed}", partial(_by_mean, table, TASK, rows, seed))


def segmentations(material: Material) -> Iterator[Unit]:
    """Units of the segmentation rows, a patient each."""
    for patient in material.patients:
        yield Unit(f"segmentation-{patient.name}", partial(scored, patient))


def _all(material: Material, task: str, rows: tuple[Row, ...], seed: int) -> list[Record]:
    return _classified(material.table(task, seed), task, rows, seed, MAIN_FEATURES)


def _classified(
    table: Table, task: str, rows: tuple[Row, ...], seed: int, features: str
) -> list[Record]:
    """Every classifier on a table's features."""
    return [
        record(task, "classifiers", row, outcome, seed, features, table.names)
        for row, outcome in protocol.run(table, rows, seed)
    ]


def _by_mean(table: Table, task: str, rows: tuple[Row, ...], seed: int) -> list[Record]:
    """The study's own classifier with the other rule of POE."""
    only = {MAIN: classifiers(seed)[MAIN]}
    selector = fused("nearest-mean")
    return [
        record(task, "features", row, outcome, seed, NEAREST_MEAN, table.names)
        for row, outcome in protocol.run(table, rows, seed, classifiers=only, selector=selector)
    ]


def _sets(material: Material, task: str, rows: tuple[Row, ...], seed: int) -> list[Record]:
    """The study's own classifier with the other rule of POE, and on other features."""
    only = {MAIN: classifiers(seed)[MAIN]}
    table = material.table(task, seed)
    every = ("cooccurrence", "histogram", "runs", "gradient", "ar", "haar")
    given: list[tuple[str, Table, dict[str, object]]] = [
        ("Table 1's 28", table.columns(TABLE1), {"selects": False}),
        ("co-occurrence", table.columns(COOCCURRENCE), {}),
        ("levels not the region's", material.table(task, seed, normalise=None), {}),
        ("all families", material.table(task, seed, every), {}),
    ]
    return _by_mean(table, task, rows, seed) + [
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
    """The cited systems by the same protocol; where nothing is selected, without those rows.

    Systems that measure and select alike are run together: what they share is done once.
    """
    rois, drawn = material.rois(task, seed), material.table(task, seed)
    every = systems(seed)
    alike: dict[tuple[object, str], dict[str, System]] = {}
    for name, system in every.items():
        alike.setdefault((system.measure, repr(system.selector)), {})[name] = system
    found: dict[str, list[Record]] = {name: [] for name in every}
    for group in alike.values():
        first = next(iter(group.values()))
        values = first.measure(rois)
        names = tuple(map(str, range(values.shape[1])))
        for row, outcome in protocol.run(
            replace(drawn, features=values, names=names),
            rows,
            seed,
            classifiers={name: system.estimator for name, system in group.items()},
            selector=first.selector,
            selects=first.selector is not None,
        ):
            found[outcome.name].append(record(task, "systems", row, outcome, seed, outcome.name))
    return [one for records in found.values() for one in records]


def _few(table: Table, count: int) -> np.ndarray:
    """The first regions of each patient and kind, as many of each: they were drawn at random."""
    groups = [
        np.flatnonzero((table.patients == patient) & (table.abnormal == kind))
        for patient in np.unique(table.patients)
        for kind in (True, False)
    ]
    each = max(1, count // len(groups))
    return np.sort(np.concatenate([group[:each] for group in groups]))
