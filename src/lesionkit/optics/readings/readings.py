"""`Readings`: what an instrument measured between its optodes, whatever file it came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Floats = npt.NDArray[np.float64]


def missing_numbers(missing: Any, least: int, most: int | None = None) -> list[int]:
    """Numbers of optodes that are missing, from `least` to `most`, checked."""
    if isinstance(missing, str | bytes) or not isinstance(missing, Sequence):
        raise TypeError(
            f"missing must be a sequence of optodes' numbers, got {arrays.describe(missing)}"
        )
    return [arrays.integer(number, "missing", at_least=least, at_most=most) for number in missing]


@dataclass(frozen=True, eq=False)
class Readings:
    """Amplitudes and phases of pairs of optodes at several wavelengths.

    Attributes
    ----------
    wavelengths : (wavelengths,) array
        nm.
    pairs : (pairs, 2) array of int
        Source and detector, from 0.
    amplitude : (wavelengths, pairs) array
        In the instrument's unit.
    phase : (wavelengths, pairs) array
        rad; 0 for continuous light.
    active : (wavelengths, pairs) array of bool
        The others are not to be used.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.optics import Readings
    >>> amplitude, phase = np.array([[2.0]]), np.array([[np.pi / 2]])
    >>> found = Readings(np.array([785.0]), np.array([[0, 1]]), amplitude, phase, amplitude > 0)
    >>> found.modulated.round(9).tolist()
    [[2j]]
    """

    wavelengths: Floats
    pairs: npt.NDArray[np.intp]
    amplitude: Floats
    phase: Floats
    active: npt.NDArray[np.bool_]

    @property
    def modulated(self) -> npt.NDArray[np.complex128]:
        """Complex readings (wavelengths, pairs), as a model of modulated light gives them."""
        readings: npt.NDArray[np.complex128] = self.amplitude * np.exp(1j * self.phase)
        return readings


@dataclass(frozen=True, eq=False)
class SnirfReadings(Readings):
    """Readings of a SNIRF file, which says where the optodes are.

    Attributes
    ----------
    wavelengths, pairs, amplitude, phase, active : arrays
        As of :class:`Readings`.
    sources, detectors : (count, 2 or 3) arrays
        mm.
    frequency : float
        Hz of the modulation; 0: continuous light.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.optics import SnirfReadings
    >>> one, optode = np.ones((1, 1)), np.zeros((1, 2))
    >>> found = SnirfReadings(one[0], one.astype(int), one, one, one > 0, optode, optode + 30, 1e8)
    >>> found.detectors.tolist()
    [[30.0, 30.0]]
    """

    sources: Floats
    detectors: Floats
    frequency: float
