"""`mask_mesh`: tetrahedra that fill a mask of voxels, with a smooth surface.

Isosurface stuffing (Labelle and Shewchuk, ACM Trans. Graph. 26(3), 57, 2007): tetrahedra of a
body-centred cubic lattice are cut where the smoothed distance to the mask's rim is 0. Nodes of the
lattice that lie close to the rim are moved onto it first, so that no cut leaves a sliver.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import arrays
from lesionkit.geometry import spacing_of
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.mesh.topology import Floats, Index, components, groups_of, sides_of

ALONG, ACROSS = 0.24999, 0.41189  # of a long and a short edge: cuts nearer to a node move it there
FINE = 4  # voxels of the distance along an edge of the lattice, about
SMOOTH = 0.35  # of an edge: the width of the smoothing
MAX_NODES = 1_000_000  # of the lattice
MENDINGS = 50


def mask_mesh(mask: npt.ArrayLike, spacing: Any = 1.0, size: float = 8.0) -> Mesh:
    """A mesh of tetrahedra that fills a mask of voxels, its surface smooth.

    The largest part of the mask is taken, and its hollows are filled. What is narrower than an
    element is lost.

    Parameters
    ----------
    mask : (planes, rows, columns) array of bool
        The object.
    spacing : float, three floats or Geometry, default 1
        mm between planes, rows and columns, 1e-50 to 1e50. A :class:`lesionkit.io.Geometry` lays
        the mesh into the volume's space: x to the right, y to the front, z up; numbers put the
        middle of the first voxel at 0, with x along columns, y along rows and z along planes.
    size : float, default 8
        mm, the edge of a cube of the lattice: most edges are 0.87 of it or as long.

    Returns
    -------
    Mesh
        Of 4-node tetrahedra, in the mask's space.

    Raises
    ------
    TypeError, ValueError
        For another mask, one that is empty or too thin for elements of that size, a geometry whose
        axes are not at right angles, or a size that gives more than a million lattice points.

    References
    ----------
    Labelle and Shewchuk, Isosurface stuffing: fast tetrahedral meshes with good dihedral angles,
    ACM Trans. Graph. 26(3), 57, 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.optics import mask_mesh
    >>> z, y, x = np.ogrid[-24:25, -24:25, -24:25]
    >>> ball = mask_mesh(x**2 + y**2 + z**2 <= 20**2, size=5)
    >>> ball.nodes.mean(axis=0).round(1).tolist()  # the middle of the mask
    [24.0, 24.0, 24.0]
    >>> bool(abs(ball.areas.sum() / (4 / 3 * np.pi * 20**3) - 1) < 0.05)
    True
    """
    inside = arrays.numbers(mask, "mask", accepted="booleans")
    if inside.dtype != bool or inside.ndim != 3:
        raise ValueError(
            f"mask must be booleans of planes, rows and columns, got {arrays.describe(mask)}"
        )
    if not inside.any():
        raise ValueError("mask must hold a voxel or more, got none")
    steps, geometry = spacing_of(spacing, 3)
    if geometry is not None and geometry.shear:
        raise ValueError(
            f"spacing must have axes at right angles, got a Geometry sheared by "
            f"{geometry.shear:.3g} degrees"
        )
    size = arrays.number(size, "size", above=0, unit="mm")
    extent = np.array(inside.shape) * steps / size + 5
    if not 2 * np.prod(extent) <= MAX_NODES:
        raise ValueError(
            f"size must give at most {MAX_NODES:,} lattice points, got {size:g} mm, which gives "
            f"{2 * np.prod(extent):.3g}"
        )
    distance, corner, step = _distance(inside, np.array(steps), size)
    nodes, elements = _stuffed(distance, corner, step, size)
    elements = _mended(elements, len(nodes))
    if not len(elements):
        raise ValueError(
            f"mask must be thick enough for elements of {size:g} mm, got one that holds none: give "
            "a smaller size"
        )
    used, numbers = np.unique(elements, return_inverse=True)
    places = nodes[used]  # mm along planes, rows and columns
    places = (
        places[:, ::-1]
        if geometry is None
        else geometry.places(places / np.linalg.norm(geometry.steps, axis=1))
    )
    return Mesh(places, numbers.reshape(-1, 4).astype(np.int32))


def _distance(inside: npt.NDArray[np.bool_], steps: Floats, size: float) -> tuple[Any, ...]:
    """The smoothed distance to the rim on a grid of some voxels' means, above 0 inside; where its
    first point is, and its steps, mm."""
    labels, count = ndimage.label(inside)
    if count > 1:
        inside = labels == 1 + np.bincount(labels.ravel())[1:].argmax()
    inside = ndimage.binary_fill_holes(inside)
    factor = np.maximum(1, np.floor(size / FINE / steps)).astype(int)
    step = factor * steps
    margin = np.ceil(1.5 * size / step).astype(int) * factor
    rest = -np.array(inside.shape) % factor
    padded = np.pad(inside, [(m, m + r) for m, r in zip(margin, rest, strict=True)])
    shape = [n for pair in zip(padded.shape // factor, factor, strict=True) for n in pair]
    coarse = padded.reshape(shape).mean(axis=(1, 3, 5)) >= 0.5
    both = [ndimage.distance_transform_edt(part, sampling=step) for part in (coarse, ~coarse)]
    distance = ndimage.gaussian_filter(both[0] - both[1], SMOOTH * size / step)
    return distance, (-margin + (factor - 1) / 2) * steps, step


def _stuffed(
    distance: Floats, corner: Floats, step: Floats, size: float
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Nodes (n, 3), mm along planes, rows and columns, and tetrahedra (m, 4)."""
    nodes, tetrahedra = _lattice(np.array(distance.shape) * step - step, size)
    value = ndimage.map_coordinates(distance, (nodes / step).T, order=1, mode="nearest")
    nodes = nodes + corner
    tetrahedra = tetrahedra[(value[tetrahedra] > 0).any(axis=1)]
    pairs = np.array([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])
    edges = np.unique(np.sort(tetrahedra[:, pairs].reshape(-1, 2), axis=1), axis=0)
    _warp(nodes, value, edges, size)
    edges = edges[np.prod(np.sign(value[edges]), axis=1) < 0]
    share = value[edges[:, 0]] / (value[edges[:, 0]] - value[edges[:, 1]])
    cuts = nodes[edges[:, 0]] + share[:, None] * (nodes[edges[:, 1]] - nodes[edges[:, 0]])
    keys = edges[:, 0] * len(nodes) + edges[:, 1]  # sorted

    def cut(a: Index, b: Index) -> Index:
        key = np.minimum(a, b) * len(nodes) + np.maximum(a, b)
        found: Index = len(nodes) + np.searchsorted(keys, key)
        return found

    return np.concatenate([nodes, cuts]), _cut(tetrahedra, np.sign(value), cut)


def _lattice(extent: Floats, size: float) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Nodes and tetrahedra of a body-centred cubic lattice about the middle of a box from 0."""
    count = np.ceil(extent / size).astype(int) + 1
    corners = np.stack(np.meshgrid(*map(np.arange, count + 1), indexing="ij"), -1).reshape(-1, 3)
    middles = np.stack(np.meshgrid(*map(np.arange, count), indexing="ij"), -1).reshape(-1, 3)
    origin = (extent - size * count) / 2
    nodes = np.concatenate([corners, middles + 0.5]) * size + origin

    def corner(place: npt.NDArray[Any]) -> Index:
        number: Index = np.ravel_multi_index(tuple(place.T), tuple(count + 1))
        return number

    found = []
    for axis in range(3):
        step, one, other = np.eye(3, dtype=int)[[axis, (axis + 1) % 3, (axis + 2) % 3]]
        here = middles[middles[:, axis] + 1 < count[axis]]
        first = len(corners) + np.ravel_multi_index(tuple(here.T), tuple(count))
        second = len(corners) + np.ravel_multi_index(tuple((here + step).T), tuple(count))
        face = here + step  # its corners in turn: the edges of the square between two middles
        ring = [corner(face + part) for part in (0 * one, one, one + other, other)]
        for k in range(4):
            found.append(np.column_stack([first, second, ring[k], ring[(k + 1) % 4]]))
    return nodes, np.concatenate(found)


def _warp(nodes: Floats, value: Floats, edges: Index, size: float) -> None:
    """Move nodes with a cut close by onto the nearest of these, in place."""
    cut = edges[np.prod(np.sign(value[edges]), axis=1) < 0]
    both = np.concatenate([cut, cut[:, ::-1]])
    share = value[both[:, 0]] / (value[both[:, 0]] - value[both[:, 1]])
    along = nodes[both[:, 1]] - nodes[both[:, 0]]
    length = np.linalg.norm(along, axis=1)
    near = share < np.where(length > 0.95 * size, ALONG, ACROSS)
    order = np.lexsort((both[near, 1], share[near] * length[near], both[near, 0]))
    node, first = np.unique(both[near, 0][order], return_index=True)
    chosen = np.flatnonzero(near)[order][first]
    nodes[node] += share[chosen, None] * along[chosen]
    value[node] = 0


def _cut(tetrahedra: Index, sign: Floats, cut: Any) -> npt.NDArray[np.intp]:
    """The parts of tetrahedra (m, 4) where the sign of nodes is above 0. Quadrilaterals are cut
    from the lowest number inside: the same on both sides of a face."""
    order = np.lexsort((tetrahedra, -sign[tetrahedra]), axis=1)
    corners = np.take_along_axis(tetrahedra, order, axis=1)
    of = sign[corners]
    inside, outside = (of > 0).sum(axis=1), (of < 0).sum(axis=1)
    parts = [corners[(outside == 0) & (inside > 0)]]
    a, b, c, d = corners[(inside == 1) & (outside > 0)].T
    ends = [np.where(sign[x] < 0, cut(a, x), x) for x in (b, c, d)]
    parts.append(np.column_stack([a, *ends]))
    a, b, c, d = corners[(inside == 2) & (outside == 1)].T  # c on the rim
    parts += [np.column_stack([a, b, cut(b, d), c]), np.column_stack([a, cut(b, d), cut(a, d), c])]
    a, b, c, d = corners[(inside == 2) & (outside == 2)].T
    parts += _prism((a, cut(a, c), cut(a, d)), (b, cut(b, c), cut(b, d)))
    a, b, c, d = corners[(inside == 3) & (outside == 1)].T
    parts += _prism((a, b, c), (cut(a, d), cut(b, d), cut(c, d)))
    return np.concatenate(parts)


def _prism(a: tuple[Index, ...], b: tuple[Index, ...]) -> list[Index]:
    """Three tetrahedra of each prism, with the diagonals a0-b1, a0-b2 and a1-b2."""
    return [
        np.column_stack(corners) for corners in ((*a, b[2]), (a[0], a[1], b[1], b[2]), (a[0], *b))
    ]


def _mended(elements: npt.NDArray[np.intp], nodes: int) -> npt.NDArray[np.intp]:
    """The largest part of the elements, without those at which its surface touches itself."""
    for _ in range(MENDINGS):
        if not len(elements):
            break
        sides = sides_of(elements.astype(np.int32))
        side, kinds = groups_of(np.sort(sides, axis=1))
        owner = np.arange(len(sides)) // 4
        order = np.argsort(side, kind="stable")
        twice = np.flatnonzero(np.diff(side[order]) == 0)
        part = components(
            len(elements), np.column_stack([owner[order[twice]], owner[order[twice + 1]]])
        )
        if part.max() > 0:
            elements = elements[part == np.bincount(part).argmax()]
            continue
        rim = sides[np.bincount(side, minlength=kinds)[side] == 1]
        bad = _pinched(rim, nodes)
        if not bad.any():
            break
        elements = elements[~bad[elements].any(axis=1)]
    return elements


def _pinched(rim: npt.NDArray[np.int32], nodes: int) -> npt.NDArray[np.bool_]:
    """(nodes,): where a surface (b, 3) touches itself, at an edge or at a node."""
    bad = np.zeros(nodes, bool)
    edges = rim[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    edge, kinds = groups_of(np.sort(edges, axis=1))
    bad[edges[np.bincount(edge, minlength=kinds)[edge] != 2]] = True
    if bad.any():
        return bad
    count = np.bincount(rim.ravel(), minlength=nodes)
    node, kinds = rim.ravel(), 3 * len(rim)
    face = np.repeat(np.arange(len(rim)), 3)
    order = np.argsort(edge, kind="stable").reshape(-1, 2)  # the two faces of each edge
    corner = {tuple(key): i for i, key in enumerate(zip(face.tolist(), node.tolist(), strict=True))}
    joined = [
        (corner[f // 3, end], corner[g // 3, end])
        for f, g in order.tolist()
        for end in edges[f].tolist()
    ]
    fan = components(kinds, np.array(joined))
    _, one = np.unique(fan, return_index=True)
    fans = np.bincount(node[one], minlength=nodes)
    bad[(count > 0) & (fans > 1)] = True
    return bad
