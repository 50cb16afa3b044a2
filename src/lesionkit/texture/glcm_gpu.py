"""The kernels of csrc/texture/glcm/glcm.cu under the names and arguments of
`lesionkit._core.texture`.

Arrays are CuPy arrays on one GPU (`offsets`: NumPy), C-contiguous and of the right dtype: the
caller has made them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import gpu
from lesionkit.arrays import namespace

FILE = "texture/glcm/glcm.cu"
THREADS = 256  # of a block


def count_pairs(
    image: Any,
    mask: Any,
    offsets: npt.NDArray[np.int64],
    symmetric: bool,
    counts: Any,
    in_shared: bool = True,
) -> tuple[int, int]:
    """Fill counts (batch, n, levels, levels); return the least and the greatest level of what is
    to be counted. Where these are no levels, nothing is counted.
    """
    xp = namespace(counts)
    levels = counts.shape[3]
    counts[...] = 0
    counted = image if mask is None else image[mask != 0]
    if not counted.size:
        return 0, 0
    low, high = int(counted.min()), int(counted.max())
    if low < 0 or high >= levels:
        return low, high
    volumes = xp.ascontiguousarray(image if mask is None else xp.where(mask, image, 0), np.uint16)
    shape = gpu.struct(image.shape[1:])
    tables, shared = counts.shape[0] * counts.shape[1], 4 * levels * levels
    device = gpu.device_of(counts)
    fits = in_shared and gpu.fits(shared, device)
    kernel = f"count_pairs{'_shared' if fits else ''}<{gpu.c_type(counts)}>"
    blocks = gpu.blocks_for(image[0].size, THREADS, device)
    grid = (min(blocks, 64) if fits else blocks, min(tables, 65535))
    args = [volumes, mask, shape, xp.asarray(offsets), len(offsets), tables, levels]
    gpu.launch(FILE, kernel, grid, THREADS, [*args, int(symmetric), counts], shared if fits else 0)
    return low, high


def marginals(counts: Any, lines: Any, totals: Any) -> None:
    """Fill lines (n, 5 levels - 1) and totals (n, 3): see kernels.hpp."""
    n, levels = counts.shape[:2]
    xp = namespace(counts)
    rows = xp.empty((n, levels, 3))
    kernel = f"marginals<{gpu.c_type(counts)}>"
    grid = gpu.blocks_for(lines.size, THREADS, gpu.device_of(counts))
    gpu.launch(FILE, kernel, grid, THREADS, [counts, n, levels, lines, rows])
    totals[:, :2] = rows[..., :2].sum(1)
    totals[:, 2] = rows[..., 2].max(1)
