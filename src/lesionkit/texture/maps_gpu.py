"""The kernels of csrc/texture/maps/maps.cu under the names and arguments of
`lesionkit._core.texture`.

Arrays are CuPy arrays on one GPU (`offsets`: NumPy), C-contiguous and of the right dtype: the
caller has made them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import gpu
from lesionkit.arrays import namespace

FILE = "texture/maps/maps.cu"
THREADS = 64  # of a block: each keeps the codes of a window's pairs


def feature_maps(
    image: Any,
    window: tuple[int, ...],
    offsets: npt.NDArray[np.int64],
    levels: int,
    features: Sequence[int],
    average: bool,
    first_level: float,
    log_base: float,
    out: Any,
    in_shared: bool = True,
) -> None:
    """Fill out (n or, averaged, 1, features, planes, rows, columns): see kernels.hpp."""
    xp, device = namespace(out), gpu.device_of(out)
    pixels, most = math.prod(out.shape[2:]), math.prod(window)
    shared = 4 * most * THREADS
    fits = in_shared and gpu.fits(shared, device)
    grid = gpu.blocks_for(pixels, THREADS, device)
    scratch = None if fits else xp.empty(most * grid * THREADS, np.uint32)
    shape = gpu.struct([*image.shape, *window])
    logs = np.log(np.maximum(np.arange(2 * most + 1.0), 1.0))
    args = [image, shape, xp.asarray(offsets), len(offsets), levels]
    args += [xp.asarray(np.array(features, np.int64)), len(features), int(average)]
    args += [first_level, math.log(log_base), xp.asarray(logs), int(fits), scratch, out]
    gpu.launch(FILE, "feature_maps", grid, THREADS, args, shared if fits else 0)


def cs_lbp(image: Any, neighbours: Any, threshold: float, codes: Any) -> None:
    """Fill codes (rows, columns): see kernels.hpp."""
    rows, columns = codes.shape
    margin = (image.shape[1] - columns) // 2
    args = [image, rows, columns, margin, neighbours, len(neighbours), float(threshold), codes]
    grid = gpu.blocks_for(codes.size, THREADS, gpu.device_of(codes))
    gpu.launch(FILE, f"cs_lbp<{gpu.c_type(image)}>", grid, THREADS, args)
