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
from scipy import sparse
from scipy.sparse.linalg import splu

from benchmarks.optics.assembly import MASS, Assembly, stiffness
from benchmarks.optics.peers import SYMMETRIC
from benchmarks.optics.problem import (
    RADIUS,
    REFRACTIVE_INDEX,
    SOURCE_DEPTH,
    Array,
    Problem,
    disc,
    point_weights,
    rings,
)
from benchmarks.report import Report
from benchmarks.timing import Contender, Times, ratio, rounds

ITERATIONS = 3
REGULARISATION = 0.03
GRAY_SCALE = 6.0
MAPS = ("hbo", "hb", "water", "amplitude")


class Loop:
    """The loop; calling it gives maps (4, k) of HbO, Hb, water and scattering amplitude."""

    def __init__(
        self, work: Problem, basis: Any, pairs: Array, nm: Array, extinction: Array,
        strength: Array | None = None,
    ) -> None:  # fmt: skip
        self.strength = strength  # lambda of each map; None: worked out in the first iteration
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
        maps, power, strength = np.ones((4, k)), start[4], self.strength
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
                self.last = strength
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
    """Pairs of ours and the loop on the same basis; then the loop with unknowns at the nodes."""
    rows = []
    for count in (16,) if report.quick else (24, 34):
        rows += _same_basis(report, Scene(count, 8.0 if report.quick else 4.0))
    rows += _at_nodes(report, Scene(8 if report.quick else 24, 8.0 if report.quick else 4.0))
    report.table(
        "DRI of a phantom, nine wavelengths",
        ["mesh", "work", "unknowns", "ms per phantom", "the loop / this", "maps differ by"],
        rows,
        f"{ITERATIONS} Gauss-Newton iterations, 240 pairs; HbO, Hb, water, scattering amplitude. "
        f"Ours with {report.threads} threads; it fits the homogeneous start as well, which the "
        "loop is given. Of the same basis the greatest difference of a map, over its greatest "
        "value; of unknowns at the nodes its root mean square over the pixels, over the map's.",
    )


class Scene:
    """Eight phantoms (that coarse meshes can bear), a mesh of so many rings, and what both need."""

    def __init__(self, count: int, spacing: float) -> None:
        from lesionkit.optics import ForwardModel, GridBasis, Mesh, PhantomRecipe, generate, spectra
        from lesionkit.optics.reconstruction.calibrated import nominal_tissue, reference_signal

        self.work = work = disc(rings(count))
        recipe = PhantomRecipe(
            radius=RADIUS, refractive_index=REFRACTIVE_INDEX,
            water=(20.0, 30.0), contrast=(1.2, 1.5),
        )  # fmt: skip
        phantoms = generate(recipe, 8, seed=1, device="cpu")
        self.nm = np.array(recipe.wavelengths, float)
        mesh = Mesh(work.nodes, work.elements)
        self.model = ForwardModel(mesh, work.optodes, work.optodes, source_depth=SOURCE_DEPTH)
        self.basis = GridBasis(mesh, spacing)
        source, apart = np.divmod(np.arange(240), 15)
        self.pairs = np.column_stack([source, (source + 1 + apart) % 16])
        self.signal = phantoms.signal.reshape(8, 9, 240).astype(float)
        self.against = reference_signal(recipe).reshape(9, 240)
        middle = ((np.arange(100) + 0.5) / 50 - 1) * RADIUS
        x, y = np.meshgrid(middle, -middle)
        inside = np.hypot(x, y) <= RADIUS
        self.points = np.column_stack([x[inside], y[inside]])
        self.image = phantoms.mri[:, inside].astype(float)
        self.gray = self.basis.average(self.points, self.image)
        self.tissue = nominal_tissue(recipe)
        self.extinction = spectra.extinction(self.nm) * np.array([1e-3, 1e-3, 1e-2])
        self.found = self.ours(1)
        self.start = np.array([self.found.homogeneous[name][0] for name in (*MAPS, "power")])
        mua = spectra.absorption(self.nm, *(self.tissue[name] for name in MAPS[:3]))
        mus = spectra.scattering(self.nm, self.tissue["amplitude"], self.tissue["power"])
        flat = np.ones(len(mesh.elements))
        base = self.model.measure(mua[:, None] * flat, mus[:, None] * flat, "elements")
        base = base[:, self.pairs[:, 0], self.pairs[:, 1]]
        self.data = np.log(self.signal[0] / self.against) + np.log(base)

    def ours(self, many: int) -> Any:
        from lesionkit.optics import reconstruct

        return reconstruct(
            self.model, self.signal[:many], self.against, self.tissue, self.nm, self.basis,
            pairs=self.pairs, gray=self.gray[:many], gray_scale=GRAY_SCALE, maps=MAPS,
            regularisation=REGULARISATION, max_iter=ITERATIONS, tol=0.0,
        )  # fmt: skip

    def loop(self, basis: Any, gray: Array, strength: Array | None = None) -> Any:
        from lesionkit.optics.reconstruction.penalty import guided

        loop = Loop(self.work, basis, self.pairs, self.nm, self.extinction, strength)
        run = partial(loop, self.data, self.start, guided(gray, GRAY_SCALE), ITERATIONS)
        return loop, run


def _same_basis(report: Report, scene: Scene) -> list[list[str]]:
    _, peer = scene.loop(scene.basis.elements, scene.gray[0])
    mine = np.stack([scene.found.maps[name][0] for name in MAPS])
    difference = float((np.abs(peer() - mine) / np.abs(mine).max(axis=1, keepdims=True)).max())
    if not difference < 1e-7:
        raise AssertionError(f"maps differ by {difference:.1e}, more than 1e-7")
    contenders = {
        "the loop, the same basis": Contender(peer),
        "ours, one phantom": Contender(partial(scene.ours, 1), 1, report.threads),
        "ours, eight at once": Contender(partial(scene.ours, 8), 8, report.threads),
    }
    return _rows(scene, rounds(contenders, report.pairs), len(scene.basis), f"{difference:.0e}")


def _at_nodes(report: Report, scene: Scene) -> list[list[str]]:
    work, corners = scene.work, scene.work.elements
    count = len(work.nodes)
    fraction = sparse.csr_array(
        (np.full(corners.size, 1 / 3), (np.repeat(np.arange(len(corners)), 3), corners.ravel())),
        (len(corners), count),
    )
    first, same = scene.loop(scene.basis.elements, scene.gray[0])
    same()
    # the same functional: a sum over more and smaller places
    strength = first.last * len(scene.basis) / count
    pixel = np.linalg.norm(work.nodes[:, None] - scene.points, axis=2).argmin(axis=1)
    _, peer = scene.loop(fraction, scene.image[0][pixel], strength)
    found: list[Array] = []
    contenders = {
        "the loop, unknowns at nodes": Contender(lambda: found.append(peer())),
        "ours, one phantom": Contender(partial(scene.ours, 1), 1, report.threads),
    }
    times = rounds(contenders, min(report.pairs, 3), warm=0)
    theirs = found[0] @ point_weights(work.nodes, corners, scene.points * 0.995).T
    mine = np.stack([scene.found.at(scene.points)[name][0] for name in MAPS])
    each = np.linalg.norm(theirs - mine, axis=1) / np.linalg.norm(mine, axis=1)
    if not each.max() < 0.1:
        raise AssertionError(f"maps differ by {each.max():.1%}, more than 10 %")
    return _rows(scene, times, count, f"{each.max():.1%}")


def _rows(scene: Scene, times: dict[str, Times], unknowns: int, difference: str) -> list[list[str]]:
    slow = next(iter(times.values()))
    return [
        [
            f"{len(scene.work.nodes):,} nodes",
            name,
            f"4 x {unknowns if name.startswith('the') else len(scene.basis)}",
            f"{np.median(spent) * 1e3:.1f}",
            str(ratio(slow, spent)),
            "-" if name.startswith("the") else difference,
        ]
        for name, spent in times.items()
    ]
