"""`reconstruct` in tetrahedra, and the step in the space of the data."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesionkit.optics import spectra
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.mesh.files import read_mesh
from lesionkit.optics.mesh.solids import ball_mesh
from lesionkit.optics.reconstruction import data_space, reconstruct, spectral
from lesionkit.optics.reconstruction.basis import GridBasis
from lesionkit.optics.reconstruction.normal_equations import Buffers
from lesionkit.optics.reconstruction.penalty import Penalty
from lesionkit.optics.reconstruction.problem import checked_problem
from lesionkit.optics.reconstruction.reconstruct import Reconstruction
from reconstruct_cases import TISSUE_OF_REFERENCE

NM = (735, 852)
PLACE = np.array([5.0, 3, 2])


@functools.cache
def scene(frequency: float = 0.0, order: int = 1) -> tuple[ForwardModel, GridBasis]:
    mesh = ball_mesh(15, layers=5 if order == 1 else 3, order=order)
    turn = np.arange(6) * np.pi / 3
    height = 9 * (-1.0) ** np.arange(6)
    around = np.sqrt(15**2 - height**2)
    rim = np.column_stack([around * np.cos(turn), around * np.sin(turn), height])
    return ForwardModel(mesh, rim, rim, frequency=frequency), GridBasis(mesh, 6.0)


@functools.cache
def readings(frequency: float = 0.0, order: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signals (2, wavelengths, pairs) of a ball with a lump of blood, the reference's, and where
    the lump is among the functions."""
    model, basis = scene(frequency, order)
    lump = np.exp(-np.square((model.mesh.nodes - PLACE) / 4).sum(axis=1))
    hbo = np.stack([np.full(len(lump), 14.0), 16 + 20 * lump, 14 + 20 * lump])
    mua = spectra.absorption(NM, hbo, 7.0, 35.0)  # (wavelengths, 3, nodes)
    mus = np.broadcast_to(spectra.scattering(NM, 1.0, 1.0)[:, None, None], mua.shape)
    found = np.swapaxes(model.measure(mua, mus).reshape(len(NM), 3, -1), 0, 1)
    return found[1:], found[0], np.exp(-np.square((basis.points - PLACE) / 4).sum(axis=1))


def run(
    frequency: float = 0.0, order: int = 1, which: Any = slice(None), **options: Any
) -> Reconstruction:
    model, basis = scene(frequency, order)
    signal, reference, _ = readings(frequency, order)
    options = {"maps": ("hbo", "amplitude"), "max_iter": 4, **options}
    return reconstruct.reconstruct(
        model, signal[which], reference, TISSUE_OF_REFERENCE, NM, basis, **options
    )


@pytest.mark.parametrize(("frequency", "order"), [(0.0, 1), (1e8, 1), (0.0, 2)])
def test_a_lump_of_blood_is_found(frequency: float, order: int) -> None:
    _, basis = scene(frequency, order)
    found = run(frequency, order)
    hbo = found.maps["hbo"][1]
    where = basis.points[hbo > 14 + 0.7 * (hbo.max() - 14)].mean(axis=0)
    assert np.linalg.norm(where - PLACE) < 6  # a cell
    assert hbo.max() > 15
    assert found.residuals[1, ~np.isnan(found.residuals[1])][-1] < 0.2 * found.residuals[1, 0]
    assert abs(found.homogeneous["hbo"][0] - 16) < 2


def test_gray_values_sharpen_it() -> None:
    lump = readings()[2]
    found = run(gray=50 + 30 * (lump > 0.5), gray_scale=5.0, max_iter=6)
    plain = run(max_iter=6)
    at = [PLACE]
    assert found.at(at)["hbo"][1] > plain.at(at)["hbo"][1]
    assert found.at(at)["hbo"][1] > 18


@pytest.mark.parametrize(
    "options",
    [{}, {"gray": True}, {"robust": 1.345, "sigma": 0.02 + np.arange(36) / 900 * np.ones((2, 1))}],
)
def test_the_space_of_the_data_is_that_of_the_unknowns(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "gray" in options:
        options = {"gray": np.random.default_rng(0).normal(60, 12, len(scene()[1]))}
    here = run(**options)
    assert here.maps["hbo"].shape[1] * 2 > 2 * 36
    monkeypatch.setattr(spectral.Problem, "in_data_space", False)
    there = run(**options)
    for name in here.maps:
        np.testing.assert_allclose(here.maps[name], there.maps[name], rtol=1e-6)
    np.testing.assert_allclose(here.residuals, there.residuals, rtol=1e-6)


def test_phantoms_do_not_know_of_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    together = run(max_iter=2)
    for i in range(2):
        alone = run(which=i, max_iter=2)
        for name, values in together.maps.items():
            np.testing.assert_allclose(alone.maps[name], values[i], rtol=1e-9)
    monkeypatch.setattr(spectral, "SPACE", 1)  # one after the other
    for name, values in run(max_iter=2).maps.items():
        np.testing.assert_allclose(values, together.maps[name], rtol=1e-9)


def test_a_mask_leaves_readings_out() -> None:
    signal = readings()[0].copy()
    mask = np.ones(signal.shape[1:], bool)
    mask[:, 7] = False
    model, basis = scene()
    options: dict[str, Any] = {"mask": mask, "maps": ("hbo",), "max_iter": 2}
    rest = TISSUE_OF_REFERENCE, NM, basis
    expected = reconstruct.reconstruct(model, signal, readings()[1], *rest, **options)
    signal[:, :, 7] *= 5
    found = reconstruct.reconstruct(model, signal, readings()[1], *rest, **options)
    np.testing.assert_array_equal(found.maps["hbo"], expected.maps["hbo"])
    assert (found.counted[:, :, 7] == 0).all()


@pytest.mark.parametrize("frequency", [0.0, 1e8])
def test_uniform_changes(frequency: float) -> None:
    model, basis = scene(frequency)
    problem, _ = checked_problem(model, TISSUE_OF_REFERENCE, NM, basis, None, ("hbo",), "nirfast")
    mua, mus = np.array([[[0.006], [0.02]]]), np.array([[[1.2], [0.7]]])
    nodes, step = len(model.mesh.nodes), 1e-3
    logs, *found = problem.uniform(mua, mus)

    def at(a: float, s: float) -> np.ndarray:
        return problem.logs(np.repeat(a * mua, nodes, -1), np.repeat(s * mus, nodes, -1))

    np.testing.assert_allclose(logs, at(1, 1), rtol=1e-5)
    sides = [at(1 + step, 1) - at(1 - step, 1), at(1, 1 + step) - at(1, 1 - step)]
    for by, difference in zip(found, sides, strict=True):
        np.testing.assert_allclose(by, difference / (2 * step), atol=2e-3)


@pytest.mark.parametrize("kind", ["nothing", "noise", "classes", "far apart"])
def test_the_penalty_in_few_columns(kind: str) -> None:
    random = np.random.default_rng(3)
    gray = {
        "nothing": np.zeros(80),
        "noise": random.normal(0, 20, 80),
        "classes": np.repeat([50.0, 80], 40) + random.normal(0, 2, 80),
        "far apart": np.repeat([0.0, 200], 40),
    }[kind]
    penalty = Penalty(80, gray, 6.0)
    maps = random.normal(size=(2, 80))
    low = penalty.low_rank
    assert low.kernel.shape[1] < 60
    # a gap of 33 scales is taken as one of 6: exp(-18) of a weight of 1
    tolerance = 1e-5 if kind == "far apart" else 1e-9
    bent = low.transposed_times(low.times(maps))
    np.testing.assert_allclose(bent, maps @ penalty.matrix, atol=tolerance)


@pytest.mark.parametrize("amplitude", [True, False])
def test_the_step_solves_the_normal_equations(amplitude: bool) -> None:
    random = np.random.default_rng(1)
    w, k, rows, chromophores = 3, 40, 6, 2
    a, s = random.normal(size=(2, w, k, rows))
    by_mua = random.uniform(0.5, 1, (chromophores, w))
    by_mus = random.uniform(0.5, 1, w) if amplitude else None
    single, residual = random.normal(size=(w, 2, rows)), random.normal(size=(w, rows))
    maps = chromophores + amplitude
    start, strength = random.uniform(0.5, 1.5, (maps, k)), random.uniform(1, 3, maps)
    penalty = Penalty(k, random.normal(60, 15, k), 6.0)
    of_maps = data_space.MapDerivatives(a, s, by_mua, by_mus)
    found = data_space.step(
        of_maps, single, residual, start, penalty.low_rank, strength, 0.1, Buffers()
    )
    blocks = [(e[:, None, None] * a).transpose(0, 2, 1).reshape(-1, k) for e in by_mua]
    if by_mus is not None:
        blocks.append((by_mus[:, None, None] * s).transpose(0, 2, 1).reshape(-1, k))
    jacobian = np.hstack([*blocks, single.transpose(0, 2, 1).reshape(-1, 2)])
    added = np.zeros((maps * k + 2, maps * k + 2))
    for i, one in enumerate(strength):
        added[i * k : (i + 1) * k, i * k : (i + 1) * k] = one * penalty.matrix
    added[-2:, -2:] = 0.1 * np.eye(2)
    right = jacobian.T @ residual.ravel()
    right[:-2] -= added[:-2, :-2] @ start.ravel()
    expected = np.linalg.solve(jacobian.T @ jacobian + added, right)
    np.testing.assert_allclose(np.append(found[0], found[1]), expected, rtol=1e-6, atol=1e-8)
    largest = [np.square(block).sum(axis=0).max() for block in blocks]
    np.testing.assert_allclose(of_maps.largest(), largest)


def test_a_spot_in_nirfasts_cylinder(lesionkit_data: Path) -> None:
    path = lesionkit_data / "data/nirst/nirfast_cylinder_spec/cylinder_spec"
    if not path.parent.is_dir():
        pytest.skip("needs LESIONKIT_DATA with data/nirst/nirfast_cylinder_spec")
    mesh = read_mesh(f"{path}.node")
    sources, detectors = (
        np.loadtxt(f"{path}.{end}", skiprows=2)[:, 1:4] for end in ("source", "meas")
    )
    model, basis = ForwardModel(mesh, sources, detectors, source_depth=0), GridBasis(mesh, 10.0)
    pairs = np.argwhere(~np.eye(16, dtype=bool))
    place = np.array([18.0, 8, 0])
    hbo = np.where(np.linalg.norm(mesh.nodes - place, axis=1) < 9, 28.0, 14.0)
    mua = spectra.absorption([785], np.stack([np.full(len(hbo), 14.0), hbo]), 7.0, 35.0)[0]
    mus = np.full_like(mua, spectra.scattering(785, 1.0, 1.0))
    flat, signal = model.measure(mua, mus)[:, None, pairs[:, 0], pairs[:, 1]]
    found = reconstruct.reconstruct(
        model, signal, flat, TISSUE_OF_REFERENCE, [785], basis,
        pairs=pairs, maps=("hbo",), max_iter=3,
    ).maps["hbo"]  # fmt: skip
    bright = basis.points[found > 14 + 0.7 * (found.max() - 14)].mean(axis=0)
    assert np.linalg.norm(bright - place) < 10
    assert found.max() > 16
