"""Interleaved timing: A, B, A, B ..., and the median of the ratios of neighbours.

A ratio of two times taken one right after the other outlives a change of clock or a noisy
neighbour that would spoil a ratio of two separate runs.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Times = NDArray[np.float64]


@dataclass(frozen=True)
class Contender:
    """`run()` does `items` pieces of work, on at most `threads` of our threads (None: not ours)."""

    run: Callable[[], Any]
    items: int = 1
    threads: int | None = None


@dataclass(frozen=True)
class Spread:
    """The median, the least and the greatest of the ratios of a run's pairs."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        median, low, high = (
            f"{ratio:,.0f}" if ratio >= 1000 else f"{ratio:.3g}"
            for ratio in (self.median, self.low, self.high)
        )
        return f"{median} ({low}–{high})"

    @classmethod
    def read(cls, text: str) -> Spread | None:
        """What str() wrote; None of another text."""
        found = re.fullmatch(r"(\S+) \((\S+)–(\S+)\)", text.replace(",", ""))
        return cls(*map(float, found.groups())) if found else None


def rounds(
    contenders: dict[str, Contender],
    count: int,
    warm: int = 1,
    rest: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Times]:
    """Seconds per item, (count,) each: every round runs each contender once, in turn.

    rest: seconds before each. OpenMP's threads go on spinning for 0.2 s after their work, on the
    cores of whoever comes next.  clock: time.process_time counts CPU time, which a busy machine
    leaves nearly as it is.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(-warm, count):
        for name, contender in contenders.items():
            time.sleep(rest)
            with limits(contender.threads):
                start = clock()
                contender.run()
                spent = clock() - start
            if turn >= 0:
                seconds[name].append(spent / contender.items)
    return {name: np.array(spent) for name, spent in seconds.items()}


def alone(run: Callable[[], Any], count: int, wait: Callable[[], Any] = lambda: None) -> float:
    """Seconds of a call that shares its device with nothing: the median of `count`, after one that
    does not count, each between two calls of `wait`."""
    spent = []
    for _ in range(count + 1):
        wait()
        start = time.perf_counter()
        run()
        wait()
        spent.append(time.perf_counter() - start)
    return float(np.median(spent[1:]))


def ratio(slow: Times, fast: Times) -> Spread:
    each = slow / fast
    return Spread(float(np.median(each)), float(each.min()), float(each.max()))


@contextmanager
def limits(threads: int | None) -> Iterator[None]:
    """lesionkit on so many threads; BLAS and OpenMP, which only peers use, on one."""
    if threads is None:
        with threadpool_limits(1):
            yield
        return
    import lesionkit

    before = lesionkit.threads()
    lesionkit.threads(threads)
    try:
        yield
    finally:
        lesionkit.threads(before)


def cores() -> list[int]:
    """The numbers of the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def machine() -> str:
    """One line: processor, cores, versions, and how busy the machine already is."""
    words = [processor(), f"{len(cores())} cores", f"Python {platform.python_version()}"]
    try:
        from lesionkit import __version__, _core

        words.append(f"lesionkit {__version__} ({_core.level})")
    except ImportError:
        words.append("without lesionkit")
    if hasattr(os, "getloadavg"):
        load = os.getloadavg()[0]
        busy = ": BUSY, do not trust the times" if load > 0.5 else ""
        words.append(f"load {load:.2f} before the run{busy}")
    return ", ".join(words)


def processor() -> str:
    """The name that the system gives it."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = models[0].split(":")[1].strip() if models else name
    return name


def surroundings(pairs: int, threads: int) -> dict[str, str]:
    """What a reader must know to repeat a run, and the versions of what has been imported."""
    from lesionkit import __version__, _core

    homes = metadata.packages_distributions()
    names = {home for module in list(sys.modules) for home in homes.get(module, ())}
    versions = sorted((f"{name} {metadata.version(name)}" for name in names), key=str.lower)
    return {
        "lesionkit": f"{__version__}, level {_core.level}",
        "processor": f"{processor()}, {len(cores())} cores",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        "threads of ours": str(threads),
        "pairs": f"{pairs} at most",
        "packages": ", ".join(versions),
    }


def cannot_import(name: str, module: str | None) -> str | None:
    """Why a peer of that module cannot run here, or None."""
    try:
        if module is not None:
            importlib.import_module(module)
    except (ImportError, OSError) as error:
        return f"{name}: {error}"
    return None
