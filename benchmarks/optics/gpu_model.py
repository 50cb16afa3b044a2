"""What limits the solver of csrc/optics/forward.cu on an H200, worked out without one: floors of
shared memory and float64 units, and the longest path of a block from barrier to barrier.

The figures are no times: they tell which of two schedules asks for less, and of what. A GPU at work
does not reach a floor, and paths of blocks that share a multiprocessor overlap.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

from benchmarks.optics.shared_memory import Cost, Walk
from benchmarks.report import Report
from lesionkit import _core, gpu
from lesionkit.optics import PhantomRecipe
from lesionkit.optics.forward import forward_gpu
from lesionkit.optics.phantoms.factory import PhantomFactory

SYSTEMS = 180_000  # of the main job: 20,000 phantoms at 9 wavelengths
CLOCK = 1.755e9  # cycles a second, of an H200
H200 = gpu.Properties("NVIDIA H200", 90, 132, 227 * 1024, 228 * 1024, 141 * 10**9)
FLOAT64_UNITS = 64  # of a multiprocessor
KINDS = {"double": 8, "complex": 16}
THREADS = (32, 64, 128, 256)  # of a block: what others would give
THREADS_HELD = {"double": 384, "complex": 256}  # by a multiprocessor's registers


class Time(NamedTuple):
    """Seconds of SYSTEMS systems, by what they would have to wait for alone."""

    shared: float
    arithmetic: float
    path: float

    @property
    def predicted(self) -> float:
        return max(self)


class Placed(NamedTuple):
    """The plan of the main job's linear mesh as an H200 reads it."""

    parts: dict[str, Any]  # its tables, and the fields of its fronts
    near: int  # entries of panels in shared memory
    far: int  # and outside
    blocks: int  # that a multiprocessor holds


@cache
def parts_of_main_job() -> dict[str, Any]:
    """As from `build_plan`."""
    plans = PhantomFactory(PhantomRecipe(), 0, accuracy="fast").models[0].plans
    return plans.parts("elements")


@cache
def placed(itemsize: int) -> Placed:
    """For numbers of that size."""
    plan = forward_gpu.DevicePlan(parts_of_main_job(), 0, np)
    with patch.object(gpu, "properties", lambda _: H200):
        (header, table, _), where, shared, _ = plan.placed(itemsize)
    names = _core.optics.ForwardPlan.device_parts
    first = len(names["counts"])
    places = [*header[first : first + len(names["tables"])].tolist(), len(table)]
    parts: dict[str, Any] = {
        name: table[a:b].astype(np.int64)
        for name, a, b in zip(names["tables"], places[:-1], places[1:], strict=True)
    }
    records = parts["front"].reshape(-1, len(names["front"]))
    columns, rows = forward_gpu.TILE
    parts["tiles"] = parts["tile"].reshape(-1, 3 + columns * rows)
    parts |= dict(zip(names["front"], records.T, strict=True))
    blocks = H200.shared_per_multiprocessor // (shared + gpu.RESERVED_SHARED)
    return Placed(parts, where.near_size, where.far_size, blocks)


def time_of(cost: Cost, blocks: int) -> Time:
    """Of SYSTEMS systems, `blocks` of them at once on each multiprocessor."""
    each = SYSTEMS / H200.multiprocessors / CLOCK
    return Time(
        shared=each * cost.wavefronts,
        arithmetic=each * cost.arithmetic * 32 / FLOAT64_UNITS,
        path=each * cost.path / blocks,
    )


def model(report: Report) -> None:
    """Tables of `python -m benchmarks gpu-model`."""
    report.say(
        f"## The forward solver on an H200, by a model: not run on a GPU\n\n"
        f"{SYSTEMS:,} systems of {len(parts_of_main_job()['fronts'])} fronts on "
        f"{H200.multiprocessors} multiprocessors at {CLOCK / 1e9} GHz: shared memory one wavefront "
        f"a cycle; {FLOAT64_UNITS} float64 lanes; the path of a block over the blocks that a "
        f"multiprocessor holds. Predicted: the largest of the three.\n"
    )
    rows = []
    for kind, itemsize in KINDS.items():
        plan = placed(itemsize)
        for threads in THREADS:
            walk = Walk(plan.parts, itemsize, threads)
            whole = walk.walk()
            if threads == forward_gpu.THREADS:
                report.table(
                    f"One {kind} system: {plan.near:,} entries near, {plan.far:,} far",
                    [
                        "phase",
                        "wavefronts",
                        "without conflicts",
                        "requests",
                        "float64",
                        "barriers",
                        "path",
                    ],
                    [_row(name, cost) for name, cost in [*walk.phases.items(), ("whole", whole)]],
                    f"{walk.far:,} entries of far panels read or written by updates.",
                )
            blocks = min(plan.blocks, forward_gpu.RESIDENT, THREADS_HELD[kind] // threads)
            time = time_of(whole, blocks)
            figures = (whole.wavefronts, whole.no_conflicts, whole.arithmetic, whole.path)
            rows.append(
                [
                    kind,
                    str(threads),
                    str(blocks),
                    *(f"{n:,.0f}" for n in figures),
                    *(f"{value:.3f}" for value in (*time, time.predicted)),
                ]
            )
    report.table(
        f"{SYSTEMS:,} systems, seconds",
        [
            "numbers",
            "threads",
            "blocks",
            "wavefronts",
            "without conflicts",
            "float64",
            "path",
            "shared",
            "arithmetic",
            "latency",
            "predicted",
        ],
        rows,
    )


def _row(name: str, cost: Cost) -> list[str]:
    numbers = (cost.wavefronts, cost.no_conflicts, cost.requests, cost.arithmetic)
    return [name, *(f"{n:,.0f}" for n in (*numbers, cost.barriers, cost.path))]
