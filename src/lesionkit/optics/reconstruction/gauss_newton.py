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
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from lesionkit.optics.forward.maps import check_finite, coarse
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.forward.plans import At
from lesionkit.optics.reconstruction import data_space
from lesionkit.optics.reconstruction.normal_equations import Buffers, normal_equations
from lesionkit.optics.reconstruction.penalty import Penalty
from lesionkit.optics.reconstruction.weighting import Weighting

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

TISSUE = ("hbo", "hb", "water", "amplitude", "power")
"""What tissue is made of; with lipid, `Problem.contents` names it after water."""
MAX_POWER = 100.0  # of mus': beyond, powers of wavelengths overflow
PER_CENT = ("water", "lipid")  # what cannot be more than all
SPACE = 2**29  # bytes of derivatives that are held at once
MAX_LOG_STEP = 1.0  # factor of e by which a map may move in a step
HALVINGS = 5  # of a step that leads uphill
DAMPING = 1e-8  # of steps of single numbers: one wavelength cannot tell amplitude from power
DIFFERENCE = 1e-4  # relative, of mua and mus', for derivatives to the square of it
NOISE = 0.01  # of a log reading: what priors are weighed against
PRIOR = {"amplitude": 0.5, "power": 0.5}  # of the chromophores: 1
"""How far homogeneous tissue may lie from the reference: factors of e, and the power itself. Some
thousand readings outweigh it; where few wavelengths leave a combination open, it decides."""


@dataclass(frozen=True)
class Problem:
    """What all phantoms of a call share.

    model      : the forward model
    basis      : (properties, k) sparse, at the elements of triangles or the nodes of tetrahedra
    pairs      : (m,) places of the used readings among sources * detectors
    extinction : (wavelengths, chromophores) mm^-1 per micromolar, micromolar, per cent, per cent
    nm         : (wavelengths,)
    maps       : which of `contents` but the power become maps
    contents   : the names of what tissue is made of: TISSUE, or with "lipid" after "water". Arrays
                 of tissue hold them in this order, c of them chromophores
    """

    model: ForwardModel
    basis: sparse.csr_array
    pairs: Index
    extinction: Floats
    nm: Floats
    maps: tuple[str, ...]
    contents: tuple[str, ...] = TISSUE

    @property
    def at(self) -> At:
        """Where properties are."""
        return "nodes" if self.model.mesh.solid else "elements"

    @property
    def in_data_space(self) -> bool:
        """Whether readings are fewer than the unknowns of maps."""
        rows = len(self.nm) * len(self.pairs) * (1 + bool(self.model.frequency))
        k = int(self.basis.shape[1])
        return k > 1 and len(self.maps) * k > rows

    @property
    def chromophores(self) -> int:
        """How many there are: also the place of the scattering amplitude in `contents`."""
        return len(self.contents) - 2

    @property
    def priors(self) -> Floats:
        """PRIOR of each of `contents`."""
        return np.array([PRIOR.get(name, 1.0) for name in self.contents])

    def within(self, tissue: Floats) -> Floats:
        """`tissue` (contents, ...), in place: neither rounding nor a wild step leads beyond what a
        number can be."""
        np.clip(tissue[-1], -MAX_POWER, MAX_POWER, out=tissue[-1])
        for i, name in enumerate(self.contents):
            if name in PER_CENT:
                np.minimum(tissue[i], 100, out=tissue[i])
        return tissue

    @property
    def single(self) -> tuple[str, ...]:
        """What of the scattering is a single number for each phantom."""
        return ("power",) if "amplitude" in self.maps else ("amplitude", "power")

    def spectrum(self, power: Any) -> Any:
        """mus' over its amplitude: (..., wavelengths, 1) for powers (...,)."""
        return ((self.nm / 1000) ** -np.asarray(power)[..., None])[..., None]

    def optical(self, tissue: Floats) -> tuple[Floats, Floats]:
        """mua and mus' (n, wavelengths, properties) in mm^-1 of coefficients (n, contents, k)."""
        c = self.chromophores
        fine = (self.basis @ tissue[:, : c + 1].reshape(-1, tissue.shape[2]).T).T
        fine = np.maximum(fine, 0).reshape(len(tissue), c + 1, -1)  # rounding of a sum of shares
        mua = absorption(self.extinction, fine[:, None, :c])
        return mua, fine[:, c:] * self.spectrum(tissue[:, c + 1, 0])

    def logs(self, mua: Floats, mus: Floats) -> Floats:
        """Logs of the used readings for maps (..., properties): (..., rows)."""
        plans, batch = self.model.plans, mua.shape[:-1]
        mua, mus = (np.ascontiguousarray(x.reshape(-1, x.shape[-1])) for x in (mua, mus))
        found = np.empty((len(mua), len(self.model.sources), len(self.model.detectors)), plans.kind)
        # not by `measure`, which warns: a step too far, to such tissue, is taken back
        plans.at(self.at).measure(mua, mus, found)
        check_finite("measure", mua, mus, found)
        return log(self._used(found.reshape(*batch, *found.shape[1:])))

    def _used(self, readings: Any) -> Any:
        return readings.reshape(*readings.shape[:-2], -1)[..., self.pairs]

    def at_once(self, most: int) -> int:
        """How many phantoms' derivatives there is room for, up to `most`."""
        numbers = 2 * len(self.nm) * int(self.basis.shape[1]) * len(self.pairs)
        return max(1, min(most, SPACE // (numbers * np.dtype(self.model.plans.kind).itemsize)))

    def buffers(self, phantoms: int) -> tuple[Any, Any]:
        """For `derivatives` of as many; it is used again and again, since fresh memory costs."""
        shape = phantoms, len(self.nm), self.basis.shape[1], len(self.pairs)
        return np.empty(shape, self.model.plans.kind), np.empty(shape, self.model.plans.kind)

    def uniform(self, mua: Floats, mus: Floats) -> tuple[Floats, Floats, Floats]:
        """Logs of homogeneous tissue (n, wavelengths, 1), and their derivatives by ln mua and ln
        mus', each (n, wavelengths, rows)."""
        if self.model.mesh.solid:
            found = self.model.plans.at(self.at).uniform(mua.ravel(), mus.ravel())
            here, by_mua, by_mus = (self._used(x).reshape(*mua.shape[:2], -1) for x in found)
            return log(here), _real(mua * by_mua / here), _real(mus * by_mus / here)
        sides = (
            np.stack([mua, mua * (1 + DIFFERENCE), mua]),
            np.stack([mus, mus, mus * (1 + DIFFERENCE)]),
        )
        maps = (np.repeat(side, self.basis.shape[0], axis=-1) for side in sides)
        here, by_mua, by_mus = self.logs(*maps)
        return here, (by_mua - here) / DIFFERENCE, (by_mus - here) / DIFFERENCE

    def derivatives(self, tissue: Floats, buffers: tuple[Any, Any]) -> tuple[Floats, Derivatives]:
        """Logs (n, wavelengths, rows) of tissue (n, contents, k), and their derivatives."""
        mua, mus = self.optical(tissue)
        n, wavelengths = mua.shape[:2]
        mua, mus = (np.ascontiguousarray(x.reshape(n * wavelengths, -1)) for x in (mua, mus))
        parts = tuple(x[:n].reshape(n * wavelengths, *x.shape[2:]) for x in buffers)
        by = coarse(self.basis, mua.shape[1], self.pairs, of_log=True)
        of_all = self.model.plans.jacobian(mua, mus, self.at, parts, coarse=by)
        readings = self._used(of_all).reshape(n, wavelengths, -1)
        by_mua, by_mus = (_real(x[:n]) for x in buffers)
        # by ln amplitude: every mus' grows by its own fraction, whatever the map
        c = self.chromophores
        spectrum = self.spectrum(tissue[:, c + 1, 0])
        by_log = np.matmul(tissue[:, None, c : c + 1], by_mus) * spectrum[..., None]
        by_power = -np.log(self.nm / 1000)[:, None, None] * by_log
        single = by_power if "amplitude" in self.maps else np.concatenate([by_log, by_power], 2)
        return log(readings), Derivatives(by_mua, by_mus, single)


def absorption(extinction: Floats, amounts: Floats) -> Floats:
    """mua (n, wavelengths, places) of amounts (n, 1, chromophores, places): summed in one order,
    whatever the batch, which a product of matrices does not promise."""
    e = extinction[:, :, None]
    mua: Floats = e[:, 0] * amounts[:, :, 0]
    for i in range(1, extinction.shape[1]):
        mua = mua + e[:, i] * amounts[:, :, i]
    return mua


class Derivatives(NamedTuple):
    """Of logs, (n, wavelengths, ..., rows): by the coefficients of mua, by those of mus', and by
    the single numbers (ln amplitude, if it is no map, and power)."""

    by_mua: Floats
    by_mus: Floats
    single: Floats

    def weighted(self, root: Floats) -> Derivatives:
        """Those of logs times `root` (n, wavelengths, rows)."""
        return Derivatives(*(part * root[..., None, :] for part in self))


def _real(part: Any) -> Floats:
    """Of ln amplitude; of modulated light those of phase after them."""
    if part.dtype.kind == "c":
        return np.concatenate([part.real, part.imag], axis=-1)
    return np.asarray(part)


def log(readings: Any) -> Floats:
    """ln |reading| of each pair, then the phases of modulated light; NaN of what is not above 0."""
    if readings.dtype.kind == "c":
        return np.concatenate([np.log(np.abs(readings)), np.angle(readings)], axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        amplitude: Floats = np.log(readings)
    return amplitude


def difference(data: Floats, model: Floats, modulated: bool) -> Floats:
    """data - model of logs; phases, the second half, to the nearest turn."""
    out = data - model
    if modulated:
        half = out.shape[-1] // 2
        out[..., half:] = np.angle(np.exp(1j * out[..., half:]))
    return out


def rooted(residual: Floats, root: Floats) -> Floats:
    """residual * root; 0 where the root is, whatever the residual."""
    out: Floats = np.where(root > 0, residual, 0) * root
    return out


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
) -> tuple[Floats, Floats, Floats | None]:
    """Tissue (n, contents, k) of some phantoms, as coefficients, and the record of residuals.

    data      : (n, wavelengths, rows) logs, calibrated
    start     : (n, contents) homogeneous tissue
    penalties : of each phantom
    space     : `Problem.room` for as many phantoms, or more
    weighting : of these phantoms' readings; None: all count alike
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
        model, found = problem.derivatives(tissue, space)
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
            residual = difference(
                data[active[todo]], problem.logs(*problem.optical(tissue)), modulated
            )
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
