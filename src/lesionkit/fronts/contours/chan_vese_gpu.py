"""The kernels of csrc/fronts/contours/chan_vese.cu under the name and arguments of
`lesionkit._core.fronts`.

`image`, `mask` and `phi` are CuPy arrays on one GPU, C-contiguous and of the right dtype: the
caller has made them. Means are summed in another order than on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lesionkit import gpu
from lesionkit.arrays import namespace, to_host

FILE = "fronts/contours/chan_vese.cu"
THREADS, WARPS = 256, 8  # of a block
BLOCKS = 4  # of a multiprocessor: each block adds up the sums of all
LOOKS = 64  # launches between two looks at whether it still moves


def chan_vese(
    image: Any,
    mask: Any,
    phi: Any,
    volume: bool,
    mu: float,
    lambdas: Sequence[float],
    tol: float,
    most: int,
    dt: float,
    with_energies: bool,
) -> Any:
    """Move phi in place: see bind_chan_vese.cpp."""
    xp, device = namespace(phi), gpu.device_of(phi)
    channels, dtype = len(image), phi.dtype
    kind = f"<{gpu.c_type(phi)}>"
    grid = min(
        gpu.blocks_for(phi.size, THREADS, device), BLOCKS * gpu.properties(device).multiprocessors
    )
    with gpu.memory_for("the level set"):
        levels = [phi, xp.empty_like(phi)]
        sums = [xp.zeros((grid, 2 * channels + 2)) for _ in range(2)]
        done = xp.zeros(1, np.int64)
    shape = gpu.struct([volume, *image.shape[1:]])
    rule = gpu.struct([mu, dt, mu * dt], dtype)
    counted = float(phi.size if mask is None else mask.sum())
    weights = xp.asarray(np.array(lambdas, dtype))
    energies = []
    for i in range(-1, most):
        if with_energies and i >= 0:
            parts = xp.empty((grid, 2 + 4 * channels))
            args = [image, mask, shape, channels, levels[i % 2], parts]
            gpu.launch(FILE, f"chan_vese_energy{kind}", grid, THREADS, args, 8 * WARPS)
            energies.append(parts.sum(0))
        args = [image, mask, shape, channels, counted, weights, rule, float(tol), i]
        args += [sums[i % 2], sums[(i + 1) % 2], levels[max(i, 0) % 2], levels[(i + 1) % 2], done]
        shared = 8 * (2 * channels + 2 + WARPS)
        gpu.launch(FILE, f"chan_vese{kind}", grid, THREADS, args, shared)
        if (i + 1) % LOOKS == 0 and int(done[0]) <= i:
            break
    made = int(done[0])
    if made % 2:
        phi[...] = levels[1]
    if not made:
        return []
    table = xp.stack(energies)[:made] if with_energies else xp.zeros((0, 0))
    return to_host(table)
