"""`generate`: area fractions, maps, MRI, signals, and that nothing but the recipe changes a bit."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import tolerances
from invariances import at_any_threads
from lesionkit import _core, processors
from lesionkit.optics import spectra
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.mesh.disc import disc_mesh
from lesionkit.optics.phantoms.generate import generate
from lesionkit.optics.phantoms.making import BATCH_BYTES, _fitting
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from reference.optics import disc_polygon_area, philox4x32

SMALL = PhantomRecipe(nodes=217, wavelengths=(661, 948), pixels=40)
ARRAYS = ("signal", "mri", "chromophores", "inclusions")


def regions_of(*discs: tuple[float, float, float]) -> np.ndarray:
    """One phantom with these inclusions (x, y, radius)."""
    regions = np.zeros((1, 3, 8))
    regions[:, 0] = 0, 0, 41, 10, 5, 40, 1, 1
    regions[:, 1:, 3:] = 20, 15, 80, 1.2, 1
    for k, disc in enumerate(discs, 1):
        regions[0, k, :3] = disc
    return regions


def fractions_of(regions: np.ndarray, corners: np.ndarray) -> np.ndarray:
    fractions = np.full((len(regions), 2, len(corners)), np.nan)
    _core.optics.element_shares(regions, corners, fractions)
    return fractions


def paint(regions: np.ndarray, pixels: int, noise: float = 0.0, first: int = 0, seed: int = 0):
    chromophores = np.full((len(regions), 3, pixels, pixels), np.nan, np.float32)
    mri = np.full((len(regions), pixels, pixels), 7, np.uint8)
    _core.optics.paint(regions, 41.0, (50.0, 80.0), noise, seed, first, chromophores, mri)
    return chromophores, mri


def equal(one, other) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name)[:], getattr(other, name)[:], err_msg=name)


# --- area fractions ---------------------------------------------------------------------------

PLACE = st.floats(-10, 10)


@given(corner=st.lists(st.tuples(PLACE, PLACE), min_size=3, max_size=3), radius=st.floats(0.01, 12))
def test_a_triangles_share_is_the_reference(corner, radius) -> None:
    triangle = np.array(corner)
    (ax, ay), (bx, by) = triangle[1] - triangle[0], triangle[2] - triangle[0]
    area = (ax * by - ay * bx) / 2
    if abs(area) < 0.01:
        return
    fraction = fractions_of(regions_of((0.5, -0.25, radius)), triangle[None])[0]
    whole = disc_polygon_area((0.5, -0.25), radius, triangle)
    assert fraction[0] == pytest.approx(whole / abs(area), abs=1e-11)
    assert fraction[1] == 0  # absent


def test_shares_that_are_known() -> None:
    square = np.array([[[0, 0], [2, 0], [2, 2]], [[0, 0], [2, 2], [0, 2]]], dtype=float)
    quarter = fractions_of(regions_of((0, 0, 2), (1, 1, 1)), square)[0]
    np.testing.assert_allclose(quarter, [[np.pi / 4] * 2] * 2, rtol=1e-14)  # tangent sides too
    inside = fractions_of(regions_of((1, 1, 0.01), (1, 1, 9)), square)[0]
    np.testing.assert_allclose(inside, [[np.pi * 1e-4 / 4] * 2, [1, 1]], rtol=1e-10)
    assert (inside[1] == 1).all()
    assert (fractions_of(regions_of((9, 9, 1)), square) == 0).all()


def test_shares_of_a_mesh_add_up_to_the_disc() -> None:
    mesh = disc_mesh(41, 1801)
    corners = np.ascontiguousarray(mesh.nodes[mesh.elements])
    areas = np.array([disc_polygon_area((0, 0), 99, triangle) for triangle in corners])
    regions = generate(SMALL, 64).inclusions
    fractions = fractions_of(regions, corners)
    assert fractions.min() >= 0
    assert fractions.max() <= 1
    np.testing.assert_allclose(fractions @ areas, np.pi * regions[:, 1:, 2] ** 2, rtol=1e-12)


# --- maps and MRI -----------------------------------------------------------------------------


def test_maps_are_the_reference_pixel_by_pixel() -> None:
    pixels, step = 41, 2.0  # 82 mm over 41 pixels: a pixel is centred on the disc
    discs = [(-12.3, 20.1, 8.0), (15.5, -9.25, 6.0)]
    regions = regions_of(*discs)
    chromophores, mri = paint(regions, pixels)
    assert np.isfinite(chromophores).all()
    for row in range(pixels):
        for column in range(pixels):
            x, y = (column - 20) * step, (20 - row) * step  # row 0 at the top
            corners = [(x + dx, y + dy) for dx, dy in [(-1, -1), (1, -1), (1, 1), (-1, 1)]]
            inside = x * x + y * y <= 41**2
            fraction = sum(disc_polygon_area(disc[:2], disc[2], corners) / 4 for disc in discs)
            for map_, (back, lesion) in zip(
                [*chromophores[0], mri[0]], [(10, 20), (5, 15), (40, 80), (50, 80)], strict=True
            ):
                value = inside * (back + fraction * (lesion - back))
                if map_.dtype == np.uint8:
                    value = np.floor(value + 0.5)
                assert map_[row, column] == pytest.approx(value, rel=1e-6), (row, column)


def test_maps_add_up_to_the_area_of_the_inclusions() -> None:
    recipe = replace(SMALL, pixels=100)
    made = generate(recipe, 64)
    back, lesions = made.inclusions[:, 0, 3:6], made.inclusions[:, 1:, 3:6]
    area = np.pi * made.inclusions[:, 1:, 2] ** 2
    excess = ((lesions - back[:, None]) * area[..., None]).sum(axis=1)
    maps = made.chromophores.astype(float)
    inside = maps[:, :1] > 0
    painted = np.where(inside, maps - back[..., None, None], 0).sum(axis=(2, 3)) * 0.82**2
    np.testing.assert_allclose(painted, excess, rtol=1e-4)  # float32 maps
    np.testing.assert_array_equal(inside[:, 0], made.mri > 0)
    assert inside.mean() == pytest.approx(np.pi / 4, abs=2e-3)


def test_mri_noise_is_relative_clipped_and_the_phantoms_own() -> None:
    regions = np.repeat(regions_of((0, 0, 20.0)), 200, axis=0)
    _, exact = paint(regions[:1], 100)
    _, noisy = paint(regions, 100, noise=0.04)
    for gray in (50, 80):
        values = noisy[:, exact[0] == gray].astype(float)
        n = values.size
        # rounding to bytes adds 1/12 to the variance
        sd = np.hypot(0.04 * gray, 12**-0.5)
        assert abs(values.mean() - gray) < 5 * sd / np.sqrt(n)
        assert abs(values.std() - sd) < 5 * sd / np.sqrt(2 * n)
    assert (noisy[:, exact[0] == 0] == 0).all()
    assert (noisy[0] != noisy[1]).any()
    np.testing.assert_array_equal(paint(regions[:1], 100, noise=0.04, first=17)[1][0], noisy[17])
    _, wild = paint(regions[:1], 100, noise=1.0)
    assert {0, 255} <= set(wild[0][exact[0] == 80])


# --- signals ----------------------------------------------------------------------------------


def add_noise(readings: np.ndarray, noise: float, seed: int = 0, first: int = 0) -> np.ndarray:
    wavelengths, count, optodes, _ = readings.shape
    signal = np.full((count, wavelengths, optodes, optodes - 1), np.nan, np.float32)
    _core.optics.add_noise(readings, noise, seed, first, signal)
    return signal


def test_detector_j_of_source_s_is_optode_s_plus_1_plus_j() -> None:
    readings = np.arange(2 * 3 * 16 * 16, dtype=float).reshape(2, 3, 16, 16)
    signal = add_noise(readings, 0.0)
    for source in range(16):
        for j in range(15):
            expected = readings[:, :, source, (source + 1 + j) % 16].T
            np.testing.assert_array_equal(signal[:, :, source, j], expected)


def test_signal_noise_is_the_words_of_its_own_stream() -> None:
    seed, first = 2**40 + 3, 2**33 + 5
    noise = (add_noise(np.ones((2, 2, 4, 4)), 0.1, seed, first).astype(float) - 1) / 0.1
    for i in range(2):
        item = first + i
        blocks = [
            philox4x32([b, 1, item % 2**32, item >> 32], [seed % 2**32, seed >> 32])
            for b in range(6)
        ]
        words = np.array(blocks, np.uint32).T.ravel()  # block b serves b, b + 6, b + 12, b + 18
        z = np.empty(24, np.float32)
        _core.optics.normals(words, z)
        np.testing.assert_allclose(noise[i].ravel(), z, atol=1e-5)


def test_signal_noise_has_its_standard_deviation() -> None:
    noise = add_noise(np.full((9, 500, 16, 16), 1e-9), 0.02) / np.float32(1e-9) - 1
    assert abs(noise.mean()) < 5 * 0.02 / np.sqrt(noise.size)
    assert noise.std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * noise.size))
    flat = noise.reshape(500, -1)
    assert abs(stats.pearsonr(flat[0], flat[1]).statistic) < 5 / np.sqrt(flat.shape[1])


def test_signals_are_the_forward_models() -> None:
    recipe = replace(SMALL, signal_noise=0)
    made = generate(recipe, 9)
    nodes = made.attributes["geometry"]["nodes"]
    mesh = disc_mesh(recipe.radius, nodes, recipe.optodes)
    fractions = fractions_of(made.inclusions, np.ascontiguousarray(mesh.nodes[mesh.elements]))
    hbo, hb, water, amplitude, power = np.moveaxis(made.inclusions[..., 3:], -1, 0)
    for w, wavelength in enumerate(recipe.wavelengths):
        model = ForwardModel(
            mesh, recipe.positions, recipe.positions, source_depth=wavelength / 1000
        )
        mua = spectra.absorption(wavelength, hbo, hb, water)
        mus = spectra.scattering(wavelength, amplitude, power)
        maps = [
            v[:, :1] + np.einsum("nke,nk->ne", fractions, v[:, 1:] - v[:, :1]) for v in (mua, mus)
        ]
        readings = model.measure(*maps, at="elements")
        for source in range(16):
            np.testing.assert_allclose(
                made.signal[:, w, source],
                np.roll(readings[:, source], -1 - source, axis=1)[:, :-1],
                rtol=1e-7,  # float32
            )


# --- the whole --------------------------------------------------------------------------------


def test_shapes_and_dtypes() -> None:
    made = generate(SMALL, 5, seed=3)
    assert {name: (getattr(made, name).shape, getattr(made, name).dtype) for name in ARRAYS} == {
        "signal": ((5, 2, 16, 15), np.float32),
        "mri": ((5, 40, 40), np.uint8),
        "chromophores": ((5, 3, 40, 40), np.float32),
        "inclusions": ((5, 3, 8), np.float64),
    }
    assert (len(made), made.recipe, made.seed) == (5, SMALL, 3)
    assert made.attributes["instruction_set"] == _core.level
    assert made.attributes["geometry"]["nodes"] == 817  # as many as keep amplitudes above 0
    assert min(made.seconds.values()) >= 0
    assert np.isfinite(made.signal).all()


def test_amplitudes_are_positive_on_the_default_mesh() -> None:
    assert generate(replace(PhantomRecipe(), wavelengths=(948,), pixels=1), 300).signal.min() > 0


def test_whoever_names_the_nodes_is_fast() -> None:
    one = PhantomRecipe(wavelengths=(948,), pixels=1)
    accurate, fast = generate(one, 4), generate(one, 4, accuracy="fast")
    assert (accurate.attributes["accuracy"], fast.attributes["accuracy"]) == ("accurate", "fast")
    assert (accurate.recipe.nodes, fast.recipe.nodes) == (None, 1801)
    assert fast.attributes["geometry"]["nodes"] == 1801
    assert accurate.attributes["geometry"]["nodes"] > 4000
    equal(generate(fast.recipe, 4), fast)
    named = replace(one, nodes=1801)
    equal(generate(named, 4, accuracy="fast"), fast)
    # the same phantoms, whose light is some per cent apart
    np.testing.assert_array_equal(accurate.mri, fast.mri)
    np.testing.assert_array_equal(accurate.inclusions, fast.inclusions)
    apart = np.abs(fast.signal / accurate.signal - 1)
    assert 0.01 < np.median(apart) < 0.3


def test_accurate_batches_and_threads_change_no_bit() -> None:
    recipe = PhantomRecipe(wavelengths=(661,), pixels=4)
    whole = generate(recipe, 70)
    equal(generate(recipe, 70, batch=9), whole)
    at_any_threads(lambda: equal(generate(recipe, 70), whole))


def test_accuracies_that_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^accuracy must be 'fast', 'accurate' or None, got 'best'"
    ):
        generate(SMALL, 1, accuracy="best")
    with pytest.raises(ValueError, match=r"recipe\.nodes must be None, got 217"):
        generate(SMALL, 1, accuracy="accurate")


def test_batches_and_threads_change_no_bit() -> None:
    count = 200
    whole = generate(SMALL, count)
    for batch in (1, 7, 256):
        equal(generate(SMALL, count, batch=batch), whole)
    at_any_threads(lambda: equal(generate(SMALL, count), whole))


def test_a_phantom_depends_on_seed_and_index_only() -> None:
    whole, part = generate(SMALL, 130), generate(SMALL, 70)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(whole, name)[:70], getattr(part, name))
    other = generate(SMALL, 70, seed=1)
    assert all((getattr(other, name) != getattr(part, name)).any() for name in ARRAYS)


def test_progress_counts_up_to_the_whole() -> None:
    seen: list[tuple[int, int]] = []
    generate(SMALL, 200, batch=64, progress=lambda done, count: seen.append((done, count)))
    assert seen[-1] == (200, 200)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_an_error_in_progress_stops_it() -> None:
    def stop(done: int, count: int) -> None:
        if done:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        generate(SMALL, 500, batch=64, progress=stop)


FORKED = """
import os
import numpy as np
from lesionkit.optics.phantoms.generate import generate
from lesionkit.optics.phantoms.recipe import PhantomRecipe
recipe = PhantomRecipe(nodes=217, wavelengths=(661,), pixels=10)
first = generate(recipe, 130).signal
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(generate(recipe, 130).signal, first) else 1)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert np.array_equal(generate(recipe, 130).signal, first)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_run_once_fork_and_run_again() -> None:
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=60)


def test_instruction_sets_agree(tmp_path: Path) -> None:
    code = """if True:
        import sys
        import numpy as np
        from lesionkit.optics.phantoms.generate import generate
        from lesionkit.optics.phantoms.recipe import PhantomRecipe
        made = generate(PhantomRecipe(nodes=217, wavelengths=(661,), pixels=20), 10)
        np.savez(sys.argv[1], signal=made.signal, mri=made.mri, inclusions=made.inclusions)
    """
    made = []
    for level in processors.levels():
        file = tmp_path / f"{level}.npz"
        environment = {**os.environ, "LESIONKIT_ISA": level}
        subprocess.run([sys.executable, "-c", code, file], check=True, env=environment)
        made.append(dict(np.load(file)))
    for other in made[1:]:
        np.testing.assert_allclose(
            other["inclusions"], made[0]["inclusions"], rtol=tolerances.INSTRUCTION_SETS
        )
        np.testing.assert_allclose(other["signal"], made[0]["signal"], rtol=tolerances.SINGLE)
        assert np.abs(other["mri"].astype(int) - made[0]["mri"]).max() <= 1  # rounding to bytes


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (({}, 5), TypeError, "recipe must be a PhantomRecipe, got dict"),
        ((SMALL, 0), ValueError, "count must be from 1 to .*, got 0"),
        ((SMALL, -4), ValueError, "count must be from 1 to .*, got -4"),
        ((SMALL, 2.0), TypeError, "count must be an integer .*, got float 2.0"),
        ((SMALL, 5, None, -1), ValueError, "seed must be from 0 to .*, got -1"),
        (
            (SMALL, 5, None, 2**64),
            ValueError,
            "seed must be from 0 to .*, got 18446744073709551616",
        ),
        ((SMALL, 5, 17), TypeError, "out must be None or a path, got int 17"),
        ((SMALL, 5, "a.partial"), ValueError, "out must not end in .partial, .* got a.partial"),
    ],
)
def test_each_mistake_has_its_sentence(arguments, error, sentence) -> None:
    with pytest.raises(error, match=f"^{sentence}"):
        generate(*arguments)


def test_a_batch_of_nothing() -> None:
    with pytest.raises(ValueError, match=r"^batch must be at least 1, got 0"):
        generate(SMALL, 5, batch=0)


def test_the_record_has_the_arrays_first() -> None:
    assert tuple(field.name for field in fields(generate(SMALL, 1)))[:4] == ARRAYS


@pytest.mark.parametrize(("elements", "batch"), [(3_456, 1024), (60_000, 64), (1_000_000, 4)])
def test_batches_keep_their_memory_on_fine_meshes(elements: int, batch: int) -> None:
    assert _fitting(SimpleNamespace(device=None, corners=range(elements))) == batch
    assert 16 * elements * batch <= BATCH_BYTES


def test_no_reading_is_below_0_in_the_shadow_of_two_inclusions() -> None:
    """Phantoms 449 and 570 had such on 217 nodes, though none of those in `darkest` alone had."""
    recipe = PhantomRecipe(nodes=217, optodes=8, pixels=16, wavelengths=(661, 948))
    made = generate(recipe, 600, seed=3, device="cpu")
    assert made.attributes["geometry"]["nodes"] > 217
    assert (made.signal > 0).all()
