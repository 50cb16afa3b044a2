"""MaZda's other families: numbers worked by hand, definitions in plain loops, mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tolerances
from lesionkit.texture.families import (
    AR_MODEL,
    BANDS,
    GRADIENT,
    HISTOGRAM,
    ar_model,
    first_order,
    gradient,
    haar_energy,
)
from reference import texture_mazda as reference

FAMILIES = [first_order, gradient, ar_model, haar_energy]
ROIS = np.random.default_rng(0).normal(50, 20, (5, 9, 8))


def close(ours: Any, expected: Any) -> None:
    np.testing.assert_allclose(ours, expected, rtol=tolerances.MOMENTS, atol=tolerances.MOMENTS)


def test_histogram_by_hand() -> None:
    """1, 1, 1, 5: mean 2, m2 = 3, m3 = 6, m4 = 21; the percentiles between 1 and 5."""
    found = first_order([[[1, 1], [1, 5]]])[0]
    close(found[:4], [2, 3, 6 / 3**1.5, 21 / 9 - 3])
    close(found[4:], [1, 1, 1, 1 + 4 * 0.7, 1 + 4 * 0.97])


def test_gradient_by_hand() -> None:
    """A ramp of 3 by row and 4 by column: 10 between neighbours two steps apart, everywhere."""
    ramp = 3 * np.arange(5.0)[:, None] + 4 * np.arange(6)
    close(gradient(ramp[None]), [[10, 0, 0, 0, 1]])
    close(gradient(ramp[None], step=2), [[20, 0, 0, 0, 1]])
    spot = np.zeros((1, 3, 4))
    spot[0, 1, 0] = 2.0
    close(gradient(spot)[0, [0, 1, 4]], [1, 1, 0.5])


def test_ar_by_hand() -> None:
    """Of stripes 1 -1 1 -1 the neighbours are -f, -f, f, -f: of all that fit, a quarter each is the
    shortest. And a texture made by the model gives its parameters back."""
    stripes = np.tile([1.0, -1.0], (6, 4))
    teta = ar_model(stripes[None])[0]
    close(teta, [-0.25, -0.25, 0.25, -0.25, 0])
    random = np.random.default_rng(1)
    f = random.normal(size=(300, 300))
    for r in range(1, 300):
        for c in range(1, 299):
            above = -0.2 * f[r - 1, c - 1] + 0.3 * f[r - 1, c] + 0.1 * f[r - 1, c + 1]
            f[r, c] += 0.4 * f[r, c - 1] + above
    f = f[20:, 20:-20]
    found = ar_model(f[None])[0]
    # 67,000 samples of noise: the estimates scatter by 0.004
    np.testing.assert_allclose(found, [0.4, -0.2, 0.3, 0.1, 1 / f.std()], atol=0.02)


def test_haar_by_hand() -> None:
    found = haar_energy([[[4.0, 2.0], [1.0, 1.0]]])
    close(found, [[16, 4, 1, 1]])
    level = np.full((1, 8, 8), 3.0)  # twice as much in LL at each scale, nothing elsewhere
    close(haar_energy(level, 2), [[36, 0, 0, 0, 144, 0, 0, 0]])


@pytest.mark.parametrize("shape", [(6, 8), (7, 5)])
def test_equals_the_reference(shape: tuple[int, int]) -> None:
    rois = np.random.default_rng(2).integers(0, 16, (4, *shape))
    close(first_order(rois), [reference.histogram_features(r) for r in rois])
    close(gradient(rois), [reference.gradient_features(r) for r in rois])
    close(ar_model(rois), [reference.ar_features(r) for r in rois])
    close(haar_energy(rois, 2), [reference.haar_energies(r, 2) for r in rois])


def test_names() -> None:
    for family, names in zip(FAMILIES, (HISTOGRAM, GRADIENT, AR_MODEL, BANDS), strict=True):
        assert family(ROIS).shape == (5, len(names))


@pytest.mark.parametrize("family", FAMILIES)
def test_properties(family: Callable[[Any], np.ndarray]) -> None:
    found = family(ROIS)
    locked = np.asfortranarray(ROIS)
    locked.flags.writeable = False
    np.testing.assert_array_equal(family(locked), found)
    close(np.concatenate([family(r[None]) for r in ROIS]), found)
    assert family(ROIS[:0]).shape == (0, found.shape[1])
    assert np.isfinite(family(np.full((2, 9, 9), 0.1))).all()
    # ten times the contrast: what has no unit stays
    units = {first_order: [2, 3], gradient: [2, 3, 4], ar_model: [0, 1, 2, 3, 4]}.get(family, [])
    close(family(10 * ROIS)[:, units], found[:, units])


def test_a_constant_roi() -> None:
    flat = np.full((1, 5, 5), 0.1)
    close(first_order(flat), [[0.1, 0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.1]])
    np.testing.assert_array_equal(first_order(flat)[0, 1:4], 0)
    np.testing.assert_array_equal(gradient(flat), np.zeros((1, 5)))
    np.testing.assert_array_equal(ar_model(flat), np.zeros((1, 5)))


@pytest.mark.parametrize("family", FAMILIES)
def test_mistakes(family: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match=r"rois must have shape \(n, rows, columns\)"):
        family(ROIS[0])
    with pytest.raises(ValueError, match="rois must be finite"):
        family(ROIS * np.nan)
    with pytest.raises(ValueError, match="rois must have pixels"):
        family(np.zeros((2, 0, 3)))
    with pytest.raises(ValueError, match="rois must be within"):
        family(ROIS * 1e100)
    with pytest.raises(TypeError, match="rois must hold real numbers"):
        family(ROIS * 1j)


def test_rois_too_small() -> None:
    one = np.zeros((2, 2, 2))
    with pytest.raises(ValueError, match="at least 3 rows and columns for step 1"):
        gradient(one)
    with pytest.raises(ValueError, match="at least 2 rows and 3 columns"):
        ar_model(one)
    with pytest.raises(ValueError, match="at least 4 rows and columns for 2 scales"):
        haar_energy(one, 2)
    with pytest.raises(ValueError, match="step must be at least 1"):
        gradient(ROIS, step=0)
    with pytest.raises(TypeError, match="scales must be an integer"):
        haar_energy(ROIS, scales=1.0)


def test_columns_are_what_their_names_say() -> None:
    """Each name against NumPy's function of that name, so that no two can change places."""
    column = dict(zip(HISTOGRAM, first_order(ROIS).T, strict=True))
    flat = ROIS.reshape(len(ROIS), -1)
    assert len(column) == len(HISTOGRAM) == 9
    close(column["Mean"], flat.mean(1))
    close(column["Variance"], flat.var(1))
    for name, values in column.items():
        if name.startswith("Perc."):
            close(values, np.percentile(flat, int(name[5:7]), axis=1))
    off = flat - flat.mean(1, keepdims=True)
    close(column["Skewness"], (off**3).mean(1) / flat.std(1) ** 3)
    close(column["Kurtosis"], (off**4).mean(1) / flat.var(1) ** 2 - 3)
    assert GRADIENT == ("GrMean", "GrVariance", "GrSkewness", "GrKurtosis", "GrNonZeros")
