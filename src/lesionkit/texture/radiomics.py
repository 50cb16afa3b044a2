"""`radiomics`: PyRadiomics' 107 features of a region, by IBSI's ways to aggregate them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import texture as _kernels
from lesionkit.texture import pyradiomics_names as names
from lesionkit.texture.haralick import Sums, features_of, marginals
from lesionkit.texture.intensity import histogram_features, intensity_features
from lesionkit.texture.region.discretise import (
    Intensities,
    Region,
    edges_by_count,
    edges_by_width,
    intensities,
)
from lesionkit.texture.region.emphasis import emphases, renamed
from lesionkit.texture.region.neighbours import (
    DEPENDENCE_FEATURES,
    Neighbours,
    count_neighbours,
    tone_features,
)
from lesionkit.texture.region.pairs import Cells, CellSums, count_cells
from lesionkit.texture.region.runs import RUN_FEATURES, all_directions, count_runs, steps_of
from lesionkit.texture.region.settings import Settings as Settings
from lesionkit.texture.region.settings import families_of
from lesionkit.texture.region.zones import ZONE_FEATURES, count_zones, merged
from lesionkit.texture.shape import diagonal, shape_of

Features = dict[str, Any]


def radiomics(
    volume: Any,
    mask: Any,
    spacing: Any = None,
    settings: Settings | None = None,
    **options: Any,
) -> dict[str, float]:
    """Shape, intensity and texture features of a region: PyRadiomics' names and numbers.

    On the CPU only.

    Parameters
    ----------
    volume : (slices, rows, columns) or (rows, columns) array of real numbers
        Finite inside the mask; what stands outside is not looked at. A tensor where `mask` is one.
    mask : array of the volume's shape
        Booleans, or whole numbers, floats too, of which `settings.label` is inside; two voxels or
        more.
    spacing : sequence of float, optional
        Of voxels along each axis, in the volume's order, mm; None: 1. It matters to the shape and
        to TotalEnergy: neighbours are counted in voxels, as in IBSI and PyRadiomics.
    settings : Settings, optional
        None: PyRadiomics' defaults.
    **options : optional
        Settings by name, in place of `settings`: `bin_width=5`.

    Returns
    -------
    dict of str to float
        "original_shape_Elongation", "original_firstorder_Energy" ..., 107 names with all families,
        102 of a picture (shape2D has 9). NaN where the region has no pair of neighbours to count
        (glcm).

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as described.

    References
    ----------
    PyRadiomics 3.0.1 (van Griethuysen et al., Cancer Research 77, e104, 2017), whose entropies,
    variances and directions these are; IBSI reference manual (arXiv:1612.07003v11).

    Examples
    --------
    >>> import numpy as np
    >>> from lesionkit.texture import radiomics
    >>> volume = np.random.default_rng(0).normal(100, 30, (8, 32, 32))
    >>> found = radiomics(volume, volume > 110, spacing=(5, 1, 1))
    >>> len(found), round(found["original_firstorder_Minimum"])
    (107, 110)
    >>> len(radiomics(volume, volume > 110, bin_width=5, families=("glcm",)))
    24
    """
    if unknown := options.keys() - {field.name for field in fields(Settings)}:
        known = ", ".join(field.name for field in fields(Settings))
        raise TypeError(f"radiomics has no setting {min(unknown)!r}: it has {known}")
    if options and settings is not None:
        raise TypeError(f"settings must be None beside settings by name, {min(options)!r}")
    settings = Settings(**options) if settings is None else settings
    if not isinstance(settings, Settings):
        raise TypeError(f"settings must be Settings, got {arrays.describe(settings)}")
    if mask is None:
        raise TypeError("mask must be booleans or labels of the volume's shape, got None")
    region = intensities(volume, mask, settings.label)
    if region.voxels < 2:
        raise ValueError("mask must hold two voxels or more, got one: it has no texture")
    steps = np.ones(region.axes) if spacing is None else spacing
    mm = arrays.real(steps, "spacing", (region.axes,), "mm", above=0)
    families = families_of(settings, region.axes)
    levels = _levels(region, settings)
    work = _Work(levels, settings)
    found: dict[str, float] = {}
    for family in families:
        if family in ("shape", "shape2D"):
            features = shape_of(region.mask, region.axes, diagonal(mm))
        elif family == "firstorder":
            features = _first_order(region, levels, float(mm.prod()), settings.shift)
        else:
            features = _TEXTURES[family](work)
        table = names.FAMILIES[family]
        found |= {f"original_{family}_{new}": float(features[old]) for new, old in table.items()}
    return found


@dataclass(frozen=True)
class _Work:
    """The levels of a region, and what more than one family asks of them."""

    levels: Region
    settings: Settings

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
    def neighbours(self) -> list[Neighbours]:
        """Of each part; voxels that are alone count, as in PyRadiomics."""
        alpha, parts = self.settings.alpha, self.parts(self.levels)
        return [count_neighbours(part, alpha, lonely=True) for part in parts]


def _levels(region: Intensities, settings: Settings) -> Region:
    low, high = region.low, region.high
    if settings.binning == "width":
        return region.region(
            edges_by_width(low, high, settings.bin_width, settings.bin_origin, region.precision)
        )
    if settings.binning == "count":
        return region.region(edges_by_count(low, high, settings.bin_count, region.precision))
    return region.region_of_levels()


def _first_order(region: Intensities, levels: Region, volume: float, shift: float) -> Features:
    features: Features = intensity_features(region.values, "volume")
    count, mean, energy = region.voxels, features["mean"], features["energy"]
    if shift:
        with np.errstate(over="ignore"):
            energy = float(((region.values + shift) ** 2).sum())
    if not np.isfinite(energy * volume):
        raise ValueError(
            "volume must have an energy below 1.8e308 in the mask, shifted and times the volume of "
            f"a voxel, got numbers from {region.low:g} to {region.high:g}, shift {shift:g} and "
            f"{volume:g} mm^3"
        )
    return {
        **features,
        **histogram_features(levels.counts()),
        "mean": mean,
        "energy": energy,
        "total_energy": energy * volume,
        "root_mean_square": (energy / count) ** 0.5,
        # PyRadiomics' is not excess kurtosis; of equal numbers it is 0 all the same
        "kurtosis": features["kurtosis"] + 3 if features["range"] > 0 else 0.0,
    }


def _mean(features: list[Features]) -> Features:
    return {name: np.mean([f[name] for f in features]) for name in features[0]}


# --- matrices with directions ---------------------------------------------------------------------


def _aggregated(
    levels: Region,
    aggregation: str,
    count: Callable[[Region, list[tuple[int, ...]]], list[Any]],
    features: Callable[[list[Any]], Features],
) -> Features:
    """What `features` finds, (n,) of n matrices, of those that `count` makes of a region, one for
    each direction, aggregated."""
    where, how = aggregation.split(", ")
    every = all_directions(levels.axes)
    if where == "2D":
        parts = [count(part, all_directions(2)) for part in levels.slices()]
        matrices = [matrix for part in parts for matrix in part]
        if how == "slice-merged":
            matrices = [sum(part[1:], part[0]) for part in parts]
    else:
        if where == "2.5D":
            every = [d for d in every if levels.axes == 2 or d[0] == 0]
        matrices = count(levels, every)
        if how == "merged":
            matrices = [sum(matrices[1:], matrices[0])]
    # Those that count something, as PyRadiomics averages them; one if none does.
    kept = [matrix for matrix in matrices if matrix.any()] or matrices[:1]
    found = [features(kept[first : first + AT_ONCE]) for first in range(0, len(kept), AT_ONCE)]
    return {name: np.concatenate([part[name] for part in found]).mean() for name in found[0]}


def _glcm(work: _Work) -> Features:
    wanted = list(names.GLCM.values())
    many = work.levels.levels > MAX_TABLE

    def features(matrices: list[Any]) -> Features:
        sums: Sums
        if many:
            sums = CellSums(matrices)
            one_level = np.array([m.one_level for m in matrices])
        else:
            stack = np.stack(matrices)
            sums = Sums(*marginals(stack, np), 2.0, 1, np, stack)
            one_level = np.count_nonzero(stack.any(-1), axis=-1) == 1
        found = dict(zip(wanted, features_of(sums, wanted).T, strict=True))
        if one_level.any() and np.count_nonzero(work.levels.counts()) > 1:
            # PyRadiomics' MCC of a direction that meets one of the region's levels only
            found["maximal_correlation"] = np.where(one_level, 0.0, found["maximal_correlation"])
        return found

    return _aggregated(
        work.levels, work.settings.aggregation, _count_cells if many else _count_pairs, features
    )


MAX_TABLE = 256  # levels of which each thread has tables of its own
AT_ONCE = 16  # matrices


def _count_cells(levels: Region, directions: list[tuple[int, ...]]) -> list[Cells]:
    return count_cells(levels, steps_of(directions, levels.axes))


def _count_pairs(levels: Region, directions: list[tuple[int, ...]]) -> list[npt.NDArray[Any]]:
    table = np.zeros((len(directions), levels.levels + 1, levels.levels + 1), np.uint32)
    steps = steps_of(directions, levels.axes)
    _kernels.region_pairs(levels.padded, levels.border, steps, table)
    once = table[:, 1:, 1:]
    return list(once + once.swapaxes(1, 2))


def _glrlm(work: _Work) -> Features:
    levels, numbers = work.ranked

    def features(matrices: list[npt.NDArray[Any]]) -> Features:
        longest = max(matrix.shape[1] for matrix in matrices)
        counts = np.zeros((len(matrices), levels.levels, longest))
        for to, matrix in zip(counts, matrices, strict=True):
            to[:, : matrix.shape[1]] = matrix
        return renamed(emphases(counts, levels=numbers), RUN_FEATURES)

    return _aggregated(levels, work.settings.aggregation, _count_runs, features)


def _count_runs(levels: Region, directions: list[tuple[int, ...]]) -> list[npt.NDArray[Any]]:
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


def _glszm(work: _Work) -> Features:
    levels, numbers = work.ranked
    found = [count_zones(part, part.axes) for part in work.parts(levels)]
    if not work.averaged and len(found) > 1:
        found = [merged(found)]
    return _mean([renamed(emphases(*part, levels=numbers), ZONE_FEATURES) for part in found])


def _gldm(work: _Work) -> Features:
    found = [part.dependence for part in work.neighbours]
    if not work.averaged:
        found = [sum(found[1:], found[0])]
    return _mean([renamed(emphases(part), DEPENDENCE_FEATURES) for part in found])


def _ngtdm(work: _Work) -> Features:
    found = work.neighbours
    if work.averaged:
        return _mean([tone_features(*part[1:]) for part in found])
    return tone_features(
        sum(part.voxels for part in found), sum(part.differences for part in found)
    )


_TEXTURES: dict[str, Callable[[_Work], Features]] = {
    "glcm": _glcm,
    "glrlm": _glrlm,
    "glszm": _glszm,
    "gldm": _gldm,
    "ngtdm": _ngtdm,
}
