"""Arrival times: closed forms, the slow march, walls and borders, invariances, mistakes."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lesionkit
import tolerances
from lesionkit.fronts import arrival_time
from reference import fronts as reference

INF = math.inf


def distance(shape: tuple[int, ...], seed: Any, spacing: Any = 1.0) -> np.ndarray:
    steps = np.broadcast_to(spacing, len(shape))
    away = [(i - s) * h for i, s, h in zip(np.indices(shape), seed, steps, strict=True)]
    return np.sqrt(sum(x * x for x in away))


def linear(shape: tuple[int, ...], seed: Any, slope: Any) -> tuple[np.ndarray, np.ndarray]:
    """A speed that is 1 at the seed and grows along `slope`, and its arrival times
    (Slotnick, "Lessons in seismic computing", 1959: rays are circles)."""
    speed = 1 + sum(g * (i - s) for i, s, g in zip(np.indices(shape), seed, slope, strict=True))
    g = math.hypot(*slope)
    return speed, np.arccosh(1 + (g * distance(shape, seed)) ** 2 / (2 * speed)) / g


def close(ours: Any, expected: Any, relative: float) -> None:
    np.testing.assert_allclose(ours, expected, rtol=relative, atol=relative)


def random_speed(seed: int, shape: tuple[int, ...], walls: float = 0.15) -> np.ndarray:
    random = np.random.default_rng(seed)
    speed = random.uniform(0.3, 1.0, shape)
    speed[random.random(shape) < walls] = random.choice([0.0, -1.0])
    return speed


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


# --- properties -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("shape", [(300, 500), (40, 210, 70)])
def test_threads_change_no_bit(order: Any, shape: tuple[int, ...]) -> None:
    speed = random_speed(5, shape, 0.05).astype(np.float32)
    seeds = [[n // 3 for n in shape], [n - 2 for n in shape]]
    found = []
    before = lesionkit._core.get_threads()
    try:
        for threads in (1, 2, 5):
            lesionkit._core.set_threads(threads)
            found.append(arrival_time(speed, seeds, order=order, return_labels=True))
    finally:
        lesionkit._core.set_threads(before)
    for times, labels in found[1:]:
        np.testing.assert_array_equal(times, found[0][0])
        np.testing.assert_array_equal(labels, found[0][1])


@pytest.mark.parametrize("order", [1, 2])
def test_a_batch_is_its_images(order: Any) -> None:
    speed = random_speed(6, (5, 20, 50))
    seeds = np.random.default_rng(0).uniform(0, 19, (5, 3, 2))
    whole = arrival_time(speed, seeds, order=order, batch_axis=0, return_labels=True)
    for i in range(5):
        one = arrival_time(speed[i], seeds[i], order=order, return_labels=True)
        np.testing.assert_array_equal(whole[0][i], one[0])
        np.testing.assert_array_equal(whole[1][i], one[1])
    last = arrival_time(np.moveaxis(speed, 0, -1), seeds, order=order, batch_axis=-1)
    np.testing.assert_array_equal(np.moveaxis(last, -1, 0), whole[0])
    mask = speed > 0
    masked = arrival_time(np.abs(speed) + (speed == 0), seeds, order=order, mask=mask, batch_axis=0)
    np.testing.assert_array_equal(masked, whole[0])
    single = arrival_time(speed, seeds[:, 0], order=order, batch_axis=0)
    np.testing.assert_array_equal(single[2], arrival_time(speed[2], seeds[2, 0], order=order))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(40, 33), (6, 7, 8)]), st.booleans())
def test_each_time_is_what_its_neighbours_give(
    seed: int, shape: tuple[int, ...], single: bool
) -> None:
    speed = random_speed(seed, shape).astype(np.float32 if single else float)
    start = tuple(np.random.default_rng(seed).integers(0, shape))
    speed[start] = 1
    times = arrival_time(speed, start)
    assert times[start] == 0
    for node in np.ndindex(shape):
        if node == start or not speed[node] > 0:
            continue
        around = [times[beside] for _, _, beside in reference.neighbours(node, shape)]
        assert (times[node] < INF) == (min(around) < INF)
        if times[node] < INF:
            expected = reference.upwind(
                times.astype(float), node, 1 / float(speed[node]), (1.0,) * len(shape)
            )
            assert times[node] == pytest.approx(expected, rel=1e-6 if single else 1e-14)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("shape", [(130, 257), (12, 30, 41)])
def test_stop(order: Any, shape: tuple[int, ...]) -> None:
    speed = random_speed(7, shape)
    seed = tuple(n // 2 for n in shape)
    speed[seed] = 1
    full = arrival_time(speed, seed, order=order)
    for stop in (0.0, 3.5, float(np.median(full)), 1e9):
        part = arrival_time(speed, seed, stop=stop, order=order)
        close(part, np.where(full <= stop, full, INF), tolerances.TIMES)
    assert (arrival_time(speed, seed, stop=0.0) == 0).sum() == 1


def test_labels_are_of_the_first_front() -> None:
    speed = np.ones((90, 120))
    seeds = np.array([[10, 10], [70.5, 100.25], [40, 60]])
    times, labels = arrival_time(speed, seeds, order=2, return_labels=True)
    away = np.stack([distance(speed.shape, s) for s in seeds])
    two = np.sort(away, axis=0)
    clear = two[1] - two[0] > 2
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels[clear], away.argmin(axis=0)[clear] + 1)
    # Where two fronts meet neither is smooth.
    close(times[clear], away.min(axis=0)[clear], 1e-3)
    apart = np.stack([arrival_time(speed, s) for s in seeds])
    first, labels = arrival_time(speed, seeds, return_labels=True)
    assert (first <= apart.min(axis=0) + 1e-12).all()  # where they meet they share
    close(first[two[1] - two[0] > 8], apart.min(axis=0)[two[1] - two[0] > 8], 1e-6)
    one = np.ones((20, 41))
    one[:, 20] = 0
    one[:, 40] = 0
    one[:, 39] = 0
    one[0, 40] = 1
    _, labels = arrival_time(one, [(3, 30), (5, 5), (9, 9)], return_labels=True)
    assert (labels[:, 21:39] == 1).all()
    assert set(np.unique(labels[:, :20])) == {2, 3}
    assert (labels[:, 20] == 0).all()
    assert labels[0, 40] == 0


def test_walls_masks_and_seeds_in_them() -> None:
    speed = np.ones((30, 30))
    speed[:, 15] = 0
    times = arrival_time(speed, (5, 5))
    assert np.isinf(times[:, 15:]).all()
    assert np.isfinite(times[:, :15]).all()
    np.testing.assert_array_equal(arrival_time(np.ones((30, 30)), (5, 5), mask=speed > 0), times)
    assert np.isinf(arrival_time(speed, (5, 15))).all()
    assert np.isinf(arrival_time(speed, (5, 5), mask=np.zeros((30, 30), bool))).all()
    assert np.isinf(arrival_time(np.zeros((4, 4)), (1, 1), order=2)).all()
    both = arrival_time(speed, (5, 14.5))  # half in the wall: the open corner starts
    assert both[5, 14] == 0.5
    assert np.isinf(both[:, 15:]).all()


@pytest.mark.parametrize("spacing", [1e-30, 1e-12, 1e12, 1e30])
def test_tiny_and_huge_spacings(spacing: float) -> None:
    speed = random_speed(8, (40, 60)).astype(np.float32)
    speed[20, 30] = 1
    times = arrival_time(speed, (20, 30))
    single = arrival_time(speed, (20, 30), spacing)
    close(single / np.float32(spacing), times, tolerances.TIMES_SINGLE)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("power", [-100, -30, 30, 100])
def test_powers_of_two_change_no_digit(power: int, order: Any) -> None:
    speed = random_speed(8, (40, 60)).astype(np.float32)
    times = arrival_time(speed, (20, 30.5), order=order)
    factor = np.float32(2.0**power)
    scaled = arrival_time(speed, (20, 30.5), float(factor), order=order)
    np.testing.assert_array_equal(scaled, times * factor)
    scaled = arrival_time(speed * factor, (20, 30.5), order=order)
    np.testing.assert_array_equal(scaled, times / factor)


def test_speeds_far_apart() -> None:
    """A factor of 1e15 within one image."""
    speed = np.ones((20, 30), np.float32)
    speed[:, 10:] = 1e-15
    times = arrival_time(speed, (5, 5))
    assert times[5, 9] == 4
    close(times[5, 10:], 4 + 1e15 * np.arange(1, 21), tolerances.TIMES_SINGLE)


def test_what_is_passed_is_not_changed_and_any_layout_is_read() -> None:
    speed = random_speed(9, (50, 70))
    expected = arrival_time(speed, (3, 4))
    for other in (
        np.asfortranarray(speed),
        np.repeat(speed, 2, axis=1)[:, ::2],
        speed.astype(">f8"),
    ):
        kept = other.copy()
        other.flags.writeable = False
        np.testing.assert_array_equal(arrival_time(other, (3, 4)), expected)
        np.testing.assert_array_equal(other, kept)
    whole = np.ones((9, 9), int)
    assert arrival_time(whole, (4, 4)).dtype == np.float64
    mask = np.ones((50, 140), bool)[:, ::2]
    np.testing.assert_array_equal(arrival_time(speed, [[3, 4]], mask=mask), expected)


@pytest.mark.parametrize("order", [1, 2])
def test_noise_raises_nothing(order: Any) -> None:
    random = np.random.default_rng(10)
    for shape in ((60, 60), (12, 12, 12)):
        for _ in range(5):
            speed = 10.0 ** random.uniform(-6, 6, shape)
            times = arrival_time(speed, tuple(n // 2 for n in shape), order=order)
            assert np.isfinite(times).all()
            assert times.min() == 0


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"speed": np.array([[1, np.nan]])}, ValueError, "speed must be finite, got 1 NaN"),
        ({"speed": np.ones((2, 2, 2, 2))}, ValueError, "speed must have 1 to 3 axes"),
        ({"speed": np.ones((0, 3))}, ValueError, "speed must hold at least one node"),
        ({"speed": "fast"}, TypeError, "speed must hold real numbers"),
        ({"seeds": (1, 2, 3)}, ValueError, r"seeds must be a point of 2 numbers, or \(k, 2\)"),
        ({"seeds": np.zeros((0, 2))}, ValueError, "seeds must be a point"),
        ({"seeds": (4, 6)}, ValueError, r"from 0 to \(4, 5\), got \(4.0, 6.0\)"),
        ({"seeds": (-0.1, 2)}, ValueError, "seeds must lie within the image"),
        ({"seeds": (np.nan, 2)}, ValueError, "seeds must be finite"),
        ({"spacing": 0}, ValueError, "spacing must be above 0"),
        ({"spacing": (1, 2, 3)}, ValueError, "one number, or one for each of 2 axes"),
        ({"stop": -1}, ValueError, "stop must be a finite number at least 0"),
        ({"stop": "late"}, TypeError, "stop must be a finite number"),
        ({"mask": np.ones((5, 6))}, ValueError, r"mask must be bool of shape \(5, 6\)"),
        ({"mask": np.ones((5, 5), bool)}, ValueError, "mask must be bool"),
        ({"order": 3}, ValueError, "order must be 1 or 2, got 3"),
        ({"factored": "yes"}, ValueError, "factored must be True, False or 'auto'"),
        ({"batch_axis": 2}, ValueError, "batch_axis must be from -2 to 1, got 2"),
        ({"batch_axis": 0}, ValueError, r"seeds must be \(5, 1\) or \(5, k, 1\)"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments: dict[str, Any] = {"speed": np.ones((5, 6)), "seeds": (2, 3)}
    with pytest.raises(error, match=message):
        arrival_time(**(arguments | change))
