"""Mesh files: what is written is read back; files of other programs; each damage its message."""

from __future__ import annotations

import stat
from importlib.util import find_spec
from pathlib import Path

import meshio
import numpy as np
import pytest

from lesionkit.optics.mesh.disc import disc_mesh
from lesionkit.optics.mesh.files import read_mesh, read_nirfast, write_mesh
from mesh_cases import (
    DATA,
    DISC,
    MESHES,
    SQUARE_ELEMENTS,
    SQUARE_NODES,
    TETRAHEDRA,
    equal,
    nirfast_files,
)

needs_h5py = pytest.mark.skipif(find_spec("h5py") is None, reason="XDMF needs the package h5py")
SUFFIXES = [".npz", ".vtu", ".vtk", ".msh", ".VTU", pytest.param(".xdmf", marks=needs_h5py)]


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
