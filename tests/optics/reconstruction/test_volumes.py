"""`lesionkit reconstruct` of a mesh of tetrahedra: volumes in, volumes out."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nibabel
import numpy as np
import pytest

from lesionkit import cli
from lesionkit.geometry import Geometry
from lesionkit.optics import ForwardModel, Mesh, spectra, write_mesh
from lesionkit.optics.mesh.solids import ball_mesh
from lesionkit.optics.reconstruction.measured import reconstruct_measured

NM = (735, 852)
MIDDLE = np.array([100.0, 40, -20])
PLACE = np.array([105.0, 43, -18])  # of the lump
TISSUE = {"hbo": 14.0, "hb": 7.0, "water": 35.0, "amplitude": 1.0, "power": 1.0}
AFFINE = np.array([[-2.0, 0, 0, 120], [0, 0, 2.5, 22], [0, -2, 0, 4], [0, 0, 0, 1]])
SHAPE = (20, 20, 16)  # to the left, down, to the front


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NIRFAST files of a ball with a lump of blood, and an MR volume that shows it, whose header
    has a name and a date."""
    out = tmp_path_factory.mktemp("ball")
    ball = ball_mesh(15, layers=4, order=1)
    mesh = Mesh(ball.nodes + MIDDLE, ball.elements)
    turn = np.arange(8) * np.pi / 4
    height = 9 * (-1.0) ** np.arange(8)
    around = np.sqrt(15**2 - height**2)
    rim = np.column_stack([around * np.cos(turn), around * np.sin(turn), height]) + MIDDLE
    write_mesh(mesh, out / "ball")
    lines = [f"{i} {x:.6f} {y:.6f} {z:.6f}" for i, (x, y, z) in enumerate(rim, 1)]
    for end in ("source", "meas"):
        (out / f"ball.{end}").write_text("\n".join(["num x y z", *lines]) + "\n")
    model = ForwardModel(mesh, rim, rim)
    lump = np.linalg.norm(mesh.nodes - PLACE, axis=1) < 6
    hbo = np.stack([np.where(lump, 35.0, 14.0), np.full(len(lump), 14.0)])
    mua = spectra.absorption(NM, hbo, 7.0, 35.0)
    mus = np.broadcast_to(spectra.scattering(NM, 1.0, 1.0)[:, None, None], mua.shape)
    for name, found in zip(
        ("anom", "homog"), np.swapaxes(model.measure(mua, mus), 0, 1), strict=True
    ):
        rows = ["source det " + " ".join(f"w{nm}" for nm in NM)]
        for s, d in np.argwhere(~np.eye(8, dtype=bool)):
            rows.append(f"{s + 1} {d + 1} " + " ".join(f"1 {x:.9g} 0" for x in found[:, s, d]))
        (out / f"{name}.paa").write_text("\n".join(rows) + "\n")
    places = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), -1) @ AFFINE[:3, :3].T
    gray = np.where(np.linalg.norm(places + AFFINE[:3, 3] - PLACE, axis=-1) < 6, 960, 600)
    image = nibabel.Nifti1Image(gray.astype(np.int16), AFFINE)
    image.header["descrip"], image.header["db_name"] = b"Doe^Jane 2019-04-01", b"Jane"
    image.header.set_xyzt_units("mm")
    nibabel.save(image, out / "mri.nii.gz")
    return out


def asked(folder: Path, out: Path, *more: str) -> list[str]:
    tissue = ["--frequency", "0", "--tissue", *(f"{x:g}" for x in TISSUE.values())]
    files = [str(folder / "anom.paa"), "--reference", str(folder / "homog.paa"), "--out", str(out)]
    return ["reconstruct", *files, *tissue, "--maps", "hbo", "hb", *more]


def test_maps_on_the_voxels_of_the_mr_volume(folder: Path, tmp_path: Path, capsys) -> None:
    dri = ["--method", "dri", "--mri", str(folder / "mri.nii.gz")]
    assert cli.main(asked(folder, tmp_path / "out", *dri)) == 0
    said = capsys.readouterr().out
    assert "anom.paa by DRI, 56 pairs" in said
    assert "moved      to the rim: sources up to" in said
    names = [f"{name}.nii.gz" for name in ("hb", "hbo", "hbt", "sto2")]
    assert sorted(os.listdir(tmp_path / "out")) == names
    hbo = nibabel.load(tmp_path / "out/hbo.nii.gz")
    np.testing.assert_allclose(hbo.affine, AFFINE)
    assert hbo.get_data_dtype() == np.float32
    values = np.asarray(hbo.dataobj)
    i, j, k = np.rint(np.linalg.inv(AFFINE) @ [*PLACE, 1]).astype(int)[:3]
    assert values[i, j, k] > 20
    assert np.isnan(values[0, 0, 0])
    inside = ~np.isnan(values)
    assert inside.sum() * 10 == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.1)
    assert np.median(values[inside]) == pytest.approx(14, abs=1.5)
    for name in names:  # nothing of the header but where voxels lie
        raw = nibabel.load(tmp_path / "out" / name).to_bytes()
        assert not any(word in raw for word in (b"Jane", b"2019", b"mri"))
    before = (tmp_path / "out/hbo.nii.gz").read_bytes()
    assert cli.main(asked(folder, tmp_path / "out", *dri)) == 2
    assert "holds results already (hbt.nii.gz, sto2.nii.gz, hbo.nii.gz" in capsys.readouterr().err
    assert (tmp_path / "out/hbo.nii.gz").read_bytes() == before


def test_without_an_image_on_cubes_over_the_mesh(folder: Path, tmp_path: Path, capsys) -> None:
    few = ["--method", "tikhonov", "--maps", "hbo"]
    (tmp_path / "hb.nii.gz").write_bytes(b"of another run")
    assert cli.main(asked(folder, tmp_path, *few, "--overwrite")) == 0
    assert sorted(os.listdir(tmp_path)) == ["hbo.nii.gz"]
    hbo = nibabel.load(tmp_path / "hbo.nii.gz")
    side = 30 / 16 / 2
    np.testing.assert_allclose(np.diag(hbo.affine), [side, side, side, 1], rtol=1e-3)
    values = np.asarray(hbo.dataobj)
    at = np.array(np.unravel_index(np.nanargmax(values), values.shape))
    assert np.linalg.norm(hbo.affine[:3, :3] @ at + hbo.affine[:3, 3] - PLACE) < 7


def spoilt(folder: Path, path: Path, change: str) -> Path:
    image = nibabel.load(folder / "mri.nii.gz")
    voxels, affine, header = np.asarray(image.dataobj), image.affine.copy(), image.header
    if change == "elsewhere":
        affine[0, 3] += 14
    elif change == "far":
        affine[:3, 3] -= 300
    elif change == "four":
        voxels = np.stack([voxels] * 3, axis=-1)
    elif change == "slice":
        voxels = voxels[:, :1]
    elif change == "dark":
        voxels = np.zeros_like(voxels)
    elif change == "nan":
        voxels = np.where(voxels > 700, np.float32(np.nan), voxels.astype(np.float32))
        header = None
    made = nibabel.Nifti1Image(voxels, affine, header)
    if change == "unit":
        made.header["xyzt_units"] = 5
    elif change == "metres":
        made.header.set_xyzt_units("meter")
    data = bytearray(made.to_bytes())
    if change == "unplaced":
        data[252:256] = bytes(4)  # the codes of qform and sform
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("elsewhere", r"must hold the whole mesh, which lies at .* outside of which are \d+"),
        ("far", "must hold the whole mesh, .* outside of which are 100 % of the nodes"),
        ("metres", "must hold the whole mesh"),
        ("unit", "must be in mm, m or micron, its xyzt_units has the code 5"),
        ("four", "--mri must be one volume, got .* which holds 3: volume=0, volume=1, volume=2"),
        ("slice", "--mri must be a volume in mm for a mesh of tetrahedra, got .* of 2 axes in mm"),
        ("unplaced", "--mri must say where it lies, got .* whose sform and qform are not set"),
        ("dark", "--mri must show tissue within the mesh, got .* whose median there is 0"),
        ("nan", "--mri must show tissue within the mesh, got .* whose median there is nan"),
    ],
)
def test_volumes_that_do_not_fit(folder, tmp_path, capsys, change, sentence) -> None:
    mri = spoilt(folder, tmp_path / "bad.nii", change)
    out = tmp_path / "out"
    assert cli.main(asked(folder, out, "--method", "dri", "--mri", str(mri))) == 2
    assert re.search(sentence, capsys.readouterr().err)
    assert not out.exists()


def test_what_belongs_to_triangles(folder: Path, tmp_path: Path, capsys) -> None:
    mri = ["--method", "dri", "--mri", str(folder / "mri.nii.gz")]
    for more, sentence in (
        (["--plane", *"100010001"], "--plane belongs to a mesh of triangles, got Mesh("),
        (["--region", "a.png"], "--region belongs to a mesh of triangles"),
    ):
        assert cli.main(asked(folder, tmp_path / "out", *mri, *more)) == 2
        assert sentence in capsys.readouterr().err
    text = (folder / "ball.source").read_text().splitlines()
    for end in ("node", "elem", "meas"):
        (tmp_path / f"flat.{end}").write_text((folder / f"ball.{end}").read_text())
    flat = ["num x y", *(line.rsplit(" ", 1)[0] for line in text[1:])]
    (tmp_path / "flat.source").write_text("\n".join(flat))
    more = ["--mesh", str(tmp_path / "flat"), "--method", "tikhonov"]
    assert cli.main(asked(folder, tmp_path / "out", *more)) == 2
    assert "flat.source must place optodes by x, y and z" in capsys.readouterr().err


def test_mistakes_in_python(folder: Path) -> None:
    files = folder / "anom.paa", folder / "homog.paa"
    known = {"frequency": 0, "reference_tissue": TISSUE, "maps": ("hbo",)}
    where = Geometry(np.diag([2.0, 2, 2, 1]))
    with pytest.raises(ValueError, match="geometry must say where the voxels of image lie"):
        reconstruct_measured(*files, image=np.ones((3, 4, 5)), **known)
    with pytest.raises(ValueError, match="image must have shape"):
        reconstruct_measured(*files, image=np.ones((3, 4)), geometry=where, **known)
    with pytest.raises(ValueError, match="geometry must be None without a volume"):
        reconstruct_measured(*files, geometry=where, **known)
    made = reconstruct_measured(*files, **known)
    with pytest.raises(ValueError, match="pixels are for triangles, voxels for Mesh"):
        made.pixels()
    with pytest.raises(TypeError, match="geometry must be a Geometry of three axes, got None"):
        made.voxels((3, 4, 5))
    with pytest.raises(ValueError, match="shape must be planes, rows and columns, got"):
        made.voxels((3, 4), where)
