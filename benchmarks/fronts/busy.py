"""A machine whose cores are taken: what a second thread costs that the system seldom runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from scipy import ndimage

from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds
from lesionkit.fronts import arrival_time

BURNERS = 4


def beside_burners(report: Report) -> None:
    """arrival_time on two threads over one, with the machine as it is and beside BURNERS processes
    that never wait."""
    if report.threads == 1:
        report.say("left out: one thread is compared with several, and --threads is 1")
        return
    side = 96 if report.quick else 256
    noise = np.random.default_rng(0).normal(size=(side, side))
    speed = np.exp(6 * ndimage.gaussian_filter(noise, 3))
    seen: dict[int, np.ndarray] = {}

    def march(threads: int) -> None:
        seen[threads] = arrival_time(speed, (3.0, 3.0))

    contenders = {
        f"{n} thread{'s'[: n - 1]}": Contender(lambda n=n: march(n), threads=n)
        for n in dict.fromkeys((1, report.threads))
    }
    one, several = contenders
    rows = []
    for count in (0, BURNERS):
        with burning(count):
            times = rounds(contenders, report.pairs)
        np.testing.assert_array_equal(seen[1], seen[report.threads])
        rows.append([str(count), str(ratio(times[several], times[one]))])
    report.table(
        f"arrival_time, {side} x {side}, beside busy processes",
        ["busy processes", f"{several} over {one}"],
        rows,
        "The same times to the bit. Over 1: the second thread makes it slower.",
    )


@contextmanager
def burning(count: int) -> Iterator[None]:
    """So many processes beside this one that take all the time they are given."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
