"""How coarse a mesh of linear elements may be: far readings of absorbing tissue come out negative
on one that is too coarse, and no logarithm, net or reconstruction takes them.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import _core
from lesionkit.optics import spectra
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.mesh.disc import disc_mesh
from lesionkit.optics.phantoms.recipe import PhantomRecipe

Floats = npt.NDArray[np.float64]

MAX_NODES = 20_000  # ten times the usual: what is darker needs quadratic elements
GROWTH = 1.5
SAFE_NODES = 800  # of a disc: from there on readings near a source were above 0
DRAWN = 256  # of 4,000 phantoms on 217 nodes with 8 optodes, 34 had a reading below 0
FINE = 1.0  # an edge across which light falls by less than e: no reading was below 0 from 1.4 down


def strongest(recipe: PhantomRecipe) -> tuple[Floats, Floats]:
    """(5,): the tissue of the darkest background, and that of the darkest inclusion."""
    scatter = recipe.scattering_amplitude[1]
    tissue = np.array(
        [recipe.hbo[1], recipe.hb[1], recipe.water[1], scatter, recipe.scattering_power[1]]
    )
    times = np.array([*[recipe.contrast[1]] * 3, recipe.scattering_contrast[1], 1.0])
    strong = tissue * np.maximum(times, 1)
    strong[2] = min(strong[2], 100)
    return tissue, strong


def darkest(recipe: PhantomRecipe) -> Floats:
    """(4 + DRAWN, 3, 8): regions of the darkest phantoms that a recipe draws: of the strongest
    background alone, with the widest inclusion in the middle, with a pair beside each other, and
    with the widest as near to an optode as it may lie; then with inclusions that lie as the first
    that are drawn do, in each other's shadow now and then."""
    tissue, strong = strongest(recipe)
    regions = np.zeros((4 + DRAWN, 3, 8))
    regions[..., 3:] = tissue
    regions[:, 0, 2] = recipe.radius
    regions[1, 1] = [0, 0, max(recipe.single_diameters) / 2, *strong]
    radius = recipe.pair_diameter / 2
    away = recipe.pair_distance[0] / 2 + radius
    regions[2, 1] = [away, 0, radius, *strong]
    regions[2, 2] = [-away, 0, radius, *strong]
    widest = max(recipe.single_diameters) / 2
    place = recipe.positions[0] * (1 - (recipe.margin + widest) / recipe.radius)
    regions[3, 1] = [*place, widest, *strong]
    drawn = np.empty((DRAWN, 3, 8))
    _core.optics.draw_regions(recipe.limits, np.array(recipe.single_diameters), 0, 0, drawn)
    regions[4:, 1:, :3] = drawn[:, 1:, :3]
    regions[4:, 1:, 3:] = strong
    return regions


@functools.lru_cache(maxsize=64)
def enough_nodes(recipe: PhantomRecipe) -> int:
    """`recipe.nodes`, or as many more as leave every reading of its darkest phantoms above 0.

    Raises ValueError where more than MAX_NODES were needed.
    """
    regions = darkest(recipe)
    hbo, hb, water, amplitude, power = np.moveaxis(regions[..., 3:], -1, 0)
    table = spectra.extinction(recipe.wavelengths, recipe.extinction)[:, None, None]
    mua = spectra.mixed_absorption(table, hbo, hb, water)
    nm = np.array(recipe.wavelengths)[:, None, None]
    mus = spectra.power_law(nm, amplitude, power)
    decay = np.sqrt(3 * mua * (mua + mus)).max(axis=(1, 2))  # 1/mm
    worst = int(decay.argmax())
    assert recipe.nodes is not None
    nodes = recipe.nodes
    fine = nodes >= SAFE_NODES
    if fine and recipe.radius / np.sqrt(nodes / 3) * decay[worst] < FINE:
        return nodes
    # below that, the nearest readings may be negative as well, at any wavelength
    checked = [worst] if fine else range(len(mua))
    while True:
        mesh = disc_mesh(recipe.radius, nodes, recipe.optodes)
        if all(_readings_above_0(recipe, mesh, regions, mua[w], mus[w], w) for w in checked):
            return recipe.nodes if nodes == recipe.nodes else len(mesh.nodes)
        if len(mesh.nodes) > MAX_NODES:
            raise ValueError(
                f"recipe must be of tissue through which light comes: of its darkest (mua "
                f"{mua[worst].max():.3g}, mus' {mus[worst].max():.3g} mm^-1) some readings cannot "
                f"be told from 0 on {len(mesh.nodes)} nodes; try accuracy='accurate'"
            )
        nodes = int(GROWTH * max(nodes, len(mesh.nodes)))


def _readings_above_0(
    recipe: PhantomRecipe, mesh: Any, regions: Floats, mua: Floats, mus: Floats, wavelength: int
) -> bool:
    corners = np.ascontiguousarray(mesh.nodes[mesh.elements])
    fractions = np.empty((len(regions), 2, len(corners)))
    _core.optics.element_shares(regions, corners, fractions)
    model = ForwardModel(
        mesh,
        recipe.positions,
        recipe.positions,
        refractive_index=recipe.refractive_index,
        source_depth=float(recipe.source_depths[wavelength]),
    )
    out = np.empty((len(regions), recipe.optodes, recipe.optodes))
    model.plans.at("elements").measure_mixture(fractions, mua, mus, out)
    return bool((out[:, ~np.eye(recipe.optodes, dtype=bool)] > 0).all())


def check_light(signal: Any) -> None:
    """Raise where amplitudes are not above 0 and finite (arrays of NumPy or CuPy)."""
    # NaN is not above 0, and infinity not below
    if signal.size and not bool(((signal > 0) & (signal < np.inf)).all()):
        raise ValueError(
            "recipe and regions must be of tissue through which light comes: some amplitudes are "
            "not above 0, since the mesh is too coarse for so much absorption; give more nodes, or "
            "accuracy='accurate'"
        )
