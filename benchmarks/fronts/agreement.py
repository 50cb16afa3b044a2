"""How far lesionkit.fronts is from scikit-fmm, scikit-image and SimpleITK, in one table.

Nothing is timed. What should be equal stops the run where it is not. The images are random fields,
the same in each run, and scikit-image's photograph.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.report import Report
from lesionkit import fronts

SINGLE = 3e-6  # rounding of float32, along a path of some hundred nodes
PEERS = {"scikit-fmm": "skfmm", "scikit-image": "skimage", "SimpleITK": "SimpleITK"}
# What is done, by which peer, how both are compared, and a call that gives (ours, theirs).
Case = tuple[str, str, Callable[[Any, Any], str], Callable[[Any], tuple[Any, Any]]]


def agreement(report: Report) -> None:
    """A row for each function and image, a column for each peer; empty where it has no such
    function, or is not installed."""
    modules: dict[str, Any] = {}
    for peer, name in PEERS.items():
        try:
            modules[peer] = importlib.import_module(name)
        except ImportError:
            report.say(f"{peer} is not installed: its column stays empty.")
    size = 96 if report.quick else 512
    table: dict[str, dict[str, str]] = {}
    for part in (marching, level_sets, contours, basins):
        for what, peer, compare, both in part(size):
            row = table.setdefault(what, {})
            if peer in modules:
                row[peer] = compare(*both(modules[peer]))
    rows = [[what, *(row.get(peer, "") for peer in PEERS)] for what, row in table.items()]
    report.table("Fronts: differences from the peers", ["", *PEERS], rows)


# --- comparisons ----------------------------------------------------------------------------------


def differences(ours: Any, theirs: Any) -> Any:
    """Relative ones; of values below a thousandth of the greatest, over that. Infinite, masked and
    huge values (no front came) must be in the same places."""
    a, b = (np.ma.filled(np.ma.asarray(x, float), np.inf) for x in (ours, theirs))
    reached = np.abs(b) < 1e30
    np.testing.assert_array_equal(np.abs(a) < 1e30, reached)
    size = np.abs(b[reached])
    return np.abs(a[reached] - b[reached]) / np.maximum(size, size.max() / 1000)


def within(most: float) -> Callable[[Any, Any], str]:
    def compare(ours: Any, theirs: Any) -> str:
        found = differences(ours, theirs).max()
        if not found <= most:
            raise AssertionError(f"differs by {found:.1e}, more than {most:.0e}")
        return f"{found:.0e}"

    return compare


def how_far(ours: Any, theirs: Any) -> str:
    """Where both are known: bands of other distances have other ends."""
    a, b = (np.ma.filled(np.ma.asarray(x, float), np.inf) for x in (ours, theirs))
    both = np.isfinite(a) & np.isfinite(b)
    found = differences(a[both], b[both])
    return f"{found.max():.0e}, mean {found.mean():.0e}"


def pixels(ours: Any, theirs: Any) -> str:
    """How many differ."""
    return f"{np.count_nonzero(np.asarray(ours) != np.asarray(theirs)):,} of {np.size(ours):,}"


def equal(ours: Any, theirs: Any) -> str:
    np.testing.assert_array_equal(ours, theirs)
    return pixels(ours, theirs)


def dice(ours: Any, theirs: Any) -> str:
    return f"Dice {2 * np.count_nonzero(ours & theirs) / (ours.sum() + theirs.sum()):.3f}"


# --- images ---------------------------------------------------------------------------------------


def shapes(size: int) -> list[tuple[int, ...]]:
    return [(size, size), (size // 8 + 3, size // 8, size // 8 - 3)]


def field(shape: tuple[int, ...], sigma: float, seed: int) -> Any:
    """A smooth random field, of mean 0 and deviation 1."""
    noise = np.random.default_rng(seed).standard_normal(shape)
    smooth = ndimage.gaussian_filter(noise, sigma, mode="wrap")
    return smooth / smooth.std()


def photograph(size: int) -> Any:
    try:
        camera = importlib.import_module("skimage.data").camera()
    except ImportError:
        smooth = field((size, size), 8, 9)
        return (smooth - smooth.min()) / np.ptp(smooth)
    step = camera.shape[0] // size
    return camera[::step, ::step] / 255.0


def minima(image: Any) -> Any:
    """A marker in each minimum of a neighbourhood of 9."""
    return ndimage.label(ndimage.minimum_filter(image, 9) == image)[0].astype(np.int32)


# --- cases ----------------------------------------------------------------------------------------


def marching(size: int) -> Iterator[Case]:
    """Times from a point, over speeds that vary 20-fold, around walls."""
    for shape in shapes(size):
        name, seed = " x ".join(map(str, shape)), tuple(n // 3 for n in shape)
        steps = [1.0, 0.7, 1.3][: len(shape)]
        speed = np.exp(field(shape, 2, 1))
        open_ = field(shape, 1, 2) < 1.5
        open_[seed] = True
        phi = np.ones(shape)
        phi[seed] = 0
        phi = np.ma.MaskedArray(phi, ~open_)
        given = {"speed": speed, "phi": phi, "dx": steps}

        def itk(sitk: Any, speed: Any = speed * open_, seed: Any = seed, h: Any = steps) -> Any:
            image = sitk.GetImageFromArray(speed)
            image.SetSpacing(h[::-1])
            march = sitk.FastMarchingImageFilter()
            march.SetTrialPoints([[*map(int, seed[::-1])]])
            return sitk.GetArrayFromImage(march.Execute(image))

        for dtype, most in ((np.float64, 1e-11), (np.float32, SINGLE)):
            times = fronts.arrival_time(speed.astype(dtype), seed, steps, mask=open_)
            what = f"`arrival_time`, {np.dtype(dtype)}, {name} with walls"
            yield (
                what,
                "scikit-fmm",
                within(most),
                lambda fmm, t=times, g=given: (t, fmm.travel_time(**g, order=1)),
            )
            yield what, "SimpleITK", within(most), lambda sitk, t=times, i=itk: (t, i(sitk))
        for order, compare in ((1, within(1e-11)), (2, how_far)):
            yield (
                f"`travel_time`, order {order}, {name} with walls",
                "scikit-fmm",
                compare,
                lambda fmm, g=given, o=order: (
                    fronts.travel_time(**g, order=o),
                    fmm.travel_time(**g, order=o),
                ),
            )


def level_sets(size: int) -> Iterator[Case]:
    """Distances from a contour, signed, and what is carried along with them."""
    shape = (size, size + 7)
    phi, speed = field(shape, 8, 3) + 0.2, np.exp(field(shape, 4, 4))
    for name, given in {
        "": {},
        ", narrow band": {"narrow": 5.0},
        ", periodic": {"periodic": True},
    }.items():
        for order, compare in ((1, within(1e-11)), (2, how_far)):
            options = {"dx": [1.0, 0.8], "order": order, **given}
            yield (
                f"`distance`, order {order}{name}",
                "scikit-fmm",
                compare,
                lambda fmm, o=options: (fronts.distance(phi, **o), fmm.distance(phi, **o)),
            )
    yield (
        "`extension_velocities`, order 1",
        "scikit-fmm",
        within(1e-9),
        lambda fmm: (
            fronts.extension_velocities(phi, speed, order=1)[1],
            fmm.extension_velocities(phi, speed, order=1)[1],
        ),
    )

    def outside(sitk: Any) -> tuple[Any, Any]:
        mask = phi < 0
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        theirs = sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=False)
        ours = fronts.distance_transform(mask, signed=True)
        return ours[~mask], sitk.GetArrayFromImage(theirs)[~mask]

    yield "`distance_transform`, outside the mask", "SimpleITK", within(1e-6), outside


def contours(size: int) -> Iterator[Case]:
    """Contours of a photograph."""

    def theirs(skimage: Any) -> Any:
        return importlib.import_module("skimage.segmentation")

    for dtype in (np.float64, np.float32):

        def both(skimage: Any, part: int, dtype: Any = dtype) -> tuple[Any, Any]:
            image = photograph(size).astype(dtype)
            given = {"max_num_iter": 100, "tol": 0, "extended_output": True}
            pair = fronts.chan_vese(image, **given), theirs(skimage).chan_vese(image, **given)
            return pair[0][part], pair[1][part]

        what = f"`chan_vese`, 100 iterations, {np.dtype(dtype)}"
        yield f"{what}: level set", "scikit-image", equal, lambda m, f=both: f(m, 1)
        yield f"{what}: energies", "scikit-image", within(1e-5), lambda m, f=both: f(m, 2)
    yield (
        "`morphological_chan_vese`, 100 iterations",
        "scikit-image",
        equal,
        lambda m: (
            fronts.morphological_chan_vese(photograph(size), 100),
            theirs(m).morphological_chan_vese(photograph(size), 100),
        ),
    )

    def geodesic(call: Any, balloon: int) -> Any:
        edge = fronts.inverse_gaussian_gradient(photograph(size), 100, 2)
        return call(edge, 100, fronts.disk_level_set(edge.shape), balloon=balloon, threshold=0.5)

    for balloon in (-1, 0, 1):
        yield (
            f"`morphological_geodesic_active_contour`, balloon {balloon}",
            "scikit-image",
            equal,
            lambda m, b=balloon: (
                geodesic(fronts.morphological_geodesic_active_contour, b),
                geodesic(theirs(m).morphological_geodesic_active_contour, b),
            ),
        )

    def sparse_field(sitk: Any) -> tuple[Any, Any]:
        edge = fronts.inverse_gaussian_gradient(photograph(size), 100, 2)
        start = fronts.disk_level_set(edge.shape) > 0
        level = fronts.distance_transform(start, signed=True, dtype=np.float32)
        found = sitk.GeodesicActiveContourLevelSet(
            sitk.GetImageFromArray(level),
            sitk.GetImageFromArray(edge.astype(np.float32)),
            maximumRMSError=0.0,
            propagationScaling=-1.0,
            curvatureScaling=1.0,
            advectionScaling=1.0,
            numberOfIterations=100,
        )
        ours = fronts.geodesic_active_contour(edge, 100, -level, balloon=-1)
        return ours, sitk.GetArrayFromImage(found) < 0

    what = "`geodesic_active_contour`, 100 iterations (another scheme)"
    yield what, "SimpleITK", dice, sparse_field


def basins(size: int) -> Iterator[Case]:
    """Watersheds and minima of smooth fields, noise and a photograph."""
    fields: dict[str, Callable[[], tuple[Any, Any]]] = {}
    for shape in shapes(size):
        image = field(shape, 4, 5)
        slope = ndimage.gaussian_gradient_magnitude(image, 1)
        gray = (slope / slope.max() * 255).astype(np.uint8)
        name = "a field's gradient, uint8, " + " x ".join(map(str, shape))
        fields[name] = lambda g=gray, i=image: (g, minima(i))
        fields[name.replace("uint8", "float64")] = lambda g=slope, i=image: (g, minima(i))
    random = np.random.default_rng(6)
    noise = random.integers(0, 200, (size, size)).astype(np.uint8)
    dots = np.where(random.random(noise.shape) < 0.05, np.arange(noise.size).reshape(size, -1), 0)
    fields["noise with dense markers"] = lambda: (noise, dots.astype(np.int32))

    def of_photograph() -> tuple[Any, Any]:
        slope = ndimage.gaussian_gradient_magnitude(photograph(size) * 255, 1)
        return slope.astype(np.uint8), minima(slope)

    fields["a photograph's gradient"] = of_photograph
    for name, make in fields.items():
        for line in (False, True):

            def itk(sitk: Any, make: Any = make, line: bool = line) -> tuple[Any, Any]:
                image, markers = make()
                found = sitk.MorphologicalWatershedFromMarkers(
                    sitk.GetImageFromArray(image),
                    sitk.GetImageFromArray(markers.astype(np.uint32)),
                    markWatershedLine=line,
                )
                ours = fronts.watershed(image, markers, watershed_line=line)
                return ours, sitk.GetArrayFromImage(found)

            def scikit(skimage: Any, make: Any = make, line: bool = line) -> tuple[Any, Any]:
                image, markers = make()
                theirs = importlib.import_module("skimage.segmentation").watershed
                ours = fronts.watershed(image, markers, watershed_line=line)
                return ours, theirs(image, markers, watershed_line=line)

            what = f"`watershed`{' with a line' if line else ''}, {name}"
            yield what, "SimpleITK", equal, itk
            if not line:  # scikit-image's line is thinned afterwards
                yield what, "scikit-image", pixels, scikit
    for h in (5, 20):

        def deep(skimage: Any, h: int = h) -> tuple[Any, Any]:
            image = (photograph(size) * 255).astype(np.uint8)
            footprint = ndimage.generate_binary_structure(2, 1)
            theirs = importlib.import_module("skimage.morphology").h_minima(image, h, footprint)
            return fronts.h_minima(image, h) > 0, theirs > 0

        yield f"`h_minima`, h = {h}, a photograph", "scikit-image", equal, deep
