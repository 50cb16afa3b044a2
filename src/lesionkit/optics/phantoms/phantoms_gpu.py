"""The kernels of csrc/optics/phantom.cu under the names and arguments of `lesionkit._core.optics`.

Arrays are CuPy arrays on one GPU (`limits`, `single_diameters`: NumPy), C-contiguous and of the
right dtype: the caller has made them. Phantom i of an array is item `first` + i of the seed's
random streams, so the answers are those of the CPU: draws and shares to rounding, maps, MRI and
noise with the same random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import gpu
from lesionkit.arrays import namespace

FILE = "optics/phantom.cu"
THREADS = 128  # of a block


def draw_regions(
    limits: npt.NDArray[np.float64],
    single_diameters: npt.NDArray[np.float64],
    seed: int,
    first: int,
    regions: Any,
) -> None:
    """Fill regions (n, 3, 8), see `Phantoms.inclusions`."""
    recipe = gpu.struct(limits, np.float64)
    diameters = namespace(regions).asarray(single_diameters)
    _launch(
        "draw_regions",
        len(regions),
        [recipe, diameters, diameters.size, *_stream(seed, first), len(regions), regions],
    )


def element_shares(regions: Any, corners: Any, fractions: Any) -> None:
    """Fill shares (n, 2, elements): which part of each triangle (corners (elements, 3, 2) mm) lies
    in each inclusion.
    """
    _launch(
        "element_shares", fractions.size, [regions, corners, len(corners), len(regions), fractions]
    )


def paint(
    regions: Any,
    radius: float,
    gray: Sequence[float],
    noise: float,
    seed: int,
    first: int,
    chromophores: Any,
    mri: Any,
) -> None:
    """Fill chromophores (n, 3, pixels, pixels) float32 and mri (n, pixels, pixels) uint8."""
    painting = [float(radius), mri.shape[1], float(gray[0]), float(gray[1]), float(noise)]
    args = [regions, *painting, *_stream(seed, first), len(regions), chromophores, mri]
    _launch("paint", -(-mri.size // 4), args)


def add_noise(readings: Any, noise: float, seed: int, first: int, signal: Any) -> None:
    """Readings (wavelengths, n, optodes, optodes) float64 -> signal (n, wavelengths, optodes,
    optodes - 1) float32.
    """
    args = [readings, *readings.shape[:3], float(noise), *_stream(seed, first), signal]
    _launch("add_noise", -(-signal.size // 4), args)


def _stream(seed: int, first: int) -> tuple[np.uint64, np.uint64]:
    return np.uint64(seed), np.uint64(first)


def _launch(kernel: str, items: int, args: list[Any]) -> None:
    if items:
        blocks = gpu.blocks_for(items, THREADS, gpu.device_of(args[-1]))
        gpu.launch(FILE, kernel, blocks, THREADS, args)
