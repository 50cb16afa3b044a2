"""`reconstruct`: maps of HbO, Hb and water from the readings of several wavelengths.

Gauss-Newton (:mod:`lesionkit.optics.gauss_newton`) with Tikhonov's penalty or that of direct
regularisation imaging (:mod:`lesionkit.optics.penalty`), all wavelengths and chromophores at once.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

import lesionkit
from lesionkit import arrays
from lesionkit.optics import gauss_newton, homogeneous, penalty, spectra
from lesionkit.optics.basis import GridBasis
from lesionkit.optics.forward import ForwardModel
from lesionkit.optics.gauss_newton import TISSUE

Floats = npt.NDArray[np.float64]
Method = Literal["tikhonov", "dri"]

AT_ONCE = 8  # phantoms: all lanes of nine wavelengths are full, and derivatives take some 200 MB
_TO_MM = np.array([1e-3, 1e-3, 1e-2])  # extinction per mM and 1, to per micromolar and per cent


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What :func:`reconstruct` found.

    maps        : for each unknown (..., k) coefficients of `basis`; HbO and Hb in micromolar, water
                  in per cent, the scattering amplitude in mm^-1
    homogeneous : (...) of "hbo", "hb", "water", "amplitude", "power": the tissue it began with
    residuals   : (..., iterations + 1): root mean square of data - model, of ln amplitude (and of
                  phase in rad), at the start and after each step; NaN once it rests
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
    basis: GridBasis,
    *,
    pairs: npt.ArrayLike | None = None,
    gray: npt.ArrayLike | None = None,
    gray_scale: float = 6.0,
    maps: Sequence[str] = ("hbo", "hb", "water", "amplitude"),
    regularisation: float = 0.01,
    iterations: int = 10,
    tolerance: float = 0.01,
    extinction: str | npt.ArrayLike = "nirfast",
    progress: Callable[[int, int], object] | None = None,
) -> Reconstruction:
    """Maps of tissue from readings, calibrated by those of a homogeneous reference.

    The data are ln(signal / reference) + what the model gives for the reference, so that the
    strength of each optode, and most of the model's own error, cancel. It begins with the
    homogeneous tissue that explains them best, and minimises, by Gauss-Newton,

        ||data - model(maps)||^2 + sum over maps of lambda ||L map||^2,

    each map relative to that start. The scattering power, and the amplitude if it is not among
    the maps, are single numbers for each phantom, found along with the maps.

    model            : ForwardModel, without compat; its frequency is that of the readings
    signal           : (..., wavelengths, pairs) above 0, any unit; complex if modulated
    reference        : (wavelengths, pairs) or as `signal`: the same of the reference
    reference_tissue : of the reference: "hbo" and "hb" in micromolar, "water" in per cent,
                       "amplitude" (mm^-1) and "power" of mus'
    wavelengths      : (wavelengths,) nm, at least as many as `maps` has chromophores
    basis            : GridBasis over the model's mesh
    pairs            : (pairs, 2) source and detector of each reading, from 0; None: all pairs, the
                       first source's first
    gray             : None for Tikhonov's penalty; for DRI (k,) or (..., k) gray values of an MR
                       image at the basis functions, see `GridBasis.average`
    gray_scale       : above 0, the difference of gray values that counts as one; some two to four
                       times the noise of `gray`
    maps             : one or more of "hbo", "hb", "water", "amplitude". "amplitude" keeps changes
                       of scattering out of the others
    regularisation   : above 0: lambda over the largest diagonal element of the map's block of J'J
                       at the start
    iterations       : at least 1, steps at most
    tolerance        : at least 0: a phantom is at rest when a step takes less than this share of
                       what is minimised, or when no part of a step (down to 1/16) takes any
    extinction       : a table of `spectra`, or (wavelengths, 3) of HbO and Hb in 1/(mm mM) and
                       water in 1/mm, for wavelengths that `spectra` does not have
    progress         : called as progress(done, count) after every 8 phantoms
    returns          : Reconstruction. It does not depend on threads, or on the other phantoms. The
                       linear algebra of each phantom is on one thread; NumPy's BLAS is kept to
                       one meanwhile, in the whole process
    Raises TypeError or ValueError, naming the argument, for anything else, before any work.
    """
    problem, known = checked_problem(
        model, reference_tissue, wavelengths, basis, pairs, maps, extinction
    )
    regularisation = arrays.number(regularisation, "regularisation", above=0)
    gray_scale = arrays.number(gray_scale, "gray_scale", above=0)
    iterations = arrays.integer(iterations, "iterations", at_least=1, at_most=1000)
    tolerance = arrays.number(tolerance, "tolerance", at_least=0, at_most=1)
    measured = _readings(signal, "signal", problem)
    batch = measured.shape[:-2]
    against = _readings(reference, "reference", problem)
    if against.shape not in (measured.shape[-2:], measured.shape):
        raise ValueError(
            f"reference must have shape {measured.shape[-2:]} or that of signal, "
            f"{measured.shape}, got {against.shape}"
        )
    count, k = int(np.prod(batch)), len(basis)
    grays = None if gray is None else arrays.real(gray, "gray", ("...", k))
    if grays is not None and grays.shape[:-1] not in ((), batch):
        raise ValueError(f"gray must have shape {(k,)} or {(*batch, k)}, got {grays.shape}")
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be None or a function, got {arrays.describe(progress)}")

    ratio = gauss_newton.log(measured / against)
    ratio = ratio.reshape(count, *ratio.shape[-2:])
    base = homogeneous.logs(problem, known[None])[0]
    tissue, record = np.empty((count, 5, k)), np.empty((count, iterations + 1))
    start = np.empty((count, 5))
    each = _penalties(grays, gray_scale, k)
    space = problem.room(min(count, AT_ONCE))
    with (
        ThreadPoolExecutor(lesionkit.threads(), "lesionkit") as pool,
        _blas().limit(limits=1, user_api="blas"),
    ):
        for first in range(0, count, AT_ONCE):
            some = slice(first, min(first + AT_ONCE, count))
            data = ratio[some] + base
            start[some] = homogeneous.fit(problem, data, known)
            penalties = list(itertools.islice(each, len(data)))
            tissue[some], record[some] = gauss_newton.solve(
                problem,
                data,
                start[some],
                penalties,
                regularisation,
                iterations,
                tolerance,
                pool,
                space,
            )
            if progress is not None:
                progress(some.stop, count)
    return Reconstruction(
        {name: tissue[:, TISSUE.index(name)].reshape(*batch, k) for name in problem.maps},
        {name: start[:, i].reshape(batch) for i, name in enumerate(TISSUE)},
        record.reshape(*batch, iterations + 1),
        basis,
    )


@functools.cache
def _blas() -> ThreadpoolController:
    """The BLAS libraries of this process; looking for them takes some milliseconds."""
    return ThreadpoolController()


def checked_problem(
    model: Any,
    reference_tissue: Any,
    wavelengths: Any,
    basis: Any,
    pairs: Any,
    maps: Any,
    extinction: Any,
) -> tuple[gauss_newton.Problem, Floats]:
    """What all phantoms share, checked, and the reference's tissue (5,)."""
    if not isinstance(model, ForwardModel):
        raise TypeError(f"model must be a ForwardModel, got {arrays.describe(model)}")
    if model.compat is not None:
        raise ValueError(f"model must be without compat, got {model.compat!r}")
    if not isinstance(basis, GridBasis):
        raise TypeError(f"basis must be a GridBasis, got {arrays.describe(basis)}")
    if basis.mesh is not model.mesh:
        raise ValueError(f"basis must lie over the model's mesh {model.mesh!r}, got {basis!r}")
    nm = arrays.real(wavelengths, "wavelengths", ("wavelengths",), "nm", above=0)
    if not len(nm) or len(np.unique(nm)) < len(nm):
        raise ValueError(
            f"wavelengths must be one or more that differ from each other, got {nm.tolist()}"
        )
    if isinstance(extinction, str):
        coefficients = _known_extinction(nm, extinction)
    else:
        coefficients = arrays.real(extinction, "extinction", (len(nm), 3), at_least=0)
    listed = isinstance(maps, Iterable) and not isinstance(maps, str)
    names = [*maps] if listed else []
    if not names or any(not isinstance(n, str) or n not in TISSUE[:4] for n in names):
        raise ValueError(f"maps must be one or more of {', '.join(TISSUE[:4])}, got {maps!r}")
    chosen = tuple(name for name in TISSUE if name in names)
    told_apart = len(set(chosen) - {"amplitude"})
    if len(nm) < told_apart:
        raise ValueError(
            f"wavelengths must be at least as many as the chromophores of maps, {told_apart}, to "
            f"tell them apart, got {nm.tolist()}"
        )
    if not isinstance(reference_tissue, Mapping) or set(reference_tissue) != set(TISSUE):
        raise ValueError(f"reference_tissue must say {', '.join(TISSUE)}, got {reference_tissue!r}")
    known = [
        arrays.number(
            reference_tissue[name],
            f"reference_tissue[{name!r}]",
            above=None if name == "power" else 0.0,
            at_most=100.0 if name == "water" else None,
        )
        for name in TISSUE
    ]
    sources, detectors = len(model.sources), len(model.detectors)
    if pairs is None:
        places = np.arange(sources * detectors)
    else:
        table = np.asarray(pairs)
        if table.dtype.kind not in "iu" or table.ndim != 2 or table.shape[1] != 2 or not len(table):
            raise ValueError(
                "pairs must be whole numbers of shape (pairs, 2), source and detector of each "
                f"reading, got {arrays.describe(pairs)}"
            )
        if (table < 0).any() or (table >= (sources, detectors)).any():
            raise ValueError(
                f"pairs must count {sources} sources and {detectors} detectors from 0, got "
                f"{table.min(axis=0).tolist()} to {table.max(axis=0).tolist()}"
            )
        places = (table[:, 0] * detectors + table[:, 1]).astype(np.intp)
    problem = gauss_newton.Problem(model, basis.elements, places, coefficients * _TO_MM, nm, chosen)
    return problem, np.array(known)


def _known_extinction(nm: Floats, table: str) -> Floats:
    try:
        return spectra.extinction(nm, table)
    except ValueError as problem:
        if "wavelength" not in str(problem):
            raise
        raise ValueError(
            f"{problem}; for others give extinction as an array (wavelengths, 3)"
        ) from problem


def _readings(value: Any, name: str, problem: gauss_newton.Problem) -> npt.NDArray[Any]:
    """Checked readings (..., wavelengths, pairs)."""
    wanted = ("...", len(problem.nm), len(problem.pairs))
    array = np.asarray(value)
    if not problem.model.frequency:
        if array.dtype.kind == "c":
            raise TypeError(
                f"{name} must be real for a model of continuous light, got {arrays.describe(array)}"
            )
        checked: npt.NDArray[Any] = arrays.real(value, name, wanted, above=0)
        return checked
    if array.dtype.kind != "c":
        raise TypeError(
            f"{name} must be complex for a model of modulated light, got {arrays.describe(array)}"
        )
    arrays.require_shape(array, name, wanted)
    if not np.isfinite(array).all() or not np.abs(array).min(initial=1) > 0:
        raise ValueError(f"{name} must be finite and of amplitudes above 0")
    return array.astype(np.complex128)


def _penalties(grays: Floats | None, scale: float, count: int) -> Iterator[Floats]:
    """L'L of one phantom after the other."""
    if grays is None:
        return itertools.repeat(penalty.tikhonov(count))
    if grays.ndim == 1:
        return itertools.repeat(penalty.guided(grays, scale))
    return (penalty.guided(one, scale) for one in grays.reshape(-1, count))
