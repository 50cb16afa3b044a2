"""`Jacobian`: how readings change with the tissue, and the same for log amplitude and phase.

With kappa = 1 / (3 (mua + mus')), a change of mus' acts through kappa alone, and one of mua through
the loss of light as well. Derivatives by kappa at a fixed mua are `scattering` / (-3 kappa^2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit.optics import spectra


@dataclass(frozen=True, eq=False)
class Jacobian:
    """Readings and their derivatives, of :meth:`ForwardModel.jacobian`.

    readings   : (..., sources, detectors), in mm^-1 per unit source
    absorption : (..., sources, detectors, properties), d reading / d mua, no unit (mm^-1 per mm^-1)
    scattering : the same shape, d reading / d mus', no unit

    The change of a reading is the sum over all properties of derivative times change. At "nodes" a
    property stands for its shape function, at "elements" and "quarters" for its area: derivatives
    grow with the size of what they belong to.
    """

    readings: Any
    absorption: Any
    scattering: Any

    def log_amplitude(self) -> Jacobian:
        """The same of ln |reading|, real: derivatives in mm."""
        readings, mua, mus = self._numpy()
        of_log = (d / readings[..., None] for d in (mua, mus))
        return self._back(np.log(np.abs(readings)), *(d.real for d in of_log))

    def phase(self) -> Jacobian:
        """The same of the argument of each reading, rad, above -pi: derivatives in rad mm.

        Continuous light has no phase: ValueError.
        """
        readings, mua, mus = self._numpy()
        if readings.dtype.kind != "c":
            raise ValueError("phase needs readings of modulated light, got real ones (frequency 0)")
        of_log = (d / readings[..., None] for d in (mua, mus))
        return self._back(np.angle(readings), *(d.imag for d in of_log))

    def tissue(
        self, wavelength: Any, amplitude: Any, power: Any, table: str = "nirfast"
    ) -> dict[str, Any]:
        """Derivatives by what tissue is made of: "hbo", "hb", "water", "amplitude", "power".

        wavelength : nm, each one of spectra.WAVELENGTHS: a number, or an array that broadcasts
                     against the batch axes, the leading axes of `readings`
        amplitude, power : of mus' = amplitude (wavelength / 1000)^-power, numbers, or arrays of
                     (properties,) that the derivative is taken at
        table      : "nirfast" or "prahl", see spectra.EXTINCTION
        returns    : for each, an array like `absorption`, per micromolar, micromolar, per cent,
                     mm^-1 and 1. Works on what log_amplitude() and phase() return as well
        Raises TypeError or ValueError as `spectra.absorption` and `spectra.scattering` do.
        """
        readings, by_mua, by_mus = self._numpy()
        coefficients = spectra.extinction(wavelength, table)
        nm = np.asarray(wavelength, dtype=float)
        batch, count = readings.shape[:-2], by_mua.shape[-1]
        if nm.ndim > len(batch) or any(
            n not in (1, m) for n, m in zip(nm.shape[::-1], batch[::-1], strict=False)
        ):
            raise ValueError(
                f"wavelength must broadcast against the batch axes {batch}, got {nm.shape}"
            )
        mus = spectra.scattering(nm, amplitude, power)
        places = mus.shape[nm.ndim :]
        if places not in ((), (1,), (count,)):
            raise ValueError(
                f"amplitude and power must be numbers or of shape ({count},), got {places}"
            )
        mus = mus.reshape(*nm.shape, 1, 1, *(places or (1,)))
        log_nm = np.log(nm / 1000).reshape(*nm.shape, 1, 1, 1)
        each = {  # micromolar to mM, per cent to 1
            name: (by_mua, coefficients[..., k].reshape(*nm.shape, 1, 1, 1) * unit)
            for k, (name, unit) in enumerate(
                zip(spectra.CHROMOPHORES, (1e-3, 1e-3, 1e-2), strict=True)
            )
        }
        each["amplitude"] = by_mus, mus / np.asarray(amplitude, dtype=float)
        each["power"] = by_mus, -log_nm * mus
        home = arrays.home(readings=self.readings)
        single = by_mua.dtype in (np.float32, np.complex64)
        return {
            name: home.back(by * factor.astype(np.float32 if single else np.float64))
            for name, (by, factor) in each.items()
        }

    def _numpy(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The three arrays, as NumPy's."""
        home = arrays.home(readings=self.readings)
        readings, mua, mus = (
            home.view(getattr(self, name), name)
            for name in ("readings", "absorption", "scattering")
        )
        return readings, mua, mus

    def _back(self, *parts: np.ndarray) -> Jacobian:
        """NumPy arrays, as a Jacobian of the library that these came in."""
        home = arrays.home(readings=self.readings)
        return Jacobian(*(home.back(np.ascontiguousarray(part)) for part in parts))
