"""`generate`: phantoms by the thousand, from a recipe, in memory or into a store.

Of each phantom: draw its regions, find which share of each element every inclusion covers, solve
for the readings at each wavelength, add noise; paint maps and MRI. All of it is a function of
(recipe, seed, index), so neither batches nor threads nor an interruption change one bit.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import lesionkit
from lesionkit import _core, arrays
from lesionkit.optics import spectra
from lesionkit.optics.forward import ForwardModel
from lesionkit.optics.mesh import disc_mesh
from lesionkit.optics.recipe import PhantomRecipe
from lesionkit.optics.store import CHUNK, FORMAT, Phantoms, layouts, open_phantoms
from lesionkit.optics.store_writer import StoreWriter, is_finished

Floats = npt.NDArray[np.float64]
Buffers = dict[str, npt.NDArray[Any]]
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
        factory = _Factory(recipe, seed)
        _make(factory, count, batch, _Memory(whole), progress)
        attributes = {**job, **factory.attributes}
        return Phantoms(
            **whole, recipe=recipe, seed=seed, attributes=attributes, seconds=dict(factory.seconds)
        )

    if is_finished(path, job):
        return open_phantoms(path)
    with StoreWriter(path, job, recipe) as writer:
        factory = _Factory(recipe, seed)
        _make(factory, count, batch, _Disk(writer, factory.clock), progress)
        writer.finish(factory.attributes)
    return open_phantoms(path, factory.seconds)


def _path(out: Any) -> Path | None:
    try:
        return None if out is None else Path(out)
    except TypeError:
        raise TypeError(f"out must be None or a path, got {arrays.describe(out)}") from None


class _Factory:
    """What is worked out once for a recipe, and the steps that make phantoms with it."""

    def __init__(self, recipe: PhantomRecipe, seed: int) -> None:
        self.recipe, self.seed = recipe, seed
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._counting = threading.Lock()
        with self.clock("plan"):
            self.mesh = disc_mesh(recipe.radius, recipe.nodes, recipe.optodes)
            self.corners = np.ascontiguousarray(self.mesh.nodes[self.mesh.elements])
            self.plans = [
                ForwardModel(
                    self.mesh,
                    recipe.positions,
                    recipe.positions,
                    refractive_index=recipe.refractive_index,
                    source_depth=depth,
                ).plan("elements")
                for depth in recipe.source_depths
            ]

    @contextmanager
    def clock(self, stage: str) -> Iterator[None]:
        """Add the time of the block to its stage."""
        start = time.perf_counter()
        yield
        with self._counting:
            self.seconds[stage] += time.perf_counter() - start

    @property
    def attributes(self) -> dict[str, Any]:
        """What the store says of itself beside its job."""
        return {
            "geometry": {
                "radius": self.recipe.radius,
                "optodes": self.recipe.positions.tolist(),
                "source_depths": self.recipe.source_depths.tolist(),
                "nodes": len(self.mesh.nodes),
                "elements": len(self.mesh.elements),
            },
            "accuracy": {
                "model": "diffusion, Robin boundary, linear triangles: order 2 in their size",
                "solve": "float64",
                "rasterisation": "exact area fractions of elements and pixels",
            },
        }

    def draw(self, first: int, count: int) -> Floats:
        """(count, 3, 8): the regions of the phantoms from index `first` on, see `Phantoms`."""
        regions = np.empty((count, 3, 8))
        with self.clock("draw"):
            diameters = np.array(self.recipe.single_diameters)
            _core.optics.draw_regions(self.recipe.limits, diameters, self.seed, first, regions)
        return regions

    def measure(self, regions: Floats, first: int) -> npt.NDArray[np.float32]:
        """(count, wavelengths, optodes, optodes - 1): the noisy signal of these phantoms."""
        recipe, count = self.recipe, len(regions)
        with self.clock("mix"):
            shares = np.empty((count, 2, len(self.corners)))
            _core.optics.element_shares(regions, self.corners, shares)
            hbo, hb, water, amplitude, power = np.moveaxis(regions[..., 3:], -1, 0)
            mua = spectra.absorption(recipe.wavelengths, hbo, hb, water, recipe.extinction)
            mus = spectra.scattering(recipe.wavelengths, amplitude, power)
        with self.clock("solve"):
            readings = _readings(self.plans, shares, mua, mus, recipe.optodes)
        with self.clock("noise"):
            signal = np.empty(
                (count, len(self.plans), recipe.optodes, recipe.optodes - 1), np.float32
            )
            _core.optics.add_noise(readings, recipe.signal_noise, self.seed, first, signal)
        return signal

    def paint(self, regions: Floats, first: int, room: Buffers) -> None:
        """Fill the maps and the MRI of these phantoms."""
        with self.clock("paint"):
            _core.optics.paint(
                regions,
                self.recipe.radius,
                self.recipe.mri_gray,
                self.recipe.mri_noise,
                self.seed,
                first,
                room["chromophores"],
                room["mri"],
            )


def _readings(
    plans: list[Any], shares: Floats, absorption: Floats, scattering: Floats, optodes: int
) -> Floats:
    """(wavelengths, n, optodes, optodes) fluence at the rim, from each region's properties.

    shares : (n, 2, elements); absorption, scattering : (wavelengths, n, 3) mm^-1
    """
    readings = np.empty((len(plans), len(shares), optodes, optodes))
    for plan, mua, mus, out in zip(plans, absorption, scattering, readings, strict=True):
        plan.measure_mixture(shares, mua, mus, out)
    return readings


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
        layouts = self.writer.layouts.items()
        if not hasattr(self.mine, "room"):
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
    factory: _Factory,
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
