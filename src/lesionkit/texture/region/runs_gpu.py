"""The kernel of csrc/texture/region/runs.cu under the name and arguments of
`lesionkit._core.texture`.

Arrays are CuPy arrays on one GPU (`directions`: NumPy): the caller has made them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import gpu
from lesionkit.arrays import namespace

FILE = "texture/region/runs.cu"
THREADS = 128  # of a block


def run_lengths(padded: Any, border: int, directions: npt.NDArray[np.int64], table: Any) -> None:
    """Add to table (directions, levels + 1, longest + 1), as `lesionkit._core.texture` does."""
    xp = namespace(padded)
    count, levels, longest = len(directions), table.shape[1] - 1, table.shape[2] - 1
    size = gpu.struct(padded.shape)
    blocks = gpu.blocks_for(count * padded.size, THREADS, gpu.device_of(padded))
    args = [padded, size, border, xp.asarray(directions), count, levels, longest, table]
    gpu.launch(FILE, f"run_lengths<{gpu.c_type(padded)}>", blocks, THREADS, args)
