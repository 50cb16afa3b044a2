"""The model of the solver's work on a GPU: its rule of banks, by patterns with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.optics import gpu_model
from benchmarks.optics.shared_memory import NOBODY, Walk, wavefronts

from lesionkit.optics.forward import forward_gpu

LANES = np.arange(32)


@pytest.mark.parametrize(
    ("addresses", "itemsize", "many", "without_conflicts"),
    [
        (LANES, 4, 1, 1),
        (2 * LANES, 4, 2, 1),
        (LANES, 8, 2, 2),
        (2 * LANES, 8, 4, 2),  # 16 lanes of 8 bytes on every other pair of banks
        (16 * LANES, 8, 32, 2),
        (17 * LANES, 8, 2, 2),
        (LANES, 16, 4, 4),
        (7 * LANES, 16, 4, 4),
        (8 * LANES, 16, 32, 4),
        (LANES * (LANES + 1) // 2, 8, 2, 2),  # rows of a triangle
        (np.full(32, 5), 8, 1, 1),
        (LANES // 16 * 3, 8, 2, 2),  # an address for each half
        (np.where(LANES < 16, 2 * LANES, NOBODY), 8, 2, 1),
        (np.full(32, NOBODY), 8, 0, 0),
    ],
)
def test_wavefronts(addresses: object, itemsize: int, many: int, without_conflicts: int) -> None:
    found = wavefronts(np.array([addresses]), itemsize)
    assert [int(n[0]) for n in found] == [many, without_conflicts]


def test_a_front_by_hand() -> None:
    """Two pivots, one update row, a source and a detector; one block of columns, two tiles."""
    ends = {"pivots": 2, "update": 1, "sources": 1, "detectors": 1, "far": 0}
    plan = {name: np.array([value, 0]) for name, value in ends.items()} | {
        "panel": np.array([0, 0]),
        "open_from": np.array([0, 0]),
        "open_to": np.array([12, 0]),
        "gather": np.array([0, 3]),
        "gather_entry": np.array([0, 1, 2]),
        "tile": np.array([0, 2]),
        "tiles": np.array(
            [
                # row, apart, column; of each column the places of two rows
                [0, 2, 0, 20, 22, *6 * [-1]],
                [1, 2, 0, -9, -1, *6 * [-1]],
            ]
        ),
    }
    walk = Walk(plan, 8, threads=32)
    whole = walk.walk()
    assert whole.barriers == 2 + 2 + 1
    read = walk.phases["read"]  # of two pivots a source's row, a detector's, 1 / D; the reading
    assert (read.wavefronts, read.requests) == (2 + 2 + 1 + 2, 2 + 2 + 1 + 2)
    assert read.arithmetic == 2 * 2 + 1
    update = walk.phases["update"]  # a warp with two tiles, of two pivots; 1 / D of both at once
    assert update.requests == 2 * (2 + 4) + 1
    assert walk.phases["scatter"].requests == 2 + 2  # two rows of its first column
    assert walk.far == 2  # one entry, read and written
    finish = walk.phases["finish"]  # the block, two at a time; 1 / D; the rows below; its own
    assert finish.requests == (1 + 1) + 2 + 2 + 3


def test_the_main_job_on_an_h200() -> None:
    """Six blocks of real numbers, four of complex ones; the model's figures in docs/gpu.md."""
    plans = gpu_model.placed(8), gpu_model.placed(16)
    assert [plan.blocks for plan in plans] == [7, 4]
    double, complex_ = (
        gpu_model.time_of(Walk(plan.parts, itemsize, forward_gpu.THREADS).walk(), blocks)
        for plan, itemsize, blocks in zip(plans, (8, 16), (6, 4), strict=True)
    )
    assert double.predicted < 0.0805
    assert complex_.predicted < 3 * double.predicted
