"""The time that a kernel takes, by CUDA's events around each of its launches."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from lesionkit import gpu
from lesionkit.gpu_report.rows import Arithmetic, Row, name_of

ROUNDS = 5  # of which the median counts, after one that does not

Start = Callable[[Any], Callable[[], object]]
"""Given cupy, makes the arrays of a problem; gives a call that does it once."""


def kernel_row(
    file: str,
    kernel: str,
    work: str,
    told: Arithmetic | Callable[[], Arithmetic],
    start: Start,
) -> Row:
    """The row of a kernel at work on a problem. told: of all its launches in one call."""
    run = partial(timed, file, kernel, start)
    arithmetic = told if callable(told) else (lambda: told)
    return Row("kernels", name_of(file, kernel), work, run, arithmetic)


def timed(file: str, kernel: str, start: Start, cupy: Any) -> dict[str, Any]:
    """Compile a kernel, and time its launches in one call of its problem."""
    begin = time.perf_counter()
    function, static = gpu.compiled(file, kernel, cupy.cuda.Device().id)
    compiled = time.perf_counter() - begin
    call, spent, launches = start(cupy), [], 0
    for _ in range(ROUNDS + 1):
        with launches_of(kernel, cupy) as events:
            call()
        spent.append(sum(cupy.cuda.get_elapsed_time(*pair) for pair in events) / 1000)
        launches = len(events)
    if not launches:
        return {"problem": f"{kernel} was not launched: its problem took another road"}
    return {
        "seconds": statistics.median(spent[1:]),
        "launches": launches,
        "compile_seconds": compiled,
        "registers": function.num_regs,
        "local_bytes": function.local_size_bytes,
        "static_shared_bytes": static,
    }


@contextmanager
def launches_of(of: str, cupy: Any) -> Iterator[list[tuple[Any, Any]]]:
    """Inside, every launch of the kernel `of` lies between two events; all are over at the end."""
    launch, events = gpu.launch, []

    def watched(
        file: str, kernel: str, grid: Any, block: Any, args: Sequence[Any], shared: int = 0
    ) -> None:
        pair = cupy.cuda.Event(), cupy.cuda.Event()
        pair[0].record()
        launch(file, kernel, grid, block, args, shared)
        pair[1].record()
        if kernel == of:
            events.append(pair)

    gpu.launch = watched
    try:
        yield events
    finally:
        gpu.launch = launch
        cupy.cuda.Device().synchronize()


def seconds(call: Callable[[], object], cupy: Any, rounds: int = ROUNDS) -> float:
    """Of a call that shares its GPU with nothing: the median of some, after one that does not
    count, each between two synchronisations."""
    spent, wait = [], cupy.cuda.Device().synchronize
    for _ in range(rounds + 1):
        wait()
        begin = time.perf_counter()
        call()
        wait()
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent[1:])
