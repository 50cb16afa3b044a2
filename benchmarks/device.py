"""The main job on a GPU: readings, the whole of `generate`, what compiling the kernels costs; and
texture (`texture_device.py`).

On a GPU a time stands alone: nothing shares it. Each is the median of the report's rounds, between
two synchronisations, after one round that does not count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.report import Report
from benchmarks.texture.device import texture_on_device
from benchmarks.timing import alone

FIRST_CALL = """
import time, numpy, cupy
from lesionkit.optics import ForwardModel, disc_mesh
mesh = disc_mesh(nodes=1801)
rim = mesh.nodes[mesh.boundary[::9, 0]]
model = ForwardModel(mesh, rim, rim)
maps = cupy.full((8, len(mesh.elements)), 0.01), cupy.full((8, len(mesh.elements)), 1.0)
model.plans.at("elements", 0)
start = time.perf_counter()
model.measure(*maps, at="elements")
cupy.cuda.Device().synchronize()
print(time.perf_counter() - start)
"""


def on_device(report: Report) -> None:
    """Goals of the GPU road, on the current GPU; says so and stops where there is none."""
    from lesionkit import gpu
    from lesionkit.optics import PhantomRecipe, generate
    from lesionkit.optics.phantoms.factory import PhantomFactory

    try:
        cupy = gpu.require()
    except gpu.GpuError as problem:
        report.say(f"## On a GPU\n\nNot run on a GPU: {problem}.\n")
        return
    report.say(f"## On a GPU\n\n{gpu.describe()}\n")
    count = 256 if report.quick else 20_000
    recipe = PhantomRecipe()
    device = cupy.cuda.Device().id

    def seconds(work: Callable[[], Any]) -> float:
        return alone(work, report.pairs, lambda: cupy.cuda.Device().synchronize())

    rows = []
    for accuracy, goals in (("fast", ("0.5", "1")), ("accurate", ("-", "-"))):
        factory = PhantomFactory(recipe, 0, device, accuracy)
        regions = factory.draw(0, count)

        def readings(factory: Any = factory, regions: Any = regions) -> None:
            for first in range(0, count, 4096):
                factory.measure(regions[first : first + 4096], first)

        whole = partial(generate, recipe, count, accuracy=accuracy, device="cuda")
        of = f"{count:,} phantoms x 9, {accuracy} ({factory.plans[0].size:,} entries open at once)"
        rows += [
            [f"shares, mixtures, readings and noise of {of}", f"{seconds(readings):.3f}", goals[0]],
            [f"generate, {accuracy}, results on the device", f"{seconds(whole):.3f}", goals[1]],
        ]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "CUPY_CACHE_DIR": cache}
        first, later = (
            float(
                subprocess.run(
                    [sys.executable, "-c", FIRST_CALL],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(2)
        )
    rows += [
        ["first call, kernel compiled", f"{first:.2f}", "5"],
        ["first call of a later process", f"{later:.2f}", "0.5"],
    ]
    note = "float64; fast: 1,801 nodes of linear elements; accurate: the default mesh."
    report.table("On a GPU", ["work", "seconds", "goal"], rows, note)
    texture_on_device(report, cupy)
