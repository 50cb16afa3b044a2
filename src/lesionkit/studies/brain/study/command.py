"""`lesionkit brain-study`: the study's work from the data's folder to its tables."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lesionkit import __version__, arrays, extras, files, job
from lesionkit.progress import Progress
from lesionkit.studies.brain import WARNING, regions
from lesionkit.studies.brain.classify import Split
from lesionkit.studies.brain.datasets import brats
from lesionkit.studies.brain.study import larger, tables
from lesionkit.studies.brain.study import material as made
from lesionkit.studies.brain.study.protocol import rows_of
from lesionkit.studies.brain.study.records import Record, together
from lesionkit.studies.brain.study.units import Unit, segmentations, units

SEEDS = 5
RESULTS = ("study.json", "tables.txt")


class Options(NamedTuple):
    """What is asked for; all of it tells one study from another."""

    modality: str = "both"
    split: Split = "patient"
    per_class: int = regions.PER_CLASS
    seed: int = 0
    seeds: int = SEEDS

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("t1c", "flair") if self.modality == "both" else (self.modality,)


def main(data: Path | None, out: Path, options: Options) -> int:
    """Measure, tabulate, write; prints the tables. 1 if a patient could not be used, else 0.

    data : see `brats.data_folder`;  out : a folder, made if need be
    A unit of work that an earlier run into the folder has done, with the same options, data and
    version, is not done again.
    """
    arrays.one_of(options.modality, "modality", ("t1c", "flair", "both"))
    arrays.one_of(options.split, "split", ("patient", "slice", "random"))
    arrays.integer(options.per_class, "per-class", at_least=2, at_most=10**4)
    arrays.integer(options.seed, "seed", at_least=0, at_most=2**31)
    arrays.integer(options.seeds, "seeds", at_least=1, at_most=1000)
    files.check_folder(out)
    for library in ("sklearn", "skimage"):
        extras.require(library, "brain-study needs", "studies")
    folder = brats.data_folder(data)
    patients, problems = brats.load(folder)
    patients, more = made.usable(patients)
    problems += more
    if not patients:
        raise ValueError(
            f"{folder / brats.PLACE} must hold slices of a patient, PATIENT_zN_label.png and "
            f"_flair and _t1c beside it; {'; '.join(problems) or 'got none'}"
        )
    if len(patients) < 2 and options.split == "patient":
        raise ValueError(
            f"two patients or more are needed to hold one out, got {patients[0].name} alone; "
            "--split slice or random compares the slices of one, which leaks"
        )
    out.mkdir(parents=True, exist_ok=True)
    with files.locked(out):
        material = made.Material(patients, options.per_class)
        told = {**options._asdict(), "data": made.digest(folder)}
        rows = rows_of(options.split)
        seeds = range(options.seed, options.seed + options.seeds)
        work = [
            *units(material, options.tasks, rows, seeds),
            *larger.units(material, options.tasks, rows, seeds),
        ]
        masks = list(segmentations(material)) if "flair" in options.tasks else []
        done = _done([*work, *masks], job.Ledger(out, told))
        segmented = [row for row in done if row["task"] == "segmentation"]
        found = together(row for row in done if row["task"] != "segmentation")
        sections = [
            *tables.sections(found, rows),
            *larger.sections(found, rows),
            *tables.segmentation(segmented),
        ]
        _write(material, [*found, *segmented], sections, problems, out, options)
    return int(bool(problems))


def clear(out: Path) -> None:
    """Forget the units of an earlier study: all of it is done again."""
    shutil.rmtree(out / "done", ignore_errors=True)


def _done(work: Sequence[Unit], ledger: job.Ledger) -> list[Record]:
    found: list[Record] = []
    with Progress("steps") as progress:
        for number, unit in enumerate(work):
            progress(number, len(work), unit.name)
            record = ledger.find(unit.name, [])
            if record is None:
                record = {"rows": unit.make()}
                ledger.put(unit.name, [], [], record)
            found += record["rows"]
        progress(len(work), len(work))
    return found


def _write(
    material: made.Material,
    found: list[Record],
    sections: list[tables.Section],
    problems: list[str],
    out: Path,
    options: Options,
) -> None:
    lines = [WARNING, "", *_counts(material, options), *(f"Not used: {p}" for p in problems), ""]
    lines += [line for section in sections for line in section.lines()]
    text = "\n".join(lines)
    print(text)
    _regions(material, out, options)
    content = {
        "warning": WARNING,
        "version": __version__,
        "options": options._asdict(),
        "patients": [patient.name for patient in material.patients],
        "not_used": problems,
        "rows": [{k: v for k, v in row.items() if k != "chosen"} for row in found],
    }
    files.write(out / "tables.txt", text + "\n")
    files.write(out / "study.json", json.dumps(content, indent=1) + "\n")


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
    if lossy:
        told.append(f"8 bits, lossy (JPEG): {', '.join(lossy)}.")
    return told


def _regions(material: made.Material, out: Path, options: Options) -> None:
    """regions.tsv and features.tsv of the first seed."""
    drawn = material.regions(options.seed)
    planes = {patient.name: patient.planes for patient in material.patients}
    rows: list[dict[str, Any]] = [
        {**region._asdict(), "plane": planes[region.patient][region.plane],
         "abnormal": int(region.abnormal)}
        for region in drawn
    ]  # fmt: skip
    job.write_table(out / "regions.tsv", rows, regions.Region._fields)
    for task in options.tasks:
        table = material.table(task, options.seed)
        lines = [
            {"patient": row["patient"], "class": row["abnormal"],
             **{name: f"{value:.9g}" for name, value in zip(table.names, values, strict=True)}}
            for row, values in zip(rows, table.features, strict=True)
        ]  # fmt: skip
        job.write_table(out / f"features_{task}.tsv", lines, ("patient", "class", *table.names))
