"""The step of Gauss-Newton in the space of the data, where readings are fewer than unknowns.

Let J hold the derivatives and H = J'J + lambda L'L, of n unknowns and N readings. With L = E - F U'
(`penalty.LowRank`, E diagonal), L'L = E^2 + V C V', V = [E F, U] of some tens of columns, so

    H = lambda E^2 + K' M K,    K = [J; V'],    M = diag(1, lambda C),

and (Woodbury) H^-1 = G - G K' (M^-1 + K G K')^-1 K G with G = (lambda E^2)^-1 diagonal: a matrix of
N and some hundred rows is factored, and n only counts in products. Each map has its own lambda;
J J' of all chromophores is made of one Gram matrix for each two wavelengths.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg

from lesionkit.optics.reconstruction.normal_equations import Buffers
from lesionkit.optics.reconstruction.penalty import LowRank

Floats = npt.NDArray[np.float64]


class MapDerivatives(NamedTuple):
    """Derivatives of logs by maps, in parts.

    a, s   : (wavelengths, k, rows), by coefficients of mua and of mus'
    by_mua : (chromophores, wavelengths), d mua / d unknown; may hold none
    by_mus : (wavelengths,), d mus' / d unknown, or None if the amplitude is no map
    """

    a: Floats
    s: Floats
    by_mua: Floats
    by_mus: Floats | None

    def times(self, maps: Floats) -> Floats:
        """J of maps (maps, k): (wavelengths, rows)."""
        c = len(self.by_mua)
        out = np.einsum("wkr,wk->wr", self.a, self.by_mua.T @ maps[:c], optimize=True)
        if self.by_mus is not None:
            out = out + self.by_mus[:, None] * (maps[c] @ self.s)
        return np.asarray(out)

    def transposed_times(self, data: Floats) -> Floats:
        """J' of data (wavelengths, rows): (maps, k)."""
        out: Floats = self.by_mua @ np.matmul(self.a, data[..., None])[..., 0]
        if self.by_mus is not None:
            of_mus = self.by_mus @ np.matmul(self.s, data[..., None])[..., 0]
            out = np.vstack([out, of_mus])
        return out

    def largest(self) -> Floats:
        """The largest diagonal element of each map's block of J'J, (maps,)."""
        of_mua = np.square(self.by_mua) @ np.einsum("wkr,wkr->wk", self.a, self.a)
        out = of_mua.max(axis=1, initial=0)
        if self.by_mus is not None:
            of_mus = np.square(self.by_mus) @ np.einsum("wkr,wkr->wk", self.s, self.s)
            out = np.append(out, of_mus.max())
        return np.asarray(out)


def step(
    found: MapDerivatives, single: Floats, residual: Floats, maps: Floats, penalty: LowRank,
    strength: Floats, damping: float, buffers: Buffers,
    spread: Callable[..., Iterable[None]] = map,
) -> tuple[Floats, Floats]:  # fmt: skip
    """The step of maps (maps, k), and of single numbers.

    single   : (wavelengths, singles, rows), derivatives by single numbers
    residual : (wavelengths, rows)
    maps     : (maps, k), where it starts
    strength : (maps,), lambda
    damping  : of single numbers
    spread   : `map`, or that of threads which have nothing else to do
    """
    system = _System(found, penalty, strength, buffers, spread)
    bend = penalty.transposed_times(penalty.times(maps))
    right = found.transposed_times(residual) - strength[:, None] * bend
    # the single numbers stand at the border of the maps' equations
    border = [found.transposed_times(single[:, i]) for i in range(single.shape[1])]
    solved = [system.solve(part) for part in (right, *border)]
    inner = np.einsum("wir,wjr->ij", single, single) + damping * np.eye(single.shape[1])
    inner -= [[float((one * other).sum()) for other in solved[1:]] for one in border]
    numbers = np.einsum("wir,wr->i", single, residual)
    numbers = numbers - [float((one * solved[0]).sum()) for one in border]
    numbers = np.linalg.solve(inner, numbers)
    return solved[0] - sum(x * one for x, one in zip(numbers, solved[1:], strict=True)), numbers


def _add(block: Floats, scaled: Floats, part: Floats, weight: Floats, w: int, v: int) -> None:
    """block of wavelengths w and v += weight * scaled' part."""
    rows = part.shape[2]
    here = block[w * rows : (w + 1) * rows, v * rows : (v + 1) * rows]
    here += weight[w, v] * (scaled.T @ part[v])


class _System:
    """The maps' part of H, factored."""

    def __init__(
        self,
        found: MapDerivatives,
        penalty: LowRank,
        strength: Floats,
        buffers: Buffers,
        spread: Callable[..., Iterable[None]],
    ) -> None:
        self._found = found
        self._g = 1 / (strength[:, None] * np.square(penalty.diagonal))
        self._v = np.hstack([penalty.diagonal[:, None] * penalty.across, penalty.kernel])
        scaled = self._v / np.square(penalty.diagonal)[:, None]
        r = penalty.kernel.shape[1]
        inner = self._v.T @ scaled  # C^-1 + V' E^-2 V
        inner[:r, :r] -= penalty.across.T @ penalty.across
        inner[:r, r:] -= np.eye(r)
        inner[r:, :r] -= np.eye(r)
        self._factor = linalg.cho_factor(
            self._data_block(penalty.diagonal, strength, buffers, spread).T,
            lower=False,
            overwrite_a=True,
            check_finite=False,
        )
        self._cross = self._cross_block(scaled, strength)
        self._solved = linalg.cho_solve(self._factor, self._cross, check_finite=False)
        small = np.kron(np.diag(1 / strength), inner)
        self._small = linalg.lu_factor(small - self._cross.T @ self._solved)

    def _data_block(
        self,
        diagonal: Floats,
        strength: Floats,
        buffers: Buffers,
        spread: Callable[..., Iterable[None]],
    ) -> Floats:
        """The lower triangle of 1 + J G J', (N, N)."""
        a, s, by_mua, by_mus = self._found
        wavelengths, k, rows = a.shape
        parts = [(a, by_mua.T @ (by_mua / strength[: len(by_mua), None]))]
        if by_mus is not None:
            parts.append((s, by_mus[:, None] * by_mus / strength[-1]))
        block = buffers.take("data", wavelengths * rows, wavelengths * rows)
        block[...] = 0
        scaled = buffers.take("scaled", k, rows)

        for part, weight in parts:
            for w in range(wavelengths):
                np.divide(part[w], np.square(diagonal)[:, None], out=scaled)
                list(spread(functools.partial(_add, block, scaled, part, weight, w), range(w + 1)))
        np.einsum("ii->i", block)[...] += 1
        return block

    def _cross_block(self, scaled: Floats, strength: Floats) -> Floats:
        """J G V of all maps, (N, maps 2 r)."""
        a, s, by_mua, by_mus = self._found
        of_mua = np.matmul(a.transpose(0, 2, 1), scaled)  # (wavelengths, rows, 2 r)
        parts = [e[:, None, None] * of_mua for e in by_mua]
        if by_mus is not None:
            parts.append(by_mus[:, None, None] * np.matmul(s.transpose(0, 2, 1), scaled))
        whole = np.stack(parts, axis=2) / strength[:, None]
        return np.asarray(whole.reshape(a.shape[0] * a.shape[2], -1))

    def solve(self, right: Floats) -> Floats:
        """H^-1 of maps (maps, k)."""
        first = self._g * right
        data = self._found.times(first)
        low = (first @ self._v).ravel()
        of_data = linalg.cho_solve(self._factor, data.ravel(), check_finite=False)
        z_low = linalg.lu_solve(self._small, low - self._cross.T @ of_data)
        z_data = (of_data - self._solved @ z_low).reshape(data.shape)
        back = self._found.transposed_times(z_data)
        back += z_low.reshape(len(right), -1) @ self._v.T
        return np.asarray(first - self._g * back)
