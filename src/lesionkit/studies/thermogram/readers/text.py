"""Temperature matrices as text, in the ways that cameras and databases write them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float64]
UNITS = ("C", "F", "K")
ABSOLUTE_ZERO = -273.15  # what cameras write for a pixel that they do not know
SKIN = (0.0, 60.0)  # where the median of a matrix in Celsius lies, if no header tells its unit
MAX_NAMED = 5
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORD = re.compile(r"[^\W\d_]{2,}")
_UNIT = re.compile(
    r"(?:\bunits?\b|\btemperatures?\b)[\s:;=,\t\"(\[]*[°º˚]?\s*([CFK])\b|[°º˚]\s*([CFK])\b"
    r"|\b(celsius|fahrenheit|kelvin)\b",
    re.IGNORECASE,
)


class Matrix(NamedTuple):
    """What a text file holds."""

    celsius: Real  # (rows, columns)
    bad: npt.NDArray[np.bool_]  # pixels without a temperature, which were filled in
    decimals: int  # the most that a number has
    delimiter: str  # ";", ",", "tab" or "space"


def read_matrix(path: Path, unit: str = "auto", *, fill: bool = False) -> Matrix:
    """Read a matrix of temperatures: a line for each row of pixels.

    Fields are parted by semicolons, tabs, commas or spaces, with decimal points or commas; a line
    may end with a delimiter, and lines with CR, LF or both. Lines of words before the first row
    are a header, of which the unit is read. UTF-8 (with BOM or not), UTF-16 with BOM, Latin-1.

    unit : "C", "F" or "K"; "auto": the header's, or without one Celsius, if the median is
           from 0 to 60
    fill : replace pixels without a temperature (words, NaN, absolute zero) by the median of their
           neighbours, instead of refusing them
    Raises ValueError that names the row and the line where a row is ragged or a pixel has none.
    """
    lines = [
        (number, line.strip(" \t\"'"))
        for number, line in enumerate(re.split(r"\r\n|\r|\n", _decoded(path)), 1)
    ]
    lines = [(number, line) for number, line in lines if line.strip(";, \t")]
    if not lines:
        raise ValueError(f"{path} must hold a matrix of temperatures, it is empty")
    delimiter, point = _dialect(path, [line for _, line in lines])
    rows = [(number, _fields(line, delimiter)) for number, line in lines]
    width = Counter(len(fields) for _, fields in rows).most_common(1)[0][0]
    if width < 2:
        raise ValueError(f"{path} must hold a matrix of temperatures, it has no rows of numbers")
    start = next(
        (i for i, (_, fields) in enumerate(rows) if _is_row(fields, width, point)), len(rows)
    )
    header, rows = [line for _, line in lines[:start]], rows[start:]
    if len(rows) < 2:
        raise ValueError(f"{path} must hold a matrix of temperatures, it has no rows of numbers")
    for row, (number, fields) in enumerate(rows, 1):
        if len(fields) != width:
            raise ValueError(
                f"{path} must have rows of {width} numbers, row {row} (line {number}) has "
                f"{len(fields)}"
            )
    values, words = _values(rows, width, point)
    bad = ~(values > ABSOLUTE_ZERO)  # NaN, too
    if bad.all():
        raise ValueError(f"{path} must hold temperatures, it has none")
    if bad.any() and not fill:
        raise ValueError(f"{path} {_named(bad, words)}; --fill takes the median of the neighbours")
    celsius = _celsius(path, values, bad, unit, "\n".join(header))
    if bad.any():
        celsius[bad] = np.nan
        celsius = filled(celsius)
    decimals = max((len(f.partition(point)[2]) for f in rows[0][1]), default=0)
    return Matrix(celsius, bad, decimals, {"\t": "tab", " ": "space"}.get(delimiter, delimiter))


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as problem:
            raise ValueError(f"{path} must be text, its UTF-16 is broken") from problem
    if b"\0" in data[:4096]:
        raise ValueError(f"{path} must be text, it holds bytes of value 0")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _dialect(path: Path, lines: list[str]) -> tuple[str, str]:
    """The delimiter and the decimal point, by the second half of the lines: there is no header."""
    body = lines[len(lines) // 2 :]
    text = "\n".join(body)
    inner = [line.rstrip(";, \t") for line in body]
    if any(";" in line for line in inner):
        delimiter = ";"
    elif any("\t" in line for line in inner):
        delimiter = "\t"
    elif any(re.search(r"\d,? +[+-]?\d", line) for line in inner) and not re.search(r", ", text):
        delimiter = " "
    elif any("," in line for line in inner):
        delimiter = ","
        if not re.search(r"\d\.\d", text):
            raise ValueError(
                f"{path} must tell decimals from columns: it has commas, and neither points nor "
                "another delimiter"
            )
    else:
        delimiter = " "
    point = "," if delimiter != "," and re.search(r"\d,\d", text) else "."
    return delimiter, point


def _fields(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    parts = [field.strip(" \"'") for field in line.split(delimiter)]
    return parts[:-1] if parts and not parts[-1] else parts


def _is_row(fields: list[str], width: int, point: str) -> bool:
    """Numbers, of which a few may be missing; no line of a header, which has words."""
    numbers = sum(_number(field, point) is not None for field in fields)
    words = any(_WORD.search(f) and f.lower().strip("+-") not in _MISSING for f in fields)
    return numbers >= 1 and 2 * len(fields) >= width and (not words or 2 * numbers > width)


_MISSING = ("nan", "inf", "na", "null", "none")


def _number(field: str, point: str) -> float | None:
    text = field.replace(",", ".") if point == "," else field
    return float(text) if _NUMBER.fullmatch(text) else None


def _values(
    rows: list[tuple[int, list[str]]], width: int, point: str
) -> tuple[Real, dict[tuple[int, int], str]]:
    """The numbers, NaN for what is none; and what stands there, by row and column."""
    values, words = np.full((len(rows), width), np.nan), {}
    for i, (_, fields) in enumerate(rows):
        line = " ".join(fields).replace(",", ".") if point == "," else " ".join(fields)
        try:
            values[i] = np.array(line.split(), np.float64)
        except ValueError:
            for j, field in enumerate(fields):
                number = _number(field, point)
                if number is not None:
                    values[i, j] = number
    values[np.isinf(values)] = np.nan
    for i, j in np.argwhere(~(values > ABSOLUTE_ZERO))[:MAX_NAMED].tolist():
        words[i, j] = rows[i][1][j]
    return values, words


def _named(bad: npt.NDArray[np.bool_], words: dict[tuple[int, int], str]) -> str:
    count = int(bad.sum())
    named = ", ".join(
        f"row {i + 1} column {j + 1} ({word[:12] or 'empty'})" for (i, j), word in words.items()
    )
    more = ", ..." if count > len(words) else ""
    return (
        f"must hold a temperature for each pixel, {count} {'has' if count == 1 else 'have'} "
        f"none: {named}{more}"
    )


def _celsius(path: Path, values: Real, bad: npt.NDArray[np.bool_], unit: str, header: str) -> Real:
    median = float(np.median(values[~bad]))
    if unit == "auto":
        report = _UNIT.search(header)
        letter = next(g for g in report.groups() if g)[0].upper() if report else ""
        if not letter and not SKIN[0] <= median <= SKIN[1]:
            raise ValueError(
                f"{path} must tell its unit, or be in Celsius: its median is {median:g}; "
                "pass --unit C, F or K"
            )
        unit = letter or "C"
    if unit == "F":
        return (values - 32) / 1.8
    return values + ABSOLUTE_ZERO if unit == "K" else values.copy()


def filled(values: Real) -> Real:
    """NaN replaced by the median of the neighbours of eight, from the rim inwards."""
    values = values.copy()
    while True:
        missing = np.isnan(values)
        if not missing.any():
            return values
        framed = np.pad(values, 1, constant_values=np.nan)
        rows, columns = np.nonzero(missing)
        around = np.stack(
            [framed[rows + 1 + dy, columns + 1 + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        )
        known = np.isfinite(around).any(0)
        values[rows[known], columns[known]] = np.nanmedian(around[:, known], axis=0)
