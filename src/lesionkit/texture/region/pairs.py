"""Co-occurrence in regions of many levels: only the cells that count something, no whole matrices.

Of `levels` squared cells a region of n voxels fills n at most. What features need of a matrix are
sums along its lines, which are as many as there are levels (haralick.py).
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """A symmetric co-occurrence matrix, each of its cells and its mirror image once.

    low, high : (cells,) levels from 0, low <= high, in order;  counts : (cells,) pairs of voxels
    levels    : how many there may be
    """

    low: Indices
    high: Indices
    counts: Indices
    levels: int

    @classmethod
    def of(cls, low: Indices, high: Indices, counts: Any, levels: int) -> Cells:
        """Of pairs that may occur several times, `counts` each."""
        code, at = np.unique(low * levels + high, return_inverse=True)
        found = np.bincount(at, counts, len(code)).astype(np.int64)
        return cls(code // levels, code % levels, found, levels)

    def any(self) -> bool:
        """Whether there is a pair."""
        return self.counts.size > 0

    def __add__(self, other: Cells) -> Cells:
        low, high, counts = (
            np.concatenate(both)
            for both in (
                (self.low, other.low),
                (self.high, other.high),
                (self.counts, other.counts),
            )
        )
        return Cells.of(low, high, counts, self.levels)

    @property
    def one_level(self) -> bool:
        """Whether all pairs are of one level."""
        return bool((self.low == self.high).all()) and len(self.counts) == 1

    def lines(self) -> tuple[Real, list[float]]:
        """Its sums along rows, columns, antidiagonals and diagonals (5 levels - 1,), and the sum of
        c^2, of c ln c, and the largest c, as :class:`Sums` wants them."""
        i, j, n = self.low, self.high, self.levels
        once, twice = i == j, 2.0 * self.counts
        rows = np.bincount(i, self.counts, n) + np.bincount(j, self.counts, n)
        sums, differences = np.bincount(i + j, twice, 2 * n - 1), np.bincount(j - i, twice, n)
        c, cells = np.where(once, twice, twice / 2), np.where(once, 1, 2)
        totals = [(cells * c**2).sum(), (cells * c * np.log(c)).sum(), c.max(initial=0)]
        # bincount of nothing is of integers, whatever its weights are
        return np.concatenate([rows, rows, sums, differences], dtype=np.float64), totals

    def maximal_correlation(self) -> float:
        """The second largest eigenvalue, in magnitude, of p(i, j) / sqrt(p_x(i) p_x(j)): 1 where
        the levels fall into parts without a pair between them, or there is one level."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components
        from scipy.sparse.linalg import LinearOperator, eigsh

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


def count_cells(cut: Region, steps: Indices) -> list[Cells]:
    """The pairs of a region's voxels along each step (n, 3) to a neighbour, in both orders."""
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
        found.append(Cells.of(np.minimum(a, b), np.maximum(a, b), None, cut.levels))
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
