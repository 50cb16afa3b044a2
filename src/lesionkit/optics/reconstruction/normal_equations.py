"""J'J and J'r of maps at several wavelengths, from Gram matrices of each wavelength.

Let A_w (k, rows) be the derivatives of the logs at wavelength w by the coefficients of mua, and S_w
those by mus'. A chromophore c has the derivatives e_cw A_w, so the block of two of them is sum_w
e_cw e_dw A_w A_w': one product A_w A_w' for each wavelength serves all chromophores, and what is
left is a small matrix of numbers e e times them. Forming J and J'J takes three to nine times as
many operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Buffers:
    """A thread's memory: fresh pages cost as much as the sums that are written to them."""

    def __init__(self) -> None:
        self._parts: dict[str, Floats] = {}

    def take(self, name: str, *shape: int) -> Floats:
        """An array of this shape; what it holds is of no use."""
        size = int(np.prod(shape))
        if name not in self._parts or self._parts[name].size < size:
            self._parts[name] = np.empty(size)
        return self._parts[name][:size].reshape(shape)


def normal_equations(
    a: Floats, s: Floats, single: Floats, residual: Floats, by_mua: Floats, by_mus: Floats | None,
    buffers: Buffers,
    spread: Callable[..., Iterable[None]] = map,
) -> tuple[Floats, Floats]:  # fmt: skip
    """The lower triangle of J'J (n, n), in `room`, and J'r (n,).

    a, s     : (wavelengths, k, rows), derivatives by coefficients of mua and of mus'
    single   : (wavelengths, singles, rows), by single numbers
    residual : (wavelengths, rows)
    by_mua   : (chromophores, wavelengths), d mua / d unknown; may hold none
    by_mus   : (wavelengths,), d mus' / d unknown, or None if the amplitude is no map
    spread   : `map`, or that of threads which have nothing else to do
    The order of the unknowns: maps one after the other, then the single numbers.
    """
    chromophores, k = len(by_mua), a.shape[1]
    maps = chromophores + (by_mus is not None)
    size = maps * k + single.shape[1]
    hessian, right = buffers.take("hessian", size, size), np.empty(size)

    def add(row: int, columns: list[int], weights: Floats, x: Floats, y: Floats) -> None:
        """Blocks right of each other: sums of x_w y_w' with weights (columns, wavelengths)."""
        grams = buffers.take("grams", len(x), x.shape[1], y.shape[1])
        list(spread(_gram, x, y, grams))
        put(row, columns, weights, grams)

    def put(row: int, columns: list[int], weights: Floats, grams: Floats) -> None:
        sums = buffers.take("sums", len(weights), grams[0].size)
        np.matmul(weights, grams.reshape(len(grams), -1), out=sums)
        for column, block in zip(columns, sums.reshape(-1, *grams.shape[1:]), strict=True):
            here = slice(column * k, column * k + block.shape[1])
            hessian[row * k : row * k + len(block), here] = block

    ones = np.ones((1, len(a)))
    every = list(range(chromophores))
    if chromophores:
        grams = buffers.take("grams", len(a), k, k)
        list(spread(_gram, a, a, grams))
        for c in every:
            put(c, every[: c + 1], by_mua[c] * by_mua[: c + 1], grams)
        right[: chromophores * k] = (by_mua @ _slopes(a, residual)).ravel()
        add(maps, every, by_mua, single, a)
    if by_mus is not None:
        if chromophores:
            add(maps - 1, every, by_mua * by_mus, s, a)
        add(maps - 1, [maps - 1], by_mus[None] ** 2, s, s)
        add(maps, [maps - 1], by_mus[None], single, s)
        right[chromophores * k : maps * k] = by_mus @ _slopes(s, residual)
    add(maps, [maps], ones, single, single)
    right[maps * k :] = _slopes(single, residual).sum(axis=0)
    return hessian, right


def _gram(one: Floats, other: Floats, out: Floats) -> None:
    np.matmul(one, other.T, out=out)  # where they are one, BLAS does half the work


def _slopes(part: Floats, residual: Floats) -> Floats:
    """(wavelengths, rows of part)."""
    slopes: Floats = np.matmul(part, residual[:, :, None])[..., 0]
    return slopes
