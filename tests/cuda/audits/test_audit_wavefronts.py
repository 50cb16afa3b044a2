"""The model of the solver's work on a GPU: its rule of banks, by patterns with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.optics import gpu_model
from benchmarks.optics.shared_memory import NOBODY, Schedule, Walk, wavefronts

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
    """Two pivots, one update row, a source and a detector; one block of columns, one tile."""
    plan = {
        "shapes": np.array([[2, 1, 1, 1]]),
        "panel": np.array([0]),
        "open_from": np.array([0]),
        "open_to": np.array([9]),
        "gather_start": np.array([0, 3]),
        "gather_entry": np.array([0, 1, 2]),
        "column_start": np.array([0, 1]),
        "column_rows": np.array([0]),
        "column": np.array([0]),
        "target_row": np.array([20, 21, 22]),
    }
    walk = Walk(plan, Schedule("", threads=32), 8)
    whole = walk.walk()
    assert whole.barriers == 2 + 2 + 1
    read = walk.phases["read"]  # two pivots: a source's row, a detector's, 1 / D
    assert (read.wavefronts, read.requests, read.arithmetic) == (6, 6, 4)
    update = walk.phases["update"]  # a warp with two tiles of two rows
    assert update.requests == 2 * (2 + 4 + 1)
    assert walk.phases["scatter"].requests == 2 * 2  # two rows of its first column
    finish = walk.phases["finish"]
    assert finish.requests == 3 + 2 + 1 + 3 + 2  # the block, the rows below, its own rows, 1 / D


def test_the_plan_of_the_main_job() -> None:
    parts, size = gpu_model.tables()
    assert size * 8 < 64 * 1024
    assert gpu_model.resident(size, 8, parts) == 3
