"""`lesionkit selftest`: does this machine's GPU compute what the CPU computes?

Each file of kernels has a case: a small problem, done by the kernels and by the CPU. The tests run
the same cases with the kernels on the host (tests/cuda). There is a module for each domain.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

from lesionkit import gpu
from lesionkit.selftest import clustering, fronts, optics, texture
from lesionkit.selftest.checks import GRAY, ROUNDING, SINGLE, Case, Check

__all__ = ["CASES", "GRAY", "ROUNDING", "SINGLE", "Case", "Check", "main"]

CASES: dict[str, Case] = {
    "clustering/fcm/fcm.cu": clustering.fuzzy_c_means,
    "clustering/kmeans/kmeans.cu": clustering.kmeans,
    "fronts/contours/chan_vese.cu": fronts.chan_vese,
    "fronts/eikonal/sweep.cu": fronts.arrival_times,
    "optics/forward.cu": optics.forward,
    "optics/phantom.cu": optics.phantoms,
    "texture/glcm/glcm.cu": texture.cooccurrence,
    "texture/maps/maps.cu": texture.maps,
    "texture/rois/rois.cu": texture.regions,
    "texture/region/runs.cu": texture.run_lengths,
}


def main() -> int:
    """Compile every kernel, check each against the CPU, print one table; 0 if all is well."""
    try:
        cupy = gpu.require()
        print(gpu.describe())
        failed = [line for line in _table(cupy) if not line]
    except gpu.GpuError as problem:
        print(f"lesionkit: selftest needs a GPU: {problem}", file=sys.stderr)
        return 1
    return 1 if failed else 0


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
            verdict = "" if check.passed else "  WRONG"
            print(f"{check.what:44} {check.error:10.1e} {check.allowed:10.1e}{verdict}")
            yield check.passed
