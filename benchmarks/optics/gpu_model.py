"""What limits the solver of csrc/optics/forward.cu on an H200, worked out without one: floors of
shared memory and float64 units, and the longest path of a block from barrier to barrier.

The figures are no times: they tell which of two schedules asks for less, and of what. A GPU at work
does not reach a floor, and paths of blocks that share a multiprocessor overlap.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from benchmarks.optics.shared_memory import Cost, Schedule, Walk
from benchmarks.report import Report

SYSTEMS = 180_000  # of the main job: 20,000 phantoms at 9 wavelengths
MULTIPROCESSORS, CLOCK = 132, 1.755e9  # of an H200; cycles a second
SHARED_BYTES = 228 * 1024  # of a multiprocessor
RESERVED_BYTES = 1024  # of each block, beside its own
FLOAT64_UNITS = 64  # of a multiprocessor
BLOCK_ENTRIES = 16

AS_IT_IS = Schedule("as it is")
SCHEDULES = (
    Schedule("before", sums_in_memory=True, all_factor=True, columns_scaled=True),
    AS_IT_IS,
    Schedule("and odd rows", odd_rows=True),
    Schedule("and a tile's rows apart", odd_rows=True, apart=True),
)
KINDS = {"double": 8, "complex": 16}


class Time(NamedTuple):
    """Seconds of SYSTEMS systems, by what they would have to wait for alone."""

    shared: float
    arithmetic: float
    path: float

    @property
    def predicted(self) -> float:
        return max(self)


@cache
def tables() -> tuple[dict[str, Any], int]:
    """The plan of the main job's linear mesh as the GPU reads it, and entries of its panels."""
    from lesionkit import _core
    from lesionkit.optics import PhantomRecipe
    from lesionkit.optics.forward import forward_gpu
    from lesionkit.optics.phantoms.factory import PhantomFactory

    plans = PhantomFactory(PhantomRecipe(), 0, accuracy="fast").models[0].plans
    stack = plans.at("elements").stack()
    header, table, _ = forward_gpu.flatten(plans.parts("elements"), stack)
    names = _core.optics.ForwardPlan.device_parts
    first = len(names["counts"])
    places = [*header[first : first + len(names["tables"])].tolist(), len(table)]
    parts = {
        name: table[a:b].astype(np.int64)
        for name, a, b in zip(names["tables"], places[:-1], places[1:], strict=True)
    }
    parts["shapes"] = parts["shapes"].reshape(-1, 4)
    return parts, stack["size"]


def resident(size: int, itemsize: int, parts: dict[str, Any]) -> int:
    """Blocks that a multiprocessor holds, by their shared memory."""
    entries = size + int(parts["shapes"][:, 0].max()) + BLOCK_ENTRIES
    return max(1, SHARED_BYTES // (entries * itemsize + RESERVED_BYTES))


def time_of(cost: Cost, blocks: int) -> Time:
    """Of SYSTEMS systems, `blocks` of them at once on each multiprocessor."""
    each = SYSTEMS / MULTIPROCESSORS / CLOCK
    return Time(
        shared=each * cost.wavefronts,
        arithmetic=each * cost.arithmetic * 32 / FLOAT64_UNITS,
        path=each * cost.path / blocks,
    )


def model(report: Report) -> None:
    """Tables of `python -m benchmarks gpu-model`."""
    parts, size = tables()
    report.say(
        f"## The forward solver on an H200, by a model: not run on a GPU\n\n"
        f"{len(parts['shapes'])} fronts, {size:,} entries of panels. {SYSTEMS:,} systems on "
        f"{MULTIPROCESSORS} multiprocessors at {CLOCK / 1e9} GHz: shared memory one wavefront a "
        f"cycle; {FLOAT64_UNITS} float64 lanes; the path of a block over the blocks that a "
        f"multiprocessor holds. Predicted: the largest of the three.\n"
    )
    rows = []
    for kind, itemsize in KINDS.items():
        blocks = resident(size, itemsize, parts)
        walk = Walk(parts, AS_IT_IS, itemsize)
        whole = walk.walk()
        report.table(
            f"One {kind} system, {AS_IT_IS.name}",
            ["phase", "wavefronts", "without conflicts", "requests", "float64", "barriers", "path"],
            [_row(name, cost) for name, cost in [*walk.phases.items(), ("whole", whole)]],
        )
        for schedule in SCHEDULES:
            cost = Walk(parts, schedule, itemsize).walk()
            time = time_of(cost, blocks)
            rows.append(
                [
                    kind,
                    schedule.name,
                    str(blocks),
                    f"{cost.wavefronts:,.0f}",
                    f"{cost.no_conflicts:,.0f}",
                    *(f"{value:.3f}" for value in (*time, time.predicted)),
                ]
            )
    report.table(
        f"{SYSTEMS:,} systems, seconds",
        [
            "numbers",
            "schedule",
            "blocks",
            "wavefronts",
            "without conflicts",
            "shared",
            "float64",
            "path",
            "predicted",
        ],
        rows,
    )


def _row(name: str, cost: Cost) -> list[str]:
    numbers = (cost.wavefronts, cost.no_conflicts, cost.requests, cost.arithmetic)
    return [name, *(f"{n:,.0f}" for n in (*numbers, cost.barriers, cost.path))]
