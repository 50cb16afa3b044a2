"""The steps that make phantoms: draw, measure, paint.

draw     the regions: where the inclusions lie, and the tissue of each region
measure  the share of each element that an inclusion covers, mua and mus' of each region at each
         wavelength, the readings of their mixture, and noise: the signal
paint    the chromophore maps and the MRI
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import _core
from lesionkit.optics import spectra
from lesionkit.optics.forward import ForwardModel
from lesionkit.optics.mesh import disc_mesh
from lesionkit.optics.recipe import PhantomRecipe

Floats = npt.NDArray[np.float64]
Buffers = dict[str, npt.NDArray[Any]]


class PhantomFactory:
    """The mesh and the plans of a recipe, worked out once, and the steps that use them.

    Each step makes any number of phantoms, from the index `first` of the seed on. `seconds` adds up
    the time of each, over all threads.
    """

    def __init__(self, recipe: PhantomRecipe, seed: int) -> None:
        self.recipe, self.seed = recipe, seed
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._counting = threading.Lock()
        with self.clock("plan"):
            self.mesh = disc_mesh(recipe.radius, recipe.nodes, recipe.optodes)
            self.corners = np.ascontiguousarray(self.mesh.nodes[self.mesh.elements])
            self.plans = [
                ForwardModel(
                    self.mesh,
                    recipe.positions,
                    recipe.positions,
                    refractive_index=recipe.refractive_index,
                    source_depth=depth,
                ).plan("elements")
                for depth in recipe.source_depths
            ]

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
            "accuracy": {
                "model": "diffusion, Robin boundary, linear triangles: order 2 in their size",
                "solve": "float64",
                "rasterisation": "exact area fractions of elements and pixels",
            },
        }

    def draw(self, first: int, count: int) -> Floats:
        """(count, 3, 8): the regions of the phantoms from index `first` on, see `Phantoms`."""
        regions = np.empty((count, 3, 8))
        with self.clock("draw"):
            diameters = np.array(self.recipe.single_diameters)
            _core.optics.draw_regions(self.recipe.limits, diameters, self.seed, first, regions)
        return regions

    def measure(self, regions: Floats, first: int) -> npt.NDArray[np.float32]:
        """(count, wavelengths, optodes, optodes - 1): the noisy signal of these phantoms."""
        recipe, count = self.recipe, len(regions)
        with self.clock("mix"):
            shares = np.empty((count, 2, len(self.corners)))
            _core.optics.element_shares(regions, self.corners, shares)
            hbo, hb, water, amplitude, power = np.moveaxis(regions[..., 3:], -1, 0)
            mua = spectra.absorption(recipe.wavelengths, hbo, hb, water, recipe.extinction)
            mus = spectra.scattering(recipe.wavelengths, amplitude, power)
        with self.clock("solve"):
            readings = _readings(self.plans, shares, mua, mus, recipe.optodes)
        with self.clock("noise"):
            signal = np.empty(
                (count, len(self.plans), recipe.optodes, recipe.optodes - 1), np.float32
            )
            _core.optics.add_noise(readings, recipe.signal_noise, self.seed, first, signal)
        return signal

    def paint(self, regions: Floats, first: int, room: Buffers) -> None:
        """Fill the maps and the MRI of these phantoms."""
        with self.clock("paint"):
            _core.optics.paint(
                regions,
                self.recipe.radius,
                self.recipe.mri_gray,
                self.recipe.mri_noise,
                self.seed,
                first,
                room["chromophores"],
                room["mri"],
            )


def _readings(
    plans: list[Any], shares: Floats, absorption: Floats, scattering: Floats, optodes: int
) -> Floats:
    """(wavelengths, n, optodes, optodes) fluence at the rim, from each region's properties.

    shares : (n, 2, elements); absorption, scattering : (wavelengths, n, 3) mm^-1
    """
    readings = np.empty((len(plans), len(shares), optodes, optodes))
    for plan, mua, mus, out in zip(plans, absorption, scattering, readings, strict=True):
        plan.measure_mixture(shares, mua, mus, out)
    return readings
