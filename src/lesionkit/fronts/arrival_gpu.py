"""Arrival times on a GPU: the kernels of csrc/fronts/eikonal, and what they are given."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lesionkit import gpu
from lesionkit.arrays import namespace, to_host

FILE, LABELS = "fronts/eikonal/sweep.cu", "fronts/eikonal/labels.cu"
ACCURATE = "fronts/accurate/accurate.cu"
THREADS = 256  # of a block
FOLLOWING = 128  # of a block of `follow_order`, which has more registers
ROUNDS = 8  # between two looks at whether all is done
SMALL = 96 * 1024  # bytes of shared memory that an image may take at most, to be one tile


def arrival_times(
    speed: Any,
    mask: Any,
    scale: float,
    spacing: Sequence[float],
    stop: float,
    first: Any,
    nodes: Any,
    at: Any,
    times: Any,
    tile: Sequence[int] | None = None,
    rounds: int | None = None,
) -> None:
    """As `lesionkit._core.fronts`; speed, mask and times are CuPy arrays, the starts NumPy's.

    tile : its planes, rows and columns; at first what suits the images
    """
    xp = namespace(speed)
    real = speed.dtype.type
    images, *size = speed.shape
    device = gpu.device_of(speed)
    if tile is None:
        tile = tile_of(size, images, speed.dtype.itemsize, device)
    tiles = [-(-n // edge) for n, edge in zip(size, tile, strict=True)]
    count = images * math.prod(tiles)
    times[...] = math.inf
    image = np.repeat(np.arange(images), np.diff(first))
    place = np.stack(np.unravel_index(nodes, size))
    earliest: dict[int, float] = {}  # of a node that several fronts start at
    for node, time in zip((image * math.prod(size) + nodes).tolist(), at.tolist(), strict=True):
        earliest[node] = min(time, earliest.get(node, math.inf))
    if not earliest:
        return
    where = xp.asarray(np.fromiter(earliest.keys(), np.int64))
    times.reshape(-1)[where] = xp.asarray(np.fromiter(earliest.values(), speed.dtype))

    queue, queued = np.zeros((3, count), np.int64), np.zeros((3, count), np.uint32)
    counts = np.zeros(3, np.uint32)
    for colour, asked in enumerate(_neighbour_tiles(image, place, size, tile, tiles)):
        queue[colour, : len(asked)] = asked
        queued[colour, asked] = 1
        counts[colour] = len(asked)
    queue, queued, counts = xp.asarray(queue), xp.asarray(queued), xp.asarray(counts)

    even = len({*spacing[1 if size[0] == 1 else 0 :]}) == 1
    border = [n + 2 for n in tile]
    border[0] -= 0 if size[0] > 1 else 2
    fixed = (
        speed,
        mask,
        gpu.struct([*size, *tile]),
        xp.asarray(np.array(spacing), dtype=speed.dtype),
        int(even),
        real(scale),
        real(stop),
        real(math.inf),
        count,
    )
    blocks = gpu.blocks_for(count, 1, device)
    shared = math.prod(border) * speed.dtype.itemsize
    kernel = f"relax_tiles<{gpu.c_type(speed)}>"
    done = 0
    while True:
        for _ in range(rounds or ROUNDS):
            args = [*fixed, done, queue, queued, counts, times]
            gpu.launch(FILE, kernel, blocks, THREADS, args, shared)
            done += 1
            if count == images:  # no tile has one beside it
                break
        if count == images or int(counts[done % 3]) == int(counts[(done + 1) % 3]) == 0:
            break
    if math.isfinite(stop):
        times[times > real(stop)] = math.inf


def front_labels(times: Any, first: Any, nodes: Any, at: Any, label_of: Any, labels: Any) -> None:
    """As `lesionkit._core.fronts`; times and labels are CuPy arrays, the starts NumPy's. Where two
    neighbours of a node are the earliest, it has the label of the first by number."""
    xp, (images, *size) = namespace(times), times.shape
    node = np.repeat(np.arange(images), np.diff(first)) * math.prod(size) + nodes
    came = to_host(times.reshape(-1)[xp.asarray(node)]) == at
    node, given = node[came], np.asarray(label_of)[came]
    node, once = np.unique(node, return_index=True)  # of several starts the first
    labels[...] = 0
    labels.reshape(-1)[xp.asarray(node)] = xp.asarray(given[once])
    blocks = gpu.blocks_for(times.size, THREADS, gpu.device_of(times))
    parent, other = xp.empty(times.size, np.int64), xp.empty(times.size, np.int64)
    args = [times, gpu.struct(size), images, labels, times.dtype.type(math.inf), parent]
    gpu.launch(LABELS, f"front_parents<{gpu.c_type(times)}>", blocks, THREADS, args)
    while True:
        changed = xp.zeros(1, np.uint32)
        args = [times.size, parent, other, changed]
        gpu.launch(LABELS, "parent_of_parent", blocks, THREADS, args)
        parent, other = other, parent
        if not int(changed[0]):
            break
    labels[...] = labels.reshape(-1)[parent].reshape(labels.shape)


def make_accurate(
    speed: Any,
    mask: Any,
    scale: float,
    spacing: Sequence[float],
    stop: float,
    first: Any,
    nodes: Any,
    at: Any,
    times: Any,
    order: int,
    reach: float,
    seed_of: Any,
    seeds: Any,
    tile: Sequence[int] | None = None,
    rounds: int | None = None,
) -> None:
    """As `lesionkit._core.fronts`, with arrays as of :func:`arrival_times`; seeds and what tells of
    starts are NumPy's.

    tile : its planes, rows and columns, none of which is 1 where the image has more
    """
    xp, (images, *size), count = namespace(speed), speed.shape, seeds.shape[1]
    device, kind = gpu.device_of(speed), gpu.c_type(speed)
    real = speed.dtype.type
    labels = None
    if count > 1 and reach != 0:
        labels = xp.empty(speed.shape, np.int32)
        front_labels(times, first, nodes, at, seed_of, labels)
    given = [speed, mask, gpu.struct(size), xp.asarray(np.array(spacing), dtype=speed.dtype)]
    given += [real(scale), images]
    reaches = xp.full(images, reach, speed.dtype)
    blocks = gpu.blocks_for(images, THREADS, device)
    rough = xp.empty(images, speed.dtype)
    gpu.launch(ACCURATE, f"find_reach<{kind}>", blocks, THREADS, [*given, rough])
    rough_images = np.isfinite(to_host(rough))
    if reach < 0:
        reaches = rough
    factored = (reaches > 0) | (order == 1)
    reaches[~factored] = -1
    image = np.repeat(np.arange(images), np.diff(first))
    starts = xp.asarray(image * math.prod(size) + nodes), xp.asarray(at)
    points, slowness = xp.asarray(seeds), xp.empty((images, count), speed.dtype)

    tile = tile or ((8, 8, 8) if size[0] > 1 else (1, 32, 32))
    tiles = images * math.prod(-(-n // edge) for n, edge in zip(size, tile, strict=True))
    border = [n + 4 for n in tile]
    border[0] -= 0 if size[0] > 1 else 4
    shared = 2 * math.prod(border) * speed.dtype.itemsize
    follow = f"follow_order<{kind}, {3 if size[0] > 1 else 2}>"
    ask = xp.empty(tiles, np.uint32)
    # A second time in the order that the first has found: there rays run where they should.
    for again in range(1 if rough_images.all() else 2):
        before = times.copy()
        times[...] = math.inf
        args = [*given, before, len(nodes), *starts, count, points, factored.view(np.uint8)]
        blocks = gpu.blocks_for(images * count + len(nodes), THREADS, device)
        args += [slowness, times]
        gpu.launch(ACCURATE, f"start_fronts<{kind}>", blocks, THREADS, args)
        ask[...] = 1
        fixed = [speed, before, gpu.struct([*size, *tile]), given[3], real(scale), tiles]
        own = [count, points, slowness, reaches, labels, ask]
        while True:
            progress = xp.zeros(1, np.uint32)
            for turn in range(2 * (rounds or ROUNDS)):
                args = [*fixed, turn % 2, int(order == 2), *own, progress, times]
                blocks = gpu.blocks_for(tiles, 1, device)
                gpu.launch(ACCURATE, follow, blocks, FOLLOWING, args, shared)
            if not int(progress[0]):
                break
        if again:
            times[xp.asarray(rough_images)] = before[xp.asarray(rough_images)]
    if math.isfinite(stop):
        times[times > real(stop)] = math.inf


def tile_of(size: Sequence[int], images: int, itemsize: int, device: int) -> tuple[int, ...]:
    """A tile for images of this size: all of it, where many small ones fill the GPU."""
    whole = math.prod(n + 2 for n in size if n > 1) * itemsize
    if images >= 16 and whole <= SMALL and gpu.fits(whole, device):
        return tuple(size)
    return (8, 8, 8) if size[0] > 1 else (1, 32, 32)


def _neighbour_tiles(
    image: Any, place: Any, size: Sequence[int], tile: Sequence[int], tiles: Sequence[int]
) -> list[Any]:
    """The tiles that hold nodes beside the starts, or these: the red ones, and the black ones."""
    edges = np.array(tile)[:, None]
    asked: list[set[int]] = [set(), set()]
    for axis, step in itertools.product(range(3), (-1, 0, 1)):
        neighbour = place.copy()
        neighbour[axis] += step
        inside = (neighbour[axis] >= 0) & (neighbour[axis] < size[axis])
        index = neighbour[:, inside] // edges
        number = image[inside]
        for n, count in zip(index, tiles, strict=True):
            number = number * count + n
        colour = index.sum(axis=0) % 2
        for c in (0, 1):
            asked[c].update(number[colour == c].tolist())
    return [np.array(sorted(a), np.int64) for a in asked]
