"""What a reconstruction prefers where the data do not decide: Tikhonov's penalty, and DRI's.

Direct regularisation imaging takes its preference from the gray values of an MR image, without a
segmentation (Zhang et al., Biomed. Opt. Express 6, 2015; Feng et al., J. Biomed. Opt. 21, 2016;
in the form that is told of them): maps x minimise ||data - F(x)||^2 + lambda ||L x||^2 with

    L_ii = 1,   L_ij = -w_ij / sum_{k != i} w_ik,   w_ij = exp(-(g_i - g_j)^2 / (2 sigma^2)),

where g_i is the gray value at place i and sigma the difference of gray values that counts as one.
So each value is drawn to the mean of all places that look like it, near or far, and no absolute
value is preferred to another. In an image without contrast all w are 1, and each value is drawn to
the mean of all: that is what "tikhonov" means here, ||x - mean(x)||^2 times (n / (n - 1))^2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def tikhonov(count: int) -> Floats:
    """L'L for `count` places without an image, (count, count)."""
    return guided(np.zeros(count), 1.0)


def guided(gray: Floats, scale: float) -> Floats:
    """L'L for gray values (places,) and their scale sigma, (places, places)."""
    count = len(gray)
    if count == 1:
        return np.zeros((1, 1))
    weight = np.exp(-0.5 * np.square((gray[:, None] - gray) / scale))
    np.fill_diagonal(weight, 0)
    # A place like no other: its nearest gray values, however far, would decide. Kept finite.
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    weight /= -total
    np.fill_diagonal(weight, 1)
    product: Floats = weight.T @ weight
    return product
