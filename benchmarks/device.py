"""The main job and texture on a GPU, in a table: the jobs of `lesionkit gpu-report`."""

from __future__ import annotations

from typing import Any

from benchmarks.report import Report

TITLES = {"cpu": "CPU, s", "copy": "copy on the GPU, s", "transfer": "transfer, s"}
NOTE = (
    "Each is the median of 5 calls between two synchronisations, after one that does not count. "
    "float64; fast: 1,801 nodes of linear elements; accurate: the default mesh. Floor: the longer "
    "of bytes and operations on an H200. Copy: as many bytes as go in and come out, on the GPU. "
    "Transfer: the image to the GPU and the answer back to the host. Answers agree to 1e-9."
)


def on_device(report: Report) -> None:
    """Goals of the GPU road, on the current GPU; says so and stops where there is none."""
    from lesionkit import gpu
    from lesionkit.gpu_report import jobs

    try:
        cupy = gpu.require()
    except gpu.GpuError as problem:
        report.say(f"## On a GPU\n\nNot run on a GPU: {problem}.\n")
        return
    report.say(f"## On a GPU\n\n{gpu.describe()}\n")
    rows = []
    for row in jobs.rows(report.quick):
        found = row.run(cupy)
        if "problem" in found:
            raise AssertionError(f"{row.name}: {found['problem']}")
        floor = row.record().get("h200_floor_seconds")
        times = [found["seconds"], row.goal, floor, *(found.get(f"{t}_seconds") for t in TITLES)]
        rows.append([row.work, *map(_cell, times)])
    report.table("On a GPU", ["work", "GPU, s", "goal", "floor", *TITLES.values()], rows, NOTE)


def _cell(seconds: Any) -> str:
    return "" if seconds is None else f"{seconds:.4g}"
