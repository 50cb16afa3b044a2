"""Cases of csrc/optics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lesionkit import _core
from lesionkit.arrays import to_host
from lesionkit.selftest.checks import GRAY, ROUNDING, SINGLE, Check, distance


def phantoms(xp: Any) -> Iterator[Check]:
    """csrc/optics/phantom.cu: draws, element shares, maps, MRI and noise of a few phantoms."""
    from lesionkit.optics.mesh.disc import disc_mesh
    from lesionkit.optics.phantoms import phantoms_gpu
    from lesionkit.optics.phantoms.recipe import PhantomRecipe

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
        yield Check(f"phantoms: {name}", distance(ours[name], cpu[name]), allowed)
    off = np.abs(to_host(ours["MRI"]).astype(int) - cpu["MRI"])
    yield Check("phantoms: MRI, bytes that differ by 1", float(np.mean(off != 0)), GRAY)
    yield Check("phantoms: MRI, largest difference", float(off.max()), 1)


def forward(xp: Any) -> Iterator[Check]:
    """csrc/optics/forward.cu: readings of a few systems, panels in shared memory and outside."""
    from lesionkit.optics.forward.forward_gpu import DevicePlan
    from lesionkit.optics.forward.model import ForwardModel
    from lesionkit.optics.forward.plans import At
    from lesionkit.optics.mesh.disc import disc_mesh
    from lesionkit.optics.mesh.mesh import Mesh

    linear = disc_mesh(radius=10.0, nodes=61, optodes=6)
    rim = linear.nodes[linear.boundary[::4, 0]]  # 6 optodes
    random = np.random.default_rng(2)
    device = 0 if xp is np else xp.cuda.Device().id
    quadratic = linear.to_quadratic()
    nodes, middle = quadratic.nodes.copy(), quadratic.boundary[:, 2]
    nodes[middle] *= 10 / np.linalg.norm(nodes[middle], axis=1, keepdims=True)
    kinds: tuple[tuple[Mesh, tuple[At, ...]], ...] = (
        (linear, ("elements", "nodes")),
        (Mesh(nodes, quadratic.elements), ("quarters", "elements", "nodes")),
    )
    for mesh, places in kinds:
        for frequency in (0.0, 1e8):
            model = ForwardModel(mesh, rim, rim, frequency=frequency)
            for at in places:
                cpu, parts = model.plans.at(at), model.plans.parts(at)
                plan = DevicePlan(parts, device, xp)
                maps = [random.uniform(*r, (3, parts["properties"])) for r in TISSUE]
                light = "modulated" if frequency else "continuous"
                what = f"readings: {mesh.elements.shape[1]} nodes, {at}, {light}"
                yield _compare_readings(what, "measure", plan, cpu, maps, xp)
            if frequency:
                continue
            cpu, parts = model.plans.at(places[0]), model.plans.parts(places[0])
            plan = DevicePlan(parts, device, xp)
            mixture = [random.uniform(0, 1, (3, 2, parts["properties"]))]
            mixture += [random.uniform(*r, (3, 3)) for r in TISSUE]
            what = f"readings: mixtures, {places[0]}"
            yield _compare_readings(what, "measure_mixture", plan, cpu, mixture, xp)
            if mesh is not linear:
                continue
            for room, which in ((2400, "some panels"), (0, "panels")):  # of 4,184 bytes
                plan = DevicePlan(parts, device, xp, room)
                what = f"readings: {which} not in shared memory"
                yield _compare_readings(what, "measure_mixture", plan, cpu, mixture, xp)


TISSUE = ((0.002, 0.02), (0.5, 2.0))  # mua and mus' in mm^-1


def fields(xp: Any) -> Iterator[Check]:
    """csrc/optics/fields/fields.cu: fluence, Jacobian and gradient of two systems, of each kind of
    mesh, place and light; other sources than detectors, and right-hand sides in parts.
    """
    from lesionkit.optics.forward import fields_gpu
    from lesionkit.optics.forward.model import ForwardModel
    from lesionkit.optics.forward.plans import At
    from lesionkit.optics.mesh.disc import disc_mesh
    from lesionkit.optics.mesh.mesh import Mesh

    random = np.random.default_rng(7)
    device = 0 if xp is np else xp.cuda.Device().id
    linear = disc_mesh(radius=10.0, nodes=19, optodes=6)
    coarse = disc_mesh(radius=10.0, nodes=7, optodes=6).to_quadratic()
    kinds: tuple[tuple[Mesh, tuple[At, ...]], ...] = (
        (linear, ("elements", "nodes")),
        (coarse, ("elements", "quarters", "nodes")),
    )
    for mesh, places in kinds:
        rim = mesh.nodes[mesh.boundary[:, 0]]
        for frequency in (0.0, 1e8):
            model = ForwardModel(mesh, rim[::3], rim[1::5], frequency=frequency)
            sources, detectors, nodes = len(rim[::3]), len(rim[1::5]), len(mesh.nodes)
            kind = np.complex128 if frequency else np.float64
            for at in places:
                cpu, parts = model.plans.at(at), model.plans.parts(at)
                plan = fields_gpu.FieldPlan(parts, device, xp)
                plan.columns = 3 if at == "nodes" else None
                width = parts["properties"]
                maps = [random.uniform(*r, (2, width)) for r in TISSUE]
                weight = random.normal(size=(2, sources, detectors)).astype(kind)
                given = [*map(xp.asarray, maps)]
                light = "modulated" if frequency else "continuous"
                what = f"{mesh.elements.shape[1]} nodes, {at}, {light}"
                ours: dict[str, Any] = {}
                expected: dict[str, Any] = {}
                sides: tuple[tuple[Any, ...], ...] = (
                    (xp, fields_gpu, plan, given, ours),
                    (np, _core.optics, cpu, maps, expected),
                )
                for m, kernels, by, these, found in sides:
                    field = m.full((2, nodes, sources + detectors), np.nan, kind)
                    readings = m.full((2, sources, detectors), np.nan, kind)
                    kernels.fields(by, *these, readings, field)
                    shape = (2, sources, detectors, width)
                    derivatives = [m.full(shape, np.nan, kind) for _ in range(2)]
                    kernels.jacobian(by, *these, field, *derivatives)
                    found |= {"readings": readings, "fields": field}
                    found |= dict(zip(("by mua", "by mus'"), derivatives, strict=True))
                    if at == "elements":
                        fluence = m.full((2, sources, nodes), np.nan, kind)
                        by.fluence(*these, fluence)
                        found["fluence"] = fluence
                    if at == "elements" or not frequency:
                        gradients = [m.full((2, width), np.nan) for _ in range(2)]
                        kernels.gradient(by, *these, m.asarray(weight), *gradients)
                        names = "gradient by mua", "gradient by mus'"
                        found |= dict(zip(names, gradients, strict=True))
                for name, value in expected.items():
                    yield Check(f"{name}: {what}", distance(ours[name], value), ROUNDING)


def solid_matrices(xp: Any) -> Iterator[Check]:
    """csrc/optics/volume/assemble.cu: the matrices of two systems of tetrahedra of 4 and 10 nodes,
    some of these bent."""
    from lesionkit.optics.forward.model import ForwardModel
    from lesionkit.optics.forward.plans import At
    from lesionkit.optics.forward.solid_gpu import DeviceSolid
    from lesionkit.optics.mesh.solids import ball_mesh

    random = np.random.default_rng(3)
    kinds: tuple[tuple[int, At], ...] = ((1, "elements"), (2, "nodes"))
    for order, at in kinds:
        mesh = ball_mesh(5, layers=2, order=order)
        plan = ForwardModel(mesh, [[5, 0, 0]], [[0, 5, 0]]).plans.at(at)
        mua, mus = (random.uniform(*r, (2, plan.properties)) for r in TISSUE)
        cpu = np.empty((2, len(plan.parts["column"])))
        _core.optics.volume_matrix(plan.core, mua, mus, cpu)
        device = 0 if xp is np else xp.cuda.Device().id
        ours = DeviceSolid(plan, device, xp).assemble(xp.asarray(mua), xp.asarray(mus))
        what = f"{mesh.elements.shape[1]} nodes, {at}"
        sums = np.add.reduceat(abs(cpu), plan.parts["start"][:-1], axis=1)
        yield Check(f"matrices: {what}", distance(ours[0], cpu), ROUNDING)
        yield Check(f"matrices in float32: {what}", distance(ours[1], cpu), SINGLE)
        yield Check(f"sums of rows: {what}", distance(ours[2], 1 / sums), SINGLE)


def solid_readings(xp: Any) -> Iterator[Check]:
    """csrc/optics/volume/solve.cu: readings in tetrahedra, of two blocks of right-hand sides, with
    levels between the first and the coarsest."""
    from lesionkit.optics.forward.model import ForwardModel
    from lesionkit.optics.forward.solid_gpu import DeviceSolid
    from lesionkit.optics.mesh.solids import ball_mesh

    random = np.random.default_rng(4)
    mesh = ball_mesh(5, layers=2, order=1)
    rim = mesh.nodes[mesh.boundary[:, 0]]
    for frequency, sources, detectors, count in ((1e8, 3, 15, 1), (0.0, 20, 14, 2)):
        optodes = rim[:sources], rim[-detectors:]
        model = ForwardModel(mesh, *optodes, frequency=frequency)
        plan = model.plans.at("nodes")
        tissue = ((0.004, 0.02), (0.5, 1.5))  # of one background
        mua, mus = (random.uniform(*r, (count, plan.properties)) for r in tissue)
        cpu, device = np.empty((count, sources, detectors), plan.kind), 0
        plan.measure(mua, mus, cpu)
        if xp is not np:
            device = xp.cuda.Device().id
        ours = xp.full(cpu.shape, np.nan, plan.kind)
        on_device = DeviceSolid(plan, device, xp, dense=9)
        on_device.measure(xp.asarray(mua), xp.asarray(mus), ours)
        light = "modulated" if frequency else "continuous"
        error = float(np.abs(to_host(ours) / cpu - 1).max())
        yield Check(f"readings in tetrahedra: {light}", error, model.accuracy)


def _compare_readings(
    what: str, method: str, plan: Any, cpu: Any, inputs: list[Any], xp: Any
) -> Check:
    """Readings of 6 x 6 optodes by a plan on the GPU and on the CPU."""
    kind = np.complex128 if "modulated" in what else np.float64
    ours, theirs = xp.full((3, 6, 6), np.nan, kind), np.empty((3, 6, 6), kind)
    getattr(plan, method)(*map(xp.asarray, inputs), ours)
    getattr(cpu, method)(*inputs, theirs)
    return Check(what, float(np.abs(to_host(ours) / theirs - 1).max()), ROUNDING)
