"""`refine`: the same region, smaller triangles where they are wanted, good angles everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionkit.optics import Mesh, disc_mesh, refine

SQUARE = Mesh([[0, 0], [4, 0], [4, 4], [0, 4]], [[0, 1, 2], [0, 2, 3]])


def longest(mesh):
    corners = mesh.nodes[mesh.elements]
    return np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)


def smallest_angle(mesh):
    corners = mesh.nodes[mesh.elements]
    ahead, back = np.roll(corners, -1, axis=1) - corners, np.roll(corners, 1, axis=1) - corners
    cosine = np.einsum("eax,eax->ea", ahead, back)
    cosine /= np.linalg.norm(ahead, axis=2) * np.linalg.norm(back, axis=2)
    return np.arccos(cosine).min()


def test_a_square_is_halved_along_its_diagonal():
    # the diagonal of 5.66 is cut, and no side of 4
    fine = refine(SQUARE, [[2, 2]], 4.5)
    assert len(fine.nodes) == 5
    assert len(fine.elements) == 4
    np.testing.assert_array_equal(fine.nodes[4], [2, 2])
    # then the sides: every triangle again at its longest edge
    assert len(refine(SQUARE, [[2, 2]], 3.9, 1e-9).elements) == 8


def test_what_is_fine_enough_is_returned_as_it_is():
    assert refine(SQUARE, [[0, 0]], 6.0) is SQUARE


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.floats(0.3, 6),
    growth=st.floats(0.1, 3),
    count=st.integers(1, 4),
)
def test_any_refinement_keeps_the_region_and_its_angles(seed, size, growth, count):
    random = np.random.default_rng(seed)
    coarse = disc_mesh(radius=10.0, nodes=61, optodes=6)
    points = random.uniform(-10, 10, (count, 2))
    fine = refine(coarse, points, size, growth)
    np.testing.assert_array_equal(fine.nodes[: len(coarse.nodes)], coarse.nodes)
    assert fine.areas.sum() == pytest.approx(coarse.areas.sum(), rel=1e-12)
    assert smallest_angle(fine) > 0.5 * smallest_angle(coarse)
    away = np.linalg.norm(fine.nodes[fine.elements].mean(axis=1)[:, None] - points, axis=2)
    limit = size + growth * np.maximum(away.min(axis=1) - size, 0)
    assert (longest(fine) <= limit).all()
    again = refine(coarse, points, size, growth)
    np.testing.assert_array_equal(again.elements, fine.elements)
    np.testing.assert_array_equal(again.nodes, fine.nodes)


def test_the_work_stays_near_the_points():
    coarse = disc_mesh(radius=41.0, nodes=817)
    fine = refine(coarse, [[41.0, 0.0]], 0.2, 1.0)
    added = fine.nodes[len(coarse.nodes) :]
    assert longest(fine).min() < 0.2
    assert np.linalg.norm(added - [41, 0], axis=1).max() < 12
    assert len(added) < 400


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((SQUARE.nodes, [[0, 0]], 1.0), TypeError, "mesh must be a lesionkit.optics.Mesh, got"),
        ((SQUARE.to_quadratic(), [[0, 0]], 1.0), ValueError, "mesh must be of 3-node triangles"),
        ((SQUARE, [0.0, 0.0], 1.0), ValueError, r"points must have shape \(k, 2\)"),
        ((SQUARE, np.zeros((0, 2)), 1.0), ValueError, "points must hold at least one position"),
        ((SQUARE, [[0, np.nan]], 1.0), ValueError, r"points must be finite \(mm\)"),
        ((SQUARE, [[0, 0]], 0.0), ValueError, "size must be a finite number of mm above 0, got 0"),
        ((SQUARE, [[0, 0]], "1 mm"), TypeError, "size must be a finite number of mm"),
        ((SQUARE, [[0, 0]], 1.0, -1.0), ValueError, "growth must be a finite number above 0"),
        ((SQUARE, [[0, 0]], 5e-324), ValueError, "size must be at least .* mm for this mesh, got"),
        ((SQUARE, [[0, 0]], 1e-4, 1e-9), ValueError, "size must need at most 10000000 nodes"),
    ],
)
def test_refine_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        refine(*arguments)
