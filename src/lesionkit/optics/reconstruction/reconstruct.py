"""`reconstruct`: maps of HbO, Hb, water and lipid from the readings of several wavelengths.

Gauss-Newton (gauss_newton.py) with Tikhonov's penalty or that of direct regularisation imaging
(penalty.py), all wavelengths and chromophores at once.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

import lesionkit
from lesionkit import arrays
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.reconstruction import gauss_newton, homogeneous, spectral, weighting
from lesionkit.optics.reconstruction.basis import GridBasis
from lesionkit.optics.reconstruction.penalty import Penalty
from lesionkit.optics.reconstruction.problem import checked_problem
from lesionkit.optics.reconstruction.weighting import Weighting

Floats = npt.NDArray[np.float64]
Method = Literal["tikhonov", "dri"]

AT_ONCE = 8  # phantoms: all lanes of nine wavelengths are full, and derivatives take some 200 MB


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What :func:`reconstruct` found.

    Attributes
    ----------
    maps : mapping of str to (..., k) array
        For each unknown the coefficients of `basis`; HbO and Hb in micromolar, water and lipid in
        per cent, the scattering amplitude in mm^-1.
    homogeneous : mapping of str to (...) array
        "hbo", "hb", "water", "amplitude", "power" (and "lipid"): the tissue it began with.
    residuals : (..., max_iter + 1) array
        Root mean square of data - model, of ln amplitude (and of phase in rad), at the start and
        after each step; NaN once it rests. Each reading weighs as much as it counts.
    basis : GridBasis
        The functions.
    counted : (..., wavelengths, pairs) array or None
        From 0 to 1: how much each reading counted in the last step, beside what `sigma` says. 0
        where the mask leaves it out; near 0 an outlier that Huber's norm has found. None where all
        count alike.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.optics import ForwardModel, GridBasis, disc_mesh, reconstruct, spectra
    >>> mesh, turn = disc_mesh(20, nodes=300, optodes=8), np.arange(8) * np.pi / 4
    >>> model = ForwardModel(mesh, *2 * [20 * np.column_stack([np.cos(turn), np.sin(turn)])])
    >>> tissue = {"hbo": 10.0, "hb": 5.0, "water": 40.0, "amplitude": 1.0, "power": 1.0}
    >>> def read(hbo):  # of two wavelengths and all pairs
    ...     mua = spectra.absorption([785, 852], hbo, 5.0, 40.0)
    ...     mus = np.repeat(spectra.scattering([785, 852], 1.0, 1.0)[:, None], len(hbo), 1)
    ...     return model.measure(mua, mus).reshape(2, 64)
    >>> inside = np.hypot(*(mesh.nodes - [8, 0]).T) < 5
    >>> flat, object_ = read(np.full(len(mesh.nodes), 10.0)), read(np.where(inside, 30.0, 10.0))
    >>> basis = GridBasis(mesh, 5)
    >>> found = reconstruct(model, object_, flat, tissue, [785, 852], basis, maps=["hbo"])
    >>> found.residuals.shape, sorted(found.homogeneous)
    ((11,), ['amplitude', 'hb', 'hbo', 'power', 'water'])
    """

    maps: Mapping[str, Floats]
    homogeneous: Mapping[str, Floats]
    residuals: Floats
    basis: GridBasis
    counted: Floats | None = None

    def at(self, points: npt.ArrayLike) -> dict[str, Floats]:
        """The maps at points.

        Parameters
        ----------
        points : (n, dimensions) array_like
            mm.

        Returns
        -------
        dict of str to (..., n) array
            In the units of `maps`.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described.
        """
        table = self.basis.at(points)
        found = {
            name: (table @ x.reshape(-1, len(self.basis)).T).T.reshape(*x.shape[:-1], -1)
            for name, x in self.maps.items()
        }
        for name in spectral.PER_CENT:  # a mean of hundreds may round beyond
            if name in found:
                found[name] = np.minimum(found[name], 100)
        return found


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
    mask: npt.ArrayLike | None = None,
    sigma: npt.ArrayLike | None = None,
    robust: float | None = None,
    regularisation: float = 0.01,
    max_iter: int = 10,
    tol: float = 0.01,
    extinction: str | npt.ArrayLike = "nirfast",
    progress: Callable[[int, int], object] | None = None,
) -> Reconstruction:
    """Maps of tissue from readings, calibrated by those of a homogeneous reference.

    The data are ln(signal / reference) + what the model gives for the reference, so that the
    strength of each optode, and most of the model's own error, cancel. It begins with the
    homogeneous tissue that explains them best, and minimises, by Gauss-Newton,

        ||data - model(maps)||^2 + sum over maps of lambda ||L map||^2,

    (less what `mask`, `sigma` and `robust` say of readings), each map relative to that start. The
    scattering power, and the amplitude if it is not among the maps, are single numbers for each
    phantom, found along with the maps.

    Parameters
    ----------
    model : ForwardModel
        Without compat; its frequency is that of the readings.
    signal : (..., wavelengths, pairs) array
        Above 0, any unit; complex if modulated. Anything, NaN too, where `mask` is False.
    reference : (wavelengths, pairs) array, or as `signal`
        The same of the reference.
    reference_tissue : mapping of str to float
        Of the reference: "hbo" and "hb" in micromolar, "water" in per cent, "amplitude" (mm^-1) and
        "power" of mus'; perhaps "lipid", in per cent, for tissue that has it (`spectra.LIPID`).
        None may be 0: give little instead.
    wavelengths : (wavelengths,) sequence
        nm, at least as many as `maps` has chromophores.
    basis : GridBasis
        Over the model's mesh.
    pairs : (pairs, 2) array_like, optional
        Source and detector of each reading, from 0; None: all pairs, the first source's first.
    gray : (k,) or (..., k) array, optional
        None for Tikhonov's penalty. For DRI the gray values of an MR image at the basis functions,
        see :meth:`GridBasis.average`.
    gray_scale : float, default 6
        Above 0, the difference of gray values that counts as one; some two to four times the noise
        of `gray`.
    maps : sequence of str
        One or more of "hbo", "hb", "water", "lipid", "amplitude": what may differ from place to
        place. "amplitude" keeps changes of scattering out of the others.
    mask : array of bool, optional
        (wavelengths, pairs) or as `signal`: False leaves a reading out, at its own wavelength
        alone. At least as many wavelengths as `maps` has chromophores must keep one.
    sigma : array, optional
        Above 0, of the same shapes: the relative standard deviation of each reading (that of its ln
        amplitude, and of its phase in rad). Residuals are divided by it; only ratios count.
    robust : float, optional
        None for least squares; above 0 (1.345 is usual) for Huber's norm: a residual of more than
        so many standard deviations counts by its first power. The standard deviation is found from
        the median of each phantom's residuals.
    regularisation : float, default 0.01
        Above 0: lambda over the largest diagonal element of the map's block of J'J at the start.
    max_iter : int, default 10
        Steps at most, 1 to 1000.
    tol : float, default 0.01
        0 to 1: a phantom is at rest when a step takes less than this fraction of what is minimised,
        or when no part of a step (down to 1/16) takes any.
    extinction : str or array, default "nirfast"
        A table of `spectra`, or (wavelengths, 3) of HbO and Hb in 1/(mm mM) and water in 1/mm, for
        wavelengths that `spectra` does not have; (wavelengths, 4) with pure lipid in 1/mm if
        `reference_tissue` has it.
    progress : callable, optional
        Called as progress(done, count) after every 8 phantoms.

    Returns
    -------
    Reconstruction
        It does not depend on threads, or on the other phantoms. The linear algebra of each phantom
        is on one thread; NumPy's BLAS is kept to one meanwhile, in the whole process.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, before any work.

    References
    ----------
    The penalties are those of :mod:`lesionkit.optics.reconstruction.penalty`: Zhang et al., Biomed.
    Opt. Express 6, 2015, and Feng et al., J. Biomed. Opt. 21, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.optics import ForwardModel, GridBasis, disc_mesh, reconstruct, spectra
    >>> mesh, turn = disc_mesh(20, nodes=300, optodes=8), np.arange(8) * np.pi / 4
    >>> model = ForwardModel(mesh, *2 * [20 * np.column_stack([np.cos(turn), np.sin(turn)])])
    >>> tissue = {"hbo": 10.0, "hb": 5.0, "water": 40.0, "amplitude": 1.0, "power": 1.0}
    >>> def read(hbo):  # of two wavelengths and all pairs
    ...     mua = spectra.absorption([785, 852], hbo, 5.0, 40.0)
    ...     mus = np.repeat(spectra.scattering([785, 852], 1.0, 1.0)[:, None], len(hbo), 1)
    ...     return model.measure(mua, mus).reshape(2, 64)
    >>> inside = np.hypot(*(mesh.nodes - [8, 0]).T) < 5
    >>> flat, object_ = read(np.full(len(mesh.nodes), 10.0)), read(np.where(inside, 30.0, 10.0))
    >>> basis = GridBasis(mesh, 5)
    >>> found = reconstruct(model, object_, flat, tissue, [785, 852], basis, maps=["hbo"])
    >>> there, beside = found.at([[8.0, 0.0], [-8.0, 0.0]])["hbo"]
    >>> bool(there > 15), bool(abs(beside - 10) < 2)
    (True, True)
    """
    problem, known = checked_problem(
        model, reference_tissue, wavelengths, basis, pairs, maps, extinction
    )
    regularisation = arrays.number(regularisation, "regularisation", above=0)
    gray_scale = arrays.number(gray_scale, "gray_scale", above=0)
    max_iter = arrays.integer(max_iter, "max_iter", at_least=1, at_most=1000)
    tol = arrays.number(tol, "tol", at_least=0, at_most=1)
    if robust is not None:
        robust = arrays.number(robust, "robust", above=0)
    used, spread = _counting(signal, mask, sigma, problem)
    measured = _readings(signal, "signal", problem, used)
    batch = measured.shape[:-2]
    against = _readings(reference, "reference", problem, used)
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

    ratio = _logs_of_ratio(measured, against)
    ratio = ratio.reshape(count, *ratio.shape[-2:])
    plain = used is None and spread is None and robust is None
    given = (
        None if plain else weighting.given(ratio.shape, used, spread, batch, bool(model.frequency))
    )
    anywhere = None if given is None or not count else np.any(given > 0, axis=0)
    base = homogeneous.logs(problem, known[None], anywhere)[0]
    contents = problem.contents
    tissue, record = np.empty((count, len(contents), k)), np.empty((count, max_iter + 1))
    start = np.empty((count, len(contents)))
    counted = None if given is None else np.empty((count, *measured.shape[-2:]))
    each = _penalties(grays, gray_scale, k)
    at_once = problem.at_once(AT_ONCE)
    space = problem.buffers(min(count, at_once))
    with (
        ThreadPoolExecutor(lesionkit.threads(), "lesionkit") as pool,
        _blas().limit(limits=1, user_api="blas"),
    ):
        for first in range(0, count, at_once):
            some = slice(first, min(first + at_once, count))
            data = ratio[some] + base
            weights = (
                None if given is None else Weighting(given[some], robust, bool(model.frequency))
            )
            near = problem.near(len(data))
            start[some] = homogeneous.fit(problem, data, known, weighting=weights, near=near)
            penalties = list(itertools.islice(each, len(data)))
            tissue[some], record[some], last = gauss_newton.solve(
                problem,
                data,
                start[some],
                penalties,
                regularisation,
                max_iter,
                tol,
                pool,
                space,
                weights,
                near,
            )
            if counted is not None and weights is not None and last is not None:
                counted[some] = weighting.of_pairs(last, weights.given, weights.modulated)
            if progress is not None:
                progress(some.stop, count)
    return Reconstruction(
        {name: tissue[:, contents.index(name)].reshape(*batch, k) for name in problem.maps},
        {name: start[:, i].reshape(batch) for i, name in enumerate(contents)},
        record.reshape(*batch, max_iter + 1),
        basis,
        None if counted is None else counted.reshape(measured.shape),
    )


@functools.cache
def _blas() -> ThreadpoolController:
    """The BLAS libraries of this process; looking for them takes some milliseconds."""
    return ThreadpoolController()


def _counting(
    signal: Any, mask: Any, sigma: Any, problem: spectral.Problem
) -> tuple[npt.NDArray[np.bool_] | None, Floats | None]:
    """The mask and sigma, checked, each (wavelengths, pairs) or of the signal's shape, or None."""
    shape = np.shape(signal)
    accepted = {(len(problem.nm), len(problem.pairs)), tuple(shape)}
    listed = " or ".join(map(str, sorted(accepted, key=len)))
    used = None
    if mask is not None:
        used = arrays.numbers(mask, "mask", accepted="booleans")
        if used.dtype != bool or used.shape not in accepted:
            raise ValueError(
                f"mask must be booleans of shape {listed}, True for readings to be used, got "
                f"{arrays.describe(mask)}"
            )
        wavelengths = int(used.any(axis=-1).sum(axis=-1).min(initial=len(problem.nm)))
        wanted = max(1, len(set(problem.maps) - {"amplitude"}))
        if wavelengths < wanted:
            raise ValueError(
                f"mask must leave readings of at least as many wavelengths as maps has "
                f"chromophores, {wanted}, got {wavelengths}"
            )
    if sigma is None:
        return used, None
    spread = arrays.real(sigma, "sigma", ("...",), above=0)
    if spread.shape not in accepted:
        raise ValueError(f"sigma must have shape {listed}, got {arrays.describe(sigma)}")
    return used, spread


def _logs_of_ratio(measured: npt.NDArray[Any], against: npt.NDArray[Any]) -> Floats:
    with np.errstate(over="ignore", under="ignore"):
        logs = spectral.log(measured / against)
    if not np.isfinite(logs).all():
        raise ValueError(
            "signal and reference must be of sizes whose ratio float64 can hold, got amplitudes "
            f"up to {np.abs(measured).max():g} and from {np.abs(against).min():g}"
        )
    return logs


def _readings(
    value: Any, name: str, problem: spectral.Problem, used: npt.NDArray[np.bool_] | None
) -> npt.NDArray[Any]:
    """Checked readings (..., wavelengths, pairs), 1 where they are not used."""
    wanted = ("...", len(problem.nm), len(problem.pairs))
    array = arrays.numbers(
        value,
        name,
        kinds="fiuc",
        accepted="numbers",
        masked=f"pass {name}.filled(np.nan), and mask=~{name}.mask",
    )
    modulated = bool(problem.model.frequency)
    if (array.dtype.kind == "c") != modulated:
        kind, light = ("complex", "modulated") if modulated else ("real", "continuous")
        raise TypeError(
            f"{name} must be {kind} for a model of {light} light, got {arrays.describe(array)}"
        )
    if used is not None and array.shape[-2:] == used.shape[-2:]:
        # a reference of one for all is used where any of the phantoms uses it
        here = used if used.ndim <= array.ndim else used.reshape(-1, *used.shape[-2:]).any(axis=0)
        array = np.where(here, array, 1)
    if not modulated:
        checked: npt.NDArray[Any] = arrays.real(array, name, wanted, above=0)
        return checked
    arrays.check_shape(array, name, wanted)
    if not np.isfinite(array).all() or not np.abs(array).min(initial=1) > 0:
        raise ValueError(f"{name} must be finite and of amplitudes above 0")
    whole: npt.NDArray[Any] = array.astype(np.complex128)
    return whole


def _penalties(grays: Floats | None, scale: float, count: int) -> Iterator[Penalty]:
    """Of one phantom after the other."""
    if grays is None or grays.ndim == 1:
        return itertools.repeat(Penalty(count, grays, scale))
    return (Penalty(count, one, scale) for one in grays.reshape(-1, count))
