"""Cited systems whose regions are no squares of 10 x 10 pixels, each on regions of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from lesionkit.studies.brain import regions
from lesionkit.studies.brain.classify import FOLDS, standardised
from lesionkit.studies.brain.datasets.brats import Patient
from lesionkit.studies.brain.study import protocol, tables
from lesionkit.studies.brain.study.material import Material
from lesionkit.studies.brain.study.protocol import Row, Table
from lesionkit.studies.brain.study.records import Record, record
from lesionkit.studies.brain.study.units import SYSTEM_SEEDS, Unit
from lesionkit.studies.brain.systems import basins, multifractal

NAME = "larger regions"
MOSTLY = 0.5  # of a region in tumour: abnormal
SECTIONS = {"watershed-svm": "2.3", "multifractal-bpnn": "2.10"}
PRINTED = {"watershed-svm": "85.32", "multifractal-bpnn": "82.04, breast"}


def units(
    material: Material, tasks: tuple[str, ...], rows: tuple[Row, ...], seeds: range
) -> Iterator[Unit]:
    """Both systems of each task, by all seeds: the watershed is the same for these."""
    for task in tasks:
        yield Unit(f"{task}-larger", partial(_seeds, material, task, rows, seeds[:SYSTEM_SEEDS]))


def _seeds(
    material: Material, task: str, rows: tuple[Row, ...], seeds: Sequence[int]
) -> list[Record]:
    return [one for seed in seeds for one in _both(material, task, rows, seed)]


def _both(material: Material, task: str, rows: tuple[Row, ...], seed: int) -> list[Record]:
    from sklearn.svm import SVC

    from lesionkit.studies.brain.mlp import Mlp

    given = (
        ("watershed-svm", basin_table(material, task, seed), SVC(kernel="linear")),
        ("multifractal-bpnn", box_table(material, task, seed), Mlp(seed)),
    )
    found = []
    for name, table, estimator in given:
        if table is None:
            continue
        found += [
            record(task, NAME, row, outcome, seed, name)
            for row, outcome in protocol.run(
                table, rows, seed, classifiers={name: standardised(estimator)}, selects=False
            )
        ]
    return found


def basin_table(material: Material, task: str, seed: int) -> Table | None:
    """Regions of a watershed, of each patient as many in tumour as not, drawn at random; None where
    there are too few of them, or of patients."""
    parts = []
    for patient in material.patients:
        key = ("basins", task, patient.name)
        measured = material.once(key, partial(_measured, material, task, patient))
        if not measured:
            continue
        kinds = np.concatenate([abnormal for _, _, abnormal in measured])
        many = min(kinds.sum(), (~kinds).sum(), material.per_class)
        picked = [
            regions.random_of(patient.name, seed, 0, 2 + kind).permutation(
                np.flatnonzero(kinds == bool(kind))
            )[:many]
            for kind in (1, 0)
        ]
        rows = np.concatenate(picked)
        parts.append(
            Table(
                np.concatenate([found.features for _, found, _ in measured])[rows],
                basins.NAMES,
                kinds[rows],
                np.full(len(rows), patient.name),
                np.concatenate([np.full(found.ids.size, p) for p, found, _ in measured])[rows],
                np.concatenate([found.mean for _, found, _ in measured])[rows],
            )
        )
    return _joined(parts)


def _measured(
    material: Material, task: str, patient: Patient
) -> list[tuple[int, basins.Basins, npt.NDArray[np.bool_]]]:
    """Of each plane with regions these, and which of them are abnormal."""
    image = material.image(patient, task)
    return [
        (plane, found, basins.in_tumour(found, patient.tumour[plane]) > MOSTLY)
        for plane in range(len(image))
        for found in (basins.basins(image[plane], patient.brain[plane]),)
        if found.ids.size
    ]


def box_table(material: Material, task: str, seed: int) -> Table | None:
    """Squares of 32 x 32 pixels and their spectra; patients without one are left out."""
    parts = []
    for patient in material.patients:
        try:
            drawn = regions.draw(
                patient.tumour,
                patient.brain,
                patient.name,
                size=multifractal.LEAST,
                per_class=material.per_class,
                seed=seed,
            )
        except ValueError:  # none fits
            continue
        rois = regions.cut(material.image(patient, task), drawn, multifractal.LEAST)
        parts.append(
            Table(
                multifractal.dimensions(rois),
                tuple(f"D({q})" for q in multifractal.ORDERS),
                np.array([region.abnormal for region in drawn]),
                np.array([region.patient for region in drawn]),
                np.array([region.plane for region in drawn]),
                rois.mean((1, 2)),
            )
        )
    return _joined(parts)


def _joined(parts: Sequence[Table]) -> Table | None:
    parts = [part for part in parts if len(part.abnormal)]
    kinds = np.concatenate([part.abnormal for part in parts]) if parts else np.empty(0, bool)
    if len(parts) < 2 or min(kinds.sum(), (~kinds).sum()) < FOLDS:
        return None
    columns = ("features", "abnormal", "patients", "slices", "mean")
    features, *rest = (np.concatenate([getattr(part, name) for part in parts]) for name in columns)
    abnormal, patients, slices, mean = rest
    return Table(features, parts[0].names, abnormal, patients, slices, mean)


def sections(records: Sequence[Record], rows: Sequence[Row]) -> list[tables.Section]:
    """A table for each task."""
    found = []
    for task in dict.fromkeys(r["task"] for r in records if r["table"] == NAME):
        of = [r for r in records if r["table"] == NAME and r["task"] == task]
        cells = []
        for name in dict.fromkeys(r["classifier"] for r in of):
            line = {"system": name, "section": SECTIONS[name]}
            for row in rows:
                one = [r for r in of if r["classifier"] == name and r["key"] == row.key]
                if one:
                    line[row.title] = tables.cell(one[0])
                    line["regions"] = str(one[0]["n_rois"])
                    line["patients"] = str(one[0]["n_patients"])
            cells.append({**line, "printed, other data": PRINTED[name]})
        found.append(
            tables.Section(
                f"{tables.TITLES.get(task, task)}; cited systems on regions of their own",
                cells,
                "accuracy (kappa) AUC, means over seeds; nothing is selected. watershed-svm: "
                "basins of what is brighter than Otsu's threshold, as many of each patient in "
                "tumour as not;",
                "multifractal-bpnn: squares of 32 x 32 pixels; a patient without one wholly in "
                "tumour is left out, and a system with fewer than ten regions of a kind.",
            )
        )
    return found
