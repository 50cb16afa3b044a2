"""The steps that make phantoms in three dimensions: ellipsoids in a mesh of tetrahedra, and their
maps on voxels. What does not depend on the dimensions is `PhantomFactory`'s."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from lesionkit.optics.forward.maps import mixture
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.phantoms import ellipsoids
from lesionkit.optics.phantoms.coarseness import strongest
from lesionkit.optics.phantoms.factory import (
    SOLID_ACCURACY,
    Accuracy,
    Buffers,
    PhantomFactory,
)
from lesionkit.optics.phantoms.recipe import PhantomRecipe
from lesionkit.optics.phantoms.store.layout import CHUNK

DARKEST = 6
"""Phantoms of the darkest tissue that are made beforehand."""


def factory_of(
    recipe: PhantomRecipe, seed: int, device: int | None = None, accuracy: Accuracy | None = None
) -> PhantomFactory:
    """The factory for a recipe of its dimensions."""
    kind = SolidFactory if recipe.solid else PhantomFactory
    return kind(recipe, seed, device, accuracy)


@lru_cache(maxsize=2)
def _plans(models: tuple[ForwardModel, ...]) -> list[Any]:
    """One for each model; they differ in their sources alone."""
    first = models[0].plans.at("elements")
    return [first, *(first.with_sources(model.source_weights) for model in models[1:])]


@lru_cache(maxsize=64)
def _check_darkest(recipe: PhantomRecipe, accuracy: Accuracy) -> None:
    """ValueError where the mesh is too coarse for light in the darkest tissue of the recipe, alone
    and with ellipsoids, at the wavelength that falls off most steeply."""
    factory = SolidFactory(recipe, 0, None, accuracy)
    regions = factory.draw(0, DARKEST)
    regions[:, 0, ellipsoids.TISSUE], regions[:, 1:, ellipsoids.TISSUE] = strongest(recipe)
    regions[0, 1:, ellipsoids.SEMI_AXES] = 0
    mua, mus = factory.properties(regions)
    worst = int((mua * (mua + mus)).max(axis=(1, 2)).argmax())
    readings = np.empty((DARKEST, recipe.optodes, recipe.optodes))
    factory.plans[worst].measure_mixture(factory.shares(regions), mua[worst], mus[worst], readings)
    if not (readings[:, ~np.eye(recipe.optodes, dtype=bool)] > 0).all():
        raise ValueError(
            f"recipe must be of tissue through which light comes: of its darkest (mua "
            f"{mua[worst].max():.3g}, mus' {mus[worst].max():.3g} mm^-1) some readings cannot be "
            f"told from 0 on {len(factory.mesh.nodes)} nodes; give more"
        )


class SolidFactory(PhantomFactory):
    """Makes phantoms of tetrahedra, on the CPU."""

    at_once = CHUNK  # work enough, and the most that an interruption loses

    def check(self) -> None:
        """Raise ValueError where the recipe's phantoms cannot be made, before any is."""
        _check_darkest(self.recipe, self.accuracy)

    @cached_property
    def plans(self) -> list[Any]:
        """The forward plan of each wavelength."""
        with self.clock("plan"):
            return _plans(self.models)

    @cached_property
    def corners(self) -> Any:
        """(places, 4, 3) mm: the elements, on which properties are constant."""
        return self.mesh.nodes[self.mesh.corners]

    @cached_property
    def elements(self) -> ellipsoids.Cells:
        """The elements as cells."""
        return ellipsoids.tetrahedra(self.corners)

    @cached_property
    def voxels(self) -> ellipsoids.Cells:
        """The voxels of maps and MRI as cells."""
        recipe = self.recipe
        return ellipsoids.voxels(recipe.pixel_middles, 2 * recipe.half / recipe.pixels)

    @cached_property
    def inside(self) -> Any:
        """Which voxels belong to the tissue."""
        return self.recipe.inside

    @property
    def method(self) -> dict[str, str]:
        """How it computes, in words."""
        return {
            "elements": f"{len(self.mesh.elements)} quadratic tetrahedra, properties on elements",
            "solve": f"readings to {SOLID_ACCURACY:g}",
            "rasterisation": f"shares of {ellipsoids.PARTS**3} places in a tetrahedron or voxel",
        }

    def draw(self, first: int, count: int) -> Any:
        """(count, 3, 15): the regions of the phantoms from index `first` on, see `Phantoms`."""
        with self.clock("draw"):
            discs = self.draw_discs(first, count)
            return ellipsoids.draw(self.recipe, discs, self.seed, first)

    def shares(self, regions: Any) -> Any:
        """(count, inclusions, elements): which share of each element the inclusions take."""
        return np.stack([ellipsoids.shares(self.elements, rows[1:]) for rows in regions])

    def paint(self, regions: Any, first: int, buffers: Buffers) -> None:
        """Fill the maps and the MRI of these phantoms."""
        recipe, shape = self.recipe, self.recipe.image_shape
        background, inclusion = recipe.mri_gray
        with self.clock("paint"):
            for number, rows in enumerate(regions):
                fractions = ellipsoids.shares(self.voxels, rows[1:])
                tissue = rows[:, ellipsoids.TISSUE][:, :3].T  # (chromophores, regions)
                maps = mixture(tissue, np.broadcast_to(fractions, (3, *fractions.shape)))
                buffers["chromophores"][number] = maps.reshape(3, *shape) * self.inside
                random = ellipsoids.numbers(self.seed, ellipsoids.GRAY, first + number)
                noise = 1 + recipe.mri_noise * random.standard_normal(shape)
                clean = background + (inclusion - background) * fractions.sum(axis=0)
                gray = clean.reshape(shape) * noise * self.inside
                buffers["mri"][number] = np.clip(np.rint(gray), 0, 255)
