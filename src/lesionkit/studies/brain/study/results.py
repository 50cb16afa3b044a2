"""The files of a study: what each holds, and what tells that all are there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lesionkit import __version__, files, job, report
from lesionkit.studies.brain import WARNING, model, regions
from lesionkit.studies.brain.classify import MAIN, RATES, classifiers
from lesionkit.studies.brain.study import page, pictures, tables
from lesionkit.studies.brain.study.material import Material
from lesionkit.studies.brain.study.records import KEYS, PRIVATE, Record

FINISHED = "study.json"  # written last: where it is, the others are whole
PICTURES = ("roc", "regions", "confusions")
RESULTS = (
    FINISHED, "tables.txt", "report.html", "classifiers.json", "chosen.tsv", "times.tsv",
    "regions.tsv", "features_t1c.tsv", "features_flair.tsv", "model_t1c.json", "model_flair.json",
    *(f"{name}.{kind}" for name in PICTURES for kind in report.FORMATS),
)  # fmt: skip
CHOSEN = ("task", "features", "seed", "fold", "held_out", "rank", "column")


class Study(NamedTuple):
    """All that is written."""

    options: dict[str, Any]
    seed: int  # the first
    told: list[str]  # sentences on what was measured
    problems: list[str]
    patients: list[str]
    rows: list[Record]  # of each seed
    found: list[Record]  # over seeds
    segmented: list[Record]
    sections: list[tables.Section]
    tasks: tuple[str, ...]
    material: Material | None  # None: the regions' table was given


def forget(out: Path) -> None:
    """Remove a study, its end first: killed in the middle of this, it is unfinished."""
    for name in RESULTS:
        (out / name).unlink(missing_ok=True)
    shutil.rmtree(out / "done", ignore_errors=True)


def text(study: Study) -> str:
    """tables.txt."""
    told = [*study.told, *(f"Not used: {problem}" for problem in study.problems)]
    lines = [line for section in study.sections for line in section.lines()]
    return "\n".join([WARNING, "", *told, "", *lines])


def write(study: Study, out: Path, kind: str) -> None:
    """Write all files. kind : of the pictures"""
    if study.material is not None:
        _regions(study, study.material, out)
        _models(study, study.material, out)
    job.write_table(out / "chosen.tsv", _chosen(study.rows), CHOSEN)
    seconds = [{**row, "seconds": f"{row['seconds']:.6f}"} for row in study.found]
    job.write_table(out / "times.tsv", seconds, (*KEYS[:-1], "seconds"))
    files.write(out / "classifiers.json", json.dumps(_classifiers(study), indent=1) + "\n")
    figures = {"roc": pictures.roc(study.found), "confusions": pictures.confusions(study.found)}
    if study.material is not None:
        figures["regions"] = pictures.squares(study.material, study.tasks, study.seed)
    for name, figure in figures.items():
        report.save(figure, out / f"{name}.{kind}")
    page.write(out / "report.html", study, figures)
    files.write(out / "tables.txt", text(study) + "\n")
    content = {
        "warning": WARNING,
        "version": __version__,
        "options": study.options,
        "patients": study.patients,
        "not_used": study.problems,
        "rows": [
            {key: value for key, value in row.items() if key not in PRIVATE}
            for row in [*study.found, *study.segmented]
        ],
    }
    files.write(out / FINISHED, json.dumps(content, indent=1) + "\n")


def _chosen(rows: Sequence[Record]) -> list[dict[str, Any]]:
    """Of the study's own row the columns of each fold."""
    return [
        {"task": row["task"], "features": row["features"], "seed": row["seed"], "fold": fold,
         "held_out": " ".join(held), "rank": rank, "column": column}
        for row in rows
        if row["key"] == tables.OWN and row["classifier"] == MAIN
        and row["table"] in ("classifiers", "features")
        for fold, (held, columns) in enumerate(zip(row["held"], row["chosen"], strict=False))
        for rank, column in enumerate(columns, start=1)
    ]  # fmt: skip


def _classifiers(study: Study) -> dict[str, Any]:
    """classifiers.json: of each classifier its settings, and of each row its figures and curve."""
    settings = classifiers(study.seed)
    wanted = ("row", "split", "selection", "accuracy", "wilson", "kappa", "tp_rate", "fp_rate",
              "auc", "n_rois", "n_patients", "seeds", "confusion")  # fmt: skip
    told: dict[str, Any] = {}
    for task in study.tasks:
        of = told[task] = {}
        for row in pictures.classified(study.found, task):
            name = row["classifier"]
            one = of.setdefault(name, {"settings": _settings(settings.get(name)), "rows": []})
            one["rows"].append({key: row[key] for key in wanted} | {"roc": row["curve"]})
    return {
        "warning": WARNING,
        "classes": ["normal", "abnormal"],
        "false_positive_rates_of_roc": RATES.round(2).tolist(),
        "tasks": told,
    }


def _models(study: Study, material: Material, out: Path) -> None:
    """Of each task the study's own classifier, fitted to all squares of the first seed; none of one
    patient alone: its probabilities need one who is held out."""
    for task in study.tasks if len(material.patients) > 1 else ():
        model.save(_model(material, task, study.seed), out / f"model_{task}.json")


def _model(material: Material, task: str, seed: int) -> model.Model:
    """Each square twice: with the levels of its whole head, and with those of its slice alone."""
    squares, abnormal, patients = [], [], []
    for patient in material.patients:
        drawn = [one for one in material.regions(seed) if one.patient == patient.name]
        image = patient.images[task]
        alone = np.stack([
            model.levels_of(*pair) for pair in zip(image, patient.brain, strict=True)
        ])  # fmt: skip
        for levels in (model.levels_of(image, patient.brain), alone):
            squares.append(regions.cut(levels, drawn))
            abnormal += [one.abnormal for one in drawn]
            patients += [patient.name] * len(drawn)
    found = model.fit(np.concatenate(squares), np.array(abnormal), patients, task)
    return replace(found, n_rois=len(material.regions(seed)))


def _settings(estimator: Any) -> str:
    """scikit-learn's own words, on one line."""
    return " ".join(repr(estimator).split()) if estimator is not None else ""


def _regions(study: Study, material: Material, out: Path) -> None:
    """regions.tsv and features.tsv of the first seed."""
    drawn = material.regions(study.seed)
    planes = {patient.name: patient.planes for patient in material.patients}
    rows: list[dict[str, Any]] = [
        {**region._asdict(), "plane": planes[region.patient][region.plane],
         "abnormal": int(region.abnormal)}
        for region in drawn
    ]  # fmt: skip
    job.write_table(out / "regions.tsv", rows, regions.Region._fields)
    for task in study.tasks:
        table = material.table(task, study.seed)
        lines = [
            {"patient": row["patient"], "class": row["abnormal"],
             **{name: f"{value:.9g}" for name, value in zip(table.names, values, strict=True)}}
            for row, values in zip(rows, table.features, strict=True)
        ]  # fmt: skip
        job.write_table(out / f"features_{task}.tsv", lines, ("patient", "class", *table.names))
