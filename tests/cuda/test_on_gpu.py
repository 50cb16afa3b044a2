"""What only a GPU can show: arrays of CuPy and torch in and out, streams, the cache of kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tolerances
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.mesh.disc import disc_mesh

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def model() -> ForwardModel:
    mesh = disc_mesh(radius=20.0, nodes=300, optodes=8)
    rim = mesh.nodes[mesh.boundary[:: len(mesh.boundary) // 8, 0]]
    return ForwardModel(mesh, rim, rim)


@pytest.fixture(scope="module")
def maps(model: ForwardModel) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    shape = (70, len(model.mesh.nodes))
    return random.uniform(0.002, 0.02, shape), random.uniform(0.5, 2.0, shape)


def test_cupy_arrays(cupy: Any, model: ForwardModel, maps: tuple[np.ndarray, np.ndarray]) -> None:
    cpu = model.measure(*maps)
    read = model.measure(*map(cupy.asarray, maps))
    assert isinstance(read, cupy.ndarray)
    np.testing.assert_allclose(read.get(), cpu, rtol=tolerances.GPU)
    strided = [cupy.asfortranarray(cupy.asarray(m)) for m in maps]
    np.testing.assert_array_equal(model.measure(*strided).get(), read.get())
    single = model.measure(*(cupy.asarray(m, np.float32) for m in maps))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.get(), cpu, rtol=10 * tolerances.SINGLE)
    batch = model.measure(*(cupy.asarray(m.reshape(7, 10, -1)) for m in maps))
    np.testing.assert_array_equal(batch.reshape(read.shape).get(), read.get())


def test_a_stream_of_its_own(
    cupy: Any, model: ForwardModel, maps: tuple[np.ndarray, np.ndarray]
) -> None:
    expected = model.measure(*map(cupy.asarray, maps)).get()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        read = model.measure(*map(cupy.asarray, maps))
        stream.synchronize()
    np.testing.assert_array_equal(read.get(), expected)


def test_mistakes(cupy: Any, model: ForwardModel, maps: tuple[np.ndarray, np.ndarray]) -> None:
    mua, mus = maps[0], cupy.asarray(maps[1])
    with pytest.raises(TypeError, match=r"must live in one place.*cupy\.asarray\(absorption\)"):
        model.measure(mua, mus)
    with pytest.raises(ValueError, match="absorption must be at least 0"):
        model.measure(cupy.asarray(-mua), mus)
    with pytest.raises(ValueError, match="absorption must be finite"):
        model.measure(cupy.asarray(mua * np.nan), mus)
    with pytest.raises(TypeError, match="absorption must hold real numbers, got complex128 array"):
        model.measure(cupy.asarray(mua * 1j), mus)


def test_cuda_tensors(cupy: Any, model: ForwardModel, maps: tuple[np.ndarray, np.ndarray]) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    cpu = model.measure(*maps)
    with torch.cuda.stream(torch.cuda.Stream()):
        given = [torch.as_tensor(m, device="cuda") for m in maps]
        read = model.measure(*given)
        assert read.device == given[0].device
        np.testing.assert_allclose(read.cpu().numpy(), cpu, rtol=tolerances.GPU)
    with pytest.raises(TypeError, match="carries gradients"):
        model.measure(given[0].requires_grad_(), given[1])


def test_kernels_are_kept_on_disk(cupy: Any, tmp_path: Path) -> None:
    """The second process compiles nothing."""
    kept = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "lesionkit", "selftest"],
            capture_output=True,
            text=True,
            env={**os.environ, "CUPY_CACHE_DIR": str(tmp_path)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        kept.append({path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.cubin")})
    assert kept[0]
    assert kept[0] == kept[1]
