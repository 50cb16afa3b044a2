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
    """Readings and their derivatives, as :meth:`ForwardModel.jacobian` gives them.

    The change of a reading is the sum over all properties of derivative times change. At "nodes" a
    property stands for its shape function, at "elements" and "quarters" for its area: derivatives
    grow with the size of what they belong to.

    Attributes
    ----------
    readings : (..., sources, detectors) array
        In mm^-1 per unit source.
    absorption : (..., sources, detectors, properties) array
        d reading / d mua, no unit (mm^-1 per mm^-1).
    scattering : array of the shape of `absorption`
        d reading / d mus', no unit.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.optics import ForwardModel, disc_mesh
    >>> mesh = disc_mesh(20, nodes=300)
    >>> rim = 20 * np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    >>> model = ForwardModel(mesh, rim, rim)
    >>> mua, mus = np.full(len(mesh.nodes), 0.01), np.full(len(mesh.nodes), 1.0)
    >>> J = model.jacobian(mua, mus)
    >>> change = model.measure(mua * 1.001, mus) - J.readings
    >>> np.allclose(change, J.absorption @ (0.001 * mua), rtol=1e-2)
    True
    >>> (J.log_amplitude().absorption[0, 2] < 0).mean().item() > 0.9  # what absorbs darkens
    True
    """

    readings: Any
    absorption: Any
    scattering: Any

    def log_amplitude(self) -> Jacobian:
        """The same for ``ln |reading|``.

        Returns
        -------
        Jacobian
            Real; derivatives in mm.

        Raises
        ------
        TypeError
            Where the arrays are of several kinds.
        """
        home, (readings, mua, mus) = self._arrays()
        with home.current():
            of_log = (d / readings[..., None] for d in (mua, mus))
            return self._back(home.xp.log(home.xp.abs(readings)), *(d.real for d in of_log))

    def phase(self) -> Jacobian:
        """The same for the argument of each reading.

        Returns
        -------
        Jacobian
            Phases in rad, above -pi; derivatives in rad mm.

        Raises
        ------
        ValueError
            Where the light is continuous, which has no phase.
        """
        home, (readings, mua, mus) = self._arrays()
        if readings.dtype.kind != "c":
            raise ValueError("phase needs readings of modulated light, got real ones (frequency 0)")
        with home.current():
            of_log = (d / readings[..., None] for d in (mua, mus))
            return self._back(home.xp.angle(readings), *(d.imag for d in of_log))

    def tissue(
        self, wavelength: Any, amplitude: Any, power: Any, table: str = "nirfast"
    ) -> dict[str, Any]:
        """Derivatives by what tissue is made of.

        Works on what :meth:`log_amplitude` and :meth:`phase` return as well.

        Parameters
        ----------
        wavelength : float or array
            nm, each one of `spectra.WAVELENGTHS`: a number, or an array that broadcasts against the
            batch axes, the leading axes of `readings`.
        amplitude, power : float or (properties,) array
            Of mus' = amplitude (wavelength / 1000)^-power, where the derivative is taken.
        table : {"nirfast", "prahl"}, default "nirfast"
            See `spectra.EXTINCTION`.

        Returns
        -------
        dict of str to array
            By "hbo" and "hb" (per micromolar), "water" (per cent), "amplitude" (mm^-1) and "power"
            (1), each like `absorption`.

        Raises
        ------
        TypeError, ValueError
            As `spectra.absorption` and `spectra.scattering`, and where shapes do not broadcast.
        """
        home, (readings, by_mua, by_mus) = self._arrays()
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
        kind = np.float32 if by_mua.dtype in (np.float32, np.complex64) else np.float64
        with home.current():
            return {
                name: home.back(by * home.xp.asarray(factor, kind))
                for name, (by, factor) in each.items()
            }

    def _arrays(self) -> tuple[arrays.Home, tuple[Any, Any, Any]]:
        """Where the three arrays live, and they, as NumPy's or CuPy's."""
        home = arrays.home(readings=self.readings)
        readings, mua, mus = (
            home.view(getattr(self, name), name)
            for name in ("readings", "absorption", "scattering")
        )
        return home, (readings, mua, mus)

    def _back(self, *parts: Any) -> Jacobian:
        """Arrays as a Jacobian of the library that these came in."""
        home = arrays.home(readings=self.readings)
        return Jacobian(*(home.back(home.xp.ascontiguousarray(part)) for part in parts))
