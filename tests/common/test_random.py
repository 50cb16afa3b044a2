"""Philox and the normal deviates, csrc/common/philox.hpp."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lesionkit import _core
from reference.optics import philox4x32

WORD = st.integers(0, 2**32 - 1)
ONES = 2**32 - 1


def normals(words: np.ndarray) -> np.ndarray:
    out = np.empty(words.shape, np.float32)
    _core.optics.normals(words.astype(np.uint32), out)
    return out


@pytest.mark.parametrize(
    ("counter", "key", "block"),
    [  # Random123 (Salmon et al., SC 2011), kat_vectors
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([ONES] * 4, [ONES] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_published_vectors(counter: list[int], key: list[int], block: str) -> None:
    words = _core.optics.philox(counter, key[0] | key[1] << 32)
    assert [f"{word:08x}" for word in words] == block.split()


@given(counter=st.lists(WORD, min_size=4, max_size=4), key=st.lists(WORD, min_size=2, max_size=2))
def test_philox_is_the_reference(counter: list[int], key: list[int]) -> None:
    assert _core.optics.philox(counter, key[0] | key[1] << 32) == list(philox4x32(counter, key))


def test_normals_invert_the_distribution_function() -> None:
    ends = np.arange(5000)
    powers = 2 ** np.arange(3, 32)[:, None] + np.arange(-2, 3)
    words = np.concatenate(
        [ends, ONES - ends, powers.ravel(), np.random.default_rng(0).integers(0, 2**32, 10**6)]
    )
    two_sided_tail = ((words >> 1) + 0.5) / 2**31
    exact = stats.norm.isf(two_sided_tail / 2) * np.where(words & 1, -1, 1)
    # float32 rounds to 6e-8; the logarithm and the polynomial of ten steps cost ten times as much
    np.testing.assert_allclose(normals(words), exact, rtol=1e-6)
    assert normals(np.array([0])) == pytest.approx(stats.norm.isf(2**-33), rel=1e-6)  # 6.34


def test_normals_are_normal() -> None:
    z = normals(np.random.default_rng(1).integers(0, 2**32, 2_000_000)).astype(float)
    n = len(z)
    # moments of n normal deviates, within five of their standard deviations
    for power, moment, variance in [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10170)]:
        assert abs((z**power).mean() - moment) < 5 * np.sqrt(variance / n), power
    assert stats.kstest(z, "norm").pvalue > 1e-3
