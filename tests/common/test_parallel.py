"""The thread layer, parallel.hpp and crew.hpp, through a C++ program and under sanitizers.

The faults planted here show that the net holds: without them a silent ThreadSanitizer proves
nothing.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CSRC = HERE.parents[1] / "csrc"
THREAD = ["-fsanitize=thread"]
ADDRESS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

# What to break, and how: (name, file, text as it stands, text with the fault).
FAULTS = [
    (
        "two exceptions without the lock",
        "parallel.hpp",
        "std::lock_guard guard(failure_lock);",
        "",
    ),
    (
        "a caller that leaves before its helpers",
        "crew.hpp",
        "return job.inside.load(std::memory_order_acquire) == 0; })) {",
        "return true; })) {",
    ),
    (
        "a counter of chunks that is not atomic",
        "parallel.hpp",
        "std::atomic<int64_t> next;",
        """struct {
          int64_t value;
          int64_t load(std::memory_order) { return value; }
          int64_t fetch_add(int64_t step, std::memory_order) { return (value += step) - step; }
          void store(int64_t other, std::memory_order) { value = other; }
        } next;""",
    ),
]


def build(folder: Path, *flags: str, include: Path = CSRC) -> Path:
    """Compile parallel_check.cpp; skip, with the reason, where that cannot be done at all."""
    compiler = shlex.split(os.environ.get("CXX", "g++"))
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"no C++ compiler: {compiler[0]} is not found")
    program = folder / "parallel_check"
    command = [*compiler, "-std=c++20", "-O1", "-g", "-pthread", "-Wall", "-Wextra", "-Werror"]
    command += [f"-I{include}", *flags, str(HERE / "parallel_check.cpp"), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and ("cannot find" in done.stderr and "san" in done.stderr):
        pytest.skip(f"this compiler has no library for {flags[0]}")
    assert done.returncode == 0, done.stderr
    return program


def run(program: Path) -> subprocess.CompletedProcess[str]:
    """Run it. ThreadSanitizer may need fixed addresses: then once more, through setarch -R."""
    done = subprocess.run([program], capture_output=True, text=True, timeout=300)
    if "unexpected memory mapping" in done.stderr:
        if shutil.which("setarch") is None:
            pytest.skip("ThreadSanitizer cannot run with random addresses, and setarch is missing")
        done = subprocess.run(
            ["setarch", "-R", program], capture_output=True, text=True, timeout=300
        )
        if "unexpected memory mapping" in done.stderr or "failed to set personality" in done.stderr:
            pytest.skip(f"ThreadSanitizer cannot run here: {done.stderr.strip()[:200]}")
    return done


@pytest.mark.parametrize(
    "flags",
    [["-O3"], ["-DREFUSE_THREADS"], THREAD, ADDRESS],
    ids=["plain", "no thread to be had", "ThreadSanitizer", "AddressSanitizer"],
)
def test_thread_layer(tmp_path: Path, flags: list[str]) -> None:
    done = run(build(tmp_path, *flags))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == "all checks passed\n"


def test_planted_race_is_reported(tmp_path: Path) -> None:
    done = run(build(tmp_path, *THREAD, "-DPLANTED_RACE"))
    assert done.returncode != 0
    assert "ThreadSanitizer: data race" in done.stderr
    assert "planted_race" in done.stderr


@pytest.mark.parametrize(
    ("file", "text", "fault"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_fault_in_the_layer_is_reported(tmp_path: Path, file: str, text: str, fault: str) -> None:
    source = (CSRC / "common" / file).read_text()
    assert source.count(text) == 1, f"{file} has changed: bring FAULTS up to date"
    shutil.copytree(CSRC / "common", tmp_path / "common")
    (tmp_path / "common" / file).write_text(source.replace(text, fault))
    done = run(build(tmp_path, *THREAD, include=tmp_path))
    assert done.returncode != 0
    assert "ThreadSanitizer: data race" in done.stderr
