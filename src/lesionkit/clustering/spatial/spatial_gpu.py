"""Spatial fuzzy c-means by csrc/clustering/spatial/spatial.cu, under the names of
`lesionkit._core.clustering`.

The arguments are the same: images, masks and planes are CuPy arrays on one GPU, centres NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import gpu
from lesionkit.arrays import namespace, to_host
from lesionkit.clustering.fcm_gpu import BLOCK_PARTS

Doubles = npt.NDArray[np.float64]
Half = tuple[int, int, int]

FILE = "clustering/spatial/spatial.cu"
THREADS = 128  # of a block
NO_WINDOW = ((0, 0, 0), 0)  # of a pixel alone


def window_mean(images: Any, mask: Any, half: Half, border: int, self: bool, out: Any) -> None:
    """Fill out, of images (channels, planes, rows, columns)."""
    _filter("window_mean", images, mask, half, border, self, out)


def window_median(images: Any, mask: Any, half: Half, border: int, self: bool, out: Any) -> None:
    """Fill out, of images (channels, planes, rows, columns)."""
    _filter("window_median", images, mask, half, border, self, out)


def mix(x: Any, y: Any, alpha: float, extra: Any) -> None:
    """y, the neighbours' image, becomes z; extra (planes, rows, columns) is filled."""
    own, share = (y.dtype.type(part / (1.0 + alpha)) for part in (1.0, alpha))
    apart = y - x
    y[...] = x + share * apart
    extra[...] = (own * share * apart * apart).sum(axis=0)


def spatial_fcm_fit(
    x: Any, extra: Any, weight: None, m: float, max_iter: int, tolerance: float, centres: Doubles
) -> int:
    """Move the centres until they stop; the passes. x: (channels, pixels)"""

    def memberships(v: Any, u: Any) -> Any:
        _memberships(x, extra, None, None, m, v, u)
        return u

    return _fit(x, m, max_iter, tolerance, centres, memberships)


def spatial_fcm_planes(
    x: Any, extra: Any, m: float, centres: Doubles, chosen: int, plane: Any, labels: Any
) -> None:
    """Fill the memberships in class `chosen`, the labels, or both."""
    u = _planes(x, centres)
    _memberships(x, extra, None, None, m, _centres(x, centres), u)
    _answer(u, chosen, plane, labels)


def sfcm_fit(
    x: Any,
    weight: Any,
    half: Half,
    border: int,
    m: float,
    p: float,
    q: float,
    max_iter: int,
    tolerance: float,
    centres: Doubles,
) -> int:
    """Move the centres until they stop; the passes."""
    weighed = _planes(x, centres)

    def memberships(v: Any, u: Any) -> Any:
        _weighed(x, weight, (half, border), m, p, q, v, u, weighed)
        return weighed

    return _fit(x, m, max_iter, tolerance, centres, memberships)


def sfcm_planes(
    x: Any,
    weight: Any,
    half: Half,
    border: int,
    m: float,
    p: float,
    q: float,
    centres: Doubles,
    chosen: int,
    plane: Any,
    labels: Any,
) -> None:
    """Fill the memberships in class `chosen`, the labels, or both."""
    u, weighed = _planes(x, centres), _planes(x, centres)
    _weighed(x, weight, (half, border), m, p, q, _centres(x, centres), u, weighed)
    _answer(weighed, chosen, plane, labels)


def flicm_fit(
    x: Any,
    weight: Any,
    half: Half,
    border: int,
    m: float,
    max_iter: int,
    tolerance: float,
    centres: Doubles,
    u: Any,
    spare: Any,
    labels: Any,
) -> int:
    """Move the centres until they stop, with the memberships in u; the passes."""
    window = (half, border)
    _memberships(x, None, weight, None, m, _centres(x, centres), spare, window)
    _move(x, spare, m, centres)
    turn = [spare, u]

    def memberships(v: Any, _: Any) -> Any:
        old, made = turn
        _memberships(x, None, weight, old, m, v, made, window)
        turn.reverse()
        return made

    passes = _fit(x, m, max_iter, tolerance, centres, memberships)
    u[...] = turn[0]
    _answer(u, 0, None, labels)
    return passes


def _filter(
    kernel: str, images: Any, mask: Any, half: Half, border: int, self: bool, out: Any
) -> None:
    channels, *shape = images.shape
    args = [images, channels, mask, _frame(shape, half, border), int(self), out]
    grid = _blocks(images.size, images)
    gpu.launch(FILE, f"{kernel}<{gpu.c_type(images)}>", grid, THREADS, args)


def _fit(
    x: Any,
    m: float,
    max_iter: int,
    tolerance: float,
    centres: Doubles,
    memberships: Callable[[Any, Any], Any],
) -> int:
    """Passes, each of memberships(centres, scratch) and a move of the centres."""
    scratch = _planes(x, centres)
    for done in range(1, max_iter + 1):
        u = memberships(_centres(x, centres), scratch)
        if _move(x, u, m, centres) <= tolerance:
            return done
    return max_iter


def _planes(x: Any, centres: Doubles) -> Any:
    return namespace(x).empty((len(centres), *x.shape[1:]), x.dtype)


def _centres(x: Any, centres: Doubles) -> Any:
    """The centres as the pixels' numbers, where these live."""
    return namespace(x).asarray(centres.astype(x.dtype))


def _memberships(
    x: Any,
    extra: Any,
    share: Any,
    old: Any,
    m: float,
    v: Any,
    u: Any,
    window: tuple[Half, int] = NO_WINDOW,
) -> None:
    n, (c, d) = x[0].size, v.shape
    shape = x.shape[1:] if x.ndim == 4 else (1, 1, n)
    args = [x, extra, share, old, n, d, c, m, v, _frame(shape, *window), u]
    kernel = f"class_memberships<{gpu.c_type(x)}>"
    gpu.launch(FILE, kernel, _blocks(n, x), THREADS, args)


def _weighed(
    x: Any,
    share: Any,
    window: tuple[Half, int],
    m: float,
    p: float,
    q: float,
    v: Any,
    u: Any,
    to: Any,
) -> None:
    _memberships(x, None, share, None, m, v, u)
    args = [u, share, len(v), p, q, _frame(x.shape[1:], *window), to]
    kernel = f"weigh_by_window<{gpu.c_type(x)}>"
    gpu.launch(FILE, kernel, _blocks(x[0].size, x), THREADS, args)


def _move(x: Any, u: Any, m: float, centres: Doubles) -> float:
    """Move the centres to the means by u^m; how far the furthest coordinate went. A class without
    any weight stays where it is."""
    v = _centres(x, centres)
    n, (c, d) = x[0].size, centres.shape
    blocks = min(_blocks(n, x), 8 * gpu.properties(gpu.device_of(x)).multiprocessors)
    parts = namespace(x).zeros((c, d + 1, blocks))
    kernel, grid = f"class_sums<{gpu.c_type(x)}>", (blocks, c * (d + 1))
    args = [x, u, n, d, c, m, v, parts]
    gpu.launch(FILE, kernel, grid, THREADS, args, 8 * (THREADS + BLOCK_PARTS))
    sums = to_host(parts.sum(axis=2))
    there = sums[:, 0] > 0
    moved = centres.copy()
    moved[there] = to_host(v)[there] + sums[there, 1:] / sums[there, :1]
    furthest = float(np.abs(moved - centres).max())
    centres[...] = moved
    return furthest


def _answer(u: Any, chosen: int, plane: Any, labels: Any) -> None:
    if plane is not None:
        plane[...] = u[chosen]
    if labels is not None:
        labels[...] = u.argmax(axis=0)


def _frame(shape: Any, half: Half, border: int) -> np.ndarray:
    return gpu.struct([*shape, *half, border])


def _blocks(items: int, x: Any) -> int:
    return gpu.blocks_for(items, THREADS, gpu.device_of(x))
