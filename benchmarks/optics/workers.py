"""Several processes of one peer at once, each on a core of its own: what a pool gives a user."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.optics.peers import peer
from benchmarks.optics.problem import Array, Problem
from benchmarks.timing import cores


class Processes:
    """Each process has its plan and its share of the maps before the clock starts; `run()` is the
    time from the word "go" to the last process's readings. Leave the block to stop them."""

    def __init__(self, name: str, work: Problem, maps: tuple[Array, Array], count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipes, self.processes = [], []
        fractions = zip(*(np.array_split(values, count) for values in maps), strict=True)
        for place, fraction in enumerate(fractions):
            here, there = context.Pipe()
            core = cores()[place % len(cores())]
            process = context.Process(target=_serve, args=(there, name, work, fraction, core))
            process.daemon = True
            process.start()
            self.pipes.append(here)
            self.processes.append(process)
        for pipe in self.pipes:
            pipe.recv()

    def run(self) -> Array:
        for pipe in self.pipes:
            pipe.send("go")
        return np.concatenate([pipe.recv() for pipe in self.pipes])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        for pipe, process in zip(self.pipes, self.processes, strict=True):
            pipe.send("stop")
            process.join()


def _serve(
    pipe: Connection, name: str, work: Problem, maps: tuple[Array, Array], core: int
) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    plan = peer(name, work)
    with threadpool_limits(1):
        plan(maps[0][:1], maps[1][:1])
        pipe.send("ready")
        while pipe.recv() == "go":
            pipe.send(plan(*maps))
