"""Light in a ball with smaller balls of other tissue in it: the exact answer, by multipoles.

multipole_series    any number of balls, anywhere
layered_series      one ball at the centre: two layers, each degree by its own five equations

The field of a unit source in the homogeneous ball meets each inner ball as regular waves
i_l(k r) Y_lm about its centre; it answers with outgoing ones, k_l(k r) Y_lm, which the other balls
and the outer surface throw back. Light is continuous, and all is real. A wave about one centre is
written as waves about another by projecting its values on a sphere about that one, where the values
of each wave are a spherical harmonic times a constant.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import spherical_in, spherical_kn

from reference.optics import robin_coefficient
from reference.optics_solid import sphere_series


def harmonics(directions, order):
    """Real orthonormal spherical harmonics at unit vectors (n, 3): (n, (order + 1)^2), l then m."""
    x, y, z = np.asarray(directions, float).T
    out = np.zeros((len(x), (order + 1) ** 2))
    across = np.ones_like(x) + 0j  # (x + i y)^m: sin^m(theta) e^(i m phi)
    start = math.sqrt(1 / (4 * math.pi))  # of P_mm / sin^m, normalised
    for m in range(order + 1):
        before, now = np.zeros_like(x), np.full_like(x, start)
        for degree in range(m, order + 1):
            scale = math.sqrt(2) if m else 1
            out[:, degree**2 + degree + m] = scale * now * across.real
            if m:
                out[:, degree**2 + degree - m] = scale * now * across.imag
            n = degree + 1
            a = math.sqrt((4 * n * n - 1) / (n * n - m * m))
            b = math.sqrt(((n - 1) ** 2 - m * m) / (4 * (n - 1) ** 2 - 1)) if n > 1 else 0.0
            before, now = now, a * (z * now - b * before)
        start *= -math.sqrt((2 * m + 3) / (2 * m + 2))
        across = across * (x + 1j * y)
    return out


def sphere_rule(order):
    """Directions (n, 3) and weights (n,), exact for products of two harmonics up to `order`."""
    z, weight = np.polynomial.legendre.leggauss(order + 1)
    angle = 2 * math.pi * np.arange(2 * order + 2) / (2 * order + 2)
    flat = np.sqrt(1 - z**2)
    out = np.stack(
        [
            np.outer(flat, np.cos(angle)),
            np.outer(flat, np.sin(angle)),
            np.outer(z, np.ones_like(angle)),
        ],
        axis=-1,
    )
    return out.reshape(-1, 3), np.repeat(weight, len(angle)) * 2 * math.pi / len(angle)


class Medium:
    """One tissue: its diffusion D, decay k, and waves."""

    def __init__(self, absorption, scattering):
        self.d = 1 / (3 * (absorption + scattering))
        self.k = math.sqrt(absorption / self.d)

    def radial(self, outgoing, order, r):
        """i_l(k r), or k_l(k r) if outgoing, for each l up to order at r (n,): (n, order + 1)."""
        degrees = np.arange(order + 1)
        function = spherical_kn if outgoing else spherical_in
        return function(degrees, self.k * np.asarray(r, float)[..., None])

    def slope(self, outgoing, order, r):
        """Their derivatives by r."""
        function = spherical_kn if outgoing else spherical_in
        return self.k * function(np.arange(order + 1), self.k * r, derivative=True)

    def waves(self, outgoing, order, centre, points):
        """All waves about a centre at points (n, 3): (n, (order + 1)^2)."""
        away = np.asarray(points, float) - centre
        r = np.linalg.norm(away, axis=1)
        each = np.repeat(self.radial(outgoing, order, r), 2 * np.arange(order + 1) + 1, axis=1)
        return each * harmonics(away / r[:, None], order)


def of_each(per_degree):
    """Numbers (order + 1,) of each l, for each l and m."""
    return np.repeat(per_degree, 2 * np.arange(len(per_degree)) + 1)


def answer(outside, inside, radius, order):
    """What a ball answers to a regular wave of degree l with: the outgoing wave's amplitude."""
    i0, k0 = (outside.radial(kind, order, radius) for kind in (False, True))
    i0_slope, k0_slope = (outside.slope(kind, order, radius) for kind in (False, True))
    i1, i1_slope = inside.radial(False, order, radius), inside.slope(False, order, radius)
    # i0 + b k0 = c i1 and D0 (i0' + b k0') = c D1 i1'
    return (inside.d * i1_slope * i0 - outside.d * i0_slope * i1) / (
        outside.d * k0_slope * i1 - inside.d * i1_slope * k0
    )


def thrown_back(outside, radius, order, refractive_index):
    """The regular wave that the surface adds to an outgoing one of degree l."""
    ksi = robin_coefficient(refractive_index)
    parts = [
        outside.d * outside.slope(kind, order, radius) + ksi * outside.radial(kind, order, radius)
        for kind in (True, False)
    ]
    return -parts[0] / parts[1]


def multipole_series(
    radius, absorption, scattering, balls, sources, detectors, order=12, outer_order=45,
    refractive_index=1.33,
):  # fmt: skip
    """Fluence at detectors (d, 3) on the surface of a ball about the origin, of unit sources (s, 3)
    within it, all at one distance from the origin: (s, d).

    radius, absorption, scattering : mm, mm^-1, of the ball
    balls     : [(centre (3,) mm, radius mm, absorption, scattering), ...], apart from each other,
                nearer to the origin than the sources
    order     : of the waves about each centre; outer_order: about the origin
    """
    outside, origin = Medium(absorption, scattering), np.zeros(3)
    depth = np.linalg.norm(sources[0])
    back = thrown_back(outside, radius, outer_order, refractive_index)
    strength = 2 * outside.k / (math.pi * outside.d)  # the Wronskian of i_l and k_l: pi / 2 / x^2
    strength *= outside.radial(True, outer_order, depth) + back * outside.radial(
        False, outer_order, depth
    )
    incident = of_each(strength)[:, None] * harmonics(sources / depth, outer_order).T

    rule, weight = sphere_rule(outer_order)
    at_rim = harmonics(rule, outer_order) * weight[:, None]
    scale = of_each(back / outside.radial(True, outer_order, radius))[:, None]
    # The regular waves about the origin that come back of those going out from each ball.
    reflected = [
        scale * (at_rim.T @ outside.waves(True, order, centre, radius * rule))
        for centre, *_ in balls
    ]
    count = (order + 1) ** 2
    matrix, right = np.eye(count * len(balls)), np.empty((count * len(balls), len(sources)))
    rule, weight = sphere_rule(order + 8)
    project = (harmonics(rule, order) * weight[:, None]).T
    for j, (centre, size, *tissue) in enumerate(balls):
        surface, rows = centre + size * rule, slice(j * count, (j + 1) * count)
        ratio = answer(outside, Medium(*tissue), size, order) / outside.radial(False, order, size)
        answers = of_each(ratio)[:, None] * project  # to a regular field with these values
        about_origin = outside.waves(False, outer_order, origin, surface)
        right[rows] = answers @ (about_origin @ incident)
        for i, (other, *_) in enumerate(balls):
            values = about_origin @ reflected[i]
            if i != j:
                values += outside.waves(True, order, other, surface)
            matrix[rows, i * count : (i + 1) * count] -= answers @ values
    amplitude = np.linalg.solve(matrix, right)
    cosine = sources @ detectors.T / (depth * radius)
    angles = np.arccos(np.clip(cosine, -1, 1))
    found = sphere_series(radius, absorption, scattering, depth, angles, refractive_index)
    about_origin = outside.waves(False, outer_order, origin, detectors)
    for i, (centre, *_) in enumerate(balls):
        waves = outside.waves(True, order, centre, detectors) + about_origin @ reflected[i]
        found = found + (waves @ amplitude[i * count : (i + 1) * count]).T
    return found


def layered_series(
    radius, absorption, scattering, core, source_radius, angles, refractive_index=1.33, degrees=40
):
    """Fluence at the surface, `angles` (rad) away from a unit source above a core, (radius,
    absorption, scattering), about the centre.

    In each degree l the field is A i_l in the core, B i_l + C k_l from there to the source, E i_l +
    F k_l beyond it: continuous with its flux at the core, with a jump of the flux at the source,
    and with Robin's condition at the surface. What the core changes is added to `sphere_series`.
    """
    ksi, inner = robin_coefficient(refractive_index), Medium(*core[1:])
    outer = Medium(absorption, scattering)

    def at_surface(middle):
        def both(medium, r):
            kinds = (False, True)
            value = [medium.radial(kind, degrees, r) for kind in kinds]
            return value, [medium.d * medium.slope(kind, degrees, r) for kind in kinds]

        (i1, _), (i1_flux, _) = both(middle, core[0])
        (i0, k0), (i0_flux, k0_flux) = both(outer, core[0])
        (i, k), (i_flux, k_flux) = both(outer, source_radius)
        (i2, k2), (i2_flux, k2_flux) = both(outer, radius)
        out = np.empty(degrees + 1)
        for n in range(degrees + 1):
            equations = np.array(
                [
                    [i1[n], -i0[n], -k0[n], 0, 0],
                    [i1_flux[n], -i0_flux[n], -k0_flux[n], 0, 0],
                    [0, i[n], k[n], -i[n], -k[n]],
                    [0, i_flux[n], k_flux[n], -i_flux[n], -k_flux[n]],
                    [0, 0, 0, i2_flux[n] + ksi * i2[n], k2_flux[n] + ksi * k2[n]],
                ]
            )
            columns = np.abs(equations).max(axis=0)
            jump = [0, 0, 0, 1 / source_radius**2, 0]
            e, f = (np.linalg.solve(equations / columns, jump) / columns)[3:]
            out[n] = e * i2[n] + f * k2[n]
        return out

    change = at_surface(inner) - at_surface(outer)
    weights = (2 * np.arange(degrees + 1) + 1) / (4 * math.pi) * change
    added = np.polynomial.legendre.legval(np.cos(angles), weights)
    return added + sphere_series(
        radius, absorption, scattering, source_radius, angles, refractive_index
    )
