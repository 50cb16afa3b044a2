"""Co-occurrence in regions of many levels: only the cells that count something, no whole matrices.

Of `levels` squared cells a region of n voxels fills n at most. What features need of a matrix are
sums along its lines, which are as many as there are levels (haralick.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.texture.haralick import Sums
from lesionkit.texture.region.discretise import Region

Real = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
MAX_DENSE = 512  # levels, of whose matrix all eigenvalues are found


@dataclass(frozen=True)
class Cells:
    """A co-occurrence matrix by its cells; of a symmetric one, each of its cells and its mirror
    image once.

    low, high : (cells,) levels from 0, in order; of a symmetric matrix low <= high
    counts    : (cells,) pairs of voxels, weighted
    levels    : how many there may be
    """

    low: Indices
    high: Indices
    counts: Real
    levels: int
    symmetric: bool = True

    @classmethod
    def of(
        cls, low: Indices, high: Indices, counts: Any, levels: int, symmetric: bool = True
    ) -> Cells:
        """Of pairs that may occur several times, `counts` each."""
        if symmetric:
            low, high = np.minimum(low, high), np.maximum(low, high)
        code, at = np.unique(low * levels + high, return_inverse=True)
        found = np.bincount(at, counts, len(code)).astype(np.float64)
        return cls(code // levels, code % levels, found, levels, symmetric)

    def any(self) -> bool:
        """Whether there is a pair."""
        return self.counts.size > 0

    def __add__(self, other: Cells) -> Cells:
        low = np.concatenate([self.low, other.low])
        high = np.concatenate([self.high, other.high])
        counts = np.concatenate([self.counts, other.counts])
        return Cells.of(low, high, counts, self.levels, self.symmetric)

    def __mul__(self, weight: float) -> Cells:
        return replace(self, counts=self.counts * weight)

    @property
    def one_level(self) -> bool:
        """Whether all pairs are of one level; of a matrix that is not symmetric, begin or end with
        it."""
        if self.symmetric:
            return bool((self.low == self.high).all()) and len(self.counts) == 1
        return bool((self.low == self.low[0]).all() or (self.high == self.high[0]).all())

    def lines(self) -> tuple[Real, list[float]]:
        """Its sums along rows, columns, antidiagonals and diagonals (5 levels - 1,), and the sum of
        c^2, of c ln c, and the largest c, as :class:`Sums` wants them."""
        i, j, n = self.low, self.high, self.levels
        if not self.symmetric:
            c = self.counts
            each = [(i, n), (j, n), (i + j, 2 * n - 1), (abs(i - j), n)]
            lines = [np.bincount(of, c, size) for of, size in each]
            squares = [(c**2).sum(), (c * np.log(c)).sum(), c.max(initial=0)]
            return np.concatenate(lines, dtype=np.float64), squares
        once, twice = i == j, 2.0 * self.counts
        rows = np.bincount(i, self.counts, n) + np.bincount(j, self.counts, n)
        sums, differences = np.bincount(i + j, twice, 2 * n - 1), np.bincount(j - i, twice, n)
        c, cells = np.where(once, twice, twice / 2), np.where(once, 1, 2)
        totals = [(cells * c**2).sum(), (cells * c * np.log(c)).sum(), c.max(initial=0)]
        # bincount of nothing is of integers, whatever its weights are
        return np.concatenate([rows, rows, sums, differences], dtype=np.float64), totals

    def maximal_correlation(self) -> float:
        """The second largest eigenvalue, in magnitude, of p(i, j) / sqrt(p_x(i) p_x(j)): 1 where
        the levels fall into parts without a pair between them, or there is one level. Of a matrix
        that is not symmetric, the second largest singular value of p(i, j) / sqrt(p_x(i) p_y(j)).
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components
        from scipy.sparse.linalg import LinearOperator, eigsh

        if not self.symmetric:
            return self._second_singular_value()
        there, at = np.unique(np.concatenate([self.low, self.high]), return_inverse=True)
        size, (i, j) = len(there), np.split(at, 2)
        if size < 2:
            return 1.0
        x = np.bincount(i, self.counts, size) + np.bincount(j, self.counts, size)
        value = np.where(i == j, 2.0, 1.0) * self.counts / np.sqrt(x[i] * x[j])
        off = i != j
        places = np.concatenate([i, j[off]]), np.concatenate([j, i[off]])
        matrix = coo_array((np.concatenate([value, value[off]]), places), (size, size)).tocsr()
        if connected_components(matrix, directed=False)[0] > 1:
            return 1.0
        if size <= MAX_DENSE:
            second = np.sort(abs(np.linalg.eigvalsh(matrix.toarray())))[-2]
        else:
            first = np.sqrt(x / x.sum())  # the eigenvector of 1, which is taken out
            rest = LinearOperator(
                matrix.shape, lambda u: matrix @ u - first * (first @ u), dtype=np.float64
            )
            start = np.cos(np.arange(size))
            second = abs(eigsh(rest, 1, which="LM", v0=start, return_eigenvectors=False)[0])
        return min(float(second), 1.0)

    def _second_singular_value(self) -> float:
        from scipy.sparse import block_array, coo_array
        from scipy.sparse.csgraph import connected_components
        from scipy.sparse.linalg import LinearOperator, eigsh

        (rows, i), (columns, j) = (
            np.unique(of, return_inverse=True) for of in (self.low, self.high)
        )
        if min(len(rows), len(columns)) < 2:
            return 1.0
        x, y = np.bincount(i, self.counts), np.bincount(j, self.counts)
        matrix = coo_array((self.counts / np.sqrt(x[i] * y[j]), (i, j))).tocsr()
        if connected_components(block_array([[None, matrix], [matrix.T, None]]))[0] > 1:
            return 1.0
        if max(matrix.shape) <= MAX_DENSE:
            second = np.linalg.svd(matrix.toarray(), compute_uv=False)[1]
        else:
            first = np.sqrt(x / x.sum())
            rest = LinearOperator(
                (len(x), len(x)),
                lambda u: matrix @ (matrix.T @ u) - first * (first @ u),
                dtype=np.float64,
            )
            start = np.cos(np.arange(len(x)))
            square = eigsh(rest, 1, which="LM", v0=start, return_eigenvectors=False)[0]
            second = np.sqrt(max(square, 0.0))
        return min(float(second), 1.0)


def count_cells(cut: Region, steps: Indices, symmetric: bool = True) -> list[Cells]:
    """The pairs of a region's voxels along each step (n, 3); in both orders where symmetric."""
    border = [cut.border if cut.axes == 3 or axis != 1 else 0 for axis in range(3)]
    size = [n - 2 * b for n, b in zip(cut.padded.shape, border, strict=True)]

    def voxels(step: Any) -> npt.NDArray[Any]:
        begin = [b + int(s) for b, s in zip(border, step, strict=True)]
        return cut.padded[tuple(slice(b, b + n) for b, n in zip(begin, size, strict=True))]

    here, found = voxels((0, 0, 0)), []
    for step in steps:
        there = voxels(step)
        both = (here != 0) & (there != 0)
        a, b = here[both].astype(np.int64) - 1, there[both].astype(np.int64) - 1
        found.append(Cells.of(a, b, None, cut.levels, symmetric))
    return found


class CellSums(Sums):
    """What the features of matrices are made of that are known by their cells; in bits, levels from
    1."""

    def __init__(self, cells: list[Cells]) -> None:
        lines, totals = zip(*(matrix.lines() for matrix in cells), strict=True)
        super().__init__(np.stack(lines), np.array(totals), 2.0, 1, np)
        self.cells = cells

    @property
    def maximal_correlation(self) -> Real:
        return np.array([matrix.maximal_correlation() for matrix in self.cells])
