"""Every kernel of csrc, by the cases of `lesionkit selftest`: on the host against the CPU, with its
blocks forward, backward and together, under sanitizers; and on a GPU where there is one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import on_host
import pytest
from faults import FAULTS, PART_OF
from on_host import ADDRESS, CSRC, THREAD, KernelFault

from lesionkit import gpu, selftest

OnHost = Callable[..., None]


def where(file: str, text: str) -> str:
    """The .cu, or the header beside it that the text is in."""
    beside = sorted((CSRC / file).parent.glob("*.hpp"))
    texts = {str(path.relative_to(CSRC)): path.read_text() for path in (CSRC / file, *beside)}
    return next((name for name, said in texts.items() if text in said), file)


def kernels_with(file: str, source: str, text: str) -> tuple[str, ...]:
    """The kernels of a file that the text is in: the others need not be compiled with a fault."""
    before = source[: source.index(text)]
    at = before.rfind("\n__global__")
    if at < 0 or "\n}\n" in before[at:] or text.startswith("__global__"):
        return PART_OF.get(file, gpu.KERNELS[file])
    name = re.search(r"void (?:__launch_bounds__\(.*?\)\s+)?(\w+)\(", source[at:])
    assert name, source[at : at + 80]
    return tuple(kernel for kernel in gpu.KERNELS[file] if kernel.split("<")[0] == name[1])


def test_every_kernel_has_a_case() -> None:
    assert selftest.CASES.keys() == gpu.KERNELS.keys()


@pytest.mark.parametrize("order", ["forward", "reverse"])  # together: under the sanitizers, below
@pytest.mark.parametrize("file", selftest.CASES)
def test_on_host_as_on_the_cpu(kernels_on_host: OnHost, file: str, order: on_host.Order) -> None:
    kernels_on_host(order)
    for check in selftest.CASES[file](np):
        assert check.passed, check


@pytest.mark.parametrize("flags", [THREAD, ADDRESS], ids=["thread", "address"])
@pytest.mark.parametrize("file", selftest.CASES)
def test_sanitizers_are_silent(kernels_on_host: OnHost, file: str, flags: tuple[str, ...]) -> None:
    kernels_on_host("together", flags)
    for check in selftest.CASES[file](np):
        assert check.passed, check


@pytest.mark.parametrize(
    ("file", "text", "fault", "flags", "said"),
    [(f[0], *f[2:]) for f in FAULTS],
    ids=[f"{Path(f[0]).stem}: {f[1]}" for f in FAULTS],
)
def test_a_fault_is_noticed(
    kernels_on_host: OnHost,
    tmp_path: Path,
    file: str,
    text: str,
    fault: str,
    flags: tuple[str, ...],
    said: str,
) -> None:
    place = where(file, text)
    source = (CSRC / place).read_text()
    assert source.count(text) == 1, f"{file} has changed: bring FAULTS up to date"
    shutil.copytree(CSRC, tmp_path / "csrc")
    (tmp_path / "csrc" / place).write_text(source.replace(text, fault))
    faulty = kernels_with(file, source, text)
    kernels_on_host("together", flags, tmp_path / "csrc", faulty)
    assert re.search(said, symptoms(file))


def symptoms(file: str) -> str:
    """What goes wrong when the kernels of a file run on the host."""
    try:
        wrong = [check.what for check in selftest.CASES[file](np) if not check.passed]
    except KernelFault as fault:
        return str(fault)
    return f"wrong: {wrong}" if wrong else "nothing"


@pytest.mark.gpu
@pytest.mark.parametrize("file", selftest.CASES)
def test_on_the_gpu_as_on_the_cpu(cupy: Any, file: str) -> None:
    for check in selftest.CASES[file](cupy):
        assert check.passed, check
