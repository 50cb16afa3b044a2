"""The kernels of csrc/texture/rois/rois.cu under the name and arguments of
`lesionkit._core.texture`.

`rois` and `out` are CuPy arrays on one GPU, C-contiguous and of the right dtype, the others NumPy
arrays: the caller has made them. Counts and moments are those of the CPU; logarithms are summed in
another order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import gpu
from lesionkit.arrays import describe, namespace
from lesionkit.texture.names import MAZDA

FILE = "texture/rois/rois.cu"
THREADS, WARP = 128, 32
FEATURES = len(MAZDA)  # in shared memory for each warp


def roi_features(
    rois: Any,
    offsets: npt.NDArray[np.int64],
    levels: int,
    normalise: int,
    features: npt.NDArray[np.int32],
    per_nat: float,
    out: Any,
) -> None:
    """Fill out (n, offsets, features) from rois (n, planes, rows, columns)."""
    xp = namespace(rois)
    count, *shape = rois.shape
    if not count:
        return
    pixels = int(np.prod(shape))
    block, shared = _warps(rois, pixels)
    grid = gpu.blocks_for(count * block, block, gpu.device_of(rois))
    with gpu.memory_for("the levels of the regions"):
        if normalise:
            values, rois = rois, xp.empty(rois.shape, np.uint16)
            args = [values, count, pixels, levels, normalise, rois]
            gpu.launch(FILE, "quantise", grid, block, args, shared=8 * pixels)
        logs = np.log(np.maximum(np.arange(pixels + 1), 1))
        args = [rois, count, *shape, xp.asarray(offsets), len(offsets), xp.asarray(features)]
        args += [len(features), per_nat, xp.asarray(logs), out]
    gpu.launch(FILE, f"roi_features<{gpu.c_type(rois)}>", grid, block, args, shared=shared)


def _warps(rois: Any, pixels: int) -> tuple[int, int]:
    """Threads of a block, and its shared memory: as many warps as there is room for, up to 4."""
    room = gpu.properties(gpu.device_of(rois)).shared_per_block
    for warps in range(THREADS // WARP, 0, -1):
        shared = 8 * FEATURES * warps + 4 * (1 + 2 * warps) * pixels
        if shared <= room:
            return warps * WARP, shared
    most = (room - 8 * FEATURES) // 12
    raise ValueError(
        f"rois must have at most {most} pixels each on this GPU, got {describe(rois)}; "
        "copy them to the host first"
    )
