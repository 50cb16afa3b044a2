"""What a plan is made of: element integrals and the order of elimination."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionkit.optics.forward.dissection import adjacency, nested_dissection
from lesionkit.optics.mesh.elements import element_weights


def test_element_integrals_of_the_reference_triangle():
    # int lambda_a lambda_b = 1/12 (1 + delta_ab), int lambda_0^3 = 1/10, int of the product = 1/60
    corners, straight = np.array([[[0.0, 0], [1, 0], [0, 1]]]), np.array([False])
    area = np.array([0.5])
    whole = element_weights(1, corners, area, straight, "elements")
    expected = np.array([2, 1, 2, 1, 1, 2]) / 12
    np.testing.assert_allclose(whole.mass[0, :, 0], expected, rtol=1e-14)
    np.testing.assert_allclose(whole.stiffness[0, :, 0], [1, -0.5, 0.5, -0.5, 0, 0.5], atol=1e-15)
    at_nodes = element_weights(1, corners, area, straight, "nodes").mass[0]
    np.testing.assert_allclose(at_nodes[0], [1 / 10, 1 / 30, 1 / 30], rtol=1e-14)
    np.testing.assert_allclose(at_nodes[1], [1 / 30, 1 / 30, 1 / 60], rtol=1e-14)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(3, 300))
def test_dissection_orders_any_cloud_of_points_once(seed, count):
    rng = np.random.default_rng(seed)
    triangles = rng.integers(0, count, (2 * count, 3)).astype(np.int32)
    blocks = nested_dissection(rng.random((count, 2)), adjacency(count, triangles))
    assert sorted(np.concatenate(blocks)) == list(range(count))
    assert all(len(block) for block in blocks)
