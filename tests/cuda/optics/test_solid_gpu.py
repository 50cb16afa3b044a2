"""Readings and fields in tetrahedra on a GPU, and the road there with the kernels on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_generate import NumpyAsCupy

from lesionkit import arrays, gpu
from lesionkit.optics import ForwardModel, ball_mesh
from lesionkit.optics.forward import solid_gpu, solid_plan


def model(order: int = 2, frequency: float = 0.0) -> ForwardModel:
    mesh = ball_mesh(8, layers=2, order=order)
    rim = mesh.nodes[mesh.boundary[:, 0]]
    return ForwardModel(mesh, rim[:3], rim[-4:], frequency=frequency)


def maps(of: ForwardModel, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The second of another background."""
    random = np.random.default_rng(0)
    shape = count, len(of.mesh.nodes)
    scale = 1 + np.arange(count)[:, None] % 2
    return 0.008 * scale * random.uniform(0.8, 1.2, shape), random.uniform(0.8, 1.2, shape)


@pytest.fixture
def on_a_gpu(kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    kernels_on_host()
    monkeypatch.setattr(gpu, "require", NumpyAsCupy)
    monkeypatch.setattr(arrays, "home", lambda **_: arrays.Home("CuPy", 0))


def test_the_road_to_a_gpu(on_a_gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quadratic elements, two backgrounds, memory for one system at a time."""
    of = model()
    given, expected = maps(of, 2), np.empty((2, 3, 4))
    of.plans.at("nodes").measure(*given, expected)
    monkeypatch.setattr(gpu, "free_memory", lambda: 1)
    np.testing.assert_allclose(of.measure(*given), expected, rtol=1e-6)


def test_fields(on_a_gpu: None) -> None:
    """Modulated light, in several rounds of iterations."""
    of = model(1, 1e8)
    given = maps(of, 1)
    expected = np.empty((1, 3, len(of.mesh.nodes)), np.complex128)
    of.plans.at("nodes").fluence(*given, expected)
    scale = abs(expected).max()
    np.testing.assert_allclose(of.fluence(*given) / scale, expected / scale, atol=1e-10)


def test_what_is_not_done_there_is_refused(on_a_gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    of = model(1)
    given, weight = maps(of, 1), np.ones((1, 3, 4))
    for what, call in (
        ("jacobian", lambda: of.jacobian(*given)),
        ("gradient", lambda: of.gradient(*given, weight)),
    ):
        with pytest.raises(TypeError, match=f"must be on the CPU for the {what} in tetrahedra"):
            call()
    monkeypatch.setattr(solid_plan, "ROUNDS", 1)
    with pytest.raises(ValueError, match=r"the solve converges, got a relative error of .* 1e-12"):
        of.fluence(*given)


def test_gradients_in_tetrahedra_are_refused_before_any_work() -> None:
    torch = pytest.importorskip("torch")
    from lesionkit.optics import autograd

    of = model(1)
    mua = torch.empty(len(of.mesh.nodes), device="meta", requires_grad=True)
    with pytest.raises(TypeError, match="absorption must be on the CPU for gradients in tetrahedr"):
        autograd.measure(of, mua, mua)


def test_numbers_that_stand_in_two_places() -> None:
    """Constants of csrc/optics/volume that are needed to launch its kernels."""
    folder = gpu.sources() / "optics/volume"
    assert f"constexpr int W = {solid_gpu.COLUMNS};" in (folder / "iterations.hpp").read_text()
    source = (folder / "solve.cu").read_text()
    lanes = (folder / "lanes.hpp").read_text()
    parts = lanes.split("enum LevelPart {")[1].split("}")[0].lower().split(",")
    assert tuple(part.strip() for part in parts) == (*solid_gpu.PARTS, "parts")
    states = ", ".join(state.upper().replace(" ", "_") for state in solid_gpu.STATES)
    assert f"enum State {{ {states}, STATES }};" in source


@pytest.mark.gpu
@pytest.mark.parametrize("frequency", [0.0, 1e8])
def test_on_a_gpu(cupy: Any, frequency: float) -> None:
    of = model(2, frequency)
    given = maps(of, 30)
    on_card = [*map(cupy.asarray, given)]
    found = of.measure(*on_card)
    assert isinstance(found, cupy.ndarray)
    np.testing.assert_allclose(found.get(), of.measure(*given), rtol=1e-6)
    fields = of.fluence(*on_card).get(), of.fluence(*given)
    np.testing.assert_allclose(*(part / abs(fields[1]).max() for part in fields), atol=1e-10)
