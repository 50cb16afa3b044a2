"""The body in a thermogram, its midline, its breasts, and the paper marker at the sternum."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.studies.common.otsu import otsu

Real = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
SIDE_VIEW = 0.6  # below this correlation with the mirror image it is no frontal view


class Midline(NamedTuple):
    """Where left and right of a body meet.

    Attributes
    ----------
    column : float
        In half pixels.
    correlation : float
        Of the body's temperatures with their mirror image; below 0.6 the view is from the side or
        oblique, and left and right cannot be compared.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import body
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> axis = body.midline(celsius, body.find(celsius))
    >>> axis.column, axis.frontal
    (80.0, True)
    """

    column: float
    correlation: float

    @property
    def frontal(self) -> bool:
        """Whether left and right can be compared: a correlation of 0.6 or more."""
        return self.correlation >= SIDE_VIEW


def temperatures(celsius: Any, name: str = "celsius") -> npt.NDArray[np.float32]:
    """A thermogram's temperatures, checked.

    Parameters
    ----------
    celsius : array_like
        Real, finite.
    name : str, default "celsius"
        For the message.

    Returns
    -------
    (rows, columns) array of float32
        16 or more of both.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import body
    >>> body.temperatures(np.full((16, 20), 30)).dtype
    dtype('float32')
    """
    values: npt.NDArray[np.float32] = arrays.real(celsius, name, (None, None)).astype(np.float32)
    if min(values.shape) < 16:
        raise ValueError(f"{name} must have 16 rows and columns or more, got {values.shape}")
    return values


def find(celsius: Any) -> Mask:
    """The body: what is warmer than Otsu's threshold of the image smoothed by a pixel.

    The largest piece, with its holes. A hole is filled (the marker), but for holes between head and
    raised arms: those in the upper third of the rows that take up more than a thousandth of the
    image.

    Parameters
    ----------
    celsius : (rows, columns) array
        C, or any unit in which the body is high.

    Returns
    -------
    (rows, columns) array of bool
        The body.

    Raises
    ------
    TypeError, ValueError
        Where the image is constant, or not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import body
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> body.find(celsius)[60, [10, 80]].tolist()
    [False, True]
    """
    from scipy import ndimage

    values = temperatures(celsius)
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise ValueError(f"celsius must hold a body and a wall, got {low:g} everywhere")
    smooth = ndimage.gaussian_filter(values, 1.0)
    counts, edges = np.histogram(smooth, 256)
    warm = smooth > otsu(counts, (edges[1:] + edges[:-1]) / 2)
    pieces, count = ndimage.label(warm)
    if count > 1:
        warm = pieces == 1 + int(np.bincount(pieces.ravel())[1:].argmax())
    filled: Mask = ndimage.binary_fill_holes(warm)
    holes, count = ndimage.label(filled & ~warm)
    if count:
        sizes = np.bincount(holes.ravel())[1:]
        rows = np.array(
            [c[0] for c in ndimage.center_of_mass(holes > 0, holes, range(1, count + 1))]
        )
        wall = (rows < values.shape[0] / 3) & (sizes > values.size / 1000)
        filled &= ~np.concatenate([[False], wall])[holes]
    return filled


def midline(celsius: Any, body: Any) -> Midline:
    """The column about which the body is most like its mirror image.

    Temperatures are smoothed and taken at every fourth pixel of 640; those of the wall and of the
    coldest 2 per cent of the body are one value, so that cold hands do not count. The columns in
    the middle quarter of the image are tried, on all rows but the top fifth, where the head turns.

    Parameters
    ----------
    celsius : (rows, columns) array
        Temperatures, C; 16 or more of both.
    body : (rows, columns) array of bool
        Of :func:`find`.

    Returns
    -------
    Midline
        `column` and `correlation`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import body
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> body.midline(celsius, body.find(celsius)).column
    80.0
    """
    from scipy import ndimage

    values = temperatures(celsius)
    inside = mask_of(body, values.shape)
    step = max(1, values.shape[1] // 160)
    cold = float(np.percentile(values[inside], 2))
    plain = np.where(inside, np.maximum(values, cold), cold)
    smooth = ndimage.gaussian_filter(plain, step)[values.shape[0] // 5 :: step, ::step]
    width = smooth.shape[1]
    best = (-2.0, width / 2)
    for twice in range(int(2 * width * 0.375), int(2 * width * 0.625) + 1):  # twice the column
        left = np.arange(max(0, twice - width + 1), (twice + 1) // 2)
        best = max(best, (_correlation(smooth[:, left], smooth[:, twice - left]), twice / 2))
    return Midline(best[1] * step, best[0])


def _correlation(a: Any, b: Any) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else -1.0


def breasts(celsius: Any, body: Any, axis: Midline) -> tuple[Mask, Mask]:
    """Both breasts: between the fold beneath, the midline, the body's rim, and a row above.

    The row is as far above the fold's lowest point as the breast is wide. The fold is the path from
    the midline to the rim along which the temperature rises most downwards, by dynamic programming:
    the breast is cool and the fold warm. Our choice: the paper has no such step.

    Parameters
    ----------
    celsius : (rows, columns) array
        Temperatures, C; 16 or more of both.
    body : (rows, columns) array of bool
        Of :func:`find`.
    axis : Midline
        Of :func:`midline`.

    Returns
    -------
    left, right : (rows, columns) arrays of bool
        The image's left one first. Either may be empty, where the body is out of the frame.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import body
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> inside = body.find(celsius)
    >>> left, right = body.breasts(celsius, inside, body.midline(celsius, inside))
    >>> left[70, 50].item(), right[70, 110].item(), (left & right).any().item()
    (True, True, False)
    """
    values = temperatures(celsius)
    inside = mask_of(body, values.shape)
    step = max(1, values.shape[1] // 320)
    coarse, within = values[::step, ::step], inside[::step, ::step]
    known = within & ~_grown(marker(values, inside, axis)[::step, ::step], 6)
    column = round(axis.column / step)
    found = np.zeros_like(within)
    for side in (np.s_[:, column:], np.s_[:, column - 1 :: -1]):
        found[side] = _side(coarse[side], within[side], known[side])
    whole = found.repeat(step, 0).repeat(step, 1)[: values.shape[0], : values.shape[1]] & inside
    left, right = whole.copy(), whole
    left[:, column * step :] = False
    right[:, : column * step] = False
    return left, right


STEEPEST = 2  # rows a column, of the fold
UPPERMOST = 0.4  # of the image's height: no fold lies higher


def _grown(mask: Mask, pixels: int) -> Mask:
    from scipy import ndimage

    grown: Mask = ndimage.binary_dilation(mask, iterations=pixels) if mask.any() else mask
    return grown


def _side(values: npt.NDArray[np.float32], inside: Mask, known: Mask) -> Mask:
    """The breast on one side; columns go away from the midline. known : skin, not paper."""
    from scipy import ndimage

    rows = values.shape[0]
    found = np.zeros_like(inside)
    first = int(UPPERMOST * rows)
    scale = rows / 240
    # Where nothing is known it is as warm as beside it: the wall is no slope.
    weight = ndimage.gaussian_filter(known.astype(np.float32), 2.5 * scale)
    mean = ndimage.gaussian_filter(np.where(known, values, 0), 2.5 * scale)
    slope = np.gradient(mean / np.maximum(weight, 1e-3), axis=0)
    deep = ndimage.binary_erosion(known, iterations=max(1, round(1.5 * scale)), border_value=1)
    slope = np.where(deep, slope, 0)[first:]
    # How far the body reaches in each row, and where the breast ends to the side.
    reach = np.where(inside.any(1), inside.shape[1] - inside[:, ::-1].argmax(1), 0)
    wide = int(np.median(reach[first:]))
    if wide < 10 * scale:
        return found
    path = first + _steepest_path(slope[:, :wide])
    for x in range(2 * wide // 3, wide):  # to the side no fold rises steeply, but noise does
        path[x] = max(path[x], path[x - 1] - 1)
    lowest = int(path[: int(0.9 * wide)].max())
    top = max(lowest - wide, int(0.15 * rows))
    end = int(reach[(top + lowest) // 2 : lowest + 1].max(initial=wide))
    path = np.concatenate([path, np.full(max(end - wide, 0), path[-1])])[:end]
    row = np.arange(rows)[:, None]
    found[:, : len(path)] = (row >= top) & (row < path)
    return found & inside


def _steepest_path(slope: Real) -> npt.NDArray[np.intp]:
    """The row in each column of the path with the greatest sum."""
    rows, columns = slope.shape
    total = slope[:, 0].copy()
    back = np.zeros((columns, rows), np.int8)
    framed = np.full(rows + 2 * STEEPEST, -np.inf)
    options = np.lib.stride_tricks.sliding_window_view(framed, rows)
    every = np.arange(rows)
    for x in range(1, columns):
        framed[STEEPEST:-STEEPEST] = total
        best = options.argmax(0)
        back[x] = best - STEEPEST
        total = framed[every + best] + slope[:, x]
    path = np.empty(columns, np.intp)
    path[-1] = int(total.argmax())
    for x in range(columns - 1, 0, -1):
        path[x - 1] = path[x] + back[x, path[x]]
    return path


COOLER = 2.0  # C: how much colder than the skin around it paper is
PAPER = 0.16  # of the image's width: the widest marker


def marker(celsius: Any, body: Any, axis: Midline) -> Mask:
    """The square of paper at the sternum, which every image of DMR-IR has.

    Cold, about square, as large as markers are, near the midline, in the lower half.

    Parameters
    ----------
    celsius : (rows, columns) array
        Temperatures, C; 16 or more of both.
    body : (rows, columns) array of bool
        Of :func:`find`.
    axis : Midline
        Of :func:`midline`.

    Returns
    -------
    (rows, columns) array of bool
        Empty where there is none.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import body
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> celsius[80:90, 75:85] = 25  # paper
    >>> inside = body.find(celsius)
    >>> body.marker(celsius, inside, body.midline(celsius, inside)).sum().item()
    100
    """
    from scipy import ndimage

    values = temperatures(celsius)
    inside = mask_of(body, values.shape)
    found = np.zeros_like(inside)
    step, half = max(1, values.shape[1] // 160), values.shape[0] // 2
    around = ndimage.grey_closing(values[::step, ::step], round(PAPER * values.shape[1] / step))
    around = around.repeat(step, 0).repeat(step, 1)[half : values.shape[0], : values.shape[1]]
    depth = np.where(inside[half:], around - values[half:], 0)
    pieces, _ = ndimage.label(depth > COOLER)
    least, most, deepest = values.size / 1200, values.size / 30, 0.0
    for number, box in enumerate(ndimage.find_objects(pieces), 1):
        here = np.where(pieces[box] == number, depth[box], 0)
        if here.size < least:
            continue
        deep = float(np.percentile(here[here > 0], 90))
        if deep <= deepest:
            continue
        parts, count = ndimage.label(here > deep / 2)
        piece = parts == 1 + int(np.bincount(parts.ravel(), minlength=count + 1)[1:].argmax())
        tight = ndimage.find_objects(piece.astype(int))[0]
        piece = ndimage.binary_fill_holes(piece[tight])
        height, width = piece.shape
        middle = box[1].start + tight[1].start + width / 2
        square = piece.mean() > 0.7 and 0.5 < height / width < 2
        sized = least < piece.sum() < most
        if square and sized and abs(middle - axis.column) < values.shape[1] / 10:
            deepest, found[:] = deep, False
            found[half:][box][tight] = piece
    return found


def mask_of(body: Any, shape: tuple[int, ...], name: str = "body") -> Mask:
    """A mask of the thermogram's shape that holds a pixel, checked.

    Parameters
    ----------
    body : array of bool or whole numbers
        The mask.
    shape : tuple of int
        Of the thermogram.
    name : str, default "body"
        For the message.

    Returns
    -------
    (rows, columns) array of bool
        The mask.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> from lesionkit.studies.thermogram import body
    >>> body.mask_of([[0, 1]], (1, 2)).tolist()
    [[False, True]]
    """
    at = arrays.home(**{name: body})
    mask: Mask = arrays.mask(body, shape, at, name, image="celsius", some=True)
    return mask
