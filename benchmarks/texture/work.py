"""The texture workloads: seeded inputs, and a judge in plain NumPy that is nobody's code.

W1  co-occurrence matrices of one image, 5 distances x 4 angles, and six properties of each
W2  many small regions of interest, 20 offsets, the 11 features under MaZda's names
W3  a map of five features over a sliding window, the mean of 4 offsets
W4  a region in a volume, 13 directions, PyRadiomics' 24 co-occurrence features
W5  the same region, 16 run-length features
W6  the same region, every family of features
W7  a larger region of the same form, its shape
W8  a smaller one, maps of the five texture families
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesionkit.texture.names import MAZDA as MAZDA

Array = NDArray[Any]
Answer = dict[str, Array]

ANGLES = [0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
PROPERTIES = ["contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation"]
ROUND = [(0, 1), (1, 1), (1, 0), (1, -1)]  # the four directions of the plane
IN_MAPS = {  # name of a map: MaZda's name of the feature
    "contrast": "Contrast",
    "homogeneity": "InvDfMom",
    "ASM": "AngScMom",
    "correlation": "Correlat",
    "entropy": "Entropy",
}
TITLES = {
    "W1": "matrices of one image and 6 properties",
    "W2": "small regions, 20 offsets, 11 features",
    "W3": "maps of 5 features, 7 x 7 window, 4 offsets",
    "W4": "co-occurrence features of a 3-D region",
    "W5": "run-length features of a 3-D region",
    "W6": "all families of a 3-D region",
    "W7": "shape of a 3-D region",
    "W8": "maps of five families, 3 x 3 x 3 windows",
}
ITEMS = {"W1": "pixels", "W2": "regions", "W3": "pixels", "W4": "voxels", "W5": "voxels"}
ITEMS |= dict.fromkeys(("W6", "W7", "W8"), "voxels")


@dataclass(frozen=True)
class Work:
    """One workload: its arrays, and how many items it holds."""

    name: str
    items: int
    levels: int
    arrays: dict[str, Array]
    offsets: list[tuple[int, ...]] = field(default_factory=list)
    window: int = 0
    threads: int = 2

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]


def textured(shape: tuple[int, ...], seed: int, slope: float = 1.4) -> NDArray[np.float64]:
    """A field whose amplitudes fall as frequency^-slope, like a photograph's, cut by a few edges;
    from 0 to 255."""
    random = np.random.default_rng(seed)
    axes = np.meshgrid(*(np.fft.fftfreq(size) * size for size in shape), indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    radius[(0,) * len(shape)] = np.inf
    noise = np.fft.fftn(random.normal(size=shape)) / radius**slope
    image = np.fft.ifftn(noise).real
    image /= image.std()
    places = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    for _ in range(6):
        centre, size = random.uniform(-0.8, 0.8, len(shape)), random.uniform(0.2, 0.6)
        inside = sum((a - c) ** 2 for a, c in zip(places, centre, strict=True)) < size**2
        image = image + random.normal() * inside
    low, high = np.percentile(image, [0.5, 99.5])
    image = (image - low) / (high - low) * 255 + random.normal(0, 3, shape)
    return np.clip(image, 0, 255)


def work(name: str, size: int | None = None, levels: int | None = None) -> Work:
    """A workload; `size` is the side of the image or volume, or the number of regions."""
    if name == "W1":
        size, levels = size or 512, levels or 256
        image = np.minimum(textured((size, size), 1) / 256 * levels, levels - 1)
        kind = np.uint8 if levels <= 256 else np.uint16
        return Work(name, size**2, levels, {"image": image.astype(kind)})
    if name == "W2":
        size, levels = size or 400, levels or 64
        side = 10 * int(np.ceil(np.sqrt(size)))
        tiles = textured((side, side), 2, slope=1.0).reshape(side // 10, 10, side // 10, 10)
        rois = tiles.swapaxes(1, 2).reshape(-1, 10, 10)[:size]
        offsets = [(d * r, d * c) for d in range(1, 6) for r, c in ROUND]
        return Work(name, size, levels, {"rois": three_sigma(rois, levels)}, offsets)
    if name == "W3":
        size, levels = size or 256, levels or 32
        image = (textured((size, size), 3) / 256 * levels).astype(np.uint8)
        arrays = {"image": image, "padded": np.pad(image, 3, mode="reflect")}
        return Work(name, size**2, levels, arrays, ROUND, 7)
    size, levels = size or {"W7": 220, "W8": 28}.get(name, 128), levels or 32
    volume = textured((size,) * 3, 4, slope=1.8).astype(np.float32)
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, size)] * 3, indexing="ij")
    wavy = 0.1 * np.sin(13 * z) * np.cos(9 * y)
    mask = (z / 0.59) ** 2 + (y / 0.55) ** 2 + (x / 0.56) ** 2 + wavy < 1
    values = volume[mask].astype(np.float64)
    fraction = (volume.astype(np.float64) - values.min()) / np.ptp(values)
    bins = np.where(mask, np.minimum(np.floor(fraction * levels) + 1, levels), 0).astype(np.int32)
    offsets = [o for o in np.ndindex(3, 3, 3) if o > (1, 1, 1)]
    offsets = [(a - 1, b - 1, c - 1) for a, b, c in offsets]
    arrays = {"volume": volume, "mask": mask, "bins": bins}
    return Work(name, int(mask.sum()), levels, arrays, offsets)


def three_sigma(rois: Array, levels: int) -> NDArray[np.uint8]:
    """Each region cut at its mean +- 3 standard deviations into equal levels, as MaZda does."""
    mean = rois.mean((1, 2), keepdims=True)
    sigma = rois.std((1, 2), keepdims=True) + 1e-9
    fraction = (rois - mean + 3 * sigma) / (6 * sigma)
    return np.ascontiguousarray(
        np.clip(np.floor(fraction * levels), 0, levels - 1).astype(np.uint8)
    )


def small(name: str) -> Work:
    """The same workload at a size that takes no time."""
    size = {"W1": 40, "W2": 9, "W3": 24, "W4": 20, "W5": 20, "W6": 20, "W7": 20, "W8": 12}
    return work(name, size[name], {"W1": 32, "W2": 64, "W3": 32}.get(name, 8))


# --- the judge: dense matrices, one offset after another -----------------------------------------


def counts(images: Array, offset: tuple[int, ...], levels: int, mask: Array | None = None) -> Array:
    """(n, levels, levels) symmetric counts of (n, ...) images at one offset."""
    here, there = [slice(None)], [slice(None)]
    for step, size in zip(offset, images.shape[1:], strict=True):
        here.append(slice(max(0, -step), size - max(0, step)))
        there.append(slice(max(0, step), size + min(0, step)))
    first, second = images[tuple(here)].astype(np.int64), images[tuple(there)].astype(np.int64)
    number = np.arange(len(images)).reshape(-1, *[1] * len(offset))
    cells = (number * levels + first) * levels + second
    if mask is not None:
        cells = cells[mask[tuple(here)] & mask[tuple(there)]]
    table = np.bincount(cells.ravel(), minlength=len(images) * levels**2)
    table = table.reshape(-1, levels, levels)
    return table + table.swapaxes(1, 2)


def mazda(table: Array) -> dict[str, Array]:
    """The 11 features of (..., levels, levels) counts, levels from 1, natural logarithm."""
    total = table.sum((-2, -1), keepdims=True)
    p = table / np.where(total == 0, 1, total)
    levels = p.shape[-1]
    i = np.arange(1, levels + 1.0)
    flat = p.reshape(*p.shape[:-2], -1)
    sums = np.add.outer(np.arange(levels), np.arange(levels)).ravel()
    apart = np.abs(np.subtract.outer(np.arange(levels), np.arange(levels))).ravel()
    p_sum = flat @ (sums[:, None] == np.arange(2 * levels - 1)).astype(float)
    p_apart = flat @ (apart[:, None] == np.arange(levels)).astype(float)
    k_sum, k_apart = np.arange(2, 2 * levels + 1.0), np.arange(levels * 1.0)
    rows = p.sum(-1)
    mean = rows @ i
    variance = (rows * (i - mean[..., None]) ** 2).sum(-1)
    product = flat @ np.multiply.outer(i, i).ravel() - mean**2
    average, distance = p_sum @ k_sum, p_apart @ k_apart
    bare = variance < 1e-12
    return {
        "AngScMom": (flat**2).sum(-1),
        "Contrast": p_apart @ k_apart**2,
        "Correlat": np.where(bare, 1, product / np.where(bare, 1, variance)),
        "SumOfSqs": variance,
        "InvDfMom": flat @ (1 / (1.0 + apart**2)),
        "SumAverg": average,
        "SumVarnc": (p_sum * (k_sum - average[..., None]) ** 2).sum(-1),
        "SumEntrp": entropy(p_sum),
        "Entropy": entropy(flat),
        "DifVarnc": (p_apart * (k_apart - distance[..., None]) ** 2).sum(-1),
        "DifEntrp": entropy(p_apart),
    }


def entropy(p: Array) -> Array:
    """Natural logarithm, 0 log 0 = 0."""
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1))).sum(-1))


def windows(job: Work, step: int) -> Array:
    """(n, window, window): W3's windows at every step-th row and column."""
    shape = (job.window, job.window)
    views = np.lib.stride_tricks.sliding_window_view(job["padded"], shape)
    return np.ascontiguousarray(views[::step, ::step].reshape(-1, *shape))


def pooled(job: Work) -> Answer:
    """Two maps of the sum of all offsets' matrices, from the differences of the pixels."""
    views = windows(job, 1).astype(float)
    contrast, homogeneity, pairs = 0.0, 0.0, 0
    for rows, columns in job.offsets:
        left, right = max(0, -columns), max(0, columns)
        first = views[:, : job.window - rows, left : job.window - right]
        second = views[:, rows:, right : job.window - left]
        square = (first - second) ** 2
        contrast = contrast + square.sum((1, 2))
        homogeneity = homogeneity + (1 / (1 + square)).sum((1, 2))
        pairs += first[0].size
    shape = job["image"].shape
    return {
        "pooled contrast": np.reshape(contrast / pairs, shape),
        "pooled homogeneity": np.reshape(homogeneity / pairs, shape),
    }
