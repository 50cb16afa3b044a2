"""The brain of a head: what is found on made-up heads, and on those of the shared folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lesionkit import io
from lesionkit.studies.brain import skull, surface
from reference.head import head


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def test_the_sphere_is_closed_and_turned_outwards() -> None:
    points, triangles = surface.sphere(2)
    assert len(points) == 162
    assert len(triangles) == 320
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)
    a, b, c = points[triangles].transpose(1, 0, 2)
    volume = (a * np.cross(b, c)).sum() / 6
    assert 0.95 * 4 / 3 * np.pi < volume < 4 / 3 * np.pi
    around = surface.neighbours(triangles)
    assert sorted((around >= 0).sum(1).tolist()) == [5] * 12 + [6] * 150


def test_what_a_surface_holds() -> None:
    points, triangles = surface.sphere(3)
    inside = surface.inside(10 * points + 12, triangles, (25, 25, 25))
    z, y, x = np.ogrid[:25, :25, :25]
    ball = (z - 12) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 <= 100
    assert dice(inside, ball) > 0.93
    cut = surface.inside(10 * points + np.array([0, 12, 12]), triangles, (25, 25, 25))
    assert cut[0, 12, 12]
    assert cut[:11].any((1, 2)).all()
    assert not cut[12:].any()


@pytest.mark.parametrize("scalp", [60.0, 120.0, 250.0])
def test_thick_slices(scalp: float) -> None:
    image, brain, _ = head(scalp=scalp)
    found, note = skull.strip(image, (6.0, 2.5, 2.5))
    assert note == ""
    assert dice(found, brain) > 0.93


def test_thin_slices_and_a_tumour_are_kept() -> None:
    image, brain, tumour = head((2.5, 2.5, 2.5), tumour=180)
    found, _ = skull.strip(image, 2.5)
    assert dice(found, brain) > 0.93
    assert (found & tumour).sum() > 0.99 * tumour.sum()


def test_any_unit_and_nan_as_background() -> None:
    image, _, _ = head()
    expected = skull.strip(image, (6.0, 2.5, 2.5)).brain
    shifted = 1e-3 * image + 5
    assert dice(skull.strip(shifted, (6.0, 2.5, 2.5)).brain, expected) > 0.99
    image[image < 2] = np.nan
    found = skull.strip(image, (6.0, 2.5, 2.5)).brain
    assert not found[np.isnan(image)].any()
    assert dice(found, expected) > 0.98


def test_a_slice_alone() -> None:
    image, brain, _ = head()
    for spacing in ((2.5, 2.5), None):
        found, note = skull.strip(image[17], spacing)
        assert note == ""
        assert dice(found, brain[17]) > 0.93


def test_a_stripped_skull_is_known() -> None:
    image, brain, _ = head()
    for values, truth in ((image, brain), (image[17], brain[17])):
        found, note = skull.strip(np.where(truth, values, 0), 2.5)
        assert note == "The skull is stripped already."
        np.testing.assert_array_equal(found, truth)
        scored = np.where(truth, values - 100, -300)  # z-scores: the background is not 0
        np.testing.assert_array_equal(skull.strip(scored, 2.5).brain, truth)


def test_no_head() -> None:
    for image in (np.full((9, 9), np.nan), np.ones((4, 9, 9)), np.eye(20)):
        found, note = skull.strip(image)
        assert found.shape == image.shape
        assert not found.any()
        assert note.startswith("No ")
    with pytest.raises(ValueError, match=r"image must be \(rows, columns\) or"):
        skull.strip(np.ones((2, 2, 2, 2)))


def test_the_shared_head() -> None:
    """No net is asked here: the tumour, and the volume of a brain, in ml."""
    pytest.importorskip("SimpleITK", reason="SimpleITK comes with lesionkit[studies]")
    if "LESIONKIT_DATA" not in os.environ:
        pytest.skip("LESIONKIT_DATA is not set: it names the folder of shared data")
    folder = Path(os.environ["LESIONKIT_DATA"]) / "data/brain_tumor/pyradiomics"
    image = io.read_image(folder / "brain1_image.nrrd")
    tumour = io.read_mask(folder / "brain1_label.nrrd", image).values
    brain, note = skull.strip(image.values, image.spacing)
    assert note == ""
    assert (brain & tumour).sum() >= 0.97 * tumour.sum()
    assert 1500 < brain.sum() * np.prod(image.spacing) / 1000 < 1900
