"""pytest-benchmark: ours and every peer in one group for each workload, centres compared.

`pytest benchmarks/clustering` takes the whole workloads; with `--benchmark-disable` it is a smoke
test at small size. Ratios are better taken by `python -m benchmarks clustering`, which interleaves
the runs and tells what a pass and the memory cost.
"""

from __future__ import annotations

from typing import Any

import pytest
from threadpoolctl import threadpool_limits

from benchmarks.clustering.ours import ours
from benchmarks.clustering.peers import EXACT, PEERS
from benchmarks.clustering.rows import judged, missing
from benchmarks.clustering.work import Work, work
from benchmarks.timing import limits

THREADS = 2
PAIRS = [(name, who) for name, peers in PEERS.items() for who in peers]
# Ours does another thing beside these: the exact optimum, another spatial method.
OURS = [(name, next(iter(peers))) for name, peers in PEERS.items()]
OURS += [(name, who) for name, who in PAIRS if who in EXACT or who == "NumPy sFCM"]


def group(job: Work, who: str) -> str:
    what = "exact optimum" if who in EXACT else who if job.kind == "spatial FCM" else job.kind
    return f"clustering {job.name}: {what}, {job.classes} classes, {job.passes[1]} passes"


@pytest.mark.parametrize(("name", "beside"), OURS, ids=[f"{a}-{b}" for a, b in OURS])
def test_ours(benchmark: Any, timed: bool, name: str, beside: str) -> None:
    job = work(name, not timed)
    benchmark.group = group(job, beside)
    with limits(THREADS):
        found = benchmark(ours(job, beside), job.passes[1])[0]
    judged(job, beside, found, found, not timed)


@pytest.mark.parametrize(("name", "who"), PAIRS, ids=[f"{a}-{b}" for a, b in PAIRS])
@pytest.mark.filterwarnings("ignore")  # the peers' own
def test_peer(benchmark: Any, timed: bool, name: str, who: str) -> None:
    module, make = PEERS[name][who]
    if missing(module):
        pytest.skip(f"{module} is not installed")
    job = work(name, not timed)
    benchmark.group = group(job, who)
    with threadpool_limits(THREADS):
        found = benchmark(make(job), job.passes[1])[0]
        own = ours(job, who)(job.passes[1])[0]
    judged(job, who, own, found, not timed)
