"""The report of the stroke study: one HTML file with overlays, scores and times."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lesionkit import __version__, io, metrics
from lesionkit.report import new_figure
from lesionkit.studies.common import page
from lesionkit.studies.stroke.image import WARNING
from lesionkit.studies.stroke.image.cases import Case
from lesionkit.studies.stroke.prepare import Mask, Prepared

SLICES = 3  # of a volume that are shown
MARGIN = 3  # pixels around the brain that are shown
SHOWN = (0.1, 0.75)  # of S: black and white
FOUND, TRUTH = "#29d3ff", "#ff4d4d"
COLUMNS = (
    ("Jaccard", "jaccard"),
    ("Dice", "dice"),
    ("extra", "fpr"),
    ("missed", "fnr"),
    ("HD95, mm", "hausdorff95"),
    ("lesion F1", "lesion_f1"),
)

LEGEND = (
    "Methods: threshold, histogram thresholding; glcm, of co-occurrence; watershed, from markers; "
    "fcm, fuzzy c-means; kmeans, k-means with fast marching; split, split and merge. Each expects "
    "a visible lesion of the kind that was asked for (hyper: bright, hypo: dark), and finds "
    "something bright or dark where there is none.",
    "Scores: Jaccard and Dice, overlap of both masks, 1 is best; extra and missed, what was found "
    "too much and too little as shares of the union of both masks (FPR and FNR in scores.tsv and "
    "in the papers, which divide so); HD95, the 95th percentile of the distance between the "
    "outlines, the mean of cases where both masks hold something; lesion F1, of whole lesions that "
    "were met.",
)
FAR = 3.0  # times the drawn volume, or a third of it: a warning


@dataclass(frozen=True, eq=False)
class Scan:
    """A case that is done, in memory."""

    case: Case
    image: io.Image
    scene: Prepared
    truth: Mask | None
    masks: Mapping[str, Mask]  # of each method
    seconds: float  # of the preprocessing


def write_report(
    path: Path,
    sections: Sequence[str],
    problems: Sequence[str],
    means: Mapping[str, tuple[int, Mapping[str, float]]],
) -> None:
    """Write the report of all cases into one file that needs no other.

    sections : what `section` gave for each that is done;  problems : why others are not
    means    : of each method how many cases have a truth, and the means of their scores
    Error rates are fractions of the union of both masks, as in the papers.
    """
    parts = [
        f"<p><strong>{WARNING}</strong></p>",
        f"<h1>Stroke lesions: {len(sections)} case{'s' * (len(sections) != 1)}</h1>",
        page.problems(problems),
    ]
    if any(count > 1 for count, _ in means.values()):
        rows = [
            [method, str(count), *_numbers(scores)] for method, (count, scores) in means.items()
        ]
        parts.append("<h2>Means of cases with a truth</h2>")
        parts.append(page.table(["method", "cases", *(title for title, _ in COLUMNS)], rows))
    parts += sections
    parts += map(page.note, LEGEND)
    parts.append(
        f'<p class="note">Blue: found; red: truth. Made by lesionkit {__version__}; not for '
        "clinical use.</p>"
    )
    page.write(path, "Stroke lesions", parts)


def section(scan: Scan, scores: Sequence[Mapping[str, str]]) -> str:
    """The part of the report on one case, picture included.

    scores : a row of each method
    """
    scored = scan.truth is not None
    titles = ["method", "volume, ml" if _is_volume(scan) else "area, mm²", "ms"]
    titles += [title for title, _ in COLUMNS if scored]
    rows = []
    for row in scores:
        cells = [row["method"], _volume(row, scan), f"{1e3 * float(row['seconds']):.1f}"]
        rows.append(cells + (_numbers(row) if scored else []))
    if _is_image(scan):
        kind = io.format_of(scan.image.path)
        sides = f"A {kind} has neither sides nor a scale: a pixel counts as 1 mm."
    else:
        sides = "Radiological view: the picture's left is the patient's right, R."
        if scan.image.geometry.unit == "pixel":
            sides += " The file gives no scale: a pixel counts as 1 mm."
    empty = "" if scan.scene.brain.any() else " No brain was found."
    return (
        f"<h2>{html.escape(scan.case.name)}</h2>"
        f'<p class="note">{scan.case.kind}intense lesions; preprocessing '
        f"{1e3 * scan.seconds:.1f} ms.{empty} {sides}</p>"
        f"{page.image(overlay(scan), 'overlays')}{page.table(titles, rows)}{_doubts(scan, scores)}"
    )


def _doubts(scan: Scan, scores: Sequence[Mapping[str, str]]) -> str:
    """What of a case with a truth is implausible: volumes far from the drawn one."""
    if scan.truth is None:
        return ""
    scale = 1000 if _is_volume(scan) else 1
    unit = "ml" if _is_volume(scan) else "mm²"
    drawn = metrics.volume(scan.truth, scan.image.geometry)
    volumes = {row["method"]: float(row["volume"]) for row in scores}
    report = page.note(f"Drawn by hand: {drawn / scale:.4g} {unit}.")
    empty = [m for m, found in volumes.items() if drawn > 0 and not found]
    far = {
        m: found / drawn
        for m, found in volumes.items()
        if drawn > 0 and found and not 1 / FAR < found / drawn < FAR
    }
    if empty:
        other = "hypo" if scan.case.kind == "hyper" else "hyper"
        report += f'<p class="bad">Nothing was found by {", ".join(empty)}: is it {other}?</p>'
    if far:
        times = ", ".join(f"{m} {ratio:.2g} times" for m, ratio in far.items())
        report += f'<p class="bad">Far from the drawn volume: {times} of it.</p>'
    return report


def _is_volume(scan: Scan) -> bool:
    return scan.scene.brain.ndim == 3


def _is_image(scan: Scan) -> bool:
    """Whether rows go to the back, as in a slice that is seen; those of other files go to the
    front."""
    return bool(scan.image.geometry.affine[1, 1] < 0)


def _volume(row: Mapping[str, str], scan: Scan) -> str:
    volume = float(row["volume"])
    return f"{volume / 1000:.2f}" if _is_volume(scan) else f"{volume:.0f}"


def _numbers(scores: Mapping[str, Any]) -> list[str]:
    values = [float(scores[name]) for _, name in COLUMNS]
    return ["–" if math.isinf(value) else f"{value:.3f}" for value in values]


def overlay(scan: Scan) -> bytes:
    """A PNG of the case: a column for each method, a row for each slice that is shown, cut to the
    brain.

    It is a radiological view, with R and L in it, of files that know the patient's sides.
    """
    scene, masks = scan.scene, dict(scan.masks)
    if scan.truth is not None:
        masks = {"truth": scan.truth, **masks}
    chosen = _slices(masks, scan) if _is_volume(scan) else [None]
    rows, columns = _window([scene.brain, *masks.values()], chosen)
    height, width = rows[1] - rows[0], columns[1] - columns[0]
    figure = new_figure(
        figsize=(1.9 * len(masks), (1.9 * height / width) * len(chosen) + 0.25),
        layout="constrained",
    )
    axes = figure.subplots(len(chosen), len(masks), squeeze=False)
    for row, number in enumerate(chosen):
        pick: Any = ... if number is None else number
        gray = scene.enhanced[pick]
        for ax, (name, mask) in zip(axes[row], masks.items(), strict=True):
            ax.imshow(
                gray,
                cmap="gray",
                vmin=SHOWN[0],
                vmax=SHOWN[1],
            )
            if scan.truth is not None:
                _contour(ax, scan.truth[pick], TRUTH)
            if name != "truth":
                _contour(ax, mask[pick], FOUND)
            ax.axis("off")
            ax.set(xlim=columns, ylim=rows[::-1])  # rows go down in a picture that is seen
            if row == 0:
                ax.set_title(name, fontsize=9)
            if not _is_image(scan):
                ax.set(xlim=columns[::-1], ylim=rows)  # from the right to the left, to the front
                for x, side in ((0.01, "R"), (0.93, "L")):
                    ax.text(x, 0.93, side, color="white", fontsize=7, transform=ax.transAxes)
            if number is not None and name == next(iter(masks)):
                ax.text(
                    0.01, 0.02, f"slice {number}", color="white", fontsize=7, transform=ax.transAxes
                )
    return page.png_of(figure)


def _window(masks: Sequence[Mask], chosen: Sequence[Any]) -> list[tuple[float, float]]:
    """What of rows and of columns is shown: from where to where any mask holds something in the
    slices, and a margin; all of it where none does."""
    shape = masks[0].shape[-2:]
    shown = [mask if number is None else mask[number] for mask in masks for number in chosen]
    anywhere = np.any(shown, axis=0)
    window = []
    for axis, size in enumerate(shape):
        (there,) = np.nonzero(anywhere.any(1 - axis))
        first, last = (there[0], there[-1]) if len(there) else (0, size - 1)
        window.append((max(first - MARGIN, 0) - 0.5, min(last + MARGIN, size - 1) + 0.5))
    return window


def _contour(ax: Any, mask: Mask, colour: str) -> None:
    if mask.any():
        ax.contour(mask, [0.5], colors=colour, linewidths=0.8)


def _slices(masks: dict[str, Mask], scan: Scan) -> list[Any]:
    """The slices that part the lesion in four, by the truth where there is one; else what all
    found, or the brain. With a truth also the slice where most is found that is none."""
    anywhere = scan.truth if scan.truth is not None else np.any(list(masks.values()), axis=0)
    if not anywhere.any():
        anywhere = scan.scene.brain if scan.scene.brain.any() else ~scan.scene.brain
    area = np.cumsum(anywhere.sum((1, 2)))
    parts = (np.arange(SLICES) + 1) / (SLICES + 1) * area[-1]
    chosen = {int(i) for i in np.searchsorted(area, parts)}
    if scan.truth is not None:
        extra = sum((mask & ~scan.truth).sum((1, 2)) for mask in masks.values())
        chosen |= {int(np.argmax(extra))} if np.any(extra) else set()
    return sorted(chosen)
