"""Constants and coefficients of the diffusion equation."""

from __future__ import annotations

import math

SPEED_OF_LIGHT = 299_792_458_000.0  # mm/s, in vacuum


def robin_coefficient(refractive_index: float) -> float:
    """ksi of kappa dPhi/dn + ksi Phi = 0 at a rim of tissue against air, no unit.

    ksi = 1 / (2 A), A = (2 / (1 - R0) - 1 + |cos theta_c|^3) / (1 - cos^2 theta_c), with Fresnel's
    reflection at normal incidence R0 and the critical angle theta_c: the "robin" boundary of
    NIRFAST (Dehghani et al., Commun. Numer. Meth. Eng. 25, 711, 2009).
    """
    reflected = ((refractive_index - 1) / (refractive_index + 1)) ** 2
    cosine = abs(math.cos(math.asin(1 / refractive_index)))
    a = (2 / (1 - reflected) - 1 + cosine**3) / (1 - cosine**2)
    return 1 / (2 * a)
