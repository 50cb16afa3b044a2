"""Planted strokes: where they lie, how bright they are, and that item i is always item i."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lesionkit.studies.stroke import plant as sp

ROWS, COLUMNS = np.mgrid[:120, :100]


@pytest.fixture(scope="module")
def toy() -> sp.Template:
    """Two planes of a round brain: white inside, grey outside, two ventricles."""
    far = np.hypot((ROWS - 60) / 54, (COLUMNS - 50) / 45)
    brain = far < 1
    fluid = (np.abs(ROWS - 60) < 12) & (np.abs(np.abs(COLUMNS - 50) - 6) < 3)
    white = ((far < 0.8) & ~fluid).astype(np.float32)
    gray = (brain & ~fluid & (far >= 0.8)).astype(np.float32)
    return sp.Template(*(np.stack([part] * 2) for part in (white, gray, brain)))


@pytest.fixture(scope="module")
def shapes() -> list[sp.Shape]:
    discs = [np.hypot(ROWS - 55, COLUMNS - c) < 14 for c in (28, 76)]
    over_the_edge = np.hypot(ROWS - 15, COLUMNS - 40) < 15
    return [
        sp.Shape(name, mask[None], np.array([1]))
        for name, mask in zip("abc", [*discs, over_the_edge], strict=True)
    ]


def ratio(item: sp.Planted, template: sp.Template) -> float:
    """Signal of the lesion over that of white and grey matter elsewhere."""
    normal = (template.white + template.grey)[item.plane] > 0.9
    return float(item.dwi[item.mask].mean() / item.dwi[normal & ~item.mask].mean())


def test_a_set(toy: sp.Template, shapes: list[sp.Shape]) -> None:
    items = [sp.plant(toy, shapes, i, seed=3) for i in range(24)]
    assert [item.kind for item in items[:4]] == list(sp.KINDS)
    assert [item.shape for item in items[:13:4]] == ["a", "b", "c", "a"]
    for item in items:
        assert item.plane == 1
        assert item.dwi.dtype == np.uint8
        assert item.adc.dtype == np.uint16
        assert item.mask.sum() > sp.MIN_PIXELS
        assert not (item.mask & ~toy.brain[1]).any()
        assert (item.adc[~toy.brain[1]] == 0).all()
    # All are mirrored or not by chance: each shape is seen on both sides.
    sides = {(item.shape, bool(np.nonzero(item.mask)[1].mean() > 50)) for item in items}
    assert len(sides) == 6


def test_contrasts_are_those_of_the_given_set(toy: sp.Template, shapes: list[sp.Shape]) -> None:
    """Means of each kind, and apparent diffusivities, lie where those of the 60 given phantoms do:
    the ranges are those of their single lesions."""
    ranges = {
        "acute_ischemic": (1.27, 1.63),
        "sub_acute_ischemic": (1.23, 1.51),
        "chronic_ischemic": (0.60, 0.72),
        "acute_hemorrhage": (0.55, 1.03),
    }
    items = [sp.plant(toy, shapes[:2], i) for i in range(40)]
    for kind, (low, high) in ranges.items():
        of_kind = [item for item in items if item.kind == kind]
        assert low < np.mean([ratio(item, toy) for item in of_kind]) < high, kind
        # 1e-6 mm^2/s. Noise makes the logarithm of a weak signal smaller.
        diffusivity = np.mean([np.median(item.adc[item.mask]) for item in of_kind])
        assert diffusivity == pytest.approx(1e3 * sp.KINDS[kind].diffusivity, rel=0.1)


def test_a_hemorrhage_has_a_bright_rim(toy: sp.Template, shapes: list[sp.Shape]) -> None:
    from scipy import ndimage

    item = sp.plant(toy, shapes, 3)
    assert item.kind == "acute_hemorrhage"
    core = ndimage.binary_erosion(item.mask, iterations=4)
    rim = item.mask & ~ndimage.binary_erosion(item.mask)
    assert item.dwi[rim].mean() > 1.8 * item.dwi[core].mean()


def test_only_a_chronic_lesion_swallows_fluid(toy: sp.Template) -> None:
    middle = [sp.Shape("m", (np.hypot(ROWS - 60, COLUMNS - 50) < 14)[None], np.array([0]))]
    acute, _, chronic, _ = (sp.plant(toy, middle, i) for i in range(4))
    fluid = (toy.white + toy.grey < 0.1)[0] & acute.mask
    assert np.median(acute.adc[fluid]) > 2200
    assert np.median(chronic.adc[fluid]) < 2200


def test_the_same_alone_and_after_others(toy: sp.Template, shapes: list[sp.Shape]) -> None:
    batch = [sp.plant(toy, shapes, i, 5) for i in range(6)]
    alone = sp.plant(toy, shapes, 5, 5)
    assert np.array_equal(alone.dwi, batch[5].dwi)
    assert np.array_equal(alone.adc, batch[5].adc)
    assert np.array_equal(alone.mask, batch[5].mask)
    assert not np.array_equal(alone.dwi, sp.plant(toy, shapes, 5, 6).dwi)


def test_mistakes(toy: sp.Template, shapes: list[sp.Shape], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="item must be at least 0, got -1"):
        sp.plant(toy, shapes, -1)
    with pytest.raises(ValueError, match="shapes must hold at least one shape, got none"):
        sp.plant(toy, [], 0)
    outside = sp.Shape("far", np.zeros((1, 120, 100), bool), np.array([0]))
    with pytest.raises(ValueError, match="100 pixels inside the brain, got 0 for far in plane 0"):
        sp.plant(toy, [outside], 0)
    small = sp.Shape("s", np.zeros((1, 9, 9), bool), np.array([0]))
    with pytest.raises(ValueError, match=r"template's planes, \(120, 100\), got \(9, 9\) for s"):
        sp.plant(toy, [small], 0)
    with pytest.raises(ValueError, match="grey must have the shape of white"):
        sp.Template(toy.white, toy.grey[:1], toy.brain)
    with pytest.raises(ValueError, match="with stroke_dwi/soop_lesion_masks in it, got"):
        sp.read_template(tmp_path)


def test_no_folder_and_none_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LESIONKIT_DATA", raising=False)
    with pytest.raises(ValueError, match="got None, and LESIONKIT_DATA is not set"):
        sp.data_folder()


def test_the_given_phantoms(lesionkit_data: Path) -> None:
    """Real shapes land where those of the given set lie, and contrasts are as large."""
    pytest.importorskip("nibabel", reason="nibabel is not installed: lesionkit[studies]")
    from PIL import Image

    folder = lesionkit_data / "data"
    template = sp.read_template(folder)
    shapes = {shape.name: shape for shape in sp.read_shapes(template, folder)}
    assert len(shapes) == 70
    given = sorted((folder / "stroke_dwi/planted_phantom").glob("*_mask.png"))[:8]
    for file in given:
        shape = shapes[file.name.split("_")[-3]]
        plane = int(file.name.split("_z")[1][:3])
        mask = np.asarray(Image.open(file)) > 0
        (at,) = np.flatnonzero(shape.planes == plane)
        both = (mask & shape.outlines[at]).sum() / (mask | shape.outlines[at]).sum()
        assert both > 0.9, file.name
        # Healthy tissue is as bright as there, within what the coil does to a slice.
        dwi = np.asarray(Image.open(str(file).replace("_mask", "_dwi")))
        normal = (template.white + template.grey)[plane] > 0.9
        ours = sp.plant(template, [sp.Shape("x", shape.outlines[[at]], np.array([plane]))], 0)
        healthy = normal & ~mask & ~ours.mask
        assert ours.dwi[healthy].mean() == pytest.approx(dwi[healthy].mean(), rel=0.15)
        assert ours.dwi[healthy].std() == pytest.approx(dwi[healthy].std(), rel=0.25)
