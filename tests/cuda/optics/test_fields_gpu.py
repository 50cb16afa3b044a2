"""Fields and derivatives on a GPU, and the road there with the kernels on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from test_generate import NumpyAsCupy

import tolerances
from lesionkit import arrays, gpu
from lesionkit.optics import ForwardModel, disc_mesh


def model(frequency: float = 0.0) -> ForwardModel:
    mesh = disc_mesh(radius=10.0, nodes=37, optodes=6)
    rim = mesh.nodes[mesh.boundary[:, 0]]
    return ForwardModel(mesh, rim[::6], rim[1::9], frequency=frequency)


def maps(of: ForwardModel, *batch: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    shape = (*batch, len(of.mesh.nodes))
    return random.uniform(0.002, 0.02, shape), random.uniform(0.5, 2.0, shape)


def answers(of: ForwardModel, given: Any, weight: Any) -> list[Any]:
    found = of.jacobian(*given)
    logs = found.log_amplitude()
    tissue = found.tissue(808.0, 1.0, 1.2)
    return [
        of.fluence(*given), found.readings, found.absorption, found.scattering,
        *of.gradient(*given, weight), logs.readings, logs.absorption, *tissue.values(),
    ]  # fmt: skip


def test_the_road_to_a_gpu(
    kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done before and after the kernels; little memory: a system at a time, and few
    right-hand sides."""
    of = model(1e8)
    given, weight = maps(of, 3), np.random.default_rng(1).normal(size=(3, 3, 2))
    expected = answers(of, given, weight)
    kernels_on_host()
    monkeypatch.setattr(gpu, "require", NumpyAsCupy)
    monkeypatch.setattr(arrays, "home", lambda **_: arrays.Home("CuPy", 0))
    card = gpu.Properties("small", 90, 3, 2048, 2048, 2**30)
    monkeypatch.setattr(gpu, "properties", lambda _: card)
    monkeypatch.setattr(gpu, "free_memory", lambda: 1)
    for ours, cpu in zip(answers(of, given, weight), expected, strict=True):
        np.testing.assert_allclose(ours, cpu, rtol=tolerances.GPU, atol=1e-15)
    nothing = of.gradient(*(part[:0] for part in given), weight[:0])
    assert nothing[0].shape == (0, len(of.mesh.nodes))
    basis = sparse.csr_array(np.ones((len(of.mesh.nodes), 1)))
    with pytest.raises(ValueError, match="basis must be None for maps on a GPU"):
        of.jacobian(*given, basis=basis)
    of = ForwardModel(of.mesh, of.sources, of.detectors, compat="nirfast")
    with pytest.raises(TypeError, match="absorption must be on the CPU for compat='nirfast'"):
        of.fluence(*given)


@pytest.mark.gpu
@pytest.mark.parametrize("frequency", [0.0, 1e8])
def test_on_a_gpu(cupy: Any, frequency: float) -> None:
    of = model(frequency)
    given, weight = maps(of, 70), np.random.default_rng(1).normal(size=(70, 3, 2))
    ours = answers(of, [*map(cupy.asarray, given)], cupy.asarray(weight))
    for found, cpu in zip(ours, answers(of, given, weight), strict=True):
        assert isinstance(found, cupy.ndarray)
        scale = np.abs(cpu).max()
        np.testing.assert_allclose(found.get() / scale, cpu / scale, atol=tolerances.GPU)


@pytest.mark.gpu
def test_gradients_of_cuda_tensors(cupy: Any) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    from lesionkit.optics import autograd

    of, found = model(), []
    for device in ("cpu", "cuda"):
        given = [torch.tensor(m, device=device, requires_grad=True) for m in maps(of, 5)]
        autograd.measure(of, *given).log().sum().backward()
        found.append([part.grad.cpu() for part in given])
    for cpu, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, cpu, rtol=1e-8, atol=1e-12)
