"""The clustering workloads: seeded pictures and clouds, the same first centres for everybody.

K1k3, K1k8, F1, F4: a slice of a head, 512 x 512, 8 bit. K2, F2: a head of 256^3 float32 voxels.
K3: a false-colour picture, 1 M pixels x 3, 8-bit numbers. K4: 1 M x 16 from 40 normal clouds. F3:
1 M x 4 channels of five tissues.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Work:
    """`raw` as a user has it, `X` (samples, features) float32, `start` (classes, features)."""

    name: str
    kind: Literal["k-means", "FCM", "spatial FCM"]
    raw: Array
    X: Array
    start: NDArray[np.float64]
    passes: tuple[int, int]  # the short and the long run; their difference gives the time of a pass

    @property
    def classes(self) -> int:
        return len(self.start)


# classes, kind, passes
SHAPES: dict[str, tuple[int, Any, tuple[int, int]]] = {
    "K1k3": (3, "k-means", (2, 12)),
    "K1k8": (8, "k-means", (2, 12)),
    "K2": (4, "k-means", (2, 8)),
    "K3": (8, "k-means", (2, 12)),
    "K4": (32, "k-means", (2, 8)),
    "F1": (4, "FCM", (2, 12)),
    "F2": (4, "FCM", (1, 3)),
    "F3": (5, "FCM", (2, 6)),
    "F4": (4, "spatial FCM", (2, 12)),
}


def head(shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """Shells of skin, bone, fluid, grey and white matter and ventricles, 0 to about 1, under a
    smooth bias and Rician noise."""
    axes = [np.linspace(-1, 1, side, dtype=np.float32) for side in shape]
    places = np.meshgrid(*axes, indexing="ij", sparse=True)
    reach = sum((p / (0.94 - 0.1 * i)) ** 2 for i, p in enumerate(places))
    folds = 0.05 * np.sin(9 * places[0]) * np.cos(7 * places[-1])
    clean = np.full(shape, 0.02, np.float32)
    levels = ((1.0, 0.9), (0.9, 0.15), (0.8, 0.3), (0.74, 0.52), (0.45, 0.72), (0.06, 0.25))
    for limit, level in levels:
        clean[reach + folds < limit] = level
    clean *= 1 + 0.07 * places[0] - 0.07 * places[-1]
    rng = np.random.default_rng(seed)
    for plane in clean:  # one at a time, so that the noise needs no room
        a, b = rng.normal(0, 0.035, (2, *plane.shape)).astype(np.float32)
        plane[...] = np.hypot(plane + a, b)
    return clean


def _raw(name: str, quick: bool) -> Array:
    side, many = (64, 4096) if quick else (512, 1_000_000)
    rng = np.random.default_rng(11)
    if name in ("K2", "F2"):
        return head((24,) * 3 if quick else (256,) * 3, 5)
    if name == "K3":
        side = 64 if quick else 1000
        heat = np.clip(head((side, side), 6), 0, 1)
        colours = np.stack([np.clip(1.6 - abs(4 * heat - at), 0, 1) for at in (3, 2, 1)], -1)
        return np.clip(255 * colours + rng.normal(0, 3, colours.shape), 0, 255).astype(np.uint8)
    if name == "K4":
        clouds = rng.normal(0, 2, (40, 16))
        return (clouds[rng.integers(0, 40, many)] + rng.normal(size=(many, 16))).astype(np.float32)
    if name == "F3":
        tissues = rng.uniform(0.1, 0.9, (5, 4))
        which = rng.choice(5, many, p=[0.3, 0.25, 0.2, 0.2, 0.05])
        return (tissues[which] + rng.normal(0, 0.06, (many, 4))).astype(np.float32)
    return np.clip(210 * head((side, side), 4), 0, 255).astype(np.uint8)


@cache
def work(name: str, quick: bool = False) -> Work:
    classes, kind, passes = SHAPES[name]
    raw = _raw(name, quick)
    X = np.ascontiguousarray(raw.reshape(-1, raw.shape[-1] if name in ("K3", "K4", "F3") else 1))
    X = X.astype(np.float32, copy=False)
    if X.shape[1] == 1:
        # No whole number lies halfway between two of them: there rounding would decide.
        start = 0.9971 * np.linspace(float(X.min()), float(X.max()), classes + 2)[1:-1, None]
    else:
        rng = np.random.default_rng(12)
        different = np.unique(X[rng.integers(0, len(X), 4000)], axis=0)
        start = different[rng.permutation(len(different))[:classes]].astype(np.float64)
    return Work(name, kind, raw, X, start, passes)


def _chunks(X: Array, classes: int) -> list[slice]:
    step = max(1, 4_000_000 // (classes * X.shape[1]))
    return [slice(i, i + step) for i in range(0, len(X), step)]


def _squares(X: Array, centres: Array) -> Array:
    """|x - v_j|^2 in float64, (samples, classes)."""
    total = np.zeros((len(X), len(centres)))
    for e in range(X.shape[1]):
        total += (X[:, e, None].astype(np.float64) - centres[:, e]) ** 2
    return total


def _distinct(job: Work) -> tuple[Array, Array]:
    """The samples, or each value of few with its count."""
    if job.X.shape[1] > 1 or job.raw.dtype != np.uint8:
        return job.X, np.ones(1)
    values, counts = np.unique(job.X, return_counts=True)
    return values[:, None], counts.astype(np.float64)


def objective(job: Work, centres: Array) -> float:
    """What the method makes small, in float64: of FCM with the best memberships."""
    X, counts = _distinct(job)
    total = 0.0
    for part in _chunks(X, len(centres)):
        far = _squares(X[part], centres)
        each = far.min(1) if job.kind == "k-means" else 1 / (1 / np.maximum(far, 1e-300)).sum(1)
        total += float((each * (counts[part] if len(counts) > 1 else 1.0)).sum())
    return total


@cache
def _expected(name: str, quick: bool, passes: int) -> Array:
    job = work(name, quick)
    X, counts = _distinct(job)
    centres = job.start.copy()
    for _ in range(passes):
        sums, weights = np.zeros_like(centres), np.zeros(len(centres))
        for part in _chunks(X, len(centres)):
            far = _squares(X[part], centres)
            if job.kind == "k-means":
                w = (far.argmin(1)[:, None] == np.arange(len(centres))).astype(np.float64)
            else:
                near = 1 / np.maximum(far, 1e-300)
                w = (near / near.sum(1, keepdims=True)) ** 2
            w *= counts[part][:, None] if len(counts) > 1 else 1.0
            weights += w.sum(0)
            sums += w.T @ X[part]
        there = weights > 0
        centres[there] = sums[there] / weights[there, None]
    return centres


def centre_error(job: Work, centres: Array, passes: int, quick: bool) -> float:
    """The furthest coordinate from plain NumPy's in float64, in standard deviations of the data."""
    expected = _expected(job.name, quick, passes)
    spread = float(job.X.astype(np.float64).std())
    return float(
        np.abs(np.asarray(centres, float).reshape(expected.shape) - expected).max() / spread
    )
