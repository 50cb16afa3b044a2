"""NIRFAST's measurement files: readings (.paa), places of optodes (.source, .meas), extinction
coefficients (.excoef). Meshes are read by `mesh_files`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lesionkit.optics.spectra import CHROMOPHORES

Floats = npt.NDArray[np.float64]

_NAMES = {"hbo": "hbo", "deoxyhb": "hb", "hb": "hb", "water": "water"}


@dataclass(frozen=True, eq=False)
class NirfastReadings:
    """What a .paa file holds.

    wavelengths : (wavelengths,) nm
    pairs       : (pairs, 2) source and detector, from 0
    amplitude   : (wavelengths, pairs), in the instrument's unit
    phase       : (wavelengths, pairs) rad
    active      : (wavelengths, pairs) bool; the others are not to be used
    """

    wavelengths: Floats
    pairs: npt.NDArray[np.intp]
    amplitude: Floats
    phase: Floats
    active: npt.NDArray[np.bool_]

    @property
    def modulated(self) -> npt.NDArray[np.complex128]:
        """(wavelengths, pairs) complex readings, as a model of modulated light gives them."""
        readings: npt.NDArray[np.complex128] = self.amplitude * np.exp(1j * self.phase)
        return readings


def read_paa(path: str | os.PathLike[str]) -> NirfastReadings:
    """Readings of a spectral .paa file: a header, then a line for each pair of optodes.

    The header is ``source det w661 w761 ...``; a line has the numbers of source and detector from
    1, then for each wavelength a flag (1: use it), an amplitude and a phase in degrees.
    Raises FileNotFoundError, or ValueError naming the file and the line.
    """
    path, lines = _lines(path)
    header = lines[0][1].split() if lines else []
    marks = [re.fullmatch(r"w(\d+(?:\.\d+)?)", word) for word in header[2:]]
    if header[:1] != ["source"] or not marks or not all(marks):
        raise ValueError(
            f"{path} must begin with 'source det w661 ...', its wavelengths, got "
            f"{' '.join(header)[:60]!r}"
        )
    nm = np.array([float(mark[1]) for mark in marks if mark])
    if len(np.unique(nm)) < len(nm):
        raise ValueError(f"{path} must name each wavelength once, got {nm.tolist()}")
    rows = _rows(path, lines[1:], 2 + 3 * len(nm))
    numbers = rows[:, :2]
    if (numbers < 1).any() or (numbers % 1 != 0).any():
        raise ValueError(f"{path} must number sources and detectors from 1")
    pairs = numbers.astype(np.intp) - 1
    if len(np.unique(pairs, axis=0)) < len(pairs):
        raise ValueError(f"{path} must hold each pair of optodes once, got some twice")
    flag, amplitude, phase = rows[:, 2:].reshape(len(rows), len(nm), 3).transpose(2, 1, 0)
    if not np.isin(flag, (0, 1)).all():
        raise ValueError(f"{path} must flag each reading by 0 or 1")
    active = flag == 1
    if not (np.isfinite(amplitude[active]).all() and np.isfinite(phase[active]).all()):
        raise ValueError(f"{path} must hold finite numbers where a reading is flagged by 1")
    if not (amplitude[active] > 0).all():
        raise ValueError(
            f"{path} must hold amplitudes above 0 where a reading is flagged by 1, got "
            f"{amplitude[active].min():g}"
        )
    return NirfastReadings(nm, pairs, amplitude.copy(), np.radians(phase), active)


def read_excoef(path: str | os.PathLike[str]) -> dict[float, Floats]:
    """Extinction coefficients by wavelength in nm: (3,) of HbO, Hb in 1/(mm mM), water in 1/mm.

    The file names its columns, a line each (HbO, deoxyHb, Water; scattering is passed over), then
    has a line for each wavelength. Raises FileNotFoundError, or ValueError naming the file.
    """
    path, lines = _lines(path)
    names = [text.split()[0].lower() for _, text in lines if not _is_number(text.split()[0])]
    rows = _rows(path, lines[len(names) :], None)
    columns = [name for name in names if not name.startswith("s-")]
    found = [_NAMES.get(name) for name in columns]
    if sorted(map(str, found)) != sorted(CHROMOPHORES) or rows.shape[1] != 1 + len(columns):
        raise ValueError(
            f"{path} must hold HbO, deoxyHb and Water, and a number of each in every line, got "
            f"{', '.join(names)} and {rows.shape[1] - 1} numbers"
        )
    order = [1 + found.index(name) for name in CHROMOPHORES]
    if not np.isfinite(rows).all() or (rows < 0).any():
        raise ValueError(f"{path} must hold finite numbers that are not negative")
    return {float(row[0]): row[order] for row in rows}


def read_optodes(path: str | os.PathLike[str]) -> Floats:
    """Places of sources or detectors of a .source or .meas file: (n, 2 or 3) mm, in their order.

    Lines of words first ("fixed"; "num x y z fwhm"), then one for each optode: with a header of
    names its number, x, y, perhaps z and fwhm; without, x, y and perhaps z.
    Raises FileNotFoundError, or ValueError naming the file.
    """
    path, lines = _lines(path)
    words = [text.split() for _, text in lines if not _is_number(text.split()[0])]
    rows = _rows(path, lines[len(words) :], None)
    names = words[-1] if words and "x" in words[-1] else ["x", "y", "z"][: rows.shape[1]]
    if not {"x", "y"} <= set(names) or len(names) != rows.shape[1]:
        raise ValueError(f"{path} must have columns x and y, got {' '.join(names)}")
    if "num" in names and not (rows[:, names.index("num")] == np.arange(1, len(rows) + 1)).all():
        raise ValueError(f"{path} must number its optodes 1, 2, 3 and so on")
    places = rows[:, [names.index(axis) for axis in ("x", "y", "z") if axis in names]]
    if not np.isfinite(places).all():
        raise ValueError(f"{path} must hold finite numbers")
    return places


def _lines(path: str | os.PathLike[str]) -> tuple[Path, list[tuple[int, str]]]:
    """The numbered lines of a text file that are not empty."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}") from None
    except OSError as problem:
        raise ValueError(f"{path} must be a file that can be read: {problem.strerror}") from problem
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise ValueError(f"{path} must hold lines of numbers, got an empty file")
    return path, lines


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _rows(path: Path, lines: list[tuple[int, str]], width: int | None) -> Floats:
    """Lines of `width` numbers each (None: as many as the first) as an array."""
    rows: list[list[float]] = []
    for number, text in lines:
        words = text.split()
        width = width or len(words)
        if len(words) != width or not all(map(_is_number, words)):
            raise ValueError(
                f"{path} must hold {width} numbers in line {number}, got {text.strip()[:60]!r}"
            )
        rows.append([float(word) for word in words])
    if not rows:
        raise ValueError(f"{path} must hold lines of numbers, got none")
    return np.array(rows)
