"""Known answers: what the CPU's kernels should give, by plain NumPy or by what must hold.

`python -m lesionkit.selftest.known` checks the instruction set that LESIONKIT_ISA names.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import groupby

import numpy as np

from lesionkit.selftest.checks import ROUNDING, SINGLE, Check, distance


def checks() -> Iterator[Check]:
    """Of every domain, in turn."""
    for domain in (optics, texture, clustering, fronts):
        yield from domain()


def optics() -> Iterator[Check]:
    """Readings by dense algebra, derivatives by differences, and what an inclusion covers."""
    from lesionkit import _core
    from lesionkit.optics import ForwardModel, disc_mesh
    from lesionkit.optics.forward.physics import robin_coefficient

    mesh = disc_mesh(radius=10.0, nodes=61, optodes=6)
    rim = mesh.nodes[mesh.boundary[::4, 0]]
    model = ForwardModel(mesh, rim, rim)
    random = np.random.default_rng(1)
    mua = random.uniform(0.002, 0.02, (9, len(mesh.elements)))  # more than the lanes of a register
    mus = random.uniform(0.5, 2.0, mua.shape)

    corners = mesh.nodes[mesh.elements]
    sides = np.roll(corners, -1, 1) - np.roll(corners, 1, 1)  # opposite each node
    area = np.abs(sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]) / 2
    slopes = np.einsum("eid,ejd->eij", sides, sides) / (4 * area[:, None, None])
    masses = area[:, None, None] / 12 * (1 + np.eye(3))
    ends = mesh.boundary[:, :2]
    lengths = np.linalg.norm(np.diff(mesh.nodes[ends], axis=1)[:, 0], axis=1)
    at = mesh.elements[:, :, None], mesh.elements[:, None, :]
    expected = []
    for a, s in zip(mua, mus, strict=True):
        system = np.zeros((len(mesh.nodes),) * 2)
        kappa = 1 / (3 * (a + s))
        np.add.at(system, at, kappa[:, None, None] * slopes + a[:, None, None] * masses)
        edges = robin_coefficient(1.33) * lengths[:, None, None] / 6 * (1 + np.eye(2))
        np.add.at(system, (ends[:, :, None], ends[:, None, :]), edges)
        field = np.linalg.solve(system, model.source_weights.toarray().T)
        expected.append((model.detector_weights @ field).T)
    readings = model.measure(mua, mus, at="elements")
    yield Check("readings, by dense algebra", distance(readings, np.array(expected)), ROUNDING)

    jacobian = model.jacobian(mua[0], mus[0], at="elements").absorption
    step = 1e-5 * random.uniform(size=mua[0].shape)
    up, down = (model.measure(mua[0] + sign * step, mus[0], at="elements") for sign in (1, -1))
    yield Check("derivatives, by differences", distance(jacobian @ step, (up - down) / 2), 1e-6)

    regions = np.zeros((1, 3, 8))
    regions[0, :2, :3] = (0, 0, 10), (1.0, -2.0, 3.0)
    fractions = np.empty((1, 2, len(corners)))
    _core.optics.element_shares(regions, np.ascontiguousarray(corners), fractions)
    covered = float(fractions[0, 0] @ area) / (9 * np.pi)
    yield Check("the area of an inclusion", abs(covered - 1), ROUNDING)


def texture() -> Iterator[Check]:
    """Pairs and runs counted one by one."""
    from lesionkit.texture import cooccurrence, feature_maps, roi_features, run_lengths

    random = np.random.default_rng(2)
    image = random.integers(0, 6, (19, 37)).astype(np.uint8)
    offsets = [(0, 1), (1, 1), (2, -1)]
    counts = np.zeros((3, 6, 6))
    for number, (down, right) in enumerate(offsets):
        for row, column in np.ndindex(19 - down, 37):
            if 0 <= column + right < 37:
                a, b = image[row, column], image[row + down, column + right]
                counts[number, a, b] += 1
                counts[number, b, a] += 1
    found = cooccurrence(image, offsets, 6)
    yield Check("co-occurrence, counted", distance(found.astype(float), counts), 0)

    fractions = counts / counts.sum((1, 2), keepdims=True)
    squares = np.subtract.outer(np.arange(6), np.arange(6)) ** 2
    contrast = (fractions * squares).sum((1, 2))
    regions = roi_features(np.tile(image, (9, 1, 1)), offsets, 6, ["Contrast"])
    yield Check("regions: contrast", distance(regions[..., 0], np.tile(contrast, (9, 1))), ROUNDING)
    window = feature_maps(image, (19, 37), offsets, 6, "contrast", border="valid")
    yield Check("maps: contrast", distance(window.ravel(), contrast.mean(keepdims=True)), ROUNDING)

    table = np.zeros((6, 37))
    for line in image:
        for level, run in groupby(line.tolist()):
            table[level, len(list(run)) - 1] += 1
    runs = run_lengths(image, [(0, 1)], 6)[0]
    error = distance(runs.astype(float), table[:, : runs.shape[1]])
    yield Check("run lengths, counted", error + table[:, runs.shape[1] :].sum(), 0)


def clustering() -> Iterator[Check]:
    """One step of each method, from the formulas."""
    from lesionkit import _core

    random = np.random.default_rng(3)
    for features in (1, 3, 16):
        x = random.normal(size=(203, features))
        start = x[:4] + 0.3
        far = np.linalg.norm(x[:, None] - start, axis=2)
        nearest = far.argmin(1)
        means = np.array([x[nearest == k].mean(0) for k in range(4)])
        centres = start.copy()
        _core.clustering.lloyd(x, None, False, centres, 1, 0.0, False)
        what = f"k-means of {features} features: centres"
        yield Check(what, distance(centres, means), 100 * ROUNDING)  # on a line sums are float32
        u = far**-2 / (far**-2).sum(1, keepdims=True)
        means = (u.T**2 @ x) / (u**2).sum(0)[:, None]
        centres, span = start.copy(), float(np.linalg.norm(np.ptp(np.vstack([x, start]), axis=0)))
        _core.clustering.fcm_fit(x, None, span, 1.0, len(x), 2.0, 1, 0.0, False, centres)
        what = f"fuzzy c-means of {features} features: centres"
        yield Check(what, distance(centres, means), 100 * ROUNDING)


def fronts() -> Iterator[Check]:
    """A front that stays straight, distances one by one, and two halves told apart."""
    from lesionkit.fronts import arrival_time, chan_vese, distance_transform

    seeds = [(row, 0) for row in range(9)]
    times = arrival_time(np.full((9, 40), 2.0), seeds, spacing=0.5)
    straight = np.tile(np.arange(40) * 0.25, (9, 1))
    yield Check("fronts: a straight one", distance(times, straight), ROUNDING)
    single = arrival_time(np.full((9, 40), 2.0, np.float32), seeds, spacing=0.5)
    yield Check("fronts: a straight one, float32", distance(single, straight), SINGLE)

    random = np.random.default_rng(4)
    mask = random.uniform(size=(13, 17)) < 0.9
    inside, outside = np.argwhere(mask), np.argwhere(~mask)
    expected = np.zeros(mask.shape)
    expected[mask] = np.linalg.norm(inside[:, None] - outside, axis=2).min(1)
    yield Check("distances, one by one", distance(distance_transform(mask), expected), ROUNDING)

    halves = np.zeros((16, 20))
    halves[:, 11:] = 1.0
    cut = chan_vese(halves + random.normal(0, 0.02, halves.shape))
    fraction = float(np.mean(cut == (halves > 0)))
    yield Check("contours: pixels on the wrong side", min(fraction, 1 - fraction), 0)


if __name__ == "__main__":
    for check in checks():
        json.dump([check.what, float(check.error), check.allowed], sys.stdout)
        print(flush=True)
