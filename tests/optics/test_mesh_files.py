"""Mesh files: what is written is read back; files of other programs; each damage its message."""

from __future__ import annotations

import stat
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import meshio
import numpy as np
import pytest

from lesionkit.optics.disc import disc_mesh
from lesionkit.optics.mesh import Mesh
from lesionkit.optics.mesh_files import read_mesh, read_nirfast, write_mesh

DISC = disc_mesh(radius=10, nodes=61, optodes=6)
TETRAHEDRA = Mesh(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], [[0, 1, 2, 3], [1, 2, 3, 4]]
)
MESHES = {"triangles": DISC, "six nodes": DISC.to_quadratic(), "tetrahedra": TETRAHEDRA}
needs_h5py = pytest.mark.skipif(find_spec("h5py") is None, reason="XDMF needs the package h5py")
SUFFIXES = [".npz", ".vtu", ".vtk", ".msh", ".VTU", pytest.param(".xdmf", marks=needs_h5py)]


def equal(one: Mesh, other: Mesh) -> bool:
    return np.array_equal(one.nodes, other.nodes) and np.array_equal(one.elements, other.elements)


def nirfast_files(folder: Path, nodes: str, elements: str, properties: str | None = None) -> Path:
    (folder / "it.node").write_text(nodes)
    (folder / "it.elem").write_text(elements)
    if properties is not None:
        (folder / "it.param").write_text(properties)
    return folder / "it"


SQUARE_NODES = "1 -1 -1 0\n1 1 -1 0\n1 1 1 0\n1 -1 1 0\n0 0 0 0\n"
SQUARE_ELEMENTS = "1 2 5\n2 3 5\n3 4 5\n4 1 5\n"

# there and back


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", MESHES)
def test_a_mesh_comes_back(
    tmp_path: Path, suffix: str, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"mesh{suffix}"
    write_mesh(MESHES[name], path)
    assert equal(read_mesh(str(path)), MESHES[name])
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("ending", ["", ".node", ".elem"])
@pytest.mark.parametrize("name", ["triangles", "tetrahedra"])
def test_a_mesh_comes_back_from_nirfast(tmp_path: Path, ending: str, name: str) -> None:
    write_mesh(MESHES[name], tmp_path / f"my.mesh{ending}" if ending else tmp_path / "my")
    found = sorted(file.name for file in tmp_path.iterdir())
    base = "my.mesh" if ending else "my"
    assert found == [f"{base}.elem", f"{base}.node"]
    for last in ("", ".node", ".elem"):
        assert equal(read_mesh(tmp_path / f"{base}{last}"), MESHES[name])
    whole = read_nirfast(tmp_path / base)
    np.testing.assert_array_equal(np.flatnonzero(whole.flagged), np.unique(whole.mesh.boundary))
    assert (whole.kind, whole.properties) == ("", {})


DATA = {
    "absorption": np.linspace(0.01, 0.02, 61),
    "single": np.linspace(0, 1, 61).astype(np.float32),
    "region": np.arange(61),
    "pair": np.arange(122.0).reshape(61, 2),
    "spectrum": np.arange(61.0 * 9).reshape(61, 9),
}


@pytest.mark.parametrize("suffix", [".vtu", ".vtk", ".msh"])
def test_data_can_be_read_by_others(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mesh{suffix}"
    gmsh = suffix == ".msh"
    data = {name: DATA[name] for name in DATA if not gmsh or DATA[name].ndim == 1}
    write_mesh(DISC, path, node_data=data, element_data={"area": DISC.areas})
    found = meshio.read(path, file_format="gmsh" if gmsh else None)
    for name, column in data.items():
        back = found.point_data[name]
        np.testing.assert_array_equal(back[:, :2] if name == "pair" else back, column)  # padded
    np.testing.assert_array_equal(found.cell_data["area"][0], DISC.areas)
    assert equal(read_mesh(path), DISC)


def test_gmsh_holds_numbers_vectors_and_tensors_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"mesh.msh cannot be written: .* only permits 1, 3, or 9"):
        write_mesh(DISC, tmp_path / "mesh.msh", {"pair": DATA["pair"]})
    assert not list(tmp_path.iterdir())


def test_npz_holds_plain_arrays(tmp_path: Path) -> None:
    path = tmp_path / "mesh.npz"
    swapped = np.arange(61, dtype=">i4")
    half = np.zeros(61, dtype=np.float16)
    write_mesh(DISC, path, {**DATA, "swapped": swapped, "half": half}, {"area": DISC.areas})
    with np.load(path, allow_pickle=False) as file:
        for name, column in DATA.items():
            np.testing.assert_array_equal(file[f"node_data/{name}"], column)
            assert file[f"node_data/{name}"].dtype == column.dtype
        assert file["node_data/swapped"].dtype == np.int32
        assert file["node_data/half"].dtype == np.float64
        np.testing.assert_array_equal(file["element_data/area"], DISC.areas)
    assert equal(read_mesh(path), DISC)


def test_a_written_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_mesh(DISC, tmp_path / "mesh.npz")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "mesh.npz")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("name", ["mesh.vtu", "mesh.npz", "mesh.node"])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mesh(DISC, tmp_path / name)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space left")

    for module, function in ((np, "savez"), (np, "savetxt"), (meshio.Mesh, "write")):
        monkeypatch.setattr(module, function, fail)
    with pytest.raises(OSError, match="no space left"):
        write_mesh(disc_mesh(nodes=1801), tmp_path / name)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


# files of other programs


def test_nirfast_text_as_its_users_write_it(tmp_path: Path) -> None:
    base = nirfast_files(
        tmp_path,
        "bnd, x, y\n1, -1, -1\n1, 1, -1\n\n1, 1, 1\n1, -1, 1\n0, 0, 0\n",
        "\t1\t5\t2\r\n2\t5\t3\r\n3\t4\t5\r\n4.0\t1\t5\r\n",  # some of them clockwise
        "stnd\n" + "0.01 0.33 1.33\n" * 4 + "0.02 0.33 1.33\n",
    )
    found = read_nirfast(base.with_suffix(".param"))
    np.testing.assert_array_equal(found.mesh.areas, [1, 1, 1, 1])
    assert found.flagged.tolist() == [True, True, True, True, False]
    assert found.kind == "stnd"
    assert list(found.properties) == ["mua", "kappa", "ri"]
    np.testing.assert_array_equal(found.properties["mua"], [0.01, 0.01, 0.01, 0.01, 0.02])


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("spec\nHbO\ndeoxyHb\nWater\nS-Amplitude\nS-Power\n" + "1 2 3 4 5\n" * 5, "spec",
         ["HbO", "deoxyHb", "Water", "S-Amplitude", "S-Power"]),
        ("1 2 3\n" * 5, "stnd", ["mua", "kappa", "ri"]),
        ("1 2 3 4 5 6 7 8\n" * 5, "fluor",
         ["muax", "kappax", "ri", "muam", "kappam", "muaf", "eta", "tau"]),
        ("stnd_spn\n" + "1 2 3 4\n" * 5, "stnd_spn", ["mua", "mus", "g", "ri"]),
    ],
)  # fmt: skip
def test_nirfast_properties(tmp_path: Path, text: str, kind: str, names: list[str]) -> None:
    found = read_nirfast(nirfast_files(tmp_path, SQUARE_NODES, SQUARE_ELEMENTS, text))
    assert (found.kind, list(found.properties)) == (kind, names)
    for number, column in enumerate(found.properties.values(), 1):
        np.testing.assert_array_equal(column, np.full(5, number))


def test_nodes_in_no_element_are_left_out_with_a_warning(tmp_path: Path) -> None:
    nodes = SQUARE_NODES.replace("1 1 1 0\n", "1 1 1 0\n0 7 7 0\n")
    elements = "1 2 6\n2 3 6\n3 5 6\n5 1 6\n"
    base = nirfast_files(
        tmp_path, nodes, elements, "stnd\n" + "".join(f"{i} 1 1\n" for i in range(6))
    )
    with pytest.warns(UserWarning, match=r"has 1 nodes in no element, of 6; they are left out"):
        found = read_nirfast(base)
    np.testing.assert_array_equal(found.properties["mua"], [0, 1, 2, 4, 5])
    np.testing.assert_array_equal(found.mesh.nodes, [[-1, -1], [1, -1], [1, 1], [-1, 1], [0, 0]])
    assert found.flagged.tolist() == [True, True, True, True, False]


def test_a_rim_without_flags_is_told(tmp_path: Path) -> None:
    base = nirfast_files(tmp_path, SQUARE_NODES.replace("1 1 1 0", "0 1 1 0"), SQUARE_ELEMENTS)
    with pytest.warns(UserWarning, match="does not flag 1 of the nodes at the rim"):
        read_nirfast(base)


def test_a_mesher_may_leave_lines_points_and_constant_z(tmp_path: Path) -> None:
    points = np.column_stack([DISC.nodes, np.full(61, 3.5)])
    points = np.vstack([points, [[0, 0, 9]]])  # the centre of an arc, say
    half = len(DISC.elements) // 2
    cells = [
        ("vertex", np.array([[61]])),
        ("line", DISC.boundary),
        ("triangle", DISC.elements[:half]),
        ("triangle", DISC.elements[half:]),
    ]
    meshio.Mesh(points, cells).write(tmp_path / "mesh.vtu")
    with pytest.warns(UserWarning, match=r"mesh.vtu has 1 nodes in no element, of 62"):
        assert equal(read_mesh(tmp_path / "mesh.vtu"), DISC)


def test_triangles_beside_tetrahedra_are_passed_over(tmp_path: Path) -> None:
    cells = [("triangle", TETRAHEDRA.boundary), ("tetra", TETRAHEDRA.elements)]
    meshio.Mesh(TETRAHEDRA.nodes, cells).write(tmp_path / "mesh.vtk")
    assert equal(read_mesh(tmp_path / "mesh.vtk"), TETRAHEDRA)


def test_text_of_gmsh_is_read(tmp_path: Path) -> None:
    points = np.column_stack([DISC.nodes, np.zeros(61)])
    meshio.Mesh(points, [("triangle", DISC.elements)]).write(
        tmp_path / "mesh.msh", file_format="gmsh", binary=False
    )
    assert equal(read_mesh(tmp_path / "mesh.msh"), DISC)


# real files


def test_the_circle_of_nirfast(lesionkit_data: Path, tmp_path: Path) -> None:
    folder = lesionkit_data / "data" / "nirst" / "nirfast_circle_spec"
    found = read_nirfast(folder / "circle_spec")
    assert (len(found.mesh.nodes), len(found.mesh.elements)) == (1785, 3418)
    radius = np.linalg.norm(found.mesh.nodes[found.mesh.boundary[:, 0]], axis=1)
    np.testing.assert_allclose(radius, 41, atol=0.03)  # mm; the file has six digits
    np.testing.assert_array_equal(np.flatnonzero(found.flagged), np.unique(found.mesh.boundary))
    assert found.kind == "spec"
    constant = {"HbO": 0.01, "deoxyHb": 0.01, "Water": 0.4, "S-Amplitude": 1, "S-Power": 1}
    assert {name: set(column) for name, column in found.properties.items()} == {
        name: {value} for name, value in constant.items()
    }
    write_mesh(found.mesh, tmp_path / "again.vtu", node_data=found.properties)
    assert equal(read_mesh(tmp_path / "again.vtu"), found.mesh)


# what is refused

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
    with pytest.raises(ValueError, match=f"triangle, triangle6, tetra, got {kinds}$"):
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
        write_mesh(DISC, tmp_path / "mesh.vtu", **arguments)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_nirfast_files_hold_no_data_and_no_six_nodes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="node_data and element_data cannot be written to NIRFAST"):
        write_mesh(DISC, tmp_path / "it.node", node_data=DATA)
    with pytest.raises(ValueError, match="mesh must have elements of 3 or 4 nodes for NIRFAST"):
        write_mesh(DISC.to_quadratic(), tmp_path / "it.node")
    with pytest.raises(TypeError, match="mesh must be a Mesh, got"):
        write_mesh(DISC.nodes, tmp_path / "it.node")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_reading_gives_no_warning(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_nirfast(nirfast_files(tmp_path, SQUARE_NODES, SQUARE_ELEMENTS))
