"""Models and maps that several tests start from."""

from __future__ import annotations

import functools

import numpy as np

from lesionkit.optics import ForwardModel, disc_mesh

ANGLES = 2 * np.pi * np.arange(16) / 16

RING = 41.0 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


@functools.cache
def model(nodes=217, frequency=0.0, order=1, source_depth=1.0):
    mesh = disc_mesh(nodes=nodes)
    if order == 2:
        mesh = mesh.to_quadratic()
    return ForwardModel(mesh, RING, RING, frequency=frequency, source_depth=source_depth)


def random_maps(count, width, seed=0):
    """Absorption and scattering in mm^-1, each entry apart: rougher than any tissue."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.002, 0.02, (count, width)), rng.uniform(0.5, 2.0, (count, width))


def width(of, at):
    count = {"nodes": len(of.mesh.nodes), "elements": len(of.mesh.elements)}
    return (count | {"quarters": 4 * count["elements"]})[at]
