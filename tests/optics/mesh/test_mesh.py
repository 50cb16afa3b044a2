"""Meshes: known areas and counts, a plain-loop search, invariances, and each mistake's message."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionkit.optics.mesh.disc import disc_mesh
from lesionkit.optics.mesh.mesh import Mesh
from mesh_cases import FOUR, SQUARE, grid, loop_area

# known answers


def test_square() -> None:
    mesh = Mesh(SQUARE, FOUR)
    np.testing.assert_array_equal(mesh.areas, [1, 1, 1, 1])
    np.testing.assert_array_equal(mesh.boundary, [[0, 1], [1, 2], [2, 3], [3, 0]])
    np.testing.assert_array_equal(mesh.corners, FOUR)
    assert mesh.order == 1
    assert repr(mesh) == "Mesh(5 nodes, 4 triangles of order 1)"


def test_one_triangle_is_a_mesh() -> None:
    mesh = Mesh([[0, 0], [3, 0], [0, 4]], [[0, 1, 2]])
    assert mesh.areas == [6]
    assert mesh.boundary.tolist() == [[0, 1], [1, 2], [2, 0]]


@pytest.mark.parametrize(("wanted", "rings"), [(1801, 24), (1, 8), (7057, 48), (5000, 40)])
def test_disc_has_the_promised_counts(wanted: int, rings: int) -> None:
    mesh = disc_mesh(nodes=max(wanted, 7))
    nodes, elements, rim = len(mesh.nodes), len(mesh.elements), len(mesh.boundary)
    assert (nodes, elements, rim) == (1 + 3 * rings * (rings + 1), 6 * rings**2, 6 * rings)
    edges = (3 * elements + rim) // 2
    assert nodes - edges + elements == 1  # Euler's characteristic of a disc


@pytest.mark.parametrize("rings", [1, 2, 5, 24])
def test_disc_is_the_regular_polygon_of_its_rim(rings: int) -> None:
    mesh = disc_mesh(radius=10, nodes=1 + 3 * rings * (rings + 1), optodes=6)
    sides = 6 * rings
    assert len(mesh.boundary) == sides
    area = sides * 100 * math.sin(2 * math.pi / sides) / 2
    assert mesh.areas.sum() == pytest.approx(area, rel=1e-13)  # sums of some 10^3 terms
    lengths = np.linalg.norm(np.diff(mesh.nodes[mesh.boundary], axis=1)[:, 0], axis=1)
    np.testing.assert_allclose(lengths, 20 * math.sin(math.pi / sides), rtol=1e-12)
    first = mesh.nodes[mesh.boundary[0, 0]]
    np.testing.assert_array_equal(first, [10, 0])


def test_disc_takes_the_nearest_count() -> None:
    counts = np.array([1 + 3 * n * (n + 1) for n in range(1, 40)])
    for wanted in range(7, 1500, 31):
        found = len(disc_mesh(nodes=wanted, optodes=1).nodes)
        assert abs(found - wanted) == np.abs(counts - wanted).min()


@pytest.mark.parametrize("optodes", [1, 5, 6, 16, 24, 32])
def test_every_optode_lies_on_a_node_of_the_rim(optodes: int) -> None:
    mesh = disc_mesh(radius=30, nodes=900, optodes=optodes)
    rim = mesh.nodes[mesh.boundary[:, 0]]
    angle = 2 * np.pi * np.arange(optodes) / optodes
    places = 30 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    nearest = np.linalg.norm(rim[None] - places[:, None], axis=2).min(axis=1)
    assert nearest.max() < 1e-13 * 30


def test_quadratic_keeps_corners_and_adds_middles() -> None:
    mesh = disc_mesh(nodes=217)
    fine = mesh.to_quadratic()
    edges = (3 * len(mesh.elements) + len(mesh.boundary)) // 2
    assert (fine.order, len(fine.nodes)) == (2, len(mesh.nodes) + edges)
    np.testing.assert_array_equal(fine.corners, mesh.elements)
    np.testing.assert_array_equal(fine.nodes[: len(mesh.nodes)], mesh.nodes)
    np.testing.assert_array_equal(fine.boundary[:, :2], mesh.boundary)
    np.testing.assert_array_equal(fine.areas, mesh.areas)
    for first, second, middle in ((0, 1, 3), (1, 2, 4), (2, 0, 5)):
        ends = mesh.nodes[mesh.elements[:, [first, second]]]
        np.testing.assert_array_equal(fine.nodes[fine.elements[:, middle]], ends.mean(axis=1))
    ends, middles = fine.nodes[fine.boundary[:, :2]], fine.nodes[fine.boundary[:, 2]]
    np.testing.assert_array_equal(middles, ends.mean(axis=1))
    assert fine.to_quadratic() is fine


def test_tetrahedra_have_volumes_and_faces() -> None:
    nodes = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=float)
    mesh = Mesh(nodes, [[0, 1, 3, 2], [1, 2, 3, 4]])  # the first is turned inside out
    np.testing.assert_allclose(mesh.areas, [1 / 6, 1 / 3], rtol=1e-15)
    assert mesh.boundary.shape == (6, 3)
    faces = nodes[mesh.boundary]
    out = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    volume = np.einsum("ij,ij->", faces[:, 0], out) / 6  # Gauss
    assert volume == pytest.approx(0.5, rel=1e-15)
    element, weight = mesh.locate([[0.1, 0.2, 0.3], [0.6, 0.6, 0.6], [2, 0, 0]])
    assert element.tolist() == [0, 1, -1]
    places = np.einsum("kc,kcd->kd", weight[:2], nodes[mesh.elements[element[:2]]])
    np.testing.assert_allclose(places, [[0.1, 0.2, 0.3], [0.6, 0.6, 0.6]], rtol=1e-14)
    with pytest.raises(ValueError, match="only a mesh of 6-node triangles has quarters"):
        _ = mesh.to_quadratic().quarters


def test_clockwise_elements_are_turned() -> None:
    turned = Mesh(SQUARE, np.where([[1], [0], [1], [0]], FOUR[:, ::-1], FOUR))
    assert (turned.areas > 0).all()
    assert [sorted(row) for row in turned.elements.tolist()] == np.sort(FOUR, axis=1).tolist()
    assert turned.boundary.tolist() == Mesh(SQUARE, FOUR).boundary.tolist()
    fine = Mesh(SQUARE, FOUR).to_quadratic()
    clockwise = fine.elements[:, [2, 1, 0, 4, 3, 5]]
    again = Mesh(fine.nodes, clockwise)
    assert (again.areas > 0).all()
    assert again.boundary.tolist() == fine.boundary.tolist()


def test_curved_rim_of_six_node_triangles_is_accepted() -> None:
    fine = disc_mesh(radius=10, nodes=217).to_quadratic()
    nodes = fine.nodes.copy()
    middles = fine.boundary[:, 2]
    nodes[middles] *= 10 / np.linalg.norm(nodes[middles], axis=1, keepdims=True)
    np.testing.assert_array_equal(Mesh(nodes, fine.elements).areas, fine.areas)  # as documented


# a value


def test_arrays_are_own_and_read_only() -> None:
    nodes, elements = SQUARE.copy(), FOUR.astype(np.int32)
    mesh = Mesh(nodes, elements)
    nodes[:], elements[:] = 0, 0
    np.testing.assert_array_equal(mesh.nodes, SQUARE)
    np.testing.assert_array_equal(mesh.elements, FOUR)
    for name in ("nodes", "elements", "areas", "boundary", "corners"):
        array = getattr(mesh, name)
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert (mesh.nodes.dtype, mesh.elements.dtype) == (np.float64, np.int32)
    assert mesh.boundary.dtype == np.int32
    with pytest.raises(dataclasses.FrozenInstanceError):
        mesh.nodes = SQUARE


def test_copies_and_pickles_are_meshes() -> None:
    mesh = disc_mesh(nodes=217).to_quadratic()
    for other in (pickle.loads(pickle.dumps(mesh)), copy.deepcopy(mesh)):
        for name in ("nodes", "elements", "areas", "boundary"):
            np.testing.assert_array_equal(getattr(other, name), getattr(mesh, name))
            assert not getattr(other, name).flags.writeable
    moved = dataclasses.replace(mesh, nodes=2 * mesh.nodes)
    np.testing.assert_allclose(moved.areas, 4 * mesh.areas, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint64, ">i8"])
def test_any_integers_will_do(dtype: str) -> None:
    mesh = Mesh(SQUARE[:, ::-1], np.asfortranarray(FOUR.astype(dtype)))
    assert mesh.elements.dtype == np.int32
    assert loop_area(mesh) == 4


# locate, against plain loops


def slow_locate(mesh: Mesh, point: np.ndarray) -> tuple[int, list[float]]:
    """The element whose nearest side is furthest from the point, by signed areas."""
    best, weights, deepest = -1, [math.nan] * 3, -1e-12 * np.abs(mesh.nodes).max()
    for number, corners in enumerate(mesh.corners):
        vertices = mesh.nodes[corners]
        parts, depths = [], []
        for k in range(3):
            (ax, ay), (bx, by) = vertices[(k + 1) % 3] - point, vertices[(k + 2) % 3] - point
            twofold = ax * by - ay * bx
            parts.append(twofold / (2 * mesh.areas[number]))
            depths.append(twofold / math.hypot(bx - ax, by - ay))
        if min(depths) > deepest:
            best, weights, deepest = number, parts, min(depths)
    return best, weights


@pytest.mark.parametrize("order", [1, 2])
def test_locate_agrees_with_plain_loops(order: int) -> None:
    mesh = disc_mesh(radius=20, nodes=217)
    mesh = mesh.to_quadratic() if order == 2 else mesh
    points = np.random.default_rng(5).uniform(-22, 22, (60, 2))
    element, weight = mesh.locate(points)
    slow = [slow_locate(mesh, point) for point in points]
    assert element.tolist() == [number for number, _ in slow]
    assert 0 < np.count_nonzero(element < 0) < 30
    np.testing.assert_allclose(weight, [weights for _, weights in slow], atol=1e-13)


def test_locate_gives_the_place_back() -> None:
    mesh = disc_mesh(nodes=1801)
    points = np.random.default_rng(1).uniform(-28, 28, (3000, 2))  # more than one block
    element, weight = mesh.locate(points)
    assert (element >= 0).all()
    assert (weight >= -1e-12).all()
    np.testing.assert_allclose(weight.sum(axis=1), 1, rtol=1e-14)
    back = np.einsum("kc,kcd->kd", weight, mesh.nodes[mesh.corners[element]])
    np.testing.assert_allclose(back, points, atol=1e-12)


@pytest.mark.parametrize("far", [0.0, 1e6])
def test_the_rim_is_inside(far: float) -> None:
    mesh = disc_mesh(radius=41, nodes=1801)
    mesh = Mesh(mesh.nodes + far, mesh.elements)
    ends = mesh.nodes[mesh.boundary]
    fraction = np.linspace(0, 1, 11)[:, None, None]
    rim = ((1 - fraction) * ends[:, 0] + fraction * ends[:, 1]).reshape(-1, 2)
    assert (mesh.locate(rim)[0] >= 0).all()
    assert (mesh.locate(mesh.nodes)[0] >= 0).all()
    outside = far + (rim - far) * (1 + 1e-6)
    assert (mesh.locate(outside)[0] == -1).all()


def test_locate_of_no_points_and_of_none_inside() -> None:
    mesh = Mesh(SQUARE, FOUR)
    element, weight = mesh.locate(np.zeros((0, 2)))
    assert (element.shape, weight.shape) == ((0,), (0, 3))
    element, weight = mesh.locate([[5, 5]])
    assert element.tolist() == [-1]
    assert np.isnan(weight).all()


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        ([1.0, 2.0], ValueError, r"points must have shape \(k, 2\)"),
        ([[1.0, 2.0, 3.0]], ValueError, r"points must have shape \(k, 2\)"),
        ([[np.nan, 0]], ValueError, r"points must be finite \(mm\)"),
        ([["a", "b"]], TypeError, "points must hold real numbers"),
    ],
)
def test_locate_refuses(points: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Mesh(SQUARE, FOUR).locate(points)


# properties


@st.composite
def meshes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """A grid, shaken, turned, of any size."""
    nodes, elements = grid(draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    nodes = nodes + random.uniform(-0.2, 0.2, nodes.shape)
    angle, scale = draw(st.floats(0, 7)), 10 ** draw(st.floats(-3, 3))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return scale * (nodes + random.uniform(-99, 99, 2)) @ turn, elements, random


@settings(max_examples=60, deadline=None)
@given(meshes(), st.booleans())
def test_numbering_and_orientation_change_nothing(
    made: tuple[np.ndarray, np.ndarray, np.random.Generator], quadratic: bool
) -> None:
    nodes, elements, random = made
    mesh = Mesh(nodes, elements)
    mesh = mesh.to_quadratic() if quadratic else mesh
    assert mesh.areas.sum() == pytest.approx(loop_area(mesh), rel=1e-9)  # 99 away from the origin
    np.testing.assert_array_equal(mesh.boundary[:, 1], np.roll(mesh.boundary[:, 0], -1))

    order = random.permutation(len(mesh.nodes))  # new node i is old node order[i]
    rows = random.permutation(len(mesh.elements))
    numbers = np.argsort(order)[mesh.elements[rows]]
    mirrored = numbers[:, [1, 0, 2, 3, 5, 4] if quadratic else [1, 0, 2]]
    numbers = np.where(random.integers(0, 2, (len(rows), 1)), numbers, mirrored)
    other = Mesh(mesh.nodes[order], numbers)
    np.testing.assert_allclose(other.areas, mesh.areas[rows], rtol=1e-9)
    back = order[other.boundary]
    start = np.flatnonzero(back[:, 0] == mesh.boundary[0, 0])[0]
    np.testing.assert_array_equal(np.roll(back, -start, axis=0), mesh.boundary)

    points = nodes.mean(axis=0) + random.uniform(-1, 1, (20, 2)) * np.ptp(nodes, axis=0)
    element, other_element = mesh.locate(points)[0], other.locate(points)[0]
    np.testing.assert_array_equal(element < 0, other_element < 0)
    within = element >= 0
    np.testing.assert_array_equal(rows[other_element[within]], element[within])


@settings(max_examples=40, deadline=None)
@given(meshes(), st.data())
def test_what_is_accepted_covers_each_point_once(
    made: tuple[np.ndarray, np.ndarray, np.random.Generator], data: st.DataObject
) -> None:
    """Move a node anywhere: either refused, or still no point lies deep in two elements."""
    nodes, elements, random = made
    nodes = nodes.copy()
    nodes[data.draw(st.integers(0, len(nodes) - 1))] = random.choice(nodes) + random.uniform(
        -1, 1, 2
    ) * np.linalg.norm(nodes[0] - nodes[1])
    try:
        mesh = Mesh(nodes, elements)
    except ValueError:
        return
    low, high = nodes.min(axis=0), nodes.max(axis=0)
    point = random.uniform(low, high, (500, 1, 2))
    corner = nodes[elements]
    along = np.roll(corner, -1, axis=1) - corner
    away = point[:, :, None] - corner  # (points, elements, corners, 2)
    side = along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0]
    tiny = 1e-9 * mesh.areas.max()
    deep = ((side > tiny).all(axis=2) | (side < -tiny).all(axis=2)).sum(axis=1)
    assert deep.max() <= 1
