"""A scan through the study: read, prepared, segmented by each method, scored, written."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from lesionkit import __version__, arrays, io, metrics
from lesionkit.studies.stroke import (
    SEGMENTERS,
    SEGMENTERS_ADC,
    Kind,
    Pair,
    Prepared,
    pair,
    preprocess,
)
from lesionkit.studies.stroke.cases import Case, base_of
from lesionkit.studies.stroke.histograms import Blocks
from lesionkit.studies.stroke.image import read, report, steps
from lesionkit.studies.stroke.image.scan import RECOMMENDED, RECOMMENDED_ADC, Scan, kind_by
from lesionkit.studies.stroke.learned import models as learned
from lesionkit.studies.stroke.prepare import Mask

AREA = 20.0  # mm^2, of the smallest region in a slice: the papers' 20 pixels, of 1 mm
ORDER = (*SEGMENTERS_ADC, learned.NETS[0], *SEGMENTERS, learned.NETS[1])  # of all methods
OF_UNION = {"fpr": "extra", "fnr": "missed"}  # shares of the union have names of their own
_warm: set[str] = set()  # methods whose first call is behind us


@dataclass(frozen=True)
class Options:
    """How scans are read and segmented."""

    methods: frozenset[str] = frozenset(SEGMENTERS)  # with ADC these on both images, too
    bvalue: float | None = None  # s/mm^2, where ADC is worked out; None: the file's, or 1000
    blocks: Blocks = "grid"  # of the histograms, on the DWI alone
    figures: bool = False  # pictures of the steps
    max_bytes: int = io.MAX_BYTES  # the most that a header may ask for
    models: learned.Models = field(default_factory=learned.Models)  # what stroke-study left

    def of(self, adc: bool) -> list[str]:
        """The methods of a case, those on both images first."""
        both = [name for name in SEGMENTERS_ADC if {name, name[:-4]} & self.methods]
        one = [name for name in SEGMENTERS if name in self.methods]
        net = [] if self.models.net is None else list(learned.NETS)
        return [*both, *net[:1], *one, *net[1:]] if adc else [*one, *net[1:]]


def methods_of(name: str) -> frozenset[str]:
    """The methods that a name stands for: one, or "all"."""
    chosen = arrays.one_of(name, "method", (*SEGMENTERS, *SEGMENTERS_ADC, "all"))
    return frozenset(SEGMENTERS if chosen == "all" else (chosen,))


def check_truths(cases: Iterable[Case], out: Path) -> None:
    """ValueError where a mask to score by is one that the run would write."""
    for case in cases:
        made = {(out / mask_name(case.name, m)).resolve() for m in ORDER}
        if case.truth is not None and case.truth.resolve() in made:
            raise ValueError(
                f"truth must be another file than those that go to out, got {case.truth}"
            )


def process(
    case: Case, options: Options, out: Path, earlier: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The record of a case, and the names of the files that were written to `out`.

    earlier : the record of an earlier run, whose methods are kept
    """
    images = read.read(case, options.bvalue, options.max_bytes)
    start = time.perf_counter()
    scene, both = _prepared(case, images, options.blocks)
    prepared = time.perf_counter() - start
    smallest = smallest_of(images.dwi, scene, case.image)
    wanted = options.of(both is not None)
    if not wanted:
        raise ValueError(
            f"{case.image} has no map of ADC and no image without weighting beside it, which "
            f"{' and '.join(sorted(options.methods))} needs: name one with --adc or --b0"
        )
    kind = case.kind
    if kind == "auto":
        kind = kind_by(scene)
        images.notes.append(
            f"Taken for {kind}intense lesions: by the image alone, which may be wrong."
        )
    case = replace(case, kind=kind)
    known = {row["method"]: row for row in (earlier or {}).get("scores", [])}
    rows, masks, made = [], {}, []
    order = list(ORDER)
    for method in sorted({*wanted, *known}, key=order.index):
        path = out / mask_name(case.name, method)
        if method in known:
            row, masks[method] = known[method], io.read_mask(path, images.dwi).values
        else:
            _load(method)
            start = time.perf_counter()
            if method in learned.NETS:
                adc = images.adc if method.endswith("-adc") else None
                masks[method] = options.models.segment(scene, images.dwi, kind, adc)
            else:
                masks[method] = _segment(method, scene, both, kind, smallest)
            row = {"method": method, "kind": kind, "images": "dwi"}
            if method.endswith("-adc"):
                row["images"] = "dwi+adc"
            best = RECOMMENDED if both is None else RECOMMENDED_ADC
            row["recommended"] = "yes" if method == best else "no"
            row["seconds"] = f"{time.perf_counter() - start:.4f}"
            row |= _row(masks[method], images, scene.brain)
            io.write_mask(path, masks[method], images.dwi, _sidecar(case, method))
        rows.append(row)
        made += [path.name, io.sidecar_of(path).name]
    scan = Scan(case, images, scene, masks, prepared)
    section = report.section(scan, rows)
    record = {
        "scores": rows,
        "doubts": report.doubts_of(scan, rows),
        "section": section,
        "figures": options.figures,
    }
    if options.models.tells:
        name = scan.recommended
        told = options.models.tell(scene, images.dwi, masks[name], name)
        record |= {"kinds": told.rows, "section": section + told.section}
    if options.figures:
        made += steps.draw_steps(scan, base_of(case.name), out)
    return record, made


def _prepared(case: Case, images: read.Images, blocks: Blocks) -> tuple[Prepared, Pair | None]:
    try:
        scene = preprocess(images.dwi.values, brain=images.brain, blocks=blocks)
    except (ValueError, TypeError) as problem:
        raise ValueError(f"{case.image}: {problem}") from problem
    if images.adc is None:
        return scene, None
    try:
        both = pair(images.dwi.values, images.adc, spacing=images.dwi.spacing, brain=images.brain)
    except (ValueError, TypeError) as problem:
        raise ValueError(f"{case.adc or case.b0 or case.image}: {problem}") from problem
    if case.adc is not None and both.unit:
        images.notes.append(f"By its range the map of ADC is in {both.unit}.")
    return scene, both


def _segment(method: str, scene: Prepared, both: Pair | None, kind: Kind, smallest: int) -> Mask:
    if both is not None and method in SEGMENTERS_ADC:
        return SEGMENTERS_ADC[method](both, kind, smallest=smallest)
    return SEGMENTERS[method](scene, kind, smallest=smallest)


def smallest_of(image: io.Image, scene: Prepared, path: Path) -> int:
    """Pixels of the smallest region in a slice; ValueError where none is so large."""
    smallest = max(1, round(AREA / math.prod(image.spacing[-2:])))
    if smallest > math.prod(scene.brain.shape[-2:]):
        rows, columns = image.spacing[-2:]
        raise ValueError(
            f"{path} must have slices larger than {AREA:g} mm^2, which is the smallest "
            f"lesion; its pixels are {rows:g} x {columns:g} mm"
        )
    return smallest


def _row(mask: Mask, images: read.Images, brain: Mask) -> dict[str, str]:
    """Sizes and scores of a mask; what is not defined is missing."""
    name, scale = ("volume_ml", 1e-3) if mask.ndim == 3 else ("area_mm2", 1.0)
    geometry, truth = images.dwi.geometry, images.truth
    _, pieces = ndimage.label(mask, np.ones((3,) * mask.ndim))
    row = {name: f"{scale * metrics.volume(mask, geometry):.4f}", "pieces": str(pieces)}
    if truth is None:
        return row
    scores = metrics.scores(mask, truth, geometry)._asdict()
    for score in ("dice", "jaccard", "fpr", "fnr", "hausdorff95", "lesion_f1"):
        row[OF_UNION.get(score, score)] = f"{scores[score]:.4f}"
    row[name.replace("volume", "truth").replace("area", "truth")] = (
        f"{scale * scores['true_volume']:.4f}"
    )
    hit = np.count_nonzero(mask & truth)
    rest = brain & ~truth  # specificity is of the brain's pixels: all air would count for it else
    for rate, share, whole in (
        ("sensitivity", hit, np.count_nonzero(truth)),
        ("precision", hit, np.count_nonzero(mask)),
        ("specificity", np.count_nonzero(rest & ~mask), np.count_nonzero(rest)),
    ):
        row[rate] = f"{share / whole:.4f}" if whole else ""
    return row


def _load(method: str) -> None:
    """Load what a method needs, so that the first case's times are times of work."""
    plain = method.removesuffix("-adc")
    if plain in _warm or plain not in SEGMENTERS:
        return
    slice_ = np.zeros((64, 64), np.uint16)
    slice_[8:56, 12:52] = 100 + np.arange(40) % 7
    slice_[20:34, 16:28] = 300
    SEGMENTERS[plain](slice_)
    _warm.add(plain)


def mask_name(case: str, method: str) -> str:
    """BIDS' name of a derived mask: NAME_label-lesion_desc-METHOD_mask.nii.gz."""
    return f"{base_of(case)}_label-lesion_desc-{method}_mask.nii.gz"


def _sidecar(case: Case, method: str) -> dict[str, object]:
    both = method.endswith("-adc")
    plain = method.removesuffix("-adc")
    what = "U-Net, learnt from planted lesions."
    if plain in SEGMENTERS:
        what = (SEGMENTERS[plain].__doc__ or "").strip().split("\n")[0]
    sources = (case.image, case.adc or case.b0) if both else (case.image,)
    return {
        "Type": "Lesion",
        "Sources": [path.name for path in sources if path is not None],
        "Description": f"{what} {'On DWI and ADC. ' * both}Kind: {case.kind}intense. "
        "Not for diagnosis.",
        "Manual": False,
        "GeneratedBy": [{"Name": "lesionkit", "Version": __version__}],
    }
