"""Readings that are missing: optodes that fell off, channels or wavelengths that failed.

A net that was trained with them is told by a mask which readings there are, so that what is missing
is never taken for a measured zero. In the place of a missing reading stands the mean of the other
wavelengths' of its source and detector, which go up and down together; where none of them is there,
the homogeneous disc's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit.nets.framework import torch
from lesionkit.optics.readings.readings import missing_numbers

Mask = npt.NDArray[np.bool_]

WAVELENGTH_SHARE = 0.25
"""Of the batches that lack optodes in training: those that lack a wavelength as well."""


def filled(values: Any, there: Any) -> Any:
    """ln(amplitude / reference), in units of its spread, with something in the place of what is
    missing.

    values, there : (n, wavelengths, optodes, optodes - 1) arrays, both of NumPy or of torch
    """
    known = values * there  # no NaN
    mean = known.sum(1) / there.sum(1).clip(1)
    return known + (mean[:, None] * ~there)


def of_optodes(present: Mask) -> Mask:
    """(..., optodes, optodes - 1): the readings whose source and detector are present, of
    (..., optodes). Detector j of source s is optode (s + 1 + j) mod optodes."""
    count = present.shape[-1]
    detectors = (np.arange(count)[:, None] + 1 + np.arange(count - 1)) % count
    readings: Mask = present[..., None] & present[..., detectors]
    return readings


def drawn(random: np.random.Generator, wavelengths: int, optodes: int) -> Any:
    """(1, wavelengths, optodes, optodes - 1) bool tensor: readings that are there, where 1 to half
    of the optodes are missing, and now and then a wavelength."""
    present = np.ones(optodes, bool)
    present[random.permutation(optodes)[: random.integers(1, optodes // 2 + 1)]] = False
    there = np.repeat(of_optodes(present)[None, None], wavelengths, axis=1)
    lacking, which = random.random() < WAVELENGTH_SHARE, random.integers(wavelengths)
    if wavelengths > 1 and lacking:
        there[0, which] = False
    return torch.from_numpy(there)


def readings(signals: Any, missing: Sequence[int], shape: tuple[int, ...]) -> Mask:
    """(n, wavelengths, optodes, optodes - 1): the readings that are there: no NaN, and of no
    optode of `missing`. ValueError where a phantom has none left.

    shape : (wavelengths, optodes, optodes - 1)
    """
    optodes = shape[1]
    present = np.ones(optodes, bool)
    present[missing_numbers(missing, 0, optodes - 1)] = False
    there: Mask = ~np.isnan(signals) & of_optodes(present)
    alone = np.flatnonzero(~there.any(axis=(1, 2, 3)))
    if len(alone):
        raise ValueError(f"missing must leave some readings, phantom {alone[0]} has none left")
    return there
