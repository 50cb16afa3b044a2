"""The kernels of a .cu as a program of the host: compile it, launch kernels, under sanitizers too.

`Program.launch` takes what `lesionkit.gpu.launch` takes, with NumPy arrays in the place of CuPy's,
so that the façade of a kernel can be run on it unchanged (the fixture `on_host`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from lesionkit import gpu

HERE = Path(__file__).parent
CSRC = HERE.parents[1] / "csrc"
THREAD = ("-O1", "-fsanitize=thread")
ADDRESS = ("-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
PLAIN = ("-O1",)  # a third less to compile than -O2, and the cases are small

Order = Literal["forward", "reverse", "together"]
ORDERS: tuple[Order, ...] = ("forward", "reverse", "together")
MAX_BLOCKS, MAX_THREADS = 3, 64  # of a launch: a kernel must do its work with any number


def blocks_of(flags: Sequence[str]) -> int:
    """Blocks of a launch. Under ThreadSanitizer, where a thread costs a millisecond, two: a race is
    of two threads, and so of two blocks at most."""
    return 2 if tuple(flags) == THREAD else MAX_BLOCKS


def of_all_workers(factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder of this run of the tests, one and the same for all workers of `pytest -n`."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / name
    folder.mkdir(exist_ok=True)
    return folder


# What every program includes of the standard library: compiled once for all with the same flags.
STANDARD = """
#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>
"""


def build(
    folder: Path,
    file: Path,
    kernels: Sequence[str],
    flags: Sequence[str] = PLAIN,
    csrc: Path = CSRC,
) -> Program:
    """Compile the kernels of a .cu, once for all tests of a run and workers of `pytest -n`.

    Skips, with the reason, where that cannot be done at all. folder: of all workers
    """
    command = [*_compiler(), *flags]
    common = _once(folder, (*command, "common"), lambda made: _common(made, command))
    command += [f"-I{csrc}", "-include", str(common / "standard.hpp")]

    def compiled(made: Path) -> None:
        _program(made, file, kernels, command, common / "run.o")

    path = _once(folder, (*command, str(file), *kernels), compiled) / "program"
    return Program(path, blocks=blocks_of(flags))


def _once(folder: Path, key: Sequence[str], make: Callable[[Path], None]) -> Path:
    """A folder that make(folder) has filled, for this key; one of the workers does it."""
    name = hashlib.sha256("\n".join(key).encode()).hexdigest()[:16]
    made, done = folder / name, folder / name / "done"
    made.mkdir(exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(made)
            done.touch()
    return made


def _compiler() -> list[str]:
    compiler = shlex.split(os.environ.get("CXX", "g++"))
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"no C++ compiler: {compiler[0]} is not found")
    warnings = ("-Wall", "-Wextra", "-Werror")
    return [*compiler, "-std=c++20", "-g1", "-pthread", *warnings, "-DLESIONKIT_CUDA_ON_HOST"]


def _compile(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "cannot find" in done.stderr and "san" in done.stderr:
        pytest.skip(f"this compiler has no library for {command}")
    assert done.returncode == 0, done.stderr


def _common(made: Path, command: Sequence[str]) -> None:
    """The standard library's headers, and what is the same in all programs."""
    header = made / "standard.hpp"
    header.write_text(STANDARD)
    _compile([*command, "-x", "c++-header", str(header), "-o", f"{header}.gch"])
    command = [*command, f"-I{CSRC}", "-include", str(header), "-c"]
    _compile([*command, str(HERE / "run_on_host.cpp"), "-o", str(made / "run.o")])


def _program(
    made: Path, file: Path, kernels: Sequence[str], command: Sequence[str], common: Path
) -> None:
    entries = ", ".join(f'lesionkit::on_host::kernel("{name}", {name})' for name in kernels)
    main = made / "main.cpp"
    main.write_text(
        f'#include "{file}"\n#include "{HERE}/run_on_host.hpp"\n'
        "int main(int, char** arguments) {\n"
        f"  return lesionkit::on_host::run({{{entries}}}, arguments[1]);\n}}\n"
    )
    _compile([*command, str(main), str(common), "-o", str(made / "program")])


class KernelFault(Exception):
    """The program that ran a kernel failed; its message is what the program, or sanitizer, says."""


@dataclass
class Program:
    """The kernels of one .cu, compiled for the host."""

    path: Path
    order: Order = "forward"
    blocks: int = MAX_BLOCKS

    def launch(
        self,
        kernel: str,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        args: Sequence[Any],
        shared: int = 0,
    ) -> None:
        """As `gpu.launch`, on NumPy arrays; with few blocks and threads, and blocks in `order`."""
        across, *rows = gpu.sizes(grid)  # rows of blocks may each have work of their own
        grid = [min(across, self.blocks), *(min(n, MAX_BLOCKS) for n in rows), 1, 1][:3]
        block = [*(min(n, MAX_THREADS) for n in gpu.sizes(block)), 1, 1][:3]
        given = [_argument(arg) for arg in map(gpu.scalar, args)]
        numbers = [*grid, *block, shared, ORDERS.index(self.order), len(given)]
        lines = [kernel, " ".join(map(str, numbers)), *(f"{t} {len(b)}" for t, b in given)]
        call = self.path.with_name(f"call-{os.getpid()}")
        call.write_bytes("\n".join(lines).encode() + b"\n" + b"".join(b for _, b in given))
        self._run(call)
        result = memoryview(call.read_bytes())
        for arg, (kind, data) in zip(args, given, strict=True):
            if kind.startswith("*"):
                arg[...] = np.frombuffer(result[: len(data)], arg.dtype).reshape(arg.shape)
                result = result[len(data) :]

    def _run(self, call: Path) -> None:
        """Run it. ThreadSanitizer may need fixed addresses: then once more, by setarch -R."""
        command = [str(self.path), str(call)]
        # how many accesses of each thread ThreadSanitizer remembers: it must not forget the first;
        # one race says enough
        environment = {**os.environ, "TSAN_OPTIONS": "history_size=4 halt_on_error=1"}

        def attempt() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=120, env=environment
            )

        done = attempt()
        if "unexpected memory mapping" in done.stderr:
            if shutil.which("setarch") is None:
                pytest.skip("ThreadSanitizer needs fixed addresses, and setarch is missing")
            command = ["setarch", "-R", *command]
            done = attempt()
            if "memory mapping" in done.stderr or "failed to set personality" in done.stderr:
                pytest.skip(f"ThreadSanitizer cannot run here: {done.stderr.strip()[:200]}")
        if done.returncode or done.stderr:
            raise KernelFault(f"exit {done.returncode}: {done.stderr[:2000]}")


def _argument(arg: Any) -> tuple[str, bytes]:
    """An argument's type, as run_on_host.hpp names it, and its bytes."""
    if arg is None:
        return "null", b""
    name = f"{arg.dtype.kind}{arg.dtype.itemsize}"
    if isinstance(arg, np.generic) or arg.dtype.kind == "V":
        return name, arg.tobytes()
    assert isinstance(arg, np.ndarray), type(arg)
    assert arg.flags.c_contiguous
    return f"*{name}", arg.tobytes()
