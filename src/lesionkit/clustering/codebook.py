"""Codebooks: the few words that stand for all pixels of an image."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import clustering as _kernels
from lesionkit.clustering import scaling
from lesionkit.clustering.histogram import levels
from lesionkit.clustering.images import ImageView, read

Real = npt.NDArray[np.float64]
SPREAD = 0.01  # of a cell: by how many standard deviations its halves lie apart from its word
MAX_WORDS = 65536


class Codebook(NamedTuple):
    """A codebook, and what led to it.

    Attributes
    ----------
    words : (n, channels) array
        Dark to bright; float32 for a float32 image, else float64.
    labels : array of int32, of the image's shape and kind
        The word of each pixel; -1 outside the mask.
    sizes : tuple of int
        How many words each level had, the last as many as `words`.
    distortions : (levels,) array of float64
        Mean over the pixels of ``|x - word|^2`` at the end of each level.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import codebook
    >>> codebook(np.array([[0, 0, 8], [1, 1, 9]]), 2).labels.tolist()
    [[0, 0, 1], [0, 0, 1]]
    """

    words: npt.NDArray[Any]
    labels: Any
    sizes: tuple[int, ...]
    distortions: Real


def codebook(
    image: Any,
    n: int,
    init: Literal["split", "blocks"] | Any = "split",
    *,
    mask: Any = None,
    channel_axis: int | None = None,
    blocks: int = 4,
    through: Sequence[int] | None = None,
    tol: float = 1e-3,
    max_iter: int = 100,
) -> Codebook:
    """Find n words for the pixels of an image, by way of larger or smaller codebooks.

    At each size Lloyd's algorithm runs over all pixels. Where a codebook grows, the cells of the
    largest distortion are split, word y into y - e and y + e, e a hundredth of the standard
    deviations of its channels. A word without pixels moves to the worst cell, on the other side of
    its word along the channel that varies most. Where a codebook shrinks, the nearest pairs are
    merged (Equitz). Nothing is drawn at random. Where the image has fewer different pixels than n
    there are fewer words, and a UserWarning.

    Parameters
    ----------
    image : array of real numbers
        Any number of axes; finite inside the mask.
    n : int
        Words, 1 to 65,536.
    init : {"split", "blocks"} or array, default "split"
        "split": from one word, the mean, by splitting (Linde, Buzo and Gray). "blocks": the
        brightest pixel of each block, by the sum of its channels, of several the first. Or the
        first words, (k, channels), for a grey image also (k,).
    mask : array of bool or int, optional
        Of the image's shape; pixels where it is 0 do not count.
    channel_axis : int, optional
        The axis of the channels, if the image has one. None: the image is grey.
    blocks : int, default 4
        Into how many blocks each axis is cut.
    through : sequence of int, optional
        Sizes on the way, ascending or descending. None: each double or half the last one.
    tol : float, default 1e-3
        A level ends where a pass of Lloyd's algorithm lowers the distortion by tol of it or less.
    max_iter : int, default 100
        Passes of a level at most.

    Returns
    -------
    Codebook
        Words, labels, sizes and distortions.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    Linde, Buzo and Gray, IEEE Trans. Commun. 28, 84-95, 1980; Equitz, IEEE Trans. ASSP 37,
    1568-1575, 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.clustering import codebook
    >>> book = codebook(np.array([[0, 0, 8], [1, 1, 9]]), 2)
    >>> book.words.ravel().tolist(), book.sizes, book.distortions.round(2).tolist()
    ([0.5, 8.5], (1, 2), [14.47, 0.25])
    """
    n = arrays.integer(n, "n", at_least=1, at_most=MAX_WORDS)
    blocks = arrays.integer(blocks, "blocks", at_least=1)
    tol = arrays.number(tol, "tol", at_least=0)
    max_iter = arrays.integer(max_iter, "max_iter", at_least=1)
    view, scale = read(image, mask, channel_axis).scaled()
    data = _Data.of(view)
    if view.pixels.dtype.kind == "f":
        span = 2 * scaling.largest(view.pixels) / scale
        scaling.check_overflow(data.samples.shape[1], span, "image")
    words = _first(init, view, data, blocks, scale)
    sizes = _sizes(len(words), n, through)
    book = data.refined(words, tol, max_iter)
    reached, distortions = [len(words)], [book.distortion]
    for size in sizes:
        words = book.merged(size) if size < len(book.words) else book.split(size)
        if len(words) == len(book.words):
            break  # nothing is left to split
        book = data.refined(words, tol, max_iter)
        reached.append(len(words))
        distortions.append(book.distortion)
    used = book.cells[:, 0] > 0
    if used.sum() < n:
        warnings.warn(
            f"image has {used.sum()} different pixels that a word stands for, fewer than n={n}: "
            "there are fewer words",
            stacklevel=2,
        )
    reached[-1] = int(used.sum())
    return data.answer(view, book, used, tuple(reached), np.array(distortions), scale)


class _Book(NamedTuple):
    """Words, and the pixels they stand for."""

    words: Real
    labels: npt.NDArray[np.int32]
    cells: Real  # of each word: sums of 1, of x - word and of its square for each channel

    @property
    def distortions(self) -> Real:
        """Of each cell, summed over its pixels."""
        squares: Real = self.cells[:, 1 + self.words.shape[1] :].sum(1)
        return squares

    @property
    def distortion(self) -> float:
        return float(self.distortions.sum() / self.cells[:, 0].sum())

    def means(self) -> Real:
        """The mean of each cell; of an empty one its word."""
        count = np.maximum(self.cells[:, :1], 1e-300)
        return self.words + self.cells[:, 1 : 1 + self.words.shape[1]] / count

    def deviations(self) -> Real:
        """The standard deviations of each cell's channels."""
        channels = self.words.shape[1]
        count = np.maximum(self.cells[:, :1], 1e-300)
        shift, squares = np.split(self.cells[:, 1:] / count, [channels], axis=1)
        return np.sqrt(np.maximum(squares - shift * shift, 0.0))

    def split(self, size: int) -> Real:
        """Up to `size` words: the worst cells' in two."""
        worst = np.argsort(-self.distortions, kind="stable")[: size - len(self.words)]
        worst = worst[self.deviations()[worst].any(1)]
        step = SPREAD * self.deviations()[worst]
        means = self.means()
        other = means[worst] + step
        means[worst] -= step
        return np.vstack([means, other])

    def merged(self, size: int) -> Real:
        """`size` words, by the mergers that cost least."""
        words, weights = np.ascontiguousarray(self.means()), self.cells[:, 0].copy()
        _kernels.merge_pairs(words, weights, size)
        return words[:size].copy()

    def moved(self) -> tuple[Real, bool]:
        """The next words of Lloyd's algorithm, and whether an empty cell has got a new place."""
        words, deviations = self.means(), self.deviations()
        empty = np.flatnonzero(self.cells[:, 0] == 0)
        worst = np.argsort(-self.distortions, kind="stable")[: len(empty)]
        worst = worst[deviations[worst].any(1)]
        for j, other in zip(empty, worst, strict=False):
            channel = deviations[other].argmax()
            words[j] = words[other]
            words[j, channel] += SPREAD * deviations[other, channel]
            words[other, channel] -= SPREAD * deviations[other, channel]
        return words, len(worst) > 0


class _Data(NamedTuple):
    """The pixels, or each value once and how often it occurs."""

    samples: npt.NDArray[Any]
    weights: Real | None
    counted: Any

    @classmethod
    def of(cls, view: ImageView) -> _Data:
        counted = None if view.channels else levels(view.numbers(), None)
        if counted is None:
            return cls(view.samples(), None, None)
        return cls(counted.values, counted.weights, counted)

    def refined(self, words: Real, tol: float, max_iter: int) -> _Book:
        """By Lloyd's algorithm."""
        last = np.inf
        for turn in range(max_iter + 1):
            book = self._coded(words)
            here = book.distortion
            if here == 0 or last - here <= tol * here or turn == max_iter:
                break
            words, jumped = book.moved()
            last = np.inf if jumped else here
        return book

    def _coded(self, words: Real) -> _Book:
        labels = np.empty(len(self.samples), np.int32)
        counts = np.empty(len(words), np.int64)
        cells = np.empty((len(words), 1 + 2 * words.shape[1]))
        _kernels.nearest(self.samples, self.weights, words, labels, counts)
        _kernels.cell_sums(self.samples, self.weights, labels, words, cells)
        return _Book(words, labels, cells)

    def answer(
        self,
        view: ImageView,
        book: _Book,
        used: npt.NDArray[np.bool_],
        sizes: tuple[int, ...],
        distortions: Real,
        scale: float,
    ) -> Codebook:
        words = book.words[used] / scale
        order = np.argsort(words.sum(1), kind="stable")
        ranks = np.zeros(len(used), np.int32)
        ranks[np.flatnonzero(used)[order]] = np.arange(len(order))
        labels = ranks[book.labels]
        if self.counted is not None:
            labels = self.counted.labels(view.numbers(), labels)
        kind = np.float32 if view.pixels.dtype == np.float32 else np.float64
        labels = view.whole(labels, -1)
        return Codebook(words[order].astype(kind), labels, sizes, distortions / scale / scale)


def _first(init: Any, view: ImageView, data: _Data, blocks: int, scale: float) -> Real:
    """The first words; the picture's numbers are those of the image times `scale`."""
    channels = data.samples.shape[1]
    if not isinstance(init, str):
        words = arrays.numbers(init, "init", kinds="fiu")
        words = arrays.real(words[:, None] if words.ndim == 1 else words, "init", ("k", channels))
        if not 1 <= len(words) <= MAX_WORDS:
            raise ValueError(f"init must hold from 1 to {MAX_WORDS} words, got {len(words)}")
        return np.array(words * scale, np.float64)
    if init == "split":
        mean: Real = data.samples.mean(0, dtype=np.float64)
        if data.weights is not None:
            mean = np.average(data.samples, 0, data.weights)
        return mean[None]
    if init != "blocks":
        raise ValueError(f"init must be 'split', 'blocks' or words, got {init!r}")
    if any(side < blocks for side in view.shape):
        raise ValueError(
            f"blocks must be at most the image's shortest side, {min(view.shape)}, got {blocks}"
        )
    return _brightest(view, blocks)


def _brightest(view: ImageView, blocks: int) -> Real:
    """The brightest pixel of each block that holds any."""
    pixels = view.pixels.reshape(*view.shape, -1)
    bright = pixels.sum(-1, dtype=np.float64)
    if view.mask is not None:
        bright = np.where(view.mask, bright, -np.inf)
    edges = [np.arange(blocks + 1) * side // blocks for side in view.shape]
    words = []
    for block in np.ndindex(*(blocks,) * len(edges)):
        where = tuple(slice(e[b], e[b + 1]) for e, b in zip(edges, block, strict=True))
        at = bright[where].argmax()
        if bright[where].flat[at] > -np.inf:
            words.append(pixels[where].reshape(-1, pixels.shape[-1])[at])
    return np.array(words, np.float64)


def _sizes(start: int, n: int, through: Any) -> list[int]:
    """The sizes after the first, to n."""
    if through is not None:
        if not isinstance(through, Sequence) and np.ndim(through) != 1:
            raise TypeError(f"through must be integers in a list, got {arrays.describe(through)}")
        path = [*(arrays.integer(size, "through", at_least=1) for size in through), n]
        steps = list(zip([start, *path], path, strict=False))
        if not (all(a < b <= 2 * a for a, b in steps) or all(a > b for a, b in steps)):
            raise ValueError(
                f"through must lead from {start} words to n={n}, down, or up and at most twofold "
                f"at a time, got {list(through)}"
            )
        return path
    path = []
    while start != n:
        start = min(2 * start, n) if start < n else max(-(-start // 2), n)
        path.append(start)
    return path
