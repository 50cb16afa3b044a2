"""The steps that make phantoms: draw, measure, paint.

draw     the regions: where the inclusions lie, and the tissue of each region
measure  the fraction of each element, or quarter of one, that an inclusion covers, mua and mus' of
         each region at each wavelength, the readings of their mixture, and noise: the signal
paint    the chromophore maps and the MRI
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import _core, gpu
from lesionkit.optics import spectra
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.forward.plans import At
from lesionkit.optics.mesh.disc import disc_mesh
from lesionkit.optics.mesh.mesh import Mesh
from lesionkit.optics.phantoms import phantoms_gpu, solids
from lesionkit.optics.phantoms.coarseness import check_light, enough_nodes
from lesionkit.optics.phantoms.recipe import PhantomRecipe

Floats = npt.NDArray[np.float64]
Accuracy = Literal["fast", "accurate"]
FAST_NODES = 1801

METHODS = {
    "fast": "linear triangles in rings, properties on elements: readings 2 to 33 per cent off",
    "accurate": "quadratic triangles, fine at the optodes, curved at the rim, properties on "
    "quarters of elements: readings within 1 per cent",
}

SOLID_ACCURACY = 1e-4
"""Of readings on tetrahedra, against a solve to rounding: far below what the mesh leaves."""

OUTLINE = "quadratic triangles of the outline's mesh, properties on quarters of elements"
PAINTED = 64  # phantoms of an outline at once

Buffers = dict[str, Any]  # arrays of NumPy or CuPy, by the names of `Phantoms`


def resolve(recipe: PhantomRecipe, accuracy: Accuracy | None) -> tuple[PhantomRecipe, Accuracy]:
    """The recipe with the nodes that the accuracy asked for means, and the accuracy."""
    if accuracy not in (None, *METHODS):
        raise ValueError(f"accuracy must be 'fast', 'accurate' or None, got {accuracy!r}")
    if accuracy == "accurate" and recipe.nodes is not None:
        raise ValueError(
            f"accuracy 'accurate' has a mesh of its own: recipe.nodes must be None, got "
            f"{recipe.nodes}"
        )
    if accuracy == "fast" and recipe.outline is not None:
        raise ValueError("accuracy must be 'accurate' for an outline, which has a mesh of its own")
    if accuracy is None:
        accuracy = "accurate" if recipe.nodes is None else "fast"
    if accuracy == "fast" and recipe.nodes is None:
        recipe = replace(recipe, nodes=solids.FAST_NODES if recipe.solid else FAST_NODES)
    return recipe, accuracy


@lru_cache(maxsize=2)  # of a set and, in `Scaling`, of the same without noise
def _models(recipe: PhantomRecipe, accuracy: Accuracy) -> tuple[ForwardModel, ...]:
    """The forward model of each wavelength; they keep their plans."""
    if recipe.outline is not None:
        mesh = recipe.outline.mesh
    elif recipe.solid:
        mesh = solids.mesh(recipe.radius, recipe.height, recipe.nodes)
    else:
        nodes = enough_nodes(recipe) if accuracy == "fast" else None
        mesh = disc_mesh(recipe.radius, nodes, recipe.optodes)
    return tuple(
        ForwardModel(
            mesh,
            recipe.positions,
            recipe.positions,
            refractive_index=recipe.refractive_index,
            source_depth=depth,
            accuracy=SOLID_ACCURACY,
        )
        for depth in recipe.source_depths
    )


class PhantomFactory:
    """The steps that make phantoms, and what they use of a recipe, worked out once when asked for.

    Each step makes any number of phantoms, from the index `first` of the seed on. `seconds` adds up
    the time of each, over all threads; a GPU's time shows where it is waited for.

    device   : None: the CPU, with NumPy arrays; else the number of a GPU, with CuPy arrays
    accuracy : as of `generate`
    at_once  : phantoms; None: as many as fit into memory
    """

    at_once: int | None = None

    def __init__(
        self,
        recipe: PhantomRecipe,
        seed: int,
        device: int | None = None,
        accuracy: Accuracy | None = None,
    ) -> None:
        self.recipe, self.accuracy = resolve(recipe, accuracy)
        self.seed, self.device = seed, device
        self.xp = np if device is None else gpu.require()
        self.kernels = _core.optics if device is None else phantoms_gpu
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._counting = threading.Lock()

    @property
    def mesh(self) -> Mesh:
        """Of the disc; ValueError where one of linear elements cannot tell readings from 0."""
        return self.models[0].mesh

    @cached_property
    def models(self) -> tuple[ForwardModel, ...]:
        """One for each wavelength; on the CPU those of the last recipe are kept by the process."""
        make = _models if self.device is None else _models.__wrapped__
        with self.clock("plan"):
            return make(self.recipe, self.accuracy)

    @cached_property
    def corners(self) -> Any:
        """(places, 3, 2) mm: the triangles that properties are constant on."""
        parts = self.mesh.elements if self.accuracy == "fast" else self.mesh.quarters
        return self.xp.asarray(np.ascontiguousarray(self.mesh.nodes[parts]))

    @cached_property
    def extinction(self) -> Any:
        """(wavelengths, 1, 1, chromophores)."""
        table = spectra.extinction(self.recipe.wavelengths, self.recipe.extinction)
        return self.xp.asarray(table[:, None, None])

    @cached_property
    def wavelengths(self) -> Any:
        """(wavelengths, 1, 1) nm."""
        return self.xp.asarray(np.array(self.recipe.wavelengths)[:, None, None])

    @cached_property
    def plans(self) -> list[Any]:
        """The forward plan of each wavelength."""
        at: At = "elements" if self.accuracy == "fast" else "quarters"
        with self.clock("plan"), self.at_work("the plans of the wavelengths"):
            return [model.plans.at(at, self.device) for model in self.models]

    @contextmanager
    def at_work(self, what: str) -> Iterator[None]:
        """Within it, arrays are made on this factory's GPU, if it has one; `what` may not fit."""
        if self.device is None:
            yield
        else:
            with self.xp.cuda.Device(self.device), gpu.memory_for(what):
                yield

    @contextmanager
    def clock(self, stage: str) -> Iterator[None]:
        """Add the time of the block to its stage."""
        start = time.perf_counter()
        yield
        with self._counting:
            self.seconds[stage] += time.perf_counter() - start

    @property
    def attributes(self) -> dict[str, Any]:
        """What the store says of itself beside its job."""
        return {
            "geometry": {
                "radius": self.recipe.radius,
                "optodes": self.recipe.positions.tolist(),
                "source_depths": self.recipe.source_depths.tolist(),
                "nodes": len(self.mesh.nodes),
                "elements": len(self.mesh.elements),
            },
            "method": {
                "model": "diffusion, Robin boundary",
                **self.method,
            },
        }

    @property
    def method(self) -> dict[str, str]:
        """How it computes, in words."""
        return {
            "elements": METHODS[self.accuracy] if self.recipe.outline is None else OUTLINE,
            "solve": "float64",
            "rasterisation": "exact area fractions of triangles and pixels",
        }

    def draw_discs(self, first: int, count: int) -> Any:
        """(count, 3, 8): what the kernel draws for the phantoms from index `first` on."""
        regions = self.xp.empty((count, 3, 8))
        diameters = np.array(self.recipe.single_diameters)
        self.kernels.draw_regions(self.recipe.limits, diameters, self.seed, first, regions)
        return regions

    def draw(self, first: int, count: int) -> Any:
        """(count, 3, 8): the regions of the phantoms from index `first` on, see `Phantoms`."""
        with self.clock("draw"):
            regions = self.draw_discs(first, count)
            outline = self.recipe.outline
            if outline is not None:
                radii = regions[:, 1:, 2]
                radii = radii if self.device is None else self.xp.asnumpy(radii)
                recipe = self.recipe
                places = outline.place(radii, recipe.pair_distance, recipe.margin, self.seed, first)
                regions[:, 1:, :2] = self.xp.asarray(places)
        return regions

    def shares(self, regions: Any) -> Any:
        """(count, 2, places): which share of each place the inclusions take."""
        fractions = self.xp.empty((len(regions), 2, len(self.corners)))
        self.kernels.element_shares(regions, self.corners, fractions)
        return fractions

    def check(self) -> None:
        """Raise ValueError where the recipe's phantoms cannot be made, before any is."""
        _ = self.plans

    def properties(self, regions: Any) -> tuple[Any, Any]:
        """mua and mus' (wavelengths, count, regions), mm^-1."""
        hbo, hb, water, amplitude, power = self.xp.moveaxis(regions[..., -5:], -1, 0)
        mua = spectra.mixed_absorption(self.extinction, hbo, hb, water)
        return mua, spectra.power_law(self.wavelengths, amplitude, power)

    def measure(self, regions: Any, first: int) -> Any:
        """(count, wavelengths, optodes, optodes - 1): the noisy signal of these phantoms."""
        recipe, count, xp = self.recipe, len(regions), self.xp
        with self.clock("mix"):
            fractions = self.shares(regions)
            mua, mus = self.properties(regions)
        with self.clock("solve"):
            readings = xp.empty((len(self.plans), count, recipe.optodes, recipe.optodes))
            for plan, a, s, out in zip(self.plans, mua, mus, readings, strict=True):
                plan.measure_mixture(fractions, a, s, out)
        with self.clock("noise"):
            signal = xp.empty(
                (count, len(self.plans), recipe.optodes, recipe.optodes - 1), np.float32
            )
            self.kernels.add_noise(readings, recipe.signal_noise, self.seed, first, signal)
        check_light(signal)
        return signal

    def paint(self, regions: Any, first: int, buffers: Buffers) -> None:
        """Fill the maps and the MRI of these phantoms."""
        with self.clock("paint"):
            noise, maps, mri = self.recipe.mri_noise, buffers["chromophores"], buffers["mri"]
            paint_tissue(self, regions, noise, first, maps, mri)


def paint_tissue(
    factory: PhantomFactory, regions: Any, noise: float, first: int, maps: Any, mri: Any
) -> None:
    """Fill maps (n, 3, pixels, pixels) and MRI (n, pixels, pixels).

    The kernel paints discs. For another outline, one that holds the whole square is painted, on
    more pixels of the same size; the square is cut from it, and what is not tissue is set to 0.
    """
    recipe, xp = factory.recipe, factory.xp

    def discs(these: Any, radius: float, start: int, maps: Any, mri: Any) -> None:
        gray, seed = recipe.mri_gray, factory.seed
        factory.kernels.paint(these, radius, gray, noise, seed, start, maps, mri)

    if recipe.outline is None:
        discs(regions, recipe.radius, first, maps, mri)
        return
    n = recipe.pixels
    more = int(np.ceil((np.sqrt(2) - 1) * n / 2))
    wide = n + 2 * more
    cut = (..., slice(more, more + n), slice(more, more + n))
    inside = xp.asarray(recipe.inside)
    for start in range(0, len(regions), PAINTED):
        here = slice(start, min(start + PAINTED, len(regions)))
        count = here.stop - start
        painted = xp.empty((count, 3, wide, wide), np.float32)
        images = xp.empty((count, wide, wide), np.uint8)
        these = xp.ascontiguousarray(regions[here])
        discs(these, recipe.radius * wide / n, first + start, painted, images)
        maps[here] = painted[cut] * inside
        mri[here] = images[cut] * inside
