"""Run lengths on a GPU: the kernel of csrc/texture/region/runs.cu, and what it is given.

Arrays are CuPy arrays on one GPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays, gpu
from lesionkit.arrays import namespace
from lesionkit.texture.glcm_gpu import device_of
from lesionkit.texture.images import check_levels, integers, mask_of
from lesionkit.texture.region.discretise import Region, level_type, require_axes, wrong_level

FILE = "texture/region/runs.cu"
THREADS = 128  # of a block
NAMES = {"uint8": "uint8_t", "uint16": "uint16_t", "uint32": "uint32_t"}


def run_lengths(padded: Any, border: int, directions: npt.NDArray[np.int64], table: Any) -> None:
    """Add to table (directions, levels + 1, longest + 1), as `lesionkit._core.texture` does."""
    xp = namespace(padded)
    count, levels, longest = len(directions), table.shape[1] - 1, table.shape[2] - 1
    size = np.array(padded.shape, np.int64).view("V24")
    blocks = gpu.blocks_for(count * padded.size, THREADS, device_of(padded))
    args = [padded, size, border, xp.asarray(directions), count, levels, longest, table]
    gpu.launch(FILE, f"run_lengths<{NAMES[str(padded.dtype)]}>", blocks, THREADS, args)


def region(image: Any, levels: int, mask: Any) -> Region:
    """`region` of discretise.py for an image on a GPU, not cut out to the mask's box."""
    levels = check_levels(levels)
    home = arrays.home(image=image, mask=mask)
    xp = home.xp
    array = integers(image, "image", home, takes_mask=True)
    axes = require_axes(array, "image")
    inside = mask_of(mask, array, 0, home, some=True)
    used = array if inside is None else array[inside != 0]
    low, high = int(used.min()), int(used.max())
    if low < 0 or high >= levels:
        raise wrong_level(levels, low if low < 0 else high, mask is not None)
    volume = array if axes == 3 else array[:, None]
    kind = level_type(levels)
    numbers = volume.astype(kind) + kind(1)
    if inside is not None:
        numbers *= inside.reshape(volume.shape)
    padded = xp.zeros([n + 2 for n in volume.shape], kind)
    padded[1:-1, 1:-1, 1:-1] = numbers
    if axes == 2:  # a picture has no border along y
        padded = xp.ascontiguousarray(padded[:, 1:2])
    return Region(padded, 1, levels, used.size, axes)
