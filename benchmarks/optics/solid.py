"""Light in a ball: error of the readings against the sphere series, and cost of a map.

The peers solve the same matrix for the same 64 fields: SciPy's SuperLU, and MKL PARDISO (package
pypardiso) with its analysis kept from map to map. CPU time of one thread.
"""

from __future__ import annotations

import importlib.util
import itertools
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

import lesionkit
from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds
from lesionkit.optics import ForwardModel, GridBasis, Mesh, ball_mesh, reconstruct, spectra

sys.path.append(str(Path(__file__).parents[2] / "tests"))
from reference.optics import robin_coefficient
from reference.optics_inclusions import layered_series, multipole_series
from reference.optics_solid import sphere_series

Array = np.ndarray
RADIUS, SOURCE_DEPTH = 41.0, 1.0
TISSUES = {"P1": (0.010, 1.0), "P2": (0.004, 0.8), "P3": (0.020, 1.5)}  # mua, mus' in mm^-1
NEAREST = np.deg2rad(10)
# Inner balls: centre and radius in mm, mua and mus' in those of the tissue about them.
BALLS = {
    "one ball at the centre": [((0.0, 0, 0), 15.0, 2.0, 1.2)],
    "two balls": [((12.0, -8, 6), 10.0, 2.0, 1.2), ((-15.0, 10, -5), 8.0, 2.5, 1.4)],
}
CUTS = 6  # of an element's edges, where its share within a ball is counted


def directions(count: int, seed: int) -> Array:
    """(count, 3) unit vectors, spread evenly and turned at random: on no axis of a mesh."""
    k = np.arange(count) + 0.5
    z, angle = 1 - 2 * k / count, np.pi * (1 + np.sqrt(5)) * k
    places = np.column_stack([np.cos(angle), np.sin(angle), z])
    places[:, :2] *= np.sqrt(1 - z**2)[:, None]
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    turned: Array = places @ turn
    return turned


def precision(report: Report) -> None:
    """Median and 95th percentile of the relative error, beyond 10 degrees from the source: in the
    homogeneous ball, beside redbirdpy where it is installed, and with inner balls."""
    sources, detectors = directions(16, 1), directions(48, 2)
    angles = np.arccos(np.clip(sources @ detectors.T, -1, 1))
    far = angles > NEAREST
    truth = {
        name: sphere_series(RADIUS, *tissue, RADIUS - SOURCE_DEPTH, angles)
        for name, tissue in TISSUES.items()
    }
    sizes = [(1, 12), (2, 6), (2, 12)]
    if not report.quick:
        sizes = [(1, 12), (1, 18), (1, 24), (2, 6), (2, 8), (2, 10), (2, 12)]
    rows = []
    for order, layers in sizes:
        mesh = ball_mesh(RADIUS, layers, order)
        model = ForwardModel(mesh, RADIUS * sources, RADIUS * detectors, source_depth=SOURCE_DEPTH)
        row = [f"P{order}, {layers} layers", f"{len(mesh.nodes):,}"]
        for name, (mua, mus) in TISSUES.items():
            ones = np.ones(len(mesh.nodes))
            row.append(_error((model.measure(mua * ones, mus * ones) / truth[name])[far]))
        rows.append(row)
        if len(rows) == 1 and importlib.util.find_spec("redbirdpy"):
            found = [_redbird(model, *tissue, sources, detectors) for tissue in TISSUES.values()]
            errors = [_error((g / truth[t])[far]) for g, t in zip(found, TISSUES, strict=True)]
            rows.append(["redbirdpy on it", row[1], *errors])
    for name, balls in BALLS.items():
        row = [f"the last, {name}", f"{len(mesh.nodes):,}"]
        for tissue in TISSUES.values():
            exact = _with_balls(tissue, balls, sources, detectors, angles)
            found = model.measure(*_mixed(mesh, tissue, balls), at="elements")
            row.append(_error((found / exact)[far]))
        rows.append(row)
    report.table(
        "Light in a ball of 41 mm against the sphere series",
        ["mesh", "nodes", *(f"mua {a}, mus' {s}" for a, s in TISSUES.values())],
        rows,
        "Relative error of a reading beyond 10 degrees: median and 95th percentile of its size, "
        "and the median with its sign. Inner balls against multipoles; elements that they cut are "
        "mixed.",
    )


def _error(ratio: Array) -> str:
    off = ratio - 1
    middle, high = np.median(np.abs(off)), np.quantile(np.abs(off), 0.95)
    return f"{middle:.2%}, {high:.2%} ({np.median(off):+.1%})"


def _redbird(
    model: ForwardModel, mua: float, mus: float, sources: Array, detectors: Array
) -> Array:
    """redbirdpy's fields on the model's mesh of linear elements, read where the model reads.

    It sinks sources by 1 / mus' along their direction, so they start that much higher; its own
    detectors are sunk as well and are not used. The reflection is that of our condition.
    """
    import redbirdpy

    mesh, ksi = model.mesh, robin_coefficient(model.refractive_index)
    setting = {
        "node": mesh.nodes.copy(),
        "elem": mesh.elements.astype(int) + 1,
        "seg": np.ones(len(mesh.elements), int),
        "prop": np.array([[0, 0, 1, 1], [mua, mus, 0, model.refractive_index]]),
        "srcpos": (RADIUS - SOURCE_DEPTH + 1 / mus) * sources,
        "srcdir": -sources,
        "detpos": RADIUS * detectors,
        "detdir": -detectors,
        "reff": (1 - 2 * ksi) / (1 + 2 * ksi),
        "omega": 0,
    }
    setting, _ = redbirdpy.meshprep(setting)
    fields = redbirdpy.run(setting)[1]
    read: Array = (model.detector_weights @ fields[:, : len(sources)]).T
    return read


def _with_balls(
    tissue: tuple[float, float], balls: list[Any], sources: Array, detectors: Array, angles: Array
) -> Array:
    """The exact readings (sources, detectors) with inner balls."""
    mua, mus = tissue
    inner = [(np.array(c), r, a * mua, s * mus) for c, r, a, s in balls]
    depth = RADIUS - SOURCE_DEPTH
    if len(inner) == 1 and not inner[0][0].any():
        one: Array = layered_series(RADIUS, *tissue, inner[0][1:], depth, angles)
        return one
    many: Array = multipole_series(RADIUS, *tissue, inner, depth * sources, RADIUS * detectors)
    return many


def _mixed(mesh: Mesh, tissue: tuple[float, float], balls: list[Any]) -> tuple[Array, Array]:
    """mua and mus' of elements (elements,), by their shares within each ball."""
    corners = mesh.nodes[mesh.corners]
    cuts = [c for c in itertools.product(range(CUTS), repeat=4) if sum(c) == CUTS - 1]
    mua, mus = (np.full(len(corners), value) for value in tissue)
    for centre, radius, a, s in balls:
        share = np.zeros(len(corners))
        for cut in cuts:
            place = np.einsum("a,eax->ex", (np.array(cut) + 0.25) / CUTS, corners)
            share += np.linalg.norm(place - centre, axis=1) < radius
        mua += share / len(cuts) * (a - 1) * tissue[0]
        mus += share / len(cuts) * (s - 1) * tissue[1]
    return mua, mus


def speed(report: Report) -> None:
    """One map with two balls in it, 32 sources and 32 detectors: CPU seconds of one thread."""
    sizes = [(1, 12), (2, 6)] if report.quick else [(1, 12), (1, 18), (1, 26), (2, 8), (2, 12)]
    before = lesionkit.threads()
    lesionkit.threads(1)
    rows = []
    for order, layers in sizes:
        mesh = ball_mesh(RADIUS, layers, order)
        model = ForwardModel(
            mesh, RADIUS * directions(32, 1), RADIUS * directions(32, 2), accuracy=1e-4
        )
        mua, mus = _inclusions(mesh)
        model.measure(mua, mus)  # plan and hierarchy are made
        plan = model.plans.at("nodes")
        matrix = plan.matrix(mua, mus)
        right = sparse.vstack([model.source_weights, model.detector_weights]).toarray().T
        weights = model.detector_weights
        contenders: dict[str, Callable[[], Any]] = {"ours": partial(model.measure, mua, mus)}
        if len(mesh.nodes) < 25_000 and order == 1:
            contenders["SuperLU"] = partial(_superlu, matrix, right)
        if importlib.util.find_spec("pypardiso"):
            contenders["PARDISO"] = _pardiso(matrix, right)
        spent: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(report.pairs):
            for name, run in contenders.items():
                begin = time.process_time()
                run()
                spent[name].append(time.process_time() - begin)
        ours, off = np.median(spent["ours"]), "-"
        if len(contenders) > 1:
            exact = weights @ list(contenders.values())[-1]()[:, :32]
            off = f"{np.abs(model.measure(mua, mus).T / exact - 1).max():.1e}"
        row = [f"P{order}", f"{len(mesh.nodes):,}", f"{matrix.nnz:,}", str(plan.iterations)]
        row += [f"{ours * 1e3:.0f} ms", off]
        for name in ("PARDISO", "SuperLU"):
            ratios = np.divide(spent[name], spent["ours"]) if name in spent else []
            row.append(f"{np.median(ratios):.1f}x" if len(ratios) else "-")
        rows.append(row)
    lesionkit.threads(before)
    head = ["elements", "nodes", "entries", "iterations", "ours", "worst reading off"]
    head += ["PARDISO over ours", "SuperLU over ours"]
    report.table("One map, 32 sources and 32 detectors, readings to 1e-4", head, rows)


NM = (661, 735, 785, 808, 826, 852, 903, 912, 948)
TISSUE = {"hbo": 14.0, "hb": 7.0, "water": 35.0, "amplitude": 1.0, "power": 1.0}


def reconstruction(report: Report) -> None:
    """DRI of two balls of blood: nine wavelengths, 16 sources, 15 detectors each; wall time.

    PARDISO, beside it, only solves for the fields of 16 sources and 16 detectors that three steps
    of Gauss-Newton need, analysis kept: no assembly, Jacobian, trials, homogeneous start or update.
    """
    mesh = ball_mesh(RADIUS, 8 if report.quick else 18, order=1)
    places = RADIUS * directions(16, 1)
    model = ForwardModel(mesh, places, places, accuracy=1e-4)
    pairs = np.argwhere(~np.eye(16, dtype=bool))
    lump = np.zeros(len(mesh.nodes), bool)
    for place, radius, *_ in BALLS["two balls"]:
        lump |= np.linalg.norm(mesh.nodes - place, axis=1) < radius
    hbo = np.where([np.zeros_like(lump), lump], 28.0, 14.0)
    mua = spectra.absorption(NM, hbo, 7.0, 35.0)
    mus = np.broadcast_to(spectra.scattering(NM, 1.0, 1.0)[:, None, None], mua.shape)
    readings = np.moveaxis(model.measure(mua, mus)[..., pairs[:, 0], pairs[:, 1]], 1, 0)
    flat, signal = readings
    signal = signal * (1 + 0.01 * np.random.default_rng(0).normal(size=signal.shape))
    basis = GridBasis(mesh, 8.0)
    guide = basis.average(mesh.nodes, np.where(lump, 80.0, 50.0))
    run = partial(
        reconstruct, model, signal, flat, TISSUE, NM, basis, pairs=pairs, gray=guide,
        maps=["hbo", "hb", "water", "amplitude"],
    )  # fmt: skip
    found = run()
    steps = np.isfinite(found.residuals).sum() - 1
    inside = basis.average(mesh.nodes, lump.astype(float)) > 0.5
    contrast = found.maps["hbo"][inside].mean() / found.maps["hbo"][~inside].mean()
    contenders = {"ours": Contender(run, threads=report.threads)}
    if importlib.util.find_spec("pypardiso"):
        right = sparse.vstack([model.source_weights, model.detector_weights]).toarray().T
        plan = model.plans.at("nodes")
        maps = zip(mua[:, 1].copy(), mus[:, 1].copy(), strict=True)
        solves = [_pardiso(plan.matrix(*each), right) for each in maps]
        contenders["PARDISO, fields alone"] = Contender(
            lambda: [solve() for _ in range(3) for solve in solves]
        )
    times = rounds(contenders, min(report.pairs, 3), warm=0)
    rows = [
        [
            name,
            f"{np.median(spent):.1f} s",
            "-" if name == "ours" else str(ratio(spent, times["ours"])),
            f"{steps} steps, HbO {contrast:.2f} times its surroundings, true 2"
            if name == "ours"
            else "one thread",
        ]
        for name, spent in times.items()
    ]
    report.table(
        f"DRI in a ball of {len(mesh.nodes):,} nodes: nine wavelengths, 240 pairs, "
        f"4 x {len(basis)} unknowns",
        ["what", "time", "this / ours", ""],
        rows,
        f"Ours with {report.threads} threads, to its end; wall time.",
    )


def _inclusions(mesh: Mesh) -> tuple[Array, Array]:
    mua, mus = np.full(len(mesh.nodes), 0.010), np.full(len(mesh.nodes), 1.0)
    for place, radius, a, s in BALLS["two balls"]:
        inside = np.linalg.norm(mesh.nodes - place, axis=1) < radius
        mua[inside] *= a
        mus[inside] *= s
    return mua, mus


def _superlu(matrix: sparse.csr_array, right: Array) -> Array:
    options = {"SymmetricMode": True}
    factor = splu(matrix.tocsc(), "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    fields: Array = factor.solve(right)
    return fields


def _pardiso(matrix: sparse.csr_array, right: Array) -> Callable[[], Array]:
    from pypardiso import PyPardisoSolver

    solver = PyPardisoSolver(mtype=2)
    upper = sparse.csr_matrix(sparse.triu(matrix, format="csr"))
    solver.set_phase(11)
    solver._call_pardiso(upper, right)

    def run() -> Array:
        solver.set_phase(23)
        fields: Array = solver._call_pardiso(upper, right)
        return fields

    return run
