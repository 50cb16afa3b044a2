"""Travel times where each side of the contour has its own speed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from arrival_cases import close
from lesionkit.fronts import distance, travel_time


@pytest.mark.parametrize("inside", [0.05, 0.5, 1.0, 1000.0])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_order_2_does_not_use_the_speed_across_the_contour(inside: float, axes: int) -> None:
    """Each side of a plane has its own speed, and its times are exact: alone, behind a mask on the
    other side, and in a narrow band."""
    x = (np.arange(-5, 6) + 0.3).reshape(-1, *[1] * (axes - 1))
    phi = np.broadcast_to(x, (11, 5, 4)[:axes])
    speed = np.where(phi < 0, inside, 1.0)
    exact = np.abs(phi) / speed
    close(travel_time(phi, speed), exact)
    close(travel_time(-phi, speed), exact)
    band = travel_time(phi, speed, narrow=3)
    close(np.where(exact <= 3, np.ma.filled(band, np.nan), 0), np.where(exact <= 3, exact, 0))
    walled = np.ma.MaskedArray(phi, np.abs(phi + 3.7) < 0.1)
    masked = travel_time(walled, speed)
    close(masked.compressed(), exact[~masked.mask])
    assert (masked.mask == (phi < -3)).all()


@pytest.mark.parametrize("speeds", [(0.05, 1.0), (1.0, 0.05), (1.0, 3.0), (1.0, 1000.0)])
@pytest.mark.parametrize("periodic", [False, True])
def test_two_speeds_about_a_circle(speeds: tuple[float, float], periodic: bool) -> None:
    """The error, in time a node takes, is what it is for one speed, and falls with the spacing."""
    errors = []
    for side in (33, 65, 129):
        h = 2.0 / (side - 1)
        y, x = np.indices((side, side)) * h - 1
        phi = np.hypot(y, x) - 0.5
        speed = np.where(phi < 0, *speeds)
        times = travel_time(phi, speed, h, periodic=periodic)
        far = (np.hypot(y, x) > 0.15) & (np.hypot(y, x) < 0.9)
        error = np.abs(times * speed - np.abs(phi))[far]
        errors.append(error.mean())
        assert error.max() < 0.25 * h
        close(times * speed, np.abs(distance(phi, h, periodic=periodic)))
    assert errors[0] > errors[1] > errors[2]
    assert errors[0] > 4 * errors[2]


def test_two_speeds_about_a_sphere_and_a_thin_gap() -> None:
    """Where the front meets itself, times of one side do not depend on the other side's speed."""
    rng = np.random.default_rng(8)
    for shape in ((60,), (23, 25), (11, 12, 13)):
        phi = ndimage.gaussian_filter(rng.standard_normal(shape), 1.0)
        own = np.exp(0.5 * rng.standard_normal(shape))
        expected = travel_time(phi, own)
        for factor in (1e-3, 30.0):
            speed = np.where(phi > 0, own, factor * own)
            close(travel_time(phi, speed)[phi > 0], expected[phi > 0])
            close(travel_time(phi, speed)[phi < 0] * factor, expected[phi < 0])
