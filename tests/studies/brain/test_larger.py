"""Cited systems on regions of their own: known spectra, basins by hand, and the study's rows."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("skimage", reason="scikit-image comes with lesionkit[studies]")

from lesionkit.studies.brain.datasets.brats import Patient
from lesionkit.studies.brain.study import larger, protocol
from lesionkit.studies.brain.study.material import Material
from lesionkit.studies.brain.study.records import together
from lesionkit.studies.brain.systems import basins, multifractal


def test_dimensions_of_known_measures() -> None:
    flat = np.ones((1, 32, 40))
    np.testing.assert_allclose(multifractal.dimensions(flat), 2, atol=1e-12)
    weights = np.array([[0.1, 0.2], [0.3, 0.4]])
    cascade = weights
    for _ in range(4):
        cascade = np.kron(cascade, weights)
    found = multifractal.dimensions(1e3 * cascade[None])[0]
    for q, value in zip(multifractal.ORDERS, found, strict=True):
        if q == 1:
            expected = -(weights * np.log2(weights)).sum()
        else:  # tau = -log2 of the sum of w^q
            expected = -np.log2((weights**q).sum()) / (q - 1)
        assert value == pytest.approx(expected, abs=1e-9)
    assert (np.diff(found) < 0).all()
    lines = np.zeros((2, 32, 32))
    lines[0, 5] = 1
    np.testing.assert_allclose(multifractal.dimensions(lines), [[1] * 11, [0] * 11], atol=1e-12)


@pytest.mark.parametrize(
    ("rois", "message"),
    [
        (np.ones((3, 10, 10)), "at least 32 x 32 pixels, so that boxes of five sizes .* 10 x 10"),
        (-np.ones((1, 32, 32)), "rois must be at least 0, got -1"),
        (np.full((1, 32, 32), np.nan), "rois must be finite"),
    ],
)
def test_refused(rois: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        multifractal.dimensions(rois)


def test_basins_part_two_discs() -> None:
    y, x = np.mgrid[:40, :70]
    discs = (np.hypot(y - 20, x - 22) < 13) | (np.hypot(y - 20, x - 46) < 13)
    image = np.where(discs, 200, 60).astype(np.uint8)
    image[2:4, 2:4] = 200  # a speck
    found = basins.basins(image, np.ones(image.shape, bool))
    assert found.ids.size == 2
    assert found.features.shape == (2, len(basins.NAMES))
    area, perimeter = found.features[:, 0], found.features[:, 1]
    assert area.sum() == discs.sum()
    assert abs(area[0] - area[1]) < 0.1 * area.sum()
    np.testing.assert_allclose(perimeter, 2 * np.pi * 12.5, rtol=0.1)
    np.testing.assert_array_equal(found.mean, 200)
    np.testing.assert_allclose(basins.in_tumour(found, discs & (x < 34)).round(), [1, 0])
    nothing = basins.basins(np.full((9, 9), 7, np.uint8), np.ones((9, 9), bool))
    assert nothing.features.shape == (0, len(basins.NAMES))


def patient(name: str) -> Patient:
    """A head whose tumour, on its left, is one rough bright disc a slice; on its right 2 small
    ones."""
    random = np.random.default_rng(len(name))
    z, y, x = np.mgrid[:12, :100, :140]
    brain = np.ones(z.shape, bool)
    brain[:, :2] = False
    tumour = (np.hypot(y - 50, x - 30) < 28) & (z < 11)
    bright = (np.hypot(y - 30, x - 105) < 12) | (np.hypot(y - 75, x - 105) < 12)
    noise = random.normal(size=z.shape)
    image = 80 + noise * np.where(tumour, 12, 2) + 90 * (tumour | bright)
    levels = np.where(brain, image.clip(0, 255), 0).astype(np.uint8)
    return Patient(name, tuple(range(12)), {"t1c": levels, "flair": levels}, tumour, brain)


def test_rows_of_both_systems() -> None:
    material = Material([patient("A"), patient("BB")], per_class=11)
    rows = protocol.rows_of()
    (unit,) = larger.units(material, ("t1c",), rows, range(1))
    found = together(unit.make())
    keys = ["mean", "own", "random", "shuffled"]
    for name in larger.SECTIONS:
        of = [row for row in found if row["classifier"] == name]
        assert [row["key"] for row in of] == keys
        assert of[1]["accuracy"] > 0.9
        assert of[1]["n_patients"] == 2
    (section,) = larger.sections(found, rows)
    assert [line["system"] for line in section.cells] == list(larger.SECTIONS)
    assert [line["printed, other data"] for line in section.cells] == ["85.32", "82.04, breast"]
    alone = Material([patient("A")])
    assert larger.basin_table(alone, "t1c", 0) is None
    assert larger.box_table(alone, "t1c", 0) is None
    assert larger.sections([], rows) == []
