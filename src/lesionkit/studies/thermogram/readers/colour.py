"""Colours of thermograms: palettes, and the way back from colours to temperatures."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays

Real = npt.NDArray[np.float64]
Rgb = npt.NDArray[np.uint8]  # (rows, columns, 3)
LIMITS = (22.0, 37.0)  # C, of the colours' ends: skin in a cool room
MATCH = 12.0  # of 255: how far from a palette the colours of its picture lie at most (median)
FOREIGN = 40.0  # of 255: what lies farther from a palette is text, a crosshair or a logo
BESIDE = 3  # pixels around what is foreign that are not trusted: the blocks of JPEG blur it


def _ramp(*stops: tuple[float, int, int, int]) -> Rgb:
    """256 colours, straight between stops of (place, red, green, blue)."""
    places, *channels = (np.array(part, float) for part in zip(*stops, strict=True))
    at = np.linspace(0, 1, 256)
    return np.stack([np.interp(at, places, c) for c in channels], -1).round().astype(np.uint8)


PALETTES = {
    # dark blue, blue, cyan, yellow, red, dark red: "jet", which most thermograms on the web have
    "rainbow": _ramp(
        (0, 0, 0, 128),
        (1 / 8, 0, 0, 255),
        (3 / 8, 0, 255, 255),
        (5 / 8, 255, 255, 0),
        (7 / 8, 255, 0, 0),
        (1, 128, 0, 0),
    ),
    # black, violet, red, orange, yellow, white: hot iron
    "iron": _ramp(
        (0, 0, 0, 0),
        (0.15, 32, 0, 130),
        (0.35, 145, 0, 155),
        (0.6, 228, 80, 20),
        (0.8, 255, 160, 0),
        (0.93, 255, 235, 90),
        (1, 255, 255, 255),
    ),
    "grey": _ramp((0, 0, 0, 0), (1, 255, 255, 255)),
}


class Bar(NamedTuple):
    """A colour bar in a picture."""

    colours: Rgb  # (256, 3), cold to hot
    box: tuple[int, int, int, int]  # first row, first column, last row + 1, last column + 1


def paint(celsius: Any, palette: str = "rainbow", limits: tuple[float, float] = LIMITS) -> Rgb:
    """Temperatures, (rows, columns), as colours of a palette between limits; beyond, its ends."""
    table = PALETTES[arrays.one_of(palette, "palette", tuple(PALETTES))]
    low, high = checked(limits)
    values = arrays.real(celsius, "celsius", (None, None))
    levels = np.clip((values - low) / (high - low) * 255, 0, 255)
    painted: Rgb = table[levels.round().astype(np.intp)]
    return painted


def checked(limits: Any) -> tuple[float, float]:
    """Two temperatures, the lower one first; else a clear error."""
    low, high = arrays.real(limits, "limits", (2,)).tolist()
    if not low < high:
        raise ValueError(f"limits must be two temperatures, low before high, got {low} and {high}")
    return low, high


def positions(rgb: Rgb, table: Rgb) -> tuple[Real, Real]:
    """For each pixel its place in a palette, 0 to 1, and how far its colour is from there, of 255
    in each channel."""
    from scipy.spatial import KDTree

    distinct, back = np.unique(rgb.reshape(-1, 3), axis=0, return_inverse=True)
    distance, index = KDTree(table.astype(float)).query(distinct.astype(float))
    shape = rgb.shape[:2]
    place: Real = index[back].reshape(shape) / (len(table) - 1)
    return place, distance[back].reshape(shape)


def unpaint(
    rgb: Any, palette: str | Bar = "rainbow", limits: tuple[float, float] = LIMITS
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Temperatures, (rows, columns), of a picture's colours; and how far, of 255, each colour lies
    from the palette. Text and other foreign colours take the temperature of the nearest pixel."""
    low, high = checked(limits)
    place, distance, _ = levels_of(check_rgb(rgb), palette)
    return (low + place * (high - low)).astype(np.float32), distance.astype(np.float32)


def levels_of(rgb: Rgb, palette: str | Bar) -> tuple[Real, Real, npt.NDArray[np.bool_]]:
    """Places in the palette, distances, and what was foreign and has its neighbours' places."""
    from scipy import ndimage

    if isinstance(palette, Bar):
        table = palette.colours
    else:
        table = PALETTES[arrays.one_of(palette, "palette", tuple(PALETTES))]
    place, distance = positions(rgb, table)
    foreign = ndimage.binary_dilation(distance > FOREIGN, iterations=BESIDE)
    if foreign.all():
        raise ValueError("rgb must hold colours of the palette, none is near it")
    if foreign.any():
        rows, columns = ndimage.distance_transform_edt(
            foreign, return_distances=False, return_indices=True
        )
        place = place[rows, columns]
    return place, distance, foreign


def check_rgb(rgb: Any) -> Rgb:
    """8-bit colours, (rows, columns, 3); else a clear error."""
    array = np.asarray(rgb)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise ValueError(
            f"rgb must be a uint8 array of shape (rows, columns, 3), got {arrays.describe(array)}"
        )
    return array


def name_palette(rgb: Rgb) -> str:
    """The palette that a picture's colours are of; else ValueError."""
    medians = {name: float(np.median(positions(rgb, table)[1])) for name, table in PALETTES.items()}
    best = min(medians, key=lambda name: medians[name])
    if medians[best] > MATCH:
        raise ValueError(
            f"its colours are of no known palette ({', '.join(PALETTES)}): the nearest, {best}, is "
            f"{medians[best]:.0f} of 255 away, {MATCH:.0f} at most; a picture with its colour bar "
            "needs none"
        )
    return best


def find_bar(rgb: Any) -> Bar | None:
    """The colour bar of a picture, upright or lying: a strip whose lines have one colour each, and
    no colour twice. None where there is none. Hot is up, or right."""
    page = check_rgb(rgb)
    for turned in (False, True):
        found = _upright(page.transpose(1, 0, 2)[::-1] if turned else page)
        if found is not None:
            colours, (top, left, bottom, right) = found
            high = page.shape[1]
            box = (left, high - bottom, right, high - top) if turned else (top, left, bottom, right)
            return Bar(colours, box)
    return None


MIN_FRACTION = 0.3  # of the picture's height that a bar takes up
EVEN = 12.0  # of 255: how much colours differ along a line of a bar; JPEG leaves some
APART = 0.25  # of the bar: colours so far apart must differ
DIFFERENT = 40.0  # of 255, by so much
BLUR = 8  # pixels beside a bar that JPEG may have mixed with it


def _upright(page: Rgb) -> tuple[Rgb, tuple[int, int, int, int]] | None:
    rows, columns = page.shape[:2]
    narrow = max(5, columns // 100)
    if rows < 32 or columns < 4 * narrow:
        return None
    values = page.astype(float)
    even = np.abs(np.diff(values, axis=1)).max(2) <= EVEN  # (rows, columns - 1)
    coloured = np.ptp(values, axis=2).max(0)  # of a column
    best: tuple[int, int, int, int] | None = None
    for x in np.flatnonzero(coloured[: columns - narrow + 1] > DIFFERENT).tolist():
        run = even[:, x : x + narrow - 1].all(1)
        top, bottom = _longest(run & (values[:, x].max(1) > 40))
        if bottom - top < MIN_FRACTION * rows or (best and bottom - top <= best[2] - best[0]):
            continue
        if not _single(values[top:bottom, x + narrow // 2]):
            continue
        left, right = x, x + narrow
        while right < columns and even[top:bottom, right - 1].mean() > 0.9:
            right += 1
        while left > 0 and even[top:bottom, left - 1].mean() > 0.9:
            left -= 1
        strip = values[top:bottom]
        alone = margin(strip[:, :left][:, ::-1]) and margin(strip[:, right:])
        if alone and right - left <= 0.2 * columns:
            best = (top, left, bottom, right)
    if best is None:
        return None
    top, left, bottom, right = best
    line = np.median(values[top:bottom, left + 1 : right - 1], axis=1)[::-1]
    at = np.linspace(0, len(line) - 1, 256)
    colours = np.stack([np.interp(at, np.arange(len(line)), c) for c in line.T], -1)
    return colours.round().astype(np.uint8), best


def margin(lines: npt.NDArray[Any]) -> int:
    """Where a margin, columns of one colour, ends beside a bar, counted from the bar; 0 if there
    is none. At the page's edge there need be none."""
    values = lines.astype(float)
    flat = values.std(0).max(1) <= EVEN
    first = int(flat[:BLUR].argmax()) if flat[:BLUR].any() else -1
    if first < 0:
        return max(1, flat.size) if flat.size < BLUR else 0
    middle = values.mean(0)
    alike = flat & (np.abs(middle - middle[first]).max(1) <= EVEN)
    varied = np.flatnonzero(~alike[first:])
    return first + (int(varied[0]) if varied.size else flat.size - first)


def _longest(run: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """First and last + 1 of the longest stretch that is True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], run.astype(np.int8), [0]])))
    if not edges.size:
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    best = int(lengths.argmax())
    return int(edges[2 * best]), int(edges[2 * best + 1])


def _single(line: Real) -> bool:
    """No colour comes back after a quarter of the line, and neighbours are alike."""
    points = line[np.linspace(0, len(line) - 1, 64).astype(int)]
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    steps = np.abs(np.subtract.outer(np.arange(64), np.arange(64)))
    far = steps >= 64 * APART
    return bool(apart[far].min() > DIFFERENT and apart[steps == 1].max() < 90)
