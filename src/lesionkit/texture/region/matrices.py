"""Features of a region's matrices, each counted and aggregated as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit._core import texture as _kernels
from lesionkit.texture import pyradiomics_names as names
from lesionkit.texture.haralick import Sums, features_of, marginals
from lesionkit.texture.region.discretise import (
    Intensities,
    Region,
    edges_by_count,
    edges_by_width,
)
from lesionkit.texture.region.emphasis import emphases, renamed
from lesionkit.texture.region.neighbours import (
    DEPENDENCE_FEATURES,
    Neighbours,
    count_neighbours,
    tones,
)
from lesionkit.texture.region.pairs import CellSums, count_cells
from lesionkit.texture.region.runs import RUN_FEATURES, count_runs, steps_of
from lesionkit.texture.region.settings import Settings
from lesionkit.texture.region.zones import ZONE_FEATURES, count_zones, merged

Features = dict[str, Any]
Direction = tuple[int, ...]

MAX_TABLE = 256  # levels of which each thread has tables of its own
AT_ONCE = 16  # matrices, and fewer where they have more levels together than:
MAX_LINES = 1 << 16


def levels_of(region: Intensities, settings: Settings, border: int) -> Region:
    """The region cut into levels, as the settings say."""
    low, high = region.low, region.high
    if settings.binning == "width":
        origin, width = settings.bin_origin, settings.bin_width
        edges = edges_by_width(low, high, width, origin, region.precision)
        return region.region(edges, border)
    if settings.binning == "count":
        if settings.bin_range is not None:
            region = region.clipped(*settings.bin_range)
            low, high = settings.bin_range
        edges = edges_by_count(low, high, settings.bin_count, region.precision)
        return region.region(edges, border)
    return region.region_of_levels(border)


@dataclass(frozen=True)
class Work:
    """The levels of a region, and what more than one family asks of them.

    spacing : mm, along the region's axes
    """

    levels: Region
    settings: Settings
    spacing: npt.NDArray[np.float64]

    @property
    def averaged(self) -> bool:
        """Whether slices' features are averaged, rather than their matrices added."""
        return self.settings.aggregation.startswith("2D")

    def parts(self, levels: Region) -> list[Region]:
        """The regions to count in, for matrices without directions."""
        whole = self.settings.aggregation.startswith("3D")
        return [levels] if whole else levels.slices()

    @cached_property
    def ranked(self) -> tuple[Region, npt.NDArray[np.int64] | None]:
        """The region with only the levels that occur, and their numbers, where there are many: what
        is counted by level then grows with the voxels. None: 1, 2, 3 ..."""
        if self.levels.levels <= MAX_TABLE:
            return self.levels, None
        return self.levels.ranked()

    @cached_property
    def neighbours(self) -> list[tuple[Neighbours, npt.NDArray[np.int64]]]:
        """Of each part, or of all of them together; and the levels that occur, which it has rows
        of. Voxels that are alone count, as in PyRadiomics."""
        alpha, distances = int(self.settings.alpha), self.settings.distances

        def count(part: Region, rows: npt.NDArray[np.int32]) -> Neighbours:
            return count_neighbours(part, alpha, True, distances, rows)

        parts = self.parts(self.levels)
        if self.averaged:
            ranks = [part.ranks() for part in parts]
            return [
                (count(part, rows), there) for part, (rows, there) in zip(parts, ranks, strict=True)
            ]
        rows, there = self.levels.ranks()
        whole, *others = (count(part, rows) for part in parts)
        for other in others:
            whole = Neighbours(
                whole.dependence + other.dependence,
                whole.voxels + other.voxels,
                whole.differences + other.differences,
            )
        return [(whole, there)]

    def lengths(self, directions: list[Direction]) -> npt.NDArray[np.float64]:
        """Of steps, mm, by the norm that weights them."""
        order = {"manhattan": 1, "euclidean": 2, "infinity": np.inf}[self.settings.weighting or ""]
        found: npt.NDArray[np.float64] = np.linalg.norm(
            np.array(directions) * self.spacing, order, axis=1
        )
        return found


def _mean(features: list[Features]) -> Features:
    return {name: np.mean([f[name] for f in features]) for name in features[0]}


# --- matrices with directions ---------------------------------------------------------------------


def within(axes: int, distances: tuple[int, ...]) -> list[Direction]:
    """Steps so long by their longest part, one of each pair of opposites: that whose first part
    that is not 0 is positive."""
    far = max(distances, default=0)
    steps = product(range(-far, far + 1), repeat=axes)
    return [s for s in steps if s > (0,) * axes and max(map(abs, s)) in distances]


def _aggregated(
    work: Work,
    distances: tuple[int, ...],
    count: Callable[[Region, list[Direction]], list[Any]],
    features: Callable[[list[Any]], Features],
    weights: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
) -> Features:
    """What `features` finds, (n,) of n matrices, of those that `count` makes of a region, one for
    each direction, aggregated; `weights` makes of the steps' lengths what each matrix counts."""
    levels = work.levels
    where, how = work.settings.aggregation.split(", ")
    every = within(levels.axes, distances)
    if where == "2D":
        flat = within(2, distances)
        parts = [count(part, flat) for part in levels.slices()]
        matrices = [matrix for part in parts for matrix in part]
        if how == "slice-merged":
            matrices = [sum(part[1:], part[0]) for part in parts]
    else:
        if where == "2.5D":
            every = [d for d in every if levels.axes == 2 or d[0] == 0]
        matrices = count(levels, every)
        if work.settings.weighting is not None:
            by = weights(work.lengths(every))
            matrices = [matrix * by[k] for k, matrix in enumerate(matrices)]
        if how == "merged":
            matrices = [sum(matrices[1:], matrices[0])]
    # Those that count something, as PyRadiomics averages them; one if none does.
    kept = [matrix for matrix in matrices if matrix.any()] or matrices[:1]
    size = max(1, min(AT_ONCE, MAX_LINES // levels.levels))
    found = [features(kept[first : first + size]) for first in range(0, len(kept), size)]
    return {name: np.concatenate([part[name] for part in found]).mean() for name in found[0]}


def _glcm(work: Work) -> Features:
    wanted = list(names.GLCM.values())
    many, symmetric = work.levels.levels > MAX_TABLE, work.settings.symmetric

    def count(levels: Region, directions: list[Direction]) -> list[Any]:
        steps = _three(directions, levels.axes)
        if many:
            return count_cells(levels, steps, symmetric)
        return _count_pairs(levels, steps, symmetric)

    def features(matrices: list[Any]) -> Features:
        sums: Sums
        if many:
            sums = CellSums(matrices)
            one_level = np.array([m.one_level for m in matrices])
        else:
            stack = np.stack(matrices)
            sums = Sums(*marginals(stack, np), 2.0, 1, np, stack)
            lines = (np.count_nonzero(stack.any(axis), axis=-1) for axis in (-1, -2))
            one_level = np.minimum(*lines) == 1
        found = dict(zip(wanted, features_of(sums, wanted).T, strict=True))
        if one_level.any() and np.count_nonzero(work.levels.counts()) > 1:
            # PyRadiomics' MCC of a direction that meets one of the region's levels only
            found["maximal_correlation"] = np.where(one_level, 0.0, found["maximal_correlation"])
        return found

    return _aggregated(
        work, work.settings.distances, count, features, lambda length: np.exp(-(length**2))
    )


def _three(directions: list[Direction], axes: int) -> npt.NDArray[np.int64]:
    """Steps along (z, y, x): the rows of a picture are slices."""
    steps = np.zeros((len(directions), 3), np.int64)
    steps[:, [0, 2] if axes == 2 else [0, 1, 2]] = directions
    return steps


def _count_pairs(
    levels: Region, steps: npt.NDArray[np.int64], symmetric: bool
) -> list[npt.NDArray[Any]]:
    table = np.zeros((len(steps), levels.levels + 1, levels.levels + 1), np.uint32)
    _kernels.region_pairs(levels.padded, levels.border, steps, table)
    once = table[:, 1:, 1:]
    return list(once + once.swapaxes(1, 2) if symmetric else once)


def _glrlm(work: Work) -> Features:
    levels, numbers = work.ranked
    work = Work(levels, work.settings, work.spacing)

    def features(matrices: list[npt.NDArray[Any]]) -> Features:
        longest = max(matrix.shape[1] for matrix in matrices)
        counts = np.zeros((len(matrices), levels.levels, longest))
        for to, matrix in zip(counts, matrices, strict=True):
            to[:, : matrix.shape[1]] = matrix
        return renamed(emphases(counts, levels=numbers), RUN_FEATURES)

    return _aggregated(work, (1,), _count_runs, features, lambda length: length)


def _count_runs(levels: Region, directions: list[Direction]) -> list[npt.NDArray[Any]]:
    counts = count_runs(levels, steps_of(directions, levels.axes))
    if counts.shape[-1] > 1 and counts[..., 1:].any((1, 2)).all():
        return list(counts)
    # PyRadiomics leaves a direction out if no line along it meets two voxels of the region
    places = np.argwhere(levels.image())
    for k, step in enumerate(directions):
        if not counts[k, :, 1:].any() and _all_apart(places, np.array(step)):
            counts[k] = 0
    return list(counts)


def _all_apart(places: npt.NDArray[Any], step: npt.NDArray[Any]) -> bool:
    """Whether all places (n, axes) lie on lines of their own along the step."""
    axis = int(np.flatnonzero(step)[0])
    lines = places - places[:, axis, None] * step * step[axis]
    return len(np.unique(lines, axis=0)) == len(places)


# --- matrices without -----------------------------------------------------------------------------


def _glszm(work: Work) -> Features:
    levels, numbers = work.ranked
    found = [count_zones(part, part.axes) for part in work.parts(levels)]
    if not work.averaged and len(found) > 1:
        found = [merged(found)]
    return _mean([renamed(emphases(*part, levels=numbers), ZONE_FEATURES) for part in found])


def _gldm(work: Work) -> Features:
    found = [emphases(part.dependence, levels=levels) for part, levels in work.neighbours]
    return _mean([renamed(part, DEPENDENCE_FEATURES) for part in found])


def _ngtdm(work: Work) -> Features:
    found = work.neighbours
    return _mean([tones(part.voxels, part.differences, levels) for part, levels in found])


TEXTURES: dict[str, Callable[[Work], Features]] = {
    "glcm": _glcm,
    "glrlm": _glrlm,
    "glszm": _glszm,
    "gldm": _gldm,
    "ngtdm": _ngtdm,
}
