"""A scan through the study: read, prepared, segmented by each method, scored, written."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import __version__, arrays, io, metrics
from lesionkit.studies.stroke import SEGMENTERS, Mask, Prepared, preprocess
from lesionkit.studies.stroke.image import report
from lesionkit.studies.stroke.image.cases import NO_ADC, Case, base_of

AREA = 20.0  # mm^2, of the smallest region in a slice: the papers' 20 pixels, of 1 mm
_warm: set[str] = set()  # methods whose first call is behind us


@dataclass(frozen=True)
class Options:
    """How scans are read and segmented."""

    methods: frozenset[str] = frozenset(SEGMENTERS)
    max_bytes: int = io.MAX_BYTES  # the most that a header may ask for


def methods_of(name: str) -> frozenset[str]:
    """The methods that a name stands for: one, or "all"."""
    chosen = arrays.one_of(name, "method", (*SEGMENTERS, "all"))
    return frozenset(SEGMENTERS if chosen == "all" else (chosen,))


def check_truths(cases: Iterable[Case], options: Options, out: Path) -> None:
    """ValueError where a mask to score by is one that the run would write."""
    for case in cases:
        made = {(out / mask_name(case.name, m)).resolve() for m in options.methods}
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
    image = io.read_image(case.image, max_bytes=options.max_bytes)
    if image.adc:
        raise ValueError(NO_ADC.format(case.image, "DICOM's ImageType"))
    truth = None
    if case.truth is not None:
        truth = io.read_mask(case.truth, image, max_bytes=options.max_bytes).values
    start = time.perf_counter()
    try:
        scene = preprocess(image.values)
    except (ValueError, TypeError) as problem:
        raise ValueError(f"{case.image}: {problem}") from problem
    prepared = time.perf_counter() - start
    smallest = smallest_of(image, scene, case.image)
    known = {row["method"]: row for row in (earlier or {}).get("scores", [])}
    rows, masks, made = [], {}, []
    for method in [name for name in SEGMENTERS if name in options.methods | set(known)]:
        path = out / mask_name(case.name, method)
        if method in known:
            row, masks[method] = known[method], io.read_mask(path, image).values
        else:
            _load(method)
            start = time.perf_counter()
            masks[method] = SEGMENTERS[method](scene, case.kind, smallest=smallest)
            seconds = f"{time.perf_counter() - start:.4f}"
            row = {"method": method, "kind": case.kind, "seconds": seconds}
            row |= _row(masks[method], truth, image)
            io.write_mask(path, masks[method], image, _sidecar(case, method))
        rows.append(row)
        made += [path.name, io.sidecar_of(path).name]
    scan = report.Scan(case, image, scene, truth, masks, prepared)
    return {"scores": rows, "section": report.section(scan, rows)}, made


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


def _row(mask: Mask, truth: Mask | None, image: io.Image) -> dict[str, str]:
    if truth is None:
        return {"volume": f"{metrics.volume(mask, image.geometry):.1f}"}
    scores = metrics.scores(mask, truth, image.geometry)._asdict()
    row = {name: f"{value:.4f}" for name, value in scores.items()}
    return row | {"volume": f"{scores['volume']:.1f}"}


def _load(method: str) -> None:
    """Load what a method needs, so that the first case's times are times of work."""
    if method in _warm:
        return
    slice_ = np.zeros((64, 64), np.uint16)
    slice_[8:56, 12:52] = 100 + np.arange(40) % 7
    slice_[20:34, 16:28] = 300
    SEGMENTERS[method](slice_)
    _warm.add(method)


def mask_name(case: str, method: str) -> str:
    """BIDS' name of a derived mask: NAME_label-lesion_desc-METHOD_mask.nii.gz."""
    return f"{base_of(case)}_label-lesion_desc-{method}_mask.nii.gz"


def _sidecar(case: Case, method: str) -> dict[str, object]:
    what = (SEGMENTERS[method].__doc__ or "").strip().split("\n")[0]
    return {
        "Type": "Lesion",
        "Sources": [case.image.name],
        "Description": f"{what} Kind: {case.kind}intense.",
        "Manual": False,
        "GeneratedBy": [{"Name": "lesionkit", "Version": __version__}],
    }
