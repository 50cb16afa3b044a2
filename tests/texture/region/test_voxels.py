"""`voxel_features`: PyRadiomics' stored numbers, a region's features in each window, mistakes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import tolerances
from invariances import at_any_threads
from lesionkit.texture import radiomics, voxel_features
from reference import pyradiomics

IMAGE, MASK = pyradiomics.volume()
SETTINGS: dict[str, dict[str, Any]] = {
    "maps": {"bin_width": 20, "alpha": 1, "shift": 30},
    "maps, whole windows": {"masked_kernel": False, "initial": -7, "symmetric": False},
    "maps, slices": {
        "aggregation": "2.5D, direction-merged",
        "slice_axis": 1,
        "kernel_radius": 2,
        "distances": (1, 2),
    },
}


@pytest.mark.parametrize("case", SETTINGS)
def test_stored_numbers_of_pyradiomics(case: str) -> None:
    theirs = json.loads(pyradiomics.FILE.read_text())[case]
    ours = voxel_features(IMAGE, MASK, pyradiomics.SPACING, **SETTINGS[case])
    assert list(ours) == list(theirs)
    places = np.argwhere(MASK)[::41]
    fails = case != "maps, whole windows"  # where a direction has no pair it has no MCC
    for name, values in theirs.items():
        found = [ours[name][tuple(at)] for at in places]
        if name.endswith("JointAverage"):  # it is NaN where a direction has no pair
            found = [f if np.isfinite(v) else v for f, v in zip(found, values, strict=True)]
        if name.endswith("MCC") and fails:
            assert not np.any(values)
            continue
        allowed = tolerances.EIGENVALUE if name.endswith("MCC") else tolerances.PYRADIOMICS
        assert found == pytest.approx(values, rel=allowed, abs=1e-11, nan_ok=True), name
        assert (ours[name][~MASK] == SETTINGS[case].get("initial", 0)).all()


def window(volume: np.ndarray, at: Any, radius: tuple[int, ...]) -> np.ndarray:
    return volume[tuple(slice(max(x - r, 0), x + r + 1) for x, r in zip(at, radius, strict=True))]


@pytest.mark.parametrize(
    ("axes", "settings", "radius"),
    [
        (3, {}, 1),
        (3, {"symmetric": False, "alpha": 2}, 1),
        (3, {"distances": (1, 2)}, 2),
        (3, {"aggregation": "2.5D, direction-merged"}, 2),
        (2, {}, 3),
    ],
)
def test_windows_are_regions(axes: int, settings: dict[str, Any], radius: int) -> None:
    """What `radiomics` says of the levels in each window, and it counts in another way."""
    random = np.random.default_rng(axes)
    shape = (6, 7, 8)[3 - axes :]
    levels = random.integers(1, 6, shape)
    inside = random.random(shape) < 0.8
    families = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
    settings = {"binning": "levels", "families": families, **settings}
    maps = voxel_features(levels, inside, kernel_radius=radius, **settings)
    if settings.get("aggregation") or axes == 2:
        reach = (0, radius, radius)[3 - axes :]
    else:
        reach = (radius,) * 3
    for at in np.argwhere(inside)[::7]:
        part, cut = window(levels, at, reach), window(inside, at, reach)
        if cut.sum() < 2 or len(np.unique(part[cut])) == 1:
            continue
        expected = radiomics(part, cut, **settings)
        for name, value in expected.items():
            if "glcm_Idn" in name or "glcm_Idmn" in name:  # which divide by the highest level
                value *= np.nan if part[cut].max() < 5 else 1
            if not np.isnan(value):
                found = maps[name][tuple(at)]
                assert found == pytest.approx(value, rel=1e-9, abs=1e-10), name


@pytest.mark.parametrize("symmetric", [True, False])
def test_eigenvalues_of_many_levels(symmetric: bool) -> None:
    """Beyond 32 levels in a window matrices are not done side by side."""
    across = np.indices((13, 13)).sum(0)
    levels = 1 + across + np.random.default_rng(1).integers(0, 20, across.shape)
    settings: dict[str, Any] = {"binning": "levels", "symmetric": symmetric, "families": ("glcm",)}
    inside = np.ones(levels.shape, bool)
    maps = voxel_features(levels, inside, kernel_radius=6, features=["glcm_MCC"], **settings)
    expected = radiomics(levels, inside, **settings)["original_glcm_MCC"]
    assert 0.3 < expected < 0.99
    assert maps["original_glcm_MCC"][6, 6] == pytest.approx(expected, rel=1e-10)


def test_what_does_not_matter() -> None:
    expected = at_any_threads(lambda: voxel_features(IMAGE, MASK, families=("glcm", "glszm")))
    outside = np.where(MASK, IMAGE, np.nan)
    wide = np.pad(outside, 2, constant_values=np.inf), np.pad(MASK, 2)
    moved = voxel_features(*wide, families=("glcm", "glszm"))
    inner = (slice(2, -2),) * 3
    for name, image in expected.items():
        np.testing.assert_array_equal(moved[name][inner], image)
    first = ("firstorder",)
    straight = voxel_features(IMAGE, MASK, families=first)
    turned = voxel_features(np.asfortranarray(IMAGE), np.asfortranarray(MASK), families=first)
    for name, image in straight.items():
        np.testing.assert_array_equal(turned[name], image)
    one = voxel_features(IMAGE, MASK, families=("glcm",), features=["glcm_Contrast"])
    assert list(one) == ["original_glcm_Contrast"]
    np.testing.assert_array_equal(*one.values(), expected["original_glcm_Contrast"])


def test_windows_of_little() -> None:
    alone = np.zeros((5, 5, 5), bool)
    alone[0, 0, 0] = alone[4, 4, 4] = True
    maps = voxel_features(np.arange(125.0).reshape(5, 5, 5), alone, bin_width=10)
    assert np.isnan(maps["original_glcm_Contrast"][0, 0, 0])
    assert np.isnan(maps["original_glrlm_RunPercentage"][0, 0, 0])
    assert maps["original_ngtdm_Coarseness"][0, 0, 0] == 1e6
    flat = voxel_features(np.full((4, 4, 4), 3), np.ones((4, 4, 4), bool))
    assert (flat["original_glcm_MCC"] == 1).all()
    assert (flat["original_glcm_JointEntropy"] == 0).all()


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"kernel_radius": 0}, "kernel_radius must be at least 1, got 0"),
    ({"kernel_radius": 8}, "kernel_radius must make windows of at most 4096 voxels, got 8"),
    ({"families": ("shape",)}, "families must be of firstorder, glcm, .* for maps, got 'shape'"),
    ({"aggregation": "3D, merged"}, "aggregation must be '3D, averaged' or '2.5D, direction-merg"),
    ({"features": ["glcm_Size"]}, "features must be names such as 'firstorder_10Percentile', of"),
    ({"initial": "0"}, "initial must be a finite number, got str '0'"),
    ({"masked_kernel": "no"}, "masked_kernel must be"),
    ({"mask": np.zeros_like(MASK)}, "mask must hold a pixel or more"),
    ({"mask": np.indices(MASK.shape).sum(0) == 0}, "mask must hold two voxels or more, got one"),
    ({"binWidth": 3}, "voxel_features has no setting 'binWidth': it has binning, bin_width"),
]


@pytest.mark.parametrize(("wrong", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_mistakes(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        voxel_features(**({"volume": IMAGE, "mask": MASK} | wrong))
