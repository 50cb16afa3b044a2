"""Co-occurrence features of a window about each pixel or voxel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture.haralick import feature_names
from lesionkit.texture.images import (
    Border,
    check_border,
    check_first_level,
    check_levels,
    check_log_base,
    check_offsets,
    continued,
    integers,
    three,
)
from lesionkit.texture.names import MAP_FEATURES as FEATURES

MAX_PAIRS = 32767  # in a window: counts have 16 bits


def feature_maps(
    image: Any,
    window: int | Sequence[int],
    offsets: Any,
    levels: int,
    features: str | Sequence[str] = FEATURES[:11],
    *,
    border: Border = "reflect",
    average: bool = True,
    log_base: float = 2.0,
    first_level: int = 1,
) -> Any:
    """Co-occurrence features of the window about each pixel, as maps.

    The numbers are those of `haralick(cooccurrence(window))` at each pixel, and no matrix is built.

    Parameters
    ----------
    image : (rows, columns) or (planes, rows, columns) array of integers
        In [0, levels).
    window : int or sequence of int
        Odd side of the window in pixels, or one for each axis; at most 32,767 pixels.
    offsets : (n, 2) or (n, 3) array_like of int
        As many numbers each as the image has axes, shorter than the window. A pair counts if both
        its pixels lie in the window; in both orders (symmetric).
    levels : int
        Number of grey levels, 1 to 65,536.
    features : str or sequence of str, default MaZda's 11
        A name or several of `lesionkit.texture.maps.FEATURES`, or MaZda's or scikit-image's for
        these.
    border : {"reflect", "symmetric", "edge", "wrap", "valid"}, default "reflect"
        How the image goes on past its border, as in `numpy.pad`; "valid" takes only windows that
        lie inside, and gives a smaller map.
    average : bool, default True
        The mean over the offsets (in NumPy's order of sums); else a map for each.
    log_base : float, default 2
        Of the entropies, as for :func:`haralick`.
    first_level : int, default 1
        As for :func:`haralick`.

    Returns
    -------
    (features, ...) array of float64, (n, features, ...) where not averaged
        Without the axis of features where one name is given. ... is the image's shape, less window
        - 1 where `border` is "valid". Of the image's kind. Where a window is flat, correlation is
        1.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import feature_maps
    >>> image = np.zeros((64, 64), np.uint8)
    >>> image[:, 32:] = np.indices((64, 32)).sum(0) % 2 * 7
    >>> contrast = feature_maps(image, 5, [(0, 1)], 8, "contrast")
    >>> contrast.shape, contrast[30, [10, 50]].round(9).tolist()
    ((64, 64), [0.0, 49.0])
    """
    names = feature_names(features, FEATURES)
    base = check_log_base(log_base)
    first = check_first_level(first_level)
    levels = check_levels(levels)
    border = check_border(border)
    average = arrays.flag(average, "average")
    home = arrays.home(image=image)
    with home.current():
        xp = home.xp
        image = integers(image, "image", home)
        if image.ndim not in (2, 3):
            raise ValueError(f"image must have 2 or 3 axes, got {arrays.describe(image)}")
        low, high = int(image.min()), int(image.max())
        if low < 0 or high >= levels:
            raise ValueError(f"image must hold levels from 0 to {levels - 1}, got {low} to {high}")
        sides = window_of(window, image.ndim)
        steps = _within(check_offsets(offsets, image.ndim), sides)
        # A copy, and clamped: another thread may write to the image after it was looked at.
        image = xp.minimum(image.astype(np.uint16), np.uint16(levels - 1))
        padded = continued(image, sides, border, xp)
        shape = [n - side + 1 for n, side in zip(padded.shape, sides, strict=True)]
        flat = (1,) * (3 - image.ndim)
        maps = xp.empty((1 if average else len(steps), len(names), *flat, *shape))
        kernels: Any = _kernels
        if home.gpu is not None:
            from lesionkit.texture import maps_gpu as kernels
        kernels.feature_maps(
            xp.ascontiguousarray(padded).reshape(*flat, *padded.shape),
            (*flat, *sides),
            three(steps, sides),
            levels,
            [FEATURES.index(name) for name in names],
            average,
            float(first),
            base,
            maps,
        )
        maps = maps.reshape(*(() if average else (len(steps),)), len(names), *shape)
        if isinstance(features, str):
            maps = maps[0] if average else maps[:, 0]
        return home.back(maps)


def window_of(window: Any, axes: int) -> tuple[int, ...]:
    """The window's side along each axis; else a clear error."""
    several = isinstance(window, (Sequence, np.ndarray)) and np.ndim(window) > 0
    given = list(window) if several else [window] * axes
    if len(given) != axes:
        raise ValueError(
            f"window must be one odd number, or one for each of {axes} axes, got {window!r}"
        )
    sides = tuple(arrays.integer(side, "window", at_least=1) for side in given)
    if any(side % 2 == 0 for side in sides):
        raise ValueError(f"window must be odd, so that it has a middle, got {window!r}")
    if math.prod(sides) > MAX_PAIRS:
        raise ValueError(f"window must hold at most {MAX_PAIRS} pixels, got {window!r}")
    return sides


def _within(steps: Any, sides: tuple[int, ...]) -> Any:
    if steps.shape[1] != len(sides):
        raise ValueError(
            f"offsets must have one number for each of the image's {len(sides)} axes, got "
            f"{steps.shape[1]}"
        )
    if ((steps >= sides) | (steps <= np.negative(sides))).any():
        raise ValueError(
            f"offsets must be shorter than the window {sides}, so that it holds a pair, got "
            f"{steps.tolist()}"
        )
    return steps
