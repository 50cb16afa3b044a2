"""How much each reading counts: what is left out, how sure each is, and a norm that outliers cannot
lead (Huber, Ann. Math. Stat. 35, 73, 1964), by iteratively reweighted least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAD = 1.4826  # standard deviations of a normal distribution in its median absolute deviation
MIN_SCALE = 1e-3  # of a log reading: no instrument is surer


@dataclass(frozen=True)
class Weighting:
    """Weights of logs of readings, (n, wavelengths, rows) like them.

    given     : 1 / sigma^2 of each row, of mean 1 over those that are used; 0 for the others
    threshold : None for least squares. For Huber's norm, in standard deviations: a residual beyond
                it counts by its first power. The standard deviation is found from the residuals of
                each phantom, by their median, for amplitudes and phases apart
    modulated : the second half of the rows are phases
    """

    given: Floats
    threshold: float | None
    modulated: bool

    def of(
        self, residual: Floats, which: slice | npt.NDArray[np.intp] = slice(None)
    ) -> tuple[Floats, Floats]:
        """The weights of residuals (m, wavelengths, rows), `which` of the n, and their roots."""
        weight = self.given[which]
        if self.threshold is not None:
            weight = weight * self._factor(residual, weight)
        return weight, np.sqrt(weight)

    def _factor(self, residual: Floats, weight: Floats) -> Floats:
        """Huber's factor, 1 within the threshold, threshold / residual beyond it."""
        used = weight > 0
        size = np.where(used, np.abs(residual), 0) * np.sqrt(weight)
        halves = 1 + self.modulated
        parts = size.reshape(*size.shape[:-1], halves, -1)
        counted = used.reshape(parts.shape)
        factor = np.ones_like(parts)
        for one, ok, out in zip(parts, counted, factor, strict=True):
            for half in range(halves):
                scale = MAD * np.median(one[:, half][ok[:, half]])
                limit = self.threshold * max(scale, MIN_SCALE)
                beyond = one[:, half] > limit
                out[:, half][beyond] = limit / one[:, half][beyond]
        return factor.reshape(size.shape)


def given(
    shape: tuple[int, ...],
    used: npt.NDArray[np.bool_] | None,
    spread: Floats | None,
    batch: tuple[int, ...],
    modulated: bool,
) -> Floats:
    """Weights of rows (n, wavelengths, rows), of mean 1 over those that each phantom uses."""
    count, wavelengths, rows = shape
    pairs = rows // (1 + modulated)
    weight = np.ones((*batch, wavelengths, pairs))
    if used is not None:
        weight *= used
    if spread is not None:
        # the most certain first: squares of tiny numbers must not overflow
        least = np.where(weight > 0, spread, np.inf).min(initial=np.inf)
        weight *= np.square(np.minimum(least / spread, 1))
    weight = weight.reshape(count, wavelengths, pairs)
    total = weight.sum(axis=(1, 2), keepdims=True)
    mean = total / np.maximum((weight > 0).sum(axis=(1, 2), keepdims=True), 1)
    whole: Floats = np.tile(weight / np.maximum(mean, 1e-300), (1, 1, 1 + modulated))
    return whole


def of_pairs(weight: Floats, given: Floats, modulated: bool) -> Floats:
    """How much each pair counts, (n, wavelengths, pairs) from 0 to 1, of what was found against
    what was given for rows: the lesser of amplitude and phase."""
    fraction = np.divide(weight, given, out=np.zeros_like(weight), where=given > 0)
    whole: Floats = fraction.reshape(*fraction.shape[:-1], 1 + modulated, -1).min(axis=-2)
    return whole
