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
    kinds = ("double", "Complex<double>")
    found = [_assembled(kind, values, "MapInput", small) for kind in kinds for values in PLACES]
    found += [_assembled("double", values, "MixtureInput", small) for values in (1, 4)]
    found += [_solved(kind, near, small) for kind in kinds for near in (True, False)]
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


def _count(small: bool) -> int:
    return 3 if small else 4096


def _start(
    of: Any, at: str, mixed: bool, modulated: bool, count: int, room: int | None, cupy: Any
) -> Callable[[], object]:
    """Arrays of a problem of a forward model; a call that fills its readings."""
    from lesionkit.optics.forward.forward_gpu import DevicePlan

    random, tissue = np.random.default_rng(1), ((0.005, 0.02), (0.8, 1.5))
    parts, optodes = of.plans.parts(at), len(of.sources)
    plan = DevicePlan(parts, cupy.cuda.Device().id, cupy, room)
    out = cupy.empty((count, optodes, optodes), np.complex128 if modulated else np.float64)
    if not mixed:
        maps = [random.uniform(*r, (count, parts["properties"])) for r in tissue]
        mua, mus = map(cupy.asarray, maps)
        return partial(plan.measure, mua, mus, out)
    fractions = random.uniform(0, 1, (count, MATERIALS, parts["properties"]))
    mua, mus = (cupy.asarray(random.uniform(*r, (count, MATERIALS + 1))) for r in tissue)
    return partial(plan.measure_mixture, cupy.asarray(fractions), mua, mus, out)


def _assembled(kind: str, values: int, given: str, small: bool) -> Row:
    """The entries of systems' matrices, from maps or mixtures."""
    from lesionkit.optics.forward.forward_gpu import gathered_entries

    count, modulated, mixed = _count(small), kind != "double", given == "MixtureInput"
    nodes, at = PLACES[values]
    this = partial(model, nodes is not None, modulated, small)

    def arithmetic() -> Arithmetic:
        parts = this().plans.parts(at)
        numbers = (2 if modulated else 1) * gathered_entries(parts)
        maps = 2 * parts["properties"] + (2 * (MATERIALS + 1) if mixed else 0)
        operations = float(count * 2 * this().cost(at).assembly)
        return Arithmetic(8.0 * count * (maps + numbers), {"float64": operations})

    def start(cupy: Any) -> Callable[[], object]:
        return _start(this(), at, mixed, modulated, count, None, cupy)

    mesh = "the accurate mesh" if nodes is None else f"{nodes:,} nodes"
    light = ", 100 MHz" if modulated else ""
    what = "mixtures at" if mixed else "maps at"
    work = f"matrices of {count:,} systems, {mesh}, {what} {at}{light}"
    kernel = f"assemble<{kind}, {values}, {given}>"
    return kernel_row("optics/forward.cu", kernel, work, arithmetic, start)


def _solved(kind: str, near: bool, small: bool) -> Row:
    """Readings from these matrices, with panels in shared memory or outside."""
    from lesionkit.optics.forward.forward_gpu import gathered_entries

    count, modulated, at = _count(small), kind != "double", "elements"
    this = partial(model, True, modulated, small)

    def arithmetic() -> Arithmetic:
        cost, optodes = this().cost(at), len(this().sources)
        parts = 2 if modulated else 1  # of a number
        numbers = parts * (gathered_entries(this().plans.parts(at)) + optodes**2)
        operations = (8 if modulated else 2) * cost.factor + parts * cost.additions
        return Arithmetic(8.0 * count * numbers, {"float64": float(count * operations)})

    def start(cupy: Any) -> Callable[[], object]:
        return _start(this(), at, False, modulated, count, None if near else 0, cupy)

    light = ", 100 MHz" if modulated else ""
    where = "shared memory" if near else "the GPU's memory"
    work = f"readings of {count:,} systems, 1,801 nodes{light}, panels in {where}"
    kernel = f"measure<{kind}, {str(near).lower()}>"
    return kernel_row("optics/forward.cu", kernel, work, arithmetic, start)


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
