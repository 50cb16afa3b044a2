"""Kernels in the place where a test wants them: on the host, or on a GPU."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import on_host
import pytest
from on_host import CSRC, PLAIN, Program

import nvrtc
from lesionkit import gpu


@pytest.fixture(scope="session", autouse=True)
def one_compilation(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What NVRTC compiles, all tests of a run share, those of other workers too."""
    nvrtc.KEPT = on_host.of_all_workers(tmp_path_factory, "nvrtc")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Program]:
    """built(file, kernels, flags, csrc): the program of a .cu, compiled once for each of these."""
    programs: dict[Any, Program] = {}

    def build(
        file: Path, kernels: Sequence[str], flags: Sequence[str] = PLAIN, csrc: Path = CSRC
    ) -> Program:
        key = (file, tuple(kernels), tuple(flags), csrc)
        if key not in programs:
            folder = on_host.of_all_workers(tmp_path_factory, "programs")
            programs[key] = on_host.build(folder, *key)
        return programs[key]

    return build


@pytest.fixture
def kernels_on_host(
    built: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """use(order, flags, csrc, faulty): from now on `gpu.launch` runs on the host, on NumPy arrays.

    csrc, faulty : where the sources of these kernels are; all others are those of the checkout
    """

    def use(
        order: on_host.Order = "forward",
        flags: Sequence[str] = PLAIN,
        csrc: Path = CSRC,
        faulty: Sequence[str] = (),
    ) -> None:
        def launch(file: str, kernel: str, *rest: Any, **options: Any) -> None:
            if kernel in faulty:
                program = built(csrc / file, faulty, flags, csrc)
            else:
                program = built(CSRC / file, gpu.KERNELS[file], flags)
            program.order = order
            program.launch(kernel, *rest, **options)

        monkeypatch.setattr(gpu, "launch", launch)
        blocks = on_host.blocks_of(flags)
        monkeypatch.setattr(gpu, "blocks_for", lambda *_: blocks)
        host = gpu.Properties("host", 90, blocks, 2**20, 2**20, 2**30)
        monkeypatch.setattr(gpu, "properties", lambda _: host)
        monkeypatch.setattr(gpu, "free_memory", lambda: host.memory)

    return use


@pytest.fixture
def cupy() -> Any:
    """CuPy with a GPU; skips, with the reason, where there is none."""
    try:
        return gpu.require()
    except gpu.GpuError as problem:
        pytest.skip(f"no CUDA device: {problem}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of `pytest -n` sends what its compiled kernels use to the process that reports."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["kernels"] = pickle.dumps((nvrtc.FOUND, nvrtc.SASS))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """... which gathers it."""
    found, sass = pickle.loads(node.workeroutput["kernels"])
    for kernel, usages in found.items():
        nvrtc.FOUND.setdefault(kernel, {}).update(usages)
    nvrtc.SASS.update(sass)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What the compiled kernels use."""
    lines = nvrtc.table()
    if lines:
        terminalreporter.section("kernels, as compiled")
        for line in lines:
            terminalreporter.line(line)
