"""The main job, and texture beside the CPU: what a user waits for.

20,000 phantoms at 9 wavelengths: the readings, and all of `generate`; a million small regions; maps
of a large picture; what compiling a kernel costs. On a GPU a time stands alone: nothing shares it.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import lesionkit
from lesionkit import arrays, gpu
from lesionkit.gpu_report.rows import Arithmetic, Row
from lesionkit.gpu_report.stopwatch import seconds

BATCH = 4096  # phantoms whose readings are made together
WAVELENGTHS, OPTODES = 9, 16
AGREEMENT = 1e-9  # of answers, relative or absolute: sums in another order

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


def rows(small: bool = False) -> list[Row]:
    """The jobs; small: so small that they take no time."""
    count = 16 if small else 20_000
    found = []
    for accuracy, goals in (("fast", (0.2, 0.5)), ("accurate", (None, None))):
        told = partial(_arithmetic, accuracy, count)
        work = f"{count:,} phantoms x {WAVELENGTHS}, {accuracy}: shares, mixtures, readings, noise"
        run = partial(readings, accuracy, count)
        found.append(
            Row("jobs", f"readings, {accuracy}", work, run, partial(told, False), goals[0])
        )
        work = f"{count:,} phantoms, {accuracy}: all of generate, results on the device"
        run = partial(generated, accuracy, count)
        found.append(Row("jobs", f"generate, {accuracy}", work, run, partial(told, True), goals[1]))
    for later, goal in ((False, 5.0), (True, 0.5)):
        name = "first call of a later process" if later else "first call, kernel compiled"
        found.append(
            Row("jobs", name, "readings of 8 systems", partial(first_call, later), None, goal)
        )
    regions, side = (50, 24) if small else (1_000_000, 4096)
    found += [
        Row(
            "jobs", "texture of regions",
            f"{regions:,} regions of 10 x 10, 20 offsets, 11 features",
            partial(beside_the_cpu, partial(_regions, regions)),
            lambda: Arithmetic(regions * (100.0 + 8 * 20 * 11), {}),
        ),
        Row(
            "jobs", "texture maps",
            f"{side:,} x {side:,} pixels, 7 x 7 windows, 4 offsets, 5 features",
            partial(beside_the_cpu, partial(_maps, side)),
            lambda: Arithmetic(side**2 * (1.0 + 8 * 5), {}),
        ),
    ]  # fmt: skip
    size = 2**10 if small else 2**30
    copy = Row(
        "jobs", "copy", f"{size:,} bytes on the device, read and written", partial(copied, size),
        lambda: Arithmetic(2.0 * size, {}),
    )  # fmt: skip
    return [*found, copy]


def _factory(accuracy: Any, device: int | None) -> Any:
    from lesionkit.optics import PhantomRecipe
    from lesionkit.optics.phantoms.factory import PhantomFactory

    return PhantomFactory(PhantomRecipe(), 0, device, accuracy)


def _arithmetic(accuracy: str, count: int, whole: bool) -> Arithmetic:
    """Of readings, and with the pictures of `generate`, from the plan of one wavelength."""
    factory = _factory(accuracy, None)
    at = "elements" if accuracy == "fast" else "quarters"
    cost, places = factory.models[0].cost(at), len(factory.corners)
    solved = count * WAVELENGTHS * (2.0 * (cost.factor + cost.assembly) + cost.additions)
    # shares are written once and read for each wavelength; readings are written and read again
    shares = 2 * 8 * places * (1 + WAVELENGTHS)
    readings = WAVELENGTHS * (2 * 8 * OPTODES**2 + 4 * OPTODES * (OPTODES - 1))
    pictures = 13 * factory.recipe.pixels**2 if whole else 0
    return Arithmetic(float(count * (shares + readings + pictures)), {"float64": solved})


def readings(accuracy: str, count: int, cupy: Any) -> dict[str, Any]:
    """The signal of `count` phantoms whose regions are drawn."""
    factory = _factory(accuracy, cupy.cuda.Device().id)
    regions = factory.draw(0, count)

    def call() -> None:
        for first in range(0, count, BATCH):
            factory.measure(regions[first : first + BATCH], first)

    return {"seconds": seconds(call, cupy), "entries_open_at_once": factory.plans[0].size}


def generated(accuracy: Any, count: int, cupy: Any) -> dict[str, Any]:
    """All of `generate`, in memory."""
    from lesionkit.optics import PhantomRecipe, generate

    call = partial(generate, PhantomRecipe(), count, accuracy=accuracy, device="cuda")
    return {"seconds": seconds(call, cupy, 3)}


def first_call(later: bool, cupy: Any) -> dict[str, Any]:
    """In a process of its own, with nothing compiled, or what a process before it has compiled."""
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(2 if later else 1):
            done = subprocess.run(
                [sys.executable, "-c", FIRST_CALL],
                env={**os.environ, "CUPY_CACHE_DIR": cache},
                capture_output=True,
                text=True,
            )
            if done.returncode:
                return {"problem": (done.stderr.splitlines() or ["stopped"])[-1]}
    return {"seconds": float(done.stdout)}


Problem = tuple[np.ndarray, Callable[[Any], Any]]


def _regions(count: int) -> Problem:
    from lesionkit.texture import roi_features

    rois = np.random.default_rng(2).integers(0, 64, (count, 10, 10), np.uint8)
    offsets = [(d * r, d * c) for d in range(1, 6) for r, c in ((0, 1), (1, 1), (1, 0), (1, -1))]
    return rois, lambda given: roi_features(given, offsets, 64, log_base=math.e)


def _maps(side: int) -> Problem:
    from lesionkit.texture import feature_maps

    names = ["Contrast", "InvDfMom", "AngScMom", "Correlat", "Entropy"]
    offsets = [(0, 1), (1, 1), (1, 0), (1, -1)]
    image = np.random.default_rng(3).integers(0, 32, (side, side), np.uint8)
    return image, lambda given: feature_maps(given, 7, offsets, 32, names, log_base=math.e)


def beside_the_cpu(problem: Callable[[], Problem], cupy: Any) -> dict[str, Any]:
    """A call with its array on the device and on the host, how far the answers are apart, a copy of
    as many bytes on the device, and their way there and back."""
    image, call = problem()
    there = cupy.asarray(image)
    answer = call(there)
    begin = time.perf_counter()
    expected = call(image)
    spent = time.perf_counter() - begin
    scale = np.maximum(np.abs(expected), 1.0)
    apart = float((np.abs(arrays.to_host(answer) - expected) / scale).max())
    sent = cupy.empty(image.nbytes + answer.nbytes, np.uint8)
    found: dict[str, Any] = {
        "seconds": seconds(lambda: call(there), cupy),
        "cpu_seconds": spent,
        "cpu_threads": lesionkit.threads(),
        "copy_seconds": seconds(sent.copy, cupy),
        "transfer_seconds": seconds(lambda: (cupy.asarray(image), arrays.to_host(answer)), cupy, 3),
        "largest_difference": apart,
    }
    if not apart <= AGREEMENT:
        found["problem"] = f"the answers of GPU and CPU are {apart:.1e} apart"
    return found


def copied(size: int, cupy: Any) -> dict[str, Any]:
    """What the memory of this card gives at best."""
    with gpu.memory_for("the copy"):
        there = cupy.zeros(size, np.uint8)
        return {"seconds": seconds(there.copy, cupy)}
