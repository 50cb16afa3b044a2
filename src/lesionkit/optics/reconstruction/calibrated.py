"""`reconstruct_phantoms`: chromophore maps of a phantom store's signals, on its own pixels."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lesionkit import arrays
from lesionkit.optics import spectra
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.mesh.disc import graded_disc
from lesionkit.optics.phantoms.factory import PhantomFactory
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.readings.readings import missing_numbers
from lesionkit.optics.reconstruction.basis import GridBasis
from lesionkit.optics.reconstruction.reconstruct import Method, reconstruct

Floats = npt.NDArray[np.float64]

FINENESS = 0.6  # of the forward mesh: 2,400 nodes
SPACING = 4.0  # mm, of the basis
REGULARISATION = {"tikhonov": 0.01, "dri": 0.03}


class _Setup(NamedTuple):
    """What depends on the recipe alone."""

    model: ForwardModel
    basis: GridBasis
    pairs: npt.NDArray[np.intp]
    tissue: dict[str, float]
    reference: Floats  # (wavelengths, pairs)
    inside: npt.NDArray[np.bool_]  # (pixels, pixels)
    pixels: sparse.csr_array  # (pixels inside, functions)
    points: Floats  # (pixels inside, 2) mm


def nominal_tissue(recipe: PhantomRecipe) -> dict[str, float]:
    """The homogeneous reference phantom: the middle of the recipe's ranges, nominal scattering."""
    middle = {name: float(np.mean(getattr(recipe, name))) for name in spectra.CHROMOPHORES}
    amplitude, power = recipe.nominal_scattering
    return {**middle, "amplitude": amplitude, "power": power}


def reference_signal(recipe: PhantomRecipe) -> Floats:
    """The noiseless signal of a homogeneous disc of the nominal tissue: (wavelengths, optodes,
    optodes - 1) mm^-1, in the store's order, of the accuracy that the recipe's stores have."""
    factory = PhantomFactory(replace(recipe, signal_noise=0.0), seed=0)
    tissue = nominal_tissue(recipe)
    region = [0.0, 0.0, recipe.radius, *tissue.values()]
    regions = np.array([[region, [0, 0, 0, *tissue.values()], [0, 0, 0, *tissue.values()]]])
    return np.asarray(factory.measure(regions, 0)[0], np.float64)


@functools.lru_cache(maxsize=4)
def _setup(recipe: PhantomRecipe) -> _Setup:
    mesh = (
        graded_disc(recipe.radius, recipe.optodes, FINENESS)
        if recipe.outline is None
        else recipe.outline.mesh
    )
    depth = float(recipe.source_depths.mean())
    model = ForwardModel(
        mesh, recipe.positions, recipe.positions, recipe.refractive_index, source_depth=depth
    )
    basis = GridBasis(mesh, SPACING * recipe.radius / 41.0)
    source = np.repeat(np.arange(recipe.optodes), recipe.optodes - 1)
    apart = np.tile(np.arange(recipe.optodes - 1), recipe.optodes)
    pairs = np.column_stack([source, (source + 1 + apart) % recipe.optodes])
    inside = recipe.inside
    points = recipe.pixel_middles[inside.ravel()]
    reference = reference_signal(recipe).reshape(len(recipe.wavelengths), -1)
    return _Setup(
        model, basis, pairs, nominal_tissue(recipe), reference, inside, basis.at(points), points
    )


def reconstruct_phantoms(
    signals: npt.ArrayLike,
    recipe: PhantomRecipe,
    *,
    mri: npt.ArrayLike | None = None,
    method: Method = "tikhonov",
    regularisation: float | None = None,
    missing: Sequence[int] = (),
    progress: Callable[[int, int], object] | None = None,
) -> npt.NDArray[np.float32]:
    """Maps of HbO, Hb and water from the signals of a store, on the store's own pixels.

    Parameters
    ----------
    signals : (n, wavelengths, optodes, optodes - 1) array
        mm^-1, above 0, as `Phantoms.signal`.
    recipe : PhantomRecipe
        Of the store.
    mri : (n, pixels, pixels) array of uint8, optional
        As `Phantoms.mri`; needed for "dri".
    method : {"tikhonov", "dri"}, default "tikhonov"
        See :mod:`lesionkit.optics.reconstruction.penalty`.
    regularisation : float, optional
        As for :func:`reconstruct`; None: 0.01, or 0.03 for "dri".
    missing : sequence of int, default ()
        Optodes, from 0, whose readings are not to be used, as source or as detector.
    progress : callable, optional
        As for :func:`reconstruct`.

    Returns
    -------
    (n, 3, pixels, pixels) array of float32
        As `Phantoms.chromophores`: HbO and Hb in micromolar, water in per cent, 0 where the pixel's
        centre is outside the disc.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe, generate, reconstruct_phantoms
    >>> recipe = PhantomRecipe(pixels=20, optodes=8, nodes=800, wavelengths=(661, 785, 912))
    >>> phantoms = generate(recipe, 1)
    >>> reconstruct_phantoms(phantoms.signal, phantoms.recipe).shape
    (1, 3, 20, 20)
    """
    if not isinstance(recipe, PhantomRecipe):
        raise TypeError(f"recipe must be a PhantomRecipe, got {arrays.describe(recipe)}")
    if recipe.solid:
        raise ValueError(
            "recipe must be of a disc or of triangles, got one in three dimensions: give its mesh "
            "to reconstruct"
        )
    if method not in ("tikhonov", "dri"):
        raise ValueError(f"method must be 'tikhonov' or 'dri', got {method!r}")
    shape = ("n", len(recipe.wavelengths), recipe.optodes, recipe.optodes - 1)
    measured = arrays.real(signals, "signals", shape, "mm^-1", above=0)
    present = np.ones(recipe.optodes, bool)
    present[missing_numbers(missing, 0, recipe.optodes - 1)] = False
    if present.sum() < 2:
        raise ValueError(
            f"missing must leave some readings: two of {recipe.optodes} optodes or more, got "
            f"{int(present.sum())} that are left"
        )
    setup = _setup(recipe)
    gray: Any = None
    if method == "dri":
        if mri is None:
            raise ValueError("mri must be given for method 'dri', got None")
        images = arrays.real(mri, "mri", (len(measured), recipe.pixels, recipe.pixels))
        gray = setup.basis.average(setup.points, images[:, setup.inside])
    some = present[setup.pairs].all(axis=1)
    found = reconstruct(
        setup.model,
        measured.reshape(*measured.shape[:2], len(setup.pairs))[..., some],
        setup.reference[:, some],
        setup.tissue,
        recipe.wavelengths,
        setup.basis,
        pairs=setup.pairs[some],
        gray=gray,
        regularisation=REGULARISATION[method] if regularisation is None else regularisation,
        extinction=recipe.extinction,
        progress=progress,
    )
    out = np.zeros((len(measured), 3, recipe.pixels, recipe.pixels), np.float32)
    for i, name in enumerate(spectra.CHROMOPHORES):
        out[:, i, setup.inside] = (setup.pixels @ found.maps[name].T).T
    return out
