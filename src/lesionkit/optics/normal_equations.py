"""J'J and J'r of maps at several wavelengths, from Gram matrices of each wavelength.

Let Z_w be the derivatives of the logs at wavelength w: K rows by the coefficients of mua, K by those
of mus' (if the scattering amplitude is a map), then those by single numbers. A chromophore c has the
derivatives e_cw A_w, A_w the first K rows, so the block of two of them is sum_w e_cw e_dw A_w A_w':
one product A_w A_w' for each wavelength serves all chromophores, and what remains is a small matrix
of numbers e e times them. Forming J and J'J would take three to nine times as many operations.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def normal_equations(
    z: Floats, residual: Floats, k: int, by_mua: Floats, by_mus: Floats | None
) -> tuple[Floats, Floats]:
    """The lower triangle of J'J (n, n), with zeros above some blocks, and J'r (n,).

    z        : (wavelengths, rows of Z, readings)
    residual : (wavelengths, readings)
    k        : coefficients of a map
    by_mua   : (chromophores, wavelengths), d mua / d unknown; may hold none
    by_mus   : (wavelengths,), d mus' / d unknown, or None if the amplitude is no map
    The order of the unknowns: maps one after the other, then the single numbers.
    """
    chromophores, wavelengths = by_mua.shape
    maps = chromophores + (by_mus is not None)
    singles = z.shape[1] - k * (1 + (by_mus is not None))
    size = maps * k + singles
    hessian, right = np.zeros((size, size)), np.empty(size)
    first, rest = z[:, :k], z[:, -singles:]
    slopes = np.matmul(z, residual[:, :, None])[..., 0]
    right[: chromophores * k] = (by_mua @ slopes[:, :k]).ravel()
    right[maps * k :] = slopes[:, -singles:].sum(axis=0)

    def add(rows: int, columns: int, block: Floats) -> None:
        here = slice(columns * k, columns * k + block.shape[1])
        hessian[rows * k : rows * k + len(block), here] = block

    if chromophores:
        pairs = [(c, d) for c in range(chromophores) for d in range(c + 1)]
        products = np.array([by_mua[c] * by_mua[d] for c, d in pairs])
        for (c, d), block in zip(pairs, _sum(products, _grams(first, first)), strict=True):
            add(c, d, block)
        for c, block in enumerate(_sum(by_mua, _grams(rest, first))):
            add(maps, c, block)
    if by_mus is not None:
        second = z[:, k : 2 * k]
        right[chromophores * k : maps * k] = by_mus @ slopes[:, k : 2 * k]
        if chromophores:
            for c, block in enumerate(_sum(by_mua * by_mus, _grams(second, first))):
                add(maps - 1, c, block)
        add(maps - 1, maps - 1, _sum(by_mus[None] ** 2, _grams(second, second))[0])
        add(maps, maps - 1, _sum(by_mus[None], _grams(rest, second))[0])
    add(maps, maps, _grams(rest, rest).sum(axis=0))
    return hessian, right


def _grams(a: Floats, b: Floats) -> Floats:
    """a_w b_w' for each wavelength: (wavelengths, rows of a, rows of b)."""
    out = np.empty((len(a), a.shape[1], b.shape[1]))
    for one, other, to in zip(a, b, out, strict=True):
        np.matmul(one, other.T, out=to)  # where they are one, BLAS does half the work
    return out


def _sum(weights: Floats, grams: Floats) -> Floats:
    """Sums over wavelengths, (n, rows, columns), with weights (n, wavelengths)."""
    count, rows, columns = grams.shape
    return (weights @ grams.reshape(count, -1)).reshape(-1, rows, columns)
