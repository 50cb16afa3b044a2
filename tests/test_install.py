"""What a machine lacks is told in a sentence: compiler, Python, processor, place, space."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import lesionkit

ROOT = Path(__file__).parents[1]
PACKAGE = Path(lesionkit.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def python(code: str, *before: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


# --- setup.py -------------------------------------------------------------------------------------


def build(*before: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Begin to build, after some lines of Python."""
    code = "import sys; sys.argv = ['setup.py', 'build_ext', '--build-lib', sys.argv[0]]\n"
    code = "\n".join([code, *before, "exec(compile(open('setup.py').read(), 'setup.py', 'exec'))"])
    clean = {k: v for k, v in os.environ.items() if k not in ("CC", "CXX", "LESIONKIT_LEVELS")}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**clean, **environment},
        cwd=cwd,
    )


def need_build_tools() -> None:
    """They are not imported: setuptools would put its distutils in the place of Python's."""
    for needed in ("pybind11", "setuptools"):
        try:
            metadata.distribution(needed)
        except metadata.PackageNotFoundError:
            pytest.skip(f"{needed} is not installed")


@pytest.mark.parametrize(
    ("machine", "sentence"),
    [
        ("sys.version_info = (3, 10)", "lesionkit needs Python 3.11 or newer, this is 3.10"),
        ("sys.version_info = (3, 6)", "lesionkit needs Python 3.11 or newer, this is 3.6"),
        (
            "sys.platform = 'win32'",
            "lesionkit does not support Windows: install it in WSL (the Windows Subsystem for "
            "Linux)",
        ),
        (
            "import sysconfig; sysconfig.get_config_var = lambda name: name == 'Py_GIL_DISABLED'",
            "lesionkit does not support free-threaded Python: install it in the usual one",
        ),
    ],
)
def test_what_is_not_supported(machine: str, sentence: str) -> None:
    done = build(machine, "sys.modules['pybind11'] = sys.modules['setuptools'] = None")
    assert done.returncode == 1
    assert done.stderr == f"{sentence}\n"


def compiler(folder: Path, name: str, script: str) -> str:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(
    ("name", "script", "reason"),
    [
        ("absent", None, "No such file or directory"),
        (
            "old",
            "echo \"error: unrecognized command line option '-std=c++20'\" >&2; exit 1",
            "c++20",
        ),
        ("older", "cat > /dev/null; exit 4", "it exits 4"),
        ("shut", "exec cat /nowhere", "cat: /nowhere: No such file"),
    ],
)
def test_no_compiler_or_an_old_one(
    name: str, script: str | None, reason: str, tmp_path: Path
) -> None:
    need_build_tools()
    command = compiler(tmp_path, name, script) if script else str(tmp_path / name)
    done = build(CC=command, CXX=command)
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]
    assert told.startswith("lesionkit needs a C++20 compiler: g++ 11 or newer, or clang++ 14 or ")
    assert reason in told
    assert "Traceback" not in done.stderr


def test_levels_that_there_are_not(tmp_path: Path) -> None:
    need_build_tools()
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    folder = tmp_path / "lesionkit"
    folder.mkdir()
    for part in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, folder / part)
    for part in ("csrc", "src"):
        (folder / part).symlink_to(ROOT / part)
    done = build(cwd=folder, LESIONKIT_LEVELS="v3,v9")
    assert done.returncode == 1
    assert re.search(r"^LESIONKIT_LEVELS must be 'all' or some of \S+, got \['v", done.stderr, re.M)


# --- an installation ------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package in a folder of its own."""
    shutil.copytree(PACKAGE, tmp_path / "lesionkit", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def use(copy: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return python(f"import sys; sys.path.insert(0, {str(copy)!r})\n{code}", **environment)


def test_modules_of_another_python(copy: Path) -> None:
    own = sysconfig.get_config_var("EXT_SUFFIX")
    for file in (copy / "lesionkit").glob("*.so"):
        file.rename(file.with_name(file.name.replace(own, ".cpython-310-x86_64-linux-gnu.so")))
    done = use(copy, "from lesionkit.texture import graycomatrix")
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: lesionkit has no compiled modules for this Python, which loads {own} "
        "(there is _cpu.cpython-310-x86_64-linux-gnu.so): install it with this Python"
    )


def test_no_module_for_this_processor(copy: Path) -> None:
    for file in (copy / "lesionkit").glob("_core_*.so"):
        file.unlink()
    done = use(copy, "from lesionkit.texture import graycomatrix")
    assert re.match(
        r"ImportError: lesionkit has no module for this processor, which has \[.*\]: build it here",
        done.stderr.splitlines()[-1],
    )


@pytest.mark.parametrize("command", ["info", "selftest"])
def test_a_level_that_is_not_there_is_told_in_a_line(command: str) -> None:
    code = f"import sys; from lesionkit import cli; sys.exit(cli.main([{command!r}]))"
    done = python(code, LESIONKIT_ISA="v9")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("lesionkit: LESIONKIT_ISA must be one of the levels that are built and")
    assert done.stdout == ""


def test_nothing_can_be_written_and_nobody_has_a_home(copy: Path, tmp_path: Path) -> None:
    """A read-only installation, used by a user without a home."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("another user is needed: root and setpriv")
    pytest.importorskip("numba")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    environment = {"HOME": "/nonexistent", "NUMBA_CACHE_DIR": "", "XDG_CACHE_HOME": "/nonexistent"}
    code = (
        f"import sys; sys.path.insert(0, {str(copy)!r})\n"
        "import numpy as np\n"
        "from lesionkit.fronts import region_grow, travel_time\n"
        "from lesionkit import cli\n"
        "seeds = np.zeros((5, 5), int); seeds[2, 2] = 1\n"
        "assert region_grow(np.ones((5, 5)), seeds, 0.5).all()\n"
        "assert cli.main(['phantoms', '--count', '2', '--out', '/nonexistent/a.zarr']) == 2\n"
    )
    nobody = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*nobody, sys.executable, "-c", "import numba"], cwd="/").returncode:
        pytest.skip("this Python cannot be read by others")
    done = python(code, *nobody, **environment)
    assert done.returncode == 0, done.stderr
    *others, ours = done.stderr.splitlines()
    assert ours == "lesionkit: cannot write /nonexistent/a.zarr: there is no such folder"
    assert all("atplotlib" in line for line in others)  # has a cache of its own to tell of


def test_a_full_disk(tmp_path: Path) -> None:
    """A command on a file system without space says so in a line, and leaves nothing that reads as
    whole."""
    pytest.importorskip("numcodecs")
    full = tmp_path / "full"
    full.mkdir()
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(full)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("a small file system is needed: root, and the right to mount")
    try:
        asked = ["phantoms", "--count", "200", "--accuracy", "fast", "--nodes", "217"]
        asked += ["--wavelengths", "808", "--no-picture", "--out", str(full / "a.zarr")]
        done = python(f"import sys; from lesionkit import cli; sys.exit(cli.main({asked!r}))")
    finally:
        subprocess.run(["umount", str(full)], check=True)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert os.strerror(errno.ENOSPC) in line
    assert not (full / "a.zarr").exists()


# --- a release ------------------------------------------------------------------------------------


def test_one_version_everywhere() -> None:
    version = PROJECT["project"]["version"]
    assert lesionkit.__version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_tools_have_one_version() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    for pin in PROJECT["dependency-groups"]["lint"]:
        tool, version = pin.split("==")
        assert re.search(rf"repo: \S*{tool}\S*\n    rev: v{version}\n", hooks), pin


def test_what_is_built_is_what_is_said_to_be_supported() -> None:
    told = {c[-4:] for c in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", c)}
    built = {f"3.{b[3:-2]}" for b in PROJECT["tool"]["cibuildwheel"]["build"].split()}
    assert told == built == {"3.11", "3.12", "3.13", "3.14"}
    assert PROJECT["project"]["requires-python"] == f">={min(told)}"
