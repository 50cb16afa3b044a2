"""Slow truths of light in three dimensions, in plain loops, with nothing of lesionkit imported.

sphere_series      light in a homogeneous ball, by Legendre polynomials and spherical Bessel
                   functions
solid_matrix       the finite-element matrix of tetrahedra, dense, element by element
solid_derivatives  how readings change with the tissue, as integrals of the fields
inside             whether a point lies in an ellipsoid
tetrahedron_part   which share of the equal parts of a tetrahedron has its middle in an ellipsoid
voxel_part         which share of the places of a regular grid in a voxel lies in an ellipsoid
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from reference.optics import SPEED_OF_LIGHT, robin_coefficient, triangle_rule
from reference.optics import shape_functions as face_functions

EDGES = ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))  # their middles are nodes 4 to 9
FACES = ((0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2))


def sphere_series(
    radius, absorption, scattering, source_radius, angles, refractive_index=1.33, frequency=0.0
):
    """Fluence at the surface of a homogeneous ball, `angles` (rad) away from a unit point source.

    -D div grad phi + D k^2 phi = source, with D = 1 / (3 (mua + mus')), k^2 = (mua - i omega/c) / D
    and D dphi/dr + ksi phi = 0 at r = R, has at the surface the solution

        phi = 1 / (4 pi R^2) sum_l (2 l + 1) P_l(cos angle) i_l(k r0)
                                   / (D k i_l'(k R) + ksi i_l(k R))

    with the modified spherical Bessel functions i_l, whose ratios come from downward recurrence.

    radius, source_radius : mm, the source inside; absorption, scattering : mm^-1; frequency : Hz
    returns : an array like `angles`, float64 at frequency 0, else complex128
    """
    if not 0 < source_radius < radius:
        raise ValueError("the source must lie inside the ball, not at its centre")
    d = 1 / (3 * (absorption + scattering))
    loss = complex(absorption, -2 * math.pi * frequency * refractive_index / SPEED_OF_LIGHT)
    k = np.sqrt(loss / d)
    ksi = robin_coefficient(refractive_index)
    terms = int(40 / math.log(radius / source_radius)) + 40
    inner, outer = (_bessel_ratios(k * r, terms) for r in (source_radius, radius))
    cosine = np.cos(np.asarray(angles, dtype=float))
    before, now = np.zeros_like(cosine), np.ones_like(cosine)
    total = np.zeros(cosine.shape, complex)
    ratio = np.sinh(k * source_radius) / np.sinh(k * radius) * radius / source_radius
    for order in range(terms):
        # i_l'(x) / i_l(x) = i_{l+1}(x) / i_l(x) + l / x
        total += (2 * order + 1) * now * ratio / (d * (k * outer[order] + order / radius) + ksi)
        before, now = now, ((2 * order + 1) * cosine * now - order * before) / (order + 1)
        ratio *= inner[order] / outer[order]
    values = total / (4 * math.pi * radius**2)
    return values if frequency else values.real


def _bessel_ratios(x, count):
    """i_{l+1}(x) / i_l(x) for l = 0 ... count - 1."""
    ratios = [None] * count
    ratio = 0.0
    for order in range(count + 60 + 4 * int(abs(x)), -1, -1):
        ratio = 1 / ((2 * order + 3) / x + ratio)
        if order < count:
            ratios[order] = ratio
    return ratios


def shape_functions(kind, place):
    """Values (kind,) and derivatives (kind, 3) by u, v, w, at a place of the reference tetrahedron.

    Corners at 0 and at 1 on each axis. The ten-node one has its nodes 4 to 9 on EDGES.
    """
    fraction = np.array([1 - sum(place), *place])
    slope = np.vstack([[-1.0, -1.0, -1.0], np.eye(3)])
    if kind == 4:
        return fraction, slope
    values, derivatives = np.empty(10), np.empty((10, 3))
    for i in range(4):
        values[i] = fraction[i] * (2 * fraction[i] - 1)
        derivatives[i] = (4 * fraction[i] - 1) * slope[i]
    for e, (i, j) in enumerate(EDGES):
        values[4 + e] = 4 * fraction[i] * fraction[j]
        derivatives[4 + e] = 4 * (fraction[i] * slope[j] + fraction[j] * slope[i])
    return values, derivatives


def tetrahedron_rule(points):
    """Gauss rule of points^3 points on the reference tetrahedron, of volume 1/6."""
    x, w = np.polynomial.legendre.leggauss(points)
    line = list(zip((x + 1) / 2, w / 2, strict=True))
    return [
        ((s, (1 - s) * t, (1 - s) * (1 - t) * r), ws * wt * wr * (1 - s) ** 2 * (1 - t))
        for s, ws in line
        for t, wt in line
        for r, wr in line
    ]


def boundary_faces(elements):
    """Faces of one element only, as its nodes: three corners, then their three middles if any."""
    seen = {}
    for element in elements:
        for face in FACES:
            nodes = [element[i] for i in face]
            if len(element) == 10:
                for i in range(3):
                    pair = {face[i], face[(i + 1) % 3]}
                    nodes += [element[4 + e] for e, edge in enumerate(EDGES) if set(edge) == pair]
            seen.setdefault(frozenset(nodes[:3]), []).append(nodes)
    return [found[0] for found in seen.values() if len(found) == 1]


def volume_rules(kind, points):
    """Places and weights, of sum 1/6, for the spread of light and for its losses."""
    exact, corners = tetrahedron_rule(points), (np.zeros(3), *np.eye(3))
    faces = [sum((corners[i] for i in face), np.zeros(3)) / 3 for face in FACES]
    if kind == 4:
        losses = [(place, weight / 2) for place, weight in exact]
        losses += [(place, 1 / 48) for place in corners]
    else:
        losses = [(place, 1 / 240) for place in corners] + [(place, 9 / 240) for place in faces]
    return exact, losses


def solid_matrix(
    nodes, elements, absorption, scattering, at="nodes", refractive_index=1.33, frequency=0.0,
    points=4,
):  # fmt: skip
    """The matrix of the diffusion equation, (nodes, nodes), as `fem_matrix` of triangles.

    Losses in elements and through faces are not integrated exactly: of linear elements half is, and
    half is taken from the corners; of quadratic ones they come from rules of degree 3, with corners
    and centres of faces, or corners, middles and centre of a face.
    """
    kind = len(elements[0])
    index = np.broadcast_to(refractive_index, len(elements))
    matrix = np.zeros((len(nodes), len(nodes)), dtype=complex if frequency else float)
    exact, losses = volume_rules(kind, points)
    for e, element in enumerate(elements):
        where = list(element) if at == "nodes" else [e]
        loss_rate = -1j * 2 * math.pi * frequency * index[e] / SPEED_OF_LIGHT
        mua = np.array([absorption[i] for i in where])
        kappa = np.array([1 / (3 * (absorption[i] + scattering[i])) for i in where])
        places = np.array([nodes[i] for i in element])
        for place, weight in exact:
            values, derivatives = shape_functions(kind, place)
            jacobian = places.T @ derivatives
            size = abs(np.linalg.det(jacobian)) * weight
            gradients = derivatives @ np.linalg.inv(jacobian)
            psi = values if at == "nodes" else np.ones(1)
            matrix[np.ix_(element, element)] += size * (psi @ kappa) * gradients @ gradients.T
        for place, weight in losses:
            values, derivatives = shape_functions(kind, place)
            size = abs(np.linalg.det(places.T @ derivatives)) * weight
            psi = values if at == "nodes" else np.ones(1)
            loss = psi @ mua + (loss_rate if frequency else 0)
            matrix[np.ix_(element, element)] += size * loss * np.outer(values, values)
    if kind == 4:
        rule = [(u, v, weight / 2) for u, v, weight in triangle_rule(8)]
        rule += [(u, v, 1 / 12) for u, v in ((0, 0), (1, 0), (0, 1))]
    else:
        rule = [(u, v, 1 / 40) for u, v in ((0, 0), (1, 0), (0, 1))]
        rule += [(u, v, 1 / 15) for u, v in ((0.5, 0), (0, 0.5), (0.5, 0.5))]
        rule += [(1 / 3, 1 / 3, 9 / 40)]
    for face in boundary_faces(elements):
        places = np.array([nodes[i] for i in face])
        behind = next(e for e, element in enumerate(elements) if set(face) <= set(element))
        ksi = robin_coefficient(index[behind])
        for u, v, weight in rule:
            values, derivatives = face_functions(len(face), u, v)
            along = places.T @ derivatives
            size = np.linalg.norm(np.cross(along[:, 0], along[:, 1])) * weight
            matrix[np.ix_(face, face)] += ksi * size * np.outer(values, values)
    return matrix


def solid_derivatives(
    nodes, elements, absorption, scattering, sources, detectors, at="nodes", points=4
):
    """d reading / d mua and d reading / d mus', as `reading_derivatives` of triangles."""
    kind = len(elements[0])
    shape = (len(sources), len(detectors), len(absorption))
    by_mua, by_kappa = np.zeros(shape, sources.dtype), np.zeros(shape, sources.dtype)
    for e, element in enumerate(elements):
        where = list(element) if at == "nodes" else [e]
        places = np.array([nodes[i] for i in element])
        for of_losses, rule in enumerate(volume_rules(kind, points)):
            for place, weight in rule:
                values, derivatives = shape_functions(kind, place)
                jacobian = places.T @ derivatives
                size = abs(np.linalg.det(jacobian)) * weight
                psi = values if at == "nodes" else np.ones(1)
                basis = values[:, None] if of_losses else derivatives @ np.linalg.inv(jacobian)
                to = by_mua if of_losses else by_kappa
                for s, of_source in enumerate(sources):
                    for d, of_detector in enumerate(detectors):
                        product = (basis.T @ of_source[element]) @ (basis.T @ of_detector[element])
                        to[s, d, where] -= size * psi * product
    kappa = 1 / (3 * (np.asarray(absorption) + np.asarray(scattering)))
    by_mus = by_kappa * -3 * kappa**2
    return by_mua + by_mus, by_mus


def point_source(nodes, elements, point):
    """The load of a unit point source in straight tetrahedra, (nodes,)."""
    for element in elements:
        corners = np.array([nodes[i] for i in element[:4]])
        place = np.linalg.solve((corners[1:] - corners[0]).T, np.asarray(point) - corners[0])
        if min(*place, 1 - place.sum()) > -1e-9:
            load = np.zeros(len(nodes))
            load[list(element)] = shape_functions(len(element), place)[0]
            return load
    raise ValueError(f"{point} lies outside the mesh")


def inside(point, middle, semi_axes, quaternion):
    """By turning the point back: q* p q, with quaternions (x, y, z, w) of length 1."""
    moved = [p - m for p, m in zip(point, middle, strict=True)]
    x, y, z, w = quaternion
    back = _product(_product((-x, -y, -z, w), (*moved, 0.0)), quaternion)
    return sum((p / a) ** 2 for p, a in zip(back[:3], semi_axes, strict=True)) <= 1


def tetrahedron_part(corners, ellipsoid, steps):
    """Cut into steps^3 parts of one volume, steps a power of two: each into eight, again and again,
    at the middles of its edges."""
    parts = [corners]
    while len(parts) < steps**3:
        parts = [smaller for part in parts for smaller in _eight(part)]
    return sum(inside(_mean(part), *ellipsoid) for part in parts) / len(parts)


def voxel_part(middle, side, ellipsoid, steps):
    places = [((i + 0.5) / steps - 0.5) * side for i in range(steps)]
    points = [
        [m + p for m, p in zip(middle, offset, strict=True)]
        for offset in itertools.product(places, repeat=3)
    ]
    return sum(inside(point, *ellipsoid) for point in points) / len(points)


def _mean(points):
    return [sum(x) / len(points) for x in zip(*points, strict=True)]


def _eight(corners):
    """Four at the corners, and the octahedron between them cut along the edge 02-13."""
    m = {(i, j): _mean([corners[i], corners[j]]) for i, j in itertools.combinations(range(4), 2)}
    m |= {(j, i): middle for (i, j), middle in m.items()}
    outer = [[m[i, j] if i != j else corners[i] for j in range(4)] for i in range(4)]
    ring = [m[0, 1], m[1, 2], m[2, 3], m[3, 0]]
    inner = [[m[0, 2], m[1, 3], ring[k], ring[(k + 1) % 4]] for k in range(4)]
    return outer + inner


def _product(p, q):
    a, b, c, d = p
    e, f, g, h = q
    return (
        d * e + a * h + b * g - c * f,
        d * f - a * g + b * h + c * e,
        d * g + a * f - b * e + c * h,
        d * h - a * e - b * f - c * g,
    )
