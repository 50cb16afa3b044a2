"""Regions: the grey levels inside a mask, cut out to its box, as kernels read them; and bins."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture.images import check_levels, integers, mask_of

Real = npt.NDArray[np.float64]
Edges = npt.NDArray[np.floating[Any]]


class Region(NamedTuple):
    """The grey levels of a region, with a border of zeros (csrc/texture/region/volume.hpp).

    padded : (depth + 2 border, height + 2 border, width + 2 border) unsigned: 0 outside the region,
             level + 1 inside; of a picture (rows + 2 border, 1, columns + 2 border)
    border : voxels
    levels : how many there may be
    voxels : in the region
    axes   : of the image, 2 or 3
    """

    padded: npt.NDArray[Any]
    border: int
    levels: int
    voxels: int
    axes: int

    def counts(self) -> npt.NDArray[np.int64]:
        """(levels,): how many voxels have each level."""
        found = np.zeros(self.levels + 1, np.int64)
        _kernels.level_counts(self.padded, found)
        return found[1:]

    def image(self) -> npt.NDArray[Any]:
        """The levels of the box plus 1, 0 outside the region, with the image's axes."""
        inner = slice(self.border, -self.border)
        return self.padded[inner, inner, inner] if self.axes == 3 else self.padded[inner, 0, inner]

    def ranks(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """(levels + 1,) of those levels that occur their numbers 1, 2, 3 ..., and 0 of all others;
        and which those are, counted from 1."""
        there = np.flatnonzero(self.counts()) + 1
        rank = np.zeros(self.levels + 1, np.int32)
        rank[there] = np.arange(1, len(there) + 1)
        return rank, there

    def ranked(self) -> tuple[Region, npt.NDArray[np.int64]]:
        """With the levels that occur numbered 1, 2, 3 ...; and which those are, counted from 1."""
        rank, there = self.ranks()
        padded = rank.astype(level_type(len(there)))[self.padded]
        return self._replace(padded=padded, levels=len(there)), there

    def slices(self) -> list[Region]:
        """Each slice of a volume that holds a voxel, as a picture."""
        if self.axes == 2:
            return [self]
        inner = self.padded[self.border : len(self.padded) - self.border]
        voxels = np.count_nonzero(inner, axis=(1, 2))
        return [
            Region(np.ascontiguousarray(s[:, None]), self.border, self.levels, int(n), 2)
            for s, n in zip(inner, voxels, strict=True)
            if n
        ]


def region(image: Any, levels: int, mask: Any = None, border: int = 1) -> Region:
    """The region of `image` inside `mask`, everything if None.

    image  : (rows, columns) or (slices, rows, columns) integers, in [0, levels) inside the mask;
             what stands outside is not looked at
    levels : 1 to 65,536
    mask   : the image's shape, booleans or integers, of which all but 0 are inside
    Raises TypeError or ValueError, in words, for anything else.
    """
    return region_at(
        arrays.on_cpu("zones and neighbourhoods", image=image, mask=mask),
        image,
        levels,
        mask,
        border,
    )


def region_at(
    home: arrays.Home, image: Any, levels: int, mask: Any = None, border: int = 1
) -> Region:
    """The same where image and mask live; on a GPU it is not cut out to the mask's box."""
    levels = check_levels(levels)
    array = integers(image, "image", home, takes_mask=True)
    axes = check_axes(array, "image")
    inside = mask_of(mask, array, 0, home, some=True)
    volume, cut = _volume(array, axes), None if inside is None else _volume(inside, axes)
    if home.gpu is not None:
        return _place_on_gpu(home.xp, volume, cut, levels, axes, border)
    if cut is None:
        return place(volume, None, levels, array.size, axes, border)
    box, voxels = _box(inside, axes)
    return place(volume[box], cut[box], levels, voxels, axes, border)


def _place_on_gpu(xp: Any, image: Any, mask: Any, levels: int, axes: int, border: int) -> Region:
    """As `place`, for arrays (z, y, x) of CuPy."""
    used = image if mask is None else image[mask != 0]
    low, high = int(used.min()), int(used.max())
    if low < 0 or high >= levels:
        raise wrong_level(levels, low if low < 0 else high, mask is not None)
    kind = level_type(levels)
    numbers = image.astype(kind) + kind(1)
    if mask is not None:
        numbers *= mask
    frame = [(border, border), (border if axes == 3 else 0,) * 2, (border, border)]
    return Region(xp.pad(numbers, frame), border, levels, used.size, axes)


def check_axes(array: Any, name: str) -> int:
    """2 or 3; ValueError where the array has another number of axes."""
    axes: int = array.ndim
    if axes not in (2, 3):
        raise ValueError(f"{name} must have 2 or 3 axes, got {arrays.describe(array)}")
    return axes


def place(
    image: npt.NDArray[Any],
    mask: npt.NDArray[np.uint8] | None,
    levels: int,
    voxels: int,
    axes: int,
    border: int,
) -> Region:
    """The region of a box (z, y, x) of levels; ValueError where one is out of range."""
    narrow = np.int32 if image.dtype.itemsize < 4 or image.dtype == np.int32 else np.int64
    if image.dtype == np.uint64:  # int64 cannot hold all; what is above `levels` is out of range
        image = np.minimum(image, np.uint64(levels))
    box: npt.NDArray[Any] = np.ascontiguousarray(image, dtype=narrow)
    inside = None if mask is None else np.ascontiguousarray(mask)
    padded = empty(image.shape, levels, axes, border)
    if not _kernels.place(box, inside, levels, border, padded):
        used = box if inside is None else box[inside != 0]
        wrong = used[(used < 0) | (used >= levels)]
        value = wrong.min() if wrong.min() < 0 else wrong.max()
        raise wrong_level(levels, int(value), mask is not None)
    return Region(padded, border, levels, voxels, axes)


def wrong_level(levels: int, value: int, masked: bool) -> ValueError:
    """What is raised for a level out of range."""
    where = " in the mask" if masked else ""
    return ValueError(f"image must have levels from 0 to {levels - 1}{where}, got {value}")


def level_type(levels: int) -> type[np.unsignedinteger[Any]]:
    """The type that holds 0 to `levels`."""
    return np.uint8 if levels < 2**8 else np.uint16 if levels < 2**16 else np.uint32


def empty(shape: tuple[int, ...], levels: int, axes: int, border: int) -> npt.NDArray[Any]:
    """Memory for the padded levels of a box (z, y, x)."""
    depth, height, width = shape
    above = border if axes == 3 else 0
    padded = (depth + 2 * border, height + 2 * above, width + 2 * border)
    if math.prod(padded) >= 2**31:
        raise ValueError(f"image must have less than 2**31 voxels in the mask's box, got {shape}")
    return np.empty(padded, level_type(levels))


def _volume(array: npt.NDArray[Any], axes: int) -> npt.NDArray[Any]:
    """As (z, y, x): a picture's rows are slices."""
    return array if axes == 3 else array[:, None]


def _box(mask: npt.NDArray[np.uint8], axes: int) -> tuple[tuple[slice, slice, slice], int]:
    """Where the mask (of `axes` axes) is not 0, as slices of (z, y, x), and its voxels."""
    z0, z1, y0, y1, x0, x1, voxels = _kernels.mask_box(_volume(mask, axes))
    return (slice(z0, z1), slice(y0, y1), slice(x0, x1)), voxels


@dataclass(frozen=True)
class Intensities:
    """The numbers inside a mask, and the box they lie in.

    volume : (z, y, x) float64, float32, int16 or int32, rows contiguous; a view where it can be
    mask   : the same shape, uint8, 1 inside;  axes : of the image;  voxels : inside
    low, high : the least and the greatest number inside
    precision : of the image: float32, or float64 for all other types
    """

    volume: npt.NDArray[Any]
    mask: npt.NDArray[np.uint8]
    axes: int
    voxels: int
    low: float
    high: float
    precision: type[np.floating[Any]]

    @cached_property
    def values(self) -> Real:
        """(voxels,): the numbers inside."""
        found = np.empty(self.voxels)
        _kernels.gather(self.volume, self.mask, found)
        return found

    def turned(self, axis: int) -> Intensities:
        """With this axis first: its planes become the slices."""
        volume, mask = (
            np.ascontiguousarray(np.moveaxis(part, axis, 0)) for part in (self.volume, self.mask)
        )
        return replace(self, volume=volume, mask=mask)

    def clipped(self, low: float, high: float) -> Intensities:
        """With what lies below or above a range at its ends."""
        volume = np.clip(self.volume, low, high)
        volume = volume.astype(self.precision, copy=False)
        least, most = np.clip([self.low, self.high], low, high).tolist()
        return replace(self, volume=volume, low=least, high=most)

    def region(self, edges: Edges, border: int = 1) -> Region:
        """Bins as levels: level k of voxels with edges[k] <= x < edges[k + 1]. No x is below
        edges[0]; what is not below the last edge gets the last level, len(edges) - 1."""
        exact = edges.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            widths = exact[1:] - exact[:-1]
        if not (widths.size and widths.min() > 1e-300 and widths.max() < math.inf):
            raise ValueError(
                "volume must have bins that float64 can tell apart, got intensities from "
                f"{self.low:g} to {self.high:g} for {max(widths.size, 1)} bins"
            )
        padded = empty(self.volume.shape, len(edges), self.axes, border)
        highest = int(np.searchsorted(edges, self.high, side="right"))
        epsilon = float(np.finfo(edges.dtype).eps)
        _kernels.place_bins(self.volume, self.mask, exact, highest, epsilon, border, padded)
        return Region(padded, border, highest, self.voxels, self.axes)

    def region_of_levels(self, border: int = 1) -> Region:
        """Numbers that are levels already, from 1 on."""
        if self.low >= 1 and self.high < 65535:
            padded = empty(self.volume.shape, int(self.high), self.axes, border)
            if _kernels.place_levels(self.volume, self.mask, int(self.high), border, padded):
                return Region(padded, border, int(self.high), self.voxels, self.axes)
        raise ValueError(
            'volume must hold whole numbers from 1 to 65534 in the mask where binning is "levels", '
            f"got numbers from {self.low:g} to {self.high:g}"
        )


READ_AS_THEY_ARE = [np.dtype(t) for t in (np.float64, np.float32, np.int16, np.int32)]


def intensities(volume: Any, mask: Any, label: int = 1) -> Intensities:
    """The intensities of `volume` inside `mask`.

    volume : 2 or 3 axes of real numbers, finite inside the mask; what is outside is not looked at
    mask   : the volume's shape: booleans, or labels, of which `label` is inside
    """
    home = arrays.on_cpu(volume=volume, mask=mask)
    advice = "pass volume.data with mask & ~volume.mask"
    array = arrays.numbers(home.view(volume, "volume"), "volume", kinds="fiu", masked=advice)
    axes = check_axes(array, "volume")
    _, cut, box, voxels = mask_parts(mask, label, home, array.shape)
    return intensities_of(_volume(array, axes)[box], cut, axes, voxels)


def intensities_of(
    part: npt.NDArray[Any], cut: npt.NDArray[np.uint8], axes: int, voxels: int
) -> Intensities:
    """The same of a box (z, y, x) and its mask, of 0 and 1, in which `voxels` are inside."""
    precision = np.float32 if part.dtype == np.float32 else np.float64
    if part.dtype not in READ_AS_THEY_ARE:
        with np.errstate(over="ignore"):  # of a longer type: infinite, and refused
            part = part.astype(np.float64)
    if part.strides[2] != part.itemsize or not part.flags.aligned:
        part = np.ascontiguousarray(part)
    low, high, finite = _kernels.inside_extent(part, cut)
    if not finite:
        arrays.finite_inside(part, "volume", cut.view(bool))
    return Intensities(part, cut, axes, voxels, low, high, precision)


class MaskParts(NamedTuple):
    """A mask, and where it is not empty.

    inside : booleans;  cut : its box, uint8 (z, y, x);  box : slices of (z, y, x);  voxels : inside
    """

    inside: npt.NDArray[np.bool_]
    cut: npt.NDArray[np.uint8]
    box: tuple[slice, slice, slice]
    voxels: int


def mask_parts(
    mask: Any, label: int, home: arrays.Home, shape: tuple[int, ...] | None = None
) -> MaskParts:
    """A mask of booleans, or of labels of which `label` is inside; of that shape, or of 2 or 3
    axes."""
    given = arrays.labels(mask, "mask", home, "booleans or labels")
    if shape is None:
        check_axes(given, "mask")
    else:
        arrays.check_shape(given, "mask", shape)
    inside = given if given.dtype == bool else arrays.labelled(given, label, "mask")
    if not inside.any():
        raise ValueError("mask must hold a pixel or more, and all of it is False")
    box, voxels = _box(inside.view(np.uint8), inside.ndim)
    return MaskParts(inside, _volume(inside, inside.ndim)[box].view(np.uint8), box, voxels)


def edges_by_width(
    low: float,
    high: float,
    width: float,
    origin: float | None = None,
    precision: type[np.floating[Any]] = np.float64,
) -> Edges:
    """Edges of bins of a fixed width from `low` to `high`: PyRadiomics 3.0.1's, which begin at the
    multiple of the width below and whose step, too, is found in the image's own precision by its
    arithmetic; or IBSI's fixed bin size, which begins at `origin`."""
    if not 1e-30 < width < 1e30:  # float32 might not hold it
        precision = np.float64
    least, most = precision(low), precision(high)
    with np.errstate(over="ignore"):  # infinite, and more bins than there may be
        first = least - least % width if origin is None else origin
        count = (high - first) / width
    if first > low:
        raise ValueError(f"bin_origin must be at most the smallest value, {low:g}, got {first:g}")
    if count >= 65535:
        raise ValueError(
            f"bin_width must divide the intensities from {low:g} to {high:g} into 65535 bins or "
            f"fewer, got {width:g}, which makes {count + 1:.0f}"
        )
    return np.arange(first, most + 2 * width, width)


def edges_by_count(
    low: float, high: float, count: int, precision: type[np.floating[Any]] = np.float64
) -> Edges:
    """Edges of `count` equal bins from `low` to `high`, which belongs to the last (IBSI's fixed bin
    number), in the image's own precision, as numpy.histogram and so PyRadiomics make them: what is
    0.3 in float32 is not below the edge 0.3. Where that precision cannot tell them apart, in
    float64. Equal values get a range of 1 about them, as in PyRadiomics."""
    least, most = precision(low), precision(high)
    if low == high:
        least, most = least - precision(0.5), most + precision(0.5)
    with np.errstate(over="ignore", invalid="ignore"):  # refused where the bins are made
        edges = np.linspace(least, most, count + 1, dtype=precision)
        if precision is not np.float64 and not (np.diff(edges) > 0).all():
            return edges_by_count(low, high, count)
        edges[-1] = max(edges[-1] + 1, np.nextafter(edges[-1], precision(np.inf)))
    return edges
