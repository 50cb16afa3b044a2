"""NVIDIA's own tools over the kernels, where they are installed: compute-sanitizer and ncu."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lesionkit import gpu
from lesionkit.gpu_report.rows import Row, name_of

SANITIZERS = ("memcheck", "racecheck", "synccheck", "initcheck")
METRICS = (
    "gpu__time_duration.sum",
    "dram__bytes.sum",
    "sm__warps_active.avg.pct_of_peak_sustained_active",
    "sm__throughput.avg.pct_of_peak_sustained_elapsed",
    "l1tex__data_pipe_lsu_wavefronts_mem_shared.sum",
    "l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum",
)
MAX_SECONDS = 1800.0  # of one run under a tool


def rows() -> list[Row]:
    """For each file of kernels its selftest under each sanitizer, and its problems under ncu."""
    found = []
    for file, kernels in gpu.KERNELS.items():
        for tool in SANITIZERS:
            work = f"compute-sanitizer, the selftest of {file}"
            found.append(Row("tools", f"{tool} of {file}", work, partial(sanitized, tool, file)))
        names = [name_of(file, kernel) for kernel in kernels]
        work = f"ncu, the problems of {len(names)} kernels"
        found.append(Row("tools", f"ncu of {file}", work, partial(profiled, names)))
    return found


def sanitized(tool: str, file: str, _: Any) -> dict[str, Any]:
    """What a sanitizer says at its end."""
    asked = ["compute-sanitizer", "--tool", tool]
    said = _run(asked, [f"selftest of {file}"])
    if isinstance(said, dict):
        return said
    summary = re.findall(r"=+ ((?:\w+ )?SUMMARY: .*)", said)
    if not summary:
        return {"problem": f"compute-sanitizer gives no summary: {_last(said)}"}
    found = {"summary": summary[-1]}
    clean = re.search(r"SUMMARY: 0 (errors|hazards)", summary[-1])
    return found if clean else found | {"problem": summary[-1]}


def profiled(names: Sequence[str], _: Any) -> dict[str, Any]:
    """Counters of the first launch of each kernel."""
    asked = ["ncu", "--csv", "--page", "raw", "--metrics", ",".join(METRICS)]
    said = _run(asked, names)
    if isinstance(said, dict):
        return said
    table = [line for line in said.splitlines() if line.startswith('"')]
    counters: dict[str, dict[str, str]] = {}
    for line in csv.DictReader(table):  # the line below the titles has the units
        kernel = line.get("Kernel Name", "").partition("(")[0].removeprefix("void ")
        kernel = kernel or "unit"
        counters.setdefault(kernel, {name: line.get(name) or "" for name in METRICS})
    if len(counters) < 2:
        return {"problem": f"ncu gives no counters: {_last(said)}"}
    return {"counters": counters}


def _run(tool: Sequence[str], names: Sequence[str]) -> str | dict[str, Any]:
    """What a tool says while a process does rows; or why there is nothing."""
    if shutil.which(tool[0]) is None:
        return {"state": f"not run: {tool[0]} is not installed"}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        asked = [*tool, "--log-file", str(log), sys.executable, "-m", "lesionkit.gpu_report.work"]
        try:
            done = subprocess.run(
                asked,
                input=json.dumps(list(names)),
                capture_output=True,
                text=True,
                timeout=MAX_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return {"problem": f"{tool[0]} took more than {MAX_SECONDS:g} s"}
        said = log.read_text(errors="replace") if log.exists() else ""
        return said or {"problem": f"{tool[0]} says nothing: {_last(done.stderr)}"}


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["nothing"])[-1]
