"""The kernels of csrc/texture/region/zones.cu under the name and arguments of
`lesionkit._core.texture`.

`padded` is a CuPy array: the caller has made it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lesionkit import gpu
from lesionkit.arrays import describe, namespace

FILE = "texture/region/zones.cu"
THREADS = 128  # of a block
ROUNDS = 4  # between two looks at whether labels still change


def zones(padded: Any, border: int, levels: int, connectivity: int) -> tuple[Any, Any]:
    """The sizes that zones have, ascending, and counts (levels, sizes)."""
    xp, voxels = namespace(padded), padded.size
    if voxels >= 2**31:
        raise ValueError(
            f"image must have fewer than 2^31 voxels, its border included, got {describe(padded)}"
        )
    with gpu.memory_for("the labels of the zones"):
        label = labels(padded, connectivity).ravel()
        level = padded.ravel()
        of_label = xp.bincount(label[level != 0], minlength=1)
        roots = xp.flatnonzero(of_label)
        sizes, column = xp.unique(of_label[roots], return_inverse=True)
        cell = (level[roots].astype(np.int64) - 1) * len(sizes) + column.ravel()
        counts = xp.bincount(cell, minlength=levels * len(sizes))
    return sizes.astype(np.int64), counts.astype(np.int64).reshape(levels, len(sizes))


def labels(padded: Any, connectivity: int) -> Any:
    """Of each voxel the first one of its zone, by number; of one outside, itself."""
    xp, voxels = namespace(padded), padded.size
    size, blocks = gpu.struct(padded.shape), gpu.blocks_for(voxels, THREADS, gpu.device_of(padded))
    label, other = xp.arange(voxels, dtype=np.int32), xp.empty(voxels, np.int32)
    kernel = f"least_labels<{gpu.c_type(padded)}>"
    while True:
        changed = xp.zeros(ROUNDS, np.uint32)
        for number in range(ROUNDS):
            args = [padded, size, connectivity, label, other, changed[number : number + 1]]
            gpu.launch(FILE, kernel, blocks, THREADS, args)
            gpu.launch(FILE, "label_of_label", blocks, THREADS, [voxels, other, label])
        if not int(changed[-1]):
            return label
