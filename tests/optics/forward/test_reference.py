"""The slow truths, held to what is older than they: printed vectors, closed forms, mpmath."""

import math

import mpmath
import numpy as np
import pytest

from reference import optics as reference
from reference.optics_inclusions import disc_with_inclusions
from reference.optics_solid import sphere_series

# Everything is summed in 40 digits or more, and rounded to a double once.
ONE_ROUNDING = 1e-15
# Sums of some hundred doubles of the same size.
ROUNDING = 1e-13

TISSUE = {"radius": 41, "absorption": 0.02, "scattering": 1.5}  # rim fluence spans 12 decades


# --- the ball ------------------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", [0.0, 1e8])
def test_ball_against_40_digits(frequency):
    """The sum term by term, with mpmath's Bessel functions and Legendre polynomials."""
    radius, source, mua, mus, angles = 10, 8, 0.02, 1.5, [0.3, 2.0]
    found = sphere_series(radius, mua, mus, source, angles, frequency=frequency)
    with mpmath.workdps(40):
        d = 1 / (3 * (mpmath.mpf(mua) + mpmath.mpf(mus)))
        loss = mpmath.mpf(mua)
        if frequency:
            loss -= 2j * mpmath.pi * frequency * mpmath.mpf(1.33) / reference.SPEED_OF_LIGHT
        k = mpmath.sqrt(loss / d)

        def bessel(order, x):
            return mpmath.sqrt(mpmath.pi / (2 * x)) * mpmath.besseli(order + mpmath.mpf(0.5), x)

        for value, angle in zip(found, angles, strict=True):
            total = mpmath.mpf(0)
            for order in range(200):
                x = k * radius
                rise = k * (bessel(order + 1, x) + order / x * bessel(order, x))
                bottom = d * rise + reference.robin_coefficient(1.33) * bessel(order, x)
                share = bessel(order, k * source) / bottom
                total += (2 * order + 1) * mpmath.legendre(order, mpmath.cos(angle)) * share
            # 1e3 terms of a double, the largest 1e2 times the sum
            assert value == pytest.approx(complex(total / (4 * mpmath.pi * radius**2)), rel=1e-11)


# --- the disc ------------------------------------------------------------------------------------


def direct_sum(source_radius, angles, frequency=0.0, n=1.33, terms=0):
    """The series as it is printed, with mpmath's own Bessel functions, in 50 digits."""
    with mpmath.workdps(50):
        big_r, mua, mus = mpmath.mpf(41), mpmath.mpf(0.02), mpmath.mpf(1.5)
        d = 1 / (3 * (mua + mus))
        c = mpmath.mpf(reference.SPEED_OF_LIGHT)
        loss = mua - 2j * mpmath.pi * frequency * n / c if frequency else mua
        k = mpmath.sqrt(loss / d)
        ksi = reference.robin_coefficient(n)
        total = [mpmath.mpf(0)] * len(angles)
        for m in range(terms):
            i_m = mpmath.besseli(m, k * big_r)
            slope = (mpmath.besseli(m - 1, k * big_r) + mpmath.besseli(m + 1, k * big_r)) / 2
            term = mpmath.besseli(m, k * source_radius) / (d * k * slope + ksi * i_m)
            for i, angle in enumerate(angles):
                total[i] += (2 if m else 1) * mpmath.cos(m * mpmath.mpf(angle)) * term
        return np.array([complex(t / (2 * mpmath.pi * big_r)) for t in total])


@pytest.mark.parametrize(
    ("source_radius", "terms", "frequency"), [(30, 250, 0.0), (30, 250, 1e8), (40, 3000, 0.0)]
)
def test_series_against_a_40_digit_sum(source_radius, terms, frequency):
    angles = [0.3, 2.0, math.pi]
    expected = direct_sum(source_radius, angles, frequency, terms=terms)
    phi = reference.disc_series(
        **TISSUE, source_radius=source_radius, angles=angles, frequency=frequency
    )
    assert phi.dtype == (complex if frequency else float)
    np.testing.assert_allclose(phi, expected, rtol=ONE_ROUNDING)


def test_series_with_the_source_at_the_centre():
    d, ksi = 1 / (3 * 1.52), reference.robin_coefficient(1.33)
    k = math.sqrt(0.02 / d)
    slope, value = (float(mpmath.besseli(m, 41 * k)) for m in (1, 0))
    expected = 1 / (2 * math.pi * 41 * (d * k * slope + ksi * value))
    phi = reference.disc_series(**TISSUE, source_radius=0, angles=[0.0, 1.0])
    np.testing.assert_allclose(phi, expected, rtol=1e-13)  # I_0(k R) from k rounded to a double


def test_series_refuses_a_source_outside():
    with pytest.raises(ValueError, match="inside"):
        reference.disc_series(**TISSUE, source_radius=41, angles=[0.0])


# --- inclusions in the disc ----------------------------------------------------------------------

SOURCE, ANGLES = (40.0, 0.0), np.linspace(0.4, 6.0, 15)


def concentric(radius, inner, tissue, inside, angles, orders=80):
    """What an inclusion about the centre adds at the rim, order by order, in 30 digits."""
    with mpmath.workdps(30):
        d0, d1 = (1 / (3 * (mpmath.mpf(mua) + mpmath.mpf(mus))) for mua, mus in (tissue, inside))
        k0, k1 = (mpmath.sqrt(t[0] / d) for t, d in ((tissue, d0), (inside, d1)))
        ksi = reference.robin_coefficient(1.33)
        i_, k_ = mpmath.besseli, mpmath.besselk

        def k_slope(m, x):
            return -(k_(m - 1, x) + k_(m + 1, x)) / 2

        added = [mpmath.mpf(0)] * len(angles)
        for m in range(orders):
            # the light of the source inside its own radius, and its answer from the rim: e I_m
            rim_i = d0 * k0 * i_(m, k0 * radius, 1) + ksi * i_(m, k0 * radius)
            rim_k = d0 * k0 * k_slope(m, k0 * radius) + ksi * k_(m, k0 * radius)
            back = -rim_k / rim_i
            x, y = k0 * inner, k1 * inner
            e = (k_(m, k0 * SOURCE[0]) + back * i_(m, k0 * SOURCE[0])) / (2 * mpmath.pi * d0)
            # c I_m(k1 r) within; outside (e + b back) I_m(k0 r) + b K_m(k0 r)
            outer = k_(m, x) + back * i_(m, x)
            slope = k_slope(m, x) + back * i_(m, x, 1)
            own = d1 * k1 * i_(m, y, 1) / i_(m, y)
            b = -e * (d0 * k0 * i_(m, x, 1) - own * i_(m, x)) / (d0 * k0 * slope - own * outer)
            here = b * (k_(m, k0 * radius) + back * i_(m, k0 * radius))
            for i, angle in enumerate(angles):
                added[i] += (2 if m else 1) * mpmath.cos(m * mpmath.mpf(float(angle))) * here
        return np.array([float(a) for a in added])


def test_multipoles_of_an_inclusion_about_the_centre():
    tissue, inside = (0.01, 1.0), (0.03, 1.4)
    homogeneous = reference.disc_series(41, *tissue, SOURCE[0], ANGLES)
    expected = homogeneous + concentric(41, 25, tissue, inside, ANGLES)
    found = disc_with_inclusions(41, *tissue, [(0, 0, 25, *inside)], SOURCE, ANGLES)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13 * expected.max())


def test_inclusions_of_the_background_are_not_seen():
    tissue = 0.01, 1.0
    seen = (-12, 8, 9, 0.02, 1.2)
    ghost = (14, -6, 8, *tissue)
    alone = disc_with_inclusions(41, *tissue, [seen], SOURCE, ANGLES)
    both = disc_with_inclusions(41, *tissue, [ghost, seen], SOURCE, ANGLES)
    np.testing.assert_allclose(both, alone, rtol=1e-12)
    none = disc_with_inclusions(41, *tissue, [ghost], SOURCE, ANGLES)
    np.testing.assert_allclose(none, reference.disc_series(41, *tissue, 40, ANGLES), rtol=1e-12)
    assert np.abs(alone / none - 1).max() > 0.1


def test_multipoles_of_more_orders_are_the_same():
    # an inclusion 2 mm from the rim, beside the source
    near = [(30.9 * math.cos(0.1), 30.9 * math.sin(0.1), 8, 0.03, 1.3)]
    found = [
        disc_with_inclusions(41, 0.01, 1.0, near, SOURCE, ANGLES, waves=n, terms=m)
        for n, m in ((30, 300), (40, 450))
    ]
    np.testing.assert_allclose(*found, rtol=1e-8, atol=1e-13 * found[1].max())


# --- finite elements -----------------------------------------------------------------------------


def disc(radius, rings, six=False):
    """A disc of rings of 6, 12, 18 ... nodes; six-node triangles, if asked, follow the rim."""
    places, ring = [(0.0, 0.0)], [[0]]
    for r in range(1, rings + 1):
        ring.append(list(range(len(places), len(places) + 6 * r)))
        for i in range(6 * r):
            angle = 2 * math.pi * i / (6 * r)
            places.append(
                (radius * r / rings * math.cos(angle), radius * r / rings * math.sin(angle))
            )
    elements = []
    for r in range(1, rings + 1):
        inner, outer = ring[r - 1], ring[r]
        for i in range(6 * r):
            sector, along = divmod(i, r)
            low = sector * (r - 1) + along
            here, following = outer[i], outer[(i + 1) % len(outer)]
            elements.append([here, following, inner[low % len(inner)]])
            if along < r - 1:
                elements.append([inner[low], following, inner[(low + 1) % len(inner)]])
    if six:
        places, elements = with_middles(places, elements)
        for a, b, middle in reference.boundary_edges(elements):
            x, y = np.add(places[a], places[b])
            places[middle] = (radius * x / math.hypot(x, y), radius * y / math.hypot(x, y))
    return np.array(places), np.array(elements), ring[-1]


def with_middles(places, elements):
    places, middles = [tuple(p) for p in places], {}
    longer = []
    for element in elements:
        extra = []
        for i in range(3):
            ends = frozenset((element[i], element[(i + 1) % 3]))
            if ends not in middles:
                middles[ends] = len(places)
                places.append(tuple(np.mean([places[n] for n in ends], axis=0)))
            extra.append(middles[ends])
        longer.append([*element, *extra])
    return places, longer


def test_unit_triangle():
    """kappa K + mua M + ksi B of the triangle (0,0) (1,0) (0,1), by hand."""
    nodes, element = np.array([[0.0, 0], [1, 0], [0, 1]]), [[0, 1, 2]]
    mua, mus = 0.3, 0.7
    stiffness = np.array([[2, -1, -1], [-1, 1, 0], [-1, 0, 1]]) / 2 / 3
    mass = 0.3 * (np.ones((3, 3)) + np.eye(3)) / 24
    edge = reference.robin_coefficient(1.4) / 6
    slant = math.sqrt(2)
    rim = edge * np.array([[4, 1, 1], [1, 2 + 2 * slant, slant], [1, slant, 2 + 2 * slant]])
    for at, count in (("nodes", 3), ("elements", 1)):
        matrix = reference.fem_matrix(
            nodes, element, [mua] * count, [mus] * count, at=at, refractive_index=1.4
        )
        np.testing.assert_allclose(matrix, stiffness + mass + rim, rtol=0, atol=ROUNDING)


def test_mass_of_a_linear_property_is_the_exact_cubic_integral():
    """int L_p L_i L_j = 2 |e| a! b! c! / 5!, with a, b, c how often each corner appears."""
    nodes, element = np.array([[0.0, 0], [3, 0], [1, 2]]), [[0, 1, 2]]
    mua = np.array([0.1, 0.5, 0.2])
    kappa = 0.25
    mus = 1 / (3 * kappa) - mua  # so that only the mass varies
    flat = reference.fem_matrix(nodes, element, np.zeros(3), 1 / (3 * np.full(3, kappa)))
    mass = np.zeros((3, 3))
    for p in range(3):
        for i in range(3):
            for j in range(3):
                times = [[p, i, j].count(corner) for corner in range(3)]
                mass[i, j] += mua[p] * 2 * 3 * math.prod(map(math.factorial, times)) / 120
    matrix = reference.fem_matrix(nodes, element, mua, mus)
    np.testing.assert_allclose(matrix - flat, mass, rtol=0, atol=ROUNDING)


def test_mass_of_the_six_node_triangle():
    """A / 180 times the integers of every textbook."""
    places, element = with_middles([(0.0, 0.0), (3.0, 0.0), (1.0, 2.0)], [[0, 1, 2]])
    both = [
        reference.fem_matrix(np.array(places), element, [mua], [1 - mua], at="elements")
        for mua in (0.0, 0.5)
    ]
    integers = np.array(
        [
            [6, -1, -1, 0, -4, 0],
            [-1, 6, -1, 0, 0, -4],
            [-1, -1, 6, -4, 0, 0],
            [0, 0, -4, 32, 16, 16],
            [-4, 0, 0, 16, 32, 16],
            [0, -4, 0, 16, 16, 32],
        ]
    )
    mass = 0.5 * 3 / 180 * integers
    np.testing.assert_allclose(both[1] - both[0], mass, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("frequency", [0.0, 1e8])
def test_six_nodes_contain_three(frequency):
    """With the same linear kappa and mua, the quadratic matrix holds the linear one."""
    nodes, elements, _ = disc(20, 2)
    places, longer = with_middles(nodes, elements)
    places = np.array(places)
    mua, kappa = 0.01 + 0.0002 * places[:, 0], 0.3 + 0.003 * places[:, 1]
    mus = 1 / (3 * kappa) - mua
    linear = np.zeros((len(places), len(nodes)))  # values at all nodes from those at corners
    linear[: len(nodes)] = np.eye(len(nodes))
    for element in longer:
        for i in range(3):
            linear[element[3 + i]] = 0
            linear[element[3 + i], [element[i], element[(i + 1) % 3]]] = 0.5
    small = reference.fem_matrix(
        nodes, elements, mua[: len(nodes)], mus[: len(nodes)], frequency=frequency
    )
    large = reference.fem_matrix(places, longer, mua, mus, frequency=frequency)
    np.testing.assert_allclose(linear.T @ large @ linear, small, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("frequency", [0.0, 1e8])
def test_matrix_is_symmetric_and_sums_to_the_losses(frequency):
    nodes, elements, rim = disc(20, 2, six=True)
    mua, mus = np.full(len(nodes), 0.01), np.full(len(nodes), 1.0)
    matrix = reference.fem_matrix(nodes, elements, mua, mus, frequency=frequency)
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=ROUNDING)
    loss = 0.01 - 1j * 2 * math.pi * frequency * 1.33 / reference.SPEED_OF_LIGHT
    ksi = reference.robin_coefficient(1.33)
    # The rim, 12 parabolas through points of the circle, is the circle to 2e-4.
    assert len(rim) == 12
    expected = loss * math.pi * 20**2 + ksi * 2 * math.pi * 20
    assert abs(matrix.sum() / expected - 1) < 2e-4


def rim_error(rings, six):
    """Largest error of rim readings against the series, source half-way out, relative."""
    nodes, elements, rim = disc(20, rings, six)
    mua, mus = np.full(len(nodes), 0.01), np.full(len(nodes), 1.0)
    matrix = reference.fem_matrix(nodes, elements, mua, mus)
    source = reference.barycentric_source(nodes, elements, (10.0, 0.0))
    at_rim = np.eye(len(nodes))[rim]
    phi = reference.readings(matrix, [source], at_rim)[0]
    angles = np.arctan2(*nodes[rim].T[::-1])
    truth = reference.disc_series(20, 0.01, 1.0, 10, angles, digits=20)
    return np.abs(phi / truth - 1).max()


def test_linear_elements_converge_to_the_series():
    coarse, fine = rim_error(4, six=False), rim_error(8, six=False)
    assert fine < 0.1
    assert 3.3 < coarse / fine < 5  # order 2: half the size, a quarter of the error


def test_quadratic_elements_converge_faster():
    coarse, fine = rim_error(3, six=True), rim_error(6, six=True)
    assert fine < 0.02
    assert coarse / fine > 7  # order 3: half the size, an eighth of the error


@pytest.mark.parametrize("six", [False, True])
def test_source_weights_reproduce_places(six):
    nodes, elements, _ = disc(20, 2, six)
    for point in [(3.0, 4.0), (-15.0, 2.5), (20.0, 0.0), (0.0, 0.0)]:
        weights = reference.barycentric_source(nodes, elements, point)
        assert weights.sum() == pytest.approx(1, abs=ROUNDING)
        np.testing.assert_allclose(weights @ nodes, point, rtol=0, atol=ROUNDING * 20)
    with pytest.raises(ValueError, match="outside"):
        reference.barycentric_source(nodes, elements, (21.0, 0.0))


def test_readings_are_reciprocal():
    nodes, elements, _ = disc(20, 2)
    rng = np.random.default_rng(5)
    mua, mus = rng.uniform(0.005, 0.02, len(elements)), rng.uniform(0.5, 2, len(elements))
    matrix = reference.fem_matrix(nodes, elements, mua, mus, at="elements", frequency=1e8)
    a, b = (reference.barycentric_source(nodes, elements, p) for p in ((15.0, 1.0), (-3.0, 9.0)))
    there = reference.readings(matrix, [a], [b])
    back = reference.readings(matrix, [b], [a])
    assert there.shape == (1, 1)
    np.testing.assert_allclose(there, back, rtol=1e-12)  # a solve of condition about 100
