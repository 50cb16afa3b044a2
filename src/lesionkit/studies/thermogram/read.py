"""Thermograms from files: temperature text, 16-bit PNG, radiometric FLIR JPEG, coloured pictures.

What a file's header says of the patient, the camera or the day is not read, and not reported.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, extras
from lesionkit.io.common import MAX_BYTES, check_size
from lesionkit.studies.thermogram.readers import colour, text

TEXT = (".txt", ".csv", ".tsv", ".dat")
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
ENDINGS = (*TEXT, *IMAGES)
HUNDREDTHS = 100.0  # what a 16-bit PNG's values are divided by
POSSIBLE = (0.0, 60.0)  # C, of a 16-bit PNG
SANE = (-60.0, 600.0)  # C, of a camera
Unit = Literal["auto", "C", "F", "K"]


@dataclass(frozen=True)
class Thermogram:
    """A thermogram.

    Attributes
    ----------
    celsius : (rows, columns) array of float32 or None
        None where an image does not tell which temperatures its colours stand for: `levels` then
        are all there is.
    rgb : (rows, columns, 3) array of uint8 or None
        Of a colour image, as it came.
    origin : str
        "text", "16-bit PNG", "FLIR", "palette" or "grey".
    levels : (rows, columns) array of float32 or None
        0 (cold) to 1 (hot).
    notes : tuple of str
        What had to be done.
    decimals : int
        Of text: never a feature, it tells sick women from healthy ones.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import read
    >>> one = read.Thermogram(np.full((2, 3), 30.0, np.float32), None, "text")
    >>> one.values.shape
    (2, 3)
    """

    celsius: npt.NDArray[np.float32] | None
    rgb: npt.NDArray[np.uint8] | None
    origin: str
    levels: npt.NDArray[np.float32] | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    decimals: int = 0

    @property
    def values(self) -> npt.NDArray[np.float32]:
        """Celsius where they are known, else levels from 0 to 1."""
        if self.celsius is not None:
            return self.celsius
        assert self.levels is not None
        return self.levels


def thermogram(
    path: str | os.PathLike[str],
    *,
    palette: str | None = None,
    limits: tuple[float, float] | None = None,
    unit: Unit = "auto",
    fill: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Thermogram:
    """Read a thermogram of any kind.

    Parameters
    ----------
    path : str or path
        Temperature text (see `text.read_matrix`); a 16-bit PNG of hundredths of a degree; a
        radiometric FLIR JPEG (needs flyr); a grey or colour image, with a colour bar or in one
        of `colour.PALETTES`.
    palette : str, optional
        Of a colour image; None: its bar's, or the one that fits.
    limits : tuple of float, optional
        C, of the coldest and the hottest colour or grey level; None: not known, and `celsius` is
        None.
    unit : {"auto", "C", "F", "K"}, default "auto"
        Of text.
    fill : bool, default False
        Of text: pixels without a temperature get the median of their neighbours.
    max_bytes : int
        The most that a file may have, or an image's header ask for; more is refused before it is
        read.

    Returns
    -------
    Thermogram
        Temperatures, or levels.

    Raises
    ------
    TypeError, ValueError
        In a sentence that names the file, where it cannot be read as said here.
    MissingLibrary
        Where the library for it is not there.

    Examples
    --------
    >>> import numpy as np
    >>> import tempfile
    >>> from lesionkit.studies.thermogram import read
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savetxt(f"{folder}/breast.txt", 30 + np.eye(20), "%.2f")
    ...     found = read.thermogram(f"{folder}/breast.txt")
    >>> found.origin, found.celsius.shape, found.celsius[0, 0].item()
    ('text', (20, 20), 31.0)
    """
    file = Path(path)
    if palette is not None:
        arrays.one_of(palette, "palette", tuple(colour.PALETTES))
    if limits is not None:
        limits = colour.checked(limits)
    arrays.one_of(unit, "unit", ("auto", *text.UNITS))
    if not file.is_file():
        raise ValueError(f"{file} does not exist" if not file.exists() else f"{file} is no file")
    limit = arrays.integer(max_bytes, "max_bytes", at_least=1)
    check_size(file, "a thermogram", file.stat().st_size, limit, "the file has")
    ending = file.suffix.lower()
    if ending in TEXT:
        found = _text(file, unit, fill)
    elif ending in IMAGES:
        found = _image(file, palette, limits, limit)
    else:
        raise ValueError(
            f"{file} must be temperature text ({', '.join(TEXT)}) or a picture "
            f"({', '.join(IMAGES)})"
        )
    values = found.values
    if min(values.shape) < 16:
        raise ValueError(f"{file} must have 16 rows and columns or more, it has {values.shape}")
    if np.ptp(values) == 0:
        raise ValueError(f"{file} must hold a body and a wall, it is {values[0, 0]:g} everywhere")
    return found


def _text(file: Path, unit: str, fill: bool) -> Thermogram:
    matrix = text.read_matrix(file, unit, fill=fill)
    count = int(matrix.bad.sum())
    notes = (f"{count} pixels without a temperature were filled in",) if count else ()
    celsius = matrix.celsius.astype(np.float32)
    return Thermogram(celsius, None, "text", notes=notes, decimals=matrix.decimals)


def _image(
    file: Path, palette: str | None, limits: tuple[float, float] | None, max_bytes: int
) -> Thermogram:
    data = file.read_bytes()
    if data[:2] == b"\xff\xd8":
        if _has_flir(data):
            return _flir(file)
        if limits is None and palette is None and _by_flir(data):
            raise ValueError(
                f"{file} must hold its temperatures: it is of a FLIR camera, but the APP1 segment "
                "'FLIR' is gone; copy it from the camera without editing, or pass --limits"
            )
    values = _pixels(file, max_bytes)
    if values.dtype.kind in "iuf" and values.dtype.itemsize > 1:
        celsius = values / HUNDREDTHS
        low, high = float(celsius.min()), float(celsius.max())
        if not (POSSIBLE[0] <= low and high <= POSSIBLE[1]):
            raise ValueError(
                f"{file} must hold hundredths of a degree from {POSSIBLE[0]:g} to {POSSIBLE[1]:g} "
                f"C, it holds {low:.2f} to {high:.2f}"
            )
        return Thermogram(celsius.astype(np.float32), None, "16-bit PNG", decimals=2)
    if values.ndim == 3 and (values != values[..., :1]).any():
        return _coloured(file, values, palette, limits)
    gray = values[..., 0] if values.ndim == 3 else values
    return _known(gray / 255.0, None, "grey", limits, ())


def _coloured(
    file: Path, rgb: npt.NDArray[np.uint8], palette: str | None, limits: tuple[float, float] | None
) -> Thermogram:
    bar = colour.find_bar(rgb)
    notes: tuple[str, ...] = ()
    if bar is not None:
        rgb = _companion(rgb, bar)
        notes = ("its colour bar is the palette",)
    try:
        chosen: Any = palette or bar or colour.name_palette(rgb)
        place, distance, foreign = colour.levels_of(rgb, chosen)
    except ValueError as problem:
        raise ValueError(f"{file}: {problem}") from problem
    away = float(np.median(distance))
    if away > colour.MATCH:
        raise ValueError(
            f"{file} must have the palette's colours, they are {away:.0f} of 255 away, "
            f"{colour.MATCH:.0f} at most"
        )
    if isinstance(chosen, str):
        notes = (*notes, f"palette {chosen}")
    if foreign.any():
        fraction = 100 * foreign.mean()
        notes = (*notes, f"{fraction:.1f} % of its pixels are text or marks, and were filled in")
    return _known(place, rgb, "palette", limits, notes)


def _known(
    levels: Any,
    rgb: npt.NDArray[np.uint8] | None,
    origin: str,
    limits: tuple[float, float] | None,
    notes: tuple[str, ...],
) -> Thermogram:
    celsius = None
    if limits is None:
        notes = (*notes, "no limits: temperatures are not known, only which place is warmer")
    else:
        celsius = (limits[0] + levels * (limits[1] - limits[0])).astype(np.float32)
    return Thermogram(celsius, rgb, origin, levels.astype(np.float32), notes)


def _companion(rgb: npt.NDArray[np.uint8], bar: colour.Bar) -> npt.NDArray[np.uint8]:
    """The larger part of the page beside the bar, without the margin between them."""
    top, left, bottom, right = bar.box
    if bottom - top < right - left:  # it lies
        turned = colour.Bar(bar.colours, (left, top, right, bottom))
        return np.ascontiguousarray(_companion(rgb.transpose(1, 0, 2), turned).transpose(1, 0, 2))
    lines = rgb[top:bottom]
    if left >= rgb.shape[1] - right:
        return np.ascontiguousarray(rgb[:, : left - colour.margin(lines[:, :left][:, ::-1])])
    return np.ascontiguousarray(rgb[:, right + colour.margin(lines[:, right:]) :])


def _pixels(file: Path, max_bytes: int) -> npt.NDArray[Any]:
    """A picture's pixels: grey of 8 or 16 bits, or RGB."""
    pillow = extras.require("PIL.Image", "pictures need", "studies")
    try:
        with pillow.open(file) as opened:
            if getattr(opened, "n_frames", 1) > 1:
                raise ValueError(f"it holds {opened.n_frames} pictures, not one")
            asked = opened.width * opened.height * len(opened.getbands())
            check_size(file, "a picture", asked, max_bytes)
            opened.load()
            if opened.mode in ("1", "P", "PA", "CMYK", "YCbCr", "RGBA", "LA", "RGBX", "LAB", "HSV"):
                opened = opened.convert("L" if opened.mode in ("1", "LA") else "RGB")
            return np.array(opened)
    except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError) as problem:
        if isinstance(problem, ValueError) and str(file) in str(problem):
            raise  # it is ours
        reason = str(problem).strip().split("\n")[0] or type(problem).__name__
        reason = reason.replace(repr(str(file)), "it")
        raise ValueError(f"{file} cannot be read as a picture: {reason}") from problem


def _segments(data: bytes) -> list[bytes]:
    """The APP1 segments of a JPEG."""
    found, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == 0xE1:
            found.append(data[at + 4 : at + 2 + length])
        at += 2 + length
    return found


def _has_flir(data: bytes) -> bool:
    return any(segment.startswith(b"FLIR\0") for segment in _segments(data))


def _by_flir(data: bytes) -> bool:
    return any(s.startswith(b"Exif") and b"FLIR" in s[:4096] for s in _segments(data))


def _flir(file: Path) -> Thermogram:
    """Temperatures of a radiometric JPEG, by flyr (EUPL-1.2, an extra)."""
    flyr = extras.require("flyr", "radiometric FLIR files (EUPL-1.2) need")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = flyr.unpack(str(file))
            report = opened.metadata
            celsius = np.asarray(opened.celsius, np.float32)
    except Exception as problem:  # flyr raises whatever its parsing comes upon
        reason = str(problem).strip().split("\n")[0] or type(problem).__name__
        raise ValueError(f"{file} cannot be read as a radiometric FLIR file: {reason}") from problem
    emissivity = float(report.get("emissivity", 1))
    reflected = float(report.get("reflected_apparent_temperature", 293.15)) + text.ABSOLUTE_ZERO
    if not 0 < emissivity <= 1:
        raise ValueError(f"{file} must have an emissivity from 0 to 1, it has {emissivity:g}")
    if not SANE[0] <= reflected <= 100:
        raise ValueError(
            f"{file} must have a reflected temperature from {SANE[0]:g} to 100 C, it has "
            f"{reflected:.1f}: set it in the camera's software"
        )
    if not np.isfinite(celsius).all() or celsius.min() < SANE[0] or celsius.max() > SANE[1]:
        raise ValueError(
            f"{file} must hold temperatures from {SANE[0]:g} to {SANE[1]:g} C, it holds "
            f"{celsius.min():g} to {celsius.max():g}: its camera settings may be wrong"
        )
    return Thermogram(celsius, None, "FLIR", notes=(f"emissivity {emissivity:.2f}",))
