"""lesionkit.gpu: what it says where something is missing, and what it asks of CuPy."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from fake_cupy import CUDARuntimeError, FakeCupy, on_gpu
from lesionkit import cli, gpu, processors, selftest

FILE, KERNEL = "optics/phantom.cu", "paint"


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    def forget() -> None:
        for function in (gpu.require, gpu.properties, gpu.compiled, gpu._module):
            function.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch):
    """use(module): from now on `import cupy` gives it; None: there is none."""

    def use(module: ModuleType | None) -> ModuleType | None:
        monkeypatch.setitem(sys.modules, "cupy", module)
        return module

    return use


def test_importing_lesionkit_gpu_imports_no_cupy() -> None:
    code = "import sys; from lesionkit import gpu, arrays, selftest; print('cupy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


# --- what is missing --------------------------------------------------------------------------


def test_no_cupy(use) -> None:
    use(None)
    with pytest.raises(gpu.GpuError, match=r"not installed: .*\[cuda13\]'"):
        gpu.require()
    assert gpu.describe().startswith("none (a GPU is used through CuPy, which is not installed")


def test_cupy_that_cannot_be_imported(use, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> ModuleType:
        raise ImportError("libcudart.so.13: cannot open shared object file", name="cupy._core")

    monkeypatch.setattr(gpu.importlib, "import_module", broken)
    with pytest.raises(gpu.GpuError, match=r"installed, but cannot be imported: libcudart"):
        gpu.require()


@pytest.mark.parametrize(
    ("problem", "version", "message"),
    [
        ("cudaErrorInsufficientDriver: ...", 0, "^no NVIDIA driver is installed$"),
        ("cudaErrorInsufficientDriver: ...", 12040, r"driver \(CUDA 12\.4\) is too old for this"),
        ("cudaErrorNoDevice: no CUDA-capable device", 12080, "sees no GPU .*CUDA_VISIBLE_DEVICES"),
        ("cudaErrorDevicesUnavailable: busy", 12080, "does not answer: cudaErrorDevicesUnav"),
    ],
)
def test_no_device(use, problem: str, version: int, message: str) -> None:
    cupy = use(FakeCupy())

    def count() -> int:
        raise CUDARuntimeError(problem)

    cupy.cuda.runtime.getDeviceCount = count
    cupy.cuda.runtime.driverGetVersion = lambda: version
    with pytest.raises(gpu.GpuError, match=message):
        gpu.require()


def test_a_driver_that_counts_no_gpu(use) -> None:
    use(FakeCupy())
    with pytest.raises(gpu.GpuError, match="sees no GPU"):
        gpu.require()


def test_too_old_a_card(use) -> None:
    use(FakeCupy(90, 70))
    assert gpu.properties(0).capability == 90
    with pytest.raises(gpu.GpuError, match=r"GPU 1 \(Fake\) is too old: .* 7\.0, .* 7\.5 or newer"):
        gpu.launch(FILE, KERNEL, 1, 1, [on_gpu([1.0], gpu=1)])
    assert gpu.describe() == "Fake, compute capability 9.0, 8 GiB, CuPy 14.0"


@pytest.mark.parametrize("version", ["13.6.0", "9.6.0", "12.0.0b3"])
def test_too_old_a_cupy(use, version: str) -> None:
    """It would pass a wild address for None."""
    cupy = use(FakeCupy(90))
    cupy.__version__ = version
    with pytest.raises(gpu.GpuError, match=rf"^CuPy {version} is too old: .* needs 14 or newer"):
        gpu.require()


@pytest.mark.parametrize("version", ["14.0.0rc1", "15.1.0"])
def test_a_newer_cupy(use, version: str) -> None:
    cupy = use(FakeCupy(90))
    cupy.__version__ = version
    assert gpu.require() is cupy


def test_no_memory(use) -> None:
    use(FakeCupy(90))
    assert gpu.free_memory() == 4 * 2**20
    sentence = r"^the readings needs more memory than the GPU has left: 3 of 8,192 MiB are free$"
    with pytest.raises(MemoryError, match=sentence), gpu.memory_for("the readings"):
        raise MemoryError("Out of memory allocating 4,294,967,296 bytes")
    with pytest.raises(ValueError, match=r"^other$"), gpu.memory_for("the readings"):
        raise ValueError("other")


def test_selftest_without_a_gpu(use, capsys: pytest.CaptureFixture[str]) -> None:
    """The CPU's kernels of each level that is built are checked, and that is all that can be."""
    use(None)
    assert cli.main(["selftest"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    for level in processors.levels():
        assert f"\nCPU, {level}, against known answers " in said.out
    assert said.out.count("\nreadings, by dense algebra ") == len(processors.levels())
    assert "WRONG" not in said.out
    last = said.out.splitlines()[-1]
    assert last.startswith("GPU: its kernels are not checked: a GPU is used through CuPy")


def test_selftest_of_a_cpu_that_computes_wrongly(
    use, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(None)
    row = '["co-occurrence, counted", 0.5, 0]'
    report = subprocess.CompletedProcess([], -4, row, "Illegal instruction")
    monkeypatch.setattr(selftest.subprocess, "run", lambda *_, **__: report)
    assert cli.main(["selftest"]) == 1
    said = capsys.readouterr().out
    assert re.search(r"co-occurrence, counted +5.0e-01 +0.0e\+00  WRONG", said)
    assert re.search(r"stopped: Illegal instruction +nan +0.0e\+00  WRONG", said)


def test_selftest_tells_what_is_wrong(
    use, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(FakeCupy(90))
    good, bad = selftest.Check("good", 1e-12, 1e-9), selftest.Check("bad", float("nan"), 1e-9)
    monkeypatch.setattr(selftest, "CASES", {"a": lambda xp: iter([good])})
    assert selftest.main() == 0
    monkeypatch.setattr(selftest, "CASES", {"a": lambda xp: iter([good, bad])})
    assert cli.main(["selftest"]) == 1
    said = capsys.readouterr().out
    assert "Fake, compute capability 9.0" in said
    for kernels in gpu.KERNELS.values():
        for kernel in kernels:
            assert f"\n{kernel} " in said
    assert said.splitlines()[-1].split() == ["bad", "nan", "1.0e-09", "WRONG"]


# --- what is asked of CuPy --------------------------------------------------------------------


def test_launch(use) -> None:
    cupy = use(FakeCupy(90, 90))
    x = on_gpu([1.0, 2.0], gpu=1)
    recipe = np.zeros(3).view("V24")
    gpu.launch(FILE, KERNEL, (2, 3), 64, [x, 5, 2**63, 0.5, np.int32(1), None, recipe], shared=16)
    gpu.launch(FILE, KERNEL, 1, (8, 8), [x], shared=90 * 1024)
    compiled, asked, first, second = cupy.log
    assert compiled == ("compile", KERNEL, 1), "once, on the array's own GPU"
    assert asked == ("ask", KERNEL, 227 * 1024), "once, for all launches"
    _, grid, block, args, shared, most, device = first
    assert (grid, block, shared, most, device) == ((2, 3), (64,), 16, 227 * 1024, 1)
    assert [type(arg) for arg in args[1:5]] == [np.int64, np.uint64, np.float64, np.int32]
    assert args[0] is x
    assert args[5] is None
    assert args[6] is recipe
    assert second[2:] == ((8, 8), (x,), 90 * 1024, 227 * 1024, 1)
    assert cupy.device == 0


def test_launch_refuses(use) -> None:
    cupy = use(FakeCupy(86, 86))
    x = on_gpu([1.0])
    with pytest.raises(gpu.GpuError, match=r"arrays on several GPUs: \[0, 1\]"):
        gpu.launch(FILE, KERNEL, 1, 1, [x, on_gpu([1.0], gpu=1)])
    with pytest.raises(gpu.GpuError, match=r"needs 102400 bytes of shared memory .* has 101376"):
        gpu.launch(FILE, KERNEL, 1, 1, [x], shared=100 * 1024)
    with pytest.raises(gpu.GpuError, match=r"nobody of optics/phantom.cu is not in .*KERNELS"):
        gpu.launch(FILE, "nobody", 1, 1, [x])
    with pytest.raises(TypeError, match="takes no bool"):
        gpu.launch(FILE, KERNEL, 1, 1, [x, True])
    gpu.compiled.cache_clear()
    cupy.failure = RuntimeError("\nkernel.cu(3): error: a brace is missing\nmore")
    with pytest.raises(
        gpu.GpuError, match=r"cannot be compiled .*: kernel.cu\(3\): error: a brace"
    ):
        gpu.launch(FILE, KERNEL, 1, 1, [x])


def test_blocks_for(use) -> None:
    use(FakeCupy(90))
    assert [gpu.blocks_for(n, 128, 0) for n in (0, 1, 128, 129, 10**9)] == [1, 1, 1, 2, 64]


def test_the_source_changes_with_any_header(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "a.cu").write_text("kernel")
    header = tmp_path / "common" / "a.hpp"
    monkeypatch.setattr(gpu, "sources", lambda: tmp_path)
    texts = set()
    for text in ("1", "2"):
        header.write_text(text)
        texts.add(gpu.source.__wrapped__("a.cu"))
    assert len(texts) == 2
    assert all(text.startswith("kernel\n") for text in texts)


def test_sources_that_are_missing(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "__file__", str(tmp_path / "src" / "lesionkit" / "gpu.py"))
    with pytest.raises(gpu.GpuError, match=r"sources are not in .*: install lesionkit again"):
        gpu.sources()
    (tmp_path / "src" / "lesionkit" / "_csrc" / "common").mkdir(parents=True)
    (tmp_path / "src" / "lesionkit" / "_csrc" / "common" / "portable.hpp").touch()
    assert gpu.sources() == tmp_path / "src" / "lesionkit" / "_csrc"
