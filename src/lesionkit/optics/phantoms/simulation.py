"""`simulate`: phantoms with inclusions of your own, as many as you like."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import lesionkit
from lesionkit import arrays
from lesionkit.optics import spectra
from lesionkit.optics.phantoms.coarseness import check_light
from lesionkit.optics.phantoms.factory import Accuracy, PhantomFactory, paint_tissue
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store.layout import FORMAT, REGION_COLUMNS, layouts
from lesionkit.optics.phantoms.store.phantoms import Phantoms

Floats = npt.NDArray[np.float64]


def simulate(
    recipe: PhantomRecipe, regions: Any, seed: int = 0, *, accuracy: Accuracy | None = None
) -> Phantoms:
    """Phantoms with given regions, where :func:`generate` draws them.

    Parameters
    ----------
    recipe : PhantomRecipe
        Geometry, wavelengths, noise and gray values; its ranges of tissue are not used.
    regions : (n, 1 + inclusions, 8) array
        Columns as of `Phantoms.inclusions`: row 0 the tissue of the disc (its x, y and radius are
        not used), then the inclusions; one of radius 0 is absent.
    seed : int, default 0
        Of the noise; that of the signals is the noise of :func:`generate`.
    accuracy : {"accurate", "fast"}, optional
        As for :func:`generate`.

    Returns
    -------
    Phantoms
        In memory; its `inclusions` are these regions.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described: inclusions that overlap or leave the disc, negative
        numbers, more than 100 per cent of water.

    Examples
    --------
    >>> from lesionkit.optics import PhantomRecipe, simulate
    >>> tissue = [10, 5, 40, 1, 1]  # HbO, Hb, water, scattering amplitude and power
    >>> disc, lesion = [0, 0, 0, *tissue], [10, 0, 8, 30, 5, 40, 1, 1]  # x, y, radius, tissue
    >>> recipe = PhantomRecipe(pixels=20, wavelengths=(785,))
    >>> found = simulate(recipe, [[disc, lesion]], accuracy="fast")
    >>> found.chromophores[0, 0].max().item()
    30.0
    """
    if not isinstance(recipe, PhantomRecipe):
        raise TypeError(f"recipe must be a PhantomRecipe, got {arrays.describe(recipe)}")
    if recipe.solid:
        raise ValueError("recipe must be of a disc or of triangles, got one in three dimensions")
    seed = arrays.integer(seed, "seed", at_least=0, at_most=2**64 - 1)
    factory = PhantomFactory(recipe, seed, accuracy=accuracy)
    _, recipe = factory.mesh, factory.recipe  # a mesh may be refused
    given = arrays.real(regions, "regions", ("n", "regions", len(REGION_COLUMNS))).copy()
    _check(given, recipe)
    given[:, 0, :3] = 0, 0, recipe.radius

    buffers = {name: layout.empty(len(given)) for name, layout in layouts(recipe).items()}
    _measure(factory, given, buffers["signal"])
    _paint(factory, given, buffers)
    buffers["inclusions"] = given
    attributes = {
        "format": FORMAT,
        "version": lesionkit.__version__,
        "seed": seed,
        "count": len(given),
        "accuracy": factory.accuracy,
        "recipe": recipe.to_dict(),
        **factory.attributes,
    }
    return Phantoms(**buffers, recipe=recipe, seed=seed, attributes=attributes)


def _check(regions: Floats, recipe: PhantomRecipe) -> None:
    if not regions.size or regions.shape[1] < 2:
        raise ValueError(
            f"regions must hold a background and an inclusion or more, got shape {regions.shape}"
        )
    tissue = regions[..., 3:7]
    if (
        tissue.min() < 0
        or regions[..., 2].min() < 0
        or regions[..., 5].max() > 100 + spectra.ROUNDING
    ):
        raise ValueError(
            "regions must have radii and tissue of 0 or more and at most 100 per cent of water"
        )
    if regions[..., 6].min() <= 0:
        raise ValueError("regions must have scattering amplitudes above 0 mm^-1")
    for first in range(1, regions.shape[1]):
        x, y, radius = regions[:, first, :3].T
        if recipe.outline is None:
            outside = np.hypot(x, y) + radius > recipe.radius
        else:
            outside = recipe.outline.depth(np.column_stack([x, y])) < radius
        if np.any((radius > 0) & outside):
            where = f"the disc of {recipe.radius:g} mm" if recipe.outline is None else "the outline"
            raise ValueError(f"regions must lie within {where}")
        for second in range(first + 1, regions.shape[1]):
            u, v, other = regions[:, second, :3].T
            near = np.hypot(x - u, y - v) < radius + other
            if np.any(near & (radius > 0) & (other > 0)):
                raise ValueError(f"regions must not overlap: inclusions {first} and {second} do")


def _pairs(regions: Floats) -> Any:
    """The inclusions two by two, as regions of the kernels, which know no more; and which."""
    count = regions.shape[1]
    for first in range(1, count, 2):
        pair = np.repeat(regions[:, :1], 3, axis=1)
        these = range(first, min(first + 2, count))
        pair[:, 1:, 2] = 0
        pair[:, 1 : 1 + len(these)] = regions[:, these]
        yield pair, [k - 1 for k in these]


def _measure(factory: PhantomFactory, regions: Floats, signal: Any) -> None:
    """The noisy readings: properties are the background's and, of each inclusion, its fraction."""
    recipe, corners = factory.recipe, factory.corners
    fractions = np.empty((len(regions), regions.shape[1] - 1, len(corners)))
    for pair, which in _pairs(regions):
        two = np.empty((len(regions), 2, len(corners)))
        factory.kernels.element_shares(pair, corners, two)
        fractions[:, which] = two[:, : len(which)]
    hbo, hb, water, amplitude, power = np.moveaxis(regions[..., 3:], -1, 0)
    mua = spectra.mixed_absorption(factory.extinction, hbo, hb, water)
    mus = spectra.power_law(factory.wavelengths, amplitude, power)
    readings = np.empty((len(factory.plans), len(regions), recipe.optodes, recipe.optodes))
    for plan, a, s, out in zip(factory.plans, mua, mus, readings, strict=True):
        plan.measure(_mixed(a, fractions), _mixed(s, fractions), out)
    factory.kernels.add_noise(readings, recipe.signal_noise, factory.seed, 0, signal)
    check_light(signal)


def _mixed(values: Floats, fractions: Floats) -> Floats:
    """(n, regions) values and (n, inclusions, places) shares to (n, places)."""
    beyond = values[:, 1:] - values[:, :1]
    mixed: Floats = values[:, :1] + np.einsum("nk,nkp->np", beyond, fractions)
    return mixed


def _paint(factory: PhantomFactory, regions: Floats, buffers: dict[str, Any]) -> None:
    """The maps and the MRI, from the fraction of each pixel that an inclusion covers."""
    recipe, count = factory.recipe, len(regions)
    pixels = recipe.pixels
    fractions = np.empty((count, regions.shape[1] - 1, pixels, pixels))
    maps, gray = buffers["chromophores"], buffers["mri"]
    for pair, which in _pairs(regions):
        pair[..., 3:6] = 0
        pair[:, 1, 3] = pair[:, 2, 4] = 1  # as if the first were of HbO and the second of Hb
        paint_tissue(factory, pair, 0.0, 0, maps, gray)
        fractions[:, which] = maps[:, : len(which)]
    flat = fractions.reshape(count, -1, pixels * pixels)
    for channel in range(3):
        mixed = _mixed(regions[..., 3 + channel], flat).reshape(count, pixels, pixels)
        maps[:, channel] = mixed * recipe.inside
    background, inclusion = recipe.mri_gray
    clean = background + (inclusion - background) * fractions.sum(axis=1)
    key = np.array([factory.seed, 1], np.uint64)
    noise = np.random.Generator(np.random.Philox(key=key)).standard_normal(clean.shape)
    noisy = clean * (1 + recipe.mri_noise * noise) * recipe.inside
    gray[...] = np.clip(np.rint(noisy), 0, 255)
