"""The table: a line for each public function, and the list of those that have none, with reasons."""

# ruff: noqa: E501  a line for each function

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lesionkit import clustering as c
from lesionkit import fronts as f
from lesionkit import metrics as m
from lesionkit import texture as t
from lesionkit.texture import selection

from .arguments import (
    INTEGERS,
    REALS,
    choice,
    flag,
    image,
    labels,
    level_count,
    levels_image,
    mask,
    maybe,
    numbers,
    offsets,
    points,
    positive,
    real,
    samples,
    shape,
    signed,
    spacing,
    steps,
    weights,
    whole,
)
from .filed import FILES
from .others import OTHERS
from .target import Target

SKLEARN = (  # as its own checks begin
    *("Found array", "Expected 2D array", "Found input variables", "classes", "samples"),
    *("Sample weights", "seed", "Unknown label type", "could not convert", "a real number"),
)


def fitted(make: Callable[..., Any]) -> Callable[..., Any]:
    """An estimator as a function of its samples and settings."""

    def call(X: Any, sample_weight: Any = None, **settings: Any) -> Any:
        made = make(**settings).fit(X, sample_weight=sample_weight)
        return made.labels_, made.cluster_centers_, made.predict(X), made.transform(X)

    return call


def spatial(make: Callable[..., Any]) -> Callable[..., Any]:
    def call(image: Any, mask: Any = None, **settings: Any) -> Any:
        made = make(**settings).fit(image, mask=mask)
        return made.labels_, made.cluster_centers_

    return call


def selected(make: Callable[..., Any]) -> Callable[..., Any]:
    def call(X: Any, y: Any, **settings: Any) -> Any:
        made = make(**settings).fit(X, y)
        return made.get_support(), made.transform(X)

    return call


def segmented(image: Any, n_clusters: Any = 3, mask: Any = None, channel_axis: Any = None) -> Any:
    estimator = c.KMeans(n_clusters, n_init=1, random_state=0)
    return c.segment(image, estimator, mask=mask, channel_axis=channel_axis)


def settled(volume: Any, mask: Any, spacing: Any = None, **settings: Any) -> Any:
    return t.radiomics(volume, mask, spacing, t.Settings(**settings))


def _row(domain: str, name: str, call: Any, makers: dict[str, Any], **rest: Any) -> Target:
    return Target(domain, name, call, makers, **rest)


def texture(name: str, /, _call: Any = None, _rest: Any = None, **makers: Any) -> Target:
    return _row("texture", name, _call or getattr(t, name), makers, **(_rest or {}))


def clustering(name: str, /, _call: Any = None, _rest: Any = None, **makers: Any) -> Target:
    return _row("clustering", name, _call or getattr(c, name), makers, **(_rest or {}))


def fronts(name: str, /, _rest: Any = None, **makers: Any) -> Target:
    return _row("fronts", name, getattr(f, name), makers, **(_rest or {}))


def metrics(name: str, /, _rest: Any = None, **makers: Any) -> Target:
    return _row("metrics", name, getattr(m, name), makers, **(_rest or {}))


FLAT, ANY = {"axes": (2,)}, {"axes": (1, 2, 3)}
PEER = {"axes": (2,), "words": ("property", "num_level", "images")}
UNREACHED = {"axes": (1, 2, 3), "nonfinite": "nodes that no front reaches"}
MARCHED = {"axes": (1, 2, 3), "nonfinite": "NaN where no contour or no speed reaches"}
FEATURES = {"nonfinite": "features that are not defined for this region"}
EMPTY = {"nonfinite": "NaN for a matrix without a pair"}
FLAT_FEATURES = {**FLAT, **FEATURES}
ESTIMATOR = {"words": SKLEARN}
IMAGE_OF = {"image": image(), "mask": maybe(mask), "n_clusters": whole(1, 5)}
FUZZY = {
    "m": maybe(real(1.05, 8)), "max_iter": whole(1, 20), "tol": maybe(real(0, 1)),
    "random_state": whole(0, 3), "size": maybe(choice(1, 3, 5, (3, 5))),
    "border": maybe(choice("valid", "reflect", "symmetric", "edge")),
}  # fmt: skip
ROI = image(("uint8", "uint16", "float32", "float64"), batch=True)
SELECTED = {"X": samples(), "y": lambda draw, s: s.random.integers(0, 3, s.samples)}
MAPS = {
    "recovered": numbers(3, 9, 9), "truth": numbers(3, 9, 9),
    "inside": lambda draw, s: s.random.uniform(size=(9, 9)) < 0.8,
}  # fmt: skip
NOT_FOUND = {"nonfinite": "NaN where an inclusion is not found, or the background's mean is 0"}
EQUAL = {"nonfinite": "infinite where both maps are equal"}
PAIR = {"found": mask, "truth": mask}
BOTH_EMPTY = {"axes": (1, 2, 3), "nonfinite": "NaN where a distance or share has no mask to be of"}

TARGETS: tuple[Target, ...] = (
    texture("ar_model", rois=ROI, _rest=FLAT_FEATURES),
    texture("first_order", rois=ROI, _rest=FLAT_FEATURES),
    texture("gradient", rois=ROI, step=maybe(whole(1, 3)), _rest=FLAT_FEATURES),
    texture("haar_energy", rois=ROI, scales=maybe(whole(1, 3)), _rest=FLAT),
    texture("cooccurrence", image=levels_image(), offsets=offsets, levels=level_count, mask=maybe(mask), symmetric=maybe(flag)),
    texture("cs_lbp", image=image(), points=maybe(choice(4, 6, 8)), radius=maybe(real(0.5, 3)), threshold=maybe(real(0, 9)), border=maybe(choice("reflect", "valid")), _rest=FLAT),
    texture("feature_maps", image=levels_image(), window=choice(3, 5, 7), offsets=offsets, levels=level_count, average=maybe(flag), log_base=maybe(real(1.5, 10)), first_level=maybe(whole(0, 2)), border=maybe(choice("reflect", "symmetric", "edge", "wrap", "valid"))),
    texture("graycomatrix", image=levels_image(), distances=choice([1], [1, 2], [0.5], (3,)), angles=choice([0.0], [0, np.pi / 4], [1.3]), levels=level_count, symmetric=maybe(flag), normed=maybe(flag), _rest=PEER),
    texture("graycoprops", P=numbers(4, 4, 2, 1, high=9, whole=True), prop=maybe(choice("contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation", "mean", "variance", "std", "entropy")), _rest=PEER),
    texture("haralick", counts=numbers(2, 5, 5, high=9, whole=True), log_base=maybe(real(1.5, 10)), first_level=maybe(whole(0, 1)), _rest=EMPTY),
    texture("label_features", image=levels_image(), labels=labels(), offsets=offsets, levels=level_count, normalise=maybe(choice("sigma", "percentile")), _rest=FEATURES),
    texture("roi_features", rois=levels_image(batch=True), offsets=offsets, levels=level_count, normalise=maybe(choice("sigma", "percentile")), _rest=FEATURES),
    texture("neighbours", image=levels_image(), levels=level_count, mask=maybe(mask), alpha=maybe(whole(0, 3)), distance=maybe(whole(1, 2))),
    texture("run_lengths", image=levels_image(), directions=steps, levels=level_count, mask=maybe(mask)),
    texture("zones", image=levels_image(), levels=level_count, mask=maybe(mask), connectivity=maybe(whole(1, 3))),
    texture("dependence_features", counts=numbers(5, 9, high=4, whole=True)),
    texture("run_length_features", counts=numbers(5, 9, high=4, whole=True), pixels=maybe(whole(1, 99))),
    texture("zone_features", counts=numbers(5, 9, high=4, whole=True), voxels=maybe(whole(1, 99))),
    texture("tone_features", voxels=numbers(6, high=9, whole=True), differences=numbers(6, high=9)),
    texture("radiomics", settled, volume=image(), mask=mask, spacing=maybe(spacing), binning=maybe(choice("width", "count")), bin_count=maybe(whole(1, 40)), bin_width=maybe(real(0.5, 50)), aggregation=maybe(choice("2D, averaged", "2D, slice-merged", "2.5D, direction-merged", "2.5D, merged", "3D, averaged", "3D, merged")), label=maybe(whole(1, 2)), _rest={"axes": (3,), **FEATURES}),
    texture("shape_features", t.shape_features, mask=mask, spacing=maybe(spacing), label=maybe(whole(1, 2)), _rest={"axes": (2, 3), **FEATURES}),
    texture("voxel_features", t.voxel_features, volume=image(), mask=mask, spacing=maybe(spacing), kernel_radius=maybe(whole(1, 2)), masked_kernel=maybe(flag), initial=maybe(real(-1, 1)), binning=maybe(choice("width", "count")), bin_count=maybe(whole(1, 40)), bin_width=maybe(real(0.5, 50)), label=maybe(whole(1, 2)), _rest={"axes": (2, 3), **FEATURES}),
    texture("Fisher", selected(selection.Fisher), **SELECTED, k=whole(1, 3), _rest=ESTIMATOR),
    texture("MutualInformation", selected(selection.MutualInformation), **SELECTED, k=whole(1, 3), bins=maybe(whole(2, 9)), binning=maybe(choice("width", "frequency")), _rest=ESTIMATOR),
    texture("PoeAcc", selected(selection.PoeAcc), **SELECTED, k=whole(1, 3), scaled=maybe(flag), _rest=ESTIMATOR),
    texture("FusedSelector", selected(selection.FusedSelector), **SELECTED, _rest=ESTIMATOR),
    clustering("KMeans", fitted(c.KMeans), X=samples((*REALS, *INTEGERS)), sample_weight=maybe(weights), n_clusters=whole(1, 5), init=maybe(choice("k-means++", "random", "optimal")), n_init=maybe(whole(1, 2)), max_iter=whole(1, 20), tol=maybe(real(0, 1)), random_state=whole(0, 3), _rest=ESTIMATOR),
    clustering("FuzzyCMeans", fitted(c.FuzzyCMeans), X=samples((*REALS, *INTEGERS)), sample_weight=maybe(weights), n_clusters=whole(1, 5), m=maybe(real(1.05, 8)), max_iter=whole(1, 20), tol=maybe(real(0, 1)), criterion=maybe(choice("centers", "memberships")), random_state=whole(0, 3), _rest=ESTIMATOR),
    clustering("cmeans", data=lambda draw, s: samples()(draw, s).T, c=whole(1, 4), m=real(1.05, 8), error=real(0, 1), maxiter=whole(1, 20), seed=whole(0, 3)),
    clustering("cmeans_predict", test_data=lambda draw, s: samples(features=2)(draw, s).T, cntr_trained=numbers(3, 2), m=real(1.05, 8), error=real(0, 1), maxiter=whole(1, 20), seed=whole(0, 3)),
    clustering("codebook", image=image(), n=choice(1, 2, 4, 8), init=maybe(choice("split", "blocks")), mask=maybe(mask), blocks=maybe(whole(1, 4)), max_iter=whole(1, 20)),
    clustering("segment", segmented, image=image(), n_clusters=whole(1, 4), mask=maybe(mask), channel_axis=maybe(choice(None, 0, -1)), _rest=ESTIMATOR),
    *(clustering(name, spatial(getattr(c, name)), **IMAGE_OF, **FUZZY, **more, _rest=ESTIMATOR) for name, more in (
        ("FCM_S1", {"alpha": maybe(real(0, 9))}), ("FCM_S2", {"alpha": maybe(real(0, 9))}),
        ("EnFCM", {"alpha": maybe(real(0, 9)), "levels": maybe(whole(2, 256))}),
        ("FGFCM", {"lambda_s": maybe(real(0.1, 9)), "lambda_g": maybe(real(0.1, 9)), "variant": maybe(choice("local", "S1", "S2"))}),
        ("FLICM", {}), ("sFCM", {"p": maybe(real(0, 3)), "q": maybe(real(0, 3))}),
    )),
    fronts("arrival_time", speed=positive(), seeds=points(), spacing=maybe(spacing), stop=maybe(real(0, 50)), mask=maybe(mask), order=maybe(choice(1, 2)), factored=maybe(choice("auto", True, False)), return_labels=maybe(flag), _rest=UNREACHED),
    fronts("chan_vese", image=image(), mu=maybe(real(0, 2)), lambda1=maybe(real(0.1, 3)), lambda2=maybe(real(0.1, 3)), tol=maybe(real(0, 1)), max_num_iter=whole(1, 12), dt=maybe(real(0.01, 1)), init_level_set=maybe(choice("checkerboard", "disk"), signed), extended_output=maybe(flag), mask=maybe(mask)),
    fronts("checkerboard_level_set", image_shape=shape, square_size=maybe(whole(1, 9)), _rest=ANY),
    fronts("disk_level_set", image_shape=shape, radius=maybe(real(0, 30)), _rest=ANY),
    fronts("distance", phi=signed, dx=maybe(spacing), order=maybe(choice(1, 2)), narrow=maybe(real(0, 9)), periodic=maybe(flag), _rest=MARCHED),
    fronts("travel_time", phi=signed, speed=positive(), dx=maybe(spacing), order=maybe(choice(1, 2)), narrow=maybe(real(0, 9)), periodic=maybe(flag), _rest=MARCHED),
    fronts("extension_velocities", phi=signed, speed=positive(), dx=maybe(spacing), order=maybe(choice(1, 2)), ext_mask=maybe(mask), narrow=maybe(real(0, 9)), periodic=maybe(flag), _rest=MARCHED),
    fronts("distance_transform", mask=mask, spacing=maybe(spacing), signed=maybe(flag), dtype=maybe(choice(np.float32, "float64", float)), _rest=UNREACHED),
    fronts("edge_flow", image=image(), sigma=maybe(real(0.5, 3)), orientations=maybe(choice(4, 8)), max_iter=whole(1, 20), _rest=FLAT),
    fronts("geodesic_active_contour", gimage=positive(0, 1), num_iter=whole(0, 8), init_level_set=maybe(choice("disk", "checkerboard"), signed), balloon=maybe(real(-2, 2)), curvature=maybe(real(0, 2)), advection=maybe(real(0, 2)), spacing=maybe(spacing)),
    fronts("geodesic_path", times=signed, points=points(), seeds=maybe(points()), spacing=maybe(spacing), step=maybe(real(0.1, 1))),
    fronts("geodesic_segment", image=image(), seeds=points(), threshold=maybe(real(0, 9)), stop=maybe(real(0, 9)), weight=maybe(choice("grey", "gradient")), mask=maybe(mask), spacing=maybe(spacing), return_times=maybe(flag), _rest=UNREACHED),
    fronts("gradient_weight", image=image(), sigma=maybe(real(0, 5)), rolloff=maybe(real(0.1, 9)), midpoint=maybe(real(0, 1)), cutoff=maybe(real(0.1, 1))),
    fronts("grey_weight", image=image(), seeds=points(), cutoff=maybe(real(0.1, 1)), rolloff=maybe(real(0.1, 9)), midpoint=maybe(real(0, 1))),
    fronts("h_minima", image=image(), h=real(0, 9), connectivity=maybe(whole(1, 3))),
    fronts("inverse_gaussian_gradient", image=image(), alpha=maybe(real(0, 200)), sigma=maybe(real(0, 6))),
    fronts("link_boundaries", boundary=mask, reach=maybe(real(0.5, 3)), least=maybe(real(0, 9)), most=maybe(real(9, 30)), _rest=FLAT),
    fronts("morphological_chan_vese", image=image(), num_iter=whole(0, 8), init_level_set=maybe(choice("disk", "checkerboard"), mask), smoothing=maybe(whole(0, 3)), lambda1=maybe(real(0.1, 3)), lambda2=maybe(real(0.1, 3))),
    fronts("morphological_geodesic_active_contour", gimage=positive(0, 1), num_iter=whole(0, 8), init_level_set=maybe(choice("disk", "checkerboard"), mask), smoothing=maybe(whole(0, 3)), threshold=maybe(choice("auto"), real(0, 1)), balloon=maybe(choice(-1, 0, 1, 2))),
    fronts("region_grow", image=image(), seeds=labels(2), tolerance=real(0, 50), connectivity=maybe(whole(1, 3)), mask=maybe(mask)),
    fronts("watershed", image=image(), markers=labels(), mask=maybe(mask), connectivity=maybe(whole(1, 3)), watershed_line=maybe(flag)),
    metrics("dice", **PAIR, _rest=ANY),
    metrics("jaccard", **PAIR, _rest=ANY),
    metrics("lesion_f1", **PAIR, _rest=ANY),
    metrics("error_rates", **PAIR, normalise=maybe(choice("union", "reference", "standard")), _rest=BOTH_EMPTY),
    metrics("hausdorff95", **PAIR, spacing=maybe(spacing), _rest=BOTH_EMPTY),
    metrics("scores", **PAIR, spacing=maybe(spacing), _rest=BOTH_EMPTY),
    metrics("volume", mask=mask, spacing=maybe(spacing), _rest=ANY),
    metrics("intraclass", ratings=numbers(6, 4, low=1, high=10), level=maybe(real(0.5, 0.99)), _rest={"nonfinite": "NaN where no target differs"}),
    metrics("mse", **MAPS), metrics("psnr", **MAPS, _rest=EQUAL), metrics("ssim", **MAPS),
    metrics("inclusion_errors", maps=numbers(2, 1, 20, 20), truth=numbers(2, 1, 20, 20), discs=numbers(2, 3, low=1, high=10), radius=real(10, 20), _rest=NOT_FOUND),
    *FILES,
    *OTHERS,
)  # fmt: skip

# Public names that have no line, and why.
CLASSES = "what a function answers, not one that is called"
EXCEPTIONS: dict[str, str] = {
    **{f"texture.{name}": "a tuple of names" for name in ("HARALICK", "IBSI", "MAZDA")},
    "texture.Settings": "called within radiomics",
    "texture.families": "a module: its functions are texture's",
    "texture.selection": "a module: its classes stand under texture.Fisher and the like",
    "clustering.Codebook": CLASSES,
    "clustering.Segmentation": "called within segment",
    "fronts.EdgeFlow": CLASSES,
    "metrics.InclusionErrors": CLASSES,
    "metrics.Intraclass": CLASSES,
    "metrics.Rates": CLASSES,
    "metrics.Scores": CLASSES,
    "optics.Jacobian": CLASSES,
    "optics.Measured": CLASSES,
    "optics.Reconstruction": CLASSES,
    "optics.spectra": "a module: its functions stand under optics.extinction and the like",
    "optics.triangular_interface": "a grid of two numbers that is long for most of them",
    "optics.finish_parts": "reads what generate_part wrote: tests/optics/phantoms/test_parts.py",
    "optics.generate_part": "writes a store: tests/optics/phantoms/test_parts.py",
    "optics.open_phantoms": "reads a store: tests/optics/phantoms/test_store.py damages each byte",
    "optics.reconstruct_phantoms": "half a minute a call",
    "optics.reconstruct_measured": "reads files, each of which has its line; seconds a call",
    "nets.FasterRCNN": "minutes a call",
    "nets.PhantomDataset": "reads a store: tests/nets/test_data.py",
    "nets.PhantomStream": "made of a recipe, which has its line: tests/nets/test_stream.py",
    "nets.NetMaps": CLASSES,
    "nets.TrainedNet": CLASSES,
    "nets.reconstruct_measured": "reads files, each of which has its line: tests/nets/test_measured.py",
    "nets.train": "minutes a call",
    "studies.stroke.SEGMENTERS": "called by name through segment",
    "studies.stroke.SEGMENTERS_ADC": "called by name through segment",
    "studies.stroke.Pair": CLASSES,
    "studies.stroke.Kind": "a name of a type",
    "studies.stroke.Prepared": CLASSES,
    "optics.Readings": CLASSES,
    "optics.SnirfReadings": CLASSES,
    **{
        f"io.{name}": "a name or a number"
        for name in ("DICOM", "ENDINGS", "MAX_BYTES", "NIFTI", "PNG")
    },
    "io.Geometry": CLASSES,
    "io.TumourSlice": CLASSES,
    "io.Image": CLASSES,
    "io.MissingLibrary": "an exception",
    "io.sidecar_of": "a name from a name",
    "io.library": "imports by name",
    "io.format_of": "called within read_image",
    "io.series": "files of a folder; called within read_image",
}
