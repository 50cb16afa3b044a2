"""NVRTC without CuPy, which asks for a driver first: from the nvidia-cuda-nvrtc wheel by ctypes."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import pickle
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lesionkit import gpu

CUPY_OPTIONS = ("-ftz=true", "--device-as-default-execution-space")  # that CuPy adds by itself


class Usage(NamedTuple):
    """What ptxas says of one compiled kernel."""

    registers: int
    spilled: int  # bytes, stores and loads
    stack: int  # bytes of each thread
    shared: int  # bytes of static shared memory


class Compiled(NamedTuple):
    """Kernels of one source for one architecture."""

    usages: dict[str, Usage]  # by the kernel's name as gpu.KERNELS has it
    names: dict[str, str]  # of a kernel: its mangled name
    ptx: str
    cubin: bytes


# Where what is compiled is kept for the tests of a session, and of all its processes.
KEPT: Path | None = None

# What test_compile.py found, printed at the end of the run: [(file, kernel)][architecture]
FOUND: dict[tuple[str, str], dict[int, Usage]] = {}
# What audits/test_sass_audit.py found, likewise: Instructions, and warps of a multiprocessor
SASS: dict[tuple[str, str], dict[int, tuple[int, ...]]] = {}


def table() -> list[str]:
    """FOUND in lines: registers on each architecture; the most of the rest."""
    if not FOUND:
        return []
    known = generations()
    lines = [f"{'registers':52}" + "".join(f"{f'sm_{a}':>7}" for a in known)]
    lines[0] += f"{'spilled':>9}{'stack':>7}{'shared':>8}"
    if SASS:  # of sm_90, but the first two: the most of all
        lines[0] += f"{'generic':>9}{'local':>7}{'instructions':>14}{'warps':>7}"
    for (file, kernel), usages in sorted(FOUND.items()):
        name = f"{kernel} ({file.rsplit('/', 1)[-1]})"
        most = [max(usage[i] for usage in usages.values()) for i in (1, 2, 3)]
        registers = "".join(f"{usages[a].registers:7}" if a in usages else " " * 7 for a in known)
        lines.append(f"{name:52}{registers}{most[0]:7} B{most[1]:5} B{most[2]:6} B")
        if audited := SASS.get((file, kernel)):
            generic, local = (max(found[i] for found in audited.values()) for i in (1, 2))
            lines[-1] += f"{generic:9}{local:7}{audited[90][0]:14,}{audited[90][-1]:7}"
    return lines


@cache
def library() -> Any:
    """The compiler; skips, with the reason, where its wheel is not installed."""
    try:
        listed = files("nvidia-cuda-nvrtc") or []
    except PackageNotFoundError:
        listed = []
    for file in listed:
        if re.match(r"libnvrtc\.so", file.name):
            return ctypes.CDLL(str(file.locate()))
    pytest.skip("NVRTC is not installed: pip install nvidia-cuda-nvrtc")


@cache
def architectures() -> list[int]:
    """What the compiler can compile for, from the oldest that lesionkit supports: 75, 80 ..."""
    count = ctypes.c_int()
    _check(library().nvrtcGetNumSupportedArchs(ctypes.byref(count)))
    found = (ctypes.c_int * count.value)()
    _check(library().nvrtcGetSupportedArchs(found))
    return [arch for arch in found if arch >= gpu.OLDEST]


def generations() -> list[int]:
    """The first architecture of each generation: 75, 80, 90 ...; later ones of a generation run its
    code too."""
    first: dict[int, int] = {}
    for architecture in architectures():
        first.setdefault(architecture // 10, architecture)
    return [*first.values()]


@cache
def compile_kernels(source: str, kernels: tuple[str, ...], architecture: int) -> Compiled:
    """Compile to code of that GPU, with the options of `gpu.launch`.

    Fails the test with the compiler's own words if it does not compile, or warns.
    """
    if KEPT is None:
        return _compile(source, kernels, architecture)
    key = hashlib.sha256(repr((source, kernels, architecture)).encode()).hexdigest()
    file = KEPT / key
    with (KEPT / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker that wants the same waits
        if not file.exists():
            compiled = pickle.dumps(_compile(source, kernels, architecture))
            file.with_suffix(".part").write_bytes(compiled)
            file.with_suffix(".part").replace(file)
    found: Compiled = pickle.loads(file.read_bytes())
    return found


def _compile(source: str, kernels: tuple[str, ...], architecture: int) -> Compiled:
    nvrtc, program = library(), ctypes.c_void_p()
    _check(
        nvrtc.nvrtcCreateProgram(
            ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None
        )
    )
    try:
        for kernel in kernels:
            _check(nvrtc.nvrtcAddNameExpression(program, kernel.encode()))
        options = [
            *gpu.OPTIONS,
            f"-I{gpu.sources()}",
            *CUPY_OPTIONS,
            f"-arch=sm_{architecture}",
            "--ptxas-options=-v",
            "-Werror=all-warnings",
        ]
        given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        failed = nvrtc.nvrtcCompileProgram(program, len(options), given)
        log = _text(program, "ProgramLog")
        assert not failed, f"sm_{architecture}: {log}"
        mangled: dict[str, str] = {}
        for kernel in kernels:
            name = ctypes.c_char_p()
            _check(nvrtc.nvrtcGetLoweredName(program, kernel.encode(), ctypes.byref(name)))
            mangled[(name.value or b"").decode()] = kernel
        ptx, cubin = _text(program, "PTX"), _bytes(program, "CUBIN")
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    usages = {mangled[name]: usage for name, usage in _usages(log) if name in mangled}
    return Compiled(usages, {kernel: name for name, kernel in mangled.items()}, ptx, cubin)


def _usages(log: str) -> list[tuple[str, Usage]]:
    """Every kernel's block of ptxas lines: its mangled name and what it uses."""
    found = []
    for block in log.split("Compiling entry function '")[1:]:
        used = block[block.index("Function properties for " + block[: block.index("'")]) :]

        def number(pattern: str, text: str = used) -> int:
            match = re.search(pattern, text)
            return int(match[1]) if match else 0

        spilled = number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads")
        usage = Usage(
            number(r"Used (\d+) registers"),
            spilled,
            number(r"(\d+) bytes stack frame"),
            number(r"(\d+) bytes smem"),
        )
        found.append((block[: block.index("'")], usage))
    return found


def _check(code: int) -> None:
    assert code == 0, f"NVRTC: error {code}"


def _bytes(program: Any, what: str) -> bytes:
    size = ctypes.c_size_t()
    _check(getattr(library(), f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    text = ctypes.create_string_buffer(size.value)
    _check(getattr(library(), f"nvrtcGet{what}")(program, text))
    return text.raw


def _text(program: Any, what: str) -> str:
    return _bytes(program, what).rstrip(b"\0").decode()
