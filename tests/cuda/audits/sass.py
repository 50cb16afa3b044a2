"""Compiled kernels, disassembled: which instructions they have. nvdisasm comes from its wheel."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import NamedTuple

import pytest

REGISTERS, WARPS = 65536, 64  # of a multiprocessor of a card for data centres
GENERIC = re.compile(r"(LD|ST|ATOM)$")  # LDG, LDS and so on know which memory they read


class Instructions(NamedTuple):
    """Of a kernel."""

    all: int
    generic: int  # reads and writes of memory whose kind the compiler does not know
    local: int  # of a thread's own memory
    shared: int
    float64: int


@cache
def nvdisasm() -> Path:
    """The program; skips, with the reason, where its wheel is not installed."""
    try:
        listed = files("nvidia-cuda-nvdisasm") or []
    except PackageNotFoundError:
        listed = []
    for file in listed:
        if file.name == "nvdisasm":
            return Path(str(file.locate()))
    pytest.skip("nvdisasm is not installed: pip install nvidia-cuda-nvdisasm (5 MB)")


def disassembled(cubin: bytes) -> dict[str, Instructions]:
    """The instructions of each kernel, by its mangled name."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernels.cubin"
        file.write_bytes(cubin)
        done = subprocess.run([nvdisasm(), "-c", file], capture_output=True, text=True, check=True)
    found = {}
    for part in re.split(r"\n\.text\.", done.stdout)[1:]:
        name, code = part.split(":", 1)
        operations = re.findall(
            r"^\s+/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9]*)", code, re.M
        )
        found[name] = _counted(Counter(operations))
    return found


def _counted(operations: Counter[str]) -> Instructions:
    def of(pattern: str | re.Pattern[str]) -> int:
        return sum(count for name, count in operations.items() if re.match(pattern, name))

    return Instructions(
        operations.total(),
        of(GENERIC),
        of(r"(LDL|STL)$"),
        of(r"(LDS|STS|ATOMS)$"),
        of(r"(DFMA|DMUL|DADD|DSETP)$"),
    )


def warps(registers: int, threads: int) -> int:
    """That a multiprocessor holds of a kernel, as far as its registers allow."""
    of_block = -(-threads // 32)
    of_warp = -(-registers * 32 // 256) * 256
    return min(WARPS, REGISTERS // (of_warp * of_block) * of_block)
