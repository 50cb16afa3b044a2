"""Cases of csrc/fronts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lesionkit import _core
from lesionkit.arrays import to_host
from lesionkit.selftest.checks import ROUNDING, SINGLE, Check, distance


def chan_vese(xp: Any) -> Iterator[Check]:
    """csrc/fronts/contours/chan_vese.cu: a picture that comes to rest; a masked volume of two
    channels.
    """
    from lesionkit.fronts.contours import chan_vese_gpu

    random = np.random.default_rng(6)
    for shape, kind, tol, most in (
        ((1, 1, 17, 19), np.float64, 0.093, 4),
        ((2, 4, 7, 9), np.float32, -1.0, 2),
    ):
        volume = shape[1] > 1
        image: Any = random.uniform(size=shape).astype(kind)
        mask = (random.uniform(size=shape[1:]) < 0.8).astype(np.uint8) if volume else None
        start: Any = random.normal(size=shape[1:]).astype(kind)
        if mask is not None:
            image, start = image * mask, start * mask
        cpu, ours = start.copy(), xp.asarray(start.copy())
        rest = (volume, 0.2, [1.0, 1.5] * len(image), tol, most, 0.5, True)
        on_gpu = None if mask is None else xp.asarray(mask)
        made = chan_vese_gpu.chan_vese(xp.asarray(image), on_gpu, ours, *rest)
        energies = np.array(_core.fronts.chan_vese(image, mask, cpu, *rest)).reshape(
            -1, 2 + 4 * len(image)
        )
        what = f"contours without edges: {'volume' if volume else 'picture'}, {cpu.dtype}"
        allowed = SINGLE if kind == np.float32 else ROUNDING
        yield Check(f"{what}, iterations", abs(len(made) - len(energies)), 0)
        yield Check(what, distance(ours, cpu), allowed)
        if len(made) == len(energies):
            yield Check(f"{what}, energies", distance(made, energies), allowed)


def arrival_times(xp: Any) -> Iterator[Check]:
    """csrc/fronts/eikonal/sweep.cu: pictures and volumes in tiles that do not divide them, with
    walls; a batch of images that are a tile each.
    """
    from lesionkit.fronts import arrival_gpu

    random = np.random.default_rng(6)
    for what, kind, shape, tile, spacing in (
        ("a picture", "f4", (1, 1, 11, 13), (1, 5, 6), (1.0, 1.0, 1.0)),
        ("a volume", "f8", (1, 5, 6, 7), (3, 4, 4), (2.0, 1.0, 0.5)),
        ("a batch", "f4", (5, 1, 7, 6), (1, 7, 6), (1.0, 1.0, 1.0)),
    ):
        images, nodes = shape[0], int(np.prod(shape[1:]))
        speed = random.uniform(0.5, 1, shape).astype(kind)
        mask = (random.uniform(size=shape) < 0.85).astype(np.uint8)
        speed.reshape(images, -1)[:, 3] = 0
        mask.reshape(images, -1)[:, [0, nodes - 1]] = 1
        first = np.arange(images + 1) * 2
        starts = np.tile([0, nodes - 1], images)
        at = np.tile([0.0, 0.25], images).astype(kind)
        rest = (1.0, spacing, np.inf, first, starts, at)
        cpu = np.empty_like(speed)
        _core.fronts.arrival_times(speed, mask, *rest, cpu)
        ours = xp.full(shape, 77, kind)
        arrival_gpu.arrival_times(xp.asarray(speed), xp.asarray(mask), *rest, ours, tile, 4)
        found = to_host(ours)
        differ = float((np.isfinite(found) != np.isfinite(cpu)).sum())
        yield Check(f"fronts: {what}, nodes reached", differ, 0)
        found, cpu = (np.where(np.isfinite(a), a, 0) for a in (found, cpu))
        yield Check(f"fronts: {what}", distance(found, cpu), SINGLE if kind == "f4" else ROUNDING)


def accurate(xp: Any) -> Iterator[Check]:
    """csrc/fronts/accurate/accurate.cu: order 2 or factored, about one seed or two, between nodes;
    a picture of smooth speeds, a volume with a wall across one seed's cell, a batch of a smooth
    image and a rough one; tiles that do not divide them.
    """
    from lesionkit import arrays
    from lesionkit.fronts import arrival_gpu
    from lesionkit.fronts.arrival import Task

    random = np.random.default_rng(12)
    auto, all_over, none = -1.0, math.inf, 0.0
    seeds = [(2.25, 3.5), (6.0, 12.0)]
    seeds_in_space = [(1.25, 3.5, 2.0), (5.0, 1.0, 5.5)]
    for what, kind, shape, tile, order, reach, at in (
        ("a picture", "f4", (8, 15), (1, 5, 8), 2, auto, seeds),
        ("a volume", "f8", (6, 6, 7), (4, 4, 5), 2, auto, seeds_in_space),
        ("a volume of order 1", "f4", (6, 6, 7), (4, 4, 5), 1, all_over, seeds_in_space[:1]),
        ("a picture of order 1", "f8", (8, 15), (1, 5, 8), 1, all_over, seeds),
        ("a batch", "f8", (2, 8, 15), (1, 8, 8), 2, auto, [seeds[:1], seeds[1:]]),
        ("no factoring", "f4", (8, 15), (1, 8, 8), 2, none, seeds),
    ):
        away = np.indices(shape).sum(axis=0)
        speed: Any = (1 + 0.3 * np.sin(away / 9)).astype(kind)
        batch = 0 if what == "a batch" else None
        if batch == 0:
            speed[1] = random.uniform(0.4, 1, shape[1:])
        if what == "a volume":
            speed[1, 4:, 1] = 0
        home = arrays.home(speed=speed)
        task = Task.of(home, speed, at, 1.0 if kind == "f4" else 1.5, None, None, batch)
        starts = task.starts()
        fronts = starts.first, starts.nodes, starts.times
        problem = task.speed, None, task.scale, task.spacing
        cpu = np.empty_like(task.speed)
        _core.fronts.arrival_times(*problem, np.inf, *fronts, cpu)
        ours = xp.asarray(cpu.copy())
        rest = order, reach, starts.seed_of, starts.seeds
        _core.fronts.make_accurate(*problem, 30.0, *fronts, cpu, *rest)
        problem = xp.asarray(task.speed), *problem[1:]
        arrival_gpu.make_accurate(*problem, 30.0, *fronts, ours, *rest, tile, 1)
        found = to_host(ours)
        differ = float((np.isfinite(found) != np.isfinite(cpu)).sum())
        yield Check(f"accurate fronts: {what}, nodes reached", differ, 0)
        found, cpu = (np.where(np.isfinite(a), a, 0) for a in (found, cpu))
        allowed = SINGLE if kind == "f4" else ROUNDING
        yield Check(f"accurate fronts: {what}", distance(found, cpu), allowed)


def labels(xp: Any) -> Iterator[Check]:
    """csrc/fronts/eikonal/labels.cu: whose front came first, in a picture, a volume and a batch;
    two starts at one node, one that is late, walls, and what no front reaches.
    """
    from lesionkit.fronts import arrival_gpu

    random = np.random.default_rng(9)
    for what, kind, shape in (
        ("a picture", "f4", (1, 1, 9, 23)),
        ("a volume", "f8", (1, 4, 5, 6)),
        ("a batch", "f4", (3, 1, 5, 7)),
    ):
        images, nodes = shape[0], int(np.prod(shape[1:]))
        speed = random.uniform(0.5, 1, shape).astype(kind)
        speed.reshape(images, -1)[:, nodes // 2 : nodes // 2 + 3] = 0
        first = np.arange(images + 1) * 4
        starts = np.tile([0, nodes - 1, nodes - 1, 1], images)
        at = np.tile([0.0, 0.25, 0.25, 90.0], images).astype(kind)
        seed_of = np.tile([7, 3, 5, 9], images).astype(np.int32)
        times = np.empty_like(speed)
        fronts = first, starts, at
        _core.fronts.arrival_times(speed, None, 1.0, (1.0, 1.0, 1.0), 5.0, *fronts, times)
        found = [m.full(shape, 77, np.int32) for m in (xp, np)]
        arrival_gpu.front_labels(xp.asarray(times), *fronts, seed_of, found[0])
        _core.fronts.front_labels(times, *fronts, seed_of, found[1])
        differ = float((to_host(found[0]) != found[1]).sum())
        yield Check(f"fronts: {what}, labels", differ, 0)
