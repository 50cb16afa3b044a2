"""A thermogram through the study: read, parted, segmented, measured, written."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import extras, files, io, metrics, page
from lesionkit.studies.thermogram import (
    asymmetry,
    clusters,
    figures,
    leaks,
    read,
    regions,
)
from lesionkit.studies.thermogram import body as bodies
from lesionkit.studies.thermogram.readers import colour

Mask = npt.NDArray[np.bool_]
METHODS = ("codebook", "unet", "enhanced")
MADE = ("clusters", "body", "breasts", "steps", "mask", "truth")  # endings of what is no case


@dataclass(frozen=True)
class Options:
    """How thermograms are read and segmented."""

    methods: tuple[str, ...] = ("codebook",)
    palette: str | None = None  # of a coloured picture
    limits: tuple[float, float] | None = None  # C, of a picture's colours
    unit: read.Unit = "auto"  # of text
    fill: bool = False  # pixels of text without a temperature
    weights: Path | None = None  # folder with unet/ and enhanced/
    max_bytes: int = io.MAX_BYTES  # the most that a file may have, or its header ask for


@dataclass(frozen=True)
class Case:
    name: str
    image: Path
    truth: Path | None = None

    @property
    def inputs(self) -> list[Path]:
        return [self.image, *([self.truth] if self.truth else [])]


def find_cases(image: Path, truth: Path | None = None) -> list[Case]:
    """A file; or of a folder all thermograms, but for masks, truths and what this command made.

    The truth of NAME is NAME_mask.png or NAME_truth.png, in the folder `truth` or beside it.
    """
    if not image.exists():
        raise ValueError(f"{image} does not exist")
    if not image.is_dir():
        if truth is not None and not truth.is_file():
            raise ValueError(f"truth must be a mask where the image is a file, got {truth}")
        return [Case(image.stem, image, truth)]
    if truth is not None and not truth.is_dir():
        raise ValueError(f"truth must be a folder where the image is one, got {truth}")
    found = [
        path
        for path in sorted(image.iterdir())
        if path.suffix.lower() in read.ENDINGS and not path.name.startswith(".")
    ]
    chosen = [path for path in found if not path.stem.endswith(tuple(f"_{m}" for m in MADE))]
    if not chosen:
        raise ValueError(f"{image} has no thermogram: {', '.join(read.ENDINGS)}")
    stems = [path.stem for path in chosen]
    cases = []
    for path in chosen:
        # a.txt and a.png are two cases
        name = path.stem if stems.count(path.stem) == 1 else path.name.replace(".", "_")
        cases.append(Case(name, path, _truth_of(path, truth or image)))
    if truth is not None and not any(case.truth for case in cases):
        raise ValueError(f"truth must hold masks such as {stems[0]}_mask.png, {truth} has none")
    return cases


def _truth_of(image: Path, folder: Path) -> Path | None:
    for ending in ("mask", "truth"):
        path = folder / f"{image.stem}_{ending}.png"
        if path.is_file():
            return path
    return None


def process(
    case: Case, options: Options, out: Path, nets: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The record of a case, and the names of the files that were written to `out`.

    nets : trained nets of the methods but codebook, by name
    """
    seen = read.thermogram(
        case.image,
        palette=options.palette,
        limits=options.limits,
        unit=options.unit,
        fill=options.fill,
        max_bytes=options.max_bytes,
    )
    values = seen.values
    truth = None
    if case.truth is not None:
        truth = io.read_mask(case.truth, max_bytes=options.max_bytes).values
    if truth is not None and truth.shape != values.shape:
        raise ValueError(
            f"{case.truth} must have the shape of {case.image}, {values.shape}, got {truth.shape}"
        )
    body = bodies.find(values)
    axis = bodies.midline(values, body)
    breasts = bodies.breasts(values, body, axis)
    known = seen.celsius is not None
    limits = (options.limits or colour.LIMITS) if known else (0.0, 1.0)
    rgb = clusters.picture_of(values, "rainbow", limits)

    record: dict[str, Any] = {"origin": seen.origin, "notes": list(seen.notes), "scores": []}
    made: list[str] = []

    def write(ending: str, image: npt.NDArray[Any]) -> None:
        image_of = extras.require("PIL.Image", "pictures need", "studies").fromarray
        name = f"{case.name}_{ending}.png"
        with files.whole(out / name) as partial:
            image_of(image).save(partial, format="PNG")
        made.append(name)

    write("body", np.where(body, 255, 0).astype(np.uint8))
    write("breasts", np.where(breasts[0], 1, np.where(breasts[1], 2, 0)).astype(np.uint8) * 127)
    masks: dict[str, Mask] = {}
    section = [f"<h2>{html.escape(case.name)}</h2>"]
    section.append(page.note("; ".join((seen.origin, *seen.notes)) + "."))
    curves, problem = None, ""
    try:
        if not known:
            raise ValueError("temperatures are not known, so left and right are not compared")
        sides = asymmetry.sides(values, body, axis)
        record["asymmetry"] = asymmetry.features(values, body, axis)._asdict()
        curves = tuple(
            np.ma.masked_array(side, ~sides.both).mean(1).filled(np.nan)
            for side in (sides.left, sides.right)
        )
    except ValueError as trouble:
        problem = str(trouble)
        section.append(page.note(problem + "."))
    figure = figures.woman(
        values,
        {"body": body, "left breast": breasts[0], "right breast": breasts[1]},
        axis.column,
        curves,
        "C" if known else "cold 0, hot 1",
    )
    section.append(page.image(page.png_of(figure), "body, midline and breasts"))
    record["midline"] = {"column": axis.column, "correlation": axis.correlation}
    if known:
        found = leaks.features(values, body, case.image)
        record["leaks"] = {name: _plain(value) for name, value in found._asdict().items()}

    if "codebook" in options.methods:
        parted = clusters.segment(rgb)
        masks["codebook"] = _enlarged(parted.red, values.shape)
        write("clusters", figures.clusters(parted.labels))
        with files.whole(out / f"{case.name}_steps.png") as partial:
            steps = figures.steps(parted, case.name)
            steps.savefig(partial, format="png", dpi=90)
        made.append(f"{case.name}_steps.png")
        small = tuple(regions.scaled(side, len(parted.rgb)) for side in breasts)
        record |= _codebook_rows(parted, regions.stage_of(parted.red, (small[0], small[1])))
        section += _codebook_section(parted, record, page.png_of(steps))
    for name, net in nets.items():
        masks[name] = _enlarged(net.segment(rgb), values.shape)
        write(name, np.where(masks[name], 255, 0).astype(np.uint8))
        fraction = 100 * masks[name].mean()
        section.append(page.note(f"{name}: {fraction:.1f} % of the picture is marked."))
    if truth is not None:
        for name, mask in masks.items():
            scores = metrics.scores(mask, truth, (1.0, 1.0))
            numbers = {key: getattr(scores, key) for key in ("dice", "jaccard", "fpr", "fnr")}
            record["scores"].append({"method": name, **{k: f"{v:.4f}" for k, v in numbers.items()}})
        rows = [list(row.values()) for row in record["scores"]]
        section.append(page.table(["method", "Dice", "Jaccard", "FPR", "FNR"], rows))
    if "leaks" in record:
        section.append(page.note("What is no part of her (leaks):"))
        cells = [[key, "–" if v is None else f"{v:.4g}"] for key, v in record["leaks"].items()]
        section.append(page.table(["leak", "value"], cells))
    if "asymmetry" in record:
        cells = [[key, f"{v:.3f}"] for key, v in record["asymmetry"].items()]
        section.append(page.table(["left against right", "value"], cells))
    record["not_compared"] = problem
    record["section"] = "".join(section)
    return record, made


def _plain(value: float) -> float | None:
    return None if value != value else float(value)


def _enlarged(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """A mask of the picture's size in the thermogram's: the nearest pixels."""
    rows, columns = (
        np.minimum(((np.arange(side) + 0.5) * small / side).astype(int), small - 1)
        for side, small in zip(shape, mask.shape, strict=True)
    )
    return np.asarray(mask[np.ix_(rows, columns)])


def _codebook_rows(parted: clusters.Clusters, stage: str) -> dict[str, Any]:
    return {
        "abnormal": parted.abnormal,
        "stage": stage,
        "words": {word.name: list(word.rgb) for word in parted.words},
        "red_share": float(parted.red.mean()),
        "regions": [region._asdict() for region in regions.describe(parted)],
        "colours": [colours._asdict() for colours in regions.colours(parted)],
        "rounds": parted.rounds,
        "open_ends": parted.open_ends,
        "positions": len(parted.positions),
    }


def _codebook_section(parted: clusters.Clusters, record: dict[str, Any], steps: bytes) -> list[str]:
    words = ", ".join(
        f"{name} ({', '.join(f'{v:.0f}' for v in rgb)})" for name, rgb in record["words"].items()
    )
    by_rule = "abnormal" if record["abnormal"] else "normal"
    rows = [
        [c["cluster"], f"{100 * c['share']:.1f} %", *(f"{c[k][0]}-{c[k][1]}" for k in _CHANNELS)]
        for c in record["colours"]
    ]
    return [
        page.image(steps, "the twelve steps"),
        page.note(
            f"The paper's rule (a red cluster is there) says {by_rule}, as it says of everyone; "
            f"stage by our thresholds, never scored: {record['stage']}. Words: {words}. "
            f"{parted.rounds} rounds, {parted.open_ends} ends of boundaries are open."
        ),
        page.table(["colours of cluster", "share", "red", "green", "blue"], rows),
    ]


_CHANNELS = ("red", "green", "blue")
