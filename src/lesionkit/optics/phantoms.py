"""`generate`: phantoms by the thousand, from a recipe, in memory or into a store.

A phantom is a function of (recipe, seed, index), see `PhantomFactory`: neither batches nor threads
nor an interruption change one bit.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import lesionkit
from lesionkit import _core, arrays
from lesionkit.optics.factory import Buffers, Floats, PhantomFactory
from lesionkit.optics.recipe import PhantomRecipe
from lesionkit.optics.store import CHUNK, FORMAT, Phantoms, layouts, open_phantoms
from lesionkit.optics.store_writer import StoreWriter, is_finished

Clock = Callable[[str], AbstractContextManager[None]]

BATCH_BYTES = 64 * 2**20  # of area fractions: the largest array of a batch


def generate(
    recipe: PhantomRecipe,
    count: int,
    out: str | os.PathLike[str] | None = None,
    seed: int = 0,
    *,
    batch: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Phantoms:
    """Make `count` phantoms (Feng et al., Optica 9(3), 264-267, 2022).

    recipe   : PhantomRecipe, the paper's by default
    count    : 1 or more; phantom i is the same whatever the count
    out      : None: NumPy arrays in memory, 0.13 MB per phantom. Else the path of a Zarr v3 store:
               it grows at `out`.partial, from where the same call resumes it, and gets its name
               when it is whole. If `out` is the finished store of this very call, it is opened
    seed     : 0 to 2^64 - 1
    batch    : phantoms solved at once; None takes as many as fit into 64 MiB. It changes no bit
    progress : called as progress(done, count) from time to time
    returns  : Phantoms, whose arrays are read from the store when indexed if `out` is given
    Raises ValueError or TypeError for anything else, and for an `out` that holds other phantoms;
    OSError where the store cannot be written. All of them before any work but a full disk.
    """
    if not isinstance(recipe, PhantomRecipe):
        raise TypeError(f"recipe must be a PhantomRecipe, got {arrays.describe(recipe)}")
    count = arrays.integer(count, "count", at_least=1, at_most=2**40)
    seed = arrays.integer(seed, "seed", at_least=0, at_most=2**64 - 1)
    if batch is not None:
        batch = arrays.integer(batch, "batch", at_least=1)
    path = _path(out)
    job = {
        "format": FORMAT,
        "version": lesionkit.__version__,
        "instruction_set": _core.level,
        "seed": seed,
        "count": count,
        "recipe": recipe.to_dict(),
    }
    if path is None:
        whole = {name: layout.empty(count) for name, layout in layouts(recipe).items()}
        factory = PhantomFactory(recipe, seed)
        _make(factory, count, batch, _Memory(whole), progress)
        attributes = {**job, **factory.attributes}
        return Phantoms(
            **whole, recipe=recipe, seed=seed, attributes=attributes, seconds=dict(factory.seconds)
        )

    if is_finished(path, job):
        return open_phantoms(path)
    with StoreWriter(path, job, recipe) as writer:
        factory = PhantomFactory(recipe, seed)
        _make(factory, count, batch, _Disk(writer, factory.clock), progress)
        writer.finish(factory.attributes)
    return replace(open_phantoms(path), seconds=dict(factory.seconds))


def _path(out: Any) -> Path | None:
    try:
        path = None if out is None else Path(out)
    except TypeError:
        raise TypeError(f"out must be None or a path, got {arrays.describe(out)}") from None
    if path is not None and path.name.endswith(".partial"):
        raise ValueError(f"out must not end in .partial, which is kept for parts, got {path}")
    return path


class _Memory:
    """Keeps phantoms in the arrays of the whole set."""

    done: frozenset[int] = frozenset()

    def __init__(self, whole: Buffers) -> None:
        self.whole = whole

    def room(self, chunk: int) -> Buffers:
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        return {name: array[here] for name, array in self.whole.items()}

    def keep(self, chunk: int, room: Buffers) -> None:
        """They are in their place already."""


class _Disk:
    """Packs and writes phantoms, a chunk at a time."""

    def __init__(self, writer: StoreWriter, clock: Clock) -> None:
        self.writer, self.clock, self.done = writer, clock, frozenset(writer.done)
        self.count = writer.job["count"]
        self.mine = threading.local()  # each thread packs from buffers of its own

    def room(self, chunk: int) -> Buffers:
        if not hasattr(self.mine, "room"):
            layouts = self.writer.layouts.items()
            self.mine.room = {name: layout.empty(CHUNK) for name, layout in layouts}
        room: Buffers = self.mine.room
        for array in room.values():
            array[self.count - chunk * CHUNK :] = 0  # what the last chunk has too much
        return room

    def keep(self, chunk: int, room: Buffers) -> None:
        with self.clock("pack"):
            packed = {name: self.writer.layouts[name].pack(room[name]) for name in room}
        with self.clock("write"):
            self.writer.write(chunk, packed)


def _make(
    factory: PhantomFactory,
    count: int,
    batch: int | None,
    sink: _Memory | _Disk,
    progress: Callable[[int, int], object] | None,
) -> None:
    """Make every chunk that `sink` lacks.

    This thread solves for a run of chunks, with all threads; meanwhile others paint, pack and write
    the chunks of the run before, each a chunk at a time.
    """
    if batch is None:
        fitting = BATCH_BYTES // (2 * 8 * len(factory.corners))
        batch = min(max(fitting // CHUNK, 1), 16) * CHUNK
    done = min(len(sink.done) * CHUNK, count)
    todo = [chunk for chunk in range(-(-count // CHUNK)) if chunk not in sink.done]

    def finish(chunk: int, regions: Floats, signal: npt.NDArray[np.float32]) -> int:
        room = sink.room(chunk)
        filled = {name: array[: len(regions)] for name, array in room.items()}
        filled["inclusions"][...] = regions
        filled["signal"][...] = signal
        factory.paint(regions, chunk * CHUNK, filled)
        sink.keep(chunk, room)
        return len(regions)

    def settle(waiting: list[Future[int]]) -> None:
        nonlocal done
        for future in waiting:
            done += future.result()
        if progress is not None:
            progress(done, count)

    with ThreadPoolExecutor(min(lesionkit.threads(), 16), "lesionkit") as pool:
        waiting: list[Future[int]] = []
        try:
            for run in _runs(todo, max(batch // CHUNK, 1)):
                first, stop = run[0] * CHUNK, min((run[-1] + 1) * CHUNK, count)
                regions = factory.draw(first, stop - first)
                signal = np.concatenate(
                    [
                        factory.measure(regions[i : i + batch], first + i)
                        for i in range(0, len(regions), batch)
                    ]
                )
                settle(waiting)
                waiting = [
                    pool.submit(finish, chunk, regions[i : i + CHUNK], signal[i : i + CHUNK])
                    for i, chunk in zip(range(0, len(regions), CHUNK), run, strict=True)
                ]
            settle(waiting)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _runs(chunks: list[int], longest: int) -> Iterator[list[int]]:
    """Cut ascending numbers into runs of neighbours, none longer than `longest`."""
    run: list[int] = []
    for chunk in chunks:
        if run and (chunk != run[-1] + 1 or len(run) == longest):
            yield run
            run = []
        run.append(chunk)
    if run:
        yield run
