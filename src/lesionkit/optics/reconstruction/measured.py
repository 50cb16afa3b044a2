"""`reconstruct_measured`: maps from an instrument's files, calibrated by a homogeneous record."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.geometry import Geometry
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.readings.readings import Readings
from lesionkit.optics.reconstruction.basis import GridBasis
from lesionkit.optics.reconstruction.calibration import HUBER, MAX_MOVE, calibrate
from lesionkit.optics.reconstruction.images import (
    check_holds,
    grid_over,
    pixel_middles,
    voxels_within,
)
from lesionkit.optics.reconstruction.reconstruct import Reconstruction, reconstruct

Floats = npt.NDArray[np.float64]

MIN_COUNTED = 0.1  # a reading that counts less is told: it is 13 standard deviations off


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

        For a mesh of triangles; :meth:`voxels` are for tetrahedra.

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
            Where `count` is out of range, and for tetrahedra.
        """
        if self.mesh.solid:
            raise ValueError(f"pixels are for triangles, voxels for {self.mesh!r}")
        count = arrays.integer(count, "count", at_least=1, at_most=10_000)
        points, extent = pixel_middles(self.mesh, count, count)
        inside = self.mesh.locate(points)[0] >= 0
        images = {}
        for name, values in self.found.at(points[inside]).items():
            images[name] = np.full(count * count, np.nan)
            images[name][inside] = values
        return {name: image.reshape(count, count) for name, image in images.items()}, extent

    def voxels(
        self, shape: tuple[int, ...] | None = None, geometry: Geometry | None = None
    ) -> tuple[dict[str, Floats], Geometry]:
        """The maps as volumes, of a mesh of tetrahedra.

        Parameters
        ----------
        shape : tuple of int, optional
            Planes, rows and columns of the voxels, an MR volume's, say.
        geometry : Geometry, optional
            Where they lie, in the frame of the mesh: x to the right, y to the front, z up. None,
            with `shape`: cubes over the mesh, half as wide as the basis's cells.

        Returns
        -------
        volumes : dict of str to (planes, rows, columns) array
            NaN outside the mesh.
        geometry : Geometry
            Where they lie.

        Raises
        ------
        TypeError, ValueError
            Where the arguments are not as described, and for triangles.
        """
        if not self.mesh.solid:
            raise ValueError(f"voxels are for tetrahedra, pixels for {self.mesh!r}")
        if shape is None and geometry is None:
            shape, geometry = grid_over(self.mesh, self.found.basis.spacing / 2)
        if not isinstance(geometry, Geometry) or geometry.axes != 3:
            raise TypeError(
                f"geometry must be a Geometry of three axes, got {arrays.describe(geometry)}"
            )
        if not isinstance(shape, tuple) or len(shape) != 3:
            raise ValueError(f"shape must be planes, rows and columns, got {shape!r}")
        shape = tuple(arrays.integer(n, "shape", at_least=1) for n in shape)
        inside, points = voxels_within(self.mesh, shape, geometry)
        volumes = {}
        for name, values in self.found.at(points).items():
            volumes[name] = np.full(shape, np.nan)
            volumes[name].ravel()[inside] = values
        return volumes, geometry


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
    geometry: Geometry | None = None,
    gray_scale: float = 6.0,
    missing: Sequence[int] = (),
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
        Name of a mesh (:func:`read_mesh`), of triangles or tetrahedra; None: the one .node file in
        the folder of `data`. Next to it, of the same name, .source and .meas (SNIRF has optodes of
        its own), and perhaps .excoef.
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
        square around the mesh's middle that is as wide as the mesh. For tetrahedra a volume
        (planes, rows, columns) that holds the whole mesh.
    geometry : Geometry, optional
        Where the voxels of a volume lie, in the frame of the mesh: x to the right, y to the front,
        z up.
    gray_scale : float, default 6
        As for :func:`reconstruct`.
    missing : sequence of int, default ()
        Optodes, by their numbers in the files (from 1), whose readings are not to be used, as
        source or as detector.

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
    calibration = calibrate(
        data,
        reference,
        mesh,
        frequency=frequency,
        reference_tissue=reference_tissue,
        maps=maps,
        mask=mask,
        sigma=sigma,
        robust=robust,
        max_move=max_move,
        extinction=extinction,
        missing=missing,
    )
    used, basis, forward = calibration.used, calibration.basis, calibration.mesh
    if geometry is not None and (image is None or not forward.solid):
        raise ValueError(f"geometry must be None without a volume for tetrahedra, got {geometry!r}")
    gray = None
    if image is not None:
        gray = (
            _gray_of_volume(forward, basis, image, geometry)
            if forward.solid
            else _gray(forward, basis, image)
        )
    found = reconstruct(
        calibration.model,
        calibration.signal,
        calibration.reference,
        calibration.tissue,
        calibration.wavelengths.tolist(),
        basis,
        pairs=calibration.pairs,
        gray=gray,
        gray_scale=gray_scale,
        maps=calibration.maps,
        mask=None if used.all() else used,
        sigma=calibration.sigma,
        robust=calibration.robust,
        regularisation=regularisation,
        extinction=calibration.extinction,
    )
    made = Measured(
        found,
        forward,
        calibration.wavelengths,
        calibration.pairs,
        calibration.tissue,
        calibration.moved,
    )
    if made.outliers:
        warnings.warn(_report(made.outliers, int(used.sum())), stacklevel=2)
    return made


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
    points, _ = pixel_middles(mesh, *values.shape)
    inside = mesh.locate(points)[0] >= 0
    if not inside.any():
        raise ValueError(f"image must have pixels within the mesh, got shape {values.shape}")
    return basis.average(points[inside], values.ravel()[inside])


def _gray_of_volume(
    mesh: Mesh, basis: GridBasis, image: npt.ArrayLike, geometry: Geometry | None
) -> Floats:
    """Gray values (k,) at the functions of a basis, of a volume."""
    values = arrays.numbers(image, "image")
    arrays.check_shape(values, "image", ("planes", "rows", "columns"))
    if not isinstance(geometry, Geometry) or geometry.axes != 3:
        raise ValueError(
            "geometry must say where the voxels of image lie, a Geometry of three axes, got "
            f"{arrays.describe(geometry)}"
        )
    check_holds(mesh, values.shape, geometry, "image")
    inside, points = voxels_within(mesh, values.shape, geometry)
    if not len(points):
        raise ValueError("image must have voxels within the mesh, got none: they are too large")
    found = values.ravel()[inside].astype(np.float64)
    if not np.isfinite(found).all():
        raise ValueError("image must be finite within the mesh, got NaN or infinite numbers")
    return basis.average(points, found)
