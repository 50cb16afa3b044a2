"""Multifractal spectra of grey values: dimensions by box counting (cited system 2.10)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Real = npt.NDArray[np.float64]

ORDERS = tuple(range(-5, 6))  # q
LEAST = 32  # pixels of a side: five sizes of boxes, 1 to 16


def dimensions(rois: Any) -> Real:
    """D_q of each region, q = -5 to 5, its grey values being the measure.

    A box of e x e pixels holds the share p of the region's sum; D_q is the slope of
    log(sum of p^q) / (q - 1) over log e, and D_1 that of the sum of p log p, by least squares over
    e = 1, 2, 4, ... to half of the shorter side. Boxes without any do not count. What is left over
    at the right and below is cut off, so that each size of box covers the same pixels.

    Parameters
    ----------
    rois : (n, rows, columns) array
        Finite real numbers, 0 or more, at least 32 x 32 pixels.

    Returns
    -------
    (n, 11) array of float64
        2 throughout where a region is constant; 0 where nothing in it is above 0.

    Raises
    ------
    ValueError, TypeError
        Where regions are too small, or a number is negative or not finite.

    References
    ----------
    Chhabra and Jensen, Physical Review Letters 62, 1327, 1989, eq. 1 and 2.
    """
    given = arrays.regular(rois, "rois")
    values = arrays.real(given, "rois", ("n", "rows", "columns"), at_least=0)
    side = min(values.shape[1:])
    if side < LEAST:
        raise ValueError(
            f"rois must have at least {LEAST} x {LEAST} pixels, so that boxes of five sizes are "
            f"counted, got {values.shape[1]} x {values.shape[2]}"
        )
    sizes = 2 ** np.arange(side.bit_length() - 1)
    rows, columns = (n // sizes[-1] * sizes[-1] for n in values.shape[1:])
    whole = values[:, :rows, :columns]
    total = whole.sum((1, 2), keepdims=True)
    share = whole / np.where(total > 0, total, 1.0)
    sums = np.zeros((len(sizes), len(values), len(ORDERS)))
    for at, size in enumerate(sizes):
        boxes = share.reshape(len(share), rows // size, size, columns // size, size)
        p = boxes.sum((2, 4)).reshape(len(share), -1)
        log = np.log(p, out=np.zeros_like(p), where=p > 0)
        for column, q in enumerate(ORDERS):
            if q == 1:
                sums[at, :, column] = (p * log).sum(1)
            else:
                power = np.where(p > 0, np.exp(q * log), 0.0).sum(1)
                sums[at, :, column] = np.log(np.where(power > 0, power, 1.0)) / (q - 1)
    scale = np.log(sizes) - np.log(sizes).mean()
    slopes: Real = np.tensordot(scale, sums, 1) / (scale**2).sum()
    return slopes
