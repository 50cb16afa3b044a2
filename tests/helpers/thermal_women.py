"""Made women as the study measures them."""

from __future__ import annotations

import functools

import numpy as np

from lesionkit.studies.thermogram import asymmetry, body, leaks
from lesionkit.studies.thermogram.measure import Woman
from reference.thermal_body import woman


@functools.cache
def women(count: int = 12) -> tuple[Woman, ...]:
    """Of 120 x 160 pixels; every third is sick, with half a degree more and numbers from 100 on."""
    return tuple(_one(i, i % 3 == 0) for i in range(count))


def _one(number: int, sick: bool) -> Woman:
    scene = woman(number, midline=300.0 + number, noise=0.2)
    small = scene.celsius[::4, ::4] + np.float32(0.5 * sick)
    inside, sides = scene.body[::4, ::4], tuple(b[::4, ::4] for b in scene.breasts)
    axis = body.Midline(scene.midline / 4, 0.95)
    name = f"T{number + 100 * sick:04d}"
    return Woman(
        name=name,
        patient=number,
        sick=sick,
        semicolon=number == 3,
        celsius=small,
        body=inside,
        axis=axis,
        breasts=(sides[0], sides[1]),
        leaks=leaks.features(small, inside, f"{name}.png"),
        asymmetry=asymmetry.features(small, inside, axis) if number != 5 else None,
        red_range=(0.1 * number, 0.2, 0.3),
        red_cluster=(0.1, 0.1, 0.0),
        no_range=(0.5, 0.25, 0.75),
    )
