"""Meshes of a disc: the accurate one, fine at the optodes, and linear elements in equal rings."""

from __future__ import annotations

import math

import numpy as np

from lesionkit import arrays
from lesionkit.optics.mesh import checks
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.mesh.refinement import refine
from lesionkit.optics.mesh.topology import Floats, Ints

_MAX_NODES = 10_000_000  # more is a slip of the finger

SPACING = 2.7
"""mm, of the accurate mesh's nodes around the rim: light that falls by a factor e in 3.3 mm keeps
its amplitude to 0.7 % across 80 mm (the error goes with the fourth power)."""

AT_OPTODES, GROWTH = 1.6, 0.7
"""Longest edge at an optode, mm, and its growth per mm. Half of it changes nothing beyond 2 % of
the error."""

_RING_STEP = 0.9  # distance of rings over that of nodes: near the 0.87 of equilateral triangles


def disc_mesh(radius: float = 41.0, nodes: int | None = None, optodes: int = 16) -> Mesh:
    """A disc about the origin, accurate by default, or of about so many nodes.

    Parameters
    ----------
    radius : float, default 41
        1e-9 to 1e9 mm.
    nodes : int, optional
        None: 6-node triangles, 2.7 mm wide, 1.6 mm at the optodes, with edges on the rim bent to
        the circle. The amplitude of any detector two or more places from the source is within 1 %
        of the truth for mua up to 0.02 and mus' up to 1.5 mm^-1, inclusions on quarters of elements
        included (docs/nirst.md). A number, at least 7: 3-node triangles in rings, 6 k nodes on ring
        k about the centre; the nearest possible number is taken.
    optodes : int, default 16
        At least 1; so many equally spaced places on the rim, the first at angle 0, are nodes.

    Returns
    -------
    Mesh
        Its rim nodes lie on the circle, the first at angle 0. Of n rings: 1 + 3 n (n + 1) nodes and
        6 n^2 triangles, where 6 n is a multiple of `optodes`; for 16 optodes 24 rings have 1801
        nodes, 48 have 7057.

    Raises
    ------
    TypeError, ValueError
        For anything else, or for a disc of over 10,000,000 nodes.

    Examples
    --------
    >>> from lesionkit.optics import disc_mesh
    >>> disc_mesh(41, nodes=1800)
    Mesh(1801 nodes, 3456 triangles of order 1)
    >>> disc_mesh().order
    2
    """
    radius = arrays.number(
        radius, "radius", at_least=checks.NARROWEST, at_most=checks.FARTHEST, unit="mm"
    )
    if nodes is not None:
        nodes = arrays.integer(nodes, "nodes", at_least=7, at_most=_MAX_NODES)
    optodes = arrays.integer(optodes, "optodes", at_least=1)
    return graded_disc(radius, optodes) if nodes is None else _rings(radius, nodes, optodes)


def graded_disc(radius: float, optodes: int, fineness: float = 1.0) -> Mesh:
    """The accurate mesh of :func:`disc_mesh`, or one whose edges are shorter by `fineness`."""
    spacing = min(SPACING, radius / 4) / fineness
    around = optodes * math.ceil(2 * math.pi * radius / spacing / optodes)
    rings = max(2, round(around / (2 * math.pi * _RING_STEP)))
    if 2 * around * rings > _MAX_NODES:  # 6-node triangles have four times the nodes
        raise ValueError(
            f"radius and optodes must need at most {_MAX_NODES} nodes, got {radius:g} mm and "
            f"{optodes}"
        )
    counts = [max(5, round(around * k / rings)) for k in range(1, rings)] + [around]
    angle = 2 * np.pi * np.arange(optodes) / optodes
    places = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    disc = refine(zipped(radius, counts), places, min(AT_OPTODES / fineness, 0.6 * spacing), GROWTH)
    disc = Mesh(_on_circle(disc.nodes, disc.boundary[:, 0], radius), disc.elements).to_quadratic()
    return Mesh(_on_circle(disc.nodes, disc.boundary[:, 2], radius), disc.elements)


def _on_circle(nodes: Floats, rim: Ints, radius: float) -> Floats:
    """The nodes, those of the rim moved along their radius onto the circle."""
    moved = nodes.copy()
    moved[rim] *= radius / np.linalg.norm(nodes[rim], axis=1, keepdims=True)
    return moved


def zipped(radius: float, counts: list[int]) -> Mesh:
    """Equally spaced rings of any counts about a centre; triangles between two rings are made in
    the order of the angles of their nodes."""
    places, triangles = [np.zeros((1, 2))], []
    inner, inside = 0, 1  # first node and nodes of the ring inside
    for k, count in enumerate(counts, 1):
        angle = 2 * np.pi * np.arange(count) / count
        places.append(radius * k / len(counts) * np.column_stack([np.cos(angle), np.sin(angle)]))
        outer, i, j = inner + inside, 0, 0
        if inside == 1:
            triangles += [(inner, outer + j, outer + (j + 1) % count) for j in range(count)]
            i, j = inside, count
        while i < inside or j < count:
            here, there = inner + i % inside, outer + j % count
            if i == inside or (j < count and (2 * j + 1) * inside <= (2 * i + 1) * count):
                triangles.append((here, there, outer + (j + 1) % count))
                j += 1
            else:
                triangles.append((here, there, inner + (i + 1) % inside))
                i += 1
        inner, inside = outer, count
    return Mesh(np.concatenate(places), triangles)


def _rings(radius: float, nodes: int, optodes: int) -> Mesh:
    """3-node triangles, 6 k nodes on ring k."""
    step = optodes // math.gcd(optodes, 6)
    nearest = math.isqrt(nodes // 3) // step
    choices = [step * max(1, nearest + shift) for shift in (-1, 0, 1)]
    rings = min(choices, key=lambda n: abs(1 + 3 * n * (n + 1) - nodes))
    count = 1 + 3 * rings * (rings + 1)
    if count > _MAX_NODES:
        raise ValueError(
            f"optodes must need at most {_MAX_NODES} nodes to be nodes of the rim themselves, got "
            f"{optodes}, which need {count}"
        )

    ring = np.repeat(np.arange(1, rings + 1), 6 * np.arange(1, rings + 1))
    first = 1 + 3 * ring * (ring - 1)  # of each ring's nodes, and of the ring inside it:
    first_inside = np.where(ring > 1, 1 + 3 * (ring - 1) * (ring - 2), 0)
    here = np.arange(1, count)
    turn = here - first  # position on the ring
    angle = 2 * np.pi * turn / (6 * ring)
    spokes = radius * ring / rings
    places = np.column_stack([spokes * np.cos(angle), spokes * np.sin(angle)])

    # Every edge of a ring has its third corner on the ring inside; every edge of that ring, in
    # turn, on this one. Each of the six sectors has one edge fewer inside than outside.
    sector, along = np.divmod(turn, ring)
    following = first + (turn + 1) % (6 * ring)
    within = np.maximum(6 * (ring - 1), 1)
    below = first_inside + (sector * (ring - 1) + along) % within
    below_following = first_inside + (sector * (ring - 1) + along + 1) % within
    outward = np.column_stack([here, following, below])
    inward = np.column_stack([below, following, below_following])[along < ring - 1]
    return Mesh(np.vstack([np.zeros(2), places]), np.vstack([outward, inward]))
