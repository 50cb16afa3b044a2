"""pytest-benchmark: ours and every peer in one group for each task, answers held to the same judge.

`pytest benchmarks/fronts` takes the whole tasks; with `--benchmark-disable` it is a smoke test at
small size. Ratios are better taken by `python -m benchmarks fronts`, which interleaves the runs.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from benchmarks.fronts.rows import Work, tasks
from benchmarks.timing import limits

THREADS = 2
SMALL = tasks(quick=True)
OURS = [(place, name) for place, work in enumerate(SMALL) for name in work.ours]
PEERS = [(place, peer.name) for place, work in enumerate(SMALL) for peer in work.peers]


def words(pairs: list[tuple[int, str]]) -> list[str]:
    return [f"{SMALL[place].title.replace(' x ', 'x')}-{name}" for place, name in pairs]


@pytest.fixture(scope="session")
def works(timed: bool) -> list[Work]:
    return tasks(quick=False) if timed else SMALL


@pytest.mark.parametrize(("place", "name"), OURS, ids=words(OURS))
def test_ours(benchmark: Any, works: list[Work], place: int, name: str) -> None:
    benchmark.group = f"fronts: {works[place].title}"
    with limits(THREADS):
        found = np.asarray(benchmark(works[place].ours[name]))
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("place", "name"), PEERS, ids=words(PEERS))
@pytest.mark.filterwarnings("ignore")  # the peers' own
def test_peer(benchmark: Any, works: list[Work], place: int, name: str) -> None:
    work = works[place]
    peer = next(peer for peer in work.peers if peer.name == name)
    try:
        run = peer.make(importlib.import_module(peer.module))
    except ImportError:
        pytest.skip(f"{name} is not installed")
    benchmark.group = f"fronts: {work.title}"
    with threadpool_limits(THREADS):
        theirs = benchmark(run)
    for own in work.ours.values():
        (peer.judge or work.judge)(own(), theirs)
