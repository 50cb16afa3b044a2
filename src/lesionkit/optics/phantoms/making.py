"""How phantoms are made by the thousand: what is asked for, checked, and the loop over its chunks.

A phantom is a function of (recipe, seed, index), see `PhantomFactory`: neither batches nor threads
nor an interruption change one bit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import lesionkit
from lesionkit import _core, arrays, files, gpu
from lesionkit.optics.phantoms.factory import Accuracy, Buffers, PhantomFactory
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.solid_factory import factory_of
from lesionkit.optics.phantoms.store import remote
from lesionkit.optics.phantoms.store.journal import WHOLE, Part
from lesionkit.optics.phantoms.store.layout import (
    CHUNK,
    FORMAT,
    check_libraries,
    chunk_count,
    layouts,
)
from lesionkit.optics.phantoms.store.writer import StoreWriter, is_finished

Device = Literal["auto", "cpu", "cuda"]

BATCH_BYTES = 64 * 2**20  # of area fractions: the largest array of a batch


class Task:
    """What is asked for, checked; its factory and its job."""

    def __init__(
        self,
        recipe: PhantomRecipe,
        count: int,
        seed: int,
        first: int,
        accuracy: Accuracy | None,
        device: Device,
        batch: int | None,
        progress: Callable[[int, int], object] | None,
    ) -> None:
        if not isinstance(recipe, PhantomRecipe):
            raise TypeError(f"recipe must be a PhantomRecipe, got {arrays.describe(recipe)}")
        number = _device(device, recipe)
        self.count = arrays.integer(count, "count", at_least=1, at_most=2**40)
        seed = arrays.integer(seed, "seed", at_least=0, at_most=2**64 - 1)
        self.first = arrays.integer(first, "first", at_least=0, at_most=2**40)
        if batch is not None:
            batch = arrays.integer(batch, "batch", at_least=1)
        if progress is not None and not callable(progress):
            raise TypeError(f"progress must be None or a function, got {arrays.describe(progress)}")
        self.batch, self.progress = batch, progress
        self.factory = factory_of(recipe, seed, number, accuracy)
        self.job = {
            "format": FORMAT,
            "version": lesionkit.__version__,
            "instruction_set": instruction_set(number),
            "seed": seed,
            **({"first": self.first} if self.first else {}),
            "count": self.count,
            "accuracy": self.factory.accuracy,
            "recipe": self.factory.recipe.to_dict(),
        }

    def make(self, sink: Memory | Disk) -> None:
        """Make every phantom that `sink` lacks."""
        _make(self.factory, self.first, self.count, self.batch, sink, self.progress)

    def write(self, path: Path, part: Part) -> None:
        """Write a part of the store; the whole is finished with it."""
        check_libraries()
        if is_finished(path, self.job):
            return
        self.factory.check()  # before a folder is made
        recipe = self.factory.recipe
        if files.is_remote(path):
            remote.send(
                lambda local: self._fill(local, part), path, self.job, layouts(recipe), part
            )
            if part == WHOLE:
                finish(StoreWriter(path, self.job, recipe), self.factory)
            return
        self._fill(path, part, part == WHOLE)

    def _fill(self, path: Path, part: Part, finished: bool = False) -> None:
        with StoreWriter(path, self.job, self.factory.recipe, part) as writer:
            self.make(Disk(writer, self.factory))
            if finished:
                writer.finish(self.factory.attributes)


def finish(writer: StoreWriter, factory: PhantomFactory) -> None:
    """Make the store of its parts."""
    writer.gather()
    writer.finish(factory.attributes)


def _device(device: Any, recipe: PhantomRecipe) -> int | None:
    """The number of the GPU that `device` means; None for the CPU."""
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device must be 'auto', 'cpu' or 'cuda', got {device!r}")
    if device == "cuda" and recipe.solid:
        raise ValueError("device must be 'cpu' or 'auto' for phantoms of tetrahedra, got 'cuda'")
    if device == "cpu" or recipe.solid:
        return None
    try:
        number = int(gpu.require().cuda.Device().id)
        gpu.properties(number)
    except gpu.GpuError:
        if device == "auto":
            return None
        raise
    return number


def instruction_set(device: int | None) -> str:
    """What computes, as the store records it: a level of the CPU or of a GPU."""
    if device is None:
        return str(_core.level)
    return f"cuda sm_{gpu.properties(device).capability}"


def store_path(out: Any) -> Path | None:
    try:
        path = None if out is None else files.location(out)
    except TypeError:
        raise TypeError(f"out must be None or a path, got {arrays.describe(out)}") from None
    if path is not None and path.name.endswith(".partial"):
        raise ValueError(f"out must not end in .partial, which is kept for parts, got {path}")
    return path


class Memory:
    """Keeps phantoms in the arrays of the whole set."""

    done: frozenset[int] = frozenset()

    def __init__(self, factory: PhantomFactory, count: int) -> None:
        self.chunks = range(chunk_count(count))
        with factory.at_work(f"{count} phantoms"):
            self.whole = {
                name: layout.empty(count, factory.xp)
                for name, layout in layouts(factory.recipe).items()
            }

    def buffers(self, chunk: int) -> Buffers:
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        return {name: array[here] for name, array in self.whole.items()}

    def collect(self, first: int, made: Buffers) -> Buffers:
        """Take a run that a GPU made; it stays there, and nothing is left to finish."""
        for name, array in made.items():
            self.whole[name][first : first + len(array)] = array
        return {}

    def keep(self, chunk: int, buffers: Buffers) -> None:
        """They are in their place already."""


class Disk:
    """Packs and writes phantoms, a chunk at a time."""

    def __init__(self, writer: StoreWriter, factory: PhantomFactory) -> None:
        self.writer, self.chunks, self.done = writer, writer.chunks, frozenset(writer.done)
        self.clock, self.xp = factory.clock, factory.xp
        self.count = writer.job["count"]
        self.mine = threading.local()  # each thread packs from buffers of its own

    def buffers(self, chunk: int) -> Buffers:
        if not hasattr(self.mine, "buffers"):
            layouts = self.writer.layouts.items()
            self.mine.buffers = {name: layout.empty(CHUNK) for name, layout in layouts}
        buffers: Buffers = self.mine.buffers
        for array in buffers.values():
            array[self.count - chunk * CHUNK :] = 0  # what the last chunk has too much
        return buffers

    def collect(self, first: int, made: Buffers) -> Buffers:
        """A run that a GPU made, in the host's memory, to be finished."""
        with self.clock("copy"):
            return {name: self.xp.asnumpy(array) for name, array in made.items()}

    def keep(self, chunk: int, buffers: Buffers) -> None:
        with self.clock("pack"):
            packed = {name: self.writer.layouts[name].pack(buffers[name]) for name in buffers}
        with self.clock("write"):
            self.writer.write(chunk, packed)


def _make(
    factory: PhantomFactory,
    origin: int,
    count: int,
    batch: int | None,
    sink: Memory | Disk,
    progress: Callable[[int, int], object] | None,
) -> None:
    """Make every chunk of `sink` that it lacks, of the phantoms from `origin` on.

    This thread makes a run of chunks, with all threads or the GPU; meanwhile others finish the run
    before, each a chunk at a time: they take it from the GPU, or paint it, then pack and write it.
    """
    sizes = {chunk: min(CHUNK, count - chunk * CHUNK) for chunk in sink.chunks}
    total, done = sum(sizes.values()), sum(sizes[chunk] for chunk in sink.done)
    todo = [chunk for chunk in sink.chunks if chunk not in sink.done]

    def finish(chunk: int, made: Buffers) -> int:
        buffers, size = sink.buffers(chunk), len(made["inclusions"])
        filled = {name: array[:size] for name, array in buffers.items()}
        for name, array in made.items():
            filled[name][...] = array
        if "mri" not in made:
            factory.paint(made["inclusions"], origin + chunk * CHUNK, filled)
        sink.keep(chunk, buffers)
        return size

    def settle(waiting: list[Future[int]]) -> None:
        nonlocal done
        for future in waiting:
            done += future.result()
        if progress is not None:
            progress(done, total)

    factory.check()  # before memory for phantoms is asked for
    workers = ThreadPoolExecutor(min(lesionkit.threads(), 16), "lesionkit")
    with factory.at_work(f"{total} phantoms"), workers as pool:
        waiting: list[Future[int]] = []
        batch = batch or factory.at_once or _fitting(factory)
        try:
            for run in _runs(todo, max(batch // CHUNK, 1)):
                first, stop = run[0] * CHUNK, min((run[-1] + 1) * CHUNK, count)
                made = _wave(factory, origin + first, stop - first, batch)
                if factory.device is not None:
                    made = sink.collect(first, made)
                settle(waiting)
                waiting = [
                    pool.submit(finish, chunk, {n: a[i : i + CHUNK] for n, a in made.items()})
                    for i, chunk in zip(range(0, stop - first, CHUNK), run, strict=True)
                    if made
                ]
                done += 0 if made else stop - first
            settle(waiting)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fitting(factory: PhantomFactory) -> int:
    """Phantoms that are made at once where nobody says how many."""
    each = 2 * 8 * len(factory.corners)  # bytes of the area fractions, the largest array
    if factory.device is None:
        most = max(BATCH_BYTES // each, 1)
        return min(most // CHUNK, 16) * CHUNK or most
    each += sum(layout.empty(1).nbytes for layout in layouts(factory.recipe).values())
    fitting: int = gpu.free_memory() // 4 // each // CHUNK
    return min(max(fitting, 1), 64) * CHUNK


def _wave(factory: PhantomFactory, first: int, count: int, batch: int) -> Buffers:
    """Regions and signal of a run, no more than `batch` solved at once. A GPU paints them as well,
    and solves fewer at once where its memory ends."""
    regions = factory.draw(first, count)
    parts, i = [], 0
    while i < count:
        try:
            parts.append(factory.measure(regions[i : i + batch], first + i))
        except MemoryError:
            if factory.device is None or batch == 1:
                raise
            factory.xp.get_default_memory_pool().free_all_blocks()
            batch = -(-batch // 2)
        else:
            i += batch
    made: Buffers = {"inclusions": regions, "signal": factory.xp.concatenate(parts)}
    if factory.device is not None:
        buffers = layouts(factory.recipe)
        made |= {name: buffers[name].empty(count, factory.xp) for name in ("chromophores", "mri")}
        factory.paint(regions, first, made)
    return made


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
