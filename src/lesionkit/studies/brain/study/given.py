"""A table of regions from elsewhere: its columns patient, class and features, by the same rows."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from lesionkit.studies.brain.study.protocol import Table

CLASSES = {"0": False, "1": True, "normal": False, "abnormal": True}
MEAN = "mean"  # the column that the row of the mean intensity takes, where there is one
TASK = "table"


def has_mean(table: Table) -> bool:
    """Whether there is a mean intensity for the row of it."""
    return bool(np.isfinite(table.mean).all())


def read(path: Path, split: str = "patient") -> Table:
    """Tab- or comma-separated values, a line of names first.

    patient : any text;  class : 0 or normal, 1 or abnormal;  slice : a whole number, if there is
    such a column;  all others : features, finite numbers. ValueError names the row and the column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except (UnicodeDecodeError, csv.Error):
        sentence = f"table must be text of tab- or comma-separated values, {path} is not"
        raise ValueError(sentence) from None
    rows = [(number, line) for number, line in enumerate(lines, start=1) if any(line)]
    header = [name.strip() for name in rows[0][1]] if rows else []
    key = {name.lower(): i for i, name in enumerate(header)}
    features = [i for i, n in enumerate(header) if n.lower() not in ("patient", "class", "slice")]
    missing = [name for name in ("patient", "class") if name not in key]
    if missing or not features:
        what = f"no column {missing[0]}" if missing else "no feature"
        raise ValueError(
            f"table must have the columns patient, class and features, {path} has {what}"
        )
    if split == "slice" and "slice" not in key:
        raise ValueError(f"table must have a column slice for --split slice, {path} has none")
    if twice := [name for name in header if header.count(name) > 1]:
        raise ValueError(f"table must name each column once, {path} has {twice[0]!r} twice")
    if len(rows) < 2:
        raise ValueError(f"table must have a row for each region, {path} has names only")

    def number(line: int, row: list[str], column: int) -> float:
        try:
            value = float(row[column])
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            raise _wrong(path, line, header[column], "a finite number", row[column])
        return value

    values = np.empty((len(rows) - 1, len(features)))
    kinds, patients, slices = [], [], []
    for i, (line, row) in enumerate(rows[1:]):
        if len(row) != len(header):
            raise ValueError(
                f"table must have {len(header)} cells a row, row {line} of {path} has {len(row)}"
            )
        patient, kind = row[key["patient"]].strip(), row[key["class"]].strip().lower()
        if not patient:
            raise _wrong(path, line, "patient", "a name", "")
        if kind not in CLASSES:
            raise _wrong(path, line, "class", "0, 1, normal or abnormal", kind)
        patients.append(patient)
        kinds.append(CLASSES[kind])
        slices.append(int(number(line, row, key["slice"])) if "slice" in key else 0)
        values[i] = [number(line, row, column) for column in features]
    names = tuple(header[column] for column in features)
    lower = [name.lower() for name in names]
    mean = values[:, lower.index(MEAN)] if MEAN in lower else np.full(len(values), np.nan)
    return Table(
        values, names, np.array(kinds), np.array(patients), np.array(slices, np.int64), mean
    )


def _wrong(path: Path, line: int, column: str, wanted: str, got: str) -> ValueError:
    return ValueError(
        f"table must hold {wanted} in row {line}, column {column!r} of {path}, got {got!r}"
    )
