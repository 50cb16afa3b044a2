"""`reconstruct_measured`: maps from NIRFAST's files, calibrated by a homogeneous record."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.optics import gauss_newton, homogeneous
from lesionkit.optics.basis import GridBasis
from lesionkit.optics.forward import ForwardModel
from lesionkit.optics.gauss_newton import TISSUE
from lesionkit.optics.mesh import Mesh
from lesionkit.optics.mesh_files import read_nirfast
from lesionkit.optics.nirfast_data import read_excoef, read_optodes, read_paa
from lesionkit.optics.problem import checked_problem
from lesionkit.optics.reconstruct import Reconstruction, reconstruct

Floats = npt.NDArray[np.float64]

FREQUENCY = 1e8  # Hz, of NIRFAST's spectral data
LEAST_FREQUENCY, MOST_FREQUENCY = 1e6, 1e10
"""Hz: what instruments modulate light with. A number in MHz lies far below, and would be taken for
tissue that is all but black."""
SOURCE_DEPTH = 1.0  # mm
WIDTHS = 16  # of the basis's cells, across the mesh
FIRST_GUESS = {"hbo": 10.0, "hb": 10.0, "water": 40.0, "amplitude": 1.0, "power": 1.0}
"""Tissue where the fit of the reference begins: NIRFAST's own, 0.01 mM, 40 per cent, 1 and 1."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What :func:`reconstruct_measured` found.

    found            : Reconstruction of one object, its maps of shape (k,)
    mesh             : Mesh, of the files
    wavelengths      : (wavelengths,) nm, and pairs (pairs, 2), those that were used
    reference_tissue : what the homogeneous record is made of, by the best fit
    """

    found: Reconstruction
    mesh: Mesh
    wavelengths: Floats
    pairs: npt.NDArray[np.intp]
    reference_tissue: dict[str, float]

    def pixels(self, count: int = 100) -> tuple[dict[str, Floats], tuple[float, ...]]:
        """The maps as images: (name -> (count, count), NaN outside the mesh), and their extent, mm.

        Square pixels around the mesh's middle, row 0 at the top; extent is (left, right, bottom,
        top). Of a mesh of triangles.
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
    data: str | os.PathLike[str],
    reference: str | os.PathLike[str],
    mesh: str | os.PathLike[str] | None = None,
    *,
    frequency: float = FREQUENCY,
    reference_tissue: Mapping[str, float] | None = None,
    regularisation: float = 0.01,
    image: npt.ArrayLike | None = None,
    gray_scale: float = 6.0,
) -> Measured:
    """Maps of HbO, Hb and water of a measured object, by Tikhonov's penalty or DRI.

    data, reference : .paa files of the object, and of a homogeneous one measured with the same
                      optodes (see `nirfast_data`), of equal wavelengths
    mesh            : common name of the .node and .elem files, beside which .source, .meas and
                      .excoef lie; None: the one mesh in the folder of `data`
    frequency       : Hz of the modulation, 1e6 to 1e10, which the files do not tell; 0 takes the
                      amplitudes as those of continuous light and leaves the phases out
    reference_tissue : as of `reconstruct`; None: the homogeneous tissue that explains the
                      reference's readings best, but for a factor and a phase for each wavelength.
                      That needs phases: amplitudes of unknown strength cannot tell scattering from
                      absorption
    image           : None for Tikhonov's penalty; for DRI the gray values of an MR image (rows,
                      columns), row 0 at the top, of a square around the mesh's middle that is as
                      wide as the mesh
    regularisation, gray_scale : as of `reconstruct`
    returns         : Measured

    Pairs that either file flags as bad at any wavelength are left out. Sources are taken to be 1 mm
    inside the rim at the places of the .source file, detectors on the rim. Raises
    FileNotFoundError, TypeError or ValueError that name the file: other wavelengths, pairs, or
    optodes than the reference's or the mesh's.
    """
    frequency = arrays.number(frequency, "frequency", at_least=0, unit="Hz")
    if frequency and not LEAST_FREQUENCY <= frequency <= MOST_FREQUENCY:
        raise ValueError(
            f"frequency must be 0, or {LEAST_FREQUENCY:g} to {MOST_FREQUENCY:g} Hz, got "
            f"{frequency:g}"
        )
    if not frequency and reference_tissue is None:
        raise ValueError(
            "frequency must be above 0 Hz where reference_tissue is not given: phases tell the "
            "reference's scattering from its absorption"
        )
    of, against = read_paa(data), read_paa(reference)
    if not np.array_equal(of.wavelengths, against.wavelengths):
        raise ValueError(
            f"{reference} must have the wavelengths of {data}, {of.wavelengths.tolist()}, got "
            f"{against.wavelengths.tolist()}"
        )
    if not np.array_equal(of.pairs, against.pairs):
        raise ValueError(
            f"{reference} must have the {len(of.pairs)} pairs of {data} in their order, got "
            f"{len(against.pairs)}" + " others" * (len(against.pairs) == len(of.pairs))
        )
    base = _only_mesh(Path(data).parent) if mesh is None else Path(mesh)
    base = base.with_suffix("") if base.suffix in (".node", ".elem") else base
    forward = read_nirfast(base).mesh
    sources, detectors = (
        read_optodes(base.with_name(base.name + end)) for end in (".source", ".meas")
    )
    table = read_excoef(base.with_name(base.name + ".excoef"))
    lacking = [nm for nm in of.wavelengths if float(nm) not in table]
    if lacking:
        raise ValueError(
            f"{base}.excoef must hold the wavelengths of {data}, got none of {lacking[0]:g} nm"
        )
    extinction = np.array([table[float(nm)] for nm in of.wavelengths])
    used = of.active.all(axis=0) & against.active.all(axis=0)
    if not used.any():
        raise ValueError(f"{data} and {reference} must share a pair that is flagged by 1, got none")
    pairs = of.pairs[used]
    most = pairs.max(axis=0) + 1
    if (most > (len(sources), len(detectors))).any():
        raise ValueError(
            f"{data} must number the {len(sources)} sources and {len(detectors)} detectors of "
            f"{base}, got up to {most.tolist()}"
        )
    model = ForwardModel(
        forward,
        _onto_rim(forward, sources),
        _onto_rim(forward, detectors),
        frequency=frequency,
        source_depth=SOURCE_DEPTH,
    )
    basis = GridBasis(forward, float(np.ptp(forward.nodes, axis=0).max()) / WIDTHS)
    signal, homogeneous_signal = (
        (x.modulated if frequency else x.amplitude)[:, used] for x in (of, against)
    )
    if reference_tissue is None:
        problem, guess = checked_problem(
            model, FIRST_GUESS, of.wavelengths, basis, pairs, TISSUE[:4], extinction
        )
        logs = gauss_newton.log(homogeneous_signal)[None]
        best = homogeneous.fit(problem, logs, guess, relative=True)[0]
        reference_tissue = dict(zip(TISSUE, map(float, best), strict=True))
    found = reconstruct(
        model,
        signal,
        homogeneous_signal,
        reference_tissue,
        of.wavelengths.tolist(),
        basis,
        pairs=pairs,
        gray=None if image is None else _gray(forward, basis, image),
        gray_scale=gray_scale,
        regularisation=regularisation,
        extinction=extinction,
    )
    return Measured(found, forward, of.wavelengths, pairs, dict(reference_tissue))


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


def _only_mesh(folder: Path) -> Path:
    found = sorted(folder.glob("*.node"))
    if len(found) != 1:
        raise ValueError(
            f"mesh must be named where {folder} does not hold just one .node file, got {len(found)}"
        )
    return found[0].with_suffix("")


def _onto_rim(mesh: Mesh, places: Floats) -> Floats:
    """The nearest points of the rim: files hold sources that were moved inwards already."""
    ends = mesh.nodes[mesh.boundary[:, :2]]
    along = ends[:, 1] - ends[:, 0]
    share = np.einsum("nex,ex->ne", places[:, None] - ends[:, 0], along)
    share = np.clip(share / np.square(along).sum(axis=1), 0, 1)
    foot = ends[:, 0] + share[..., None] * along
    nearest = np.linalg.norm(places[:, None] - foot, axis=2).argmin(axis=1)
    moved: Floats = foot[np.arange(len(places)), nearest]
    return moved
