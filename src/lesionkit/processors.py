"""What kernels start with: how many processors this process may use, and their instruction sets."""

from __future__ import annotations

import math
import os
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

if not find_spec("lesionkit._cpu"):
    _built = ", ".join(sorted(file.name for file in Path(__file__).parent.glob("_cpu.*.so")))
    raise ImportError(
        f"lesionkit has no compiled modules for this Python, which loads {EXTENSION_SUFFIXES[0]} "
        f"(there is {_built or 'none'}): install it with this Python"
    )

from lesionkit import _cpu

MAX_THREADS = 1024


def run_here() -> list[str]:
    """The instruction sets of this processor, built or not, lowest first."""
    return _cpu.levels()


def levels() -> list[str]:
    """The instruction sets that are built here and run on this processor, lowest first."""
    return [name for name in run_here() if find_spec(f"lesionkit._core_{name}")]


def threads_at_start() -> int:
    """The number of threads that kernels start with.

    LESIONKIT_NUM_THREADS; else OMP_NUM_THREADS, which joblib gives its workers, but no more than
    :func:`available`; else that.

    Returns
    -------
    int
        1 to 1024.

    Raises
    ------
    ImportError
        Where LESIONKIT_NUM_THREADS is no integer from 1 to 1024.
    """
    asked = os.environ.get("LESIONKIT_NUM_THREADS")
    if asked is not None:
        if not asked.strip().isdecimal() or not 1 <= int(asked) <= MAX_THREADS:
            raise ImportError(
                f"LESIONKIT_NUM_THREADS must be an integer from 1 to {MAX_THREADS}, got {asked!r}"
            )
        return int(asked)
    openmp = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # a number for each level
    limit = int(openmp) if openmp.isdecimal() else 0
    return min(available(), limit or MAX_THREADS)


def available() -> int:
    """The processors that the system lets this process run on: its affinity and its container's
    quota, 1 or more."""
    try:
        count = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not told by this system
        count = os.cpu_count() or 1
    return max(1, min(count, math.ceil(_quota()), MAX_THREADS))


def _quota(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> float:
    """Processors that the Linux control groups of this process grant; 1024 where none says so.

    Version 2 has one tree, with "QUOTA PERIOD" or "max PERIOD" in ``cpu.max``; version 1 a tree for
    the processor, where -1 is no quota. Each group above may grant less.
    """
    least = math.inf
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        tree = root / "cpu" if controllers else root
        group = tree / path.lstrip("/")
        for folder in (group, *group.parents):
            least = min(least, _granted(folder))
            if folder == tree:
                break
    return min(least, float(MAX_THREADS))


def _granted(folder: Path) -> float:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        return math.inf if quota in ("max", "-1") else max(int(quota) / int(period), 1e-3)
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf
