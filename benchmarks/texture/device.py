"""Texture on a GPU: a million regions (W2) and maps of 4096 x 4096 pixels (W3), against the CPU and
against copying what goes in and comes out.

On a GPU a time stands alone, as in `device.py`; the arrays are there already, and stay there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.report import Report
from benchmarks.texture.work import IN_MAPS, Array, Work, work
from benchmarks.timing import alone, limits

TOLERANCE = 1e-9  # of the answers, relative or absolute: sums in another order
HEADER = [
    "work",
    "GPU, s",
    "CPU, s",
    "CPU / GPU",
    "copy on the GPU, s",
    "GPU / copy",
    "transfer, s",
]
NOTE = (
    "Copy: as many bytes as go in and come out, read and written once in the memory of the GPU: no "
    "kernel can be faster. Transfer: the image to the GPU and the answer back to the host, which a "
    "caller with arrays on the host pays besides. Answers agree to 1e-9."
)
Call = Callable[[Any], Any]  # of an image on the CPU or on the GPU


def regions(job: Work) -> tuple[Array, Call]:
    from lesionkit.texture import roi_features

    return job["rois"], lambda rois: roi_features(rois, job.offsets, job.levels, log_base=math.e)


def maps(job: Work) -> tuple[Array, Call]:
    from lesionkit.texture import feature_maps

    names = list(IN_MAPS.values())

    def call(image: Any) -> Any:
        return feature_maps(image, job.window, job.offsets, job.levels, names, log_base=math.e)

    return job["image"], call


def texture_on_device(report: Report, cupy: Any) -> None:
    """Both works, on the current GPU."""
    count, side = (500, 48) if report.quick else (1_000_000, 4096)
    jobs = {
        f"{count:,} regions of 10 x 10, 20 offsets, 11 features": regions(work("W2", count)),
        f"maps of {side} x {side}, 7 x 7 windows, 4 offsets, 5 features": maps(work("W3", side)),
    }
    rows = [[title, *measured(report, cupy, *job)] for title, job in jobs.items()]
    title = f"Texture on a GPU; the CPU with {report.threads} threads"
    report.table(title, HEADER, rows, NOTE)


def measured(report: Report, cupy: Any, image: Array, call: Call) -> list[str]:
    """A row of the table; AssertionError where the answers differ."""
    wait = cupy.cuda.Device().synchronize
    there = cupy.asarray(image)
    answer = call(there)
    sent = cupy.empty(image.nbytes + answer.nbytes, np.uint8)
    with limits(report.threads):
        expected = call(image)
        cpu = alone(lambda: call(image), min(report.pairs, 3))
    np.testing.assert_allclose(cupy.asnumpy(answer), expected, rtol=TOLERANCE, atol=TOLERANCE)
    gpu = alone(lambda: call(there), report.pairs, wait)
    copy = alone(sent.copy, report.pairs, wait)
    transfer = alone(lambda: (cupy.asarray(image), cupy.asnumpy(answer)), report.pairs, wait)
    figures = [gpu, cpu, cpu / gpu, copy, gpu / copy, transfer]
    return [f"{figure:.4g}" for figure in figures]
