"""Features of matrices: published values, the slow reference, mahotas, properties, mistakes."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tolerances
from invariances import at_any_threads
from lesionkit.texture import HARALICK, IBSI, MAZDA, cooccurrence, graycoprops, haralick
from lesionkit.texture.haralick import FEATURES, OTHER_NAMES
from reference import texture as reference

OFFSETS = [(0, 1), (1, 1), (1, 0), (1, -1)]
PHANTOM = Path(__file__).parents[1] / "data" / "ibsi"


def random_counts(seed: int, levels: int, symmetric: bool = True) -> np.ndarray:
    random = np.random.default_rng(seed)
    image = np.floor(random.normal(levels / 2, levels / 5, (40, 30))).clip(0, levels - 1)
    return cooccurrence(image.astype(np.uint16), OFFSETS, levels, symmetric=symmetric)


def close(ours: Any, expected: Any, name: str) -> None:
    rounding = tolerances.EIGENVALUE if name == "maximal_correlation" else tolerances.TEXTURE_SUMS
    np.testing.assert_allclose(ours, expected, rtol=rounding, atol=rounding, err_msg=name)


# --- published ------------------------------------------------------------------------------------


def test_every_value_of_the_ibsi_phantom() -> None:
    """25 features of the digital phantom in six ways of aggregation, to the three digits given."""
    with np.load(PHANTOM / "digital_phantom.npz") as data:
        image, mask = data["image_zyx"], data["mask_zyx"]
    around = [(z, y, x) for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    solid = cooccurrence(image - 1, [o for o in around if o > (0, 0, 0)], 6, mask)
    flat = cooccurrence(image - 1, OFFSETS, 6, mask)  # (slice, direction, 6, 6)
    ways = {
        "3D, averaged": haralick(solid, IBSI).mean(0),
        "3D, merged": haralick(solid.sum(0), IBSI),
        "2D, averaged": haralick(flat, IBSI).mean((0, 1)),
        "2D, slice-merged": haralick(flat.sum(1), IBSI).mean(0),
        "2.5D, direction-merged": haralick(flat.sum(0), IBSI).mean(0),
        "2.5D, merged": haralick(flat.sum((0, 1)), IBSI),
    }
    with open(PHANTOM / "digital_phantom_glcm.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 150
    for row in rows:
        name = row["feature"].lower().replace(" ", "_")
        ours = ways[row["aggregation"]][IBSI.index(name)]
        assert math.isclose(float(f"{ours:.3g}"), float(row["value"]), rel_tol=5e-3), row


def test_a_matrix_by_hand() -> None:
    """Two levels, p = [[1/2, 1/8], [1/8, 1/4]]."""
    found = dict(zip(IBSI, haralick([[4, 1], [1, 2]], IBSI), strict=True))
    assert found["angular_second_moment"] == 0.25 + 2 / 64 + 1 / 16
    assert found["contrast"] == found["dissimilarity"] == found["inverse_variance"] == 0.25
    assert found["inverse_difference_moment"] == 0.75 + 0.25 / 2
    assert found["joint_average"] == 1 * 5 / 8 + 2 * 3 / 8
    assert found["joint_entropy"] == pytest.approx(0.5 + 2 * 3 / 8 + 2 / 4)
    assert found["sum_average"] == 2 * 0.5 + 3 * 0.25 + 4 * 0.25
    assert found["sum_entropy"] == pytest.approx(1.5)
    assert found["autocorrelation"] == pytest.approx(1 * 0.5 + 2 * 0.25 + 4 * 0.25)
    assert found["correlation"] == pytest.approx((2 - (11 / 8) ** 2) / (15 / 64))


# --- reference and peers --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uint32", "uint64", "float64", "int16", "float32", "shares"])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("levels", [1, 2, 5, 17, 40])
def test_as_the_reference(levels: int, symmetric: bool, kind: str) -> None:
    counts = random_counts(levels, levels, symmetric)
    given = counts / counts.sum((1, 2), keepdims=True) if kind == "shares" else counts.astype(kind)
    for base, first in ((2.0, 1), (10.0, 0)):
        ours = haralick(given, list(FEATURES), log_base=base, first_level=first)
        assert ours.shape == (4, len(FEATURES))
        for k, matrix in enumerate(counts):
            expected = reference.haralick_features(matrix, base, first)
            assert expected.keys() == FEATURES.keys()
            for name, value in zip(FEATURES, ours[k], strict=True):
                close(value, expected[name], name)


def test_as_mahotas() -> None:
    """Its 13 features, levels from 0, with the variance of the differences themselves."""
    features = pytest.importorskip("mahotas").features
    image = np.random.default_rng(1).integers(0, 16, (40, 50)).astype(np.uint8)
    image[0, 0] = 15
    theirs = features.haralick(image, use_x_minus_y_variance=True)
    ours = haralick(cooccurrence(image, OFFSETS, 16), HARALICK[:13], first_level=0)
    np.testing.assert_allclose(ours, theirs, rtol=tolerances.TEXTURE_SUMS)


def test_as_graycoprops() -> None:
    counts = random_counts(3, 20)
    matrices = np.moveaxis(counts, 0, 2)[..., None]
    for name in ("contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation"):
        close(haralick(counts, name), graycoprops(matrices, name)[:, 0], name)
    close(haralick(counts, "entropy", log_base=math.e), graycoprops(matrices, "entropy")[:, 0], "")


def test_names() -> None:
    assert len(HARALICK) == 14
    assert len(IBSI) == 25
    assert set(HARALICK) | set(IBSI) | set(OTHER_NAMES.values()) <= FEATURES.keys()
    counts = random_counts(4, 8)
    np.testing.assert_array_equal(
        haralick(counts, MAZDA), haralick(counts, [OTHER_NAMES[name] for name in MAZDA])
    )
    assert haralick(counts, "contrast").shape == (4,)
    assert haralick(counts[0], "contrast").shape == ()
    assert haralick(counts.reshape(2, 2, 8, 8), IBSI).shape == (2, 2, 25)


# --- properties -----------------------------------------------------------------------------------

UNMOVED = set(FEATURES) - {
    *("joint_average", "sum_average", "autocorrelation"),
    *("normalised_inverse_difference", "normalised_inverse_difference_moment"),
}


@given(seed=st.integers(0, 2**32 - 1), levels=st.integers(2, 9), size=st.integers(2, 7))
def test_properties(seed: int, levels: int, size: int) -> None:
    image = np.random.default_rng(seed).integers(0, levels, (size, size))
    counts = cooccurrence(image, OFFSETS, levels + 3)
    found = dict(zip(FEATURES, haralick(counts, list(FEATURES)).T, strict=True))
    higher = dict(
        zip(
            FEATURES,
            haralick(cooccurrence(image + 3, OFFSETS, levels + 3), list(FEATURES)).T,
            strict=True,
        )
    )
    for name in UNMOVED:
        close(higher[name], found[name], name)
    close(higher["joint_average"], found["joint_average"] + 3, "joint_average")
    for name in FEATURES.keys() - {"correlation", "cluster_shade", "information_correlation_1"}:
        assert (found[name] >= -tolerances.TEXTURE_SUMS).all(), name
    assert (np.abs(found["correlation"]) <= 1 + tolerances.TEXTURE_SUMS).all()
    assert (np.abs(found["information_correlation_1"]) <= 1 + tolerances.TEXTURE_SUMS).all()
    np.testing.assert_array_equal(haralick(counts.swapaxes(1, 2)), haralick(counts))
    nats = haralick(counts, "joint_entropy", log_base=math.e)
    close(nats, found["joint_entropy"] * math.log(2), "joint_entropy")


def test_flat_and_empty_matrices() -> None:
    flat = np.zeros((5, 5), np.uint32)
    flat[3, 3] = 7
    found = dict(zip(FEATURES, haralick(flat, list(FEATURES)), strict=True))
    ones = {
        *("joint_maximum", "angular_second_moment", "energy", "inverse_difference"),
        *("normalised_inverse_difference", "inverse_difference_moment", "correlation"),
        *("normalised_inverse_difference_moment", "maximal_correlation"),
    }
    levels = {"joint_average": 4.0, "sum_average": 8.0, "autocorrelation": 16.0}
    for name, value in found.items():
        assert value == levels.get(name, float(name in ones)), name
    both = haralick([flat, np.zeros_like(flat)], list(FEATURES))
    np.testing.assert_array_equal(both[0], list(found.values()))
    assert np.isnan(both[1]).all()


def test_threads_change_no_bit() -> None:
    counts = random_counts(5, 200)
    made = at_any_threads(lambda: haralick(counts, IBSI))
    np.testing.assert_array_equal(made[2], haralick(counts[2], IBSI))


def test_counts_are_not_changed() -> None:
    counts = random_counts(6, 9).astype(float)
    kept = counts.copy()
    counts.flags.writeable = False
    wide = np.repeat(counts, 2, axis=2)[:, :, ::2]
    np.testing.assert_array_equal(haralick(counts), haralick(wide))
    np.testing.assert_array_equal(haralick(np.asfortranarray(counts)), haralick(kept))
    np.testing.assert_array_equal(counts, kept)


# --- mistakes -------------------------------------------------------------------------------------

TWO = np.ones((2, 2))


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        (TWO[0], {}, ValueError, r"counts must have shape \(\.\.\., levels, levels\)"),
        (TWO[:1], {}, ValueError, r"counts must have shape \(\.\.\., levels, levels\)"),
        (np.ones((0, 2, 2)), {}, ValueError, "counts must have shape .* not be empty"),
        (TWO * 1j, {}, TypeError, "counts must hold real numbers, got complex128"),
        (-TWO, {}, ValueError, "counts must be finite and not negative, got -1 to -1"),
        (TWO * np.nan, {}, ValueError, "counts must be finite and not negative, got nan"),
        (TWO * np.inf, {}, ValueError, "counts must be finite"),
        (TWO, {"features": "gloss"}, ValueError, "features must be of .*contrast.*got str 'gloss'"),
        (TWO, {"features": ["contrast", 3]}, ValueError, "features must be of .*, got int 3"),
        (TWO, {"features": 3}, ValueError, "features must be of .*, got int 3"),
        (TWO, {"features": [["contrast"]]}, ValueError, "features must be of .*, got list"),
        (TWO, {"features": []}, ValueError, "features must name one feature or more, got none"),
        (TWO, {"log_base": 1}, ValueError, "log_base must be a finite number above 1.0, got 1"),
        (TWO, {"log_base": "2"}, TypeError, "log_base must be a finite number"),
        (TWO, {"first_level": -1}, ValueError, "first_level must be from 0 to 2147483647, got -1"),
    ],
)
def test_mistakes(given: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        haralick(given, **options)
