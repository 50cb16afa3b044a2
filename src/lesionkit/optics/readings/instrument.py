"""What lies in an instrument's files, put together: readings, optodes on the rim of a mesh, and the
table of extinction coefficients.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics import spectra
from lesionkit.optics.forward.surface import nearest_on_surface
from lesionkit.optics.mesh import files as mesh_files
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.readings.nirfast_data import Optodes, read_excoef, read_optodes, read_paa
from lesionkit.optics.readings.readings import Readings, SnirfReadings
from lesionkit.optics.readings.snirf import read_snirf

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

_FLAT = 1e-3  # mm by which optodes may leave a plane, or differ between two files


@dataclass(frozen=True)
class OnRim:
    """Optodes moved to the rim of a mesh.

    places : (n, 2 or 3) mm
    moved  : (n,) mm, how far
    """

    places: Floats
    moved: Floats


@dataclass(frozen=True, eq=False)
class Placed:
    """Sources or detectors: what their file says, and its name."""

    optodes: Optodes
    name: str

    def onto_rim(self, mesh: Mesh, max_move: float) -> OnRim:
        """The nearest points of the rim; files hold sources that were moved inwards already."""
        places = self.optodes.places
        foot, moved = _nearest_on_rim(mesh, places)
        far = np.flatnonzero(moved > max_move)
        if len(far):
            worst = int(far[moved[far].argmax()])
            others = f" (and {len(far) - 1} more)" if len(far) > 1 else ""
            raise ValueError(
                f"{self.name} must hold optodes within max_move of the rim of the mesh, "
                f"{max_move:g} mm, got number {self.optodes.numbers[worst]} at "
                f"{places[worst].round(3).tolist()} mm, {moved[worst]:.3g} mm away{others}"
            )
        return OnRim(foot, moved)


def _nearest_on_rim(mesh: Mesh, places: Floats) -> tuple[Floats, Floats]:
    """The nearest points of the rim, or of the surface of tetrahedra, to places (n, d), and how far
    they are, mm."""
    if mesh.solid:
        found, moved = nearest_on_surface(mesh, places)
        return found.position, moved
    ends = mesh.nodes[mesh.boundary[:, :2]]
    along = ends[:, 1] - ends[:, 0]
    fraction = np.einsum("nex,ex->ne", places[:, None] - ends[:, 0], along)
    fraction = np.clip(fraction / np.square(along).sum(axis=1), 0, 1)
    foot = ends[:, 0] + fraction[..., None] * along
    distance = np.linalg.norm(places[:, None] - foot, axis=2)
    each, nearest = np.arange(len(places)), distance.argmin(axis=1)
    return foot[each, nearest], distance[each, nearest]


def read(source: Any, name: str) -> Readings:
    """Readings of a file, by its suffix; Readings as they are."""
    if isinstance(source, Readings):
        return source
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"{name} must be a path or Readings, got {arrays.describe(source)}")
    return read_snirf(source) if Path(source).suffix.lower() == ".snirf" else read_paa(source)


def frequency_of(readings: Readings, otherwise: float) -> float:
    """Hz of the modulation: what the file says."""
    return readings.frequency if isinstance(readings, SnirfReadings) else otherwise


def check_same(of: Readings, against: Readings, data: str, reference: str) -> None:
    """Raise unless both were measured at the same wavelengths, with the same optodes."""
    if not np.array_equal(of.wavelengths, against.wavelengths):
        raise ValueError(
            f"{reference} must have the wavelengths of {data}, {of.wavelengths.tolist()}, got "
            f"{against.wavelengths.tolist()}"
        )
    if not np.array_equal(of.pairs, against.pairs):
        raise ValueError(
            f"{reference} must have the {len(of.pairs)} pairs of {data} in their order, got "
            f"{len(against.pairs)}" + " others" * (len(against.pairs) == len(of.pairs))
        )
    if isinstance(of, SnirfReadings) and isinstance(against, SnirfReadings):
        if of.frequency != against.frequency:
            raise ValueError(
                f"{reference} must be of the frequency of {data}, {of.frequency:g} Hz, got "
                f"{against.frequency:g}"
            )
        for name in ("sources", "detectors"):
            one, other = getattr(of, name), getattr(against, name)
            if one.shape != other.shape or np.abs(one - other).max(initial=0) > _FLAT:
                raise ValueError(f"{reference} must have its {name} where {data} has them")


def mesh_name(data: Any, mesh: str | os.PathLike[str] | None) -> Path:
    """The mesh that is named, or the only one beside the data."""
    if mesh is not None:
        return Path(mesh)
    if isinstance(data, Readings):
        raise ValueError("mesh must be named where data are Readings, got None")
    folder = Path(data).parent
    found = sorted(folder.glob("*.node"))
    if len(found) != 1:
        raise ValueError(
            f"mesh must be named where {folder} does not hold just one .node file, got {len(found)}"
        )
    return found[0]


def read_setup(path: Path, readings: Readings) -> tuple[Mesh, list[Placed]]:
    """The mesh, and sources and detectors: of SNIRF its own, else those beside the mesh."""
    mesh = mesh_files.read_mesh(path)
    if isinstance(readings, SnirfReadings):
        return mesh, [
            Placed(_of_snirf(getattr(readings, name), name, mesh), f"the file's {name}")
            for name in ("sources", "detectors")
        ]
    return mesh, _beside(path, mesh)


def read_files(path: Path) -> tuple[Mesh, list[Placed]]:
    """A mesh of triangles, and the sources and detectors of the files beside it."""
    mesh = mesh_files.read_mesh(path)
    if mesh.solid:
        raise ValueError(f"{path} must be a mesh of triangles, got {mesh!r}")
    return mesh, _beside(path, mesh)


def _beside(path: Path, mesh: Mesh) -> list[Placed]:
    """Sources and detectors of NIRFAST's files beside a mesh."""
    placed = []
    for end in (".source", ".meas"):
        file = beside(path, end)
        optodes = read_optodes(file, mesh.nodes.shape[1])
        if optodes.places.shape[1] != mesh.nodes.shape[1]:
            raise ValueError(f"{file} must place optodes by x, y and z, as {mesh!r} does, got x, y")
        if optodes.distributed:
            raise ValueError(
                f"{file} must hold sources that shine one after the other, got 'distributed', all "
                "at once"
            )
        if (optodes.fwhm > 0).any():
            warnings.warn(
                f"{file} has sources up to {optodes.fwhm.max():g} mm wide (fwhm), which are taken "
                "as points",
                stacklevel=5,
            )
        placed.append(Placed(optodes, str(file)))
    return placed


def _of_snirf(places: Floats, name: str, mesh: Mesh) -> Optodes:
    """Optodes of a SNIRF file as those of NIRFAST's."""
    if mesh.solid and places.shape[1] != 3:
        raise ValueError(f"the file's {name} must have places x, y and z, as {mesh!r}, got x and y")
    if not mesh.solid and places.shape[1] == 3:
        if np.ptp(places[:, 2]) > _FLAT:
            raise ValueError(
                f"the file's {name} must lie in a plane of constant z, as the mesh does, got "
                f"z from {places[:, 2].min():g} to {places[:, 2].max():g} mm"
            )
        places = places[:, :2]
    count = len(places)
    return Optodes(places, np.arange(1, count + 1), np.zeros(count), False)


def beside(mesh: Path, suffix: str) -> Path:
    """The file of the same name as a mesh, with another suffix."""
    known = (".node", ".elem", ".param", ".npz", ".vtu", ".vtk", ".msh", ".xdmf", ".xmf")
    name = mesh.stem if mesh.suffix.lower() in known else mesh.name
    return mesh.with_name(name + suffix)


def numbered(
    readings: Readings, placed: list[Placed], some: npt.NDArray[np.bool_], data: str, mesh: Path
) -> Index:
    """Pairs (pairs, 2), those that are used, as places in the lists of sources and detectors."""
    pairs = readings.pairs[some]
    columns = []
    for of, one in zip(pairs.T, placed, strict=True):
        numbers = one.optodes.numbers
        order = np.argsort(numbers)
        at = np.searchsorted(numbers, of + 1, sorter=order)
        at = order[np.minimum(at, len(numbers) - 1)]
        if (numbers[at] != of + 1).any():
            counts = [len(x.optodes.numbers) for x in placed]
            raise ValueError(
                f"{data} must number the {counts[0]} sources and {counts[1]} detectors of {mesh}, "
                f"got up to {(pairs.max(axis=0) + 1).tolist()}"
            )
        columns.append(at)
    return np.column_stack(columns).astype(np.intp)


def extinction_of(given: Any, mesh: Path, wavelengths: Floats, lipid: bool) -> Any:
    """The table that is given, that of the .excoef file beside the mesh, or `spectra`'s own."""
    if given is not None:
        return given
    file = beside(mesh, ".excoef")
    if not file.exists():
        return "nirfast"
    table = read_excoef(file)
    lacking = [nm for nm in wavelengths if float(nm) not in table]
    if lacking:
        raise ValueError(
            f"{file} must hold the wavelengths of the data, {wavelengths.tolist()} nm, got none of "
            f"{lacking[0]:g} nm"
        )
    rows = np.array([table[float(nm)] for nm in wavelengths])
    if lipid and rows.shape[1] == 3:
        try:
            rows = np.column_stack([rows, spectra.lipid(wavelengths)])
        except ValueError as problem:
            raise ValueError(
                f"{file} must have a column Lipid for a map of it at these wavelengths, got none "
                f"({problem})"
            ) from problem
    return rows if lipid else rows[:, :3]
