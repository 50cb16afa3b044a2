"""DRI of a phantom's nine wavelengths: ours beside the loop of NIRFAST, written with SuperLU.

The loop is the published one (Dehghani et al., Commun. Numer. Meth. Eng. 25, 711, 2009; NIRFAST's
reconstruct_spectral): in each iteration, for one wavelength after the other, assemble, factor,
solve for all sources and detectors, form the adjoint Jacobian and bring it to the basis; then stack
the Jacobian of all unknowns, form J'J, and solve. Mesh, unknowns, penalty, start and number of
iterations are ours. So is the basis in one row, where the answers must be equal; in another the
unknowns are at the mesh's nodes, where DRI was published.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy.sparse.linalg import splu

from benchmarks.assembly import MASS, Assembly, stiffness
from benchmarks.optics_peers import SYMMETRIC
from benchmarks.problem import RADIUS, REFRACTIVE_INDEX, SOURCE_DEPTH, Array, Problem, disc, rings
from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds

ITERATIONS = 3
REGULARISATION = 0.03
GRAY_SCALE = 6.0
MAPS = ("hbo", "hb", "water", "amplitude")


class Loop:
    """The loop; calling it gives maps (4, k) of HbO, Hb, water and scattering amplitude."""

    def __init__(
        self, work: Problem, basis: Any, pairs: Array, nm: Array, extinction: Array
    ) -> None:
        self.work, self.basis, self.pairs = work, basis, pairs
        self.nm, self.extinction = nm, extinction
        self.assembly = Assembly(work, "elements")
        self.gradients, area = stiffness(work)
        self.mass = area[:, None, None] * MASS
        optodes = [work.sources.toarray(), work.detectors.toarray()]
        self.right = np.asfortranarray(np.concatenate(optodes).T)

    def __call__(self, data: Array, start: Array, penalty: Array, iterations: int) -> Array:
        """data (wavelengths, pairs): calibrated logs; start (5,): homogeneous tissue."""
        k = self.basis.shape[1]
        maps, power, strength = np.ones((4, k)), start[4], None
        for _ in range(iterations):
            blocks, residual = [], []
            for nm, e, y in zip(self.nm, self.extinction, data, strict=True):
                logs, jacobian = self.wavelength(nm, e, maps * start[:4, None], power, start)
                blocks.append(jacobian)
                residual.append(y - logs)
            jacobian = np.concatenate(blocks)
            hessian = jacobian.T @ jacobian
            if strength is None:
                strength = REGULARISATION * hessian.diagonal()[: 4 * k].reshape(4, k).max(axis=1)
            right = jacobian.T @ np.concatenate(residual)
            for c in range(4):
                here = slice(c * k, (c + 1) * k)
                hessian[here, here] += strength[c] * penalty
                right[here] -= strength[c] * (penalty @ maps[c])
            step = np.linalg.solve(hessian, right)
            maps = maps * np.exp(np.clip(step[:-1].reshape(4, k) / maps, -1, 1))
            maps[2] = np.minimum(maps[2], 100 / start[2])
            power += step[-1]
        return maps * start[:4, None]

    def wavelength(
        self, nm: float, extinction: Array, tissue: Array, power: float, start: Array
    ) -> tuple[Array, Array]:
        """Logs (pairs,) and the Jacobian (pairs, 4 k + 1) of one wavelength."""
        fine = self.basis @ tissue.T
        mua = fine[:, :3] @ extinction
        spectrum = (nm / 1000) ** -power
        mus = fine[:, 3] * spectrum
        field = splu(self.assembly(mua, mus), **SYMMETRIC).solve(self.right)
        local = field[self.work.elements]
        half = local.shape[2] // 2
        of_sources, of_detectors = local[..., :half].transpose(0, 2, 1), local[..., half:]
        by_kappa, by_loss = (
            -(of_sources @ (weights @ of_detectors)) for weights in (self.gradients, self.mass)
        )
        by_mus = by_kappa * (-1 / (3 * (mua + mus) ** 2))[:, None, None]
        readings = (self.work.detectors @ field[:, :half]).T[tuple(self.pairs.T)]
        by_mua, by_mus = (
            (self.basis.T @ part[:, self.pairs[:, 0], self.pairs[:, 1]]).T / readings[:, None]
            for part in (by_loss + by_mus, by_mus)
        )
        parts = [by_mua * (extinction[c] * start[c]) for c in range(3)]
        parts.append(by_mus * (spectrum * start[3]))
        by_power = -np.log(nm / 1000) * spectrum * (by_mus @ tissue[3])
        return np.log(readings), np.concatenate([*parts, by_power[:, None]], axis=1)


def reconstruction(report: Report) -> None:
    """Pairs of ours and the loop, on linear and on finer meshes; one phantom, then eight."""
    rows = []
    for count in (16,) if report.quick else (24, 34):
        rows += _on_mesh(report, disc(rings(count)))
    report.table(
        "DRI of a phantom, nine wavelengths",
        ["mesh", "work", "ms per phantom", "the loop / this", "maps differ by"],
        rows,
        f"{ITERATIONS} Gauss-Newton iterations, 240 pairs, HbO, Hb, water and scattering amplitude. "
        f"Ours with {report.threads} threads; it fits the homogeneous start as well, which the "
        "loop is given.",
    )


def _on_mesh(report: Report, work: Problem) -> list[list[str]]:
    from lesionkit.optics import (
        ForwardModel,
        GridBasis,
        Mesh,
        PhantomRecipe,
        generate,
        reconstruct,
        spectra,
    )
    from lesionkit.optics.calibrated import nominal_tissue, reference_signal
    from lesionkit.optics.penalty import guided

    recipe = PhantomRecipe(radius=RADIUS, refractive_index=REFRACTIVE_INDEX)
    phantoms = generate(recipe, 8, seed=1, device="cpu")
    nm = np.array(recipe.wavelengths, float)
    mesh = Mesh(work.nodes, work.elements)
    model = ForwardModel(mesh, work.optodes, work.optodes, source_depth=SOURCE_DEPTH)
    basis = GridBasis(mesh, 8.0 if report.quick else 4.0)
    source, apart = np.divmod(np.arange(240), 15)
    pairs = np.column_stack([source, (source + 1 + apart) % 16])
    signal = phantoms.signal.reshape(8, 9, 240).astype(float)
    against = reference_signal(recipe).reshape(9, 240)
    middle = ((np.arange(100) + 0.5) / 50 - 1) * RADIUS
    x, y = np.meshgrid(middle, -middle)
    inside = np.hypot(x, y) <= RADIUS
    points = np.column_stack([x[inside], y[inside]])
    gray = basis.average(points, phantoms.mri[:, inside].astype(float))
    tissue = nominal_tissue(recipe)

    def ours(many: int) -> Any:
        return reconstruct(
            model, signal[:many], against, tissue, nm, basis, pairs=pairs, gray=gray[:many],
            gray_scale=GRAY_SCALE, maps=MAPS, regularisation=REGULARISATION,
            iterations=ITERATIONS, tolerance=0.0,
        )  # fmt: skip

    extinction = spectra.extinction(nm) * np.array([1e-3, 1e-3, 1e-2])
    loop = Loop(work, basis.elements, pairs, nm, extinction)
    found = ours(1)
    start = np.array([found.homogeneous[name][0] for name in (*MAPS, "power")])
    mua = spectra.absorption(nm, *(tissue[name] for name in MAPS[:3]))
    mus = spectra.scattering(nm, tissue["amplitude"], tissue["power"])
    flat = np.ones(len(mesh.elements))
    base = model.measure(mua[:, None] * flat, mus[:, None] * flat, "elements")
    data = np.log(signal[0] / against) + np.log(base[:, pairs[:, 0], pairs[:, 1]])
    peer = partial(loop, data, start, guided(gray[0], GRAY_SCALE), ITERATIONS)
    mine = np.stack([found.maps[name][0] for name in MAPS])
    difference = float((np.abs(peer() - mine) / np.abs(mine).max(axis=1, keepdims=True)).max())
    if not difference < 1e-7:
        raise AssertionError(f"maps differ by {difference:.1e}, more than 1e-7")
    contenders = {
        "the loop, SuperLU and NumPy": Contender(peer),
        "ours, one phantom": Contender(partial(ours, 1), 1, report.threads),
        "ours, eight at once": Contender(partial(ours, 8), 8, report.threads),
    }
    times = rounds(contenders, report.pairs)
    slow = times["the loop, SuperLU and NumPy"]
    return [
        [
            f"{len(work.nodes):,} nodes, {len(basis)} functions",
            name,
            f"{np.median(spent) * 1e3:.1f}",
            str(ratio(slow, spent)),
            "-" if name.startswith("the") else f"{difference:.0e}",
        ]
        for name, spent in times.items()
    ]
