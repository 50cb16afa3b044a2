"""The slow references of random numbers and of areas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import optics as reference

# Areas of shapes some units wide: a few roundings each of a square root and an arctangent.
AREA = 1e-12

# --- random numbers ------------------------------------------------------------------------------

ONES = 0xFFFFFFFF
PI = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0,) * 4, (0,) * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((ONES,) * 4, (ONES,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (PI[:4], PI[4:], "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_as_in_random123(counter, key, words):
    assert " ".join(f"{word:08x}" for word in reference.philox4x32(counter, key)) == words


@given(st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6))
def test_philox_rounds_are_numpys(words):
    """The same rounds on 64-bit words are NumPy's Philox, which counts up before it draws."""
    counter, key = words[:4], words[4:]
    number = sum(word << 64 * i for i, word in enumerate(counter))
    before = (number - 1) % 2**256
    drawn = np.random.Philox(counter=before, key=key[0] | key[1] << 64).random_raw(4)
    multipliers = 0xD2E7470EE14C6C93, 0xCA5A826395121157
    increments = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
    mine = reference.philox4(counter, key, 64, multipliers, increments)
    assert [*drawn] == [*mine]


# --- areas ---------------------------------------------------------------------------------------

SQUARE = [(-1, -1), (1, -1), (1, 1), (-1, 1)]


@pytest.mark.parametrize(
    ("center", "radius", "area"),
    [
        ((0, 0), 0.5, math.pi / 4),  # disc in the square
        ((0, 0), 2.0, 4.0),  # square in the disc
        ((0, 0), 1.0, math.pi),  # touching all four sides
        ((0, 0), math.sqrt(2), 4.0),  # through all four corners
        ((1, 0), 0.5, math.pi / 8),  # half: centre on a side
        ((1, 1), 0.5, math.pi / 16),  # quarter: centre on a corner
        ((3, 0), 1.0, 0.0),  # apart
        ((2, 0), 1.0, 0.0),  # touching from outside
        ((1.5, 0), 1.0, math.acos(0.5) - 0.5 * math.sqrt(0.75)),  # a segment
        # all four sides cut: the disc without four segments
        ((0, 0), 1.2, 1.44 * math.pi - 4 * (1.44 * math.acos(1 / 1.2) - math.sqrt(0.44))),
    ],
)
def test_disc_and_square(center, radius, area):
    for corners in (SQUARE, SQUARE[::-1]):
        got = reference.disc_polygon_area(center, radius, corners)
        assert got == pytest.approx(area, abs=AREA)


numbers = st.floats(-3, 3)
points = st.tuples(numbers, numbers)


@given(points, st.floats(0.01, 3), st.lists(points, min_size=3, max_size=3), st.floats(0.05, 0.95))
def test_parts_of_a_triangle_add_up(center, radius, triangle, fraction):
    a, b, c = triangle
    between = tuple(fraction * p + (1 - fraction) * q for p, q in zip(a, b, strict=True))
    whole = reference.disc_polygon_area(center, radius, [a, b, c])
    parts = [
        reference.disc_polygon_area(center, radius, part)
        for part in ([a, between, c], [between, b, c])
    ]
    # A corner on the circle moves by a rounding, and sqrt(rounding) along a side that touches it.
    assert sum(parts) == pytest.approx(whole, abs=1e-7)
    assert 0 <= whole <= math.pi * radius**2 + AREA


def test_disc_and_triangle_by_counting():
    """Against the fraction of a fine grid of points that lies in both."""
    triangle, center, radius = [(-1.0, -0.7), (1.3, 0.1), (-0.2, 1.1)], (0.2, -0.1), 0.8
    step = 2.5e-3
    x, y = np.meshgrid(np.arange(-1, 1.5, step) + step / 2, np.arange(-1, 1.5, step) + step / 2)
    inside = np.hypot(x - center[0], y - center[1]) <= radius
    for i in range(3):
        (ax, ay), (bx, by) = triangle[i - 1], triangle[i]
        inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
    area = reference.disc_polygon_area(center, radius, triangle)
    # The outline, under 5 long, is known to a cell; the errors of its 2,000 cells mostly cancel.
    assert area == pytest.approx(inside.sum() * step**2, abs=5 * step * 0.02)
