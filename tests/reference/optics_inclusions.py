"""Slow truth: light in a disc or ball that holds round inclusions, by multipoles; continuous wave.

-div(D grad phi) + mua phi = point source, D = 1 / (3 (mua + mus')), D dphi/dr + ksi phi = 0 at the
rim of the disc, phi and D dphi/dn continuous at each inclusion. Outside the inclusions

    phi = G + sum_j sum_n b_jn [K_n(k rho_j) e^(i n phi_j) + what the rim sends back of it],

with (rho_j, phi_j) about the centre of inclusion j, and G the field of the disc without them.
Graf's addition theorems (Abramowitz & Stegun 9.1.79) carry waves from one centre to another,

    I_m(k r) e^(i m theta) = sum_n I_(m-n)(k d) e^(i (m-n) psi) I_n(k rho) e^(i n phi)
    K_n(k rho) e^(i n phi) = sum_m I_(m-n)(k d) e^(-i (m-n) psi) K_m(k r) e^(i m theta)     r > d
    K_n(k rho) e^(i n phi) = sum_l (-1)^l K_(l-n)(k d) e^(-i (l-n) psi) I_l(k r) e^(i l theta)
                                                                                            r < d

(d, psi) being the place of the rho-centre seen from the r-centre in the first two, and the other
way round in the third; the continuity at each inclusion closes a dense system for the b_jn.

Bessel functions enter by their logarithms, since those of order 400 are far outside float64. Sums
are in float64: readings are good to some 1e-14 of the brightest.

Balls in a ball, below: multipole_series (any number of them, anywhere) and layered_series (one at
the centre: two layers, each degree by its own five equations). The field of a source in the
homogeneous ball meets each inner ball as regular waves i_l(k r) Y_lm about its centre; it answers
with outgoing ones, k_l(k r) Y_lm, which the other balls and the surface throw back. A wave about
one centre is written as waves about another by projecting its values on a sphere about that one,
where the values of each wave are a spherical harmonic times a constant.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import spherical_in, spherical_kn

from .optics import disc_series, robin_coefficient
from .optics_solid import sphere_series


def disc_with_inclusions(
    radius, absorption, scattering, inclusions, source, angles, refractive_index=1.33, waves=30,
    terms=300,
):  # fmt: skip
    """Fluence at the rim, of a unit point source in the background.

    radius                 : mm
    absorption, scattering : mm^-1, of the background
    inclusions             : (x, y, radius, absorption, scattering) of each; none overlap
    source                 : (x, y) mm
    angles                 : rad, of the places on the rim
    waves, terms           : highest order about an inclusion, and about the disc's centre
    returns                : float64 like `angles`
    """
    d0 = 1 / (3 * (absorption + scattering))
    k = np.sqrt(absorption / d0)
    ksi = robin_coefficient(refractive_index)
    angles = np.asarray(angles, dtype=float)
    rs, at = np.hypot(*source), np.arctan2(source[1], source[0])
    homogeneous = disc_series(
        radius, absorption, scattering, rs, angles - at, refractive_index, digits=30
    )
    n, m = np.arange(-waves, waves + 1), np.arange(-terms, terms + 1)
    most = waves + terms + 1

    # At the rim: value of I_m, D k I_m' + ksi I_m and the like, by orders -terms ... terms.
    log_i, log_k = log_bessel(k * radius, most)
    slope_i, slope_k = log_slopes(log_i, log_k, k * radius)
    robin_i = d0 * k * slope_i[abs(m)] + ksi  # times I_m
    robin_k = d0 * k * slope_k[abs(m)] + ksi  # times K_m
    # What comes back of a wave K_m, as I_m; and how bright the rim is in its light (Wronskian).
    log_back = log_k[abs(m)] - log_i[abs(m)]
    back = -robin_k / robin_i
    log_bright = -log_i[abs(m)]
    bright = d0 / radius / robin_i

    # Per inclusion: its waves as waves about the centre of the disc, and its own response.
    log_out, out, log_own, response = [], [], [], []
    incident = []
    for x, y, a, mua, mus in inclusions:
        d, psi = np.hypot(x, y), np.arctan2(y, x)
        difference = m[:, None] - n
        log_shift = log_bessel(k * d, most)[0] if d else np.where(np.arange(most + 1), -np.inf, 0)
        log_out.append(log_shift[abs(difference)])  # (m, n)
        out.append(np.exp(-1j * difference * psi))
        log_ia, log_ka = log_bessel(k * a, waves + 1)
        slope_ia, slope_ka = (s[abs(n)] for s in log_slopes(log_ia, log_ka, k * a))
        log_own.append((log_ia[abs(n)], log_ka[abs(n)]))
        d1 = 1 / (3 * (mua + mus))
        k1 = np.sqrt(mua / d1)
        inside = d1 * k1 * log_slopes(*log_bessel(k1 * a, waves + 1), k1 * a)[0][abs(n)]
        # e I_n + b K_n outside, c I_n(k1) inside: b K_n(k a) = response * e I_n(k a)
        response.append(-(d0 * k * slope_ia - inside) / (d0 * k * slope_ka - inside))

        # The source's light and what the rim sends back of it, as waves I_n about the inclusion.
        sx, sy = source[0] - x, source[1] - y
        away, direction = np.hypot(sx, sy), np.arctan2(sy, sx)
        direct = np.exp(
            log_bessel(k * away, waves)[1][abs(n)] + log_ia[abs(n)] - 1j * n * direction
        )
        log_source = log_bessel(k * rs, most)[0][abs(m)]
        logs = log_source + log_back
        reflected = np.exp(logs[:, None] + log_out[-1] + log_ia[abs(n)])
        reflected = (back * np.exp(-1j * m * at)) @ (reflected * np.conj(out[-1]))
        incident.append((direct + reflected) / (2 * np.pi * d0))

    # x_jn = b_jn K_n(k a_j) = response (incident + what the others and the rim send)
    count, width = len(inclusions), len(n)
    system = np.eye(count * width, dtype=complex)
    for j in range(count):
        for i in range(count):
            coupling = _product(log_back, back, log_out[j], np.conj(out[j]), log_own[j][0],
                                log_out[i], out[i], -log_own[i][1])  # fmt: skip
            if i != j:
                bx, by = np.subtract(inclusions[j][:2], inclusions[i][:2])
                difference = n[:, None] - n  # l - n'
                logs = log_bessel(k * np.hypot(bx, by), 2 * waves)[1][abs(difference)]
                logs = logs + log_own[j][0][:, None] - log_own[i][1]
                turn = np.exp(-1j * difference * np.arctan2(by, bx))
                coupling = coupling + np.where(n % 2, -1, 1)[:, None] * np.exp(logs) * turn
            rows, columns = slice(j * width, (j + 1) * width), slice(i * width, (i + 1) * width)
            system[rows, columns] -= response[j][:, None] * coupling
    right = np.concatenate([r * e for r, e in zip(response, incident, strict=True)])
    strengths = np.linalg.solve(system, right).reshape(count, width)

    waves_at_rim = np.zeros(len(m), complex)
    for j in range(count):
        logs = log_bright[:, None] + log_out[j] - log_own[j][1]
        waves_at_rim += bright * ((np.exp(logs) * out[j]) @ strengths[j])
    scattered = np.exp(1j * angles[..., None] * m) @ waves_at_rim
    return homogeneous + scattered.real


def _product(log_weight, weight, log_left, left, log_row, log_right, right, log_column):
    """sum over m of weight left right, (n, n'), each term by the sum of its logarithms."""
    total = np.zeros((left.shape[1], right.shape[1]), complex)
    for i in range(len(weight)):
        logs = log_weight[i] + (log_left[i] + log_row)[:, None] + log_right[i] + log_column
        total += weight[i] * np.exp(logs) * (left[i][:, None] * right[i])
    return total


def log_bessel(x, most):
    """Logarithms of I_0 ... I_most and K_0 ... K_most at x > 0, (most + 1,) each.

    By the ratios of neighbours: downwards for I, where that is stable, and upwards for K.
    """
    ratio = 0.0
    ratios = np.empty(most + 1)
    for order in range(most + 60 + int(4 * x), -1, -1):
        ratio = 1 / (2 * (order + 1) / x + ratio)
        if order <= most:
            ratios[order] = ratio  # I_(order + 1) / I_order
    from scipy.special import ive, kve

    log_i = np.log(ive(0, x)) + x + np.concatenate([[0], np.cumsum(np.log(ratios[:-1]))])
    ratio = kve(1, x) / kve(0, x)
    ups = np.empty(most)
    for order in range(most):
        ups[order] = ratio  # K_(order + 1) / K_order
        ratio = 1 / ratio + 2 * (order + 1) / x
    log_k = np.log(kve(0, x)) - x + np.concatenate([[0], np.cumsum(np.log(ups))])
    return log_i, log_k


def log_slopes(log_i, log_k, x):
    """I_m'(x) / I_m(x) and K_m'(x) / K_m(x) for all orders but the last."""
    order = np.arange(len(log_i) - 1)
    return (
        np.exp(np.diff(log_i)) + order / x,
        -np.exp(np.diff(log_k)) + order / x,
    )


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
