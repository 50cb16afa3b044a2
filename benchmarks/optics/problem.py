"""The work that ours and the peers are given: meshes, optodes, optode weights, property maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

RADIUS = 41.0  # mm
OPTODES = 16
REFRACTIVE_INDEX = 1.33
SOURCE_DEPTH = 1.0  # mm

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """One forward problem: a mesh, and where the light goes in and comes out.

    nodes : (n, 2) mm; elements : (m, 3) node numbers; boundary : (b, 2) node numbers
    sources, detectors : (16, n) sparse weights of each optode at the nodes
    optodes : (16, 2) mm, on the rim
    """

    nodes: Array
    elements: NDArray[np.int32]
    boundary: NDArray[np.int32]
    sources: sparse.csr_array
    detectors: sparse.csr_array
    optodes: Array


def rings(count: int) -> int:
    """Nodes of the disc mesh of `count` rings, ring k holding 6k nodes."""
    return 1 + 3 * count * (count + 1)


def disc(nodes: int) -> Problem:
    """The 82 mm disc with 16 optodes; a multiple of 8 rings puts each optode on a node."""
    from lesionkit.optics import disc_mesh

    mesh = disc_mesh(radius=RADIUS, nodes=nodes, optodes=OPTODES)
    return problem(mesh.nodes, mesh.elements, mesh.boundary)


def problem(nodes: Any, elements: Any, boundary: Any) -> Problem:
    """Adds the optodes to a disc mesh; their weights are worked out here, apart from ours."""
    angles = 2 * np.pi * np.arange(OPTODES) / OPTODES
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Problem(
        nodes=np.ascontiguousarray(nodes, np.float64),
        elements=np.ascontiguousarray(elements, np.int32),
        boundary=np.ascontiguousarray(boundary, np.int32),
        sources=point_weights(nodes, elements, (RADIUS - SOURCE_DEPTH) * directions),
        detectors=point_weights(nodes, elements, RADIUS * directions),
        optodes=RADIUS * directions,
    )


def ours(work: Problem, source_depth: float = SOURCE_DEPTH, compat: Any = None) -> Any:
    """The ForwardModel of the same problem (of another one, if the rest is changed)."""
    from lesionkit.optics import ForwardModel, Mesh

    return ForwardModel(
        Mesh(work.nodes, work.elements),
        work.optodes,
        work.optodes,
        refractive_index=REFRACTIVE_INDEX,
        source_depth=source_depth,
        compat=compat,
    )


def point_weights(nodes: Array, elements: NDArray[np.int32], points: Array) -> sparse.csr_array:
    """Barycentric weights, (points, nodes), of each point in the element that holds it."""
    weights = np.zeros((len(points), len(nodes)))
    a, b, c = nodes[elements].transpose(1, 2, 0)
    twice_area = _cross(b - a, c - a)
    for row, point in zip(weights, points[:, :, None], strict=True):
        inside = (
            np.stack(
                [
                    _cross(b - point, c - point),
                    _cross(c - point, a - point),
                    _cross(a - point, b - point),
                ]
            )
            / twice_area
        )
        best = inside.min(axis=0).argmax()
        fraction = inside[:, best]
        if fraction.min() < -1e-9:
            raise ValueError(f"the point {point.ravel()} lies outside the mesh")
        fraction[np.abs(fraction) < 1e-12] = 0
        row[elements[best]] = fraction / fraction.sum()
    return sparse.csr_array(weights)


def phantoms(work: Problem, count: int, at: str = "elements", seed: int = 0) -> tuple[Array, Array]:
    """Absorption and reduced scattering, (count, elements | nodes) mm^-1: the recipe's kind of map.

    A background and one inclusion of 12, 16 or 20 mm, or two of 16 mm whose edges are 4 to 42 mm
    apart; an inclusion absorbs 1.2 to 3 times as much and scatters 1 to 1.3 times as much.
    """
    random = np.random.default_rng(seed)
    points = work.nodes if at == "nodes" else work.nodes[work.elements].mean(axis=1)
    absorption = np.repeat(random.uniform(0.004, 0.015, (count, 1)), len(points), axis=1)
    scattering = np.repeat(random.uniform(0.7, 1.3, (count, 1)), len(points), axis=1)
    for mua, mus in zip(absorption, scattering, strict=True):
        for centre, radius in _inclusions(random):
            within = ((points - centre) ** 2).sum(axis=1) < radius**2
            mua[within] *= random.uniform(1.2, 3.0)
            mus[within] *= random.uniform(1.0, 1.3)
    return absorption, scattering


def _inclusions(random: np.random.Generator) -> list[tuple[Array, float]]:
    direction = random.uniform(0, 2 * np.pi)
    along = np.array([np.cos(direction), np.sin(direction)])
    if random.random() < 0.5:
        radius = random.choice([6.0, 8.0, 10.0])
        return [(along * (RADIUS - radius - 1) * np.sqrt(random.random()), radius)]
    half = (16 + random.uniform(4, 42)) / 2
    shift = random.uniform(-1, 1) * (RADIUS - 9 - half)
    return [(along * (shift + half), 8.0), (along * (shift - half), 8.0)]


def _cross(u: Array, v: Array) -> Array:
    area: Array = u[0] * v[1] - u[1] * v[0]
    return area
