"""The report on images of heads: outlines in radiological display, pieces, scores."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import io, page

Mask = npt.NDArray[np.bool_]

SLICES = 4  # of a volume that are shown
PIECES = 5  # of each method that are listed
BRAIN, FOUND, TRUTH = "#5ad15a", "#29d3ff", "#ff4d4d"
SCORES = (("Dice", "dice"), ("Jaccard", "jaccard"), ("HD95, mm", "hausdorff95"))
FREE = "pixels on free slices"
JUDGED = "probability: blue 0, red 1"


def as_seen(image: io.Image) -> bool:
    """Whether it is a picture: its rows go down, and nobody knows where left is."""
    return io.format_of(image.path) in io.RASTER


def section(
    name: str,
    values: npt.NDArray[Any],
    brain: Mask,
    masks: Mapping[str, Mask],
    truth: Mask | None,
    image: io.Image,
    record: Mapping[str, Any],
    chart: npt.NDArray[Any] | None = None,
) -> str:
    """The part of the report on one image, as HTML.

    chart : how likely each pixel's square is abnormal, else NaN
    """
    parts = [f"<h2>{html.escape(name)}</h2>", page.note(" ".join(record["notes"]))]
    sides = (
        "A picture has no sides: it is shown as it is."
        if as_seen(image)
        else "Radiological display: the picture's left is the patient's right, R."
    )
    colours = "Green: brain; blue: found" + "; red: truth." * (truth is not None)
    parts.append(page.note(f"{sides} {colours.rstrip('.')}."))
    parts.append(
        page.image(_picture(values, brain, masks, truth, as_seen(image), chart), "outlines")
    )
    titles = ["method", "volume, ml" if values.ndim == 3 else "area, mm²"]
    scored, free = truth is not None, any("pixels_on_free_slices" in r for r in record["scores"])
    titles += [title for title, _ in SCORES if scored] + [FREE] * free
    titles += ["by the model", "probability", "of", "abnormal squares"] * (chart is not None)
    rows = []
    for row in record["scores"]:
        size = float(row["size"])
        cells = [row["method"], f"{size / 1000:.2f}" if values.ndim == 3 else f"{size:.0f}"]
        cells += [_number(row[key]) for _, key in SCORES if scored]
        cells += [row.get("pixels_on_free_slices", "–")] * free
        if chart is not None:
            cells += [row["class"], row["probability"], row["judged"]]
            cells.append(f"{row['abnormal_squares']} of {row['squares']}")
        rows.append(cells)
    parts.append(page.table(titles, rows))
    if record["pieces"]:
        parts.append(_pieces(record["pieces"]))
    return "".join(parts)


def _pieces(found: Sequence[Mapping[str, Any]]) -> str:
    volume = found[0]["plane"] is not None
    shown = [p for p in found if p["number"] <= PIECES]
    titles = ["piece", *["slice"] * volume, "row", "column", "place, mm", "area, mm²"]
    judged = any(p["probability"] is not None for p in found)
    titles += ["length x width, mm", "long axis, degrees", *["volume, ml"] * volume]
    titles += ["probability of abnormal"] * judged
    rows = [
        [
            f"{p['method']} {p['number']}",
            *([str(p["plane"])] if volume else []),
            f"{p['row']:.0f}",
            f"{p['column']:.0f}",
            p["place"] or "–",
            f"{p['area']:.0f}",
            f"{p['length']:.1f} x {p['width']:.1f}",
            f"{p['angle']:.0f}",
            *([f"{p['volume']:.2f}"] if volume else []),
            *([_chance(p["probability"])] if judged else []),
        ]
        for p in shown
    ]
    told = "Pieces by their largest slice; " if volume else "Pieces; "
    return page.note(
        told
        + "place: mm to the right, front and up in the file's own axes; the long axis from the "
        "columns' axis towards the front, or up in a picture."
        + f" pieces.tsv has all {len(found)}."
        * (len(shown) < len(found))
    ) + page.table(titles, rows)


def _chance(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _number(text: str) -> str:
    value = float(text)
    return "–" if math.isinf(value) or math.isnan(value) else f"{value:.3f}"


def _picture(
    values: npt.NDArray[Any],
    brain: Mask,
    masks: Mapping[str, Mask],
    truth: Mask | None,
    seen: bool,
    chart: npt.NDArray[Any] | None,
) -> bytes:
    """A column for each method, and one for the squares; a row for each slice that is shown."""
    from matplotlib.figure import Figure

    volume = values.ndim == 3
    chosen: list[Any] = _slices(brain, masks, truth) if volume else [...]
    height, width = values.shape[-2:]
    columns = len(masks) + (chart is not None)
    pictures = [*masks.items(), *([] if chart is None else [(JUDGED, None)])]
    figure = Figure(
        figsize=(2.6 * columns, 2.6 * height / width * len(chosen) + 0.25), layout="constrained"
    )
    axes = figure.subplots(len(chosen), columns, squeeze=False)
    turn = (slice(None), slice(None, None, 1 if seen else -1))
    shown = np.nan_to_num(values, nan=float(np.nanmin(values)))
    low, high = np.percentile(shown[brain], (0.5, 99.5))
    low = min(low, float(np.percentile(shown, 1)))
    for number, row in zip(chosen, axes, strict=True):
        for ax, (name, mask) in zip(row, pictures, strict=True):
            ax.imshow(
                shown[number][turn],
                cmap="gray",
                vmin=low,
                vmax=high + (high - low) * 0.1,
                origin="upper" if seen else "lower",
            )
            if mask is None and chart is not None:
                ax.imshow(
                    chart[number][turn],
                    cmap="coolwarm",
                    vmin=0,
                    vmax=1,
                    alpha=0.5,
                    origin="upper" if seen else "lower",
                )
            outlines = [(brain, BRAIN)] + ([] if mask is None else [(mask, FOUND)])
            outlines += [] if truth is None else [(truth, TRUTH)]
            for outline, colour in outlines:
                if outline[number].any():
                    ax.contour(outline[number][turn], [0.5], colors=colour, linewidths=0.8)
            ax.axis("off")
            if number is chosen[0]:
                ax.set_title(name, fontsize=9)
            for x, side in [] if seen else [(0.01, "R"), (0.93, "L")]:
                ax.text(x, 0.92, side, color="white", fontsize=9, transform=ax.transAxes)
            if volume and ax is row[0]:
                ax.text(0, 0, f"slice {number}", color="white", fontsize=8, transform=ax.transAxes)
    return page.png_of(figure)


def _slices(brain: Mask, masks: Mapping[str, Mask], truth: Mask | None) -> list[int]:
    """The slices that part the tumour in five, by the truth where there is one, else by what was
    found, or the brain."""
    tumour = truth if truth is not None and truth.any() else np.any(list(masks.values()), axis=0)
    area = np.cumsum((tumour if tumour.any() else brain).sum((1, 2)))
    parts = (np.arange(SLICES) + 1) / (SLICES + 1) * area[-1]
    return sorted({int(i) for i in np.searchsorted(area, parts)})
