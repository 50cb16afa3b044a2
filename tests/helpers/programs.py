"""C++ programs that check csrc/common without Python, as they are and under sanitizers."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

CSRC = Path(__file__).parents[2] / "csrc"
THREAD = ["-fsanitize=thread"]
ADDRESS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def build(source: Path, folder: Path, *flags: str, include: Path = CSRC) -> Path:
    """Compile `source`; skip, with the reason, where that cannot be done at all."""
    compiler = shlex.split(os.environ.get("CXX", "g++"))
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"no C++ compiler: {compiler[0]} is not found")
    program = folder / source.stem
    command = [*compiler, "-std=c++20", "-O1", "-g", "-pthread", "-Wall", "-Wextra", "-Werror"]
    command += [f"-I{include}", *flags, str(source), "-o", str(program)]
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


def with_fault(folder: Path, file: str, text: str, fault: str) -> Path:
    """A copy of csrc/common in `folder` where `text` of `file` reads `fault`: what to include."""
    source = (CSRC / "common" / file).read_text()
    assert source.count(text) == 1, f"{file} has changed: bring FAULTS up to date"
    shutil.copytree(CSRC / "common", folder / "common")
    (folder / "common" / file).write_text(source.replace(text, fault))
    return folder
