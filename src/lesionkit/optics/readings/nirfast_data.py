"""NIRFAST's measurement files: readings (.paa), pairs of optodes (.link), places of optodes
(.source, .meas), extinction coefficients (.excoef), in each layout that its programs have written.
Meshes are read by `lesionkit.optics.mesh.files`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lesionkit.optics.readings.readings import Readings
from lesionkit.optics.spectra import CHROMOPHORES

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

_NAMES = {
    **{"hbo": "hbo", "hbo2": "hbo", "oxyhb": "hbo", "hb": "hb", "hbr": "hb", "deoxyhb": "hb"},
    **{"water": "water", "h2o": "water", "lipid": "lipid", "lipids": "lipid", "fat": "lipid"},
}
_FLAT = 1e-3  # mm by which optodes may leave a plane
_FLUORESCENCE = ("xphase", "xamplitude", "flphase", "flamplitude", "mmphase", "mmamplitude")


@dataclass(frozen=True, eq=False)
class Optodes:
    """What a .source or .meas file holds.

    places      : (n, 2 or 3) mm
    numbers     : (n,) by which .paa and .link files name them; 1, 2, 3 where the file has none
    fwhm        : (n,) mm, how wide a source is; 0: a point
    distributed : all sources shine at once
    """

    places: Floats
    numbers: Index
    fwhm: Floats
    distributed: bool


def read_paa(path: str | os.PathLike[str], link: str | os.PathLike[str] | None = None) -> Readings:
    r"""Read a spectral .paa file of NIRFAST: a header, then a line for each pair of optodes.

    Parameters
    ----------
    path : str or path
        ``source det w661 w761 ...``, then lines of the numbers of source and detector from 1, and
        for each wavelength a flag (1: use it), an amplitude and a phase in degrees. Or, of older
        programs, ``w661 w761 ...``, then lines of amplitude and phase for each wavelength.
    link : str or path, optional
        For an older file: the .link file that names the pairs of its lines; None: the one .link
        file in its folder.

    Returns
    -------
    Readings
        Wavelengths, pairs, amplitudes, phases in rad, and which are active.

    Raises
    ------
    FileNotFoundError
        Where there is no file.
    ValueError
        Naming the file and the line; also for files that do not name wavelengths, or hold
        fluorescence.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lesionkit.optics import read_paa
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "object.paa")
    ...     head = "source det w661 w785\n"
    ...     _ = file.write_text(head + "1 2 1 0.5 90 0 0.1 0\n1 3 1 0.3 45 1 0.2 30\n")
    ...     found = read_paa(file)
    >>> found.pairs.tolist(), found.amplitude[0].tolist(), found.active[1].tolist()
    ([[0, 1], [0, 2]], [0.5, 0.3], [False, True])
    """
    path, lines = _lines(path)
    header = lines[0][1].split() if lines else []
    with_pairs = [word.lower() for word in header[:2]] == ["source", "det"]
    marks = [re.fullmatch(r"[wW](\d+(?:\.\d+)?)", word) for word in header[2 * with_pairs :]]
    if not marks or not all(marks):
        raise ValueError(
            f"{path} must begin with 'source det w661 ...', its wavelengths{_other(header)}, got "
            f"{' '.join(header)[:60]!r}"
        )
    nm = np.array([float(mark[1]) for mark in marks if mark])
    if len(np.unique(nm)) < len(nm):
        raise ValueError(f"{path} must name each wavelength once, got {nm.tolist()}")
    if with_pairs:
        rows = _rows(path, lines[1:], 2 + 3 * len(nm))
        numbers = rows[:, :2]
        if (numbers < 1).any() or (numbers % 1 != 0).any():
            raise ValueError(f"{path} must number sources and detectors from 1")
        pairs = numbers.astype(np.intp) - 1
        flag, amplitude, phase = rows[:, 2:].reshape(len(rows), len(nm), 3).transpose(2, 1, 0)
        if not np.isin(flag, (0, 1)).all():
            raise ValueError(f"{path} must flag each reading by 0 or 1")
        active = flag == 1
    else:
        rows = _rows(path, lines[1:], 2 * len(nm))
        link = _companion(path) if link is None else link
        pairs, active = _linked(path, len(rows), link, len(nm))
        amplitude, phase = rows.reshape(len(rows), len(nm), 2).transpose(2, 1, 0)
    if len(np.unique(pairs, axis=0)) < len(pairs):
        raise ValueError(f"{path} must hold each pair of optodes once, got some twice")
    if not (np.isfinite(amplitude[active]).all() and np.isfinite(phase[active]).all()):
        raise ValueError(f"{path} must hold finite numbers where a reading is flagged by 1")
    if not (amplitude[active] > 0).all():
        raise ValueError(
            f"{path} must hold amplitudes above 0 where a reading is flagged by 1, got "
            f"{amplitude[active].min():g}"
        )
    return Readings(nm, pairs, amplitude.copy(), np.radians(phase), active)


def _other(header: Sequence[str]) -> str:
    """What is known of a .paa file that does not begin with its wavelengths."""
    words = [word.lower() for word in header]
    if any(word in _FLUORESCENCE for word in words):
        return " (fluorescence is not reconstructed)"
    if "amplitude" in words:
        return " (a standard file, of one wavelength, does not say which)"
    return ""


def _companion(path: Path) -> Path:
    found = sorted(path.parent.glob("*.link"))
    if len(found) != 1:
        raise ValueError(
            f"{path} does not name its pairs of optodes: link must name the .link file that does, "
            f"or just one lie beside it, got {len(found)}"
        )
    return found[0]


def _linked(
    path: Path, count: int, link: str | os.PathLike[str], wavelengths: int
) -> tuple[Index, npt.NDArray[np.bool_]]:
    """Pairs and flags of the `count` lines of a .paa file: all of its .link, or the active ones."""
    pairs, active = read_link(link)
    if active.shape[1] not in (1, wavelengths):
        raise ValueError(
            f"{link} must flag each pair once, or for the {wavelengths} wavelengths of {path}, got "
            f"{active.shape[1]} flags"
        )
    some = active.any(axis=1)
    if count not in (len(pairs), int(some.sum())):
        raise ValueError(
            f"{path} must have a line for each of the {len(pairs)} pairs of {link}, got {count}"
        )
    if count < len(pairs):
        pairs, active = pairs[some], active[some]
    return pairs, np.repeat(active.T, wavelengths // active.shape[1], axis=0)


def read_link(path: str | os.PathLike[str]) -> tuple[Index, npt.NDArray[np.bool_]]:
    """Pairs (pairs, 2) of source and detector, from 0, and whether each is active, (pairs, 1 or
    wavelengths), of a .link file.

    ``source detector active``, then a line for each pair, with one flag or one for each wavelength.
    Or, of older programs, no header and a line for each source: the numbers of its detectors, 0 for
    none. Raises FileNotFoundError, or ValueError naming the file.
    """
    path, lines = _lines(path)
    named = not _is_number(lines[0][1].split()[0])
    rows = _rows(path, lines[named:], None)
    if not np.isfinite(rows).all() or (rows % 1 != 0).any() or (rows < 0).any():
        raise ValueError(f"{path} must hold whole numbers of optodes and flags")
    if not named:
        source, column = np.nonzero(rows)
        pairs = np.column_stack([source, rows[source, column].astype(np.intp) - 1])
        return pairs, np.ones((len(pairs), 1), bool)
    if rows.shape[1] < 3 or (rows[:, :2] < 1).any() or not np.isin(rows[:, 2:], (0, 1)).all():
        raise ValueError(
            f"{path} must hold source and detector, numbered from 1, and flags 0 or 1 in each line"
        )
    return rows[:, :2].astype(np.intp) - 1, rows[:, 2:] == 1


def read_excoef(path: str | os.PathLike[str]) -> dict[float, Floats]:
    """Extinction coefficients by wavelength in nm: (3,) of HbO, Hb in 1/(mm mM), water in 1/mm;
    (4,) with lipid in 1/mm where the file has it.

    The file names its columns, a line each (HbO, deoxyHb, Water, perhaps Lipid), then has a line
    for each wavelength. Scattering, and dyes, are passed over. Raises FileNotFoundError, or
    ValueError naming the file.
    """
    path, lines = _lines(path)
    names = [text.split()[0].lower() for _, text in lines if not _is_number(text.split()[0])]
    rows = _rows(path, lines[len(names) :], None)
    columns = [name for name in names if not name.startswith("s-")]
    found = [_NAMES.get(name) for name in columns]
    wanted = [*CHROMOPHORES, *["lipid"] * ("lipid" in found)]
    if any(found.count(name) != 1 for name in wanted) or rows.shape[1] != 1 + len(columns):
        raise ValueError(
            f"{path} must hold HbO, deoxyHb and Water, and a number of each in every line, got "
            f"{', '.join(names)} and {rows.shape[1] - 1} numbers"
        )
    order = [1 + found.index(name) for name in wanted]
    if not np.isfinite(rows).all() or (rows < 0).any():
        raise ValueError(f"{path} must hold finite numbers that are not negative")
    if len(np.unique(rows[:, 0])) < len(rows):
        raise ValueError(f"{path} must hold each wavelength once, got some twice")
    return {float(row[0]): row[order] for row in rows}


def read_optodes(path: str | os.PathLike[str], dimensions: int = 2) -> Optodes:
    """Sources or detectors of a .source or .meas file, in their order.

    path       : words first ("distributed", "fixed"; names of columns: "num x y z fwhm", perhaps
                 with element and weights, "ele ip1 ip2 ip3", which are passed over), then a line
                 for each optode. Of older programs, without names: x, y, (z,) and, of sources,
                 perhaps fwhm
    dimensions : of the mesh, 2 or 3: a third column without a name is the fwhm of sources in 2-D.
                 In 2-D a constant z is left out
    Raises FileNotFoundError, or ValueError naming the file.
    """
    path, lines = _lines(path)
    words = [text.lower().split() for _, text in lines if not _is_number(text.split()[0])]
    rows = _rows(path, lines[len(words) :], None)
    columns = rows.shape[1]
    if words and "x" in words[-1]:
        names = words[-1]
    else:
        is_source = path.suffix.lower() == ".source"
        names = [*"xyz"[:dimensions], "fwhm" if is_source else "z"][:columns]
    axes = [axis for axis in ("x", "y", "z") if axis in names]
    if axes[:2] != ["x", "y"] or len(names) != columns or len(set(names)) < columns:
        raise ValueError(
            f"{path} must have columns x and y, each named once, got {' '.join(names)} for "
            f"{columns} numbers"
        )
    places = rows[:, [names.index(axis) for axis in axes]]
    numbers = rows[:, names.index("num")] if "num" in names else np.arange(1.0, len(rows) + 1)
    fwhm = rows[:, names.index("fwhm")] if "fwhm" in names else np.zeros(len(rows))
    if not np.isfinite(places).all() or not np.isfinite(fwhm).all() or (fwhm < 0).any():
        raise ValueError(f"{path} must hold finite numbers, and no width below 0")
    if (
        not np.isfinite(numbers).all()
        or (numbers < 1).any()
        or (numbers % 1 != 0).any()
        or len(np.unique(numbers)) < len(numbers)
    ):
        raise ValueError(f"{path} must number its optodes by whole numbers from 1, each once")
    if len(axes) > dimensions:
        if np.ptp(places[:, 2]) > _FLAT:
            raise ValueError(
                f"{path} must hold optodes in a plane of constant z, as the mesh is, got z from "
                f"{places[:, 2].min():g} to {places[:, 2].max():g} mm"
            )
        places = places[:, :2]
    distributed = any("distributed" in line for line in words)
    return Optodes(places, numbers.astype(np.intp), fwhm, distributed)


def _lines(path: str | os.PathLike[str]) -> tuple[Path, list[tuple[int, str]]]:
    """The numbered lines of a text file that are not empty."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
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
