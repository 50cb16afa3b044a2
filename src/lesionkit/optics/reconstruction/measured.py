"""`reconstruct_measured`: maps from an instrument's files, calibrated by a homogeneous record."""

from __future__ import annotations

import os
import warnings
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
from lesionkit.optics.readings.readings import Readings
from lesionkit.optics.reconstruction import gauss_newton, homogeneous
from lesionkit.optics.reconstruction.basis import GridBasis
from lesionkit.optics.reconstruction.gauss_newton import TISSUE
from lesionkit.optics.reconstruction.problem import WITH_LIPID, checked_problem
from lesionkit.optics.reconstruction.reconstruct import Reconstruction, reconstruct
from lesionkit.optics.reconstruction.weighting import Weighting, given

Floats = npt.NDArray[np.float64]

FREQUENCY = 1e8  # Hz, of NIRFAST's spectral data
SOURCE_DEPTH = 1.0  # mm
MAX_MOVE = 3.0  # mm: sources lie 1 / mus' inside the rim in some files
HUBER = 1.345  # standard deviations: 95 per cent as sure as least squares where nothing is wrong
MIN_COUNTED = 0.1  # a reading that counts less is told: it is 13 standard deviations off
WIDTHS = 16  # of the basis's cells, across the mesh
FIRST_GUESS = {
    **{"hbo": 10.0, "hb": 10.0, "water": 40.0, "lipid": 40.0},
    **{"amplitude": 1.0, "power": 1.0},
}
"""Tissue where the fit of the reference begins: NIRFAST's own, 0.01 mM, 40 per cent, 1 and 1."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What :func:`reconstruct_measured` found.

    Attributes
    ----------
    found : Reconstruction
        Of one object, its maps of shape (k,); `found.counted` says how much each reading counted.
    mesh : Mesh
        Of the files.
    wavelengths : (wavelengths,) array
        nm, those that were used.
    pairs : (pairs, 2) array of int
        Those that were used.
    reference_tissue : dict of str to float
        What the homogeneous record is made of, by the best fit.
    moved : dict of str to (n,) array
        {"sources": ..., "detectors": ...}: mm from the places in the files to the rim of the mesh,
        where they were taken to be.

    Examples
    --------
    >>> from lesionkit.optics import reconstruct_measured
    >>> made = reconstruct_measured("breast.paa", "homogeneous.paa")  # doctest: +SKIP
    >>> images, extent = made.pixels(200)  # doctest: +SKIP
    """

    found: Reconstruction
    mesh: Mesh
    wavelengths: Floats
    pairs: npt.NDArray[np.intp]
    reference_tissue: dict[str, float]
    moved: dict[str, Floats]

    @property
    def outliers(self) -> list[tuple[int, int, float]]:
        """Source and detector (from 0) and wavelength (nm) of readings that hardly count.

        Huber's norm found them so far from all others (13 standard deviations).
        """
        if self.found.counted is None:
            return []
        few = (self.found.counted > 0) & (self.found.counted < MIN_COUNTED)
        return [
            (int(self.pairs[p, 0]), int(self.pairs[p, 1]), float(self.wavelengths[w]))
            for w, p in np.argwhere(few)
        ]

    def pixels(self, count: int = 100) -> tuple[dict[str, Floats], tuple[float, ...]]:
        """The maps as images: square pixels around the mesh's middle, row 0 at the top.

        For a mesh of triangles.

        Parameters
        ----------
        count : int, default 100
            Rows and columns, 1 to 10,000.

        Returns
        -------
        images : dict of str to (count, count) array
            NaN outside the mesh.
        extent : tuple of float
            (left, right, bottom, top), mm.

        Raises
        ------
        TypeError, ValueError
            Where `count` is out of range.
        """
        count = arrays.integer(count, "count", at_least=1, at_most=10_000)
        points, extent = _pixel_middles(self.mesh, count, count)
        inside = self.mesh.locate(points)[0] >= 0
        images = {}
        for name, values in self.found.at(points[inside]).items():
            images[name] = np.full(count * count, np.nan)
            images[name][inside] = values
        return {name: image.reshape(count, count) for name, image in images.items()}, extent


def _pixel_middles(mesh: Mesh, rows: int, columns: int) -> tuple[Floats, tuple[float, ...]]:
    """Middles of the pixels (rows columns, 2) of an image over a mesh, and its extent."""
    low, high = mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)
    half = (high - low).max() / 2
    left, bottom = (low + high) / 2 - half
    x = left + (np.arange(columns) + 0.5) / columns * 2 * half
    y = bottom + (rows - np.arange(rows) - 0.5) / rows * 2 * half
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return points, (float(left), float(left + 2 * half), float(bottom), float(bottom + 2 * half))


def reconstruct_measured(
    data: str | os.PathLike[str] | Readings,
    reference: str | os.PathLike[str] | Readings,
    mesh: str | os.PathLike[str] | None = None,
    *,
    frequency: float | None = None,
    reference_tissue: Mapping[str, float] | None = None,
    maps: Sequence[str] | None = None,
    mask: npt.ArrayLike | None = None,
    sigma: npt.ArrayLike | None = None,
    robust: float | None = HUBER,
    max_move: float = MAX_MOVE,
    extinction: str | npt.ArrayLike | None = None,
    regularisation: float = 0.01,
    image: npt.ArrayLike | None = None,
    gray_scale: float = 6.0,
) -> Measured:
    """Maps of HbO, Hb, water (and lipid) of a measured object, by Tikhonov's penalty or DRI.

    A reading that either file flags as bad is left out at its wavelength, a pair that has none left
    altogether. Warns of sources with a width, which are taken as points, and of units that give
    what no tissue has.

    Parameters
    ----------
    data, reference : str, path or Readings
        Files of the object, and of a homogeneous one measured with the same optodes and
        wavelengths: .paa of NIRFAST (:func:`read_paa`), or .snirf (:func:`read_snirf`, whose
        Readings are taken as well).
    mesh : str or path, optional
        Name of a mesh (:func:`read_mesh`), of triangles; None: the one .node file in the folder of
        `data`. Next to it, of the same name, .source and .meas (SNIRF has optodes of its own), and
        perhaps .excoef.
    frequency : float, optional
        Hz of the modulation, 1e6 to 1e10; None: what a .snirf file says, and 1e8 for .paa, which
        does not tell; 0 takes the amplitudes as those of continuous light and leaves the phases
        out.
    reference_tissue : mapping of str to float, optional
        As for :func:`reconstruct`; None: the homogeneous tissue that explains the reference's
        readings best, but for a factor and a phase for each wavelength. That needs phases:
        amplitudes of unknown strength cannot tell scattering from absorption.
    maps : sequence of str, optional
        As for :func:`reconstruct`; None: HbO, Hb, water, lipid if `reference_tissue` has it, and
        the scattering amplitude. Two wavelengths need fewer, ("hbo", "hb"), say.
    mask, sigma : (wavelengths, pairs) arrays, optional
        As for :func:`reconstruct`, in the order of `data`.
    robust : float, default 1.345
        As for :func:`reconstruct`; readings that hardly count are named in a warning, and in
        `Measured.outliers`. None: least squares.
    max_move : float, default 3
        mm, at least 0: optodes are taken to be on the rim of the mesh (and sources 1 mm inside);
        one that lies further from it in its file is refused.
    extinction : str or array, optional
        As for :func:`reconstruct`; None: of the .excoef file, or where there is none, "nirfast" of
        `spectra`.
    regularisation : float, default 0.01
        As for :func:`reconstruct`.
    image : (rows, columns) array, optional
        None for Tikhonov's penalty; for DRI the gray values of an MR image, row 0 at the top, of a
        square around the mesh's middle that is as wide as the mesh.
    gray_scale : float, default 6
        As for :func:`reconstruct`.

    Returns
    -------
    Measured
        Maps, mesh, and what was used.

    Raises
    ------
    FileNotFoundError
        Where there is no file.
    TypeError, ValueError
        Naming the file: other wavelengths, pairs, or optodes than the reference's or the mesh's;
        sources that shine at once.

    Examples
    --------
    >>> from lesionkit.optics import reconstruct_measured
    >>> made = reconstruct_measured("breast.paa", "homogeneous.paa")  # doctest: +SKIP
    >>> made.reference_tissue["hbo"]  # doctest: +SKIP
    """
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
    some = np.any(used, axis=0)
    if not some.any():
        raise ValueError(
            f"{names[0]} and {names[1]} must share a reading that is flagged by 1"
            f"{' and in mask' * (mask is not None)}, got none"
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
        logs = gauss_newton.log(homogeneous_signal)[None]
        weights = Weighting(
            given(logs.shape, used, spread, (1,), bool(frequency)), robust, bool(frequency)
        )
        best = homogeneous.fit(problem, logs, first, relative=True, weighting=weights)[0]
        known = dict(zip(problem.contents, map(float, best), strict=True))
        first = best
    mua, mus = homogeneous.optical(problem, first[None])
    warn_of_no_tissue(float(mua.mean()), float(mus.mean()))
    found = reconstruct(
        model,
        signal,
        homogeneous_signal,
        known,
        of.wavelengths.tolist(),
        basis,
        pairs=pairs,
        gray=None if image is None else _gray(forward, basis, image),
        gray_scale=gray_scale,
        maps=chosen_maps,
        mask=None if used.all() else used,
        sigma=spread,
        robust=robust,
        regularisation=regularisation,
        extinction=table,
    )
    moved = {name: rim.moved for name, rim in zip(("sources", "detectors"), rims, strict=True)}
    made = Measured(found, forward, of.wavelengths, pairs, dict(known), moved)
    if made.outliers:
        warnings.warn(_report(made.outliers, int(used.sum())), stacklevel=2)
    return made


def _contents(maps: Any) -> tuple[str, ...]:
    return WITH_LIPID if isinstance(maps, (list, tuple, set)) and "lipid" in maps else TISSUE


def _maps(maps: Any, tissue: Any) -> Any:
    """The maps that are asked for; all, where nothing is said."""
    if maps is not None:
        return maps
    lipid = isinstance(tissue, Mapping) and "lipid" in tissue
    return (WITH_LIPID if lipid else TISSUE)[:-1]


def _report(outliers: list[tuple[int, int, float]], count: int) -> str:
    """What a warning says of them; optodes counted from 1, as in NIRFAST's files."""
    listed = ", ".join(f"{s + 1}-{d + 1} at {nm:g} nm" for s, d, nm in outliers[:5])
    more = ", ..." if len(outliers) > 5 else ""
    return (
        f"{len(outliers)} of {count} readings are so far from all others that they hardly count: "
        f"source-detector {listed}{more}"
    )


def _gray(mesh: Mesh, basis: GridBasis, image: npt.ArrayLike) -> Floats:
    """Gray values (k,) at the functions of a basis."""
    values = arrays.real(image, "image", ("rows", "columns"))
    if not values.size:
        raise ValueError(f"image must have pixels, got shape {values.shape}")
    points, _ = _pixel_middles(mesh, *values.shape)
    inside = mesh.locate(points)[0] >= 0
    if not inside.any():
        raise ValueError(f"image must have pixels within the mesh, got shape {values.shape}")
    return basis.average(points[inside], values.ravel()[inside])
