"""Gauss-Newton for maps of tissue from the logs of readings at several wavelengths.

The unknowns of a phantom are maps u_c (chromophores, perhaps the scattering amplitude) relative to
its homogeneous start, as coefficients of a coarse basis, and what is left of the scattering as
single numbers. It minimises

    sum_w ||y_w - f_w(u)||^2 + sum_c lambda_c ||L u_c||^2,

y_w the logs of the readings at a wavelength: the normal equations are `normal_equations`'s, or
where readings are fewer than unknowns those of `data_space`. Where readings do not count alike
(`weighting`), rows of y - f are multiplied by roots of their weights.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import linalg

from lesionkit.optics.forward.solid_plan import Near
from lesionkit.optics.reconstruction import data_space
from lesionkit.optics.reconstruction.normal_equations import Buffers, normal_equations
from lesionkit.optics.reconstruction.penalty import Penalty
from lesionkit.optics.reconstruction.spectral import (
    PER_CENT,
    Derivatives,
    Floats,
    Problem,
    difference,
    rooted,
)
from lesionkit.optics.reconstruction.weighting import Weighting

MAX_LOG_STEP = 1.0  # factor of e by which a map may move in a step
HALVINGS = 5  # of a step that leads uphill
DAMPING = 1e-8  # of steps of single numbers: one wavelength cannot tell amplitude from power


@dataclass
class _Phantom:
    """One phantom on its way: maps over their start, single numbers less their start."""

    problem: Problem
    data: Floats
    start: Floats  # (contents,)
    penalty: Penalty
    maps: Floats  # (maps, k)
    single: Floats
    strength: Floats  # (maps,): lambda

    def tissue(self, maps: Floats, single: Floats) -> Floats:
        """(contents, k) coefficients."""
        problem = self.problem
        out = np.repeat(self.start[:, None], maps.shape[1], axis=1)
        for name, u in zip(problem.maps, maps, strict=True):
            out[problem.contents.index(name)] *= u
        if "amplitude" not in problem.maps:
            out[problem.chromophores] *= np.exp(single[0])
        out[-1] += single[-1]
        return problem.within(out)

    def moved(self, step: tuple[Floats, Floats], fraction: float) -> tuple[Floats, Floats]:
        """Maps and numbers after a fraction of a step, within what tissue can be.

        To first order a map moves by its step; beyond, by factors: maps stay above 0, and a step
        that trades absorption for scattering keeps their product, by which light falls.
        """
        maps = self.maps * np.exp(
            np.clip(fraction * step[0] / self.maps, -MAX_LOG_STEP, MAX_LOG_STEP)
        )
        for i, name in enumerate(self.problem.maps):
            if name in PER_CENT:
                maps[i] = np.minimum(maps[i], 100 / self.start[self.problem.contents.index(name)])
        return maps, self.single + fraction * step[1]

    def cost(self, residual: Floats, maps: Floats) -> float:
        if self.problem.in_data_space:
            bend = np.square(self.penalty.low_rank.times(maps)).sum(axis=1)
        else:
            bend = np.einsum("ck,ck->c", maps @ self.penalty.matrix, maps)
        return float(np.square(residual).sum() + self.strength @ bend)

    def step(
        self,
        found: Derivatives,
        residual: Floats,
        regularisation: float,
        buffers: Buffers,
        spread: Callable[..., Iterable[None]] = map,
    ) -> tuple[Floats, Floats]:
        """The Gauss-Newton step from derivatives of this phantom, (wavelengths, ..., rows)."""
        k, problem = self.maps.shape[1], self.problem
        count = len(problem.maps) * k
        chosen = [problem.contents.index(name) for name in problem.maps if name != "amplitude"]
        by_mua = (problem.extinction[:, chosen] * self.start[chosen]).T
        by_mus = None
        if "amplitude" in problem.maps:
            power = self.start[-1] + self.single[-1]
            by_mus = self.start[-2] * problem.spectrum(power)[:, 0]
        if problem.in_data_space:
            of_maps = data_space.MapDerivatives(found.by_mua, found.by_mus, by_mua, by_mus)
            largest = of_maps.largest()
            if not self.strength.any():
                self.strength[...] = regularisation * largest
            return data_space.step(
                of_maps, found.single, residual, self.maps, self.penalty.low_rank,
                self.strength, DAMPING * float(largest.max()), buffers, spread,
            )  # fmt: skip
        hessian, right = normal_equations(*found, residual, by_mua, by_mus, buffers, spread)
        diagonal = np.einsum("ii->i", hessian)
        if not self.strength.any():
            largest = diagonal[:count].reshape(-1, k).max(axis=1)
            self.strength[...] = regularisation * largest
        for i, strength in enumerate(self.strength):
            here = slice(i * k, (i + 1) * k)
            bend = np.multiply(self.penalty.matrix, strength, out=buffers.take("sums", k, k))
            hessian[here, here] += bend
            right[here] -= strength * (self.penalty.matrix @ self.maps[i])
        diagonal[count:] += DAMPING * diagonal[:count].max()
        # its transpose is what LAPACK, which counts by columns, takes without a copy
        try:
            factor = linalg.cho_factor(hessian.T, lower=False, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError as problem:
            raise ValueError(
                "regularisation must leave the equations of a step a solution in float64, got "
                f"{regularisation:g}"
            ) from problem
        step: Floats = linalg.cho_solve(factor, right, check_finite=False)
        return step[:count].reshape(-1, k), step[count:]


def solve(
    problem: Problem,
    data: Floats,
    start: Floats,
    penalties: Sequence[Penalty],
    regularisation: float,
    max_iter: int,
    tol: float,
    pool: ThreadPoolExecutor,
    space: tuple[Any, Any],
    weighting: Weighting | None = None,
    near: Near | None = None,
) -> tuple[Floats, Floats, Floats | None]:
    """Tissue (n, contents, k) of some phantoms, as coefficients, and the record of residuals.

    data      : (n, wavelengths, rows) logs, calibrated
    start     : (n, contents) homogeneous tissue
    penalties : of each phantom
    space     : `Problem.room` for as many phantoms, or more
    weighting : of these phantoms' readings; None: all count alike
    near      : as `Problem.near` has it
    record    : (n, max_iter + 1) root mean squares of data - model, NaN once a phantom rests
    returns   : tissue, record, and (n, wavelengths, rows) how much each row counted in the end
    """
    k, modulated = problem.basis.shape[1], bool(problem.model.frequency)
    record = np.full((len(data), max_iter + 1), np.nan)
    phantoms = [
        _Phantom(
            problem, y, t, p, np.ones((len(problem.maps), k)),
            np.zeros(len(problem.single)), np.zeros(len(problem.maps)),
        )
        for y, t, p in zip(data, start, penalties, strict=True)
    ]  # fmt: skip
    active, own = np.arange(len(data)), threading.local()
    counted = None if weighting is None else weighting.given.copy()

    def near_of(some: Any) -> Near | None:
        return None if near is None else replace(near, maps=some)

    def step(
        one: _Phantom,
        found: Derivatives,
        residual: Floats,
        spread: Callable[..., Iterable[None]] = map,
    ) -> tuple[Floats, Floats]:
        if not hasattr(own, "buffers"):
            own.buffers = Buffers()
        return one.step(found, residual, regularisation, own.buffers, spread)

    for turn in range(max_iter):
        if not len(active):
            break
        mine = [phantoms[i] for i in active]
        tissue = np.stack([p.tissue(p.maps, p.single) for p in mine])
        model, found = problem.derivatives(tissue, space, near_of(active))
        residual = difference(data[active], model, modulated)
        root = None
        if weighting is not None and counted is not None:
            counted[active], root = weighting.of(residual, active)
            residual, found = rooted(residual, root), found.weighted(root)
        if turn == 0:
            record[active, 0] = _rms(residual, root)
        each = [Derivatives(*(part[i] for part in found)) for i in range(len(mine))]
        if len(mine) == 1:  # the last one, or the only one: its wavelengths go to the threads
            steps = [step(mine[0], each[0], residual[0], pool.map)]
        else:
            steps = list(pool.map(step, mine, each, residual))
        before = np.array([p.cost(r, p.maps) for p, r in zip(mine, residual, strict=True)])
        # as long as a step leads uphill, half of it
        todo, fraction, rest = np.arange(len(mine)), 1.0, np.zeros(len(mine), bool)
        for _ in range(HALVINGS):
            tried = [mine[i].moved(steps[i], fraction) for i in todo]
            tissue = np.stack([mine[i].tissue(*to) for i, to in zip(todo, tried, strict=True)])
            mua, mus = problem.optical(tissue)
            here = problem.logs(mua, mus, near_of(active[todo]))
            residual = difference(data[active[todo]], here, modulated)
            if root is not None:
                residual = rooted(residual, root[todo])
            after = np.array(
                [mine[i].cost(r, to[0]) for i, r, to in zip(todo, residual, tried, strict=True)]
            )
            good = after < before[todo]
            for i in np.flatnonzero(good):
                mine[todo[i]].maps, mine[todo[i]].single = tried[i]
            record[active[todo[good]], turn + 1] = _rms(
                residual[good], None if root is None else root[todo[good]]
            )
            rest[todo[good]] = after[good] > (1 - tol) * before[todo[good]]
            todo, fraction = todo[~good], fraction / 2
            if not len(todo):
                break
        rest[todo] = True
        active = active[~rest]
    return np.stack([p.tissue(p.maps, p.single) for p in phantoms]), record, counted


def _rms(residual: Floats, root: Floats | None) -> Floats:
    """Of each phantom; of rows that are multiplied by `root` already, the weighted one."""
    if root is None:
        return np.array([np.sqrt(np.square(one).mean()) for one in residual])
    whole = np.square(root).sum(axis=(1, 2))
    mean: Floats = np.sqrt(np.square(residual).sum(axis=(1, 2)) / whole)
    return mean
