"""PhantomRecipe, and the phantoms that are drawn from it."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lesionkit import _core
from lesionkit.optics import spectra
from lesionkit.optics.phantoms.recipe import PhantomRecipe

PAPER = PhantomRecipe()


def draw(recipe: PhantomRecipe, count: int, seed: int = 0, first: int = 0) -> np.ndarray:
    regions = np.full((count, 3, 8), np.nan)
    diameters = np.array(recipe.single_diameters)
    _core.optics.draw_regions(recipe.limits, diameters, seed, first, regions)
    return regions


# --- the recipe -------------------------------------------------------------------------------


def test_defaults_are_the_papers() -> None:
    assert (2 * PAPER.radius, PAPER.optodes, PAPER.pixels) == (82, 16, 100)
    assert PAPER.wavelengths == (661, 735, 785, 808, 826, 852, 903, 912, 948)
    assert (PAPER.single_diameters, PAPER.pair_diameter) == ((12, 16, 20), 16)
    assert PAPER.pair_distance == (4, 42)
    assert (PAPER.signal_noise, PAPER.mri_gray, PAPER.mri_noise) == (0.02, (50, 80), 0.04)


def test_positions_and_depths() -> None:
    np.testing.assert_allclose(np.hypot(*PAPER.positions.T), 41)
    np.testing.assert_allclose(PAPER.positions[4], [0, 41], atol=1e-14)
    depths = 1 / spectra.scattering(PAPER.wavelengths, 1.0, 1.0)
    np.testing.assert_array_equal(PAPER.source_depths, depths)


def test_lists_and_integers_become_tuples_and_floats() -> None:
    recipe = PhantomRecipe(radius=41, wavelengths=[661, 948], hbo=[np.float32(8), 20])
    assert recipe == PhantomRecipe(wavelengths=(661.0, 948.0))
    assert hash(recipe) == hash(PhantomRecipe(wavelengths=(661.0, 948.0)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.radius = 40


RANGE = st.tuples(st.floats(0, 50), st.floats(0, 50)).map(lambda pair: tuple(sorted(pair)))


@given(
    hbo=RANGE,
    water=RANGE,
    noise=st.floats(0, 0.15),
    wavelengths=st.lists(st.sampled_from(spectra.WAVELENGTHS), min_size=1, unique=True),
    extinction=st.sampled_from(sorted(spectra.EXTINCTION)),
    nodes=st.integers(7, 10**6),
)
def test_json_makes_an_equal_recipe(hbo, water, noise, wavelengths, extinction, nodes) -> None:
    recipe = PhantomRecipe(
        hbo=hbo,
        water=water,
        signal_noise=noise,
        wavelengths=wavelengths,
        extinction=extinction,
        nodes=nodes,
    )
    assert PhantomRecipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize(
    ("wrong", "error", "sentence"),
    [
        ({"radius": 0}, ValueError, "radius must be a finite number of mm above 0 .*, got 0"),
        ({"radius": "41"}, TypeError, "radius must be .*, got str '41'"),
        ({"radius": 30.0}, ValueError, "pair_diameter and pair_distance must leave room .* 60 mm"),
        ({"optodes": 1}, ValueError, "optodes must be from 2 to 1024, got 1"),
        ({"single_diameters": ()}, ValueError, "single_diameters must be .* one or more numbers"),
        ({"single_diameters": (12, -1)}, ValueError, r"single_diameters\[1\] must be .*, got -1"),
        ({"single_diameters": (79,)}, ValueError, "single_diameters must leave room .* 83 mm wide"),
        ({"pair_distance": (9, 4)}, ValueError, r"pair_distance must be .*, got \(9, 4\)"),
        ({"pair_distance": 4}, TypeError, "pair_distance must be a tuple of 2 numbers, got int 4"),
        ({"margin": -1}, ValueError, "margin must be .* at least 0, got -1"),
        ({"nodes": 6}, ValueError, "nodes must be from 7 to 1000000, got 6"),
        ({"nodes": 1801.0}, TypeError, "nodes must be an integer .*, got float 1801.0"),
        ({"pixels": 0}, ValueError, "pixels must be from 1 to 512, got 0"),
        (
            {"refractive_index": 0.9},
            ValueError,
            "refractive_index must be .* at least 1.*, got 0.9",
        ),
        ({"hbo": (8, math.nan)}, ValueError, r"hbo\[1\] must be a finite number .*, got nan"),
        ({"hb": (-1, 4)}, ValueError, r"hb\[0\] must be .* at least 0.*got -1"),
        ({"water": (20, 120)}, ValueError, r"water\[1\] must be .* at most 100, got 120"),
        ({"water": (20, 90)}, ValueError, "water and contrast must leave .*, got 90 times"),
        ({"scattering_amplitude": (0, 1)}, ValueError, r"scattering_amplitude\[0\] .*, got 0"),
        ({"scattering_power": (1, math.inf)}, ValueError, r"scattering_power\[1\] .*, got inf"),
        ({"nominal_scattering": (0, 1)}, ValueError, "nominal_scattering must have an amplitude"),
        ({"nominal_scattering": (0.01, 1)}, ValueError, ".* must keep the sources, .* 94.8 mm"),
        ({"wavelengths": (700,)}, ValueError, "wavelength must be one of 661, .*, got 700"),
        ({"wavelengths": (661, 661)}, ValueError, "wavelengths must differ"),
        ({"wavelengths": "661"}, TypeError, "wavelengths must be a tuple .*, got str '661'"),
        ({"extinction": "hale"}, ValueError, "extinction must be 'nirfast' or 'prahl'"),
        ({"signal_noise": 0.2}, ValueError, "signal_noise must be .* at most 0.15, got 0.2"),
        ({"mri_gray": (50, 300)}, ValueError, r"mri_gray\[1\] must be .* at most 255, got 300"),
        (
            {"mri_noise": -0.1},
            ValueError,
            "mri_noise must be .* at most 1, got -0.1",
        ),
    ],
)
def test_each_mistake_has_its_sentence(wrong, error, sentence) -> None:
    with pytest.raises(error, match=f"^{sentence}"):
        PhantomRecipe(**wrong)


def test_from_dict_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match=r"^a recipe has no field 'colour'; it has \['contrast'"):
        PhantomRecipe.from_dict({"colour": 1})
    with pytest.raises(TypeError, match=r"^values must be a mapping of fields, got int 3"):
        PhantomRecipe.from_dict(3)


# --- what is drawn ----------------------------------------------------------------------------

MANY = draw(PAPER, 20_000)
CENTRE, RADIUS = MANY[:, 1:, :2], MANY[:, 1:, 2]
PAIR = RADIUS[:, 1] > 0


def uniform(values: np.ndarray, low: float, high: float) -> bool:
    """Whether `values` may well be uniform over exactly this range."""
    assert low <= values.min() < low + 0.01 * (high - low)
    assert high - 0.01 * (high - low) < values.max() <= high
    return bool(stats.kstest(values, "uniform", (low, high - low)).pvalue > 1e-3)


def test_inclusions_lie_inside_with_their_margin() -> None:
    present = RADIUS > 0
    assert present[:, 0].all()
    edge = np.hypot(CENTRE[..., 0], CENTRE[..., 1]) + RADIUS
    assert edge[present].max() <= 41 - 2 + 1e-12
    assert edge[present].max() > 38.99


def test_one_or_two_inclusions_with_probability_one_half() -> None:
    assert stats.binomtest(int(PAIR.sum()), len(PAIR)).pvalue > 1e-3
    assert set(2 * RADIUS[PAIR].ravel()) == {16}
    assert set(2 * RADIUS[~PAIR, 0]) == {12, 16, 20}
    sizes = [np.count_nonzero(2 * RADIUS[~PAIR, 0] == size) for size in (12, 16, 20)]
    assert stats.chisquare(sizes).pvalue > 1e-3


def test_pairs_keep_their_distance_and_lie_any_way_round() -> None:
    between = CENTRE[PAIR, 1] - CENTRE[PAIR, 0]
    assert uniform(np.hypot(*between.T) - 16, 4, 42)
    assert uniform(np.arctan2(between[:, 1], between[:, 0]), -np.pi, np.pi)


def test_single_centres_are_uniform_over_their_disc() -> None:
    for diameter in (12, 16, 20):
        centre = CENTRE[~PAIR & (2 * RADIUS[:, 0] == diameter), 0]
        reach = 41 - 2 - diameter / 2
        assert uniform(np.hypot(*centre.T) ** 2, 0, reach**2)
        assert uniform(np.arctan2(centre[:, 1], centre[:, 0]), -np.pi, np.pi)


def test_midpoints_of_pairs_are_uniform_where_the_pair_fits() -> None:
    # against rejection: for the same half distances, midpoints thrown until both centres fit
    half = np.hypot(*(CENTRE[PAIR, 1] - CENTRE[PAIR, 0]).T) / 2
    random, reach = np.random.default_rng(0), 41 - 2 - 8
    middle = np.full((len(half), 2), np.nan)
    while (missing := np.isnan(middle[:, 0])).any():
        throw = random.uniform(-reach, reach, (missing.sum(), 2))
        fits = np.hypot(np.abs(throw[:, 0]) + half[missing], throw[:, 1]) <= reach
        middle[np.flatnonzero(missing)[fits]] = throw[fits]
    along = (CENTRE[PAIR, 1] - CENTRE[PAIR, 0]) / (2 * half[:, None])
    ours = CENTRE[PAIR].mean(axis=1)
    x = (ours * along).sum(axis=1)
    y = along[:, 0] * ours[:, 1] - along[:, 1] * ours[:, 0]
    for narrow in (half < 15, half >= 15):
        assert stats.ks_2samp(x[narrow], middle[narrow, 0]).pvalue > 1e-3
        assert stats.ks_2samp(y[narrow], middle[narrow, 1]).pvalue > 1e-3


def test_tissue_stays_in_its_ranges() -> None:
    background = MANY[:, 0]
    np.testing.assert_array_equal(background[:, :3], [[0, 0, 41]] * len(MANY))
    for column, limits in enumerate(
        [PAPER.hbo, PAPER.hb, PAPER.water, PAPER.scattering_amplitude, PAPER.scattering_power], 3
    ):
        assert uniform(background[:, column], *limits)
    contrast = MANY[:, 1:, 3:] / MANY[:, :1, 3:]
    present = RADIUS > 0
    np.testing.assert_array_equal(contrast[~present], 1.0)  # an absent one has the background's
    for column, limits in enumerate([PAPER.contrast, PAPER.contrast]):
        assert uniform(contrast[present][:, column], *limits)
    assert uniform(contrast[present][:, 3], *PAPER.scattering_contrast)
    np.testing.assert_array_equal(contrast[..., 4], 1.0)
    wet = MANY[:, 1:, 5][present]
    assert wet.max() <= 100
    assert contrast[present][:, 2].min() >= 1.2 - 1e-12
    assert np.count_nonzero(wet == 100) == 0  # the range ends at 100 per cent; nothing is clipped


def test_a_pair_that_just_fits() -> None:
    recipe = PhantomRecipe(pair_distance=(46, 46))
    regions = draw(recipe, 1000)
    pairs = regions[regions[:, 2, 2] > 0]
    np.testing.assert_allclose(np.hypot(pairs[:, 1:, 0], pairs[:, 1:, 1]), 31, rtol=1e-12)


def test_a_phantom_is_the_same_alone_and_in_a_batch() -> None:
    for first in (0, 17, 19_999):
        np.testing.assert_array_equal(draw(PAPER, 1, first=first)[0], MANY[first])
    assert (draw(PAPER, 100, seed=1) != MANY[:100])[:, 0, 3].all()
    far = draw(PAPER, 2, seed=2**64 - 1, first=2**32 - 1)  # both halves of index and seed count
    assert len({*far[:, 0, 3], *draw(PAPER, 2, first=2**32 - 1)[:, 0, 3], *MANY[:1, 0, 3]}) == 5


def test_a_new_range_moves_no_other_number() -> None:
    other = draw(dataclasses.replace(PAPER, hb=(1, 2)), 500)
    same = [0, 1, 2, 3, 5, 6, 7]
    np.testing.assert_array_equal(other[..., same], MANY[:500][..., same])
