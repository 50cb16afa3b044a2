"""`LinearEstimate`: the best linear estimate of the maps from the readings alone.

Of all estimates that are linear in the scaled signals x it has the least mean square error over the
phantoms that it was fitted to (LMMSE; Kay, Fundamentals of Statistical Signal Processing:
Estimation Theory, 1993, chapter 12):

    E[y] + C_yx (C_xx + l)^-1 (x - E[x])

with y the maps on a grid of GRID x GRID pixels at most, and l a ten-thousandth of a signal's mean
variance. Where readings are missing, their expectation given the others stands in their place; what
comes out is then the best linear estimate from the readings that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lesionkit.nets.framework import torch
from lesionkit.nets.phantoms.augmentation import turned
from lesionkit.nets.phantoms.data import Batch

GRID = 25
RIDGE = 1e-4


class LinearEstimate(torch.nn.Module):  # type: ignore[misc]
    """Scaled maps of scaled signals, (n, wavelengths, optodes, optodes - 1) to (n, 3, grid, grid).

    masked : whether readings may be missing, for which the signals' covariance is kept
    """

    def __init__(self, wavelengths: int, optodes: int, pixels: int, *, masked: bool) -> None:
        super().__init__()
        self.shape = (wavelengths, optodes, optodes - 1)
        self.grid = min(pixels, GRID)
        count, places = wavelengths * optodes * (optodes - 1), 3 * self.grid**2
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("base", torch.zeros(places))
        self.register_buffer("weights", torch.zeros(places, count))
        if masked:
            self.register_buffer("covariance", torch.eye(count))
            self.register_buffer("unmixing", torch.eye(wavelengths))
        self._inverse: tuple[Any, Any] | None = None
        self.register_load_state_dict_post_hook(LinearEstimate._forget)

    def _forget(self, *_: Any) -> None:
        self._inverse = None

    def fit(self, batches: Iterable[Batch], symmetries: int, mixing: Any) -> None:
        """Find the estimate of some phantoms.

        batches    : of scaled phantoms
        symmetries : of a phantom, each of which counts as one more
        mixing     : of the wavelengths, as `Scaling` has it
        """
        sums: list[Any] = [0.0, 0.0, 0.0, 0.0]
        number = 0
        for signals, _, maps in batches:
            x = signals.flatten(1)
            y = torch.nn.functional.adaptive_avg_pool2d(maps, self.grid).flatten(1)
            number += len(x)
            for at, part in enumerate((x.sum(0), y.sum(0), x.T @ x, x.T @ y)):
                sums[at] = sums[at] + part.double()
        mean, base, second, cross = self._with_symmetries(sums, symmetries, number)
        covariance = second - torch.outer(mean, mean)
        ridge = RIDGE * covariance.diagonal().mean()
        covariance.diagonal().add_(ridge)
        factor = torch.linalg.cholesky(covariance)
        weights = torch.cholesky_solve(cross - torch.outer(mean, base), factor)
        self.mean.copy_(mean)
        self.base.copy_(base)
        self.weights.copy_(weights.T)
        if hasattr(self, "covariance"):
            self.covariance.copy_(covariance)
            self.unmixing.copy_(torch.linalg.inv(mixing.double()))
        self._forget()

    def _with_symmetries(self, sums: Sequence[Any], symmetries: int, number: int) -> list[Any]:
        """Means over the phantoms and their images, whose sums are the same in another order."""
        places = torch.arange(len(self.mean)).reshape(1, *self.shape)
        pixels = torch.arange(len(self.base)).reshape(1, 3, self.grid, self.grid)
        first, maps, second, cross = (torch.zeros_like(part) for part in sums)
        for symmetry in range(symmetries):
            at, _, to = (part.flatten() for part in turned(Batch(places, pixels, pixels), symmetry))
            first, maps = first + sums[0][at], maps + sums[1][to]
            second, cross = second + sums[2][at][:, at], cross + sums[3][at][:, to]
        return [part / (number * symmetries) for part in (first, maps, second, cross)]

    def forward(self, signals: Any, there: Any = None) -> Any:
        # In full precision: large weights of nearly equal readings take each other away.
        with torch.autocast(signals.device.type, enabled=False):
            x = signals.flatten(1) - self.mean
            if there is not None:
                x = self._completed(x, there)
            return (x @ self.weights.T + self.base).unflatten(1, (3, self.grid, self.grid))

    def coverage(self, there: Any) -> Any:
        """(n, 1, grid, grid): the share of a pixel's squared weights whose readings are there."""
        squares = self.weights.square().reshape(3, self.grid**2, self.shape[0], -1).sum((0, 2))
        squares = squares / squares.sum(1, keepdim=True).clip(torch.finfo(squares.dtype).tiny)
        share = there.to(squares.dtype).mean(1).flatten(1) @ squares.T
        return share.unflatten(1, (1, self.grid, self.grid))

    def _completed(self, x: Any, there: Any) -> Any:
        """x with the expectation of what is missing, given what is there, in its place."""
        out = x.clone()
        patterns, which = torch.unique(there.flatten(1), dim=0, return_inverse=True)
        for number, known in enumerate(patterns):
            if not known.all():
                rows = which == number
                out[rows] = self._expected(x[rows], known)
        return out

    def _expected(self, x: Any, known: Any) -> Any:
        """Of phantoms that lack the same readings. A wavelength can only be missing before the
        wavelengths are mixed: so it is computed there, in double precision."""
        unmixing = self.unmixing.double()
        covariance, precision = self._unmixed(unmixing)
        values = self._over_wavelengths(unmixing, x.double().T).T
        here, gone = known.nonzero().squeeze(1), (~known).nonzero().squeeze(1)
        if len(here) <= len(gone):  # the smaller of two systems that say the same
            factor = torch.linalg.cholesky(covariance[here][:, here])
            found = covariance[gone][:, here] @ torch.cholesky_solve(values[:, here].T, factor)
        else:
            factor = torch.linalg.cholesky(precision[gone][:, gone])
            found = -torch.cholesky_solve(precision[gone][:, here] @ values[:, here].T, factor)
        values[:, gone] = found.T
        mixed = self._over_wavelengths(torch.linalg.inv(unmixing), values.T).T
        return mixed.to(x.dtype)

    def _unmixed(self, unmixing: Any) -> tuple[Any, Any]:
        """The covariance of signals that are not mixed, and its inverse; found once."""
        if self._inverse is None:
            half = self._over_wavelengths(unmixing, self.covariance.double())
            covariance = self._over_wavelengths(unmixing, half.T)
            precision = torch.cholesky_inverse(torch.linalg.cholesky(covariance))
            self._inverse = covariance, precision
        return self._inverse

    def _over_wavelengths(self, matrix: Any, columns: Any) -> Any:
        """matrix times the wavelengths of each of the (readings, n) columns."""
        return (matrix @ columns.reshape(self.shape[0], -1)).reshape(columns.shape)
