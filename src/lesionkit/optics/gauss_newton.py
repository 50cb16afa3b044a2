"""Gauss-Newton for maps of tissue from log amplitudes at several wavelengths, many phantoms at once.

The unknowns of a phantom are maps u_c (c: a chromophore, or the scattering amplitude) relative to
its homogeneous start, as coefficients of a coarse basis. It minimises

    sum_w ||y_w - f_w(u)||^2 + sum_c lambda_c ||L u_c||^2,

y_w the logarithms of readings. By mua and mus' at wavelength w, f_w has the derivatives X_w and S_w,
and mua is linear in the chromophores with extinction coefficients e_wc: block (c, d) of J'J is sum_w
e_wc e_wd X_w'X_w. So one Gram matrix for each wavelength makes all blocks, and the Jacobian of all
unknowns, nine times the work, is never formed.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

import lesionkit
from lesionkit.optics.forward import ForwardModel

Floats = npt.NDArray[np.float64]

LEAST = 0.02  # of the start: concentrations stay above it
HALVINGS = 5  # of a step that leads uphill


@dataclass(frozen=True)
class Problem:
    """What all phantoms of a call share.

    model      : the forward model
    basis      : (nodes, k) sparse
    pairs      : (m,) places of the used readings among sources * detectors
    extinction : (wavelengths, 3) mm^-1 per micromolar, micromolar, per cent
    nm         : (wavelengths,)
    unknowns   : which of TISSUE become maps
    """

    model: ForwardModel
    basis: sparse.csr_array
    pairs: npt.NDArray[np.intp]
    extinction: Floats
    nm: Floats
    unknowns: tuple[str, ...]


TISSUE = ("hbo", "hb", "water", "amplitude", "power")


def optical(problem: Problem, tissue: Floats) -> tuple[Floats, Floats]:
    """mua and mus' (n, wavelengths, places) of tissue (n, 5, places), mm^-1."""
    mua = np.einsum("wc,ncp->nwp", problem.extinction, tissue[:, :3])
    amplitude, power = tissue[:, 3:4], tissue[:, 4:5]
    mus = amplitude * (problem.nm[:, None] / 1000) ** -power
    return mua, mus


def logs(problem: Problem, mua: Floats, mus: Floats) -> Floats:
    """Logarithms of the used readings for maps (..., nodes): (..., rows)."""
    return _log(_used(problem, problem.model.measure(mua, mus)))


def _used(problem: Problem, readings: Any) -> Any:
    return readings.reshape(*readings.shape[:-2], -1)[..., problem.pairs]


def _log(readings: Any) -> Floats:
    """ln |reading| of each pair, then the phases of modulated light."""
    if readings.dtype.kind == "c":
        return np.concatenate([np.log(np.abs(readings)), np.angle(readings)], axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log(readings)


def derivatives(problem: Problem, mua: Floats, mus: Floats) -> tuple[Floats, Floats, Floats]:
    """Logs (n, rows), and their derivatives by the coefficients of mua and mus' (n, k, rows)."""
    found = problem.model.jacobian(mua, mus)
    readings = _used(problem, found.readings)
    parts = []
    for part in (found.absorption, found.scattering):
        n = len(part)
        flat = part.reshape(n, -1, part.shape[-1])[:, problem.pairs]
        coarse = np.stack([(problem.basis.T @ one.T) for one in flat])
        parts.append(_of_log(coarse, readings))
    return _log(readings), parts[0], parts[1]


def _of_log(coarse: Any, readings: Any) -> Floats:
    relative = coarse / readings[:, None]
    if relative.dtype.kind == "c":
        return np.concatenate([relative.real, relative.imag], axis=-1)
    return np.asarray(relative)


def difference(data: Floats, model: Floats, phases: int) -> Floats:
    """data - model of logs, phases (the last so many) to the nearest turn."""
    out = data - model
    if phases:
        tail = out[..., -phases:]
        out[..., -phases:] = np.angle(np.exp(1j * tail))
    return out


def solve(
    problem: Problem,
    data: Floats,
    start: Floats,
    penalty: Callable[[int], Floats],
    regularisation: float,
    iterations: int,
    tolerance: float,
) -> tuple[Floats, Floats]:
    """Maps of some phantoms: (n, 5, k) coefficients of TISSUE, and the record of residuals.

    data    : (n, wavelengths, rows) logs, calibrated
    start   : (n, 5) homogeneous tissue
    penalty : L'L of phantom i, (k, k)
    record  : (n, iterations + 1) root mean squares of data - model, NaN once a phantom has stopped
    """
    count, k, maps = len(data), problem.basis.shape[1], len(problem.unknowns)
    index = [TISSUE.index(name) for name in problem.unknowns]
    phases = len(problem.pairs) if problem.model.frequency else 0
    tissue = np.repeat(start[:, :, None], k, axis=2)
    scale = start[:, index]  # (n, maps)
    penalties = [penalty(i) for i in range(count)]
    strength = np.zeros((count, maps))
    record = np.full((count, iterations + 1), np.nan)
    active = np.arange(count)

    def cost(mine: npt.NDArray[np.intp], residual: Floats, u: Floats) -> Floats:
        bend = [
            strength[i] @ np.einsum("ck,ck->c", x @ penalties[i], x)
            for i, x in zip(mine, u, strict=True)
        ]
        return np.square(residual).sum(axis=(1, 2)) + np.array(bend)

    def relative(of: Floats, mine: npt.NDArray[np.intp]) -> Floats:
        u: Floats = of[:, index] / scale[mine][:, :, None]
        return u

    def nodal(of: Floats) -> tuple[Floats, Floats]:
        at_nodes = (problem.basis @ of.reshape(-1, k).T).T.reshape(*of.shape[:2], -1)
        return optical(problem, at_nodes)

    with ThreadPoolExecutor(lesionkit.threads(), "lesionkit") as pool:
        for turn in range(iterations + 1):
            if not len(active):
                break
            if turn == iterations:  # the last step's residual is known
                break
            steps = np.empty((len(active), maps, k))
            before = np.empty(len(active))
            for a, i in enumerate(active):
                mua, mus = nodal(tissue[i : i + 1])
                model, by_mua, by_mus = derivatives(problem, mua[0], mus[0])
                residual = difference(data[i], model, phases)
                if turn == 0:
                    record[i, 0] = np.sqrt(np.square(residual).mean())
                u = relative(tissue[i : i + 1], active[a : a + 1])[0]
                hessian, slope = _normal(problem, by_mua, by_mus, residual, tissue[i], scale[i])
                blocks = hessian.reshape(maps, k, maps, k)
                if turn == 0:
                    for c in range(maps):
                        strength[i, c] = regularisation * blocks[c, :, c].diagonal().max()
                bent = penalties[i]
                for c in range(maps):
                    blocks[c, :, c] += strength[i, c] * bent
                right = slope - strength[i][:, None] * (u @ bent)
                before[a] = cost(active[a : a + 1], residual[None], u[None])[0]
                steps[a] = _solve_symmetric(hessian, right.ravel()).reshape(maps, k)
            # as long as it goes uphill, half the step
            todo, share = np.arange(len(active)), 1.0
            stopped = np.zeros(len(active), bool)
            for _ in range(HALVINGS):
                trial = tissue[active[todo]].copy()
                u = relative(trial, active[todo]) + share * steps[todo]
                u = np.maximum(u, LEAST)
                trial[:, index] = u * scale[active[todo]][:, :, None]
                trial[:, 2] = np.minimum(trial[:, 2], 100.0)
                model = logs(problem, *nodal(trial))
                residual = difference(data[active[todo]], model, phases)
                after = cost(active[todo], residual, relative(trial, active[todo]))
                good = after < before[todo]
                mine = active[todo[good]]
                tissue[mine] = trial[good]
                record[mine, turn + 1] = np.sqrt(np.square(residual[good]).mean(axis=(1, 2)))
                small = after[good] > (1 - tolerance) * before[todo[good]]
                stopped[todo[good]] = small
                todo, share = todo[~good], share / 2
                if not len(todo):
                    break
            stopped[todo] = True
            active = active[~stopped]
    return tissue, record


def _normal(
    problem: Problem, by_mua: Floats, by_mus: Floats, residual: Floats, tissue: Floats, scale: Floats
) -> tuple[Floats, Floats]:
    """J'J (maps k, maps k) and J'r (maps, k) of one phantom, by its relative unknowns."""
    k, maps = by_mua.shape[1], len(problem.unknowns)
    chroma = [i for i, name in enumerate(problem.unknowns) if name != "amplitude"]
    factor = problem.extinction[:, [TISSUE.index(problem.unknowns[i]) for i in chroma]]
    factor = factor * scale[chroma]  # (wavelengths, chromophores)
    hessian = np.empty((maps, k, maps, k))
    slope = np.empty((maps, k))
    gram = by_mua @ by_mua.transpose(0, 2, 1)
    by_w = np.einsum("wkr,wr->wk", by_mua, residual)
    for a, i in enumerate(chroma):
        slope[i] = factor[:, a] @ by_w
        for b, j in enumerate(chroma[: a + 1]):
            block = np.tensordot(factor[:, a] * factor[:, b], gram, axes=1)
            hessian[i, :, j] = block
            hessian[j, :, i] = block
    if "amplitude" in problem.unknowns:
        s = problem.unknowns.index("amplitude")
        mus = scale[s] * (problem.nm / 1000) ** -tissue[4, 0]
        of = by_mus * mus[:, None, None]
        hessian[s, :, s] = np.einsum("wkr,wjr->kj", of, of, optimize=True)
        slope[s] = np.einsum("wkr,wr->k", of, residual)
        cross = by_mua @ of.transpose(0, 2, 1)
        for a, i in enumerate(chroma):
            block = np.tensordot(factor[:, a], cross, axes=1)
            hessian[i, :, s] = block
            hessian[s, :, i] = block.T
    return hessian.reshape(maps * k, maps * k), slope


def _solve_symmetric(matrix: Floats, right: Floats) -> Floats:
    out: Floats = linalg.cho_solve(linalg.cho_factor(matrix, lower=True), right)
    return out
