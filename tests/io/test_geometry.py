"""Headers of NIfTI, MetaImage and NRRD: one rule where they disagree, units, shear, volumes."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit import io, metrics
from lesionkit.geometry import Geometry

nibabel = pytest.importorskip("nibabel", reason="nibabel comes with lesionkit[studies]")

from nifti_files import VOLUME  # noqa: E402


def nifti(path: Path, change: Any = None, voxels: np.ndarray = VOLUME, kind: str = "1") -> Path:
    """A file of 2 x 3 x 5 mm whose header was changed after the fact."""
    image = getattr(nibabel, f"Nifti{kind}Image")(voxels, np.diag([2.0, 3.0, 5.0, 1.0]))
    image.set_qform(image.affine, 1)
    data = bytearray(image.to_bytes())
    header = type(image.header)(bytes(data[: 348 if kind == "1" else 540]))
    if change is not None:
        change(header)
    data[: len(header.binaryblock)] = header.binaryblock
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


def rows(matrix: Any) -> Any:
    """Set the sform as it is, pixdim stays."""

    def change(header: Any) -> None:
        for name, row in zip(("srow_x", "srow_y", "srow_z"), np.asarray(matrix), strict=False):
            header[name] = row

    return change


def field(**values: Any) -> Any:
    def change(header: Any) -> None:
        for name, value in values.items():
            header[name] = value

    return change


# --- sform, qform, pixdim -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["1", "2"])
@pytest.mark.parametrize(
    "matrix", [np.eye(4), np.diag([2.0, 3.0, 4.5, 1.0]), np.diag([-4.0, 6.0, 10.0, 1.0])]
)
def test_sform_against_pixdim(tmp_path: Path, kind: str, matrix: np.ndarray) -> None:
    file = nifti(tmp_path / "a.nii.gz", rows(matrix), kind=kind)
    with pytest.raises(ValueError, match=r"a.nii.gz must have one size of voxels: by sform .* 2 x"):
        io.read_image(file)


def test_sform_that_mirrors_the_qform(tmp_path: Path) -> None:
    file = nifti(tmp_path / "a.nii", rows(np.diag([-2.0, 3.0, 5.0, 1.0])))
    with pytest.raises(
        ValueError, match=r"a.nii must have one left and right, sform and qform are"
    ):
        io.read_image(file)


@pytest.mark.parametrize(
    ("change", "spacing"),
    [
        (rows(np.zeros((4, 4))), (5, 3, 2)),  # an sform of zeros is none: the qform
        (field(sform_code=0), (5, 3, 2)),
        (field(sform_code=0, qform_code=0), (5, 3, 2)),  # pixdim alone
        (field(qform_code=0), (5, 3, 2)),
        (rows([[0, 3, 0, 7], [-2, 0, 0, 7], [0, 0, 5, 7]]), (5, 2, 3)),  # turned
    ],
)
def test_which_of_them_holds(tmp_path: Path, change: Any, spacing: Any) -> None:
    assert io.read_image(nifti(tmp_path / "a.nii", change)).spacing == spacing


def test_a_turned_sform_of_the_same_voxels_holds(tmp_path: Path) -> None:
    """As of an image that was moved to another without a change of size."""
    c, s = np.cos(0.3), np.sin(0.3)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.diag([2.0, 3.0, 5.0])
    image = io.read_image(nifti(tmp_path / "a.nii", rows(np.c_[turn, [1, 2, 3]])))
    np.testing.assert_allclose(image.spacing, (5, 3, 2), rtol=1e-6)
    np.testing.assert_allclose(image.affine[:3, :3], turn, rtol=1e-6)
    assert image.geometry.shear == 0


@pytest.mark.parametrize(("unit", "factor"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (10, 1)])
def test_units_become_mm(tmp_path: Path, unit: int, factor: float) -> None:
    image = io.read_image(nifti(tmp_path / "a.nii", field(xyzt_units=unit)))
    np.testing.assert_allclose(image.spacing, np.array([5, 3, 2]) * factor)
    volume = metrics.volume(np.ones_like(image.values, bool), image.geometry)
    assert volume == pytest.approx(120 * 30 * factor**3)
    io.write_mask(tmp_path / "m.nii", image.values > 3, image)
    assert io.read_mask(tmp_path / "m.nii", image).spacing == pytest.approx(image.spacing)


def test_a_unit_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a.nii must be in mm, m or micron, its xyzt_units has"):
        io.read_image(nifti(tmp_path / "a.nii", field(xyzt_units=5)))


# --- shear ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [(1, 2), (0, 2), (0, 1), (2, 0)])
def test_a_sheared_voxel_has_the_size_of_its_determinant(
    tmp_path: Path, place: tuple[int, int]
) -> None:
    affine = np.diag([2.0, -3.0, 5.0, 1.0])
    affine[place] = 2.5
    path = tmp_path / "a.nii.gz"
    nibabel.save(nibabel.Nifti1Image(VOLUME, affine), path)
    image = io.read_image(path)
    size = abs(np.linalg.det(affine))
    assert np.prod(image.spacing) == pytest.approx(size)
    assert image.geometry.shear > 20
    ones = np.ones_like(image.values, bool)
    for spacing in (image.spacing, image.geometry):
        assert metrics.volume(ones, spacing) == pytest.approx(120 * size)
    # the corners of the turned volume are those of the file
    ends = np.array([(i, j, k, 1) for i in (0, 3) for j in (0, 4) for k in (0, 5)])
    stored = (ends @ affine.T)[:, :3]
    found = image.geometry.corners(image.values.shape)
    np.testing.assert_allclose(sorted(found.tolist()), sorted(stored.tolist()), atol=1e-5)
    io.write_mask(tmp_path / "m.nii.gz", image.values > 500, image)
    again = io.read_mask(tmp_path / "m.nii.gz", image)
    np.testing.assert_array_equal(again.values, image.values > 500)
    np.testing.assert_allclose(again.affine, affine)


def test_a_mask_that_is_sheared_otherwise_lies_elsewhere(tmp_path: Path) -> None:
    affine = np.diag([2.0, 3.0, 5.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(VOLUME, affine), tmp_path / "a.nii")
    affine[1, 2], affine[1, 3] = 1.0, -2.5  # one pair of opposite corners is not moved by it
    nibabel.save(nibabel.Nifti1Image((VOLUME > 9).astype(np.uint8), affine), tmp_path / "m.nii")
    image = io.read_image(tmp_path / "a.nii")
    with pytest.raises(ValueError, match=r"m.nii must lie where .* lies, it is 2.5 mm off"):
        io.read_mask(tmp_path / "m.nii", image)


def test_geometry_of_a_slice(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    affine = np.diag([2.0, 3.0, 5.0, 1.0])
    affine[0, 1] = 3.0
    nibabel.save(nibabel.Nifti1Image(VOLUME[..., :1], affine), path)
    geometry = io.read_image(path).geometry
    assert geometry.axes == 2
    assert np.prod(geometry.spacing) == pytest.approx(6)
    assert geometry.shear == pytest.approx(45)
    np.testing.assert_allclose(geometry.places([[1, 1]]), [[5, 3, 0]])
    assert Geometry(np.eye(4)).shear == 0


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["1", "2"])
@pytest.mark.parametrize(
    ("slope", "intercept", "expected"),
    [
        (1, np.nan, VOLUME),  # slope without intercept
        (2, np.nan, VOLUME * 2.0),
        (2, -5, VOLUME * 2.0 - 5),
        (0, 7, VOLUME),  # a slope of 0 is none
        (np.nan, 7, VOLUME),
        (-1, 0, -VOLUME),
    ],
)
def test_slope_and_intercept(
    tmp_path: Path, kind: str, slope: float, intercept: float, expected: np.ndarray
) -> None:
    change = field(scl_slope=slope, scl_inter=intercept)
    image = io.read_image(nifti(tmp_path / "a.nii", change, kind=kind))
    np.testing.assert_array_equal(image.values, expected.T)


@pytest.mark.parametrize("values", [{"scl_slope": np.inf}, {"scl_slope": 1, "scl_inter": -np.inf}])
def test_infinite_slopes_are_refused(tmp_path: Path, values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"a.nii must have a finite scl_slope and scl_inter"):
        io.read_image(nifti(tmp_path / "a.nii", field(**values)))


def test_values_that_a_slope_makes_infinite(tmp_path: Path) -> None:
    voxels = np.full((3, 3, 3), 1e300)
    file = nifti(tmp_path / "a.nii", field(scl_slope=1e30, scl_inter=0), voxels)
    with pytest.raises(ValueError, match=r"a.nii must hold numbers of float64, with scl_slope"):
        io.read_image(file)


@pytest.mark.parametrize("dtype", [">i2", "<u4", ">f4", "<f8", "u1"])
def test_bytes_come_in_the_machines_order(tmp_path: Path, dtype: str) -> None:
    voxels = (VOLUME % 200).astype(dtype)
    header = nibabel.Nifti1Header(endianness=dtype[0] if dtype[0] in "<>" else "<")
    image = nibabel.Nifti1Image(voxels, np.eye(4), header)
    image.set_data_dtype(np.dtype(dtype))
    nibabel.save(image, tmp_path / "a.nii")
    values = io.read_image(tmp_path / "a.nii").values
    np.testing.assert_array_equal(values, voxels.T)
    assert values.dtype.isnative
    assert values.flags.writeable
    assert values.flags.c_contiguous


def test_nan_in_an_image_stays_and_in_a_mask_is_outside(tmp_path: Path) -> None:
    voxels = np.where(VOLUME > 500, np.float32(0.9999999), np.float32(np.nan))
    file = nifti(tmp_path / "m.nii", voxels=voxels)
    np.testing.assert_array_equal(np.isnan(io.read_image(file).values), VOLUME.T <= 500)
    np.testing.assert_array_equal(io.read_mask(file).values, VOLUME.T > 500)
    voxels[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match=r"m.nii must be a mask of finite numbers"):
        io.read_mask(nifti(file, voxels=voxels))


# --- several volumes ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sub-1_dwi.nii.gz", "a.NII"])
def test_volumes_are_named_by_their_b_values(tmp_path: Path, name: str) -> None:
    four = np.stack([VOLUME, VOLUME // 3, VOLUME // 4], -1)
    file = nifti(tmp_path / name, voxels=four)
    assert list(io.read_images(file)) == ["volume=0", "volume=1", "volume=2"]
    bval = tmp_path / (name.split(".")[0] + ".bval")
    bval.write_text("0 1000 1000\n")
    images = io.read_images(file)
    assert list(images) == ["b=0", "b=1000, direction=1", "b=1000, direction=2"]
    np.testing.assert_array_equal(images["b=0"].values, VOLUME.T)
    last = io.read_image(file, "b=1000, direction=2")
    np.testing.assert_array_equal(last.values, VOLUME.T // 4)
    assert last.spacing == (5, 3, 2)
    with pytest.raises(ValueError, match=r"it has 3 of shape .*; choose one with which=: 'b=0', "):
        io.read_image(file)
    with pytest.raises(ValueError, match=r"which must be one of 'b=0', .* got str 'b=5'"):
        io.read_image(file, "b=5")
    for text, sentence in (
        ("0 1000", "must hold a finite b-value for each of 3 volumes, it has 2"),
        ("0 1000 nan", "must hold a finite b-value for each of 3 volumes"),
        ("0 1000 x", "must hold a b-value for each volume, it has words"),
    ):
        bval.write_text(text)
        with pytest.raises(ValueError, match=rf"{bval.name} {sentence}"):
            io.read_images(file)


# --- damage and bombs -----------------------------------------------------------------------------


def test_every_flipped_bit_of_gzipped_voxels_is_told(tmp_path: Path) -> None:
    """Else the checksum, which comes last, is never reached."""
    file = nifti(tmp_path / "a.nii.gz")
    data, expected = file.read_bytes(), io.read_image(file).values
    rng = np.random.default_rng(1)
    report = 0
    for place in rng.integers(0, len(data), 120):
        wrong = bytearray(data)
        wrong[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(wrong)
        try:
            # some bits, such as those of the time in gzip's header, are no part of the image
            np.testing.assert_array_equal(io.read_image(file).values, expected)
        except ValueError as problem:
            assert "a.nii.gz" in str(problem)  # noqa: PT017
            report += 1
    assert report > 100
    file.write_bytes(data + b"x")
    with pytest.raises(ValueError, match=r"a.nii.gz cannot be read as NIfTI"):
        io.read_image(file)
    file.write_bytes(data[:-3])
    with pytest.raises(ValueError, match=r"a.nii.gz cannot be read as NIfTI"):
        io.read_image(file)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_header_that_asks_for_more_than_allowed(tmp_path: Path, name: str) -> None:
    zeros = np.zeros((64, 64, 64), np.int16)
    file = nifti(tmp_path / name, voxels=zeros)
    assert io.read_image(file, max_bytes=2 * 64**3).values.shape == (64, 64, 64)
    sentence = rf"{name} cannot be read as NIfTI: its header asks for .*, max_bytes .*; pass more"
    for read in (io.read_image, io.read_mask, io.read_images):
        with pytest.raises(ValueError, match=sentence):
            read(file, max_bytes=2 * 64**3 - 1)
    with pytest.raises(ValueError, match=sentence):  # scaled, each is a float64
        io.read_image(nifti(file, field(scl_slope=2, scl_inter=0), zeros), max_bytes=8 * 64**3 - 1)
    with pytest.raises(ValueError, match=r"max_bytes must be at least 1, got 0"):
        io.read_image(file, max_bytes=0)


def test_what_is_packed_behind_the_last_voxel_is_not_endless(tmp_path: Path) -> None:
    file = nifti(tmp_path / "a.nii")
    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(gzip.compress(file.read_bytes() + bytes(2**21)))
    assert io.read_image(packed).values.shape == (6, 5, 4)
    with pytest.raises(ValueError, match=r"b.nii.gz .* unpacks to more than max_bytes beyond"):
        io.read_image(packed, max_bytes=2**20)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_an_axis_of_no_voxels(tmp_path: Path, axis: int) -> None:
    def change(header: Any) -> None:
        header["dim"][axis] = 0

    for read in (io.read_image, io.read_mask):
        with pytest.raises(ValueError, match=r"a.nii must hold a voxel or more, its shape is"):
            read(nifti(tmp_path / "a.nii", change))
