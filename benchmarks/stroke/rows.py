"""The stroke study: ours beside its twin, segmenter by segmenter; and figures on real images.

python -m benchmarks stroke            ours and the twin, interleaved, masks compared
python -m benchmarks stroke-figures    scores on the phantoms and real cases in LESIONKIT_DATA
python -m benchmarks stroke-kinds      what limits its classifiers
"""

from __future__ import annotations

import importlib.util
import os
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.report import Report
from benchmarks.timing import Contender, ratio, rounds

# How much of both masks must agree. scikit-fuzzy stops by memberships and ours by centres; then a
# grey level may fall to the other side. scikit-learn stops before the best k-means, which ours
# finds, and scikit-fmm begins half a pixel outside the seeds.
AGREE = {"fcm": 0.95, "kmeans": 0.7}
PHANTOM = "data/stroke_dwi/planted_phantom"


def brain(kind: str, seed: int = 0) -> tuple[Any, Any]:
    """A made-up slice, 256 x 256, 12 bits: an elliptical brain with a brighter rim, ventricles, a
    lesion that is brighter or darker; blur and Rician noise. The image and the lesion."""
    y, x = np.indices((256, 256)).astype(float)

    def ellipse(row: float, column: float, half_rows: float, half_columns: float) -> Any:
        return ((y - row) / half_rows) ** 2 + ((x - column) / half_columns) ** 2 <= 1

    gray = np.zeros((256, 256))
    gray[ellipse(128, 128, 105, 82)] = 0.115
    gray[ellipse(128, 128, 98, 75)] = 0.10
    for side in (-1, 1):
        gray[ellipse(120, 128 + 16 * side, 30, 8)] = 0.035
    lesion = ellipse(110, 175, 22, 17)
    gray[lesion] = 0.35 if kind == "hyper" else 0.03
    gray = ndimage.gaussian_filter(gray, 0.8)
    rng = np.random.default_rng(seed)
    noisy = np.hypot(gray + rng.normal(0, 0.008, gray.shape), rng.normal(0, 0.008, gray.shape))
    return np.rint(4095 * noisy).astype(np.uint16), lesion


def against_twin(report: Report) -> None:
    """Each segmenter from the raw slice to the mask, and all five, one after another."""
    needed = ("skfmm", "skfuzzy", "skimage", "sklearn")
    if absent := [name for name in needed if importlib.util.find_spec(name) is None]:
        report.say(f"left out, not installed: {', '.join(absent)}")
        return
    from benchmarks.stroke.twin import TWINS
    from lesionkit.studies.stroke import SEGMENTERS

    for kind in ("hyper", "hypo"):
        image, lesion = brain(kind)
        masks = {name: (SEGMENTERS[name](image, kind), TWINS[name](image, kind)) for name in TWINS}
        for name, (mine, _) in masks.items():
            assert np.count_nonzero(mine & lesion) > 0.8 * np.count_nonzero(lesion), name
        what = f"a {kind}intense lesion on 256 x 256"
        _compare(report, what, masks, partial(_on_slice, image, kind))
    volume = np.stack(
        [_smaller(brain("hyper", seed)[0]) for seed in range(4 if report.quick else 73)]
    )
    masks = {
        name: (SEGMENTERS[name](volume, "hyper"), _by_plane(TWINS[name], volume)) for name in TWINS
    }
    what = f"a volume of {' x '.join(map(str, volume.shape))}, the twin plane by plane"
    # ours finds the levels of the whole volume, the twin those of each plane
    _compare(report, what, masks, partial(_on_volume, volume), least=0.99)


def _on_slice(image: Any, kind: str, mine: Any, twin: Any) -> tuple[Any, Any]:
    return partial(mine, image, kind), partial(twin, image, kind)


def _on_volume(volume: Any, mine: Any, twin: Any) -> tuple[Any, Any]:
    return partial(mine, volume, "hyper"), partial(_by_plane, twin, volume)


def _by_plane(twin: Any, volume: Any) -> Any:
    return np.stack([twin(plane, "hyper") for plane in volume])


def _smaller(image: Any) -> Any:
    """112 x 112, the matrix of many diffusion scans."""
    return np.rint(ndimage.zoom(image.astype(float), 112 / 256, order=1)).astype(np.uint16)


def _compare(
    report: Report, what: str, masks: dict[str, tuple[Any, Any]], calls: Any, least: float = 1.0
) -> None:
    """A table of ours beside the twin, from the raw image to the mask; of `masks` of both, `least`
    agrees."""
    from benchmarks.stroke.twin import TWINS
    from lesionkit.studies.stroke import SEGMENTERS

    contenders, apart = {}, {}
    for name, (mine, theirs) in masks.items():
        shared = np.count_nonzero(mine & theirs) / np.count_nonzero(mine | theirs)
        assert shared >= AGREE.get(name, least), f"{name}, {what}: {shared:.4f} of both masks"
        apart[name] = str(np.count_nonzero(mine ^ theirs))
        ours, twin = calls(SEGMENTERS[name], TWINS[name])
        contenders[f"ours {name}"] = Contender(ours, threads=report.threads)
        contenders[f"twin {name}"] = Contender(twin)
    times = rounds(contenders, report.pairs)
    sums = {
        who: np.sum([times[f"{who} {name}"] for name in masks], axis=0) for who in ("ours", "twin")
    }
    rows = [
        [
            name,
            f"{1e3 * np.median(times[f'ours {name}']):.3g}",
            f"{1e3 * np.median(times[f'twin {name}']):.3g}",
            str(ratio(times[f"twin {name}"], times[f"ours {name}"])),
            apart[name],
        ]
        for name in masks
    ]
    rows.append(
        [
            "all five",
            *(f"{1e3 * np.median(sums[who]):.3g}" for who in ("ours", "twin")),
            str(ratio(sums["twin"], sums["ours"])),
            "",
        ]
    )
    report.table(
        f"Stroke segmenters, {what}, warm, from the raw image",
        ["method", "ours, ms", "twin, ms", "twin / ours", "pixels apart"],
        rows,
    )


def kinds(report: Report) -> None:
    """What limits the classifiers, and whether planted lesions are like the phantoms."""
    from benchmarks.stroke import kinds as stroke_kinds  # it needs the extra studies

    if "LESIONKIT_DATA" in os.environ:
        stroke_kinds.kinds(report, Path(os.environ["LESIONKIT_DATA"]), PHANTOM)
    else:
        report.say("left out: LESIONKIT_DATA, the folder of the data, is not set")


def figures(report: Report) -> None:
    """Scores of each method, by type on the planted phantoms, and on each real case."""
    from lesionkit.studies.stroke.image.process import Options, process

    if "LESIONKIT_DATA" not in os.environ:
        report.say("left out: LESIONKIT_DATA, the folder of the data, is not set")
        return
    root = Path(os.environ["LESIONKIT_DATA"])
    masks = report.out / "masks"
    masks.mkdir(parents=True, exist_ok=True)
    groups: dict[str, list[dict[str, dict[str, str]]]] = defaultdict(list)
    for case in [*phantoms(root / PHANTOM), *real_cases(root / "data/stroke_dwi")]:
        record, _ = process(case, Options(frozenset(METHODS)), masks)
        groups[group_of(case)].append({row["method"]: row for row in record["scores"]})
    for score in ("jaccard", "dice", "extra", "missed"):
        rows = []
        for group, members in groups.items():
            row = [group, str(len(members))]
            for method in METHODS:
                values = [float(rows_of[method][score]) for rows_of in members]
                row.append(f"{np.mean(values):.3f}")
            rows.append(row)
        title = f"{score}, means of cases" + ", of the union" * (score in ("extra", "missed"))
        report.table(title, ["cases", "n", *METHODS], rows)
    report.table(
        "Jaccard of the best single level, chosen for each phantom with its truth at hand",
        ["cases", "n", "jaccard"],
        best_levels(root / PHANTOM),
    )
    report.table(
        "jaccard, means of lesions that no choice was made on: 280 planted with seed 1",
        ["cases", "n", *METHODS],
        fresh_lesions(root / "data"),
    )


def best_levels(folder: Path) -> list[list[str]]:
    """What lies beyond one level, no more than 6 pixels from the lesion, closed and filled as every
    method does it: how far grey levels alone could lead."""
    from lesionkit import io, metrics
    from lesionkit.studies.stroke import preprocess
    from lesionkit.studies.stroke.regions import tidy

    groups: dict[str, list[float]] = defaultdict(list)
    for case in phantoms(folder):
        image = io.read_image(case.image)
        scene, truth = preprocess(image.values), io.read_mask(case.truth, image).values
        near = ndimage.binary_dilation(truth, iterations=6) & scene.brain
        beyond = np.less if case.kind == "hypo" else np.greater
        groups[group_of(case)].append(
            max(
                metrics.jaccard(tidy(beyond(scene.levels, level) & near, scene.brain), truth)
                for level in range(1000, 2500, 20)
            )
        )
    return [[group, str(len(best)), f"{np.mean(best):.3f}"] for group, best in groups.items()]


def fresh_lesions(data: Path) -> list[list[str]]:
    from lesionkit import metrics
    from lesionkit.studies.stroke import plant, preprocess, segment

    template = plant.read_template(data)
    shapes = plant.read_shapes(template, data)
    found: dict[str, list[list[float]]] = defaultdict(list)
    for item in range(len(plant.KINDS) * len(shapes)):
        lesion = plant.plant(template, shapes, item, seed=1)
        kind = "hypo" if lesion.kind in ("chronic_ischemic", "acute_hemorrhage") else "hyper"
        scene = preprocess(lesion.dwi)
        found[f"{lesion.kind.replace('_', ' ')} ({kind})"].append(
            [metrics.jaccard(segment(scene, name, kind), lesion.mask) for name in METHODS]
        )
    return [
        [group, str(len(scores)), *(f"{mean:.3f}" for mean in np.mean(scores, axis=0))]
        for group, scores in found.items()
    ]


METHODS = ("threshold", "glcm", "watershed", "fcm", "kmeans", "split")


def group_of(case: Any) -> str:
    kind = f" ({case.kind})"
    words = case.name.split("_sub-")[0].split("_", 1)
    return (words[1].replace("_", " ") if words[0].isdigit() else case.name) + kind


def phantoms(folder: Path) -> list[Any]:
    from lesionkit.studies.stroke.cases import find_cases

    cases = []
    for kind in ("hyper", "hypo"):
        dark = kind == "hypo"
        cases += [
            case
            for case in find_cases(folder, kind=kind)
            if ("chronic" in case.name or "hemorrhage" in case.name) == dark
        ]
    return sorted(cases, key=lambda case: group_of(case))


def real_cases(folder: Path) -> list[Any]:
    from lesionkit.studies.stroke.cases import Case

    isles, session = folder / "isles22", "sub-strokecase0009/ses-0001"
    name = "sub-strokecase0009_ses-0001"
    network = "DAGMNet_CH3_Lesion_Predict.nii.gz"
    return [
        *(
            Case(
                f"ads {who}",
                folder / f"ads/{who}/{who}_DWI.nii.gz",
                folder / f"ads/{who}/{who}_{network}",
            )
            for who in ("Subject01", "Subject02")
        ),
        Case(
            "isles22 0009",
            isles / "rawdata" / session / f"{name}_dwi.nii.gz",
            isles / "derivatives" / session / f"{name}_msk.nii.gz",
        ),
        Case(
            "chronic T2",
            folder / "chronic_t2/T2.nii.gz",
            folder / "chronic_t2/lesionT2.nii.gz",
        ),
    ]
