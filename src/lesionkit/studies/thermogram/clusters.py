"""Region based segmentation by a codebook: the paper's twelve steps, in its order.

Kanimozhi et al., section 6.1. What the paper leaves open is said where it is decided. On thermal
images of DMR-IR the boundaries of step 10 are the silhouette, the paper marker and the folds: they
never close around anything else, so step 12 ends by a count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.clustering import codebook
from lesionkit.fronts import edge_flow, link_boundaries, region_grow
from lesionkit.studies.thermogram import merge
from lesionkit.studies.thermogram.readers import colour

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]
NAMES = ("red", "green", "blue")  # labels 1, 2, 3
HUES = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255)], float)
# Step 7: the least and the greatest of red, green and blue.
RANGES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "red": ((102, 255), (0, 200), (0, 103)),
    "green": ((0, 200), (193, 225), (0, 97)),
    "blue": ((0, 207), (0, 150), (97, 220)),
}
DARK = 20  # of 255: what is darker is background
ROUNDS = 20  # of steps 11 and 12, at most
EIGHT = np.ones((3, 3), bool)


class Word(NamedTuple):
    """A word of the final codebook, and the cluster that it stands for.

    Attributes
    ----------
    name : str
        "red", "green" or "blue".
    rgb : tuple of float
        0 to 255.

    Examples
    --------
    >>> from lesionkit.studies.thermogram import clusters
    >>> clusters.Word("red", (250.0, 10.0, 5.0)).name
    'red'
    """

    name: str
    rgb: tuple[float, float, float]


@dataclass(frozen=True)
class Clusters:
    """What the steps of :func:`segment` found in an image of size x size pixels.

    Attributes
    ----------
    labels : (rows, columns) array of int32
        0 none, 1 red, 2 green, 3 blue.
    words : tuple of Word
        Of the codebook, in the order of the labels.
    hits : (3, rows, columns) array of bool
        Step 8: within the range of red, green, blue.
    regions : (rows, columns) array of int32
        Numbers from 1, 0 outside.
    boundary : (rows, columns) array of bool
        Linked, of step 12.
    rgb : (rows, columns, 3) array of uint8
        Step 1.
    positions : (n, 2) array of int64
        Step 3: row and column of each super-voxel.
    coded : (rows, columns) array of int32
        Step 6: the cluster of each pixel, by ranges and then words.
    grown : (rows, columns) array of int32
        Step 9: regions.
    strength : (rows, columns) array of float64
        Step 10: of the edge flow.
    rounds : int
        Of steps 11 and 12.
    open_ends : int
        Of the boundary, at the end.
    codebook : (16, 3) array
        Step 4.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import clusters
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> found = clusters.segment(clusters.picture_of(celsius, size=64), size=64)
    >>> found.labels.shape, found.codebook.shape[1]
    ((64, 64), 3)
    """

    labels: Labels
    words: tuple[Word, ...]
    hits: Mask
    regions: Labels
    boundary: Mask
    rgb: colour.Rgb
    positions: npt.NDArray[np.int64]
    coded: Labels
    grown: Labels
    strength: npt.NDArray[np.float64]
    rounds: int
    open_ends: int
    codebook: npt.NDArray[Any] = field(repr=False)

    @property
    def red(self) -> Mask:
        """Where the picture is red."""
        return np.asarray(self.labels == 1)

    @property
    def abnormal(self) -> bool:
        """The paper's rule: a red cluster is there. It is there in everyone, sick or healthy."""
        return bool(self.red.any())


def segment(
    rgb: Any,
    *,
    size: int = 128,
    blocks: int = 4,
    through: Sequence[int] = (8,),
    tau: float = 60.0,
    merge_below: float = 20.0,
    smallest: float = 0.005,
    ranges: Mapping[str, tuple[tuple[int, int], ...]] = RANGES,
    sigma_on: Any = True,
    spacing: int | None = None,
) -> Clusters:
    """Red, green and blue clusters of a coloured thermogram.

    1. The image, resized. 2. Blocks. 3. Super-voxels: a grid; only regions that hold one of these
    positions are seeds. 4. The brightest pixel of each block is a word of the first codebook. 5.
    The codebook is merged and refined to 8 and 3 words, which are named red, green and blue by the
    least sum of distances to pure hues. 6, 7. A pixel within a range is of that cluster; in several
    ranges, of the nearest word's among them; in none, of the nearest word's if that is within tau,
    for the ranges miss half of the body's pixels. 8. Three binary images of the ranges. 9. From
    each connected piece of a cluster that holds a super-voxel, a region grows over pixels that are
    no seeds and lie within tau of its mean. 10. Edge flow; the boundary is where its strength
    exceeds the mean by one standard deviation. 11. Open ends are linked, farther each round; a
    region that a boundary cuts is split into its pieces, and the boundary's pixels go to the
    nearest piece; then regions are merged. 12. Again, until no end is open, nothing changes, or 20
    rounds are over.

    Parameters
    ----------
    rgb : (rows, columns, 3) array of uint8
        Resized to size x size by bilinear interpolation. Resize temperatures rather than colours:
        see :func:`picture_of`.
    size : int, default 128
        Side of the image, 32 to 1024 pixels.
    blocks : int, default 4
        Of each axis, so 16 in all (the paper's).
    through : sequence of int, default (8,)
        Sizes of codebooks between the first, a word a block, and the last of 3 (ours).
    tau : float, default 60
        Of 255: how far a pixel lies at most from its word, or from its region's mean (ours).
    merge_below : float, default 20
        Of 255: neighbouring regions whose means are nearer become one (ours).
    smallest : float, default 0.005
        Fraction of the image: smaller regions join the most similar neighbour (ours).
    ranges : mapping of str to ranges
        Least and greatest red, green, blue of each cluster (the paper's).
    sigma_on : (3, 3) array of bool, default True
        By clusters and channels, which conditions count; True: all (the paper's).
    spacing : int, optional
        Of super-voxels in pixels; None: the root of a block's pixels over the number of blocks, 8.
        The paper's words, block size over number of blocks, would give 2.

    Returns
    -------
    Clusters
        Labels, regions, and what each step found.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described, or where no pixel is bright enough.

    References
    ----------
    Kanimozhi, Rajamanogaran and Sathiya, "Assessment of various segmentation approaches to poster
    breast cancer using thermal images", section 6.1.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import clusters
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> found = clusters.segment(clusters.picture_of(celsius, size=64), size=64)
    >>> [word.name for word in found.words], found.abnormal
    (['red', 'green', 'blue'], True)
    """
    from scipy import ndimage
    from scipy.optimize import linear_sum_assignment

    size = arrays.integer(size, "size", at_least=32, at_most=1024)
    blocks = arrays.integer(blocks, "blocks", at_least=2, at_most=16)
    tau = arrays.number(tau, "tau", at_least=0)
    merge_below = arrays.number(merge_below, "merge_below", at_least=0)
    smallest = arrays.number(smallest, "smallest", at_least=0, at_most=0.5)
    limits, on = _conditions(ranges, sigma_on)
    page = resized(colour.check_rgb(rgb), size)
    inside = page.max(-1) >= DARK
    if inside.sum() < 3:
        raise ValueError("rgb must hold pixels brighter than 20 of 255, it is black")

    if spacing is None:
        block = size // blocks
        spacing = max(1, round((block * block / blocks**2) ** 0.5))
    spacing = arrays.integer(spacing, "spacing", at_least=1, at_most=size)
    at = np.arange(spacing // 2, size, spacing)
    positions = np.stack(np.meshgrid(at, at, indexing="ij"), -1).reshape(-1, 2)

    first, book = _codebook(page, inside, blocks, through)
    words = book.words.astype(float)
    cost = np.linalg.norm(words[:, None] - HUES[None], axis=2)
    which, hue = linear_sum_assignment(cost)
    names = np.full(3, -1)
    names[hue] = which  # names[k]: the word of cluster k; -1 where there are too few words
    near = np.full((3, size, size), np.inf)
    wide = page.astype(float)
    for k in range(3):
        if names[k] >= 0:
            near[k] = np.linalg.norm(wide - words[names[k]], axis=-1)

    hits = np.zeros((3, size, size), bool)
    for k in range(3):
        within = (page >= limits[k, :, 0]) & (page <= limits[k, :, 1])
        hits[k] = (within | ~on[k]).all(-1) & inside & on[k].any()

    coded = _coded(hits, near, tau, inside)

    seeds = np.zeros((size, size), np.int32)
    count = 0
    for k in range(1, 4):
        pieces, found = ndimage.label(coded == k, EIGHT)
        held = np.zeros(found + 1, np.int32)
        numbers = np.unique(pieces[positions[:, 0], positions[:, 1]])
        numbers = numbers[numbers > 0]
        held[numbers] = count + 1 + np.arange(len(numbers))
        seeds += held[pieces]
        count += len(numbers)
    grown = np.zeros_like(seeds)
    if count:
        grown = region_grow(page, seeds, tau, connectivity=2, channel_axis=-1, mask=inside)
    flow = edge_flow(page, channel_axis=-1)
    drawn = flow.strength > flow.strength.mean() + flow.strength.std()
    regions, boundary, rounds, ends = _closed(grown, drawn, wide, merge_below, smallest)
    labels = _voted(regions, coded)
    named = tuple(
        Word(name, tuple(words[i].round(1).tolist()))
        for name, i in zip(NAMES, names, strict=True)
        if i >= 0
    )
    return Clusters(
        labels, named, hits, regions, boundary, page, positions, coded, grown, flow.strength,
        rounds, ends, first,
    )  # fmt: skip


def picture_of(
    values: Any,
    palette: str = "rainbow",
    limits: tuple[float, float] = colour.LIMITS,
    size: int = 128,
) -> colour.Rgb:
    """Temperatures resized by bilinear interpolation, and then painted.

    The mean of two colours may be a colour that the palette does not have: so temperatures are
    resized, not colours.

    Parameters
    ----------
    values : (rows, columns) array
        C.
    palette : str, default "rainbow"
        One of `colour.PALETTES`.
    limits : tuple of float
        C, of the coldest and the hottest colour.
    size : int, default 128
        Side of the image, pixels.

    Returns
    -------
    (size, size, 3) array of uint8
        Colours.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import clusters
    >>> row, column = np.ogrid[:120, :160]
    >>> celsius = np.where((abs(column - 80) < 50) & (row > 20), 33.0, 22.0)
    >>> for middle in (50, 110):  # the breasts are cool
    ...     celsius -= np.hypot(row - 70, column - middle) < 20
    >>> celsius += 0.02 * np.random.default_rng(0).normal(size=celsius.shape)
    >>> clusters.picture_of(celsius).shape
    (128, 128, 3)
    """
    grid = arrays.real(values, "values", (None, None)).astype(np.float32)
    return colour.paint(_bilinear(grid, size), palette, limits)


def resized(rgb: colour.Rgb, size: int) -> colour.Rgb:
    """A colour image resized by bilinear interpolation.

    Parameters
    ----------
    rgb : (rows, columns, 3) array of uint8
        Colours.
    size : int
        Side of the image, pixels.

    Returns
    -------
    (size, size, 3) array of uint8
        Colours.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.studies.thermogram import clusters
    >>> clusters.resized(np.full((10, 20, 3), 7, np.uint8), 4)[0, 0].tolist()
    [7, 7, 7]
    """
    if rgb.shape[:2] == (size, size):
        return rgb
    parts = [_bilinear(rgb[..., c].astype(np.float32), size) for c in range(3)]
    return np.stack(parts, -1).round().clip(0, 255).astype(np.uint8)


def _bilinear(values: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """(size, size), each value a mean of its neighbours; where the image is larger, of as many as
    a new pixel covers, so that none is left out."""
    from scipy import ndimage

    factors = [side / size for side in values.shape]
    if any(f > 1 for f in factors):
        values = ndimage.uniform_filter(values, [max(1, round(f)) for f in factors], mode="nearest")
    at = [
        np.clip((np.arange(size) + 0.5) * f - 0.5, 0, side - 1)
        for f, side in zip(factors, values.shape, strict=True)
    ]
    grid = np.meshgrid(*at, indexing="ij")
    out: npt.NDArray[np.float32] = ndimage.map_coordinates(values, grid, order=1, mode="nearest")
    return out


def _conditions(
    ranges: Mapping[str, tuple[tuple[int, int], ...]], sigma_on: Any
) -> tuple[npt.NDArray[np.int64], Mask]:
    if set(ranges) != set(NAMES):
        raise ValueError(f"ranges must have red, green and blue, got {', '.join(map(str, ranges))}")
    limits = arrays.real([ranges[name] for name in NAMES], "ranges", (3, 3, 2)).astype(np.int64)
    on = np.broadcast_to(np.asarray(sigma_on, bool), (3, 3))
    return limits, on


def _codebook(page: colour.Rgb, inside: Mask, blocks: int, through: Sequence[int]) -> Any:
    """The first codebook, a word a block, and the last of three."""
    import warnings

    size = len(page)
    edges = np.arange(blocks + 1) * size // blocks
    bright = np.where(inside, page.sum(-1, dtype=np.int64), -1)
    first = []
    for i in range(blocks):
        for j in range(blocks):
            box = np.s_[edges[i] : edges[i + 1], edges[j] : edges[j + 1]]
            if inside[box].any():
                first.append(page[box].reshape(-1, 3)[bright[box].argmax()])
    start = np.array(first, float)
    on_the_way = [n for n in through if 3 < n < len(start)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # fewer colours than words: said by the words
        book = codebook(
            page, min(3, int(inside.sum())), start, mask=inside, channel_axis=-1,
            through=on_the_way if len(start) > 3 else None,
        )  # fmt: skip
    return start, book


def _coded(hits: Mask, near: npt.NDArray[np.float64], tau: float, inside: Mask) -> Labels:
    """1, 2, 3 by ranges, else by words; 0 outside or too far from each word."""
    single = np.where(hits, near, np.inf)
    lone = np.where(hits, 0.0, np.inf)  # words may be missing: then ranges alone decide
    by_range = np.where(np.isfinite(single).any(0), single.argmin(0), lone.argmin(0))
    by_word = near.argmin(0)
    close = near.min(0) < tau
    coded = np.where(hits.any(0), by_range + 1, np.where(close, by_word + 1, 0))
    return np.where(inside, coded, 0).astype(np.int32)


def _closed(
    regions: Labels, drawn: Mask, page: npt.NDArray[np.float64], below: float, smallest: float
) -> tuple[Labels, Mask, int, int]:
    """Steps 11 and 12: regions, the linked boundary, rounds, and how many ends stay open."""
    fewest = int(np.ceil(smallest * regions.size))
    boundary, rounds, ends = drawn, 0, merge.open_ends(drawn)
    for rounds in range(1, ROUNDS + 1):
        linked = np.asarray(link_boundaries(boundary, rounds))
        split = merge.split(regions, linked)
        merged = merge.merged(split, page, below, fewest)
        ends = merge.open_ends(linked)
        same = np.array_equal(merged, regions) and np.array_equal(linked, boundary)
        regions, boundary = merged, linked
        if ends == 0 or same:
            break
    return regions, boundary, rounds, ends


def _voted(regions: Labels, coded: Labels) -> Labels:
    """The cluster of each region: that of most of its pixels."""
    votes = np.zeros((int(regions.max()) + 1, 4), np.int64)
    np.add.at(votes, (regions.ravel(), coded.ravel()), 1)
    winners = votes[:, 1:].argmax(1) + 1
    winners[0] = 0
    labels: Labels = winners[regions].astype(np.int32)
    return labels
