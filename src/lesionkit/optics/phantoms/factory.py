"""The steps that make phantoms: draw, measure, paint.

draw     the regions: where the inclusions lie, and the tissue of each region
measure  the share of each element, or quarter of one, that an inclusion covers, mua and mus' of
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
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lesionkit import _core, gpu
from lesionkit.optics import spectra
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.forward.plans import At
from lesionkit.optics.mesh.disc import disc_mesh
from lesionkit.optics.phantoms import phantoms_gpu
from lesionkit.optics.phantoms.coarseness import enough_nodes, require_light
from lesionkit.optics.phantoms.recipe import PhantomRecipe

Floats = npt.NDArray[np.float64]
Accuracy = Literal["fast", "accurate"]
FAST_NODES = 1801

METHODS = {
    "fast": "linear triangles in rings, properties on elements: readings 2 to 33 per cent off",
    "accurate": "quadratic triangles, fine at the optodes, curved at the rim, properties on "
    "quarters of elements: readings within 1 per cent",
}

Buffers = dict[str, Any]  # arrays of NumPy or CuPy, by the names of `Phantoms`


def settled(recipe: PhantomRecipe, accuracy: Accuracy | None) -> tuple[PhantomRecipe, Accuracy]:
    """The accuracy that is asked for, and the recipe with the nodes that it means."""
    if accuracy not in (None, *METHODS):
        raise ValueError(f"accuracy must be 'fast', 'accurate' or None, got {accuracy!r}")
    if accuracy == "accurate" and recipe.nodes is not None:
        raise ValueError(
            f"accuracy 'accurate' has a mesh of its own: recipe.nodes must be None, got "
            f"{recipe.nodes}"
        )
    if accuracy is None:
        accuracy = "accurate" if recipe.nodes is None else "fast"
    if accuracy == "fast" and recipe.nodes is None:
        recipe = replace(recipe, nodes=FAST_NODES)
    if accuracy == "fast":
        enough_nodes(recipe)  # which refuses what no such mesh can tell from 0
    return recipe, accuracy


class PhantomFactory:
    """The mesh and the plans of a recipe, worked out once, and the steps that use them.

    Each step makes any number of phantoms, from the index `first` of the seed on. `seconds` adds up
    the time of each, over all threads; a GPU's time shows where it is waited for.

    device   : None: the CPU, with NumPy arrays; else the number of a GPU, with CuPy arrays
    accuracy : as of `generate`
    """

    def __init__(
        self,
        recipe: PhantomRecipe,
        seed: int,
        device: int | None = None,
        accuracy: Accuracy | None = None,
    ) -> None:
        self.recipe, self.accuracy = recipe, accuracy = settled(recipe, accuracy)
        self.seed, self.device = seed, device
        self.xp = np if device is None else gpu.require()
        self.kernels = _core.optics if device is None else phantoms_gpu
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._counting = threading.Lock()
        with self.clock("plan"), self.at_work("the plans of the wavelengths"):
            nodes = enough_nodes(recipe) if accuracy == "fast" else None
            self.mesh = disc_mesh(recipe.radius, nodes, recipe.optodes)
            at: At = "elements" if accuracy == "fast" else "quarters"
            parts = self.mesh.elements if accuracy == "fast" else self.mesh.quarters
            corners = np.ascontiguousarray(self.mesh.nodes[parts])
            self.corners = self.xp.asarray(corners)
            extinction = spectra.extinction(recipe.wavelengths, recipe.extinction)
            self.extinction = self.xp.asarray(extinction[:, None, None])
            self.wavelengths = self.xp.asarray(np.array(recipe.wavelengths)[:, None, None])
            self.plans = [
                ForwardModel(
                    self.mesh,
                    recipe.positions,
                    recipe.positions,
                    refractive_index=recipe.refractive_index,
                    source_depth=depth,
                ).plans.at(at, device)
                for depth in recipe.source_depths
            ]

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
                "elements": METHODS[self.accuracy],
                "solve": "float64",
                "rasterisation": "exact area fractions of triangles and pixels",
            },
        }

    def draw(self, first: int, count: int) -> Any:
        """(count, 3, 8): the regions of the phantoms from index `first` on, see `Phantoms`."""
        regions = self.xp.empty((count, 3, 8))
        with self.clock("draw"):
            diameters = np.array(self.recipe.single_diameters)
            self.kernels.draw_regions(self.recipe.limits, diameters, self.seed, first, regions)
        return regions

    def measure(self, regions: Any, first: int) -> Any:
        """(count, wavelengths, optodes, optodes - 1): the noisy signal of these phantoms."""
        recipe, count, xp = self.recipe, len(regions), self.xp
        with self.clock("mix"):
            shares = xp.empty((count, 2, len(self.corners)))
            self.kernels.element_shares(regions, self.corners, shares)
            hbo, hb, water, amplitude, power = xp.moveaxis(regions[..., 3:], -1, 0)
            mua = spectra.mixed_absorption(self.extinction, hbo, hb, water)
            mus = spectra.power_law(self.wavelengths, amplitude, power)
        with self.clock("solve"):
            readings = xp.empty((len(self.plans), count, recipe.optodes, recipe.optodes))
            for plan, a, s, out in zip(self.plans, mua, mus, readings, strict=True):
                plan.measure_mixture(shares, a, s, out)
        with self.clock("noise"):
            signal = xp.empty(
                (count, len(self.plans), recipe.optodes, recipe.optodes - 1), np.float32
            )
            self.kernels.add_noise(readings, recipe.signal_noise, self.seed, first, signal)
        require_light(signal)
        return signal

    def paint(self, regions: Any, first: int, room: Buffers) -> None:
        """Fill the maps and the MRI of these phantoms."""
        with self.clock("paint"):
            self.kernels.paint(
                regions,
                self.recipe.radius,
                self.recipe.mri_gray,
                self.recipe.mri_noise,
                self.seed,
                first,
                room["chromophores"],
                room["mri"],
            )
