"""SNIRF files (the Shared Near Infrared Spectroscopy Format of the Society for fNIRS, versions 1.0
and 1.1): raw amplitudes of continuous light, amplitudes and phases of modulated light.

h5py (extra `snirf`) is imported here when a file is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, extras
from lesionkit.optics.forward.physics import check_frequency
from lesionkit.optics.readings.readings import SnirfReadings

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

CONTINUOUS, AC_AMPLITUDE, PHASE = 1, 101, 102
_OTHERS = (
    (range(2, 101), "fluorescence"),
    (range(103, 201), "fluorescence, or another kind of modulated light"),
    (range(201, 301), "gated time domain"),
    (range(301, 401), "moments of time domain"),
    (range(401, 501), "diffuse correlation"),
    (range(99999, 100000), "processed data"),
)
_LENGTHS = {"m": 1e3, "cm": 10.0, "mm": 1.0, "um": 1e-3, "\N{GREEK SMALL LETTER MU}m": 1e-3}
_LENGTHS["\N{MICRO SIGN}m"] = 1e-3
_FREQUENCIES = {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9}
_ANGLES = {
    **dict.fromkeys(("rad", "radian", "radians"), 1.0),
    **dict.fromkeys(("deg", "degree", "degrees", "\N{DEGREE SIGN}"), np.pi / 180),
}
MAX_NUMBERS = 2**28  # of a time series: 2 GiB
_FLAT = 1e-3  # mm by which optodes may leave a plane


def read_snirf(
    path: str | os.PathLike[str],
    *,
    frames: tuple[int, int] | None = None,
    phase_unit: str | None = None,
) -> SnirfReadings:
    """Read a SNIRF file: the mean of its readings over time, and the places of its optodes.

    Parameters
    ----------
    path : str or path
        Of a file with one recording, of one block of raw data.
    frames : tuple of int, optional
        (first, stop), the time frames that are averaged, from 0; None: all.
    phase_unit : {"rad", "deg"}, optional
        Of phases; None: what the file's dataUnit says.

    Returns
    -------
    SnirfReadings
        Every pair at every wavelength; one is active where the file has its amplitude (and phase),
        finite in some frame, and above 0 in the mean. Amplitudes and phases of modulated light are
        averaged together, as complex numbers. Places in mm: 3-D where they lie in a plane of
        constant z or there are no others, else 2-D.

    Raises
    ------
    FileNotFoundError
        Where there is no file.
    ImportError
        Without h5py.
    TypeError, ValueError
        Naming the file: damaged, of several recordings, other kinds of data than raw amplitudes of
        continuous light or amplitudes and phases of light of one frequency, units that are not said
        or not known.

    Examples
    --------
    >>> import tempfile
    >>> import h5py
    >>> from lesionkit.optics import read_snirf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with h5py.File(f"{folder}/one.snirf", "w") as file:
    ...         nirs = file.create_group("nirs")
    ...         file["formatVersion"] = "1.1"
    ...         nirs["metaDataTags/LengthUnit"] = "cm"
    ...         nirs["probe/wavelengths"] = [785.0]
    ...         nirs["probe/sourcePos2D"], nirs["probe/detectorPos2D"] = [[0.0, 0]], [[3.0, 0]]
    ...         nirs["data1/dataTimeSeries"], nirs["data1/time"] = [[1.0], [3.0]], [0.0, 0.1]
    ...         for name, value in {"sourceIndex": 1, "detectorIndex": 1, "wavelengthIndex": 1,
    ...                             "dataType": 1, "dataTypeIndex": 1, "dataUnit": "V"}.items():
    ...             nirs[f"data1/measurementList1/{name}"] = value
    ...     found = read_snirf(f"{folder}/one.snirf")
    >>> found.amplitude.tolist(), found.detectors.tolist(), found.frequency
    ([[2.0]], [[30.0, 0.0]], 0.0)
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    phase_unit = arrays.one_of(phase_unit, "phase_unit", (None, "rad", "deg"))
    h5py = extras.require("h5py", "SNIRF files need")
    try:
        with h5py.File(file, "r") as opened:
            return _Recording(file, opened).readings(frames, phase_unit)
    except (OSError, KeyError, RuntimeError, OverflowError, AttributeError) as problem:
        raise ValueError(f"{file} cannot be read as SNIRF: it is damaged or of another kind") from (
            problem
        )


class _Recording:
    """The one recording of an open file."""

    def __init__(self, path: Path, opened: Mapping[str, Any]) -> None:
        self.path = path
        self.nirs = opened[self._only(opened, "nirs")]
        self.data = self._group(self.nirs, self._only(self.nirs, "data"))
        self.tags = self._group(self.nirs, "metaDataTags")
        self.probe = self._group(self.nirs, "probe")

    def _only(self, group: Mapping[str, Any], name: str) -> str:
        """The one member `name`, `name1` ... of a group."""
        words = [key for key in group if isinstance(key, str)]  # bytes: a name that is no UTF-8
        found = [key for key in words if re.fullmatch(rf"{name}\d*", key)]
        if len(found) != 1:
            raise ValueError(f"{self.path} must hold one group {name!r}, got {len(found)}")
        return found[0]

    def _group(self, group: Mapping[str, Any], name: str) -> Any:
        if name not in group or not hasattr(group[name], "keys"):
            raise ValueError(f"{self.path} must hold a group {name!r}")
        return group[name]

    def _numbers(self, group: Any, name: str, axes: int) -> Floats:
        """A dataset of finite numbers with so many axes (a number counts as a list of one)."""
        if name not in group or not hasattr(group[name], "shape"):
            raise ValueError(f"{self.path} must hold {name}")
        self._check_small(group[name], name)
        found = np.asarray(group[name][()])
        if found.dtype.kind not in "fiu" or found.ndim > axes + (found.ndim == 0):
            raise ValueError(f"{self.path} must hold numbers in {name}, got {found.dtype}")
        found = found.astype(np.float64)
        found = found.reshape((1,) * (axes - found.ndim) + found.shape)
        if not np.isfinite(found).all():
            raise ValueError(f"{self.path} must hold finite numbers in {name}")
        return found

    def _check_small(self, dataset: Any, name: str) -> None:
        if dataset.size is None or dataset.size > MAX_NUMBERS:
            raise ValueError(f"{self.path} must hold at most {MAX_NUMBERS} numbers in {name}")

    def _text(self, group: Any, name: str) -> str:
        """A string, or nothing where there is none."""
        if name not in group or not hasattr(group[name], "shape"):
            return ""
        value = np.asarray(group[name][()]).ravel()
        one = value[0] if len(value) == 1 else b""
        return (one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)).strip()

    def _unit(self, name: str, known: Mapping[str, float]) -> float:
        text = self._text(self.tags, name)
        if text not in known:
            raise ValueError(
                f"{self.path} must say {name} as one of {', '.join(known)}, got {text[:20]!r}"
            )
        return known[text]

    def readings(self, frames: Any, phase_unit: str | None) -> SnirfReadings:
        if "useLocalIndex" in self.probe and np.any(self.probe["useLocalIndex"][()]):
            raise ValueError(f"{self.path} must number optodes over all modules, not within each")
        scale = self._unit("LengthUnit", _LENGTHS)
        sources, detectors = (self._places(name, scale) for name in ("source", "detector"))
        nm = self._numbers(self.probe, "wavelengths", 1)
        if not len(nm) or (nm <= 0).any() or len(np.unique(nm)) < len(nm):
            raise ValueError(f"{self.path} must hold wavelengths above 0, each once")
        channels, units = self._channels()
        limits = (len(sources), len(detectors), len(nm))
        wrong = (channels[:, :3] < 0) | (channels[:, :3] >= limits)
        if not len(channels) or wrong.any():
            raise ValueError(
                f"{self.path} must number {limits[0]} sources, {limits[1]} detectors and "
                f"{limits[2]} wavelengths from 1 in its measurement list"
            )
        kinds = channels[:, 3]
        modulated = self._modulated(kinds)
        frequency = self._frequency(channels[:, 4]) if modulated else 0.0
        series = self._series(len(channels), frames)

        pairs, pair = np.unique(channels[:, :2], axis=0, return_inverse=True)
        place = channels[:, 2] * len(pairs) + pair.reshape(-1)
        whole = np.full((1 + modulated, len(series), len(nm) * len(pairs)), np.nan)
        for half, kind in enumerate((AC_AMPLITUDE, PHASE) if modulated else (CONTINUOUS,)):
            here = kinds == kind
            if len(np.unique(place[here])) < here.sum():
                raise ValueError(
                    f"{self.path} must hold each pair of optodes once at each wavelength, got some "
                    "twice"
                )
            whole[half][:, place[here]] = series[:, here]
            if kind == PHASE:
                whole[half][:, place[here]] *= self._angles(units, here, phase_unit)
        mean = _mean(whole)
        shape = (len(nm), len(pairs))
        amplitude, phase = np.abs(mean).reshape(shape), np.angle(mean).reshape(shape)
        active = np.isfinite(mean).reshape(shape) & (amplitude > 0)
        if not modulated:
            active &= (np.real(mean) > 0).reshape(shape)
            phase = np.zeros(shape)
        amplitude, phase = (np.where(active, part, 0.0) for part in (amplitude, phase))
        order = np.argsort(nm)
        return SnirfReadings(
            nm[order],
            pairs.astype(np.intp),
            amplitude[order],
            phase[order],
            active[order],
            sources,
            detectors,
            frequency,
        )

    def _places(self, name: str, scale: float) -> Floats:
        """(n, 2 or 3) mm of "source" or "detector"."""
        solid, flat = f"{name}Pos3D", f"{name}Pos2D"
        found = None
        if solid in self.probe:
            found = self._numbers(self.probe, solid, 2) * scale
        planar = found is not None and found.size and np.ptp(found[:, -1]) <= _FLAT
        if flat in self.probe and not planar:
            found = self._numbers(self.probe, flat, 2) * scale
        if found is None or not len(found) or found.shape[1] not in (2, 3):
            raise ValueError(f"{self.path} must hold {flat} or {solid}, 2 or 3 numbers for each")
        return found

    def _channels(self) -> tuple[Index, list[str]]:
        """(channels, 5): source, detector, wavelength from 0, kind of data, its index from 1; and
        the units that are said."""
        fields = ("sourceIndex", "detectorIndex", "wavelengthIndex", "dataType", "dataTypeIndex")
        if "measurementLists" in self.data:  # version 1.1: a list of each field
            group = self.data["measurementLists"]
            count = len(self._numbers(group, "sourceIndex", 1))
            rows = [
                np.ones(count)
                if name == "dataTypeIndex" and name not in group
                else self._numbers(group, name, 1)
                for name in fields
            ]
            if any(len(row) != count for row in rows):
                raise ValueError(f"{self.path} must hold lists of one length in measurementLists")
            table = np.column_stack(rows)
            said = np.asarray(group["dataUnit"][()]).ravel() if "dataUnit" in group else [b""]
            words = [x.decode("utf-8", "replace") if isinstance(x, bytes) else str(x) for x in said]
            units = words if len(words) == count else words[:1] * count
        else:
            # a name that is no UTF-8 comes as bytes
            words = [k for k in self.data if isinstance(k, str)]
            names = [k for k in words if re.fullmatch(r"measurementList[1-9]\d*", k)]
            names.sort(key=lambda key: int(key.removeprefix("measurementList")))
            if [int(k.removeprefix("measurementList")) for k in names] != list(
                range(1, len(names) + 1)
            ):
                raise ValueError(f"{self.path} must hold measurementList1, 2, 3 and so on")
            groups = [self._group(self.data, name) for name in names]
            table = np.array(
                [
                    [
                        1.0
                        if name == "dataTypeIndex" and name not in group
                        else self._numbers(group, name, 1).flat[0]
                        for name in fields
                    ]
                    for group in groups
                ]
            ).reshape(-1, len(fields))
            units = [self._text(group, "dataUnit") for group in groups]
        if (table % 1 != 0).any() or (np.abs(table) > 1e9).any():
            raise ValueError(f"{self.path} must hold whole numbers in its measurement list")
        return table.astype(np.intp) - np.array([1, 1, 1, 0, 0], np.intp), units

    def _modulated(self, kinds: Index) -> bool:
        """Whether the light is modulated; data of other kinds are refused."""
        found = set(map(int, np.unique(kinds)))
        if found == {CONTINUOUS}:
            return False
        if found == {AC_AMPLITUDE, PHASE}:
            return True
        other = sorted(found - {CONTINUOUS, AC_AMPLITUDE, PHASE})
        said = f"{sorted(found)}"
        if other:
            named = [words for numbers, words in _OTHERS if other[0] in numbers]
            said = f"{other[0]} ({named[0] if named else 'unknown'})"
        raise ValueError(
            f"{self.path} must hold raw data of continuous light (dataType 1), or amplitudes and "
            f"phases of modulated light (101 and 102), got {said}"
        )

    def _frequency(self, index: Index) -> float:
        chosen = np.unique(index)
        known = self._numbers(self.probe, "frequencies", 1)
        if len(chosen) != 1 or not 1 <= chosen[0] <= len(known):
            raise ValueError(
                f"{self.path} must hold data of one of its {len(known)} frequencies, got "
                f"{len(chosen)}"
            )
        scale = self._unit("FrequencyUnit", _FREQUENCIES)
        return check_frequency(float(known[chosen[0] - 1] * scale), f"the frequency of {self.path}")

    def _angles(
        self, units: list[str], here: npt.NDArray[np.bool_], phase_unit: str | None
    ) -> Floats:
        """rad per unit of the phases, one for each channel."""
        if phase_unit is not None:
            return np.full(int(here.sum()), _ANGLES[phase_unit])
        said = [units[i].strip() for i in np.flatnonzero(here)]
        strange = [word for word in said if word not in _ANGLES]
        if strange:
            raise ValueError(
                f"{self.path} must say the dataUnit of its phases, rad or deg, got "
                f"{strange[0][:20]!r}; give it as phase_unit"
            )
        return np.array([_ANGLES[word] for word in said])

    def _series(self, channels: int, frames: Any) -> Floats:
        """(frames, channels) of the frames that are asked for; NaN where a number is missing."""
        if "dataTimeSeries" not in self.data or not hasattr(self.data["dataTimeSeries"], "shape"):
            raise ValueError(f"{self.path} must hold dataTimeSeries")
        dataset = self.data["dataTimeSeries"]
        if dataset.ndim != 2 or dataset.shape[1] != channels or not dataset.shape[0]:
            raise ValueError(
                f"{self.path} must hold dataTimeSeries of {channels} channels, as its measurement "
                f"list, got shape {dataset.shape}"
            )
        count = dataset.shape[0]
        first, stop = 0, count
        if frames is not None:
            if not isinstance(frames, (tuple, list)) or len(frames) != 2:
                raise TypeError(f"frames must be (first, stop), got {arrays.describe(frames)}")
            first = arrays.integer(frames[0], "frames[0]", at_least=0, at_most=count - 1)
            stop = arrays.integer(frames[1], "frames[1]", at_least=first + 1, at_most=count)
        if (stop - first) * channels > MAX_NUMBERS:
            raise ValueError(
                f"frames must choose at most {MAX_NUMBERS // channels} of {self.path}, got "
                f"{stop - first}"
            )
        if dataset.dtype.kind not in "fiu":
            raise ValueError(f"{self.path} must hold numbers in dataTimeSeries")
        series = np.asarray(dataset[first:stop], np.float64)
        if "dataOffset" in self.data:
            offset = self._numbers(self.data, "dataOffset", 1)
            if len(offset) not in (0, channels):
                raise ValueError(f"{self.path} must hold a dataOffset for each channel")
            series = series + (offset if len(offset) else 0)
        return series


def _mean(parts: Floats) -> npt.NDArray[Any]:
    """The mean over time of (1 or 2, frames, readings): amplitudes, or complex numbers."""
    series: npt.NDArray[Any] = parts[0]
    if len(parts) == 2:
        series = parts[0] * np.exp(1j * parts[1])
    ok = np.isfinite(series)
    count = ok.sum(axis=0)
    total = np.where(ok, series, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
