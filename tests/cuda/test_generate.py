"""`generate` and `ForwardModel` through the road of the GPU, with the kernels on the host."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lesionkit import gpu, selftest
from lesionkit.optics import ForwardModel, PhantomRecipe, disc_mesh, generate, open_phantoms

SMALL = PhantomRecipe(nodes=61, optodes=6, wavelengths=(661.0, 808.0), pixels=9)


class NumpyAsCupy:
    """NumPy under CuPy's names, with one GPU."""

    cuda = SimpleNamespace(Device=lambda *_: SimpleDevice())
    asnumpy = staticmethod(np.array)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def get_default_memory_pool(self) -> Any:
        return SimpleNamespace(free_all_blocks=lambda: None, free_bytes=lambda: 0)


class SimpleDevice(nullcontext[None]):
    id = 0


@pytest.fixture
def device(kernels_on_host: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    kernels_on_host()
    monkeypatch.setattr(gpu, "require", NumpyAsCupy)


def same_phantoms(ours: Any, cpu: Any) -> None:
    inclusions = np.abs(np.asarray(ours.inclusions) - np.asarray(cpu.inclusions))
    assert inclusions.max() < selftest.ROUNDING * 100
    np.testing.assert_allclose(ours.signal[:], cpu.signal[:], rtol=selftest.SINGLE)
    np.testing.assert_allclose(ours.chromophores[:], cpu.chromophores[:], rtol=selftest.SINGLE)
    assert np.mean(ours.mri[:] != cpu.mri[:]) <= selftest.GRAY


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("batch", [None, 2])
def test_in_memory(batch: int | None) -> None:
    ours = generate(SMALL, 3, seed=5, device="cuda", batch=batch)
    same_phantoms(ours, generate(SMALL, 3, seed=5, device="cpu"))
    assert ours.attributes["instruction_set"] == "cuda sm_90"


@pytest.mark.usefixtures("device")
def test_in_a_store(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    generate(SMALL, 3, tmp_path / "p.zarr", device="auto", progress=lambda *s: seen.append(s))
    same_phantoms(open_phantoms(tmp_path / "p.zarr"), generate(SMALL, 3, device="cpu"))
    assert seen[-1] == (3, 3)
    with pytest.raises(ValueError, match="instruction_set is 'cuda sm_90' there"):
        generate(SMALL, 3, tmp_path / "p.zarr", device="cpu")


@pytest.mark.usefixtures("device")
def test_fewer_at_once_where_memory_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from lesionkit.optics.phantoms.factory import PhantomFactory

    whole, asked = PhantomFactory.measure, []

    def measure(self: PhantomFactory, regions: Any, first: int) -> Any:
        asked.append(len(regions))
        if len(regions) > 1:
            raise MemoryError
        return whole(self, regions, first)

    monkeypatch.setattr(PhantomFactory, "measure", measure)
    ours = generate(SMALL, 2, device="cuda")
    assert asked == [2, 2, 2, 2, 2, 2, 2, 1, 1] or asked[-2:] == [1, 1]
    monkeypatch.undo()
    same_phantoms(ours, generate(SMALL, 2, device="cpu"))


@pytest.mark.usefixtures("device")
def test_measure_on_a_plan_of_the_gpu() -> None:
    mesh = disc_mesh(radius=10.0, nodes=61, optodes=6)
    rim = mesh.nodes[mesh.boundary[::4, 0]]
    model = ForwardModel(mesh, rim, rim)
    maps = np.random.default_rng(0).uniform(0.5, 1, (2, 4, len(mesh.nodes)))
    maps[0] *= 0.1  # mua, as of tissue
    out = np.empty((4, 6, 6))
    model.plans.at("nodes", 0).measure(*maps, out)
    np.testing.assert_allclose(out, model.measure(*maps), rtol=selftest.ROUNDING)


def test_devices_that_are_refused() -> None:
    with pytest.raises(ValueError, match="device must be 'auto', 'cpu' or 'cuda', got 'gpu'"):
        generate(SMALL, 1, device="gpu")


def test_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Any:
        raise gpu.GpuError("no CUDA device: none")

    monkeypatch.setattr(gpu, "require", none)
    with pytest.raises(gpu.GpuError, match="no CUDA device"):
        generate(SMALL, 1, device="cuda")
    assert generate(SMALL, 1, device="auto").attributes["instruction_set"][0] == "v"
