"""The constants of the stroke study are its product: masks of made-up slices have as many pixels as
when they were written down, and a change of any of these constants is noticed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from lesionkit.studies.stroke import SEGMENTERS, preprocess
from reference.stroke_brain import ellipse

PIXELS = 5  # that a rounding may move; each planted change moves more

# Pixels found in each slice by each method, at the constants of the study.
FOUND = {
    "ragged hyper 0": (2665, 2643, 2536, 2394, 3630, 2902),
    "ragged hyper 1": (2967, 3018, 2983, 2844, 2915, 2999),
    "ragged hypo 0": (2280, 2293, 2278, 2113, 2180, 2208),
    "ragged hypo 1": (2189, 2189, 2235, 2238, 2224, 2206),
    "ring": (2117, 2117, 2119, 2090, 2054, 2182),
    "rimmed": (1613, 1613, 2310, 1612, 1627, 1628),
    "small": (508, 508, 505, 497, 503, 538),
}
METHODS = ("threshold", "glcm", "watershed", "fcm", "kmeans", "split")

# module, constant, another value, and where that is seen
CHANGES: tuple[tuple[str, str, Any, str, str], ...] = (
    ("methods.clusters", "CLUSTERS", 5, "ring", "kmeans"),
    ("methods.clusters", "CONTOUR", 3, "ragged hyper 0", "fcm"),
    ("methods.clusters", "SMOOTHING", 1, "ragged hyper 0", "fcm"),
    ("methods.clusters", "BOX", 4, "ragged hyper 1", "fcm"),
    ("methods.grow", "DEPTH", 2, "ring", "split"),
    ("methods.grow", "MANY", {"hyper": 60, "hypo": 50}, "small", "split"),
    ("histograms", "SMOOTHING", 4.0, "ragged hyper 1", "split"),
    ("methods.thresholds", "LEVELS", 64, "ragged hyper 0", "glcm"),
    ("histograms", "REACH", 0.3, "ring", "split"),
    ("mirror", "STRONG", 0.3, "rimmed", "watershed"),
    ("mirror", "SPECK", 50, "ragged hypo 1", "watershed"),
    ("prepare", "NORMAL", 0.12, "ragged hyper 0", "glcm"),
    ("prepare", "BACKGROUND", 0.04, "ragged hypo 1", "split"),
    ("prepare", "GAMMA", 0.5, "ragged hypo 0", "kmeans"),
    ("regions", "CLOSING", 2, "ragged hypo 0", "threshold"),
    ("regions", "RECLAIMED", 1, "ragged hypo 0", "fcm"),
    ("regions", "RIMMED", 0.35, "rimmed", "watershed"),
    ("regions", "HOLE", 0.05, "ring", "threshold"),
    ("regions", "EDGE", 0.5, "ragged hyper 0", "threshold"),
)


def head() -> Any:
    """A brain at 0.1 with a rim at 0.115 and dark ventricles."""
    gray = np.zeros((256, 256))
    gray[ellipse(128, 128, 105, 82)] = 0.115
    gray[ellipse(128, 128, 98, 75)] = 0.10
    for side in (-1, 1):
        gray[ellipse(120, 128 + 16 * side, 30, 8)] = 0.035
    return gray


def seen(gray: Any, rng: np.random.Generator) -> Any:
    """Blurred, with Rician noise, in 12 bits."""
    gray = ndimage.gaussian_filter(np.clip(gray, 0, 1), 0.8)
    real, imaginary = rng.normal(0, 0.01, (2, *gray.shape))
    return np.rint(4095 * np.clip(np.hypot(gray + real, imaginary), 0, 1)).astype(np.uint16)


def ragged(kind: str, seed: int) -> Any:
    """A lesion with a soft, ragged edge and patches; with seed 1 a dark one has a bright rim."""
    rng, gray = np.random.default_rng(seed), head()
    field = ndimage.gaussian_filter(rng.normal(size=gray.shape), 4)
    field /= field.std()
    row, column = (110, 175) if seed else (150, 150)
    y, x = np.indices(gray.shape)
    edge = np.hypot(y - row, x - column) / (24 + 4 * seed) - 1 + 0.25 * field
    inside = 1 / (1 + np.exp(8 * edge))
    if kind == "hypo" and seed:
        gray += 0.1 * np.exp(-((edge / 0.12) ** 2))
    patches = 0.6 * ndimage.gaussian_filter(rng.normal(size=gray.shape), 2)
    level = 0.3 if kind == "hyper" else 0.025
    return seen(gray * (1 - inside) + level * inside * (1 + patches), rng)


def ring() -> Any:
    """Two bright rings: regions with holes."""
    gray = head()
    gray[ellipse(120, 172, 26, 22)], gray[ellipse(120, 172, 11, 9)] = 0.32, 0.10
    gray[ellipse(175, 110, 12, 12)], gray[ellipse(175, 110, 9, 9)] = 0.30, 0.10
    return seen(gray, np.random.default_rng(2))


def rimmed() -> Any:
    """A dark lesion with a bright rim along six tenths of its edge."""
    gray, (y, x) = head(), np.indices((256, 256))
    body = ellipse(150, 160, 24, 20)
    rim = ellipse(150, 160, 28, 24) & ~body & (np.abs(np.arctan2(y - 150, x - 160)) < 0.6 * np.pi)
    gray[body], gray[rim] = 0.028, 0.22
    return seen(gray, np.random.default_rng(4))


def small() -> Any:
    """Three bright lesions of 40 to 280 pixels."""
    gray = head()
    gray[ellipse(110, 175, 7, 6)] = 0.35
    gray[ellipse(160, 90, 4, 3.3)] = 0.33
    gray[ellipse(70, 120, 10, 9)] = 0.28
    return seen(gray, np.random.default_rng(1))


SLICES: dict[str, Callable[[], Any]] = {
    **{f"ragged {k} {s}": lambda k=k, s=s: ragged(k, s) for k in ("hyper", "hypo") for s in (0, 1)},
    "ring": ring,
    "rimmed": rimmed,
    "small": small,
}


@cache
def made(name: str) -> Any:
    return SLICES[name]()


def pixels(name: str, method: str) -> int:
    kind = "hypo" if "hypo" in name or name == "rimmed" else "hyper"
    return int(SEGMENTERS[method](preprocess(made(name)), kind=kind).sum())


@pytest.mark.parametrize("name", FOUND)
def test_the_pixels_found(name: str) -> None:
    assert tuple(SEGMENTERS) == METHODS
    found = [pixels(name, method) for method in METHODS]
    np.testing.assert_allclose(found, FOUND[name], rtol=0, atol=PIXELS)


@pytest.mark.parametrize(("module", "constant", "value", "name", "method"), CHANGES)
def test_a_changed_constant_is_noticed(
    monkeypatch: pytest.MonkeyPatch, module: str, constant: str, value: Any, name: str, method: str
) -> None:
    home = importlib.import_module(f"lesionkit.studies.stroke.{module}")
    monkeypatch.setattr(home, constant, value)
    expected = FOUND[name][METHODS.index(method)]
    assert abs(pixels(name, method) - expected) > PIXELS
