"""Textures of the breasts: one noise level, nothing of warmth, known patches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lesionkit.studies.thermogram import textures
from lesionkit.texture import MAZDA
from thermal_women import women


def test_the_patch_is_the_middle_of_the_breast() -> None:
    values = np.add.outer(100.0 * np.arange(60), np.arange(80)).astype(np.float32)
    breast = np.zeros((60, 80), bool)
    breast[10:51, 20:61] = True  # 41 rows and columns: its middle half is 20 to 40 and 30 to 50
    found = textures.patch(values, breast)
    assert found.shape == (48, 48)
    assert found[0, 0] == 100 * 20 + 30
    assert found[-1, -1] == 100 * 40 + 50
    assert found.dtype == np.float64


def test_images_come_to_one_noise_level() -> None:
    """Neighbours then differ by 0.02 C or less, whatever the camera; a quiet image stays."""
    random = np.random.default_rng(0)
    for noise in (0.05, 0.1):
        loud = (30 + random.normal(0, noise, (120, 160))).astype(np.float32)
        quiet = textures.smoothed(loud)
        step = float(np.median(np.abs(np.diff(quiet, axis=1))))
        assert 0.005 < step <= 0.02
    calm = (30 + random.normal(0, 0.01, (120, 160))).astype(np.float32)
    np.testing.assert_array_equal(textures.smoothed(calm), calm)


def test_warmth_and_contrast_do_not_count() -> None:
    """Grey levels are each patch's own."""
    some = women()[:3]
    found = textures.features(some)
    assert found.shape == (3, 22)
    assert np.isfinite(found).all()
    warmer = [replace(woman, celsius=woman.celsius + 4) for woman in some]
    np.testing.assert_allclose(textures.features(warmer), found, rtol=0.05, atol=0.05)


def test_features_are_those_of_a_known_patch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns in stripes of one pixel, of 0 and 1: of 32 levels from -1 to 2 they are 11 apart.
    MaZda's contrast is 121 across and 0 down at distance 1, and 0 at distance 4, where stripes
    are alike."""
    stripes = np.tile([0.0, 1.0], (48, 24))
    monkeypatch.setattr(textures, "smoothed", lambda celsius: celsius)
    monkeypatch.setattr(textures, "patch", lambda values, breast: stripes)
    found = textures.features(women()[:1]).reshape(2, 11)
    contrast = found[:, MAZDA.index("Contrast")]
    np.testing.assert_allclose(contrast, [121 / 2, 0])


def test_a_breast_out_of_the_frame_has_no_textures() -> None:
    one = women()[0]
    lost = replace(one, breasts=(one.breasts[0], np.zeros_like(one.body)))
    found = textures.features([one, lost])
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
