"""A made-up head: scalp, bone, brain and, if asked for, a tumour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


def head(
    spacing: tuple[float, float, float] = (6.0, 2.5, 2.5),
    *,
    scalp: float = 120.0,
    tumour: float = 0.0,
    neck: bool = True,
    seed: int = 0,
) -> tuple[npt.NDArray[np.float32], Mask, Mask]:
    """The image (planes up, rows to the front), its brain and its tumour.

    An ellipsoid brain of 62 x 82 x 66 mm half axes and value 100, 6 mm of dark bone around it, and
    6 mm of scalp; noise of 4. The neck is muscle below, of value 80.
    """
    shape = tuple(int(n / s) for n, s in zip((180, 220, 180), spacing, strict=True))
    z, y, x = (
        (np.arange(n) * s).reshape([-1 if i == axis else 1 for i in range(3)])
        for axis, (n, s) in enumerate(zip(shape, spacing, strict=True))
    )
    away = np.sqrt(((z - 100) / 62) ** 2 + ((y - 110) / 82) ** 2 + ((x - 90) / 66) ** 2)
    brain = away < 1
    image = np.zeros(shape)
    if neck:
        image[np.broadcast_to((np.hypot(y - 100, x - 90) < 50) & (z < 100), shape)] = 80
    image[away < 1.18] = scalp
    image[away < 1.09] = 15
    image[brain] = 100
    lesion = brain & (np.sqrt((z - 115) ** 2 + (y - 130) ** 2 + (x - 120) ** 2) < 18)
    if tumour:
        image[lesion] = tumour
    image += np.random.default_rng(seed).normal(0, 4, shape)
    return np.abs(image).astype(np.float32), brain, lesion if tumour else lesion & False
