"""Arrival times: what holds for any speed, threads, batch or layout, and mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tolerances
from arrival_cases import INF, close, distance, random_speed
from invariances import at_any_threads, layouts
from lesionkit.fronts import arrival_time
from reference.fronts import arrival as reference


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("shape", [(300, 500), (40, 210, 70)])
def test_threads_change_no_bit(order: Any, shape: tuple[int, ...]) -> None:
    speed = random_speed(5, shape, 0.05).astype(np.float32)
    seeds = [[n // 3 for n in shape], [n - 2 for n in shape]]
    at_any_threads(lambda: arrival_time(speed, seeds, order=order, return_labels=True))


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


@pytest.mark.parametrize("ratio", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("shape", [(30, 20), (6, 17, 8)])
def test_spacings_far_apart(shape: tuple[int, ...], ratio: float) -> None:
    """Squares of their ratio are beyond float32: each node is reached, and at the right time."""
    speed = random_speed(12, shape, 0).astype(np.float32)
    seed, spacing = tuple(n // 3 for n in shape), [1.0, ratio, 1.0][: len(shape)]
    times = arrival_time(speed, seed, spacing)
    assert times.dtype == np.float32
    expected = reference.arrival(speed.astype(float), {seed: 0.0}, spacing)
    close(times / expected.max(), expected / expected.max(), tolerances.TIMES_SINGLE)
    for order in (1, 2):
        assert np.isfinite(arrival_time(speed, seed, spacing, order=order)).all()


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
    kept = speed.copy()
    for other in layouts(speed):
        np.testing.assert_array_equal(arrival_time(other, (3, 4)), expected)
    np.testing.assert_array_equal(speed, kept)
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
        ({"speed": np.ones((0, 3))}, ValueError, "speed must hold a pixel or more"),
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
        ({"mask": np.full((5, 6), 0.5)}, ValueError, "mask must hold booleans .*, got 0.5"),
        ({"mask": np.ones((5, 5), bool)}, ValueError, "mask must have the shape of speed"),
        ({"order": 3}, ValueError, "order must be 1 or 2, got int 3"),
        ({"factored": "yes"}, ValueError, "factored must be True, False or 'auto'"),
        ({"batch_axis": 2}, ValueError, "batch_axis must be from -2 to 1, got 2"),
        ({"batch_axis": 0}, ValueError, r"seeds must be \(5, 1\) or \(5, k, 1\)"),
    ],
)
def test_mistakes(change: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments: dict[str, Any] = {"speed": np.ones((5, 6)), "seeds": (2, 3)}
    with pytest.raises(error, match=message):
        arrival_time(**(arguments | change))
