"""`radiomics`: PyRadiomics' 93 intensity and texture features, by IBSI's ways to aggregate them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit._core import texture as _core
from lesionkit.texture import pyradiomics_names as names
from lesionkit.texture.discretise import (
    Intensities,
    Region,
    edges_by_count,
    edges_by_width,
    intensities,
)
from lesionkit.texture.glcm import cooccurrence
from lesionkit.texture.haralick import haralick
from lesionkit.texture.images import refuse_memory
from lesionkit.texture.intensity import histogram_features, intensity_features
from lesionkit.texture.neighbours import (
    Neighbours,
    count_neighbours,
    dependence_features,
    tone_features,
)
from lesionkit.texture.runs import all_directions, count_runs, run_length_features, steps_of
from lesionkit.texture.zones import count_zones, merged, zone_features

Aggregation = Literal[
    "2D, averaged",
    "2D, slice-merged",
    "2.5D, direction-merged",
    "2.5D, merged",
    "3D, averaged",
    "3D, merged",
]
Family = Literal["firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"]
Binning = Literal["width", "count", "levels"]
Features = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How `radiomics` works; the defaults are PyRadiomics'.

    binning     : "width": bins of `bin_width`; "count": `bin_count` equal bins from the least to
                  the greatest intensity; "levels": intensities are levels, whole numbers >= 1
    bin_width   : in the unit of the intensities, above 0
    bin_origin  : where the first bin begins: None, at the multiple of the width below the least
                  intensity, as in PyRadiomics; a number, as in IBSI (the least intensity of the
                  range that was segmented)
    bin_count   : 1 to 65,535
    aggregation : IBSI's six ways for the matrices that have directions (glcm, glrlm). "2D" and
                  "2.5D" look for neighbours and runs within slices only. averaged: the mean of the
                  features over directions (and slices); merged: the features of the sum of the
                  matrices; slice-merged: summed over directions, averaged over slices;
                  direction-merged: summed over slices, averaged over directions. The other families
                  go by its first word: "2D" averages the slices' features, "2.5D" adds the slices'
                  matrices. A picture is a single slice: every way is "2D" or "2.5D".
    families    : which to compute, in this order
    label       : in a mask of integers, the voxels that have it are inside (PyRadiomics: 1)
    alpha       : how far the levels of dependent voxels may be apart (gldm; PyRadiomics' gldm_a)
    shift       : added to intensities for Energy, TotalEnergy and RootMeanSquared (voxelArrayShift)
    """

    binning: Binning = "width"
    bin_width: float = 25.0
    bin_origin: float | None = None
    bin_count: int = 32
    aggregation: Aggregation = "3D, averaged"
    families: tuple[Family, ...] = get_args(Family)
    label: int = 1
    alpha: int = 0
    shift: float = 0.0

    def __post_init__(self) -> None:
        """Check every field, and make numbers floats and sequences tuples."""
        number, integer = arrays.number, arrays.integer
        checked = {
            "binning": _one_of(self.binning, "binning", get_args(Binning)),
            "bin_width": number(self.bin_width, "bin_width", above=0),
            "bin_origin": None
            if self.bin_origin is None
            else number(self.bin_origin, "bin_origin"),
            "bin_count": integer(self.bin_count, "bin_count", at_least=1, at_most=65535),
            "aggregation": _one_of(self.aggregation, "aggregation", get_args(Aggregation)),
            "families": tuple(
                _one_of(family, "families", get_args(Family)) for family in _tuple(self.families)
            ),
            "label": integer(self.label, "label", at_least=0),
            "alpha": integer(self.alpha, "alpha", at_least=0),
            "shift": number(self.shift, "shift"),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)


def _one_of(value: Any, name: str, accepted: tuple[str, ...]) -> Any:
    if not isinstance(value, str) or value not in accepted:
        raise ValueError(f"{name} must be one of {accepted}, got {value!r}")
    return value


def _tuple(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable) or not (found := tuple(value)):
        raise ValueError(f"families must be a sequence of names, got {value!r}")
    return found


def radiomics(
    volume: Any, mask: Any, spacing: Any = None, settings: Settings | None = None
) -> dict[str, float]:
    """Intensity and texture features of a region under PyRadiomics' names, with its numbers.

    volume   : (slices, rows, columns) or (rows, columns) real numbers, finite inside the mask; what
               stands outside is not looked at
    mask     : the volume's shape: booleans, or integers of which `settings.label` is inside; two
               voxels or more
    spacing  : of voxels along each axis, in the volume's order, mm; None: 1. It matters to
               TotalEnergy only: neighbours are counted in voxels, as in IBSI and PyRadiomics
    settings : None: PyRadiomics' defaults
    returns  : "original_firstorder_Energy", "original_glcm_Autocorrelation" ... -> float, 93 names
               with all families. NaN where the region has no pair of neighbours to count (glcm).
    Raises ValueError or TypeError where an argument is not as said here. CPU only.
    Source: PyRadiomics 3.0.1 (van Griethuysen et al., Cancer Research 77, e104, 2017), whose
    entropies, variances and directions these are; IBSI reference manual (arXiv:1612.07003v11).
    """
    settings = Settings() if settings is None else settings
    if not isinstance(settings, Settings):
        raise TypeError(f"settings must be Settings, got {arrays.describe(settings)}")
    region = intensities(volume, mask, settings.label)
    if region.voxels < 2:
        raise ValueError("mask must hold two voxels or more, got one: it has no texture")
    steps = np.ones(region.axes) if spacing is None else spacing
    mm = arrays.real(steps, "spacing", (region.axes,), "mm", above=0)
    levels = _levels(region, settings)
    work = _Work(levels, settings)
    found: dict[str, float] = {}
    for family in settings.families:
        if family == "firstorder":
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

    @cached_property
    def parts(self) -> list[Region]:
        """The regions to count in, for matrices without directions."""
        whole = self.settings.aggregation.startswith("3D")
        return [self.levels] if whole else self.levels.slices()

    @cached_property
    def neighbours(self) -> list[Neighbours]:
        """Of each part; voxels that are alone count, as in PyRadiomics."""
        return [count_neighbours(part, self.settings.alpha, lonely=True) for part in self.parts]


def _levels(region: Intensities, settings: Settings) -> Region:
    low, high = region.low, region.high
    if settings.binning == "width":
        return region.region(edges_by_width(low, high, settings.bin_width, settings.bin_origin))
    if settings.binning == "count":
        return region.region(edges_by_count(low, high, settings.bin_count))
    return region.region_of_levels()


def _first_order(region: Intensities, levels: Region, volume: float, shift: float) -> Features:
    features: Features = intensity_features(region.values)
    count, mean, energy = region.voxels, features["mean"], features["energy"]
    if shift:
        with np.errstate(over="ignore"):
            energy = float(((region.values + shift) ** 2).sum())
    if not np.isfinite(energy * volume):
        raise ValueError(
            "image must have an energy below 1.8e308 in the mask, shifted and times the volume of "
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
    work: _Work,
    count: Callable[[Region, list[tuple[int, ...]]], npt.NDArray[Any]],
    features: Callable[[npt.NDArray[Any]], Features],
) -> Features:
    """Features of the matrices (directions, ...) that `count` makes of a region, aggregated."""
    levels = work.levels
    where, how = work.settings.aggregation.split(", ")
    flat = [d for d in all_directions(levels.axes) if levels.axes == 2 or d[0] == 0]
    if where == "2D":
        kept = []
        for part in levels.slices():
            matrices = count(part, all_directions(2))
            if how == "averaged":
                kept += [features(m) for m in matrices if m.any()]
            elif matrices.any():
                kept.append(features(matrices.sum(0)))
        return _mean(kept) if kept else features(matrices[0])
    matrices = count(levels, flat if where == "2.5D" else all_directions(levels.axes))
    if how == "merged":
        return features(matrices.sum(0))
    found = features(_not_empty(matrices))
    return {name: value.mean() for name, value in found.items()}


def _not_empty(matrices: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Those that count something, as PyRadiomics averages them; one if none does."""
    there = matrices.any((1, 2))
    return matrices[there] if there.any() else matrices[:1]


def _count_pairs(levels: Region, directions: list[tuple[int, ...]]) -> npt.NDArray[Any]:
    if levels.levels > 256:  # too many for tables of each thread's own
        refuse_memory(  # the counts, and as shares
            3 * 8 * levels.levels**2 * len(directions),
            f"bins must be so few that {len(directions)} matrices of {levels.levels} x "
            f"{levels.levels} fit into memory (take wider or fewer bins, or leave glcm out)",
        )
        image = levels.image()
        counts: npt.NDArray[Any] = cooccurrence(image - 1, directions, levels.levels, image != 0)
        return counts
    table = np.zeros((len(directions), levels.levels + 1, levels.levels + 1), np.uint32)
    steps = steps_of(directions, levels.axes)
    _core.region_pairs(levels.padded, levels.border, steps, table)
    once = table[:, 1:, 1:]
    return once + once.swapaxes(1, 2)


def _glcm(work: _Work) -> Features:
    wanted = list(names.GLCM.values())

    def features(matrices: npt.NDArray[Any]) -> Features:
        found = dict(zip(wanted, np.moveaxis(haralick(matrices, wanted), -1, 0), strict=True))
        one_level = np.count_nonzero(matrices.any(-1), axis=-1) == 1
        if one_level.any() and np.count_nonzero(work.levels.counts()) > 1:
            # PyRadiomics' MCC of a direction that meets one of the region's levels only
            found["maximal_correlation"] = np.where(one_level, 0.0, found["maximal_correlation"])
        return found

    return _aggregated(work, _count_pairs, features)


def _count_runs(levels: Region, directions: list[tuple[int, ...]]) -> npt.NDArray[Any]:
    counts = count_runs(levels, steps_of(directions, levels.axes))
    if counts.shape[-1] > 1 and counts[..., 1:].any((1, 2)).all():
        return counts
    # PyRadiomics leaves a direction out if no line along it meets two voxels of the region
    places = np.argwhere(levels.image())
    for k, step in enumerate(directions):
        if not counts[k, :, 1:].any() and _all_apart(places, np.array(step)):
            counts[k] = 0
    return counts


def _all_apart(places: npt.NDArray[Any], step: npt.NDArray[Any]) -> bool:
    """Whether all places (n, axes) lie on lines of their own along the step."""
    axis = int(np.flatnonzero(step)[0])
    lines = places - places[:, axis, None] * step * step[axis]
    return len(np.unique(lines, axis=0)) == len(places)


def _glrlm(work: _Work) -> Features:
    return _aggregated(work, _count_runs, run_length_features)


# --- matrices without -----------------------------------------------------------------------------


def _glszm(work: _Work) -> Features:
    found = [count_zones(part, part.axes) for part in work.parts]
    if work.averaged:
        return _mean([zone_features(*part) for part in found])
    return zone_features(*(merged(found) if len(found) > 1 else found[0]))


def _gldm(work: _Work) -> Features:
    found = work.neighbours
    if work.averaged:
        return _mean([dependence_features(part.dependence) for part in found])
    return dependence_features(sum(part.dependence for part in found))


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
