"""Rows of study.json: one outcome, and what the seeds' outcomes are together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Any

import numpy as np

from lesionkit.studies.brain.classify import CLASSES, Outcome
from lesionkit.studies.brain.study.protocol import Row
from lesionkit.studies.common.classify import wilson

Record = dict[str, Any]
FIGURES = ("accuracy", "kappa", "tp_rate", "fp_rate", "auc", "seconds")
DIGITS = 6  # of a curve
PRIVATE = ("chosen", "curve", "seconds", "seconds_sd")  # has a file of its own; not in study.json
KEYS = ("task", "table", "row", "classifier", "features", "split", "selection", "key")


def record(
    task: str,
    table: str,
    row: Row,
    outcome: Outcome,
    seed: int,
    features: str,
    names: Sequence[str] = (),
) -> Record:
    """Plain values of one outcome.

    features : what the table of features is called;  names : of its columns, for what was chosen
    """
    return {
        "task": task,
        "table": table,
        "row": row.title,
        "key": row.key,
        "classifier": outcome.name,
        "features": "mean" if row.mean else features,
        "split": row.split,
        "selection": row.select if outcome.selected else "none",
        "seed": seed,
        **{name: float(getattr(outcome, name)) for name in FIGURES},
        "confusion": outcome.confusion.tolist(),
        "n_rois": outcome.n,
        "n_patients": len(outcome.by_patient),
        "by_patient": {
            name: {"n": told.n, "accuracy": told.accuracy, "auc": _plain(told.auc)}
            for name, told in outcome.by_patient.items()
        },
        "curve": np.round(outcome.curve, DIGITS).tolist(),
        "chosen": [[names[i] for i in fold] for fold in outcome.chosen if fold] if names else [],
        "held": outcome.held if names and outcome.selected else [],
    }


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def together(records: Iterable[Record]) -> list[Record]:
    """One row for each (task, table, row, classifier): means and spreads over seeds and patients.

    accuracy, kappa, ... are means over seeds, NAME_sd their standard deviations; wilson is the
    interval of the mean accuracy in n_rois regions, as if these were independent, which those of a
    patient are not; curve is the mean of the true positive rates; patients has each patient's mean
    over the seeds, and patient_sd the standard deviation of their accuracies.
    """
    groups: dict[tuple[str, ...], list[Record]] = {}
    for one in records:
        groups.setdefault(tuple(one[key] for key in KEYS), []).append(one)
    return [_mean(dict(zip(KEYS, key, strict=True)), group) for key, group in groups.items()]


def _mean(key: Mapping[str, Any], group: list[Record]) -> Record:
    row: Record = dict(key)
    for name in FIGURES:
        values = [one[name] for one in group]
        row[name], row[f"{name}_sd"] = fmean(values), pstdev(values)
    row["n_rois"] = round(fmean(one["n_rois"] for one in group))
    row["n_patients"] = max(one["n_patients"] for one in group)
    row["wilson"] = wilson(row["accuracy"], row["n_rois"])
    row["seeds"] = [one["seed"] for one in group]
    row["confusion"] = np.sum([one["confusion"] for one in group], axis=0).tolist()
    row["classes"] = CLASSES
    row["curve"] = np.mean([one["curve"] for one in group], axis=0).round(DIGITS).tolist()
    row["chosen"] = [fold for one in group for fold in one["chosen"]]
    row["patients"] = _patients(group)
    accuracies = [told["accuracy"] for told in row["patients"].values()]
    row["patient_sd"] = pstdev(accuracies)
    areas = [told["auc"] for told in row["patients"].values() if told["auc"] is not None]
    row["auc_patients"] = fmean(areas) if areas else None
    row["auc_patient_sd"] = pstdev(areas) if areas else None
    return row


def _patients(group: list[Record]) -> dict[str, Record]:
    names = sorted({name for one in group for name in one["by_patient"]})
    told = {}
    for name in names:
        of = [one["by_patient"][name] for one in group if name in one["by_patient"]]
        areas = [one["auc"] for one in of if one["auc"] is not None]
        told[name] = {
            "n": round(fmean(one["n"] for one in of)),
            "accuracy": fmean(one["accuracy"] for one in of),
            "auc": fmean(areas) if areas else None,
        }
    return told
