"""What a row of the report is: a piece of work, and the least time that an H200 could take for it.

The least is by arithmetic alone. Bytes are those that must cross the GPU's memory: each array that
goes in, once, and each that comes out, once, for every launch. Operations are those that the
formula asks for, counted by hand and low: a sum, a product, a comparison, a quotient, a root and a
logarithm are one each, though the last three take many times as long as the first. What indices,
loops and address arithmetic cost is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

Section = Literal["selftest", "jobs", "kernels", "tools"]
Kind = Literal["float64", "float32", "integer"]

H200_BANDWIDTH = 4.8e12  # bytes a second of its memory (NVIDIA H200 data sheet)
H200_PEAK: dict[Kind, float] = {
    # operations a second: 132 multiprocessors at 1.98 GHz; of each cycle 64 multiply-adds in
    # float64, 128 in float32, 64 integer operations (CUDA C++ Programming Guide, arithmetic
    # instructions, compute capability 9.0)
    "float64": 132 * 1.98e9 * 64 * 2,
    "float32": 132 * 1.98e9 * 128 * 2,
    "integer": 132 * 1.98e9 * 64,
}


class Arithmetic(NamedTuple):
    """What a piece of work moves and computes, whoever does it."""

    bytes: float
    operations: Mapping[Kind, float]

    @property
    def floor(self) -> tuple[float, str]:
        """The least seconds on an H200, and what they are the time of."""
        times = {"memory": self.bytes / H200_BANDWIDTH}
        times |= {kind: count / H200_PEAK[kind] for kind, count in self.operations.items()}
        return max((seconds, what) for what, seconds in times.items())


class Row(NamedTuple):
    """A piece of work of the report.

    name       : one of its own
    work       : what is done, in words, with its sizes
    run        : does it on the GPU of this process, given cupy; gives figures for the record, of
                 which "problem" says in a sentence what is wrong
    arithmetic : what it asks for; None where that says nothing
    goal       : seconds, if the project has set one
    """

    section: Section
    name: str
    work: str
    run: Callable[[Any], dict[str, Any]]
    arithmetic: Callable[[], Arithmetic] | None = None
    goal: float | None = None

    def record(self) -> dict[str, Any]:
        """What is known without running it."""
        found: dict[str, Any] = {"section": self.section, "name": self.name, "work": self.work}
        if self.arithmetic is not None:
            told = self.arithmetic()
            floor, bound_by = told.floor
            found |= {"bytes": told.bytes, "operations": dict(told.operations)}
            found |= {"h200_floor_seconds": floor, "bound_by": bound_by}
        if self.goal is not None:
            found["goal_seconds"] = self.goal
        return found


def name_of(file: str, kernel: str) -> str:
    """The name of the row of a kernel."""
    return f"{file}: {kernel}"
