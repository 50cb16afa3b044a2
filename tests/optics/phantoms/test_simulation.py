"""`simulate`: phantoms with given inclusions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lesionkit.optics import PhantomRecipe, generate, simulate

RECIPE = PhantomRecipe(nodes=400, wavelengths=(661, 948), pixels=24)
TISSUE = [14.0, 7, 35, 1, 1]


def region(x, y, radius, *tissue):
    return [x, y, radius, *(tissue or TISSUE)]


@pytest.mark.parametrize("accuracy", ["fast", "accurate"])
def test_the_phantoms_of_generate(accuracy) -> None:
    recipe = PhantomRecipe(wavelengths=(808,), pixels=24)
    drawn = generate(recipe, 5, seed=3, accuracy=accuracy)
    before = drawn.inclusions.copy()
    made = simulate(recipe, drawn.inclusions, 3, accuracy=accuracy)
    np.testing.assert_array_equal(drawn.inclusions, before)
    np.testing.assert_allclose(made.signal, drawn.signal, rtol=1e-6)  # float32
    np.testing.assert_allclose(made.chromophores, drawn.chromophores, rtol=1e-6)
    background = (
        drawn.chromophores[:, 0] == drawn.chromophores[:, 0, 12:13, 12:13]
    ) & recipe.inside
    for image in (made.mri, drawn.mri):  # noise of the same strength, drawn anew
        assert np.std(image[background] / 50.0) == pytest.approx(0.04, rel=0.2)
    quiet = replace(recipe, mri_noise=0)
    clean = generate(quiet, 5, seed=3, accuracy=accuracy).mri
    same = simulate(quiet, drawn.inclusions, 3, accuracy=accuracy).mri
    np.testing.assert_array_equal(same, clean)
    assert made.attributes["accuracy"] == accuracy
    assert made.recipe == drawn.recipe


def test_three_inclusions_weaken_what_passes_them() -> None:
    three = [region(20, 0, 8), region(-10, 15, 6), region(-10, -15, 6)]
    for row in three:
        row[3] = 40.0
    regions = np.array([[region(0, 0, 0), *three], [region(0, 0, 0)] * 4])
    made = simulate(RECIPE, regions)
    assert made.inclusions.shape == (2, 4, 8)
    assert (made.signal[0] < 1.1 * made.signal[1]).all()
    assert made.signal[0].min() < 0.7 * made.signal[1].min()
    hbo = made.chromophores[:, 0]
    np.testing.assert_allclose(hbo[1][RECIPE.inside], 14)
    for x, y, radius in [row[:3] for row in three]:
        column, row = (int((x + 41) / 82 * 24), int((41 - y) / 82 * 24))
        assert hbo[0, row, column] == pytest.approx(40), radius
        assert made.mri[0, row, column] > 65
    # Each pixel's fraction of each disc adds up to the disc's area.
    area = (hbo[0][RECIPE.inside] - 14).sum() / 26 * (82 / 24) ** 2
    assert area == pytest.approx(np.pi * (64 + 36 + 36), rel=1e-4)


def test_five_inclusions_in_any_order_are_the_same_phantom() -> None:
    five = [region(10 * np.cos(a) * 2, 10 * np.sin(a) * 2, 5, 30, 8, 50, 1.2, 1) for a in range(5)]
    one = simulate(RECIPE, [[region(0, 0, 0), *five]])
    other = simulate(RECIPE, [[region(0, 0, 0), *five[::-1]]])
    np.testing.assert_allclose(one.signal, other.signal, rtol=1e-6)
    np.testing.assert_allclose(one.chromophores, other.chromophores, rtol=1e-6)


@pytest.mark.parametrize(
    ("regions", "sentence"),
    [
        ([[region(0, 0, 0)]], "regions must hold a background and an inclusion or more.*"),
        ([region(0, 0, 0)], r"regions must have shape \(n, regions, 8\).*"),
        ([[region(0, 0, 0), region(35, 0, 8)]], "regions must lie within the disc of 41 mm"),
        ([[region(0, 0, 0), region(0, 0, 8), region(0, 9, 4)]], "regions must not overlap: .*"),
        ([[region(0, 0, 0), region(0, 0, 8, 1, 1, 120, 1, 1)]], "regions must have radii and .*"),
        ([[region(0, 0, 0), region(0, 0, -8)]], "regions must have radii and tissue of 0 or .*"),
        ([[region(0, 0, 0), region(0, 0, 8, 1, 1, 1, 0, 1)]], "regions must have scattering .*"),
        ([[region(0, 0, 0), region(np.nan, 0, 8)]], "regions must be finite, got 1 NaN or .*"),
    ],
)
def test_regions_that_are_none(regions, sentence) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        simulate(RECIPE, regions)


def test_other_mistakes() -> None:
    good = [[region(0, 0, 0), region(0, 0, 8)]]
    with pytest.raises(TypeError, match="recipe must be a PhantomRecipe, got int 3"):
        simulate(3, good)
    with pytest.raises(ValueError, match="seed must be from 0"):
        simulate(RECIPE, good, -1)
    with pytest.raises(ValueError, match="accuracy must be 'fast', 'accurate' or None"):
        simulate(RECIPE, good, accuracy="best")


def test_no_amplitude_is_0_or_less() -> None:
    """A mesh too coarse for its tissue gets finer, also where the recipe is darker than usual; what
    no such mesh can tell is refused."""
    for recipe in (RECIPE, replace(RECIPE, nodes=217), replace(RECIPE, hbo=(60.0, 80.0))):
        made = generate(recipe, 16, seed=1, device="cpu")
        assert made.signal.min() > 0
        assert made.attributes["geometry"]["nodes"] >= 817
    fine = generate(replace(RECIPE, nodes=1801), 1, device="cpu")
    assert fine.attributes["geometry"]["nodes"] == 1801
    black = [[region(0, 0, 0, 9e3, 9e3, 35, 1, 1), region(0, 0, 8)]]
    with pytest.raises(ValueError, match="must be of tissue through which light comes"):
        simulate(RECIPE, black)
    with pytest.raises(ValueError, match="recipe must be of tissue through which light comes"):
        generate(replace(RECIPE, hb=(9e3, 9e3)), 1, device="cpu")


def test_water_that_rounds_beyond_all() -> None:
    wet = [14.0, 7, 100 * (1 + 1e-15), 1, 1]
    made = simulate(RECIPE, [[region(0, 0, 0, *wet), region(0, 0, 8)]])
    assert np.isfinite(made.signal).all()
