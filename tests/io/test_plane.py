"""A plane cut from a volume: by fiducials or given, and by the command."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from lesionkit import io
from lesionkit.cli.measured import _mr_image
from lesionkit.optics import disc_mesh, write_mesh

TILTED = np.array([[2.0, 0.3, 0, -40], [-0.3, 2.0, 0.4, -50], [0, -0.2, 3.0, -30], [0, 0, 0, 1]])


def volume(affine: np.ndarray = TILTED) -> io.Image:
    """Each voxel holds x + 2 y + 3 z of its place, mm."""
    where = io.Geometry(affine)
    index = np.stack(np.meshgrid(*map(np.arange, (20, 50, 40)), indexing="ij"), axis=-1)
    values = where.places(index.reshape(-1, 3)) @ [1.0, 2, 3]
    return io.Image(values.reshape(20, 50, 40), where, where.affine, np.eye(3, 2), Path("v.nii"))


def test_values_are_those_of_the_places() -> None:
    plane = io.Plane([1, 2, 3], [1, 1, 0.2], [0, 0.5, 2])
    points = np.random.default_rng(0).uniform(-12, 12, (50, 2))
    expected = plane.places(points) @ [1, 2, 3]
    np.testing.assert_allclose(plane.cut(volume(), points), expected, rtol=1e-9)
    assert np.isnan(plane.cut(volume(), [[500, 0]])).all()
    assert plane.x @ plane.y == pytest.approx(0, abs=1e-12)


def test_fiducials_find_the_plane_whatever_their_noise() -> None:
    random = np.random.default_rng(1)
    made = io.Plane([5, -4, 2], [1, 2, 0.5], [-1, 0.4, 0.7])
    points = random.uniform(-40, 40, (3, 2))
    found = io.Plane.of_fiducials(points, made.places(points))
    for name in ("origin", "x", "y"):
        np.testing.assert_allclose(getattr(found, name), getattr(made, name), atol=1e-9)
    assert found.off < 1e-9
    many = random.uniform(-40, 40, (9, 2))
    noisy = io.Plane.of_fiducials(many, made.places(many) + random.normal(0, 0.5, (9, 3)))
    np.testing.assert_allclose(noisy.places(points), made.places(points), atol=1.5)
    assert 0.2 < noisy.off < 2


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: io.Plane([0, 0, 0], [1, 0, 0], [1, 1e-3, 0]), "x and y must span a plane"),
        (
            lambda: io.Plane([0, 0, 0], [0, 0, 0], [1, 0, 0]),
            r"x must be a direction, got \[0.0, 0.0, 0.0\]",
        ),
        (lambda: io.Plane.of_fiducials(np.eye(2), np.eye(3)[:2]), "three markers or more, got 2"),
        (
            lambda: io.Plane.of_fiducials([[0, 0], [1, 1], [2, 2]], np.eye(3)),
            "points must not lie on one line",
        ),
        (
            lambda: io.Plane([0, 0, 0], [1, 0, 0], [0, 1, 0]).cut(
                io.Image(np.ones((2, 2)), io.Geometry(np.eye(4), 2), np.eye(4), np.eye(3, 2)),
                [[0, 0]],
            ),
            "must be a volume that lies somewhere in mm, got 2 axes",
        ),
    ],
)
def test_refused(make, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()


def test_the_command_cuts_the_plane(tmp_path: Path, capsys) -> None:
    nibabel = pytest.importorskip("nibabel")
    write_mesh(disc_mesh(20, 200, 4), tmp_path / "disc")
    image = volume()
    values = np.ascontiguousarray(image.values.T.astype(np.float32) + 500)
    nibabel.save(nibabel.Nifti1Image(values, TILTED), tmp_path / "v.nii")
    made = io.Plane([0, -2, -3], [1, 0, 0], [0, 0, 1])
    points = np.array([[0.0, 0], [15, 0], [0, 15]])
    rows = np.column_stack([points, made.places(points)])
    np.savetxt(tmp_path / "f.txt", rows)
    asked = {"data": tmp_path / "a.paa", "mesh": None, "mri": tmp_path / "v.nii"}
    asked |= {"plane": None, "fiducials": tmp_path / "f.txt"}
    cut = _mr_image(argparse.Namespace(**asked))
    assert "fiducials  up to" in capsys.readouterr().out
    asked |= {"plane": [0, -2, -3, 1, 0, 0, 0, 0, 1], "fiducials": None}
    np.testing.assert_allclose(_mr_image(argparse.Namespace(**asked)), cut, atol=1e-3)
    middle = (np.arange(200) + 0.5) / 200 * 40 - 20
    assert np.median(cut[cut > 0]) == pytest.approx(50)
    expected = 500 + middle[120] + 2 * -2 + 3 * (-3 + middle[139])
    ratio = expected / (500 + middle[100] + 2 * -2 + 3 * (-3 + middle[100]))
    assert cut[60, 120] / cut[99, 100] == pytest.approx(ratio, rel=1e-5)
    (tmp_path / "f.txt").write_text("1 2 3\n")
    for change, sentence in (
        ({"plane": None}, "--mri is a volume, .*: give --fiducials or --plane"),
        ({"fiducials": tmp_path / "f.txt"}, "--plane and --fiducials say the same"),
        ({"plane": None, "fiducials": tmp_path / "f.txt"}, "lines of five numbers, x y right"),
        ({"plane": [60, 0, 0, 1, 0, 0, 0, 0, 1]}, "--mri must hold the whole plane, .* of the me"),
    ):
        with pytest.raises(ValueError, match=sentence):
            _mr_image(argparse.Namespace(**{**asked, **change}))
