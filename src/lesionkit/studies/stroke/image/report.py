"""The report of the stroke study: pictures, scores, and what is doubtful, in one HTML file."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from lesionkit import __version__, io, page
from lesionkit.studies.stroke.image import WARNING
from lesionkit.studies.stroke.image.pictures import (
    ALL,
    FEW,
    FOUND,
    TRUTH,
    View,
    adc_shades,
    dwi_shades,
    slices_of,
)
from lesionkit.studies.stroke.image.scan import Scan
from lesionkit.studies.stroke.mirror import Mirror, midline
from lesionkit.studies.stroke.prepare import Mask

COLUMNS = (
    ("Dice", "dice"),
    ("Jaccard", "jaccard"),
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
    ("precision", "precision"),
    ("extra / union", "extra"),
    ("missed / union", "missed"),
    ("HD95, mm", "hausdorff95"),
    ("lesion F1", "lesion_f1"),
)
MEANS = tuple(name for _, name in COLUMNS)
FAR = 3.0  # times the drawn volume, or a third of it: a warning
LARGE = 0.25  # of the brain: more than the largest infarcts hold
MANY_CASES = 25  # in one file
MANY = 15  # pieces of one method
ALIKE = 0.5  # of what was found
APART = 5.0  # times the least volume that a method found
WHOLE = 0.5  # of the brain: a truth that large is a mask of something else

METHODS = {
    "threshold": "histogram thresholding",
    "glcm": "thresholding by the co-occurrence matrix",
    "watershed": "watershed from markers",
    "fcm": "fuzzy c-means with an active contour",
    "kmeans": "k-means with fast marching",
    "split": "split and merge, region growing",
    "unet": "a U-Net that learnt from planted lesions (--model)",
}
SCORES = {
    "Dice, Jaccard": "overlap of what was found with the truth; 1 is best",
    "sensitivity": "what part of the truth was found",
    "specificity": "what part of the rest of the brain was left alone; close to 1 for any small "
    "lesion",
    "precision": "what part of what was found is true",
    "extra, missed / union": "what was found too much and too little, as parts of what either mask "
    "holds: the stroke papers' FPR and FNR. With Jaccard they add up to 1",
    "HD95": "95th percentile of the distance between both outlines",
    "lesion F1": "of whole lesions: true ones that were met, against missed ones and false ones",
    "pieces": "regions that touch along sides or corners",
}


def doubts_of(scan: Scan, scores: Sequence[Mapping[str, str]]) -> list[str]:
    """What of a case is implausible, a sentence each."""
    unit = "ml" if scan.is_volume else "mm²"
    name = "volume_ml" if scan.is_volume else "area_mm2"
    rows = [row for row in scores if row["method"] in scan.shown]
    sizes = {row["method"]: float(row[name]) for row in rows}
    doubts = list(scan.case.notes)
    if not scan.scene.brain.any():
        return [*doubts, "No brain was found: give its mask with --brain."]
    if scan.images.adc is None:
        doubts.append(
            "One diffusion image alone: small infarcts, bright cortex and artefacts near air look "
            "the same on it, and so do old damage and fluid. Give the map of ADC (--adc), or the "
            "image without weighting (--b0)."
        )
    truth = scan.images.truth
    if truth is not None and truth.any():
        if truth.sum() > WHOLE * scan.scene.brain.sum():
            share = truth.sum() / scan.scene.brain.sum()
            doubts.append(
                f"The truth covers {100 * share:.0f} % of the brain: is it a mask of the brain?"
            )
        drawn = float(rows[0][name.replace("volume", "truth").replace("area", "truth")])
        far = [
            f"{method} {_ratio(size / drawn)} times" for method, size in sizes.items()
            if size and not 1 / FAR < size / drawn < FAR
        ]  # fmt: skip
        if far:
            doubts.append(f"Far from the true {drawn:.3g} {unit}: {', '.join(far)} of it.")
    if empty := [method for method, size in sizes.items() if not size]:
        other = "hypo" if scan.case.kind == "hyper" else "hyper"
        if truth is not None and truth.any():
            doubts.append(f"Nothing was found by {', '.join(empty)}: is it {other}?")
        elif len(empty) < len(sizes):
            doubts.append(f"Nothing was found by {', '.join(empty)}, and something by the others.")
    brain = float(scan.scene.brain.sum())
    if large := [m for m, mask in scan.shown.items() if mask.sum() > LARGE * brain]:
        doubts.append(
            f"More than {100 * LARGE:.0f} % of the brain was found by {', '.join(large)}: no "
            "infarct is so large. The image may be of another kind, or the brain not found right."
        )
    twin = Mirror(midline(scan.scene.brain), scan.scene.brain.shape[-2:])
    if alike := [m for m, mask in scan.shown.items() if _share_alike(mask, twin) > ALIKE]:
        doubts.append(
            f"More than half of what {', '.join(alike)} found has its like on the other side: "
            "cortex, fluid and artefacts do, infarcts seldom."
        )
    if many := [f"{row['method']} {row['pieces']}" for row in rows if int(row["pieces"]) > MANY]:
        doubts.append(
            f"Many pieces ({', '.join(many)}): showers of small infarcts look so, and so do "
            "cortex, vessels and noise."
        )
    least = [size for size in sizes.values() if size]
    if len(least) > 1 and max(least) > APART * min(least):
        doubts.append(f"The methods disagree: {min(least):.3g} to {max(least):.3g} {unit}.")
    return doubts


def _ratio(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _share_alike(mask: Mask, twin: Mirror) -> float:
    """What share of a mask lies opposite to some of it."""
    planes = mask if mask.ndim == 3 else mask[None]
    both = sum(int(np.count_nonzero(plane & twin(plane))) for plane in planes)
    return both / max(1, int(mask.sum()))


def section(scan: Scan, scores: Sequence[Mapping[str, str]]) -> str:
    """The part of the report on one case, pictures included.

    scores : a row of each method
    """
    parts = [f"<h2>{html.escape(scan.case.name)}</h2>", _bad(doubts_of(scan, scores))]
    if scan.is_picture:
        kind = io.format_of(scan.images.dwi.path)
        sides = f"A {kind} has no sides: it is shown as it is."
    else:
        sides = "Radiological display: the picture's left is the patient's right, R."
    parts.append(page.note(f"{scan.case.kind.capitalize()}intense lesions. {sides}"))
    parts.append(page.note(" ".join(scan.images.notes)))
    both = [row for row in scores if row["images"] == "dwi+adc"]
    alone = [row for row in scores if row["images"] == "dwi"]
    for title, rows in (("On both images, DWI and ADC", both), ("On the DWI alone", alone)):
        if rows:
            parts.append(f"<h3>{title}</h3>{_table(scan, rows)}")
    parts.append(_pictures(scan))
    return "".join(parts)


def _table(scan: Scan, rows: Sequence[Mapping[str, str]]) -> str:
    found, true = ("volume_ml", "truth_ml") if scan.is_volume else ("area_mm2", "truth_mm2")
    unit, scored = ("ml" if scan.is_volume else "mm²"), scan.images.truth is not None
    digits = 2 if scan.is_volume else 0
    titles = ["method", f"found, {unit}", *[f"true, {unit}"] * scored]
    titles += [title for title, _ in COLUMNS if scored]
    cells = []
    for row in rows:
        star = " ★" * (row["recommended"] == "yes")
        line = [row["method"] + star, f"{float(row[found]):.{digits}f}"]
        line += [f"{float(row[true]):.{digits}f}"] if scored else []
        line += [_number(row[name]) for _, name in COLUMNS if scored]
        cells.append([*line, row["pieces"], f"{1e3 * float(row['seconds']):.0f}"])
    return _tight([*titles, "pieces", "ms"], cells)


def _tight(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f'<div class="tight">{page.table(titles, rows)}</div>'


def _number(text: str) -> str:
    value = float(text or "nan")
    return f"{value:.3f}" if math.isfinite(value) else "–"


def _pictures(scan: Scan) -> str:
    shown, truth = scan.shown, scan.images.truth
    dwi, adc = dwi_shades(scan), adc_shades(scan)
    votes = np.sum([mask.astype(np.uint8) for mask in shown.values()], axis=0)
    drawn = [] if truth is None else [(truth, TRUTH)]
    parts = []
    for one in slices_of(scan):
        view = View(scan, one.number)
        if one.number is not None:
            total = len(scan.scene.brain)
            why = f": {one.why}" * bool(one.why)
            parts.append(f"<h3>Slice {one.number} of 0 to {total - 1}{html.escape(why)}</h3>")
        panels = [(view.panel(dwi), "DWI, enhanced")]
        if adc is not None:
            panels.append((view.panel(adc), "ADC"))
        if truth is not None:
            panels.append((view.panel(dwi, drawn), "truth"))
        for method, mask in shown.items():
            star = " ★" * (method == scan.recommended)
            panels.append((view.panel(dwi, [*drawn, (mask, FOUND)]), method + star))
        if len(shown) > 1:
            map_ = view.panel(dwi, drawn, votes, len(shown))
            panels.append((map_, f"agreement: found by 1 to {len(shown)} methods"))
        parts.append(_grid(panels))
    return "".join(parts)


def _grid(panels: Sequence[tuple[bytes, str]]) -> str:
    figures = (
        f'<figure><img alt="{html.escape(text)}" src="data:image/png;base64,'
        f'{base64.b64encode(png).decode()}"><figcaption>{html.escape(text)}</figcaption></figure>'
        for png, text in panels
    )
    return f'<div class="panels">{"".join(figures)}</div>'


def _bad(sentences: Sequence[str]) -> str:
    listed = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="bad">{listed}</ul>' if listed else ""


def legend(methods: Sequence[str]) -> str:
    """What colours, methods and scores are."""

    def swatch(colour: Any, text: str) -> str:
        red, green, blue = (int(part) for part in colour)
        return (
            f'<span class="swatch" style="background:rgb({red},{green},{blue})"></span>{text}&ensp;'
        )

    colours = swatch(FOUND, "found") + swatch(TRUTH, "truth") + swatch(FEW, "found by one method")
    colours += swatch(ALL, "found by all")
    plain = dict.fromkeys(method.removesuffix("-adc") for method in methods)
    meant = {name: METHODS[name] for name in plain if name in METHODS}
    if any(method.endswith("-adc") for method in methods):
        meant["NAME-adc"] = "the same on both images, DWI and ADC, its pieces judged in 3-D"
    meant["★"] = "the method to look at first"
    lists = [
        "<dl>" + "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>"
                         for k, v in one.items()) + "</dl>"
        for one in (meant, SCORES)
    ]  # fmt: skip
    return f"<h2>Legend</h2><p>{colours}</p><h3>Methods</h3>{lists[0]}<h3>Scores</h3>{lists[1]}"


def write_report(
    path: Path,
    sections: Mapping[str, str],
    problems: Sequence[str],
    means: Mapping[str, tuple[int, Mapping[str, float]]],
    methods: Sequence[str],
) -> None:
    """Write the report of all cases into one file that needs no other; of more cases than a browser
    likes, each has a page of its own in the folder "report", and the report tells where.

    sections : of each case that is done what `section` gave;  problems : why others are not
    means    : of each method how many cases have a truth, and the means of their scores
    methods  : that the legend must tell of
    """
    parts = [
        f"<p><strong>{WARNING}</strong></p>",
        f"<h1>Stroke lesions: {len(sections)} case{'s' * (len(sections) != 1)}</h1>",
        page.problems(problems),
    ]
    if any(count > 1 for count, _ in means.values()):
        rows = [
            [method, str(count), *(_number(str(scores[name])) for name in MEANS)]
            for method, (count, scores) in means.items()
        ]
        parts.append("<h2>Means of cases with a truth</h2>")
        titles = ["method", "cases", *(title for title, _ in COLUMNS)]
        parts.append(_tight(titles, rows))
    end = [legend(methods), page.note(f"Made by lesionkit {__version__}; not for clinical use.")]
    if len(sections) <= MANY_CASES:
        page.write(path, "Stroke lesions", [*parts, *sections.values(), *end])
        return
    pages = path.parent / "report"
    pages.mkdir(exist_ok=True)
    links = []
    for name, part in sections.items():
        file = f"{name}.html"
        page.write(pages / file, name, [f"<p><strong>{WARNING}</strong></p>", part, *end])
        links.append(f'<li><a href="report/{quote(file)}">{html.escape(name)}</a></li>')
    page.write(path, "Stroke lesions", [*parts, f"<h2>Cases</h2><ul>{''.join(links)}</ul>", *end])
