"""Slow truths of the optics domain, in plain loops, with nothing of lesionkit imported.

disc_series        light in a homogeneous disc, by its Bessel series
fem_matrix         the finite-element matrix, dense, element by element
barycentric_source, readings    what goes with it
reading_derivatives             how readings change with the tissue
philox4x32         the random generator, in integers
disc_polygon_area  area common to a disc and a polygon
"""

from __future__ import annotations

import math

import mpmath
import numpy as np

SPEED_OF_LIGHT = 299_792_458_000.0  # mm/s; NIRFAST rounds it to 3e11


def robin_coefficient(refractive_index):
    """ksi = 1 / (2 A) of kappa dphi/dn + ksi phi = 0."""
    n = refractive_index
    cosine = math.cos(math.asin(1 / n))
    reflected = ((n - 1) / (n + 1)) ** 2
    return (1 - cosine**2) / (2 * (2 / (1 - reflected) - 1 + cosine**3))


# --- light in a disc -----------------------------------------------------------------------------


def disc_series(
    radius, absorption, scattering, source_radius, angles, refractive_index=1.33, frequency=0.0,
    digits=40,
):  # fmt: skip
    """Fluence at the rim of a homogeneous disc, `angles` (rad) away from a unit point source.

    -D div grad phi + D k^2 phi = source, with D = 1 / (3 (mua + mus')), k^2 = (mua - i omega/c) / D
    and D dphi/dr + ksi phi = 0 at r = R, has at the rim the solution

        phi = 1 / (2 pi R) sum_m e_m cos(m angle) I_m(k r0) / (D k I_m'(k R) + ksi I_m(k R)),

    with e_0 = 1 and e_m = 2 else. The sum alternates far from the source, where it can lie 12
    decades below its terms, so it is done in `digits` decimal digits.

    radius, source_radius : mm, the source inside; absorption, scattering : mm^-1; frequency : Hz
    returns : an array like `angles`, float64 at frequency 0, else complex128
    """
    if not 0 <= source_radius < radius:
        raise ValueError("the source must lie inside the disc")
    with mpmath.workdps(digits + 15):
        big_r, r0 = mpmath.mpf(radius), mpmath.mpf(source_radius)
        d = 1 / (3 * (mpmath.mpf(absorption) + mpmath.mpf(scattering)))
        loss = mpmath.mpf(absorption)
        if frequency:
            loss = loss - 2j * mpmath.pi * frequency * refractive_index / SPEED_OF_LIGHT
        k = mpmath.sqrt(loss / d)
        ksi = robin_coefficient(refractive_index)

        # I_m(k r0) / I_m(k R) < (r0 / R)^m tells how many terms matter.
        decay = mpmath.log(big_r / r0) if r0 else mpmath.inf
        terms = int(digits * mpmath.log(10) / decay) + 2
        inner = _bessel_ratios(k * r0, terms) if r0 else None
        outer = _bessel_ratios(k * big_r, terms)

        c = [mpmath.cos(mpmath.mpf(float(a))) for a in np.ravel(angles)]
        before, now = list(c), [mpmath.mpf(1)] * len(c)  # cos(-angle), cos(0)
        total = [mpmath.mpf(0)] * len(c)
        ratio = mpmath.besseli(0, k * r0) / mpmath.besseli(0, k * big_r)
        for m in range(terms):
            # I_m'(x) / I_m(x) = I_{m+1}(x) / I_m(x) + m / x
            term = ratio / (d * (k * outer[m] + m / big_r) + ksi)
            for i in range(len(c)):
                total[i] += (2 if m else 1) * now[i] * term
                before[i], now[i] = now[i], 2 * c[i] * now[i] - before[i]
            if inner is None:
                break
            ratio *= inner[m] / outer[m]
        values = [complex(t / (2 * mpmath.pi * big_r)) for t in total]
    result = np.array(values).reshape(np.shape(angles))
    return result if frequency else result.real


def _bessel_ratios(x, count):
    """I_{m+1}(x) / I_m(x) for m = 0 ... count - 1, by downward recurrence, which is stable."""
    ratios = [None] * count
    ratio = mpmath.mpf(0)
    for m in range(count + 60 + 4 * int(abs(x)), -1, -1):
        ratio = 1 / (2 * (m + 1) / x + ratio)
        if m < count:
            ratios[m] = ratio
    return ratios


# --- finite elements -----------------------------------------------------------------------------


def shape_functions(kind, u, v):
    """Values (kind,) and derivatives (kind, 2) by u and v, at u, v of the reference triangle.

    Corners at (u, v) = (0, 0), (1, 0), (0, 1). The six-node triangle has its nodes 3, 4, 5 on the
    edges 01, 12, 20 (the order of meshio and VTK).
    """
    fraction = np.array([1 - u - v, u, v])
    slope = np.array([[-1.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
    if kind == 3:
        return fraction, slope
    values, derivatives = np.empty(6), np.empty((6, 2))
    for i in range(3):
        j = (i + 1) % 3
        values[i] = fraction[i] * (2 * fraction[i] - 1)
        derivatives[i] = (4 * fraction[i] - 1) * slope[i]
        values[3 + i] = 4 * fraction[i] * fraction[j]
        derivatives[3 + i] = 4 * (fraction[i] * slope[j] + fraction[j] * slope[i])
    return values, derivatives


def triangle_rule(points):
    """Gauss rule of points^2 points on the reference triangle, exact to degree 2 points - 2.

    The unit square is squeezed onto the triangle: u = s, v = (1 - s) t, du dv = (1 - s) ds dt.
    """
    x, w = np.polynomial.legendre.leggauss(points)
    x, w = (x + 1) / 2, w / 2
    return [
        (s, (1 - s) * t, ws * wt * (1 - s))
        for s, ws in zip(x, w, strict=True)
        for t, wt in zip(x, w, strict=True)
    ]


def boundary_edges(elements):
    """Edges of one element only, each as (corner, corner) or (corner, corner, middle) node."""
    seen = {}
    for element in elements:
        for i in range(3):
            a, b = element[i], element[(i + 1) % 3]
            edge = (a, b) if len(element) == 3 else (a, b, element[3 + i])
            seen.setdefault(frozenset((a, b)), []).append(edge)
    return [found[0] for found in seen.values() if len(found) == 1]


def property_rule(kind, at, points):
    """Gauss points of an element, and what the properties given `at` count there.

    returns : (shape functions, their derivatives, weight, psi) of each point. At "nodes" psi are
              the shape functions; on "elements" there is one property, of psi 1; on "quarters"
              four, of which psi picks the one of the point's quarter: those at the corners 0, 1,
              2, and the middle. (Then each quarter has its own Gauss points.)
    """
    rule = triangle_rule(points)
    if at != "quarters":
        found = [(*shape_functions(kind, u, v), weight) for u, v, weight in rule]
        return [(*p, p[0] if at == "nodes" else np.ones(1)) for p in found]
    found = []
    quarters = [
        [(0, 0), (0.5, 0), (0, 0.5)],
        [(0.5, 0), (1, 0), (0.5, 0.5)],
        [(0, 0.5), (0.5, 0.5), (0, 1)],
        [(0.5, 0), (0.5, 0.5), (0, 0.5)],
    ]
    for q, corners in enumerate(np.array(quarters, dtype=float)):
        for s, t, weight in rule:
            u, v = (1 - s - t) * corners[0] + s * corners[1] + t * corners[2]
            found.append((*shape_functions(kind, u, v), weight / 4, np.eye(4)[q]))
    return found


def properties_of(element, e, at):
    """Numbers of the properties of element e, in the order of psi."""
    return {"nodes": list(element), "elements": [e], "quarters": range(4 * e, 4 * e + 4)}[at]


def fem_matrix(
    nodes, elements, absorption, scattering, at="nodes", refractive_index=1.33, frequency=0.0
):
    """The matrix of the diffusion equation, (nodes, nodes), float64 or (frequency > 0) complex128.

    K_ij = int kappa grad phi_i grad phi_j + int (mua - i omega / c) phi_i phi_j
           + ksi int_rim phi_i phi_j

    nodes      : (nodes, 2) mm
    elements   : (elements, 3 or 6); six-node triangles may have curved edges
    absorption, scattering : mm^-1, (nodes,), (elements,) or (4 elements,) as `at` says. At nodes,
                 kappa and mua are known there, and inside an element are what its shape functions
                 make of them.
    refractive_index : a number, or one for each element

    Integrals by Gauss rules: exact for straight edges, and to rounding for slightly curved ones.
    """
    kind = len(elements[0])
    index = np.broadcast_to(refractive_index, len(elements))
    matrix = np.zeros((len(nodes), len(nodes)), dtype=complex if frequency else float)
    rule = property_rule(kind, at, 3 if kind == 3 else 8)
    for e, element in enumerate(elements):
        where = properties_of(element, e, at)
        mua = np.array([absorption[i] for i in where])
        kappa = np.array([1 / (3 * (absorption[i] + scattering[i])) for i in where])
        rate = -1j * 2 * math.pi * frequency * index[e] / SPEED_OF_LIGHT
        loss = mua + rate if frequency else mua
        corners = np.array([nodes[i] for i in element])
        for values, derivatives, weight, psi in rule:
            jacobian = corners.T @ derivatives  # d(x, y) / d(u, v)
            area = abs(np.linalg.det(jacobian)) * weight
            gradients = derivatives @ np.linalg.inv(jacobian)
            kappa_here, loss_here = psi @ kappa, psi @ loss
            for i in range(kind):
                for j in range(kind):
                    matrix[element[i], element[j]] += area * (
                        kappa_here * (gradients[i] @ gradients[j])
                        + loss_here * values[i] * values[j]
                    )
    x, w = np.polynomial.legendre.leggauss(8)
    for edge in boundary_edges(elements):
        ends = np.array([nodes[i] for i in edge])
        behind = next(e for e, element in enumerate(elements) if set(edge) <= set(element))
        ksi = robin_coefficient(index[behind])
        for s, weight in zip((x + 1) / 2, w / 2, strict=True):
            values, slopes = _edge_functions(len(edge), s)
            length = math.hypot(*(slopes @ ends)) * weight
            for i in range(len(edge)):
                for j in range(len(edge)):
                    matrix[edge[i], edge[j]] += ksi * length * values[i] * values[j]
    return matrix


def _edge_functions(kind, s):
    if kind == 2:
        return np.array([1 - s, s]), np.array([-1.0, 1.0])
    return (
        np.array([(1 - s) * (1 - 2 * s), s * (2 * s - 1), 4 * s * (1 - s)]),
        np.array([4 * s - 3, 4 * s - 1, 4 - 8 * s]),
    )


def barycentric_source(nodes, elements, point):
    """The load of a unit point source: the shape functions of its element there, (nodes,).

    The same numbers weigh the nodes for a reading at the point. Where elements meet, the one in
    which the point lies deepest counts.
    """
    deepest, load = -math.inf, None
    for element in elements:
        kind = len(element)
        corners = np.array([nodes[i] for i in element])
        u, v = 1 / 3, 1 / 3
        for _ in range(20):  # Newton; one step is enough in a straight triangle
            values, derivatives = shape_functions(kind, u, v)
            step = np.linalg.solve(corners.T @ derivatives, np.asarray(point) - values @ corners)
            u, v = u + step[0], v + step[1]
            if max(abs(u), abs(v)) > 10:
                break  # far outside
        if min(1 - u - v, u, v) > deepest:
            deepest = min(1 - u - v, u, v)
            load = np.zeros(len(nodes))
            for i, value in zip(element, shape_functions(kind, u, v)[0], strict=True):
                load[i] = value
    if deepest < -1e-9:
        raise ValueError(f"{point} lies outside the mesh")
    return load


def readings(matrix, source_weights, detector_weights):
    """(sources, nodes) and (detectors, nodes) weights -> (sources, detectors) fluence."""
    return (np.asarray(detector_weights) @ np.linalg.solve(matrix, np.transpose(source_weights))).T


def reading_derivatives(nodes, elements, absorption, scattering, sources, detectors, at):
    """d reading / d mua and d reading / d mus', (sources, detectors, properties) each.

    The fields phi_s and phi_d of sources and detectors, (optodes, nodes), are given. A change of
    the equation's coefficients changes the reading by

        dR_sd = -int dkappa grad phi_s . grad phi_d - int dmua phi_s phi_d,

    and dkappa = -3 kappa^2 (dmua + dmus') where properties are known.
    """
    kind = len(elements[0])
    shape = (len(sources), len(detectors), len(absorption))
    by_mua, by_kappa = np.zeros(shape, sources.dtype), np.zeros(shape, sources.dtype)
    rule = property_rule(kind, at, 4 if kind == 3 else 8)
    for e, element in enumerate(elements):
        where = properties_of(element, e, at)
        corners = np.array([nodes[i] for i in element])
        for values, derivatives, weight, psi in rule:
            jacobian = corners.T @ derivatives
            area = abs(np.linalg.det(jacobian)) * weight
            gradients = derivatives @ np.linalg.inv(jacobian)
            for s, of_source in enumerate(sources):
                here, slope = values @ of_source[element], gradients.T @ of_source[element]
                for d, of_detector in enumerate(detectors):
                    there, steep = values @ of_detector[element], gradients.T @ of_detector[element]
                    for p, fraction in zip(where, psi, strict=True):
                        by_mua[s, d, p] -= area * fraction * here * there
                        by_kappa[s, d, p] -= area * fraction * (slope @ steep)
    kappa = 1 / (3 * (np.asarray(absorption) + np.asarray(scattering)))
    by_mus = by_kappa * -3 * kappa**2
    return by_mua + by_mus, by_mus


# --- random numbers ------------------------------------------------------------------------------


def philox4x32(counter, key):
    """Philox4x32-10 (Salmon et al., SC'11): four and two 32-bit words -> four 32-bit words."""
    return philox4(counter, key, 32, (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85))


def philox4(counter, key, bits, multipliers, increments):
    """Ten rounds of Philox on four words of `bits` bits."""
    mask = (1 << bits) - 1
    x0, x1, x2, x3 = counter
    k0, k1 = key
    for _ in range(10):
        first, second = multipliers[0] * x0, multipliers[1] * x2
        x0, x1, x2, x3 = (
            (second >> bits) ^ x1 ^ k0,
            second & mask,
            (first >> bits) ^ x3 ^ k1,
            first & mask,
        )
        k0, k1 = (k0 + increments[0]) & mask, (k1 + increments[1]) & mask
    return x0, x1, x2, x3


# --- areas ---------------------------------------------------------------------------------------


def disc_polygon_area(center, radius, polygon):
    """Area common to a disc and a simple polygon, (corners, 2) in either sense of rotation.

    Each side a-b adds the signed area that the disc shares with the triangle centre-a-b: a triangle
    where the side runs inside the disc, a sector where it runs outside.
    """
    total = 0.0
    for i in range(len(polygon)):
        ax, ay = polygon[i - 1][0] - center[0], polygon[i - 1][1] - center[1]
        bx, by = polygon[i][0] - center[0], polygon[i][1] - center[1]
        dx, dy = bx - ax, by - ay
        # |a + t d|^2 = radius^2 at t = enters and t = leaves
        square, half = dx * dx + dy * dy, ax * dx + ay * dy
        if square == 0:
            continue
        inside = half * half - square * (ax * ax + ay * ay - radius * radius)
        root = math.sqrt(max(inside, 0.0))
        enters, leaves = (-half - root) / square, (-half + root) / square
        if inside <= 0 or leaves <= 0 or enters >= 1:
            total += _sector(radius, ax, ay, bx, by)
            continue
        px, py, qx, qy = ax, ay, bx, by
        if enters > 0:
            px, py = ax + enters * dx, ay + enters * dy
            total += _sector(radius, ax, ay, px, py)
        if leaves < 1:
            qx, qy = ax + leaves * dx, ay + leaves * dy
            total += _sector(radius, qx, qy, bx, by)
        total += (px * qy - py * qx) / 2
    return abs(total)


def _sector(radius, ax, ay, bx, by):
    return radius * radius / 2 * math.atan2(ax * by - ay * bx, ax * bx + ay * by)
