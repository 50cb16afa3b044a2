"""How the tetrahedra of a mesh must join: face to face, inside one closed surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.optics.mesh import topology
from lesionkit.optics.mesh.topology import Floats, Index, Ints


def check_joints(nodes: Floats, elements: Ints, sides: Ints, side: Index, rim: Ints) -> None:
    """Raise the first mistake in how tetrahedra join.

    sides : (4 m, 3) their faces, counter-clockwise from outside; side: (4 m,) the number of each
    rim   : (b, 3) those of one element only
    """
    turned = np.argmin(sides, axis=1)[:, None] + np.arange(3)
    directed, kinds = topology.groups_of(np.take_along_axis(sides, turned % 3, axis=1))
    topology.check_none(
        np.bincount(directed, minlength=kinds)[directed] > 1,
        "elements must not overlap",
        lambda s: f"two on the same side of face {sides[s].tolist()}, one being element {s // 4}",
    )
    edges = rim[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    edge, kinds = topology.groups_of(np.sort(edges, axis=1))
    faces = np.bincount(edge, minlength=kinds)[edge]
    topology.check_none(
        faces != 2,
        "elements must leave a closed boundary that does not touch itself",
        lambda e: f"edge {edges[e].tolist()} in {faces[e]} of its faces",
    )
    pairs = np.argsort(edge, kind="stable").reshape(-1, 2)  # of `edges`, the same from both faces
    _check_fans(edges, pairs, len(rim), len(nodes))
    surface = topology.components(len(rim), pairs // 3)
    if surface.max() > 0:
        raise ValueError(_why_surfaces(nodes, elements, side, rim, surface))


def _check_fans(edges: Ints, pairs: Index, faces: int, nodes: int) -> None:
    """The faces of the boundary about each of its nodes are one fan."""
    start, end = np.arange(3 * faces), np.arange(3 * faces).reshape(-1, 3)[:, [1, 2, 0]].ravel()
    first, second = pairs.T  # an edge runs one way in one face, the other way in the other
    joined = np.concatenate(
        [
            np.column_stack([start[first], end[second]]),
            np.column_stack([end[first], start[second]]),
        ]
    )
    fan = topology.components(3 * faces, joined)
    _, one = np.unique(fan, return_index=True)
    fans = np.bincount(edges[one, 0], minlength=nodes)
    topology.check_none(
        fans > 1,
        "elements must not leave a boundary that touches itself",
        lambda i: f"node {i} on it twice",
    )


def _why_surfaces(nodes: Floats, elements: Ints, side: Index, rim: Ints, surface: Index) -> str:
    """In words, why the boundary is more than one surface: several parts, or holes."""
    order = np.argsort(side, kind="stable")
    twice = np.flatnonzero(np.diff(side[order]) == 0)
    pairs = np.column_stack([order[twice], order[twice + 1]]) // 4
    part = topology.components(len(elements), pairs)
    if part.max() > 0:
        apart = elements[np.argmax(part != part[0]), 0]
        return (
            f"elements must form one connected region, got {part.max() + 1} parts, with nothing to "
            f"join node {apart} to node {elements[0, 0]}"
        )
    outside = surface[np.argmin(nodes[rim[:, 0], 0])]
    return (
        f"elements must leave no hole, got {surface.max()}, one with node "
        f"{rim[np.argmax(surface != outside), 0]} at its rim (a node that splits a face for the "
        "element on one side only makes one too)"
    )


def with_middles(elements: Ints, rim: Ints) -> npt.NDArray[Any]:
    """(b, 6): faces (b, 3) of 10-node tetrahedra, with the nodes in the middle of their edges."""
    edges, middles = topology.edges_of(elements), topology.middles_of(elements)
    of_rim = rim[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    kind, kinds = topology.groups_of(np.sort(np.concatenate([edges, of_rim]), axis=1))
    middle = np.empty(kinds, np.int32)
    middle[kind[: len(edges)]] = middles
    return np.column_stack([rim, middle[kind[len(edges) :]].reshape(-1, 3)])
