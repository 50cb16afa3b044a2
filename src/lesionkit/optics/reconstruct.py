"""`reconstruct`: maps of HbO, Hb and water from the readings of several wavelengths."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

import lesionkit
from lesionkit import arrays
from lesionkit.optics import gauss_newton, homogeneous, penalty, spectra
from lesionkit.optics.basis import GridBasis
from lesionkit.optics.forward import ForwardModel
from lesionkit.optics.gauss_newton import TISSUE

Floats = npt.NDArray[np.float64]
Method = Literal["tikhonov", "dri"]

AT_ONCE = 8  # phantoms: all lanes of nine wavelengths are full, and derivatives take some 200 MB

UNITS = dict(zip(TISSUE, ("uM", "uM", "%", "mm^-1", ""), strict=True))


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What :func:`reconstruct` found.

    maps        : for each unknown (..., k) coefficients of `basis`; HbO and Hb in micromolar, water
                  in per cent, the scattering amplitude in mm^-1
    homogeneous : for "hbo", "hb", "water", "amplitude" and "power" (...): the tissue of the start
    residuals   : (..., iterations + 1): root mean square of data - model, of ln amplitude (and rad),
                  at the start and after each step; NaN after the last step of a phantom
    basis       : GridBasis
    """

    maps: Mapping[str, Floats]
    homogeneous: Mapping[str, Floats]
    residuals: Floats
    basis: GridBasis

    def at(self, points: npt.ArrayLike) -> dict[str, Floats]:
        """The maps at points (n, dimensions) mm: (..., n) each."""
        table = self.basis.at(points)
        return {
            name: (table @ x.reshape(-1, len(self.basis)).T).T.reshape(*x.shape[:-1], -1)
            for name, x in self.maps.items()
        }


def reconstruct(
    model: ForwardModel,
    signal: npt.ArrayLike,
    reference: npt.ArrayLike,
    reference_tissue: Mapping[str, float],
    wavelengths: Sequence[float],
    *,
    basis: GridBasis,
    pairs: npt.ArrayLike | None = None,
    gray: npt.ArrayLike | None = None,
    gray_scale: float = 10.0,
    unknowns: Sequence[str] = ("hbo", "hb", "water"),
    regularisation: float = 0.01,
    iterations: int = 10,
    tolerance: float = 0.01,
    extinction: str | npt.ArrayLike = "nirfast",
    progress: Callable[[int, int], object] | None = None,
) -> Reconstruction:
    nm = arrays.real(wavelengths, "wavelengths", ("w",), "nm", above=0)
    coefficients = (
        spectra.extinction(nm, extinction)
        if isinstance(extinction, str)
        else arrays.real(extinction, "extinction", (len(nm), 3), at_least=0)
    )
    if pairs is None:
        places = np.arange(len(model.sources) * len(model.detectors))
    else:
        table = np.asarray(pairs)
        places = table[:, 0] * len(model.detectors) + table[:, 1]
    known = np.array([float(reference_tissue[name]) for name in TISSUE])
    problem = gauss_newton.Problem(
        model, basis.elements, places, coefficients * np.array([1e-3, 1e-3, 1e-2]), nm, tuple(unknowns)
    )
    measured = np.asarray(signal)
    batch = measured.shape[:-2]
    measured = measured.reshape(-1, *measured.shape[-2:])
    data = gauss_newton.log(measured) - gauss_newton.log(np.asarray(reference))
    data = data + homogeneous.logs(problem, known[None])[0]
    start = homogeneous.fit(problem, data, known)
    if gray is None:
        penalties = itertools.repeat(penalty.tikhonov(len(basis)))
    else:
        grays = arrays.real(gray, "gray", ("...", len(basis))).reshape(-1, len(basis))
        penalties = (penalty.guided(g, gray_scale) for g in grays)
    tissue, record = np.empty((len(data), 5, len(basis))), np.empty((len(data), iterations + 1))
    with ThreadPoolExecutor(lesionkit.threads(), "lesionkit") as pool, threadpool_limits(1, "blas"):
        for first in range(0, len(data), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            tissue[some], record[some] = gauss_newton.solve(
                problem,
                data[some],
                start[some],
                penalties,
                regularisation,
                iterations,
                tolerance,
                pool,
            )
            if progress is not None:
                progress(min(first + AT_ONCE, len(data)), len(data))
    return Reconstruction(
        {n: tissue[:, TISSUE.index(n)].reshape(*batch, -1) for n in unknowns},
        {n: start[:, i].reshape(batch) for i, n in enumerate(TISSUE)},
        record.reshape(*batch, -1),
        basis,
    )
