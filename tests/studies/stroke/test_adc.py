"""The six segmenters on two images: what is found, what is refused, and the maps of ADC."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lesionkit.studies.stroke import SEGMENTERS_ADC, Pair, adc_map, adc_scaled, pair, segment
from lesionkit.studies.stroke.adc.pieces import judged


def scan(planes: int = 9, low: float = 0.6) -> tuple[Any, Any, Any, Any]:
    """DWI, ADC (1e-3 mm^2/s), an infarct and a bright spot near air whose ADC is normal, in a
    brain of 2 mm voxels with a coil's bias."""
    z, y, x = np.ogrid[:planes, :80, :70]
    middle = planes // 2
    brain = ((y - 40) / 36) ** 2 + ((x - 35) / 30) ** 2 + 0 * z < 1
    infarct = (y - 30) ** 2 + (x - 50) ** 2 + (2 * (z - middle)) ** 2 < 36
    spot = ((y - 8) ** 2 + (x - 35) ** 2 + (2 * (z - middle)) ** 2 < 36) & brain
    random = np.random.default_rng(0)
    dwi = np.where(brain, 100.0 + 0.4 * y, 3.0) * np.where(infarct | spot, 1.7, 1)
    adc = np.where(brain, 0.8, 0.0) * np.where(infarct, low, 1)
    shape = brain.shape
    return (
        dwi * random.normal(1, 0.05, shape),
        adc * random.normal(1, 0.05, shape),
        infarct,
        spot,
    )


@pytest.fixture(scope="module")
def both() -> tuple[Pair, Any, Any]:
    dwi, adc, infarct, spot = scan()
    return pair(dwi, adc, spacing=2.0), infarct, spot


@pytest.mark.parametrize("method", ["threshold", "glcm", "fcm", "kmeans", "split"])
def test_adc_parts_an_infarct_from_a_bright_spot(both: tuple[Pair, Any, Any], method: str) -> None:
    images, infarct, spot = both
    found = SEGMENTERS_ADC[f"{method}-adc"](images)
    # Split leaves out slices in which a block has less than 30 pixels of it.
    least = 0.5 if method == "split" else 0.8
    assert np.count_nonzero(found & infarct) > least * np.count_nonzero(infarct)
    assert not (found & spot).any()
    assert np.array_equal(found, segment(images, method))


def test_normal_adc_is_no_infarct_in_a_volume() -> None:
    dwi, adc, _, _ = scan(low=1.0)
    assert not segment(dwi, "kmeans", adc=adc, spacing=2.0).any()


def test_units_and_background_make_no_difference(both: tuple[Pair, Any, Any]) -> None:
    dwi, adc, *_ = scan()
    nan = np.where(both[0].brain, dwi, np.nan)
    found = pair(nan, adc * 1e3, spacing=2.0, brain=both[0].brain)
    assert found.unit == "1e-6 mm^2/s"
    assert np.allclose(found.adc, both[0].adc, atol=0.02)


def test_dark_lesions_on_two_images() -> None:
    dwi, adc, infarct, _ = scan(low=2.6)
    dwi = dwi * np.where(infarct, 0.35, 1)
    found = segment(dwi, "kmeans", "hypo", adc=adc, spacing=2.0)
    assert np.count_nonzero(found & infarct) > 0.7 * np.count_nonzero(infarct)


def test_adc_of_two_images() -> None:
    b0 = np.array([[100.0, 100.0, 0.0], [100.0, -1.0, 100.0]])
    weighted = np.array([[50.0, 100.0, 10.0], [0.0, 10.0, 200.0]])
    expected = [[np.log(2) / 0.8, 0, np.nan], [np.nan, np.nan, -np.log(2) / 0.8]]
    assert np.allclose(adc_map(b0, weighted, 800), expected, equal_nan=True)
    assert adc_map(b0.astype(np.float32), weighted.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(("factor", "unit"), [(1e-3, "mm^2/s"), (1, "1e-3 mm^2/s"), (1e3, "1e-6")])
def test_the_unit_is_told_by_the_range(factor: float, unit: str) -> None:
    values, told = adc_scaled(np.array([[0.7, 0.8], [0.9, 3.0]]) * factor)
    assert told.startswith(unit)
    assert np.allclose(values, [[0.7, 0.8], [0.9, 3.0]])


def test_what_is_no_pair_is_refused() -> None:
    dwi, adc, *_ = scan(3)
    with pytest.raises(ValueError, match=r"adc must have the shape of image, \(3, 80, 70\), got"):
        pair(dwi, adc[:2])
    with pytest.raises(ValueError, match=r"adc must be in mm\^2/s, .* got a median of"):
        pair(dwi, adc * 30)
    with pytest.raises(ValueError, match="adc must be above 0 in the brain"):
        pair(dwi, 0 * adc)
    with pytest.raises(ValueError, match=r"bvalue must be .* at least 200"):
        adc_map(dwi, dwi, 1.0)
    with pytest.raises(ValueError, match="b0 must have the shape of dwi"):
        adc_map(dwi[0], dwi)
    with pytest.raises(TypeError, match=r"pair must be what pair\(image, adc\) returns"):
        SEGMENTERS_ADC["kmeans-adc"](dwi)


def test_a_single_voxel_is_no_core(both: tuple[Pair, Any, Any]) -> None:
    images, infarct, _ = both
    assert judged(infarct, images, "hyper").sum() == infarct.sum()
    one = np.zeros_like(infarct)
    one[tuple(np.argwhere(infarct)[0])] = True
    assert not judged(one, images, "hyper").any()
