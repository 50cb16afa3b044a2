"""Fronts: whole public calls of ours beside each peer that can do the same work.

Times from a point are compared with the truth, which speeds that are constant or linear in space
have; distances with the exact ones; labels, contours and masks with the peer's. A peer that is not
installed is named and left out. Arrays are converted to each package's own kind before the clock
starts.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage
from threadpoolctl import threadpool_limits

from benchmarks.fronts.agreement import field, minima, photograph
from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds
from lesionkit import fronts

LONG = 30.0  # seconds that the pairs of one peer may take, roughly; at least 3 are taken
HEADER = ["ours", "peer", "ours, ms", "peer, ms", "peer / ours", "error: ours", "peer"]
Run = Callable[[], Any]
Judge = Callable[[Any, Any], tuple[str, str]]


class Peer(NamedTuple):
    """A package: what is imported, from it the call that is timed, and its own judge, if any."""

    name: str
    module: str
    make: Callable[[Any], Run]
    judge: Judge | None = None


class Work(NamedTuple):
    """One task: our calls by name, the peers, and what both answers are held to."""

    title: str
    ours: dict[str, Run]
    peers: list[Peer]
    judge: Judge


def against_peers(report: Report) -> None:
    for work in tasks(report.quick):
        table(report, work)


def tasks(quick: bool) -> list[Work]:
    side, volume = (96, 24) if quick else (1024, 128)
    marches = [*marching(side, 2), *marching(volume, 3)]
    floods = [basins((side,) * 2), basins((volume,) * 3)]
    return [*marches, *distances(side), *contours(side // 2), *floods]


def table(report: Report, work: Work) -> None:
    rows = []
    for peer in work.peers:
        try:
            run = peer.make(importlib.import_module(peer.module))
        except ImportError:
            report.say(f"left out, not installed: {peer.name} ({work.title})")
            continue
        with threadpool_limits(report.threads):
            rows += [row(report, work, name, own, peer, run) for name, own in work.ours.items()]
    report.table(f"{work.title}, {report.threads} threads", HEADER, rows)


def row(report: Report, work: Work, name: str, own: Run, peer: Peer, run: Run) -> list[str]:
    start = time.perf_counter()
    theirs = run()
    spent = time.perf_counter() - start
    errors = (peer.judge or work.judge)(own(), theirs)
    rest = 0.0 if report.quick else 0.3
    contenders = {
        "ours": Contender(own, threads=report.threads),
        "peer": Contender(run, threads=report.threads),
    }
    times = rounds(contenders, int(np.clip(LONG / spent, 3, report.pairs)), rest=rest)
    total = [f"{1e3 * np.median(times[k]):.3g}" for k in ("ours", "peer")]
    return [name, peer.name, *total, str(ratio(times["peer"], times["ours"])), *errors]


# --- what answers are held to ---------------------------------------------------------------------


def against(truth: Any, slack: float) -> Judge:
    """Mean errors; ours must not be above the peer's by more than `slack` of it."""

    def judge(ours: Any, theirs: Any) -> tuple[str, str]:
        own, other = (float(np.abs(np.asarray(found) - truth).mean()) for found in (ours, theirs))
        assert own <= (1 + slack) * other + 1e-5, f"ours is {own:.2e} off, the peer {other:.2e}"
        return f"{own:.2g}", f"{other:.2g}"

    return judge


def equal(ours: Any, theirs: Any) -> tuple[str, str]:
    np.testing.assert_array_equal(ours, theirs)
    return "equal", ""


# --- the tasks ------------------------------------------------------------------------------------


def marching(side: int, axes: int) -> Iterator[Work]:
    """Times from a point: constant speed, and a speed that grows along each axis."""
    shape, seed = (side,) * axes, (side // 3,) * axes
    places = np.indices(shape, sparse=True)
    square = sum((x - s) ** 2.0 for x, s in zip(places, seed, strict=True))
    for name, slope in (("speed 1", 0.0), ("linear speed", 2.0 / side)):
        speed = 1 + slope * sum(places) + 0 * square
        truth = np.sqrt(square)
        if slope:  # rays are arcs of circles: Fomel et al., 10.1190/1.3158617
            steep = slope * np.sqrt(axes)
            truth = np.arccosh(1 + steep**2 * square / (2 * speed * speed[seed])) / steep
        title = f"Arrival times, {' x '.join(map(str, shape))}, {name}"
        single = speed.astype(np.float32)
        yield Work(
            f"{title}, order 1",
            {
                "`arrival_time`, float32": lambda s=single, o=seed: fronts.arrival_time(s, o),
                "`travel_time`": lambda s=speed, o=seed: fmm_time(fronts, s, o, 1),
            },
            [
                fmm_peer(speed, seed, 1),
                Peer(
                    "pyekfmm",
                    "pyekfmm",
                    lambda m, s=single, o=seed: ekfmm(m, s, o),
                    told(truth),  # it begins with exact times about its seed
                ),
                Peer("SimpleITK", "SimpleITK", lambda m, s=single, o=seed: itk_time(m, s, o)),
                Peer("eikonalfm", "eikonalfm", lambda m, s=speed, o=seed: eikonal(m, s, o, False)),
            ],
            against(truth, 0.01),
        )
        yield Work(
            f"{title}, order 2",
            {
                f"`arrival_time`, {a.dtype}": lambda a=a, o=seed: fronts.arrival_time(a, o, order=2)
                for a in (single, speed)
            },
            [
                fmm_peer(speed, seed, 2),
                Peer(
                    "eikonalfm, factored",
                    "eikonalfm",
                    lambda m, s=speed, o=seed: eikonal(m, s, o, True),
                ),
            ],
            told(truth),
        )


def told(truth: Any) -> Judge:
    """Mean errors, and no limit of ours: factored times, and some others at order 1, know what is
    about their seed exactly."""
    return lambda ours, theirs: tuple(
        f"{np.abs(np.asarray(found) - truth).mean():.2g}" for found in (ours, theirs)
    )


def fmm_time(package: Any, speed: Any, seed: tuple[int, ...], order: int) -> Any:
    phi = np.ones(speed.shape)
    phi[seed] = 0
    return np.asarray(package.travel_time(phi, speed, order=order))


def fmm_peer(speed: Any, seed: tuple[int, ...], order: int) -> Peer:
    return Peer("scikit-fmm", "skfmm", lambda m: lambda: fmm_time(m, speed, seed, order))


def ekfmm(package: Any, speed: Any, seed: tuple[int, ...]) -> Run:
    flat = np.ascontiguousarray(speed.reshape(-1, order="F"))
    sizes = (*speed.shape, 1)[:3]
    axes = dict(zip(("ax", "ay", "az"), ([0, 1, n] for n in sizes), strict=True))
    place = np.array([*seed, 0.0][:3])
    return lambda: package.eikonal(flat, xyz=place, order=1, **axes).reshape(speed.shape, order="F")


def itk_time(sitk: Any, speed: Any, seed: tuple[int, ...]) -> Run:
    image, march = sitk.GetImageFromArray(speed), sitk.FastMarchingImageFilter()
    march.SetTrialPoints([[*map(int, seed[::-1])]])
    return lambda: sitk.GetArrayFromImage(march.Execute(image))


def eikonal(package: Any, speed: Any, seed: tuple[int, ...], factored: bool) -> Run:
    steps = (1.0,) * speed.ndim
    if not factored:
        return lambda: package.fast_marching(speed, seed, steps, 1)

    def run() -> Any:
        far = package.distance(speed.shape, steps, seed, indexing="ij")
        return far * package.factored_fast_marching(speed, seed, steps, 2)

    return run


def distances(side: int) -> Iterator[Work]:
    """From a disc: as a level set, and as a mask."""
    y, x = np.indices((side, side))
    exact = np.hypot(y - side / 2 + 0.3, x - side / 2 - 0.4) - side / 4
    phi = np.tanh(exact / 20)
    for order in (1, 2):
        yield Work(
            f"Signed distance of a level set, {side} x {side}, order {order}",
            {"`distance`": lambda o=order: np.asarray(fronts.distance(phi, order=o))},
            [Peer("scikit-fmm", "skfmm", lambda m, o=order: lambda: m.distance(phi, order=o))],
            against(exact, 0.01),
        )
    mask = exact < 0
    inside, outside = (ndimage.distance_transform_edt(part) for part in (mask, ~mask))

    def itk(sitk: Any) -> Run:
        image = sitk.GetImageFromArray(mask.astype(np.uint8))

        def run() -> Any:
            found = sitk.SignedMaurerDistanceMap(image, squaredDistance=False)
            return sitk.GetArrayFromImage(found)

        return run

    def scipy(package: Any) -> Run:
        edt = package.distance_transform_edt
        return lambda: edt(~mask) - edt(mask)

    yield Work(
        f"Signed distance of a mask, {side} x {side}",
        {"`distance_transform`": lambda: fronts.distance_transform(mask, signed=True)},
        [
            Peer("SciPy", "scipy.ndimage", scipy),
            Peer("SimpleITK", "SimpleITK", itk),
        ],
        against(outside - inside, 0.0),
    )


def contours(side: int) -> Iterator[Work]:
    """Contours of a photograph, 100 iterations."""
    image = photograph(side)
    given = {"max_num_iter": 100, "tol": 0, "extended_output": True}
    yield Work(
        f"Chan-Vese, {' x '.join(map(str, image.shape))}, 100 iterations",
        {"`chan_vese`": lambda: fronts.chan_vese(image, **given)[1]},
        [segmentation("chan_vese", lambda call: call(image, **given)[1])],
        equal,
    )
    yield Work(
        "Morphological Chan-Vese, the same image",
        {"`morphological_chan_vese`": lambda: fronts.morphological_chan_vese(image, 100)},
        [segmentation("morphological_chan_vese", lambda call: call(image, 100))],
        equal,
    )
    edge = fronts.inverse_gaussian_gradient(image, 100, 2)
    disk = fronts.disk_level_set(edge.shape)
    options = {"balloon": -1, "threshold": 0.5}
    yield Work(
        "Morphological geodesic contour, the same image",
        {
            "`morphological_geodesic_active_contour`": (
                lambda: fronts.morphological_geodesic_active_contour(edge, 100, disk, **options)
            )
        },
        [
            segmentation(
                "morphological_geodesic_active_contour",
                lambda call: call(edge, 100, disk, **options),
            )
        ],
        equal,
    )


def segmentation(name: str, run: Callable[[Any], Any]) -> Peer:
    def make(package: Any) -> Run:
        return lambda: run(getattr(package, name))

    return Peer("scikit-image", "skimage.segmentation", make)


def basins(shape: tuple[int, ...]) -> Work:
    """Watershed from a marker in each minimum of a smooth field."""
    image = field(shape, 3, 5)
    markers = minima(image)

    def itk(sitk: Any) -> Run:
        pair = sitk.GetImageFromArray(image), sitk.GetImageFromArray(markers)

        def run() -> Any:
            found = sitk.MorphologicalWatershedFromMarkers(*pair, markWatershedLine=False)
            return sitk.GetArrayFromImage(found)

        return run

    def judge(ours: Any, theirs: Any) -> tuple[str, str]:
        differ = np.count_nonzero(ours != theirs)
        assert differ <= 1e-3 * ours.size, f"{differ:,} of {ours.size:,} labels differ"
        return f"{differ:,} labels differ", ""

    return Work(
        f"Watershed, {' x '.join(map(str, shape))}, {markers.max():,} markers",
        {"`watershed`": lambda: np.asarray(fronts.watershed(image, markers))},
        [
            segmentation("watershed", lambda call: call(image, markers)),
            Peer("SimpleITK", "SimpleITK", itk),
        ],
        judge,
    )
