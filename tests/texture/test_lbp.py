"""Centre-symmetric patterns: by hand, the slow reference, properties, mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invariances import at_any_threads
from lesionkit.texture import cs_lbp
from reference import texture as reference

KINDS = ["uint8", "uint16", "int32", "float32", "float64"]


def test_by_hand() -> None:
    """Of the four pairs of a pixel, neighbours right, above right, above and above left."""
    image = np.array([[1, 9, 9], [2, 5, 3], [0, 8, 7]])
    assert cs_lbp(image, points=4, border="valid").tolist() == [[0b11]]  # 3 > 2, 9 > 8
    assert cs_lbp(image, points=4, threshold=1, border="valid").tolist() == [[0]]
    # The neighbour above right exceeds its opposite one, the neighbour above left does not.
    assert cs_lbp(image, border="valid").tolist() == [[0b0111]]
    assert cs_lbp(np.full((3, 3), 7.3), 16, 1.7).max() == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("points", "radius", "threshold"),
    [(8, 1, 0), (4, 2, 3), (12, 2.5, 0.5), (32, 3, 0), (2, 0.4, 0)],
)
def test_as_the_reference(points: int, radius: float, threshold: float, kind: str) -> None:
    image = np.random.default_rng(points).uniform(0, 255, (14, 13)).astype(kind)
    codes = cs_lbp(image, points, radius, threshold, border="valid")
    assert codes.dtype == (np.uint8 if points <= 16 else np.uint16)
    np.testing.assert_array_equal(codes, reference.cs_lbp(image, points, radius, threshold))


@pytest.mark.parametrize("border", ["reflect", "symmetric", "edge", "wrap"])
def test_border(border: Any) -> None:
    image = np.random.default_rng(1).integers(0, 99, (9, 11))
    padded = np.pad(image, 2, mode=border)
    np.testing.assert_array_equal(
        cs_lbp(image, 8, 1.5, border=border), cs_lbp(padded, 8, 1.5, border="valid")
    )


@given(seed=st.integers(0, 2**32 - 1), points=st.sampled_from([2, 4, 8, 14]))
def test_properties(seed: int, points: int) -> None:
    image = np.random.default_rng(seed).integers(0, 9, (7, 8)).astype(np.int32)
    codes = cs_lbp(image, points, 1.5)
    np.testing.assert_array_equal(cs_lbp(image * 4, points, 1.5), codes)
    np.testing.assert_array_equal(cs_lbp(image + 7, 4, 1), cs_lbp(image, 4, 1))
    # The image turned by half a turn has the opposite neighbour in each place: never both exceed.
    turned = cs_lbp(image[::-1, ::-1], points, 1.5)[::-1, ::-1]
    assert not (codes & turned).any()
    assert (codes < 2 ** (points // 2)).all()


def test_threads_order_and_strides_change_nothing() -> None:
    image = np.random.default_rng(2).uniform(size=(300, 200))
    made = at_any_threads(lambda: cs_lbp(image, 16, 2))
    frozen = np.repeat(np.asfortranarray(image), 2, axis=0)[::2]
    frozen.flags.writeable = False
    np.testing.assert_array_equal(cs_lbp(frozen, 16, 2), made)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (([[1.0, np.nan]],), ValueError, "image must be finite, got 1 NaN or infinite"),
        ((np.zeros((2, 2, 2)),), ValueError, r"image must have shape \(rows, columns\)"),
        ((np.zeros((0, 2)),), ValueError, "image must hold a pixel or more"),
        ((np.zeros((2, 2)) > 0,), TypeError, "image must hold real numbers, got bool"),
        ((np.zeros((2, 2)), 7), ValueError, "points must be even.*got 7"),
        ((np.zeros((2, 2)), 34), ValueError, "points must be from 2 to 32, got 34"),
        ((np.zeros((2, 2)), 8, 0), ValueError, "radius must be a finite number of pixels above 0"),
        ((np.zeros((2, 2)), 8, 1, -1), ValueError, "threshold must be a finite number at least 0"),
        ((np.zeros((2, 2)), 8, 1, np.nan), ValueError, "threshold must be a finite number"),
    ],
)
def test_mistakes(given: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        cs_lbp(*given)


def test_border_mistakes() -> None:
    with pytest.raises(ValueError, match=r"border must be .reflect.,"):
        cs_lbp(np.zeros((3, 3)), border="none")
    with pytest.raises(
        ValueError, match="radius must fit into the image where border is 'valid', got 2"
    ):
        cs_lbp(np.zeros((3, 3)), radius=2, border="valid")
