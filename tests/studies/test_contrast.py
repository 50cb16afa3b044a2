"""Tumour-to-normal contrast: means by hand, regions given and found, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from lesionkit.cli import measured
from lesionkit.optics.reconstruction.blood import with_blood
from lesionkit.studies.nirst.contrast import contrast, find_region


@pytest.fixture
def maps() -> dict[str, np.ndarray]:
    """A disc of 10 + 5 micromolar with a lesion of 21 + 3 and a smaller one."""
    y, x = np.mgrid[-19.5:20, -19.5:20]
    hbo, hb = np.full((40, 40), 10.0), np.full((40, 40), 5.0)
    lesion = np.hypot(x - 5, y) < 4
    hbo[lesion], hb[lesion] = 21, 3
    hbo[np.hypot(x + 10, y) < 2] = 21
    hbo[np.hypot(x, y) > 19] = np.nan
    return with_blood({"hbo": hbo, "hb": hb})


def test_blood() -> None:
    whole = with_blood({"hbo": np.array([6.0, 0.0]), "hb": np.array([2.0, 0.0]), "water": 1})
    assert whole["hbt"].tolist() == [8, 0]
    assert whole["sto2"][0] == 75
    assert np.isnan(whole["sto2"][1])
    assert "hbt" not in with_blood({"hbo": 1.0})


def test_means_of_the_region_and_of_what_is_beyond_the_margin(maps) -> None:
    region = np.zeros((40, 40), bool)
    region[20, 24:26] = True
    found = contrast(maps, 1.0, region=region, margin=12)
    assert found.lesion == {"hbo": 21, "hb": 3, "hbt": 24, "sto2": 87.5}
    far = np.hypot(*(np.mgrid[:40, :40] - [[[20]], [[24.5]]])) > 12.6
    assert found.normal["hbo"] == pytest.approx(np.nanmean(maps["hbo"][far]), rel=0.01)
    assert found.ratios["hb"] == 0.6
    assert found.how == "given"


def test_the_largest_bright_part_is_found_on_the_map_or_on_the_image(maps) -> None:
    y, x = np.mgrid[-19.5:20, -19.5:20]
    found = contrast(maps, 1.0)
    np.testing.assert_array_equal(found.region, np.hypot(x - 5, y) < 4)
    assert found.ratios["hbt"] == pytest.approx(24 / 15, rel=0.02)
    assert "on the map of HbT" in found.how
    image = np.where(np.hypot(x, y - 9) < 3, 80, 50) + np.random.default_rng(0).normal(
        0, 2, x.shape
    )
    found = contrast(maps, 1.0, image=image.round())
    np.testing.assert_array_equal(found.region, np.hypot(x, y - 9) < 3)
    assert "on the MR plane" in found.how
    assert contrast({"hbt": np.ones((9, 9))}, 1.0) is None
    assert not find_region(np.ones((9, 9)), np.ones((9, 9), bool)).any()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"region": np.ones((3, 3), bool)}, r"region must be booleans of shape \(40, 40\), as the"),
        ({"region": np.zeros((40, 40), bool)}, "region must hold some of the tissue, got none"),
        ({"region": np.ones((40, 40), bool)}, "must leave normal tissue more than 5 mm away"),
        ({"pixel": 0}, "pixel must be a finite number of mm above 0, got 0"),
        ({"margin": -1}, "margin must be a finite number of mm at least 0, got -1"),
    ],
)
def test_refused(maps, change, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        contrast(**{"maps": maps, "pixel": 1.0, **change})


def test_more_refused(maps) -> None:
    with pytest.raises(ValueError, match=r"maps must hold 'hbt' where no region is given, got \['"):
        contrast({"hb": maps["hb"]}, 1.0)
    with pytest.raises(ValueError, match="maps must be of one shape"):
        contrast({"hb": maps["hb"], "hbt": np.ones((2, 2))}, 1.0)
    with pytest.raises(TypeError, match="maps must be a mapping of names to maps, got"):
        contrast(maps["hb"], 1.0)


def test_what_the_command_keeps_and_says(maps) -> None:
    one = contrast(maps, 1.0)
    kept = measured.contrast_parts([one, None])
    assert kept["region"].shape == (2, 40, 40)
    assert kept["contrast_hbt"].tolist() == pytest.approx([one.ratios["hbt"], np.nan], nan_ok=True)
    assert measured.contrast_parts([None]) == {}
    said = measured.contrast_line([one, one, None])
    assert "contrast   HbT 1.58 ± 0.00, StO2 1.31 ± 0.00, HbO 2.07" in said
    assert "2 of 3 phantoms; region found by k-means on the map of HbT" in said
    assert measured.contrast_line([None]).endswith("none: no region is given, and none is found")
