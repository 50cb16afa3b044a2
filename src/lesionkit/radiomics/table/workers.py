"""Rows spread over processes of this machine, or over Dask's of many."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from typing import Any

import lesionkit
from lesionkit import extras
from lesionkit.radiomics.table.measured import Measured, Task, measure
from lesionkit.radiomics.table.rows import Row

TRIES = 3  # of a row whose process died
AT_ONCE = 16  # rows of one image in a task of Dask


def by_image(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows of the same image together, images in the order of the table."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row.image), []).append(row)
    return list(groups.values())


def here(task: Task, rows: Sequence[Row]) -> Iterator[Measured]:
    """One after the other in this process, on all its threads."""
    for group in by_image(rows):
        for row in group:
            yield measure(task, row)


def processes(task: Task, rows: Sequence[Row], jobs: int) -> Iterator[Measured]:
    """In so many processes, each of which goes through the rows of one image before it takes
    another; one that finds no image left helps where most rows are."""
    waiting = deque(deque(group) for group in by_image(rows))
    threads = max(1, lesionkit.threads() // jobs)
    slots = [_Slot(threads) for _ in range(min(jobs, len(rows)))]
    running: dict[Future[Measured], tuple[_Slot, Row]] = {}
    tries: dict[int, int] = {}
    try:
        while True:
            for slot in slots:
                if not slot.busy and (row := _next(slot, slots, waiting)):
                    running[slot.start(task, row)] = slot, row
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                slot, row = running.pop(future)
                slot.busy = False
                try:
                    yield future.result()
                except BrokenProcessPool:
                    slot.renew()
                    tries[row.number] = tries.get(row.number, 0) + 1
                    if tries[row.number] < TRIES:
                        slot.group.appendleft(row)
                    else:
                        yield Measured(row.number, None, _died(row))
    finally:
        for slot in slots:
            slot.stop()


def _next(slot: _Slot, slots: Sequence[_Slot], waiting: deque[deque[Row]]) -> Row | None:
    if not slot.group and waiting:
        slot.group = waiting.popleft()
    if slot.group:
        return slot.group.popleft()
    most = max(slots, key=lambda other: len(other.group)).group
    return most.pop() if most else None


def _died(row: Row) -> str:
    return (
        f"{row.mask}: its process died {TRIES} times, as for want of memory: try it alone, or with "
        "fewer jobs"
    )


class _Slot:
    """One process, and the rows of an image that it is at."""

    def __init__(self, threads: int) -> None:
        self.threads, self.busy = threads, False
        self.group: deque[Row] = deque()
        self.pool = self._pool()

    def _pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # no thread is forked
        return ProcessPoolExecutor(1, context, _begin, (self.threads,))

    def start(self, task: Task, row: Row) -> Future[Measured]:
        self.busy = True
        return self.pool.submit(measure, task, row)

    def renew(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.pool = self._pool()

    def stop(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)


def _begin(threads: int) -> None:
    """In a new process: Ctrl-C is the parent's, with whom it ends, however that ends; as many
    threads as its share."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lesionkit.threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def cluster(task: Task, rows: Sequence[Row], address: str) -> Iterator[Measured]:
    """On Dask's workers, which read the same files by the same paths; a worker that dies is
    replaced by another."""
    distributed = extras.require("distributed", "--cluster needs", "cluster")
    client: Any = distributed.Client(address, timeout="30s")
    tasks = [
        group[first : first + AT_ONCE]
        for group in by_image(rows)
        for first in range(0, len(group), AT_ONCE)
    ]
    try:
        running = {
            client.submit(_each, task, part, retries=TRIES, pure=False): part for part in tasks
        }
        for future in distributed.as_completed(list(running)):
            if future.status == "finished":
                yield from future.result()
                continue
            for row in running[future]:
                problem = str(future.exception()).split("\n")[0]
                yield Measured(row.number, None, f"{row.mask}: on the cluster: {problem}")
    finally:
        client.close()


def _each(task: Task, rows: Sequence[Row]) -> list[Measured]:
    return [measure(task, row) for row in rows]
