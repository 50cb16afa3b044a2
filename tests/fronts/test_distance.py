"""Distance, travel time and extension velocities: known answers, the reference, properties."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from arrival_cases import close
from fake_cupy import OnTheGpu
from invariances import at_any_threads, layouts
from lesionkit.fronts import distance, extension_velocities, travel_time
from reference.fronts import marching as reference

# --- known answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2])
def test_lines_are_exact(order: int) -> None:
    close(distance([-1, -1, 1, 1, 1], order=order), [-1.5, -0.5, 0.5, 1.5, 2.5])
    close(distance([-3.0, 1.0, 2.0], dx=0.5, order=order), [-0.375, 0.125, 0.625])
    close(distance([1, 0, 1, -1], dx=[2], order=order), [2, 0, 1, -1])
    close(travel_time([0, 1, 1], [2, 2, 4], order=order), [0, 0.5, [0.75, 5 / 6][order - 1]])
    plane = np.broadcast_to(np.arange(7.0)[:, None] - 2.25, (7, 5))
    close(distance(plane, dx=(0.5, 3), order=order), plane / 2)


def test_the_corner_of_a_square() -> None:
    """Values that LSMLIB and scikit-fmm give."""
    phi = np.ones((4, 4))
    phi[:2, :2] = -1
    half = math.sqrt(0.5) / 2
    expected = [
        [-1.30473785, -0.5, 0.5, 1.49923009],
        [-0.5, -half, 0.5, 1.45118446],
        [0.5, 0.5, 0.97140452, 1.76215286],
        [1.49923009, 1.45118446, 1.76215286, 2.33721352],
    ]
    np.testing.assert_allclose(distance(phi), expected, rtol=1e-8)
    first = distance(phi, order=1)
    np.testing.assert_allclose(first[2, 2], 0.5 + math.sqrt(0.5), rtol=1e-12)


def test_beside_a_point_order_2_does_not_reach_across() -> None:
    """Speed rises along the line: the stencil of the slow side must not use the fast side's time,
    which is less (scikit-fmm gives 0.328 for 0.909)."""
    phi = np.ones(41)
    phi[20] = 0
    speed = np.linspace(1.0, 1.3, 41)
    exact = np.abs(np.log(speed / speed[20])) / (speed[1] - speed[0])
    for order, error in ((1, 0.07), (2, 0.005)):
        assert np.abs(travel_time(phi, speed, order=order) - exact).max() < error
    assert travel_time(phi, speed)[19] == pytest.approx(1 / speed[19])


@pytest.mark.parametrize("side", [40, 80])
def test_a_circle_gains_an_order(side: int) -> None:
    y, x = np.indices((side, side)) * (2.0 / (side - 1)) - 1
    exact = np.hypot(y, x) - 0.5
    phi = (y**2 + x**2 - 0.25) * (1 + 0.3 * x)
    errors = [
        np.abs(distance(phi, 2.0 / (side - 1), order=order) - exact).mean() for order in (1, 2)
    ]
    assert errors[0] < 0.5 / side
    assert errors[1] < 0.2 / side


def test_the_contour_stays_when_distances_are_taken_again() -> None:
    """The area within them, a ball's distances, and those of a slanting plane."""
    y, x = np.indices((41, 43)) - np.array([20.2, 20.7])[:, None, None]
    shapes = {
        "circle": np.hypot(y, x) - 9.3,
        "ellipse": np.hypot(y, x / 1.5) - 6.2,
        "band": np.abs(0.8 * x + 0.6 * y) - 1.7,
    }

    def area(phi: np.ndarray) -> float:
        fine = ndimage.zoom(phi, 8, order=1, grid_mode=True, mode="nearest")
        return float(np.clip(0.5 - 4 * fine, 0, 1).sum() / 64)

    for name, phi in shapes.items():
        again = phi
        for _ in range(20):
            again = distance(again)
        change = area(again) / area(phi) - 1
        assert abs(change) < 0.002, (name, change)
    ball = (
        np.hypot(np.hypot(*(np.indices((17, 17, 17))[:2] - 8)), np.indices((17,) * 3)[2] - 8) - 5.2
    )
    again = distance(distance(distance(ball)))
    np.testing.assert_allclose(again[np.abs(ball) < 1], ball[np.abs(ball) < 1], atol=0.05)
    slant = 0.9 * np.cos(0.3) * x + 0.9 * np.sin(0.3) * y + 0.1
    inner = (slice(8, -8), slice(8, -8))
    near = np.abs(slant[inner]) < 1
    close(distance(slant)[inner][near], slant[inner][near] / 0.9)


@pytest.mark.parametrize("axes", [2, 3])
def test_a_linear_speed(axes: int) -> None:
    """v = v0 + g.(x - xs): T = arccosh(1 + |g|^2 r^2 / (2 v0 v)) / |g|."""
    shape, seed = (61, 47, 33)[:axes], (20, 31, 10)[:axes]
    g = np.array([0.01, -0.008, 0.012])[:axes]
    away = np.indices(shape) - np.reshape(seed, (-1, *[1] * axes))
    speed = 1 + np.tensordot(g, away, 1)
    norm = np.linalg.norm(g)
    exact = np.arccosh(1 + norm**2 * (away**2).sum(0) / (2 * speed)) / norm
    phi = np.ones(shape)
    phi[seed] = 0
    errors = [np.abs(travel_time(phi, speed, order=order) - exact).mean() for order in (1, 2)]
    assert errors[0] < 1.0
    assert errors[1] < 0.4


def test_the_extended_speed_is_constant_along_rays() -> None:
    y, x = np.indices((60, 70)) - np.array([31, 33])[:, None, None]
    angle = np.arctan2(y, x)
    d, speed = extension_velocities(np.hypot(y, x) - 18.3, 2 + np.cos(angle))
    far = np.hypot(y, x) > 6
    assert np.abs(speed - (2 + np.cos(angle)))[far].max() < 0.12
    np.testing.assert_array_equal(d, distance(np.hypot(y, x) - 18.3))
    assert extension_velocities([1, -1, 1, 1], [4, 1, 2, 2])[1].tolist() == [2.5, 2.5, 1.5, 1.5]
    masked = extension_velocities([-1, 1, 1], [4, 1, 2], ext_mask=[1, 0, 0])[1]
    assert masked.tolist() == [1, 1, 1]


# --- reference ------------------------------------------------------------------------------------


def problem(seed: int) -> dict[str, Any]:
    """A level set of a random kind, and everything else that may be given."""
    rng = np.random.default_rng(seed)
    axes = int(rng.integers(1, 5))
    shape = tuple(rng.integers(1, {1: 40, 2: 15, 3: 8, 4: 5}[axes], axes))
    phi = rng.standard_normal(shape)
    if rng.integers(2):
        phi = ndimage.gaussian_filter(phi, 1.2)
    phi[np.unravel_index(rng.integers(phi.size), shape)] = 0
    return {
        "phi": phi,
        "speed": np.exp(rng.choice([0.2, 1.0]) * rng.standard_normal(shape)),
        "closed": rng.random(shape) < rng.choice([0, 0.2]),
        "spacing": rng.uniform(0.3, 3, axes).tolist(),
        "wraps": (rng.random(axes) < rng.choice([0, 0.7])).tolist(),
        "narrow": float(rng.choice([np.inf, rng.uniform(0.3, 4)])),
        "unknown": rng.random(shape) < 0.3,
    }


def theirs(given_: dict[str, Any]) -> dict[str, Any]:
    """The same in the public functions' words."""
    return {
        "dx": given_["spacing"],
        "narrow": 0 if given_["narrow"] == np.inf else given_["narrow"],
        "periodic": given_["wraps"],
    }


def filled(answer: Any) -> np.ndarray:
    return np.ma.filled(answer, np.nan)


@given(seed=st.integers(0, 2**32 - 1), order=st.sampled_from([1, 2]))
def test_as_the_reference(seed: int, order: int) -> None:
    p = problem(seed)
    rest = theirs(p) | {"order": order}
    named = {name: p[name] for name in ("closed", "spacing", "wraps", "narrow")} | {"order": order}
    phi = np.ma.MaskedArray(p["phi"], p["closed"])
    if p["closed"].all() or not reference_has_front(p):
        with pytest.raises(ValueError, match="no zero contour"):
            distance(phi, **rest)
        return
    expected = reference.march(p["phi"], **named, carried=p["speed"], unknown=p["unknown"])
    found, speed = extension_velocities(phi, p["speed"], ext_mask=p["unknown"], **rest)
    sign = np.where(p["phi"] < 0, -1, 1)
    close(filled(found), sign * expected[0])
    close(filled(speed), expected[1])
    close(filled(distance(phi, **rest)), sign * expected[0])
    times = travel_time(phi, p["speed"], **rest)
    close(filled(times), reference.march(p["phi"], p["speed"], **named)[0])


def reference_has_front(p: dict[str, Any]) -> bool:
    grid = reference.Grid(p["phi"], p["closed"], p["spacing"], p["wraps"])
    return bool(reference.start(grid, p["speed"], p["speed"], p["unknown"])[0])


@pytest.mark.parametrize("shape", [(5000,), (90, 133), (20, 31, 42)])
def test_sweeps_and_march_are_one_answer(shape: tuple[int, ...]) -> None:
    """With more axes of one node the same problem is marched, node by node."""
    rng = np.random.default_rng(len(shape))
    phi = ndimage.gaussian_filter(rng.standard_normal(shape), 4)
    speed = np.exp(ndimage.gaussian_filter(rng.standard_normal(shape), 3))
    speed[rng.random(shape) < 0.1] = 0
    dx = [0.7, 1.3, 0.4][: phi.ndim]
    longer, more = (*shape, *[1] * (4 - phi.ndim)), [1] * (4 - phi.ndim)
    for narrow in (0, 3.0):
        swept = travel_time(phi, speed, dx, order=1, narrow=narrow)
        marched = travel_time(
            phi.reshape(longer), speed.reshape(longer), [*dx, *more], order=1, narrow=narrow
        )
        close(filled(swept), filled(marched).reshape(shape))


# --- properties -----------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1), order=st.sampled_from([1, 2]))
def test_symmetries(seed: int, order: int) -> None:
    p = problem(seed)
    rest = theirs(p) | {"order": order}
    phi, speed = p["phi"], p["speed"]
    found = filled(distance(phi, **rest))
    close(filled(distance(-phi, **rest)), -found)
    close(filled(travel_time(phi, np.ones(phi.shape), **rest)), np.abs(found))
    close(filled(distance(phi * 1e-9, **rest)), found)
    times = filled(travel_time(phi, speed, **rest))
    twice = rest | {"dx": 2 * np.array(rest["dx"])}
    close(filled(travel_time(phi, 2 * speed, **twice)), times)
    turned = rest | {"dx": rest["dx"][::-1], "periodic": rest["periodic"][::-1]}
    close(filled(travel_time(phi.T, speed.T, **turned)), times.T)
    close(filled(travel_time(np.flip(phi), np.flip(speed), **rest)), np.flip(times))


@given(seed=st.integers(0, 2**32 - 1), order=st.sampled_from([1, 2]))
def test_periodic_axes_have_no_ends(seed: int, order: int) -> None:
    p = problem(seed)
    rest = theirs(p) | {"order": order, "periodic": True}
    by = np.random.default_rng(seed).integers(-9, 9, p["phi"].ndim)
    axes = tuple(range(p["phi"].ndim))
    times = filled(travel_time(p["phi"], p["speed"], **rest))
    rolled = travel_time(np.roll(p["phi"], by, axes), np.roll(p["speed"], by, axes), **rest)
    close(filled(rolled), np.roll(times, by, axes))


@pytest.mark.parametrize("order", [1, 2])
def test_a_narrow_band_is_a_part_of_the_whole(order: int) -> None:
    phi = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((50, 60)), 5)
    whole = distance(phi, 0.5, order=order)
    band = distance(phi, 0.5, order=order, narrow=2)
    np.testing.assert_array_equal(band.mask, np.abs(whole) > 2)
    close(band.compressed(), whole[~band.mask])
    assert (band.data[band.mask] == 0).all()
    assert type(distance(phi, narrow=1e9)) is np.ndarray


@pytest.mark.parametrize("axes", [1, 2, 3, 4])
def test_order_2_never_fails(axes: int) -> None:
    """Noise is where other programs find no root. Times are those of a front: not before the
    earliest of their neighbours."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        shape = tuple(rng.integers(2, {1: 300, 2: 40, 3: 14, 4: 7}[axes], axes))
        phi = np.round(3 * rng.standard_normal(shape)) if seed % 2 else rng.standard_normal(shape)
        speed = 10.0 ** rng.uniform(-8, 8, shape)
        phi.flat[0] = 0
        times = travel_time(phi, speed, dx=10.0 ** rng.uniform(-3, 3, axes))
        assert type(times) is np.ndarray
        assert (times >= 0).all()
        footprint = ndimage.generate_binary_structure(axes, 1)
        earliest = ndimage.minimum_filter(times, footprint=footprint, mode="nearest")
        front = np.abs(distance(phi)) < 1
        assert (earliest < times)[~front & (times > 0)].all()


@pytest.mark.parametrize("order", [1, 2])
def test_threads_change_no_bit(order: int) -> None:
    rng = np.random.default_rng(3)
    phi = ndimage.gaussian_filter(rng.standard_normal((300, 400)), 4)
    speed = np.exp(ndimage.gaussian_filter(rng.standard_normal(phi.shape), 1))
    at_any_threads(lambda: extension_velocities(phi, speed, order=order))
    at_any_threads(lambda: (distance(phi, order=order), travel_time(phi, speed, order=order)))


def test_order_strides_lists_integers_and_read_only_arrays() -> None:
    phi = np.round(3 * np.random.default_rng(4).standard_normal((14, 15))).astype(int)
    speed = 1 + phi**2
    expected = travel_time(phi * 1.0, speed * 1.0)
    kept = phi.copy(), speed.copy()
    for other in (
        *layouts(phi),
        phi.astype(np.float32),
    ):
        result = travel_time(other, speed)
        assert result.dtype == np.float64
        np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(travel_time(phi, speed.tolist()), expected)
    np.testing.assert_array_equal((phi, speed), kept)


def test_walls_masks_and_regions_apart() -> None:
    speed = np.ones((5, 7))
    speed[:, 3] = 0
    phi = np.ones((5, 7))
    phi[2, 1] = 0
    for order in (1, 2):
        times = travel_time(phi, speed, order=order)
        np.testing.assert_array_equal(times.mask, np.arange(7) >= 3 + np.zeros((5, 1)))
        masked_speed = travel_time(phi, np.ma.masked_equal(speed, 0), order=order)
        np.testing.assert_array_equal(masked_speed.mask, times.mask)
        masked = distance(np.ma.MaskedArray(phi, speed == 0), order=order)
        np.testing.assert_array_equal(masked.mask, times.mask)
        close(masked.compressed(), times.compressed())
    np.testing.assert_array_equal(times, travel_time(phi, np.where(speed == 0, 1e-300, speed)))
    hidden = np.ma.MaskedArray(np.where(speed == 0, np.nan, phi), speed == 0)
    close(filled(distance(hidden)), filled(masked))
    assert type(distance(np.ma.MaskedArray(phi))) is np.ndarray


def test_tiny_and_huge_spacings() -> None:
    phi = ndimage.gaussian_filter(np.random.default_rng(5).standard_normal((20, 21)), 2)
    for order in (1, 2):
        expected = distance(phi, order=order)
        for scale in (1e-100, 1e-12, 1e9, 1e100):
            close(distance(phi, scale, order=order) / scale, expected)


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "error", "message"),
    [
        ({"order": 0}, ValueError, "^order must be 1 or 2$"),
        ({"order": 1.5}, TypeError, "float"),
        ({"self_test": 44}, ValueError, "^self_test must be 0 or 1$"),
        ({"narrow": -1}, ValueError, '^parameter "narrow" must be greater than or equal to zero.$'),
        ({"narrow": np.nan}, ValueError, 'parameter "narrow" must be greater'),
        ({"periodic": (1,)}, ValueError, 'parameter "periodic" must be of type bool or sequence'),
        ({"periodic": 1}, ValueError, 'parameter "periodic" must be of type bool or sequence'),
        ({"dx": 0}, ValueError, "^dx must be greater than zero$"),
        ({"dx": (1, np.nan)}, ValueError, "^dx must be greater than zero$"),
        ({"dx": (1, np.inf)}, ValueError, "^dx must be finite$"),
        ({"dx": (1, 1, 1)}, ValueError, r"^dx must be of length len\(phi.shape\)$"),
        ({"dx": "wide"}, ValueError, "^dx must be a 1D array of doubles$"),
        ({"dx": [[1, 1]]}, ValueError, "^dx must be a 1D array of doubles$"),
        ({"phi": [["a", "b"]]}, ValueError, "^phi must be a 1 to 12-D array of doubles$"),
        ({"phi": [[1j, 2]]}, ValueError, "^phi must be a 1 to 12-D array of doubles$"),
        ({"phi": [[1], [2, 3]]}, ValueError, "^phi must be a 1 to 12-D array of doubles$"),
        ({"phi": 3.0}, ValueError, "^phi must be a 1 to 12-D array of doubles$"),
        ({"phi": np.ones((1,) * 13)}, ValueError, "^phi must be a 1 to 12-D array of doubles$"),
        ({"phi": [[1, 1]]}, ValueError, r"^the array phi contains no zero contour \(no zero level"),
        ({"phi": np.ones((3, 0))}, ValueError, "the array phi contains no zero contour"),
        ({"phi": [[1, np.nan, -1]]}, ValueError, "^phi must be finite, got 1 NaN or infinite$"),
        ({"phi": OnTheGpu()}, TypeError, "phi must be a NumPy or CuPy array or a torch tensor"),
        ({"speed": [[1, 1]]}, ValueError, "^phi and speed must have the same shape$"),
        ({"speed": 2}, ValueError, "^speed must be a 1D to 12-D array of doubles$"),
        ({"speed": [["a"] * 3] * 2}, ValueError, "^speed must be a 1D to 12-D array of doubles$"),
        ({"speed": np.full((2, 3), np.nan)}, ValueError, "^speed must be finite, got 6 NaN or"),
        ({"ext_mask": [[1]]}, ValueError, "^phi and ext_mask must have the same shape$"),
    ],
)
def test_mistakes(given_: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {"phi": [[-1, 1, 1], [1, 1, 1]], "speed": np.ones((2, 3))} | given_
    speed = arguments.pop("speed")
    if "phi" in given_:
        with pytest.raises(error, match=message):
            distance(**arguments)
        return
    if "ext_mask" not in given_:
        with pytest.raises(error, match=message):
            travel_time(speed=speed, **arguments)
        if "speed" not in given_:
            with pytest.raises(error, match=message):
                distance(**arguments)
    with pytest.raises(error, match=message):
        extension_velocities(speed=speed, **arguments)
