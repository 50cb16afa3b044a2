"""The body, its midline and its breasts, beside what eyes read from the pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lesionkit import metrics
from lesionkit.studies.thermogram import body, read
from reference.thermal_body import woman

pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with lesionkit[studies]")
draw = pytest.importorskip("PIL.ImageDraw")

MARKS = json.loads((Path(__file__).parents[2] / "data/thermogram_marks.json").read_text())


def outlined(walls: list[list[list[int]]]) -> np.ndarray:
    """The body, (480, 640), of polygons of wall."""
    page = pillow.new("L", (640 * 4, 480 * 4))
    for polygon in walls:
        draw.Draw(page).polygon([(4 * x, 4 * y) for x, y in polygon], fill=1)
    return np.array(page).reshape(480, 4, 640, 4).mean((1, 3)) <= 0.5


def test_the_two_readings_agree() -> None:
    for name, walls in MARKS["second_reading"].items():
        first, second = outlined(MARKS["walls"][name]), outlined(walls)
        assert metrics.scores(first, second, (1.0, 1.0)).dice > 0.99
    assert (len(MARKS["walls"]), len(MARKS["midlines"])) == (20, 45)


def test_a_made_woman() -> None:
    scene = woman()
    found = body.find(scene.celsius)
    assert metrics.scores(found, scene.body, (1.0, 1.0)).dice > 0.99
    axis = body.midline(scene.celsius, found)
    assert abs(axis.column - scene.midline) <= 2
    assert axis.frontal
    paper = body.marker(scene.celsius, found, axis)
    assert metrics.scores(paper, scene.marker, (1.0, 1.0)).dice > 0.95
    for mine, truth in zip(body.breasts(scene.celsius, found, axis), scene.breasts, strict=True):
        assert (mine & truth).sum() > 0.95 * truth.sum()
        assert not mine[:, int(scene.midline)].any() or mine.any()
        assert mine.sum() < 2 * truth.sum()


def test_holes_beside_the_head_are_wall_and_the_marker_is_body() -> None:
    scene = woman(noise=0.0)
    scene.celsius[30:60, 200:240] = 20
    found = body.find(scene.celsius)
    assert not found[40:50, 210:230].any()
    assert found[scene.marker].all()


def test_an_oblique_view_is_told() -> None:
    scene = woman()
    columns = np.arange(640) / 640
    warm = scene.celsius + np.where(scene.body, 8 * columns[None], 0)
    assert not body.midline(warm.astype(np.float32), scene.body).frontal


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: body.find(np.full((32, 32), 30.0)), "30 everywhere"),
        (lambda c: body.find(c[:8]), "16 rows and columns"),
        (lambda c: body.find(np.full((32, 32), np.nan)), "celsius must be finite"),
        (lambda c: body.midline(c, np.zeros(c.shape, bool)), "body must hold a pixel"),
        (lambda c: body.midline(c, np.ones((3, 3), bool)), "body must have the shape of celsius"),
    ],
)
def test_what_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(woman().celsius)


def test_bodies_that_eyes_outlined(lesionkit_data: Path) -> None:
    """The goal was 0.98 for each of the 20."""
    folder = lesionkit_data / "data/breast_thermal/dmr_ir/celsius_x100_png16"
    dice = {}
    for name, walls in MARKS["walls"].items():
        found = body.find(read.thermogram(folder / f"{name}.png").values)
        dice[name] = metrics.scores(found, outlined(walls), (1.0, 1.0)).dice
    assert min(dice.values()) > 0.98, dice


def test_midlines_that_eyes_read(lesionkit_data: Path) -> None:
    """Within 15 pixels of the 45: all but one, of a woman whose breasts hang unequally (19)."""
    folder = lesionkit_data / "data/breast_thermal/dmr_ir/celsius_x100_png16"
    off = {}
    for name, column in MARKS["midlines"].items():
        celsius = read.thermogram(folder / f"{name}.png").values
        off[name] = abs(body.midline(celsius, body.find(celsius)).column - column)
    assert [name for name, pixels in off.items() if pixels > 15] == ["T0115"]
    assert np.median(list(off.values())) <= 5
