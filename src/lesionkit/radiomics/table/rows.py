"""A table of cases, as PyRadiomics reads it, and the table of their features."""

from __future__ import annotations

import csv
import io as text_io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionkit import files
from lesionkit.radiomics.parameters import LABELS_ALL, check_known

COLUMNS = ("Image", "Mask", "Label", "Label_channel", "ID")
"""What a table may tell; the first two it must. Other columns are kept as they are."""

ALL = LABELS_ALL
UNITED = "+"  # between labels that are one region


@dataclass(frozen=True)
class Row:
    """A row of the table.

    number  : from 1
    cells   : as they stand, but paths, which are absolute
    label   : None where the parameters have it
    problem : what is wrong with it, in words; "" if nothing is
    """

    number: int
    cells: Mapping[str, str]
    image: Path
    mask: Path
    label: Any = None
    channel: int | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """In the ledger."""
        return f"{self.number:06d}"

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files that it depends on."""
        return self.image, self.mask


def read(path: Path) -> tuple[list[str], list[Row]]:
    """The columns and rows of a table of values between commas, semicolons or tabs."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError as problem:
        raise ValueError(f"{path} must be a table in UTF-8: {problem.reason}") from None
    first = lines[0] if lines else ""
    between = max(",;\t", key=first.count)
    try:
        cells = list(csv.reader(lines, delimiter=between, strict=True))
    except csv.Error as problem:
        raise ValueError(f"{path} is no table: {problem}") from None
    cells = [row for row in cells if any(cell.strip() for cell in row)]
    columns = [cell.strip() for cell in cells[0]] if cells else []
    for name in COLUMNS[:2]:
        if name not in columns:
            for column in columns:
                if column.casefold() == name.casefold():
                    check_known(column, COLUMNS, "column")
            found = ", ".join(columns) or "nothing"
            raise ValueError(f"{path} must have the columns Image and Mask, got {found}")
    if len(set(columns)) < len(columns):
        raise ValueError(f"{path} must name each column once, got {', '.join(columns)}")
    if len(cells) < 2:
        raise ValueError(f"{path} must have a row or more below its names, it has none")
    rows = [_row(path, columns, number, row) for number, row in enumerate(cells[1:], start=1)]
    return columns, rows


def _row(table: Path, columns: list[str], number: int, cells: list[str]) -> Row:
    said = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
    place = table.absolute().parent
    image, mask = (place / said.get(name, "") for name in COLUMNS[:2])
    label = channel = None
    problem = ""
    if len(cells) > len(columns):
        problem = f"it has {len(cells)} cells for {len(columns)} columns"
    for name in COLUMNS[:2]:
        if said.get(name):
            said[name] = str(place / said[name])
        else:
            problem = problem or f"its cell {name} is empty"
    try:
        label = _label(said.get("Label", ""))
        channel = _whole(said.get("Label_channel", ""), "Label_channel", 0)
    except ValueError as wrong:
        problem = problem or str(wrong)
    if problem:
        problem = f"{image}: row {number} of {table} cannot be read: {problem}"
    return Row(number, said, image, mask, label, channel, problem)


def _label(cell: str) -> Any:
    if not cell or cell == ALL:
        return cell or None
    labels = tuple(_whole(part, "Label", 1) for part in cell.split(UNITED))
    return labels[0] if len(labels) == 1 else labels


def _whole(cell: str, name: str, least: int) -> int | None:
    """None of an empty cell; 2 of "2.0" as well, which other programs write."""
    if not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        value = -1.0
    if not (value.is_integer() and least <= value < 2**32):
        raise ValueError(f"{name} must be a whole number of at least {least}, got {cell!r}")
    return int(value)


def write(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """Rows in their order; columns of the input, then features in the order of the first row that
    has any, and what later rows have beside."""
    names = list(dict.fromkeys([*columns, *(name for row in rows for name in row)]))
    out = text_io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(names)
    table.writerows([files.on_one_line(row.get(name, "")) for name in names] for row in rows)
    files.write(path, out.getvalue())
