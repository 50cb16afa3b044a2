"""`shape_features`: published and stored numbers, plain loops, what must not matter, mistakes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import tolerances
from invariances import at_any_threads, layouts
from lesionkit.texture import pyradiomics_names as names
from lesionkit.texture.shape import shape_features
from reference import pyradiomics
from reference import shape as plain
from texture.test_ibsi import PHANTOM, rows

NOISE = pyradiomics.noise()
SPACING = pyradiomics.SPACING


def test_values_of_ibsi() -> None:
    found = shape_features(PHANTOM["mask_zyx"] != 0, PHANTOM["spacing_mm"])
    table = rows("morphology")
    assert len(table) == 11
    for row in table:
        name = row["feature"].lower().replace(" (mesh)", "").replace(" ", "_")
        ours = {
            "volume": "mesh_volume",
            "volume_(voxel_counting)": "voxel_volume",
            "surface_to_volume_ratio": "surface_volume_ratio",
        }.get(name, name)
        value = found[ours]
        if ours.endswith("_axis_length"):  # PyRadiomics' variances divide by n, IBSI's by n - 1
            value *= np.sqrt(74 / 73)
        assert abs(value - float(row["value"])) <= float(row["tolerance"]), row


def test_stored_numbers_of_pyradiomics() -> None:
    stored = json.loads(pyradiomics.FILE.read_text())
    kinds = {"noise": (NOISE, SPACING, names.SHAPE, "shape")}
    kinds["noise, a slice"] = (NOISE[5], SPACING[1:], names.SHAPE_2D, "shape2D")
    for case, (mask, spacing, table, family) in kinds.items():
        found = shape_features(mask, spacing)
        assert len(found) == len(stored[case]) == len(table)
        for theirs, ours in table.items():
            value = stored[case][f"original_{family}_{theirs}"]
            assert found[ours] == pytest.approx(value, rel=tolerances.PYRADIOMICS), theirs


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85])
def test_plain_loops(share: float) -> None:
    mask = np.random.default_rng(4).random((4, 5, 6)) < share
    steps = np.array([[0.1, 0.2, 2.0], [0.3, 0.7, 0], [1.1, -0.2, 0.4]])  # sheared
    found, far = shape_features(mask, steps=steps), plain.diameters(mask, steps)
    area = plain.surface(
        mask, np.diag(SPACING)
    )  # fans of one area may differ where axes are sheared
    assert shape_features(mask, SPACING)["surface_area"] == pytest.approx(area, rel=1e-12)
    assert found["maximum_3d_diameter"] == pytest.approx(far["all"], rel=1e-12)
    for plane in ("slice", "column", "row"):
        assert found[f"maximum_2d_diameter_{plane}"] == pytest.approx(far[plane], rel=1e-12)
    spread = np.cov(np.argwhere(mask) @ steps, rowvar=False, bias=True)
    axes = [found[f"{name}_axis_length"] for name in ("least", "minor", "major")]
    assert axes == pytest.approx(4 * np.sqrt(np.linalg.eigvalsh(spread)), rel=1e-9)
    flat = shape_features(mask[2], steps=steps[1:])
    far = plain.diameters(mask[2], steps[1:])
    assert flat["maximum_diameter"] == pytest.approx(far["all"], rel=1e-12)


def test_a_ball() -> None:
    """Its diameter is found among millions of pairs; its volume is that of a ball."""
    z, y, x = np.indices((61, 81, 81)) - np.array([30, 40, 40]).reshape(3, 1, 1, 1)
    found = shape_features((z * 1.5) ** 2 + y**2 + x**2 < 39.3**2, (1.5, 1, 1))
    assert found["mesh_volume"] == pytest.approx(4 / 3 * np.pi * 39.3**3, rel=0.01)
    assert found["maximum_3d_diameter"] == pytest.approx(78.6, abs=1.5)
    assert found["flatness"] == pytest.approx(1, abs=0.01)


def test_what_does_not_matter() -> None:
    expected = at_any_threads(lambda: shape_features(np.kron(NOISE, np.ones((9, 3, 1)))))
    wide = np.pad(np.kron(NOISE, np.ones((9, 3, 1))) > 0, ((3, 0), (1, 70), (66, 2)))
    assert shape_features(wide) == expected
    for layout in layouts(NOISE.astype(np.int16) * 7):
        assert shape_features(layout, SPACING, label=7) == shape_features(NOISE, SPACING)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = shape_features(NOISE, steps=np.diag(SPACING) @ turn)
    assert turned == pytest.approx(shape_features(NOISE, SPACING), rel=1e-12)
    swapped = shape_features(NOISE.transpose(2, 0, 1), np.array(SPACING)[[2, 0, 1]])
    assert swapped["maximum_2d_diameter_slice"] == pytest.approx(
        shape_features(NOISE, SPACING)["maximum_2d_diameter_row"], rel=1e-15
    )


def test_few_voxels() -> None:
    one = shape_features([[[1]]], (2, 3, 4))
    assert (one["mesh_volume"], one["maximum_3d_diameter"]) == (pytest.approx(4.0), 4.0)
    assert np.isnan(one["flatness"])
    assert one["least_axis_length"] == 0
    line = shape_features(np.eye(3)[None])
    assert (line["elongation"], line["flatness"]) == (0, 0)
    assert line["major_axis_length"] == pytest.approx(4 * np.sqrt(4 / 3))
    assert shape_features([[1]])["mesh_surface"] == pytest.approx(0.5)


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"mask": np.zeros((2, 2), bool)}, "mask must hold a pixel or more, and all of it is False"),
    ({"mask": NOISE * 2}, "mask must hold a pixel or more of label 1, got labels 0, 2"),
    ({"mask": NOISE[0, 0]}, "mask must have 2 or 3 axes, got bool array"),
    ({"spacing": (1, 1)}, r"spacing must have shape \(3\), got"),
    ({"spacing": (1, 1, 1e60)}, "spacing must be from 1e-50 to 1e"),
    ({"steps": np.ones((3, 3))}, "steps must not lie in one plane, got"),
    ({"steps": np.eye(3), "spacing": (1, 1, 1)}, "spacing must be None where steps are given"),
    ({"mask": np.ones((2, 65536), bool)}, "mask must have a box of at most 65535 voxels along"),
]


@pytest.mark.parametrize(("wrong", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_mistakes(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        shape_features(**({"mask": NOISE} | wrong))
