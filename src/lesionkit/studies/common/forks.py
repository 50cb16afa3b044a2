"""Steps of long work shared out among this process and forks of it."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress

import lesionkit

BYTES = 4  # of a step's number
MOST = 1000  # steps: their numbers fit into a pipe
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux' prctl


def share(
    count: int, do: Callable[[int], object], processes: int, tell: Callable[[int], object]
) -> None:
    """Call do(0) to do(count - 1), each in this process or in one of its forks, whoever is free.

    processes : with this one; where the system cannot fork well, this one does all
    tell      : called in this process, with the number, before each of its own steps
    A step that fails in a fork ends that fork, and nothing is told of it: what a step makes must be
    kept in files, by which the caller sees which are to be done again. Forks end with this process,
    however it ends. BLAS has one thread meanwhile: matrices of a study are so small that more wait
    for one another, for several times the CPU time.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        _share(count, do, processes, tell)


def _share(
    count: int, do: Callable[[int], object], processes: int, tell: Callable[[int], object]
) -> None:
    if processes < 2 or count < 2 or count > MOST or sys.platform != "linux":
        for number in range(count):
            tell(number)
            do(number)
        return

    def told(number: int) -> None:
        tell(number)
        do(number)

    reader, writer = os.pipe()
    for number in range(count):
        os.write(writer, number.to_bytes(BYTES, "little"))
    os.close(writer)
    context = multiprocessing.get_context("fork")
    many = min(processes, count) - 1
    given = (reader, do, os.getpid())
    forks = [context.Process(target=_fork, args=given, daemon=True) for _ in range(many)]
    threads = lesionkit.threads()
    lesionkit.threads(1)
    try:
        with warnings.catch_warnings():  # forks of a process with threads may wait for a lock that
            warnings.simplefilter("ignore", DeprecationWarning)  # one holds; ours and BLAS' do not
            for fork in forks:
                fork.start()
        _take(reader, told)
        for fork in forks:
            fork.join()
    finally:
        lesionkit.threads(threads)
        for fork in forks:
            if fork.is_alive():
                fork.kill()
        os.close(reader)


def _take(reader: int, do: Callable[[int], object]) -> None:
    """Steps, one after another, until none is left. A read of so few bytes is one process's own."""
    while number := os.read(reader, BYTES):
        do(int.from_bytes(number, "little"))


def _fork(reader: int, do: Callable[[int], object], parent: int) -> None:
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent tells of it
    if os.getppid() != parent:  # the parent was gone before that
        return
    with suppress(Exception):
        _take(reader, do)
