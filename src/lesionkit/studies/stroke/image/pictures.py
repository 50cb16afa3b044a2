"""Panels of the stroke report: slices as a radiologist sees them, outlines, and agreement."""

from __future__ import annotations

import io as streams
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from lesionkit import extras
from lesionkit.studies.stroke.image.scan import Scan
from lesionkit.studies.stroke.prepare import Mask

WIDTH = 300  # pixels of a panel, at least: slices of fewer are enlarged
MARGIN = 3  # pixels around the brain that are shown
SHOWN = (0.1, 0.75)  # of S: black and white
ADC_WHITE = 2.5  # times the brain's median
SLICES = 3  # of a volume that are shown for the lesion
FOUND, TRUTH = (41, 211, 255), (255, 77, 77)
FEW, ALL = np.array([255, 225, 60]), np.array([235, 30, 90])  # one method, all of them
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Chosen:
    """A slice that is shown, and why."""

    number: int | None  # None of a slice alone
    why: str = ""


def slices_of(scan: Scan) -> list[Chosen]:
    """Three slices that part the lesion in four, by the truth where there is one, else by what was
    found, or the brain; and the slice where a method is most wrong, or the methods disagree
    most."""
    if not scan.is_volume:
        return [Chosen(None)]
    shown, truth = scan.shown, scan.images.truth
    anywhere = np.any(list(shown.values()), axis=0) if truth is None else truth
    if not anywhere.any():
        anywhere = scan.scene.brain if scan.scene.brain.any() else ~scan.scene.brain
    area = np.cumsum(anywhere.sum((1, 2)))
    parts = (np.arange(SLICES) + 1) / (SLICES + 1) * area[-1]
    chosen = {int(i): "" for i in np.searchsorted(area, parts)}
    if truth is not None:
        wrong = {name: (mask ^ truth).sum((1, 2)) for name, mask in shown.items()}
        worst = max(wrong, key=lambda name: int(wrong[name].max()))
        if wrong[worst].any():
            number = int(wrong[worst].argmax())
            chosen[number] = f"most wrong: {worst}, {wrong[worst][number]} pixels"
    elif len(shown) > 1:
        votes = np.sum(list(shown.values()), axis=0)
        apart = ((votes > 0) & (votes < len(shown))).sum((1, 2))
        if apart.any():
            chosen[int(apart.argmax())] = "where the methods disagree most"
    return [Chosen(number, chosen[number]) for number in sorted(chosen)]


class View:
    """What of a slice is shown: the brain and what was found in it, from the right to the left and
    from the front to the back; of a picture as it is."""

    def __init__(self, scan: Scan, number: int | None) -> None:
        self.scan, self.number = scan, number
        kept = [scan.scene.brain, *scan.masks.values()]
        kept += [scan.images.truth] if scan.images.truth is not None else []
        anywhere = np.any([self._plane(mask) for mask in kept], axis=0)
        window = []
        for axis, size in enumerate(anywhere.shape):
            (there,) = np.nonzero(anywhere.any(1 - axis))
            first, last = (int(there[0]), int(there[-1])) if len(there) else (0, size - 1)
            window.append(slice(max(first - MARGIN, 0), min(last + MARGIN, size - 1) + 1))
        turn = 1 if scan.is_picture else -1
        self.window, self.turn = tuple(window), (slice(None, None, turn),) * 2
        rows, columns = (part.stop - part.start for part in window)
        high, wide = scan.images.dwi.spacing[-2:]
        width = max(WIDTH, columns)
        self.size = width, max(1, round(width * rows * high / (columns * wide)))

    def _plane(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return array if self.number is None else np.asarray(array[self.number])

    def of(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What of an array is shown."""
        return np.asarray(self._plane(array)[self.window][self.turn])

    def panel(
        self,
        gray: npt.NDArray[Any],
        outlines: Sequence[tuple[Mask, Colour]] = (),
        votes: npt.NDArray[Any] | None = None,
        of: int = 1,
    ) -> bytes:
        """A PNG of the slice.

        gray     : (planes,) rows, columns, from 0, black, to 1, white
        outlines : masks whose borders are drawn, and in which colour
        votes    : how many methods found each pixel, of `of`: drawn as a colour
        """
        image = extras.require("PIL.Image", "the report needs", "studies")
        shades = np.rint(255 * np.clip(self.of(gray), 0, 1)).astype(np.uint8)
        large = image.fromarray(shades).resize(self.size, image.Resampling.BICUBIC)
        picture = np.repeat(np.asarray(large)[..., None], 3, -1).astype(np.float64)
        if votes is not None:
            count = self._enlarged(self.of(votes).astype(np.uint8))[..., None]
            share = (count - 1) / max(of - 1, 1)
            picture = np.where(
                count > 0, 0.35 * picture + 0.65 * (FEW + share * (ALL - FEW)), picture
            )
        for mask, colour in outlines:
            inside = self._enlarged(self.of(mask).astype(np.uint8)) > 0
            picture[inside & ~ndimage.binary_erosion(inside, iterations=2)] = colour
        drawn = image.fromarray(np.rint(picture).astype(np.uint8))
        if not self.scan.is_picture:
            self._sides(drawn)
        stream = streams.BytesIO()
        drawn.quantize(128, image.Quantize.FASTOCTREE).save(stream, format="PNG", optimize=True)
        return stream.getvalue()

    def _enlarged(self, values: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        image = extras.require("PIL.Image", "the report needs", "studies")
        large = image.fromarray(values).resize(self.size, image.Resampling.NEAREST)
        return np.asarray(large)

    def _sides(self, picture: Any) -> None:
        """R at the left, L at the right, as radiologists have them."""
        draw = extras.require("PIL.ImageDraw", "the report needs", "studies").Draw(picture)
        font = extras.require("PIL.ImageFont", "the report needs", "studies").load_default(20)
        for x, anchor, side in ((6, "lt", "R"), (self.size[0] - 6, "rt", "L")):
            draw.text((x, 6), side, (255, 255, 255), font, anchor, stroke_width=2,
                      stroke_fill=(0, 0, 0))  # fmt: skip


def adc_shades(scan: Scan) -> npt.NDArray[Any] | None:
    """The map of ADC from 0, black, to 1, white; None without one."""
    adc = scan.images.adc
    if adc is None:
        return None
    values = np.nan_to_num(np.asarray(adc, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    inside = values[scan.scene.brain & (values > 0)]
    return values / (ADC_WHITE * float(np.median(inside))) if inside.size else np.zeros_like(values)


def dwi_shades(scan: Scan) -> npt.NDArray[Any]:
    """The enhanced diffusion image from 0, black, to 1, white."""
    low, high = SHOWN
    return np.asarray((scan.scene.enhanced - low) / (high - low))
