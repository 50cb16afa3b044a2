"""`reconstruct`: what is put in comes out; the same on any threads; each mistake its sentence."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from invariances import at_any_threads
from lesionkit.optics import (
    GridBasis,
    PhantomRecipe,
    disc_mesh,
    generate,
    reconstruct,
    reconstruct_phantoms,
)
from lesionkit.optics.reconstruction import gauss_newton, penalty
from lesionkit.optics.reconstruction.calibrated import reference_signal
from lesionkit.optics.reconstruction.normal_equations import Buffers
from lesionkit.optics.reconstruction.problem import checked_problem
from lesionkit.optics.reconstruction.spectral import TISSUE, Derivatives
from reconstruct_cases import (
    NM,
    PAIRS,
    TISSUE_OF_REFERENCE,
    noiseless,
    readings,
    run,
    scene,
)

# --- known answers ------------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", [0.0, 1e8])
def test_finds_the_maps_that_made_the_readings(frequency: float) -> None:
    truth = noiseless(frequency)[0]
    found = run(frequency, regularisation=1e-10, max_iter=25, tol=0.0)
    assert np.nanmin(found.residuals) < 1e-7
    for name in TISSUE[:4]:
        # so weak a penalty leaves what 56 pairs at 4 wavelengths hardly see, some 1e-4 of it
        np.testing.assert_allclose(found.maps[name][0], truth[name], rtol=5e-3)


def test_homogeneous_tissue_is_found_and_left_alone() -> None:
    model, basis = scene()
    tissue = {"hbo": 20.0, "hb": 5.0, "water": 45.0, "amplitude": 0.8, "power": 1.3}
    found = run(signal=readings(model, basis, tissue))
    for name in TISSUE:
        # the prior pulls towards the reference where 224 readings hardly see
        np.testing.assert_allclose(found.homogeneous[name], tissue[name], rtol=0.01)
    for name in TISSUE[:4]:
        np.testing.assert_allclose(found.maps[name], tissue[name], rtol=0.01)
    assert found.residuals[0, 0] < 1e-3


def test_optode_strengths_and_units_cancel() -> None:
    _, data, against = noiseless()
    strength = np.random.default_rng(3).uniform(0.1, 10, (len(NM), len(PAIRS)))
    model, basis = scene()
    scaled = reconstruct(
        model, data * strength, against * strength, TISSUE_OF_REFERENCE, NM, basis, pairs=PAIRS
    )
    for name, expected in run().maps.items():
        np.testing.assert_allclose(scaled.maps[name], expected, rtol=1e-8)


def test_an_image_without_contrast_is_tikhonov() -> None:
    flat = np.full(len(scene()[1]), 80.0)
    plain, guided = run(), run(gray=flat)
    for name in plain.maps:
        np.testing.assert_array_equal(plain.maps[name], guided.maps[name])
    count = 7
    away = np.eye(count) - 1 / count
    expected = (count / (count - 1)) ** 2 * away.T @ away
    np.testing.assert_allclose(penalty.Penalty(count).matrix, expected, atol=1e-15)


def test_guided_penalty_is_the_published_one() -> None:
    gray, scale = np.array([50.0, 52, 80, 79, 65]), 6.0
    matrix = np.eye(5)
    for i in range(5):
        others = [j for j in range(5) if j != i]
        weight = {j: np.exp(-((gray[i] - gray[j]) ** 2) / (2 * scale**2)) for j in others}
        for j in others:
            matrix[i, j] = -weight[j] / sum(weight.values())
    np.testing.assert_allclose(matrix.sum(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(penalty.guided(gray, scale), matrix.T @ matrix, rtol=1e-12)


@functools.cache
def phantoms():
    recipe = PhantomRecipe(nodes=1801, wavelengths=NM, pixels=40)
    return recipe, generate(recipe, 6, seed=4, device="cpu")


@functools.cache
def phantom_maps(method: str):
    recipe, made = phantoms()
    mri = made.mri if method == "dri" else None
    return reconstruct_phantoms(made.signal, recipe, mri=mri, method=method)


def test_no_phantoms_have_no_maps() -> None:
    recipe, made = phantoms()
    maps = reconstruct_phantoms(made.signal[:0], recipe, mri=made.mri[:0], method="dri")
    assert maps.shape == (0, *made.chromophores.shape[1:])


def test_dri_beats_tikhonov_beats_the_background() -> None:
    _, made = phantoms()
    truth = made.chromophores
    inside = truth[:, :1] > 0
    background = made.inclusions[:, 0, 3:6][:, :, None, None] * inside
    error = {
        "background": np.square(background - truth).mean(axis=(0, 2, 3)),
        **{m: np.square(phantom_maps(m) - truth).mean(axis=(0, 2, 3)) for m in ("tikhonov", "dri")},
    }
    relative = {m: float((e / error["background"]).mean()) for m, e in error.items()}
    assert relative["dri"] < 0.9 * relative["tikhonov"] < 0.9 * relative["background"]


def test_phantom_maps_are_as_the_store_has_them() -> None:
    _, made = phantoms()
    maps = phantom_maps("dri")
    assert maps.dtype == np.float32
    assert maps.shape == made.chromophores.shape
    np.testing.assert_array_equal(maps == 0, made.chromophores == 0)  # outside the disc


def test_the_reference_is_a_phantom_of_nominal_tissue() -> None:
    recipe, made = phantoms()
    reference = reference_signal(recipe)
    assert reference.shape == made.signal.shape[1:]
    # every source sees the same: ten millionths is float32's rounding
    np.testing.assert_allclose(reference[:, 0], reference[:, 8], rtol=1e-5)


# --- the slow reference -------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", [0.0, 1e8])
@pytest.mark.parametrize("maps", [("hbo", "hb", "water", "amplitude"), ("hb", "water")])
def test_steps_solve_the_normal_equations_of_a_dense_jacobian(maps, frequency: float) -> None:
    model, basis = scene(frequency, 15.0)
    problem, known = checked_problem(model, TISSUE_OF_REFERENCE, NM, basis, PAIRS, maps, "nirfast")
    k, singles = len(basis), len(problem.single)
    random = np.random.default_rng(0)
    phantom = gauss_newton._Phantom(
        problem, None, known, penalty.Penalty(k),
        np.exp(0.1 * random.normal(size=(len(maps), k))), 0.05 * random.normal(size=singles),
        np.zeros(len(maps)),
    )  # fmt: skip

    def logs(x):
        unknowns = x[: len(maps) * k].reshape(-1, k), x[len(maps) * k :]
        return problem.logs(*problem.optical(phantom.tissue(*unknowns)[None]))[0].ravel()

    here = np.concatenate([phantom.maps.ravel(), phantom.single])
    step = 1e-5
    jacobian = np.stack(
        [(logs(here + step * e) - logs(here - step * e)) / (2 * step) for e in np.eye(len(here))]
    ).T
    tissue = phantom.tissue(phantom.maps, phantom.single)[None]
    found = problem.derivatives(tissue, problem.buffers(1))[1]
    residual = random.normal(size=(len(NM), found.single.shape[-1]))
    moved = phantom.step(Derivatives(*(d[0] for d in found)), residual, 0.01, Buffers())

    hessian = jacobian.T @ jacobian
    right = jacobian.T @ residual.ravel()
    for i in range(len(maps)):
        at = slice(i * k, (i + 1) * k)
        strength = 0.01 * hessian[at, at].diagonal().max()
        hessian[at, at] += strength * phantom.penalty.matrix
        right[at] -= strength * phantom.penalty.matrix @ phantom.maps[i]
    expected = np.linalg.solve(hessian, right)
    # differences of second order, 1e-10 of the third derivative, times a condition of some 1e4
    np.testing.assert_allclose(
        np.concatenate([moved[0].ravel(), moved[1]]), expected, atol=2e-5 * np.abs(expected).max()
    )


# --- properties ---------------------------------------------------------------------------------


def test_the_same_on_any_threads_and_in_any_batch() -> None:
    _, data, _ = noiseless()
    noise = np.random.default_rng(5).normal(1, 0.02, (10, *data.shape[1:]))
    gray = np.random.default_rng(6).uniform(40, 90, (10, len(scene()[1])))

    def call() -> tuple[Any, ...]:
        found = run(signal=data * noise, gray=gray)
        return found.maps, found.residuals

    maps, _ = at_any_threads(call)
    alone = run(signal=(data * noise)[9:], gray=gray[9])
    for name in maps:
        np.testing.assert_array_equal(maps[name][9:], alone.maps[name])


def test_it_rests_when_steps_gain_little() -> None:
    _, data, _ = noiseless()
    noisy = data * np.random.default_rng(5).normal(1, 0.02, data.shape)
    record = run(signal=noisy, tol=0.05, max_iter=20).residuals[0]
    taken = np.isfinite(record)
    assert 2 <= taken.sum() < 10
    assert taken[: taken.sum()].all()
    assert record[taken][-1] < 0.5 * record[0]
    assert (run(signal=noisy, max_iter=1).residuals.shape) == (1, 2)


def test_batch_axes_progress_and_what_is_passed() -> None:
    data = noiseless()[1]
    many = np.repeat(data, 6, axis=0).reshape(2, 3, *data.shape[1:])
    copy, seen = many.copy(), []
    many.flags.writeable = False
    found = run(signal=many, progress=lambda *at: seen.append(at), maps=("hbo",))
    assert found.maps["hbo"].shape == (2, 3, len(found.basis))
    assert set(found.maps) == {"hbo"}
    assert found.residuals.shape[:2] == found.homogeneous["power"].shape == (2, 3)
    assert seen == [(6, 6)]
    np.testing.assert_array_equal(many, copy)
    assert found.at([[0.0, 0], [1, 2]])["hbo"].shape == (2, 3, 2)
    assert run(signal=data[:0]).maps["hb"].shape == (0, len(found.basis))


# --- bad input ----------------------------------------------------------------------------------

SIGNAL = noiseless()[1]
SPOILT = SIGNAL.copy()
SPOILT[0, 1, 5] = np.nan
DARK = np.where(np.isnan(SPOILT), 0, SPOILT)
SHAPE = r"\(\.\.\., 4, 56\)"


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"model": 1}, TypeError, "model must be a ForwardModel, got int 1"),
        ({"basis": 1}, TypeError, "basis must be a GridBasis, got int 1"),
        ({"basis": scene(1e8)[1]}, None, ""),
        (
            {"basis": GridBasis(disc_mesh(radius=9.0, nodes=37), 4.0)},
            ValueError,
            r"basis must lie over the model's mesh Mesh\(817 nodes",
        ),
        ({"signal": SPOILT}, ValueError, "signal must be finite, got 1 NaN or infinite"),
        ({"signal": DARK}, ValueError, "signal must be above 0, got 0"),
        ({"signal": SIGNAL[:, :3]}, ValueError, f"signal must have shape {SHAPE}, got .*3, 56"),
        ({"signal": SIGNAL[..., :9]}, ValueError, f"signal must have shape {SHAPE}, got .*4, 9"),
        ({"signal": SIGNAL + 1j}, TypeError, "signal must be real for a model of continuous"),
        ({"reference": np.ones((3, 4, 56))}, ValueError, "reference must have shape .* or that of"),
        ({"reference": -SIGNAL[0]}, ValueError, "reference must be above 0"),
        ({"wavelengths": (661, 785, 852, 700)}, ValueError, "wavelength must be one of .* got 700;"
         " for others give extinction as an array"),
        ({"wavelengths": (661, 785, 852, 661)}, ValueError, "wavelengths must be one or more that"),
        ({"wavelengths": (661, 785)}, ValueError, "as many as the chromophores of maps, 3"),
        ({"extinction": np.ones((3, 3))}, ValueError, r"extinction must have shape \(4, 3\)"),
        ({"extinction": "mine"}, ValueError, "table must be 'nirfast' or 'prahl', got str 'mine'"),
        ({"reference_tissue": {"hbo": 1}}, ValueError, "reference_tissue must say hbo, hb, water"),
        (
            {"reference_tissue": {**TISSUE_OF_REFERENCE, "hb": -1.0}},
            ValueError,
            r"reference_tissue\['hb'\] must be a finite number above 0",
        ),
        ({"pairs": PAIRS + 1}, ValueError, "pairs must count 8 sources and 8 detectors"),
        ({"pairs": PAIRS.T}, ValueError, r"pairs must be whole numbers of shape \(pairs, 2\)"),
        ({"maps": None}, ValueError, "maps must be one or more of hbo, hb, water, amplitude"),
        ({"maps": (["hb"],)}, ValueError, "maps must be one or more of hbo, hb, water, amplitude"),
        ({"maps": ("fat",)}, ValueError, "maps must be one or more of hbo, hb, water, amplitude"),
        ({"gray": np.ones(3)}, ValueError, "gray must have shape"),
        ({"gray_scale": 0.0}, ValueError, "gray_scale must be a finite number above 0"),
        ({"regularisation": 0.0}, ValueError, "regularisation must be a finite number above 0"),
        ({"max_iter": 0}, ValueError, "max_iter must be from 1 to 1000, got 0"),
        ({"tol": -0.1}, ValueError, "tol must be .* at least 0"),
        ({"progress": 3}, TypeError, "progress must be None or a function, got int 3"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_sentence(change, kind, sentence) -> None:
    if kind is None:
        kind, sentence = ValueError, "basis must lie over the model's mesh"
    model, basis = scene()
    given = {
        "model": model, "signal": SIGNAL, "reference": noiseless()[2],
        "reference_tissue": TISSUE_OF_REFERENCE, "wavelengths": NM, "basis": basis,
        "pairs": PAIRS, **change,
    }  # fmt: skip
    with pytest.raises(kind, match=sentence):
        reconstruct(**given)


def test_modulated_light_wants_complex_readings() -> None:
    with pytest.raises(TypeError, match="signal must be complex for a model of modulated light"):
        run(1e8, signal=SIGNAL)
    with pytest.raises(ValueError, match="signal must be finite and of amplitudes above 0"):
        run(1e8, signal=np.zeros_like(noiseless(1e8)[1]))


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"recipe": 1}, TypeError, "recipe must be a PhantomRecipe, got int 1"),
        ({"method": "znet"}, ValueError, "method must be 'tikhonov' or 'dri', got 'znet'"),
        (
            {"mri": None, "method": "dri"},
            ValueError,
            "mri must be given for method 'dri', got None",
        ),
        ({"mri": np.ones((6, 9, 9)), "method": "dri"}, ValueError, "mri must have shape"),
        ({"signals": np.ones((6, 4, 16, 16))}, ValueError, "signals must have shape"),
        ({"signals": np.zeros((6, 4, 16, 15))}, ValueError, r"signals must be above 0 mm\^-1"),
    ],
)
def test_mistakes_with_phantoms(change, kind, sentence) -> None:
    recipe, made = phantoms()
    given = {"signals": made.signal, "recipe": recipe, "mri": made.mri, **change}
    with pytest.raises(kind, match=sentence):
        reconstruct_phantoms(**given)
