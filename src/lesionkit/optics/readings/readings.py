"""`Readings`: what an instrument measured between its optodes, whatever file it came in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Readings:
    """Amplitudes and phases of pairs of optodes at several wavelengths.

    wavelengths : (wavelengths,) nm
    pairs       : (pairs, 2) source and detector, from 0
    amplitude   : (wavelengths, pairs), in the instrument's unit
    phase       : (wavelengths, pairs) rad; 0 of continuous light
    active      : (wavelengths, pairs) bool; the others are not to be used
    """

    wavelengths: Floats
    pairs: npt.NDArray[np.intp]
    amplitude: Floats
    phase: Floats
    active: npt.NDArray[np.bool_]

    @property
    def modulated(self) -> npt.NDArray[np.complex128]:
        """(wavelengths, pairs) complex readings, as a model of modulated light gives them."""
        readings: npt.NDArray[np.complex128] = self.amplitude * np.exp(1j * self.phase)
        return readings


@dataclass(frozen=True, eq=False)
class SnirfReadings(Readings):
    """Readings of a SNIRF file, which says where the optodes are.

    sources, detectors : (count, 2 or 3) mm
    frequency          : Hz of the modulation; 0: continuous light
    """

    sources: Floats
    detectors: Floats
    frequency: float
