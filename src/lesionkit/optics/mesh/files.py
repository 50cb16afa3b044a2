"""Meshes in and out of files: NIRFAST's text files, npz, VTK and Gmsh.

The name of a file says its format:

- ``.node``, ``.elem`` or no suffix: NIRFAST, two text files of one name, and perhaps ``.param``
- ``.npz``: ours; arrays ``nodes`` and ``elements`` as in ``Mesh``, then ``node_data/NAME`` and
  ``element_data/NAME``
- ``.vtu``, ``.vtk``: VTK, for ParaView
- ``.msh``: Gmsh
- ``.xdmf``, ``.xmf``: XDMF, with the package h5py

All but NIRFAST's and our own are left to meshio. It knows more formats, but on files cut short some
of its readers wait for ever; ``meshio convert`` turns any of them into one of the above.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics.mesh.formats import (
    MESHIO,
    companion,
    read_meshio,
    read_npz,
    read_properties,
    read_table,
    suffix,
    write_meshio,
    write_nirfast,
    write_npz,
)
from lesionkit.optics.mesh.mesh import Mesh

Floats = npt.NDArray[np.float64]
Data = Mapping[str, npt.ArrayLike]

_FLAT = 1e-9  # of the mesh's width: how far nodes may leave a plane by rounding


@dataclass(frozen=True, eq=False)
class NirfastMesh:
    """A mesh as NIRFAST's text files hold it.

    Attributes
    ----------
    mesh : Mesh
        Its nodes are numbered from 0.
    flagged : (n,) array of bool
        The nodes that the file flags as boundary.
    kind : str
        The first word of the .param file: "stnd", "spec", "fluor" ...; "" without one.
    properties : dict of str to (n,) array of float64
        The columns of the .param file. Of "stnd" they are mua (mm^-1), kappa (mm) and ri; of "spec"
        what the file names: chromophores (mM), Water (fraction), S-Amplitude, S-Power.
    """

    mesh: Mesh
    flagged: npt.NDArray[np.bool_]
    kind: str
    properties: dict[str, Floats]


def read_mesh(path: str | os.PathLike[str]) -> Mesh:
    """Read a mesh from a file; lengths in mm.

    The suffix of a file's name says its format: ".node", ".elem" or none for NIRFAST's text files,
    ".npz" for ours, ".vtu" and ".vtk" for VTK, ".msh" for Gmsh, ".xdmf" and ".xmf" for XDMF (needs
    h5py). Lines and points that a mesher leaves next to the triangles are passed over, as are
    triangles next to tetrahedra, and a constant third coordinate of triangles. Nodes in no element
    are left out with a warning, and the others numbered anew in their order.

    Parameters
    ----------
    path : str or path
        Name of the file.

    Returns
    -------
    Mesh
        What the file holds.

    Raises
    ------
    FileNotFoundError
        Where there is no file.
    ValueError
        Naming the file: an unknown suffix; a file that is empty, cut short or of another format; a
        mesh that :class:`Mesh` refuses.

    Examples
    --------
    >>> import tempfile
    >>> from lesionkit.optics import disc_mesh, read_mesh, write_mesh
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_mesh(disc_mesh(20, nodes=100), f"{folder}/disc.npz")
    ...     read_mesh(f"{folder}/disc.npz")
    Mesh(217 nodes, 384 triangles of order 1)
    """
    path = _path(path)
    base = _nirfast_base(path)
    if base is not None:
        return read_nirfast(base).mesh
    _check_format(path)
    if not path.exists():
        raise FileNotFoundError(f"path must name a file, got {path}, which does not exist")
    return _mesh(path, *(read_npz if suffix(path) == ".npz" else read_meshio)(path))[0]


def read_nirfast(path: str | os.PathLike[str]) -> NirfastMesh:
    """Read a mesh from NIRFAST's text files, with boundary flags and properties of its nodes.

    Parameters
    ----------
    path : str or path
        The common name of the files, or that of one of them. ``.node`` has the boundary flag (0 or
        1), x, y and perhaps z of each node in mm, ``.elem`` the nodes of each element counted from
        1, ``.param`` (optional) the properties of each node. Lines of text before the numbers are
        passed over in the first two.

    Returns
    -------
    NirfastMesh
        `mesh`, `flagged`, `kind` and `properties`.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_mesh`.

    Examples
    --------
    >>> import tempfile
    >>> from lesionkit.optics import disc_mesh, read_nirfast, write_mesh
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_mesh(disc_mesh(20, nodes=100), f"{folder}/disc")
    ...     found = read_nirfast(f"{folder}/disc")
    >>> found.mesh, found.flagged.sum().item()
    (Mesh(217 nodes, 384 triangles of order 1), 48)
    """
    path = _path(path)
    base = _nirfast_base(path)
    if base is None:
        raise ValueError(
            f"path must be the name of a NIRFAST mesh, or of its .node or .elem file, got {path}"
        )
    node_path, elem_path, param_path = (
        companion(base, end) for end in (".node", ".elem", ".param")
    )
    rows = read_table(node_path)[1]
    if rows.shape[1] not in (3, 4) or not np.isin(rows[:, 0], (0, 1)).all():
        raise ValueError(
            f"{node_path} must have 3 or 4 columns, a boundary flag 0 or 1, x, y and perhaps z, "
            f"got {rows.shape[1]}, the first from {rows[:, 0].min():g} to {rows[:, 0].max():g}"
        )
    numbers = read_table(elem_path)[1]
    if numbers.shape[1] not in (3, 4) or not ((numbers >= 1) & (numbers <= len(rows))).all():
        raise ValueError(
            f"{elem_path} must have 3 or 4 columns of node numbers from 1 to {len(rows)}, got "
            f"{numbers.shape[1]}, from {numbers.min():g} to {numbers.max():g}"
        )
    if (numbers % 1 != 0).any():
        raise ValueError(f"{elem_path} must hold whole node numbers, got fractions")
    mesh, kept = _mesh(elem_path, rows[:, 1:], numbers.astype(np.int64) - 1)
    kind, properties = read_properties(param_path, len(rows))

    flagged = rows[kept, 0] == 1
    missing = np.setdiff1d(mesh.boundary, np.flatnonzero(flagged))
    if len(missing):
        warnings.warn(
            f"{node_path} does not flag {len(missing)} of the nodes at the rim of the elements as "
            "boundary; are both files whole, and of one mesh?",
            stacklevel=2,
        )
    return NirfastMesh(mesh, flagged, kind, {name: x[kept] for name, x in properties.items()})


def write_mesh(
    mesh: Mesh,
    path: str | os.PathLike[str],
    node_data: Data | None = None,
    element_data: Data | None = None,
) -> None:
    """Write a mesh to a file; lengths in mm.

    The formats are those of :func:`read_mesh`. float32, float64 and integers keep their type. The
    file appears when it is whole, and replaces one of its name.

    Parameters
    ----------
    mesh : Mesh
        For NIRFAST's text files, with elements of 3 or 4 nodes.
    path : str or path
        Its suffix says the format.
    node_data : mapping of str to (nodes,) or (nodes, k) array, optional
        Real numbers, to be looked at in ParaView, say; not in NIRFAST's text files.
    element_data : mapping of str to (elements,) or (elements, k) array, optional
        Likewise.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    FileNotFoundError
        Where there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> from lesionkit.optics import disc_mesh, read_mesh, write_mesh
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_mesh(disc_mesh(20, nodes=100), f"{folder}/disc.vtu")
    ...     read_mesh(f"{folder}/disc.vtu")
    Mesh(217 nodes, 384 triangles of order 1)
    """
    if not isinstance(mesh, Mesh):
        raise TypeError(f"mesh must be a Mesh, got {arrays.describe(mesh)}")
    path = _path(path)
    base = _nirfast_base(path)
    nodes = _columns(node_data, "node_data", len(mesh.nodes))
    elements = _columns(element_data, "element_data", len(mesh.elements))
    if base is not None:
        if nodes or elements:
            raise ValueError(
                f"node_data and element_data cannot be written to NIRFAST's files, got {path}; "
                "a name ending in .vtu or .npz can hold them"
            )
        if mesh.order == 2:
            raise ValueError(f"mesh must have elements of 3 or 4 nodes for NIRFAST, got {mesh!r}")
        _write_whole(base, lambda new: write_nirfast(mesh, new))
        return
    _check_format(path)
    write = write_npz if suffix(path) == ".npz" else write_meshio
    _write_whole(path, lambda new: write(mesh, new, nodes, elements))


def _path(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise TypeError(f"path must be the name of a file, got {arrays.describe(path)}")
    return Path(path)


def _nirfast_base(path: Path) -> Path | None:
    """The common name of NIRFAST's files if `path` names some, else None."""
    if suffix(path) in (".node", ".elem", ".param"):
        return path.with_suffix("")
    known = suffix(path) in MESHIO or suffix(path) == ".npz"
    return path if not path.suffix or (not known and companion(path, ".node").exists()) else None


def _check_format(path: Path) -> None:
    if suffix(path) not in (".npz", *MESHIO):
        known = ", ".join([".npz", *MESHIO])
        raise ValueError(
            f"path must end in {known}, or name NIRFAST's files (.node, .elem), got {path}"
        )


def _mesh(path: Path, nodes: Any, elements: Any) -> tuple[Mesh, npt.NDArray[np.intp]]:
    """The mesh of a file's nodes and elements, and which nodes it keeps; errors name the file."""
    count = len(nodes) if np.ndim(nodes) else 0
    try:
        nodes = arrays.real(nodes, "nodes", ("n", None), "mm")
        kept = np.arange(len(nodes))
        numbers = elements.ndim == 2 and elements.size and elements.dtype.kind in "iu"
        if numbers and elements.min() >= 0 and elements.max() < len(nodes):
            kept = np.unique(elements).astype(np.intp)
            nodes, elements = nodes[kept], np.searchsorted(kept, elements)
            if nodes.shape[1] == 3 and elements.shape[1] not in (4, 10):
                nodes = _flattened(nodes)
        mesh = Mesh(nodes, elements)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{path}: {problem}") from problem
    if len(kept) < count:
        warnings.warn(
            f"{path} has {count - len(kept)} nodes in no element, of {count}; they are left out, "
            "and the others numbered anew",
            stacklevel=3,
        )
    return mesh, kept


def _flattened(nodes: Floats) -> Floats:
    """(n, 2): nodes (n, 3) of triangles without their third coordinate, the same for all."""
    low, high = nodes.min(axis=0), nodes.max(axis=0)
    if high[2] - low[2] > _FLAT * (high - low)[:2].max():
        raise ValueError(
            "nodes of triangles must lie in a plane of constant z, got z from "
            f"{low[2]:g} to {high[2]:g} mm"
        )
    return nodes[:, :2]


def _columns(data: Data | None, name: str, rows: int) -> dict[str, npt.NDArray[Any]]:
    """`data` checked: named columns, each of `rows` finite numbers or rows of them."""
    if data is not None and not isinstance(data, Mapping):
        raise TypeError(f"{name} must map names to arrays, got {arrays.describe(data)}")
    columns = {}
    for key, values in (data or {}).items():
        if not isinstance(key, str) or not key:
            raise TypeError(f"{name} must map names to arrays, got the name {key!r}")
        label = f"{name}[{key!r}]"
        column = arrays.real(values, label, ("...",))
        if column.ndim not in (1, 2) or len(column) != rows:
            raise ValueError(
                f"{label} must have shape ({rows},) or ({rows}, any), got {column.shape}"
            )
        given = np.asarray(values).dtype
        if given.kind in "iu" or given.itemsize == 4:
            column = np.ascontiguousarray(values, dtype=given.newbyteorder("="))
        columns[key] = column
    return columns


def _write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Have `write` make the file in a folder of its own beside `path`, then move it there."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path must lie in a folder that exists, got {path}")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        write(Path(folder, path.name))
        for new in sorted(Path(folder).iterdir()):
            os.replace(new, path.with_name(new.name))
