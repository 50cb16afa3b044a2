"""pytest-benchmark: ours and every peer in one group for each texture workload, answers compared.

`pytest benchmarks/texture` takes the whole workloads; with `--benchmark-disable` it is a
smoke test at small size. Ratios are better taken by `python -m benchmarks texture`, which
interleaves the runs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from benchmarks.texture.ours import ours
from benchmarks.texture.peers import PEERS, missing, peer
from benchmarks.texture.rows import apart, check_answers
from benchmarks.texture.work import (
    ANGLES,
    IN_MAPS,
    ITEMS,
    PROPERTIES,
    Work,
    counts,
    mazda,
    pooled,
    small,
    windows,
    work,
)
from benchmarks.timing import limits

THREADS = 2
PAIRS = [(name, who) for name in PEERS for who in PEERS[name]]


def job(name: str, timed: bool) -> Work:
    return replace(work(name) if timed else small(name), threads=THREADS)


def group(name: str, job: Work) -> str:
    return f"texture {name}: {job.items} {ITEMS[name]}"


def test_maps_agree_with_dense_matrices() -> None:
    task = small("W3")
    tables = [mazda(counts(windows(task, 1), offset, task.levels)) for offset in task.offsets]
    for name, values in ours("W3", "", task)().items():
        judge = np.mean([table[IN_MAPS[name]] for table in tables], axis=0)
        np.testing.assert_allclose(values.ravel(), judge, rtol=1e-9, atol=1e-12)


def test_regions_agree_with_dense_matrices() -> None:
    task = small("W2")
    tables = [mazda(counts(task["rois"], offset, task.levels)) for offset in task.offsets]
    for name, values in ours("W2", "", task)().items():
        judge = np.stack([table[name] for table in tables], axis=1)
        np.testing.assert_allclose(values, judge, rtol=1e-9, atol=1e-12)


def test_random_images_agree_with_scikit_image(timed: bool) -> None:
    theirs = pytest.importorskip("skimage.feature")
    from lesionkit import texture

    random = np.random.default_rng(0)
    for turn in range(400 if timed else 40):
        levels = int(random.integers(2, 70))
        kind = random.choice([np.uint8, np.uint16, np.int32, np.int64])
        image = random.integers(0, levels, random.integers(1, 40, 2)).astype(kind)
        distances = random.choice([1, 2, 3, 2.5, 5, 0.5, -1], 3)
        any_angle, round_angle = random.normal(0, 4, 3), random.choice([*ANGLES, np.pi / 6], 3)
        angles = any_angle if turn % 2 else round_angle
        how = dict(zip(["symmetric", "normed"], random.integers(0, 2, 2) > 0, strict=True))
        expected = theirs.graycomatrix(image, distances, angles, levels, **how)
        found = texture.graycomatrix(image, distances, angles, levels, **how)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
        for name in [*PROPERTIES, "mean", "variance", "std", "entropy"]:
            values = texture.graycoprops(found, name)
            expected_values = theirs.graycoprops(expected, name)
            np.testing.assert_allclose(values, expected_values, rtol=2e-13, atol=2e-16)


@pytest.mark.parametrize("name", list(PEERS))
def test_ours(benchmark: Any, timed: bool, name: str) -> None:
    task = job(name, timed)
    benchmark.group = group(name, task)
    with limits(THREADS):
        answer = benchmark(ours(name, "", task))
    assert all(np.isfinite(values).all() for values in answer.values())


@pytest.mark.parametrize(("name", "who"), PAIRS, ids=[f"{a}-{b}" for a, b in PAIRS])
@pytest.mark.filterwarnings("ignore")  # the peers' own
def test_peer(benchmark: Any, timed: bool, name: str, who: str) -> None:
    if reason := missing(name, who):
        pytest.skip(reason)
    task = job(name, timed)
    benchmark.group = group(name, task)
    with threadpool_limits(THREADS):
        run = peer(name, who, task)
        run()  # what is compiled or loaded with the first call
        answer = benchmark(run)
        own = ours(name, who, task)()
    if who == "ITK":
        own |= pooled(task)
    check_answers(apart(answer, own, who), who)
