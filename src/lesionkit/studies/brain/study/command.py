"""`lesionkit brain-study`: the study's work from the data's folder to its tables."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lesionkit
from lesionkit import arrays, extras, files, job
from lesionkit.progress import Progress
from lesionkit.studies.brain import regions
from lesionkit.studies.brain.classify import Split
from lesionkit.studies.brain.datasets import brats, duplicates
from lesionkit.studies.brain.study import given, larger, nets, protocol, results, tables
from lesionkit.studies.brain.study import material as made
from lesionkit.studies.brain.study import sets as three
from lesionkit.studies.brain.study.protocol import Row, rows_of
from lesionkit.studies.brain.study.records import Record, together
from lesionkit.studies.brain.study.units import Unit, segmentations, units, units_of
from lesionkit.studies.common import forks

SEEDS = 5


class Options(NamedTuple):
    """What is asked for; all of it tells one study from another."""

    modality: str = "both"
    split: Split = "patient"
    per_class: int = regions.PER_CLASS
    seed: int = 0
    seeds: int = SEEDS
    epochs: int = 0

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("t1c", "flair") if self.modality == "both" else (self.modality,)


class _Plan(NamedTuple):
    """What is to be done, and what is known before it."""

    work: list[Unit]
    rows: tuple[Row, ...]
    source: str  # a digest of all that is read
    patients: list[str]
    told: list[str]
    problems: list[str]
    tasks: tuple[str, ...]
    material: made.Material | None


def main(
    data: Path | None,
    out: Path,
    options: Options,
    *,
    table: Path | None = None,
    pictures: str = "png",
    anew: bool = False,
) -> int:
    """Measure, tabulate, write; prints the tables. 1 if a patient could not be used, else 0.

    data     : see `brats.data_folder`;  out : a folder, made if need be
    table    : of regions measured elsewhere, in place of the data, see `given.read`
    pictures : their format, png, pdf or svg
    anew     : replace a finished study, which is refused else
    A unit of work that an earlier run into the folder has done, with the same options, data and
    version, is not done again.
    """
    arrays.one_of(options.modality, "modality", ("t1c", "flair", "both"))
    arrays.one_of(options.split, "split", ("patient", "slice", "random"))
    arrays.integer(options.per_class, "per-class", at_least=2, at_most=10**4)
    arrays.integer(options.seed, "seed", at_least=0, at_most=2**31)
    arrays.integer(options.seeds, "seeds", at_least=1, at_most=1000)
    arrays.integer(options.epochs, "epochs", at_least=0, at_most=10**5)
    files.check_folder(out)
    for library in ("sklearn", "skimage", "matplotlib.figure"):
        extras.require(library, "brain-study needs", "studies")
    if options.epochs:
        extras.require("torch", "brain-study --epochs needs")
    if (out / results.FINISHED).exists() and not anew:
        raise ValueError(
            f"{out} holds a finished study: choose another --out, or replace it with --overwrite"
        )
    plan = _of_images(data, options) if table is None else _of_table(table, options)
    with job.results_in(out):
        if (out / results.FINISHED).exists():
            results.forget(out)
        told = {**options._asdict(), "data": plan.source}
        done = _done(plan.work, job.Ledger(out, told))
        segmented = [row for row in done if row["task"] == "segmentation"]
        said = [text for row in done if row["task"] == three.SAID for text in row["sentences"]]
        rows = [row for row in done if row["task"] not in ("segmentation", three.SAID)]
        found = together(rows)
        study = results.Study(
            options=options._asdict() | ({"table": table.name} if table else {}),
            seed=options.seed,
            told=plan.told,
            problems=plan.problems,
            patients=plan.patients,
            rows=rows,
            found=found,
            segmented=segmented,
            sections=[
                *tables.sections(found, plan.rows),
                *larger.sections(found, plan.rows),
                *nets.sections(found, plan.rows),
                *three.sections(found, said),
                *tables.segmentation(segmented),
            ],
            tasks=plan.tasks,
            material=plan.material,
        )
        print(results.text(study))
        results.write(study, out, pictures)
        print(f"written to {out}: report.html, tables.txt, study.json and others")
    return int(bool(plan.problems))


def _of_images(data: Path | None, options: Options) -> _Plan:
    """Squares of images, measured here."""
    folder = brats.data_folder(data)
    patients, problems = brats.load(folder)
    material = made.Material(patients, options.per_class)
    problems += material.keep_usable()
    patients = material.patients
    if not patients:
        raise ValueError(
            f"{folder / brats.PLACE} must hold slices of a patient, PATIENT_zN_label.png and "
            f"_flair and _t1c beside it; {'; '.join(problems) or 'got none'}"
        )
    _check_patients([patient.name for patient in patients], options)
    rows = rows_of(options.split)
    three_sets = three.Sets(material, folder)
    work = [
        *(three.units(three_sets, _seeds(options)) if "t1c" in options.tasks else []),
        *units(material, options.tasks, rows, _seeds(options)),
        *larger.units(material, options.tasks, rows, _seeds(options)),
        *nets.units(material, options.tasks, rows, _seeds(options), options.epochs),
    ]
    work += segmentations(material) if "flair" in options.tasks else []
    names = [patient.name for patient in patients]
    told = _counts(material, options)
    if options.split == "random" and (near := _near(material, options.tasks)):
        print(f"lesionkit: {near}", file=sys.stderr)
        told.append(near)
    source = made.digest(folder)
    return _Plan(work, rows, source, names, told, problems, options.tasks, material)


def _near(material: made.Material, tasks: tuple[str, ...]) -> str:
    """A warning where slices are near duplicates; else nothing."""
    slices = [plane for p in material.patients for plane in p.images[tasks[0]]]
    pairs = len(duplicates.near_duplicates(slices))
    if not pairs:
        return ""
    return (
        f"Near duplicates among {len(slices)} slices: {pairs} pair{'s' * (pairs > 1)}; a random "
        "split learns from what it tests."
    )


def _of_table(path: Path, options: Options) -> _Plan:
    """Regions that were measured elsewhere."""
    table = given.read(path, options.split)
    names = sorted(set(map(str, table.patients)))
    _check_patients(names, options)
    rows = tuple(row for row in rows_of(options.split) if given.has_mean(table) or not row.mean)
    protocol.check(table, rows, _seeds(options))
    told = [
        f"{len(table.abnormal)} regions of {len(names)} patients, {table.abnormal.sum()} abnormal, "
        f"{len(table.names)} features, measured elsewhere: {path.name}.",
        "Patients are few: read the spread over them, not the digits.",
    ]
    if not given.has_mean(table):
        told.append("The table has no column Mean: what brightness alone tells is not known.")
    source = hashlib.sha256(path.read_bytes()).hexdigest()
    work = [
        *units_of(table, rows, _seeds(options)),
        *nets.units_of(table, rows, _seeds(options), options.epochs),
    ]
    return _Plan(work, rows, source, names, told, [], (given.TASK,), None)


def _seeds(options: Options) -> range:
    return range(options.seed, options.seed + options.seeds)


def _check_patients(names: Sequence[str], options: Options) -> None:
    if len(names) < 2 and options.split == "patient":
        raise ValueError(
            f"two patients or more are needed to hold one out, got {names[0]} alone; "
            "--split slice or random compares the slices of one, which leaks"
        )


def _done(work: Sequence[Unit], ledger: job.Ledger) -> list[Record]:
    """The rows of all units, of which those that are not done yet are shared out to processes."""

    def record_of(unit: Unit) -> dict[str, Any]:
        record = ledger.find(unit.name, [])
        if record is None:
            record = {"rows": unit.make()}
            ledger.put(unit.name, [], [], record)
        return record

    with Progress("steps") as progress:
        shared = [unit for unit in work if not unit.alone]

        forks.share(
            len(shared),
            lambda number: record_of(shared[number]),
            lesionkit.threads(),
            lambda number: progress(number, len(work), shared[number].name),
        )
        found: list[Record] = []
        for number, unit in enumerate(work):
            if unit.alone:
                progress(max(number, len(shared)), len(work), unit.name)
            found += record_of(unit)["rows"]
        progress(len(work), len(work))
    return found


def _counts(material: made.Material, options: Options) -> list[str]:
    names = ", ".join(patient.name for patient in material.patients)
    planes = sum(len(patient.planes) for patient in material.patients)
    lossy = [patient.name for patient in material.patients if patient.lossy]
    told = [
        f"{len(material.patients)} patients ({names}), {planes} slices; up to "
        f"{options.per_class} squares of {regions.SIZE} x {regions.SIZE} pixels of tumour and as "
        f"many of brain {regions.MARGIN} pixels or more from it, of each.",
        "Preprocessing: Gaussian of 1 pixel, sharpened by 1, 8 bits. Patients are few: read the "
        "spread over them, not the digits.",
    ]
    if options.epochs == 0:
        told.append("CNN and LSTM are not among the classifiers: --epochs 20 trains these.")
    if lossy:
        told.append(f"8 bits, lossy (JPEG): {', '.join(lossy)}.")
    return told
