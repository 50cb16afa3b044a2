"""Constants and coefficients of the diffusion equation."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

SPEED_OF_LIGHT = 299_792_458_000.0  # mm/s, in vacuum

MIN_FREQUENCY, MAX_FREQUENCY = 1e6, 1e10
"""Hz: what instruments modulate light with. A number in MHz lies far below, and would be taken for
light that is all but continuous."""
MAX_INDEX = 10.0
MAX_ABSORPTION, MAX_SCATTERING = 0.1, 5.0
"""mm^-1, in the mean: what near-infrared light meets in tissue lies well below. Coefficients in
cm^-1 are ten times as great."""


def reading_kind(frequency: float) -> type[np.generic]:
    """The dtype of readings."""
    return np.complex128 if frequency else np.float64


def check_frequency(value: Any, name: str = "frequency") -> float:
    """A frequency of modulation in Hz, or 0; else a clear error."""
    frequency = arrays.number(value, name, at_least=0, unit="Hz")
    if frequency and not MIN_FREQUENCY <= frequency <= MAX_FREQUENCY:
        raise ValueError(
            f"{name} must be 0, or {MIN_FREQUENCY:g} to {MAX_FREQUENCY:g} Hz, got {frequency:g}"
        )
    return frequency


def checked_index(value: Any, elements: int) -> float | npt.NDArray[np.float64]:
    """A refractive index, or one for each element."""
    name = "refractive_index"
    if np.ndim(value) == 0:
        return arrays.number(value, name, at_least=1.0, at_most=MAX_INDEX)
    index: npt.NDArray[np.float64] = arrays.real(value, name, (elements,), at_least=1.0).copy()
    if index.max() > MAX_INDEX:
        raise ValueError(f"{name} must be at most {MAX_INDEX:g}, got {index.max():g}")
    index.flags.writeable = False
    return index


def warn_of_no_tissue(absorption: float, scattering: float, stacklevel: int = 2) -> None:
    """Warn where means of mua and mus' (mm^-1) are such as no tissue has: mixed up, or in cm^-1."""
    if absorption >= scattering:
        doubt = "absorption is not below scattering: are they swapped?"
    elif absorption > MAX_ABSORPTION or scattering > MAX_SCATTERING:
        doubt = (
            f"tissue has some {MAX_ABSORPTION:g} and {MAX_SCATTERING:g} mm^-1 at most: are they in "
            "cm^-1?"
        )
    else:
        return
    warnings.warn(
        f"absorption and scattering are {absorption:.3g} and {scattering:.3g} mm^-1 in the mean, "
        f"as of no tissue; {doubt}",
        stacklevel=stacklevel + 1,
    )


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
