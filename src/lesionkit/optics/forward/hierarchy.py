"""Coarser and coarser matrices for a preconditioner: linear elements below quadratic ones, then
smoothed aggregation (Vanek, Mandel and Brezina, Computing 56, 179, 1996)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

DENSE = 350
"""So many unknowns or fewer are solved with a dense inverse."""

_STRONG = 0.02  # of the root of the diagonal's product: weaker entries join no aggregate
_SMALL = 0.35  # of a row's largest weight: smaller ones are dropped, and the others made larger
_POWER_STEPS = 12  # to the largest eigenvalue, which damps the smoother


def build(
    matrix: sparse.csr_array, first: sparse.csr_array | None, dense: int = DENSE
) -> tuple[list[dict[str, Any]], npt.NDArray[np.float32]]:
    """The levels as ``_core.optics.Hierarchy`` takes them, and the inverse of the coarsest matrix.

    matrix : of the homogeneous background
    first  : (nodes, coarser) interpolation to the first level; None: by aggregation as the others
    dense  : so many unknowns or fewer are the coarsest
    """
    levels: list[dict[str, Any]] = []
    up = first if first is not None else _smoothed(matrix)
    while True:
        levels.append(_level(matrix, up, first=not levels))
        matrix = sparse.csr_array(up.T @ matrix @ up)
        matrix.sort_indices()
        if matrix.shape[0] <= dense:
            inverse = np.linalg.inv(matrix.toarray())
            return levels, np.ascontiguousarray((inverse + inverse.T) / 2, np.float32)
        up = _smoothed(matrix)


def _level(matrix: sparse.csr_array, up: sparse.csr_array, first: bool) -> dict[str, Any]:
    nothing = np.empty(0, np.int32)
    own = {
        "start": nothing if first else matrix.indptr.astype(np.int32),
        "column": nothing if first else matrix.indices.astype(np.int32),
        "diagonal": nothing if first else diagonal_entries(matrix),
        "value": np.empty(0, np.float32) if first else matrix.data.astype(np.float32),
    }
    return {
        "nodes": matrix.shape[0],
        **own,
        "up_start": up.indptr.astype(np.int32),
        "up_column": up.indices.astype(np.int32),
        "up": up.data.astype(np.float32),
    }


def diagonal_entries(matrix: sparse.csr_array) -> npt.NDArray[np.int32]:
    """Where the diagonal stands among the entries of a matrix with sorted columns."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.flatnonzero(matrix.indices == row).astype(np.int32)


def _smoothed(matrix: sparse.csr_array) -> sparse.csr_array:
    """Interpolation from aggregates: constants on each, a step of damped Jacobi, and only the
    larger weights of each row, of the same sum: fewer entries to visit in each cycle."""
    member = _aggregates(matrix, _STRONG)
    count = len(member)
    if 2 * (member.max() + 1) > count:  # losses outweigh all: weak neighbours do as well
        member = _aggregates(matrix, 0.0)
    tentative = sparse.csr_array(
        (np.ones(count), (np.arange(count), member)), (count, member.max() + 1)
    )
    scaled = sparse.diags_array(1 / matrix.diagonal()) @ matrix
    x = 1 + np.arange(count) % 7 / 7  # in no special direction
    for _ in range(_POWER_STEPS):
        x = scaled @ (x / np.linalg.norm(x))
    up = sparse.coo_array(tentative - (4 / 3 / np.linalg.norm(x)) * (scaled @ tentative))
    row, column = up.coords
    largest = np.zeros(count)
    np.maximum.at(largest, row, np.abs(up.data))
    kept = np.abs(up.data) >= _SMALL * largest[row]
    before, after = np.bincount(row, up.data, count), np.bincount(row[kept], up.data[kept], count)
    more = np.divide(before, after, out=np.ones(count), where=after != 0)
    weight = up.data[kept] * more[row[kept]]
    fewer = sparse.csr_array((weight, (row[kept], column[kept])), up.shape)
    fewer.sort_indices()
    return fewer


def _aggregates(matrix: sparse.csr_array, least: float) -> npt.NDArray[np.intp]:
    """(n,): the number of each unknown's aggregate, about a root and its strong neighbours."""
    size = np.sqrt(matrix.diagonal())
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    strong = np.abs(matrix.data) >= least * size[row] * size[matrix.indices]
    strong |= row == matrix.indices
    start = np.concatenate([[0], np.cumsum(np.bincount(row[strong], minlength=len(size)))])
    neighbours = np.split(matrix.indices[strong], start[1:-1])
    member = np.full(len(size), -1, np.intp)
    count = 0
    for near in neighbours:  # those with no neighbour in an aggregate found one
        if (member[near] < 0).all():
            member[near] = count
            count += 1
    joined = member.copy()
    for i in np.flatnonzero(member < 0):  # the others join the first that they meet
        found = member[neighbours[i]]
        found = found[found >= 0]
        joined[i] = found[0] if len(found) else -1
    for i in np.flatnonzero(joined < 0):
        joined[i] = count
        count += 1
    return joined
