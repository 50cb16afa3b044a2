"""How the elements of a mesh are put together: corners, edges, sides, and what is shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.optics.mesh.elements import EDGES_OF

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Index = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

# The sides of an element, by the number of its corners: edges that have it on their left, faces
# that are counter-clockwise from outside.
_SIDES = {
    3: np.array([[0, 1], [1, 2], [2, 0]]),
    4: np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]),
}


def corners_of(elements: Ints) -> Ints:
    """(m, 3) of triangles, (m, 4) of tetrahedra: the elements without mid-edge nodes."""
    return elements[:, : {6: 3, 10: 4}.get(elements.shape[1])]


def is_quadratic(elements: npt.NDArray[Any]) -> bool:
    """Whether the elements have mid-edge nodes."""
    return elements.shape[1] in (6, 10)


def edges_of(elements: Ints) -> Ints:
    """(m * edges, 2): the corners at the edges of all elements, those of the first element first,
    in the order of their mid-edge nodes."""
    corners = corners_of(elements)
    return corners[:, np.array(EDGES_OF[corners.shape[1]])].reshape(-1, 2)


def middles_of(elements: Ints) -> Ints:
    """(m * edges,): the mid-edge nodes of quadratic elements, in the order of :func:`edges_of`."""
    return elements[:, corners_of(elements).shape[1] :].ravel()


def sides_of(elements: Ints) -> Ints:
    """(m * sides, nodes of a side): the sides of all elements, those of the first element first.

    Those of a triangle are its edges 01, 12, 20.
    """
    corners = corners_of(elements)
    table = _SIDES[corners.shape[1]]
    return corners[:, table].reshape(-1, table.shape[1])


def groups_of(rows: npt.NDArray[Any]) -> tuple[Index, int]:
    """Number the distinct rows in sorted order: (number of each row's kind, how many kinds)."""
    order = np.lexsort(rows.T[::-1])
    new = (np.diff(rows[order], axis=0) != 0).any(axis=1)
    group = np.empty(len(rows), dtype=np.intp)
    group[order] = np.concatenate([[0], np.cumsum(new)])
    return group, int(group[order[-1]]) + 1


def elements_behind(elements: Ints, rim: Ints) -> Index:
    """(b,): the element that each edge (b, 2), or face (b, 3), of the boundary belongs to.

    elements : (m, corners) their corners alone
    """
    sides = sides_of(elements)
    side, kinds = groups_of(np.sort(np.concatenate([rim, sides]), axis=1))
    owner = np.empty(kinds, np.intp)
    owner[side[len(rim) :]] = np.repeat(np.arange(len(elements)), elements.shape[1])
    found: Index = owner[side[: len(rim)]]
    return found


def components(count: int, pairs: npt.NDArray[Any]) -> Index:
    """(count,): which connected part of the graph with edges `pairs` (k, 2) each point is in."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


def check_none(wrong: Bools | np.bool_, rule: str, example: Callable[[int], str]) -> None:
    """Raise ValueError if any is `wrong`: the rule, the first that breaks it, and how many do."""
    found = np.flatnonzero(wrong)
    if len(found):
        others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ValueError(f"{rule}, got {example(int(found[0]))}{others}")
