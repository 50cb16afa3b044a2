"""Slow truth: light in a disc that holds round inclusions, by multipoles. Continuous wave.

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
"""

from __future__ import annotations

import numpy as np

from .optics import disc_series, robin_coefficient


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
