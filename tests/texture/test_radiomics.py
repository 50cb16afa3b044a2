"""`radiomics` against PyRadiomics: its stored numbers, itself where it is installed; mistakes."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tolerances
from invariances import at_any_threads
from lesionkit.texture.glcm import cooccurrence
from lesionkit.texture.haralick import haralick
from lesionkit.texture.intensity import histogram_features, intensity_features
from lesionkit.texture.radiomics import Settings, radiomics
from lesionkit.texture.region.runs import all_directions
from lesionkit.texture.region.settings import Aggregation
from reference import pyradiomics

IMAGE, MASK = pyradiomics.volume()
SPACING = pyradiomics.SPACING
NAMES = {
    "binWidth": "bin_width",
    "gldm_a": "alpha",
    "voxelArrayShift": "shift",
    "distances": "distances",
    "symmetricalGLCM": "symmetric",
    "force2Ddimension": "slice_axis",
}


def ours_of(theirs: dict[str, Any]) -> Settings:
    if "binCount" in theirs:
        return Settings(binning="count", bin_count=theirs["binCount"])
    ours = {NAMES[name]: value for name, value in theirs.items() if name in NAMES}
    merged = "weightingNorm" in theirs
    if theirs.get("force2D"):
        ours["aggregation"] = "2.5D, merged" if merged else "2.5D, direction-merged"
    elif merged:
        ours["aggregation"] = "3D, merged"
    if merged and theirs["weightingNorm"] != "no_weighting":
        ours["weighting"] = theirs["weightingNorm"]
    return Settings(**ours)


def same(ours: dict[str, float], theirs: dict[str, float]) -> None:
    assert ours.keys() == theirs.keys()
    assert len(ours) == 107
    for name, value in theirs.items():
        allowed = {"rel": tolerances.PYRADIOMICS, "abs": 1e-12, "nan_ok": True}
        if name.endswith("_MCC"):  # the root of an eigenvalue, of a matrix that is not symmetric
            allowed["rel"] = tolerances.EIGENVALUE
        assert ours[name] == pytest.approx(value, **allowed), name


@pytest.mark.parametrize("case", pyradiomics.CASES)
def test_stored_numbers_of_pyradiomics(case: str) -> None:
    theirs = json.loads(pyradiomics.FILE.read_text())[case]
    settings = ours_of(pyradiomics.CASES[case])
    same(radiomics(IMAGE, MASK, pyradiomics.SPACING, settings), theirs)


def run_both(image: np.ndarray, mask: np.ndarray, **settings: Any) -> None:
    pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pyradiomics.extract(image, mask, settings)
    same(radiomics(image, mask, pyradiomics.SPACING, ours_of(settings)), theirs)


@pytest.mark.parametrize("settings", pyradiomics.CASES.values(), ids=pyradiomics.CASES)
@pytest.mark.parametrize("shape", [(8, 10, 9), (1, 12, 13), (3, 4, 2)])
def test_random_volumes(shape: tuple[int, ...], settings: dict[str, Any]) -> None:
    random = np.random.default_rng(1)
    image = random.normal(-20, 60, shape).astype(np.float32)
    run_both(image, random.uniform(size=shape) < 0.7, **settings)


def test_odd_regions() -> None:
    random = np.random.default_rng(2)
    image = random.integers(-300, 900, (9, 9, 9)).astype(np.int16)
    run_both(image, random.uniform(size=image.shape) < 0.05, binWidth=100)  # mostly alone
    lines = np.zeros(image.shape, bool)
    lines[::3, ::3, 1] = True  # no two voxels touch
    run_both(image, lines, binWidth=100)
    part = np.ones(image.shape, bool)
    part[0, 0, 0] = False
    run_both(np.full(image.shape, 13.0), part)
    run_both(np.full(image.shape, 13.0), part, binCount=16)


def test_a_real_slice(lesionkit_data: Path) -> None:
    """A brain tumour of the folder of real images, as far as there is one."""
    files = sorted((lesionkit_data / "data").rglob("*.png"))
    if not files:
        pytest.skip("no picture in LESIONKIT_DATA")
    pil = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    image = np.asarray(pil.open(files[0]).convert("L"), np.float64)[None, :150, :150]
    run_both(image, (image > image.mean()) & (image < 250))


def test_a_picture_is_a_slice() -> None:
    picture, inside = IMAGE[4], MASK[4]
    flat = radiomics(picture, inside, (0.8, 0.7))
    assert len(flat) == 102
    flat = {name: value for name, value in flat.items() if "_shape2D_" not in name}
    solid = radiomics(picture[None], inside[None], (1, 0.8, 0.7))
    solid = {name: value for name, value in solid.items() if "_shape_" not in name}
    assert flat == pytest.approx(solid, rel=1e-13, nan_ok=True)
    two = radiomics(picture, inside, (0.8, 0.7), aggregation="2D, averaged")
    assert {name: two[name] for name in flat} == pytest.approx(flat, rel=1e-13)


AGGREGATIONS = Aggregation.__args__


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_only_the_mask_matters(aggregation: Aggregation) -> None:
    """Not what stands outside, not where the region lies, not how memory is laid out."""
    settings = Settings(aggregation=aggregation)
    expected = radiomics(IMAGE, MASK, None, settings)
    outside = np.where(MASK, IMAGE, np.nan)
    assert radiomics(outside, MASK, None, settings) == expected
    wide = np.pad(outside, 3, constant_values=np.inf), np.pad(MASK, 3)
    assert radiomics(*wide, None, settings) == expected
    turned = np.asfortranarray(IMAGE), np.asfortranarray(MASK)
    for array in turned:
        array.flags.writeable = False
    assert radiomics(*turned, None, settings) == expected
    labels = np.where(MASK, 7, 2).astype(np.uint8)
    labelled = Settings(aggregation=aggregation, label=7)
    assert radiomics(IMAGE, labels, None, labelled) == expected


def test_threads_do_not_matter() -> None:
    random = np.random.default_rng(3)
    image, mask = random.normal(0, 80, (40, 70, 80)), random.uniform(size=(40, 70, 80)) < 0.9
    at_any_threads(lambda: radiomics(image, mask))


def test_families_and_order() -> None:
    found = radiomics(IMAGE, MASK, settings=Settings(families=("ngtdm", "glcm")))
    assert [name.split("_")[1] for name in found] == ["ngtdm"] * 5 + ["glcm"] * 24
    assert found["original_ngtdm_Contrast"] == radiomics(IMAGE, MASK)["original_ngtdm_Contrast"]


@pytest.mark.parametrize("shape", [(7, 8, 9), (11, 12)])
def test_pairs_of_a_region_are_those_of_the_image(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(5)
    levels, mask = random.integers(1, 7, shape), random.uniform(size=shape) < 0.7
    counts = cooccurrence(levels - 1, all_directions(len(shape)), 6, mask)
    found = radiomics(levels, mask, None, Settings(binning="levels", families=("glcm",)))
    ours = [found["original_glcm_Autocorrelation"], found["original_glcm_JointEntropy"]]
    expected = haralick(counts, ["autocorrelation", "joint_entropy"]).mean(0)
    assert ours == pytest.approx(expected.tolist(), rel=1e-13)


def test_many_levels() -> None:
    """Beyond 256 levels pairs are counted by another kernel."""
    glcm = ("glcm",)
    few = radiomics(IMAGE, MASK, None, Settings(binning="count", bin_count=250, families=glcm))
    many = radiomics(IMAGE, MASK, None, Settings(binning="count", bin_count=260, families=glcm))
    name = "original_glcm_Correlation"
    assert many[name] == pytest.approx(few[name], abs=0.01)


def test_bins_that_begin_elsewhere() -> None:
    """IBSI's fixed bin size: bins begin at the least intensity."""
    low = IMAGE[MASK].min()
    settings = Settings(bin_width=10, bin_origin=low, families=("glrlm",))
    levels = np.floor((IMAGE - low) / 10) + 1
    as_levels = Settings(binning="levels", families=("glrlm",))
    assert radiomics(IMAGE, MASK, None, settings) == radiomics(levels, MASK, None, as_levels)


def test_bins_of_a_given_range() -> None:
    levels = np.clip(np.floor((IMAGE + 100) / 10), 0, 19) + 1  # 20 bins from -100 to 100
    given = Settings(binning="count", bin_count=20, bin_range=(-100, 100), families=("glcm",))
    as_levels = Settings(binning="levels", families=("glcm",))
    assert IMAGE[MASK].min() < -100 < 100 < IMAGE[MASK].max()
    expected = radiomics(levels, MASK, None, as_levels)
    assert radiomics(IMAGE, MASK, None, given) == expected
    tenth = Settings(binning="count", bin_count=20, bin_range=(-10, 10), families=("glcm",))
    assert radiomics(IMAGE.astype(np.float32) / 10, MASK, None, tenth) == expected


def test_one_bin_for_all() -> None:
    """Said where intensities differ, and only there."""
    with pytest.warns(UserWarning, match="the region falls into one bin of width 25: choose bin_w"):
        radiomics(IMAGE / 1000 + 1, MASK)
    radiomics(IMAGE / 1000 + 1, MASK, families=("shape",))
    radiomics(np.ones_like(IMAGE), MASK)


@pytest.mark.parametrize("norm", ["manhattan", "infinity", None])
def test_many_levels_as_few(norm: Any) -> None:
    """The two ways of counting, one below and one above 256 levels, say the same."""
    few = np.clip(np.round(IMAGE / 10) + 16, 1, 30)
    settings: dict[str, Any] = {"binning": "levels", "families": ("glcm",), "symmetric": False}
    if norm:
        settings |= {"aggregation": "3D, merged", "weighting": norm}
    lonely, alone = np.pad(few, ((0, 2), (0, 0), (0, 0))), np.pad(MASK, ((0, 2), (0, 0), (0, 0)))
    lonely[-1, 0, 0], alone[-1, 0, 0] = 300, True  # a voxel without a neighbour
    expected = radiomics(few, MASK, SPACING, **settings)
    found = radiomics(lonely, alone, SPACING, **settings)
    for name, value in expected.items():
        if "Idn" not in name and "Idmn" not in name:  # which divide by the number of levels
            assert found[name] == pytest.approx(value, rel=1e-11), name


@given(
    hnp.arrays(
        np.float64,
        st.integers(1, 300),
        elements=st.floats(-1e6, 1e6).map(lambda x: round(x, 3)),
    )
)
def test_intensities_as_numpy_has_them(x: np.ndarray) -> None:
    found = intensity_features(x)
    scale = max(abs(x).max(), 1.0)
    expected = {
        "mean": x.mean(),
        "median": np.median(x),
        "percentile_10": np.percentile(x, 10),
        "percentile_90": np.percentile(x, 90),
        "interquartile_range": np.percentile(x, 75) - np.percentile(x, 25),
        "mean_absolute_deviation": abs(x - x.mean()).mean(),
        "median_absolute_deviation": abs(x - np.median(x)).mean(),
        "root_mean_square": np.sqrt((x**2).mean()),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-12 * scale), name
    assert found["variance"] == pytest.approx(x.var(), rel=1e-9, abs=1e-12 * scale**2)
    assert (found["minimum"], found["maximum"]) == (x.min(), x.max())


def test_intensities_at_the_edge() -> None:
    assert np.isnan(intensity_features([0, 1])["robust_mean_absolute_deviation"])
    flat = intensity_features([5.0, 5.0])
    assert (flat["variance"], flat["skewness"], flat["kurtosis"], flat["median"]) == (0, 0, 0, 5)
    wide = intensity_features([-1e150, 0.0, 1e150, 1e-300])
    assert wide["median"] == 5e-301
    assert histogram_features([0, 2, 2]) == {"entropy": 1.0, "uniformity": 0.5}
    assert histogram_features([3]) == {"entropy": 0.0, "uniformity": 1.0}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"mask": np.zeros_like(MASK)}, "mask must hold a pixel or more"),
    ({"mask": MASK.astype(int) * 2}, "mask must hold a pixel or more of label 1, got labels 0, 2"),
    ({"mask": MASK[1:]}, r"mask must have shape \(9, 12, 14\), got bool array"),
    ({"mask": MASK * 0.5}, "mask must hold booleans or labels, got 0.5"),
    ({"mask": np.indices(MASK.shape).sum(0) == 0}, "mask must hold two voxels or more, got one"),
    ({"volume": np.where(MASK, np.nan, 0)}, "volume must be finite inside the mask, got"),
    ({"volume": IMAGE.astype(complex)}, "volume must hold real numbers, got complex128 array"),
    ({"volume": IMAGE[None], "mask": MASK[None]}, "volume must have 2 or 3 axes"),
    ({"spacing": (1, 1)}, r"spacing must have shape \(3\), got"),
    ({"spacing": (1, 0, 1)}, "spacing must be above 0 mm, got 0"),
    ({"spacing": (1, np.nan, 1)}, r"spacing must be finite \(mm\), got 1 NaN"),
    ({"settings": {"bin_width": 3}}, "settings must be Settings, got dict"),
    ({"settings": Settings(bin_width=1e-3)}, "bin_width must divide the intensities from"),
    ({"settings": Settings(bin_origin=0.0)}, "bin_origin must be at most the smallest value, -"),
    (
        {"settings": Settings(families=("shape2D",))},
        "families must hold 'shape' in place of 'shape2D'",
    ),
    ({"settings": Settings(binning="levels")}, "volume must hold whole numbers from 1 to 65534"),
]


@pytest.mark.parametrize(("wrong", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_mistakes(wrong: dict[str, Any], said: str) -> None:
    given = {"volume": IMAGE, "mask": MASK, "spacing": None, "settings": None} | wrong
    with pytest.raises((ValueError, TypeError), match=said):
        radiomics(**given)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"binning": "bins"}, "binning must be 'width', 'count' or 'levels', got str 'bins'"),
        ({"bin_width": 0}, "bin_width must be a finite number above 0, got 0"),
        ({"bin_count": 0}, "bin_count must be from 1 to 65535, got 0"),
        ({"aggregation": "3D"}, "aggregation must be .* or '3D, merged', got str"),
        ({"families": ("gldzm",)}, "families must be .* or 'ngtdm', got str"),
        ({"families": "glcm"}, "families must be a sequence of names, got 'glcm'"),
        ({"alpha": -1}, "alpha must be a finite number at least 0, got -1"),
        ({"distances": ()}, r"distances must be a sequence of integers, got \(\)"),
        ({"distances": (0,)}, "distances must be from 1 to 100, got 0"),
        ({"weighting": "euclid"}, "weighting must be None, 'manhattan', 'euclidean' or 'infinity'"),
        ({"weighting": "euclidean"}, "weighting must be None where aggregation is '3D, averaged'"),
        ({"slice_axis": 3}, "slice_axis must be from 0 to 2, got 3"),
        ({"bin_range": (0, 1)}, "bin_range must be None where binning is 'width'"),
        (
            {"binning": "count", "bin_range": (2, 1)},
            "bin_range must be two numbers, the first below",
        ),
        ({"label": True}, "label must be an integer at least 0, got bool True"),
    ],
)
def test_settings_are_checked(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        Settings(**wrong)


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, lesionkit.texture.radiomics as r; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"scipy", "numba", "sklearn", "torch", "matplotlib"} & {*done.stdout.split()}


def test_settings_by_name() -> None:
    assert radiomics(IMAGE, MASK, bin_width=5) == radiomics(
        IMAGE, MASK, settings=Settings(bin_width=5)
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"binWidth": 5},
            "radiomics has no setting 'binWidth': it has binning, bin_width, bin_ori",
        ),
        ({"settings": Settings(), "bin_width": 5}, "settings must be None beside settings by name"),
    ],
)
def test_settings_by_wrong_names(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        radiomics(IMAGE, MASK, **given)
