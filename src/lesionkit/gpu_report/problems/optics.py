"""Problems for csrc/optics."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from lesionkit.gpu_report.rows import Arithmetic, Kind, Row
from lesionkit.gpu_report.stopwatch import kernel_row

PHILOX = 100  # integer operations of a block of four random words: 10 rounds of 10
MATERIALS = 2  # inclusions of a phantom

# of a kernel's number of properties of an element: nodes of the mesh, and where they are given
PLACES: dict[int, tuple[int | None, str]] = {
    1: (1801, "elements"),
    3: (1801, "nodes"),
    4: (None, "quarters"),
    6: (None, "nodes"),
}


def rows(small: bool = False) -> list[Row]:
    """Of readings of every kind of mesh and light, and of each step of making phantoms."""
    found = [
        _readings(kind, values, "MapInput", small)
        for kind in ("double", "Complex<double>")
        for values in PLACES
    ]
    found += [_readings("double", values, "MixtureInput", small) for values in (1, 4)]
    return [*found, *_phantoms(small)]


@cache
def model(linear: bool, modulated: bool, small: bool) -> Any:
    """A forward model of the disc with the recipe's 16 optodes."""
    from lesionkit.optics import ForwardModel, PhantomRecipe, disc_mesh

    recipe = PhantomRecipe(optodes=6) if small else PhantomRecipe()
    mesh = disc_mesh(recipe.radius, 61 if small else 1801 if linear else None, recipe.optodes)
    mesh = mesh.to_quadratic() if small and not linear else mesh
    frequency = 1e8 if modulated else 0.0
    return ForwardModel(mesh, recipe.positions, recipe.positions, frequency=frequency)


def _readings(kind: str, values: int, given: str, small: bool) -> Row:
    count = 3 if small else 4096
    modulated, mixed = kind != "double", given == "MixtureInput"
    nodes, at = PLACES[values]
    this = partial(model, nodes is not None, modulated, small)

    def properties() -> int:
        return int(this().plans.parts(at)["properties"])

    def arithmetic() -> Arithmetic:
        cost, optodes = this().cost(at), len(this().sources)
        parts = 2 if modulated else 1  # of a number
        multiplied = (8 if modulated else 2) * cost.factor + 2 * cost.assembly
        maps = 2 * properties() + (2 * (MATERIALS + 1) if mixed else 0)
        return Arithmetic(
            8.0 * count * (maps + parts * optodes**2),
            {"float64": float(count * (multiplied + parts * cost.additions))},
        )

    def start(cupy: Any) -> Callable[[], object]:
        random, tissue = np.random.default_rng(1), ((0.005, 0.02), (0.8, 1.5))
        plan = this().plans.at(at, cupy.cuda.Device().id)
        optodes = len(this().sources)
        out = cupy.empty((count, optodes, optodes), np.complex128 if modulated else np.float64)
        if not mixed:
            maps = [cupy.asarray(random.uniform(*r, (count, properties()))) for r in tissue]
            return partial(plan.measure, *maps, out)
        parts = [random.uniform(0, 1, (count, MATERIALS, properties()))]
        parts += [random.uniform(*r, (count, MATERIALS + 1)) for r in tissue]
        return partial(plan.measure_mixture, *map(cupy.asarray, parts), out)

    mesh = "the accurate mesh" if nodes is None else f"{nodes:,} nodes"
    light = ", 100 MHz" if modulated else ""
    what = "mixtures at" if mixed else "maps at"
    work = f"{count:,} systems, {mesh}, {what} {at}{light}"
    return kernel_row(
        "optics/forward.cu", f"measure<{kind}, {values}, {given}>", work, arithmetic, start
    )


def _phantoms(small: bool) -> list[Row]:
    from lesionkit.optics import PhantomRecipe
    from lesionkit.optics.phantoms import phantoms_gpu

    recipe = PhantomRecipe(nodes=61, optodes=6, pixels=9) if small else PhantomRecipe(nodes=1801)
    count = 3 if small else 20_000
    elements = 96 if small else 3456
    area, signals = (
        recipe.pixels**2,
        len(recipe.wavelengths) * recipe.optodes * (recipe.optodes - 1),
    )
    readings = len(recipe.wavelengths) * recipe.optodes**2
    region = 3 * 8 * 8  # bytes of a phantom's
    seeds = (0, 0)

    def drawn(cupy: Any) -> Any:
        regions = cupy.empty((count, 3, 8))
        diameters = np.array(recipe.single_diameters)
        phantoms_gpu.draw_regions(recipe.limits, diameters, *seeds, regions)
        return regions

    def draw(cupy: Any) -> Callable[[], object]:
        return partial(drawn, cupy)

    def shares(cupy: Any) -> Callable[[], object]:
        from lesionkit.optics import disc_mesh

        mesh = disc_mesh(recipe.radius, recipe.nodes, recipe.optodes)
        corners = cupy.asarray(np.ascontiguousarray(mesh.nodes[mesh.elements]))
        out = cupy.empty((count, 2, len(corners)))
        return partial(phantoms_gpu.element_shares, drawn(cupy), corners, out)

    def paint(cupy: Any) -> Callable[[], object]:
        shape = (recipe.pixels, recipe.pixels)
        maps = cupy.empty((count, 3, *shape), np.float32), cupy.empty((count, *shape), np.uint8)
        look = recipe.radius, recipe.mri_gray, recipe.mri_noise
        return partial(phantoms_gpu.paint, drawn(cupy), *look, *seeds, *maps)

    def noise(cupy: Any) -> Callable[[], object]:
        shape = (len(recipe.wavelengths), count, recipe.optodes, recipe.optodes)
        given = cupy.asarray(np.random.default_rng(1).uniform(1, 2, shape))
        out = cupy.empty((count, shape[0], recipe.optodes, recipe.optodes - 1), np.float32)
        return partial(phantoms_gpu.add_noise, given, recipe.signal_noise, *seeds, out)

    # (kernel, bytes, integer, float32 and float64 operations of a phantom, the problem)
    table = (
        # 15 numbers at least, and half the phantoms have 52 bisections of 8
        ("draw_regions", region, 15 * PHILOX, 0, 200, draw, ""),
        # the enclosing circle and whether it is far in or far out
        ("element_shares", region + 16 * elements, 0, 0, 66 * elements, shares,
         f", {elements:,} elements"),
        # of four pixels a block of words; a normal deviate; two discs far away, four mixtures
        ("paint", region + 13 * area, PHILOX / 4 * area, 8 * area, 38 * area, paint,
         f", {recipe.pixels} x {recipe.pixels} pixels"),
        ("add_noise", 8 * readings + 4 * signals, PHILOX / 4 * signals, 5 * signals,
         3 * signals, noise, f", {len(recipe.wavelengths)} wavelengths"),
    )  # fmt: skip
    found = []
    for kernel, size, integer, single, double, start, more in table:
        each: dict[Kind, float] = {"integer": integer, "float32": single, "float64": double}
        told = Arithmetic(float(count * size), {kind: count * n for kind, n in each.items() if n})
        work = f"{count:,} phantoms{more}"
        found.append(kernel_row("optics/phantom.cu", kernel, work, told, start))
    return found
