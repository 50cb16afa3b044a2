"""Work against precision: error of the readings against the truth, beside the time they take.

Ours with linear elements (properties on elements) and with graded quadratic ones (on quarters of
elements), and NIRFAST's rule, replayed by `compat="nirfast"`: its errors are its own, its time is
that of the replay in Python with SuperLU. The truth are series: Bessel functions for the
homogeneous disc, multipoles for one and two inclusions (tests/reference).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks import plots
from benchmarks.optics.peers import BASE, missing, peer
from benchmarks.optics.problem import (
    OPTODES,
    RADIUS,
    REFRACTIVE_INDEX,
    SOURCE_DEPTH,
    Array,
    disc,
    ours,
    phantoms,
    rings,
)
from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds

TISSUES = {"P1": (0.010, 1.0), "P2": (0.004, 0.8), "P3": (0.020, 1.5)}  # mua, mus' in mm^-1
# x, y, radius in mm; how many times the background's mua and mus'
INCLUSIONS: dict[str, list[tuple[float, ...]]] = {
    "none": [],
    "one": [(12, -8, 10, 2.0, 1.2)],
    "two": [(-15, 10, 8, 2.5, 1.3), (14, -6, 8, 1.5, 0.8)],
}
APART = np.arange(2, 15)  # places from source to detector
SOURCES = (0, 5, 10, 13)
PHASE = 0.15  # NIRFAST's sources have the strength cos 0.15

Truth = dict[tuple[str, str], Array]


class Point(NamedTuple):
    """A mesh and a way to solve on it."""

    who: str
    nodes: int
    elements: int
    corners: Array  # (properties, 3, 2) mm: the triangles on which properties are constant
    measure: Callable[[Array, Array], Array]  # (n, properties) maps, twice -> (n, 16, 16)
    strength: float = 1.0
    at_nodes: Array | None = None  # (properties, 2) mm, where properties are at nodes
    default: bool = False  # the mesh that disc_mesh() gives


def precision(report: Report) -> None:
    """Table and picture: the worst error of each tissue over no, one and two inclusions."""
    truths = {depth: _truth(depth) for depth in (None, SOURCE_DEPTH)}
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {name: {} for name in TISSUES}
    base = None
    if not missing(BASE):
        work = disc(rings(24))
        base = Contender(partial(peer(BASE, work), *(m[:16] for m in phantoms(work, 16))), 16)
    rows = []
    for point in _points(report.quick):
        nirfast = point.who.startswith("NIRFAST")
        errors = _errors(point, truths[None if nirfast else SOURCE_DEPTH])
        count = 2 if nirfast else max(16, 300_000 // point.nodes) // (8 if report.quick else 1)
        random = np.random.default_rng(0)
        shape = count, len(point.corners if point.at_nodes is None else point.at_nodes)
        maps = random.uniform(0.004, 0.02, shape), random.uniform(0.7, 1.5, shape)
        contenders = {"point": Contender(partial(point.measure, *maps), count, report.threads)}
        if base:
            contenders["base"] = base
        times = rounds(contenders, 3 if nirfast else report.pairs)
        spent = float(np.median(times["point"])) * 1e3
        for name, error in errors.items():
            curves[name].setdefault(point.who, []).append((spent, error))
            if point.default:
                curves[name]["ours, the default"] = [(spent, error)]
        faster = str(ratio(times["base"], times["point"])) if base else "-"
        worst = [f"{error:.2%}" for error in errors.values()]
        who = point.who + ", the default" * point.default
        rows.append([who, f"{point.nodes:,}", *worst, f"{spent:.4f}", faster])
        if base:
            base_time = float(np.median(times["base"])) * 1e3
    report.table(
        "Error against truth beside time",
        ["who", "nodes", *TISSUES, "ms per system", f"{BASE}, 1,801 linear nodes / this"],
        rows,
        "The largest relative error of a reading, detectors 2 to 14 places from the source, over a "
        "homogeneous disc and one with one and two inclusions; backgrounds "
        + "; ".join(f"{n}: mua {a:g}, mus' {s:g} mm^-1" for n, (a, s) in TISSUES.items())
        + f". {report.threads} threads. The last column: pairs in this run.",
    )
    report.figure("precision", plots.precision(curves, base_time if base else None))


def _truth(depth: float | None) -> Truth:
    """(sources, detectors) readings of each case; depth None: 1 / mus' of the background."""
    from tests.reference.optics import disc_series
    from tests.reference.optics_inclusions import disc_with_inclusions

    angles = 2 * np.pi * np.arange(OPTODES) / OPTODES
    found: Truth = {}
    for tissue, (mua, mus) in TISSUES.items():
        inside = RADIUS - (depth or 1 / mus)
        for case, discs in INCLUSIONS.items():
            if not discs:
                alike = disc_series(
                    RADIUS, mua, mus, inside, angles[APART], REFRACTIVE_INDEX, digits=30
                )
                found[tissue, case] = np.tile(alike, (len(SOURCES), 1))
                continue
            inclusions = [(x, y, r, a * mua, s * mus) for x, y, r, a, s in discs]
            found[tissue, case] = np.array(
                [
                    disc_with_inclusions(
                        *(RADIUS, mua, mus, inclusions),
                        (inside * np.cos(angles[source]), inside * np.sin(angles[source])),
                        angles[(source + APART) % OPTODES],
                        REFRACTIVE_INDEX,
                        waves=22,
                        terms=150,
                    )
                    for source in SOURCES
                ]
            )
    return found


def _points(quick: bool) -> Iterator[Point]:
    from lesionkit.optics import ForwardModel
    from lesionkit.optics.mesh.disc import graded_disc

    for count in [8, 16, 24] if quick else [8, 16, 24, 32, 48, 64]:
        work = disc(rings(count))
        model = ours(work)
        corners = work.nodes[work.elements]
        size = len(work.nodes), len(work.elements)
        yield Point("ours, linear", *size, corners, partial(model.measure, at="elements"))
    for fineness in [0.5, 1.0] if quick else [0.5, 0.7, 1.0, 1.4]:
        mesh = graded_disc(RADIUS, OPTODES, fineness)
        model = ForwardModel(mesh, work.optodes, work.optodes, source_depth=SOURCE_DEPTH)
        corners = mesh.nodes[mesh.quarters]
        size = len(mesh.nodes), len(mesh.elements)
        measure = partial(model.measure, at="quarters")
        yield Point("ours, quadratic", *size, corners, measure, default=fineness == 1.0)
    for count in [8, 16] if quick else [8, 16, 24, 48]:
        work = disc(rings(count))
        model = ours(work, compat="nirfast")
        size = len(work.nodes), len(work.elements)
        corners = work.nodes[work.elements]
        strength = float(np.cos(PHASE))
        yield Point("NIRFAST's rule", *size, corners, model.measure, strength, work.nodes)


def _errors(point: Point, truth: Truth) -> dict[str, float]:
    """The worst error of each tissue."""
    worst = dict.fromkeys(TISSUES, 0.0)
    for (tissue, case), expected in truth.items():
        maps = _maps(point, TISSUES[tissue], INCLUSIONS[case])
        readings = point.measure(*(m[None] for m in maps))[0] / point.strength
        source = np.array(SOURCES)[:, None]
        fans = readings[source, (source + APART) % OPTODES]
        worst[tissue] = max(worst[tissue], float(np.abs(fans / expected - 1).max()))
    return worst


def _maps(
    point: Point, tissue: tuple[float, float], discs: list[tuple[float, ...]]
) -> tuple[Any, Any]:
    """Maps of mua and mus': fractions of triangles, or which nodes lie inside."""
    from lesionkit import _core

    if point.at_nodes is not None:
        inside = [
            (np.hypot(*(point.at_nodes - disc[:2]).T) < disc[2]).astype(float) for disc in discs
        ]
        count = len(point.at_nodes)
    else:
        regions = np.zeros((1, 3, 8))
        for k, disc in enumerate(discs, 1):
            regions[0, k, :3] = disc[:3]
        count = len(point.corners)
        fractions = np.empty((1, 2, count))
        _core.optics.element_shares(regions, np.ascontiguousarray(point.corners), fractions)
        inside = list(fractions[0, : len(discs)])
    mua, mus = (
        background * (1 + sum(f * (disc[3 + k] - 1) for f, disc in zip(inside, discs, strict=True)))
        * np.ones(count)
        for k, background in enumerate(tissue)
    )  # fmt: skip
    return mua, mus
