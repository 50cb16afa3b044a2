"""The contents of mesh files, format by format: NIRFAST's tables, npz, and what meshio knows."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, extras
from lesionkit.optics.mesh.mesh import Mesh

Floats = npt.NDArray[np.float64]

MESHIO = {".vtu": "vtu", ".vtk": "vtk", ".msh": "gmsh", ".xdmf": "xdmf", ".xmf": "xdmf"}
CELLS = {"triangle": 3, "triangle6": 6, "tetra": 4, "tetra10": 10}
PARAM_COLUMNS = {  # NIRFAST's load_mesh.m; "spec" names its own
    "stnd": ("mua", "kappa", "ri"),
    "stnd_spn": ("mua", "mus", "g", "ri"),
    "fluor": ("muax", "kappax", "ri", "muam", "kappam", "muaf", "eta", "tau"),
}


def suffix(path: Path) -> str:
    return path.suffix.lower()


def companion(base: Path, suffix: str) -> Path:
    return base.with_name(base.name + suffix)


def read_table(path: Path) -> tuple[list[str], Floats]:
    """A text file of lines of text, then rows of as many numbers each: (lines, rows)."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"path must name a NIRFAST mesh, got one whose file {path} does not exist"
        ) from None
    header: list[str] = []
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.replace(",", " ").split()
        try:
            row = [float(field) for field in fields]
        except ValueError:
            row = []
        if fields and not row and not rows:
            header.append(line.strip())
        elif fields and (not row or (rows and len(row) != len(rows[0]))):
            expected = f"{len(rows[0])} numbers as the lines before"
            raise ValueError(f"{path} must hold {expected} in line {number}, got {line[:60]!r}")
        elif fields:
            rows.append(row)
    if not rows:
        raise ValueError(f"{path} must hold rows of numbers, got none")
    return header, np.array(rows)


def read_properties(path: Path, count: int) -> tuple[str, dict[str, Floats]]:
    """The kind and the columns of a .param file of `count` nodes; ("", {}) if there is none."""
    if not path.exists():
        return "", {}
    header, rows = read_table(path)
    if not header:  # version 1 of NIRFAST has no word for the kind
        header = [{3: "stnd", 8: "fluor"}.get(rows.shape[1], "")]
    kind, *names = header
    names = names or list(PARAM_COLUMNS.get(kind.removesuffix("_bem"), ()))
    if not names:
        raise ValueError(
            f"{path} must begin with a kind of NIRFAST's, {', '.join(PARAM_COLUMNS)} or spec and "
            f"its columns, got {kind!r}"
        )
    if rows.shape != (count, len(names)):
        raise ValueError(
            f"{path} must hold {count} rows, one for each node, and {len(names)} columns for the "
            f"kind {kind!r}, got {rows.shape[0]} rows of {rows.shape[1]}"
        )
    try:
        arrays.real(rows, "properties", (count, None))
    except ValueError as problem:
        raise ValueError(f"{path}: {problem}") from problem
    return kind, dict(zip(names, rows.T, strict=True))


def read_npz(path: Path) -> tuple[Any, Any]:
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            return file["nodes"], file["elements"]
    except Exception as problem:  # a damaged file can fail anywhere in the zip or array reader
        raise ValueError(f"{path} cannot be read as a mesh: {said(problem)}") from problem


def read_meshio(path: Path) -> tuple[Any, Any]:
    meshio = extras.require("meshio", "mesh files of this kind need")
    try:
        # meshio prints what it finds wrong, then exits: neither is for the user's program
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            found = meshio.read(path, file_format=MESHIO[suffix(path)])
    except (Exception, SystemExit) as problem:
        raise ValueError(f"{path} cannot be read as {suffix(path)}: {said(problem)}") from problem
    highest = max((block.dim for block in found.cells), default=0)
    blocks = [block for block in found.cells if block.dim == highest]
    kinds = {block.type for block in blocks}
    if len(kinds) != 1 or not kinds <= set(CELLS):
        raise ValueError(
            f"{path} must hold elements of one kind, {', '.join(CELLS)}, got "
            f"{', '.join(sorted(kinds)) or 'none'}"
        )
    return found.points, np.concatenate([block.data for block in blocks])


def said(problem: BaseException) -> str:
    """What a reader of another package said, in a line: its kind of error if it said nothing."""
    if isinstance(problem, ModuleNotFoundError):
        return f"the package {problem.name} is not installed"
    lines = str(problem).strip().splitlines()
    return (
        "the file is damaged or of another format"
        if isinstance(problem, SystemExit) or not lines
        else f"{type(problem).__name__}, {lines[0]}"
    )


def write_nirfast(mesh: Mesh, base: Path) -> None:
    flagged = np.isin(np.arange(len(mesh.nodes)), mesh.boundary)
    rows = np.column_stack([flagged, in_space(mesh)])
    np.savetxt(companion(base, ".node"), rows, fmt="%d\t%.17g\t%.17g\t%.17g")
    np.savetxt(companion(base, ".elem"), mesh.elements + 1, fmt="%d", delimiter="\t")


def write_npz(
    mesh: Mesh, path: Path, node_data: dict[str, Any], element_data: dict[str, Any]
) -> None:
    data = {f"node_data/{name}": column for name, column in node_data.items()}
    data |= {f"element_data/{name}": column for name, column in element_data.items()}
    with open(path, "wb") as file:
        np.savez(file, nodes=mesh.nodes, elements=mesh.elements, **data)


def write_meshio(
    mesh: Mesh, path: Path, node_data: dict[str, Any], element_data: dict[str, Any]
) -> None:
    kind = {nodes: kind for kind, nodes in CELLS.items()}[mesh.elements.shape[1]]
    file_format = MESHIO[suffix(path)]
    options = {"data_format": "XML"} if file_format == "xdmf" else {}  # numbers in the same file
    meshio = extras.require("meshio", "mesh files of this kind need")
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            meshio.Mesh(
                in_space(mesh),
                [(kind, mesh.elements)],
                point_data=node_data,
                cell_data={name: [column] for name, column in element_data.items()},
            ).write(path, file_format=file_format, **options)
    except OSError:  # a full disk, say, which the system puts in words itself
        raise
    except Exception as problem:
        raise ValueError(f"{path.name} cannot be written: {said(problem)}") from problem


def in_space(mesh: Mesh) -> Floats:
    """(n, 3) mm: the nodes, those of triangles with z = 0."""
    missing = 3 - mesh.nodes.shape[1]
    return np.column_stack([mesh.nodes, np.zeros((len(mesh.nodes), missing))])
