"""What an instrument's files say of an object and of a homogeneous one, put together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.forward.physics import check_frequency, warn_of_no_tissue
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.readings import instrument
from lesionkit.optics.readings.readings import Readings, missing_numbers
from lesionkit.optics.reconstruction import homogeneous, spectral
from lesionkit.optics.reconstruction.basis import GridBasis
from lesionkit.optics.reconstruction.problem import WITH_LIPID, checked_problem
from lesionkit.optics.reconstruction.spectral import TISSUE
from lesionkit.optics.reconstruction.weighting import Weighting, given

Floats = npt.NDArray[np.float64]

FREQUENCY = 1e8  # Hz, of NIRFAST's spectral data
SOURCE_DEPTH = 1.0  # mm
MAX_MOVE = 3.0  # mm: sources lie 1 / mus' inside the rim in some files
HUBER = 1.345  # standard deviations: 95 per cent as sure as least squares where nothing is wrong
WIDTHS = 16  # of the basis's cells, across the mesh
FIRST_GUESS = {
    **{"hbo": 10.0, "hb": 10.0, "water": 40.0, "lipid": 40.0},
    **{"amplitude": 1.0, "power": 1.0},
}
"""Tissue where the fit of the reference begins: NIRFAST's own, 0.01 mM, 40 per cent, 1 and 1."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Readings of an object beside those of a homogeneous one, and what that is made of.

    model             : of the mesh, its optodes on the rim
    rims              : of the sources and of the detectors
    basis             : of classical maps
    wavelengths       : (wavelengths,) nm
    pairs             : (pairs, 2), those used at some wavelength, by their places in `rims`
    used              : (wavelengths, pairs)
    signal, reference : (wavelengths, pairs), complex of modulated light; 1 where not used
    sigma, robust     : as of `reconstruct`
    maps, extinction  : those that are asked for; the table
    tissue            : of the homogeneous object
    mua, mus          : (wavelengths,) mm^-1, its
    """

    model: ForwardModel
    rims: tuple[instrument.OnRim, instrument.OnRim]
    basis: GridBasis
    wavelengths: Floats
    pairs: npt.NDArray[np.intp]
    used: npt.NDArray[np.bool_]
    signal: npt.NDArray[Any]
    reference: npt.NDArray[Any]
    sigma: Floats | None
    robust: float | None
    maps: Any
    extinction: Any
    tissue: dict[str, float]
    mua: Floats
    mus: Floats

    @property
    def mesh(self) -> Mesh:
        """Of the files."""
        return self.model.mesh

    @property
    def moved(self) -> dict[str, Floats]:
        """mm from the places in the files to the rim."""
        named = zip(("sources", "detectors"), self.rims, strict=True)
        return {name: rim.moved for name, rim in named}


def calibrate(
    data: Any,
    reference: Any,
    mesh: str | os.PathLike[str] | None,
    *,
    frequency: float | None,
    reference_tissue: Mapping[str, float] | None,
    maps: Sequence[str] | None,
    mask: npt.ArrayLike | None,
    sigma: npt.ArrayLike | None,
    robust: float | None,
    max_move: float,
    extinction: str | npt.ArrayLike | None,
    missing: Sequence[int] = (),
) -> Calibration:
    """Read the files; arguments as of `reconstruct_measured`."""
    of, against = (
        instrument.read(x, name) for x, name in ((data, "data"), (reference, "reference"))
    )
    names = ["its Readings" if isinstance(x, Readings) else os.fspath(x) for x in (data, reference)]
    frequency = instrument.frequency_of(of, FREQUENCY) if frequency is None else frequency
    frequency = check_frequency(frequency)
    if not frequency and reference_tissue is None:
        raise ValueError(
            "frequency must be above 0 Hz where reference_tissue is not given: phases tell the "
            "reference's scattering from its absorption"
        )
    instrument.check_same(of, against, *names)
    max_move = arrays.number(max_move, "max_move", at_least=0, unit="mm")
    base = instrument.mesh_name(data, mesh)
    forward, optodes = instrument.read_setup(base, of)
    used = of.active & against.active
    if mask is not None:
        chosen = arrays.numbers(mask, "mask", accepted="booleans")
        if chosen.dtype != bool or chosen.shape != used.shape:
            raise ValueError(
                f"mask must be booleans of shape {used.shape}, as the readings of {names[0]}, got "
                f"{arrays.describe(mask)}"
            )
        used = used & chosen
    used = used & ~np.isin(of.pairs, _numbers(missing, of.pairs, names[0])).any(axis=1)
    some = np.any(used, axis=0)
    if not some.any():
        raise ValueError(
            f"{names[0]} and {names[1]} must share a reading that is flagged by 1"
            f"{' and in mask' * (mask is not None)}{' and of no missing optode' * bool(missing)}, "
            "got none"
        )
    pairs = instrument.numbered(of, optodes, some, names[0], base)
    used = used[:, some]
    spread = None
    if sigma is not None:
        spread = arrays.real(sigma, "sigma", of.active.shape, above=0)[:, some]

    chosen_maps = _maps(maps, reference_tissue)
    guess = {name: x for name, x in FIRST_GUESS.items() if name in _contents(chosen_maps)}
    known = guess if reference_tissue is None else reference_tissue
    table = instrument.extinction_of(extinction, base, of.wavelengths, "lipid" in known)
    rims = [optode.onto_rim(forward, max_move) for optode in optodes]
    model = ForwardModel(
        forward,
        rims[0].places,
        rims[1].places,
        frequency=frequency,
        source_depth=SOURCE_DEPTH,
    )
    basis = GridBasis(forward, float(np.ptp(forward.nodes, axis=0).max()) / WIDTHS)
    signal, homogeneous_signal = (
        np.where(used, (x.modulated if frequency else x.amplitude)[:, some], 1)
        for x in (of, against)
    )
    problem, first = checked_problem(model, known, of.wavelengths, basis, pairs, chosen_maps, table)
    if robust is not None:
        robust = arrays.number(robust, "robust", above=0)
    if reference_tissue is None:
        logs = spectral.log(homogeneous_signal)[None]
        weights = Weighting(
            given(logs.shape, used, spread, (1,), bool(frequency)), robust, bool(frequency)
        )
        best = homogeneous.fit(problem, logs, first, relative=True, weighting=weights)[0]
        known = dict(zip(problem.contents, map(float, best), strict=True))
        first = best
    mua, mus = (x[0, :, 0] for x in homogeneous.optical(problem, first[None]))
    warn_of_no_tissue(float(mua.mean()), float(mus.mean()), stacklevel=3)
    return Calibration(
        model,
        (rims[0], rims[1]),
        basis,
        of.wavelengths,
        pairs,
        used,
        signal,
        homogeneous_signal,
        spread,
        robust,
        chosen_maps,
        table,
        dict(known),
        mua,
        mus,
    )


def _numbers(missing: Any, pairs: npt.NDArray[np.intp], data: str) -> list[int]:
    """Numbers of optodes, counted from 0."""
    numbers = [number - 1 for number in missing_numbers(missing, 1)]
    unknown = sorted(set(numbers) - set(pairs.ravel().tolist()))
    if unknown:
        raise ValueError(
            f"missing must hold numbers of optodes that {data} has readings of, got "
            f"{unknown[0] + 1}"
        )
    return numbers


def _contents(maps: Any) -> tuple[str, ...]:
    return WITH_LIPID if isinstance(maps, (list, tuple, set)) and "lipid" in maps else TISSUE


def _maps(maps: Any, tissue: Any) -> Any:
    """The maps that are asked for; all, where nothing is said."""
    if maps is not None:
        return maps
    lipid = isinstance(tissue, Mapping) and "lipid" in tissue
    return (WITH_LIPID if lipid else TISSUE)[:-1]
