"""`lesionkit selftest`: does this machine's GPU compute what the CPU computes?

Each file of kernels has a case: a small problem, done by the kernels and by the CPU. The tests run
the same cases with the kernels on the host (tests/cuda).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from lesionkit import _core, gpu

ROUNDING = 1e-9  # float64 on a GPU against the CPU, relative to the largest value
SINGLE = 1e-6  # the same where the answer is float32
GRAY = 1e-3  # share of bytes that may round the other way


class Check(NamedTuple):
    """One comparison: how far off, and how far off it may be."""

    what: str
    error: float
    allowed: float

    @property
    def passed(self) -> bool:
        return self.error <= self.allowed  # false for NaN


Case = Callable[[Any], Iterator[Check]]


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


def phantoms(xp: Any) -> Iterator[Check]:
    """csrc/optics/phantom.cu: draws, element shares, maps, MRI and noise of a few phantoms."""
    from lesionkit.optics import phantoms_gpu
    from lesionkit.optics.mesh import disc_mesh
    from lesionkit.optics.recipe import PhantomRecipe

    # 23 pixels, 15 optodes: the last block of random numbers is not full. A seed and an item
    # beyond 32 bits.
    recipe, seed, first, count = PhantomRecipe(nodes=200, pixels=23), 2**64 - 3, 2**33 + 1, 5
    mesh = disc_mesh(recipe.radius, recipe.nodes, recipe.optodes)
    corners = np.ascontiguousarray(mesh.nodes[mesh.elements])
    readings = np.random.default_rng(1).uniform(1, 2, (3, count, 15, 15))
    diameters = np.array(recipe.single_diameters)

    def make(kernels: Any, xp: Any) -> dict[str, Any]:
        made = {
            "regions": xp.full((count, 3, 8), 77.0),
            "shares": xp.full((count, 2, len(corners)), 77.0),
            "maps": xp.full((count, 3, recipe.pixels, recipe.pixels), 77, np.float32),
            "MRI": xp.full((count, recipe.pixels, recipe.pixels), 77, np.uint8),
            "signal": xp.full((count, 3, 15, 14), 77, np.float32),
        }
        regions, at = made["regions"], (seed, first)
        kernels.draw_regions(recipe.limits, diameters, *at, regions)
        kernels.element_shares(regions, xp.asarray(corners), made["shares"])
        look = (recipe.radius, recipe.mri_gray, recipe.mri_noise)
        kernels.paint(regions, *look, *at, made["maps"], made["MRI"])
        kernels.add_noise(xp.asarray(readings), recipe.signal_noise, *at, made["signal"])
        return made

    ours, cpu = make(phantoms_gpu, xp), make(_core.optics, np)
    for name, allowed in (
        ("regions", ROUNDING),
        ("shares", ROUNDING),
        ("maps", SINGLE),
        ("signal", SINGLE),
    ):
        yield Check(f"phantoms: {name}", _distance(ours[name], cpu[name]), allowed)
    off = np.abs(_host(ours["MRI"]).astype(int) - cpu["MRI"])
    yield Check("phantoms: MRI, bytes that differ by 1", float(np.mean(off != 0)), GRAY)
    yield Check("phantoms: MRI, largest difference", float(off.max()), 1)


CASES: dict[str, Case] = {"optics/phantom.cu": phantoms}


def _host(array: Any) -> Any:
    """The array in NumPy."""
    return array if isinstance(array, np.ndarray) else array.get()


def _distance(ours: Any, cpu: Any) -> float:
    """The largest difference, relative to the largest value; NaN if any is."""
    return float(np.abs(_host(ours) - cpu).max() / np.abs(cpu).max())


if __name__ == "__main__":
    sys.exit(main())
