"""Mesh files that are refused, and in what words."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import meshio
import numpy as np
import pytest

from lesionkit.optics.mesh.files import read_mesh, read_nirfast, write_mesh
from mesh_cases import (
    DATA,
    DISC,
    MESHES,
    SQUARE_ELEMENTS,
    SQUARE_NODES,
    equal,
    nirfast_files,
)

NIRFAST_DAMAGE = {
    "empty nodes": ("", SQUARE_ELEMENTS, None, r"it.node must hold rows of numbers, got none"),
    "text only": ("no\nnumbers\n", SQUARE_ELEMENTS, None, "it.node must hold rows of numbers"),
    "empty elements": (SQUARE_NODES, "\n\n", None, "it.elem must hold rows of numbers, got none"),
    "two columns": ("1 2\n", SQUARE_ELEMENTS, None, "it.node must have 3 or 4 columns, .* got 2"),
    "another first column": (
        "5 3 0 0\n1 0 0 0\n2 1 0 0\n", "1 2 3\n", None,
        "it.node must have 3 or 4 columns, a boundary flag 0 or 1, .* from 1 to 5",
    ),
    "row cut short": (
        SQUARE_NODES[:-4], SQUARE_ELEMENTS, None,
        r"it.node must hold 4 numbers as the lines before in line 5, got '0 0 '",
    ),
    "word among numbers": (
        SQUARE_NODES, "1 2 5\n2 x 5\n", None,
        "it.elem must hold 3 numbers as the lines before in line 2, got '2 x 5'",
    ),
    "nodes cut short": (
        SQUARE_NODES[:-8], SQUARE_ELEMENTS, None, "numbers from 1 to 4, got 3, from 1 to 5"
    ),
    "counted from 0": (SQUARE_NODES, "0 1 4\n", None, "from 1 to 5, got 3, from 0 to 4"),
    "fractions": (SQUARE_NODES, "1 2 4.5\n", None, "it.elem must hold whole node numbers"),
    "five columns": (SQUARE_NODES, "1 2 3 4 5\n", None, "it.elem must have 3 or 4 columns"),
    "NaN": (SQUARE_NODES.replace("0 0 0 0", "0 0 nan 0"), SQUARE_ELEMENTS, None,
            r"it.elem: nodes must be finite \(mm\), got 1 NaN"),
    "out of plane": (SQUARE_NODES.replace("0 0 0 0", "0 0 0 1"), SQUARE_ELEMENTS, None,
                     "it.elem: nodes of triangles must lie in a plane of constant z, got z from 0"),
    "elements cut short": (SQUARE_NODES, "1 2 5\n3 4 5\n", None, "it.elem: elements must not"),
    "properties cut short": (SQUARE_NODES, SQUARE_ELEMENTS, "stnd\n1 2 3\n",
                             "it.param must hold 5 rows, one for each node, and 3 columns"),
    "properties of another kind": (
        SQUARE_NODES, SQUARE_ELEMENTS, "stnd\n" + "1 2\n" * 5, "columns for the kind 'stnd', got 5"
    ),
    "unknown kind": (SQUARE_NODES, SQUARE_ELEMENTS, "odd\n" + "1 2\n" * 5,
                     "it.param must begin with a kind of NIRFAST's, .* got 'odd'"),
    "no kind": (SQUARE_NODES, SQUARE_ELEMENTS, "1 2\n" * 5, "it.param must begin with a kind"),
    "infinite property": (SQUARE_NODES, SQUARE_ELEMENTS, "stnd\n" + "1 inf 3\n" * 5,
                          "it.param: properties must be finite"),
}  # fmt: skip


@pytest.mark.parametrize("case", NIRFAST_DAMAGE)
def test_damaged_nirfast_files(tmp_path: Path, case: str) -> None:
    nodes, elements, properties, message = NIRFAST_DAMAGE[case]
    base = nirfast_files(tmp_path, nodes, elements, properties)
    with pytest.raises(ValueError, match=message) as caught:
        read_nirfast(base)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("gone", [".node", ".elem"])
def test_a_missing_companion_is_named(tmp_path: Path, gone: str) -> None:
    base = nirfast_files(tmp_path, SQUARE_NODES, SQUARE_ELEMENTS)
    base.with_suffix(gone).unlink()
    with pytest.raises(FileNotFoundError, match=rf"one whose file .*it\{gone} does not exist"):
        read_mesh(base)


@pytest.mark.parametrize("suffix", [".npz", ".vtu", ".vtk", ".msh"])
@pytest.mark.parametrize("name", ["triangles", "tetrahedra"])
def test_files_cut_short_are_refused_or_whole(tmp_path: Path, suffix: str, name: str) -> None:
    """Cut anywhere: one sentence that names the file; or the very mesh, if the cut missed it."""
    path = tmp_path / f"mesh{suffix}"
    write_mesh(MESHES[name], path)
    whole = path.read_bytes()
    refused = 0
    for length in np.linspace(0, len(whole) - 1, 40).astype(int):
        path.write_bytes(whole[:length])
        try:
            found = read_mesh(path)
        except ValueError as problem:
            said = str(problem)
            refused += str(path) in said and "\n" not in said
        else:
            assert equal(found, MESHES[name])
            refused += 0 < length < len(whole) - 1 and suffix == ".msh"  # cut behind the mesh
    assert refused >= 39


@pytest.mark.parametrize("suffix", [".npz", ".vtu", ".vtk", ".msh", ".xdmf"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 50, b"not a mesh\n" * 9])
def test_files_of_another_format_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"mesh{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"mesh{suffix} cannot be read as") as caught:
        read_mesh(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"nodes": DISC.nodes}, "mesh.npz cannot be read as a mesh: KeyError, 'elements"),
        (
            {"nodes": DISC.nodes, "elements": DISC.elements * 1.0},
            "mesh.npz: elements must hold int",
        ),
        ({"nodes": DISC.nodes, "elements": DISC.elements[0]}, "mesh.npz: elements must have shape"),
        (
            {"nodes": DISC.nodes, "elements": DISC.elements + 9},
            "mesh.npz: elements must hold node n",
        ),
        ({"nodes": np.array("x"), "elements": DISC.elements}, "mesh.npz: nodes must hold real"),
        (
            {"nodes": np.array({}), "elements": DISC.elements},
            "cannot be read as a mesh: ValueError",
        ),
    ],
)
def test_npz_of_other_arrays_is_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "mesh.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        read_mesh(tmp_path / "mesh.npz")


@pytest.mark.parametrize(
    ("cells", "kinds"),
    [
        ([("quad", [[0, 1, 2, 3]])], "quad"),
        ([("triangle", [[0, 1, 2]]), ("quad", [[0, 1, 2, 3]])], "quad, triangle"),
        ([("line", [[0, 1]])], "line"),
    ],
)
def test_other_kinds_of_element_are_refused(
    tmp_path: Path, cells: list[object], kinds: str
) -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=float)
    meshio.Mesh(points, cells).write(tmp_path / "mesh.vtu")
    with pytest.raises(ValueError, match=f"triangle, triangle6, tetra, tetra10, got {kinds}$"):
        read_mesh(tmp_path / "mesh.vtu")


@pytest.mark.parametrize("read", [read_mesh, read_nirfast])
@pytest.mark.parametrize("path", [None, 3, ""])
def test_paths_of_another_type_are_refused(read: Callable[[object], object], path: object) -> None:
    with pytest.raises(TypeError, match="path must be the name of a file, got"):
        read(path)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"path must end in .npz, .vtu, .* got .*mesh.stl$"):
        read_mesh(tmp_path / "mesh.stl")
    with pytest.raises(ValueError, match=r"path must end in .npz, .vtu, .* got .*mesh.stl$"):
        write_mesh(DISC, tmp_path / "mesh.stl")
    with pytest.raises(ValueError, match="path must be the name of a NIRFAST mesh"):
        read_nirfast(tmp_path / "mesh.vtu")
    for name in ("mesh.vtu", "mesh.npz", "mesh"):
        with pytest.raises(FileNotFoundError, match=f"{name}.* does not exist"):
            read_mesh(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="path must lie in a folder that exists"):
        write_mesh(DISC, tmp_path / "nowhere" / "mesh.vtu")


@pytest.mark.skipif(find_spec("h5py") is not None, reason="h5py is installed")
def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"mesh.xdmf cannot be written: the package h5py is not"):
        write_mesh(DISC, tmp_path / "mesh.xdmf")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"node_data": [1, 2]}, TypeError, "node_data must map names to arrays, got list"),
        ({"node_data": {3: np.zeros(61)}}, TypeError, "node_data must .* got the name 3"),
        ({"node_data": {"": np.zeros(61)}}, TypeError, "node_data must .* got the name ''"),
        ({"node_data": {"a": np.zeros(60)}}, ValueError,
         r"node_data\['a'\] must have shape \(61,\) or \(61, any\), got \(60,\)"),
        ({"node_data": {"a": np.zeros((61, 2, 2))}}, ValueError, "must have shape .*, got"),
        ({"node_data": {"a": 5.0}}, ValueError, "must have shape .*, got"),
        ({"node_data": {"a": np.full(61, np.nan)}}, ValueError, r"node_data\['a'\] must be finite"),
        ({"node_data": {"a": np.zeros(61, complex)}}, TypeError, "'a'.* must hold real"),
        ({"element_data": {"a": np.zeros(61)}}, ValueError, r"element_data\['a'\] must have shape"),
    ],
)  # fmt: skip
def test_data_of_another_shape_is_refused(
    tmp_path: Path, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        write_mesh(DISC, tmp_path / "mesh.vtu", **arguments)
    assert not list(tmp_path.iterdir())


def test_nirfast_files_hold_no_data_and_no_six_nodes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="node_data and element_data cannot be written to NIRFAST"):
        write_mesh(DISC, tmp_path / "it.node", node_data=DATA)
    with pytest.raises(ValueError, match="mesh must have elements of 3 or 4 nodes for NIRFAST"):
        write_mesh(DISC.to_quadratic(), tmp_path / "it.node")
    with pytest.raises(TypeError, match="mesh must be a Mesh, got"):
        write_mesh(DISC.nodes, tmp_path / "it.node")
    assert not list(tmp_path.iterdir())


def test_reading_gives_no_warning(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_nirfast(nirfast_files(tmp_path, SQUARE_NODES, SQUARE_ELEMENTS))
