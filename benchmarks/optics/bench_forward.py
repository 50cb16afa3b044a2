"""pytest-benchmark: ours and every peer in one group, the answers compared.

`pytest benchmarks/optics` times 1,801 nodes; with `--benchmark-disable` it is a smoke
test of 217 nodes, in which all must agree with a dense solve of the slow reference's matrix.
Ratios are better taken by `python -m benchmarks`, which interleaves the runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.optics.peers import PEERS, Dense, Peer, missing, peer
from benchmarks.optics.problem import Array, Problem, disc, ours, phantoms, rings
from benchmarks.timing import limits

CONTENDERS = ["lesionkit", *PEERS]
PLACES = ["elements", "nodes"]


class Ours(Peer):
    """Our ForwardModel, called like a peer."""

    def plan(self) -> None:
        self.model = ours(self.work)

    def __call__(self, absorption: Array, scattering: Array) -> Array:
        readings: Array = self.model.measure(absorption, scattering, at=self.at)
        return readings


def contender(name: str, work: Problem, at: str) -> Peer:
    if name == "lesionkit":
        return Ours(work, at)
    if reason := missing(name):
        pytest.skip(reason)
    return peer(name, work, at)


@pytest.fixture(scope="session")
def work(timed: bool) -> Problem:
    return disc(rings(24 if timed else 8))


@pytest.fixture(scope="module", params=PLACES)
def dense(request: pytest.FixtureRequest) -> tuple[Problem, str, Any, Array]:
    """A small problem, where its maps are given, three of them, and their readings."""
    small = disc(rings(8))
    maps = phantoms(small, 3, request.param)
    return small, request.param, maps, Dense(small, request.param)(*maps)


@pytest.mark.parametrize("name", CONTENDERS)
def test_agrees_with_a_dense_solve(dense: tuple[Problem, str, Any, Array], name: str) -> None:
    small, at, maps, readings = dense
    np.testing.assert_allclose(contender(name, small, at)(*maps), readings, rtol=1e-10, atol=0)


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("name", CONTENDERS)
def test_forward(benchmark: Any, work: Problem, timed: bool, name: str, at: str) -> None:
    count = 64 if timed else 5
    maps = phantoms(work, count, at)
    plan = contender(name, work, at)
    plan(maps[0][:1], maps[1][:1])
    benchmark.group = f"forward: {count} systems of {len(work.nodes)} nodes, maps at {at}"
    with limits(2 if name == "lesionkit" else None):
        readings = benchmark(plan, *maps)
    judge = peer("SuperLU COLAMD", work, at)
    np.testing.assert_allclose(readings, judge(*maps), rtol=1e-10, atol=0)
