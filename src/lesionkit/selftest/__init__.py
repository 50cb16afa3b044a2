"""`lesionkit selftest`: do this machine's CPU and GPU compute what they should?

The CPU's kernels, of each instruction set that is built and runs here, are checked against plain
NumPy (`known`). Each file of GPU kernels has a case: a small problem, done by the kernels and by
the CPU. The tests run the same cases with the kernels on the host (tests/cuda). There is a module
for each domain.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import lesionkit
from lesionkit import gpu, processors
from lesionkit.selftest import clustering, fronts, optics, texture
from lesionkit.selftest.checks import GRAY, ROUNDING, SINGLE, Case, Check

__all__ = ["CASES", "GRAY", "ROUNDING", "SINGLE", "Case", "Check", "main"]

CASES: dict[str, Case] = {
    "clustering/fcm/fcm.cu": clustering.fuzzy_c_means,
    "clustering/kmeans/kmeans.cu": clustering.kmeans,
    "clustering/spatial/spatial.cu": clustering.spatial,
    "fronts/contours/chan_vese.cu": fronts.chan_vese,
    "fronts/accurate/accurate.cu": fronts.accurate,
    "fronts/eikonal/labels.cu": fronts.labels,
    "fronts/eikonal/sweep.cu": fronts.arrival_times,
    "optics/fields/fields.cu": optics.fields,
    "optics/forward.cu": optics.forward,
    "optics/phantom.cu": optics.phantoms,
    "optics/volume/assemble.cu": optics.solid_matrices,
    "optics/volume/solve.cu": optics.solid_readings,
    "texture/glcm/glcm.cu": texture.cooccurrence,
    "texture/maps/maps.cu": texture.maps,
    "texture/rois/rois.cu": texture.regions,
    "texture/region/runs.cu": texture.run_lengths,
    "texture/region/zones.cu": texture.zones,
}


def main() -> int:
    """Check every kernel that can run here, print one table; 0 if all is well."""
    wrong = [check for level in processors.levels() for check in _on_cpu(level) if not check.passed]
    try:
        cupy = gpu.require()
        print(f"\n{gpu.describe()}")
        failed = [line for line in _table(cupy) if not line]
    except gpu.GpuError as problem:
        print(f"\nGPU: its kernels are not checked: {problem}")
        failed = []
    return 1 if wrong or failed else 0


def _on_cpu(level: str) -> Iterator[Check]:
    """The known answers by the kernels of an instruction set, in a process of its own: that of this
    one is chosen already, and a kernel that stops takes no more than that process with it."""
    print(f"\n{f'CPU, {level}, against known answers':44} {'error':>10} {'allowed':>10}")
    chosen = {"LESIONKIT_ISA": level, "LESIONKIT_NUM_THREADS": str(lesionkit.threads())}
    done = subprocess.run(
        [sys.executable, "-m", "lesionkit.selftest.known"],
        env={**os.environ, **chosen},
        capture_output=True,
        text=True,
    )
    checks = [Check(*json.loads(line)) for line in done.stdout.splitlines()]
    if done.returncode:
        last = (done.stderr.splitlines() or [f"exit code {done.returncode}"])[-1]
        checks.append(Check(f"stopped: {last}", float("nan"), 0))
    for check in checks:
        _tell(check)
        yield check


def _tell(check: Check) -> None:
    verdict = "" if check.passed else "  WRONG"
    print(f"{check.what:44} {check.error:10.1e} {check.allowed:10.1e}{verdict}")


def _table(cupy: Any) -> Iterator[bool]:
    print(f"\n{'kernel':44} {'compiled':>10}")
    device = cupy.cuda.Device().id
    for file, kernels in gpu.KERNELS.items():
        for kernel in kernels:
            start = time.perf_counter()
            gpu.compiled(file, kernel, device)
            print(f"{kernel:44} {time.perf_counter() - start:8.2f} s")
    print(f"\n{'against the CPU':44} {'error':>10} {'allowed':>10}")
    for case in CASES.values():
        for check in case(cupy):
            _tell(check)
            yield check.passed
