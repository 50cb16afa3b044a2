"""Arrival times: closed forms and the slow march."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import tolerances
from arrival_cases import INF, close, distance, linear, random_speed
from lesionkit.fronts import arrival_time
from reference.fronts import arrival as reference

# --- known answers --------------------------------------------------------------------------------


def test_along_an_axis_and_the_first_diagonal() -> None:
    """1 + 1 / sqrt(2) instead of sqrt(2): the known error of order 1 beside a source."""
    times = arrival_time(np.full((5, 7), 0.5), (2, 3), spacing=0.25)
    close(times[2], 0.5 * np.abs(np.arange(7) - 3), 1e-15)
    close(times[1, 2], 0.5 * (1 + math.sqrt(0.5)), 1e-15)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    ("shape", "seed", "spacing"),
    [
        ((41,), (13.25,), 0.5),
        ((40, 60), (17, 22), 1.0),
        ((40, 60), (0, 0), 1.0),
        ((40, 60), (39, 59), (2.0, 0.7)),
        ((40, 60), (0, 31.5), 1.0),
        ((40, 60), (11.3, 12.9), (1.0, 3.0)),
        ((13, 14, 15), (4, 5, 6), 1.0),
        ((13, 14, 15), (0, 13, 0), (1.0, 2.0, 0.5)),
        ((13, 14, 15), (6.5, 0, 2.25), 1.0),
    ],
)
def test_constant_speed_is_exact_when_factored(
    order: Any, shape: tuple[int, ...], seed: Any, spacing: Any
) -> None:
    times = arrival_time(np.full(shape, 2.0), seed, spacing, order=order, factored=True)
    close(times, distance(shape, seed, spacing) / 2, 1e-12)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_errors_fall_as_the_order_says(axes: int) -> None:
    errors = []
    for n in (17, 33, 65)[: 2 if axes == 3 else 3]:
        shape, seed = (n,) * axes, ((n - 1) // 4,) * axes
        speed, exact = linear(shape, seed, [0.5 / (n - 1), 1.0 / (n - 1), -0.25 / (n - 1)][:axes])
        errors.append(
            [
                np.abs(arrival_time(speed, seed, order=1) - exact).mean() / n,
                np.abs(arrival_time(speed, seed, order=2) - exact).mean() / n,
            ]
        )
    first, second = np.log2(np.array(errors)[:-1] / np.array(errors)[1:]).T
    assert first.min() > 0.5
    assert second.min() > 1.5
    assert errors[-1][1] < errors[-1][0] / 30


def test_order_2_beside_a_seed_in_one_dimension() -> None:
    """Speed from 1 to 1.3: a stencil that reaches across the seed gives 0.328, not 0.872."""
    nodes = np.arange(41) - 20
    speed = 1.15 + 0.3 / 40 * nodes
    exact = np.abs(np.log(speed / speed[20])) / (0.3 / 40)
    for factored in (True, False):
        times = arrival_time(speed, (20,), order=2, factored=factored)
        close(times, exact, 1e-4)


@pytest.mark.parametrize("factored", [True, False, "auto"])
@pytest.mark.parametrize("at", [3.5, 3.3, 3.75])
@pytest.mark.parametrize("axes", [1, 2])
def test_order_2_does_not_use_the_speed_across_a_seed(factored: Any, at: float, axes: int) -> None:
    """Two speeds meet between the seed's nodes: each side's steps are of its own speed."""
    for speeds in ((0.05, 1.0), (1.0, 0.3), (1.0, 1.0)):
        line = np.where(np.arange(12) <= 3, *speeds)
        speed = line if axes == 1 else np.broadcast_to(line, (3, 12)).copy()
        if axes == 2:
            speed[[0, 2]] = 0
        seed = (at,) if axes == 1 else (1.0, at)
        times = arrival_time(speed, seed, order=2, factored=factored)
        times = times if axes == 1 else times[1]
        close(times, arrival_time(line, (at,), order=1), 1e-12)
        close(np.abs(np.diff(times))[[0, 1, 2, 4, 5, 6, 7]], 1 / line[[0, 1, 2, 5, 6, 7, 8]], 1e-12)


def test_a_wall_is_walked_around() -> None:
    """To the end of the wall and on, twice the hypotenuse."""
    speed = np.ones((101, 101))
    speed[:80, 50] = 0
    times = arrival_time(speed, (20, 20), order=2)
    expected = math.hypot(60, 30) + math.hypot(60, 30)
    assert times[20, 80] == pytest.approx(expected, rel=0.01)
    assert (times[:80, 50] == INF).all()


# --- reference ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((1,), 1.0),
        ((50,), 2.0),
        ((1, 1), 1.0),
        ((1, 30), 1.0),
        ((30, 1), (1.0, 2.0)),
        ((33, 65), 1.0),
        ((70, 40), (0.5, 1.5)),
        ((210, 47), 1.0),
        ((9, 12, 14), 1.0),
        ((2, 40, 9), (2.0, 1.0, 0.7)),
        ((20, 1, 5), 1.0),
        ((3, 205, 4), 1.0),
    ],
)
def test_order_1_as_the_reference(shape: tuple[int, ...], spacing: Any) -> None:
    steps = np.broadcast_to(spacing, len(shape)).tolist()
    for number in range(3):
        speed = random_speed(number, shape)
        seed = tuple((7 * number + 3) % n for n in shape)
        speed[seed] = 0.5
        expected = reference.arrival(speed, {seed: 0.0}, steps)
        close(arrival_time(speed, seed, spacing), expected, tolerances.TIMES)
        single = speed.astype(np.float32)
        expected = reference.arrival(single.astype(float), {seed: 0.0}, steps)
        times = arrival_time(single, seed, spacing)
        assert times.dtype == np.float32
        close(times, expected, tolerances.TIMES_SINGLE)


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("factored", [False, True])
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((30,), 1.0), ((25, 36), 1.0), ((40, 17), (0.5, 1.5)), ((8, 9, 10), (1.0, 2.0, 0.7))],
)
def test_ordered_as_the_reference(
    shape: tuple[int, ...], spacing: Any, second: bool, factored: bool
) -> None:
    if not second and not factored:
        return
    steps = np.broadcast_to(spacing, len(shape)).tolist()
    seed = tuple(n // 3 for n in shape)
    for number in range(3):
        speed = random_speed(number, shape)
        speed[seed] = 0.5
        starts = {seed: 0.0}
        first = reference.arrival(speed, starts, steps)
        known = (seed, 2.0) if factored else None
        expected = reference.ordered(speed, first, starts, steps, second, known)
        times = arrival_time(speed, seed, spacing, order=1 + second, factored=factored)
        close(times, expected, tolerances.DOUBLE_ROOT)


def test_the_start_is_exact_near_a_seed_in_a_smooth_speed() -> None:
    speed, exact = linear((30, 40), (12, 20), (0.002, -0.003))
    starts = {
        (i, j): math.hypot(i - 12, j - 20) * (1 + 1 / speed[i, j]) / 2
        for i, j in itertools.product(range(9, 16), range(17, 24))
        if math.hypot(i - 12, j - 20) <= 3
    }
    first = reference.arrival(speed, {(12, 20): 0.0}, (1.0, 1.0))
    expected = reference.ordered(speed, first, starts, (1.0, 1.0), True, ((12, 20), 1.0))
    times = arrival_time(speed, (12, 20), order=2)
    close(times, expected, tolerances.TIMES)
    assert np.abs(times - exact).max() < 2e-3


def test_seeds_between_nodes() -> None:
    """A cell's corners start at their distance, by the mean of the slowness there and at them."""
    speed = np.random.default_rng(3).uniform(0.5, 1, (20, 30))
    at = np.array([7.25, 11.5])
    cell = [(7, 11), (7, 12), (8, 11), (8, 12)]
    weights = [0.75 * 0.5, 0.75 * 0.5, 0.25 * 0.5, 0.25 * 0.5]
    here = sum(w / speed[node] for w, node in zip(weights, cell, strict=True))
    starts = {
        node: math.hypot(*(at - node) * (2, 1)) * (here + 1 / speed[node]) / 2 for node in cell
    }
    expected = reference.arrival(speed, starts, (2, 1))
    close(arrival_time(speed, at, (2, 1)), expected, tolerances.TIMES)


def maze(cells: int, seed: int) -> np.ndarray:
    """Corridors one node wide, dug at random: one way from each cell to each other."""
    random = np.random.default_rng(seed)
    speed = np.zeros((2 * cells + 1, 2 * cells + 1))
    stack = [(0, 0)]
    speed[1, 1] = 1
    while stack:
        i, j = stack[-1]
        ways = [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
        ways = [
            w
            for w in ways
            if min(w) >= 0 and max(w) < cells and not speed[2 * w[0] + 1, 2 * w[1] + 1]
        ]
        if not ways:
            stack.pop()
            continue
        way = ways[random.integers(len(ways))]
        speed[2 * way[0] + 1, 2 * way[1] + 1] = 1
        speed[i + way[0] + 1, j + way[1] + 1] = 1
        stack.append(way)
    return speed


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_maze(dtype: Any) -> None:
    """So many turns that sweeps give up, and buckets take over."""
    speed = maze(60, 1)
    expected = reference.arrival(speed, {(1, 1): 0.0}, (1.0, 1.0))
    close(arrival_time(speed.astype(dtype), (1, 1)), expected, 1e-6)
